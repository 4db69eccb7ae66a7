//! A delivery drawn from a seed: few rows, with gaps, ties, moves and overlaps.

use super::draw::dice;
use crate::dice::Dice;

const INSTITUTIONS: [&str; 4] = ["I1", "I2", "I3", "I4"];

/// Tables by name, with their text.
pub(super) fn tables(seed: u64) -> Vec<(&'static str, String)> {
    let mut dice = dice(seed ^ 0x5EED);
    let dice = &mut dice;
    let (enrolments, homes) = enrolments(dice);
    vec![
        ("institutions", institutions(dice)),
        ("slots", slots(dice)),
        ("classes", classes(dice)),
        ("caregivers", caregivers(dice)),
        ("enrolments", enrolments),
        ("attendance", attendance(dice, &homes)),
        ("sessions", sessions(dice, &homes)),
        ("visits", visits(dice)),
        ("claims", claims(dice)),
        ("bands", spans(dice, "share", &["0.5", "1", "0.75"], &homes)),
        ("benefits", spans(dice, "points", &["1", "3", "4"], &homes)),
        ("ratings", "institution_id,stars\nI1,4\nI3,2\n".to_owned()),
        ("closures", "institution_id,date\nI1,2026-09-03\nI2,2026-09-17\nI1,2026-08-12\n".to_owned()),
        ("term_weeks", "week_start,hours_most\n2026-09-07,12.5\n2026-09-14,8\n2026-08-31,4\n".to_owned()),
        ("budget", "budget_doc_no,source,amount,balance,fiscal_year\nB1,区,5000.00,310.07,2026\nB2,市,5000.00,4000.00,2026\nB3,省,90.00,88.01,2026\nB4,中央,900.00,31.00,2026\n".to_owned()),
    ]
}

fn table(head: &str, rows: &[String]) -> String {
    format!("{head}\n{}\n", rows.join("\n"))
}

fn institutions(dice: &mut Dice) -> String {
    let rows = INSTITUTIONS.map(|id| {
        let kind = dice.pick(&["托育机构", "幼儿园托班", ""]);
        let grade = dice.pick(&["一级", "二级", "", "二级", "一级", "三级"]);
        let street = dice.pick(&["东街", "西街", ""]);
        let from = dice.pick(&["2025-01-01", "2024-03-01", "2026-09-12"]);
        let until = dice.pick(&["", "", "2026-09-20"]);
        format!("{id},名{id},{kind},{grade},{street},2024-0{}-01,{from},{until}", 1 + dice.below(3))
    });
    table("institution_id,name,kind,grade,street,filed_from,inclusive_from,inclusive_until", &rows)
}

fn slots(dice: &mut Dice) -> String {
    let mut rows = Vec::new();
    for id in INSTITUTIONS {
        for class in ["托小班", "托大班"] {
            for service in ["全日托", "半日托"] {
                let filed = 4 + dice.below(9);
                let open = dice.pick(&["", "3", "5"]);
                let origin = dice.pick(&["新建", "存量"]);
                rows.push(format!("{id},{class},{service},{filed},{open},2025-01-01,,{origin}"));
            }
        }
    }
    table(
        "institution_id,age_class,service,slots_filed,slots_open,valid_from,valid_until,origin",
        &rows,
    )
}

fn classes(dice: &mut Dice) -> String {
    let rows: Vec<String> = (0..6)
        .map(|number| {
            let opened = dice.pick(&["2025-03-03", "2026-09-01", "2026-08-01", ""]);
            let baseline = dice.pick(&["true", "false", ""]);
            let id = dice.pick(&INSTITUTIONS);
            format!("{id},K{number},托小班,{},{opened},{baseline}", 8 + dice.below(4))
        })
        .collect();
    table("institution_id,class_id,age_class,places,opened_on,baseline", &rows)
}

fn caregivers(dice: &mut Dice) -> String {
    let rows: Vec<String> = (0..5)
        .map(|number| {
            let cost = dice.pick(&["40.00", "61.37", ""]);
            let until = dice.pick(&["", "2026-09-11"]);
            format!(
                "P{number},{},保育人员,保育师,2024-01-01,{until},{cost}",
                dice.pick(&INSTITUTIONS)
            )
        })
        .collect();
    table("person_ref,institution_id,role,certificate,from,until,monthly_cost", &rows)
}

