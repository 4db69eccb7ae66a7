//! What a run says of itself: which rows of its inputs it used, under which packs.

use super::whole::{Office, copy};
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The rows (read, used, unused) of a table in `control.csv`.
fn rows(office: &Office, table: &str) -> (String, String, String) {
    let rows = office.table("control.csv");
    let of = rows.iter().find(|row| row["scope"] == "table" && row["key"] == table);
    let of = of.unwrap_or_else(|| panic!("no {table} in control.csv"));
    (of["rows_read"].clone(), of["rows_used"].clone(), of["rows_unused"].clone())
}

/// Three months use the same rows, each some of them: a row counts once, an expired one not at all.
#[test]
fn rows_of_a_quarter_are_counted_once() {
    let office = Office::new();
    let inputs = office.path("inputs");
    copy(&root().join("data/sample/dongchangfu/2025-09"), &inputs);
    let register = "\
        institution_id,name,account_name,account_no,bank_name,bank_no,filed_from,valid_from,valid_until\n\
        91999900MA000901X2,甲,甲,9999010000000901,示例银行,999521009014,2024-01-01,,2025-08-31\n\
        91999900MA000901X2,甲,甲,9999010000000901,示例银行,999521009014,2024-01-01,2025-09-01,\n\
        91999900MA0000015N,乙,乙,9999010000000001,示例银行,999521000017,2024-01-01,,2025-06-30\n";
    fs::write(inputs.join("institutions.csv"), register).expect("written");
    let attendance = inputs.join("attendance.csv");
    let mut rows_of_june = fs::read_to_string(&attendance).expect("attendance");
    assert!(rows_of_june.ends_with('\n'), "the file ends a line");
    rows_of_june.push_str("999999202311017007,91999900MA000901X2,2025-06,20\n");
    fs::write(&attendance, rows_of_june).expect("written");
    let input = inputs.display().to_string();
    let output = office.run(&["jobs/dongchangfu.toml", "--input", &input], &[]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(matches!(output.status.code(), Some(0 | 3)), "{said}");
    let counted = |read: &str, used: &str, unused: &str| {
        (read.to_owned(), used.to_owned(), unused.to_owned())
    };
    // One row to August, its successor from September; the third expired before the quarter.
    assert_eq!(rows(&office, "institutions"), counted("3", "2", "1"));
    assert_eq!(rows(&office, "enrolments"), counted("25", "25", "0"));
    // 70 rows of the quarter, each of one month, and one of June.
    assert_eq!(rows(&office, "attendance"), counted("71", "70", "1"));
}

/// A province's pack and a district's over it: the manifest names both, the lowest layer first.
#[test]
fn the_manifest_names_every_pack_of_the_job_in_order() {
    let office = Office::new();
    let inputs = office.path("inputs");
    fs::create_dir(&inputs).expect("a folder");
    let write = |name: &str, text: &str| fs::write(inputs.join(name), text).expect("written");
    write("institutions.csv", "institution_id,name,filed_from\nI1,甲,2025-01-01\n");
    write(
        "enrolments.csv",
        "child_ref,birth_date,institution_id,age_class,service,spell_from\n\
         A,2025-01-10,I1,托小班,全日托,2026-01-05\n",
    );
    let job = |packs: [&str; 2]| -> PathBuf {
        let path = office.path("job.toml");
        let packs = packs.map(|pack| format!("\"tests/rules/packs/{pack}\"")).join(", ");
        let text = format!(
            "id = \"layers\"\nperiod = \"2026-09\"\npacks = [{packs}]\ninput = {:?}\n\
             key_file = \"data/reference/keys/demo.key\"\nworkbooks = false\n",
            inputs.display().to_string()
        );
        fs::write(&path, text).expect("written");
        path
    };
    for packs in [["rounding", "facts"], ["facts", "rounding"]] {
        let output = office.run(&[&job(packs).display().to_string()], &[]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(matches!(output.status.code(), Some(0 | 3)), "{said}");
        let manifest = fs::read(office.path("run").join("manifest.json")).expect("a manifest");
        let manifest: serde_json::Value = serde_json::from_slice(&manifest).expect("JSON");
        assert_eq!(manifest["packs"], serde_json::json!(packs));
    }
}
