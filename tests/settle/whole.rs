//! The whole engine from outside: the program is run, its folder and ledger are looked at.

use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;
use tuoyu::domain::Month;
use tuoyu::ledger::{Act, ActKind, Ledger};

pub(super) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// A place for a run folder and a ledger, and inputs to change.
pub(super) struct Office {
    folder: TempDir,
}

impl Office {
    pub(super) fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs the program from the checkout with the office's folder and ledger.
    pub(super) fn run(&self, arguments: &[&str], world: &[(&str, &str)]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tuoyu"));
        command.current_dir(root()).arg("run").args(arguments);
        command.arg("--out").arg(self.path("run")).arg("--ledger").arg(self.path("ledger.db"));
        command.arg("--json").envs(world.iter().copied());
        command.output().expect("the program starts")
    }

    /// Runs a period of the sample; the report. Its rows refused on purpose make exit code 3.
    fn sample(&self, more: &[&str], world: &[(&str, &str)]) -> serde_json::Value {
        let mut arguments = vec!["jobs/monthly.toml", "--period", "2026-08"];
        arguments.extend(more);
        let output = self.run(&arguments, world);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(3), "{said}");
        serde_json::from_slice(&output.stdout).expect("a report")
    }

    /// Name -> hash of every file of the run folder.
    fn hashes(&self) -> BTreeMap<String, String> {
        let mut hashes = BTreeMap::new();
        for entry in std::fs::read_dir(self.path("run")).expect("a run folder") {
            let entry = entry.expect("an entry");
            let bytes = std::fs::read(entry.path()).expect("a file");
            let digest = Sha256::digest(bytes).iter().fold(String::new(), |mut text, byte| {
                let _ = write!(text, "{byte:02x}");
                text
            });
            hashes.insert(entry.file_name().to_string_lossy().into_owned(), digest);
        }
        hashes
    }

    fn events(&self) -> i64 {
        Ledger::open(&self.path("ledger.db")).expect("a ledger").events().expect("a number")
    }

    pub(super) fn table(&self, name: &str) -> Vec<BTreeMap<String, String>> {
        table(&self.path("run").join(name))
    }
}

/// Rows of a CSV file by header.
fn table(path: &Path) -> Vec<BTreeMap<String, String>> {
    let bytes = std::fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&bytes);
    let mut reader = csv::Reader::from_reader(bytes);
    reader.deserialize().map(|row| row.expect("a row")).collect()
}

pub(super) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let path = entry.expect("an entry").path();
        let target = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::copy(&path, target).expect("copied");
        }
    }
}

/// The rows of a file in another order: a fixed one, different for each seed.
fn shuffled(bytes: &[u8], seed: u64) -> Vec<u8> {
    let mut lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
    lines.retain(|line| !line.is_empty());
    let mut state = seed | 1;
    for at in (2..lines.len()).rev() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let other = 1 + usize::try_from(state >> 33).expect("31 bits") % at;
        lines.swap(at, other);
    }
    lines.join(&b'\n')
}

/// Shuffles every CSV file below a folder, in whatever encoding; no field holds a line break.
fn shuffle(folder: &Path, seed: u64) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            shuffle(&path, seed);
        } else if path.extension().is_some_and(|ending| ending == "csv") {
            let bytes = std::fs::read(&path).expect("a table");
            let other = shuffled(&bytes, seed);
            assert!(other != bytes || bytes.len() < 1000, "{}", path.display());
            std::fs::write(&path, other).expect("written");
        }
    }
}

/// Everything that pays: lines without what names the run, payments, money by source, totals.
fn money(office: &Office) -> Vec<Vec<BTreeMap<String, String>>> {
    ["schedule.csv", "payments.csv", "funding.csv", "control.csv"]
        .iter()
        .map(|name| {
            let mut rows = office.table(name);
            for row in &mut rows {
                row.remove("run_id");
                row.remove("row_hash");
            }
            rows
        })
        .collect()
}

fn total(office: &Office, file: &str, column: &str) -> i64 {
    office.table(file).iter().map(|row| row[column].parse::<i64>().expect("fen")).sum()
}

#[test]
fn the_same_bytes_with_any_threads_zone_and_language() {
    let first = Office::new();
    first.sample(&["--threads", "1"], &[]);
    let hashes = first.hashes();
    assert!(hashes.len() > 10, "{hashes:?}");
    let island =
        [("TZ", "Pacific/Kiritimati"), ("LANG", "zh_CN.GB18030"), ("LC_ALL", "zh_CN.GB18030")];
    let worlds: [(&str, &[(&str, &str)]); 3] =
        [("8", &[]), ("2", &island), ("3", &[("TZ", "America/Adak"), ("LANG", "C")])];
    for (threads, world) in worlds {
        let office = Office::new();
        office.sample(&["--threads", threads], world);
        assert_eq!(office.hashes(), hashes, "{threads} threads, {world:?}");
    }
}

