//! What earlier runs paid: facts of the past, as they were released.
//!
//! `released/N/` holds the lines of the N-th released run as its archive has them, byte for byte, so
//! that their hashes stand in its manifest; `released/posted.parquet` the lines of their schedules as
//! the ledger has them. The script reads them into "released" and "posted" and adds what it computes
//! itself as it goes from month to month.

use super::columns::Columns;
use super::script::{Script, name, table, text};
use super::{AuditError, put};
use crate::allocation::PostedLine;
use crate::domain::{Basis, Month};
use crate::history::row_keys;
use crate::law::Window;
use crate::publish::parquet;
use crate::publish::sheet::{Sheet, Values, pseudonym_text};
use crate::publish::{CORRECTIONS, LINES, persons_of};
use crate::settle::Settled;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

/// What names a line, by the columns of the tables of the past.
pub(super) const IDENTITY: &str = "institution_id, item, basis, child_ref, row_key, age_class, \
    service, span_from, span_until, payee";

/// Columns that name the rows of a basis, where it has them.
pub(super) const NAMING: [&str; 8] = [
    "age_class",
    "service",
    "spell_from",
    "spell_until",
    "listing_from",
    "listing_until",
    "date",
    "week_start",
];

/// Tables of the past. Texts that are not there are empty, so that they compare.
const TABLES: &str = "\
-- What released runs posted, by schedule line; this script adds the lines it computes.
CREATE OR REPLACE TABLE \"posted\" (period VARCHAR, source_month VARCHAR, institution_id VARCHAR, \
item VARCHAR, line_kind VARCHAR, source VARCHAR, payable_fen HUGEINT, budget_doc_no VARCHAR);
-- What each line of released runs was paid, and what later runs corrected it to; runs in order.
CREATE OR REPLACE TABLE \"released\" (run INTEGER, period VARCHAR, institution_id VARCHAR, \
item VARCHAR, basis VARCHAR, child_ref VARCHAR, row_key VARCHAR, age_class VARCHAR, \
service VARCHAR, span_from VARCHAR, span_until VARCHAR, payee VARCHAR, capped_fen HUGEINT, \
allocated_fen HUGEINT, cut_fen HUGEINT, instalments VARCHAR, used VARCHAR);
-- Each line as the last run left it.
CREATE OR REPLACE VIEW \"paid lines\" AS SELECT * EXCLUDE (last) FROM (SELECT *, max(run) OVER \
(PARTITION BY period, institution_id, item, basis, child_ref, row_key, age_class, service, \
span_from, span_until, payee) AS last FROM \"released\") WHERE run = last;
";

/// Writes the files of the past and the statements that read them.
pub(super) fn write(
    settled: &Settled,
    folder: &Path,
    script_text: &mut String,
) -> Result<(), AuditError> {
    script_text.push_str(TABLES);
    if !settled.posted.is_empty() {
        put(&folder.join("released/posted.parquet"), &posted(&settled.posted))?;
        script_text.push_str(
            "INSERT INTO \"posted\" SELECT period, source_month, institution_id, item, line_kind, \
             coalesce(source, ''), payable_fen, coalesce(budget_doc_no, '') \
             FROM read_parquet('released/posted.parquet');\n",
        );
    }
    let released = settled.audited.iter().flat_map(|of| &of.released).enumerate();
    for (at, run) in released {
        let number = at + 1;
        let _ = writeln!(script_text, "-- Run {number}: {}.", run.run_id);
        let texts = |columns: &str| -> String {
            let list = columns.split(", ").map(|of| format!("coalesce({of}::VARCHAR, '')"));
            list.collect::<Vec<_>>().join(", ")
        };
        let months: Vec<String> = run.months.iter().map(|m| text(&m.to_string())).collect();
        if let Some(bytes) = &run.lines {
            let file = format!("released/{number}/{LINES}");
            put(&folder.join(&file), bytes)?;
            // Runs of before the column was there closed no instalments.
            let _ = writeln!(
                script_text,
                "CREATE OR REPLACE TABLE \"one run\" (period VARCHAR, institution_id VARCHAR, \
                 item VARCHAR, basis VARCHAR, child_ref VARCHAR, row_key VARCHAR, age_class \
                 VARCHAR, service VARCHAR, span_from DATE, span_until DATE, capped_fen BIGINT, \
                 allocated_fen BIGINT, rule_version VARCHAR, source_file VARCHAR, source_record \
                 BIGINT, instalments VARCHAR, used VARCHAR, payee VARCHAR);\n\
                 INSERT INTO \"one run\" BY NAME SELECT * FROM read_parquet('{file}');\n\
                 INSERT INTO \"released\" SELECT {number}, period, {}, capped_fen, allocated_fen, \
                 capped_fen - allocated_fen, coalesce(instalments, ''), coalesce(used, '') FROM \
                 \"one run\" \
                 WHERE period IN ({});",
                texts(IDENTITY),
                months.join(", ")
            );
        }
        if let Some(bytes) = &run.corrections {
            let file = format!("released/{number}/{CORRECTIONS}");
            put(&folder.join(&file), bytes)?;
            let columns = columns_of(bytes);
            // Only a law that pays others than institutions has it.
            let identity = if columns.contains("'payee':") {
                texts(IDENTITY)
            } else {
                format!("{}, ''", texts(IDENTITY.trim_end_matches(", payee")))
            };
            // Runs of calc_version 3 had no such column.
            let cut = if columns.contains("'cut_fen':") {
                "cut_fen::HUGEINT"
            } else {
                "capped_fen::HUGEINT - correction_fen::HUGEINT"
            };
            let _ = writeln!(
                script_text,
                "INSERT INTO \"released\" SELECT {number}, source_period, {identity}, \
                 capped_fen::HUGEINT, correction_fen::HUGEINT, {cut}, '', \
                 coalesce(used, '') \
                 FROM read_csv('{file}', header = true, all_varchar = true, delim = ',', quote = \
                 '\"', escape = '\"', auto_detect = false, columns = {{{columns}}});"
            );
        }
    }
    Ok(())
}

