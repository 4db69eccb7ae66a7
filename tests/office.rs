//! What offices of several rooms' tests share: the program in process, and the papers it needs.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use tuoyu::cli::{self, Console};

/// Runs a command line in process: exit code, stdout, stderr.
pub(crate) fn tuoyu(words: impl Iterator<Item = OsString>) -> (u8, String, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut console = Console {
        out: &mut out,
        err: &mut err,
        terminal: false,
        colour: false,
        at: "2026-10-10T09:00:00Z".to_owned(),
        user: "张三".to_owned(),
        draw: || None,
    };
    let words: Vec<OsString> = std::iter::once("tuoyu".into()).chain(words).collect();
    let exit = cli::main(words, &mut console).unwrap();
    (exit.code(), String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
}

/// Puts the calendar of plain weekdays, the profiles and the demo key into a folder.
pub(crate) fn papers(folder: &Path) {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("data/reference");
    for file in
        ["calendars/weekdays.toml", "profiles/finance_detail.toml", "profiles/supervision.toml"]
    {
        let place = folder.join("reference").join(file);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::copy(root.join(file), place).unwrap();
    }
    fs::copy(root.join("keys/demo.key"), folder.join("office.key")).unwrap();
}
