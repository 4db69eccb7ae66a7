//! One item: gates in their order, what no pack can waive, the amount, rounding.

use super::script::{Kind, Script, link, name, table, text};
use crate::domain::{Basis, Rounding};
use crate::law::{Breach, GateRef, GateRule, Overlaps, PriceRule, RoundScope, Step, SubsidyRule};
use crate::subsidy::{MEMBERS, of_child, overlapping_on, payee_column};
use std::sync::Arc;

/// Largest amount of one line, fen.
const LINE_MAX: &str = "1000000000000000";

/// A test of admission: the column read and the SQL of its outcome, a struct or NULL when passed.
struct Test {
    reads: (Basis, Arc<str>),
    outcome: String,
}

fn refused(reason: &str) -> String {
    format!("{{'s': 'refused', 'r': {reason}}}")
}

impl Script<'_> {
    /// The lines of one item on all segments.
    pub(super) fn item(&mut self, rules: &[Option<Arc<SubsidyRule>>]) {
        let Some(first) = rules.iter().flatten().next().cloned() else { return };
        let own = self.fresh(&format!("lines of {}", first.head.id));
        self.say(&format!(
            "CREATE OR REPLACE TABLE {own} (\"row\" BIGINT, eligible BOOLEAN, status VARCHAR, \
             reason VARCHAR, amount HUGEINT);"
        ));
        if self.tables.contains(&first.basis) {
            super::payees::column(self, rules);
            let mut parts: Vec<(&SubsidyRule, String)> = Vec::new();
            for (segment, rule) in rules.iter().enumerate() {
                if let (Some(rule), Some(rows)) = (rule, self.rows(&first.basis, segment)) {
                    let exact = self.entitle(segment, rule, &rows, &own);
                    parts.push((rule, exact));
                }
            }
            self.shared_amounts(&parts, &own);
        }
        self.items.insert(Arc::clone(&first.head.id), own);
    }

    /// Judges the rows of a segment. Lines that round on their own are done with; else the table of
    /// exact amounts that comes back waits for the other segments.
    fn entitle(&mut self, segment: usize, rule: &SubsidyRule, rows: &str, own: &str) -> String {
        let basis = &rule.basis;
        let has_mains = self.links.contains(&(Basis::Institution, Basis::Institution));
        let rows = if *basis == Basis::Institution && has_mains {
            // A row that takes over inside the month shares its main row's line.
            format!("{rows} AND b.{} = b.\"row\"", link(basis))
        } else {
            rows.to_owned()
        };
        let tests = self.tests(segment, rule);
        let mut reads: Vec<(Basis, Arc<str>)> = Vec::new();
        for test in &tests {
            if !reads.contains(&test.reads) {
                reads.push(test.reads.clone());
            }
        }
        self.note("Gates in their order: the first that fails is the reason.");
        self.view(basis, &reads, &rows);
        let mut outcome = "CASE".to_owned();
        for test in &tests {
            outcome += "\n  ";
            outcome += &test.outcome;
        }
        outcome += " ELSE {'s': 'paid', 'r': ''} END";
        if tests.is_empty() {
            "{'s': 'paid', 'r': ''}".clone_into(&mut outcome);
        }
        let judged = self.fresh("judged");
        self.say(&format!(
            "CREATE OR REPLACE TABLE {judged} AS SELECT \"row\", {outcome} AS o FROM \"view\";"
        ));
        self.say(&format!(
            "INSERT INTO {own} SELECT \"row\", false, o.s, o.r, 0 FROM {judged} WHERE o.s <> \
             'paid';"
        ));
        let passed =
            format!("b.\"row\" IN (SELECT j.\"row\" FROM {judged} j WHERE j.o.s = 'paid')");
        self.note("The amount of the rows that passed.");
        if rule.round_scope != RoundScope::Line {
            return self.made("exact", &rule.amount, basis, &passed);
        }
        let rounded = self.made("rounded", &rule.amount.rounded(rule.round), basis, &passed);
        self.lines(rule, &rounded, "true", own);
        rounded
    }

    /// Rounds what shares a rounding: over all segments, so that a month the law splits is rounded
    /// once (S12). Segments that state another mode, quantum or scope share nothing.
    fn shared_amounts(&mut self, parts: &[(&SubsidyRule, String)], own: &str) {
        let stated = |rule: &SubsidyRule| (rule.round, rule.round_scope);
        let mut done: Vec<(Rounding, RoundScope)> = Vec::new();
        for (rule, _) in parts.iter().filter(|(rule, _)| rule.round_scope != RoundScope::Line) {
            if done.contains(&stated(rule)) {
                continue;
            }
            done.push(stated(rule));
            let alike: Vec<_> = parts.iter().filter(|(r, _)| stated(r) == stated(rule)).collect();
            // Of an amount that may not be below zero, one that is so has no part in a sum (S14).
            let of = |(rule, exact): &&(&SubsidyRule, String)| {
                let counts = if rule.any_sign { "true" } else { "(x).n >= 0" };
                format!("SELECT \"row\", x, (x).e = 0 AND {counts} AS counts FROM {exact}")
            };
            let tables: Vec<String> = alike.iter().map(of).collect();
            let exact = self.fresh("exact of the month");
            self.say(&format!(
                "CREATE OR REPLACE TABLE {exact} AS {};",
                tables.join(" UNION ALL ")
            ));
            let rounded = self.shared_rounding(rule, &exact);
            for (rule, exact) in alike {
                let rows = format!("\"row\" IN (SELECT e.\"row\" FROM {exact} e)");
                self.lines(rule, &rounded, &rows, own);
            }
        }
    }

    /// The lines of rows that passed: paid, zero, or refused for what their amount is.
    fn lines(&mut self, rule: &SubsidyRule, rounded: &str, rows: &str, own: &str) {
        let negative = if rule.any_sign {
            "WHEN false THEN NULL".to_owned()
        } else {
            format!("WHEN fen < 0 THEN {}", refused("'negative_amount'"))
        };
        self.say(&format!(
            "INSERT INTO {own} SELECT \"row\", true, o.s, o.r, CASE WHEN o.s = 'paid' THEN fen \
             ELSE 0 END\n\
             FROM (SELECT *, CASE WHEN (x).e <> 0 THEN {} WHEN fen IS NULL OR abs(fen) > \
             {LINE_MAX} THEN {} \
             {negative} WHEN fen = 0 THEN {{'s': 'zero', 'r': 'amount_zero'}} \
             ELSE {{'s': 'paid', 'r': ''}} END AS o\n\
             FROM (SELECT \"row\", x, (x).n // (x).d AS fen FROM {rounded} WHERE {rows}));",
            refused("tu_reason((x).e)"),
            refused("'overflow'"),
        ));
    }

    /// All tests in order of precedence.
    fn tests(&mut self, segment: usize, rule: &SubsidyRule) -> Vec<Test> {
        let month = self.month;
        let Some(law) = month.law.segments.get(segment) else { return Vec::new() };
        let gate = |id: &Arc<str>| -> Option<&Arc<GateRule>> {
            law.steps.iter().find_map(|step| match step {
                Step::Gate(rule) if rule.head.id == *id => Some(rule),
                _ => None,
            })
        };
        let prices: Vec<&Arc<PriceRule>> = law
            .steps
            .iter()
            .filter_map(|step| match step {
                Step::Price(rule) => Some(rule),
                _ => None,
            })
            .collect();
        let mut tests = Vec::new();
        let mut listed: Vec<&Arc<str>> = Vec::new();
        for reference in &rule.gates {
            match reference {
                GateRef::Gate(id) => {
                    if let Some(gate) = gate(id) {
                        let status = if gate.zero { "zero" } else { "refused" };
                        let column = format!("gate:{id}");
                        tests.extend(self.holds(&gate.basis, &column, status, &gate.reason));
                    }
                }
                GateRef::Price(id) => {
                    listed.push(id);
                    if let Some(price) = prices.iter().find(|price| price.head.id == *id) {
                        self.price_tests(price, rule, &mut tests);
                    }
                }
            }
        }
        for price in prices.iter().filter(|price| !listed.contains(&&price.head.id)) {
            if price.basis == rule.basis || price.breach == Breach::RefuseInstitution {
                self.price_tests(price, rule, &mut tests);
            }
        }
        self.standing_tests(rule, &mut tests);
        if rule.payee.is_some() {
            tests.extend(self.named(&rule.basis, &payee_column(&rule.head.id)));
        }
        tests
    }

    /// Passes where the column is true; an error refuses with its own reason.
    fn holds(&self, basis: &Basis, column: &str, status: &str, reason: &str) -> Option<Test> {
        self.known.get(&(basis.clone(), column.to_owned()))?;
        let own = name(&format!("{basis}.{column}"));
        let failed = refused(&format!("tu_reason(({own}).e)"));
        Some(Test {
            reads: (basis.clone(), Arc::from(column)),
            outcome: format!(
                "WHEN ({own}).e <> 0 THEN {failed} WHEN ({own}).v IS NOT TRUE THEN {{'s': \
                 '{status}', 'r': {}}}",
                text(reason)
            ),
        })
    }

    /// Passes where the column that names the payee has a value.
    fn named(&self, basis: &Basis, column: &str) -> Option<Test> {
        self.known.get(&(basis.clone(), column.to_owned()))?;
        let own = name(&format!("{basis}.{column}"));
        Some(Test {
            reads: (basis.clone(), Arc::from(column)),
            outcome: format!(
                "WHEN ({own}).e <> 0 THEN {} WHEN ({own}).v IS NULL THEN {}",
                refused(&format!("tu_reason(({own}).e)")),
                refused("'payee_missing'")
            ),
        })
    }

    /// Fails where the column is true.
    fn fails(&self, basis: &Basis, column: &str, reason: &str) -> Option<Test> {
        self.known.get(&(basis.clone(), column.to_owned()))?;
        let own = name(&format!("{basis}.{column}"));
        Some(Test {
            reads: (basis.clone(), Arc::from(column)),
            outcome: format!(
                "WHEN ({own}).e = 0 AND ({own}).v IS TRUE THEN {}",
                refused(&text(reason))
            ),
        })
    }

    fn price_tests(&mut self, price: &PriceRule, rule: &SubsidyRule, tests: &mut Vec<Test>) {
        let id = &price.head.id;
        let part = |part: &str| format!("{id}.{part}");
        match price.breach {
            Breach::RefuseChild => {
                for (column, reason) in [
                    ("missing", "fee_missing"),
                    ("over", "fee_above_ceiling"),
                    ("under", "fee_below_floor"),
                ] {
                    tests.extend(self.fails(&price.basis, &part(column), reason));
                }
                let column = self.breached(price, &rule.basis);
                tests.extend(self.fails(&rule.basis, &column, "child_fee_breach"));
            }
            Breach::RefuseInstitution => {
                if price.basis == rule.basis {
                    tests.extend(self.fails(&price.basis, &part("missing"), "fee_missing"));
                }
                let column = self.breached(price, &rule.basis);
                tests.extend(self.fails(&rule.basis, &column, "institution_fee_breach"));
            }
            Breach::ReduceToCeiling | Breach::Warn => {}
        }
    }

    /// A column on `own`: whether the row's institution, or its child there where the price refuses
    /// the child, has a row in breach of the price.
    fn breached(&mut self, price: &PriceRule, own: &Basis) -> String {
        let part =
            |part: &str| (price.basis.clone(), Arc::from(format!("{}.{part}", price.head.id)));
        let has = |basis: &Basis, column: &str| (basis.clone(), column.to_owned());
        let mut reads = vec![part("over"), part("under")];
        let mut test = reads
            .iter()
            .map(|(basis, column)| format!("(v.{}).v IS TRUE", name(&format!("{basis}.{column}"))))
            .collect::<Vec<_>>()
            .join(" OR ");
        if self.known.contains_key(&has(&price.basis, "in_month")) {
            test = format!(
                "({test}) AND (v.{}).v IS TRUE",
                name(&format!("{}.in_month", price.basis))
            );
            reads.push((price.basis.clone(), Arc::from("in_month")));
        }
        self.view(&price.basis, &reads, "true");
        let child = price.breach == Breach::RefuseChild;
        let child_ref = |basis: &Basis| match (child, self.known.get(&has(basis, "child_ref"))) {
            (false, _) => "''".to_owned(),
            (true, Some(held)) => format!("(b.{}).v", name(&held.text)),
            (true, None) => "NULL::VARCHAR".to_owned(),
        };
        let (of_price, of_own) = (child_ref(&price.basis), child_ref(own));
        let own_in_month = match self.known.get(&has(own, "in_month")) {
            Some(held) if child => format!("(b.{}).v IS TRUE", name(&held.text)),
            _ => "true".to_owned(),
        };
        let days = self.breach_days(price);
        let homes = self.fresh("homes in breach");
        let parent = self.parent(&price.basis, &Basis::Institution, false);
        let from = table(&price.basis);
        self.say(&format!(
            "CREATE OR REPLACE TABLE {homes} AS SELECT DISTINCT {parent} AS g, {of_price} AS c \
             FROM {from} b JOIN \"view\" v ON v.\"row\" = b.\"row\" WHERE ({test}) AND ({days});"
        ));
        let column = format!("breach:{}", price.head.id);
        let made = self.column(own, &column, Kind::Bool);
        let parent = self.parent(own, &Basis::Institution, false);
        let from = table(own);
        self.say(&format!(
            "INSERT INTO {made} SELECT o.\"row\", tu_value(o.here AND o.\"row\" IN (SELECT \
             p.\"row\" FROM (SELECT b.\"row\", {parent} AS g, {of_own} AS c FROM {from} b) p JOIN \
             {homes} h ON h.g = p.g AND h.c = p.c), 0) FROM (SELECT b.\"row\", {own_in_month} AS \
             here FROM {from} b) o;"
        ));
        column
    }

    /// The condition on table `b` for the days under a law that gives a breach the same outcome.
    fn breach_days(&self, price: &PriceRule) -> String {
        let segments = self.month.law.segments.iter().enumerate();
        let days: Vec<String> = segments
            .filter(|(_, law)| {
                law.steps.iter().any(|step| {
                    matches!(step, Step::Price(of)
                        if of.head.id == price.head.id && of.breach == price.breach)
                })
            })
            .filter_map(|(segment, _)| self.rows(&price.basis, segment))
            .collect();
        if days.is_empty() { "false".to_owned() } else { days.join(" OR ") }
    }

    /// What no pack can waive.
    fn standing_tests(&self, rule: &SubsidyRule, tests: &mut Vec<Test>) {
        let own = &rule.basis;
        let register = Basis::Institution;
        if of_child(own) {
            tests.extend(self.holds(own, "institution_known", "refused", "institution_unknown"));
            tests.extend(self.holds(own, "in_month", "refused", "not_in_month"));
            if self.month.law.head.overlaps == Overlaps::Refuse {
                let of = overlapping_on(own);
                tests.extend(self.fails(of, "overlapping", "overlapping_listings"));
            }
        }
        tests.extend(self.fails(&register, "listed_contradicts", "institution_contradicts"));
        if *own == register {
            tests.extend(self.holds(own, "listed_first", "zero", "listed_twice"));
        }
    }

    /// Rounds the exact sum over a key and hands it back by largest remainder (S12).
    fn shared_rounding(&mut self, rule: &SubsidyRule, exact: &str) -> String {
        let basis = &rule.basis;
        let home =
            format!("coalesce({}, -1::BIGINT)", self.parent(basis, &Basis::Institution, false));
        let child = if self.known.contains_key(&(basis.clone(), "child_ref".to_owned())) {
            let own = name(&format!("{basis}.child_ref"));
            format!("coalesce((b.{own}).v, b.\"row\"::VARCHAR)")
        } else {
            "b.\"row\"::VARCHAR".to_owned()
        };
        let key = match rule.round_scope {
            RoundScope::Settlement => "{'h': 0::BIGINT, 'c': ''}".to_owned(),
            RoundScope::InstitutionMonth => format!("{{'h': {home}, 'c': ''}}"),
            RoundScope::Line | RoundScope::ChildMonth => format!("{{'h': {home}, 'c': {child}}}"),
        };
        let order: Vec<String> = self.member_order(basis);
        self.note("What shares a rounding: the exact sum of each key is rounded once.");
        let members = self.fresh("members");
        self.say(&format!(
            "CREATE OR REPLACE TABLE {members} AS SELECT *, tu_lcm(list(DISTINCT (x).d) OVER \
             (PARTITION BY k)) AS l\n\
             FROM (SELECT e.\"row\", e.x, {key} AS k, row_number() OVER (ORDER BY {}) AS place \
             FROM {exact} e JOIN {} b ON b.\"row\" = e.\"row\" WHERE e.counts);",
            order.join(", "),
            table(basis)
        ));
        let Rounding { quantum: (top, bottom), mode } = rule.round;
        let sums = self.fresh("sums");
        let mut from = format!(
            "SELECT k, any_value(l) AS l, sum((x).n * (l // (x).d)) AS sm, \
             sum(abs((x).n * (l // (x).d))) AS size FROM {members} GROUP BY k"
        );
        // One step a level: macros inside macros are written out anew for every use.
        for (step, value) in [
            ("t1", "tu_lowest({'n': sm, 'd': l, 'e': 0::TINYINT})".to_owned()),
            ("t2", format!("tu_product(t1, tu_number('{bottom}', '{top}'))")),
            ("t3", "tu_fits(t2)".to_owned()),
            ("t4", "tu_floor(t3)".to_owned()),
            ("t5", format!("tu_count(t4, '{}')", mode.word())),
            ("t6", format!("tu_multiple(t5, '{top}'::HUGEINT, '{bottom}'::HUGEINT)")),
            ("t", "tu_fits(t6)".to_owned()),
            ("sg", "CASE WHEN sm < 0 THEN -1 ELSE 1 END::HUGEINT".to_owned()),
        ] {
            from = format!("SELECT *, {value} AS {step} FROM (\n{from})");
        }
        self.say(&format!(
            "CREATE OR REPLACE TABLE {sums} AS SELECT *, (t).n // (t).d * sg AS total, \
             sm * sg AS exact, (t).e <> 0 OR (t).n % (t).d <> 0 AS broken FROM (\n{from});"
        ));
        let fine = top <= bottom;
        let (unit, ideal) = if fine {
            ("s.l", "z")
        } else {
            (
                "(CASE WHEN s.size = 0 THEN 1 WHEN s.size = s.exact THEN s.size ELSE s.l * s.size \
                 END)",
                "(CASE WHEN s.size = 0 THEN 0 WHEN s.size = s.exact THEN z * s.total \
                 ELSE z * s.size + (s.total * s.l - s.exact) * abs(z) END)",
            )
        };
        self.note("The rounded sum goes back to the rows by largest remainder.");
        let rounded = self.fresh("rounded");
        self.say(&format!(
            "CREATE OR REPLACE TABLE {rounded} AS SELECT \"row\", CASE WHEN broken THEN \
             tu_no_number(4) \
             ELSE tu_number((part + (CASE WHEN nth <= total - sum(part) OVER (PARTITION BY k) \
             THEN 1 ELSE 0 END)) * sg, 1) END AS x\n\
             FROM (SELECT *, row_number() OVER (PARTITION BY k ORDER BY rest DESC, place) AS nth\n\
             FROM (SELECT *, tu_down(i, u) AS part, tu_rest(i, u) AS rest\n\
             FROM (SELECT m.\"row\", m.place, s.k, s.sg, s.total, s.broken, ({unit})::HUGEINT AS \
             u, ({ideal})::HUGEINT AS i\n\
             FROM (SELECT m.*, (m.x).n * (m.l // (m.x).d) * s.sg AS z FROM {members} m JOIN \
             {sums} s ON s.k = m.k) m \
             JOIN {sums} s ON s.k = m.k)))\n\
             UNION ALL SELECT \"row\", CASE WHEN (x).e = 0 THEN tu_number(-1, 1) ELSE x END \
             FROM {exact} WHERE NOT counts;"
        ));
        rounded
    }

    /// The order of equal remainders: what tells the rows apart, nulls as the engine writes them.
    fn member_order(&self, basis: &Basis) -> Vec<String> {
        let mut terms = Vec::new();
        for column in MEMBERS {
            if let Some(held) = self.known.get(&(basis.clone(), column.to_owned()))
                && matches!(held.kind, Kind::Date | Kind::Text)
            {
                let nulls = if held.kind == Kind::Date { "LAST" } else { "FIRST" };
                terms.push(format!("(b.{}).v NULLS {nulls}", name(&held.text)));
            }
        }
        terms.push("b.\"row\"".to_owned());
        terms
    }
}
