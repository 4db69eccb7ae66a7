//! Tests of room `archive`: late deliveries, reruns from the archive alone, every byte watched.

mod damage;
mod difference;
mod late;
mod law;
mod rerun;

use rusqlite::Connection;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use tuoyu::archive::Archive;
use tuoyu::ledger::Ledger;

/// An office with one institution, two children A and B, a pack of its own that pays 10 yuan a day.
struct Office {
    folder: TempDir,
}

/// Days in a file of attendance: child, month, days.
type Days<'a> = &'a [(&'a str, &'a str, u32)];

impl Office {
    /// A attended 10 days of September and B 5: 150.00 yuan.
    fn new() -> Self {
        let office = Self { folder: tempfile::tempdir().unwrap() };
        crate::office::papers(office.folder.path());
        office.write("pack/pack.toml", include_str!("pack.toml"));
        office.write("in/institutions.csv", "institution_id,name\nI1,示例园\n");
        office.write(
            "in/enrolments.csv",
            "child_ref,birth_date,institution_id,age_class,service,spell_from\n\
             A,2024-05-01,I1,托小班,全日托,2026-01-05\n\
             B,2024-06-01,I1,托小班,全日托,2026-01-05\n",
        );
        office.attendance("attendance.csv", &[("A", "2026-09", 10), ("B", "2026-09", 5)]);
        office.job("");
        office
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn attendance(&self, file: &str, days: Days<'_>) {
        let mut text = "child_ref,institution_id,period,days_attended\n".to_owned();
        for (child, month, days) in days {
            let _ = writeln!(text, "{child},I1,{month},{days}");
        }
        self.write(&format!("in/{file}"), &text);
    }

    /// Writes the job; `more` stands at its end.
    fn job(&self, more: &str) {
        let text = format!(
            "id = \"small\"\nperiod = \"2026-09\"\npacks = [{:?}]\nreference = {:?}\n\
             input = {:?}\nkey_file = {:?}\nworkbooks = false\n{more}",
            self.text("pack"),
            self.text("reference"),
            self.text("in"),
            self.text("office.key"),
        );
        self.write("job.toml", &text);
    }

    /// Settles with more words; exit 0 or 3. The report.
    fn run(&self, more: &str) -> serde_json::Value {
        let ledger = if more.contains("--ledger") { "" } else { "--ledger ledger.db" };
        let (exit, out, err) = self.tuoyu(&format!("run job.toml --json {ledger} {more}"));
        assert!(matches!(exit, 0 | 3), "{more}: {err}");
        serde_json::from_str(&out).unwrap()
    }

    /// Settles a month into `run-MONTH`; its run id and what it pays.
    fn settle(&self, month: &str, more: &str) -> (String, i64) {
        let report = self.run(&format!("--period {month} --out run-{month} {more}"));
        (report["run_id"].as_str().unwrap().to_owned(), report["payable_fen"].as_i64().unwrap())
    }

    /// Runs a command line in process; words that are files of the office become paths.
    fn tuoyu(&self, line: &str) -> (u8, String, String) {
        let ours = ["job.toml", "ledger.db", "archive", "run-", "again"];
        let words = line.split_whitespace().map(|word| {
            let ours = ours.iter().any(|name| word.starts_with(name));
            OsString::from(if ours { self.text(word) } else { word.to_owned() })
        });
        crate::office::tuoyu(words)
    }

    /// `audit rerun` in English: exit code, then everything it says.
    fn rerun(&self, more: &str) -> (u8, String) {
        let ledger = if more.contains("--ledger") { "" } else { "--ledger ledger.db" };
        let (exit, out, err) = self.tuoyu(&format!("audit rerun --lang en {ledger} {more}"));
        (exit, out + &err)
    }

    fn archive(&self) -> Archive {
        Archive::open(&self.path("archive")).unwrap()
    }

    fn ledger(&self) -> Ledger {
        Ledger::open(&self.path("ledger.db")).unwrap()
    }

    /// The ledger as an intruder sees it, without the triggers that guard it.
    fn raw_ledger(&self) -> Connection {
        let raw = Connection::open(self.path("ledger.db")).unwrap();
        let names: Vec<String> = raw
            .prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'")
            .unwrap()
            .query_map((), |row| row.get(0))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        for name in names {
            raw.execute_batch(&format!("DROP TRIGGER {name}")).unwrap();
        }
        raw
    }

    /// Takes away all that was read: deliveries, packs, reference files, the key, the job.
    fn forget(&self) {
        for folder in ["in", "pack", "reference"] {
            fs::remove_dir_all(self.path(folder)).unwrap();
        }
        fs::remove_file(self.path("office.key")).unwrap();
        fs::remove_file(self.path("job.toml")).unwrap();
    }
}

/// Contents of every file below a folder, by path inside.
fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().display().to_string();
                found.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    found
}

/// Flips the lowest bit of one byte of a file; gives the file's bytes as they were.
fn flip(path: &Path, at: usize) -> Vec<u8> {
    let bytes = fs::read(path).unwrap();
    let mut other = bytes.clone();
    other[at] ^= 1;
    fs::write(path, other).unwrap();
    bytes
}