/// Children with the institutions they are at.
fn enrolments(dice: &mut Dice) -> (String, Vec<(String, &'static str)>) {
    let (mut rows, mut homes) = (Vec::new(), Vec::new());
    for number in 0..12 {
        let child = format!("C{number:02}");
        let birth =
            format!("202{}-{:02}-{:02}", 3 + dice.below(3), 1 + dice.below(9), 1 + dice.below(28));
        let family = match dice.below(7) {
            0 => String::new(),
            other => format!("F{}", other % 5),
        };
        let order = dice.pick(&["", "1", "2", "3"]);
        let mut home = dice.pick(&INSTITUTIONS);
        let moves = dice.once_in(4);
        for stay in 0..=usize::from(moves) {
            let (from, until) = match (moves, stay) {
                (true, 0) => ("2026-07-01", dice.pick(&["2026-09-09", "2026-09-15", "2026-09-20"])),
                (true, _) => (dice.pick(&["2026-09-10", "2026-09-18", "2026-09-21"]), ""),
                _ => (
                    dice.pick(&[
                        "2026-03-01",
                        "2026-03-01",
                        "2026-08-17",
                        "2026-09-01",
                        "2026-09-14",
                    ]),
                    dice.pick(&["", "", "2026-09-25"]),
                ),
            };
            let class = dice.pick(&["托小班", "托大班"]);
            let service = dice.pick(&["全日托", "全日托", "半日托"]);
            let fee = dice.pick(&["900.00", "1100.10", "1333.33", "1100.10", ""]);
            let other = dice.pick(&["", "12.34", "50.00"]);
            rows.push(format!(
                "{child},{birth},{home},{class},{service},{from},{until},{order},{fee},{other},{family}"
            ));
            homes.push((child.clone(), home));
            home = dice.pick(&INSTITUTIONS);
        }
    }
    let head = "child_ref,birth_date,institution_id,age_class,service,spell_from,spell_until,\
                birth_order,fee_monthly,fee_other,family_ref";
    (table(head, &rows), homes)
}

fn attendance(dice: &mut Dice, homes: &[(String, &'static str)]) -> String {
    let mut homes = homes.to_vec();
    homes.dedup();
    let mut rows = Vec::new();
    for (child, home) in &homes {
        if !dice.once_in(5) {
            rows.push(format!("{child},{home},2026-09,{}", dice.below(22)));
        }
    }
    table("child_ref,institution_id,period,days_attended", &rows)
}

fn sessions(dice: &mut Dice, homes: &[(String, &'static str)]) -> String {
    let mut rows = Vec::new();
    for (child, home) in homes.iter().filter(|(child, _)| child.as_str() < "C08") {
        for day in 0..45 {
            if dice.below(3) > 0 {
                continue;
            }
            let date = match day {
                0..7 => format!("2026-08-{:02}", 25 + day),
                7..37 => format!("2026-09-{:02}", day - 6),
                _ => format!("2026-10-{:02}", day - 36),
            };
            for _ in 0..=usize::from(dice.once_in(6)) {
                let booked = dice.pick(&["8", "4.5", "6.25", ""]);
                let attended = dice.pick(&["8", "3", "7.75", "", "0"]);
                let mark = dice.pick(&["出勤", "病假", "", "出勤"]);
                let fee = dice.pick(&["", "5.00", "7.77"]);
                rows.push(format!("{child},{home},{date},{booked},{attended},{mark},{fee}"));
            }
        }
    }
    table("child_ref,institution_id,date,hours_booked,hours_attended,mark,fee_hourly", &rows)
}

fn visits(dice: &mut Dice) -> String {
    let rows: Vec<String> = (0..30)
        .map(|row| {
            let (child, home) = (dice.below(10), dice.pick(&INSTITUTIONS));
            let seq = if dice.once_in(6) { String::new() } else { (row / 2).to_string() };
            let day = match dice.below(9) {
                0 => String::new(),
                day => format!("2026-{:02}-{:02}", 8 + dice.below(2), day * 3),
            };
            let absent = dice.pick(&["true", "false", "false"]);
            let divisor = if dice.once_in(20) { 0 } else { 1 + dice.below(3) };
            let sort = dice.pick(&["甲", "乙", ""]);
            format!(
                "{home},C{child:02},{seq},{day},{}.{},{absent},{}.{:02},{divisor},{sort}",
                dice.below(5),
                dice.pick(&["0", "5", "25"]),
                dice.below(20),
                dice.below(100)
            )
        })
        .collect();
    table("institution_id,child_ref,seq,seen_on,hours,absent,most,divisor,sort", &rows)
}

fn claims(dice: &mut Dice) -> String {
    let rows: Vec<String> = (0..5)
        .map(|row| {
            format!(
                "K{row},{},{}.{:02}",
                dice.pick(&["F1", "F2", "X9", ""]),
                dice.below(90),
                dice.below(100)
            )
        })
        .collect();
    table("claim_id,payee_ref,asked", &rows)
}

/// Rows in force between dates, of most children.
fn spans(
    dice: &mut Dice,
    column: &str,
    values: &[&str],
    homes: &[(String, &'static str)],
) -> String {
    let mut rows = Vec::new();
    for (child, home) in homes {
        if dice.once_in(3) {
            continue;
        }
        let value = dice.pick(values);
        if dice.once_in(2) {
            let end = 5 + dice.below(15);
            rows.push(format!("{child},{home},{value},2026-01-01,2026-09-{end:02}"));
            rows.push(format!(
                "{child},{home},{},2026-09-{:02},",
                dice.pick(values),
                end + 1 + dice.below(3)
            ));
        } else {
            rows.push(format!("{child},{home},{value},2026-02-01,"));
        }
    }
    table(&format!("child_ref,institution_id,{column},from,until"), &rows)
}
