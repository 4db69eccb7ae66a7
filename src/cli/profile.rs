//! `tuoyu profile check`: every fault of profiles, before a job names them.

use super::args_profile::ProfileCommand;
use super::console::{Complaint, Console, Outcome, Trouble};
use super::exit::Exit;
use crate::domain::texts::{Catalogue, Language};
use crate::publish::{ProfileError, ProfileFace, ProfileKind, examine_profile};
use serde_json::{Value, json};
use std::path::Path;

/// Tells one line of each good file and every fault of the others.
///
/// # Errors
/// When the console cannot be written.
pub(super) fn profile(command: &ProfileCommand, console: &mut Console<'_>) -> Outcome {
    let texts = Catalogue::new(command.language.unwrap_or(Language::English));
    let mut exit = Exit::Done;
    let (mut faulty, mut all) = (0_usize, Vec::new());
    for file in &command.files {
        let told = match examine_profile(file) {
            Ok(examined) => {
                if !command.json {
                    writeln!(console.out, "{}", line(file, &examined, &texts))?;
                }
                all.push(entry(file, Some(&examined), &[]));
                continue;
            }
            Err(error) => error,
        };
        faulty += 1;
        let unread = matches!(told, ProfileError::Io { .. });
        exit = if unread || exit == Exit::World { Exit::World } else { Exit::Law };
        let lines = faults(file, &told);
        if !command.json {
            let complaints = lines.iter().map(|fault| Complaint::Plain(vec![fault.clone()]));
            console.tell(&Trouble { exit, complaints: complaints.collect() }, &texts)?;
        }
        all.push(entry(file, None, &lines));
    }
    if command.json {
        writeln!(console.out, "{}", json!({ "faulty": faulty, "profiles": all }))?;
    } else if faulty > 0 {
        let count = faulty.to_string();
        writeln!(console.err, "{}", texts.phrase("cli.profile_failed", &[("count", &count)]))?;
    }
    Ok(exit)
}

fn kind(examined: &ProfileFace) -> &'static str {
    match examined.kind {
        ProfileKind::Batch => "batch",
        ProfileKind::Columns => "columns",
        ProfileKind::Form => "form",
    }
}

fn line(file: &Path, examined: &ProfileFace, texts: &Catalogue) -> String {
    let kind = match examined.kind {
        ProfileKind::Batch => texts.phrase("cli.profile_batch", &[]),
        ProfileKind::Columns => texts.phrase("cli.profile_columns", &[]),
        ProfileKind::Form => texts.phrase("cli.profile_form", &[]),
    };
    let file = file.display().to_string();
    let values = [
        ("file", file.as_str()),
        ("kind", &kind),
        ("id", &examined.id),
        ("title", &examined.title),
    ];
    texts.phrase("cli.profile_ok", &values)
}

/// Each fault with the whole path of the file: two folders may hold one name.
fn faults(file: &Path, error: &ProfileError) -> Vec<String> {
    match error {
        ProfileError::Batch(faults) => {
            let told = |fault: &crate::job::BatchFault| {
                let between = if fault.place.is_empty() { "" } else { ": " };
                format!("{}: {}{between}{}", file.display(), fault.place, fault.message)
            };
            faults.0.iter().map(told).collect()
        }
        other => vec![other.to_string().trim_end().to_owned()],
    }
}

fn entry(file: &Path, examined: Option<&ProfileFace>, faults: &[String]) -> Value {
    json!({
        "file": file.display().to_string(),
        "kind": examined.map(kind),
        "id": examined.map(|of| &*of.id),
        "faults": faults,
    })
}
