//! The facts of one month as Parquet files, and the tables the script reads them into.
//!
//! Written are the columns facts made and something reads: rules, the refusals no pack can waive,
//! the order of ties.

use super::AuditError;
use super::columns::Columns;
use super::order::{may_tie, of_method};
use super::script::{Held, Kind, Script, link, name, table};
use crate::allocation::order_basis;
use crate::domain::{Basis, Cell, Column, Date, Fraction, Frame, Stored};
use crate::facts::identity_columns;
use crate::law::expr::Expr;
use crate::law::{Aggregate, Apportion, Breach, Law, RoundScope, Step};
use crate::subsidy::{MEMBERS, overlapping_on, starts};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

/// Columns read by refusals no pack can waive, by the register and by rows cut at a change of law.
const STANDING: [&str; 7] = [
    "institution_known",
    "in_month",
    "overlapping",
    "listed_contradicts",
    "listed_first",
    "institution_id",
    "segment",
];

/// What is read of the facts.
#[derive(Default)]
struct Wanted {
    bases: BTreeSet<Basis>,
    columns: BTreeSet<(Basis, Arc<str>)>,
}

impl Wanted {
    fn reads(&mut self, expr: &Expr) {
        for (basis, column) in expr.reads() {
            self.bases.insert(basis.clone());
            self.columns.insert((basis, column));
        }
    }

    fn add(&mut self, basis: &Basis, columns: &[&str]) {
        self.bases.insert(basis.clone());
        for column in columns {
            self.columns.insert((basis.clone(), Arc::from(*column)));
        }
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Value(rule) => {
                self.bases.insert(rule.basis.clone());
                self.reads(&rule.expr);
            }
            Step::Aggregate(rule) => {
                self.bases.extend([rule.basis.clone(), rule.over.clone()]);
                rule.argument.iter().chain(&rule.filter).for_each(|expr| self.reads(expr));
                if matches!(rule.function, Aggregate::First | Aggregate::Last) {
                    self.add(&rule.over, starts(&rule.over));
                }
            }
            Step::Within(rule) => {
                self.bases.extend([rule.basis.clone(), rule.within.clone()]);
                for (basis, column) in rule.reads() {
                    self.bases.insert(basis.clone());
                    self.columns.insert((basis, column));
                }
            }
            Step::Grouping(rule) => {
                self.bases.insert(rule.of.clone());
                for key in &rule.by {
                    self.reads(&key.expr);
                    rule.tables.iter().for_each(|table| self.add(table, &[&*key.column]));
                }
            }
            Step::Price(rule) => {
                self.add(&rule.basis, &["in_month"]);
                for expr in [&rule.when, &rule.fee, &rule.ceiling].into_iter().chain(&rule.floor) {
                    self.reads(expr);
                }
                if rule.breach == Breach::RefuseChild {
                    self.columns.insert((rule.basis.clone(), Arc::from("child_ref")));
                }
            }
            Step::Gate(rule) => {
                self.bases.insert(rule.basis.clone());
                self.reads(&rule.require);
            }
            Step::Item(rule) => {
                self.add(&rule.basis, &STANDING);
                self.add(overlapping_on(&rule.basis), &["overlapping"]);
                self.reads(&rule.amount);
                rule.payee.iter().for_each(|payee| self.reads(&payee.id));
                if rule.round_scope != RoundScope::Line {
                    self.add(&rule.basis, &MEMBERS);
                }
                for part in rule.to_date.iter().flat_map(|of| &of.parts) {
                    self.reads(&part.when);
                }
            }
        }
    }

    /// What exclusions, caps and shortages read, and the order of ties.
    fn money(&mut self, script: &Script<'_>, law: &Law) {
        self.bases.extend(law.exclusions.iter().map(|rule| rule.key.clone()));
        for rule in &law.caps {
            self.reads(&rule.limit);
            self.bases.extend(rule.key.clone());
            rule.quantity.iter().flat_map(BTreeMap::values).for_each(|expr| self.reads(expr));
            if rule.across {
                self.add(&Basis::Child, &["child_ref", "institution_id"]);
            }
        }
        for rule in &law.shortages {
            rule.limit.iter().for_each(|limit| self.reads(limit));
            self.order(script, &Basis::Institution, of_method(&rule.method));
        }
        for lines in &script.month.entitlements.items {
            for rule in law.caps.iter().filter(|rule| rule.items.contains(&lines.item)) {
                if let Apportion::Queue(columns) = &rule.apportion {
                    self.order(script, &lines.basis, columns);
                }
            }
            if may_tie(&script.month.law, &lines.item) {
                self.identity(script, &lines.basis);
            }
        }
    }

    fn identity(&mut self, script: &Script<'_>, basis: &Basis) {
        for column in identity(script, basis) {
            self.columns.insert((basis.clone(), column));
        }
    }

    fn order(&mut self, script: &Script<'_>, basis: &Basis, columns: &[(Arc<str>, bool)]) {
        for (column, _) in columns {
            if let Some(of) = order_basis(&script.month.frames, basis, column) {
                self.bases.insert(of.clone());
                self.columns.insert((of, Arc::clone(column)));
            }
        }
    }
}

