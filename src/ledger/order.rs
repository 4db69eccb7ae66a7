//! Months in order (S23): a period is released after every earlier one, and closed after it.

use super::course::{ActKind, Course};
use super::read::RunState;
use super::refusal::Refusal;
use crate::domain::Month;

/// A run that stands for another period of the same job.
pub(super) struct Other<'a> {
    pub(super) period: Month,
    pub(super) state: RunState,
    pub(super) run_id: &'a str,
}

/// Refuses an act that would leave the months out of order, or that agrees to amounts settled
/// before an earlier period was released. `others` stand in order of period.
pub(super) fn check(course: &Course, kind: ActKind, others: &[Other<'_>]) -> Result<(), Refusal> {
    let earlier = || others.iter().filter(|other| other.period < course.period);
    let later = || others.iter().filter(|other| other.period > course.period);
    let open = |least: RunState| {
        let first = earlier().find(|other| other.state < least);
        first.map(|other| Refusal::EarlierOpen { period: other.period, state: other.state, least })
    };
    let done = |from: RunState| {
        let first = later().find(|other| other.state >= from);
        first.map(|other| Refusal::LaterDone { period: other.period, state: other.state })
    };
    let stale = || {
        let released = earlier().filter(|other| other.state >= RunState::Released);
        let counted = course.earlier.as_ref();
        let same = counted
            .is_some_and(|ids| ids.iter().map(String::as_str).eq(released.map(|o| o.run_id)));
        // What was corrected of a closed month waits for it to be closed again.
        let open = |id: &String| {
            !others.iter().any(|other| other.run_id == *id && other.state == RunState::Closed)
        };
        (!same || course.closed.iter().any(open)).then_some(Refusal::Stale)
    };
    let refusal = match kind {
        ActKind::Approve => done(RunState::Released).or_else(stale),
        ActKind::Release => {
            open(RunState::Released).or_else(|| done(RunState::Released)).or_else(stale)
        }
        ActKind::Close => open(RunState::Closed),
        ActKind::Reopen if course.state == RunState::Closed => done(RunState::Closed),
        ActKind::Answer | ActKind::Reopen => None,
    };
    refusal.map_or(Ok(()), Err)
}
