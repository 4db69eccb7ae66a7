//! `tuoyu policy test`: the cases of packs.

use super::args::PolicyCommand;
use super::args_cases::CasesWords;
use super::console::{Console, Outcome, Trouble};
use super::exit::Exit;
use crate::cases::{self, CaseSaid, CasesError, Desk, Difference, Held, Nudged};
use crate::domain::texts::Catalogue;
use serde_json::{Value, json};

/// Runs the cases of each pack and says which do not hold.
///
/// # Errors
/// When the console cannot be written.
pub(super) fn test(
    command: &PolicyCommand,
    words: &CasesWords,
    console: &mut Console<'_>,
    texts: &Catalogue,
) -> Outcome {
    let mut desks = Vec::new();
    for pack in &command.packs {
        match Desk::open(pack, &command.reference) {
            Ok(desk) => desks.push((pack.display().to_string(), desk)),
            Err(error) => return console.tell(&Trouble::from(error), texts),
        }
    }
    if let Some(name) = &words.only {
        let names: Vec<&str> = desks.iter().flat_map(|(_, desk)| desk.case_names()).collect();
        if !names.contains(&name.as_str()) {
            let expected = names.join("; ");
            let error = CasesError::NoSuchCase { found: name.clone(), expected };
            return console.tell(&Trouble::from(error), texts);
        }
    }
    let mut exit = Exit::Done;
    let mut packs = Vec::new();
    for (pack, desk) in &desks {
        let said = desk.run(words.only.as_deref());
        exit = worse(exit, said.iter().map(|case| exit_of(&case.held)));
        if command.json {
            let cases: Vec<Value> = said.iter().map(case_json).collect();
            packs.push(json!({ "pack": pack, "cases": cases }));
        } else {
            packs.push(Value::Null);
            write!(console.out, "{}", cases::render(pack, &said))?;
        }
    }
    let holds = exit == Exit::Done;
    if words.nudge && exit == Exit::Done {
        for ((pack, desk), said) in desks.iter().zip(&mut packs) {
            let nudged = match desk.nudged() {
                Ok(nudged) => nudged,
                Err(said) => return console.tell(&Trouble::told(Exit::Law, said), texts),
            };
            if !nudged.unnoticed.is_empty() {
                exit = Exit::Open;
            }
            if command.json {
                said["nudged"] = nudged_json(&nudged);
            } else {
                write!(console.out, "{}", cases::render_nudged(pack, &nudged))?;
            }
        }
    }
    if command.json {
        writeln!(console.out, "{}", json!({ "holds": holds, "packs": packs }))?;
    }
    Ok(exit)
}

impl From<CasesError> for Trouble {
    fn from(error: CasesError) -> Self {
        match error {
            CasesError::Law(errors) => errors.into(),
            CasesError::Shape { .. } => Self::of(Exit::Law, &error),
            CasesError::Unreadable { .. } => Self::of(Exit::World, &error),
            CasesError::NoCases { .. } | CasesError::NoSuchCase { .. } => {
                Self::of(Exit::Usage, &error)
            }
        }
    }
}

const fn exit_of(held: &Held) -> Exit {
    match held {
        Held::Holds => Exit::Done,
        Held::Differs(_) => Exit::Differs,
        Held::Broken(_) => Exit::Law,
    }
}

/// What cannot be settled comes before what differs.
fn worse(exit: Exit, others: impl Iterator<Item = Exit>) -> Exit {
    let rank = |exit: &Exit| match exit {
        Exit::Done => 0,
        Exit::Open => 1,
        Exit::Differs => 2,
        _ => 3,
    };
    others.chain([exit]).max_by_key(rank).unwrap_or(exit)
}

fn case_json(case: &CaseSaid) -> Value {
    let (word, differences, said) = match &case.held {
        Held::Holds => ("holds", Vec::new(), Value::Null),
        Held::Differs(found) => {
            ("differs", found.iter().map(difference_json).collect(), Value::Null)
        }
        Held::Broken(said) => ("broken", Vec::new(), Value::from(said.as_str())),
    };
    json!({
        "file": case.file,
        "line": case.line,
        "name": case.name,
        "from": case.from.trim(),
        "expectations": case.expectations,
        "outcome": word,
        "message": said,
        "differences": differences,
    })
}

fn nudged_json(nudged: &Nudged) -> Value {
    let unnoticed: Vec<Value> = nudged
        .unnoticed
        .iter()
        .map(|of| {
            json!({
                "path": of.path,
                "version": of.version,
                "value": of.value,
                "tried": of.tried,
                "clause": of.clause,
                "place": of.place,
            })
        })
        .collect();
    json!({
        "figures": nudged.figures,
        "noticed": nudged.noticed,
        "fixed": nudged.fixed,
        "unnoticed": unnoticed,
    })
}

fn difference_json(of: &Difference) -> Value {
    let facet = |facet: &cases::Facet| {
        let cases::Facet { name, expected, found } = facet;
        json!({ "name": name, "expected": expected, "found": found })
    };
    json!({
        "line": of.line,
        "what": of.what,
        "differs": of.facets.iter().map(facet).collect::<Vec<_>>(),
        "clause": of.clause,
        "why": of.why,
    })
}
