//! Families of scenarios: the condensed path gives what the rooms of a settlement give.

use crate::settle::whole::bench_month;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tempfile::TempDir;
use tuoyu::domain::{Cell, Month, Outcome, Silent};
use tuoyu::job::{self, Job, LedgerChoice, Overrides};
use tuoyu::law::OverlayText;
use tuoyu::settle;
use tuoyu::tune::{Answered, Baseline, Desk, Fees, Measures, Scenario, TuneError};

fn job(file: &str, input: Option<&Path>, overlays: &[PathBuf]) -> Job {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let overrides = Overrides {
        input: input.map(Path::to_path_buf),
        ledger: Some(LedgerChoice::None),
        ..Overrides::default()
    };
    let job = job::read(&root.join(file), &overrides).expect("a job");
    Job { overlays: overlays.to_vec(), ..job }
}

/// A desk on a small month of the benchmark's shape.
struct Bench {
    folder: TempDir,
    desk: Desk,
}

impl Bench {
    fn new(seed: u64, ground: &str, measures: Measures) -> Self {
        Self::with(seed, &std::convert::identity, ground, measures)
    }

    /// On a pack that says something else.
    fn with(seed: u64, pack: &dyn Fn(String) -> String, ground: &str, measures: Measures) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        bench_month(folder.path(), seed);
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
        let law =
            std::fs::read_to_string(root.join("data/policy/bench/pack.toml")).expect("a pack");
        let packs = folder.path().join("bench");
        std::fs::create_dir(&packs).expect("a folder");
        std::fs::write(packs.join("pack.toml"), pack(law)).expect("written");
        let overlay = folder.path().join("ground.toml");
        std::fs::write(&overlay, ground).expect("written");
        let job = job("jobs/bench.toml", Some(folder.path()), &[overlay]);
        let job = Job { packs: vec![packs], ..job };
        // Two periods with the same deliveries: children are older in the second, some have left.
        let later = Job { period: Month::parse("2026-10").expect("a month"), ..job.clone() };
        let jobs =
            if seed.is_multiple_of(2) { vec![job.clone(), later] } else { vec![job.clone()] };
        let of = Baseline { measures, jobs, ..Baseline::of_settlement(&job) };
        let desk = Desk::open(of, &mut Silent).unwrap_or_else(|error| panic!("{error}"));
        Self { folder, desk }
    }
}

fn scenario(at: usize, text: &str) -> Scenario {
    let overlay = OverlayText { name: format!("{at}.toml"), text: text.to_owned() };
    Scenario { id: at.to_string(), overlays: vec![overlay], planned: false }
}

fn answers(desk: &Desk, scenarios: &[Scenario]) -> (Answered, Vec<Result<Outcome, TuneError>>) {
    let mut told = Vec::new();
    let answered = desk.answers(scenarios, &AtomicBool::new(false), &mut |at, outcome| {
        assert_eq!(at, told.len(), "told in order");
        told.push(outcome);
    });
    (answered, told)
}

/// Numbers that look drawn and are the same every time.
struct Draw(u64);

impl Draw {
    fn below(&mut self, most: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }

    fn of<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[usize::try_from(self.below(list.len() as u64)).expect("small")]
    }

    /// Some lines of an overlay over the bench's law.
    fn overlay(&mut self) -> String {
        let mut text = String::new();
        let mut seen = Vec::new();
        for _ in 0..=self.below(3) {
            let service = self.of(&["全日托", "半日托", "临时托"]);
            let age = self.of(&["[0,12)", "[12,24)", "[24,36)"]);
            let level = self.of(&["G1", "G2", "G3", "G4"]);
            let percent = 60 + self.below(80);
            let times = format!(
                "{{ times = \"{}.{:02}\", to = \"0.01\", mode = \"half_up\" }}",
                percent / 100,
                percent % 100
            );
            let share = format!("\"0.{}\"", 20 + self.below(70));
            let fen = format!("\"{}.{:02}\"", self.below(900), self.below(100));
            let kind = self.below(13);
            if seen.contains(&kind) {
                continue;
            }
            seen.push(kind);
            let (path, value) = match kind {
                0 => ("table.rate.child.rows".to_owned(), times),
                1 => (format!("table.rate.child[{service}|{age}]"), fen),
                2 => (format!("table.factor.special[{}]", self.of(&["NONE", "LOWINC"])), share),
                3 => ("table.rate.cap.rows".to_owned(), times),
                4 => (format!("table.rate.cap[{level}]"), fen),
                5 => ("table.rate.slot.rows".to_owned(), times),
                6 => ("parameter.attendance.full_share.value".to_owned(), share),
                7 => ("parameter.attendance.half_share.value".to_owned(), share),
                8 => ("parameter.occupancy.full.value".to_owned(), share),
                9 => ("parameter.occupancy.least.value".to_owned(), share),
                10 => (
                    "parameter.days.required.value".to_owned(),
                    format!("\"{}\"", 18 + percent % 6),
                ),
                11 => ("table.fee_ceiling.rows".to_owned(), times),
                _ => (format!("table.rate.cap[{level}]"), "\"0\"".to_owned()),
            };
            let _ = writeln!(text, "\"{path}\" = {value}");
        }
        text
    }
}

