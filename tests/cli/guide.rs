//! The guide from notice to pack: its files are written, its commands run and say what they say there.

use super::transcript::{fits, tuoyu, words};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Blocks of a guide: the words after the fence, and the lines inside.
fn blocks(text: &str) -> Vec<(&str, Vec<&str>)> {
    let mut found: Vec<(&str, Vec<&str>)> = Vec::new();
    let mut open = false;
    for line in text.lines() {
        if let Some(fence) = line.strip_prefix("```") {
            open = !open;
            if open {
                found.push((fence, Vec::new()));
            }
        } else if let (true, Some((_, lines))) = (open, found.last_mut()) {
            lines.push(line);
        }
    }
    found
}

/// A command with what it is to say.
fn commands<'t>(lines: &[&'t str]) -> Vec<(&'t str, Vec<&'t str>)> {
    let mut found: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in lines {
        match (line.strip_prefix("$ tuoyu "), found.last_mut()) {
            (Some(typed), _) => found.push((typed, Vec::new())),
            (None, Some((_, said))) => said.push(line),
            (None, None) => panic!("{line}: a console block begins with a command"),
        }
    }
    found
}

#[test]
fn the_guide_tells_the_truth() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join("docs/from-notice-to-pack.md")).expect("read");
    let folder = tempfile::tempdir().expect("a folder");
    let place = format!("{}/", folder.path().display());
    let here = |text: &str| text.replace("out/", &format!("{place}out/"));
    let (mut written, mut ran) = (BTreeSet::new(), 0);
    for (fence, lines) in blocks(&text) {
        if let Some(file) = fence.strip_prefix("toml ") {
            // The first block of a file takes the place of what is there; later ones follow it.
            let path = here(file);
            let before = if written.insert(file.to_owned()) {
                String::new()
            } else {
                fs::read_to_string(&path).expect("written above") + "\n"
            };
            fs::create_dir_all(Path::new(&path).parent().expect("a folder")).expect("made");
            fs::write(&path, format!("{before}{}\n", here(&lines.join("\n")))).expect("written");
        }
        if fence != "console" {
            continue;
        }
        for (typed, expected) in commands(&lines) {
            let arguments: Vec<String> = words(typed).iter().map(|word| here(word)).collect();
            let (exit, out, err) = tuoyu(&arguments);
            let said = format!("{out}{err}").replace(&place, "");
            let refused = expected.iter().any(|line| line.starts_with("error: "));
            assert_eq!(exit == 4, refused, "{typed} ends with {exit}\n{said}");
            assert!(refused || [0, 3].contains(&exit), "{typed} ends with {exit}\n{said}");
            let found: Vec<&str> = said.lines().map(str::trim_end).collect();
            assert!(fits(&expected, &found), "{typed} says\n{said}");
            ran += 1;
        }
    }
    assert!(ran >= 10, "{ran} commands ran");
}
