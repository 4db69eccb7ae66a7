//! Runs `tests/cli/transcripts/*.txt`.
//!
//! ```text
//! # A sentence that says what the case shows.
//! @ $TMP/job.toml
//! the lines of a file to write first
//! @
//! $ tuoyu run $TMP/job.toml
//! a line of stdout
//! ! a line of stderr
//! [1]
//! ```
//!
//! In expected lines `…` stands for any text, a line of `…` alone for any lines. `$TMP` is a folder
//! of the case; paths are relative to the checkout.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use tuoyu::cli::{self, Console};

/// Runs one command line in process: (exit code, stdout, stderr).
pub(super) fn tuoyu(arguments: &[String]) -> (u8, String, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let words = std::iter::once("tuoyu".to_owned()).chain(arguments.iter().cloned());
    let mut console = Console {
        out: &mut out,
        err: &mut err,
        terminal: false,
        colour: false,
        at: "2026-10-10T09:00:00Z".to_owned(),
        user: "张三".to_owned(),
        draw: || Some([7; 32]),
    };
    let exit = cli::main(words.map(OsString::from), &mut console).expect("writes to memory");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (exit.code(), text(out), text(err))
}

/// Whether `found` is what `expected` says, `…` standing for any text or lines.
pub(super) fn fits(expected: &[&str], found: &[&str]) -> bool {
    match (expected.first(), found.first()) {
        (None, None) => true,
        (Some(&"…"), _) => {
            fits(&expected[1..], found) || (!found.is_empty() && fits(expected, &found[1..]))
        }
        (Some(want), Some(line)) => line_fits(want, line) && fits(&expected[1..], &found[1..]),
        _ => false,
    }
}

fn line_fits(want: &str, line: &str) -> bool {
    let mut parts = want.trim_end().split('…');
    let Some(mut rest) = line.trim_end().strip_prefix(parts.next().unwrap_or("")) else {
        return false;
    };
    let parts: Vec<&str> = parts.collect();
    for (index, part) in parts.iter().enumerate() {
        if index + 1 == parts.len() {
            return rest.ends_with(part);
        }
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.is_empty()
}

/// Cuts a command line at spaces; `'…'` and `"…"` hold a word together.
pub(super) fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    for letter in line.chars() {
        match (quote, letter) {
            (Some(open), _) if open == letter => quote = None,
            (None, '\'' | '"') => quote = Some(letter),
            (None, ' ') => words.push(String::new()),
            _ => words.last_mut().expect("never empty").push(letter),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Runs one transcript; returns it as the program speaks now, and what does not fit.
fn play(text: &str, folder: &Path) -> (String, Vec<String>) {
    let place = folder.display().to_string();
    let mut now = String::new();
    let mut wrong = Vec::new();
    let lines: Vec<&str> = text.lines().collect();
    let mut at = 0;
    while at < lines.len() {
        let line = lines[at];
        now.push_str(line);
        now.push('\n');
        at += 1;
        if let Some(file) = line.strip_prefix("@ ") {
            let end = at + lines[at..].iter().position(|l| *l == "@").expect("a file ends with @");
            let path = file.replace("$TMP", &place);
            fs::create_dir_all(Path::new(&path).parent().expect("a folder")).expect("made");
            fs::write(&path, lines[at..end].join("\n").replace("$TMP", &place) + "\n")
                .expect("written");
            for line in &lines[at..=end] {
                now.push_str(line);
                now.push('\n');
            }
            at = end + 1;
        } else if let Some(command) = line.strip_prefix("$ tuoyu") {
            let end = at
                + lines[at..]
                    .iter()
                    .position(|l| l.starts_with('[') && l.ends_with(']'))
                    .expect("an exit code in brackets ends a command");
            let arguments: Vec<String> =
                words(command).iter().map(|word| word.replace("$TMP", &place)).collect();
            let (exit, out, err) = tuoyu(&arguments);
            let mut said: Vec<String> = out.lines().map(|l| l.replace(&place, "$TMP")).collect();
            said.extend(err.lines().map(|l| format!("! {}", l.replace(&place, "$TMP"))));
            said.push(format!("[{exit}]"));
            let expected = &lines[at..=end];
            let found: Vec<&str> = said.iter().map(|line| line.trim_end()).collect();
            if fits(expected, &found) {
                said = expected.iter().map(|line| (*line).to_owned()).collect();
            } else {
                wrong.push(format!("{line}\n  says\n    {}", said.join("\n    ")));
            }
            for line in said {
                now.push_str(line.trim_end());
                now.push('\n');
            }
            at = end + 1;
        }
    }
    (now, wrong)
}

#[test]
fn transcripts() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/transcripts");
    let mut files: Vec<_> =
        fs::read_dir(folder).expect("transcripts").map(|e| e.expect("entry").path()).collect();
    files.sort();
    assert!(!files.is_empty());
    let mut broken = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).expect("read");
        let place = tempfile::tempdir().expect("a folder");
        let (now, wrong) = play(&text, place.path());
        if wrong.is_empty() {
            continue;
        }
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            fs::write(&file, now).expect("written");
        } else {
            broken.push(format!("{}:\n{}", file.display(), wrong.join("\n")));
        }
    }
    assert!(
        broken.is_empty(),
        "run with UPDATE_GOLDEN=1 and read the change\n{}",
        broken.join("\n")
    );
}

#[test]
fn expected_lines_may_leave_out_text() {
    for (want, line, fit) in [
        ("a … c", "a b c", true),
        ("a … c", "a b d", false),
        ("…c", "abc", true),
        ("a…", "a", true),
        ("a", "ab", false),
        ("a…b…c", "a1b2c", true),
        ("a…b…c", "a1c2b", false),
    ] {
        assert_eq!(line_fits(want, line), fit, "{want} / {line}");
    }
    assert!(fits(&["a", "…", "c"], &["a", "b", "b", "c"]));
    assert!(fits(&["…"], &[]));
    assert!(!fits(&["a"], &["a", "b"]));
    assert_eq!(words("run 'a b' \"c\" d"), ["run", "a b", "c", "d"]);
}
