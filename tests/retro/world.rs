//! Institutions, children and what is true of each month; facts change after the month was paid.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Service month by number from January 2026.
pub(super) fn period(month: usize) -> String {
    format!("2026-{:02}", month + 1)
}

/// Days of the months of 2026.
const DAYS: [u32; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/// One stay of a child in a month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stay {
    pub(super) child: u32,
    pub(super) institution: u32,
    pub(super) from: u32,
    pub(super) until: u32,
    /// Days attended, told where the stay is the child's only one there.
    pub(super) days: u32,
}

/// What is true of one month.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Truth {
    pub(super) stays: Vec<Stay>,
    /// Slots open by institution.
    pub(super) slots: BTreeMap<u32, u32>,
    /// Institutions in the register, with whether they are inclusive.
    pub(super) inclusive: BTreeMap<u32, bool>,
    /// Institutions under a sanction.
    pub(super) sanctioned: Vec<u32>,
}

/// The truth of every month as known now.
#[derive(Debug, Clone, Default)]
pub(super) struct World {
    pub(super) months: Vec<Truth>,
}

impl World {
    /// Six institutions of six children each, all of every month.
    pub(super) fn new(months: usize) -> Self {
        let institutions = 1..=6;
        let month = |month: usize| Truth {
            stays: institutions
                .clone()
                .flat_map(|institution| {
                    (0..6).map(move |child| Stay {
                        child: institution * 10 + child,
                        institution,
                        from: 1,
                        until: DAYS[month],
                        days: 10 + (institution + child + u32::try_from(month).unwrap()) % 12,
                    })
                })
                .collect(),
            slots: institutions.clone().map(|of| (of, 4 + of % 3)).collect(),
            inclusive: institutions.clone().map(|of| (of, true)).collect(),
            sanctioned: Vec::new(),
        };
        Self { months: (0..months).map(month).collect() }
    }

    /// The tables of a month as CSV.
    pub(super) fn tables(&self, month: usize) -> BTreeMap<&'static str, String> {
        let truth = &self.months[month];
        let mut institutions = "institution_id,name,inclusive_from,inclusive_until,\
                                account_name,account_no,bank_name,bank_no\n"
            .to_owned();
        for (id, inclusive) in &truth.inclusive {
            let span = if *inclusive { "2025-01-01," } else { "2025-01-01,2025-12-31" };
            let _ =
                writeln!(institutions, "I{id},园{id},{span},户{id},100{id},示例银行,102521000335");
        }
        let mut slots = "institution_id,age_class,service,slots_filed,slots_open\n".to_owned();
        for (id, open) in &truth.slots {
            let _ = writeln!(slots, "I{id},托小班,全日托,9,{open}");
        }
        let mut enrolments = "child_ref,birth_date,institution_id,age_class,service,spell_from,\
                              spell_until\n"
            .to_owned();
        let mut attendance = "child_ref,institution_id,period,days_attended\n".to_owned();
        let (name, mut told) = (period(month), Vec::new());
        for stay in &truth.stays {
            let _ = writeln!(
                enrolments,
                "C{},2024-06-01,I{},托小班,全日托,{name}-{:02},{name}-{:02}",
                stay.child, stay.institution, stay.from, stay.until
            );
            // Several stays of a child at one institution share the days of the first.
            if !told.contains(&(stay.child, stay.institution)) {
                told.push((stay.child, stay.institution));
                let _ = writeln!(
                    attendance,
                    "C{},I{},{name},{}",
                    stay.child, stay.institution, stay.days
                );
            }
        }
        let mut sanctions = "institution_id,kind,found_on,effect_from,effect_until\n".to_owned();
        for id in &truth.sanctioned {
            let last = DAYS[month];
            let _ = writeln!(sanctions, "I{id},安全事故,{name}-01,{name}-01,{name}-{last:02}");
        }
        BTreeMap::from([
            ("institutions", institutions),
            ("slots", slots),
            ("enrolments", enrolments),
            ("attendance", attendance),
            ("sanctions", sanctions),
        ])
    }

    pub(super) fn stay(&mut self, month: usize, child: u32) -> Option<&mut Stay> {
        self.months[month].stays.iter_mut().find(|stay| stay.child == child)
    }

    /// Last day of a month.
    pub(super) const fn last_day(month: usize) -> u32 {
        DAYS[month]
    }
}