fn drawn(seed: u64, count: usize) -> Vec<String> {
    let mut draw = Draw(seed);
    (0..count).map(|_| draw.overlay()).collect()
}

/// Acceptance of the issue: same law, same inputs, same engine, whatever path is taken.
#[test]
fn the_condensed_path_gives_every_figure_of_the_general_one() {
    let child = Measures { to_family: Some(vec![Arc::from("child.care")]), fees: Fees::AsFiled };
    let none = Measures { to_family: Some(Vec::new()), fees: Fees::AsFiled };
    let bounded = Measures { to_family: None, fees: Fees::ToCeiling };
    for (seed, ground, measures) in [
        (5, "", Measures::default()),
        (6, "\"split.four_sources.scope\" = \"settlement\"\n", bounded),
        (7, "\"guide_price.guide.breach\" = \"warn\"\n", child),
        (8, "\"cap.institution.month.items\" = [\"child.care\"]\n", none),
    ] {
        compare(&Bench::new(seed, ground, measures), seed, ground);
    }
}

/// What the bench's law does not have: a second item of the child on another basis, an item in kind, two
/// caps with a limit between two fen, a gate of the institution, a guide price that refuses.
#[test]
fn a_law_of_more_parts_gives_every_figure_of_the_general_path() {
    let richer = |law: String| {
        let cap = "limit = \"rate.cap(level) * sum(slot.slots_filed)\"";
        let limit = "limit = \"rate.cap(level) * sum(slot.slots_filed) / 7\"\nround = { to = \"0.1\", mode = \"up\" }";
        assert!(law.contains(cap));
        law.replace(cap, limit).replace(
            "items = [\"child.care\", \"slot.care\"]\nstage",
            "items = [\"child.care\", \"child.meal\"]\nstage",
        ) + MORE
    };
    for (seed, measures) in [
        (15, Measures::default()),
        (16, Measures { to_family: Some(vec![Arc::from("child.meal")]), fees: Fees::ToCeiling }),
    ] {
        compare(&Bench::with(seed, &richer, "", measures), seed, "richer");
    }
}

const MORE: &str = r#"
[[parameter]]
id = "meal.rate"
clause = "伙食"
effective_from = 2026-01-01
unit = "yuan/child/month"
value = "35.55"

[[gate]]
id = "meal.site"
clause = "伙食"
effective_from = 2026-01-01
basis = "institution"
require = "count_paid('child.care') >= occupancy.least * sum(slot.slots_filed)"
reason = "too_few"
zh = "人数不足"

[[subsidy]]
id = "child.meal"
clause = "伙食"
effective_from = 2026-01-01
basis = "listing"
gates = ["meal.site"]
amount = "least(meal.rate, coalesce(fee_monthly, 0) / 30)"
round = { to = "0.1", mode = "half_even", scope = "line" }
instrument = "per_child"
zh = "伙食补贴"

[[subsidy]]
id = "child.toys"
clause = "玩具"
effective_from = 2026-01-01
basis = "spell"
gates = ["child.in_month"]
amount = "meal.rate"
round = { to = "0.01", mode = "half_up", scope = "line" }
instrument = "per_child"
in_kind = true
zh = "玩具"

[[cap]]
id = "slots.month"
clause = "机构封顶"
effective_from = 2026-01-01
items = ["slot.care"]
stage = "item"
key = "institution"
window = "month"
limit = "rate.slot(level) * sum(slot.slots_filed) * occupancy.full * place.of_child"
round = { to = "0.01", mode = "floor" }
zh = "托位封顶"
"#;

fn compare(bench: &Bench, seed: u64, ground: &str) {
    let texts = drawn(seed * 31, 24);
    let scenarios: Vec<Scenario> =
        texts.iter().enumerate().map(|(at, text)| scenario(at, text)).collect();
    let (answered, told) = answers(&bench.desk, &scenarios);
    assert_eq!(answered.wrong, 0);
    // Which of two equal lines is cut to nothing is a matter for the general path.
    assert!(answered.condensed >= 20, "{answered:?} under {ground}");
    let mut costs = Vec::new();
    for ((scenario, told), text) in scenarios.iter().zip(told).zip(&texts) {
        let told = told.expect("answered");
        let general = bench.desk.answer(scenario).expect("answered");
        assert_eq!(told, general, "seed {seed}, ground {ground}, overlay {text}");
        costs.push(told.cost_fen);
    }
    costs.sort_unstable();
    costs.dedup();
    assert!(costs.len() > 10, "the overlays change what is paid: {costs:?}");
}

