//! Tune: every figure of a small case worked out by hand, best values with their proofs, assumptions.
//!
//! The case (`pack.toml`, `desk.rs`): 200 yuan a child, 30 yuan a slot, at most 150 yuan a slot and
//! institution; A has five slots and three children (900, 1100, 1000 yuan), B two slots and one
//! child (1300 yuan).

mod desk;
mod families;

use desk::{Desk, all_fees, outcome, run, text};
use std::sync::Arc;
use tuoyu::domain::{Breaches, ChildChanges, NetFees, Revenue};
use tuoyu::job::{self, Overrides};
use tuoyu::publish::tuning::Found;

/// A money map as pairs, for comparing.
fn pairs(map: &std::collections::BTreeMap<Arc<str>, i64>) -> Vec<(&str, i64)> {
    map.iter().map(|(key, fen)| (&**key, *fen)).collect()
}

#[test]
fn the_baseline_is_what_a_person_works_out() {
    let desk = Desk::new();
    let report = desk.run("");
    let base = &report.tuning.baseline;
    // A: 3 x 200 + 5 x 30 = 750, its cap 5 x 150 = 750; B: 200 + 2 x 30 = 260, cap 300.
    assert_eq!((base.cost_fen, base.institutions.as_slice()), (101_000, &[75_000, 26_000][..]));
    assert_eq!(pairs(&base.by_item), [("care", 80_000), ("slots", 21_000)]);
    // Two fifths of 750 and of 260.
    assert_eq!(pairs(&base.by_source), [("区", 60_600), ("省", 40_400)]);
    assert_eq!(pairs(&base.by_street), [("东街", 75_000), ("西街", 26_000)]);
    assert_eq!(pairs(&base.by_kind), [("家庭托育点", 26_000), ("托育机构", 75_000)]);
    assert_eq!((base.children_paid, base.institutions_paid), (4, 2));
    // 1100 and 1300 against 1000.
    let over = Breaches {
        over: 2,
        over_fen: 40_000,
        over_most_fen: 30_000,
        institutions: 2,
        ..Breaches::default()
    };
    assert_eq!(base.breaches[&Arc::from("full_day")], over);
    // 700, 900, 800 and 1100 yuan: of four the first is a tenth and a quarter, the fourth nine tenths.
    let fees = NetFees {
        children: 4,
        sum_fen: 350_000,
        quantiles: [70_000, 70_000, 80_000, 90_000, 110_000],
    };
    assert_eq!(all_fees(base), fees);
    assert_eq!(base.net_fees[&(Arc::from("托小班"), Arc::from("全日托"))], fees);
    // Fees 4300 and subsidies 1010 over seven slots; A takes in 3750 and costs 2300 + 500.
    let revenue = Revenue {
        fen: 531_000,
        slots: 7,
        with_costs_fen: 375_000,
        costs_fen: 280_000,
        with_costs: 1,
    };
    assert_eq!(base.revenue, revenue);
    assert!(base.overruns.is_empty());
}

#[test]
fn a_scenario_is_what_a_person_works_out() {
    let desk = Desk::new();
    let report = desk.run(
        "[[scenario]]\nid = \"more\"\nset = { \"parameter.rate.child.value\" = \"250.00\" }\n\
         [[scenario]]\nid = \"ceiling\"\nset = { \"parameter.ceiling.value\" = \"1200\" }\n\
         [[scenario]]\nid = \"nothing\"\n",
    );
    let more = outcome(&report, "more");
    // A: 750 + 150 = 900, capped to 750; B: 250 + 60 = 310, capped to 300.
    assert_eq!(more.institutions, [75_000, 30_000]);
    // A keeps 5/6 of each line: 3 x 208.33 and 125.00, the fen left over to a child. B keeps 30/31:
    // 241.935 and 58.064, the fen left over to the larger remainder, the child's.
    assert_eq!(pairs(&more.by_item), [("care", 62_500 + 24_194), ("slots", 12_500 + 5_806)]);
    assert_eq!(pairs(&more.by_source), [("区", 63_000), ("省", 42_000)]);
    let gained = ChildChanges { winners: 4, losers: 0, same: 0, quantiles: [5_000; 5] };
    assert_eq!(more.children, gained);
    assert_eq!(all_fees(more).sum_fen, 330_000);
    // 1300 against 1200 is left.
    let ceiling = outcome(&report, "ceiling");
    let over = &ceiling.breaches[&Arc::from("full_day")];
    assert_eq!((over.over, over.over_fen, over.institutions), (1, 10_000, 1));
    assert_eq!(ceiling.cost_fen, 101_000);
    // Nothing laid over the law changes nothing.
    assert_eq!(outcome(&report, "nothing"), &report.tuning.baseline);
    assert_eq!(report.tuning.baseline.children.same, 4);
}

