//! Days that begin a term in every year, such as 1 September.

use super::time::Date;

/// Days of a year at which terms begin, in the order of the year.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Terms(Vec<(u32, u32)>);

/// A text that is no day of every year, or one day named twice.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TermsError {
    /// No day at all.
    #[error("no day is named; expected one or more of the form MM-DD, such as 09-01")]
    Empty,
    /// Not `MM-DD`, or no day that every year has.
    #[error("{found:?} is not a day of every year; expected MM-DD, such as 09-01")]
    Day {
        /// The text as found.
        found: String,
    },
    /// The same day twice.
    #[error("{found:?} is named twice; expected each day once")]
    Twice {
        /// The text as found.
        found: String,
    },
}

impl Terms {
    /// Reads days written `MM-DD`, in any order. 29 February is refused: a term begins every year.
    ///
    /// # Errors
    /// No day, a text that is no day of every year, a day named twice.
    pub fn parse<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, TermsError> {
        let mut days = Vec::new();
        for text in texts {
            let bad = || TermsError::Day { found: text.chars().take(40).collect() };
            // 2001 had no 29 February.
            let date = Date::parse_iso(&format!("2001-{text}")).map_err(|_| bad())?;
            let (_, month, day) = date.ymd();
            if days.contains(&(month, day)) {
                return Err(TermsError::Twice { found: text.to_owned() });
            }
            days.push((month, day));
        }
        days.sort_unstable();
        if days.is_empty() { Err(TermsError::Empty) } else { Ok(Self(days)) }
    }

    /// Month and day of each term's first day, in the order of the year.
    #[must_use]
    pub fn days(&self) -> &[(u32, u32)] {
        &self.0
    }

    /// First day of the term a date lies in: the last listed day on or before it. `None` before
    /// the calendar begins.
    #[must_use]
    pub fn of(&self, date: Date) -> Option<Date> {
        let (year, month, day) = date.ymd();
        let begun = self.0.iter().rev().find(|term| **term <= (month, day));
        let (year, (month, day)) = match begun {
            Some(term) => (year, *term),
            None => (year - 1, *self.0.last()?),
        };
        Date::from_ymd(year, month, day)
    }

    /// First day of the next term: the first listed day after a date. `None` after the calendar
    /// ends.
    #[must_use]
    pub fn after(&self, date: Date) -> Option<Date> {
        let (year, month, day) = date.ymd();
        let next = self.0.iter().find(|term| **term > (month, day));
        let (year, (month, day)) = match next {
            Some(term) => (year, *term),
            None => (year + 1, *self.0.first()?),
        };
        Date::from_ymd(year, month, day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_term_begins_on_its_first_day_and_the_next_strictly_after() {
        let terms = Terms::parse(["09-01", "01-01", "04-01"]).expect("terms");
        let day = |text| Date::parse_iso(text).expect("a date");
        for (date, of, after) in [
            ("2025-03-31", "2025-01-01", "2025-04-01"),
            ("2025-04-01", "2025-04-01", "2025-09-01"),
            ("2025-12-31", "2025-09-01", "2026-01-01"),
            ("2026-01-01", "2026-01-01", "2026-04-01"),
        ] {
            assert_eq!(terms.of(day(date)), Some(day(of)), "{date}");
            assert_eq!(terms.after(day(date)), Some(day(after)), "{date}");
        }
        let autumn = Terms::parse(["09-01"]).expect("terms");
        assert_eq!(autumn.of(day("1900-08-31")), None);
        assert_eq!(autumn.after(day("2199-09-01")), None);
    }

    #[test]
    fn what_is_no_day_of_every_year_is_refused() {
        for wrong in ["02-29", "9-1", "13-01", "09-31", "", "09-01 "] {
            let found = wrong.to_owned();
            assert_eq!(Terms::parse([wrong]), Err(TermsError::Day { found }), "{wrong}");
        }
        assert_eq!(Terms::parse([]), Err(TermsError::Empty));
        let found = "09-01".to_owned();
        assert_eq!(Terms::parse(["09-01", "09-01"]), Err(TermsError::Twice { found }));
    }
}
