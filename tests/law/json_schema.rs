//! The JSON Schemas of packs and jobs, held by an independent validator (python3 with jsonschema)
//! against every file we have: all of ours fit, and what the grammar refuses the schema refuses.

use super::here;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tuoyu::{cases, job, law};

/// Kinds of mistake that are mistakes of shape, which a schema sees. Everything else the checker
/// tells is of meaning: such a file fits the schema.
const OF_SHAPE: &[&str] = &[
    "bad_id",
    "date",
    "float",
    "missing_key",
    "missing_notice",
    "missing_rounding",
    "number",
    "toml",
    "unknown_block",
    "unknown_key",
    "unknown_word",
    "wrong_type",
];

/// Committed schemas and what the code makes of them now.
fn schemas() -> [(PathBuf, serde_json::Value); 3] {
    [
        (here("docs/schema/pack.json"), law::pack_schema()),
        (here("docs/schema/case.json"), cases::case_schema()),
        (here("docs/schema/job.json"), job::job_schema()),
    ]
}

#[test]
fn the_committed_schemas_are_those_of_the_code() {
    for (path, schema) in schemas() {
        let now = format!("{schema:#}\n");
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, &now).unwrap();
        }
        let file = path.file_name().unwrap().display().to_string();
        assert!(
            fs::read_to_string(&path).is_ok_and(|committed| committed == now),
            "docs/schema/{file} is not what the grammar and its reference say; \
             run this test with UPDATE_GOLDEN=1 and commit the file"
        );
    }
}

/// What the validator says of each file, in order: `None` is fine, else why not.
fn held(schema: &Path, files: &[PathBuf]) -> Option<Vec<Option<String>>> {
    let here_it_is = Command::new("python3").args(["-c", "import jsonschema, tomllib"]).output();
    if !here_it_is.is_ok_and(|output| output.status.success()) {
        assert!(
            std::env::var_os("CI").is_none(),
            "python3 with jsonschema holds the schemas in CI"
        );
        println!("skipped: python3 with jsonschema is not here");
        return None;
    }
    let mut command = Command::new("python3");
    let output = command.arg(here("tests/law/json_schema.py")).arg(schema).args(files).output();
    let output = output.expect("python3 runs");
    let said = String::from_utf8(output.stdout).expect("UTF-8");
    let wrong = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{wrong}");
    let lines: Vec<_> =
        said.lines().map(|line| line.strip_prefix("refused ").map(str::to_owned)).collect();
    assert_eq!(lines.len(), files.len(), "{said}");
    Some(lines)
}

/// Files below a folder that `wanted` names, sorted.
fn files(folder: &str, wanted: impl Fn(&Path) -> bool) -> Vec<PathBuf> {
    let (mut found, mut open) = (Vec::new(), vec![here(folder)]);
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|ending| ending == "toml") && wanted(&path) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Whether a file stands right in a pack folder, not in a folder of cases below it.
fn of_a_pack(path: &Path) -> bool {
    path.parent().is_some_and(|folder| folder.join("pack.toml").is_file())
}

#[test]
fn every_pack_fits_its_schema() {
    let mut packs = files("data/policy", of_a_pack);
    assert!(packs.len() >= 8, "{packs:?}");
    // Beside the packs of some tests lie cases of another format.
    packs.extend(files("tests", |path| path.file_name().is_some_and(|name| name == "pack.toml")));
    let Some(told) = held(&here("docs/schema/pack.json"), &packs) else { return };
    assert_eq!(told.into_iter().flatten().collect::<Vec<_>>(), Vec::<String>::new());
}

#[test]
fn every_file_of_cases_fits_its_schema_and_broken_ones_do_not() {
    let in_cases = |path: &Path| path.parent().is_some_and(|folder| folder.ends_with("cases"));
    let mut files = files("data/policy", in_cases);
    assert!(files.len() >= 4, "{files:?}");
    files.push(here("src/cli/scaffold/case.toml"));
    let schema = here("docs/schema/case.json");
    let Some(told) = held(&schema, &files) else { return };
    assert_eq!(told.into_iter().flatten().collect::<Vec<_>>(), Vec::<String>::new());
    // Each is one change of the scaffold's case; the reader refuses the same (src/cases/shape.rs).
    let text = fs::read_to_string(here("src/cli/scaffold/case.toml")).expect("read");
    let folder = tempfile::tempdir().expect("a folder");
    let mut paths = Vec::new();
    for (from, to) in [
        ("status = \"paid\"", "status = \"payed\""),
        ("amount = \"unset\"", "amount = 280.5"),
        ("item = \"care\"", "# no item"),
        ("[[case]]", "[[cases]]"),
        ("note = ", "notes = "),
        ("period = \"2026-09\"", "period = \"2026-9\""),
    ] {
        assert!(text.contains(from), "{from}");
        let path = folder.path().join(format!("{}.toml", paths.len()));
        fs::write(&path, text.replacen(from, to, 1)).expect("written");
        paths.push(path);
    }
    let told = held(&schema, &paths).expect("it ran above");
    for (path, told) in paths.iter().zip(told) {
        assert!(told.is_some(), "{} was let through", path.display());
    }
}

