//! Attendance of the month by institution and child: monthly figures, or daily rows that are
//! counted.

use super::institution::Register;
use super::tally::Spot;
use super::{Ground, RowUse, Tally, date_at, text_at};
use crate::domain::{Column, Date, FindingCode, Frame, Key, Stored};
use crate::intake::Table;
use rayon::prelude::*;
use std::collections::BTreeMap;

/// One child's attendance at one institution in the month.
#[derive(Debug, Clone, Default)]
pub(crate) struct Attended {
    /// Days attended, excused, ill, disaster, closure; `None` where not stated.
    pub(crate) days: [Option<i64>; 5],
    /// Dates of each figure, when daily rows were delivered and no monthly ones.
    pub(crate) dates: Option<[Vec<Date>; 5]>,
}

/// Columns of the five figures.
pub(crate) const FIGURES: [&str; 5] =
    ["days_attended", "days_excused", "days_illness", "days_disaster", "days_closure"];

/// Attendance rows of the month, grouped by the institution's main row.
#[derive(Debug, Default)]
pub(crate) struct Attendance<'a> {
    table: Option<&'a Table>,
    keys: &'a [Key],
    figures: [Option<&'a Stored>; 5],
    daily: bool,
    /// Row numbers sorted by institution.
    order: Vec<u32>,
    /// First place in `order` of each institution.
    starts: Vec<u32>,
    /// Rows of the month.
    pub(crate) used: RowUse,
}

/// What a daily mark means.
enum Mark {
    /// A day of one of the figures.
    Figure(usize),
    /// Not there, without excuse.
    Away,
    /// A mark nobody knows.
    Unknown,
}

fn read_mark(mark: &str) -> Mark {
    match mark.trim() {
        "出勤" | "到园" | "到托" | "√" | "1" | "P" | "p" | "present" => Mark::Figure(0),
        "事假" | "请假" | "excused" => Mark::Figure(1),
        "病假" | "illness" => Mark::Figure(2),
        "灾害" | "disaster" => Mark::Figure(3),
        "停园" | "闭园" | "停托" | "closure" => Mark::Figure(4),
        "缺勤" | "×" | "0" | "A" | "absent" | "" => Mark::Away,
        _ => Mark::Unknown,
    }
}

impl<'a> Attendance<'a> {
    /// Groups the rows of the month by institution.
    pub(crate) fn new(ground: &Ground<'a>, register: &Register, tally: &mut Tally) -> Self {
        let Some(table) = ground.tables.get("attendance") else { return Self::default() };
        let column = |name: &str| table.get(name).map(|stored| &stored.column);
        let (Some(Column::Key(children)), Some(Column::Key(institutions))) =
            (column("child_ref"), column("institution_id"))
        else {
            return Self::default();
        };
        let month = ground.month;
        let period = table.get("period");
        let daily_dates = table.get("date");
        let belongs = |row: usize| {
            let period = date_at(period, row).is_none_or(|day| day.month() == month);
            period && date_at(daily_dates, row).is_none_or(|day| day.month() == month)
        };
        let everywhere = period.is_none() && daily_dates.is_none();
        let homes: Vec<u32> = (0..table.rows)
            .into_par_iter()
            .with_min_len(8192)
            .map(|row| {
                if everywhere || belongs(row) {
                    register.row(institutions.keys[row])
                } else {
                    OTHER_MONTH
                }
            })
            .collect();
        let count = register.ids.len();
        let (order, starts) = group(&homes, count);
        let mut orphans: BTreeMap<String, (u64, usize)> = BTreeMap::new();
        let mut used = RowUse::All;
        if order.len() < table.rows {
            let of_month = (0_u32..).zip(&homes).filter(|(_, home)| **home != OTHER_MONTH);
            used = RowUse::of(of_month.map(|(row, _)| row));
            for row in (0..homes.len()).filter(|row| homes[*row] == Frame::NO_ROW) {
                orphans.entry(institutions.text(row)).or_insert((0, row)).0 += 1;
            }
        }
        for (id, (rows, row)) in orphans {
            let spot = Spot { file: table.file_of(row), record: table.records[row] };
            tally.add(FindingCode::AttendanceOrphan, &id, "", rows, Some(spot), Vec::new());
        }
        Self {
            table: Some(table),
            keys: &children.keys,
            figures: FIGURES.map(|name| table.get(name)),
            daily: daily_dates.is_some(),
            order,
            starts,
            used,
        }
    }

