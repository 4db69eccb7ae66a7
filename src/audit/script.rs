//! The statements of one month: columns as tables of their own, views that bring together what an
//! expression reads, and the walk over the steps.

use crate::domain::{Basis, Column};
use crate::law::expr::{Expr, calendar_sql};
use crate::law::{LawOfMonth, RuleHead, Step, Ty};
use crate::publish::Pseudonyms;
use crate::settle::SettledMonth;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

/// Years before and after the month whose work days the script knows.
const YEARS: (i32, i32) = (10, 5);
const CALENDAR: &str = "work days";

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Num,
    Bool,
    Date,
    Text,
}

impl Kind {
    pub(super) const fn of(column: &Column) -> Self {
        match column {
            Column::Num(_) | Column::Ratio(_) => Self::Num,
            Column::Bool(_) => Self::Bool,
            Column::Date(_) => Self::Date,
            Column::Code(_) | Column::Key(_) => Self::Text,
        }
    }

    pub(super) const fn of_type(ty: &Ty) -> Self {
        match ty {
            Ty::Num { .. } => Self::Num,
            Ty::Bool => Self::Bool,
            Ty::Date => Self::Date,
            Ty::Text(_) | Ty::Key => Self::Text,
        }
    }

    /// Type of the value.
    pub(super) const fn sql(self) -> &'static str {
        match self {
            Self::Num => "HUGEINT",
            Self::Bool => "BOOLEAN",
            Self::Date => "DATE",
            Self::Text => "VARCHAR",
        }
    }

    /// Type of a column.
    fn structure(self) -> String {
        match self {
            Self::Num => "STRUCT(n HUGEINT, d HUGEINT, e TINYINT)".to_owned(),
            other => format!("STRUCT(v {}, e TINYINT)", other.sql()),
        }
    }

    /// No value, for the reason of an error number; 0 is null.
    pub(super) fn none(self, error: &str) -> String {
        match self {
            Self::Num => format!("tu_no_number({error})"),
            other => format!("tu_value(NULL::{}, {error})", other.sql()),
        }
    }
}

/// A column the script has.
#[derive(Debug, Clone)]
pub(super) struct Held {
    /// A fact: its name in the table of its basis; else the name of its own table.
    pub(super) text: String,
    pub(super) kind: Kind,
    pub(super) fact: bool,
}

/// One month's part of the script while it is written.
pub(super) struct Script<'a> {
    pub(super) month: &'a SettledMonth,
    pub(super) text: String,
    pub(super) known: BTreeMap<(Basis, String), Held>,
    /// Coarser bases each basis has a link to.
    pub(super) links: BTreeSet<(Basis, Basis)>,
    /// Bases with a table.
    pub(super) tables: BTreeSet<Basis>,
    /// Table of the lines of each item.
    pub(super) items: BTreeMap<Arc<str>, String>,
    /// Pseudonyms, where lines of other months are found by them.
    pub(super) names: &'a Pseudonyms,
    /// Items whose lines later months read, or that are compared.
    pub(super) remembered: BTreeSet<Arc<str>>,
    /// Table of what names the rows of a basis in every month.
    pub(super) who: BTreeMap<Basis, String>,
    /// Bases whose rows the script makes itself.
    pub(super) groupings: BTreeSet<Basis>,
    /// What their rows are named by in every month, to be read once they stand.
    pub(super) unnamed: BTreeMap<Basis, String>,
    /// A closed month settled again: no budget is asked (S25).
    pub(super) closed: bool,
    tally: usize,
}

/// A quoted name.
pub(super) fn name(word: &str) -> String {
    format!("\"{}\"", word.replace('"', "\"\""))
}

/// A quoted text.
pub(super) fn text(word: &str) -> String {
    format!("'{}'", word.replace('\'', "''"))
}

/// The table of a basis' facts.
pub(super) fn table(basis: &Basis) -> String {
    name(&format!("facts of {basis}"))
}

/// The column that links to a coarser basis.
pub(super) fn link(basis: &Basis) -> String {
    name(&format!("link to {basis}"))
}

/// Steps by segment, in an order in which each reads only earlier ones.
fn merged(law: &LawOfMonth) -> Vec<Vec<Option<&Step>>> {
    crate::subsidy::merge(law).into_iter().map(|(_, versions)| versions).collect()
}

impl<'a> Script<'a> {
    pub(super) fn new(
        month: &'a SettledMonth,
        closed: bool,
        names: &'a Pseudonyms,
        remembered: BTreeSet<Arc<str>>,
    ) -> Self {
        let steps = month.law.segments.iter().flat_map(|law| &law.steps);
        let groupings = steps
            .filter_map(|step| match step {
                Step::Grouping(rule) => Some(rule.basis.clone()),
                _ => None,
            })
            .collect();
        Self {
            month,
            text: String::new(),
            known: BTreeMap::new(),
            links: BTreeSet::new(),
            tables: BTreeSet::new(),
            items: BTreeMap::new(),
            names,
            remembered,
            who: BTreeMap::new(),
            groupings,
            unnamed: BTreeMap::new(),
            closed,
            tally: 0,
        }
    }

