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
    for (pack, day) in [
        ("dongchangfu", "2025-09-01"),
        ("shili", "2026-09-16"),
        ("bench", "2026-09-01"),
        ("australia", "2025-08-01"),
        ("new_zealand", "2021-07-01"),
        ("ireland", "2024-09-02"),
        ("childcare_allowance", "2025-01-01"),
        ("england", "2025-04-01"),
    ] {
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
    assert!(text.contains("|Rounding||half up, to a multiple of 0.01, line by line|"), "{text}");
}

#[test]
fn groups_and_what_is_reckoned_in_them_have_words() {
    let html = page("australia", "2025-08-01", "2025-07-01", Language::Chinese);
    let text = read(&html);
    for told in [
        // of = "spell", by = ["family_ref"]; of = "sessions", by = ["child_ref", "fortnight_number"]
        "|成员||在托时段||||归组依据||家庭编号|",
        "|成员||逐日托育||||归组依据||证件号码、fortnight_number|",
        // The hours of a fortnight: a method that is not written is told.
        "|对象||逐日托育||||组别||fortnight_of_child|",
        "|方法||按次序用完为止|",
        // A column that names the group, and the bracket behind a filter.
        "取大(不重复计数(person·证件号码) 限于(person·in_home_care), 1)",
        "任一满足(在托时段·服务形式 = “in_home”) 限于(在托时段·当月在托)",
        // Cells of a yes or no, and a currency.
        "|标准（澳元/小时）|",
        "|centre_day_care||否||14.63|",
        "|centre_day_care||是||12.81|",
    ] {
        assert!(text.contains(told), "{told} is not in\n{text}");
    }
    assert!(html.contains("<a href=\"#grouping.fortnight_of_child\">fortnight_of_child</a>"));
    let text = read(&page("australia", "2025-08-01", "2025-07-01", Language::English));
    for told in [
        "|Members||session||||Grouped by||child_ref, fortnight_number|",
        "|Within each||fortnight_of_child|",
        "|Method||in turn, until it is used up|",
        "|Value (AUD/hour)|",
    ] {
        assert!(text.contains(told), "{told} is not in\n{text}");
    }
}

#[test]
fn cases_stand_one_a_line_and_apart_inside_a_formula() {
    let text = read(&page("australia", "2025-08-01", "2025-07-01", Language::Chinese));
    for formula in [
        // CASE WHEN coalesce(place_among_the_young, 1) > 1 THEN higher ELSE standard END
        "|计算||当 缺则取(place_among_the_young, 1) > 1，则取 higher；||其余取 standard|",
        // least(hourly_fee, CASE WHEN care = 'in_home' THEN … ELSE cap(care, school_age) END)
        "|取小(hourly_fee, 分情形［当 服务形式 = “in_home”，则取 \
         cap(服务形式, 学龄) ÷ in_home_children；其余取 cap(服务形式, 学龄)］)|",
    ] {
        assert!(text.contains(formula), "{formula} is not in\n{text}");
    }
    let text = read(&page("england", "2025-04-01", "2025-01-01", Language::English));
    for formula in [
        "||when from_three ≤ date, then “three_and_four”; ||when from_two ≤ date, then “two”; \
         ||otherwise “under_two”|",
        "|hours.week × by case [when extended, then extended.factor; otherwise 1]|",
    ] {
        assert!(text.contains(formula), "{formula} is not in\n{text}");
    }
}

#[test]
fn conditions_without_a_name_end_in_their_reason() {
    let text = read(&page("australia", "2025-08-01", "2025-07-01", Language::Chinese));
    assert!(text.contains("2. families_found；否则 income_not_assessed|"), "{text}");
    assert!(
        text.contains("= 月序(月初)；否则 not_balanced_this_month（补助为零）|"),
        "what follows is told where it is not a refusal\n{text}"
    );
    let text = read(&page("australia", "2025-08-01", "2025-07-01", Language::English));
    assert!(text.contains("2. families_found; otherwise income not assessed|"), "{text}");
    // An item that asks nothing says so.
    let text = read(&page("new_zealand", "2021-07-01", "2021-07-01", Language::Chinese));
    assert!(text.contains("|条件||无|"), "{text}");
    // count(sessions) FILTER (WHERE NOT sessions.absent) >= count(sessions) * half
    assert!(
        text.contains("|计数(逐日托育) 限于(非 逐日托育·absent) ≥ 计数(逐日托育) × half|"),
        "{text}"
    );
}

