//! The page itself: what it must be for readers, whatever report is written on it.

use tuoyu::domain::texts::{Catalogue, Language};
use tuoyu::publish::page::{
    Axis, Bar, Bars, Chart, Figure, Guide, Heat, Histogram, Lines, Mark, Measure, Page, Plot,
    Range, Ranges, Series, Stroke, Table,
};

fn curve() -> Chart {
    // A rate from 500 to 900 yuan: 1,200 children cost 1,200 times as much.
    let rates = [50_000, 60_000, 70_000, 80_000, 90_000];
    let lines = Lines {
        x: Axis::close("月补助标准", Measure::Money),
        y: Axis::from_zero("费用", Measure::Money),
        series: vec![
            Series {
                label: "全年费用".into(),
                stroke: Stroke::Line,
                points: rates.iter().map(|rate| (*rate, rate * 1_200)).collect(),
            },
            Series {
                label: "其中：区级".into(),
                stroke: Stroke::Step,
                points: rates.iter().map(|rate| (*rate, rate * 480)).collect(),
            },
        ],
        marks: vec![Mark { label: "现行标准".into(), at: (70_000, 84_000_000) }],
        guides: vec![Guide { label: "预算 96 万元".into(), at: 96_000_000 }],
    };
    Chart::new("费用曲线", "费用随标准上升。", Plot::Lines(lines))
}

fn composition(name: &str) -> Chart {
    let row = |label: &str, parts: &[i64]| Bar { label: label.into(), parts: parts.to_vec() };
    let bars = Bars {
        of: "补助项目".into(),
        axis: Axis::from_zero("金额", Measure::Money),
        parts: vec!["中央".into(), "省级".into(), "区级".into()],
        rows: vec![
            row(name, &[1_234_567, 600_000, 900_000]),
            row("一次性建设补助", &[30_000_000, 0, 10_050_000]),
            row("更正", &[-2_000_000, 500_000, 0]),
        ],
    };
    Chart::new("金额构成", "各项目按资金来源。", Plot::Bars(bars))
}

fn distribution() -> Chart {
    let deltas: Vec<i64> = (-40..60).map(|n| n * n * n * 20).collect();
    let histogram = Histogram {
        counted: "机构数（家）".into(),
        axis: Axis::close("与基准相比增减", Measure::Money),
        sides: ["减少".into(), "增加或不变".into()],
        bins: Histogram::bins(&deltas, 14),
    };
    Chart::new("机构增减分布", "多数机构增减不大。", Plot::Histogram(histogram))
}

fn heat() -> Chart {
    let cells = (0..6)
        .map(|row: i64| {
            (0..8).map(|at: i64| (at != 3).then_some((row + 2) * (at + 5) * 1_234_567)).collect()
        })
        .collect();
    let heat = Heat {
        value: "费用".into(),
        measure: Measure::Money,
        x: "月补助标准（元）".into(),
        columns: (5..13).map(|rate| format!("{}", rate * 100)).collect(),
        y: "最低出勤天数".into(),
        rows: (6..12).map(|days| days.to_string()).collect(),
        cells,
    };
    Chart::new("两项参数下的费用", "标准越高、门槛越低，费用越大。", Plot::Heat(heat))
}

fn sensitivity() -> Chart {
    let row = |label: &str, low: &str, low_value, high: &str, high_value| Range {
        label: label.into(),
        low: low.into(),
        low_value,
        high: high.into(),
        high_value,
    };
    let ranges = Ranges {
        axis: Axis::close("费用", Measure::Money),
        centre: 84_000_000,
        rows: vec![
            row("月补助标准", "600", 72_000_000, "800", 96_000_000),
            row("收托增长", "0%", 80_000_000, "10%", 88_400_000),
            row("出勤门槛（反向）", "8 天", 86_000_000, "12 天", 83_000_000),
        ],
    };
    Chart::new("敏感性", "标准影响最大。", Plot::Ranges(ranges))
}

/// A page with everything a page can hold, under an institution's name.
fn gallery(language: Language, name: &str) -> String {
    let texts = Catalogue::new(language);
    let mut page = Page::new(&texts, name, "2026-09");
    page.banner(name);
    page.section(name);
    page.figures(&[
        Figure::new("拨付金额", "1,234,567.89 元", name),
        Figure::new("机构", "16", ""),
    ]);
    page.subsection("图");
    for chart in [curve(), composition(name), distribution(), heat(), sensitivity()] {
        page.chart(&chart);
    }
    page.section("表");
    let mut table = Table::new(name).text("机构").number("金额（元）");
    table.rows.push(vec![name.into(), "1.00".into()]);
    table.total = vec!["合计".into(), "1.00".into()];
    table.more = 7;
    page.table(&table);
    page.note(name);
    page.list(&[name.to_owned()]);
    page.render()
}

