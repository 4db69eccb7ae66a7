//! The facts of one month as CSV files, and the tables the script reads them into.
//!
//! Written are the columns facts made and something reads: rules, the refusals no pack can waive,
//! the order of ties. A null is an empty field, an empty text is `""`.

use super::expected::quoted;
use super::order::{may_tie, of_method};
use super::script::{Held, Kind, Script, link, name, table};
use super::{AuditError, put};
use crate::allocation::{identity_columns, order_basis};
use crate::domain::{Basis, Cell, Column, Fraction, Frame, Stored};
use crate::law::expr::Expr;
use crate::law::{Aggregate, Apportion, Breach, Law, RoundScope, Step};
use crate::subsidy::MEMBERS;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
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

/// The dates `first` and `last` order rows by: the first of these a basis has.
const STARTS: [&str; 6] =
    ["spell_from", "listing_from", "from", "valid_from", "opened_on", "effect_from"];

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
                    self.add(&rule.over, &STARTS);
                }
            }
            Step::Price(rule) => {
                self.add(&rule.basis, &["in_month"]);
                for expr in [&rule.when, &rule.fee, &rule.ceiling].into_iter().chain(&rule.floor) {
                    self.reads(expr);
                }
                if rule.breach == Breach::RefuseChild {
                    for basis in [Basis::Spell, Basis::Listing, Basis::Child] {
                        self.columns.insert((basis, Arc::from("child_ref")));
                    }
                }
            }
            Step::Gate(rule) => {
                self.bases.insert(rule.basis.clone());
                self.reads(&rule.require);
            }
            Step::Item(rule) => {
                self.add(&rule.basis, &STANDING);
                self.reads(&rule.amount);
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
        for rule in segment.splits.values() {
            rule.parts.iter().for_each(|(_, weight)| wanted.reads(weight));
        }
    }
    if let Some(law) = script.month.law.segments.first() {
        wanted.money(script, law);
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
            Step::Price(rule) => {
                for part in ["ceiling", "floor", "fee", "over", "under", "missing"] {
                    names.insert((rule.basis.clone(), format!("{}.{part}", rule.head.id)));
                }
            }
            Step::Gate(rule) => {
                names.insert((rule.basis.clone(), format!("gate:{}", rule.head.id)));
            }
            Step::Item(_) => {}
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
        let Some(frame) = script.month.frames.get(basis) else { continue };
        let columns: Vec<(&Arc<str>, &Stored)> = frame
            .columns
            .iter()
            .map(|(column, stored)| (column, &**stored))
            .filter(|(column, _)| wanted.columns.contains(&(basis.clone(), Arc::clone(column))))
            .filter(|(column, _)| !computed.contains(&(basis.clone(), column.to_string())))
            .collect();
        let file = format!("facts/{}/{basis}.csv", script.month.month);
        let sheet = Sheet::of(frame, &columns);
        put(&folder.join(&file), sheet.csv.as_bytes())?;
        let read: Vec<String> =
            sheet.fields.iter().map(|(field, ty)| format!("'{field}': '{ty}'")).collect();
        script.say(&format!(
            "CREATE OR REPLACE TABLE {} AS SELECT {}\nFROM read_csv('{file}', auto_detect = false, \
             header = true, delim = ',', quote = '\"', escape = '\"', nullstr = '', \
             allow_quoted_nulls = false, columns = {{{}}});",
            table(basis),
            sheet.select.join(", "),
            read.join(", ")
        ));
        for (column, stored) in columns {
            let kind = Kind::of(&stored.column);
            let text = format!("{basis}.{column}");
            script
                .known
                .insert((basis.clone(), column.to_string()), Held { text, kind, fact: true });
        }
        script.links.extend(frame.links.keys().map(|to| (basis.clone(), to.clone())));
        script.tables.insert(basis.clone());
    }
    super::past::names(script, folder)
}

