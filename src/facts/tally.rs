//! Counts findings by (code, institution, rule): what repeats is one finding with a count.

use crate::domain::{Fen, Finding, FindingCode, Place};
use crate::intake::Tables;
use rayon::prelude::*;
use std::collections::BTreeMap;

/// Where a counted row stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Spot {
    /// Index into [`Tables::files`].
    pub(crate) file: usize,
    /// Record.
    pub(crate) record: u32,
}

#[derive(Debug, Clone, Default)]
struct Count {
    rows: u64,
    first: Option<Spot>,
    money: Option<i64>,
    values: Vec<(&'static str, String)>,
}

/// Findings being counted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    counts: BTreeMap<(FindingCode, String, String), Count>,
}

impl Tally {
    /// Counts rows of one institution and rule; keeps the first place and its values.
    pub(crate) fn add(
        &mut self,
        code: FindingCode,
        institution: &str,
        rule: &str,
        rows: u64,
        spot: Option<Spot>,
        values: Vec<(&'static str, String)>,
    ) {
        self.add_with_money(code, institution, rule, rows, (spot, values), None);
    }

    /// [`Tally::add`] with the money at stake in these rows.
    pub(crate) fn add_with_money(
        &mut self,
        code: FindingCode,
        institution: &str,
        rule: &str,
        rows: u64,
        (spot, values): (Option<Spot>, Vec<(&'static str, String)>),
        fen: Option<i64>,
    ) {
        let key = (code, institution.to_owned(), rule.to_owned());
        self.count(key, rows, (spot, values), fen);
    }

    fn count(
        &mut self,
        key: (FindingCode, String, String),
        rows: u64,
        (spot, values): (Option<Spot>, Vec<(&'static str, String)>),
        fen: Option<i64>,
    ) {
        let count = self.counts.entry(key).or_default();
        count.rows += rows;
        if count.first.is_none() || spot.is_some_and(|s| count.first.is_some_and(|f| s < f)) {
            count.first = spot;
            count.values = values;
        }
        if let Some(fen) = fen {
            count.money = Some(count.money.unwrap_or(0).saturating_add(fen));
        }
    }

    /// The findings, in order of code, institution and rule.
    pub(crate) fn into_findings(self, tables: &Tables) -> Vec<Finding> {
        self.counts
            .into_par_iter()
            .map(|((code, institution_id, rule), count)| {
                let place = count.first.map_or_else(Place::default, |spot| {
                    tables.files.get(spot.file).map_or_else(Place::default, |file| Place {
                        table: file.table.to_string(),
                        file: file.name.to_string(),
                        record: u64::from(spot.record),
                    })
                });
                Finding {
                    code,
                    place,
                    institution_id,
                    rule,
                    count: count.rows,
                    money: count.money.map(Fen),
                    values: count.values,
                }
            })
            .collect()
    }
}

impl Tally {
    /// Adds what another part counted.
    pub(crate) fn absorb(&mut self, other: Self) {
        if self.counts.is_empty() {
            self.counts = other.counts;
            return;
        }
        for (key, count) in other.counts {
            self.count(key, count.rows, (count.first, count.values), count.money);
        }
    }
}
