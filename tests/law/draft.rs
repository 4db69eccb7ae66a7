//! Draft notices: the law under an overlay, said by a notice.

use super::{PACK, here, reference};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use tuoyu::domain::{Date, Month, Severity};
use tuoyu::law::{self, Draft, DraftError, DraftHead, LawBook, OverlayText};

fn date(text: &str) -> Date {
    Date::parse_iso(text).unwrap()
}

fn head(from: &str, published: &str) -> DraftHead {
    DraftHead {
        number: "示例财规(征求意见稿)之二".to_owned(),
        title: "调整方案\"甲\"".to_owned(),
        published: date(published),
        effective_from: date(from),
    }
}

fn overlay(text: &str) -> [OverlayText; 1] {
    [OverlayText { name: "what.toml".to_owned(), text: text.to_owned() }]
}

/// A copy of a pack that a notice can be put into.
fn copy(root: &Path, pack: &Path) -> PathBuf {
    let to = root.join(pack.file_name().unwrap());
    fs::create_dir_all(&to).unwrap();
    for entry in fs::read_dir(pack).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
        }
    }
    to
}

fn drafted(pack: &Path, said: &str, head: &DraftHead) -> Result<Draft, DraftError> {
    law::read(&[pack.to_owned()], &reference()).unwrap().draft(&overlay(said), head)
}

/// Path and value of every lever, and the law as shown but for dates, versions and clauses.
fn content(book: &LawBook, month: &str) -> (Vec<(String, Option<String>)>, Vec<String>) {
    let month = Month::parse(month).unwrap();
    let known = date("2199-01-01");
    let levers = book.levers(month, known).into_iter().map(|l| (l.path, l.value)).collect();
    let rules = book.shown(month, known).rules.into_iter().map(|rule| {
        let mut fields = rule.fields;
        fields.retain(|(key, _)| key != "supersedes");
        format!("{} {} {fields:?}", rule.kind, rule.id)
    });
    (levers, rules.collect())
}

/// A rate with two versions that begin on a day of September, a price, and a rate per slot.
const CHANGES: &str = "\"table.rate.operating.rows\" = { times = \"1.05\", to = \"1\", mode = \"half_up\" }\n\
     \"guide_price.full_day.float_up\" = \"0.20\"\n\
     \"table.rate.slot[乳儿班]\" = \"150\"\n";

#[test]
fn a_draft_is_the_law_under_the_overlay_from_its_day_on() {
    let root = TempDir::new().unwrap();
    let pack = copy(root.path(), &here("data/policy/shili"));
    let draft = drafted(&pack, CHANGES, &head("2026-08-01", "2026-09-01")).unwrap();
    // Known after the pack's other draft, of a rate from 2027, so that it holds there as well.
    // The rate of January and the one of 16 September, the rate per slot, the price.
    assert_eq!((draft.versions, &*draft.pack), (4, "shili"));
    let under = law::read(std::slice::from_ref(&pack), &reference())
        .unwrap()
        .under(&overlay(CHANGES))
        .unwrap();
    let plain = law::load(std::slice::from_ref(&pack), &[], &reference()).unwrap();
    let file = pack.join("draft.toml");
    fs::write(&file, &draft.text).unwrap();
    let with = law::load(std::slice::from_ref(&pack), &[], &reference()).unwrap();
    // Planned law is applied by no settlement; before its day it says nothing either.
    for month in ["2026-07", "2026-08", "2026-09", "2027-01"] {
        assert_eq!(content(&with, month), content(&plain, month), "{month}");
    }
    let planned = with.with_planned();
    assert_eq!(content(&planned, "2026-07"), content(&plain, "2026-07"));
    for month in ["2026-08", "2026-09", "2026-10", "2026-12", "2027-01", "2031-05"] {
        assert_eq!(content(&planned, month), content(&under, month), "{month}");
    }
    assert_ne!(content(&under, "2026-08"), content(&plain, "2026-08"));
    // Adopted without clauses the law is incomplete; each one is told with its line.
    let adopted = draft.text.replace("status = \"planned\"", "status = \"adopted\"");
    fs::write(&file, &adopted).unwrap();
    let errors = law::load(std::slice::from_ref(&pack), &[], &reference()).unwrap_err();
    let told: Vec<(&str, u32)> = errors.0.iter().map(|error| (error.code, error.line)).collect();
    let lines = adopted.lines().enumerate().filter(|(_, line)| *line == "clause = \"\"");
    let wanted: Vec<(&str, u32)> =
        lines.map(|(at, _)| ("missing_clause", u32::try_from(at).unwrap() + 1)).collect();
    assert_eq!(told, wanted);
    assert_eq!(told.len(), 4);
    // With them it is the law under the overlay.
    fs::write(&file, adopted.replace("clause = \"\"", "clause = \"第一条\"")).unwrap();
    let adopted = law::load(&[pack], &[], &reference()).unwrap();
    for month in ["2026-08", "2026-09", "2026-10", "2027-01"] {
        assert_eq!(content(&adopted, month), content(&under, month), "{month}");
    }
}