#[test]
fn twice_is_once_and_damage_is_mended() {
    let office = Office::new();
    assert_eq!(office.sample(&[], &[])["posted"], "new");
    let (hashes, events) = (office.hashes(), office.events());
    assert_eq!(events, 1);
    assert_eq!(office.sample(&[], &[])["posted"], "already_there");
    assert_eq!(office.hashes(), hashes);
    assert_eq!(office.events(), events);
    // One byte of every file in turn, the manifest's too; then a file gone, then the folder.
    for name in hashes.keys() {
        let path = office.path("run").join(name);
        let mut bytes = std::fs::read(&path).expect("a file");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(&path, bytes).expect("written");
        office.sample(&[], &[]);
        assert_eq!(office.hashes(), hashes, "after damage to {name}");
    }
    std::fs::remove_file(office.path("run").join("payments.csv")).expect("removed");
    office.sample(&[], &[]);
    assert_eq!(office.hashes(), hashes);
    std::fs::remove_dir_all(office.path("run")).expect("removed");
    office.sample(&[], &[]);
    assert_eq!(office.hashes(), hashes);
    assert_eq!(office.events(), events, "mending is no event");
}

#[test]
fn a_changed_input_replaces_the_draft_and_is_paid_once() {
    let office = Office::new();
    let inputs = office.path("inputs");
    copy(&root().join("data/sample"), &inputs);
    let place = inputs.display().to_string();
    let before = office.sample(&["--input", &place], &[]);
    let (first, first_events) = (total(&office, "payments.csv", "amount_fen"), office.events());
    let path = inputs.join("2026-08/attendance/monthly.csv");
    let text = std::fs::read_to_string(&path).expect("a table");
    let shorter: Vec<&str> = text.lines().take(200).collect();
    std::fs::write(&path, shorter.join("\n")).expect("written");
    let after = office.sample(&["--input", &place], &[]);
    assert_eq!(after["posted"], "replaced");
    assert_ne!(after["run_id"], before["run_id"]);
    assert!(office.events() > first_events);
    let second = total(&office, "payments.csv", "amount_fen");
    assert!(second < first, "fewer children attended: {second} < {first}");
    // The draft that was replaced counts nowhere, and the one that stands once it is released.
    let mut ledger = Ledger::open(&office.path("ledger.db")).expect("a ledger");
    let september = Month::parse("2026-09").expect("a month");
    assert_eq!(ledger.posted("monthly", september).expect("lines"), []);
    for kind in [ActKind::Approve, ActKind::Release] {
        let act = Act { kind, by: "李四", at: "2026-10-12T09:00:00Z", reason: "", key: None };
        ledger.act(after["run_id"].as_str().expect("an id"), &act).expect("done");
    }
    let posted = ledger.posted("monthly", september).expect("lines");
    assert_eq!(posted.iter().map(|line| line.payable_fen).sum::<i64>(), second);
    let standing = ledger.standing("monthly", september).expect("runs");
    let ids: Vec<&str> = standing.iter().map(|head| head.run_id.as_str()).collect();
    assert_eq!(ids, [after["run_id"].as_str().expect("an id")]);
}

#[test]
fn a_mistake_in_the_law_writes_nothing() {
    let mistakes = [
        ("value = \"200\"", "value = \"unset\""),
        ("fee_ceiling(age_class)", "fee_ceilng(age_class)"),
        ("calendar = \"cn\"", "calendar = \"mars\""),
        ("share = \"1\"", "share = \"0.9\""),
    ];
    for (old, new) in mistakes {
        let office = Office::new();
        let pack = office.path("pack");
        std::fs::create_dir(&pack).expect("a folder");
        let text = std::fs::read_to_string(root().join("data/policy/dongchangfu/pack.toml"));
        let text = text.expect("a pack").replace("value = \"300\"", "value = \"200\"");
        assert!(text.contains(old), "{old}");
        std::fs::write(pack.join("pack.toml"), text.replace(old, new)).expect("written");
        let job = std::fs::read_to_string(root().join("jobs/dongchangfu.toml")).expect("a job");
        let named = format!("packs = [{:?}]", pack.display().to_string());
        let path = office.path("job.toml");
        let job = job.replace("packs = [\"data/policy/dongchangfu\"]", &named);
        assert!(job.contains(&named));
        std::fs::write(&path, job).expect("written");
        let output = office.run(&[&path.display().to_string()], &[]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(4), "{new}: {said}");
        let mut left: Vec<_> = std::fs::read_dir(office.folder.path())
            .expect("a folder")
            .map(|entry| entry.expect("an entry").file_name())
            .collect();
        left.sort();
        assert_eq!(left, ["job.toml", "pack"], "{new}");
    }
}