#[test]
fn an_id_that_begins_like_a_group_keeps_its_name() {
    // The parameter is absence.most, and absence is a grouping too.
    let text = read(&page("new_zealand", "2021-07-01", "2021-07-01", Language::Chinese));
    assert!(text.contains("|缺则取(最大值(逐日托育·absence_days), 0) ≤ absence.most|"), "{text}");
    assert!(text.contains("|限额||week.most|") && !text.contains("·week.most"), "{text}");
}

#[test]
fn versions_that_hold_side_by_side_stand_in_turn_with_their_dates() {
    let html = page("england", "2025-04-01", "2025-01-01", Language::English);
    let text = read(&html);
    let mut rest = text.as_str();
    for part in [
        "Base rates of the county, 2024-25 · from 2024-04-01 to 2025-03-31 · published 2024-01-01|",
        "|three_and_four||5.13|",
        "Base rates of the county, 2025-26 · from 2025-04-01 · published 2025-01-01|",
        "|three_and_four||5.36|",
        "|As on||date|",
        "|Read by||funding|",
        "|pass_through||95/100|",
        "|from 2024-04-01 to 2025-03-31; as on year_from||pass_through|",
        "|pass_through||96/100|",
        "|from 2025-04-01; as on year_from||pass_through|",
    ] {
        let at = rest.find(part).unwrap_or_else(|| panic!("{part} is not in\n{rest}"));
        rest = &rest[at + part.len()..];
    }
    assert_eq!(text.matches("|As on||date|").count(), 1, "what versions share is told once");
    assert!(text.contains("|Read by||base_rate, funding|"), "one name for both versions\n{text}");
    assert_eq!(html.matches("<h3 id=\"table.base_rate\"").count(), 1, "one heading");
}

#[test]
fn settings_and_declared_tables_are_told() {
    let of = |language| read(&page("ireland", "2024-09-02", "2024-12-31", language));
    let (text, english) = (of(Language::Chinese), of(Language::English));
    for told in [
        // Written: overlaps = "allow", weeks = "by_end"; not written: settlement, filing.
        "|货币||欧元|",
        "|结算期||月|",
        "|重叠收托||由条件判断|",
        "|备案月中变动||按月初|",
        "|跨月的周||计入周日所在月|",
        // A table beside the days of care, with a span.
        "|assessments：自定数据表|",
        "|income||家庭年收入||金额||欧元||||否|",
        "|assessed_until||核定止||日期||||||是|",
        "|主键||child_ref|",
        "|附于||在托日|",
        "|起止列||assessed_from、assessed_until|",
        // Columns added to a core table, which has a name of its own.
        "|收托登记表 enrolments：补充的列|",
        "|at_school||已入学||是或否||||||是|",
    ] {
        assert!(text.contains(told), "{told} is not in\n{text}");
    }
    for told in [
        "|Weeks over the edge of a month||whole, in the month their Sunday lies in|",
        "|assessments: a table of the pack|",
        "|income||money||EUR||||no|",
        "|Stands beside||day|",
        "|enrolments: columns added|",
    ] {
        assert!(english.contains(told), "{told} is not in\n{english}");
    }
    // A pack that declares nothing has no such section, one that lists values tells them.
    assert!(!read(&dongchangfu()).contains("|数据表|"), "dongchangfu declares no table");
    let text = read(&page("australia", "2025-08-01", "2025-07-01", Language::Chinese));
    let values = "centre_day_care、family_day_care、outside_school_hours、in_home";
    assert!(text.contains(&format!("|care||服务形式||文字||||{values}||否|")), "{text}");
}

#[test]
fn the_law_shown_names_what_groups_are_made_of() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let pack: [PathBuf; 1] = [root.join("data/policy/australia")];
    let book = law::load(&pack, &[], &root.join("data/reference")).expect("a pack");
    let day = Date::parse_iso("2025-08-01").expect("a date");
    let text = book.shown(day.month(), day).to_string();
    assert!(text.contains("    成员: 在托时段\n    归组依据: child_ref、family_ref\n"), "{text}");
    assert!(text.contains("    对象: 逐日托育\n    组别: fortnight_of_child\n"), "{text}");
    assert!(text.contains("    类型: 数值\n"), "{text}");
}
