//! Expressions drawn on a basis: of the right unit, never null.

use std::collections::BTreeSet;

use super::draw::{Kind, Named, Uses, coarser, finer};
use crate::dice::Dice;

/// What expressions are made of at this place of the law.
pub(super) struct Terms<'a> {
    pub(super) dice: &'a mut Dice,
    pub(super) names: &'a [Named],
    pub(super) uses: &'a mut Uses,
    pub(super) groupings: &'a [&'static str],
    /// What stands in some expression: what does not is taken first.
    pub(super) read: &'a mut BTreeSet<String>,
}

/// What the facts and the fixed law give on a basis.
fn facts(basis: &str, kind: Kind) -> &'static [&'static str] {
    match (basis, kind) {
        ("spell", Kind::Yuan) => &[
            "coalesce(fee_monthly, 0)",
            "coalesce(fee_other, 0)",
            "p.child",
            "p.split",
            "d.listing",
            "t.class(age_class, service)",
            "coalesce(t.age(age, coalesce(birth_order, 0)), p.child)",
            "t.spell(service)",
            "CASE WHEN bands_found THEN bands.share ELSE 1 / 3 END * p.split",
            "p.child * spell_days / days_in_month",
        ],
        ("spell", Kind::Plain) => &[
            "spell_days / days_in_month",
            "pieces",
            "coalesce(birth_order, 1)",
            "age",
            "age.term",
            "listings_here",
            "coalesce(days_attended, 0) / days_in_month",
        ],
        ("spell", Kind::Bool) => &[
            "in_month",
            "service = '全日托'",
            "age < 24",
            "bands_found",
            "span_valid",
            "attendance_found",
        ],
        ("listing", Kind::Yuan) => {
            &["coalesce(fee_monthly, 0)", "p.split", "t.class(age_class, service)", "d.listing"]
        }
        ("listing", Kind::Plain) => &["listings_of_child", "age.term"],
        ("listing", Kind::Bool) => &["in_month", "age_class IN ('托小班', '托大班')"],
        ("child", Kind::Yuan) => {
            &["p.child", "CASE WHEN benefits_found THEN benefits.points ELSE 2 END * p.child"]
        }
        ("child", Kind::Plain) => {
            &["listings_here", "age.term", "CASE WHEN benefits_found THEN points ELSE 1 END"]
        }
        ("child", Kind::Bool) => &["benefits_found", "listings_of_child > 1"],
        ("slot", Kind::Yuan) => &["slots_filed * p.slot", "coalesce(slots_open, 0) * p.slot"],
        ("slot", Kind::Bool) => &["age_class = '托小班'", "slots_new > 0"],
        ("class", Kind::Yuan) => &["places * p.slot"],
        ("class", Kind::Bool) => &[
            "coalesce(baseline, FALSE)",
            "(opened_on IS NOT NULL AND opened_on > DATE '2026-01-01')",
        ],
        ("caregiver", Kind::Yuan) => &["coalesce(monthly_cost, 0)", "days_employed * p.each_day"],
        ("caregiver", Kind::Bool) => &["sanctioned"],
        ("institution", Kind::Yuan) => &[
            "t.grade(coalesce(grade, '一级'))",
            "CASE WHEN ratings_found THEN stars ELSE 1 END * p.yuan",
        ],
        ("institution", Kind::Plain) => &["listed_times"],
        ("institution", Kind::Bool) => {
            &["inclusive", "filed", "ratings_found", "(kind IS NULL OR kind <> '幼儿园托班')"]
        }
        ("programme", Kind::Plain) => &["month_number", "days_in_month / p.days"],
        ("day", Kind::Yuan) => &[
            "coalesce(hours_attended, 0) * p.hour",
            "least(coalesce(hours_booked, 0), d.day) * p.hour",
            "p.each_day",
            "p.each_day",
        ],
        ("day", Kind::Hour) => {
            &["coalesce(hours_attended, 0)", "coalesce(hours_booked, 0)", "d.day"]
        }
        ("day", Kind::Plain) => &["sessions_count", "weekday(date)"],
        ("day", Kind::Bool) => &[
            "closures_found",
            "any(coalesce(sessions.mark, '') = '病假')",
            "coalesce(hours_attended, 0) > 0",
            "date > DATE '2026-09-10'",
        ],
        ("week", Kind::Yuan) => &["days_in_week * p.each_day"],
        ("week", Kind::Hour) => &[
            "sum(coalesce(day.hours_attended, 0))",
            "CASE WHEN term_weeks_found THEN hours_most ELSE p.hours END",
        ],
        ("week", Kind::Plain) => &["day(week_start)", "days_in_week / p.days"],
        ("week", Kind::Bool) => &["term_weeks_found", "week_start >= DATE '2026-09-07'"],
        ("sessions", Kind::Yuan) => &["coalesce(hours_booked, 0) * coalesce(fee_hourly, 0)"],
        ("sessions", Kind::Hour) => &["coalesce(hours_booked, 0)", "coalesce(hours_attended, 0)"],
        ("sessions", Kind::Bool) => &[
            "coalesce(mark, '') <> '病假'",
            "coalesce(hours_attended, 0) > 0",
            "date >= month_start",
        ],
        ("visits", Kind::Yuan) => &["most", "hours * p.hour", "most / divisor"],
        ("visits", Kind::Hour) => &["hours"],
        ("visits", Kind::Plain) => &["coalesce(seq, 0)"],
        ("visits", Kind::Bool) => &["absent", "(seen_on IS NOT NULL AND seen_on >= month_start)"],
        ("claims", Kind::Yuan) => &["asked"],
        ("weekdays", Kind::Plain) => &["of_week"],
        _ => &[],
    }
}

