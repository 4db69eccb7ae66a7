//! The workbench from outside: its socket, and its page in a browser, beside settlements under the
//! same overlays.

mod browser;
mod socket;

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tuoyu::domain::{Month, Silent};
use tuoyu::job::{self, ArchiveChoice, LedgerChoice, Overrides};
use tuoyu::settle;

const JOB: &str = "jobs/monthly.toml";
const PERIOD: &str = "2026-09";

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// A workbench on the sample, ended with the test.
struct Served {
    child: Child,
    /// Address with its token.
    url: String,
}

impl Served {
    fn new(more: &[&str]) -> Self {
        Self::on(&[&[JOB, "--period", PERIOD], more].concat())
    }

    /// A workbench on a job.
    fn on(words: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_tuoyu"))
            .current_dir(root())
            .arg("workbench")
            .args(words)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        let mut line = String::new();
        let out = child.stdout.take().expect("its output");
        BufReader::new(out).read_line(&mut line).expect("its address");
        Self { child, url: line.trim().to_owned() }
    }

    fn port(&self) -> u16 {
        let rest = self.url.strip_prefix("http://127.0.0.1:").expect("the address of this machine");
        rest.split_once('/').expect("a token").0.parse().expect("a port")
    }

    fn token(&self) -> &str {
        self.url.rsplit('/').nth(1).expect("a token")
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the sample's month costs when it is settled, without books, under an overlay file.
fn settled(overlay: Option<&Path>) -> i64 {
    settled_in(PERIOD, overlay)
}

fn settled_in(period: &str, overlay: Option<&Path>) -> i64 {
    let overrides = Overrides {
        period: Month::parse(period).ok(),
        ledger: Some(LedgerChoice::None),
        archive: Some(ArchiveChoice::None),
        ..Overrides::default()
    };
    let mut job = job::read(&root().join(JOB), &overrides).expect("the job");
    let rooted = |path: &mut PathBuf| *path = root().join(&*path);
    job.packs.iter_mut().for_each(rooted);
    job.overlays.extend(overlay.map(Path::to_owned));
    let settled = settle::compute(&job, None, &mut Silent).expect("a settlement");
    let cells = settled.months.iter().flat_map(|month| &month.allocation.cells);
    cells.map(|cell| cell.fen).sum()
}

/// An overlay file of one line.
fn overlay(folder: &Path, line: &str) -> PathBuf {
    let file = folder.join("overlay.toml");
    std::fs::write(&file, format!("{line}\n")).expect("an overlay");
    file
}
