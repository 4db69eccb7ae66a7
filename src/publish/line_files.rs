//! `lines.parquet` and `corrections.csv`: the lines that carry money by identity (S24), and what
//! became of those of closed months. Later periods compare with these files, so they are read here too.

use super::parquet::{Writer, encode};
use super::sheet::{NO_CODE, Sheet, Values};
use crate::domain::{CodeList, Date, Month};
use crate::history::{parts_of, parts_text};
use crate::retro::{BookLine, Cause, Change, Correction, LineBook, LineKey, NO_TEXT, Side};
use polars::prelude::{Column, ParquetReader, PolarsError, SerReader};
use rayon::prelude::*;
use rustc_hash::FxHashMap;
use std::io::{self, Cursor, Write};
use std::sync::Arc;

/// Name of the file of lines that carry money.
pub const LINES: &str = "lines.parquet";

/// Name of the file of changes to closed months.
pub const CORRECTIONS: &str = "corrections.csv";

/// Name of the file that tells what closed months were compared with.
pub const EXAMINED: &str = "examined.json";

/// Lines in a row group.
const GROUP: usize = 1 << 16;

/// Why a file of an earlier run cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{file}: {reason}")]
pub struct LineFileError {
    /// File name.
    pub file: &'static str,
    /// What is wrong.
    pub reason: String,
}

/// Writes the lines of all months of the period; gives rows and allocated fen.
///
/// # Errors
/// When the sink cannot be written or a sum does not fit 64 bits.
pub(super) fn write_lines<W: Write>(books: &[(Month, LineBook)], to: W) -> io::Result<(u64, i64)> {
    let others = books.iter().any(|(_, book)| book.lines.iter().any(|line| pays_other(&line.key)));
    let empty = lines_sheet("", &[], &CodeList::default(), others);
    let mut writer = Writer::new(to, &empty)?;
    let (mut rows, mut fen) = (0_u64, 0_i64);
    for (month, book) in books {
        let month = month.to_string();
        for wave in book.lines.chunks(GROUP * rayon::current_num_threads().max(1)) {
            let groups: Vec<_> = wave
                .par_chunks(GROUP)
                .map(|lines| encode(&lines_sheet(&month, lines, &book.texts, others)))
                .collect::<io::Result<_>>()?;
            groups.iter().try_for_each(|group| writer.append(group))?;
        }
        rows += book.lines.len() as u64;
        let sum = book.lines.iter().try_fold(fen, |sum, line| sum.checked_add(line.allocated_fen));
        fen = sum.ok_or_else(|| io::Error::other("overflow"))?;
    }
    writer.finish()?.flush()?;
    Ok((rows, fen))
}

/// The codes of a column in a list of the column's own texts.
fn coded(codes: impl Iterator<Item = u32>, texts: &CodeList) -> Values {
    let mut list = CodeList::default();
    let mut known: FxHashMap<u32, u32> = FxHashMap::default();
    let codes = codes
        .map(|code| match texts.text(code) {
            "" => NO_CODE,
            text => *known.entry(code).or_insert_with(|| list.intern(text)),
        })
        .collect();
    Values::Coded(codes, Arc::new(list))
}

fn put_keys(sheet: &mut Sheet, keys: &[LineKey], texts: &CodeList) {
    let text = |of: fn(&LineKey) -> u32| coded(keys.iter().map(of), texts);
    sheet.put("institution_id", "统一社会信用代码", text(|key| key.institution));
    sheet.put("item", "补助项目", text(|key| key.item));
    sheet.put("basis", "基础", text(|key| key.basis));
    let persons = keys.iter().map(|key| key.person).collect();
    sheet.put("child_ref", "人员代号", Values::Pseudonym(persons));
    sheet.put("row_key", "行键", text(|key| key.row_key));
    sheet.put("age_class", "班型", text(|key| key.age_class));
    sheet.put("service", "服务类型", text(|key| key.service));
    sheet.put("span_from", "起", Values::Date(keys.iter().map(|key| key.from).collect()));
    sheet.put("span_until", "止", Values::Date(keys.iter().map(|key| key.until).collect()));
}

/// Whether a line is paid to another than its institution.
const fn pays_other(key: &LineKey) -> bool {
    key.payee != NO_TEXT
}

fn lines_sheet(month: &str, lines: &[BookLine], texts: &CodeList, others: bool) -> Sheet {
    let mut sheet = Sheet::new("lines", lines.len());
    let period = Values::Coded(vec![0; lines.len()], Arc::new(CodeList::new([month])));
    sheet.put("period", "所属期", period);
    let keys: Vec<LineKey> = lines.iter().map(|line| line.key).collect();
    put_keys(&mut sheet, &keys, texts);
    let fen = |of: fn(&BookLine) -> i64| Values::Fen(lines.iter().map(of).collect());
    sheet.put("capped_fen", "预算前金额", fen(|line| line.capped_fen));
    sheet.put("allocated_fen", "核定金额", fen(|line| line.allocated_fen));
    sheet.put("rule_version", "规则版本", coded(lines.iter().map(|line| line.rule), texts));
    sheet.put("source_file", "来源文件", coded(lines.iter().map(|line| line.file), texts));
    let records = lines.iter().map(|line| (line.record > 0).then_some(line.record.into()));
    sheet.put("source_record", "来源记录", Values::MaybeInt(records.collect()));
    sheet.put("instalments", "已结分期", instalments(lines));
    sheet.put("used", "限额占用", coded(lines.iter().map(|line| line.used), texts));
    if others {
        sheet.put("payee", "收款人", coded(lines.iter().map(|line| line.key.payee), texts));
    }
    sheet
}

