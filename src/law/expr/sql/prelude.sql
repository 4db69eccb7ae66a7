-- Exact numbers for DuckDB: numerator, denominator (lowest terms), error code.
CREATE OR REPLACE MACRO tu_number(p, q) AS {'n': p::HUGEINT, 'd': q::HUGEINT, 'e': 0::TINYINT};
CREATE OR REPLACE MACRO tu_no_number(err) AS {'n': NULL::HUGEINT, 'd': NULL::HUGEINT, 'e': (err)::TINYINT};
CREATE OR REPLACE MACRO tu_value(val, err) AS {'v': val, 'e': (err)::TINYINT};
CREATE OR REPLACE MACRO tu_worse(p, q) AS (CASE WHEN p = 0 THEN q WHEN q = 0 THEN p ELSE least(p, q) END);
-- Both numerators over one denominator.
CREATE OR REPLACE MACRO tu_align_raw(a, b, err) AS (CASE
  WHEN err <> 0 THEN {'l': NULL::HUGEINT, 'r': NULL::HUGEINT, 'd': NULL::HUGEINT, 'e': (err)::TINYINT}
  ELSE {'l': TRY((a).n * ((b).d // gcd((a).d, (b).d))), 'r': TRY((b).n * ((a).d // gcd((a).d, (b).d))),
        'd': TRY((a).d * ((b).d // gcd((a).d, (b).d))), 'e': 0::TINYINT} END);
CREATE OR REPLACE MACRO tu_align_fits(x) AS (CASE
  WHEN (x).e = 0 AND ((x).l IS NULL OR (x).r IS NULL OR (x).d IS NULL)
  THEN {'l': NULL::HUGEINT, 'r': NULL::HUGEINT, 'd': NULL::HUGEINT, 'e': 4::TINYINT} ELSE x END);
CREATE OR REPLACE MACRO tu_align(a, b) AS tu_align_fits(tu_align_raw(a, b, tu_worse((a).e, (b).e)));
CREATE OR REPLACE MACRO tu_sum(s) AS {'n': TRY((s).l + (s).r), 'd': (s).d, 'e': (s).e};
CREATE OR REPLACE MACRO tu_difference(s) AS {'n': TRY((s).l - (s).r), 'd': (s).d, 'e': (s).e};
CREATE OR REPLACE MACRO tu_fits(x) AS (CASE
  WHEN (x).e <> 0 THEN tu_no_number((x).e)
  WHEN (x).n IS NULL OR (x).d IS NULL THEN tu_no_number(4) ELSE x END);
CREATE OR REPLACE MACRO tu_lowest(x) AS (CASE
  WHEN (x).e <> 0 THEN tu_no_number((x).e)
  WHEN (x).n IS NULL OR (x).d IS NULL THEN tu_no_number(4)
  ELSE {'n': (x).n // gcd((x).n, (x).d), 'd': (x).d // gcd((x).n, (x).d), 'e': 0::TINYINT} END);
CREATE OR REPLACE MACRO tu_product(a, b) AS (CASE
  WHEN tu_worse((a).e, (b).e) <> 0 THEN tu_no_number(tu_worse((a).e, (b).e))
  ELSE {'n': TRY(((a).n // gcd((a).n, (b).d)) * ((b).n // gcd((b).n, (a).d))),
        'd': TRY(((a).d // gcd((b).n, (a).d)) * ((b).d // gcd((a).n, (b).d))), 'e': 0::TINYINT} END);
CREATE OR REPLACE MACRO tu_quotient(a, b) AS (CASE
  WHEN tu_worse((a).e, (b).e) <> 0 THEN tu_no_number(tu_worse((a).e, (b).e))
  WHEN (b).n = 0 THEN tu_no_number(3)
  ELSE {'n': TRY(((a).n // gcd((a).n, (b).n)) * (sign((b).n)::HUGEINT * ((b).d // gcd((b).d, (a).d)))),
        'd': TRY(((a).d // gcd((b).d, (a).d)) * (abs((b).n) // gcd((a).n, (b).n))), 'e': 0::TINYINT} END);
CREATE OR REPLACE MACRO tu_modulo(a, b, s) AS (CASE
  WHEN tu_worse((a).e, (b).e) <> 0 THEN tu_no_number(tu_worse((a).e, (b).e))
  WHEN (b).n = 0 THEN tu_no_number(3)
  WHEN (s).e <> 0 THEN tu_no_number((s).e)
  WHEN (s).l % (s).r <> 0 AND ((s).l % (s).r < 0) <> ((s).r < 0)
  THEN {'n': (s).l % (s).r + (s).r, 'd': (s).d, 'e': 0::TINYINT}
  ELSE {'n': (s).l % (s).r, 'd': (s).d, 'e': 0::TINYINT} END);
CREATE OR REPLACE MACRO tu_least(a, b, s) AS (CASE WHEN (s).e <> 0 THEN tu_no_number((s).e) WHEN (s).l <= (s).r THEN a ELSE b END);
CREATE OR REPLACE MACRO tu_greatest(a, b, s) AS (CASE WHEN (s).e <> 0 THEN tu_no_number((s).e) WHEN (s).l >= (s).r THEN a ELSE b END);
CREATE OR REPLACE MACRO tu_neg(a) AS {'n': -(a).n, 'd': (a).d, 'e': (a).e};
CREATE OR REPLACE MACRO tu_abs(a) AS {'n': abs((a).n), 'd': (a).d, 'e': (a).e};
-- Floor and rest of a ratio; `//` truncates.
CREATE OR REPLACE MACRO tu_floor(x) AS {
  'f': (x).n // (x).d - (CASE WHEN (x).n % (x).d < 0 THEN 1 ELSE 0 END)::HUGEINT,
  'r': (x).n % (x).d + (CASE WHEN (x).n % (x).d < 0 THEN (x).d ELSE 0 END)::HUGEINT,
  'n': (x).n, 'd': (x).d, 'e': (x).e};
CREATE OR REPLACE MACRO tu_count(p, how) AS {'c': TRY((p).f + (CASE
  WHEN (p).r = 0 THEN 0
  WHEN how = 'floor' THEN 0
  WHEN how = 'ceil' THEN 1
  WHEN how = 'up' THEN (CASE WHEN (p).n > 0 THEN 1 ELSE 0 END)
  WHEN how = 'down' THEN (CASE WHEN (p).n < 0 THEN 1 ELSE 0 END)
  WHEN (p).r > (p).d - (p).r THEN 1
  WHEN (p).r < (p).d - (p).r THEN 0
  WHEN how = 'half_up' THEN (CASE WHEN (p).n > 0 THEN 1 ELSE 0 END)
  ELSE (CASE WHEN (p).f % 2 <> 0 THEN 1 ELSE 0 END) END)::HUGEINT), 'e': (p).e};
CREATE OR REPLACE MACRO tu_multiple(k, qn, qd) AS {
  'n': TRY(((k).c // gcd((k).c, qd)) * qn), 'd': qd // gcd((k).c, qd), 'e': (k).e};
-- Conditions, texts, dates.
CREATE OR REPLACE MACRO tu_not(a) AS tu_value(NOT (a).v, (a).e);
CREATE OR REPLACE MACRO tu_whole(val, err) AS (CASE WHEN err <> 0 THEN tu_no_number(err) ELSE {'n': (val)::HUGEINT, 'd': 1::HUGEINT, 'e': 0::TINYINT} END);
CREATE OR REPLACE MACRO tu_length(a) AS tu_whole(length((a).v), (a).e);
CREATE OR REPLACE MACRO tu_earlier(a, b) AS tu_value(CASE WHEN (a).v <= (b).v THEN (a).v ELSE (b).v END, tu_worse((a).e, (b).e));
CREATE OR REPLACE MACRO tu_later(a, b) AS tu_value(CASE WHEN (a).v >= (b).v THEN (a).v ELSE (b).v END, tu_worse((a).e, (b).e));
CREATE OR REPLACE MACRO tu_year(a) AS tu_whole(year((a).v), (a).e);
CREATE OR REPLACE MACRO tu_month(a) AS tu_whole(month((a).v), (a).e);
CREATE OR REPLACE MACRO tu_day(a) AS tu_whole(day((a).v), (a).e);
CREATE OR REPLACE MACRO tu_month_index(a) AS tu_whole(year((a).v) * 12 + month((a).v) - 1, (a).e);
CREATE OR REPLACE MACRO tu_days_in(a) AS tu_whole(day(last_day((a).v)), (a).e);
CREATE OR REPLACE MACRO tu_months_between(a, b) AS tu_whole(
  (year((b).v) - year((a).v)) * 12 + month((b).v) - month((a).v) - (CASE WHEN day((b).v) < day((a).v) THEN 1 ELSE 0 END),
  tu_worse((a).e, (b).e));
CREATE OR REPLACE MACRO tu_days_between(a, b) AS tu_whole((b).v - (a).v, tu_worse((a).e, (b).e));
CREATE OR REPLACE MACRO tu_overlap_days(f1, u1, f2, u2) AS tu_whole(
  greatest(least((u1).v, (u2).v) - greatest((f1).v, (f2).v) + 1, 0),
  tu_worse(tu_worse((f1).e, (u1).e), tu_worse((f2).e, (u2).e)));
CREATE OR REPLACE MACRO tu_in_years(val, err) AS (CASE
  WHEN err <> 0 THEN tu_value(NULL::DATE, err)
  WHEN val IS NULL OR year(val) < 1900 OR year(val) > 2199 THEN tu_value(NULL::DATE, 4) ELSE tu_value(val, 0) END);
CREATE OR REPLACE MACRO tu_add_months(a, k) AS tu_in_years(
  CASE WHEN abs((k).n) < 100000 THEN TRY(((a).v + to_months(TRY_CAST((k).n AS INTEGER)))::DATE) END, tu_worse((a).e, (k).e));
CREATE OR REPLACE MACRO tu_add_days(a, k) AS tu_in_years(
  CASE WHEN abs((k).n) < 200000 THEN (a).v + TRY_CAST((k).n AS INTEGER) END, tu_worse((a).e, (k).e));
CREATE OR REPLACE MACRO tu_weekday(a) AS tu_whole(isodow((a).v), (a).e);
CREATE OR REPLACE MACRO tu_week_start(a) AS tu_in_years(date_trunc('week', (a).v)::DATE, (a).e);
CREATE OR REPLACE MACRO tu_date_of(y, m, d) AS tu_in_years(
  TRY(make_date(TRY_CAST((y).n AS INTEGER), TRY_CAST((m).n AS INTEGER), TRY_CAST((d).n AS INTEGER))),
  tu_worse((y).e, tu_worse((m).e, (d).e)));
CREATE OR REPLACE MACRO tu_workdays(a, b, c) AS (CASE
  WHEN tu_worse((a).e, (b).e) <> 0 THEN tu_no_number(tu_worse((a).e, (b).e))
  WHEN (b).v < (a).v THEN tu_number(0, 1)
  WHEN (c).u IS NULL OR (c).u <> 0 THEN tu_no_number(2)
  ELSE {'n': ((c).w)::HUGEINT, 'd': 1::HUGEINT, 'e': 0::TINYINT} END);