/// Names of the tags in order, `/` before those that close.
fn tags(html: &str) -> Vec<String> {
    let mut found = Vec::new();
    for piece in html.split('<').skip(1) {
        let end = piece.find(|c: char| c == '>' || c.is_whitespace()).unwrap_or(piece.len());
        let closed = piece.split('>').next().unwrap_or_default().ends_with('/');
        let name = piece[..end].trim_end_matches('/').to_owned();
        if closed || matches!(&*name, "meta" | "!DOCTYPE") {
            continue;
        }
        found.push(name);
    }
    found
}

#[test]
fn every_tag_is_closed_where_it_belongs() {
    for language in [Language::Chinese, Language::English] {
        let mut open: Vec<String> = Vec::new();
        for tag in tags(&gallery(language, "示例园")) {
            match tag.strip_prefix('/') {
                Some(name) => assert_eq!(open.pop().as_deref(), Some(name), "{open:?}"),
                None => open.push(tag),
            }
        }
        assert_eq!(open, Vec::<String>::new());
    }
}

#[test]
fn nothing_others_wrote_becomes_markup_or_turns_the_writing() {
    let name = "<script>alert(1)</script>&\"'\u{202e}托育\u{0}";
    let html = gallery(Language::Chinese, name);
    assert!(!html.contains("<script"), "a name became a script");
    assert!(!html.contains('\u{202e}') && !html.contains('\u{0}'), "a name turns the writing");
    assert_eq!(tags(&html), tags(&gallery(Language::Chinese, "示例园")));
    // Title, h1, banner, contents, h2, figure, bar twice in the table and twice drawn, caption …
    assert!(html.matches("&lt;script&gt;").count() >= 10, "a name was left out");
    assert!(!html.contains("&amp;lt;"), "escaped twice");
}

#[test]
fn a_reader_of_any_kind_finds_the_way() {
    let html = gallery(Language::English, "Sample nursery");
    assert!(html.starts_with("<!DOCTYPE html>\n<html lang=\"en\">"));
    assert!(gallery(Language::Chinese, "x").contains("<html lang=\"zh-CN\">"));
    for landmark in ["<header>", "<nav aria-label=\"Contents\">", "<main id=\"main\">"] {
        assert_eq!(html.matches(landmark).count(), 1, "{landmark}");
    }
    assert!(html.contains("<a class=\"skip\" href=\"#main\">Skip to the text</a>"));
    // Headings go down by one step at a time, and there is one h1.
    let levels: Vec<u32> = tags(&html)
        .iter()
        .filter_map(|tag| tag.strip_prefix('h').and_then(|rest| rest.parse().ok()))
        .collect();
    assert_eq!(levels.iter().filter(|level| **level == 1).count(), 1);
    assert!(levels.windows(2).all(|pair| pair[1] <= pair[0] + 1), "{levels:?}");
    // Every drawing is named and described, by ids that are there once.
    let drawings = html.matches("<svg ").count();
    assert_eq!(drawings, 10, "five charts, wide and narrow");
    assert_eq!(html.matches("role=\"img\" aria-labelledby=").count(), drawings);
    for piece in html.split("aria-labelledby=\"").skip(1) {
        for id in piece.split('"').next().unwrap().split(' ') {
            assert_eq!(html.matches(&format!("id=\"{id}\"")).count(), 1, "id {id}");
        }
    }
    // Every table is captioned, and its heads say what they are of.
    assert_eq!(html.matches("<table>").count(), html.matches("<caption ").count());
    assert_eq!(
        html.matches("<th").count() - html.matches("<thead>").count(),
        html.matches("<th scope=\"").count()
    );
}