#[test]
fn fees_may_be_assumed_to_follow_the_ceiling() {
    let desk = Desk::new();
    let report = desk.run("fees = \"to_ceiling\"\n");
    // 900, 1000, 1000 and 1000 yuan less 200.
    let fees = all_fees(&report.tuning.baseline);
    assert_eq!((fees.sum_fen, fees.quantiles), (310_000, [70_000, 70_000, 80_000, 80_000, 80_000]));
    let csv = text(&report.folder.join("scenarios.csv"));
    assert!(csv.contains("fees = to_ceiling"), "{csv}");
}

#[test]
fn only_items_named_lower_what_families_pay() {
    let desk = Desk::new();
    let report = desk.run("net_of = []\n");
    assert_eq!(all_fees(&report.tuning.baseline).sum_fen, 430_000);
}

#[test]
fn a_planned_notice_may_be_tried_before_its_day() {
    let desk = Desk::new();
    desk.put(
        "pack/planned.toml",
        "[notice]\nnumber = \"示例2号\"\ntitle = \"征求意见稿(示例)\"\npublished = 2026-09-01\n\
         status = \"planned\"\n\
         [[parameter]]\nid = \"rate.child\"\nclause = \"一\"\neffective_from = 2027-01-01\n\
         supersedes = { known_from = 2025-12-20, until = \"open\" }\n\
         unit = \"yuan/child/month\"\nvalue = \"100.00\"\n",
    );
    let scenario = "[[scenario]]\nid = \"planned\"\nplanned = true\n";
    // In September the notice is not in force yet.
    let report = desk.run(scenario);
    assert_eq!(outcome(&report, "planned"), &report.tuning.baseline);
    // From September on: 4 x 100 + 7 x 30.
    let report = desk.run(&format!("planned_from = 2026-09-01\n{scenario}"));
    assert_eq!(report.tuning.baseline.cost_fen, 101_000);
    assert_eq!(outcome(&report, "planned").cost_fen, 61_000);
    assert!(text(&report.folder.join("scenarios.csv")).contains("planned_from = 2026-09-01"));
}

#[test]
fn a_scenario_that_lays_other_facts_reads_the_inputs_again() {
    let desk = Desk::new();
    desk.put(
        "pack/later.toml",
        "[notice]\nnumber = \"示例3号\"\ntitle = \"调整(示例)\"\npublished = 2026-08-01\n\
         [[parameter]]\nid = \"rate.child\"\nclause = \"一\"\neffective_from = 2026-09-16\n\
         supersedes = { known_from = 2025-12-20, until = \"open\" }\nmid_month = \"next_month\"\n\
         unit = \"yuan/child/month\"\nvalue = \"260.00\"\n",
    );
    let report = desk.run(
        "[[scenario]]\nid = \"split\"\n\
         set = { \"parameter.rate.child.mid_month\" = \"split_days\" }\n",
    );
    // From October on: September is as it was.
    assert_eq!(report.tuning.baseline.cost_fen, 101_000);
    // Split on the day every child has two spells, 200 and 260 yuan: A is at its cap, B too. An
    // enrolment has its fee once all the same: 4300 - 4 x 460.
    let split = outcome(&report, "split");
    assert_eq!(split.institutions, [75_000, 30_000]);
    assert_eq!((all_fees(split).children, all_fees(split).sum_fen), (4, 246_000));
    let gained = ChildChanges { winners: 4, losers: 0, same: 0, quantiles: [26_000; 5] };
    assert_eq!(split.children, gained);
    assert_eq!(split.children_paid, 4);
}

