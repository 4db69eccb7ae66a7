//! Whatever bytes arrive as inputs or as a job, the engine answers; it never panics.

use proptest::collection::vec;
use proptest::prelude::*;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use tuoyu::domain::Silent;
use tuoyu::job::Overrides;
use tuoyu::settle::compute;

const TABLES: [&str; 5] = ["institutions", "slots", "enrolments", "attendance", "sanctions"];

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn job(folder: &Path, pack: &str) -> String {
    let path = |path: PathBuf| toml::Value::from(path.display().to_string()).to_string();
    let mut text = format!(
        "id = \"any\"\nperiod = \"2026-11\"\npacks = [{}]\nreference = {}\ninput = {}\n\
         key_file = {}\nledger = \"none\"\nworkbooks = false\n",
        path(root().join(pack)),
        path(root().join("data/reference")),
        path(folder.to_path_buf()),
        path(root().join("data/reference/keys/demo.key")),
    );
    for table in TABLES {
        let _ = writeln!(text, "[inputs.{table}]\nfile = \"{table}.csv\"");
    }
    text
}

/// Settles what stands in the folder; an answer of either kind will do.
fn settle(folder: &Path, job: &str) {
    let path = folder.join("job.toml");
    std::fs::write(&path, job).expect("written");
    let Ok(job) = tuoyu::job::read(&path, &Overrides::default()) else { return };
    let Ok(settled) = compute(&job, None, &mut Silent) else { return };
    for table in settled.tables.by_name.values() {
        let sum = table.rows as u64 + table.rows_refused;
        assert_eq!(table.rows_read, sum, "{}", table.name);
    }
}

/// A delivery in order, so that bites land in files the engine reads to the end.
fn delivery(table: &str) -> &'static str {
    match table {
        "institutions" => {
            "institution_id,name,services,filed_from,filed_until,valid_from,valid_until\n\
             I1,甲,全日托;半日托,2025-01-01,,,\nI1,甲,全日托;半日托,2025-01-01,,,\n\
             I2,乙,,2026-11-10,2026-11-20,2026-11-03,\n"
        }
        "slots" => {
            "institution_id,age_class,service,slots_filed,slots_open,valid_from,valid_until,origin\n\
             I1,托小班,,10,4,2025-01-01,,存量\nI2,托大班,全日托,3,9,2026-01-01,2026-12-31,新建\n"
        }
        "enrolments" => {
            "child_ref,birth_date,institution_id,age_class,service,spell_from,spell_until,fee_monthly\n\
             A,2025-01-10,I1,托小班,全日托,2026-01-05,,1700.00\n\
             A,2025-01-10,I2,托大班,半日托,2026-11-12,2026-11-29,1400\n\
             B,2024-02-29,I1,混龄班,临时托,2026-11-16,2026-11-15,\nC,2024-11-30,I9,托大班,全日托,2026-01-05,,9\n"
        }
        "attendance" => {
            "child_ref,institution_id,period,date,mark,days_attended\nA,I1,2026-11,,,20\n\
             A,I2,,2026-11-13,出勤,\nA,I2,,2026-11-16,迟到,\nZ,I1,2026-11,,,3\n"
        }
        _ => {
            "institution_id,person_ref,kind,found_on,effect_from,effect_until\n\
             I2,,虐童,2026-11-10,2026-11-12,\n"
        }
    }
}

/// Dates and numbers at the edges of what can be typed.
const EDGES: [&str; 12] = [
    "0001-01-01",
    "9999-12-31",
    "1900-02-28",
    "-1",
    "999999999999999999999",
    "9999999999.99",
    "0",
    "",
    "2026-02-30",
    "2026-11-31",
    "\"",
    "-9223372036854775808",
];

proptest! {
    #![proptest_config(cases(24))]

    #[test]
    fn bitten_deliveries_are_answered(
        bites in vec((0..TABLES.len(), any::<prop::sample::Index>(), any::<u8>()), 1..12),
    ) {
        let folder = tempfile::tempdir().expect("a folder");
        for (number, table) in TABLES.iter().enumerate() {
            let mut bytes = delivery(table).as_bytes().to_vec();
            for (_, at, byte) in bites.iter().filter(|(of, ..)| *of == number) {
                let place = at.index(bytes.len());
                bytes[place] = *byte;
            }
            std::fs::write(folder.path().join(format!("{table}.csv")), bytes).expect("written");
        }
        settle(folder.path(), &job(folder.path(), "tests/rules/packs/facts"));
    }

    #[test]
    fn cells_at_the_edge_are_answered(
        cells in vec((0..TABLES.len(), 1_usize..4, 0_usize..8, 0..EDGES.len()), 1..6),
    ) {
        let folder = tempfile::tempdir().expect("a folder");
        for (number, table) in TABLES.iter().enumerate() {
            let mut rows: Vec<Vec<&str>> =
                delivery(table).lines().map(|line| line.split(',').collect()).collect();
            for (_, row, column, edge) in cells.iter().filter(|(of, ..)| *of == number) {
                if let Some(cell) = rows.get_mut(*row).and_then(|cells| cells.get_mut(*column)) {
                    *cell = EDGES[*edge];
                }
            }
            let lines: Vec<String> = rows.iter().map(|cells| cells.join(",")).collect();
            std::fs::write(folder.path().join(format!("{table}.csv")), lines.join("\n"))
                .expect("written");
        }
        let pack = if cells.len() % 2 == 0 { "tests/rules/packs/facts" } else { "tests/rules/packs/traps" };
        settle(folder.path(), &job(folder.path(), pack));
    }

    #[test]
    fn noise_for_inputs_is_answered(noise in vec(vec(any::<u8>(), 0..200), TABLES.len())) {
        let folder = tempfile::tempdir().expect("a folder");
        for (table, bytes) in TABLES.iter().zip(&noise) {
            std::fs::write(folder.path().join(format!("{table}.csv")), bytes).expect("written");
        }
        settle(folder.path(), &job(folder.path(), "data/policy/bench"));
    }

    #[test]
    fn a_bitten_job_is_answered(
        bites in vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        noise in vec(any::<u8>(), 0..120),
    ) {
        let folder = tempfile::tempdir().expect("a folder");
        for table in TABLES {
            std::fs::write(folder.path().join(format!("{table}.csv")), delivery(table)).expect("written");
        }
        let mut bytes = job(folder.path(), "tests/rules/packs/facts").into_bytes();
        for (at, byte) in &bites {
            let place = at.index(bytes.len());
            bytes[place] = *byte;
        }
        settle(folder.path(), &String::from_utf8_lossy(&bytes));
        let path = folder.path().join("noise.toml");
        std::fs::write(&path, &noise).expect("written");
        prop_assert!(tuoyu::job::read(&path, &Overrides::default()).is_err());
    }
}