/// The instalments each line closed; most lines close none.
fn instalments(lines: &[BookLine]) -> Values {
    let mut list = CodeList::default();
    let codes = lines.iter().map(|line| match line.parts {
        0 => NO_CODE,
        parts => list.intern(&parts_text(parts)),
    });
    let codes = codes.collect();
    Values::Coded(codes, Arc::new(list))
}

/// The text of `corrections.csv`.
#[must_use]
pub fn corrections_text(corrections: &[Correction]) -> Vec<u8> {
    let mut text = Vec::new();
    // Writing to memory cannot fail.
    let _ = super::delimited::write(&self::corrections(corrections), &mut text);
    text
}

/// The changes of closed months, one row an identity.
pub(super) fn corrections(corrections: &[Correction]) -> Sheet {
    let rows: Vec<(&Correction, &Change)> = corrections
        .iter()
        .flat_map(|of| of.changes.iter().map(move |change| (of, change)))
        .collect();
    let mut sheet = Sheet::new("corrections", rows.len());
    let text = |of: &dyn Fn(&Correction, &Change) -> String| {
        Values::Text(rows.iter().map(|(of_month, change)| of(of_month, change)).collect())
    };
    let coded =
        |of: fn(&Change) -> u32| text(&|month, change| month.texts.text(of(change)).to_owned());
    let date = |of: fn(&Change) -> Option<Date>| {
        Values::Date(rows.iter().map(|(_, change)| of(change)).collect())
    };
    let fen = |of: fn(&Change) -> i64| Values::Fen(rows.iter().map(|(_, c)| of(c)).collect());
    sheet.put("source_period", "所属期", text(&|month, _| month.month.to_string()));
    sheet.put("institution_id", "统一社会信用代码", coded(|c| c.key.institution));
    sheet.put("item", "补助项目", coded(|c| c.key.item));
    sheet.put("basis", "基础", coded(|c| c.key.basis));
    sheet.put(
        "child_ref",
        "人员代号",
        Values::Pseudonym(rows.iter().map(|(_, change)| change.key.person).collect()),
    );
    sheet.put("row_key", "行键", coded(|c| c.key.row_key));
    sheet.put("age_class", "班型", coded(|c| c.key.age_class));
    sheet.put("service", "服务类型", coded(|c| c.key.service));
    sheet.put("span_from", "起", date(|c| c.key.from));
    sheet.put("span_until", "止", date(|c| c.key.until));
    sheet.put("refund_fen", "退回原发", fen(|c| c.old_fen().saturating_neg()));
    sheet.put("correction_fen", "更正应发", fen(Change::new_fen));
    sheet.put("net_fen", "差额", fen(|c| c.new_fen().saturating_sub(c.old_fen())));
    sheet.put("capped_fen", "预算前金额", fen(|c| c.new.map_or(0, |side| side.capped_fen)));
    sheet.put("cut_fen", "原核减", fen(|c| c.cut_fen));
    sheet.put("cause", "原因", text(&|_, change| change.cause.word().to_owned()));
    sheet.put(
        "notices",
        "依据文件",
        text(&|month, change| match change.cause {
            Cause::Delivery | Cause::Earlier => String::new(),
            Cause::Law | Cause::Both => month.notices.join("; "),
        }),
    );
    sheet.put(
        "deliveries",
        "补报数据",
        text(&|month, change| match change.cause {
            Cause::Law | Cause::Earlier => String::new(),
            Cause::Delivery | Cause::Both => {
                let all: Vec<String> = month.deliveries.iter().map(ToString::to_string).collect();
                all.join("; ")
            }
        }),
    );
    let side = |change: &Change| change.new.or(change.old);
    sheet.put(
        "source_file",
        "来源文件",
        text(&|month, change| {
            side(change).map_or_else(String::new, |side| month.texts.text(side.file).to_owned())
        }),
    );
    let record =
        |change: &Change| side(change).map(|side| side.record).filter(|record| *record > 0);
    let records = rows.iter().map(|(_, change)| record(change).map(i64::from)).collect();
    sheet.put("source_record", "来源记录", Values::MaybeInt(records));
    let rule = |side: Option<Side>, month: &Correction| {
        side.map_or_else(String::new, |side| month.texts.text(side.rule).to_owned())
    };
    sheet.put(
        "used",
        "限额占用",
        text(&|month, change| {
            change.new.map_or_else(String::new, |side| month.texts.text(side.used).to_owned())
        }),
    );
    sheet.put("old_rule", "原规则版本", text(&|month, change| rule(change.old, month)));
    sheet.put("new_rule", "现规则版本", text(&|month, change| rule(change.new, month)));
    if rows.iter().any(|(_, change)| pays_other(&change.key)) {
        sheet.put("payee", "收款人", coded(|c| c.key.payee));
    }
    sheet
}

