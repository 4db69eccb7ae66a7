//! Amounts over time and the statement of one child, in a small office worked out by hand.
//!
//! Days attended (10.00 a day at first; 省 pays 2/5, 区 3/5; paid on the tenth work day of the next
//! month):
//!
//! | month | child A | child B at I1 | child C at I2 |
//! | --- | --- | --- | --- |
//! | January | I1, 10 | 5 | 8 |
//! | February | I1, 10 | 5 | 8 |
//! | March | I1, 10 | 5 | 8 |
//! | April | I2, 6 | 5 | 8 |
//! | May | I2, no attendance told | 5 | 8 |
//!
//! * Received on 20 February: A attended 7 days in January, not 10.
//! * Published and known on 20 March: 12.00 a day since January.
//! * Received on 20 April: in January A was at I2 all along, the same 7 days; in February C never
//!   came.
//!
//! So January of A: 100.00 paid at I1 (10 x 10.00); in the February run 70.00 (7 x 10.00); in the
//! March run 84.00 (7 x 12.00); in the April run nothing at I1 and 84.00 at I2.
//! I1 then owes 84.00 and earns 60.00 in April (B, 5 x 12.00): 24.00 are carried to May, 9.60 of
//! 省 and 14.40 of 区.

mod statement;
mod timeline;

use serde_json::Value;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;
use tempfile::TempDir;

/// References no sentence holds by chance.
const A: &str = "KID-ANTON-1";
const B: &str = "KID-BERTA-2";
const C: &str = "KID-CAESAR-3";

/// What became known in the course of the year, `[[late]]` entries of the job.
const LATE: &str = r#"
[[late]]
table = "attendance"
file = "late/days.csv"
received_on = 2026-02-20
complete_for = ["2026-01", "2026-01"]
[[late]]
table = "enrolments"
file = "late/stays.csv"
received_on = 2026-04-20
complete_for = ["2026-01", "2026-01"]
[[late]]
table = "attendance"
file = "late/moved.csv"
received_on = 2026-04-20
complete_for = ["2026-01", "2026-01"]
[[late]]
table = "attendance"
file = "late/absent.csv"
received_on = 2026-04-20
complete_for = ["2026-02", "2026-02"]
"#;

const NOTICE: &str = r#"
[notice]
number = "示例2号"
title = "提高标准"
published = 2026-03-20

[[parameter]]
id = "rate.day"
zh = "日补助标准"
clause = "一"
effective_from = 2026-01-01
unit = "yuan/day"
value = "12.00"
supersedes = { known_from = 2025-12-20, until = "open" }
"#;

/// An office whose five months are paid and whose papers are gone: only ledger and archive are left.
struct Office {
    folder: TempDir,
    /// Run ids, January to May.
    runs: Vec<String>,
}

impl Office {
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Runs a command line; words that begin with `@` are files of the office.
    fn tuoyu(&self, line: &str) -> (u8, String, String) {
        let words = line.split_whitespace().map(|word| match word.strip_prefix('@') {
            Some(file) => self.path(file).into_os_string(),
            None => OsString::from(word),
        });
        crate::office::tuoyu(words)
    }

    fn must(&self, line: &str) -> String {
        let (exit, out, err) = self.tuoyu(line);
        assert!(matches!(exit, 0 | 3), "{line}: exit {exit}: {err}");
        out
    }

    /// `explain` of a month's run (January is 0) with more words.
    fn explain(&self, run: usize, more: &str) -> String {
        self.must(&format!("explain {} --ledger @ledger.db {more}", self.runs[run]))
    }

    fn json(&self, run: usize, more: &str) -> Value {
        serde_json::from_str(&self.explain(run, &format!("{more} --json"))).unwrap()
    }

    fn stays(rows: &[(&str, &str)], month: usize) -> String {
        let last = [31, 28, 31, 30, 31][month];
        let mut text = "child_ref,birth_date,institution_id,age_class,service,spell_from,\
                        spell_until\n"
            .to_owned();
        for (child, institution) in rows {
            let month = month + 1;
            let _ = writeln!(
                text,
                "{child},2024-06-01,{institution},托小班,全日托,2026-{month:02}-01,\
                 2026-{month:02}-{last}"
            );
        }
        text
    }

