//! Overlays: paths, rows, relative values, and law laid over the same packs many times.

use super::{here, reference};
use std::path::PathBuf;
use tuoyu::domain::{Date, Month};
use tuoyu::law::{self, LawBook, LawErrors, LawText, OverlayText};

fn complete() -> PathBuf {
    here("tests/law/packs/complete")
}

fn text() -> LawText {
    law::read(&[complete()], &reference()).unwrap_or_else(|errors| panic!("{errors}"))
}

fn overlay(text: &str) -> OverlayText {
    OverlayText { name: "what.toml".to_owned(), text: text.to_owned() }
}

fn under(overlays: &[&str]) -> Result<LawBook, LawErrors> {
    let overlays: Vec<OverlayText> = overlays.iter().map(|text| overlay(text)).collect();
    text().under(&overlays)
}

fn snapshot(book: &LawBook, month: &str) -> String {
    let month = Month::parse(month).unwrap();
    let law = book.in_force(month, Date::parse_iso("2026-12-01").unwrap());
    law.unwrap_or_else(|errors| panic!("{errors}")).snapshot
}

/// A field of a block as the law of a month shows it.
fn shown(book: &LawBook, month: &str, id: &str, key: &str) -> String {
    let law = book.shown(Month::parse(month).unwrap(), Date::parse_iso("2026-12-01").unwrap());
    let rule = law.rules.iter().rev().find(|rule| rule.id == id).expect(id);
    rule.fields.iter().find(|(name, _)| name == key).expect(key).1.clone()
}

#[test]
fn an_empty_overlay_is_no_overlay() {
    let plain = law::load(&[complete()], &[], &reference()).unwrap();
    for text in ["", "# nothing\n"] {
        let book = under(&[text]).unwrap();
        for month in ["2026-03", "2026-09", "2026-10"] {
            assert_eq!(snapshot(&book, month), snapshot(&plain, month));
        }
    }
}

#[test]
fn what_is_laid_in_memory_is_what_is_laid_from_files() {
    let folder = tempfile::tempdir().unwrap();
    let texts = [
        "\"parameter.rate.slot.value\" = \"125.5\"\n\"table.benchmark[乳儿班]\" = \"2700\"\n",
        // Dates and a basis move blocks: all is sorted and checked anew.
        "\"parameter.rate.slot.effective_from\" = 2026-02-01\n",
        "\"value.days.least.basis\" = \"listing\"\n\"guide_price.full_day.float_up\" = \"0.15\"\n",
    ];
    let packs = text();
    for (index, said) in texts.iter().enumerate() {
        let file = folder.path().join("what.toml");
        std::fs::write(&file, said).unwrap();
        let loaded = law::load(&[complete()], &[file], &reference()).map_err(|e| e.to_string());
        let laid = packs.under(&[overlay(said)]).map_err(|e| e.to_string());
        match (loaded, laid) {
            (Ok(loaded), Ok(laid)) => {
                let month = Month::parse("2026-09").unwrap();
                let known = Date::parse_iso("2026-12-01").unwrap();
                let both = [&loaded, &laid].map(|book| {
                    let law = book.in_force(month, known).map(|law| law.snapshot);
                    law.map_err(|errors| errors.to_string())
                });
                assert_eq!(both[0], both[1]);
            }
            (Err(loaded), Err(laid)) => assert_eq!(loaded, laid),
            (loaded, laid) => panic!("{index}: {:?} {:?}", loaded.err(), laid.err()),
        }
    }
    // The packs read once are as they were.
    assert_eq!(
        snapshot(&packs.under(&[]).unwrap(), "2026-09"),
        snapshot(&under(&[]).unwrap(), "2026-09")
    );
}

