//! The law in force: pack settings, the law of a month and its segments, the law to be read.

use super::money::{CapRule, ExclusionRule, OffsetRule, PayDateRule, ShortageRule, SplitRule};
use super::rules::{AgeRule, Step, SubsidyRule};
use super::types::{DictionaryEntry, InputTable, Ty};
use crate::domain::{Basis, Calendar, Date, Month, Span};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// S18: what a start or end inside a month means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MidMonth {
    /// The month is split on the day.
    SplitDays,
    /// In force for the whole month when in force on any day of it.
    WholeIfStarted,
    /// As on the first of the month.
    ByMonthStart,
    /// A start or end counts from the month after.
    NextMonth,
}

/// Which days the weeks of a month are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weeks {
    /// The days of the month: a week is cut at its edges.
    Clipped,
    /// Those of the whole weeks whose Sunday lies in the month.
    ByEnd,
}

impl Weeks {
    /// The days that count in a month.
    #[must_use]
    pub fn days(self, month: Month) -> Span {
        let whole = month.span();
        if self == Self::Clipped {
            return whole;
        }
        Span { from: whole.from.monday(), until: whole.until.plus_days(1).monday().plus_days(-1) }
    }
}

/// Pack-wide settings.
#[derive(Debug, Clone)]
pub struct PackHead {
    /// Id.
    pub id: Arc<str>,
    /// Title.
    pub title: Arc<str>,
    /// Region.
    pub region: Arc<str>,
    /// Currency unit.
    pub currency: Arc<str>,
    /// 示例: invented.
    pub sample: bool,
    /// True: children carry resident identity numbers that are checked.
    pub resident_ids: bool,
    /// True: institutions carry USCCs that are checked.
    pub uscc: bool,
    /// Who wins when listings of one child overlap.
    pub overlaps: Overlaps,
    /// Months in a settlement period: 1, 3, 6 or 12.
    pub settlement_months: u32,
    /// Mid-month meaning of filing.
    pub filing: MidMonth,
    /// Mid-month meaning of inclusive status.
    pub inclusive: MidMonth,
    /// Mid-month meaning of the grade.
    pub grade: MidMonth,
    /// Mid-month meaning of sanctions.
    pub sanctions: MidMonth,
    /// Which days the weeks of a month are made of.
    pub weeks: Weeks,
}

/// S1: which of overlapping listings of one child wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overlaps {
    /// None until resolved.
    Refuse,
    /// The one delivered later; it cuts the earlier.
    LaterKnown,
    /// The first spell.
    FirstSpell,
    /// The one with most days.
    MostDays,
    /// Gates decide.
    Allow,
}

/// The law in force for one segment of the month.
#[derive(Debug, Clone)]
pub struct Law {
    /// Service month.
    pub month: Month,
    /// The days this law covers; the whole month unless a `split_days` block cuts it.
    pub segment: Span,
    /// Ages.
    pub ages: Vec<Arc<AgeRule>>,
    /// Steps in order.
    pub steps: Vec<Step>,
    /// Items in the order of packs, then of ids.
    pub items: Vec<Arc<SubsidyRule>>,
    /// Exclusions in pack order.
    pub exclusions: Vec<Arc<ExclusionRule>>,
    /// Caps by stage, then pack order.
    pub caps: Vec<Arc<CapRule>>,
    /// Budget steps.
    pub shortages: Vec<Arc<ShortageRule>>,
    /// Splits by id.
    pub splits: BTreeMap<Arc<str>, Arc<SplitRule>>,
    /// Pay date rule.
    pub pay_date: Option<Arc<PayDateRule>>,
    /// How much of a receivable is offset in one period; all of it without a rule.
    pub offset: Option<Arc<OffsetRule>>,
}

/// The law of a month: pack settings, one [`Law`] per segment (segments cover the month in order).
#[derive(Debug, Clone)]
pub struct LawOfMonth {
    /// Settings (of the last pack named by the job where they differ).
    pub head: PackHead,
    /// Settings of all packs in layer order, as their files state them.
    pub packs: Vec<PackHead>,
    /// Segments in order; the first is the law on the first of the month.
    pub segments: Vec<Law>,
    /// Declared inputs.
    pub inputs: Vec<InputTable>,
    /// Readable names: built-in, declared, ages.
    pub dictionary: Vec<DictionaryEntry>,
    /// The calendar.
    pub calendar: Arc<Calendar>,
    /// Names of input tables some rule reads (for the checklist of absent inputs).
    pub tables_read: Vec<Arc<str>>,
    /// (table, column) pairs of input columns some rule reads, sorted: rows of a register that
    /// differ in one of them contradict each other.
    pub columns_read: Vec<(Arc<str>, Arc<str>)>,
    /// Canonical text of every version in force, for the snapshot and its hash (S29).
    pub snapshot: String,
    /// The law in force to be read by people.
    pub shown: ShownLaw,
}