    /// Row numbers of one institution.
    pub(crate) fn of(&self, institution: u32) -> &[u32] {
        let at = institution as usize;
        match (self.starts.get(at), self.starts.get(at + 1)) {
            (Some(from), Some(until)) => &self.order[*from as usize..*until as usize],
            _ => &[],
        }
    }

    /// The child a row is about.
    pub(crate) fn child(&self, row: u32) -> Key {
        self.keys[row as usize]
    }

    /// Where a row stands.
    pub(crate) fn spot(&self, row: u32) -> Option<Spot> {
        let row = row as usize;
        self.table.map(|t| Spot { file: t.file_of(row), record: t.records[row] })
    }

    /// The attendance told by one or several rows of one child. Of several monthly figures the
    /// smallest counts (and is a finding): no order of rows decides.
    /// Also tells whether there were several, and the rows whose mark nobody knows.
    pub(crate) fn read(&self, rows: &[u32]) -> (Attended, bool, Vec<u32>) {
        let mut unknown = Vec::new();
        let mut attended = Attended::default();
        let mut monthly = 0;
        let mut dates: [Vec<Date>; 5] = Default::default();
        let mut any_daily = false;
        for row in rows {
            let at = *row as usize;
            let day = if self.daily {
                self.table.and_then(|table| date_at(table.get("date"), at))
            } else {
                None
            };
            if let (Some(day), Some(table)) = (day, self.table) {
                any_daily = true;
                let mark = text_at(table.get("mark"), at);
                match read_mark(&mark) {
                    Mark::Figure(figure) => dates[figure].push(day),
                    Mark::Away => {}
                    Mark::Unknown => unknown.push(*row),
                }
                continue;
            }
            monthly += 1;
            for (figure, stored) in self.figures.iter().enumerate() {
                if let Some(days) = whole_at(*stored, at) {
                    let kept = attended.days[figure].map_or(days, |known| known.min(days));
                    attended.days[figure] = Some(kept);
                }
            }
        }
        if any_daily {
            for (figure, days) in dates.iter_mut().enumerate() {
                days.sort_unstable();
                days.dedup();
                if monthly == 0 {
                    attended.days[figure] = i64::try_from(days.len()).ok();
                }
            }
            if monthly == 0 {
                attended.dates = Some(dates);
            }
        }
        (attended, monthly > 1, unknown)
    }

    /// A figure of all monthly rows: values and which are null.
    pub(crate) fn column(&self, figure: usize) -> Option<(&[i64], Option<&[bool]>)> {
        let stored = self.figures[figure]?;
        match &stored.column {
            Column::Num(column) if column.den == 1 => {
                Some((&column.values, stored.nulls.as_deref()))
            }
            _ => None,
        }
    }

    /// Whether an attendance table was delivered.
    pub(crate) const fn table_given(&self) -> bool {
        self.table.is_some()
    }

    /// Whether daily rows may occur.
    pub(crate) const fn daily(&self) -> bool {
        self.daily
    }

    /// Whether a figure was delivered at all.
    pub(crate) const fn has(&self, figure: usize) -> bool {
        self.figures[figure].is_some() || self.daily
    }
}

const OTHER_MONTH: u32 = u32::MAX - 1;

/// Row numbers in order of their group, and the first place of each group; rows whose group is not
/// below `count` are left out. A counting sort: rows of a group keep their order.
pub(crate) fn group(homes: &[u32], count: usize) -> (Vec<u32>, Vec<u32>) {
    let mut starts = vec![0_u32; count + 1];
    for home in homes {
        if let Some(slot) = starts.get_mut(*home as usize + 1).filter(|_| (*home as usize) < count)
        {
            *slot += 1;
        }
    }
    for at in 1..starts.len() {
        starts[at] += starts[at - 1];
    }
    let mut next = starts.clone();
    let mut order = vec![0_u32; starts[count] as usize];
    for (row, home) in homes.iter().enumerate() {
        if (*home as usize) < count {
            let place = &mut next[*home as usize];
            order[*place as usize] = u32::try_from(row).unwrap_or(u32::MAX);
            *place += 1;
        }
    }
    (order, starts)
}

fn whole_at(stored: Option<&Stored>, row: usize) -> Option<i64> {
    let stored = stored?;
    match &stored.column {
        Column::Num(column) if !stored.is_null(row) => Some(column.values[row] / column.den),
        _ => None,
    }
}
