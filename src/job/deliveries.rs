//! Which delivery of a table is read for a month as known on a day (S22): the one place that chooses.

use super::{Job, TableSpec};
use crate::domain::{Date, Month};

/// A table whose only delivery was received after the day that counts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "inputs.{table}: the delivery was received on {received_on}, after {known_on}, the day that \
     counts; expected one that was there; hint: name the delivery of then, say optional = true, or \
     settle as known later with --known-on"
)]
pub struct NotDelivered {
    /// Table.
    pub table: String,
    /// Day it was received.
    pub received_on: Date,
    /// Law and deliveries count as known on this day.
    pub known_on: Date,
}

impl Job {
    /// [`choose`] among the deliveries of the job.
    ///
    /// # Errors
    /// When a table that is not optional was received only later.
    pub fn deliveries(&self, month: Month, known_on: Date) -> Result<Vec<TableSpec>, NotDelivered> {
        choose(&self.tables, &self.late, month, known_on)
    }

    /// Whether a specification is one of the late deliveries.
    #[must_use]
    pub fn is_late(&self, spec: &TableSpec) -> bool {
        self.late.contains(spec)
    }
}

/// The delivery of each table for a service month as known on a day, in order of table.
///
/// Of a table's deliveries received by then whose `complete_for` holds the month, the one received
/// last; on the same day a late one before the base one, and of late ones the later in the list.
/// Where none holds the month, the base delivery. It gives the rows wholly: nothing of an earlier
/// one is left.
///
/// # Errors
/// When a table that is not optional was received only later.
pub fn choose(
    tables: &[TableSpec],
    late: &[TableSpec],
    month: Month,
    known_on: Date,
) -> Result<Vec<TableSpec>, NotDelivered> {
    let latest = |table: &str| {
        late.iter()
            .filter(|spec| spec.table == table)
            .filter(|spec| spec.received_by(known_on) && spec.holds(month))
            // Of several that are greatest the last is taken.
            .max_by_key(|spec| spec.received_on)
    };
    let mut chosen = Vec::with_capacity(tables.len());
    for base in tables {
        let own = base.received_by(known_on);
        // A base delivery that says it came later than the late one wins.
        let own_is_later =
            |late: &TableSpec| own && base.holds(month) && base.received_on > late.received_on;
        chosen.push(match latest(&base.table) {
            Some(late) if !own_is_later(late) => late.clone(),
            _ if own => base.clone(),
            _ if base.optional => TableSpec { paths: Vec::new(), ..base.clone() },
            _ => {
                return Err(NotDelivered {
                    table: base.table.clone(),
                    received_on: base.received_on.unwrap_or(known_on),
                    known_on,
                });
            }
        });
    }
    for spec in late {
        let unlisted = !chosen.iter().any(|other| other.table == spec.table);
        if unlisted && let Some(late) = latest(&spec.table) {
            chosen.push(late.clone());
        }
    }
    chosen.sort_by(|a, b| a.table.cmp(&b.table));
    Ok(chosen)
}

impl TableSpec {
    /// Whether the delivery was there on a day; one that does not say was always there.
    #[must_use]
    pub fn received_by(&self, day: Date) -> bool {
        self.received_on.is_none_or(|received| received <= day)
    }

    /// Whether the delivery is complete for a month; one that does not say is.
    #[must_use]
    pub fn holds(&self, month: Month) -> bool {
        self.complete_for.is_none_or(|(first, last)| first <= month && month <= last)
    }
}
