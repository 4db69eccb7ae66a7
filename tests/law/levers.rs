//! What a person can turn, with the path that turns it.

use super::{here, reference};
use tuoyu::domain::{Date, Month};
use tuoyu::law::{self, Lever, LeverKind, OverlayText};

fn levers(packs: &[&str], month: &str, overlay: &str) -> Vec<Lever> {
    let packs: Vec<_> = packs.iter().map(|pack| here(pack)).collect();
    let text = law::read(&packs, &reference()).unwrap_or_else(|errors| panic!("{errors}"));
    let overlay = OverlayText { name: "what.toml".to_owned(), text: overlay.to_owned() };
    let book = text.under(&[overlay]).unwrap_or_else(|errors| panic!("{errors}"));
    book.levers(Month::parse(month).unwrap(), Date::parse_iso("2026-12-01").unwrap())
}

const COMPLETE: &str = "tests/law/packs/complete";

#[test]
fn every_plain_number_of_a_month_is_a_lever() {
    let levers = levers(&[COMPLETE], "2026-03", "");
    let told: Vec<String> = levers
        .iter()
        .map(|lever| {
            let value = lever.value.as_deref().unwrap_or("none");
            let read_by: Vec<&str> = lever.read_by.iter().map(|id| &**id).collect();
            format!("{} = {value} {} < {}", lever.path, lever.unit, read_by.join(" "))
        })
        .collect();
    // By kind: parameters, cells, up, down, quanta, others; by id; rows as the notice has them. The
    // caps of the pack have expressions for limits.
    assert_eq!(
        told,
        [
            "parameter.place.value = 1 slot/child < places",
            "parameter.rate.slot.value = 100 yuan/slot/month < institution slot",
            "table.benchmark[乳儿班] = 2600 yuan/child/month < full_day",
            "table.benchmark[托小班] = 2200 yuan/child/month < full_day",
            "table.benchmark[托大班] = 1900 yuan/child/month < full_day",
            "table.benchmark[混龄班] = none yuan/child/month < full_day",
            "table.rate.child[*|[0,36)] = 300 yuan/child/month < child",
            "table.rate.child[托小班|[12,24)] = 240.50 yuan/child/month < child",
            "table.rate.child[乳儿班|[0,36)] = 400 yuan/child/month < child",
            "guide_price.full_day.float_up = 0.10  < full_day",
            "guide_price.full_day.float_down = 0.20  < full_day",
            "subsidy.child.round.to = 0.01  < child",
            "guide_price.full_day.round.to = 1  < full_day",
            "subsidy.relief.round.to = 0.01  < relief",
            "subsidy.slot.round.to = 0.01  < slot",
            "pay_date.pay.workday = 10  < pay",
        ]
    );
    let cell = &levers[7];
    let key = |name: &str, cell: &str| (name.to_owned(), cell.to_owned());
    assert_eq!(cell.keys, [key("age_class", "托小班"), key("age", "[12,24)")]);
    assert_eq!(
        (cell.kind, &*cell.pack, &*cell.id),
        (LeverKind::TableCell, "complete", "rate.child")
    );
    assert_eq!((&*cell.notice, &*cell.clause), ("测试规〔2026〕1号", "第三条"));
    assert_eq!(cell.effective_from.to_string(), "2026-01-01");
    assert!(levers.iter().all(|lever| !lever.overlaid));
}

#[test]
fn every_lever_can_be_turned_by_its_path() {
    for pack in [COMPLETE, "data/policy/shili", "data/policy/bench", "data/policy/dongchangfu"] {
        let packs = law::read(&[here(pack)], &reference()).unwrap();
        let (month, known) =
            (Month::parse("2026-09").unwrap(), Date::parse_iso("2026-12-01").unwrap());
        let before = packs.under(&[]).unwrap().levers(month, known);
        assert!(before.len() > 5, "{pack}: {}", before.len());
        for lever in before.iter().filter(|lever| lever.value.is_some()) {
            let value = lever.value.as_deref().unwrap();
            // Counts are integers of TOML.
            let value = if lever.path.starts_with("pay_date") {
                value.to_owned()
            } else {
                format!("{value:?}")
            };
            let text = format!("{:?} = {value}\n", lever.path);
            let book = packs.under(&[OverlayText { name: "o".to_owned(), text }]);
            let after = book.unwrap_or_else(|errors| panic!("{errors}")).levers(month, known);
            let turned: Vec<&Lever> = after.iter().filter(|lever| lever.overlaid).collect();
            assert!(turned.iter().any(|after| after.path == lever.path), "{}", lever.path);
            assert!(turned.iter().all(|after| after.id == lever.id), "{}", lever.path);
            let same = |after: &[Lever]| {
                after.iter().map(|l| (l.path.clone(), l.value.clone())).collect::<Vec<_>>()
            };
            assert_eq!(same(&after), same(&before));
        }
    }
}

#[test]
fn where_the_law_splits_a_month_the_last_version_is_told() {
    let of = |levers: &[Lever]| {
        let path = "table.rate.child[*|[0,36)]";
        let found: Vec<Lever> = levers.iter().filter(|l| l.path == path).cloned().collect();
        assert_eq!(found.len(), 1);
        (found[0].value.clone().unwrap(), found[0].effective_from.to_string())
    };
    let told = |month| of(&levers(&[COMPLETE], month, ""));
    assert_eq!(told("2026-08"), ("300".to_owned(), "2026-01-01".to_owned()));
    assert_eq!(told("2026-09"), ("360".to_owned(), "2026-09-16".to_owned()));
    let doubled = levers(&[COMPLETE], "2026-09", "\"table.rate.child.rows\" = { times = 2 }\n");
    assert_eq!(of(&doubled).0, "720");
    assert!(doubled.iter().filter(|lever| lever.overlaid).all(|lever| &*lever.id == "rate.child"));
}

#[test]
fn with_several_packs_a_path_names_its_pack() {
    let levers = levers(&[COMPLETE, "data/policy/dongchangfu"], "2026-03", "");
    assert_eq!(levers[0].path, "complete:parameter.place.value");
    assert_eq!((&*levers[0].id, &*levers[0].read_by[0]), ("place", "complete:places"));
    let packs: Vec<&str> = levers.iter().map(|lever| &*lever.pack).collect();
    assert!(packs.is_sorted_by_key(|pack| *pack != "complete"));
    assert_eq!(packs.last(), Some(&"dongchangfu"));
}