/// What every basis can read.
const fn everywhere(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Yuan => &["p.yuan"],
        Kind::Plain => &["p.share", "2", "workdays_month / days_in_month"],
        Kind::Hour => &["p.hours"],
        Kind::Bool => &["days_in_month > p.days", "month_number = 9"],
    }
}

impl Terms<'_> {
    /// One expression of a name or two.
    fn atom(&mut self, basis: &str, kind: Kind) -> String {
        let readable = |of: &&Named| {
            of.kind == kind && (of.basis == basis || coarser(basis).contains(&of.basis))
        };
        let named = self.names.iter().filter(readable).map(|of| of.text.as_str());
        let own = facts(basis, kind).iter().chain(everywhere(kind)).copied();
        let all: Vec<&str> = named.chain(own).collect();
        let unread: Vec<&str> = all.iter().copied().filter(|of| !self.read.contains(*of)).collect();
        let from = if unread.is_empty() || self.dice.once_in(3) { all } else { unread };
        let atom = self.dice.pick(&from).to_owned();
        self.read.insert(atom.clone());
        atom
    }

    /// An expression of so many levels.
    pub(super) fn term(&mut self, basis: &str, kind: Kind, depth: usize) -> String {
        if depth == 0 {
            return self.atom(basis, kind);
        }
        if kind == Kind::Bool {
            return self.condition(basis, depth - 1);
        }
        let a = self.term(basis, kind, depth - 1);
        let rest = depth - 1;
        match self.dice.below(12) {
            0 => format!("({a} + {})", self.term(basis, kind, rest)),
            1 => format!("({a} - {})", self.term(basis, kind, rest)),
            2 => format!("least({a}, {})", self.term(basis, kind, rest)),
            3 => format!("greatest({a}, {})", self.term(basis, kind, rest)),
            4 => {
                let by = self.atom(basis, Kind::Plain);
                format!("({a} * round({by}, '0.1', 'half_up'))")
            }
            5 | 6 => {
                let when = self.condition(basis, rest);
                format!("CASE WHEN {when} THEN {a} ELSE {} END", self.term(basis, kind, rest))
            }
            7 => format!("({a} / {})", self.dice.pick(&["3", "8", "0.3"])),
            8 => format!(
                "round({a}, '0.1', '{}')",
                self.dice.pick(&["half_up", "floor", "half_even"])
            ),
            9 => format!("abs({a})"),
            _ => a,
        }
    }

    fn condition(&mut self, basis: &str, depth: usize) -> String {
        match self.dice.below(7) {
            0 => {
                let kind = self.dice.pick(&[Kind::Yuan, Kind::Hour, Kind::Plain]);
                let sign = self.dice.pick(&["<", "<=", ">", ">=", "="]);
                format!("{} {sign} {}", self.term(basis, kind, depth), self.atom(basis, kind))
            }
            1 if depth > 0 => {
                format!("({} AND {})", self.condition(basis, 0), self.condition(basis, 0))
            }
            2 => format!("NOT ({})", self.atom(basis, Kind::Bool)),
            3 => format!("({} OR {})", self.atom(basis, Kind::Bool), self.atom(basis, Kind::Bool)),
            _ => self.atom(basis, Kind::Bool),
        }
    }

    /// A number of one denominator, as sums ask for.
    pub(super) fn whole(&mut self, basis: &str, kind: Kind) -> String {
        format!("round({}, '0.01', 'half_up')", self.term(basis, kind, 1))
    }

    /// An aggregate over a finer basis.
    pub(super) fn fold(&mut self, basis: &str, kind: Kind) -> String {
        let over = self.dice.pick(&finer(basis, self.groupings));
        let named: Vec<String> = (self.names.iter())
            .filter(|of| of.basis == over && of.kind == kind && !of.text.contains('('))
            .map(|of| format!("{over}.{}", of.text))
            .collect();
        let unit = Self::of_unit(kind);
        if kind == Kind::Bool {
            self.count("any");
            if named.is_empty() {
                return format!("count({over}) > 0");
            }
            return format!("{}({})", self.dice.pick(&["any", "all"]), self.dice.pick(&named));
        }
        let filter: Vec<String> = (self.names.iter())
            .filter(|of| of.basis == over && of.kind == Kind::Bool && !of.text.contains('('))
            .map(|of| format!("{over}.{}", of.text))
            .collect();
        if named.is_empty() {
            self.count("count");
            return format!("CASE WHEN count({over}) > 0 THEN {unit} ELSE 2 * {unit} END");
        }
        let of = self.dice.pick(&named);
        self.read.insert(of[over.len() + 1..].to_owned());
        let function =
            self.dice.pick(&["sum", "sum", "max", "min", "first", "last", "count_distinct"]);
        self.count(function);
        let filter = if !filter.is_empty() && self.dice.once_in(2) {
            self.count("filter");
            format!(" FILTER (WHERE {})", self.dice.pick(&filter))
        } else {
            String::new()
        };
        match function {
            "sum" => format!("sum(round({of}, '0.01', 'half_up')){filter}"),
            "count_distinct" => {
                format!(
                    "CASE WHEN count_distinct({of}){filter} > 0 THEN {unit} ELSE 3 * {unit} END"
                )
            }
            _ => format!("coalesce({function}({of}){filter}, 0)"),
        }
    }

    const fn of_unit(kind: Kind) -> &'static str {
        match kind {
            Kind::Yuan => "p.yuan",
            Kind::Plain | Kind::Bool => "p.share",
            Kind::Hour => "p.hours",
        }
    }

    fn count(&mut self, function: &str) {
        *self.uses.entry(format!("aggregate {function}")).or_default() += 1;
    }
}
