//! `tuoyu ledger journal | year`: the ledger as books.

use super::args_ledger::{LedgerCommand, LedgerQuestion};
use super::console::{Console, Outcome, Trouble};
use super::exit::Exit;
use crate::domain::Fen;
use crate::domain::texts::{Catalogue, Language};
use crate::ledger::{BooksError, JournalTotals, YearLine};
use crate::settle::acts;
use std::io::{self, Write};
use std::path::Path;

/// Writes the books that were asked for.
///
/// # Errors
/// When the console cannot be written.
pub(super) fn books(command: &LedgerCommand, console: &mut Console<'_>) -> Outcome {
    let told = |trouble: &Trouble, console: &mut Console<'_>| {
        console.tell(trouble, &super::texts(command.language))
    };
    let ledger = match acts::open(&command.ledger) {
        Ok(ledger) => ledger,
        Err(error) => return told(&Trouble::from(error), console),
    };
    let job = command.job.as_deref();
    let done = match &command.question {
        LedgerQuestion::Journal(None) => ledger.write_journal(job, console.out).map(|_| ()),
        LedgerQuestion::Journal(Some(file)) => match ledger.write_journal_file(job, file) {
            Ok(totals) => Ok(say(file, &totals, command.language, console)?),
            Err(BooksError::Write(error)) => {
                let message = format!("{}: cannot be written: {error}", file.display());
                return told(&Trouble::told(Exit::World, message), console);
            }
            Err(error) => Err(error),
        },
        LedgerQuestion::Year(year) => match ledger.year(job, *year) {
            Ok(lines) => Ok(table(&lines, console.out)?),
            Err(error) => Err(error),
        },
    };
    match done {
        Ok(()) => Ok(Exit::Done),
        Err(BooksError::Write(error)) => Err(error),
        Err(BooksError::Ledger(error)) => told(&Trouble::from_ledger(&error), console),
        Err(error) => told(&Trouble::of(Exit::World, &error), console),
    }
}

fn say(
    file: &Path,
    totals: &JournalTotals,
    language: Option<Language>,
    console: &mut Console<'_>,
) -> io::Result<()> {
    let texts = Catalogue::new(language.unwrap_or(Language::Chinese));
    let values = [
        ("file", file.display().to_string()),
        ("runs", totals.runs.to_string()),
        ("lines", totals.lines.to_string()),
        ("amount", Fen(totals.payable_fen).to_string()),
        ("payments", totals.payments.to_string()),
        ("held", Fen(totals.held_fen).to_string()),
    ];
    let values: Vec<(&str, &str)> = values.iter().map(|(name, value)| (*name, &**value)).collect();
    writeln!(console.out, "{}", texts.phrase("cli.journal_written", &values))
}

fn table(lines: &[YearLine], out: &mut dyn Write) -> io::Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(["item", "source", "budget_doc_no", "payable_fen"])?;
    for line in lines {
        let fen = line.payable_fen.to_string();
        writer.write_record([&line.item, &line.source, &line.budget_doc_no, &fen])?;
    }
    writer.flush()
}
