//! `tuoyu policy doc|schema`: what a person needs who writes packs.

use super::args_authoring::{DocWords, SchemaOf};
use super::console::{Console, Outcome, Trouble};
use super::exit::Exit;
use crate::cases;
use crate::domain::texts::Catalogue;
use crate::job;
use crate::law::{self, LawBook};
use crate::publish;

/// Writes the law as a page; the same packs, days and language give the same bytes.
///
/// # Errors
/// When the console cannot be written.
pub(super) fn doc(
    book: &LawBook,
    words: &DocWords,
    console: &mut Console<'_>,
    texts: &Catalogue,
) -> Outcome {
    let on = words.on.unwrap_or_else(|| book.newest_day());
    let known_on = words.known_on.unwrap_or_else(|| book.newest_known());
    let page = publish::law_page(&book.paper(on, known_on), words.language);
    let Some(out) = &words.out else {
        write!(console.out, "{page}")?;
        return Ok(Exit::Done);
    };
    let folder = out.parent().map_or(Ok(()), std::fs::create_dir_all);
    if let Err(error) = folder.and_then(|()| std::fs::write(out, page)) {
        let message = format!("--out: {}: {error}", out.display());
        return console.tell(&Trouble::told(Exit::World, message), texts);
    }
    let (file, day, known_on) = (out.display().to_string(), on.to_string(), known_on.to_string());
    let values = [("file", &*file), ("day", &*day), ("known_on", &*known_on)];
    writeln!(console.out, "{}", texts.phrase("cli.policy_doc", &values))?;
    Ok(Exit::Done)
}

/// Prints the schema of a kind of file.
///
/// # Errors
/// When the console cannot be written.
pub(super) fn schema(of: SchemaOf, console: &mut Console<'_>) -> Outcome {
    let schema = match of {
        SchemaOf::Pack => law::pack_schema(),
        SchemaOf::Case => cases::case_schema(),
        SchemaOf::Job => job::job_schema(),
    };
    writeln!(console.out, "{schema:#}")?;
    Ok(Exit::Done)
}
