//! `report.html` of the case: every figure worked out on paper from [`super::case`].

use super::case::{A, B, Case};
use std::fs;
use tuoyu::domain::{Finding, FindingCode};

fn report(case: &Case) -> String {
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("run");
    case.publish(&out).unwrap();
    fs::read_to_string(out.join("report.html")).unwrap()
}

/// The texts of a page without tags, one a line.
fn texts(html: &str) -> Vec<String> {
    let body = html.split("<body>").nth(1).unwrap();
    let pieces = body.split('<').filter_map(|piece| piece.split_once('>')).map(|(_, text)| text);
    pieces.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()).collect()
}

/// Cells of the table with the caption, row by row.
fn table(html: &str, caption: &str) -> Vec<Vec<String>> {
    let start = html.find(&format!(">{caption}</caption>")).unwrap_or_else(|| panic!("{caption}"));
    let body = html[start..].split("</table>").next().unwrap();
    let rows = body.split("<tr>").skip(1);
    let cells = |row: &str| -> Vec<String> {
        let cells = row.split("</th>").flat_map(|piece| piece.split("</td>"));
        let text = |cell: &str| cell.rsplit('>').next().unwrap().trim().to_owned();
        let mut cells: Vec<String> = cells.map(text).collect();
        cells.pop();
        cells
    };
    rows.map(cells).collect()
}

#[test]
fn totals_are_those_of_the_schedule() {
    let html = report(&Case::new());
    let told = texts(&html);
    let after = |label: &str| {
        let at = told.iter().position(|text| text == label).unwrap_or_else(|| panic!("{label}"));
        told[at + 1..at + 3].to_vec()
    };
    assert_eq!(told[1], "示例区财政局2026年9月普惠托育补助结算报告（示例）");
    // 1,500.00 to 甲 and 400.00 to 乙, of which the latter is held.
    assert_eq!(after("拨付金额"), ["1,900.00 元", "壹仟玖佰元整"]);
    assert_eq!(after("应补金额"), ["1,950.00 元", "核减 50.00 元"]);
    assert_eq!(after("付款笔数"), ["4", "其中暂缓 400.00 元"]);
    assert_eq!(after("补助人数"), ["3", "2026年9月，在托 4"]);
    assert!(html.contains("<p class=\"banner\">示例："), "an invented pack is said to be one");
}

#[test]
fn the_composition_sums_to_the_payable() {
    let html = report(&Case::new());
    let by_source = table(&html, "按资金来源");
    // Half and half.
    assert_eq!(by_source[1], ["省", "950.00", "50.00"]);
    assert_eq!(by_source[2], ["区", "950.00", "50.00"]);
    assert_eq!(by_source[3], ["合计", "1,900.00", ""]);
    let by_item = table(&html, "按补助项目和资金来源");
    assert_eq!(by_item[0], ["补助项目", "省（元）", "区（元）", "合计（元）"]);
    let sums: Vec<&str> = by_item[1..].iter().map(|row| &*row[3]).collect();
    assert_eq!(sums, ["900.00", "1,000.00"]);
}

#[test]
fn changes_holds_breaches_and_findings_are_those_of_their_files() {
    let html = report(&Case::new());
    let changes = table(&html, "增减最大的机构");
    let last = |rows: &[Vec<String>]| rows.last().unwrap().clone();
    // The chart's own table comes first: 甲 rose by 300.00, the institution that is gone had 0.09.
    assert_eq!(changes[1][1], "300.00");
    assert_eq!(last(&changes)[1], "\u{2212}0.09");
    let held = table(&html, "暂缓付款的机构");
    assert_eq!(held[1][1..], ["未登记收款账户", "2", "400.00"]);
    let found = table(&html, "最重要的核查问题（先看程度，再看涉及金额）");
    let severities: Vec<&str> = found[1..].iter().map(|row| &*row[1]).collect();
    assert_eq!(severities, ["错误", "提醒", "提醒", "提醒", "备注"]);
    assert!(!html.contains(">另有"), "everything is listed");
    let notices = table(&html, "现行文件");
    assert_eq!(notices[1], ["示例财规〔2026〕1号", "示例办法", "2025-12-20", "2"]);
    let run = table(&html, "批次");
    assert_eq!(run[1], ["批次号", "run0123456789abcdef"]);
    for id in [A, B] {
        assert!(!html.contains(&format!("1101{id}")), "no account is shown");
    }
}

#[test]
fn a_list_ends_and_says_how_much_is_left() {
    let mut case = Case::new();
    let one = case.findings[0].clone();
    case.findings = (0..1000)
        .map(|number| Finding {
            code: FindingCode::ValueUnreadable,
            institution_id: format!("I{number:04}"),
            ..one.clone()
        })
        .collect();
    let html = report(&case);
    assert_eq!(table(&html, "最重要的核查问题（先看程度，再看涉及金额）").len(), 1 + 15);
    assert!(html.contains("另有 985 行未列出。"));
    // Deterministic: the same page whatever order the findings came in.
    case.findings.reverse();
    assert_eq!(html, report(&case));
}
