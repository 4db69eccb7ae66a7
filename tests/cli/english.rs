//! A run in English: every word of ours is English, every value is as it was delivered, and machine
//! files differ from those in Chinese by nothing but sentences.

use crate::office::tuoyu;
use calamine::{Data, Reader, Xlsx, open_workbook};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

/// Settles the sample of August in a language.
fn settled(place: &Path, language: &str) -> PathBuf {
    let out = place.join(language);
    let words = ["run", "jobs/monthly.toml", "--period", "2026-08", "--ledger", "none", "--lang"];
    let words = words.into_iter().chain([language, "--out"]).map(OsString::from);
    let (exit, _, said) = tuoyu(words.chain([out.clone().into_os_string()]));
    assert_eq!(exit, 3, "{said}");
    out
}

fn is_chinese(c: char) -> bool {
    matches!(u32::from(c), 0x3000..=0x303f | 0x3400..=0x9fff | 0xff00..=0xffef)
}

/// Pieces of a text that are Chinese.
fn chinese(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c| !is_chinese(c)).filter(|piece| !piece.is_empty())
}

fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.retain(|path| path.extension().is_some_and(|own| own == ending));
    found.sort();
    found
}

fn cells_of_csv(path: &Path) -> Vec<Vec<String>> {
    let bytes = fs::read(path).unwrap();
    let (text, ..) = encoding_rs::UTF_8.decode(&bytes);
    let text = if text.contains('\u{fffd}') {
        encoding_rs::GB18030.decode(&bytes).0.into_owned()
    } else {
        text.into_owned()
    };
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let rows = reader.records().flatten();
    rows.map(|row| row.iter().map(str::to_owned).collect()).collect()
}

fn cells_of_book(path: &Path) -> Vec<Vec<String>> {
    let mut book: Xlsx<_> = open_workbook(path).unwrap();
    let mut rows: Vec<Vec<String>> = vec![book.sheet_names().clone()];
    for name in book.sheet_names() {
        let range = book.worksheet_range(&name).unwrap();
        rows.extend(range.rows().map(|row| row.iter().map(Data::to_string).collect()));
    }
    rows
}

/// Everything delivered, without headers, and what job and notices are called.
fn delivered() -> String {
    let mut all = String::new();
    let mut open = vec![PathBuf::from("data/sample/2026-08")];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            let rows = match path.extension().and_then(|ending| ending.to_str()) {
                None => {
                    open.push(path);
                    continue;
                }
                Some("csv") => cells_of_csv(&path),
                Some("xlsx") => cells_of_book(&path),
                _ => continue,
            };
            all.extend(rows.iter().skip(1).flatten().map(|cell| format!("{cell}\n")));
        }
    }
    let notices = files(Path::new("data/policy/shili"), "toml");
    for path in notices.iter().map(PathBuf::as_path).chain([Path::new("jobs/monthly.toml")]) {
        let text = fs::read_to_string(path).unwrap();
        let named = ["title", "number", "clause", "office", "purpose"];
        let lines = text.lines().filter(|line| named.iter().any(|key| line.starts_with(key)));
        lines.for_each(|line| all.push_str(line));
    }
    all
}

/// A text without what it quotes: a value as it was found, the header a column has in deliveries.
fn unquoted(text: &str) -> String {
    let mut left = String::new();
    for (at, piece) in text.split(['“', '”']).enumerate() {
        let told = if at % 2 == 0 { piece } else { "" };
        let mut parts = told.split("(header ");
        left.push_str(parts.next().unwrap_or_default());
        parts.for_each(|part| left.push_str(part.split_once(')').unwrap_or_default().1));
    }
    left
}

/// What of a text is Chinese and was not delivered.
fn own(text: &str, delivered: &str) -> Vec<String> {
    let left = unquoted(text);
    chinese(&left).filter(|piece| !delivered.contains(piece)).map(str::to_owned).collect()
}