/// Reads the lines of one month back from `lines.parquet`.
///
/// # Errors
/// When the bytes are not such a file.
pub fn read_lines(bytes: &[u8], month: Month) -> Result<LineBook, LineFileError> {
    let wrong = |reason: String| LineFileError { file: LINES, reason };
    let polars = |error: PolarsError| wrong(error.to_string());
    let mut frame = ParquetReader::new(Cursor::new(bytes)).finish().map_err(polars)?;
    frame.rechunk_mut();
    let column = |name: &str| frame.column(name).map_err(polars);
    let mut book = LineBook::default();
    let period = month.to_string();
    let periods = Texts::of(column("period")?, &mut book.texts).map_err(polars)?;
    let wanted = book.texts.code(&period);
    let mut texts = |name: &str| {
        column(name).and_then(|column| Texts::of(column, &mut book.texts).map_err(polars))
    };
    let (institution, item, basis) = (texts("institution_id")?, texts("item")?, texts("basis")?);
    let (row_key, age_class, service) = (texts("row_key")?, texts("age_class")?, texts("service")?);
    let (rule, file) = (texts("rule_version")?, texts("source_file")?);
    let number = |name: &str| -> Result<Vec<Option<i64>>, LineFileError> {
        let column = column(name)?;
        let values = column.i64().map_err(polars)?;
        Ok(values.iter().collect())
    };
    let (capped, allocated) = (number("capped_fen")?, number("allocated_fen")?);
    let records = number("source_record")?;
    let dates = |name: &str| -> Result<Vec<Option<Date>>, LineFileError> {
        let days = column(name)?.date().map_err(polars)?.physical().clone();
        Ok(days.iter().map(|day| day.map(Date::from_days)).collect())
    };
    let (from, until) = (dates("span_from")?, dates("span_until")?);
    // Files of runs before these columns have no such lines.
    let has = |name: &str| frame.get_column_index(name).is_some();
    let used = if has("used") { Some(texts("used")?) } else { None };
    let instalments = if has("instalments") { Some(texts("instalments")?) } else { None };
    // Only a law that pays others than institutions has it.
    let payee = if has("payee") { Some(texts("payee")?) } else { None };
    let persons = column("child_ref")?.str().map_err(polars)?.clone();
    for (row, person) in persons.iter().enumerate() {
        if wanted != Some(periods.codes[row]) {
            continue;
        }
        book.lines.push(BookLine {
            key: LineKey {
                institution: institution.codes[row],
                payee: payee.as_ref().map_or(NO_TEXT, |list| list.codes[row]),
                item: item.codes[row],
                basis: basis.codes[row],
                person: person.map_or(Some([0; 16]), pseudonym).ok_or_else(|| {
                    wrong(format!("record {}: a child_ref is not a pseudonym", row + 1))
                })?,
                row_key: row_key.codes[row],
                age_class: age_class.codes[row],
                service: service.codes[row],
                from: from[row],
                until: until[row],
            },
            capped_fen: capped[row].unwrap_or(0),
            allocated_fen: allocated[row].unwrap_or(0),
            cut_fen: capped[row].unwrap_or(0).saturating_sub(allocated[row].unwrap_or(0)),
            rule: rule.codes[row],
            file: file.codes[row],
            record: records[row].and_then(|record| u32::try_from(record).ok()).unwrap_or(0),
            parts: instalments
                .as_ref()
                .map_or(Some(0), |list| parts_of(book.texts.text(list.codes[row])))
                .ok_or_else(|| wrong(format!("record {}: not instalments", row + 1)))?,
            used: used.as_ref().map_or(NO_TEXT, |list| list.codes[row]),
        });
    }
    Ok(book)
}

/// The bytes of a pseudonym.
pub(super) fn pseudonym(text: &str) -> Option<[u8; 16]> {
    match text {
        "" => Some([0; 16]),
        text => text.as_bytes().try_into().ok(),
    }
}

/// A column of texts by codes of a list.
struct Texts {
    codes: Vec<u32>,
}

impl Texts {
    fn of(column: &Column, list: &mut CodeList) -> Result<Self, PolarsError> {
        let series = column.as_materialized_series();
        let mut codes = Vec::with_capacity(series.len());
        let mut before: (Option<String>, u32) = (None, NO_TEXT);
        for value in series.str()?.iter() {
            let Some(text) = value else {
                codes.push(NO_TEXT);
                continue;
            };
            if before.0.as_deref() != Some(text) {
                before = (Some(text.to_owned()), list.intern(text));
            }
            codes.push(before.1);
        }
        Ok(Self { codes })
    }
}
