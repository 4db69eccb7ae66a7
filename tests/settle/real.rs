//! The public register of infant centres (`../shared/data/infant_centres`), month by month. What is
//! expected is computed here from the file itself, in a few lines of another kind.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use tuoyu::domain::{Basis, Cell, Frame, Month, Silent};
use tuoyu::job::{LedgerChoice, Overrides};
use tuoyu::settle::{Settled, compute};
use tuoyu::subsidy::LineStatus;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The months of the register, or a printed reason why there are none.
fn months() -> Vec<(Month, PathBuf)> {
    let folder = root().join("../shared/data/infant_centres");
    let Ok(entries) = std::fs::read_dir(&folder) else {
        eprintln!("skipped: {} is not there", folder.display());
        return Vec::new();
    };
    let mut found: Vec<(Month, PathBuf)> = entries
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "csv"))
        .map(|path| {
            let stem = path.file_stem().expect("a name").to_string_lossy().into_owned();
            (Month::parse(&stem).expect("a month"), path)
        })
        .collect();
    found.sort();
    found
}

fn settle(month: Month, path: &Path) -> Settled {
    let overrides = Overrides {
        period: Some(month),
        input: Some(path.to_path_buf()),
        ledger: Some(LedgerChoice::None),
        ..Overrides::default()
    };
    // The job's paths are relative to the checkout; so is this test's working directory.
    let job = tuoyu::job::read(&root().join("jobs/register.toml"), &overrides).expect("a job");
    compute(&job, None, &mut Silent).unwrap_or_else(|error| panic!("{month}: {error}"))
}

type Row = BTreeMap<String, String>;

fn rows(path: &Path) -> Vec<Row> {
    let bytes = std::fs::read(path).expect("a file");
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&bytes);
    csv::Reader::from_reader(bytes).deserialize().map(|row| row.expect("a row")).collect()
}

