//! The institutions of a settlement as the files show them: one entry an institution, whatever the
//! number of its versions, listings and months.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::MonthResult;
use crate::domain::{Basis, Cell, Column, Frame};

/// Stands for "no institution": the programme, or a row whose institution is not in the register.
pub(super) const NOBODY: u32 = u32::MAX;

/// One institution with what the files show of it, as of the last month it appears in.
#[derive(Debug, Clone, Default)]
pub struct Institution {
    /// 统一社会信用代码 as delivered.
    pub id: Arc<str>,
    /// 机构名称.
    pub name: Arc<str>,
    /// 机构类型.
    pub kind: Arc<str>,
    /// 区划代码.
    pub division_code: Arc<str>,
    /// 街道.
    pub street: Arc<str>,
    /// 等级.
    pub grade: Arc<str>,
    /// 普惠, where the facts say.
    pub inclusive: Option<bool>,
    /// 已备案.
    pub filed: Option<bool>,
    /// 受监管处理.
    pub sanctioned: Option<bool>,
}

/// All institutions, sorted by id, and where the frames' rows belong.
#[derive(Debug, Clone, Default)]
pub struct Register {
    /// Institutions in order of id.
    pub institutions: Vec<Institution>,
    /// Index of each by id.
    places: FxHashMap<Arc<str>, u32>,
    /// For each month: row of the institution frame -> index, or [`NOBODY`].
    rows: Vec<Vec<u32>>,
    /// For each month what it shows of each institution; `None` where the month does not know it.
    by_month: Vec<Vec<Option<Institution>>>,
}

impl Register {
    /// Reads the institution frames of all months.
    #[must_use]
    pub fn of(months: &[MonthResult<'_>]) -> Self {
        let frames: Vec<Option<&Frame>> =
            months.iter().map(|month| month.frames.get(&Basis::Institution)).collect();
        let ids: Vec<Vec<Arc<str>>> =
            frames.iter().map(|frame| frame.map(id_texts).unwrap_or_default()).collect();
        let mut sorted: Vec<&Arc<str>> = ids.iter().flatten().collect();
        sorted.sort_unstable();
        sorted.dedup();
        let places: FxHashMap<Arc<str>, u32> =
            sorted.iter().map(|id| Arc::clone(id)).zip(0..).collect();
        let place = |id: &Arc<str>| places.get(id).copied().unwrap_or(NOBODY);
        let rows = ids.iter().map(|texts| texts.iter().map(place).collect()).collect();
        let mut by_month = Vec::with_capacity(months.len());
        for (frame, texts) in frames.iter().zip(&ids) {
            let mut shown: Vec<Option<Institution>> = vec![None; sorted.len()];
            for (row, id) in texts.iter().enumerate() {
                let slot = shown.get_mut(place(id) as usize);
                // The first row of a month stands for the institution.
                if let (Some(slot @ None), Some(frame)) = (slot, frame)
                    && is_main(frame, row)
                {
                    *slot = Some(describe(frame, row, Arc::clone(id)));
                }
            }
            by_month.push(shown);
        }
        let institutions = sorted
            .iter()
            .enumerate()
            .map(|(at, id)| {
                let latest = by_month.iter().rev().find_map(|month| month[at].clone());
                let unknown = || Institution { id: Arc::clone(id), ..Institution::default() };
                latest.unwrap_or_else(unknown)
            })
            .collect();
        Self { institutions, places, rows, by_month }
    }

    /// What one month shows of each institution, by index; `None` where it does not know it.
    #[must_use]
    pub fn in_month(&self, month: usize) -> &[Option<Institution>] {
        self.by_month.get(month).map_or(&[], Vec::as_slice)
    }

    /// Number of institutions.
    #[must_use]
    pub fn len(&self) -> usize {
        self.institutions.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.institutions.is_empty()
    }

    /// The institution of a row of the institution frame of the `month`-th month.
    #[must_use]
    pub fn of_frame_row(&self, month: usize, row: u32) -> u32 {
        let rows = self.rows.get(month);
        rows.and_then(|rows| rows.get(row as usize)).copied().unwrap_or(NOBODY)
    }

    /// The institution each line of an item is paid to, by the owners its rows have; [`NOBODY`] where
    /// the payee is no institution.
    pub(super) fn paid(&self, month: usize, owners: &[u32]) -> Vec<u32> {
        owners.iter().map(|owner| self.of_frame_row(month, *owner)).collect()
    }

    /// Which institution each row of a frame of the `month`-th month belongs to.
    #[must_use]
    pub fn owners<'a>(&'a self, month: usize, frame: &'a Frame) -> Owners<'a> {
        let rows = self.rows.get(month).map_or(&[][..], Vec::as_slice);
        if frame.basis == Basis::Institution {
            return Owners { rows, links: Links::Own };
        }
        match frame.links.get(&Basis::Institution) {
            Some(links) => Owners { rows, links: Links::By(links) },
            None => Owners { rows, links: Links::None },
        }
    }

    /// The index of an institution by id.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<usize> {
        self.places.get(id).map(|index| *index as usize)
    }
}

/// Answers whose a row is.
#[derive(Debug, Clone, Copy)]
pub struct Owners<'a> {
    rows: &'a [u32],
    links: Links<'a>,
}

#[derive(Debug, Clone, Copy)]
enum Links<'a> {
    Own,
    By(&'a [u32]),
    None,
}

impl<'a> Owners<'a> {
    /// Owners told row by row.
    pub(super) const fn named(rows: &'a [u32]) -> Self {
        Self { rows, links: Links::Own }
    }
}

impl Owners<'_> {
    /// Index of the institution of a row, or [`NOBODY`].
    #[must_use]
    pub fn of(&self, row: usize) -> u32 {
        let at = match self.links {
            Links::Own => row,
            Links::By(links) => links.get(row).map_or(usize::MAX, |link| *link as usize),
            Links::None => usize::MAX,
        };
        self.rows.get(at).copied().unwrap_or(NOBODY)
    }
}

/// Whether a row of the institution frame is an institution of its own: not a version that holds
/// for a part of the month, not a second listing.
fn is_main(frame: &Frame, row: usize) -> bool {
    frame
        .links
        .get(&Basis::Institution)
        .and_then(|links| links.get(row))
        .is_none_or(|link| usize::try_from(*link).is_ok_and(|link| link == row))
}

fn id_texts(frame: &Frame) -> Vec<Arc<str>> {
    match frame.get("institution_id").map(|stored| &stored.column) {
        Some(Column::Key(keys)) => (0..frame.rows).map(|row| Arc::from(keys.text(row))).collect(),
        _ => vec![Arc::from(""); frame.rows],
    }
}

fn describe(frame: &Frame, row: usize, id: Arc<str>) -> Institution {
    let cell = |name: &str| frame.get(name).filter(|s| s.error(row).is_none()).map(|s| s.cell(row));
    let text = |name: &str| match cell(name) {
        Some(Cell::Text(text)) => Arc::from(text),
        _ => Arc::from(""),
    };
    let flag = |name: &str| match cell(name) {
        Some(Cell::Bool(value)) => Some(value),
        _ => None,
    };
    Institution {
        id,
        name: text("name"),
        kind: text("kind"),
        division_code: text("division_code"),
        street: text("street"),
        grade: text("grade"),
        inclusive: flag("inclusive"),
        filed: flag("filed"),
        sanctioned: flag("sanctioned"),
    }
}