#[test]
fn an_empty_clause_is_a_remark_while_the_notice_is_planned() {
    let root = TempDir::new().unwrap();
    let pack = copy(root.path(), &here("tests/law/packs/complete"));
    let draft = drafted(
        &pack,
        "\"parameter.rate.slot.value\" = { times = 2 }\n",
        &head("2026-05-01", "2026-04-01"),
    );
    fs::write(pack.join("draft.toml"), draft.unwrap().text).unwrap();
    let told = law::examine(&[pack], &[], &reference());
    let [remark] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!((remark.code, remark.severity, remark.line), ("missing_clause", Severity::Warn, 15));
    assert!(remark.to_string().starts_with("complete/draft.toml:15:10: [[parameter]] rate.slot"));
    assert!(remark.hint.starts_with("fill it before the notice is adopted"), "{remark}");
}

/// Every kind of value a block may hold, in a notice of one parameter, one split and one item.
const NOTICE: &str = r#"
[notice]
number = "测〔2026〕1号"
title = "测试"
published = 2025-12-01

[[parameter]]
id = "since"
clause = "第一条"
effective_from = 2026-01-01
type = "date"
value = 2026-02-01

[[parameter]]
id = "rate"
clause = "第一条"
effective_from = 2026-01-01
effective_until = 2026-06-30
unit = "yuan/child/month"
value = "200"

[[parameter]]
id = "rate"
clause = "第二条"
effective_from = 2026-07-01
effective_until = 2027-06-30
unit = "yuan/child/month"
value = "300"

[[split]]
id = "all"
clause = "第二条"
effective_from = 2026-01-01
scope = "line"
method = "largest_remainder"
parts = [{ source = "省\\级", share = "1/3" }, { source = "区", share = "2/3" }]

[[subsidy]]
id = "care"
clause = "第一条"
effective_from = 2026-01-01
basis = "spell"
gates = []
amount = """
CASE WHEN spell_from >= since
  AND "spell_days" > 0 THEN rate ELSE 0 * rate END"""
round = { to = "1", mode = "half_up" }
instrument = "per_child"
in_kind = false
zh = "托育"
"#;

fn small(root: &Path) -> PathBuf {
    let pack = root.join("case");
    fs::create_dir_all(&pack).unwrap();
    fs::write(pack.join("pack.toml"), PACK).unwrap();
    fs::write(pack.join("notice.toml"), NOTICE).unwrap();
    pack
}

#[test]
fn every_kind_of_value_is_written_as_it_is_read() {
    let root = TempDir::new().unwrap();
    let pack = small(root.path());
    let said = "\"parameter.since.value\" = 2026-03-01\n\"split.all.scope\" = \"settlement\"\n\
                \"subsidy.care.round.mode\" = \"down\"\n\"parameter.rate.value\" = { add = \"0.5\" }\n";
    let draft = drafted(&pack, said, &head("2026-04-10", "2026-04-10")).unwrap();
    // From the tenth of April: the rate to June and the one to June a year later, each with its end.
    for piece in [
        "title = \"调整方案\\\"甲\\\"\"\n",
        "effective_from = 2026-04-10\neffective_until = 2026-06-30\n\
         supersedes = { known_from = 2025-12-01, until = 2026-06-30 }\n\
         unit = \"yuan/child/month\"\nvalue = \"200.5\"\n",
        "effective_from = 2026-07-01\neffective_until = 2027-06-30\n\
         supersedes = { known_from = 2025-12-01, until = 2027-06-30 }\n\
         unit = \"yuan/child/month\"\nvalue = \"300.5\"\n",
        "type = \"date\"\nvalue = 2026-03-01\n",
        "parts = [{ source = \"省\\\\级\", share = \"1/3\" }, { source = \"区\", share = \"2/3\" }]\n",
        "amount = \"\"\"\nCASE WHEN spell_from >= since\n  AND \\\"spell_days\\\" > 0 THEN",
        "round = { to = \"1\", mode = \"down\" }\ninstrument = \"per_child\"\nin_kind = false\nzh = \"托育\"\n",
        "# 测〔2026〕1号 第二条\n# value: 300 -> 300.5\n",
    ] {
        assert!(draft.text.contains(piece), "{piece}\nis missing in\n{}", draft.text);
    }
    let under = law::read(std::slice::from_ref(&pack), &reference())
        .unwrap()
        .under(&overlay(said))
        .unwrap();
    let plain = law::load(std::slice::from_ref(&pack), &[], &reference()).unwrap();
    fs::write(pack.join("draft.toml"), draft.text).unwrap();
    let planned = law::load(&[pack], &[], &reference()).unwrap().with_planned();
    // A start inside April counts from May.
    assert_eq!(content(&planned, "2026-04"), content(&plain, "2026-04"));
    for month in ["2026-05", "2026-06", "2026-07", "2027-06"] {
        assert_eq!(content(&planned, month), content(&under, month), "{month}");
    }
}

