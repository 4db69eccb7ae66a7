//! What stands first: ties, queues, institutions. Every order ends in values (S9).

use super::allocation::Item;
use super::facts::identity;
use super::script::{Held, Kind, Script, name, table};
use crate::allocation::order_basis;
use crate::domain::{Basis, Column};
use crate::law::{CapRule, LawOfMonth, ShortageMethod, SubsidyRule, Window};
use std::fmt::Write as _;
use std::sync::Arc;

/// Columns of an order, with what has to be joined to the table `b` to read them.
#[derive(Default)]
pub(super) struct Order {
    /// Values to order by.
    pub(super) terms: Vec<String>,
    /// How each of them is ordered.
    ways: Vec<&'static str>,
    /// JOINs to the table `b`.
    pub(super) joins: String,
    /// The error of each column, 0 where it has a value.
    pub(super) errors: Vec<String>,
}

impl Order {
    /// The terms as columns `o1`, `o2` …, each with a comma before it.
    pub(super) fn columns(&self) -> String {
        let mut columns = String::new();
        for (at, term) in self.terms.iter().enumerate() {
            let _ = write!(columns, ", {term} AS o{}", at + 1);
        }
        columns
    }

    /// ORDER BY over the columns `o1`, `o2` …, a comma after each.
    pub(super) fn by_columns(&self) -> String {
        let mut by = String::new();
        for (at, way) in self.ways.iter().enumerate() {
            let _ = write!(by, "o{} {way}, ", at + 1);
        }
        by
    }

    /// ORDER BY over the terms themselves, a comma after each.
    fn by_terms(&self) -> String {
        let mut by = String::new();
        for (term, way) in self.terms.iter().zip(&self.ways) {
            let _ = write!(by, "{term} {way}, ");
        }
        by
    }

    fn add(&mut self, term: String, descending: bool) {
        self.terms.push(term);
        // Nothing stands before something; descending turns that round as well.
        self.ways.push(if descending { "DESC NULLS LAST" } else { "ASC NULLS FIRST" });
    }
}

/// The order stated columns give the rows of a basis.
pub(super) fn stated(script: &Script<'_>, basis: &Basis, columns: &[(Arc<str>, bool)]) -> Order {
    let placed: Vec<(Basis, Arc<str>, bool)> = columns
        .iter()
        .filter_map(|(column, descending)| {
            let of = order_basis(&script.month.frames, basis, column)?;
            Some((of, Arc::clone(column), *descending))
        })
        .collect();
    placed_on(script, basis, &placed)
}

/// The same for columns whose bases are known.
pub(super) fn placed_on(
    script: &Script<'_>,
    basis: &Basis,
    columns: &[(Basis, Arc<str>, bool)],
) -> Order {
    let mut order = Order::default();
    for (at, (of, column, descending)) in columns.iter().enumerate() {
        let Some(held) = script.known.get(&(of.clone(), column.to_string())).cloned() else {
            // The table was not delivered: no row has a parent there.
            order.errors.push("1".to_owned());
            continue;
        };
        let own = if held.fact { name(&held.text) } else { "x".to_owned() };
        let from = if held.fact { table(of) } else { name(&held.text) };
        let read = if of == basis && held.fact {
            "b".to_owned()
        } else {
            // What hangs on a version of mid-month is ordered as its main row is.
            let row =
                if of == basis { "b.\"row\"".to_owned() } else { script.parent(basis, of, true) };
            let _ = write!(order.joins, " LEFT JOIN {from} q{at} ON q{at}.\"row\" = {row}");
            if of != basis {
                order.add(format!("({row}) IS NOT NULL"), *descending);
            }
            let error = format!("coalesce((q{at}.{own}).e, 0)");
            order.errors.push(format!("CASE WHEN ({row}) IS NULL THEN 1 ELSE {error} END"));
            format!("q{at}")
        };
        if read == "b" {
            order.errors.push(format!("(b.{own}).e"));
        }
        order.add(value(script, of, column, &held, &read), *descending);
    }
    order
}