#[test]
fn a_page_asks_nothing_of_the_network_and_runs_nothing() {
    let html = gallery(Language::Chinese, "示例园");
    assert!(
        html.contains("content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\"")
    );
    for forbidden in
        ["http://", "https://", "<script", "<link", "<img", "@import", "url(", " on", "<iframe"]
    {
        // The names of SVG are no addresses anybody asks for, and none is written.
        let found =
            html.match_indices(forbidden).map(|(at, _)| &html[at..(at + 30).min(html.len())]);
        let found: Vec<&str> = found.filter(|_| forbidden != " on").collect();
        assert_eq!(found, Vec::<&str>::new(), "{forbidden}");
    }
    assert_eq!(html, gallery(Language::Chinese, "示例园"), "the same page twice");
}

#[test]
fn a_chart_and_its_table_tell_the_same_figures() {
    let texts = Catalogue::new(Language::Chinese);
    let table = curve().table(&texts);
    assert_eq!(table.columns[0].title, "月补助标准（元）");
    // 700.00 yuan times 1,200 children; the district bears 480 of 1,200.
    assert_eq!(table.rows[2], ["700.00", "840,000.00", "336,000.00"]);
    assert_eq!(table.rows[5], ["700.00（现行标准）", "840,000.00", ""]);
    assert_eq!(table.rows[6], ["预算 96 万元", "960,000.00", ""]);
    let table = composition("园").table(&texts);
    // 12,345.67 + 6,000.00 + 9,000.00.
    assert_eq!(table.rows[0], ["园", "12,345.67", "6,000.00", "9,000.00", "27,345.67"]);
    assert_eq!(
        table.rows[2],
        ["更正", "\u{2212}20,000.00", "5,000.00", "0.00", "\u{2212}15,000.00"]
    );
    let drawn = gallery(Language::Chinese, "园");
    // The bar of the second item comes to 400,500.00 yuan: 40.05 in 万元, both drawings.
    assert_eq!(drawn.matches(">\n40.05\n<").count(), 2);
    let counted: u64 =
        distribution().table(&texts).rows.iter().map(|row| row[1].parse::<u64>().unwrap()).sum();
    assert_eq!(counted, 100);
    let table = heat().table(&texts);
    // Rows from 2 and columns from 5: 2 x 5 x 12,345.67.
    assert_eq!(table.rows[0][1], "123,456.70");
    assert_eq!(table.rows[0][4], "–");
    let table = sensitivity().table(&texts);
    assert_eq!(table.rows[0], ["月补助标准", "600", "720,000.00", "800", "960,000.00"]);
    assert_eq!(table.caption, "敏感性（基准 840,000.00）");
}

#[test]
fn a_chart_without_figures_and_one_of_extremes_are_drawn() {
    let texts = Catalogue::new(Language::English);
    let mut page = Page::new(&texts, "Extremes", "");
    for values in [vec![], vec![0], vec![i64::MIN, i64::MAX], vec![i64::MAX; 3]] {
        let axis = || Axis::close("money", Measure::Money);
        let rows: Vec<Bar> = values.iter().map(|value| Bar::new("x", *value)).collect();
        let bars = Bars { of: "x".into(), axis: axis(), parts: vec!["y".into()], rows };
        page.chart(&Chart::new("bars", "", Plot::Bars(bars)));
        let points = values.iter().map(|value| (*value, *value)).collect();
        let series = vec![Series { label: "s".into(), stroke: Stroke::Step, points }];
        let lines = Lines { x: axis(), y: axis(), series, marks: vec![], guides: vec![] };
        page.chart(&Chart::new("lines", "", Plot::Lines(lines)));
        let histogram = Histogram {
            counted: "n".into(),
            axis: axis(),
            sides: [String::new(), String::new()],
            bins: Histogram::bins(&values, 5),
        };
        page.chart(&Chart::new("histogram", "", Plot::Histogram(histogram)));
        let heat = Heat {
            value: "v".into(),
            measure: Measure::Money,
            x: "x".into(),
            columns: values.iter().map(i64::to_string).collect(),
            y: "y".into(),
            rows: vec!["r".into()],
            cells: vec![values.iter().copied().map(Some).collect()],
        };
        page.chart(&Chart::new("heat", "", Plot::Heat(heat)));
        let rows = values.iter().map(|value| Range {
            label: "p".into(),
            low: "0".into(),
            low_value: *value,
            high: "1".into(),
            high_value: 0,
        });
        let ranges = Ranges { axis: axis(), centre: 0, rows: rows.collect() };
        page.chart(&Chart::new("ranges", "", Plot::Ranges(ranges)));
    }
    assert_eq!(page.render().matches("</figure>").count(), 20);
}
