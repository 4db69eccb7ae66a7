//! Late deliveries: which version a month sees, as known on which day.

use super::{Office, contents};
use std::fs;

/// A late delivery in a job.
pub(super) fn late(file: &str, received_on: &str, first: &str, last: &str) -> String {
    format!(
        "\n[[late]]\ntable = \"attendance\"\nfile = \"{file}\"\nreceived_on = {received_on}\n\
         complete_for = [\"{first}\", \"{last}\"]\n"
    )
}

/// Three versions of September's attendance after the first.
fn versions(office: &Office) -> String {
    // A 12 days, B no more in it: 120 yuan. Then 8 and 8: 160. Then, the same day, 1 and 1: 20.
    office.attendance("late/one.csv", &[("A", "2026-09", 12)]);
    office.attendance("late/two.csv", &[("A", "2026-09", 8), ("B", "2026-09", 8)]);
    office.attendance("late/three.csv", &[("A", "2026-09", 1), ("B", "2026-09", 1)]);
    [
        late("late/one.csv", "2026-10-20", "2026-09", "2026-09"),
        late("late/two.csv", "2026-10-25", "2026-07", "2026-09"),
        late("late/three.csv", "2026-10-25", "2026-09", "2026-12"),
        // Neither holds September.
        late("late/one.csv", "2026-10-26", "2026-07", "2026-08"),
        late("late/one.csv", "2026-10-26", "2026-10", "2026-12"),
    ]
    .concat()
}

#[test]
fn the_delivery_received_last_by_then_is_read_and_replaces_wholly() {
    let office = Office::new();
    office.job(&versions(&office));
    for (known_on, payable) in [
        ("2026-10-10", 15_000),
        ("2026-10-19", 15_000),
        ("2026-10-20", 12_000),
        ("2026-10-24", 12_000),
        ("2026-10-25", 2_000),
        ("2026-10-26", 2_000),
    ] {
        let (_, found) = office.settle("2026-09", &format!("--known-on {known_on}"));
        assert_eq!(found, payable, "{known_on}");
    }
    // What the late file no longer has was withdrawn: B came without attendance.
    let office = Office::new();
    office.job(&versions(&office));
    let report = office.run("--period 2026-09 --out run-2026-09 --known-on 2026-10-20");
    assert_eq!(report["refused_by_reason"]["attendance_missing"], 1, "{report}");
}

#[test]
fn a_past_day_gives_the_bytes_of_then() {
    let office = Office::new();
    let (then, _) = office.settle("2026-09", "");
    let published = contents(&office.path("run-2026-09"));
    let archived = office.archive().recipe(&then).unwrap();
    // Later deliveries come in; the job lists them.
    office.job(&versions(&office));
    let again = office.run("--period 2026-09 --out run-again --ledger none --known-on 2026-10-10");
    assert_eq!(again["run_id"], then.as_str());
    assert_eq!(contents(&office.path("run-again")), published);
    // Known later it is another run, with the late file archived as a version of its own.
    let (later, _) = office.settle("2026-09", "--known-on 2026-10-25");
    assert_ne!(later, then);
    let recipe = office.archive().recipe(&later).unwrap();
    assert_eq!(recipe.late.len(), 3, "those received by then");
    assert_eq!(recipe.tables, archived.tables, "the first delivery stands beside");
    office.forget();
    for run in [then, later] {
        let (exit, said) = office.rerun(&run);
        assert_eq!(exit, 0, "{said}");
    }
}

#[test]
fn months_of_one_period_read_each_their_own_version() {
    let office = Office::new();
    let quarter =
        include_str!("pack.toml").replace("settlement = \"month\"", "settlement = \"quarter\"");
    office.write("pack/pack.toml", &quarter);
    let days = [("A", "2026-07", 1), ("A", "2026-08", 2), ("A", "2026-09", 4), ("B", "2026-09", 8)];
    office.attendance("attendance.csv", &days);
    // August corrected: A 20 days and B 3. What it says of September is outside its months.
    office
        .attendance("late.csv", &[("A", "2026-08", 20), ("B", "2026-08", 3), ("A", "2026-09", 9)]);
    let (plain, payable) = office.settle("2026-09", "--known-on 2026-11-01");
    assert_eq!(payable, 10 * 100 * (1 + 2 + 4 + 8));
    office.job(&late("late.csv", "2026-10-20", "2026-08", "2026-08"));
    let (run, payable) = office.settle("2026-09", "--known-on 2026-11-01");
    assert_eq!(payable, 10 * 100 * (1 + 20 + 3 + 4 + 8));
    assert_ne!(run, plain);
    let table = fs::read_to_string(office.path("run-2026-09/control.csv")).unwrap();
    // Four rows and three were read; used are 1 + 2 of the first by July and September, two by August.
    let row = table.lines().find(|line| line.contains(",attendance,")).unwrap();
    let header = table.trim_start_matches('\u{feff}').lines().next().unwrap();
    let value = |name: &str| {
        let at = header.split(',').position(|column| column == name).unwrap();
        row.split(',').nth(at).unwrap().to_owned()
    };
    let found = ["rows_read", "rows_used", "rows_unused"].map(value);
    assert_eq!(found, ["7", "5", "2"].map(str::to_owned), "{row}");
    // Each line names the file its month was read from.
    let (exit, out, err) = office.tuoyu(
        "explain run-2026-09 --job job.toml --ledger ledger.db --institution I1 --child B \
         --month 2026-08 --lang en",
    );
    assert_eq!(exit, 0, "{err}");
    assert!(out.contains("from late.csv record 2"), "{out}");
    office.forget();
    let (exit, said) = office.rerun("run-2026-09 --threads 2");
    assert_eq!(exit, 0, "{said}");
}