#[test]
fn rows_read_are_used_unused_or_refused() {
    let office = Office::new();
    office.sample(&[], &[]);
    let mut tables = 0;
    for row in office.table("control.csv").iter().filter(|row| row["scope"] == "table") {
        let of = |name: &str| row[name].parse::<i64>().expect("a count");
        let sum = of("rows_used") + of("rows_unused") + of("rows_refused");
        assert_eq!(of("rows_read"), sum, "{row:?}");
        tables += 1;
        let lines: usize = records(&root().join("data/sample/2026-08"), &row["key"]);
        if lines > 0 {
            assert_eq!(usize::try_from(of("rows_read")).ok(), Some(lines), "{row:?}");
        }
    }
    assert!(tables >= 10, "{tables} tables");
    // The money of the files is one sum.
    let paid = total(&office, "payments.csv", "amount_fen");
    assert_eq!(total(&office, "schedule.csv", "payable_fen"), paid);
    assert_eq!(total(&office, "funding.csv", "amount_fen"), paid);
    // The budget's own lines bound and paid it.
    let budget = office.table("control.csv").into_iter().find(|row| row["key"] == "budget");
    assert_eq!(budget.expect("a budget")["rows_used"], "5");
}

/// Records of a table's CSV files in a folder of the sample, counted by the lines of the files.
fn records(folder: &Path, name: &str) -> usize {
    let lines = |path: &Path| {
        let bytes = std::fs::read(path).expect("a table");
        bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count() - 1
    };
    let file = folder.join(format!("{name}.csv"));
    if file.exists() {
        return lines(&file);
    }
    let Ok(entries) = std::fs::read_dir(folder.join(name)) else { return 0 };
    entries.map(|entry| lines(&entry.expect("an entry").path())).sum()
}

#[test]
fn shuffled_rows_of_the_sample_give_the_same_money() {
    let office = Office::new();
    office.sample(&["--threads", "2"], &[]);
    let expected = money(&office);
    for seed in [11, 4242] {
        let office = Office::new();
        let inputs = office.path("inputs");
        copy(&root().join("data/sample"), &inputs);
        shuffle(&inputs, seed);
        office.sample(&["--input", &inputs.display().to_string()], &[]);
        for (found, expected) in money(&office).into_iter().zip(&expected) {
            for (row, want) in found.iter().zip(expected) {
                assert_eq!(row, want, "seed {seed}");
            }
            assert_eq!(found.len(), expected.len(), "seed {seed}");
        }
    }
}

/// A small month of the benchmark's shape: every kind of defect, several slot rows, caps that bind.
pub(crate) fn bench_month(folder: &Path, seed: u64) {
    let mut state = seed;
    let mut draw = move |below: u64| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let classes = ["INFANT", "TODDLER", "NURSERY", "MIXED"];
    let mut institutions =
        "inst_id,name,district,grade,svc_full,svc_half,svc_temp,incl_from,incl_to\n".to_owned();
    let mut slots = "inst_id,age_class,slots,added_date\n".to_owned();
    for id in 0..12 {
        let (grade, district) = (1 + draw(4), 420_100 + draw(9));
        let from = if draw(9) == 0 { "2026-09-02" } else { "2024-01-01" };
        let _ = writeln!(
            institutions,
            "INST{id:014},园{id},{district},G{grade},1,{},{},{from},",
            draw(2),
            draw(2)
        );
        for _ in 0..5 {
            let class = classes[usize::try_from(draw(4)).expect("small")];
            let _ =
                writeln!(slots, "INST{id:014},{class},{},2026-0{}-01", 1 + draw(9), 1 + draw(9));
        }
    }
    let mut enrolment =
        "child_id,birth_date,inst_id,age_class,service,start_date,end_date,fee,special\n"
            .to_owned();
    let mut attendance = "child_id,inst_id,days\n".to_owned();
    for child in 0..400 {
        let id = if draw(60) == 0 { child / 2 } else { child };
        let (inst, class) = (draw(13), classes[usize::try_from(draw(4)).expect("small")]);
        let service = ["FULL", "HALF", "TEMP"][usize::try_from(draw(3)).expect("small")];
        let special =
            ["NONE", "LOWINC", "DISAB", "ORPHAN"][usize::try_from(draw(4)).expect("small")];
        let _ = writeln!(
            enrolment,
            "C{id:017},{}-{:02}-{:02},INST{inst:014},{class},{service},2026-0{}-1{},{},{}.{:02},{special}",
            2023 + draw(4),
            1 + draw(12),
            1 + draw(28),
            1 + draw(9),
            draw(10),
            if draw(20) == 0 { "2026-09-20" } else { "" },
            300 + draw(3_500),
            draw(100)
        );
        if draw(30) > 0 {
            let _ = writeln!(attendance, "C{id:017},INST{inst:014},{}", draw(25));
        }
    }
    for (name, text) in [
        ("institutions", institutions),
        ("slots", slots),
        ("enrolment", enrolment),
        ("attendance", attendance),
    ] {
        std::fs::write(folder.join(format!("{name}.csv")), text).expect("written");
    }
}