#[test]
fn an_overlay_that_makes_no_notice_is_refused() {
    let root = TempDir::new().unwrap();
    let pack = small(root.path());
    let refused = |said: &str, from: &str, published: &str| {
        drafted(&pack, said, &head(from, published)).expect_err(said).to_string()
    };
    let rate = "\"parameter.rate.value\" = \"250\"\n";
    for (said, from, published, part) in [
        (
            "# nothing\n",
            "2026-04-01",
            "2026-04-01",
            "what.toml: changes nothing from 2026-04-01 on",
        ),
        // The same number in other digits is no change.
        (
            "\"parameter.since.value\" = \"2026-02-01\"\n",
            "2026-04-01",
            "2026-04-01",
            "changes nothing",
        ),
        (
            rate,
            "2025-12-31",
            "2026-04-01",
            "parameter rate is not in force on 2025-12-31; its versions are \
             2026-01-01/2025-12-01, 2026-07-01/2025-12-01",
        ),
        (rate, "2027-07-01", "2027-07-01", "parameter rate is not in force on 2027-07-01"),
        (
            rate,
            "2026-04-01",
            "2025-12-01",
            "a version known from 2025-12-01, the draft is known from",
        ),
        (
            "\"parameter.since.effective_from\" = 2026-02-01\n",
            "2026-04-01",
            "2026-04-01",
            "parameter since: the overlay changes its dates",
        ),
        (
            "\"parameter.rat.value\" = 1\n",
            "2026-04-01",
            "2026-04-01",
            "did you mean parameter.rate.value",
        ),
    ] {
        let told = refused(said, from, published);
        assert!(told.contains(part), "{said}: {told}");
    }
    let other = root.path().join("other");
    fs::create_dir_all(&other).unwrap();
    fs::write(other.join("pack.toml"), PACK.replace("\"case\"", "\"other\"")).unwrap();
    fs::write(other.join("notice.toml"), NOTICE).unwrap();
    let both = law::read(&[pack, other], &reference()).unwrap();
    let said = overlay("\"case:parameter.rate.value\" = 1\n\"other:parameter.rate.value\" = 1\n");
    let told = both.draft(&said, &head("2026-04-01", "2026-04-01")).unwrap_err().to_string();
    assert!(told.contains("changes blocks of the packs case, other"), "{told}");
    let one = both.draft(&said[..0], &head("2026-04-01", "2026-04-01"));
    assert!(matches!(one, Err(DraftError::Nothing { .. })));
    let second = overlay("\"other:parameter.rate.value\" = 1\n");
    assert_eq!(&*both.draft(&second, &head("2026-04-01", "2026-04-01")).unwrap().pack, "other");
}

#[test]
fn drafts_of_one_rule_stand_beside_each_other() {
    // The pack has a draft of the slot rate for 2027; a second one need not name it.
    let root = TempDir::new().unwrap();
    let pack = copy(root.path(), &here("tests/law/packs/complete"));
    let said = "\"parameter.rate.slot.value\" = \"111\"\n";
    let draft = drafted(&pack, said, &head("2026-10-01", "2026-09-01")).unwrap();
    fs::write(pack.join("draft.toml"), &draft.text).unwrap();
    let book = law::load(std::slice::from_ref(&pack), &[], &reference()).unwrap().with_planned();
    let value = |month| {
        let (levers, _) = content(&book, month);
        levers.into_iter().find(|(path, _)| path == "parameter.rate.slot.value").unwrap().1
    };
    assert_eq!((value("2026-09"), value("2027-02")), (Some("100".into()), Some("111".into())));
    // Two of the same day of knowledge cannot be told apart.
    let again = drafted(&pack, said, &head("2026-10-01", "2026-09-01")).unwrap_err();
    assert!(again.to_string().contains("two versions equal in both dates"), "{again}");
}

#[test]
fn law_by_a_date_of_the_row_is_drafted_from_the_day_on() {
    let pack = here("tests/rules/packs/dated");
    let said = "\"parameter.rate.value\" = { times = 2 }\n";
    let draft = drafted(&pack, said, &head("2026-10-15", "2026-10-01")).unwrap();
    // Of the two versions only the one in force from that day on gets another.
    assert_eq!(draft.versions, 1);
    assert!(draft.text.contains("effective_from = 2026-10-15\n"), "{}", draft.text);
    assert!(draft.text.contains("dated_by = \"listing_from\"\n"), "{}", draft.text);
    assert!(draft.text.contains("value = \"400\"\n"), "{}", draft.text);
}