/// One value to order by: numbers as counts of a common part.
fn value(script: &Script<'_>, basis: &Basis, column: &Arc<str>, held: &Held, read: &str) -> String {
    let own = if held.fact { name(&held.text) } else { "x".to_owned() };
    let stored = script.month.frames.get(basis).and_then(|frame| frame.get(column));
    match (held.kind, stored.map(|stored| &stored.column)) {
        (_, Some(Column::Key(keys))) if held.fact && !keys.odd.is_empty() => {
            format!("{read}.{}", name(&format!("{}#order", held.text)))
        }
        (Kind::Num, Some(Column::Num(numbers))) if held.fact => {
            format!("({read}.{own}).n * ({} // ({read}.{own}).d)", numbers.den)
        }
        (Kind::Num, _) => {
            let from = if held.fact { table(basis) } else { name(&held.text) };
            format!(
                "({read}.{own}).n * ((SELECT tu_lcm(list(DISTINCT (y.{own}).d)) FROM {from} y \
                 WHERE (y.{own}).d IS NOT NULL) // ({read}.{own}).d)"
            )
        }
        _ => format!("({read}.{own}).v"),
    }
}

/// Whether the lines of an item may have to be told apart: one under a cap that is shared, one whose
/// earlier months count, any where the budget may be short.
pub(super) fn may_tie(law: &LawOfMonth, item: &Arc<str>) -> bool {
    law.segments.first().is_some_and(|law| {
        let shared = |cap: &CapRule| cap.key.is_some() || cap.window != Window::Month;
        let capped = law.caps.iter().any(|cap| shared(cap) && cap.items.contains(item));
        let due = |of: &SubsidyRule| of.head.id == *item && of.to_date.is_some();
        capped || !law.shortages.is_empty() || law.items.iter().any(|of| due(of))
    })
}

/// The table `ties`: where each line stands among equals of its item, by all that tells rows apart.
pub(super) fn ties(script: &mut Script<'_>, items: &[Item]) {
    let mut parts = Vec::new();
    for item in items.iter().filter(|item| may_tie(&script.month.law, &item.rule.head.id)) {
        let basis = &item.rule.basis;
        let columns: Vec<(Arc<str>, bool)> =
            identity(script, basis).into_iter().map(|column| (column, false)).collect();
        let order = stated(script, basis, &columns);
        parts.push(format!(
            "SELECT {} AS item, b.\"row\", rank() OVER (ORDER BY {}1) AS tie FROM {} b{}",
            item.place,
            order.by_terms(),
            table(basis),
            order.joins
        ));
    }
    if parts.is_empty() {
        return;
    }
    script.note("Where a line stands among lines that are alike to a rule: by input values alone.");
    script.say(&format!("CREATE OR REPLACE TABLE \"ties\" AS {};", parts.join("\nUNION ALL ")));
}

/// The table `institutions`: rows of the register by their ids.
pub(super) fn institutions(script: &mut Script<'_>) {
    let basis = Basis::Institution;
    let columns = [(Arc::from("institution_id"), false)];
    let order = stated(script, &basis, &columns);
    let by = order.by_terms();
    let id = name("institution.institution_id");
    script.note("Institutions in order of their ids.");
    script.say(&format!(
        "CREATE OR REPLACE TABLE \"institutions\" AS SELECT b.\"row\", coalesce((b.{id}).v, '') \
         AS id, row_number() OVER (ORDER BY {by}b.\"row\") AS place FROM {} b;",
        table(&basis)
    ));
}

/// The columns institutions are served by when the money is short.
pub(super) const fn of_method(method: &ShortageMethod) -> &[(Arc<str>, bool)] {
    match method {
        ShortageMethod::ProRata => &[],
        ShortageMethod::Queue(columns) | ShortageMethod::Carry(columns) => columns.as_slice(),
    }
}