#[test]
fn no_word_of_ours_is_chinese() {
    let place = tempfile::tempdir().unwrap();
    let out = settled(place.path(), "en");
    let delivered = delivered();
    let mut left: BTreeSet<String> = BTreeSet::new();
    let mut look = |path: &Path, text: &str| {
        let file = path.file_name().unwrap().to_string_lossy().into_owned();
        left.extend(own(text, &delivered).iter().map(|piece| format!("{file}: {piece}")));
    };
    for path in files(&out, "xlsx") {
        cells_of_book(&path).iter().flatten().for_each(|cell| look(&path, cell));
    }
    // The other machine files hold no words for people: they are the same in both languages (below).
    for (file, columns) in [
        ("findings.csv", &["text", "next_step"][..]),
        ("indicators.csv", &["label"]),
        ("control.csv", &["amount_in_words"]),
    ] {
        let path = out.join(file);
        let rows = cells_of_csv(&path);
        for at in (0..rows[0].len()).filter(|at| columns.contains(&&*rows[0][*at])) {
            for row in &rows {
                look(&path, &row[at]);
            }
        }
    }
    for path in [out.join("summary.json"), out.join("manifest.json"), out.join("report.html")] {
        let text = fs::read_to_string(&path).unwrap();
        // Fonts have names of their own; nobody reads them.
        let text = text.split("</style>").last().unwrap();
        look(&path, text);
    }
    assert_eq!(files(&out, "xlsx").len(), 2);
    assert_eq!(left, BTreeSet::new(), "write them into both catalogues");
    // Headers are words of ours even where a delivery has the same.
    let book = cells_of_book(&out.join("schedule.xlsx"));
    assert_eq!(book[0], ["Payment schedule", "Payments", "Summary"]);
    for row in [&book[3], &cells_of_book(&out.join("notice.xlsx"))[3]] {
        assert!(
            row.iter().all(|cell| !cell.is_empty() && chinese(cell).next().is_none()),
            "{row:?}"
        );
    }
    assert!(fs::read_to_string(out.join("report.html")).unwrap().contains("<html lang=\"en\">"));
}

#[test]
fn machine_files_are_the_same_but_for_sentences() {
    let place = tempfile::tempdir().unwrap();
    let (zh, en) = (settled(place.path(), "zh-CN"), settled(place.path(), "en"));
    // What names the run, or is written for people.
    let other = [
        ("schedule.csv", "run_id"),
        ("findings.csv", "text"),
        ("findings.csv", "next_step"),
        ("indicators.csv", "label"),
        ("control.csv", "amount_in_words"),
    ];
    let mut differing: BTreeSet<(String, String)> = BTreeSet::new();
    for path in files(&zh, "csv") {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let (here, there) = (cells_of_csv(&path), cells_of_csv(&en.join(&name)));
        assert_eq!((here.len(), &here[0]), (there.len(), &there[0]), "{name}: headers");
        for (left, right) in here.iter().zip(&there) {
            for (at, (left, right)) in left.iter().zip(right).enumerate() {
                if left != right {
                    differing.insert((name.clone(), here[0][at].clone()));
                }
            }
        }
    }
    let other: BTreeSet<(String, String)> =
        other.iter().map(|(file, column)| ((*file).to_owned(), (*column).to_owned())).collect();
    assert_eq!(differing, other);
    let read = |folder: &Path, file: &str| -> serde_json::Value {
        serde_json::from_slice(&fs::read(folder.join(file)).unwrap()).unwrap()
    };
    let mut manifests = [&zh, &en].map(|folder| read(folder, "manifest.json"));
    assert_eq!(manifests[0].get("language"), None);
    assert_eq!(manifests[1]["language"], "en");
    assert_ne!(manifests[0]["run_id"], manifests[1]["run_id"]);
    for manifest in &mut manifests {
        let top = manifest.as_object_mut().unwrap();
        for key in ["language", "run_id", "outputs", "schedule_root"] {
            top.remove(key);
        }
    }
    assert_eq!(manifests[0], manifests[1]);
    for file in ["lines.parquet", "pay.json", "examined.json"] {
        assert_eq!(fs::read(zh.join(file)).unwrap(), fs::read(en.join(file)).unwrap(), "{file}");
    }
}