#[test]
fn a_delivery_received_too_late_was_not_there() {
    let office = Office::new();
    let own = "[inputs.attendance]\nfile = \"attendance.csv\"\nreceived_on = 2026-10-11\n";
    office.job(own);
    let run = "run job.toml --ledger ledger.db --out run-2026-09 --lang en";
    let (exit, _, err) = office.tuoyu(run);
    assert_eq!(exit, 1, "{err}");
    assert!(
        err.contains(
            "inputs.attendance: the delivery was received on 2026-10-11, after 2026-10-10"
        ),
        "{err}"
    );
    assert!(!office.path("run-2026-09").exists() && !office.path("ledger.db").exists());
    office.job(&format!("{own}optional = true\n"));
    let (run, payable) = office.settle("2026-09", "");
    assert_eq!(payable, 0, "nobody attended as far as anybody knew");
    assert_eq!(office.rerun(&run).0, 0, "an absent table stays absent");
    assert_eq!(office.settle("2026-09", "--known-on 2026-10-11").1, 15_000);
    // A late delivery that was there first takes its place.
    office.attendance("early.csv", &[("A", "2026-09", 3)]);
    office.job(&(own.to_owned() + &late("early.csv", "2026-10-09", "2026-09", "2026-09")));
    assert_eq!(office.settle("2026-09", "--known-on 2026-10-10").1, 3_000);
    assert_eq!(office.settle("2026-09", "--known-on 2026-10-11").1, 15_000);
}

#[test]
fn a_late_delivery_is_read_as_its_table_is_unless_it_says_otherwise() {
    let office = Office::new();
    office.write("in/attendance.csv", "孩子,institution_id,period,days\nA,I1,2026-09,10\n");
    office.write("in/b.csv", "孩子,institution_id,period,days\nA,I1,2026-09,2\n");
    office.write("in/c.csv", "child_ref,institution_id,period,d\nA,I1,2026-09,3\n");
    let own = "[inputs.attendance]\nfile = \"attendance.csv\"\n\
               headers = { \"孩子\" = \"child_ref\", days = \"days_attended\" }\n";
    let second = late("b.csv", "2026-10-05", "2026-09", "2026-09");
    office.job(&format!("{own}{second}"));
    assert_eq!(office.settle("2026-09", "").1, 2_000);
    let third = late("c.csv", "2026-10-06", "2026-09", "2026-09");
    office.job(&format!("{own}{second}{third}headers = {{ d = \"days_attended\" }}\n"));
    let (run, payable) = office.settle("2026-09", "");
    assert_eq!(payable, 3_000);
    office.forget();
    assert_eq!(office.rerun(&run).0, 0);
}

#[test]
fn mistakes_in_a_late_delivery_are_told() {
    let office = Office::new();
    office.attendance("late.csv", &[]);
    let whole = late("late.csv", "2026-10-20", "2026-09", "2026-09");
    for (from, to, part) in [
        ("received_on = 2026-10-20\n", "", "late.received_on is missing; expected the day"),
        ("complete_for = [\"2026-09\", \"2026-09\"]\n", "", "late.complete_for is missing"),
        ("file = \"late.csv\"\n", "", "late.file is missing"),
        ("late.csv", "gone.csv", "gone.csv does not exist"),
        ("late.csv", "gone*.csv", "expected at least one file that is there"),
        ("\"attendance\"", "\"attendence\"", "did you mean \"attendance\"?"),
        ("table = \"attendance\"\n", "", "late.table is missing"),
        ("received_on", "recieved_on", "unknown key \"late.recieved_on\""),
        ("[\"2026-09\", ", "[\"2026-10\", ", "lies before"),
    ] {
        office.job(&whole.replace(from, to));
        let (exit, _, err) = office.tuoyu("run job.toml --ledger ledger.db --out run-x --lang en");
        assert_eq!(exit, 2, "{to}: {err}");
        assert!(err.contains(part), "{to}: {err}");
    }
}