#[test]
fn one_row_of_a_table_is_named_by_its_cells() {
    let book = under(&[
        "\"table.benchmark[乳儿班]\" = \"2700\"\n\"table.rate.child[托小班 | [12,24)]\" = \"250\"\n",
    ])
    .unwrap();
    assert_eq!(
        shown(&book, "2026-03", "benchmark", "rows"),
        "乳儿班 | 2700\n托小班 | 2200\n托大班 | 1900\n混龄班 | none"
    );
    // The row is in both versions of the table, the one of January and the one of September.
    assert!(shown(&book, "2026-03", "rate.child", "rows").contains("托小班 | [12,24) | 250\n"));
    assert!(shown(&book, "2026-10", "rate.child", "rows").contains("托小班 | [12,24) | 250"));
    assert!(snapshot(&book, "2026-03").contains("benchmark@2026-01-01/2025-12-01+overlay"));
}

#[test]
fn relative_values_are_laid_over_each_version_by_itself() {
    let book = under(&[concat!(
        "\"parameter.rate.slot.value\" = { times = \"1.255\" }\n",
        "\"table.rate.child.rows\" = { times = \"1.05\", to = \"1\", mode = \"half_up\" }\n",
        "\"table.benchmark.rows\" = { add = \"-100.50\" }\n",
        "\"guide_price.full_day.float_up\" = { add = \"0.05\" }\n",
        "[table]\n\"benchmark[托大班]\" = { times = 2 }\n",
    )])
    .unwrap();
    assert_eq!(shown(&book, "2026-03", "rate.slot", "value"), "125.5");
    // 300, 240.50 and 400 x 1.05 are 315, 252.525 and 420; to whole yuan 253.
    assert_eq!(
        shown(&book, "2026-03", "rate.child", "rows"),
        "* | [0,36) | 315\n托小班 | [12,24) | 253\n乳儿班 | [0,36) | 420"
    );
    // The notice of September says 360 for the first row: 378.
    assert!(shown(&book, "2026-10", "rate.child", "rows").contains("* | [0,36) | 378"));
    // Lines hold in order: 1900 - 100.50 = 1799.50, twice 3599. A cell `none` stays.
    assert_eq!(
        shown(&book, "2026-03", "benchmark", "rows"),
        "乳儿班 | 2499.5\n托小班 | 2099.5\n托大班 | 3599\n混龄班 | none"
    );
    assert_eq!(shown(&book, "2026-03", "full_day", "float_up"), "0.15");
}

/// What is told of a wrong overlay: code, line, and a piece of the message.
const WRONG: &[(&str, &str, u32, &str)] = &[
    (
        "\"parameter.rate.slt.value\" = 1\n",
        "overlay_path",
        1,
        "did you mean parameter.rate.slot.value",
    ),
    ("\"table.benchmark[乳儿]\" = 1\n", "overlay_row", 1, "did you mean [乳儿班]?"),
    (
        "# rows\n\"table.benchmark[全日托]\" = 1\n",
        "overlay_row",
        2,
        "rows are [乳儿班], [托小班], [托大班], [混龄班]",
    ),
    ("\"table.bench[乳儿班]\" = 1\n", "overlay_path", 1, "is no key of any block"),
    ("\"parameter.rate.slot[乳儿班]\" = 1\n", "overlay_path", 1, "is no key of any block"),
    ("\"table.benchmark[混龄班]\" = { times = 2 }\n", "overlay_value", 1, "is none, which"),
    ("\"gate.filed.require\" = { times = 2 }\n", "overlay_value", 1, "is filed, which"),
    ("\"guide_price.full_day.zh\" = { add = 2 }\n", "overlay_value", 1, "not written in the pack"),
    (
        "\"parameter.rate.slot.value\" = { times = 2, to = \"1\" }\n",
        "overlay_value",
        1,
        "`to` without `mode`",
    ),
    (
        "\"parameter.rate.slot.value\" = { times = 2, to = \"0\", mode = \"up\" }\n",
        "overlay_value",
        1,
        "a quantum that is not above zero",
    ),
    (
        "\"parameter.rate.slot.value\" = { times = 2, add = 1 }\n",
        "overlay_value",
        1,
        "with both `times` and `add`",
    ),
    (
        "\"parameter.rate.slot.value\" = { times = 1.1 }\n",
        "float",
        1,
        "write it as a string: \"1.1\"",
    ),
    (
        "\"parameter.rate.slot.value\" = { time = 2, add = 1 }\n",
        "unknown_key",
        1,
        "did you mean times?",
    ),
    ("\"table.benchmark[乳儿班]\" = \"ten\"\n", "table_row", 1, "\"ten\" is not an exact number"),
];

