//! Readers that know nothing of ours: xmllint, Python, and a plain walk over XML.

use quick_xml::Reader;
use quick_xml::events::Event;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// What a program says on stdout; `None` where there is none, which the checks of a change do not
/// accept.
fn said(command: &mut Command, input: &[u8]) -> Option<(bool, String)> {
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => {
            assert!(std::env::var_os("CI").is_none(), "{error}: {command:?}");
            println!("skipped: {error}: {command:?}");
            return None;
        }
    };
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let feeding = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    let _ = feeding.join();
    let mut text = String::from_utf8(output.stdout).unwrap();
    if !output.status.success() {
        text.push_str(&String::from_utf8_lossy(&output.stderr));
    }
    Some((output.status.success(), text))
}

/// Holds a `pain.001.001.09` against its schema, where xmllint and the schema are at hand.
#[track_caller]
pub(super) fn xmllint(bytes: &[u8]) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let schema = root.join("../shared/data/xsd/pain.001.001.09.xsd");
    if !schema.is_file() {
        println!("skipped: no schema beside this checkout");
        return;
    }
    let mut command = Command::new("xmllint");
    command.args(["--nonet", "--noout", "--schema"]).arg(schema).arg("-");
    if let Some((valid, text)) = said(&mut command, bytes) {
        assert!(valid, "{text}");
    }
}

/// What a Python script prints.
#[track_caller]
pub(super) fn python(script: &str, words: &[&Path]) -> Option<String> {
    let (done, text) = said(Command::new("python3").args(["-c", script]).args(words), &[])?;
    assert!(done, "{text}");
    Some(text)
}

/// Elements with a text or nothing inside, each with its path of local names, in order.
pub(super) fn elements(bytes: &[u8]) -> Vec<(String, String)> {
    let mut reader = Reader::from_reader(bytes);
    let (mut path, mut found): (Vec<String>, Vec<(String, String)>) = (Vec::new(), Vec::new());
    let (mut text, mut leaf) = (String::new(), false);
    loop {
        match reader.read_event().unwrap() {
            Event::Start(start) => {
                let name = start.local_name();
                path.push(name.as_ref().to_owned());
                (text, leaf) = (String::new(), true);
            }
            Event::Text(more) => text.push_str(&more),
            Event::GeneralRef(name) => {
                let one = match &*name {
                    "amp" => '&',
                    "lt" => '<',
                    "gt" => '>',
                    "quot" => '"',
                    "apos" => '\'',
                    other => panic!("an entity that no reader has to know: {other}"),
                };
                text.push(one);
            }
            Event::End(_) => {
                if leaf {
                    found.push((path.join("/"), std::mem::take(&mut text)));
                }
                leaf = false;
                path.pop();
            }
            Event::Eof => return found,
            _ => {}
        }
    }
}
