//! `indicators.csv` 指标监测: long form, one figure a row, as of the last service month.

use std::collections::BTreeMap;

use super::institution_files::percent;
use super::register::{Institution, NOBODY, Register};
use super::sheet::{Sheet, Values};
use super::tally::{Distinct, Heads, Tallies, whole};
use super::{MonthResult, Publication};
use crate::domain::{Basis, Cell, Column, Frame};

/// The kind whose share of nursery classes is a goal (30 % by 2025).
const KINDERGARTEN: &str = "幼儿园托班";
/// Provider kind whose open share is watched.
const EMPLOYER: &str = "用人单位托育";

/// One figure: a count, or a share of two counts.
struct Figure {
    indicator: &'static str,
    group: &'static str,
    key: String,
    count: i64,
    of: Option<i64>,
}

#[derive(Default)]
struct Figures(Vec<Figure>);

impl Figures {
    fn count(&mut self, indicator: &'static str, count: i64) {
        self.push(indicator, "all", "", count, None);
    }

    fn push(
        &mut self,
        indicator: &'static str,
        group: &'static str,
        key: &str,
        count: i64,
        of: Option<i64>,
    ) {
        self.0.push(Figure { indicator, group, key: key.to_owned(), count, of });
    }
}

/// Slots and heads of a group of institutions.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    institutions: i64,
    slots_filed: i64,
    slots_open: i64,
    slots_inclusive: i64,
    headcount: i64,
    /// Whether any institution of the group told its heads.
    told: bool,
}

impl Sums {
    fn add(&mut self, institution: &Institution, heads: Heads) {
        let filed = heads.slots_filed.unwrap_or(0);
        self.institutions += 1;
        self.slots_filed = self.slots_filed.saturating_add(filed);
        self.slots_open = self.slots_open.saturating_add(heads.slots_open.unwrap_or(0));
        if institution.inclusive == Some(true) {
            self.slots_inclusive = self.slots_inclusive.saturating_add(filed);
        }
        if let Some(listed) = heads.listed {
            self.headcount = self.headcount.saturating_add_unsigned(listed);
            self.told = true;
        }
    }
}

/// The sheet of all indicators.
pub(super) fn indicators(run: &Publication<'_>, register: &Register, tallies: &Tallies) -> Sheet {
    let mut figures = Figures::default();
    let heads = tallies.heads.last().map_or(&[][..], Vec::as_slice);
    let known = register.in_month(run.months.len().saturating_sub(1));
    let present: Vec<(usize, &Institution)> =
        known.iter().enumerate().filter_map(|(at, i)| Some((at, i.as_ref()?))).collect();
    let head = |at: usize| heads.get(at).copied().unwrap_or_default();
    let having = |test: fn(&Institution) -> bool| {
        i64::try_from(present.iter().filter(|(_, i)| test(i)).count()).unwrap_or(i64::MAX)
    };
    figures.count("institutions", having(|_| true));
    figures.count("institutions_filed", having(|i| i.filed == Some(true)));
    figures.count("institutions_inclusive", having(|i| i.inclusive == Some(true)));
    let sanctioned = having(|i| i.sanctioned == Some(true));
    figures.count("institutions_sanctioned", sanctioned);
    for (group, pick) in GROUPS {
        let mut sums: BTreeMap<&str, Sums> = BTreeMap::new();
        for (at, institution) in &present {
            sums.entry(pick(institution)).or_default().add(institution, head(*at));
        }
        for (key, sum) in sums {
            group_figures(&mut figures, group, key, sum);
        }
    }
    if let Some((number, month)) = run.months.iter().enumerate().next_back() {
        by_age_class(&mut figures, month);
        kindergartens(&mut figures, number, month, register, &present);
    }
    employers(&mut figures, &present, heads);
    figures.sheet(run)
}

