//! One walk over all entitlement lines: counts and sums by month, institution and item, headcounts.

use std::collections::BTreeMap;
use std::sync::Arc;

use rayon::prelude::*;

use super::register::{NOBODY, Owners, Register};
use super::{MonthResult, PublishError};
use crate::domain::texts::Catalogue;
use crate::domain::{Basis, Column, Frame, Key};
use crate::subsidy::{ItemLines, LineStatus};

/// Rows walked by one thread at a time.
const CHUNK: usize = 1 << 16;

/// Counts and sums of lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Lines paid.
    pub paid: u64,
    /// Lines that are zero with a reason.
    pub zero: u64,
    /// Lines refused.
    pub refused: u64,
    /// Sum of amounts, fen.
    pub amount: i64,
    /// Sum of allocated amounts, fen.
    pub allocated: i64,
}

impl Tally {
    /// All lines.
    #[must_use]
    pub const fn lines(&self) -> u64 {
        self.paid + self.zero + self.refused
    }

    /// Adds another; `None` on overflow.
    #[must_use]
    pub fn plus(self, other: Self) -> Option<Self> {
        Some(Self {
            paid: self.paid + other.paid,
            zero: self.zero + other.zero,
            refused: self.refused + other.refused,
            amount: self.amount.checked_add(other.amount)?,
            allocated: self.allocated.checked_add(other.allocated)?,
        })
    }
}

/// What the files say about an item, from the first rule found in force.
#[derive(Debug, Clone, Default)]
pub struct ItemFace {
    /// Item id.
    pub id: Arc<str>,
    /// Text for people, or the id.
    pub label: Arc<str>,
    /// Clause.
    pub clause: Arc<str>,
    /// Instrument of DOMAIN 1.
    pub instrument: Arc<str>,
    /// Recorded, never paid.
    pub in_kind: bool,
}

/// Heads of one institution in one month; `None` where no table tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Heads {
    /// Children listed in the month.
    pub listed: Option<u64>,
    /// Children with a paid line.
    pub paid: Option<u64>,
    /// 备案托位.
    pub slots_filed: Option<i64>,
    /// 开放托位.
    pub slots_open: Option<i64>,
}

/// All sums.
#[derive(Debug, Clone, Default)]
pub struct Tallies {
    /// Items in the order of their first month.
    pub items: Vec<ItemFace>,
    /// For each month, (institution, item) row by row; the last institution is "nobody".
    cells: Vec<Vec<Tally>>,
    /// For each month and institution.
    pub heads: Vec<Vec<Heads>>,
    /// Refused lines by reason.
    pub refused_by_reason: BTreeMap<String, u64>,
    /// Zero lines by reason.
    pub zero_by_reason: BTreeMap<String, u64>,
}