/// The fee of full-day care in a text of fees.
fn fee(row: &Row) -> Option<i64> {
    let text = &row["收費情形"];
    let part = text.split(';').find(|part| part.starts_with("日間托育/托育費="))?;
    let digits: String =
        part.chars().skip_while(|c| *c != '=').skip(1).take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

/// What the law reads of a centre: two rows of one centre that differ in it contradict each other.
fn read(row: &Row) -> (String, String, String, String, String, Option<i64>) {
    let of = |name: &str| row[name].trim().to_owned();
    (of("核定收托"), of("實際收托"), of("準公共化資格"), of("評鑑等級"), of("違規筆數"), fee(row))
}

fn text(frame: &Frame, name: &str, row: usize) -> String {
    match frame.get(name).map(|stored| stored.cell(row)) {
        Some(Cell::Text(text)) => text,
        other => panic!("{name} of row {row} is {other:?}"),
    }
}

#[test]
fn every_row_of_the_register_is_paid_or_has_a_reason() {
    for (month, path) in months() {
        let file = rows(&path);
        let mut centres: BTreeMap<&str, BTreeSet<_>> = BTreeMap::new();
        for row in &file {
            centres.entry(row["id"].trim()).or_default().insert(read(row));
        }
        let fees: BTreeMap<&str, bool> =
            file.iter().map(|row| (row["id"].trim(), fee(row).is_some())).collect();
        let settled = settle(month, &path);
        let settled_month = &settled.months[0];
        let frame = settled_month.frames.get(&Basis::Institution).expect("institutions");
        let table = &settled.tables.by_name["institutions"];
        assert_eq!(table.rows_read, file.len() as u64, "{month}");
        assert_eq!(frame.rows as u64 + table.rows_refused, file.len() as u64, "{month}");
        let reasons = &settled_month.entitlements.reasons;
        let mut paid_centres = 0;
        for lines in &settled_month.entitlements.items {
            let mut paid: BTreeSet<String> = BTreeSet::new();
            assert_eq!(lines.status.len(), frame.rows, "{month}");
            for row in 0..frame.rows {
                let id = text(frame, "institution_id", row);
                let reason = reasons.text(u32::from(lines.reason[row]));
                let place = format!("{month} {} {id}: {reason}", lines.item);
                match lines.status[row] {
                    LineStatus::Absent => panic!("{place}: no line"),
                    LineStatus::Paid => {
                        assert!(lines.amount[row] > 0 && reason.is_empty(), "{place}");
                        assert_eq!(centres[id.as_str()].len(), 1, "{place}: rows contradict");
                        assert!(fees[id.as_str()], "{place}: no fee");
                        assert!(paid.insert(id), "{place}: paid twice");
                    }
                    LineStatus::Zero | LineStatus::Refused => {
                        assert!(lines.amount[row] == 0 && !reason.is_empty(), "{place}");
                        // Told apart: rows that contradict are refused for that, whatever else is wrong.
                        let contradicts = centres[id.as_str()].len() > 1;
                        assert_eq!(reason == "listed_contradicts", contradicts, "{place}");
                        if reason == "fee_missing" {
                            assert!(!fees[id.as_str()], "{place}");
                        }
                    }
                }
            }
            paid_centres += paid.len();
        }
        assert!(paid_centres > 500, "{month}: {paid_centres} centres paid");
    }
}

#[test]
fn the_amounts_of_the_register_follow_from_its_rows() {
    for (month, path) in months() {
        let mut expected: BTreeMap<String, i64> = BTreeMap::new();
        let mut groups: BTreeMap<String, BTreeSet<_>> = BTreeMap::new();
        for row in rows(&path) {
            groups.entry(row["id"].trim().to_owned()).or_default().insert(read(&row));
        }
        for (id, group) in &groups {
            let (1, Some((slots, enrolled, status, grade, violations, Some(_)))) =
                (group.len(), group.first())
            else {
                continue;
            };
            let number = |text: &str| text.parse::<i64>().unwrap_or_else(|e| panic!("{text}: {e}"));
            if status != "是" || number(violations) != 0 {
                continue;
            }
            let (slots, enrolled) = (number(slots), number(enrolled));
            let rate = match grade.as_str() {
                "優等" => 600,
                "甲等" => 500,
                "乙等" => 400,
                _ => 300,
            };
            // 第六条: 1,500 a child; 第七条: a rate a slot from 60 % of the slots taken; in hundredths.
            let by_slots = if enrolled * 10 >= slots * 6 { rate * slots } else { 0 };
            let amount = (1500 * enrolled + by_slots) * 100;
            if amount > 0 {
                expected.insert(id.clone(), amount);
            }
        }
        let settled = settle(month, &path);
        let mut found: BTreeMap<String, i64> = BTreeMap::new();
        for line in &settled.schedule.lines {
            let payee = &settled.schedule.payees[line.payee as usize];
            *found.entry(payee.institution_id.to_string()).or_default() += line.payable_fen;
        }
        assert_eq!(found, expected, "{month}");
    }
}

#[test]
fn fees_outside_the_band_are_told_with_their_money() {
    for (month, path) in months() {
        let mut above: BTreeMap<String, i64> = BTreeMap::new();
        let mut groups: BTreeMap<String, BTreeSet<_>> = BTreeMap::new();
        for row in rows(&path) {
            groups.entry(row["id"].trim().to_owned()).or_default().insert(read(&row));
        }
        for (id, group) in &groups {
            let (1, Some((_, _, _, grade, _, Some(fee)))) = (group.len(), group.first()) else {
                continue;
            };
            let benchmark = match grade.as_str() {
                "優等" => 20_000,
                "甲等" => 19_000,
                "乙等" => 18_000,
                "丙等" => 17_000,
                _ => 16_000,
            };
            // A tenth above is allowed, rounded down to the unit.
            let ceiling = benchmark * 11 / 10;
            if *fee > ceiling {
                above.insert(id.clone(), (fee - ceiling) * 100);
            }
        }
        let settled = settle(month, &path);
        let found: BTreeMap<String, i64> = settled
            .findings
            .iter()
            .filter(|finding| finding.code.name() == "fee_above_ceiling")
            .map(|finding| {
                let money = finding.money.unwrap_or_else(|| panic!("{month}: no money"));
                (finding.institution_id.clone(), money.0)
            })
            .collect();
        assert_eq!(found, above, "{month}");
        assert!(!above.is_empty(), "{month}");
    }
}
