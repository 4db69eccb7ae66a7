//! Ages in completed months at a stated instant (S20).

use crate::domain::{Date, Month, Span};
use crate::law::{AgeAt, AgeRule, BirthdayMonth};

/// Completed months of age by an age rule.
///
/// `spell_from` is the first day of the spell (the month's first day for rows without a spell).
/// Births on the 29th-31st complete a month that is too short on its last day or on the first of
/// the next, as the rule says. Negative for children not yet born.
#[must_use]
pub fn completed_months(rule: &AgeRule, birth: Date, month: Month, spell_from: Date) -> i32 {
    let at = match rule.at {
        AgeAt::MonthStart => month.first(),
        AgeAt::MonthEnd => month.last(),
        AgeAt::SpellStart => spell_from,
        AgeAt::SeptemberFirst => {
            let year = if month.number() >= 9 { month.year() } else { month.year() - 1 };
            Date::from_ymd(year, 9, 1).unwrap_or_else(|| month.first())
        }
    };
    let (birth_year, birth_month, birth_day) = birth.ymd();
    let (at_year, at_month, at_day) = at.ymd();
    let months = (at_year - birth_year) * 12 + at_month.cast_signed() - birth_month.cast_signed();
    let reached = match rule.birthday_month {
        BirthdayMonth::In => false,
        BirthdayMonth::Out => true,
        BirthdayMonth::Exact => {
            let last = at.month().last().ymd().2;
            at_day >= birth_day || (rule.last_day && at_day == last && birth_day > last)
        }
    };
    months - i32::from(!reached)
}

/// The day within `span` after its first on which a child completes a further month, if any: where
/// an age band may split a spell.
pub(crate) fn month_day(rule: &AgeRule, birth: Date, span: Span) -> Option<Date> {
    let month = span.from.month();
    let mut day = span.from.plus_days(1);
    let before = completed_months(rule, birth, month, span.from);
    while day <= span.until {
        if completed_months(rule, birth, month, day) != before {
            return Some(day);
        }
        day = day.plus_days(1);
    }
    None
}
