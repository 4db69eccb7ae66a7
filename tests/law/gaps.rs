//! Coverage (S19) over what is shipped: a table of a published scheme that loses a row is found out, by
//! the key that is missing and the days it is missing for.

use super::{here, reference};
use std::fs;
use std::path::Path;
use toml::{Table, Value};
use tuoyu::law;

/// The packs of published schemes: their tables name every key, so that each row is needed.
const SCHEMES: [&str; 15] = [
    "dongchangfu",
    "sichuan",
    "shanxi",
    "beijing_etdz",
    "donggang",
    "jiangxi",
    "childcare_allowance",
    "australia",
    "ireland",
    "england",
    "new_zealand",
    "japan",
    "korea",
    "wisconsin",
    "us_patterns",
];

fn copied(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let file = entry.unwrap().path();
        if file.is_file() {
            fs::copy(&file, to.join(file.file_name().unwrap())).unwrap();
        }
    }
}

/// A table of a pack file: its id, its days as they are told, and how many rows it has.
fn tables(text: &str) -> Vec<(String, Vec<String>, usize)> {
    let notice: Table = toml::from_str(text).unwrap();
    let blocks = notice.get("table").and_then(Value::as_array).cloned().unwrap_or_default();
    let text = |block: &Value, key: &str| block.get(key).map(ToString::to_string).unwrap();
    blocks
        .iter()
        .map(|block| {
            let rows = block.get("rows").and_then(Value::as_array).map_or(0, Vec::len);
            let mut dates = vec![format!(" from {}", text(block, "effective_from"))];
            if block.get("effective_until").is_some() {
                dates.push(format!(" to {}", text(block, "effective_until")));
            }
            (text(block, "id").replace('"', ""), dates, rows)
        })
        .collect()
}

/// The file with one row of one table taken out, and the keys of that row.
fn without(text: &str, table: usize, row: usize) -> (String, Vec<String>) {
    let mut notice: Table = toml::from_str(text).unwrap();
    let block = &mut notice["table"].as_array_mut().unwrap()[table];
    let lost = block["rows"].as_array_mut().unwrap().remove(row);
    let mut cells: Vec<String> = lost
        .as_array()
        .unwrap()
        .iter()
        .map(|cell| cell.as_str().map_or_else(|| cell.to_string(), str::to_owned))
        .collect();
    cells.pop();
    (toml::to_string(&notice).unwrap(), cells)
}

/// Whether a key is named: a value as it is written, a range by the bound its open piece begins at. A
/// range over all that is to be covered says nothing and is not named.
fn names(told: &str, key: &str) -> bool {
    if key == "[0,)" {
        return true;
    }
    let Some(range) = key.strip_prefix(['[', '(']) else {
        return [',', ';', ' '].iter().any(|end| told.contains(&format!("={key}{end}")));
    };
    let low = range.split(',').next().unwrap_or("");
    assert!(!low.is_empty(), "{key} begins nowhere");
    [',', ';', ' '].iter().any(|end| told.contains(&format!("={low}{end}")))
        || told.contains(&format!("=({low},"))
}

#[test]
fn a_row_taken_out_of_any_table_of_a_scheme_is_missed() {
    let (mut tried, mut wrong) = (0, Vec::new());
    for scheme in SCHEMES {
        let pack = here("data/policy").join(scheme);
        let root = tempfile::tempdir().unwrap();
        let copy = root.path().join(scheme);
        copied(&pack, &copy);
        for entry in fs::read_dir(&pack).unwrap() {
            let file = entry.unwrap().path();
            if file.extension().is_none_or(|ending| ending != "toml") {
                continue;
            }
            let text = fs::read_to_string(&file).unwrap();
            let there = copy.join(file.file_name().unwrap());
            for (table, (id, dates, rows)) in tables(&text).into_iter().enumerate() {
                for row in 0..rows {
                    let (less, keys) = without(&text, table, row);
                    fs::write(&there, less).unwrap();
                    let told = law::examine(std::slice::from_ref(&copy), &[], &reference());
                    let named = told.iter().map(ToString::to_string).any(|told| {
                        told.contains(&format!("[[table]] {id} has no row for "))
                            && dates.iter().all(|date| told.contains(date))
                            && keys.iter().all(|key| names(&told, key))
                    });
                    tried += 1;
                    if !named {
                        let told: Vec<String> = told.iter().map(ToString::to_string).collect();
                        wrong.push(format!("{scheme} {id} {keys:?}: {}", told.join(" | ")));
                    }
                }
                fs::write(&there, &text).unwrap();
            }
        }
    }
    assert!(tried > 60, "only {tried} rows were taken out");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
