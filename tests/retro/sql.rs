//! The script of `audit sql` over months: what was paid before, corrections of closed months, what an
//! institution owes. `DuckDB` alone gives the same bytes.

use super::year::{Dice, event, notice};
use super::{Office, world, world::World};
use crate::audit::{duckdb_is_here, recomputed};
use std::collections::BTreeMap;
use tuoyu::audit::SCRIPT;

impl Office {
    /// Writes the script of a released month and lets it compute; the folder's name.
    pub(super) fn computes_again(&self, month: usize) -> String {
        let period = world::period(month);
        let out = format!("sql-{period}");
        self.must(&format!(
            "audit sql @run-{period} --out @{out} --job @job.toml --ledger @ledger.db"
        ));
        let (wrong, lines) = recomputed(&self.path(&out));
        assert_eq!((&period, wrong, lines > 10), (&period, Vec::new(), true));
        self.ties(&out, &format!("run-{period}"));
        out
    }

    /// What is expected of the script is what the schedule pays, to the fen.
    fn ties(&self, out: &str, run: &str) {
        let mut sums: [BTreeMap<Vec<String>, i64>; 2] = [BTreeMap::new(), BTreeMap::new()];
        let of_script = ["kind", "source_month", "institution_id", "item", "source", "amount_fen"];
        let of_schedule =
            ["line_kind", "source_period", "institution_id", "item", "source", "payable_fen"];
        let files = [(out, "recomputed.csv", of_script), (run, "schedule.csv", of_schedule)];
        for ((folder, file, names), sums) in files.into_iter().zip(&mut sums) {
            for row in self.rows(folder, file) {
                let key: Vec<String> = names[..5].iter().map(|name| row[*name].clone()).collect();
                *sums.entry(key).or_default() += row[names[5]].parse::<i64>().unwrap();
            }
            sums.retain(|_, fen| *fen != 0);
        }
        assert_eq!(sums[0], sums[1]);
    }

    /// Kinds of lines in what the script gives, with how many.
    pub(super) fn kinds(&self, out: &str) -> BTreeMap<String, usize> {
        let mut kinds = BTreeMap::new();
        for row in self.rows(out, "recomputed.csv") {
            *kinds.entry(row["kind"].clone()).or_default() += 1;
        }
        kinds
    }
}

#[test]
fn corrections_compute_again_and_a_wrong_rounding_shows() {
    if !duckdb_is_here() {
        return;
    }
    let (mut office, mut world) = (Office::new(), World::new(2));
    // A third of a rate has something to round.
    let pack = include_str!("pack.toml");
    let thirds = pack.replace("coalesce(slots_open, 0)", "coalesce(slots_open, 0) / 3");
    assert_ne!(pack, thirds);
    office.write("pack/pack.toml", &thirds);
    office.deliver(&world, 0, "in");
    office.pay(0);
    world.stay(0, 10).unwrap().days = 3;
    world.months[0].slots.insert(2, 5);
    for table in ["attendance", "slots"] {
        office.deliver_late(&world, 0, table, "2026-02-20");
    }
    office.deliver(&world, 1, "in");
    office.release(1);
    // The cap of the institution binds: its other children share what the first no longer takes. The
    // other correction is of a slot.
    assert_eq!(office.rows("run-2026-02", "corrections.csv").len(), 7);
    let out = office.computes_again(1);
    let kinds = office.kinds(&out);
    assert!(kinds["REFUND"] >= 3 && kinds["CORRECTION"] >= 3, "{kinds:?}");
    let script = std::fs::read_to_string(office.path(&out).join(SCRIPT)).unwrap();
    // A wrong rounding of the closed month or of the month at hand, another order of remainders, a
    // line that was never paid, a year that begins late: each is seen.
    let (closed, own) = script.split_at(script.find("\n-- 2026-02\n").unwrap());
    let closed_wrong = closed.replace(", 'half_up')", ", 'floor')");
    assert_ne!(closed, closed_wrong);
    let own_wrong = own.replace(", 'half_up')", ", 'floor')");
    assert_ne!(own, own_wrong);
    let mut wrongs = vec![closed_wrong + own, closed.to_owned() + &own_wrong];
    for (is, not) in [
        ("ORDER BY rest DESC, i)", "ORDER BY rest, i DESC)"),
        ("period = '2026-01'", "period = '2025-12'"),
    ] {
        let wrong = script.replace(is, not);
        assert_ne!(script, wrong, "{is}");
        wrongs.push(wrong);
    }
    for (at, wrong) in wrongs.iter().enumerate() {
        std::fs::write(office.path(&out).join(SCRIPT), wrong).unwrap();
        let found = recomputed(&office.path(&out)).0;
        assert!(found.contains(&"recomputed.csv"), "mistake {at} goes unseen");
    }
}