impl LawOfMonth {
    /// Type of a column of a basis, by the dictionary or the step that makes it; `None` where neither
    /// tells it.
    #[must_use]
    pub fn column_type(&self, basis: &Basis, column: &str) -> Option<Ty> {
        let entry = self.dictionary.iter().find(|of| of.basis == *basis && &*of.name == column);
        if let Some(entry) = entry {
            return Some(entry.ty.clone());
        }
        let steps = || self.segments.iter().flat_map(|law| &law.steps);
        steps().find_map(|step| match step {
            Step::Value(value) if value.basis == *basis && &*value.head.id == column => {
                Some(value.expr.ty().clone())
            }
            Step::Within(rule) if rule.basis == *basis && *rule.head.id == *column => {
                Some(rule.ty.clone())
            }
            Step::Price(price) => match price.part_of(basis, column)? {
                "over" | "under" => Some(Ty::Bool),
                _ => Some(price.fee.ty().clone()),
            },
            _ => None,
        })
    }

    /// Items due to date: their closed months are not compared, they correct themselves.
    #[must_use]
    pub fn items_to_date(&self) -> BTreeSet<Arc<str>> {
        self.segments
            .iter()
            .flat_map(|law| &law.items)
            .filter(|item| item.to_date.is_some())
            .map(|item| Arc::clone(&item.head.id))
            .collect()
    }

    /// Items whose lines of earlier months the law reads, by the lines of the books; empty where
    /// nothing runs over several months.
    #[must_use]
    pub fn items_of_history(&self) -> BTreeSet<Arc<str>> {
        let mut items = BTreeSet::new();
        for law in &self.segments {
            for item in &law.items {
                if let Some(to_date) = &item.to_date {
                    items.insert(Arc::clone(&item.head.id));
                    items.extend(to_date.less.iter().chain(&to_date.recovers).cloned());
                }
            }
            for cap in law.caps.iter().filter(|cap| cap.reads_lines()) {
                items.extend(cap.items.iter().cloned());
            }
            items.extend(counters(law).map(|(_, item)| Arc::clone(item)));
        }
        items
    }

    /// An item whose earlier lines some expression reads.
    #[must_use]
    pub fn item_counted(&self) -> Option<&Arc<str>> {
        self.segments.iter().flat_map(counters).map(|(_, item)| item).next()
    }

    /// Bases whose rows must be told apart by pseudonyms to find their earlier lines.
    #[must_use]
    pub fn bases_of_history(&self) -> BTreeSet<Basis> {
        let mut bases = BTreeSet::new();
        for law in &self.segments {
            bases.extend(counters(law).map(|(basis, _)| basis.clone()));
            let to_date = law.items.iter().filter(|item| item.to_date.is_some());
            bases.extend(to_date.map(|item| item.basis.clone()));
            for cap in law.caps.iter().filter(|cap| cap.reads_lines()) {
                let of = law.items.iter().filter(|item| cap.items.contains(&item.head.id));
                bases.extend(of.map(|item| cap.key.as_ref().unwrap_or(&item.basis).clone()));
            }
        }
        bases
    }
}

/// Expressions that read lines of earlier months: the basis they stand on and the item.
fn counters(law: &Law) -> impl Iterator<Item = (&Basis, &Arc<str>)> {
    law.steps.iter().filter_map(|step| match step {
        Step::Aggregate(rule) => Some((&rule.basis, rule.function.of_history()?.0)),
        _ => None,
    })
}

/// The law in force as text, for `policy show` and the forms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownLaw {
    /// Titles of the packs with their ids.
    pub titles: Vec<String>,
    /// Service month.
    pub month: Month,
    /// Day of knowledge.
    pub known_on: Date,
    /// Rules in the order of packs, kinds and ids.
    pub rules: Vec<ShownRule>,
}

/// One version in force as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownRule {
    /// Kind of block: `guide_price`.
    pub kind: String,
    /// Kind in Chinese: 政府指导价.
    pub kind_zh: String,
    /// Printed id.
    pub id: String,
    /// Chinese name, or empty.
    pub label: String,
    /// 文号 and 条款.
    pub clause: String,
    /// Title of the notice.
    pub notice: String,
    /// 文号 alone.
    pub number: String,
    /// The day the notice was published.
    pub published: Date,
    /// Version.
    pub version: String,
    /// First day in force.
    pub effective_from: Date,
    /// Last day in force, if ended.
    pub effective_until: Option<Date>,
    /// Since when anyone could have known.
    pub known_from: Date,
    /// S18 word.
    pub mid_month: String,
    /// Keys and values as written, in the order of the grammar.
    pub fields: Vec<(String, String)>,
}
