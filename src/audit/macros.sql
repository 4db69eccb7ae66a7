-- Beside expressions: aggregates, reasons, rounding of sums.
CREATE OR REPLACE MACRO tu_reason(err) AS (CASE err WHEN 1 THEN 'no_parent_row' WHEN 2 THEN 'table_miss' WHEN 3 THEN 'division_by_zero' WHEN 4 THEN 'overflow' ELSE 'negative_amount' END);
CREATE OR REPLACE MACRO tu_lcm(l) AS list_reduce(l, lambda p, q: p // gcd(p, q) * q);
CREATE OR REPLACE MACRO tu_gcd(l) AS list_reduce(l, lambda p, q: gcd(p, q));
CREATE OR REPLACE MACRO tu_total(l) AS list_reduce(l, lambda p, q: p + q);
CREATE OR REPLACE MACRO tu_down(p, q) AS (p // q - (CASE WHEN p % q < 0 THEN 1 ELSE 0 END)::HUGEINT);
CREATE OR REPLACE MACRO tu_rest(p, q) AS (p % q + (CASE WHEN p % q < 0 THEN q ELSE 0 END)::HUGEINT);
CREATE OR REPLACE MACRO tu_sides_above(s) AS coalesce((s).e = 0 AND (s).l > (s).r, false);
CREATE OR REPLACE MACRO tu_above(a, b) AS (CASE WHEN (a).e <> 0 OR (b).e <> 0 OR (a).n IS NULL OR (b).n IS NULL THEN false ELSE tu_sides_above(tu_align(a, b)) END);
CREATE OR REPLACE MACRO tu_first_error(l) AS list_min(list_filter(l::TINYINT[], lambda p: p <> 0));
