//! Aggregates of finer rows on the same key (S3).

use super::facts::start;
use super::script::{Kind, Script, link, name, table};
use crate::domain::Basis;
use crate::law::{Aggregate, AggregateRule};
use std::fmt::Write as _;

impl Script<'_> {
    /// One aggregate for every row of its basis.
    pub(super) fn aggregate(&mut self, rule: &AggregateRule) {
        let (basis, over) = (&rule.basis, &rule.over);
        self.note(&format!("{} of each {basis}, from its rows of {over}", rule.name));
        let argument_kind = rule.argument.as_ref().map_or(Kind::Num, |a| Kind::of_type(a.ty()));
        let kind = match rule.function {
            Aggregate::Any | Aggregate::All => Kind::Bool,
            Aggregate::Min | Aggregate::Max | Aggregate::First | Aggregate::Last => argument_kind,
            _ => Kind::Num,
        };
        let groups = if self.tables.contains(over) {
            self.picks(rule, argument_kind);
            Self::groups(rule, argument_kind)
        } else {
            let nothing = kind.none("0");
            format!("SELECT NULL::BIGINT AS g, {nothing} AS x, NULL::TINYINT AS e WHERE false")
        };
        let nothing = match rule.function {
            Aggregate::Any => "tu_value(false, 0)".to_owned(),
            Aggregate::All => "tu_value(true, 0)".to_owned(),
            Aggregate::Min | Aggregate::Max | Aggregate::First | Aggregate::Last => kind.none("0"),
            _ => "tu_number(0, 1)".to_owned(),
        };
        let own = self.column(basis, &rule.name, kind);
        // Rows that take over inside the month read what their main row reads.
        let has_mains = self.links.contains(&(Basis::Institution, Basis::Institution));
        let row = if *basis == Basis::Institution && has_mains {
            format!("b.{}", link(basis))
        } else {
            "b.\"row\"".to_owned()
        };
        let failed = kind.none("a.e");
        self.say(&format!(
            "INSERT INTO {own} SELECT b.\"row\", CASE WHEN a.e IS NOT NULL THEN {failed} \
             WHEN a.g IS NULL THEN {nothing} ELSE coalesce(a.x, {nothing}) END\n\
             FROM {} b LEFT JOIN ({groups}) a ON a.g = {row};",
            table(basis)
        ));
    }

    /// The table `picks`: rows with their group `g`, whether the filter keeps them `k`, the
    /// argument `a`, an error `e`, the start `o`.
    fn picks(&mut self, rule: &AggregateRule, kind: Kind) {
        let over = &rule.over;
        let filter = rule.filter.as_ref().map(|expr| self.made("filter", expr, over, "true"));
        let argument = rule.argument.as_ref().map(|expr| self.made("argument", expr, over, "true"));
        let parent = self.parent(over, &rule.basis, false);
        let mut joins = String::new();
        let (mut kept, mut error) = ("true".to_owned(), "0".to_owned());
        let mut value = kind.none("0");
        if let Some(own) = filter {
            let _ = write!(joins, " JOIN {own} f ON f.\"row\" = b.\"row\"");
            "(f.x).e = 0 AND coalesce((f.x).v, false)".clone_into(&mut kept);
            "(f.x).e".clone_into(&mut error);
        }
        if let Some(own) = argument {
            let _ = write!(joins, " JOIN {own} a ON a.\"row\" = b.\"row\"");
            "a.x".clone_into(&mut value);
            error =
                format!("CASE WHEN {error} <> 0 THEN {error} WHEN {kept} THEN (a.x).e ELSE 0 END");
        }
        let item = match &rule.function {
            Aggregate::CountEligible(item)
            | Aggregate::CountPaid(item)
            | Aggregate::SumAmount(item) => self.items.get(item).cloned(),
            _ => None,
        };
        let counted = match (&rule.function, item) {
            (function, Some(own)) => {
                let _ = write!(joins, " LEFT JOIN {own} i ON i.\"row\" = b.\"row\"");
                match function {
                    Aggregate::CountEligible(_) => "coalesce(i.eligible, false)::HUGEINT",
                    Aggregate::CountPaid(_) => "(coalesce(i.amount, 0) > 0)::HUGEINT",
                    _ => "coalesce(i.amount, 0)",
                }
            }
            _ => "0::HUGEINT",
        };
        let start = match rule.function {
            Aggregate::First | Aggregate::Last => start(self, over),
            _ => "NULL::DATE".to_owned(),
        };
        self.say(&format!(
            "CREATE OR REPLACE TABLE \"picks\" AS SELECT {parent} AS g, {kept} AS k, {value} AS a, \
             nullif({error}, 0) AS e, {counted} AS c, {start} AS o\nFROM {} b{joins};",
            table(over)
        ));
    }

    /// The SELECT of groups: `g`, `x`, `e`.
    fn groups(rule: &AggregateRule, kind: Kind) -> String {
        let picked = "FILTER (k AND e IS NULL)";
        let known = if kind == Kind::Num { "(a).n" } else { "(a).v" };
        let present = format!("FILTER (k AND e IS NULL AND {known} IS NOT NULL)");
        let whole =
            |sum: String| format!("{{'n': ({sum})::HUGEINT, 'd': 1::HUGEINT, 'e': 0::TINYINT}}");
        let truth = "coalesce((a).v, false)";
        let start_order = if rule.function == Aggregate::Last { "DESC" } else { "ASC" };
        let value = match (&rule.function, kind) {
            (
                Aggregate::CountEligible(_)
                | Aggregate::CountPaid(_)
                | Aggregate::SumAmount(_)
                | Aggregate::PaidToDate(..)
                | Aggregate::PaidMonths(..),
                _,
            ) => whole(format!("coalesce(sum(c) {picked}, 0)")),
            (Aggregate::Count, _) if rule.argument.is_none() => whole(format!("count(*) {picked}")),
            (Aggregate::Count, _) => whole(format!("count(*) {present}")),
            (Aggregate::CountDistinct, Kind::Num) => {
                whole(format!("count(DISTINCT {{'n': (a).n, 'd': (a).d}}) {present}"))
            }
            (Aggregate::CountDistinct, _) => whole(format!("count(DISTINCT (a).v) {present}")),
            (Aggregate::Any, _) => {
                format!("tu_value(coalesce(bool_or({truth}) {picked}, false), 0)")
            }
            (Aggregate::All, _) => {
                format!("tu_value(coalesce(bool_and({truth}) {picked}, true), 0)")
            }
            (Aggregate::Min | Aggregate::Max | Aggregate::Sum, Kind::Num) => {
                let word = match rule.function {
                    Aggregate::Min => "min",
                    Aggregate::Max => "max",
                    _ => "sum",
                };
                format!(
                    "tu_lowest({{'n': {word}((a).n * (l // (a).d)) {present}, \
                     'd': any_value(l), 'e': 0::TINYINT}})"
                )
            }
            (Aggregate::Min, _) => format!("tu_value(min((a).v) {present}, 0)"),
            (Aggregate::Max | Aggregate::Sum, _) => format!("tu_value(max((a).v) {present}, 0)"),
            (Aggregate::First | Aggregate::Last, Kind::Num) => format!(
                "first(a ORDER BY o {start_order} NULLS FIRST, (a).n * (l // (a).d) ASC NULLS \
                 FIRST) \
                 {picked}"
            ),
            (Aggregate::First | Aggregate::Last, _) => format!(
                "first(a ORDER BY o {start_order} NULLS FIRST, (a).v ASC NULLS FIRST) {picked}"
            ),
        };
        let common = if kind == Kind::Num {
            format!(
                "(SELECT *, tu_lcm((list(DISTINCT (a).d) FILTER (k AND e IS NULL AND (a).n IS NOT \
                 NULL) \
                 OVER (PARTITION BY g))) AS l FROM {})",
                name("picks")
            )
        } else {
            name("picks")
        };
        // Over nothing a sum is 0 and an extreme is null.
        let empty = format!("count(*) {present} = 0");
        let value = match (&rule.function, kind) {
            (Aggregate::Min | Aggregate::Max, Kind::Num) => {
                format!("CASE WHEN {empty} THEN tu_no_number(0) ELSE {value} END")
            }
            (Aggregate::Sum, Kind::Num) => {
                format!("CASE WHEN {empty} THEN tu_number(0, 1) ELSE {value} END")
            }
            _ => value,
        };
        format!("SELECT g, {value} AS x, min(e) AS e FROM {common} WHERE g IS NOT NULL GROUP BY g")
    }
}