/// The columns that tell rows of a basis apart.
pub(super) fn identity(script: &Script<'_>, basis: &Basis) -> Vec<Arc<str>> {
    identity_columns(&script.month.frames, &script.month.law, basis)
}

fn wanted(script: &Script<'_>) -> Wanted {
    let mut wanted = Wanted::default();
    wanted.add(&Basis::Institution, &STANDING);
    wanted.bases.insert(Basis::Programme);
    for segment in &script.month.law.segments {
        segment.steps.iter().for_each(|step| wanted.step(step));
        // Whose child is refused is told on the rows of every item.
        let refuses =
            |step: &Step| matches!(step, Step::Price(price) if price.breach == Breach::RefuseChild);
        if segment.steps.iter().any(refuses) {
            segment.items.iter().for_each(|item| wanted.add(&item.basis, &["child_ref"]));
        }
        for rule in segment.splits.values() {
            rule.parts.iter().for_each(|(_, weight)| wanted.reads(weight));
        }
    }
    if let Some(law) = script.month.law.segments.first() {
        wanted.money(script, law);
    }
    for step in script.month.law.segments.iter().flat_map(|segment| &segment.steps) {
        if let Step::Within(rule) = step {
            wanted.identity(script, &rule.basis);
        }
    }
    for basis in super::past::named(script) {
        wanted.add(&basis, &super::past::NAMING);
    }
    for basis in wanted.bases.clone() {
        wanted.add(&basis, &["segment"]);
    }
    wanted
}

/// Names rules compute, which are therefore no facts.
fn computed(script: &Script<'_>) -> BTreeSet<(Basis, String)> {
    let mut names = BTreeSet::new();
    for step in script.month.law.segments.iter().flat_map(|segment| &segment.steps) {
        match step {
            Step::Value(rule) => {
                names.insert((rule.basis.clone(), rule.head.id.to_string()));
            }
            Step::Aggregate(rule) => {
                names.insert((rule.basis.clone(), rule.name.to_string()));
            }
            Step::Within(rule) => {
                names.insert((rule.basis.clone(), rule.head.id.to_string()));
            }
            Step::Price(rule) => {
                for part in ["ceiling", "floor", "fee", "over", "under", "missing"] {
                    names.insert((rule.basis.clone(), format!("{}.{part}", rule.head.id)));
                }
            }
            Step::Gate(rule) => {
                names.insert((rule.basis.clone(), format!("gate:{}", rule.head.id)));
            }
            Step::Item(_) | Step::Grouping(_) => {}
        }
    }
    names
}

/// Writes the files of the month and the statements that read them.
pub(super) fn write(script: &mut Script<'_>, folder: &Path) -> Result<(), AuditError> {
    let wanted = wanted(script);
    let computed = computed(script);
    script.note("Facts: columns with their value and error e, and links to rows of coarser bases.");
    for basis in &wanted.bases {
        if script.groupings.contains(basis) {
            continue;
        }
        let Some(frame) = script.month.frames.get(basis) else { continue };
        let columns: Vec<(&Arc<str>, &Stored)> = frame
            .columns
            .iter()
            .map(|(column, stored)| (column, &**stored))
            .filter(|(column, _)| wanted.columns.contains(&(basis.clone(), Arc::clone(column))))
            .filter(|(column, _)| !computed.contains(&(basis.clone(), column.to_string())))
            .collect();
        let file = format!("facts/{}/{basis}.parquet", script.month.month);
        let (made, select) = columns_of(script, frame, &columns);
        let read = made.write(folder, &file)?;
        script.say(&format!(
            "CREATE OR REPLACE TABLE {} AS SELECT {}\nFROM {read};",
            table(basis),
            select.join(", "),
        ));
        for (column, stored) in columns {
            let kind = Kind::of(&stored.column);
            let text = format!("{basis}.{column}");
            script
                .known
                .insert((basis.clone(), column.to_string()), Held { text, kind, fact: true });
        }
        let facts = frame.links.keys().filter(|to| !script.groupings.contains(to)).cloned();
        let facts: Vec<Basis> = facts.collect();
        script.links.extend(facts.into_iter().map(|to| (basis.clone(), to)));
        script.tables.insert(basis.clone());
    }
    super::payees::write(script, folder)?;
    super::past::names(script, folder)
}

