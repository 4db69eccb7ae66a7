//! Columns made from the rows of a group: window functions over the rows in their order.

use super::facts::identity;
use super::order;
use super::script::{Kind, Script, link, name, table};
use crate::domain::Basis;
use crate::law::expr::Expr;
use crate::law::{Gap, SpreadMethod, Step, WithinKind, WithinRule};
use std::fmt::Write as _;
use std::sync::Arc;

/// What a row uses up, as a count of one part `unit` of the group.
const COUNTED: &str = "n * (unit // d) AS uses";

impl Script<'_> {
    /// The column of a rule, from the rows of each group.
    pub(super) fn within(&mut self, rule: &WithinRule, versions: &[Option<&Step>]) {
        let own = self.column(&rule.basis, &rule.head.id, Kind::Num);
        if !self.tables.contains(&rule.basis) {
            return;
        }
        let placed = self.placed(rule, versions);
        let (placed, parts) = match &rule.kind {
            WithinKind::Rank => {
                let parts = format!("SELECT \"row\", tu_number(place, 1) AS x FROM {placed}");
                (placed, parts)
            }
            WithinKind::Allowance { quantum: None, .. } => {
                let parts = in_order(&placed, "greatest(ln, 0)", "1");
                (placed, parts)
            }
            WithinKind::Allowance { quantum: Some(quantum), .. } => {
                let parts = in_proportion(&placed, *quantum);
                (placed, parts)
            }
            WithinKind::Streak { gap, .. } => self.streak(&placed, *gap),
            WithinKind::Spread { round, method, .. } => self.spread(&placed, round.quantum, method),
        };
        let zero = "tu_number(0, 1)";
        let failed = Kind::Num.none("p.ge");
        let outside = match rule.kind {
            WithinKind::Rank => Kind::Num.none("0"),
            _ => zero.to_owned(),
        };
        let anyway = match rule.kind {
            WithinKind::Streak { .. } => format!("WHEN NOT p.holds AND NOT p.doubt THEN {zero} "),
            _ => String::new(),
        };
        // Rows that take over inside the month read what their main row reads.
        let row = if self.versioned(&rule.basis) { link(&rule.basis) } else { name("row") };
        self.say(&format!(
            "INSERT INTO {own} SELECT b.\"row\", CASE WHEN p.\"row\" IS NULL THEN {outside} {anyway}\
             WHEN p.ge IS NOT NULL THEN {failed} ELSE v.x END\n\
             FROM {} b LEFT JOIN {placed} p ON p.\"row\" = b.{row} LEFT JOIN ({parts}) v ON \
             v.\"row\" = p.\"row\";",
            table(&rule.basis)
        ));
    }

    /// Whether rows of a basis take over from others inside the month.
    fn versioned(&self, basis: &Basis) -> bool {
        self.links.contains(&(basis.clone(), basis.clone()))
    }

    /// A table of an expression's values, each segment's version on its rows.
    fn by_version(
        &mut self,
        word: &str,
        versions: &[Option<&Step>],
        basis: &Basis,
        of: &dyn Fn(&WithinRule) -> Option<Expr>,
    ) -> Option<String> {
        let mut own = None;
        for (segment, step) in versions.iter().enumerate() {
            let (Some(Step::Within(rule)), Some(rows)) = (step, self.rows(basis, segment)) else {
                continue;
            };
            let Some(expr) = of(rule) else { continue };
            match &own {
                None => own = Some(self.made(word, &expr, basis, &rows)),
                Some(own) => {
                    let query = self.evaluated(&expr, basis, &rows);
                    self.say(&format!("INSERT INTO {own} {query};"));
                }
            }
        }
        own
    }

    /// A table of the rows that take part: group `g`, whether the condition `holds` or is in `doubt`,
    /// `place`, figure `n` / `d`, that of the group `ln` / `ld`, and why the group has no value `ge`.
    fn placed(&mut self, rule: &WithinRule, versions: &[Option<&Step>]) -> String {
        let (basis, group) = (&rule.basis, &rule.within);
        let when = self.by_version("when", versions, basis, &|rule| rule.when.clone());
        let figure = self.by_version("figure", versions, basis, &|rule| rule.of_row().cloned());
        let bound = self.by_version("of the group", versions, group, &WithinRule::of_group_rounded);
        let mut columns: Vec<(Basis, Arc<str>, bool)> = rule
            .order
            .iter()
            .map(|term| (term.basis.clone(), Arc::clone(&term.column), term.descending))
            .collect();
        let stated = columns.len();
        let identity = identity(self, basis).into_iter();
        columns.extend(identity.map(|column| (basis.clone(), column, false)));
        let order = order::placed_on(self, basis, &columns);
        let parent = self.parent(basis, group, true);
        let mut joins = order.joins.clone();
        let (mut holds, mut doubt) = ("true".to_owned(), "false".to_owned());
        let mut errors = vec![format!("CASE WHEN ({parent}) IS NULL THEN 1 ELSE 0 END")];
        errors.extend(order.errors.iter().take(stated).cloned());
        if let Some(own) = when {
            let _ = write!(joins, " JOIN {own} w ON w.\"row\" = b.\"row\"");
            "((w.x).e = 0 AND coalesce((w.x).v, false))".clone_into(&mut holds);
            "((w.x).e <> 0)".clone_into(&mut doubt);
            errors.push("(w.x).e".to_owned());
        }
        let streak = matches!(rule.kind, WithinKind::Streak { .. });
        let mut number = ("1::HUGEINT".to_owned(), "1::HUGEINT".to_owned());
        if let Some(own) = figure {
            let _ = write!(joins, " JOIN {own} f ON f.\"row\" = b.\"row\"");
            errors.push(format!(
                "CASE WHEN NOT {holds} THEN 0 WHEN (f.x).e = 0 AND (f.x).n IS NULL THEN 4 ELSE \
                 (f.x).e END"
            ));
            let of = |part: &str, other: u8| {
                format!(
                    "CASE WHEN {holds} THEN coalesce((f.x).{part}, {other}) ELSE {other} END::HUGEINT"
                )
            };
            number = (of("n", 0), of("d", 1));
        }
        let mut rows = if streak { "true".to_owned() } else { format!("({holds} OR {doubt})") };
        if self.versioned(basis) {
            let _ = write!(rows, " AND b.\"row\" = b.{}", link(basis));
        }
        let members = self.fresh("members");
        self.note("The rows that take part, with their group g, and what orders them.");
        self.say(&format!(
            "CREATE OR REPLACE TABLE {members} AS SELECT b.\"row\", {parent} AS g, {holds} AS holds, \
             {doubt} AS doubt, {} AS n, {} AS d,\n  tu_first_error([{}]) AS e{}\nFROM {} b{joins}\n\
             WHERE {rows};",
            number.0,
            number.1,
            errors.join(", "),
            order.columns(),
            table(basis)
        ));
        let placed = self.fresh("in order");
        let (bound, joined) = match bound {
            None => ("NULL::HUGEINT AS ln, NULL::HUGEINT AS ld, 0 AS le".to_owned(), String::new()),
            Some(own) => (
                "(l.x).n AS ln, (l.x).d AS ld, CASE WHEN (l.x).e = 0 AND (l.x).n IS NULL THEN 4 \
                 ELSE coalesce((l.x).e, 0) END AS le"
                    .to_owned(),
                format!(" LEFT JOIN {own} l ON l.\"row\" = m.g"),
            ),
        };
        let along = along(rule);
        self.say(&format!(
            "CREATE OR REPLACE TABLE {placed} AS SELECT \"row\", g, holds, doubt, n, d, ln, ld, place, \
             along,\n  CASE WHEN g IS NULL THEN e ELSE tu_first_error([coalesce(worst, 0), le]) END \
             AS ge\n\
             FROM (SELECT m.*, {bound}, {along} AS along, min(e) OVER (PARTITION BY g) AS worst, \
             row_number() OVER (PARTITION BY g ORDER BY {}m.\"row\") AS place FROM {members} \
             m{joined});",
            order.by_columns()
        ));
        placed
    }

    /// The rows of streaks, with what a year without work days leaves without a value, and the SELECT
    /// of their lengths.
    fn streak(&mut self, placed: &str, gap: Gap) -> (String, String) {
        let work = |column: &str, day: &str| {
            format!("(SELECT c.{column} FROM \"work days\" c WHERE c.day = {day})")
        };
        let between =
            |column: &str| format!("{} - {}", work(column, "along - 1"), work(column, "before"));
        let mut error = "NULL::TINYINT".to_owned();
        let apart = match gap {
            Gap::Rows => "false".to_owned(),
            Gap::Days | Gap::Integer => "along - before > 1".to_owned(),
            Gap::Weeks => {
                "date_trunc('week', along)::DATE - date_trunc('week', before)::DATE > 7".to_owned()
            }
            Gap::Months => {
                "year(along) * 12 + month(along) - year(before) * 12 - month(before) > 1".to_owned()
            }
            Gap::WorkDays => {
                self.calendar();
                error = format!(
                    "CASE WHEN ge IS NULL AND holds AND held AND along - before > 1 AND \
                     coalesce({}, 1) <> 0 THEN 2::TINYINT END",
                    between("unpublished")
                );
                format!("CASE WHEN along - before <= 1 THEN false ELSE {} > 0 END", between("work"))
            }
        };
        self.note(&format!(
            "A streak begins anew behind a row that does not hold or a gap ({gap:?})."
        ));
        let runs = self.fresh("runs");
        self.say(&format!(
            "CREATE OR REPLACE TABLE {runs} AS SELECT * EXCLUDE (ge, gap), coalesce(ge, min(gap) OVER \
             (PARTITION BY g)) AS ge, sum(start::INTEGER) OVER (PARTITION BY g ORDER BY place) AS \
             run\n\
             FROM (SELECT *, NOT holds OR NOT coalesce(held, false) OR coalesce({apart}, true) AS \
             start, {error} AS gap\n\
             FROM (SELECT *, lag(holds) OVER (PARTITION BY g ORDER BY place) AS held, lag(along) \
             OVER (PARTITION BY g ORDER BY place) AS before FROM {placed}));"
        ));
        let lowest = lowest("total", "unit");
        let parts = format!(
            "SELECT \"row\", CASE WHEN holds THEN {lowest} ELSE tu_number(0, 1) END AS x\n\
             FROM (SELECT *, sum(uses) OVER (PARTITION BY g, run ORDER BY place) AS total\n\
             FROM (SELECT *, {COUNTED} FROM (SELECT *, {} AS unit FROM {runs} WHERE ge IS NULL)))",
            common("")
        );
        (runs, parts)
    }

    /// The rows of what is spread, with those over whose weights nothing can be spread, and the SELECT
    /// of their parts.
    fn spread(
        &mut self,
        placed: &str,
        (top, bottom): (i128, i128),
        method: &SpreadMethod,
    ) -> (String, String) {
        match method {
            SpreadMethod::One => {
                let parts = format!(
                    "SELECT \"row\", CASE WHEN place = 1 THEN {} ELSE tu_number(0, 1) END AS x FROM \
                     {placed} WHERE ge IS NULL",
                    lowest("ln", "ld")
                );
                (placed.to_owned(), parts)
            }
            SpreadMethod::Queue(_) => {
                let from = format!("(SELECT * REPLACE (greatest(n, 0) AS n) FROM {placed})");
                (placed.to_owned(), in_order(&from, "abs(ln)", "sign(ln)::HUGEINT"))
            }
            SpreadMethod::ProRata(_) => {
                let weighed = self.fresh("weighed");
                self.note("An amount over weights of which none is above zero has no parts.");
                self.say(&format!(
                    "CREATE OR REPLACE TABLE {weighed} AS SELECT * REPLACE (CASE WHEN ge IS NULL AND \
                     ln <> 0 AND max(n) OVER (PARTITION BY g) <= 0 THEN 3 ELSE ge END AS ge) FROM \
                     {placed};"
                ));
                let lowest = lowest(
                    &format!("CASE WHEN ln < 0 THEN -count ELSE count END * {top}::HUGEINT"),
                    &format!("{bottom}::HUGEINT"),
                );
                let counted = format!(
                    "SELECT *, greatest(uses, 0) AS weight, (abs(ln) * {bottom} // (ld * \
                     {top}))::HUGEINT AS asked, true AS fits\n\
                     FROM (SELECT *, {COUNTED} FROM (SELECT *, {} AS unit FROM {weighed} WHERE ge IS \
                     NULL))",
                    common("")
                );
                let parts =
                    format!("SELECT \"row\", {lowest} AS x FROM ({})", shared(&counted, "1"));
                (weighed, parts)
            }
        }
    }
}

