//! Columns made from the rows of a group, on deliveries drawn at random: the SQL gives the same, and
//! so do the same rows in another order.

use super::{duckdb_is_here, recomputed};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use tuoyu::audit;
use tuoyu::domain::Silent;
use tuoyu::job::{self, Overrides};
use tuoyu::settle::{Settled, compute};

const HEAD: &str = "institution_id,child_ref,seq,seen_on,hours,absent,most,divisor";
const REGISTER: &str =
    "institution_id,name,filed_from\nI1,甲,2024-01-01\nI2,乙,2024-01-01\nI3,丙,2024-01-01\n";

/// Numbers in sequence, the same on every machine.
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 33) % bound
    }
}

/// Rows that often tie, lack values, and now and then have none to give.
fn visits(draw: &mut Draw, count: u64) -> Vec<String> {
    let of = |row: u64| {
        // One institution has rows that are divided by nothing.
        let institution = 1 + draw.below(3);
        let seq = if draw.below(6) == 0 { String::new() } else { (row / 2).to_string() };
        let day = match draw.below(12) {
            0 => String::new(),
            day => format!("2026-{:02}-{:02}", 7 + draw.below(3), day * 2),
        };
        let absent = if draw.below(4) == 0 { "true" } else { "false" };
        let divisor = if institution == 3 { draw.below(9) } else { 1 + draw.below(3) };
        format!(
            "I{institution},C{},{seq},{day},{}.{},{absent},{}.{:02},{divisor}",
            draw.below(12),
            draw.below(5),
            ["0", "5", "25"][usize::try_from(draw.below(3)).expect("small")],
            draw.below(20),
            draw.below(100)
        )
    };
    (0..count).map(of).collect()
}

fn settled(folder: &Path, rows: &[String]) -> Settled {
    let write = |name: &str, text: &str| {
        std::fs::write(folder.join(name), text).expect("written");
    };
    write("institutions.csv", REGISTER);
    write("visits.csv", &format!("{HEAD}\n{}\n", rows.join("\n")));
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut text =
        "id = \"drawn\"\nperiod = \"2026-09\"\nledger = \"none\"\nworkbooks = false\n".to_owned();
    for (key, path) in [
        ("packs", "tests/rules/packs/within"),
        ("reference", "data/reference"),
        ("key_file", "data/reference/keys/demo.key"),
    ] {
        let path = format!("{:?}", root.join(path).display().to_string());
        let path = if key == "packs" { format!("[{path}]") } else { path };
        let _ = writeln!(text, "{key} = {path}");
    }
    let _ = writeln!(text, "input = {:?}", folder.display().to_string());
    for table in ["institutions", "visits"] {
        let _ = writeln!(text, "[inputs.{table}]\nfile = \"{table}.csv\"");
    }
    write("job.toml", &text);
    let job = job::read(&folder.join("job.toml"), &Overrides::default()).expect("a job");
    compute(&job, None, &mut Silent).expect("a settlement")
}

/// Amounts and reasons of every item by what the rows say, in no order of rows.
fn amounts(settled: &Settled) -> BTreeMap<String, Vec<(i64, String)>> {
    let month = &settled.months[0];
    let mut all: BTreeMap<String, Vec<(i64, String)>> = BTreeMap::new();
    for lines in &month.entitlements.items {
        let frame = month.frames.get(&lines.basis).expect("rows");
        for row in 0..frame.rows {
            let mut key = lines.item.to_string();
            for name in ["institution_id", "child_ref", "seq", "seen_on", "hours", "absent"] {
                let cell = frame.get(name).map(|stored| stored.cell(row));
                let _ = write!(key, " {cell:?}");
            }
            let reason = month.entitlements.reasons.text(u32::from(lines.reason[row]));
            all.entry(key).or_default().push((lines.allocated[row], reason.to_owned()));
        }
    }
    for list in all.values_mut() {
        list.sort();
    }
    all
}

#[test]
fn what_the_rows_of_groups_make_computes_again_in_any_order() {
    let mut draw = Draw(20_260_911);
    for count in [1, 40, 160] {
        let mut rows = visits(&mut draw, count);
        let folder = tempfile::tempdir().expect("a folder");
        let first = settled(folder.path(), &rows);
        for at in (1..rows.len()).rev() {
            let other = draw.below(at as u64 + 1);
            rows.swap(at, usize::try_from(other).expect("small"));
        }
        let again = tempfile::tempdir().expect("a folder");
        let shuffled = settled(again.path(), &rows);
        let told = amounts(&first);
        let lines: usize = told.values().map(Vec::len).sum();
        assert!(lines > 20 * rows.len(), "{lines} lines of {count} rows");
        assert_eq!(told, amounts(&shuffled), "{count} rows");
        if duckdb_is_here() {
            let out = folder.path().join("audit");
            audit::sql(&first, &out).expect("written");
            assert_eq!(recomputed(&out).0, Vec::<&str>::new(), "{count} rows");
        }
    }
}
