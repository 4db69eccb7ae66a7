//! History: what earlier months were paid, by line without its span (S24, S26).
//!
//! In: lines of earlier months, frames and pseudonyms of the month at hand. Out: for each row what
//! belongs to it. Order: after `facts`. Never: settles a month, reads a file, knows a child: rows and
//! lines are told apart by pseudonyms (S32).
//!
//! A line of another month is the same line when institution, item, person, row key, age class and
//! service are the same. On the bases of a child, of a slot and of an institution only what names
//! the row counts: a child that changed its class is the same child.

mod rows;

pub use rows::{RowKey, RowKeys};
pub(crate) use rows::{key_parts, row_keys};

use crate::domain::{Basis, CodeList, Fraction, Month};
use crate::law::{Law, ShortageMethod, ShortageRule};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Code of a text that is not there.
pub const NO_TEXT: u32 = u32::MAX;

/// The keyed pseudonym of a child or person (S32); all zero where the row has none.
pub type Person = [u8; 16];

/// Pseudonyms of the rows of some bases, one a row.
pub type Persons = BTreeMap<Basis, Vec<Person>>;

/// One line of an earlier month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PaidLine {
    /// Service month.
    pub month: Month,
    /// Item id.
    pub item: u32,
    /// Identity without the span.
    pub key: RowKey,
    /// Fen after exclusions and caps, before a budget shortage.
    pub capped_fen: i64,
    /// Fen allocated.
    pub allocated_fen: i64,
    /// Parts of the item that were settled by the line, one bit a part, the first lowest.
    pub parts: u64,
    /// What the line used up of caps on quantities, as [`used_text`] writes it, or [`NO_TEXT`].
    pub used: u32,
}

/// The lines of earlier months that still count.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// Texts behind the codes.
    pub texts: CodeList,
    /// Lines, in any order.
    pub lines: Vec<PaidLine>,
}

/// Which money of an earlier line counts as paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// What was due before the budget was asked: what a short budget took stays lost (S25), and
    /// what it carried comes by itself.
    Capped,
    /// What was allocated.
    Allocated,
}

impl Counted {
    /// What counts as paid under a law: what a short budget carries comes by itself.
    #[must_use]
    pub fn as_paid(law: &Law) -> Self {
        let carries = |rule: &Arc<ShortageRule>| matches!(rule.method, ShortageMethod::Carry(_));
        if law.shortages.iter().any(carries) { Self::Capped } else { Self::Allocated }
    }
}

impl PaidLine {
    /// The money that counts.
    #[must_use]
    pub const fn fen(&self, counted: Counted) -> i64 {
        match counted {
            Counted::Capped => self.capped_fen,
            Counted::Allocated => self.allocated_fen,
        }
    }
}

impl History {
    /// The lines of some items in months that count, in no order.
    pub fn of_items<'h>(
        &'h self,
        items: &[Arc<str>],
        counts: impl Fn(Month) -> bool + 'h,
    ) -> impl Iterator<Item = &'h PaidLine> + 'h {
        let codes: Vec<u32> = items.iter().filter_map(|item| self.texts.code(item)).collect();
        self.lines.iter().filter(move |line| codes.contains(&line.item) && counts(line.month))
    }
}

/// What the month at hand is told of earlier ones.
#[derive(Debug, Clone, Copy)]
pub struct Past<'a> {
    /// Lines of earlier months; `None` where the job keeps none.
    pub history: Option<&'a History>,
    /// Pseudonyms of the rows of the month at hand.
    pub persons: &'a Persons,
}

impl Past<'_> {
    /// Of a job that keeps no lines.
    pub const UNKNOWN: Past<'static> = Past { history: None, persons: &BTreeMap::new() };
}

/// What a line used up, by cap, as one text: `cap=3/2;other=1`.
#[must_use]
pub fn used_text(used: &[(&str, Fraction)]) -> String {
    let parts: Vec<String> = used
        .iter()
        .map(|(cap, amount)| {
            let Fraction { num, den } = amount.reduced();
            if den == 1 { format!("{cap}={num}") } else { format!("{cap}={num}/{den}") }
        })
        .collect();
    parts.join(";")
}

/// Caps and what was used up of each, as a text of [`used_text`] says.
pub fn all_used(text: &str) -> impl Iterator<Item = (&str, Fraction)> {
    text.split(';').filter_map(|part| {
        let (cap, amount) = part.rsplit_once('=')?;
        let (num, den) = amount.split_once('/').unwrap_or((amount, "1"));
        Some((cap, Fraction::new(num.parse().ok()?, den.parse().ok()?)?))
    })
}

/// What a text of [`used_text`] says of one cap; `None` where it says nothing.
#[must_use]
pub fn used_of(text: &str, cap: &str) -> Option<Fraction> {
    all_used(text).find_map(|(id, amount)| (id == cap).then_some(amount))
}

/// Parts as people count them: `1 3`.
#[must_use]
pub fn parts_text(parts: u64) -> String {
    let numbers: Vec<String> =
        (0..64).filter(|at| parts >> at & 1 == 1).map(|at| (at + 1).to_string()).collect();
    numbers.join(" ")
}

/// The parts of a text of [`parts_text`]; `None` when it is not one.
#[must_use]
pub fn parts_of(text: &str) -> Option<u64> {
    text.split_whitespace().try_fold(0, |parts, number| {
        let at = number.parse::<u32>().ok()?.checked_sub(1).filter(|at| *at < 64)?;
        Some(parts | 1 << at)
    })
}

#[cfg(test)]
mod tests {
    use super::{parts_of, parts_text, used_of, used_text};
    use crate::domain::Fraction;

    #[test]
    fn what_a_line_used_up_is_read_back_as_written() {
        let third = Fraction { num: 2, den: 6 };
        let text = used_text(&[("days", Fraction::whole(12)), ("city:hours", third)]);
        assert_eq!(text, "days=12;city:hours=1/3");
        let read = used_of(&text, "city:hours").expect("it is there");
        assert_eq!((read.num, read.den), (1, 3));
        assert_eq!(used_of(&text, "hours").map(|f| f.num), None);
        assert_eq!(used_of("", "days").map(|f| f.num), None);
    }

    #[test]
    fn parts_are_read_back_as_written() {
        assert_eq!(parts_text(0b101), "1 3");
        assert_eq!(parts_of("1 3"), Some(0b101));
        assert_eq!(parts_of(""), Some(0));
        assert_eq!(parts_of("0"), None);
        assert_eq!(parts_of("65"), None);
    }
}