#[test]
fn what_the_grammar_refuses_the_schema_refuses() {
    let cases = files("tests/law/refusals", |_| true);
    let Some(told) = held(&here("docs/schema/pack.json"), &cases) else { return };
    let (mut refused, mut wrong) = (0, Vec::new());
    for (case, told) in cases.iter().zip(told) {
        let text = fs::read_to_string(case).expect("read");
        let codes: Vec<&str> =
            text.lines().filter_map(|l| l.strip_prefix("# expect: error ")).collect();
        let wanted = codes.iter().any(|told| {
            // A clause that is there and empty is asked for where the notice is known.
            let absent = told.starts_with("missing_clause") && told.contains("has no `clause`");
            // The type of a value is that of its own block.
            let of_value = told.contains(": [[parameter]]") || told.contains(": [[table]]");
            let of_value = told.starts_with("wrong_type") && of_value;
            absent || !of_value && OF_SHAPE.contains(&told.split(' ').next().unwrap_or(""))
        });
        if told.is_some() != wanted {
            wrong.push(format!("{}: {codes:?}, told {told:?}", case.display()));
        }
        refused += usize::from(wanted);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(refused >= 10, "only {refused} cases are mistakes of shape");
}

#[test]
fn every_job_fits_its_schema_and_broken_ones_do_not() {
    let jobs = files("jobs", |_| true);
    assert!(jobs.len() >= 7, "{jobs:?}");
    let schema = here("docs/schema/job.json");
    let Some(told) = held(&schema, &jobs) else { return };
    assert_eq!(told.into_iter().flatten().collect::<Vec<_>>(), Vec::<String>::new());
    // Each is one change of a job that is fine; the readers refuse them too (tests/job, tests/tune).
    let folder = tempfile::tempdir().expect("a folder");
    let monthly = fs::read_to_string(here("jobs/monthly.toml")).expect("read");
    let tune = fs::read_to_string(here("jobs/tune.toml")).expect("read");
    let answers = fs::read_to_string(here("jobs/answers.toml")).expect("read");
    let mut broken = Vec::new();
    for (text, from, to) in [
        (&monthly, "cut_off_day = 12", "cut_off_days = 12"),
        (&monthly, "cut_off_day = 12", "cut_off_day = 29"),
        (&monthly, "kind = \"settle\"", "kind = \"setle\""),
        (&monthly, "key_file = ", "# key_file = "),
        (&monthly, "period = \"2026-09\"", "period = \"2026-13\""),
        (&monthly, "workbooks = true", "workbooks = \"true\""),
        (&monthly, "change_percent = 20", "change_percent = 20.5"),
        (&monthly, "complete_for = [\"2026-08\", \"2026-08\"]", "complete_for = [\"2026-08\"]"),
        (&monthly, "account_no = ", "account_number = "),
        (&tune, "want = \"highest\"", "want = \"most\""),
        (&tune, "by = \"times\"", "by = \"percent\""),
        (&tune, "from = \"0.80\"", "from = 0.80"),
        (&tune, "baseline = ", "# baseline = "),
        (&answers, "calendar = ", "# calendar = "),
    ] {
        assert!(text.contains(from), "{from}");
        let path = folder.path().join(format!("{}.toml", broken.len()));
        fs::write(&path, text.replacen(from, to, 1)).expect("written");
        broken.push((path, to));
    }
    let paths: Vec<PathBuf> = broken.iter().map(|(path, _)| path.clone()).collect();
    let told = held(&schema, &paths).expect("it ran above");
    for ((_, change), told) in broken.iter().zip(told) {
        assert!(told.is_some(), "{change} was let through");
    }
}
