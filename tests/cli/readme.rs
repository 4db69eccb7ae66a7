//! The console blocks of README.md and README.zh-CN.md run, and say what they say there.

use super::transcript::{fits, tuoyu, words};
use std::fs;
use std::path::Path;

/// Commands of the program in the console blocks of a file, each with the lines below it.
fn commands(text: &str) -> Vec<(String, Vec<&str>)> {
    let mut found: Vec<(String, Vec<&str>)> = Vec::new();
    let mut console = false;
    for line in text.lines() {
        if line.starts_with("```") {
            console = line == "```console";
            continue;
        }
        if !console {
            continue;
        }
        if let Some(typed) = line.strip_prefix("$ ") {
            found.push((typed.to_owned(), Vec::new()));
        } else if let Some((_, said)) = found.last_mut() {
            said.push(line);
        }
    }
    found.retain(|(typed, _)| arguments(typed).is_some());
    found
}

fn arguments(typed: &str) -> Option<&str> {
    typed.strip_prefix("cargo run --release -- ").or_else(|| typed.strip_prefix("tuoyu "))
}

/// Runs the blocks of a file; run folder and ledger go to a folder of the test.
fn check(file: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join(file)).expect("read");
    let folder = tempfile::tempdir().expect("a folder");
    let place = format!("{}/", folder.path().display());
    let all = commands(&text);
    assert!(all.len() >= 2, "{file}: show at least a run and an explanation");
    for (typed, expected) in all {
        let mut arguments: Vec<String> = words(arguments(&typed).expect("kept above"))
            .iter()
            .map(|word| match word.strip_prefix("out/") {
                Some(rest) => format!("{place}out/{rest}"),
                None => word.clone(),
            })
            .collect();
        if matches!(arguments[0].as_str(), "run" | "explain" | "approve" | "release" | "audit") {
            arguments.extend(["--ledger".to_owned(), format!("{place}var/ledger.db")]);
        }
        if arguments[0] == "run" {
            let folder = if arguments[1].contains("tune") { "tune" } else { "2026-09" };
            arguments.extend(["--out".to_owned(), format!("{place}out/{folder}")]);
        }
        let (exit, out, err) = tuoyu(&arguments);
        let said = format!("{out}{err}").replace(&place, "");
        assert!([0, 3].contains(&exit), "{file}: {typed} ends with {exit}\n{said}");
        let found: Vec<&str> = said.lines().map(str::trim_end).collect();
        assert!(fits(&expected, &found), "{file}: {typed} says\n{said}");
    }
}

#[test]
fn readme_tells_the_truth() {
    check("README.md");
}

#[test]
fn chinese_readme_tells_the_truth() {
    check("README.zh-CN.md");
}
