//! Cases of the policy packs (`tests/rules/*.toml`), written by hand from clauses and published
//! figures: each is a small delivery and what the law makes of it. The format is in `README.md`.

mod days;

use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use tuoyu::domain::{Basis, Cell, Date, Frame, Month, Silent};
use tuoyu::job::{Job, Overrides};
use tuoyu::settle::{Settled, SettledMonth, compute};
use tuoyu::subsidy::{ItemLines, LineStatus};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cases {
    pack: String,
    known_on: Option<String>,
    case: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    #[serde(rename = "from")]
    _from: String,
    period: String,
    known_on: Option<String>,
    #[serde(default)]
    law: BTreeMap<String, String>,
    #[serde(default)]
    error: Option<String>,
    tables: BTreeMap<String, String>,
    #[serde(default)]
    expect: Vec<Expect>,
    #[serde(default)]
    sum: Vec<Sum>,
    #[serde(default)]
    source: Vec<Funded>,
    #[serde(default)]
    finding: Vec<Found>,
    #[serde(default)]
    fact: Vec<Fact>,
}

#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
struct Fact {
    basis: String,
    month: Option<String>,
    #[serde(default, rename = "where")]
    place: BTreeMap<String, String>,
    rows: Option<usize>,
    #[serde(default)]
    is: BTreeMap<String, String>,
}

#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
struct Expect {
    item: String,
    month: Option<String>,
    #[serde(rename = "where")]
    place: BTreeMap<String, String>,
    status: String,
    amount: Option<String>,
    allocated: Option<String>,
    reason: Option<String>,
}

#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
struct Sum {
    item: Option<String>,
    months: Option<Vec<String>>,
    institution: Option<String>,
    #[serde(default, rename = "where")]
    place: BTreeMap<String, String>,
    lines: Option<usize>,
    paid: Option<usize>,
    zero: Option<usize>,
    refused: Option<usize>,
    amount: Option<String>,
}

#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
struct Funded {
    institution: Option<String>,
    item: Option<String>,
    source: String,
    amount: String,
}

#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
struct Found {
    code: String,
    institution: String,
    count: Option<u64>,
    #[serde(default)]
    absent: bool,
}

/// Every file of cases, in the folder and the folders below it.
#[test]
fn every_case_of_the_packs() {
    let mut files = Vec::new();
    let mut folders = vec![root().join("tests/rules")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() && !path.ends_with("packs") {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "toml") {
                files.push(path);
            }
        }
    }
    files.sort();
    assert!(files.len() >= 4, "only {} files of cases", files.len());
    let failures: Vec<String> = files.iter().flat_map(|path| run(path)).collect();
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every case of a file, settled, with its name: for the recomputation in SQL.
pub(crate) fn settled(file: &str) -> Vec<(String, Settled)> {
    let path = root().join("tests/rules").join(file);
    let text = std::fs::read_to_string(path).expect("a file of cases");
    let cases: Cases = toml::from_str(&text).expect("cases");
    cases
        .case
        .iter()
        .filter(|case| case.error.is_none())
        .map(|case| (case.name.clone(), settle(&cases, case).expect("a settlement")))
        .collect()
}

/// What does not hold of a file's cases.
fn run(path: &Path) -> Vec<String> {
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let text = std::fs::read_to_string(path).expect("a file of cases");
    let cases: Cases = toml::from_str(&text).unwrap_or_else(|e| panic!("{name}: {e}"));
    let mut failures = Vec::new();
    for case in &cases.case {
        let wrong = match (settle(&cases, case), &case.error) {
            (Ok(settled), None) => differences(&settled, case),
            (Ok(_), Some(error)) => vec![format!("settled where it should say {error:?}")],
            (Err(found), Some(error)) if found.contains(error.as_str()) => Vec::new(),
            (Err(found), Some(error)) => {
                vec![format!("says {found}\nwhere {error:?} was expected")]
            }
            (Err(found), None) => vec![found],
        };
        failures.extend(wrong.iter().map(|text| format!("{name}, case {:?}: {text}", case.name)));
    }
    failures
}

fn differences(settled: &Settled, case: &Case) -> Vec<String> {
    let mut wrong = Vec::new();
    case.expect.iter().for_each(|e| wrong.extend(line(settled, e)));
    case.sum.iter().for_each(|s| wrong.extend(sum(settled, s)));
    case.source.iter().for_each(|s| wrong.extend(source(settled, s)));
    case.finding.iter().for_each(|f| wrong.extend(finding(settled, f)));
    case.fact.iter().for_each(|f| wrong.extend(fact(settled, f)));
    wrong
}

