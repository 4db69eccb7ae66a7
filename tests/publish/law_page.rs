//! The page of `policy doc`, held by hand against the packs it is of.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use tuoyu::domain::Date;
use tuoyu::domain::texts::Language;
use tuoyu::{law, publish};

fn page(pack: &str, day: &str, known_on: &str, language: Language) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let packs: [PathBuf; 1] = [root.join("data/policy").join(pack)];
    let book = law::load(&packs, &[], &root.join("data/reference")).expect("a pack");
    let date = |text: &str| Date::parse_iso(text).expect("a date");
    publish::law_page(&book.paper(date(day), date(known_on)), language)
}

fn dongchangfu() -> String {
    page("dongchangfu", "2025-09-01", "2025-10-10", Language::Chinese)
}

/// A page without its tags.
fn read(html: &str) -> String {
    let body = html.split_once("<body>").map_or(html, |(_, body)| body);
    let mut text = String::new();
    for piece in body.split('<').skip(1) {
        let (tag, words) = piece.split_once('>').unwrap_or(("", piece));
        let inline = ["a", "span"]
            .iter()
            .any(|name| tag.trim_start_matches('/').split(' ').next() == Some(name));
        if !inline {
            text.push('|');
        }
        text.push_str(words.trim_matches('\n'));
    }
    text.replace("&lt;", "<").replace("&gt;", ">")
}

#[test]
fn formulas_read_like_the_notice() {
    let text = read(&dongchangfu());
    for formula in [
        // floor(workdays_month / 2)
        "计算||向下取整(当月工作日 ÷ 2)|",
        // any(listing.attendance_found) AND days >= days.least
        "|任一满足(收托记录·有考勤) 且 出勤天数 ≥ 应达天数|",
        // NOT any(listing.overlapping)
        "|非 任一满足(收托记录·重叠收托)|",
        // coalesce(max(coalesce(listing.birth_order, 0)), 0)
        "|缺则取(最大值(缺则取(收托记录·孩次, 0)), 0)|",
        "|孩次 = 2|",
        "|fee_ceiling(班型)|",
    ] {
        assert!(text.contains(formula), "{formula} is not in\n{text}");
    }
}

#[test]
fn tables_have_names_units_and_readable_cells() {
    let text = read(&dongchangfu());
    assert!(text.contains("|班型||标准（元/人/月）|"), "{text}");
    for row in ["|乳儿班||2100|", "|托小班||1700|", "|托大班||1400|", "|混龄班||不适用|"]
    {
        assert!(text.contains(row), "{row}");
    }
    assert!(text.contains("|rate.second||300||元/人/月||(文号未见) 工具来源2025:二孩|"));
    // Ranges of a table of 示例区: the second child 100, from the third on 260 once it is known.
    let shili = |known: &str| read(&page("shili", "2026-10-01", known, Language::Chinese));
    assert!(shili("2026-11-01").contains("|≥ 2，且 < 3||100|"));
    assert!(shili("2026-11-01").contains("|≥ 3||260|"));
    assert!(!shili("2026-10-10").contains("|≥ 3||260|"), "published on 20 October");
}

#[test]
fn an_item_tells_conditions_in_order_amount_and_rounding() {
    let text = read(&dongchangfu());
    let item = text.split("二孩保育费补贴 second_child").nth(1).expect("the item");
    let item = item.split("三孩保育费补贴 third_child").next().expect("its end");
    let mut rest = item;
    for part in [
        "|(文号未见) 工具来源2025:二孩 · 2025-01-01 起施行 · 2025-01-01 公布|",
        "1. 证件有效；否则 证件号码无效",
        "2. 机构在册 且 任一满足(收托记录·当月在托)；否则 当月不在本机构名册",
        "4. 孩次 = 2；否则 非二孩",
        "5. age < 36；否则 已满三周岁",
        "|金额||rate.second|",
        "|取整||四舍五入，取到 0.01 的整数倍，逐笔|",
    ] {
        let at = rest.find(part).unwrap_or_else(|| panic!("{part} is not in\n{rest}"));
        rest = &rest[at + part.len()..];
    }
}

#[test]
fn the_day_chooses_the_version_and_drafts_are_marked() {
    let of = |day: &str| read(&page("shili", day, "2026-09-30", Language::Chinese));
    let row =
        |text: &str, amount: &str| text.contains(&format!("|不限||乳儿班||全日托||{amount}|"));
    let (before, after) = (of("2026-09-15"), of("2026-09-16"));
    assert!(row(&before, "300") && !before.contains("|乳儿班||全日托||360||2026"), "2026-09-15");
    assert!(row(&after, "360"), "2026-09-16");
    assert!(after.contains("2026-09-16 当日施行的规定，按截至 2026-09-30 已公布的文件编制"));
    // The draft of 2027 binds nobody: it stands apart, marked, beside the rates in force.
    let (in_force, drafts) =
        after.rsplit_once("征求意见与尚未施行的规定").expect("a section of drafts");
    assert!(drafts.contains("征求意见，尚未生效"), "{drafts}");
    assert!(drafts.contains("|乳儿班||150|") && !in_force.contains("|乳儿班||150|"));
    assert!(in_force.contains("2027-01-01 起，2026-08-31 公布（征求意见，尚未生效）"));
}

#[test]
fn links_lead_somewhere_and_anchors_stand_once() {
    for (pack, day) in
        [("dongchangfu", "2025-09-01"), ("shili", "2026-09-16"), ("bench", "2026-09-01")]
    {
        for language in [Language::Chinese, Language::English] {
            let html = page(pack, day, "2026-12-31", language);
            let of = |mark: &str| -> Vec<String> {
                let pieces = html.split(mark).skip(1);
                pieces.map(|piece| piece.split('"').next().unwrap().to_owned()).collect()
            };
            let ids = of(" id=\"");
            let once: BTreeSet<&String> = ids.iter().collect();
            assert_eq!(once.len(), ids.len(), "{pack}: an anchor stands twice");
            for to in of("href=\"#") {
                assert!(once.contains(&to), "{pack}: nothing stands at {to}");
            }
            assert!(!html.contains("<script") && !html.contains(" style=\""), "{pack}");
            assert_eq!(html, page(pack, day, "2026-12-31", language), "{pack}: other bytes");
        }
    }
    // A formula and its table: from the price to the ceiling, and back.
    let html = dongchangfu();
    assert!(html.contains("<a href=\"#table.fee_ceiling\">fee_ceiling</a>("));
    assert!(html.contains("<a href=\"#guide_price.fee\">fee</a>"));
}

#[test]
fn an_english_page_has_english_words() {
    let text = read(&page("dongchangfu", "2025-09-01", "2025-10-10", Language::English));
    assert!(text.contains("|floor(workdays_month ÷ 2)|"), "{text}");
    assert!(text.contains("any(listing·attendance_found) and days attended ≥ days required"));
    assert!(text.contains("|Round||half up, to a multiple of 0.01, line by line|"), "{text}");
}