#[test]
fn a_budget_line_is_overrun_in_the_month_that_draws_too_much() {
    let desk = Desk::new();
    let report = desk.run("periods = [\"2026-09\", \"2026-10\"]\n");
    let base = &report.tuning.baseline;
    assert_eq!((base.cost_fen, base.by_month.as_slice()), (202_000, &[101_000, 101_000][..]));
    // 404 yuan a month of 700: September is paid, October is 108 yuan short.
    let [line] = &base.overruns[..] else { panic!("{:?}", base.overruns) };
    assert_eq!((&*line.budget_doc_no, &*line.source), ("示例省1号", "省"));
    assert_eq!((line.month.to_string().as_str(), line.fen), ("2026-10", 10_800));
    let csv = text(&report.folder.join("overruns.csv"));
    assert!(csv.contains("baseline,示例省1号,省,2026-10,10800"), "{csv}");
}

#[test]
fn the_best_value_stands_with_the_neighbour_that_fails() {
    let range = "range = { path = \"parameter.rate.child.value\", from = \"150\", to = \"260\", \
                 step = \"1\" }\n";
    let desk = Desk::new();
    let report = desk.run(&format!(
        "chosen = \"highest\"\n\
         [[solve]]\nid = \"highest\"\nwant = \"highest\"\n{range}cost_at_most = \"1030.00\"\n\
         [[solve]]\nid = \"lowest\"\nwant = \"lowest\"\n{range}net_fee_at_most = \"880.00\"\n\
         [[solve]]\nid = \"never\"\nwant = \"highest\"\n{range}cost_at_most = \"1.00\"\n\
         [[solve]]\nid = \"end\"\nwant = \"highest\"\n{range}cost_at_most = \"9999.00\"\n\
         [[solve]]\nid = \"price\"\nwant = \"lowest\"\nbreaches_at_most = 1\nprice = \"full_day\"\n\
         range = {{ path = \"parameter.ceiling.value\", from = \"900\", to = \"1400\", step = \"50\" }}\n"
    ));
    let found = |id: &str| {
        let one = report.tuning.solutions.iter().find(|one| one.id == id).unwrap();
        match &one.found {
            Found::Best { value, figure, beyond, .. } => {
                Some((value.clone(), *figure, beyond.clone()))
            }
            _ => None,
        }
    };
    let is = |value: &str, figure, beyond: Option<(&str, i64)>| {
        Some((value.to_owned(), figure, beyond.map(|(next, other)| (next.to_owned(), other))))
    };
    // A is at its cap from 200 yuan on; B takes the rate and 60: 750 + 220 + 60.
    assert_eq!(found("highest"), is("220", 103_000, Some(("221", 103_100))));
    // 4300 - 4 x rate over four children: 1075 - rate is at most 880 from 195 on.
    assert_eq!(found("lowest"), is("195", 88_000, Some(("194", 88_100))));
    assert_eq!(found("never"), None);
    assert_eq!(found("end"), is("260", 105_000, None));
    // 1100 is no breach from 1100 on, 1300 still is.
    assert_eq!(found("price"), is("1100", 1, Some(("1050", 2))));
    let overlay = text(&report.folder.join("overlay.toml"));
    assert!(overlay.ends_with("\"parameter.rate.child.value\" = \"220\"\n"), "{overlay}");
}

