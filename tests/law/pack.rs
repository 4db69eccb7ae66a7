//! Loading packs, dates, layers, overlays, snapshots, and what is shown of the law.

use super::{PACK, here, reference};
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tuoyu::domain::{Basis, Cell, Date, Month};
use tuoyu::law::{self, Aggregate, ChangeKind, DiffOf, LawBook, LawOfMonth, Step};

fn complete() -> PathBuf {
    here("tests/law/packs/complete")
}

pub(super) fn book(packs: &[PathBuf], overlays: &[PathBuf]) -> LawBook {
    law::load(packs, overlays, &reference()).unwrap_or_else(|errors| panic!("{errors}"))
}

pub(super) fn month(text: &str) -> Month {
    Month::parse(text).unwrap()
}

pub(super) fn date(text: &str) -> Date {
    Date::parse_iso(text).unwrap()
}

pub(super) fn in_force(book: &LawBook, service: &str, known_on: &str) -> LawOfMonth {
    book.in_force(month(service), date(known_on)).unwrap_or_else(|errors| panic!("{errors}"))
}

/// A temporary pack folder with the given files.
pub(super) fn folder(root: &Path, name: &str, files: &[(&str, &str)]) -> PathBuf {
    let pack = root.join(name);
    fs::create_dir_all(&pack).unwrap();
    for (file, text) in files {
        fs::write(pack.join(file), text).unwrap();
    }
    pack
}

#[test]
fn the_complete_pack_has_nothing_to_tell() {
    let told = law::examine(&[complete()], &[], &reference());
    let told: Vec<String> = told.iter().map(ToString::to_string).collect();
    assert!(told.is_empty(), "{}", told.join("\n"));
}