/// Tables, parameters and limits of the bench are all understood.
#[test]
fn rates_factors_limits_ceilings_and_shares_take_the_condensed_path() {
    let bench = Bench::new(5, "", Measures::default());
    let times = "{ times = \"1.07\", to = \"0.01\", mode = \"half_up\" }";
    let texts = [
        format!("\"table.rate.child.rows\" = {times}\n"),
        "\"table.factor.special[LOWINC]\" = \"1.35\"\n".to_owned(),
        format!("\"table.rate.cap.rows\" = {times}\n"),
        format!("\"table.rate.slot.rows\" = {times}\n"),
        format!("\"table.fee_ceiling.rows\" = {times}\n"),
        "\"parameter.attendance.full_share.value\" = \"0.70\"\n".to_owned(),
        "\"parameter.attendance.half_share.value\" = \"0.40\"\n".to_owned(),
        "\"parameter.occupancy.least.value\" = \"0.10\"\n".to_owned(),
        "\"parameter.days.required.value\" = \"21\"\n".to_owned(),
        "\"subsidy.child.care.round.mode\" = \"floor\"\n".to_owned(),
        String::new(),
    ];
    let scenarios: Vec<Scenario> =
        texts.iter().enumerate().map(|(at, text)| scenario(at, text)).collect();
    let (answered, told) = answers(&bench.desk, &scenarios);
    assert_eq!(answered, Answered { condensed: texts.len(), general: 0, wrong: 0 });
    // The empty overlay is the baseline.
    assert_eq!(told.last().expect("told").as_ref().expect("answered"), bench.desk.baseline());
}

/// What is not understood goes the general way, beside what is; a wrong law ends nothing.
#[test]
fn a_law_beyond_the_condensed_path_is_settled() {
    let bench = Bench::new(5, "", Measures::default());
    let texts = [
        "\"table.rate.cap[G1]\" = \"410\"\n",
        "\"guide_price.guide.breach\" = \"refuse_child\"\n",
        "\"table.no_such_table[G1]\" = \"410\"\n",
        "\"split.four_sources.parts\" = [{ source = \"s1\", share = \"0.3\" }, { source = \"s2\", \
         share = \"0.7\" }]\n",
        "\"subsidy.child.care.round.scope\" = \"institution_month\"\n",
        "\"table.rate.cap[G1]\" = \"415\"\n",
    ];
    let scenarios: Vec<Scenario> =
        texts.iter().enumerate().map(|(at, text)| scenario(at, text)).collect();
    let (answered, told) = answers(&bench.desk, &scenarios);
    assert_eq!(answered, Answered { condensed: 2, general: 3, wrong: 1 });
    for (scenario, told) in scenarios.iter().zip(told) {
        match (told, bench.desk.answer(scenario)) {
            (Ok(told), Ok(general)) => assert_eq!(told, general, "scenario {}", scenario.id),
            (told, general) => {
                let (told, general) = (told.unwrap_err(), general.unwrap_err());
                assert_eq!(told.to_string(), general.to_string());
                assert_eq!(scenario.id, "2");
            }
        }
    }
}

#[test]
fn a_stop_leaves_what_was_told() {
    let bench = Bench::new(5, "", Measures::default());
    let texts = drawn(3, 40);
    let scenarios: Vec<Scenario> =
        texts.iter().enumerate().map(|(at, text)| scenario(at, text)).collect();
    let stop = AtomicBool::new(false);
    let mut told = 0;
    let answered = bench.desk.answers(&scenarios, &stop, &mut |at, outcome| {
        assert!(outcome.is_ok(), "scenario {at}");
        told += 1;
        stop.store(at == 4, Ordering::Relaxed);
    });
    assert_eq!(told, 5);
    assert_eq!(answered.condensed + answered.general, 5);
}

/// Sums of a settlement: all, by source, by item, by institution.
type Totals = (i64, [BTreeMap<String, i64>; 3]);

fn totals_of_settlement(job: &Job) -> Totals {
    let settled = settle::compute(job, None, &mut Silent).unwrap_or_else(|e| panic!("{e}"));
    let (mut all, mut sums) = (0, [BTreeMap::new(), BTreeMap::new(), BTreeMap::new()]);
    for month in &settled.months {
        let frame = month.frames.get(&tuoyu::domain::Basis::Institution).expect("institutions");
        let ids = frame.get("institution_id").expect("ids");
        for cell in &month.allocation.cells {
            let Cell::Text(id) = ids.cell(cell.institution as usize) else { panic!("an id") };
            let source = month.allocation.sources[cell.source as usize].to_string();
            let item = month.entitlements.items[cell.item as usize].item.to_string();
            all += cell.fen;
            for (sums, key) in sums.iter_mut().zip([source, item, id]) {
                *sums.entry(key).or_default() += cell.fen;
            }
        }
    }
    (all, sums)
}

