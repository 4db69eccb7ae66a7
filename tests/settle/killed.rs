//! The program killed at any moment of a run, an approval or a release: the books are as before or
//! as after, and the same command again brings it to its end.

use super::whole::{copy, root};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};
use tuoyu::ledger::{Ledger, RunState};

/// How often each command is killed, later each time.
const TRIES: u32 = 15;

/// A command of the program on the ledger of a folder.
fn command(folder: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tuoyu"));
    command.current_dir(root()).args(words).arg("--ledger").arg(folder.join("ledger.db"));
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Events and state of the one run, after everything was proved; nothing where there is no ledger.
fn stands(folder: &Path) -> (i64, Option<RunState>) {
    let path = folder.join("ledger.db");
    if !path.exists() {
        return (0, None);
    }
    let ledger = Ledger::open(&path).expect("a ledger");
    let proved = ledger.verify().expect("the books hold");
    let run = ledger.find("monthly", tuoyu::domain::Month::new(2026, 8).unwrap()).unwrap();
    (proved.events, run.map(|run| run.state))
}

/// Kills a command after a while, again and again from the same start, and looks at what is left.
fn killed_at_any_moment(prepare: &[&[&str]], words: &[&str], end: (i64, RunState)) {
    let start = tempfile::tempdir().unwrap();
    let out = |folder: &Path| folder.join("out").display().to_string();
    let full = |folder: &Path, words: &[&str]| -> Vec<String> {
        words.iter().map(|word| word.replace("OUT", &out(folder))).collect()
    };
    let run = |folder: &Path, words: &[&str]| {
        let words = full(folder, words);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        command(folder, &words)
    };
    for words in prepare {
        assert!([0, 3].contains(&run(start.path(), words).status().unwrap().code().unwrap()));
    }
    let before = stands(start.path());
    let after = (end.0, Some(end.1));
    // How long it takes when nobody kills it, and nobody else is busy.
    let mut whole = Duration::MAX;
    for _ in 0..3 {
        let spare = tempfile::tempdir().unwrap();
        copy(start.path(), spare.path());
        let begun = Instant::now();
        assert!([0, 3].contains(&run(spare.path(), words).status().unwrap().code().unwrap()));
        whole = whole.min(begun.elapsed());
        assert_eq!(stands(spare.path()), after);
    }
    let mut killed = 0;
    for delay in 0..TRIES {
        let place = tempfile::tempdir().unwrap();
        copy(start.path(), place.path());
        let mut child = run(place.path(), words).spawn().unwrap();
        let (_never, wait) = mpsc::channel::<()>();
        let _ = wait.recv_timeout(whole * delay / TRIES + Duration::from_micros(200));
        child.kill().unwrap();
        killed += u32::from(child.wait().unwrap().code().is_none());
        let found = stands(place.path());
        // A first run may not have come to make a ledger.
        let nothing = prepare.is_empty() && found == (0, None);
        assert!(found == before || found == after || nothing, "{found:?} at {delay}");
        // Whatever was left, the same command ends it, and then there is nothing to mend.
        let code = run(place.path(), words).status().unwrap().code().unwrap();
        // Only an approval is refused when it stands already.
        let approved = words[0] == "approve" && found == after;
        assert!([0, 3].contains(&code) || approved, "exit {code} at {delay}");
        assert_eq!(stands(place.path()), after, "at {delay}");
        let left = |name: &str| place.path().join(name).exists();
        for file in ["release.json", "payments.csv"] {
            let released = after.1 == Some(RunState::Released);
            assert!(!released || left(&format!("out.release/{file}")), "{file} at {delay}");
        }
        for name in [".out.draft", ".out.old", ".out.release.draft", ".out.release.old"] {
            assert!(!left(name), "{name} at {delay}");
        }
        let verified = run(place.path(), &["audit", "verify", "OUT"]).status().unwrap();
        assert_eq!(verified.code(), Some(0), "at {delay}");
    }
    assert!(killed > 3, "only {killed} of {TRIES} were killed in time");
}

const RUN: &[&str] =
    &["run", "jobs/monthly.toml", "--period", "2026-08", "--out", "OUT", "--by", "张三"];
const APPROVE: &[&str] = &["approve", "OUT", "--by", "李四"];
const RELEASE: &[&str] = &["release", "OUT", "--by", "王五"];

#[test]
fn a_run() {
    killed_at_any_moment(&[], RUN, (1, RunState::Draft));
}

#[test]
fn an_approval() {
    killed_at_any_moment(&[RUN], APPROVE, (2, RunState::Approved));
}

#[test]
fn a_release() {
    killed_at_any_moment(&[RUN, APPROVE], RELEASE, (3, RunState::Released));
}

#[test]
fn of_releases_at_once_one_counts_and_none_harms() {
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("out").display().to_string();
    let full = |words: &[&str]| -> Vec<String> {
        words.iter().map(|word| word.replace("OUT", &out)).collect()
    };
    let run = |words: &[&str]| {
        let words = full(words);
        command(place.path(), &words.iter().map(String::as_str).collect::<Vec<_>>())
    };
    for words in [RUN, APPROVE] {
        assert!([0, 3].contains(&run(words).status().unwrap().code().unwrap()));
    }
    let children: Vec<_> = (0..4).map(|_| run(RELEASE).spawn().unwrap()).collect();
    let codes: Vec<i32> =
        children.into_iter().map(|mut child| child.wait().unwrap().code().unwrap()).collect();
    // Whoever comes second finds it released.
    assert_eq!(codes, [0; 4]);
    assert!(place.path().join("out.release/release.json").is_file());
    assert_eq!(stands(place.path()), (3, Some(RunState::Released)));
    assert_eq!(run(RELEASE).status().unwrap().code(), Some(0));
    assert_eq!(run(&["audit", "verify", "OUT"]).status().unwrap().code(), Some(0));
}
