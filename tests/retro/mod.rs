//! Closed months and what becomes known of them later: a year with late facts and notices ends where one
//! settlement with final knowledge would (S22-S28).

mod after;
mod opening;
mod sql;
mod world;
mod written_off;
mod year;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use tempfile::TempDir;
use world::World;

/// Money by (institution, item, source).
type Money = BTreeMap<(String, String, String), i64>;

const OPENING: &str = "opening = \"2026-01\"\n";

/// An office that settles months of a [`World`].
struct Office {
    folder: TempDir,
    /// `[[late]]` deliveries so far.
    late: String,
    deliveries: usize,
    /// Settings of the job beside its tables.
    settings: String,
}

impl Office {
    fn new() -> Self {
        let office = Self {
            folder: tempfile::tempdir().unwrap(),
            late: String::new(),
            deliveries: 0,
            settings: OPENING.to_owned(),
        };
        crate::office::papers(office.folder.path());
        office.write("pack/pack.toml", include_str!("pack.toml"));
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

    /// Delivers all tables of a month as the world is now.
    fn deliver(&self, world: &World, month: usize, folder: &str) {
        for (table, text) in world.tables(month) {
            self.write(&format!("{folder}/{}/{table}.csv", world::period(month)), &text);
        }
    }

    /// Delivers one table of a closed month again, as the world is now.
    fn deliver_late(&mut self, world: &World, month: usize, table: &str, received_on: &str) {
        self.deliveries += 1;
        let name = format!("late{:03}.csv", self.deliveries);
        let text = world.tables(month).remove(table).unwrap();
        self.write(&format!("in/late/{name}"), &text);
        let period = world::period(month);
        let _ = writeln!(
            self.late,
            "[[late]]\ntable = \"{table}\"\nfile = \"late/{name}\"\nreceived_on = {received_on}\n\
             complete_for = [\"{period}\", \"{period}\"]\n"
        );
    }

    fn job(&self, name: &str, input: &str, late: &str) {
        let tables = ["institutions", "slots", "enrolments", "attendance", "sanctions"]
            .map(|table| format!("[inputs.{table}]\nfile = \"{{period}}/{table}.csv\"\n"));
        let text = format!(
            "id = \"small\"\npacks = [{:?}]\nreference = {:?}\ninput = {:?}\nkey_file = {:?}\n\
             workbooks = false\n{}{}{late}",
            self.text("pack"),
            self.text("reference"),
            self.text(input),
            self.text("office.key"),
            self.settings,
            tables.concat(),
        );
        self.write(name, &text);
    }

    /// Runs a command line; words that begin with `@` are files of the office.
    fn tuoyu(&self, line: &str) -> (u8, String, String) {
        let words = line.split_whitespace().map(|word| match word.strip_prefix('@') {
            Some(file) => OsString::from(self.text(file)),
            None => OsString::from(word),
        });
        crate::office::tuoyu(words)
    }

    fn must(&self, line: &str) {
        let (exit, _, err) = self.tuoyu(line);
        assert!(matches!(exit, 0 | 3), "{line}: exit {exit}: {err}");
    }

    /// Settles a month and takes it through to closed.
    fn pay(&self, month: usize) {
        self.release(month);
        self.close(month);
    }

    fn release(&self, month: usize) {
        self.job("job.toml", "in", &self.late);
        let period = world::period(month);
        let run = format!("@run-{period}");
        self.must(&format!("run @job.toml --period {period} --out {run} --ledger @ledger.db"));
        for act in ["approve", "release"] {
            self.must(&format!("{act} {run} --by 李四 --ledger @ledger.db"));
        }
    }

    fn close(&self, month: usize) {
        let run = format!("@run-{}", world::period(month));
        self.must(&format!("close {run} --by 王五 --ledger @ledger.db"));
    }

    /// Every file of a paid month, by name.
    fn bytes(&self, month: usize) -> BTreeMap<String, Vec<u8>> {
        let folder = self.path(&format!("run-{}", world::period(month)));
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        entries.map(|path| (path.display().to_string(), fs::read(&path).unwrap())).collect()
    }

    /// Lines of a run folder by header.
    fn rows(&self, folder: &str, file: &str) -> Vec<BTreeMap<String, String>> {
        let mut reader = csv::Reader::from_path(self.path(folder).join(file)).unwrap();
        reader.deserialize().map(Result::unwrap).collect()
    }

    /// What the schedules of some run folders give each institution, item and source, carried money apart.
    fn entitled(&self, folders: impl Iterator<Item = String>) -> Money {
        let mut money = Money::new();
        for folder in folders {
            for row in self.rows(&folder, "schedule.csv") {
                if matches!(&*row["line_kind"], "ORIGINAL" | "REFUND" | "CORRECTION") {
                    let key = ["institution_id", "item", "source"].map(|name| row[name].clone());
                    let fen: i64 = row["payable_fen"].parse().unwrap();
                    *money.entry(key.into()).or_default() += fen;
                }
            }
        }
        money.retain(|_, fen| *fen != 0);
        money
    }

    /// One settlement of each month with the knowledge of the end, in order, so that a cap over the
    /// year is used up in order; nothing is closed, so nothing is corrected.
    fn final_knowledge(&self, world: &World, months: usize) -> Money {
        for month in 0..months {
            self.deliver(world, month, "final");
        }
        self.job("final.toml", "final", "");
        for month in 0..months {
            let period = world::period(month);
            let run = format!("@final-{period}");
            self.must(&format!(
                "run @final.toml --period {period} --out {run} --ledger @final/ledger.db \
                 --known-on 2027-12-31"
            ));
            for act in ["approve", "release"] {
                self.must(&format!("{act} {run} --by 李四 --ledger @final/ledger.db"));
            }
        }
        self.entitled((0..months).map(|month| format!("final-{}", world::period(month))))
    }

    /// No line of a closed month is refunded and corrected to the same amount.
    fn no_equal_pairs(&self, folder: &str) {
        for row in self.rows(folder, "corrections.csv") {
            assert_ne!(row["net_fen"], "0", "{row:?}");
            let fen: i64 = row["refund_fen"].parse().unwrap();
            assert!(fen <= 0, "{row:?}");
            assert!(["law", "delivery", "law+delivery", "earlier_month"].contains(&&*row["cause"]));
        }
    }

    /// Checks that the year of `months` paid what final knowledge gives; gives the fen still owed.
    fn check(&self, world: &World, months: usize) -> i64 {
        let runs = || (0..months).map(|month| format!("run-{}", world::period(month)));
        let found = self.entitled(runs());
        assert_eq!(found, self.final_knowledge(world, months));
        let (mut paid, mut owed) = (0, 0);
        for folder in runs() {
            self.no_equal_pairs(&folder);
            for row in self.rows(&folder, "payments.csv") {
                let fen: i64 = row["amount_fen"].parse().unwrap();
                assert!(fen > 0, "{row:?}");
                paid += fen;
            }
            for row in self.rows(&folder, "schedule.csv") {
                if row["line_kind"].starts_with("CARRY") {
                    owed += row["payable_fen"].parse::<i64>().unwrap();
                }
            }
        }
        // What went out is what is due, and what is owed still.
        assert_eq!(paid, found.values().sum::<i64>() + owed);
        owed
    }
}
