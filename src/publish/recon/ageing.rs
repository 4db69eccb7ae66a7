//! Open items by how many work days they are open.

use super::{Reconciliation, rows};
use crate::publish::sheet::{Sheet, Values};
use crate::reconcile::Class;
use std::collections::BTreeMap;

/// Last work day of each bucket and its name; the last one has no end.
pub const BUCKETS: [(i32, &str); 5] =
    [(2, "0-2"), (5, "3-5"), (10, "6-10"), (20, "11-20"), (i32::MAX, "21+")];

/// The bucket of an age in work days.
#[must_use]
pub fn bucket(age: i32) -> &'static str {
    BUCKETS.iter().find(|(last, _)| age <= *last).map_or("21+", |(_, name)| name)
}

/// `ageing.csv`: number and money of open items by class and bucket.
pub(super) fn sheet(of: &Reconciliation<'_>) -> Sheet {
    let mut cells: BTreeMap<(Class, usize), (i64, i64)> = BTreeMap::new();
    for row in rows::open(of) {
        let name = bucket(row.age);
        let place = BUCKETS.iter().position(|(_, known)| *known == name).unwrap_or_default();
        let cell = cells.entry((row.class, place)).or_default();
        cell.0 += 1;
        cell.1 = cell.1.saturating_add(row.ours.or(row.bank).unwrap_or(0));
    }
    let mut to = Sheet::new("ageing", cells.len());
    let keys = || cells.keys();
    to.put(
        "class",
        "类别",
        Values::Text(keys().map(|(class, _)| class.word().to_owned()).collect()),
    );
    let names = keys().map(|(_, place)| BUCKETS[*place].1.to_owned()).collect();
    to.put("open_workdays", "未结工作日", Values::Text(names));
    to.put("items", "件数", Values::Int(cells.values().map(|cell| cell.0).collect()));
    to.put("amount_fen", "金额", Values::Fen(cells.values().map(|cell| cell.1).collect()));
    to
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_bucket_begins_and_ends_where_its_name_says() {
        for (age, name) in [
            (0, "0-2"),
            (2, "0-2"),
            (3, "3-5"),
            (5, "3-5"),
            (6, "6-10"),
            (10, "6-10"),
            (11, "11-20"),
            (20, "11-20"),
            (21, "21+"),
            (400, "21+"),
        ] {
            assert_eq!(bucket(age), name, "{age}");
        }
    }
}