/// The columns of a CSV file as `DuckDB` wants them told, all of them texts.
fn columns_of(bytes: &[u8]) -> String {
    let first = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let header = String::from_utf8_lossy(first);
    let header = header.trim_start_matches('\u{feff}').trim_end();
    let column = |word: &str| format!("'{}': 'VARCHAR'", word.trim_matches('"'));
    header.split(',').map(column).collect::<Vec<_>>().join(", ")
}

fn posted(lines: &[PostedLine]) -> Vec<u8> {
    let mut sheet = Sheet::new("posted", lines.len());
    let text =
        |of: &dyn Fn(&PostedLine) -> Arc<str>| Values::Shared(lines.iter().map(of).collect());
    sheet.put("period", "结算期", text(&|line| line.period.to_string().into()));
    sheet.put("source_month", "所属期", text(&|line| line.source_period.to_string().into()));
    sheet.put("institution_id", "统一社会信用代码", text(&|line| Arc::clone(&line.institution_id)));
    sheet.put("item", "补助项目", text(&|line| Arc::clone(&line.item)));
    sheet.put("line_kind", "明细类型", text(&|line| Arc::clone(&line.line_kind)));
    sheet.put("source", "资金来源", text(&|line| Arc::clone(&line.source)));
    let fen = lines.iter().map(|line| line.payable_fen).collect();
    sheet.put("payable_fen", "应拨金额", Values::Fen(fen));
    sheet.put("budget_doc_no", "指标文号", text(&|line| Arc::clone(&line.budget_doc_no)));
    // Writing to memory cannot fail.
    parquet::write(&sheet, Vec::new()).unwrap_or_default()
}

/// Bases whose rows must be found in other months.
pub(super) fn named(script: &Script<'_>) -> BTreeSet<Basis> {
    let mut bases = script.month.law.bases_of_history();
    let items = &script.month.entitlements.items;
    let kept = items.iter().filter(|lines| script.remembered.contains(&lines.item));
    bases.extend(kept.map(|lines| lines.basis.clone()));
    bases
}

/// Writes what names the rows of a month beside their facts, and the tables that hold it.
pub(super) fn names(script: &mut Script<'_>, folder: &Path) -> Result<(), AuditError> {
    for basis in named(script) {
        let Some(frame) = script.month.frames.get(&basis) else { continue };
        if !script.tables.contains(&basis) && !script.groupings.contains(&basis) {
            continue;
        }
        let persons = persons_of(frame, script.names);
        let keys = row_keys(frame);
        let mut columns = Columns::new("names", frame.rows);
        let rows: Vec<Option<i128>> = (0..frame.rows).map(|row| i128::try_from(row).ok()).collect();
        columns.whole("row", "BIGINT", &rows);
        let person = |row: usize| {
            let person = persons.as_ref().and_then(|all| all.get(row));
            person.map_or("", pseudonym_text)
        };
        columns.texts("child_ref", (0..frame.rows).map(|row| Some(person(row))));
        let key = |row: usize| keys.as_ref().map_or_else(String::new, |key| key(row));
        columns.texts("row_key", (0..frame.rows).map(|row| Some(key(row))));
        let file = format!("facts/{}/{basis}.names.parquet", script.month.month);
        let read = columns.write(folder, &file)?;
        if script.groupings.contains(&basis) {
            script.unnamed.insert(basis, read);
        } else {
            who_is_who(script, &basis, &read);
        }
    }
    Ok(())
}

