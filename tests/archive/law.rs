//! Law as known then: never changed under the feet of a run that was approved.

use super::Office;
use tuoyu::domain::{Date, Month};
use tuoyu::settle::{SettleError, law_kept};

fn law(office: &Office, run: &str) -> Vec<(Month, String)> {
    let archive = office.archive();
    archive.law(&archive.recipe(run).unwrap()).unwrap()
}

/// What the check says of the office's packs as they are now.
fn said(office: &Office, run: &str) -> Option<String> {
    let path = [office.path("pack")];
    let book = tuoyu::law::load(&path, &[], &office.path("reference")).unwrap();
    let known_on = Date::from_ymd(2026, 10, 10).unwrap();
    match law_kept(&book, run, known_on, &law(office, run)) {
        Ok(()) => None,
        Err(SettleError::LawRewritten(rewritten)) => Some(rewritten.to_string()),
        Err(error) => panic!("{error}"),
    }
}

const PACK: &str = include_str!("pack.toml");

#[test]
fn a_value_changed_under_the_same_dates_is_found_with_block_and_file() {
    let office = Office::new();
    let (run, _) = office.settle("2026-09", "");
    assert_eq!(said(&office, &run), None);
    office.write("pack/pack.toml", &PACK.replace("value = \"10\"", "value = \"11\""));
    let told = said(&office, &run).unwrap();
    for part in [
        "law_rewritten: the law of 2026-09 as known on 2026-10-10",
        &run[..8],
        "small/pack.toml:20: parameter rate",
        "was `value = 10`",
        "is `value = 11`",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    // A gate taken away, and one put in from the start.
    let gone = PACK.replace("gates = [\"month\", \"attendance.found\"]", "gates = [\"month\"]");
    office.write("pack/pack.toml", &gone);
    assert!(said(&office, &run).unwrap().contains("subsidy care"));
    // What became known later is a version of its own: nothing of then has changed.
    let later = "\n[notice]\nnumber = \"示例2号\"\ntitle = \"补充(示例)\"\npublished = 2026-10-20\n\
                 \n[[parameter]]\nid = \"rate\"\nclause = \"一\"\neffective_from = 2026-09-01\n\
                 supersedes = { known_from = 2026-01-01, until = \"open\" }\n\
                 unit = \"yuan/day\"\nvalue = \"12\"\n";
    office.write("pack/pack.toml", PACK);
    office.write("pack/later.toml", later);
    assert_eq!(said(&office, &run), None);
    // Titles are for people.
    office.write("pack/pack.toml", &PACK.replace("title = \"档案(示例)\"", "title = \"档案\""));
    assert_eq!(said(&office, &run), None);
    office.write("pack/pack.toml", &PACK.replace("overlaps = \"refuse\"", "overlaps = \"allow\""));
    // A setting of the whole pack is law.
    let told = said(&office, &run).unwrap();
    assert!(told.contains("pack small"), "{told}");
}

#[test]
fn both_axes_of_time_meet_in_a_run() {
    let office = Office::new();
    let later = "\n[notice]\nnumber = \"示例2号\"\ntitle = \"补充(示例)\"\npublished = 2026-10-20\n\
                 \n[[parameter]]\nid = \"rate\"\nclause = \"一\"\neffective_from = 2026-09-01\n\
                 supersedes = { known_from = 2026-01-01, until = \"open\" }\n\
                 unit = \"yuan/day\"\nvalue = \"12\"\n";
    office.write("pack/later.toml", later);
    office.attendance("late.csv", &[("A", "2026-09", 20)]);
    office.job(
        "\n[[late]]\ntable = \"attendance\"\nfile = \"late.csv\"\nreceived_on = 2026-10-25\n\
         complete_for = [\"2026-09\", \"2026-09\"]\n",
    );
    // 15 days at 10; the notice known: at 12; the late delivery known too: 20 days at 12.
    for (known_on, payable) in
        [("2026-10-19", 15_000), ("2026-10-20", 18_000), ("2026-10-25", 24_000)]
    {
        assert_eq!(office.settle("2026-09", &format!("--known-on {known_on}")).1, payable);
    }
}

#[test]
fn a_run_stops_where_the_law_of_an_approved_month_was_rewritten() {
    let office = Office::new();
    office.attendance("attendance.csv", &[("A", "2026-08", 4), ("A", "2026-09", 10)]);
    let (august, _) = office.settle("2026-08", "");
    office.write("pack/pack.toml", &PACK.replace("value = \"10\"", "value = \"11\""));
    // A draft binds nobody.
    assert_eq!(office.settle("2026-09", "").1, 11_000);
    let raw = office.raw_ledger();
    raw.execute("UPDATE runs SET state = 'approved' WHERE run_id = ?1", [&august]).unwrap();
    drop(raw);
    let line = "run job.toml --ledger ledger.db --out run-x --period 2026-09 --lang en";
    let (exit, _, err) = office.tuoyu(line);
    assert_eq!(exit, 4, "{err}");
    assert!(err.contains("law_rewritten") && err.contains("small/pack.toml:20"), "{err}");
    office.write("pack/pack.toml", PACK);
    assert_eq!(office.settle("2026-09", "").1, 10_000);
}

#[test]
fn a_draft_of_an_overlay_pays_what_the_overlay_pays_once_its_clauses_are_filled() {
    let office = Office::new();
    let trial = "--period 2026-09 --ledger none --archive none --out run-trial";
    let pays = |office: &Office| office.run(trial)["payable_fen"].as_i64().unwrap();
    // Fifteen days at 10 yuan.
    assert_eq!(pays(&office), 15_000);
    office.write("what.toml", "\"parameter.rate.value\" = { times = \"1.25\" }\n");
    let job = std::fs::read_to_string(office.path("job.toml")).unwrap();
    let under = format!("]\noverlays = [{:?}]\nref", office.text("what.toml"));
    office.write("job.toml", &job.replacen("]\nref", &under, 1));
    // At 12.50 yuan.
    assert_eq!(pays(&office), 18_750);
    office.write("job.toml", &job);
    let new = format!(
        "policy new --from-overlay {} --pack {} --reference {} --effective-from 2026-09-01 \
         --published 2026-08-20 --to {}",
        office.text("what.toml"),
        office.text("pack"),
        office.text("reference"),
        office.text("pack/draft.toml"),
    );
    let (exit, _, said) = office.tuoyu(&new);
    assert_eq!(exit, 0, "{said}");
    // Planned it is applied by no settlement; adopted without a clause it stops every one.
    assert_eq!(pays(&office), 15_000);
    let draft = std::fs::read_to_string(office.path("pack/draft.toml")).unwrap();
    let adopted = draft.replace("status = \"planned\"", "status = \"adopted\"");
    office.write("pack/draft.toml", &adopted);
    let (exit, _, said) = office.tuoyu(&format!("run job.toml {trial}"));
    assert_eq!(exit, 4, "{said}");
    assert!(said.contains("[[parameter]] rate has an empty clause"), "{said}");
    office.write("pack/draft.toml", &adopted.replace("clause = \"\"", "clause = \"一\""));
    assert_eq!(pays(&office), 18_750);
    // A file that is there is nobody's to write over.
    let (exit, _, said) = office.tuoyu(&new);
    assert_eq!(exit, 2, "{said}");
    assert!(said.contains("is there already"), "{said}");
}
