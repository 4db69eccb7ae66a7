//! The dictionary of readable names: its page is the code's, and facts fill every name of it.

use super::{here, reference};
use std::fmt::Write as _;
use tuoyu::facts::{self, Needs};
use tuoyu::job::{self, Overrides};
use tuoyu::law::dictionary::built_in;
use tuoyu::law::{self, DictionaryEntry, Ty};
use tuoyu::{domain::Basis, intake};

const HEAD: &str = "# The dictionary

Names a rule can read, by basis: its own, those of coarser bases its key determines, and those of finer bases inside an aggregate. English and Chinese
names mean the same. A pack adds columns by `[[input]]` and ages by `[[age]]`; its values and guide prices are names as well (see
[policy-pack.md](policy-pack.md)). Expressions are in [expressions.md](expressions.md). This page is made from the code: `UPDATE_GOLDEN=1 cargo test --release dictionary`.

A basis and what it determines: `sessions` -> `day` and what that determines; `day` -> `week`, `spell`, `listing`, `child`, `slot`, `institution`, `programme`; `week` -> `child`, `institution`,
`programme`; `spell` -> `listing`, `child`, `slot`, `institution`, `programme`; `listing` -> `child`, `slot`, `institution`, `programme`; `child`, `slot`, `class`,
`caregiver`, `venue`, `contract`, `certificate`, `sanctions` -> `institution`, `programme`; `institution` -> `programme`.
";

fn type_of(entry: &DictionaryEntry) -> (String, String) {
    match &entry.ty {
        Ty::Bool => ("bool".to_owned(), String::new()),
        Ty::Text(None) => ("text".to_owned(), String::new()),
        Ty::Text(Some(listed)) => (format!("text: {}", listed.join(", ")), String::new()),
        Ty::Key => ("key".to_owned(), String::new()),
        Ty::Date => ("date".to_owned(), String::new()),
        Ty::Num { integer, unit } => {
            let money = unit.0.contains_key("yuan");
            let word = if money {
                "money"
            } else if *integer {
                "integer"
            } else {
                "number"
            };
            (word.to_owned(), unit.to_string())
        }
    }
}

fn page() -> String {
    let entries = built_in("yuan");
    let mut bases: Vec<&Basis> = Vec::new();
    for entry in &entries {
        if !bases.contains(&&entry.basis) {
            bases.push(&entry.basis);
        }
    }
    bases.sort();
    let mut page = HEAD.to_owned();
    for basis in bases {
        let _ = write!(
            page,
            "\n## `{basis}`\n\n| name | 中文 | type | unit | null | source |\n| --- | --- | --- | --- | --- | --- |\n"
        );
        for entry in entries.iter().filter(|entry| entry.basis == *basis) {
            let (word, unit) = type_of(entry);
            let null = if entry.nullable { "yes" } else { "" };
            let column = |c: char| c.is_ascii_lowercase() || c == '_' || c == '.';
            let source = if entry.source.contains('.') && entry.source.chars().all(column) {
                format!("`{}`", entry.source)
            } else {
                entry.source.replace('_', " ")
            };
            let (name, alias) = (&entry.name, &entry.alias);
            let _ = writeln!(page, "| `{name}` | {alias} | {word} | {unit} | {null} | {source} |");
        }
    }
    page
}

#[test]
fn the_page_is_the_codes() {
    let path = here("docs/dictionary.md");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, page()).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(found, page(), "docs/dictionary.md; run with UPDATE_GOLDEN=1 and read the change");
}

#[test]
fn facts_fill_every_name() {
    let job = job::read(&here("jobs/monthly.toml"), &Overrides::default()).unwrap();
    let book = law::load(&[here("data/policy/shili")], &[], &reference()).unwrap();
    let of_month = book.in_force(job.period, job.known_on).unwrap();
    let currency = &of_month.head.currency;
    let tables =
        intake::read(&job.tables, &of_month.inputs, currency, &of_month.columns_read).unwrap();
    let needs = Needs::everything(&of_month);
    let facts = facts::establish(&tables, &of_month, job.period, &needs).unwrap();
    let missing: Vec<String> = of_month
        .dictionary
        .iter()
        .filter(|entry| {
            facts.frames.get(&entry.basis).is_none_or(|frame| frame.get(&entry.name).is_none())
        })
        .map(|entry| format!("{}.{}", entry.basis, entry.name))
        .collect();
    assert!(missing.is_empty(), "names of the dictionary no fact fills: {missing:?}");
}
