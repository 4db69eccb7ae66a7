//! `tuoyu policy check|show|diff`: the law itself, without a job; `new` and `test` are next door.

use super::args::{Moment, PolicyCommand, PolicyQuestion};
use super::console::{Console, Outcome, Trouble};
use super::exit::Exit;
use crate::domain::Severity;
use crate::domain::texts::{Catalogue, Language};
use crate::law::{self, DiffOf, LawBook, LawChange, LawError, ShownRule};
use serde_json::{Value, json};

/// Answers a question about packs.
///
/// # Errors
/// When the console cannot be written.
pub(super) fn policy(command: &PolicyCommand, console: &mut Console<'_>) -> Outcome {
    // The checker speaks English throughout, as the language of packs does.
    let texts = Catalogue::new(Language::English);
    match &command.question {
        PolicyQuestion::Check => check(command, console, &texts),
        PolicyQuestion::Show(at) => match load(command) {
            Ok(book) => show(command, &book, *at, console),
            Err(trouble) => console.tell(&trouble, &texts),
        },
        PolicyQuestion::Diff(of) => match load(command) {
            Ok(book) => diff(command, &book, of, console, &texts),
            Err(trouble) => console.tell(&trouble, &texts),
        },
        PolicyQuestion::Doc(words) => match load(command) {
            Ok(book) => super::authoring::doc(&book, words, console, &texts),
            Err(trouble) => console.tell(&trouble, &texts),
        },
        PolicyQuestion::Scaffold(words) => {
            super::scaffold::scaffold(words, command.json, console, &texts)
        }
        PolicyQuestion::Schema(of) => super::authoring::schema(*of, console),
        PolicyQuestion::New(words) => super::policy_new::new(command, words, console, &texts),
        PolicyQuestion::Test(words) => super::cases::test(command, words, console, &texts),
    }
}

fn load(command: &PolicyCommand) -> Result<LawBook, Trouble> {
    Ok(law::load(&command.packs, &command.overlays, &command.reference)?)
}

fn check(command: &PolicyCommand, console: &mut Console<'_>, texts: &Catalogue) -> Outcome {
    let told = law::examine(&command.packs, &command.overlays, &command.reference);
    let mistakes = told.iter().filter(|error| error.severity == Severity::Error).count();
    let exit = if mistakes == 0 { Exit::Done } else { Exit::Law };
    if command.json {
        let all: Vec<Value> = told.iter().map(error_json).collect();
        writeln!(console.out, "{}", json!({ "complete": mistakes == 0, "remarks": all }))?;
        return Ok(exit);
    }
    for error in &told {
        console.point(error, error.severity, texts)?;
    }
    let packs: Vec<String> = command.packs.iter().map(|pack| pack.display().to_string()).collect();
    if mistakes == 0 {
        let remarks = if told.is_empty() { String::new() } else { told.len().to_string() };
        let values = [("pack", packs.join(", ")), ("remarks", remarks)];
        let values = values.each_ref().map(|(name, value)| (*name, value.as_str()));
        writeln!(console.out, "{}", texts.phrase("cli.policy_ok", &values))?;
    } else {
        let count = mistakes.to_string();
        writeln!(console.err, "{}", texts.phrase("cli.policy_failed", &[("count", &count)]))?;
    }
    Ok(exit)
}

fn error_json(error: &LawError) -> Value {
    json!({
        "code": error.code,
        "severity": error.severity.word(),
        "file": error.text.as_ref().map(|text| text.name.as_str()),
        "line": error.line,
        "column": error.column,
        "found": error.message,
        "expected": error.expected,
        "hint": error.hint,
    })
}

fn show(command: &PolicyCommand, book: &LawBook, at: Moment, console: &mut Console<'_>) -> Outcome {
    let shown = book.shown(at.month, at.known_on);
    if command.json {
        let rules: Vec<Value> = shown.rules.iter().map(rule_json).collect();
        let law = json!({
            "packs": shown.titles,
            "month": shown.month.to_string(),
            "known_on": shown.known_on.to_string(),
            "rules": rules,
        });
        writeln!(console.out, "{law}")?;
    } else {
        writeln!(console.out, "{}", shown.to_string().trim_end())?;
    }
    Ok(Exit::Done)
}

fn rule_json(rule: &ShownRule) -> Value {
    let fields: Vec<Value> =
        rule.fields.iter().map(|(key, value)| json!({ "key": key, "value": value })).collect();
    json!({
        "kind": rule.kind,
        "id": rule.id,
        "label": rule.label,
        "clause": rule.clause,
        "notice": rule.notice,
        "version": rule.version,
        "effective_from": rule.effective_from.to_string(),
        "effective_until": rule.effective_until.map(|date| date.to_string()),
        "known_from": rule.known_from.to_string(),
        "mid_month": rule.mid_month,
        "fields": fields,
    })
}

fn diff(
    command: &PolicyCommand,
    book: &LawBook,
    of: &DiffOf,
    console: &mut Console<'_>,
    texts: &Catalogue,
) -> Outcome {
    let diff = law::diff(book, of);
    if let (DiffOf::Notice(name), true) = (of, diff.changes.is_empty()) {
        let message = format!(
            "--notice: no block of {name:?}; expected the 文号 of a notice or its file in the pack"
        );
        return console.tell(&Trouble::told(Exit::Usage, message), texts);
    }
    if command.json {
        let changes: Vec<Value> = diff.changes.iter().map(change_json).collect();
        writeln!(console.out, "{}", Value::from(changes))?;
    } else {
        writeln!(console.out, "{}", diff.to_string().trim_end())?;
    }
    Ok(Exit::Done)
}

fn change_json(change: &LawChange) -> Value {
    let kind = match change.kind {
        law::ChangeKind::Added => "added",
        law::ChangeKind::Changed => "changed",
        law::ChangeKind::Ended => "ended",
    };
    let fields: Vec<Value> = change
        .fields
        .iter()
        .map(|(key, old, new)| json!({ "key": key, "old": old, "new": new }))
        .collect();
    json!({
        "kind": kind,
        "block": change.block,
        "id": change.id,
        "label": change.label,
        "clause": change.clause,
        "from": change.from.to_string(),
        "old_version": change.old_version,
        "new_version": change.new_version,
        "fields": fields,
    })
}
