//! Units of numbers (S15): reading, writing, combining, and what cancels on a basis.

use crate::domain::Basis;
use std::fmt;
use std::sync::Arc;

use crate::law::model::Unit;

/// Bases whose row is one child (or a part of one child's month): the unit `child` cancels there.
const CHILD_ROWS: [Basis; 5] =
    [Basis::Day, Basis::Week, Basis::Spell, Basis::Listing, Basis::Child];

impl Unit {
    /// A unit of one word to the first power; the empty word is the plain number.
    #[must_use]
    pub fn word(word: &str) -> Self {
        let mut unit = Self::default();
        unit.multiply(word, 1);
        unit
    }

    /// Reads `yuan/child/month`, `slot`, `yuan*day`, `1/month`; the empty text and `1` are plain
    /// numbers. `None` when a word is empty or holds anything but letters, digits and `_`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut unit = Self::default();
        if text.trim().is_empty() {
            return Some(unit);
        }
        for (place, part) in text.split('/').enumerate() {
            for word in part.split('*') {
                let word = word.trim();
                let plain = word.chars().all(|c| c.is_alphanumeric() || c == '_');
                if word.is_empty() || !plain || (word == "1" && place > 0) {
                    return None;
                }
                if word != "1" {
                    unit.multiply(word, if place == 0 { 1 } else { -1 });
                }
            }
        }
        Some(unit)
    }

    /// The power of a word, 0 when it does not occur.
    #[must_use]
    pub fn power(&self, word: &str) -> i8 {
        self.0.get(word).copied().unwrap_or(0)
    }

    /// Whether this is the unit of plain numbers.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.0.is_empty()
    }

    /// The unit of a product.
    #[must_use]
    pub fn times(&self, other: &Self) -> Self {
        let mut unit = self.clone();
        for (word, power) in &other.0 {
            unit.multiply(word, *power);
        }
        unit
    }

    /// The unit of a quotient.
    #[must_use]
    pub fn over(&self, other: &Self) -> Self {
        let mut unit = self.clone();
        for (word, power) in &other.0 {
            unit.multiply(word, power.saturating_neg());
        }
        unit
    }

    /// The unit with the units of a row of `basis` dropped: `child` and `month` where a row is a
    /// child's, `month` elsewhere (S15); on a day or a week that instead of the month.
    #[must_use]
    pub fn cancel(&self, basis: &Basis) -> Self {
        let mut unit = self.clone();
        if matches!(basis, Basis::Day | Basis::Week) {
            unit.0.remove(basis.name());
            // A number of months is a plain number everywhere; a rate of the month is none of the day.
            unit.0.retain(|word, power| &**word != "month" || *power < 0);
        } else {
            unit.0.remove("month");
        }
        if CHILD_ROWS.contains(basis) {
            unit.0.remove("child");
        }
        unit
    }

    /// Turns a yearly figure into a monthly one: `year` below the line becomes `month`. `None`
    /// when the unit is not yearly.
    #[must_use]
    pub fn yearly_to_monthly(&self) -> Option<Self> {
        self.exchange("year", "month")
    }

    /// Turns a monthly figure into a yearly one; `None` when the unit is not monthly.
    #[must_use]
    pub fn monthly_to_yearly(&self) -> Option<Self> {
        self.exchange("month", "year")
    }

    /// Unit of the number of rows of `basis`: children where a row is a child's, else plain.
    #[must_use]
    pub fn of_count(basis: &Basis) -> Self {
        Self::word(if CHILD_ROWS.contains(basis) { "child" } else { "" })
    }

    fn exchange(&self, from: &str, to: &str) -> Option<Self> {
        (self.power(from) < 0).then(|| {
            let mut unit = self.clone();
            unit.multiply(from, 1);
            unit.multiply(to, -1);
            unit
        })
    }

    fn multiply(&mut self, word: &str, power: i8) {
        if word.is_empty() {
            return;
        }
        let sum = self.power(word).saturating_add(power);
        if sum == 0 {
            self.0.remove(word);
        } else {
            self.0.insert(Arc::from(word), sum);
        }
    }
}

impl fmt::Display for Unit {
    /// `yuan/child/month`; plain numbers are `number`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("number");
        }
        let mut first = true;
        for (word, power) in &self.0 {
            for _ in 0..(*power).max(0) {
                write!(f, "{}{word}", if first { "" } else { "*" })?;
                first = false;
            }
        }
        if first {
            f.write_str("1")?;
        }
        for (word, power) in &self.0 {
            for _ in 0..power.saturating_neg().max(0) {
                write!(f, "/{word}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_read_write_and_cancel() {
        let unit = Unit::parse("yuan/child/month").expect("a unit");
        assert_eq!(unit.to_string(), "yuan/child/month");
        assert_eq!(unit.cancel(&Basis::Spell).to_string(), "yuan");
        assert_eq!(unit.cancel(&Basis::Day).to_string(), "yuan/month");
        assert_eq!(unit.cancel(&Basis::Institution).to_string(), "yuan/child");
        assert_eq!(unit.times(&Unit::word("child")).to_string(), "yuan/month");
        assert_eq!(unit.over(&unit).to_string(), "number");
        assert_eq!(Unit::parse("1/month").expect("a unit").to_string(), "1/month");
        assert_eq!(Unit::parse("").expect("a unit"), Unit::default());
        for wrong in ["yuan//month", "yuan/", "元 月", "a/1", "a^2"] {
            assert_eq!(Unit::parse(wrong), None, "{wrong}");
        }
        let yearly = Unit::parse("yuan/slot/year").expect("a unit");
        assert_eq!(yearly.yearly_to_monthly().expect("yearly").to_string(), "yuan/month/slot");
        assert_eq!(unit.yearly_to_monthly(), None);
    }
}