#[test]
fn a_figure_that_goes_both_ways_is_not_halved() {
    // The amount rises to the turn at 100 yuan and falls again behind it.
    let desk = Desk::new();
    let pack = text(&desk.path("pack/pack.toml"));
    let amount = "amount = \"rate.child\"";
    let both = "amount = \"CASE WHEN rate.child > rate.turn THEN 2 * rate.turn - rate.child \
                ELSE rate.child END\"";
    let turn = "[[parameter]]\nid = \"rate.turn\"\nclause = \"一\"\neffective_from = 2026-01-01\n\
                unit = \"yuan/child/month\"\nvalue = \"100\"\n";
    desk.put("pack/pack.toml", &format!("{}\n{turn}", pack.replace(amount, both)));
    let report = desk.run(
        "[[solve]]\nid = \"peak\"\nwant = \"highest\"\ncost_at_most = \"600.00\"\n\
         range = { path = \"parameter.rate.child.value\", from = \"50\", to = \"160\", step = \"10\" }\n",
    );
    // 50 gives 4 x 50 + 210 = 410, 100 gives 610, 160 gives 4 x 40 + 210 = 370 again.
    let [one] = &report.tuning.solutions[..] else { panic!("one") };
    assert!(!matches!(one.found, Found::Failed { .. }), "{:?}", one.found);
    // Both ends hold, so the end of the range is the answer whatever is between: 160 is right.
    assert!(matches!(&one.found, Found::Best { value, .. } if value == "160"), "{:?}", one.found);
    let report = desk.run(
        "[[solve]]\nid = \"peak\"\nwant = \"highest\"\ncost_at_most = \"400.00\"\n\
         range = { path = \"parameter.rate.child.value\", from = \"40\", to = \"140\", step = \"10\" }\n",
    );
    // 40 gives 370 and holds; 140 gives 4 x 60 + 210 = 450; 90 gives 570: up and down again.
    let [one] = &report.tuning.solutions[..] else { panic!("one") };
    assert!(matches!(one.found, Found::NotMonotone { .. }), "{:?}", one.found);
}

#[test]
fn a_frontier_asks_at_every_value_of_the_other_range() {
    let desk = Desk::new();
    let report = desk.run(
        "[[frontier]]\nid = \"edge\"\nwant = \"highest\"\ncost_at_most = \"1000.00\"\n\
         along = { path = \"table.rate.slot[托小班]\", values = [\"10\", \"20\", \"40\"] }\n\
         range = { path = \"parameter.rate.child.value\", from = \"0\", to = \"300\", step = \"10\" }\n",
    );
    let [edge] = &report.tuning.frontiers[..] else { panic!("one") };
    let points: Vec<(&str, &str)> = edge
        .points
        .iter()
        .map(|(at, one)| match &one.found {
            Found::Best { value, .. } => (at.as_str(), value.as_str()),
            other => panic!("{other:?}"),
        })
        .collect();
    // Slots 10: A 50 + 3r, B 20 + r: 70 + 4r <= 1000 gives 232, but A is at 750 from 233 on: 230.
    // Slots 20: 140 + 4r: 215, on the step 210. Slots 40: 280 + 4r: 180.
    assert_eq!(points, [("10", "230"), ("20", "210"), ("40", "180")]);
}

#[test]
fn one_range_at_a_time_is_moved() {
    let desk = Desk::new();
    let report = desk.run(
        "[[sensitivity]]\npath = \"table.rate.slot.rows\"\nby = \"times\"\n\
         values = [\"0.50\", \"2\"]\n",
    );
    let [moved] = &report.tuning.moved[..] else { panic!("one") };
    let costs: Vec<i64> =
        moved.points.iter().map(|(_, told)| told.as_ref().unwrap().cost_fen).collect();
    // 15 yuan a slot: 675 + 230; 60: A at its cap of 750, B 200 + 120 at its cap of 300.
    assert_eq!(costs, [90_500, 105_000]);
}

#[test]
fn growth_adds_children_like_those_there_are() {
    let desk = Desk::new();
    let report = desk.run("[assumptions]\ngrowth = { percent = \"50\", source = \"示例测算\" }\n");
    let base = &report.tuning.baseline;
    // 1.5 more in A and 0.5 in B: two in all, the fen of both is alike and A comes first. Its first
    // two children by number have a like: 900 and 1100 yuan.
    assert_eq!(all_fees(base).children, 6);
    assert_eq!(all_fees(base).sum_fen, 350_000 + 70_000 + 90_000);
    assert_eq!(base.institutions, [75_000, 26_000]);
    for file in ["scenarios.csv", "net_fees.csv", "report.html"] {
        assert!(text(&report.folder.join(file)).contains("示例测算"), "{file}: no source");
    }
}