/// Where a job reads the budget of each month.
const BUDGET: &str = "[inputs.budget]\nfile = \"{period}/budget.csv\"\n";

/// Kinds of lines, with how many.
type Kinds = BTreeMap<String, usize>;

/// A year of late facts of every kind, notices with effect in the past, and an institution that leaves
/// and owes: the script of each month, while it is new. `budget` is the budget of every month.
fn each_month_computes_again(office: &mut Office, months: usize, seed: u64, budget: &str) -> Kinds {
    let (mut world, mut dice) = (World::new(months), Dice(seed));
    if !budget.is_empty() {
        office.late = String::from(BUDGET);
    }
    let mut kinds = Kinds::new();
    for month in 0..months {
        let received = format!("{}-05", world::period(month + 1));
        // Institution 6 leaves in April, and March turns out to have been too much.
        if month >= 3 {
            let truth = &mut world.months[month];
            truth.stays.retain(|stay| stay.institution != 6);
            truth.slots.remove(&6);
            truth.inclusive.remove(&6);
            // Institution 5 stays and is inclusive no longer.
            truth.inclusive.insert(5, false);
        }
        if month == 4 {
            world.months[2].stays.retain(|stay| stay.institution != 6);
            for table in ["enrolments", "attendance"] {
                office.deliver_late(&world, 2, table, &received);
            }
        }
        let of = "supersedes = { known_from = 2025-12-20, until = \"open\" }\n";
        if month == 3 {
            let day = "id = \"rate.day\"\nunit = \"yuan/day\"\nvalue = \"15.01\"\n";
            notice(office, 2, "2026-04-20", "2026-02-01", &format!("{day}{of}"));
        }
        if month == 5 {
            let slot = "id = \"rate.slot\"\nunit = \"yuan/slot/month\"\nvalue = \"17.77\"\n";
            notice(office, 3, "2026-06-25", "2026-03-01", &format!("{slot}{of}"));
        }
        for _ in 0..if month == 0 { 0 } else { 4 } {
            let past = usize::try_from(dice.roll(month as u64)).unwrap();
            for table in event(&mut world, past, &mut dice) {
                office.deliver_late(&world, past, table, &received);
            }
        }
        office.deliver(&world, month, "in");
        if !budget.is_empty() {
            office.write(&format!("in/{}/budget.csv", world::period(month)), budget);
        }
        office.release(month);
        let out = office.computes_again(month);
        for (kind, count) in office.kinds(&out) {
            *kinds.entry(kind).or_default() += count;
        }
        office.close(month);
    }
    kinds
}

fn has(kinds: &Kinds, wanted: &[&str]) {
    for kind in wanted {
        assert!(kinds.get(*kind).is_some_and(|count| *count > 0), "{kind} in {kinds:?}");
    }
}

#[test]
fn every_month_of_a_year_of_late_facts_computes_again() {
    if duckdb_is_here() {
        let kinds = each_month_computes_again(&mut Office::new(), 7, 2026, "");
        has(&kinds, &["ORIGINAL", "REFUND", "CORRECTION", "CARRY_IN", "CARRY_OUT"]);
    }
}

impl Office {
    /// An office under the pack with more rules.
    fn under(rules: &[&str]) -> Self {
        let office = Self::new();
        let pack = include_str!("pack.toml").to_owned() + &rules.concat();
        office.write("pack/pack.toml", &pack);
        office
    }
}

const MONTHS: &str = include_str!("months.toml");

/// Edits of a script, each of which must be seen: what stands there, what is put in its place.
const EDITS: [(&str, &str); 6] = [
    // Months that were paid nothing count as paid; the other item is not deducted.
    ("HAVING sum(fen) > 0", "HAVING sum(fen) > 9999999"),
    ("'less' AS what", "'none' AS what"),
    // The quarter begins a month late; an instalment is paid where none is due.
    (">= '2026-04' AND", ">= '2026-05' AND"),
    ("WHEN nothing THEN 0", "WHEN nothing THEN 1"),
    // More is taken back than was paid; the past of a line is what was first paid of it.
    ("-greatest(given - (taken - back), 0)", "-999999999"),
    ("max(run) OVER", "min(run) OVER"),
];