/// One basis as columns, and the SELECT that makes its table of them.
fn columns_of(
    script: &Script<'_>,
    frame: &Frame,
    columns: &[(&Arc<str>, &Stored)],
) -> (Columns, Vec<String>) {
    let mut made = Columns::new(&frame.basis.to_string(), frame.rows);
    let rows: Vec<Option<i128>> = (0..frame.rows).map(|row| i128::try_from(row).ok()).collect();
    made.whole("row", "BIGINT", &rows);
    let mut select = vec!["\"row\"".to_owned()];
    // Links to groupings are computed.
    for (basis, links) in frame.links.iter().filter(|(to, _)| !script.groupings.contains(to)) {
        let field = format!("link_{}", made.count());
        let links: Vec<Option<i128>> =
            links.iter().map(|row| (*row != Frame::NO_ROW).then(|| (*row).into())).collect();
        made.whole(&field, "BIGINT", &links);
        select.push(format!("{field} AS {}", link(basis)));
    }
    for (column, stored) in columns {
        let label = name(&format!("{}.{column}", frame.basis));
        let at = made.count();
        let cells: Vec<Cell> = (0..frame.rows)
            .map(|row| if stored.error(row).is_some() { Cell::Null } else { stored.cell(row) })
            .collect();
        if Kind::of(&stored.column) == Kind::Num {
            let part = |of: fn(Fraction) -> i128| -> Vec<Option<i128>> {
                cells.iter().map(|cell| number(cell).map(of)).collect()
            };
            made.whole(&format!("n{at}"), "HUGEINT", &part(|number| number.num));
            made.whole(&format!("d{at}"), "HUGEINT", &part(|number| number.den));
            select.push(format!("{{'n': n{at}, 'd': d{at}, 'e': e{at}}} AS {label}"));
        } else {
            let field = format!("v{at}");
            match Kind::of(&stored.column) {
                Kind::Bool => made.truths(&field, cells.iter().map(truth).collect()),
                Kind::Date => made.dates(&field, cells.iter().map(date).collect()),
                Kind::Num | Kind::Text => made.texts(&field, cells.iter().map(word)),
            }
            select.push(format!("{{'v': v{at}, 'e': e{at}}} AS {label}"));
        }
        let errors: Vec<Option<i128>> = (0..frame.rows)
            .map(|row| Some(stored.error(row).map_or(0, |error| error as i128)))
            .collect();
        made.whole(&format!("e{at}"), "TINYINT", &errors);
        if let Column::Key(keys) = &stored.column
            && !keys.odd.is_empty()
        {
            // Long identifiers are ordered by what stands for them in the engine.
            let order = cells.iter().zip(&keys.keys);
            let order =
                order.map(|(cell, key)| (*cell != Cell::Null).then(|| format!("{:032x}", key.0)));
            made.texts(&format!("o{at}"), order);
            let label = name(&format!("{}.{column}#order", frame.basis));
            select.push(format!("o{at} AS {label}"));
        }
    }
    (made, select)
}

const fn truth(cell: &Cell) -> Option<bool> {
    match cell {
        Cell::Bool(value) => Some(*value),
        _ => None,
    }
}

const fn date(cell: &Cell) -> Option<Date> {
    match cell {
        Cell::Date(date) => Some(*date),
        _ => None,
    }
}

fn word(cell: &Cell) -> Option<&str> {
    match cell {
        Cell::Text(word) => Some(word),
        _ => None,
    }
}

fn number(cell: &Cell) -> Option<Fraction> {
    match cell {
        Cell::Num(num, den) => Some(Fraction { num: *num, den: *den }.reduced()),
        _ => None,
    }
}

/// The date rows of a basis are ordered by, as SQL on the table `b`.
pub(super) fn start(script: &Script<'_>, basis: &Basis) -> String {
    let frame = script.month.frames.get(basis);
    let is_date = |column: &&&str| {
        let stored = frame.and_then(|frame| frame.get(column));
        stored.is_some_and(|stored| matches!(stored.column, Column::Date(_)))
    };
    starts(basis).iter().find(is_date).map_or_else(
        || "NULL::DATE".to_owned(),
        |column| format!("(b.{}).v", name(&format!("{basis}.{column}"))),
    )
}