#[test]
fn families_respond_to_what_they_pay() {
    let scenario =
        "[[scenario]]\nid = \"more\"\nset = { \"parameter.rate.child.value\" = \"250.00\" }\n";
    let told = |elasticity: &str| {
        let desk = Desk::new();
        let report = desk.run(&format!(
            "{scenario}[assumptions]\nresponse = {{ elasticity = \"{elasticity}\", source = \"示例\" }}\n"
        ));
        all_fees(outcome(&report, "more"))
    };
    // A pays 2400 and then 2250, a sixteenth less; B 1100 and 1050, a twenty-second less. At -2 that
    // is 3/8 and 1/11 of a child more: nobody. At -8 it is 1 1/2 and 4/11: two, both in A.
    assert_eq!(told("-2"), NetFees { children: 4, sum_fen: 330_000, ..told("-2") });
    assert_eq!((told("-8").children, told("-8").sum_fen), (6, 330_000 + 65_000 + 85_000));
}

#[test]
fn the_page_speaks_the_language_of_the_job() {
    let desk = Desk::new();
    let more = "[[scenario]]\nid = \"more\"\ntitle = \"Dearer\"\nset = { \
                \"parameter.rate.child.value\" = \"250.00\" }\n\
                [[solve]]\nid = \"most\"\nwant = \"highest\"\ncost_at_most = \"1030.00\"\n\
                range = { path = \"parameter.rate.child.value\", values = [\"200\", \"300\"] }\n\
                [assumptions]\ngrowth = { percent = \"0\", source = \"a survey\" }\n";
    let page = text(&desk.run(&format!("language = \"en\"\n{more}")).folder.join("report.html"));
    assert!(
        page.contains("lang=\"en\"") && page.contains("district") && page.contains("full-day care")
    );
    // Names of streets and institutions are as delivered; fonts have names of their own.
    let ours =
        ["东街", "西街", "甲园", "乙园"].iter().fold(page, |page, word| page.replace(word, ""));
    let left: String = ours.chars().filter(|c| ('\u{4e00}'..='\u{9fff}').contains(c)).collect();
    assert_eq!(left, "", "Chinese on an English page");
    let page = text(&desk.run(more).folder.join("report.html"));
    assert!(page.contains("lang=\"zh-CN\"") && page.contains("现行规则（基线）"));
}

#[test]
fn the_same_job_gives_the_same_bytes_and_is_known() {
    let desk = Desk::new();
    let more = "[[grid]]\nid = \"g\"\naxes = [{ path = \"parameter.rate.child.value\", \
                from = \"100\", to = \"300\", step = \"50\" }, \
                { path = \"table.rate.slot.rows\", by = \"times\", values = [\"0.5\", \"1\"] }]\n\
                [[drawn]]\nid = \"d\"\ncount = 5\nseed = 3\naxes = [{ path = \
                \"parameter.rate.child.value\", from = \"100\", to = \"300\", step = \"1\" }]\n";
    let first = desk.run(more);
    assert!(!first.is_known);
    let bytes = |folder: &std::path::Path| -> Vec<(String, Vec<u8>)> {
        let mut all: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| {
                let entry = entry.unwrap();
                let name = entry.file_name().to_string_lossy().into_owned();
                (name, std::fs::read(entry.path()).unwrap())
            })
            .collect();
        all.sort();
        all
    };
    let before = bytes(&first.folder);
    assert_eq!(first.tuning.scenarios.len(), 15);
    assert!(desk.run(more).is_known);
    // One thread, and rows of the deliveries in another order.
    let rows = text(&desk.path("input/enrolments.csv"));
    let mut lines: Vec<&str> = rows.lines().collect();
    lines[1..].reverse();
    let mut job = desk.read(more);
    job.threads = Some(1);
    job.out = desk.path("out/again");
    let again = run(&job);
    assert_eq!(bytes(&again.folder), before);
    desk.put("input/enrolments.csv", &format!("{}\n", lines.join("\n")));
    let shuffled = run(&job);
    let told = |report: &tuoyu::tune::TuneReport| {
        report.tuning.scenarios.iter().map(|row| row.outcome.clone()).collect::<Vec<_>>()
    };
    assert_eq!(told(&shuffled), told(&first));
}