/// One basis as CSV with the fields and the SELECT that make its table.
struct Sheet {
    csv: String,
    fields: Vec<(String, &'static str)>,
    select: Vec<String>,
}

impl Sheet {
    fn of(frame: &Frame, columns: &[(&Arc<str>, &Stored)]) -> Self {
        let mut fields = vec![("row".to_owned(), "BIGINT")];
        let mut select = vec!["\"row\"".to_owned()];
        for basis in frame.links.keys() {
            fields.push((format!("link_{}", fields.len()), "BIGINT"));
            let field = &fields[fields.len() - 1].0;
            select.push(format!("{field} AS {}", link(basis)));
        }
        for (column, stored) in columns {
            let kind = Kind::of(&stored.column);
            let label = name(&format!("{}.{column}", frame.basis));
            let at = fields.len();
            if kind == Kind::Num {
                fields.push((format!("n{at}"), "HUGEINT"));
                fields.push((format!("d{at}"), "HUGEINT"));
                select.push(format!("{{'n': n{at}, 'd': d{at}, 'e': e{at}}} AS {label}"));
            } else {
                fields.push((format!("v{at}"), kind.sql()));
                select.push(format!("{{'v': v{at}, 'e': e{at}}} AS {label}"));
            }
            fields.push((format!("e{at}"), "TINYINT"));
            if let Column::Key(keys) = &stored.column
                && !keys.odd.is_empty()
            {
                // Long identifiers are ordered by what stands for them in the engine.
                fields.push((format!("o{at}"), "VARCHAR"));
                let label = name(&format!("{}.{column}#order", frame.basis));
                select.push(format!("o{at} AS {label}"));
            }
        }
        let mut csv = fields.iter().map(|(field, _)| field.as_str()).collect::<Vec<_>>().join(",");
        csv.push('\n');
        for row in 0..frame.rows {
            let _ = write!(csv, "{row}");
            for links in frame.links.values() {
                csv.push(',');
                if links[row] != Frame::NO_ROW {
                    let _ = write!(csv, "{}", links[row]);
                }
            }
            for (_, stored) in columns {
                field(&mut csv, stored, row);
            }
            csv.push('\n');
        }
        Self { csv, fields, select }
    }
}

/// One value with its error code.
fn field(csv: &mut String, stored: &Stored, row: usize) {
    let error = stored.error(row).map_or(0, |error| error as u8);
    let cell = if error == 0 { stored.cell(row) } else { Cell::Null };
    let _ = match &cell {
        Cell::Null if Kind::of(&stored.column) == Kind::Num => write!(csv, ",,,{error}"),
        Cell::Null => write!(csv, ",,{error}"),
        Cell::Bool(value) => write!(csv, ",{value},{error}"),
        Cell::Num(num, den) => {
            let lowest = Fraction { num: *num, den: *den }.reduced();
            write!(csv, ",{},{},{error}", lowest.num, lowest.den)
        }
        Cell::Date(date) => write!(csv, ",{date},{error}"),
        Cell::Text(word) => write!(csv, ",{},{error}", quoted(word)),
    };
    if let Column::Key(keys) = &stored.column
        && !keys.odd.is_empty()
    {
        csv.push(',');
        if cell != Cell::Null {
            let _ = write!(csv, "{:032x}", keys.keys[row].0);
        }
    }
}

/// The date rows of a basis are ordered by, as SQL on the table `b`.
pub(super) fn start(script: &Script<'_>, basis: &Basis) -> String {
    let frame = script.month.frames.get(basis);
    let is_date = |column: &&&str| {
        let stored = frame.and_then(|frame| frame.get(column));
        stored.is_some_and(|stored| matches!(stored.column, Column::Date(_)))
    };
    STARTS.iter().find(is_date).map_or_else(
        || "NULL::DATE".to_owned(),
        |column| format!("(b.{}).v", name(&format!("{basis}.{column}"))),
    )
}