/// Quantities, the first months of a child, instalments, a wash-up and what is taken back, in closed
/// months settled again and after them.
#[test]
fn rules_over_months_compute_again_in_closed_months() {
    if !duckdb_is_here() {
        return;
    }
    let mut office = Office::under(&[MONTHS]);
    let kinds = each_month_computes_again(&mut office, 5, 7, "");
    has(&kinds, &["ORIGINAL", "INSTALMENT", "CLAWBACK", "REFUND", "CORRECTION", "CARRY_OUT"]);
    for (right, wrong) in EDITS {
        // Seen in the last month, or in the one before.
        let seen = ["sql-2026-05", "sql-2026-04"].into_iter().any(|out| {
            let path = office.path(out).join(SCRIPT);
            let script = std::fs::read_to_string(&path).unwrap();
            assert!(script.contains(right), "{right} is not in the script of {out}");
            std::fs::write(&path, script.replace(right, wrong)).unwrap();
            let found = recomputed(&office.path(out)).0;
            std::fs::write(&path, script).unwrap();
            !found.is_empty()
        });
        assert!(seen, "{right} -> {wrong} is unseen");
    }
}

const SHORT: &str = "
[[shortage]]
id = \"budget\"
clause = \"六\"
effective_from = 2026-01-01
limit = \"budget\"
";

/// A short budget of several lines a source; debts are taken back by halves.
#[test]
fn past_cuts_and_debts_by_budget_line_compute_again() {
    if !duckdb_is_here() {
        return;
    }
    let offset = "[[offset]]\nid = \"half\"\nclause = \"六\"\neffective_from = 2026-01-01\n";
    let rules = [SHORT, "method = \"prorata\"\n", offset, "share = \"1/2\"\n"];
    let budget = "budget_doc_no,source,amount,balance,fiscal_year\n\
                  B1,省,9000,300.01,2026\nB2,省,9000,1200.02,2026\nB3,市,9000,2000,2026\n\
                  B4,区,9000,700.05,2026\nB5,区,9000,900,2026\n";
    let kinds = each_month_computes_again(&mut Office::under(&rules), 6, 11, budget);
    has(&kinds, &["ORIGINAL", "REFUND", "CORRECTION", "CARRY_IN", "CARRY_OUT"]);
    let restored = [SHORT, "method = \"prorata\"\nrestore = true\n", MONTHS];
    let kinds = each_month_computes_again(&mut Office::under(&restored), 4, 12, budget);
    has(&kinds, &["ORIGINAL", "REFUND", "CORRECTION", "CARRY_IN", "CARRY_OUT"]);
}

/// What a short budget carries to the next period beside corrections.
#[test]
fn what_a_short_budget_carried_computes_again() {
    if duckdb_is_here() {
        let offset = "[[offset]]\nid = \"most\"\nclause = \"六\"\neffective_from = 2026-01-01\namount = \"60\"\n";
        let rules = [SHORT, "method = \"carry\"\norder = [\"institution_id\"]\n", offset, MONTHS];
        let budget = "budget_doc_no,source,amount,balance,fiscal_year\n\
                      B1,省,9000,1900,2026\nB3,市,9000,2000,2026\nB4,区,9000,2500.05,2026\n";
        let kinds = each_month_computes_again(&mut Office::under(&rules), 5, 13, budget);
        has(&kinds, &["ORIGINAL", "REFUND", "CORRECTION", "CARRY_IN", "CARRY_OUT"]);
    }
}

#[test]
fn what_the_script_cannot_say_is_named() {
    let rules = [SHORT, "method = \"carry\"\norder = [\"institution_id\"]\n"];
    let (mut office, mut world) = (Office::under(&rules), World::new(2));
    office.late = String::from(BUDGET);
    for month in [0, 1] {
        if month == 1 {
            world.stay(0, 10).unwrap().days = 3;
            world.stay(0, 20).unwrap().until = 9;
            for table in ["enrolments", "attendance"] {
                office.deliver_late(&world, 0, table, "2026-02-20");
            }
        }
        office.deliver(&world, month, "in");
        let budget = "budget_doc_no,source,amount,balance,fiscal_year\n\
                      B1,省,9000,300,2026\nB2,省,9000,900,2026\n";
        office.write(&format!("in/{}/budget.csv", world::period(month)), budget);
        office.release(month);
        if month == 0 {
            office.close(month);
        }
    }
    let (exit, _, said) = office
        .tuoyu("audit sql @run-2026-02 --out @sql --job @job.toml --ledger @ledger.db --lang en");
    assert_eq!(exit, 1, "{said}");
    assert!(said.contains("offsets over several budget lines beside what"), "{said}");
    assert!(!office.path("sql").exists());
}
