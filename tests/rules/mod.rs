//! Cases of packs, written by hand from clauses and published figures: the packs' own
//! (`data/policy/*/cases`) and those of small packs made to show one thing each (`packs`, with their
//! files beside this one). The form is in `docs/cases.md`.

mod days;
mod groups;
pub(crate) mod same;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use tuoyu::cases::{Case, CaseFile, Desk, Held, read_file, render};
use tuoyu::domain::Silent;
use tuoyu::job::{Job, Overrides};
use tuoyu::settle::{Settled, compute};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn reference() -> PathBuf {
    root().join("data/reference")
}

/// TOML files of a folder, in order.
fn toml_files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let mut files: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|ending| ending == "toml")).collect();
    files.sort();
    files
}

/// The folder of the pack a file of this folder is about.
fn pack_of(file: &CaseFile) -> PathBuf {
    let name = file.pack.as_ref().expect("a file outside a pack names it");
    let own = root().join("tests/rules/packs").join(name);
    if own.exists() { own } else { root().join("data/policy").join(name) }
}

/// Packs of `data/policy` that have cases.
pub(crate) fn packs_with_cases() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root().join("data/policy")).expect("the packs");
    let mut packs: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    packs.retain(|pack| pack.join("cases").is_dir());
    packs.sort();
    packs
}

/// What of a desk's cases does not hold, as `policy test` tells it.
fn failures(name: &str, desk: &Desk) -> String {
    let said = desk.run(None);
    let all_hold = said.iter().all(|case| case.held == Held::Holds);
    if all_hold { String::new() } else { render(name, &said) }
}

#[test]
fn every_case_of_the_packs() {
    let packs = packs_with_cases();
    assert!(packs.len() >= 4, "only {} packs have cases", packs.len());
    let mut wrong = String::new();
    for pack in packs {
        let desk = Desk::open(&pack, &reference()).expect("cases");
        wrong.push_str(&failures(&pack.display().to_string(), &desk));
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn every_case_of_the_small_packs() {
    let mut wrong = String::new();
    for path in toml_files(&root().join("tests/rules")) {
        let pack = pack_of(&read_file(&path).expect("cases"));
        let desk = Desk::of_files(&pack, &reference(), std::slice::from_ref(&path)).expect("cases");
        wrong.push_str(&failures(&path.display().to_string(), &desk));
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// The page of schemes counts the cases of each.
#[test]
fn the_page_of_schemes_counts_cases_right() {
    let page = std::fs::read_to_string(root().join("docs/schemes.md")).expect("the page");
    let mut counted = 0;
    for pack in packs_with_cases() {
        let name = pack.file_name().expect("a name").to_string_lossy().into_owned();
        let Some(row) = page.lines().find(|line| line.contains(&format!("| `{name}` |"))) else {
            assert!(["bench", "register", "shili"].contains(&&*name), "{name} is not on the page");
            continue;
        };
        let files = toml_files(&pack.join("cases"));
        let cases: usize =
            files.iter().map(|file| read_file(file).expect("cases").cases.len()).sum();
        assert!(row.ends_with(&format!("| {cases} |")), "{name} has {cases} cases: {row}");
        counted += 1;
    }
    assert_eq!(counted, 16, "schemes on the page");
}

/// Every case of a file of this folder, settled as a job, with its name.
pub(crate) fn settled(file: &str) -> Vec<(String, Settled)> {
    let file = read_file(&root().join("tests/rules").join(file)).expect("cases");
    let pack = pack_of(&file);
    let cases = file.cases.iter().filter(|case| case.error.is_none());
    cases.map(|case| (case.name.clone(), settle(&pack, case))).collect()
}

fn settle(pack: &Path, case: &Case) -> Settled {
    let folder = tempfile::tempdir().expect("a folder");
    let job = job_of(pack, case, folder.path(), "");
    compute(&job, None, &mut Silent).expect("a settlement")
}

/// The job of one case of a file of this folder, its tables in a folder; with lines to add to it.
pub(crate) fn job(file: &str, name: &str, folder: &Path, more: &str) -> Job {
    let file = read_file(&root().join("tests/rules").join(file)).expect("cases");
    let case = file.cases.iter().find(|case| case.name == name).expect("a case");
    job_of(&pack_of(&file), case, folder, more)
}

/// The folder of the pack, or a copy of it with other words in its text.
fn worded(pack: &Path, case: &Case, folder: &Path) -> PathBuf {
    if case.wording.is_empty() {
        return pack.to_owned();
    }
    let copy = folder.join("pack");
    std::fs::create_dir(&copy).expect("a folder");
    for path in toml_files(pack) {
        let mut text = std::fs::read_to_string(&path).expect("a file of the pack");
        for (old, new) in &case.wording {
            text = text.replace(old.as_str(), new);
        }
        std::fs::write(copy.join(path.file_name().expect("a name")), text).expect("written");
    }
    copy
}

/// Writes the case's tables as files and reads the job that settles them.
fn job_of(pack: &Path, case: &Case, folder: &Path, more: &str) -> Job {
    let mut inputs = String::new();
    for (table, text) in &case.tables {
        std::fs::write(folder.join(format!("{table}.csv")), text).expect("a table");
        let _ = writeln!(inputs, "[inputs.{table}]\nfile = \"{table}.csv\"");
    }
    let shown = |path: PathBuf| toml::Value::from(path.display().to_string()).to_string();
    let mut overlays = String::new();
    if !case.law.is_empty() {
        let path = folder.join("overlay.toml");
        std::fs::write(&path, toml::to_string(&case.law).expect("lines")).expect("written");
        overlays = shown(path);
    }
    let job = format!(
        "id = \"case\"\nperiod = \"{}\"\npacks = [{}]\noverlays = [{overlays}]\nreference = {}\n\
         input = {}\nkey_file = {}\nknown_on = {}\nledger = \"none\"\nworkbooks = false\n{more}\n\
         {inputs}",
        case.period,
        shown(worded(pack, case, folder)),
        shown(reference()),
        shown(folder.to_path_buf()),
        shown(root().join("data/reference/keys/demo.key")),
        case.known_on,
    );
    let path = folder.join("job.toml");
    std::fs::write(&path, job).expect("a job");
    tuoyu::job::read(&path, &Overrides::default()).expect("a job")
}
