//! Tables beside the rows of a basis: `[[input]] … of = BASIS`. A row of the basis finds its row of the
//! table by equal values of the key (S5).

use std::collections::BTreeSet;
use std::sync::Arc;

use super::cells::ty_text;
use super::dictionary::built_in;
use super::fault::{Faults, near, near_hint};
use super::model::{DictionaryEntry, InputTable, Ty};
use super::text::{Block, Papers};
use crate::domain::Basis;

/// Name of the fact whether a row of the basis has a row of the table.
pub(crate) fn found_name(table: &str) -> String {
    format!("{table}_found")
}

/// Checks the tables that stand beside a basis against the facts of it and adds what they tell; a table
/// that does not fit is taken out.
pub(super) fn settle(
    tables: &mut Vec<InputTable>,
    papers: &Papers,
    entries: &mut Vec<DictionaryEntry>,
    currency: &str,
    faults: &mut Faults,
) {
    if tables.iter().all(|table| table.of.is_none()) {
        return;
    }
    let mut facts = built_in(currency);
    facts.extend(entries.iter().cloned());
    let sides: BTreeSet<Arc<str>> =
        tables.iter().filter(|t| t.of.is_some()).map(|t| Arc::clone(&t.name)).collect();
    let mut broken = BTreeSet::new();
    for table in tables.iter() {
        let Some(of) = &table.of else { continue };
        let is_own = |block: &&Block| block.id == table.name && block.get("of").is_some();
        let block = papers.inputs.iter().find(is_own);
        let Some(block) = block else { continue };
        if fits(table, of, &facts, &sides, block, faults) {
            entries.push(found(table, of));
            if *of == Basis::Listing {
                entries.push(found(table, &Basis::Spell));
            }
        } else {
            broken.insert(Arc::clone(&table.name));
        }
    }
    tables.retain(|table| !broken.contains(&table.name));
}

/// The fact whether there is a row.
fn found(table: &InputTable, of: &Basis) -> DictionaryEntry {
    let name: Arc<str> = Arc::from(found_name(&table.name));
    let key = table.key.first().map_or("", |key| &**key);
    DictionaryEntry {
        basis: of.clone(),
        alias: Arc::clone(&name),
        name,
        ty: Ty::Bool,
        nullable: false,
        source: Arc::from(format!("{}.{key}", table.name)),
    }
}

/// Whether rows of the basis can find rows of the table.
fn fits(
    table: &InputTable,
    of: &Basis,
    facts: &[DictionaryEntry],
    sides: &BTreeSet<Arc<str>>,
    block: &Block,
    faults: &mut Faults,
) -> bool {
    let what = format!("[[input]] {}", table.name);
    let (word, at) = (of.name(), block.at("of"));
    if table.extends {
        let message = format!("{what}: `of` on a table that is there already");
        faults.error("input", at, message, "a table of the pack's own", "");
        return false;
    }
    let named: Vec<&DictionaryEntry> = facts.iter().filter(|entry| entry.basis == *of).collect();
    if named.is_empty() || *of == Basis::Programme || sides.contains(word) {
        let known = facts.iter().map(|entry| entry.basis.name());
        let known: BTreeSet<&str> =
            known.filter(|name| *name != "programme" && !sides.contains(*name)).collect();
        let hint = near_hint(&near(word, known.iter().copied()), "");
        let expected = Vec::from_iter(known).join(" | ");
        faults.error("input", at, format!("{what}: `{word}` has no rows to find"), expected, hint);
        return false;
    }
    table.key.iter().all(|key| fits_key(table, key, of, &named, block, faults))
}

/// Whether a column of the key is a fact of the basis of the same type.
fn fits_key(
    table: &InputTable,
    key: &Arc<str>,
    of: &Basis,
    named: &[&DictionaryEntry],
    block: &Block,
    faults: &mut Faults,
) -> bool {
    let at = block.at("key");
    let fact = named.iter().find(|entry| entry.name == *key);
    let own = table.columns.iter().find(|column| column.name == *key);
    let (Some(fact), Some(own)) = (fact, own) else {
        let hint = near_hint(&near(key, named.iter().map(|entry| &*entry.name)), "");
        let message = format!("the key `{key}` of [[input]] {} is no fact of {of}", table.name);
        faults.error("input", at, message, "columns named as on the basis", hint);
        return false;
    };
    let whole = |ty: &Ty| !matches!(ty, Ty::Num { integer: false, .. });
    if kind(&fact.ty) != kind(&own.ty) || !whole(&fact.ty) || !whole(&own.ty) {
        let message = format!(
            "the key `{key}` of [[input]] {} is {}, on {of} it is {}",
            table.name,
            ty_text(&own.ty),
            ty_text(&fact.ty)
        );
        faults.error("input", at, message, "the same type; no fractions", "");
        return false;
    }
    // Spells are cut where the table changes, before anything else is known of them.
    let cut = table.span.is_some() && matches!(of, Basis::Spell | Basis::Listing);
    if cut && !fact.source.starts_with("enrolments.") {
        let message = format!(
            "the key `{key}` of [[input]] {} is computed, and its spans cut spells",
            table.name
        );
        faults.error("input", at, message, "columns of enrolments", "");
        return false;
    }
    true
}

/// What values of a type are compared as.
const fn kind(ty: &Ty) -> u8 {
    match ty {
        Ty::Bool => 0,
        Ty::Text(_) => 1,
        Ty::Key => 2,
        Ty::Num { .. } => 3,
        Ty::Date => 4,
    }
}