/// The column a streak runs along.
fn along(rule: &WithinRule) -> &'static str {
    match (&rule.kind, rule.order.first()) {
        (WithinKind::Streak { .. }, Some(term)) if term.basis == rule.basis => "o1",
        // Whether there is a coarser row stands before its value.
        (WithinKind::Streak { .. }, Some(_)) => "o2",
        _ => "NULL",
    }
}

/// One denominator of the numbers of a group, and of those named.
fn common(others: &str) -> String {
    format!("tu_lcm(list_concat(list(DISTINCT d) OVER (PARTITION BY g), [{others}]::HUGEINT[]))")
}

fn lowest(num: &str, den: &str) -> String {
    format!("tu_lowest({{'n': ({num})::HUGEINT, 'd': ({den})::HUGEINT, 'e': 0::TINYINT}})")
}

/// Parts in order until `most` / `ld` is used up, times a sign.
fn in_order(placed: &str, most: &str, sign: &str) -> String {
    format!(
        "SELECT \"row\", {} AS x\n\
         FROM (SELECT *, least(uses, greatest({most} * (unit // ld) - coalesce(sum(greatest(uses, 0)) \
         OVER (PARTITION BY g ORDER BY place ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0), \
         0)) AS part\n\
         FROM (SELECT *, {COUNTED} FROM (SELECT *, {} AS unit FROM {placed} WHERE ge IS NULL)))",
        lowest(&format!("part * {sign}"), "unit"),
        common("ld")
    )
}

