//! Packs that must be refused: each file of `refusals/` is one, with its expectations on top.
//!
//! `# expect: error CODE line N: text` – an error (or `warn`) of that code on that line of the file
//! whose message begins with the text. Nothing else may be told. `# pack: key = …` adds a line to the
//! settings of the pack. A new case is a new file.

use super::{PACK, here, reference};
use std::fs;
use tuoyu::domain::Severity;
use tuoyu::law;

#[test]
fn every_case_is_refused_where_it_says() {
    let mut cases: Vec<_> = fs::read_dir(here("tests/law/refusals"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    cases.sort();
    assert!(cases.len() >= 30, "the folder of cases was not found");
    let mut failures = Vec::new();
    for case in cases {
        let name = case.file_name().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(&case).unwrap();
        let (wanted, found) = (wanted(&text), told(&text));
        let fits = wanted.len() == found.len()
            && wanted.iter().all(|want| found.iter().any(|told| told.starts_with(want.as_str())));
        if !fits || wanted.is_empty() {
            failures.push(format!("{name}:\n  wanted {wanted:#?}\n  told {found:#?}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn wanted(text: &str) -> Vec<String> {
    text.lines().filter_map(|line| line.strip_prefix("# expect: ")).map(str::to_owned).collect()
}

/// Everything the checks tell about a notice, as `error CODE line N: message`.
fn told(text: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let pack = folder.path().join("case");
    fs::create_dir(&pack).unwrap();
    fs::write(pack.join("notice.toml"), text).unwrap();
    let settings: String = text
        .lines()
        .filter_map(|line| line.strip_prefix("# pack: "))
        .flat_map(|line| [line, "\n"])
        .collect();
    fs::write(pack.join("pack.toml"), format!("{PACK}{settings}")).unwrap();
    law::examine(&[pack], &[], &reference())
        .into_iter()
        .map(|error| {
            let weight = if error.severity == Severity::Error { "error" } else { "warn" };
            format!("{weight} {} line {}: {}", error.code, error.line, error.message)
        })
        .collect()
}
