//! `tuoyu audit diff`: every line that differs between two runs of one period, by cause; what they
//! read and know otherwise goes to the messages.

use super::args::Changes;
use super::args_audit::DiffCommand;
use super::console::{Console, Outcome, Trouble};
use super::exit::Exit;
use super::meant::LEDGER;
use super::spine;
use crate::archive::Archive;
use crate::audit::{
    After, DifferenceQuestion, DifferenceReport, DifferentLine, Parts, RerunError, difference as of,
};
use crate::domain::Fen;
use crate::domain::texts::{Catalogue, Language};
use crate::job::Job;
use crate::settle::CALC_VERSION;
use std::io;
use std::path::PathBuf;

/// Columns of the answer.
const COLUMNS: [&str; 15] = [
    "period",
    "institution_id",
    "item",
    "basis",
    "child_ref",
    "row_key",
    "age_class",
    "service",
    "span_from",
    "span_until",
    "before_fen",
    "after_fen",
    "engine_fen",
    "input_fen",
    "law_fen",
];

/// Compares, prints the lines as CSV (or everything as JSON), and sums up on the messages.
///
/// # Errors
/// When the console cannot be written.
pub(super) fn difference(command: &DiffCommand, console: &mut Console<'_>) -> Outcome {
    let texts = Catalogue::new(command.language.unwrap_or(Language::Chinese));
    match answer(command, texts.language(), console) {
        Ok(report) => {
            if command.json {
                writeln!(console.out, "{}", json(&report))?;
            } else {
                write_csv(&report, console.out)?;
                for line in summary(&report, &texts) {
                    writeln!(console.err, "{line}")?;
                }
            }
            Ok(if report.engine_broken() { Exit::Differs } else { Exit::Done })
        }
        Err(trouble) => console.tell(&trouble, &super::texts(command.language)),
    }
}

fn answer(
    command: &DiffCommand,
    language: Language,
    console: &Console<'_>,
) -> Result<DifferenceReport, Trouble> {
    let job: Option<Job> = if command.after.is_file() {
        let changes = Changes {
            period: command.period,
            known_on: command.known_on,
            ledger: command.ledger.clone().map(Some),
            archive: command.archive.clone().map(Some),
            threads: command.threads,
            language: command.language,
            ..Changes::default()
        };
        Some(spine::job(&command.after, &changes)?)
    } else {
        None
    };
    let of_job =
        |place: fn(&Job) -> &Option<PathBuf>| job.as_ref().and_then(|job| place(job).clone());
    let ledger = command.ledger.clone().or_else(|| of_job(|job| &job.ledger));
    let ledger = ledger.unwrap_or_else(|| PathBuf::from(LEDGER));
    let archive = command.archive.clone().or_else(|| of_job(|job| &job.archive));
    let archive = archive.unwrap_or_else(|| ledger.with_file_name("archive"));
    let archive = Archive::open(&archive).map_err(RerunError::Archive)?;
    let before = spine::archived(&archive, &command.before)?;
    let after = match &job {
        Some(_) => String::new(),
        None => spine::archived(&archive, &command.after)?,
    };
    let mut progress = console.progress(language);
    let asked = DifferenceQuestion {
        archive: &archive,
        ledger: &ledger,
        before: &before,
        after: job.as_ref().map_or(After::Run(&after), After::Job),
        threads: command.threads,
    };
    Ok(of(&asked, progress.as_mut())?)
}

/// The fields of a line, in the order of [`COLUMNS`].
fn fields(report: &DifferenceReport, line: &DifferentLine) -> [String; 15] {
    let text = |code: u32| report.texts.text(code).to_owned();
    let day =
        |day: Option<crate::domain::Date>| day.map_or_else(String::new, |day| day.to_string());
    let (key, parts) = (line.key, line.parts);
    let person = if key.person == [0; 16] {
        String::new()
    } else {
        String::from_utf8_lossy(&key.person).into_owned()
    };
    let [before, after, engine, input, law] = fen(parts).map(|fen| fen.to_string());
    [
        line.month.to_string(),
        text(key.paid_to()),
        text(key.item),
        text(key.basis),
        person,
        text(key.row_key),
        text(key.age_class),
        text(key.service),
        day(key.from),
        day(key.until),
        before,
        after,
        engine,
        input,
        law,
    ]
}

