//! Payees that are no institutions (S10): the column that names them, and their place beside the rows of
//! the register in the tables of money.

use super::AuditError;
use super::columns::Columns;
use super::script::{Kind, Script, name, table, text};
use crate::domain::{Basis, Cell, Key};
use crate::law::{Step, SubsidyRule};
use crate::publish::sheet::pseudonym_text;
use crate::subsidy::payee_column;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// SQL of whoever is paid, on tables with the identity of a line.
pub(super) const PAID_TO: &str = "CASE WHEN payee <> '' THEN payee ELSE institution_id END";

/// The payees that are no institutions: `row`, counted on from the register's, `id`, `shown`, and the
/// order of their ids `odd`, `term`.
const OTHERS: &str = "\"other payees\"";

/// Whether an item of the month names its payees.
pub(super) fn are_named(script: &Script<'_>) -> bool {
    let steps = script.month.law.segments.iter().flat_map(|segment| &segment.steps);
    steps.into_iter().any(|step| matches!(step, Step::Item(rule) if rule.payee.is_some()))
}

/// Writes what stands for each payee's id, and what orders it.
pub(super) fn write(script: &mut Script<'_>, folder: &Path) -> Result<(), AuditError> {
    if !are_named(script) {
        return Ok(());
    }
    let mut ids: BTreeMap<String, bool> = BTreeMap::new();
    for lines in &script.month.entitlements.items {
        let frame = script.month.frames.get(&lines.basis);
        let Some(stored) = frame.and_then(|frame| frame.get(&payee_column(&lines.item))) else {
            continue;
        };
        let mut rules = lines.rules.iter().flatten();
        let person = rules.any(|rule| rule.payee.as_ref().is_some_and(|payee| payee.person));
        for row in 0..lines.status.len() {
            if let (None, Cell::Text(id)) = (stored.error(row), stored.cell(row)) {
                *ids.entry(id).or_default() |= person;
            }
        }
    }
    let shown: Vec<String> =
        ids.iter()
            .map(|(id, person)| {
                if *person { pseudonym_text(&script.names.one(id)).to_owned() } else { id.clone() }
            })
            .collect();
    let keys: Vec<(Key, bool)> = shown.iter().map(|id| Key::pack(id.as_bytes())).collect();
    let mut columns = Columns::new("payees", ids.len());
    columns.texts("id", ids.keys().map(Some));
    columns.texts("shown", shown.iter().map(Some));
    columns.truths("odd", keys.iter().map(|(_, odd)| Some(*odd)).collect());
    let terms = keys
        .iter()
        .zip(&shown)
        .map(|((key, odd), id)| Some(if *odd { format!("{:032x}", key.0) } else { id.clone() }));
    columns.texts("term", terms);
    let file = format!("facts/{}/payees.parquet", script.month.month);
    let read = columns.write(folder, &file)?;
    script.note("What stands for the id of each payee in files, and what orders it.");
    script.say(&format!("CREATE OR REPLACE TABLE \"payee ids\" AS SELECT * FROM {read};"));
    Ok(())
}

/// The column of an item's payees, filled on the rows of each segment whose rule names them.
pub(super) fn column(script: &mut Script<'_>, rules: &[Option<Arc<SubsidyRule>>]) {
    let Some(first) = rules.iter().flatten().find(|rule| rule.payee.is_some()) else { return };
    script.note("Whom each row is paid to.");
    let own = script.column(&first.basis, &payee_column(&first.head.id), Kind::Text);
    for (segment, rule) in rules.iter().enumerate() {
        let payee = rule.as_ref().and_then(|rule| rule.payee.as_ref());
        if let (Some(payee), Some(rows)) = (payee, script.rows(&first.basis, segment)) {
            script.fill(&own, &payee.id, &first.basis, &rows);
        }
    }
}

/// The tables of institutions by id and of all other payees; nothing where no item names any.
pub(super) fn number(script: &mut Script<'_>) {
    if !are_named(script) {
        return;
    }
    let register = Basis::Institution;
    let (from, id) = (table(&register), name("institution.institution_id"));
    let main = script.parent(&register, &register, true);
    let first = script.month.frames.get(&register).map_or(0, |frame| frame.rows);
    script.note("A payee that is an institution of the register is that institution; the others");
    script.note("follow its rows.");
    script.say(&format!(
        "CREATE OR REPLACE TABLE \"institutions by id\" AS SELECT (b.{id}).v AS id, min({main}) AS \
         main FROM {from} b WHERE (b.{id}).v IS NOT NULL GROUP BY ALL;"
    ));
    let mut named = Vec::new();
    for lines in &script.month.entitlements.items {
        let (Some(own), Some(payees)) = (script.items.get(&lines.item), of_item(script, lines))
        else {
            continue;
        };
        named.push(format!(
            "SELECT (p.x).v AS id FROM {payees} p JOIN {own} l ON l.\"row\" = p.\"row\" WHERE \
             (p.x).e = 0 AND l.status IN ('paid', 'zero')"
        ));
    }
    if named.is_empty() {
        named.push("SELECT ''::VARCHAR AS id WHERE false".to_owned());
    }
    script.say(&format!(
        "CREATE OR REPLACE TABLE {OTHERS} AS SELECT {first} - 1 + row_number() OVER (ORDER BY id) \
         AS \"row\", id, shown, odd, term FROM (SELECT DISTINCT id FROM ({}) WHERE id IS NOT NULL \
         AND id NOT IN (SELECT id FROM \"institutions by id\")) JOIN \"payee ids\" USING (id);",
        named.join(" UNION ALL ")
    ));
}

