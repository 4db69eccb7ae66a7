//! Operators on one row's values, as macros of the prelude.

use super::super::tree::{Comparison, Op};
use super::{Held, Writer, number, text};

impl Writer<'_> {
    pub(super) fn operator(&mut self, op: &Op, numeric: bool, args: &[Held]) -> Held {
        match op {
            Op::Add | Op::Sub => {
                let sides = self.call("tu_align", &[&args[0], &args[1]]);
                let rule = if *op == Op::Add { "tu_sum" } else { "tu_difference" };
                let raw = self.call(rule, &[&sides]);
                self.call("tu_lowest", &[&raw])
            }
            Op::Mul => {
                let raw = self.call("tu_product", &[&args[0], &args[1]]);
                self.call("tu_fits", &[&raw])
            }
            Op::Div => {
                let raw = self.call("tu_quotient", &[&args[0], &args[1]]);
                self.call("tu_fits", &[&raw])
            }
            Op::Mod => {
                let sides = self.call("tu_align", &[&args[0], &args[1]]);
                let raw = self.call("tu_modulo", &[&args[0], &args[1], &sides]);
                self.call("tu_lowest", &[&raw])
            }
            Op::Least | Op::Greatest => self.extreme(*op == Op::Least, numeric, args),
            Op::Round(to) => {
                let inverse = Held { text: number(to.den, to.num), level: 0 };
                let raw = self.call("tu_product", &[&args[0], &inverse]);
                let ratio = self.call("tu_fits", &[&raw]);
                let parts = self.call("tu_floor", &[&ratio]);
                let mode = text(to.mode.word());
                let count = self.put(&[&parts], &format!("tu_count({}, {mode})", parts.text));
                let rounded = format!(
                    "tu_multiple({}, '{}'::HUGEINT, '{}'::HUGEINT)",
                    count.text, to.num, to.den
                );
                let raw = self.put(&[&count], &rounded);
                let fits = self.call("tu_fits", &[&raw]);
                // Null passes through a rounding.
                let expression = format!(
                    "CASE WHEN ({0}).e = 0 AND ({0}).n IS NULL THEN {0} ELSE {1} END",
                    args[0].text, fits.text
                );
                self.put(&[&args[0], &fits], &expression)
            }
            Op::Compare(how) => self.comparison(*how, numeric, args),
            Op::StartsWith(start) => {
                let expression = format!(
                    "tu_value(starts_with(({0}).v, {1}), ({0}).e)",
                    args[0].text,
                    text(start)
                );
                self.put(&[&args[0]], &expression)
            }
            Op::Workdays => {
                let calendar = super::name(self.calendar);
                let (from, until) = (&args[0], &args[1]);
                let read = |column: &str, day: &str| {
                    format!("(SELECT c.{column} FROM {calendar} c WHERE c.day = {day})")
                };
                let before = format!("(({}).v - 1)", from.text);
                let last = format!("({}).v", until.text);
                let counts = format!(
                    "{{'w': {} - {}, 'u': {} - {}}}",
                    read("work", &last),
                    read("work", &before),
                    read("unpublished", &last),
                    read("unpublished", &before)
                );
                let counts = self.put(&[from, until], &counts);
                self.call("tu_workdays", &[from, until, &counts])
            }
            Op::TermOf(terms) => {
                // Latest first; a date before all of them lies in the last term of the year before.
                let tests = term_tests(terms.days().iter().rev(), "<=", &args[0].text);
                let (month, day) = terms.days().last().copied().unwrap_or_default();
                self.term(&tests, "- 1", (month, day), &args[0])
            }
            Op::TermAfter(terms) => {
                let tests = term_tests(terms.days().iter(), ">", &args[0].text);
                let (month, day) = terms.days().first().copied().unwrap_or_default();
                self.term(&tests, "+ 1", (month, day), &args[0])
            }
            other => {
                let function = match other {
                    Op::Neg => "tu_neg",
                    Op::Abs => "tu_abs",
                    Op::Not => "tu_not",
                    Op::Length => "tu_length",
                    Op::MonthsBetween => "tu_months_between",
                    Op::MonthIndex => "tu_month_index",
                    Op::DaysIn => "tu_days_in",
                    Op::DaysBetween => "tu_days_between",
                    Op::OverlapDays => "tu_overlap_days",
                    Op::AddMonths => "tu_add_months",
                    Op::AddDays => "tu_add_days",
                    Op::WeekStart => "tu_week_start",
                    Op::Weekday => "tu_weekday",
                    Op::Year => "tu_year",
                    Op::Month => "tu_month",
                    Op::Day => "tu_day",
                    // Everything that is left makes a date out of three numbers.
                    _ => "tu_date_of",
                };
                let args: Vec<&Held> = args.iter().collect();
                self.call(function, &args)
            }
        }
    }

    /// The day of the year that the tests choose, else the named one of the year beside.
    fn term(&mut self, tests: &str, beside: &str, day: (u32, u32), date: &Held) -> Held {
        let expression = format!(
            "tu_in_years(CASE{tests} ELSE make_date((year(({0}).v) {beside})::INTEGER, {1}, {2}) \
             END, ({0}).e)",
            date.text, day.0, day.1
        );
        self.put(&[date], &expression)
    }

    fn extreme(&mut self, least: bool, numeric: bool, args: &[Held]) -> Held {
        let mut best = args[0].clone();
        for arg in &args[1..] {
            best = if numeric {
                let sides = self.call("tu_align", &[&best, arg]);
                let rule = if least { "tu_least" } else { "tu_greatest" };
                self.call(rule, &[&best, arg, &sides])
            } else {
                let rule = if least { "tu_earlier" } else { "tu_later" };
                self.call(rule, &[&best, arg])
            };
        }
        best
    }

    fn comparison(&mut self, how: Comparison, numeric: bool, args: &[Held]) -> Held {
        let sign = match how {
            Comparison::Equal => "=",
            Comparison::Unequal => "<>",
            Comparison::Below => "<",
            Comparison::AtMost => "<=",
        };
        let (a, b) = (&args[0], &args[1]);
        if numeric {
            let sides = self.call("tu_align", &[a, b]);
            let expression = format!("tu_value(({0}).l {sign} ({0}).r, ({0}).e)", sides.text);
            return self.put(&[&sides], &expression);
        }
        let expression =
            format!("tu_value(({0}).v {sign} ({1}).v, tu_worse(({0}).e, ({1}).e))", a.text, b.text);
        self.put(&[a, b], &expression)
    }
}

/// A WHEN for each day of a year that stands so to the date.
fn term_tests<'a>(days: impl Iterator<Item = &'a (u32, u32)>, sign: &str, date: &str) -> String {
    let made = |(month, day): &(u32, u32)| {
        let made = format!("make_date(year(({date}).v)::INTEGER, {month}, {day})");
        format!(" WHEN {made} {sign} ({date}).v THEN {made}")
    };
    days.map(made).collect()
}