    /// Adds a statement.
    pub(super) fn say(&mut self, statement: &str) {
        let _ = writeln!(self.text, "{statement}");
    }

    /// Adds a line for whoever reads the script.
    pub(super) fn note(&mut self, line: &str) {
        let _ = writeln!(self.text, "-- {}", line.replace(['\n', '\r'], " "));
    }

    /// Says which block of the law the statements to come carry out.
    pub(super) fn head(&mut self, kind: &str, head: &RuleHead) {
        self.text.push('\n');
        let RuleHead { id, clause, label, .. } = head;
        let label = if label == id { String::new() } else { format!(": {label}") };
        self.note(&format!("{kind} {id} ({clause}){label}"));
    }

    /// A name no other table of the month has.
    pub(super) fn fresh(&mut self, word: &str) -> String {
        self.tally += 1;
        name(&format!("t{} {word}", self.tally))
    }

    /// SQL of the row of a coarser basis a row of table `b` belongs to, as its link says.
    fn linked(&self, from: &Basis, to: &Basis) -> String {
        if from == to {
            "b.\"row\"".to_owned()
        } else if self.links.contains(&(from.clone(), to.clone())) {
            format!("b.{}", link(to))
        } else if *to == Basis::Programme {
            "0".to_owned()
        } else {
            "NULL::BIGINT".to_owned()
        }
    }

    /// SQL of the main row of an institution that rows of table `b` belong to, or of another basis
    /// by its link. A row of the basis itself stands for itself, unless `mains` wants its main row.
    pub(super) fn parent(&self, from: &Basis, to: &Basis, mains: bool) -> String {
        let own = self.linked(from, to);
        let has_mains = self.links.contains(&(Basis::Institution, Basis::Institution));
        if *to != Basis::Institution || !has_mains || (from == to && !mains) {
            return own;
        }
        let mains = table(&Basis::Institution);
        let main = link(&Basis::Institution);
        format!("(SELECT m.{main} FROM {mains} m WHERE m.\"row\" = {own})")
    }

    /// Makes the table `view`: the rows of a basis with the columns named, `basis.column` each.
    pub(super) fn view(&mut self, basis: &Basis, reads: &[(Basis, Arc<str>)], rows: &str) {
        let mut select = vec!["b.\"row\"".to_owned()];
        let mut joins = String::new();
        for (at, (of, column)) in reads.iter().enumerate() {
            let label = name(&format!("{of}.{column}"));
            let held = self.known.get(&(of.clone(), column.to_string()));
            let Some(held) = held else {
                // The table was not delivered: no row has a parent there.
                select.push(format!("{} AS {label}", self.kind_of(of, column).none("1")));
                continue;
            };
            let (column, from) = if held.fact {
                (format!("c{at}.{}", name(&held.text)), table(of))
            } else {
                (format!("coalesce(c{at}.x, {})", held.kind.none("0")), name(&held.text))
            };
            if of == basis && held.fact {
                select.push(format!("b.{} AS {label}", name(&held.text)));
                continue;
            }
            let row = self.linked(basis, of);
            let _ = write!(joins, "\nLEFT JOIN {from} c{at} ON c{at}.\"row\" = {row}");
            if of == basis {
                select.push(format!("{column} AS {label}"));
            } else {
                let lost = held.kind.none("1");
                select.push(format!(
                    "CASE WHEN ({row}) IS NULL THEN {lost} ELSE {column} END AS {label}"
                ));
            }
        }
        let from = table(basis);
        let select = select.join(",\n  ");
        self.say(&format!(
            "CREATE OR REPLACE TABLE \"view\" AS SELECT {select}\nFROM {from} b{joins}\nWHERE \
             {rows};"
        ));
    }

    fn kind_of(&self, basis: &Basis, column: &Arc<str>) -> Kind {
        let mut entries = self.month.law.dictionary.iter();
        entries
            .find(|entry| entry.basis == *basis && entry.name == *column)
            .map_or(Kind::Num, |entry| Kind::of_type(&entry.ty))
    }

    /// Evaluates on the rows of `b` a condition keeps; the SELECT gives `row` and `x`.
    pub(super) fn evaluated(&mut self, expr: &Expr, basis: &Basis, rows: &str) -> String {
        self.view(basis, &expr.reads(), rows);
        if expr.counts_workdays() {
            self.calendar();
        }
        let query = expr.sql("view", CALENDAR).text;
        let query = query.trim_end().trim_end_matches("ORDER BY \"row\"").trim_end();
        let value = match Kind::of_type(expr.ty()) {
            Kind::Num => "{'n': num::HUGEINT, 'd': den::HUGEINT, 'e': error::TINYINT}".to_owned(),
            kind => format!("{{'v': value::{}, 'e': error::TINYINT}}", kind.sql()),
        };
        format!("SELECT \"row\", {value} AS x FROM (\n{query})")
    }

