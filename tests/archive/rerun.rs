//! Runs settled again when everything they read is gone.

use super::{Office, contents};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs;
use tuoyu::archive::{ArchiveError, Materials, Papers, Recipe};

#[test]
fn a_run_comes_back_byte_for_byte_when_its_inputs_are_gone() {
    let office = Office::new();
    office.attendance(
        "attendance.csv",
        &[("A", "2026-08", 4), ("A", "2026-09", 10), ("B", "2026-09", 5)],
    );
    // August pays A 40 yuan, September both 150.
    assert_eq!(office.settle("2026-08", "").1, 4_000);
    for act in ["approve", "release"] {
        let (exit, _, said) =
            office.tuoyu(&format!("{act} run-2026-08 --by 李四 --ledger ledger.db"));
        assert_eq!(exit, 0, "{said}");
    }
    let (september, payable) = office.settle("2026-09", "");
    assert_eq!(payable, 15_000);
    let published = contents(&office.path("run-2026-09"));
    office.forget();
    for threads in ["1", "2", "5"] {
        let (exit, said) = office.rerun(&format!("{} --threads {threads}", &september[..8]));
        assert_eq!(exit, 0, "{said}");
        assert!(said.contains("every byte the same"), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
    let (exit, said) = office.rerun("run-2026-09 --out again");
    assert_eq!(exit, 0, "{said}");
    assert_eq!(contents(&office.path("again")), published);
    // The work folders are gone with the work.
    let left = |folder: &str| {
        let entries = fs::read_dir(office.path(folder)).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.starts_with('.')).collect::<Vec<_>>()
    };
    assert_eq!((left("archive"), left(".")), (Vec::new(), Vec::new()));
    let recipe = office.archive().recipe(&september).unwrap();
    assert_eq!(recipe.earlier.len(), 1);
    assert_eq!(recipe.compared_with.as_ref(), recipe.earlier.first());
    // Its lines are there for later periods to compare with.
    let lines = office.archive().lines(&september).unwrap();
    assert_eq!(lines, published["entitlements.parquet"]);
    // Without the ledger nobody knows what August had paid.
    let (exit, said) = office.rerun(&format!("{september} --ledger nowhere.db --archive archive"));
    assert_eq!(exit, 1, "{said}");
    assert!(said.contains("read the posted lines of 1 earlier runs"), "{said}");
}

#[test]
fn the_files_of_tables_are_kept_with_the_law() {
    let office = Office::new();
    let table = "[[table]]\nid = \"rate\"\nclause = \"一\"\neffective_from = 2026-01-01\n\
                 unit = \"yuan/day\"\nkeys = [{ name = \"age_class\", type = \"text\" }]\nfile = \"rates.csv\"\n";
    let pack = include_str!("pack.toml");
    let start = pack.find("[[parameter]]").unwrap();
    let end = pack.find("[[gate]]").unwrap();
    let pack = pack.replace(&pack[start..end], &format!("{table}\n"));
    office.write("pack/pack.toml", &pack.replace("\"rate * ", "\"rate(age_class) * "));
    office.write("pack/rates.csv", "age_class,value\n托小班,12\n*,1\n");
    // 15 days of 12 yuan.
    let (run, payable) = office.settle("2026-09", "");
    assert_eq!(payable, 18_000);
    office.forget();
    let (exit, said) = office.rerun(&run);
    assert_eq!(exit, 0, "{said}");
    assert!(said.contains("every byte the same"), "{said}");
}

/// Puts an object by hand, as the format says it: a zstd frame, then a skipped frame with the hash of
/// what stands before it.
fn put(office: &Office, contents: &[u8]) -> String {
    let mut bytes = zstd::encode_all(contents, 3).unwrap();
    let seal = Sha256::digest(&bytes);
    bytes.extend([0x5e, 0x2a, 0x4d, 0x18, 32, 0, 0, 0]);
    bytes.extend(seal);
    let hash = Sha256::digest(contents)
        .iter()
        .fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
    let (folder, name) = hash.split_at(2);
    office.write(&format!("archive/objects/{folder}/.made"), "");
    fs::write(office.path(&format!("archive/objects/{folder}/{name}.zst")), bytes).unwrap();
    hash
}

/// Rewrites the recipe of a run, and its pointer so that it fits.
pub(super) fn rewrite(office: &Office, run: &str, change: impl FnOnce(&mut Recipe)) {
    let mut recipe = office.archive().recipe(run).unwrap();
    change(&mut recipe);
    let hash = put(office, recipe.text().as_bytes());
    office.write(&format!("archive/runs/{run}.json"), &format!("{{\"recipe\":\"{hash}\"}}\n"));
}

#[test]
fn what_differs_is_listed_with_both_texts() {
    let office = Office::new();
    let (run, _) = office.settle("2026-09", "");
    // Somebody put another rate into the archive, and made everything fit; only the ledger knows.
    let other = include_str!("pack.toml").replace("value = \"10\"", "value = \"11\"");
    let hash = put(&office, other.as_bytes());
    rewrite(&office, &run, |recipe| recipe.packs[0].files[0].sha256 = Some(hash));
    let (exit, said) = office.rerun(&run);
    assert_eq!(exit, 6, "{said}");
    assert!(said.contains("the recipe of run"), "{said}");
    let without = "--ledger nowhere.db --archive archive";
    let (exit, said) = office.rerun(&format!("run-2026-09 {without}"));
    assert_eq!(exit, 6, "{said}");
    assert!(said.contains("settling again gives run "), "{said}");
    for part in [
        "schedule.csv: settled again it differs, line 2\n  archived: ",
        "entitlements.parquet: settled again it differs, line 1, column ",
        "manifest.json: settled again it differs, line ",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    // The archive alone has the lines, not the other texts.
    let (exit, said) = office.rerun(&format!("{run} {without}"));
    assert_eq!(exit, 6, "{said}");
    assert!(said.contains("entitlements.parquet: settled again it differs, line 1"), "{said}");
    assert!(said.contains("schedule.csv: settled again it differs\n"), "no text to show: {said}");
    // As a run of another version of the calculation, cells are compared and the run's name is not.
    rewrite(&office, &run, |recipe| recipe.calc_version = "1".to_owned());
    let (exit, said) = office.rerun(&format!("run-2026-09 {without}"));
    assert_eq!(exit, 6, "{said}");
    assert!(said.contains("version 1 of the calculation, which is not ours"), "{said}");
    assert!(
        said.contains("not compared: examined.json, report.html, summary.json, manifest.json"),
        "{said}"
    );
    // 150 yuan then, 165 now; A's ten days 100 and 110.
    for part in [
        "changes.csv: settled again it differs, line 2, column amount_fen\n  archived: 15000\n  \
         found:    16500\n",
        "entitlements.parquet: settled again it differs, line 1, column exact_num\n  archived: \
         10000\n  found:    11000\n",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(!said.contains("column run_id") && !said.contains("column row_hash"), "{said}");
    let (exit, out, _) = office.tuoyu(&format!("audit rerun run-2026-09 --json {without}"));
    let answer: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((exit, answer["same_version"].as_bool()), (6, Some(false)), "{out}");
    // And where what they tell is the same, that is said.
    let own = put(&office, include_bytes!("pack.toml"));
    rewrite(&office, &run, |recipe| recipe.packs[0].files[0].sha256 = Some(own));
    let (exit, said) = office.rerun(&format!("run-2026-09 {without}"));
    assert_eq!(exit, 0, "{said}");
    assert!(said.contains("tables tell the same"), "{said}");
}

#[test]
fn a_recipe_cannot_lead_out_of_its_folder() {
    let office = Office::new();
    let (run, _) = office.settle("2026-09", "");
    rewrite(&office, &run, |recipe| "../../escaped".clone_into(&mut recipe.key.name));
    let (exit, said) = office.rerun(&format!("{run} --ledger nowhere.db --archive archive"));
    assert_eq!(exit, 6, "{said}");
    assert!(said.contains("is no file name"), "{said}");
}

#[test]
fn what_was_archived_is_what_was_read_or_nothing_stands() {
    let office = Office::new();
    let path = office.path("job.toml");
    let job = tuoyu::job::read(&path, &tuoyu::job::Overrides::default()).unwrap();
    let archive = tuoyu::archive::Archive::at(&office.path("archive"));
    let read = tuoyu::intake::SourceFile {
        table: "attendance".into(),
        name: "attendance.csv".into(),
        path: office.path("in/attendance.csv").into(),
        sha256: "0".repeat(64),
        bytes: 1,
        records: 1,
    };
    let papers = Papers::look(&job);
    let error = archive.keep_inputs(&job, &papers, &[read], &BTreeMap::new()).unwrap_err();
    assert!(matches!(error, ArchiveError::Changed { .. }), "{error}");
    assert!(error.to_string().contains("attendance.csv: has changed"), "{error}");
    // A pack that changes between the first look and the end is found as well.
    assert!(archive.keep_inputs(&job, &papers, &[], &BTreeMap::new()).is_ok());
    office.write("pack/pack.toml", "changed");
    let error = archive.keep_inputs(&job, &papers, &[], &BTreeMap::new()).unwrap_err();
    assert!(error.to_string().contains("pack.toml: has changed"), "{error}");
    assert!(!office.path("archive/runs").exists(), "no pointer, so nobody reads what is there");
}

#[test]
fn overlays_and_several_packs_come_back_as_well() {
    let office = Office::new();
    // A second pack that pays 1 yuan a child, and an overlay that pays 20 yuan a day.
    let second = include_str!("pack.toml")
        .replace("id = \"small\"", "id = \"second\"")
        .replace("rate * coalesce(days_attended, 0)", "rate * 1")
        .replace("unit = \"yuan/day\"", "unit = \"yuan\"")
        .replace("value = \"10\"", "value = \"1\"");
    office.write("second/pack/pack.toml", &second);
    office.write("what.toml", "\"small:parameter.rate.value\" = \"20\"\n");
    office.job("");
    let job = fs::read_to_string(office.path("job.toml")).unwrap();
    let packs = format!(
        ", {:?}]\noverlays = [{:?}]\nref",
        office.text("second/pack"),
        office.text("what.toml")
    );
    office.write("job.toml", &job.replacen("]\nref", &packs, 1));
    let (run, payable) = office.settle("2026-09", "");
    assert_eq!(payable, 2 * 15_000 + 2 * 100);
    office.forget();
    fs::remove_dir_all(office.path("second")).unwrap();
    fs::remove_file(office.path("what.toml")).unwrap();
    let (exit, said) = office.rerun(&run);
    assert_eq!(exit, 0, "{said}");
}

#[test]
fn an_overlay_that_says_nothing_changes_no_byte() {
    let office = Office::new();
    let (run, payable) = office.settle("2026-09", "");
    let plain = contents(&office.path("run-2026-09"));
    office.write("empty.toml", "# Nothing is changed.\n");
    let job = fs::read_to_string(office.path("job.toml")).unwrap();
    let with = format!("]\noverlays = [{:?}]\nref", office.text("empty.toml"));
    office.write("job.toml", &job.replacen("]\nref", &with, 1));
    // Another folder and no ledger, so that nothing is found to be there already.
    let report = office.run("--period 2026-09 --out run-again --ledger none --archive none");
    assert_eq!(report["run_id"].as_str(), Some(run.as_str()));
    assert_eq!(report["payable_fen"].as_i64(), Some(payable));
    assert_eq!(contents(&office.path("run-again")), plain);
    // Posted again it is the run that is there, and an overlay that changes something is another.
    let report = office.run("--period 2026-09 --out run-2026-09");
    assert_eq!(report["posted"], "already_there");
    office.write("empty.toml", "\"parameter.rate.value\" = \"20\"\n");
    let report = office.run("--period 2026-09 --out run-again --ledger none --archive none");
    assert_ne!(report["run_id"].as_str(), Some(run.as_str()));
    assert_eq!(report["payable_fen"].as_i64(), Some(2 * payable));
}

#[test]
fn a_lost_archive_is_mended_by_the_same_run() {
    let office = Office::new();
    let (run, _) = office.settle("2026-09", "");
    let before = contents(&office.path("archive"));
    fs::remove_dir_all(office.path("archive")).unwrap();
    let report = office.run("--period 2026-09 --out run-2026-09");
    assert_eq!(report["posted"], "already_there");
    assert_eq!(contents(&office.path("archive")), before);
    // One object is enough to be missed.
    let object = before.keys().find(|name| name.starts_with("objects")).unwrap();
    fs::remove_file(office.path("archive").join(object)).unwrap();
    office.run("--period 2026-09 --out run-2026-09");
    assert_eq!(contents(&office.path("archive")), before);
    assert_eq!(office.ledger().events().unwrap(), 1, "mending is no event");
    assert_eq!(office.rerun(&run).0, 0);
}

#[test]
fn where_nothing_can_be_archived_nothing_stands() {
    let office = Office::new();
    office.write("archive", "a file where the folder should be");
    let (exit, _, err) = office.tuoyu("run job.toml --ledger ledger.db --out run-2026-09");
    assert_eq!(exit, 1, "{err}");
    assert!(err.contains("archive/objects: cannot make the folder"), "{err}");
    assert!(!office.path("run-2026-09").exists());
    assert_eq!(office.ledger().events().unwrap(), 0);
    // A crash before the commit leaves objects and a pointer; nobody misses or minds them.
    fs::remove_file(office.path("archive")).unwrap();
    let (run, _) = office.settle("2026-09", "");
    let raw = office.raw_ledger();
    raw.execute_batch("PRAGMA foreign_keys = 0; DELETE FROM events; DELETE FROM runs").unwrap();
    drop(raw);
    fs::remove_dir_all(office.path("run-2026-09")).unwrap();
    assert_eq!(
        office.archive().verify(&office.ledger().recipes().unwrap(), &BTreeMap::new()).unwrap(),
        []
    );
    assert!(office.archive().holds(&run));
}

#[test]
fn a_trial_and_a_job_that_says_none_keep_nothing() {
    let office = Office::new();
    office.run("--period 2026-09 --out run-2026-09 --archive none");
    office.run("--period 2026-09 --out run-trial --ledger none");
    assert!(!office.path("archive").exists());
    let (exit, said) = office.rerun("run-2026-09");
    assert_eq!(exit, 1);
    assert!(said.contains("is no archive"), "{said}");
}

#[test]
fn the_base_deliveries_of_a_past_month_can_be_read_again() {
    let office = Office::new();
    let (run, _) = office.settle("2026-09", "");
    fs::remove_dir_all(office.path("in")).unwrap();
    let archive = office.archive();
    let materials =
        Materials::new(&archive, archive.recipe(&run).unwrap(), archive.path()).unwrap();
    let tables = materials.tables().unwrap();
    let attendance = tables.iter().find(|spec| spec.table == "attendance").unwrap();
    let text = fs::read_to_string(&attendance.paths[0]).unwrap();
    assert!(text.ends_with("A,I1,2026-09,10\nB,I1,2026-09,5\n"), "{text}");
    let folder = materials.folder().to_owned();
    // Only what was asked for is unpacked, and it goes with the materials.
    assert!(!folder.join("packs").exists());
    drop(materials);
    assert!(!folder.exists());
}

#[test]
fn what_a_killed_run_left_unpacked_is_removed_and_nothing_is_replaced() {
    let office = Office::new();
    let (run, _) = office.settle("2026-09", "");
    office.write("archive/.materials-killed/in-use", "");
    office.write("archive/.materials-killed/tables/enrolments.csv", "names");
    office.write("archive/.materials-used/in-use", "");
    let used = fs::File::open(office.path("archive/.materials-used/in-use")).unwrap();
    used.lock().unwrap();
    assert_eq!(office.rerun(&run).0, 0);
    assert!(!office.path("archive/.materials-killed").exists());
    assert!(office.path("archive/.materials-used").exists());
    // A rerun into a folder that holds something would replace what it is to be compared with.
    let (exit, said) = office.rerun("run-2026-09 --out run-2026-09");
    assert_eq!(exit, 1, "{said}");
    assert!(said.contains("run-2026-09: is not empty"), "{said}");
}
