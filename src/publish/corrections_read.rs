//! `corrections.csv` read back: what a run made of the lines of closed months.

use super::line_files::{CORRECTIONS, LineFileError, pseudonym};
use crate::domain::{Date, Month};
use crate::retro::{BookLine, LineBook, LineKey, NO_TEXT, Person};
use rustc_hash::FxHashMap;

/// One row of `corrections.csv`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CorrectedLine {
    /// The closed service month.
    pub month: Month,
    /// Institution id.
    pub institution: String,
    /// The payee where it is another, or empty.
    pub payee: String,
    /// Item id.
    pub item: String,
    /// Basis.
    pub basis: String,
    /// Pseudonym.
    pub person: Person,
    /// The rest of the row's key.
    pub row_key: String,
    /// 班型.
    pub age_class: String,
    /// 服务类型.
    pub service: String,
    /// First day.
    pub from: Option<Date>,
    /// Last day.
    pub until: Option<Date>,
    /// What was paid before, negated.
    pub refund_fen: i64,
    /// What is due instead.
    pub correction_fen: i64,
    /// What is due before a budget shortage.
    pub capped_fen: i64,
    /// What a past shortage of the budget cut and still does.
    pub cut_fen: i64,
    /// Word of the cause.
    pub cause: String,
    /// Notices that became known.
    pub notices: String,
    /// Deliveries that came in.
    pub deliveries: String,
    /// Input file of the line as it is due.
    pub source_file: String,
    /// Record in it, 0 = none.
    pub source_record: u32,
    /// Version of the rule it was paid under.
    pub old_rule: String,
    /// Version of the rule it is due under.
    pub new_rule: String,
    /// What it used up of caps on quantities, as [`used_text`](crate::history::used_text) writes it.
    pub used: String,
}

impl CorrectedLine {
    /// The institution of the row; its payee where it has none.
    pub fn place(&self) -> &str {
        if self.institution.is_empty() { &self.payee } else { &self.institution }
    }

    /// Its identity by codes that `code` gives texts; an empty text has none.
    pub fn key(&self, mut code: impl FnMut(&str) -> u32) -> LineKey {
        let mut code = |text: &str| if text.is_empty() { NO_TEXT } else { code(text) };
        LineKey {
            institution: code(&self.institution),
            payee: code(&self.payee),
            item: code(&self.item),
            basis: code(&self.basis),
            person: self.person,
            row_key: code(&self.row_key),
            age_class: code(&self.age_class),
            service: code(&self.service),
            from: self.from,
            until: self.until,
        }
    }
}

/// Reads all rows of a file of corrections.
///
/// # Errors
/// When the bytes are not such a file.
pub fn read_corrections(bytes: &[u8]) -> Result<Vec<CorrectedLine>, LineFileError> {
    let wrong = |reason: String| LineFileError { file: CORRECTIONS, reason };
    let mut reader = csv::Reader::from_reader(bytes);
    let headers = reader.headers().map_err(|error| wrong(error.to_string()))?.clone();
    let place = |name: &str| {
        let at = headers.iter().position(|header| header.trim_start_matches('\u{feff}') == name);
        at.ok_or_else(|| wrong(format!("no column {name}")))
    };
    let columns = [
        "source_period",
        "institution_id",
        "item",
        "basis",
        "child_ref",
        "row_key",
        "age_class",
        "service",
        "span_from",
        "span_until",
        "refund_fen",
        "correction_fen",
        "capped_fen",
        "cause",
        "notices",
        "deliveries",
        "source_file",
        "source_record",
        "new_rule",
        "used",
        "old_rule",
    ];
    let places: Vec<usize> = columns.iter().map(|name| place(name)).collect::<Result<_, _>>()?;
    // Runs of calc_version 3 had no such column: what a line lost was what it was not given.
    let cut = place("cut_fen").ok();
    // Only a law that pays others than institutions has it.
    let payee = place("payee").ok();
    let mut rows = Vec::new();
    for (at, record) in reader.records().enumerate() {
        let record = record.map_err(|error| wrong(error.to_string()))?;
        let unreadable = || wrong(format!("record {}: it cannot be read", at + 1));
        let field = |column: usize| record.get(places[column]).unwrap_or_default();
        let text = |column: usize| field(column).to_owned();
        let date = |column: usize| match field(column) {
            "" => Ok(None),
            text => Date::parse_iso(text).map(Some).map_err(|_| unreadable()),
        };
        let fen = |column: usize| field(column).parse::<i64>().map_err(|_| unreadable());
        rows.push(CorrectedLine {
            month: Month::parse(field(0)).map_err(|_| unreadable())?,
            institution: text(1),
            payee: payee.and_then(|at| record.get(at)).unwrap_or_default().to_owned(),
            item: text(2),
            basis: text(3),
            person: pseudonym(field(4)).ok_or_else(unreadable)?,
            row_key: text(5),
            age_class: text(6),
            service: text(7),
            from: date(8)?,
            until: date(9)?,
            refund_fen: fen(10)?,
            correction_fen: fen(11)?,
            capped_fen: fen(12)?,
            cause: text(13),
            notices: text(14),
            deliveries: text(15),
            source_file: text(16),
            source_record: field(17).parse().unwrap_or(0),
            new_rule: text(18),
            used: text(19),
            cut_fen: match cut.map(|at| record.get(at).unwrap_or_default()) {
                Some(text) => text.parse().map_err(|_| unreadable())?,
                None => fen(12)?.saturating_sub(fen(11)?),
            },
            old_rule: text(20),
        });
    }
    Ok(rows)
}

/// Lays the corrections of a later run over the lines of a closed month: each identity named there
/// is what it was corrected to.
///
/// # Errors
/// When the bytes are not a file of corrections.
pub fn lay_over(book: &mut LineBook, bytes: &[u8], month: Month) -> Result<(), LineFileError> {
    let mut over: FxHashMap<LineKey, BookLine> = FxHashMap::default();
    for row in read_corrections(bytes)?.iter().filter(|row| row.month == month) {
        let mut code = |text: &str| match text {
            "" => NO_TEXT,
            text => book.texts.intern(text),
        };
        let key = row.key(&mut code);
        let line = BookLine {
            key,
            capped_fen: row.capped_fen,
            allocated_fen: row.correction_fen,
            cut_fen: row.cut_fen,
            rule: code(&row.new_rule),
            file: code(&row.source_file),
            record: row.source_record,
            parts: 0,
            used: code(&row.used),
        };
        over.insert(key, line);
    }
    book.lines.retain(|line| !over.contains_key(&line.key));
    let mut over: Vec<BookLine> =
        over.into_values().filter(|line| line.capped_fen != 0 || line.cut_fen != 0).collect();
    over.sort_by_key(|line| line.key);
    book.lines.append(&mut over);
    Ok(())
}