const fn fen(of: Parts) -> [i64; 5] {
    [of.before_fen, of.after_fen, of.engine_fen, of.input_fen, of.law_fen]
}

fn write_csv(report: &DifferenceReport, to: &mut dyn io::Write) -> io::Result<()> {
    let mut writer = csv::Writer::from_writer(to);
    writer.write_record(COLUMNS)?;
    for line in &report.lines {
        writer.write_record(fields(report, line))?;
    }
    writer.flush()
}

fn summary(report: &DifferenceReport, texts: &Catalogue) -> Vec<String> {
    let short = |run: &str| run.get(..8).unwrap_or(run).to_owned();
    let amounts = fen(report.totals).map(|fen| Fen(fen).to_string());
    let [from, to, engine, input, law] = &amounts;
    let total = report.totals.after_fen.saturating_sub(report.totals.before_fen);
    let mut lines = vec![
        texts.phrase(
            "cli.diff_runs",
            &[
                ("before", &short(&report.before)),
                ("after", &short(&report.after)),
                ("lines", &report.lines.len().to_string()),
                ("total", &Fen(total).to_string()),
            ],
        ),
        texts.phrase(
            "cli.diff_parts",
            &[("engine", engine), ("input", input), ("law", law), ("from", from), ("to", to)],
        ),
    ];
    for of in &report.tables {
        let (before, after) = (of.before.join(", "), of.after.join(", "));
        let mut values = vec![("table", of.table.as_str())];
        values.extend((!before.is_empty()).then_some(("before", before.as_str())));
        values.extend((!after.is_empty()).then_some(("after", after.as_str())));
        lines.push(texts.phrase("cli.diff_table", &values));
    }
    if report.earlier {
        lines.push(texts.label("cli.diff_earlier").to_owned());
    }
    for notice in &report.notices {
        lines.push(texts.phrase("cli.diff_notice", &[("notice", notice)]));
    }
    for (month, of) in &report.law {
        let month = month.to_string();
        let mut values = vec![("month", month.as_str()), ("block", of.block.as_str())];
        values.extend((!of.place.is_empty()).then_some(("place", of.place.as_str())));
        lines.push(texts.phrase("cli.diff_block", &values));
    }
    let [before, after] = &report.versions;
    if before != CALC_VERSION || after != CALC_VERSION {
        let values = [("before", &**before), ("after", &**after), ("ours", CALC_VERSION)];
        lines.push(texts.phrase("cli.diff_versions", &values));
    }
    if report.engine_broken() {
        lines.push(texts.label("cli.diff_broken").to_owned());
    }
    lines
}

fn json(report: &DifferenceReport) -> serde_json::Value {
    let lines: Vec<serde_json::Value> = report
        .lines
        .iter()
        .map(|line| {
            let texts = COLUMNS.iter().zip(fields(report, line)).take(10);
            let numbers = COLUMNS.iter().skip(10).zip(fen(line.parts));
            texts
                .map(|(name, text)| ((*name).to_owned(), serde_json::json!(text)))
                .chain(numbers.map(|(name, fen)| ((*name).to_owned(), serde_json::json!(fen))))
                .collect::<serde_json::Map<_, _>>()
                .into()
        })
        .collect();
    let tables: Vec<serde_json::Value> = report
        .tables
        .iter()
        .map(|of| serde_json::json!({"table": of.table, "before": of.before, "after": of.after}))
        .collect();
    let law: Vec<serde_json::Value> = report
        .law
        .iter()
        .map(|(month, of)| {
            serde_json::json!({
                "period": month.to_string(),
                "block": of.block,
                "place": of.place,
                "was": of.was,
                "is": of.is,
            })
        })
        .collect();
    let totals: serde_json::Map<String, serde_json::Value> = COLUMNS
        .iter()
        .skip(10)
        .zip(fen(report.totals))
        .map(|(name, fen)| ((*name).to_owned(), serde_json::json!(fen)))
        .collect();
    serde_json::json!({
        "before": report.before,
        "after": report.after,
        "calc_versions": report.versions,
        "totals": totals,
        "tables": tables,
        "earlier_runs_differ": report.earlier,
        "notices": report.notices,
        "law": law,
        "lines": lines,
    })
}