impl Tallies {
    /// Walks all lines of all months.
    ///
    /// # Errors
    /// When a sum overflows.
    pub fn of(
        months: &[MonthResult<'_>],
        register: &Register,
        texts: &Catalogue,
    ) -> Result<Self, PublishError> {
        let mut made = Self { items: faces(months, texts), ..Self::default() };
        let (width, owners) = (made.items.len(), register.len() + 1);
        for (number, month) in months.iter().enumerate() {
            let mut cells = vec![Tally::default(); owners * width];
            for lines in &month.entitlements.items {
                let Some(at) = made.items.iter().position(|face| face.id == lines.item) else {
                    continue;
                };
                let walk = walk(lines, number, month, register)?;
                for (owner, tally) in walk.by_owner.into_iter().enumerate() {
                    let cell = &mut cells[owner * width + at];
                    *cell = cell.plus(tally).ok_or(PublishError::Overflow)?;
                }
                for (reasons, counts) in [
                    (&mut made.refused_by_reason, walk.refused),
                    (&mut made.zero_by_reason, walk.zero),
                ] {
                    for (code, count) in (0..).zip(counts).filter(|(_, count)| *count > 0) {
                        let reason = month.entitlements.reasons.text(code).to_owned();
                        *reasons.entry(reason).or_default() += count;
                    }
                }
            }
            made.cells.push(cells);
            made.heads.push(heads(number, month, register));
        }
        Ok(made)
    }

    /// What people call each item, by id.
    #[must_use]
    pub fn labels(&self) -> BTreeMap<&str, &str> {
        self.items.iter().map(|face| (&*face.id, &*face.label)).collect()
    }

    /// One cell; `NOBODY` for lines without an institution.
    #[must_use]
    pub fn cell(&self, month: usize, institution: u32, item: usize) -> Tally {
        let width = self.items.len();
        let cells = &self.cells[month];
        let owner = (institution as usize).min((cells.len() / width.max(1)).saturating_sub(1));
        cells.get(owner * width + item).copied().unwrap_or_default()
    }

    /// Sum over months, and over the institutions and items wanted.
    ///
    /// # Errors
    /// When a sum overflows.
    pub fn sum(
        &self,
        institution: Option<u32>,
        item: Option<usize>,
    ) -> Result<Tally, PublishError> {
        let width = self.items.len();
        let mut sum = Tally::default();
        for (month, cells) in self.cells.iter().enumerate() {
            let owners = u32::try_from(cells.len() / width.max(1)).unwrap_or(NOBODY);
            let owners = institution.map_or(0..owners, |i| i..i.saturating_add(1));
            for owner in owners {
                for at in item.map_or(0..width, |at| at..at + 1) {
                    sum = sum.plus(self.cell(month, owner, at)).ok_or(PublishError::Overflow)?;
                }
            }
        }
        Ok(sum)
    }
}

fn faces(months: &[MonthResult<'_>], texts: &Catalogue) -> Vec<ItemFace> {
    let mut faces: Vec<ItemFace> = Vec::new();
    for lines in months.iter().flat_map(|month| &month.entitlements.items) {
        if faces.iter().any(|face| face.id == lines.item) {
            continue;
        }
        let rule = lines.rules.iter().flatten().next();
        faces.push(ItemFace {
            id: Arc::clone(&lines.item),
            label: rule.map_or_else(
                || Arc::clone(&lines.item),
                |r| Arc::from(texts.named(&lines.item, &r.head.label, &r.head.english)),
            ),
            clause: rule.map_or_else(|| Arc::from(""), |r| Arc::clone(&r.head.clause)),
            instrument: rule.map_or_else(|| Arc::from("other"), |r| Arc::clone(&r.instrument)),
            in_kind: rule.is_some_and(|r| r.in_kind),
        });
    }
    faces
}

/// Sums of one item in one month.
struct Walk {
    by_owner: Vec<Tally>,
    refused: Vec<u64>,
    zero: Vec<u64>,
}

impl Walk {
    fn new(owners: usize, reasons: usize) -> Self {
        Self {
            by_owner: vec![Tally::default(); owners],
            refused: vec![0; reasons],
            zero: vec![0; reasons],
        }
    }

    fn plus(mut self, other: &Self) -> Option<Self> {
        for (sum, more) in self.by_owner.iter_mut().zip(&other.by_owner) {
            *sum = sum.plus(*more)?;
        }
        for (sum, more) in [(&mut self.refused, &other.refused), (&mut self.zero, &other.zero)] {
            sum.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
        }
        Some(self)
    }

    fn rows(
        mut self,
        lines: &ItemLines,
        owners: Option<Owners<'_>>,
        rows: std::ops::Range<usize>,
    ) -> Option<Self> {
        let nobody = self.by_owner.len() - 1;
        for row in rows {
            let owner = owners.map_or(NOBODY, |owners| owners.of(row)) as usize;
            let tally = &mut self.by_owner[owner.min(nobody)];
            match lines.status[row] {
                LineStatus::Absent => continue,
                LineStatus::Paid => tally.paid += 1,
                LineStatus::Zero => {
                    tally.zero += 1;
                    self.zero[usize::from(lines.reason[row])] += 1;
                }
                LineStatus::Refused => {
                    tally.refused += 1;
                    self.refused[usize::from(lines.reason[row])] += 1;
                }
            }
            tally.amount = tally.amount.checked_add(lines.amount[row])?;
            tally.allocated = tally.allocated.checked_add(lines.allocated[row])?;
        }
        Some(self)
    }
}

fn walk(
    lines: &ItemLines,
    number: usize,
    month: &MonthResult<'_>,
    register: &Register,
) -> Result<Walk, PublishError> {
    let paid = lines.owners.as_ref().map(|owners| register.paid(number, owners));
    let owners = match &paid {
        Some(paid) => Some(Owners::named(paid)),
        None => month.frames.get(&lines.basis).map(|frame| register.owners(number, frame)),
    };
    let (count, reasons) = (register.len() + 1, month.entitlements.reasons.texts().len().max(1));
    let rows = lines.status.len();
    // A piece is large beside the table it fills, so that adding tables up costs little.
    let piece = CHUNK.max(count * 8);
    (0..rows.div_ceil(piece))
        .into_par_iter()
        .try_fold(
            || Walk::new(count, reasons),
            |walk, at| walk.rows(lines, owners, at * piece..((at + 1) * piece).min(rows)),
        )
        .try_reduce(|| Walk::new(count, reasons), |left, right| left.plus(&right))
        .ok_or(PublishError::Overflow)
}

/// Bases whose rows are children.
const CHILD_BASES: [Basis; 5] =
    [Basis::Spell, Basis::Listing, Basis::Child, Basis::Day, Basis::Week];

fn heads(number: usize, month: &MonthResult<'_>, register: &Register) -> Vec<Heads> {
    let mut heads = vec![Heads::default(); register.len()];
    // A frame without rows (no enrolments were delivered) tells nothing of heads.
    let frames = CHILD_BASES.iter().filter_map(|basis| month.frames.get(basis));
    let frames = frames.filter(|frame| frame.rows > 0);
    if let Some(main) = frames.clone().next() {
        let in_month = match main.get("in_month").map(|s| &s.column) {
            Some(Column::Bool(values)) => Some(values),
            _ => None,
        };
        let listed = |row: usize| in_month.is_none_or(|values| values[row]);
        let count_listed = || {
            let mut counts = Distinct::new(register.len(), 1);
            let owners = register.owners(number, main);
            counts.add(main, |row| if listed(row) { owners.of(row) } else { NOBODY });
            counts.close()
        };
        let items = &month.entitlements.items;
        let with_lines: Vec<_> =
            frames.filter(|frame| items.iter().any(|l| l.basis == frame.basis)).collect();
        let count_paid = || {
            let mut counts = Distinct::new(register.len(), with_lines.len());
            for frame in with_lines {
                let lines: Vec<&ItemLines> =
                    items.iter().filter(|l| l.basis == frame.basis).collect();
                let paid = |row: usize| lines.iter().any(|l| l.status[row] == LineStatus::Paid);
                let owners = register.owners(number, frame);
                counts.add(frame, |row| if paid(row) { owners.of(row) } else { NOBODY });
            }
            counts.close()
        };
        let (listed, paid) = rayon::join(count_listed, count_paid);
        for (head, (listed, paid)) in heads.iter_mut().zip(listed.into_iter().zip(paid)) {
            (head.listed, head.paid) = (Some(listed), Some(paid));
        }
    }
    slots(number, month, register, &mut heads);
    register_heads(number, month, register, &mut heads);
    heads
}

/// Counts distinct children by group: institution or age class.
pub(super) struct Distinct {
    /// Rows of children who stand on one row only, as the facts say.
    alone: Vec<u64>,
    /// All other rows.
    pairs: Vec<(u32, Key)>,
    /// Whether all rows come from one frame: on a second one the same child may come again.
    one_frame: bool,
}

impl Distinct {
    /// `frames` is how many frames will be added.
    pub(super) fn new(groups: usize, frames: usize) -> Self {
        Self { alone: vec![0; groups], pairs: Vec::new(), one_frame: frames == 1 }
    }

    /// Adds the rows of a frame that `group` gives a group; others are [`NOBODY`]'s.
    pub(super) fn add(&mut self, frame: &Frame, group: impl Fn(usize) -> u32) {
        let Some(Column::Key(keys)) = frame.get("child_ref").map(|s| &s.column) else { return };
        let numbers = |name: &str| match frame.get(name).map(|s| &s.column) {
            Some(Column::Num(numbers)) => Some(&numbers.values),
            _ => None,
        };
        let listings = numbers("listings_of_child").filter(|_| self.one_frame);
        let pieces = numbers("pieces");
        let alone = |row: usize| {
            listings.is_some_and(|n| n[row] == 1) && pieces.is_none_or(|n| n[row] <= 1)
        };
        for row in 0..frame.rows {
            let group = group(row);
            let Some(count) = self.alone.get_mut(group as usize) else { continue };
            if alone(row) {
                *count += 1;
            } else {
                self.pairs.push((group, keys.keys[row]));
            }
        }
    }

    /// The counts by group.
    pub(super) fn close(mut self) -> Vec<u64> {
        self.pairs.par_sort_unstable();
        self.pairs.dedup();
        let mut counts = self.alone;
        for (group, _) in self.pairs {
            counts[group as usize] += 1;
        }
        counts
    }
}

fn slots(number: usize, month: &MonthResult<'_>, register: &Register, heads: &mut [Heads]) {
    let Some(frame) = month.frames.get(&Basis::Slot) else { return };
    let owners = register.owners(number, frame);
    for row in 0..frame.rows {
        let Some(head) = heads.get_mut(owners.of(row) as usize) else { continue };
        for (name, sum) in
            [("slots_filed", &mut head.slots_filed), ("slots_open", &mut head.slots_open)]
        {
            if let Some(slots) = whole(frame, name, row) {
                *sum = Some(sum.unwrap_or(0).saturating_add(slots));
            }
        }
    }
}

/// An aggregate register has its figures on the institution's own row (FORMATS 1).
fn register_heads(
    number: usize,
    month: &MonthResult<'_>,
    register: &Register,
    heads: &mut [Heads],
) {
    let Some(frame) = month.frames.get(&Basis::Institution) else { return };
    let owners = register.owners(number, frame);
    let first = |names: &[&str], row| names.iter().find_map(|name| whole(frame, name, row));
    for row in 0..frame.rows {
        let Some(head) = heads.get_mut(owners.of(row) as usize) else { continue };
        if head.listed.is_none() {
            let count = first(&["enrolled", "headcount"], row);
            head.listed = count.and_then(|count| u64::try_from(count).ok());
        }
        if head.slots_filed.is_none() {
            head.slots_filed = first(&["slots_filed", "slots_approved"], row);
        }
    }
}

/// A whole number of a frame, where it has one.
pub(super) fn whole(frame: &Frame, name: &str, row: usize) -> Option<i64> {
    wholes(Some(frame), name)(row)
}

/// The whole numbers of a frame's column by row: the column is looked up once.
pub(super) fn wholes<'f>(
    frame: Option<&'f Frame>,
    name: &str,
) -> impl Fn(usize) -> Option<i64> + 'f {
    let column = frame.and_then(|frame| frame.get(name)).and_then(|stored| match &stored.column {
        Column::Num(numbers) if numbers.den == 1 => Some((stored, &numbers.values)),
        _ => None,
    });
    move |row| {
        let (stored, values) = column?;
        let known = !stored.is_null(row) && stored.error(row).is_none();
        values.get(row).copied().filter(|_| known)
    }
}
