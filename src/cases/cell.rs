//! A cell held against the text a case has for it.

use crate::domain::{Basis, Cell, Fraction, Frame, RowError, Stored};
use crate::explain;
use crate::law::Ty;
use crate::settle::SettledMonth;

/// A column that a row has itself, or the coarser row it belongs to: how its cells are read and shown.
pub(super) struct Reading<'a> {
    stored: &'a Stored,
    /// The coarser row of each row; `None` where the column is the row's own.
    links: Option<&'a [u32]>,
    ty: Option<Ty>,
    currency: &'a str,
}

impl<'a> Reading<'a> {
    /// The column a name means on a basis, `basis.name` on a coarser one; in the words of the pack
    /// (money in currency units) or as its cells are held. `None` where there is none.
    pub(super) fn of(
        month: &'a SettledMonth,
        frame: &'a Frame,
        name: &str,
        held: bool,
    ) -> Option<Self> {
        let law = &month.law;
        let read = |basis: &Basis, name: &str, stored, links| Self {
            stored,
            links,
            ty: if held { None } else { law.column_type(basis, name) },
            currency: &law.head.currency,
        };
        if let Some(stored) = frame.get(name) {
            return Some(read(&frame.basis, name, stored, None));
        }
        frame.links.iter().find_map(|(basis, links)| {
            let bare = name.strip_prefix(basis.name()).and_then(|rest| rest.strip_prefix('.'));
            let name = bare.unwrap_or(name);
            let stored = month.frames.get(basis)?.get(name)?;
            Some(read(basis, name, stored, Some(links.as_slice())))
        })
    }

    /// The row of the column that a row of the basis reads.
    fn place(&self, row: usize) -> Option<usize> {
        let Some(links) = self.links else { return Some(row) };
        let row = *links.get(row)?;
        (row != Frame::NO_ROW).then_some(row as usize)
    }

    fn is_money(&self) -> bool {
        matches!(&self.ty, Some(Ty::Num { unit, .. }) if unit.0.contains_key(self.currency))
    }

    /// Whether a row has what the text says; an error of the row is told by its code.
    pub(super) fn fits(&self, row: usize, text: &str) -> bool {
        let Some(row) = self.place(row) else { return text == RowError::NoParent.reason() };
        match self.stored.error(row) {
            Some(error) => text == error.reason(),
            None => self.is(&self.stored.cell(row), text),
        }
    }

    fn is(&self, cell: &Cell, text: &str) -> bool {
        match cell {
            Cell::Null => text.is_empty() || text == "null",
            Cell::Bool(truth) => text.eq_ignore_ascii_case(&truth.to_string()),
            Cell::Date(date) => text == date.to_string(),
            Cell::Text(own) => text == own,
            Cell::Num(num, den) => number(text).is_some_and(|wanted| {
                let hundred = if self.is_money() { 100 } else { 1 };
                equal((wanted.num, wanted.den), hundred, (*num, *den))
            }),
        }
    }

    /// What stands in a row, for a person.
    pub(super) fn shown(&self, row: usize) -> String {
        let Some(row) = self.place(row) else { return RowError::NoParent.reason().to_owned() };
        match self.stored.error(row) {
            Some(error) => error.reason().to_owned(),
            None => explain::shown(&self.stored.cell(row), self.ty.as_ref(), self.currency),
        }
    }
}

/// `wanted x times = found`, exactly.
fn equal(wanted: (i128, i128), times: i128, found: (i128, i128)) -> bool {
    let left = wanted.0.checked_mul(times).and_then(|num| num.checked_mul(found.1));
    left.is_some() && left == found.0.checked_mul(wanted.1)
}

/// A decimal or a fraction `n/d`, exactly.
pub(super) fn number(text: &str) -> Option<Fraction> {
    match text.split_once('/') {
        None => Fraction::parse_decimal(text.trim()),
        Some((num, den)) => {
            let (num, den) =
                (Fraction::parse_decimal(num.trim())?, Fraction::parse_decimal(den.trim())?);
            let fraction =
                Fraction::new(num.num.checked_mul(den.den)?, num.den.checked_mul(den.num)?)?;
            Some(fraction.reduced())
        }
    }
}

/// Fen of an amount in currency units with at most two decimals.
pub(super) fn fen(text: &str) -> Option<i64> {
    let amount = number(text)?;
    let num = amount.num.checked_mul(100)?;
    (num % amount.den == 0).then(|| i64::try_from(num / amount.den).ok()).flatten()
}

/// Whether a step of an explanation came to what a case says: a number as it is held, money with its
/// currency behind it.
pub(super) fn step_fits(found: &str, text: &str, currency: &str) -> bool {
    let exact = found.split(" (").next().unwrap_or(found);
    if exact.eq_ignore_ascii_case(text) {
        return true;
    }
    let (wanted, times) = match text.strip_suffix(currency) {
        Some(amount) if !currency.is_empty() => (amount.trim(), 100),
        _ => (text, 1),
    };
    match (number(wanted), number(exact)) {
        (Some(wanted), Some(found)) => {
            equal((wanted.num, wanted.den), times, (found.num, found.den))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_held_exactly() {
        assert_eq!(fen("80.66"), Some(8066));
        assert_eq!(fen("-5"), Some(-500));
        assert_eq!(fen("0.125"), None);
        assert_eq!(fen("x"), None);
        for (found, text, fits) in [
            ("1050", "10.50 yuan", true),
            ("1050", "1050", true),
            ("1050", "10.50", false),
            ("1/3 (0.333333…)", "1/3", true),
            ("0.25", "1/4", true),
            ("TRUE", "true", true),
            ("2026-09-01", "2026-09-01", true),
        ] {
            assert_eq!(step_fits(found, text, "yuan"), fits, "{found} {text}");
        }
    }
}