/// The table of what names the rows of a basis, from the file with what is no fact.
pub(super) fn who_is_who(script: &mut Script<'_>, basis: &Basis, read: &str) {
    let own = script.fresh(&format!("who is who of {basis}"));
    let parent = script.parent(basis, &Basis::Institution, true);
    let known = |column: &str| {
        let key = (basis.clone(), column.to_owned());
        script.known.get(&key).filter(|held| held.fact).map_or_else(
            || "''".to_owned(),
            |held| format!("coalesce((b.{}).v::VARCHAR, '')", name(&held.text)),
        )
    };
    let day = |(column, after): (&str, i32)| {
        let key = (basis.clone(), column.to_owned());
        script.known.get(&key).filter(|held| held.fact).map_or_else(
            || "''".to_owned(),
            |held| {
                let own = name(&held.text);
                let day = if after == 0 { String::new() } else { format!(" + {after}") };
                format!("coalesce(((b.{own}).v{day})::VARCHAR, '')")
            },
        )
    };
    let [from, until] =
        basis.span_columns().map_or_else(|| ["", ""].map(|_| "''".to_owned()), |of| of.map(day));
    let id = name("institution.institution_id");
    let (age_class, service) = (known("age_class"), known("service"));
    script.note(&format!("What names the rows of {basis} in every month."));
    script.say(&format!(
        "CREATE OR REPLACE TABLE {own} AS SELECT b.\"row\", coalesce((i.{id}).v, '') AS \
             institution_id, n.child_ref, n.row_key, {age_class} AS age_class, {service} AS \
             service, {from} AS span_from, {until} AS span_until\n\
             FROM {} b JOIN {read} n ON n.\"row\" = b.\"row\"\n\
             LEFT JOIN {} i ON i.\"row\" = {parent};",
        table(basis),
        table(&Basis::Institution)
    ));
    script.who.insert(basis.clone(), own);
}

/// Keeps what is left of the lines before the budget is asked.
pub(super) fn before_the_budget(script: &mut Script<'_>) {
    if !script.remembered.is_empty() {
        script.note("What is left of each line before the budget is asked.");
        script.say(
            "CREATE OR REPLACE TABLE \"before the budget\" AS SELECT item, \"row\", fen FROM \
             \"lines\";",
        );
    }
}

/// Notes the lines of a settled month for those after it: `run` is the number of this run.
pub(super) fn remember(script: &mut Script<'_>, run: usize) {
    let items: Vec<_> = super::allocation::money_items(script)
        .into_iter()
        .filter(|item| script.remembered.contains(&item.rule.head.id))
        .collect();
    if items.is_empty() {
        return;
    }
    script.note("The lines of the month, for the months after it.");
    for item in items {
        let Some(who) = script.who.get(&item.rule.basis).cloned() else { continue };
        let month = text(&script.month.month.to_string());
        let id = text(&item.rule.head.id);
        let basis = text(item.rule.basis.name());
        let parts = match &item.rule.to_date {
            Some(_) => "coalesce(d.instalments, '')",
            None => "''",
        };
        let due = super::to_date::table(item.place);
        let joined = match &item.rule.to_date {
            Some(_) => format!("LEFT JOIN {due} d ON d.\"row\" = l.\"row\""),
            None => String::new(),
        };
        let (place, payee) = (item.place, super::payees::of_identity(&item.rule));
        let used = super::history::used_texts(
            &format!("SELECT \"row\", nth, cap, n, d FROM \"uses\" WHERE item = {place}"),
            "\"row\"",
        );
        script.say(&format!(
            "INSERT INTO \"released\" SELECT {run}, {month}, w.institution_id, {id}, {basis}, \
             w.child_ref, w.row_key, w.age_class, w.service, w.span_from, w.span_until, {payee}, c.fen, \
             l.fen, c.fen - l.fen, {parts}, coalesce(u.used, '')\n\
             FROM \"lines\" l JOIN \"before the budget\" c ON c.item = l.item AND c.\"row\" = \
             l.\"row\" JOIN {who} w ON w.\"row\" = l.\"row\" {joined}\n\
             LEFT JOIN ({used}) u ON u.\"row\" = l.\"row\"\n\
             WHERE l.item = {place} AND l.payee IS NOT NULL AND l.status IN ('paid', 'zero') \
             AND (c.fen <> 0 OR l.fen <> 0 OR {parts} <> '');"
        ));
    }
}

/// The condition on a column of months: earlier than a month, and in a window of it.
pub(super) fn earlier(column: &str, window: Window, month: Month) -> String {
    let first = match window {
        Window::Month => Some(month),
        Window::Quarter => Some(month.plus(-month.index().rem_euclid(3))),
        Window::Year => Some(month.plus(-month.index().rem_euclid(12))),
        Window::Life => None,
    };
    let before = format!("{column} < {}", text(&month.to_string()));
    match first {
        Some(first) => format!("{column} >= {} AND {before}", text(&first.to_string())),
        None => before,
    }
}