#[test]
fn a_wrong_line_of_an_overlay_is_told_at_its_place() {
    for (said, code, line, part) in WRONG {
        let errors = under(&[said]).expect_err(said);
        let [error] = errors.0.as_slice() else { panic!("{said}: {errors}") };
        assert_eq!((error.code, error.line), (*code, *line), "{said}: {error}");
        assert!(error.to_string().contains(part), "{said}: {error}");
        assert_eq!(error.text.as_ref().map(|text| text.name.as_str()), Some("what.toml"));
    }
}

#[test]
fn what_is_wrong_with_a_block_is_told_under_every_overlay_and_may_be_mended() {
    let folder = tempfile::tempdir().unwrap();
    let pack = folder.path().join("case");
    std::fs::create_dir(&pack).unwrap();
    std::fs::write(pack.join("pack.toml"), super::PACK).unwrap();
    let notice = "[notice]\nnumber = \"一\"\ntitle = \"一\"\npublished = 2025-12-01\n\
        [[parameter]]\nid = \"rate\"\nclause = \"一\"\neffective_from = 2026-01-01\nunit = \"yuan\"\n";
    std::fs::write(pack.join("notice.toml"), notice).unwrap();
    let packs = law::read(&[pack], &reference()).unwrap();
    for overlays in [&[][..], &[overlay("")][..]] {
        let errors = packs.under(overlays).unwrap_err();
        assert_eq!(
            errors.0.iter().map(|e| (e.code, e.line)).collect::<Vec<_>>(),
            [("missing_key", 5)]
        );
    }
    packs.under(&[overlay("\"parameter.rate.value\" = \"3\"\n")]).unwrap();
    let missing = law::read(&[folder.path().join("nowhere")], &reference()).unwrap_err();
    assert_eq!(missing.0[0].code, "unreadable");
}

#[test]
fn what_was_compiled_under_other_overlays_changes_no_law() {
    let pack = [here("data/policy/shili")];
    let (month, known) = (Month::parse("2026-09").unwrap(), Date::parse_iso("2026-12-01").unwrap());
    let shared = law::read(&pack, &reference()).unwrap();
    let levers = shared.under(&[]).unwrap().levers(month, known);
    let mut said: Vec<String> = levers
        .iter()
        .filter(|lever| lever.value.is_some() && !lever.path.starts_with("pay_date"))
        .step_by(7)
        .map(|lever| format!("{:?} = {{ times = 2 }}\n", lever.path))
        .collect();
    // What a rule says, and on what, changes what others lift and may read.
    said.push(
        "\"value.birth_rank.expr\" = \"coalesce(max(coalesce(spell.birth_order, 1)), 1)\"\n"
            .to_owned(),
    );
    said.push("\"parameter.award.month.value\" = 9\n".to_owned());
    let law = |packs: &LawText, said: &str| {
        let book = packs.under(&[overlay(said)]).unwrap_or_else(|errors| panic!("{said}{errors}"));
        match book.in_force(month, known) {
            Ok(law) => format!("{}{:?}", law.snapshot, law.segments),
            Err(errors) => errors.to_string(),
        }
    };
    // There and back, so that each law is made after many others and once more after itself.
    for said in said.iter().chain(said.iter().rev()) {
        let alone = law(&law::read(&pack, &reference()).unwrap(), said);
        assert!(law(&shared, said) == alone, "{said}");
    }
}