    fn days(rows: &[(&str, &str, u32)], month: usize) -> String {
        let mut text = "child_ref,institution_id,period,days_attended\n".to_owned();
        for (child, institution, days) in rows {
            let _ = writeln!(text, "{child},{institution},2026-{:02},{days}", month + 1);
        }
        text
    }

    /// An office with its papers; nothing is settled yet.
    fn new() -> Self {
        let office = Self { folder: tempfile::tempdir().unwrap(), runs: Vec::new() };
        crate::office::papers(office.folder.path());
        office.write("pack/pack.toml", include_str!("pack.toml"));
        office
            .write("in/late/days.csv", &Self::days(&[(B, "I1", 5), (A, "I1", 7), (C, "I2", 8)], 0));
        office.write("in/late/stays.csv", &Self::stays(&[(B, "I1"), (C, "I2"), (A, "I2")], 0));
        office.write(
            "in/late/moved.csv",
            &Self::days(&[(A, "I2", 7), (B, "I1", 5), (C, "I2", 8)], 0),
        );
        let absent = Self::days(&[(A, "I1", 10), (B, "I1", 5)], 1);
        office.write("in/late/absent.csv", &absent);
        office
    }

    /// Settles, releases and closes the five months, and takes every paper away.
    fn year() -> Self {
        let mut office = Self::new();
        for month in 0..5 {
            if month == 2 {
                office.write("pack/two.toml", NOTICE);
            }
            office.settle(month);
            office.close(month);
        }
        let papers = ["in", "pack", "reference"].map(str::to_owned);
        let runs = (1..=5).map(|month| format!("run-2026-{month:02}"));
        for folder in papers.into_iter().chain(runs) {
            fs::remove_dir_all(office.path(&folder)).unwrap();
        }
        for file in ["office.key", "job.toml"] {
            fs::remove_file(office.path(file)).unwrap();
        }
        office
    }

    fn settle(&mut self, month: usize) {
        let period = format!("2026-{:02}", month + 1);
        let here = if month < 3 { "I1" } else { "I2" };
        let register = "institution_id,name,account_name,account_no,bank_name,bank_no\n\
                        I1,一园,一园户,1001,示例银行,102521000335\n\
                        I2,二园,二园户,1002,示例银行,102521000335\n";
        self.write(&format!("in/{period}/institutions.csv"), register);
        let stays = Self::stays(&[(A, here), (B, "I1"), (C, "I2")], month);
        self.write(&format!("in/{period}/enrolments.csv"), &stays);
        let mut days = vec![(A, here, if month < 3 { 10 } else { 6 }), (B, "I1", 5), (C, "I2", 8)];
        days.retain(|(child, ..)| month < 4 || *child != A);
        self.write(&format!("in/{period}/attendance.csv"), &Self::days(&days, month));
        self.job();
        let run = format!("@run-{period}");
        self.must(&format!("run @job.toml --period {period} --out {run} --ledger @ledger.db"));
        let text = fs::read_to_string(self.path(&format!("run-{period}/manifest.json"))).unwrap();
        let manifest: Value = serde_json::from_str(&text).unwrap();
        self.runs.push(manifest["run_id"].as_str().unwrap().to_owned());
    }

    fn close(&self, month: usize) {
        let run = format!("@run-2026-{:02}", month + 1);
        for act in ["approve", "release"] {
            self.must(&format!("{act} {run} --by 李四 --ledger @ledger.db"));
        }
        self.must(&format!("close {run} --by 王五 --ledger @ledger.db"));
    }

    fn job(&self) {
        let tables = ["institutions", "enrolments", "attendance"]
            .map(|table| format!("[inputs.{table}]\nfile = \"{{period}}/{table}.csv\"\n"));
        let place = |name: &str| self.path(name).display().to_string();
        let text = format!(
            "id = \"hand\"\npacks = [{:?}]\nreference = {:?}\ninput = {:?}\nkey_file = {:?}\n\
             workbooks = false\nopening = \"2026-01\"\n{}{LATE}",
            place("pack"),
            place("reference"),
            place("in"),
            place("office.key"),
            tables.concat(),
        );
        self.write("job.toml", &text);
    }
}

/// One office for all questions: they write nothing.
fn office() -> &'static Office {
    static OFFICE: OnceLock<Office> = OnceLock::new();
    OFFICE.get_or_init(Office::year)
}

/// The keys of an object, sorted, as one text.
fn keys(of: &Value) -> String {
    let mut keys: Vec<&str> = of.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys.join(" ")
}
