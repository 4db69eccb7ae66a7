//! Ages in completed months at a stated instant (S20).

use super::Ground;
use crate::domain::{Column, Date, Frame, Month, Span, Stored};
use crate::law::{AgeAt, AgeRule, BirthdayMonth};
use rayon::prelude::*;
use std::sync::Arc;

/// Completed months of age by an age rule.
///
/// `spell_from` is the first day of the spell (the month's first day for rows without a spell).
/// Births on the 29th-31st complete a month that is too short on its last day or on the first of
/// the next, as the rule says. Negative for children not yet born.
#[must_use]
pub fn completed_months(rule: &AgeRule, birth: Date, month: Month, spell_from: Date) -> i32 {
    let at = match &rule.at {
        AgeAt::MonthStart => month.first(),
        AgeAt::MonthEnd => month.last(),
        AgeAt::SpellStart => spell_from,
        AgeAt::SeptemberFirst => {
            let year = if month.number() >= 9 { month.year() } else { month.year() - 1 };
            Date::from_ymd(year, 9, 1).unwrap_or_else(|| month.first())
        }
        AgeAt::TermStart(terms) => terms.of(month.last()).unwrap_or_else(|| month.first()),
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

/// Ages taken at the first day of the spell: a birthday inside the month may split it.
pub(crate) fn at_spell_start(ground: &Ground<'_>) -> Vec<Arc<AgeRule>> {
    ground.law.segments.first().map_or_else(Vec::new, |law| {
        law.ages.iter().filter(|rule| rule.at == AgeAt::SpellStart).cloned().collect()
    })
}

/// Ages in force, by segment, on spell rows.
pub(crate) fn put(ground: &Ground<'_>, frame: &mut Frame) {
    for (id, ages) in of_rules(ground, frame) {
        frame.put(&id, Stored::plain(Column::whole(ages)));
    }
}

/// Ages by the id of their rule, one a spell.
fn of_rules(ground: &Ground<'_>, frame: &Frame) -> Vec<(Arc<str>, Vec<i64>)> {
    let month = ground.month;
    let column = |name: &str| frame.get(name).map(|stored| &stored.column);
    let (Some(Column::Date(births)), Some(Column::Date(from))) =
        (column("birth_date"), column("spell_from"))
    else {
        return Vec::new();
    };
    let segments = match column("segment") {
        Some(Column::Num(column)) => Some(&column.values),
        _ => None,
    };
    let of_births = births.par_iter().with_min_len(16_384);
    let (Some(first), Some(last)) = (of_births.clone().min(), of_births.max()) else {
        return Vec::new();
    };
    let (first, last) = (first.days(), last.days());
    let mut ages = Vec::new();
    let ids: std::collections::BTreeSet<Arc<str>> = ground
        .law
        .segments
        .iter()
        .flat_map(|law| law.ages.iter().map(|rule| Arc::clone(&rule.head.id)))
        .collect();
    for id in ids {
        let rules: Vec<Option<&Arc<AgeRule>>> = ground
            .law
            .segments
            .iter()
            .map(|law| law.ages.iter().find(|rule| rule.head.id == id))
            .collect();
        let by_day: Vec<Option<Vec<i64>>> = rules
            .iter()
            .map(|rule| rule.map(|rule| ages_by_day(rule, (first, last), month)))
            .collect();
        let age = |row: usize| -> i64 {
            let segment = segments.map_or(0, |s| usize::try_from(s[row]).unwrap_or(0));
            let of =
                |segment: usize| Some((*rules.get(segment)?.as_ref()?, by_day[segment].as_ref()?));
            let Some((rule, table)) = of(segment).or_else(|| (0..rules.len()).find_map(of)) else {
                return 0;
            };
            let day = usize::try_from(births[row].days() - first).unwrap_or(usize::MAX);
            table
                .get(day)
                .copied()
                .unwrap_or_else(|| i64::from(completed_months(rule, births[row], month, from[row])))
        };
        let values = (0..births.len()).into_par_iter().with_min_len(8192).map(age).collect();
        ages.push((id, values));
    }
    ages
}

/// Ages of children born on each day from the first birth on, where they do not depend on the
/// spell; empty for a rule that does, or births too far apart to be worth it.
fn ages_by_day(rule: &AgeRule, (first, last): (i32, i32), month: Month) -> Vec<i64> {
    const DAYS_MAX: i32 = 40_000;
    if rule.at == AgeAt::SpellStart || last - first > DAYS_MAX {
        return Vec::new();
    }
    (first..=last)
        .map(|day| {
            let birth = Date::from_days(day);
            i64::from(completed_months(rule, birth, month, month.first()))
        })
        .collect()
}