/// The folder of the pack, or a copy of it with the case's changes to its text.
fn pack(cases: &Cases, case: &Case, folder: &Path) -> PathBuf {
    let own = root().join("tests/rules/packs").join(&cases.pack);
    let shipped = root().join("data/policy").join(&cases.pack);
    let from = if own.exists() { own } else { shipped };
    if case.law.is_empty() {
        return from;
    }
    let copy = folder.join("pack");
    std::fs::create_dir(&copy).expect("a folder");
    let mut met = BTreeMap::new();
    for entry in std::fs::read_dir(&from).expect("a pack") {
        let path = entry.expect("an entry").path();
        let mut text = std::fs::read_to_string(&path).expect("a file of the pack");
        for (old, new) in &case.law {
            *met.entry(old).or_insert(0) += text.matches(old.as_str()).count();
            text = text.replace(old.as_str(), new);
        }
        std::fs::write(copy.join(path.file_name().expect("a name")), text).expect("written");
    }
    for (old, times) in met {
        assert_eq!(times, 1, "{}: {old:?} stands {times} times in the pack", case.name);
    }
    copy
}

/// Settles a case and hands back everything in memory.
fn settle(cases: &Cases, case: &Case) -> Result<Settled, String> {
    let folder = tempfile::tempdir().expect("a folder");
    let job = job_of(cases, case, folder.path(), "");
    compute(&job, None, &mut Silent).map_err(|error| error.to_string())
}

/// The job of one case of a file, its tables in a folder; with lines to add to the job.
pub(crate) fn job(file: &str, name: &str, folder: &Path, more: &str) -> Job {
    let path = root().join("tests/rules").join(file);
    let text = std::fs::read_to_string(path).expect("a file of cases");
    let cases: Cases = toml::from_str(&text).expect("cases");
    let case = cases.case.iter().find(|case| case.name == name).expect("a case");
    job_of(&cases, case, folder, more)
}

/// Writes the case's tables as files and reads the job that settles them.
fn job_of(cases: &Cases, case: &Case, folder: &Path, more: &str) -> Job {
    let mut inputs = String::new();
    for (table, text) in &case.tables {
        std::fs::write(folder.join(format!("{table}.csv")), text).expect("a table");
        let _ = writeln!(inputs, "[inputs.{table}]\nfile = \"{table}.csv\"");
    }
    let root = root();
    let shown = |path: PathBuf| toml::Value::from(path.display().to_string()).to_string();
    let period = Month::parse(&case.period).expect("a period");
    let known = case.known_on.as_ref().or(cases.known_on.as_ref());
    let known =
        known.map_or_else(|| period.plus(1).last(), |text| Date::parse_iso(text).expect("a date"));
    let job = format!(
        "id = \"case\"\nperiod = \"{period}\"\npacks = [{}]\nreference = {}\ninput = {}\n\
         key_file = {}\nknown_on = {known}\nledger = \"none\"\nworkbooks = false\n{more}\n{inputs}",
        shown(pack(cases, case, folder)),
        shown(root.join("data/reference")),
        shown(folder.to_path_buf()),
        shown(root.join("data/reference/keys/demo.key")),
    );
    let path = folder.join("job.toml");
    std::fs::write(&path, job).expect("a job");
    tuoyu::job::read(&path, &Overrides::default()).expect("a job")
}

fn month<'a>(settled: &'a Settled, text: Option<&str>) -> &'a SettledMonth {
    let period = settled.period.to_string();
    let wanted = text.unwrap_or(&period);
    settled.months.iter().find(|m| m.month.to_string() == wanted).expect("a month of the period")
}

fn shown(frame: &Frame, column: &str, row: usize) -> String {
    match frame.get(column).map(|stored| stored.cell(row)) {
        None => format!("no column {column}"),
        Some(Cell::Null) => String::new(),
        Some(Cell::Bool(value)) => value.to_string(),
        Some(Cell::Num(num, den)) if num % den == 0 => (num / den).to_string(),
        Some(Cell::Num(num, den)) => format!("{num}/{den}"),
        Some(Cell::Date(date)) => date.to_string(),
        Some(Cell::Text(text)) => text,
    }
}

/// Rows of an item's lines that match the named columns.
fn rows(month: &SettledMonth, lines: &ItemLines, place: &BTreeMap<String, String>) -> Vec<usize> {
    let Some(frame) = month.frames.get(&lines.basis) else { return Vec::new() };
    (0..lines.status.len())
        .filter(|row| lines.status[*row] != LineStatus::Absent)
        .filter(|row| place.iter().all(|(column, text)| shown(frame, column, *row) == *text))
        .collect()
}

fn fen(yuan: &str) -> i64 {
    let (whole, cents) = yuan.split_once('.').expect("yuan with two decimals");
    assert_eq!(cents.len(), 2, "{yuan}");
    let sign = if whole.starts_with('-') { -1 } else { 1 };
    whole.parse::<i64>().expect("yuan") * 100 + sign * cents.parse::<i64>().expect("fen")
}