/// Acceptance of the issue: each scenario's totals equal a real settlement under that overlay.
#[test]
fn totals_are_those_of_a_real_settlement_under_the_overlay() {
    let bench = Bench::new(5, "", Measures::default());
    let texts = drawn(77, 20);
    let scenarios: Vec<Scenario> =
        texts.iter().enumerate().map(|(at, text)| scenario(at, text)).collect();
    let (answered, told) = answers(&bench.desk, &scenarios);
    assert!(answered.condensed >= 18, "{answered:?}");
    let mut paid = 0;
    for (text, told) in texts.iter().zip(told) {
        let overlay = bench.folder.path().join("overlay.toml");
        std::fs::write(&overlay, text).expect("written");
        let settled = job("jobs/bench.toml", Some(bench.folder.path()), &[overlay]);
        paid += told_as_settled(&bench.desk, text, &told.expect("answered"), &settled);
    }
    assert!(paid > 0);
}

/// Holds the money of a scenario against a settlement; gives its sum.
#[track_caller]
fn told_as_settled(desk: &Desk, text: &str, told: &Outcome, job: &Job) -> i64 {
    let (all, [by_source, by_item, by_institution]) = totals_of_settlement(job);
    assert_eq!(told.cost_fen, all, "{text}");
    let texts = |sums: &BTreeMap<Arc<str>, i64>| -> BTreeMap<String, i64> {
        let paid = sums.iter().filter(|(_, fen)| **fen != 0);
        paid.map(|(key, fen)| (key.to_string(), *fen)).collect()
    };
    let paid = |sums: BTreeMap<String, i64>| -> BTreeMap<String, i64> {
        sums.into_iter().filter(|(_, fen)| *fen != 0).collect()
    };
    assert_eq!(texts(&told.by_source), paid(by_source), "{text}");
    assert_eq!(texts(&told.by_item), paid(by_item), "{text}");
    let own = desk.institutions.iter().zip(&told.institutions);
    let own = own.map(|(institution, fen)| (institution.id.to_string(), *fen)).collect();
    assert_eq!(paid(own), paid(by_institution), "{text}");
    all
}

/// The invented district has everything the condensed path leaves to the rooms: exclusions, shortages,
/// rates that change inside the month, sums to date.
#[test]
fn the_invented_district_is_settled_scenario_by_scenario() {
    let of = Baseline::of_settlement(&job("jobs/monthly.toml", None, &[]));
    let desk = Desk::open(of, &mut Silent).unwrap_or_else(|error| panic!("{error}"));
    let mut draw = Draw(11);
    let mut line = || {
        let percent = 80 + draw.below(40);
        let times = format!("\"{}.{:02}\"", percent / 100, percent % 100);
        let path = draw.of(&[
            "table.rate.slot.rows",
            "table.rate.operating.rows",
            "table.benchmark.full_day.rows",
            "parameter.rent.most.value",
            "guide_price.full_day.float_up",
        ]);
        if path.ends_with("float_up") {
            return format!("\"{path}\" = \"0.{:02}\"\n", percent - 80);
        }
        format!("\"{path}\" = {{ times = {times}, to = \"0.01\", mode = \"half_up\" }}\n")
    };
    let texts: Vec<String> = (0..20)
        .map(|_| {
            let (one, two) = (line(), line());
            let path = |line: &str| line.split(" = ").next().map(str::to_owned);
            if path(&one) == path(&two) { one } else { one + &two }
        })
        .collect();
    let scenarios: Vec<Scenario> =
        texts.iter().enumerate().map(|(at, text)| scenario(at, text)).collect();
    let (answered, told) = answers(&desk, &scenarios);
    assert_eq!(answered, Answered { condensed: 0, general: 20, wrong: 0 });
    let folder = tempfile::tempdir().expect("a folder");
    let mut costs = BTreeSet::new();
    for (text, told) in texts.iter().zip(told) {
        let overlay = folder.path().join("overlay.toml");
        std::fs::write(&overlay, text).expect("written");
        let settled = job("jobs/monthly.toml", None, &[overlay]);
        costs.insert(told_as_settled(&desk, text, &told.expect("answered"), &settled));
    }
    assert!(costs.len() >= 15, "the overlays change what is paid: {costs:?}");
}