    /// The table of work days.
    pub(super) fn calendar(&mut self) {
        let year = self.month.month.year();
        let day = |year, month, day| crate::domain::Date::from_ymd(year, month, day);
        if self.text.contains("\"work days\"") {
            return;
        }
        if let (Some(from), Some(until)) = (day(year - YEARS.0, 1, 1), day(year + YEARS.1, 12, 31))
        {
            let text = calendar_sql(&self.month.law.calendar, CALENDAR, from, until);
            self.say(&text);
        }
    }

    /// The condition on table `b` for the rows a segment's law holds for.
    pub(super) fn rows(&self, basis: &Basis, segment: usize) -> Option<String> {
        let cut = self.known.get(&(basis.clone(), "segment".to_owned()));
        let segments = self.month.law.segments.len();
        match cut.filter(|held| held.fact && held.kind == Kind::Num && segments > 1) {
            Some(held) => {
                let column = name(&held.text);
                let last = segments - 1;
                Some(format!("least((b.{column}).n // (b.{column}).d, {last}) = {segment}"))
            }
            None => (segment == 0).then(|| "true".to_owned()),
        }
    }

    /// A new column with a table of its own, empty.
    pub(super) fn column(&mut self, basis: &Basis, column: &str, kind: Kind) -> String {
        self.tally += 1;
        let text = format!("c{} {basis}.{column}", self.tally);
        let own = name(&text);
        self.say(&format!(
            "CREATE OR REPLACE TABLE {own} (\"row\" BIGINT, x {});",
            kind.structure()
        ));
        self.known.insert((basis.clone(), column.to_owned()), Held { text, kind, fact: false });
        own
    }

    /// Puts an expression's values into a column's table.
    pub(super) fn fill(&mut self, own: &str, expr: &Expr, basis: &Basis, rows: &str) {
        let query = self.evaluated(expr, basis, rows);
        self.say(&format!("INSERT INTO {own} {query};"));
    }

    /// A table of an expression's values.
    pub(super) fn made(&mut self, word: &str, expr: &Expr, basis: &Basis, rows: &str) -> String {
        let own = self.fresh(word);
        let query = self.evaluated(expr, basis, rows);
        self.say(&format!("CREATE OR REPLACE TABLE {own} AS {query};"));
        own
    }

    /// Walks every step.
    pub(super) fn steps(&mut self) {
        let month = self.month;
        for versions in merged(&month.law) {
            let Some(first) = versions.iter().flatten().next() else { continue };
            match first {
                Step::Value(rule) => {
                    if !rule.hidden {
                        self.head("value", &rule.head);
                    }
                    let kind = Kind::of_type(rule.expr.ty());
                    let own = self.column(&rule.basis, &rule.head.id, kind);
                    for (segment, step) in versions.iter().enumerate() {
                        if let (Some(Step::Value(rule)), Some(rows)) =
                            (step, self.rows(&rule.basis, segment))
                        {
                            let rounded = rule.round.map(|round| rule.expr.rounded(round));
                            let expr = rounded.as_ref().unwrap_or(&rule.expr);
                            self.fill(&own, expr, &rule.basis, &rows);
                        }
                    }
                }
                Step::Aggregate(rule) if rule.function.of_history().is_some() => {
                    self.paid_before(rule);
                }
                Step::Aggregate(rule) => self.aggregate(rule),
                Step::Within(rule) => {
                    self.head(rule.word(), &rule.head);
                    self.within(rule, &versions);
                }
                Step::Grouping(rule) => self.group(rule),
                Step::Price(rule) => {
                    self.head("price", &rule.head);
                    self.price_columns(rule);
                    for (segment, step) in versions.iter().enumerate() {
                        if let (Some(Step::Price(rule)), Some(rows)) =
                            (step, self.rows(&rule.basis, segment))
                        {
                            self.price(rule, &rows);
                        }
                    }
                }
                Step::Gate(rule) => {
                    self.head("gate", &rule.head);
                    let own =
                        self.column(&rule.basis, &format!("gate:{}", rule.head.id), Kind::Bool);
                    for (segment, step) in versions.iter().enumerate() {
                        if let (Some(Step::Gate(rule)), Some(rows)) =
                            (step, self.rows(&rule.basis, segment))
                        {
                            self.fill(&own, &rule.require, &rule.basis, &rows);
                        }
                    }
                }
                Step::Item(rule) => {
                    self.head("subsidy", &rule.head);
                    let rules: Vec<_> = versions
                        .iter()
                        .map(|step| match step {
                            Some(Step::Item(rule)) => Some(Arc::clone(rule)),
                            _ => None,
                        })
                        .collect();
                    self.item(&rules);
                }
            }
        }
    }
}