type Group = (&'static str, fn(&Institution) -> &str);

const GROUPS: [Group; 3] =
    [("all", |_| ""), ("street", |institution| &institution.street), ("kind", |i| &i.kind)];

fn group_figures(figures: &mut Figures, group: &'static str, key: &str, sum: Sums) {
    if group != "all" {
        figures.push("institutions", group, key, sum.institutions, None);
    }
    figures.push("slots_filed", group, key, sum.slots_filed, None);
    figures.push("slots_open", group, key, sum.slots_open, None);
    figures.push("slots_inclusive", group, key, sum.slots_inclusive, None);
    let share = Some(sum.slots_filed);
    figures.push("inclusive_share", group, key, sum.slots_inclusive, share);
    // A missing count is not zero children.
    if sum.told {
        figures.push("headcount", group, key, sum.headcount, None);
        figures.push("occupancy", group, key, sum.headcount, share);
    }
}

/// Slots by age class from the slot rows, listed places of children from theirs.
fn by_age_class(figures: &mut Figures, month: &MonthResult<'_>) {
    let mut sums: BTreeMap<String, (i64, i64)> = BTreeMap::new();
    if let Some(frame) = month.frames.get(&Basis::Slot) {
        for row in 0..frame.rows {
            let slots = whole(frame, "slots_filed", row).unwrap_or(0);
            let sum = &mut sums.entry(text(frame, "age_class", row)).or_default().0;
            *sum = sum.saturating_add(slots);
        }
    }
    let children = [Basis::Spell, Basis::Listing];
    if let Some(frame) = children.iter().find_map(|basis| month.frames.get(basis)) {
        for (class, count) in heads_by_class(frame) {
            sums.entry(class).or_default().1 += count;
        }
    }
    for (class, (slots, heads)) in sums {
        figures.push("slots_filed", "age_class", &class, slots, None);
        figures.push("headcount", "age_class", &class, heads, None);
    }
}

/// Distinct children by age class: a child who moved up within the month counts in both classes.
fn heads_by_class(frame: &Frame) -> BTreeMap<String, i64> {
    let Some(Column::Code(classes)) = frame.get("age_class").map(|stored| &stored.column) else {
        return BTreeMap::new();
    };
    let present = match frame.get("in_month").map(|stored| &stored.column) {
        Some(Column::Bool(values)) => Some(values),
        _ => None,
    };
    let texts = classes.list.texts();
    let mut counts = Distinct::new(texts.len(), 1);
    counts.add(frame, |row| match present {
        Some(values) if !values[row] => NOBODY,
        _ => classes.codes[row],
    });
    let counts = counts.close().into_iter().map(|n| i64::try_from(n).unwrap_or(i64::MAX));
    let named = texts.iter().map(ToString::to_string).zip(counts);
    named.filter(|(_, count)| *count > 0).collect()
}

fn text(frame: &Frame, name: &str, row: usize) -> String {
    match frame.get(name).map(|stored| stored.cell(row)) {
        Some(Cell::Text(text)) => text,
        _ => String::new(),
    }
}

/// Share of the kindergartens in the register that have slots of a nursery class.
fn kindergartens(
    figures: &mut Figures,
    number: usize,
    month: &MonthResult<'_>,
    register: &Register,
    present: &[(usize, &Institution)],
) {
    let mut with_class = vec![false; register.len()];
    if let Some(frame) = month.frames.get(&Basis::Slot) {
        let owners = register.owners(number, frame);
        for row in 0..frame.rows {
            let owner = owners.of(row);
            if owner != NOBODY && whole(frame, "slots_filed", row).is_some_and(|slots| slots > 0) {
                with_class[owner as usize] = true;
            }
        }
    }
    let kindergartens = || present.iter().filter(|(_, i)| &*i.kind == KINDERGARTEN);
    let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    let with = kindergartens().filter(|(at, _)| with_class[*at]).count();
    let name = "kindergarten_share";
    figures.push(name, "all", "", count(with), Some(count(kindergartens().count())));
}

/// Share of employers' slots that are open to the public.
fn employers(figures: &mut Figures, present: &[(usize, &Institution)], heads: &[Heads]) {
    let mut sum = Sums::default();
    for (at, institution) in present.iter().filter(|(_, i)| &*i.kind == EMPLOYER) {
        sum.add(institution, heads.get(*at).copied().unwrap_or_default());
    }
    let name = "employer_open_share";
    figures.push(name, "all", "", sum.slots_open, Some(sum.slots_filed));
}

impl Figures {
    fn sheet(self, run: &Publication<'_>) -> Sheet {
        let figures = self.0;
        let mut sheet = Sheet::new("indicators", figures.len());
        let texts =
            |pick: &dyn Fn(&Figure) -> String| Values::Text(figures.iter().map(pick).collect());
        let month = run.months.last().map_or_else(String::new, |m| m.month.to_string());
        sheet.put("period", "所属期", texts(&|_| month.clone()));
        sheet.put("indicator", "指标", texts(&|f| f.indicator.to_owned()));
        sheet.put(
            "label",
            "指标名称",
            texts(&|f| run.texts.label(&format!("indicator.{}", f.indicator)).to_owned()),
        );
        sheet.put("group", "分组", texts(&|f| f.group.to_owned()));
        sheet.put("key", "组别", texts(&|f| f.key.clone()));
        let counts = figures.iter().map(|f| f.count).collect();
        sheet.put("count", "数量", Values::Int(counts));
        let bases = figures.iter().map(|f| f.of).collect();
        sheet.put("of", "基数", Values::MaybeInt(bases));
        let share = |f: &Figure| f.of.map_or_else(String::new, |of| percent(f.count, of));
        sheet.put("percent", "占比%", texts(&share));
        sheet
    }
}