fn line(settled: &Settled, expect: &Expect) -> Vec<String> {
    let month = month(settled, expect.month.as_deref());
    let Some(lines) = month.entitlements.items.iter().find(|l| *l.item == *expect.item) else {
        return vec![format!("no item {}", expect.item)];
    };
    let found = rows(month, lines, &expect.place);
    let [row] = found[..] else {
        return vec![format!("{} lines where one was expected: {expect:?}", found.len())];
    };
    let mut wrong = Vec::new();
    let mut check = |what: &str, want: Option<String>, got: String| {
        if want.as_ref().is_some_and(|want| *want != got) {
            wrong.push(format!("{what} {got} instead of {}: {expect:?}", want.unwrap_or_default()));
        }
    };
    let reason = month.entitlements.reasons.text(u32::from(lines.reason[row])).to_owned();
    check("status", Some(expect.status.clone()), lines.status[row].word().to_owned());
    check("reason", expect.reason.clone(), reason);
    let amount = |text: &Option<String>| text.as_deref().map(|yuan| fen(yuan).to_string());
    check("amount", amount(&expect.amount), lines.amount[row].to_string());
    check("allocated", amount(&expect.allocated), lines.allocated[row].to_string());
    wrong
}

fn sum(settled: &Settled, sum: &Sum) -> Vec<String> {
    let period = settled.period.to_string();
    let months = sum.months.clone().unwrap_or_else(|| vec![period]);
    let mut place = sum.place.clone();
    if let Some(institution) = &sum.institution {
        place.insert("institution_id".to_owned(), institution.clone());
    }
    let (mut counts, mut fen_sum) = (BTreeMap::<&str, usize>::new(), 0);
    for text in &months {
        let month = month(settled, Some(text));
        for lines in &month.entitlements.items {
            let rule = lines.rules.iter().flatten().next().expect("a rule");
            let meant = sum.item.as_ref().map_or(!rule.in_kind, |item| *lines.item == **item);
            if !meant || lines.basis == Basis::Programme {
                continue;
            }
            for row in rows(month, lines, &place) {
                *counts.entry(lines.status[row].word()).or_default() += 1;
                fen_sum += lines.amount[row];
            }
        }
    }
    let mut wrong = Vec::new();
    let total = counts.values().sum::<usize>();
    for (what, want, got) in [
        ("lines", sum.lines, total),
        ("paid", sum.paid, counts.get("paid").copied().unwrap_or(0)),
        ("zero", sum.zero, counts.get("zero").copied().unwrap_or(0)),
        ("refused", sum.refused, counts.get("refused").copied().unwrap_or(0)),
    ] {
        if want.is_some_and(|want| want != got) {
            wrong.push(format!("{what} {got}: {sum:?}"));
        }
    }
    if sum.amount.as_deref().is_some_and(|yuan| fen(yuan) != fen_sum) {
        wrong.push(format!("amount {fen_sum} fen: {sum:?}"));
    }
    wrong
}

fn source(settled: &Settled, wanted: &Funded) -> Vec<String> {
    let month = month(settled, None);
    let institutions = month.frames.get(&Basis::Institution).expect("institutions");
    let found: i64 = month
        .allocation
        .cells
        .iter()
        .filter(|cell| {
            let item = &month.entitlements.items[cell.item as usize].item;
            let id = shown(institutions, "institution_id", cell.institution as usize);
            wanted.institution.as_ref().is_none_or(|wanted| id == *wanted)
                && *month.allocation.sources[cell.source as usize] == *wanted.source
                && wanted.item.as_ref().is_none_or(|id| **item == **id)
        })
        .map(|cell| cell.fen)
        .sum();
    if found == fen(&wanted.amount) { Vec::new() } else { vec![format!("{found} fen: {wanted:?}")] }
}

fn finding(settled: &Settled, wanted: &Found) -> Vec<String> {
    let found: u64 = settled
        .findings
        .iter()
        .filter(|f| f.code.name() == wanted.code && f.institution_id == wanted.institution)
        .map(|f| f.count)
        .sum();
    let right = match wanted.count {
        Some(count) => found == count,
        None => (found == 0) == wanted.absent,
    };
    if right { Vec::new() } else { vec![format!("counted {found}: {wanted:?}")] }
}

/// Rows of a basis that match, and what stands in their columns; with `is`, exactly one must match
/// unless `rows` says how many.
fn fact(settled: &Settled, wanted: &Fact) -> Vec<String> {
    let month = month(settled, wanted.month.as_deref());
    let Some(frame) = month.frames.get(&Basis::parse(&wanted.basis)) else {
        return vec![format!("no rows of the basis: {wanted:?}")];
    };
    let found: Vec<usize> = (0..frame.rows)
        .filter(|row| wanted.place.iter().all(|(name, text)| shown(frame, name, *row) == *text))
        .collect();
    let mut wrong = Vec::new();
    if found.len() != wanted.rows.unwrap_or(1) {
        wrong.push(format!("{} rows match {wanted:?}", found.len()));
    }
    for row in found {
        for (name, want) in &wanted.is {
            let got = shown(frame, name, row);
            if got != *want {
                wrong.push(format!("{name} is {got:?} instead of {want:?}: {wanted:?}"));
            }
        }
    }
    wrong
}