#[test]
fn every_shipped_pack_passes_its_checks() {
    let Ok(entries) = fs::read_dir(here("data/policy")) else {
        println!("skipped: no packs are shipped beside this test");
        return;
    };
    let mut failures = Vec::new();
    for entry in entries {
        let pack = entry.unwrap().path();
        if !pack.is_dir() {
            continue;
        }
        let told = law::examine(std::slice::from_ref(&pack), &[], &reference());
        let mut told: Vec<String> = told.iter().map(ToString::to_string).collect();
        if pack.ends_with("sichuan") {
            // The share of the cities was not published: it is named, and is all there is to tell.
            let named = told.pop().unwrap_or_default();
            assert!(named.contains("[[parameter]] share.city is not set"), "{named}");
        }
        failures.append(&mut told);
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn a_month_is_cut_where_a_table_splits_on_the_day() {
    let law = in_force(&book(&[complete()], &[]), "2026-09", "2026-10-15");
    let spans: Vec<String> = law.segments.iter().map(|s| s.segment.to_string()).collect();
    assert_eq!(spans, ["2026-09-01..2026-09-15", "2026-09-16..2026-09-30"]);
    // Before the notice was known, September is one piece.
    let law = in_force(&book(&[complete()], &[]), "2026-09", "2026-07-19");
    assert_eq!(law.segments.len(), 1);
    // October is under the new table alone.
    let law = in_force(&book(&[complete()], &[]), "2026-10", "2026-10-15");
    assert_eq!(law.segments.len(), 1);
    assert!(law.snapshot.contains("rate.child@2026-09-16/2026-07-20"));
    assert!(!law.snapshot.contains("rate.child@2026-01-01/2025-12-01"));
}

#[test]
fn before_its_first_day_no_law_is_in_force() {
    let errors = book(&[complete()], &[])
        .in_force(month("2025-12"), date("2026-10-15"))
        .expect_err("nothing is in force");
    assert_eq!(errors.0[0].code, "no_law");
    let errors = book(&[complete()], &[])
        .in_force(month("2026-01"), date("2025-11-30"))
        .expect_err("nothing was known");
    assert_eq!(errors.0[0].code, "no_law");
}

#[test]
fn planned_law_counts_only_when_asked_for() {
    let packs = book(&[complete()], &[]);
    let version = "rate.slot@2027-01-01/2026-08-01";
    assert!(!in_force(&packs, "2027-01", "2027-02-01").snapshot.contains(version));
    assert!(in_force(&packs.with_planned(), "2027-01", "2027-02-01").snapshot.contains(version));
    // In force from a day of the question's own, where its own day is later.
    let september = |packs: &LawBook| in_force(packs, "2026-09", "2026-10-12").snapshot;
    assert!(!september(&packs.with_planned()).contains("rate.slot@2027-01-01"));
    let earlier = packs.with_planned_from(date("2026-09-01"));
    assert!(september(&earlier).contains("rate.slot@2026-09-01/2026-08-01"));
    assert!(!in_force(&earlier, "2026-08", "2026-10-12").snapshot.contains("rate.slot@2026-09-01"));
}

#[test]
fn a_step_reads_only_earlier_ones() {
    let law = in_force(&book(&[complete()], &[]), "2026-03", "2026-04-01");
    let mut made: BTreeSet<(Basis, Arc<str>)> = BTreeSet::new();
    let mut items: BTreeSet<Arc<str>> = BTreeSet::new();
    let facts: BTreeSet<(Basis, Arc<str>)> =
        law.dictionary.iter().map(|e| (e.basis.clone(), Arc::clone(&e.name))).collect();
    let mut count = 0;
    for step in &law.segments[0].steps {
        let mut reads = Vec::new();
        match step {
            Step::Value(rule) => reads.extend(rule.expr.reads()),
            Step::Aggregate(rule) => {
                for expr in rule.argument.iter().chain(&rule.filter) {
                    reads.extend(expr.reads());
                }
                if let Aggregate::CountPaid(item) = &rule.function {
                    assert!(items.contains(item), "{item} is counted before it is settled");
                }
            }
            Step::Within(rule) => reads.extend(rule.reads()),
            Step::Price(rule) => {
                reads.extend(rule.when.reads());
                reads.extend(rule.ceiling.reads());
            }
            Step::Gate(rule) => reads.extend(rule.require.reads()),
            Step::Item(rule) => reads.extend(rule.amount.reads()),
            Step::Grouping(rule) => reads.extend(rule.by.iter().flat_map(|key| key.expr.reads())),
        }
        for read in reads {
            count += 1;
            assert!(facts.contains(&read) || made.contains(&read), "{read:?} is read too early");
        }
        match step {
            Step::Value(rule) => {
                made.insert((rule.basis.clone(), Arc::clone(&rule.head.id)));
            }
            Step::Aggregate(rule) => {
                made.insert((rule.basis.clone(), Arc::clone(&rule.name)));
            }
            Step::Within(rule) => {
                made.insert((rule.basis.clone(), Arc::clone(&rule.head.id)));
            }
            Step::Price(rule) => {
                for part in ["ceiling", "floor", "fee", "over", "under"] {
                    let name = Arc::from(format!("{}.{part}", rule.head.id));
                    made.insert((rule.basis.clone(), name));
                }
            }
            Step::Gate(_) | Step::Grouping(_) => {}
            Step::Item(rule) => {
                items.insert(Arc::clone(&rule.head.id));
            }
        }
    }
    assert!(count > 5, "the pack reads facts");
    let names: Vec<&str> = law.segments[0].items.iter().map(|item| &*item.head.id).collect();
    assert_eq!(names, ["child", "relief", "slot"]);
}

#[test]
fn an_aggregate_two_rules_read_is_one_step() {
    let root = tempfile::tempdir().unwrap();
    let more = "\n[[value]]\nid = \"children\"\nclause = \"第二条\"\nbasis = \"institution\"\n\
        effective_from = 2026-01-01\nexpr = \"count(listing) FILTER (WHERE in_month)\"\n\
        [[gate]]\nid = \"open\"\nclause = \"第二条\"\nbasis = \"institution\"\n\
        effective_from = 2026-01-01\nreason = \"empty\"\noutcome = \"warn\"\n\
        require = \"count(listing) FILTER (WHERE in_month) > 0\"\n";
    let packs = book(&[layer(root.path(), "a", more)], &[]);
    let law = in_force(&packs, "2026-03", "2026-04-01");
    let count = |wanted: fn(&Step) -> bool| {
        law.segments[0].steps.iter().filter(|step| wanted(step)).count()
    };
    assert_eq!(count(|step| matches!(step, Step::Aggregate(_))), 1);
    assert_eq!(count(|step| matches!(step, Step::Gate(_) | Step::Value(_))), 2);
}

#[test]
fn the_law_tells_which_inputs_it_reads() {
    let law = in_force(&book(&[complete()], &[]), "2026-03", "2026-04-01");
    let tables: Vec<&str> = law.tables_read.iter().map(|table| &**table).collect();
    assert_eq!(tables, ["attendance", "budget", "enrolments", "institutions", "relief", "slots"]);
    let has = |table: &str, column: &str| {
        law.columns_read.iter().any(|(t, c)| &**t == table && &**c == column)
    };
    assert!(has("institutions", "rural"), "a declared column a gate reads");
    assert!(has("institutions", "filed_from"), "a column behind a computed fact");
    assert!(has("institutions", "account_no"), "money is paid to an account");
    assert!(!has("institutions", "premium"), "declared, and read by nobody");
    let institutions = law.inputs.iter().find(|table| &*table.name == "institutions").unwrap();
    assert!(institutions.columns.iter().any(|column| &*column.name == "rural"));
    assert!(law.inputs.iter().any(|table| &*table.name == "relief"));
}

/// Blocks of a TOML text, split at their headers.
fn blocks(text: &str) -> Vec<String> {
    let mut list: Vec<String> = Vec::new();
    for line in text.lines() {
        if line.starts_with('[') || list.is_empty() {
            list.push(String::new());
        }
        let block = list.last_mut().unwrap();
        block.push_str(line);
        block.push('\n');
    }
    list
}

#[test]
fn the_order_of_files_blocks_and_rows_changes_nothing() {
    let root = tempfile::tempdir().unwrap();
    let text = |file: &str| fs::read_to_string(complete().join(file)).unwrap();
    let mut first = blocks(&text("first.toml"));
    first.reverse();
    let second = text("second.toml");
    let rows = ["    [\"*\", \"[0,36)\", \"360\"],\n", "    [\"乳儿班\", \"[0,36)\", \"400\"],\n"];
    let second = second.replace(rows[0], "").replace(rows[1], &rows.concat());
    let second = second.replace("\"360\"", "\"360.00\"") + "# a remark\n";
    let pack = folder(
        root.path(),
        "complete",
        &[
            ("z.toml", &text("pack.toml")),
            ("y.toml", &first.concat()),
            ("b.toml", &second),
            ("a.toml", &text("third.toml")),
        ],
    );
    let (old, new) = (book(&[complete()], &[]), book(&[pack], &[]));
    for service in ["2026-01", "2026-09", "2026-10"] {
        let (a, b) = (in_force(&old, service, "2026-12-01"), in_force(&new, service, "2026-12-01"));
        assert_eq!(a.snapshot, b.snapshot);
    }
    let other = text("second.toml").replace("\"360\"", "\"361\"");
    let pack = folder(
        root.path(),
        "other",
        &[
            ("pack.toml", &text("pack.toml")),
            ("first.toml", &text("first.toml")),
            ("second.toml", &other),
        ],
    );
    let changed = in_force(&book(&[pack], &[]), "2026-10", "2026-12-01");
    assert_ne!(in_force(&old, "2026-10", "2026-12-01").snapshot, changed.snapshot);
}

#[test]
fn an_overlay_lays_values_over_the_version_in_force() {
    let root = tempfile::tempdir().unwrap();
    let overlay = root.path().join("more.toml");
    fs::write(
        &overlay,
        "\"parameter.rate.slot.value\" = \"125.5\"\n\"subsidy.slot.round.mode\" = \"floor\"\n",
    )
    .unwrap();
    let law = in_force(&book(&[complete()], &[overlay]), "2026-03", "2026-04-01");
    let slot = law.segments[0].items.iter().find(|item| &*item.head.id == "slot").unwrap();
    assert_eq!(slot.round.mode.word(), "floor");
    let cited = slot.amount.cites();
    assert!(cited.iter().any(|head| head.version.ends_with("+overlay")), "{cited:?}");
    assert!(law.snapshot.contains("value = 125.5"));

    let overlay = root.path().join("wrong.toml");
    fs::write(&overlay, "\"parameter.rate.slt.value\" = 1\n").unwrap();
    let errors = law::load(&[complete()], &[overlay], &reference()).unwrap_err();
    assert_eq!((errors.0[0].code, errors.0[0].line), ("overlay_path", 1));
}

pub(super) const LAYER: &str = r#"
[notice]
number = "省测规〔2026〕1号"
title = "省级标准(示例)"
published = 2025-12-01

[[parameter]]
id = "rate"
clause = "第一条"
effective_from = 2026-01-01
unit = "yuan/child/month"
value = "200"

[[split]]
id = "all"
clause = "第二条"
effective_from = 2026-01-01
scope = "line"
method = "largest_remainder"
parts = [{ source = "省", share = "1" }]

[[subsidy]]
id = "care"
clause = "第一条"
effective_from = 2026-01-01
basis = "spell"
gates = []
amount = "rate"
round = { to = "0.01", mode = "half_up" }
instrument = "per_child"
"#;

/// The layer pack with another text behind it.
pub(super) fn layer(root: &Path, name: &str, more: &str) -> PathBuf {
    folder(root, name, &[("p.toml", PACK), ("n.toml", &format!("{LAYER}{more}"))])
}

/// The amount of the only item in fen, where it is the same for every row.
fn amount(book: &LawBook, service: &str, known_on: &str) -> Option<Cell> {
    in_force(book, service, known_on).segments[0].items[0].amount.constant()
}

/// A later version of the rate with the given dates.
fn later(value: &str, dates: &str) -> String {
    format!(
        "\n[[parameter]]\nid = \"rate\"\nclause = \"第三条\"\nunit = \"yuan/child/month\"\n\
         value = \"{value}\"\n{dates}\n"
    )
}

#[test]
fn a_later_notice_holds_from_when_it_is_known_and_as_long_as_it_says() {
    let root = tempfile::tempdir().unwrap();
    let fen = |yuan: i128| Some(Cell::Num(yuan * 100, 1));
    // Known in May, back to March, for three months only: then the older value is in force again.
    let dates = "known_from = 2026-05-10\neffective_from = 2026-03-01\n\
                 effective_until = 2026-05-31\n\
                 supersedes = { known_from = 2025-12-01, until = 2026-05-31 }";
    let book_a = book(&[layer(root.path(), "a", &later("260", dates))], &[]);
    assert_eq!(amount(&book_a, "2026-02", "2026-06-30"), fen(200));
    assert_eq!(amount(&book_a, "2026-03", "2026-06-30"), fen(260));
    assert_eq!(amount(&book_a, "2026-03", "2026-05-09"), fen(200));
    assert_eq!(amount(&book_a, "2026-06", "2026-06-30"), fen(200));
    // The third version replaces the second, which had replaced the first for good.
    let second = "known_from = 2026-05-10\neffective_from = 2026-03-01\n\
                  supersedes = { known_from = 2025-12-01, until = \"open\" }";
    let third = "known_from = 2026-07-10\neffective_from = 2026-08-15\n\
                 supersedes = { known_from = 2026-05-10, until = \"open\" }";
    let more = format!("{}{}", later("260", second), later("280", third));
    let book_b = book(&[layer(root.path(), "b", &more)], &[]);
    assert_eq!(amount(&book_b, "2026-08", "2026-12-01"), fen(260), "counts from the month after");
    assert_eq!(amount(&book_b, "2026-09", "2026-12-01"), fen(280));
    let whole = third.to_owned() + "\nmid_month = \"whole_if_started\"";
    let more = format!("{}{}", later("260", second), later("280", &whole));
    let book_c = book(&[layer(root.path(), "c", &more)], &[]);
    assert_eq!(amount(&book_c, "2026-08", "2026-12-01"), fen(280), "counts for the whole month");
}

#[test]
fn a_repealed_rule_does_not_come_back() {
    let root = tempfile::tempdir().unwrap();
    let dates = "known_from = 2026-05-10\neffective_from = 2026-06-01\n\
                 effective_until = 2026-06-30\n\
                 supersedes = { known_from = 2025-12-01, until = \"open\" }";
    let packs = book(&[layer(root.path(), "a", &later("200", dates))], &[]);
    let errors = packs.in_force(month("2026-07"), date("2026-12-01")).unwrap_err();
    assert_eq!(errors.0[0].code, "not_in_force");
    let known = DiffOf::Known { after: date("2026-05-01"), until: date("2026-12-31") };
    let kinds: Vec<ChangeKind> =
        law::diff(&packs, &known).changes.iter().map(|change| change.kind).collect();
    assert_eq!(kinds, [ChangeKind::Changed, ChangeKind::Ended]);
}

#[test]
fn a_ceiling_is_the_benchmark_with_its_float_rounded() {
    let root = tempfile::tempdir().unwrap();
    // 1655 x 1.10 = 1820.5, to whole yuan downward 1820; 1655 x 0.85 = 1406.75, so 1406.
    let price = "\n[[parameter]]\nid = \"benchmark\"\nclause = \"第四条\"\n\
        effective_from = 2026-01-01\nunit = \"yuan/child/month\"\nvalue = \"1655\"\n\
        [[guide_price]]\nid = \"full_day\"\nclause = \"第四条\"\n\
        effective_from = 2026-01-01\nbenchmark = \"benchmark\"\nfloat_up = \"0.10\"\n\
        float_down = \"0.15\"\nround = { to = \"1\", mode = \"floor\" }\nbreach = \"warn\"\n";
    let packs = book(&[layer(root.path(), "a", price)], &[]);
    let law = in_force(&packs, "2026-03", "2026-04-01");
    let rule = law.segments[0].steps.iter().find_map(|step| match step {
        Step::Price(rule) => Some(Arc::clone(rule)),
        _ => None,
    });
    let rule = rule.expect("the price is a step");
    assert_eq!(rule.ceiling.constant(), Some(Cell::Num(182_000, 1)));
    assert_eq!(rule.floor.as_ref().unwrap().constant(), Some(Cell::Num(140_600, 1)));
}

#[test]
fn an_overlay_may_fill_what_a_pack_leaves_open() {
    let root = tempfile::tempdir().unwrap();
    let text = LAYER.replace("\"200\"", "\"unset\"");
    let pack = folder(root.path(), "a", &[("p.toml", PACK), ("n.toml", &text)]);
    let open = book(std::slice::from_ref(&pack), &[]);
    let errors = open.in_force(month("2026-03"), date("2026-04-01")).unwrap_err();
    assert_eq!(errors.0.iter().map(|error| error.code).collect::<Vec<_>>(), ["unset"]);
    assert!(open.shown(month("2026-03"), date("2026-04-01")).to_string().contains("unset"));
    let overlay = root.path().join("o.toml");
    fs::write(&overlay, "[parameter.rate]\nvalue = 210\n").unwrap();
    let filled = book(&[pack], &[overlay]);
    assert_eq!(amount(&filled, "2026-03", "2026-04-01"), Some(Cell::Num(21_000, 1)));
}

#[test]
fn what_a_notice_changed_is_told_row_by_row() {
    let packs = book(&[complete()], &[]);
    let diff = law::diff(&packs, &DiffOf::Notice("second.toml".to_owned()));
    assert_eq!(diff.changes.len(), 1);
    let change = &diff.changes[0];
    assert_eq!((change.kind, &*change.id), (ChangeKind::Changed, "rate.child"));
    assert_eq!(change.old_version.as_deref(), Some("rate.child@2026-01-01/2025-12-01"));
    let field = |key: &str, old: &str, new: &str| (key.to_owned(), old.to_owned(), new.to_owned());
    assert!(change.fields.contains(&field("rows[* | [0,36)]", "300", "360")), "{change:?}");
    assert!(!change.fields.iter().any(|(key, ..)| key.contains("乳儿班")));
    let known = DiffOf::Known { after: date("2026-07-01"), until: date("2026-12-31") };
    assert_eq!(law::diff(&packs, &known), diff);
    let first = law::diff(&packs, &DiffOf::Notice("测试规〔2026〕1号".to_owned()));
    assert!(first.changes.iter().all(|change| change.kind == ChangeKind::Added));
}

#[test]
fn the_law_is_shown_beside_its_clauses() {
    let law = in_force(&book(&[complete()], &[]), "2026-03", "2026-04-01");
    let shown = law::show(&law);
    for text in ["【标准表】", "测试规〔2026〕1号 第三条", "托小班 | [12,24) | 240.50", "按人补助"]
    {
        assert!(shown.contains(text), "{text} is missing in\n{shown}");
    }
}

#[test]
fn several_mistakes_are_told_at_once() {
    let root = tempfile::tempdir().unwrap();
    let text = LAYER
        .replace("value = \"200\"", "value = 200.0")
        .replace("share = \"1\"", "share = \"0.9\"")
        .replace("clause = \"第二条\"\n", "");
    let pack = folder(root.path(), "a", &[("p.toml", PACK), ("n.toml", &text)]);
    let errors = law::load(&[pack], &[], &reference()).unwrap_err();
    let codes: Vec<&str> = errors.0.iter().map(|error| error.code).collect();
    assert_eq!(codes, ["float", "missing_clause"]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..Default::default() })]

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let root = tempfile::tempdir().unwrap();
        let pack = root.path().join("case");
        fs::create_dir(&pack).unwrap();
        fs::write(pack.join("pack.toml"), &bytes).unwrap();
        prop_assert!(!law::examine(&[pack], &[], &reference()).is_empty());
    }

    #[test]
    fn no_damage_to_a_good_pack_makes_the_checks_panic(
        at in 0..6000_usize,
        len in 0..60_usize,
        put in "[\\[\\]\\{\\}\"'=#,.a-z0-9\n第条（）*:()]{0,12}",
    ) {
        let root = tempfile::tempdir().unwrap();
        let text = fs::read_to_string(complete().join("first.toml")).unwrap();
        let mut from = at.min(text.len());
        while !text.is_char_boundary(from) { from -= 1; }
        let mut until = (from + len).min(text.len());
        while !text.is_char_boundary(until) { until -= 1; }
        let damaged = format!("{}{put}{}", &text[..from], &text[until..]);
        let head = fs::read_to_string(complete().join("pack.toml")).unwrap();
        let pack = folder(root.path(), "p", &[("pack.toml", &head), ("n.toml", &damaged)]);
        let _ = law::examine(&[pack], &[], &reference());
    }
}
