//! `tuoyu policy new`: a draft notice that makes the law what it is under an overlay.

use super::args::PolicyCommand;
use super::args_draft::DraftWords;
use super::console::{Console, Outcome, Trouble};
use super::exit::Exit;
use crate::domain::texts::Catalogue;
use crate::law::{self, Draft, DraftError, DraftHead};
use serde_json::json;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::path::Path;

/// What stands for a 文号 until there is one.
const NO_NUMBER: &str = "(文号待定)";

/// Writes the draft and says what is left to fill.
///
/// # Errors
/// When the console cannot be written.
pub(super) fn new(
    command: &PolicyCommand,
    words: &DraftWords,
    console: &mut Console<'_>,
    texts: &Catalogue,
) -> Outcome {
    let draft = match draft(command, words) {
        Ok(draft) => draft,
        Err(trouble) => return console.tell(&trouble, texts),
    };
    let file = words.to.display().to_string();
    if command.json {
        let said = json!({ "file": file, "pack": &*draft.pack, "versions": draft.versions });
        writeln!(console.out, "{said}")?;
    } else {
        let count = draft.versions.to_string();
        let values = [("file", file.as_str()), ("pack", &*draft.pack), ("count", &count)];
        writeln!(console.out, "{}", texts.phrase("cli.policy_new", &values))?;
    }
    Ok(Exit::Done)
}

fn draft(command: &PolicyCommand, words: &DraftWords) -> Result<Draft, Trouble> {
    // Asked first, so that nobody waits for a draft that cannot be written; asked again by the write.
    if words.to.exists() {
        return Err(taken(&words.to));
    }
    let overlays = law::read_overlays(&command.overlays)?;
    let names: Vec<&str> = overlays.iter().map(|overlay| overlay.name.as_str()).collect();
    let title = || format!("由 {} 拟定的调整方案(征求意见稿)", names.join("、"));
    let head = DraftHead {
        number: words.number.clone().unwrap_or_else(|| NO_NUMBER.to_owned()),
        title: words.title.clone().unwrap_or_else(title),
        published: words.published,
        effective_from: words.effective_from,
    };
    let packs = law::read(&command.packs, &command.reference)?;
    let draft = packs.draft(&overlays, &head).map_err(|error| match error {
        DraftError::Law(errors) => Trouble::from(errors),
        error => Trouble::of(Exit::Law, &error),
    })?;
    write(&words.to, &draft.text)?;
    Ok(draft)
}

fn taken(file: &Path) -> Trouble {
    let reason = "is there already; expected a new file; hint: name another, or move it away";
    Trouble::told(Exit::Usage, format!("--to: {}: {reason}", file.display()))
}

fn write(to: &Path, text: &str) -> Result<(), Trouble> {
    let opened = OpenOptions::new().write(true).create_new(true).open(to);
    let written = opened.and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => taken(to),
        _ => Trouble::told(Exit::World, format!("--to: {}: {error}", to.display())),
    })
}
