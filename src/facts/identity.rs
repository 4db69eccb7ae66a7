//! What tells the rows of a basis apart, where a rule leaves them equal (S9).

use crate::domain::{Basis, Frames, Stored};
use crate::law::LawOfMonth;
use std::sync::Arc;

/// Columns that tell rows of a basis apart, most telling first.
const IDENTITY: [&str; 18] = [
    "institution_id",
    "child_ref",
    "person_ref",
    "class_id",
    "venue_id",
    "contract_id",
    "certificate",
    "age_class",
    "service",
    "spell_from",
    "spell_until",
    "listing_from",
    "listing_until",
    "from",
    "until",
    "found_on",
    "issued_on",
    "birth_date",
];

/// The place of a row of a grouping in the order of the values that name it.
pub(crate) const PLACE: &str = "#place";

/// The columns that tell the rows of a basis apart: the telling ones, then every other readable
/// column by name, so that rows left equal are equal in everything the law can read.
pub(crate) fn identity_columns(frames: &Frames, law: &LawOfMonth, basis: &Basis) -> Vec<Arc<str>> {
    let Some(frame) = frames.get(basis) else { return Vec::new() };
    if !frame.keys.is_empty() {
        return vec![Arc::from(PLACE)];
    }
    let telling = IDENTITY.iter().filter(|name| frame.get(name).is_some());
    let mut columns: Vec<Arc<str>> = telling.map(|name| Arc::from(*name)).collect();
    for name in frame.columns.keys() {
        let readable = law.dictionary.iter().any(|e| e.basis == *basis && e.name == *name);
        if readable && !IDENTITY.contains(&&**name) {
            columns.push(Arc::clone(name));
        }
    }
    columns
}

/// Every cell of a row, as far as any other may differ from it: what rows of equal keys are told apart
/// by, whatever their order.
pub(super) fn values<'s>(columns: impl IntoIterator<Item = &'s Stored>, row: usize) -> Vec<String> {
    columns.into_iter().map(|stored| format!("{:?}", stored.cell(row))).collect()
}