#[test]
fn shuffled_rows_of_a_bench_month_give_the_same_money() {
    let mut expected = None;
    for seed in [0, 7, 99] {
        let office = Office::new();
        let inputs = office.path("inputs");
        std::fs::create_dir(&inputs).expect("a folder");
        bench_month(&inputs, 5);
        if seed > 0 {
            shuffle(&inputs, seed);
        }
        let place = inputs.display().to_string();
        let output = office.run(&["jobs/bench.toml", "--input", &place], &[]);
        assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(total(&office, "payments.csv", "amount_fen") > 0);
        let found = money(&office);
        assert_eq!(expected.get_or_insert_with(|| found.clone()), &found, "seed {seed}");
    }
}

/// DOMAIN 4, fixture 1, from the shipped job to the bank: 18,000 + 4,000 yuan.
#[test]
fn the_quarter_of_dongchangfu_reaches_the_payments() {
    let office = Office::new();
    let output = office.run(&["jobs/dongchangfu.toml"], &[]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(matches!(output.status.code(), Some(0 | 3)), "{said}");
    let mut items: BTreeMap<String, i64> = BTreeMap::new();
    for row in office.table("schedule.csv") {
        let fen: i64 = row["payable_fen"].parse().expect("fen");
        *items.entry(row["item"].clone()).or_default() += fen;
    }
    let expected = [("second_child".to_owned(), 1_800_000), ("third_child".to_owned(), 400_000)];
    assert_eq!(items, BTreeMap::from(expected));
    assert_eq!(total(&office, "payments.csv", "amount_fen"), 2_200_000);
    // The paper form of the quarter, in 万元.
    let form = &office.table("form.csv")[0];
    let shown = ["second_child_quantity", "second_child_amount", "third_child_2025-09"];
    assert_eq!(shown.map(|name| form[name].as_str()), ["60", "1.80", "4"]);
    assert_eq!(form["total_amount"], "2.20");
    assert!(office.path("run/form.xlsx").exists());
    let months: std::collections::BTreeSet<String> =
        office.table("schedule.csv").iter().map(|row| row["source_period"].clone()).collect();
    assert_eq!(Vec::from_iter(months), ["2025-07", "2025-08", "2025-09"]);
}

/// DOMAIN 6: as `f32`, sums of thousands of payments are off by a fen in nearly every institution.
#[test]
fn three_thousand_children_of_one_centre_add_up_to_the_fen() {
    let office = Office::new();
    let inputs = office.path("inputs");
    std::fs::create_dir(&inputs).expect("a folder");
    let mut enrolments =
        "child_ref,birth_date,institution_id,age_class,service,spell_from,fee_monthly\n".to_owned();
    // Fees of 1,000.08, 1,000.16, … 1,240.00 yuan, a hundred times: eighths of them are whole fen.
    for child in 0_u32..3000 {
        let fee = 100_000 + 8 * (child + 1);
        let _ = writeln!(
            enrolments,
            "C{child},2025-01-10,I1,混龄班,全日托,2026-01-05,{}.{:02}",
            fee / 100,
            fee % 100
        );
    }
    std::fs::write(inputs.join("institutions.csv"), "institution_id,name\nI1,示例园\n")
        .expect("written");
    std::fs::write(inputs.join("enrolments.csv"), enrolments).expect("written");
    let job = "id = \"many\"\nperiod = \"2026-09\"\npacks = [\"tests/rules/packs/traps\"]\n\
               input = \"x\"\nkey_file = \"data/reference/keys/demo.key\"\nworkbooks = false\n";
    let path = office.path("job.toml");
    std::fs::write(&path, job.replace("\"x\"", &format!("{:?}", inputs.display().to_string())))
        .expect("written");
    let output = office.run(&[&path.display().to_string()], &[]);
    assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
    // 3,000 x 12,500 fen and 1 + 2 + … + 3,000 fen; nobody has attendance for the other item.
    assert_eq!(total(&office, "payments.csv", "amount_fen"), 3000 * 12_500 + 3000 * 3001 / 2);
}
