//! Remarks on rows, counted: one finding a file, column and code, with its first place.

use super::plan::{ColumnPlan, Kind, Shown, TablePlan};
use super::value::Unread;
use crate::domain::{Finding, FindingCode, Place};
use std::collections::BTreeMap;

/// Column index of a remark on a whole record.
pub(super) const WHOLE_RECORD: usize = usize::MAX;

#[derive(Debug, Clone)]
struct Entry {
    count: u64,
    record: u32,
    values: Vec<(&'static str, String)>,
}

/// Counted remarks of one piece of a file.
#[derive(Debug, Default)]
pub(super) struct Tally {
    entries: BTreeMap<(FindingCode, usize), Entry>,
}

impl Tally {
    /// Counts a remark; the values are made for the first of its kind only.
    pub(super) fn note(
        &mut self,
        code: FindingCode,
        column: usize,
        record: u32,
        values: impl FnOnce() -> Vec<(&'static str, String)>,
    ) {
        self.entries
            .entry((code, column))
            .and_modify(|entry| entry.count += 1)
            .or_insert_with(|| Entry { count: 1, record, values: values() });
    }

    /// Adds the remarks of the next piece, whose records start `offset` later.
    pub(super) fn append(&mut self, next: Self, offset: u32) {
        for (key, entry) in next.entries {
            self.entries
                .entry(key)
                .and_modify(|own| own.count += entry.count)
                .or_insert_with(|| Entry { record: entry.record.saturating_add(offset), ..entry });
        }
    }

    /// The remarks as findings.
    pub(super) fn findings(self, plan: &TablePlan<'_>, file: &str) -> Vec<Finding> {
        let finding = |((code, column), entry): ((FindingCode, usize), Entry)| Finding {
            code,
            place: Place {
                table: plan.name.to_string(),
                file: file.to_owned(),
                record: u64::from(entry.record),
            },
            institution_id: String::new(),
            rule: plan.columns.get(column).map_or_else(String::new, |c| c.name.to_string()),
            count: entry.count,
            money: None,
            values: entry.values,
        };
        self.entries.into_iter().map(finding).collect()
    }
}

/// The finding code of a value that was not read.
pub(super) fn code_of(kind: &Kind, unread: Unread) -> FindingCode {
    match (unread, kind) {
        (Unread::TooFine, _) => FindingCode::AmountTooFine,
        (Unread::TooLarge, Kind::Money | Kind::Number(true)) => FindingCode::AmountTooLarge,
        (Unread::Shape | Unread::TooLarge, _) => FindingCode::ValueUnreadable,
        (Unread::ThroughFloat, _) => FindingCode::NumberThroughFloat,
        (Unread::NotListed, _) => FindingCode::ValueNotListed,
    }
}

/// What a column expects, for people.
pub(super) fn expected(kind: &Kind) -> String {
    match kind {
        Kind::Key | Kind::Text => "text".to_owned(),
        Kind::Listed(list) => list.texts().iter().map(|text| &**text).collect::<Vec<_>>().join("|"),
        Kind::Bool => "true|false|1|0|是|否|Y|N".to_owned(),
        Kind::Whole => "whole number below 10^12".to_owned(),
        Kind::Money => "amount with at most two decimals, below 10^10".to_owned(),
        Kind::Number(_) => "number with at most six decimals, below 10^12".to_owned(),
        Kind::Date => "YYYY-MM-DD".to_owned(),
        Kind::Month => "YYYY-MM".to_owned(),
    }
}

/// A value as far as a finding may show it: never a person's name or number.
pub(super) fn shown(column: &ColumnPlan, text: &str) -> (&'static str, String) {
    match column.shown {
        Shown::Length => ("length", text.chars().count().to_string()),
        Shown::Plain => ("found", text.chars().take(40).collect()),
        Shown::Shape => {
            let familiar = match &column.kind {
                Kind::Listed(list) => list.texts().concat(),
                Kind::Bool => "是否".to_owned(),
                Kind::Date | Kind::Month => "年月日".to_owned(),
                Kind::Money => "元￥¥，．".to_owned(),
                Kind::Key | Kind::Text | Kind::Whole | Kind::Number(_) => String::new(),
            };
            ("found", impersonal(text, &familiar))
        }
    }
}

/// `text` when it cannot be a person's name or number, else its shape (`9`, `A`, `字` a character).
///
/// Short ASCII texts without a long run of digits pass, and texts at least half of whose other
/// characters are `familiar` ones: `全天托` passes for a service, a name in its place does not.
pub(super) fn impersonal(text: &str, familiar: &str) -> String {
    let text: String = text.chars().take(20).collect();
    let length = text.chars().count();
    let digits = text.chars().filter(char::is_ascii_digit).count();
    let strange: Vec<char> = text.chars().filter(|c| !c.is_ascii()).collect();
    let known = strange.iter().filter(|c| familiar.contains(**c)).count();
    if length <= 12 && digits <= 8 && known * 2 >= strange.len() {
        return text;
    }
    let shape = |c: char| match c {
        '0'..='9' => '9',
        'a'..='z' | 'A'..='Z' => 'A',
        c if c.is_ascii() => c,
        _ => '字',
    };
    text.chars().map(shape).collect()
}