/// Parts that share a limit `ln` / `ld` they are above, in multiples of a quantum.
fn in_proportion(placed: &str, (top, bottom): (i128, i128)) -> String {
    let counted = format!(
        "SELECT *, most // step AS asked, greatest(uses, 0) AS weight\n\
         FROM (SELECT *, {COUNTED}, greatest(ln, 0) * (unit // ld) AS most, {top}::HUGEINT * (unit // \
         {bottom}) AS step\n\
         FROM (SELECT *, {} AS unit FROM {placed} WHERE ge IS NULL))",
        common(&format!("ld, {bottom}"))
    );
    let part = "CASE WHEN total <= most OR uses < 0 THEN uses ELSE count * step END";
    format!(
        "SELECT \"row\", {} AS x FROM ({})",
        lowest(part, "unit"),
        shared(&format!("SELECT *, true AS fits FROM ({counted})"), "step")
    )
}

/// A count `asked` shared by `weight`, by largest remainder; equal remainders by place. Beside it the
/// sum of weights `total`. A row takes one more only where that many of `step` are in what it uses.
fn shared(counted: &str, step: &str) -> String {
    let fits =
        if step == "1" { "fits".to_owned() } else { format!("(floor + 1) * {step} <= uses") };
    format!(
        "SELECT *, floor + CASE WHEN takes AND row_number() OVER (PARTITION BY g ORDER BY takes DESC, \
         rest DESC, place) <= spare THEN 1 ELSE 0 END AS count\n\
         FROM (SELECT *, rest > 0 AND {fits} AS takes, asked - sum(floor) OVER (PARTITION BY g) AS \
         spare\n\
         FROM (SELECT *, CASE WHEN total = 0 THEN 0 ELSE asked * weight // total END::HUGEINT AS \
         floor, CASE WHEN total = 0 THEN 0 ELSE asked * weight % total END::HUGEINT AS rest\n\
         FROM (SELECT *, sum(weight) OVER (PARTITION BY g) AS total FROM ({counted}))))"
    )
}