/// The table of an item's payees.
fn of_item(script: &Script<'_>, lines: &crate::subsidy::ItemLines) -> Option<String> {
    let key = (lines.basis.clone(), payee_column(&lines.item));
    script.known.get(&key).map(|held| name(&held.text))
}

/// SQL of whom a line `l` on the table `b` is paid to, where its item names it, and the JOINs it reads.
pub(super) fn of_line(
    script: &Script<'_>,
    lines: &crate::subsidy::ItemLines,
    home: &str,
) -> (String, String) {
    let Some(payees) = of_item(script, lines) else { return (home.to_owned(), String::new()) };
    let owner = format!(
        "CASE WHEN l.status IN ('paid', 'zero') THEN coalesce(pi.main, po.\"row\", {home}) ELSE \
         {home} END"
    );
    let joins = format!(
        " LEFT JOIN {payees} p ON p.\"row\" = l.\"row\" LEFT JOIN \"institutions by id\" pi ON \
         pi.id = (p.x).v LEFT JOIN {OTHERS} po ON po.id = (p.x).v"
    );
    (owner, joins)
}

/// Adds the other payees to the table `institutions`, all in order of their ids.
pub(super) fn place(script: &mut Script<'_>) {
    if !are_named(script) {
        return;
    }
    let (from, order) = (table(&Basis::Institution), name("institution.institution_id#order"));
    let frame = script.month.frames.get(&Basis::Institution);
    let ids = frame.and_then(|frame| frame.get("institution_id")).map(|stored| &stored.column);
    // Ids that are kept by their hash are ordered by it, after all others.
    let (odd, term) = match ids {
        Some(crate::domain::Column::Key(keys)) if !keys.odd.is_empty() => (
            format!("(b.{order} >= '8')"),
            format!("CASE WHEN b.{order} >= '8' THEN b.{order} ELSE n.id END"),
        ),
        _ => ("false".to_owned(), "n.id".to_owned()),
    };
    script.note("The other payees among them.");
    script.say(&format!(
        "CREATE OR REPLACE TABLE \"institutions\" AS SELECT \"row\", id, row_number() OVER (ORDER \
         BY odd, term, \"row\") AS place FROM (SELECT n.\"row\", n.id, coalesce({odd}, false) AS \
         odd, coalesce({term}, '') AS term FROM \"institutions\" n JOIN {from} b ON b.\"row\" = \
         n.\"row\" UNION ALL SELECT \"row\", shown, odd, term FROM {OTHERS});"
    ));
}

/// Gives the other payees the weights of a split, which are one for all of them: `weights` is the table
/// by institution, `of_all` that of the settlement; `None` where they are of institutions only.
pub(super) fn weights(script: &mut Script<'_>, weights: &str, of_all: Option<&str>) {
    let from = of_all.map_or_else(
        || "(SELECT 0 AS e, [1::HUGEINT] AS w)".to_owned(),
        |of_all| format!("(SELECT e, w FROM {of_all})"),
    );
    script.note("Every payee that is no institution has the weights of the settlement.");
    script.say(&format!(
        "INSERT INTO {weights} SELECT o.\"row\", a.e, a.w FROM {OTHERS} o CROSS JOIN {from} a;"
    ));
}

/// Rows of payees with claims that a queue of institutions serves last: a part of a UNION BY NAME.
pub(super) fn served_last(script: &Script<'_>, claims: &str) -> String {
    if !are_named(script) {
        return String::new();
    }
    format!(
        " UNION ALL BY NAME SELECT n.\"row\", n.place, true AS last FROM \"institutions\" n JOIN \
         {OTHERS} o ON o.\"row\" = n.\"row\" WHERE n.\"row\" IN (SELECT payee FROM {claims})"
    )
}

/// SQL of the payee of a line `l` whose row is known by `w`, as its identity has it: empty where it is
/// its institution.
pub(super) fn of_identity(rule: &SubsidyRule) -> String {
    match &rule.payee {
        None => text(""),
        Some(_) => {
            "coalesce((SELECT n.id FROM \"institutions\" n WHERE n.\"row\" = l.payee AND n.id \
                    <> w.institution_id), '')"
                .to_owned()
        }
    }
}