#[test]
fn a_scenario_that_cannot_be_answered_is_a_row_that_says_why() {
    let desk = Desk::new();
    let report = desk.run(
        "[[scenario]]\nid = \"wrong\"\nset = { \"parameter.nobody.value\" = \"1\" }\n\
         [[scenario]]\nid = \"right\"\nset = { \"parameter.rate.child.value\" = \"0.00\" }\n",
    );
    let row = &report.tuning.scenarios[0];
    let error = row.outcome.as_ref().unwrap_err();
    assert!(error.contains("parameter.nobody.value"), "{error}");
    // 5 x 30 and 2 x 30.
    assert_eq!(outcome(&report, "right").cost_fen, 21_000);
    assert!(text(&report.folder.join("scenarios.csv")).contains("parameter.nobody.value"));
}

#[test]
fn a_stopped_job_leaves_what_was_answered() {
    let desk = Desk::new();
    let job = desk.read(
        "[[grid]]\nid = \"g\"\naxes = [{ path = \"parameter.rate.child.value\", from = \"0\", \
         to = \"400\", step = \"1\" }]\n",
    );
    let stop = std::sync::atomic::AtomicBool::new(false);
    let mut progress = After { stop: &stop, left: 10 };
    let report = tuoyu::tune::run(&job, &mut progress, &stop).unwrap();
    let answered = report.tuning.scenarios.len();
    assert!(report.tuning.is_partial() && (10..401).contains(&answered), "{answered}");
    // What stands is whole: 4 x 0 + 210 yuan first, one row each behind header and baseline.
    assert_eq!(outcome(&report, "g.1").cost_fen, 21_000);
    let csv = text(&report.folder.join("scenarios.csv"));
    assert_eq!(csv.lines().count(), answered + 2);
    let summary = text(&report.folder.join("summary.json"));
    assert!(summary.contains("\"partial\": true"), "{summary}");
    assert!(tuoyu::publish::verify(&report.folder).unwrap().is_empty());
    // Not stopped, the job replaces it by the whole.
    assert_eq!(run(&job).tuning.scenarios.len(), 401);
}

/// Stops the job after so many scenarios.
struct After<'s> {
    stop: &'s std::sync::atomic::AtomicBool,
    left: u64,
}

impl tuoyu::domain::Progress for After<'_> {
    fn begin(&mut self, _stage: &str, _total: Option<u64>) {}
    fn advance(&mut self, done: u64) {
        self.left = self.left.saturating_sub(done);
        if self.left == 0 {
            self.stop.store(true, std::sync::atomic::Ordering::Relaxed);
        }
    }
    fn end(&mut self) {}
}

#[test]
fn a_job_that_asks_for_nonsense_is_refused_with_its_place() {
    let desk = Desk::new();
    let solve = "[[solve]]\nid = \"s\"\nwant = \"highest\"\n";
    let range = "range = { path = \"parameter.rate.child.value\", values = [\"1\"] }\n";
    let grid = "[[grid]]\nid = \"g\"\naxes = [{ path = \"x\", ";
    for (more, expected) in [
        ("fees = \"all\"\n".to_owned(), "expected \"as_filed\" or \"to_ceiling\""),
        (format!("{solve}{range}"), "has 0 conditions; expected one of cost_at_most"),
        (format!("{solve}cost_at_most = \"1\"\n"), "is no range"),
        (format!("{grid}from = \"0\", to = \"1\", step = \"0.3\" }}]\n"), "pass over 1"),
        (format!("{grid}from = \"0\", to = \"1\", step = \"0\" }}]\n"), "is no range"),
        (format!("{grid}values = [\"1.x\"] }}]\n"), "expected an exact number"),
        (
            "[assumptions]\ngrowth = { percent = \"3\" }\n".to_owned(),
            "has no source; an assumption states both",
        ),
        (
            "[[scenario]]\nid = \"a\"\n[[scenario]]\nid = \"a\"\n".to_owned(),
            "two parts of the job are called \"a\"",
        ),
        ("periods = [\"2026-09\", \"2026-08\"]\n".to_owned(), "periods stand in order"),
        ("senarios = 1\n".to_owned(), "unknown key \"senarios\""),
    ] {
        let path = desk.job(&more);
        let error = job::read_tune(&path, &Overrides::default()).unwrap_err().to_string();
        assert!(error.contains(expected), "{more}\n{error}");
        assert!(error.contains("tune.toml"), "no place: {error}");
    }
}
