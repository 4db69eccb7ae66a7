//! Values of parameters and cells of tables: exact fractions, and what overlays make of them.

use super::{PACK, reference};
use std::fs;
use std::path::{Path, PathBuf};
use tuoyu::domain::{Basis, Cell, Column, Date, Frame, Frames, Month, Stored};
use tuoyu::law::{self, LawBook, OverlayText, Step};

/// A notice whose one value is `expr` on the programme.
const NOTICE: &str = r#"
[notice]
number = "测试规〔2026〕1号"
title = "测试"
published = 2025-12-01

[[parameter]]
id = "weeks"
clause = "第一条"
effective_from = 2026-01-01
unit = "week/month"
value = "52/12"

[[table]]
id = "share"
clause = "第二条"
effective_from = 2026-01-01
type = "number"
keys = [{ name = "band", type = "text", values = ["甲", "乙", "丙"] }]
rows = [["甲", "725/1000"], ["乙", "1/3"], ["丙", 2]]

[[value]]
id = "out"
clause = "第三条"
effective_from = 2026-01-01
basis = "programme"
expr = "weeks * share('乙')"

[[gate]]
id = "seen"
clause = "第三条"
effective_from = 2026-01-01
basis = "programme"
require = "out > 0 AND share('甲') < share('丙')"
reason = "seen"
outcome = "warn"
"#;

fn pack(folder: &Path) -> PathBuf {
    let pack = folder.join("case");
    fs::create_dir_all(&pack).unwrap();
    fs::write(pack.join("pack.toml"), PACK).unwrap();
    fs::write(pack.join("notice.toml"), NOTICE).unwrap();
    pack
}

/// The value `out` of September 2026, in lowest terms.
fn out(book: &LawBook) -> Cell {
    let month = Month::parse("2026-09").unwrap();
    let law = book.in_force(month, Date::parse_iso("2026-10-10").unwrap());
    let law = law.unwrap_or_else(|errors| panic!("{errors}"));
    let value = law.segments[0].steps.iter().find_map(|step| match step {
        Step::Value(rule) if &*rule.head.id == "out" => Some(rule.expr.clone()),
        _ => None,
    });
    let mut frames = Frames::default();
    frames.put(Frame::new(Basis::Programme, 1));
    let steps = value.unwrap().trace(&frames, &Basis::Programme, 0, &law.calendar);
    steps[0].value.clone().unwrap()
}

#[test]
fn fractions_of_law_are_exact_and_stay_so_under_overlays() {
    let folder = tempfile::tempdir().unwrap();
    let packs = law::read(&[pack(folder.path())], &reference()).unwrap();
    let under = |text: &str| {
        let overlay = OverlayText { name: "what.toml".to_owned(), text: text.to_owned() };
        packs.under(&[overlay]).unwrap_or_else(|errors| panic!("{errors}"))
    };
    // 52/12 x 1/3 = 52/36 = 13/9.
    assert_eq!(out(&under("")), Cell::Num(13, 9));
    // 1/3 x 1.1 = 11/30; 52/12 x 11/30 = 143/90.
    assert_eq!(out(&under("\"table.share[乙]\" = { times = \"1.1\" }\n")), Cell::Num(143, 90));
    assert_eq!(out(&under("\"table.share.rows\" = { times = \"1.1\" }\n")), Cell::Num(143, 90));
    // 52/12 + 1/3 = 14/3; a third of it is 14/9.
    assert_eq!(out(&under("\"parameter.weeks.value\" = { add = \"1/3\" }\n")), Cell::Num(14, 9));
    assert_eq!(out(&under("\"table.share[乙]\" = \"2/3\"\n")), Cell::Num(26, 9));
    let overlay =
        OverlayText { name: "o".to_owned(), text: "\"table.share[乙]\" = \"1/0\"\n".to_owned() };
    let refused = packs.under(&[overlay]).err().unwrap().to_string();
    let told = "\"1/0\" is not an exact number such as \"0.725\" or \"52/12\"";
    assert!(refused.contains(told), "{refused}");
    let month = Month::parse("2026-09").unwrap();
    let levers = under("").levers(month, Date::parse_iso("2026-10-10").unwrap());
    let told: Vec<_> =
        levers.iter().map(|lever| (lever.path.as_str(), lever.value.as_deref())).collect();
    assert_eq!(
        told,
        [
            ("parameter.weeks.value", Some("52/12")),
            ("table.share[甲]", Some("725/1000")),
            ("table.share[乙]", Some("1/3")),
            ("table.share[丙]", Some("2")),
        ]
    );
}

/// The trace of a value of the pack `dated` on one spell.
fn traced(id: &str, listing_from: &str) -> Vec<(String, String)> {
    let book = law::load(&[super::here("tests/rules/packs/dated")], &[], &reference()).unwrap();
    let month = Month::parse("2026-09").unwrap();
    let law = book.in_force(month, Date::parse_iso("2026-10-10").unwrap()).unwrap();
    let rule = law.segments[0].steps.iter().find_map(|step| match step {
        Step::Value(rule) if &*rule.head.id == id => Some(rule.clone()),
        _ => None,
    });
    let day = |text| Column::Date(vec![Date::parse_iso(text).unwrap()]);
    let mut frame = Frame::new(Basis::Spell, 1);
    frame.put("listing_from", Stored::plain(day(listing_from)));
    let mut frames = Frames::default();
    frames.put(frame);
    let steps = rule.unwrap().expr.trace(&frames, &Basis::Spell, 0, &law.calendar);
    steps.into_iter().map(|step| (step.source, step.note)).collect()
}

#[test]
fn a_trace_names_the_version_and_the_date_it_was_found_by() {
    let notes = |day| traced("part.V1", day);
    let note = "rate@2025-01-01/2025-01-01 on 2026-08-31 示例 一";
    assert!(notes("2026-08-31").contains(&("rate".to_owned(), note.to_owned())));
    let note = "rate@2026-09-10/2025-01-01 on 2026-09-10 示例 二";
    assert!(notes("2026-09-10").contains(&("rate".to_owned(), note.to_owned())));
    let note = "no row of rate on 2026-09-09";
    assert!(notes("2026-09-09").contains(&("rate".to_owned(), note.to_owned())));
}
