//! What a pack may say of payees, and payees beside institutions where money is short.

use super::{Office, PACK, applications};
use std::fs;

/// What `policy check` says of a pack that is wrong.
fn refused(from: &str, to: &str) -> String {
    assert!(PACK.contains(from), "{from}");
    let office = Office::new(&PACK.replacen(from, to, 1));
    let (exit, _, err) = office.tuoyu("policy check @pack --reference @reference");
    assert_eq!(exit, 4, "{err}");
    err
}

#[test]
fn a_payee_must_be_named_where_there_is_no_institution_and_be_a_key() {
    let said = refused("payee = \"family_ref\"\n", "");
    assert!(said.contains("grant: rows of applications have no institution to pay"), "{said}");
    assert!(said.contains("payee = \"…\""), "{said}");

    let said = refused("payee = \"family_ref\"", "payee = \"approved\"");
    assert!(said.contains("[[subsidy]] grant: `payee` is a true or false"), "{said}");

    let said = refused("payee = \"family_ref\"", "payee = \"famly_ref\"");
    assert!(said.contains("famly_ref") && said.contains("family_ref"), "{said}");

    let said = refused("payee = \"family_ref\"", "payee = \"family_ref\"\nin_kind = true");
    assert!(said.contains("`payee` of support in kind"), "{said}");
}

#[test]
fn weights_of_sources_are_the_same_for_every_payee() {
    let said = refused(
        "{ source = \"地方\", share = \"0.2\" }",
        "{ source = \"地方\", weight = \"CASE WHEN coalesce(grade, '') = '一' THEN 1 ELSE 2 END\" }",
    );
    assert!(said.contains("mixes shares and weights"), "{said}");
    let said = refused(
        "parts = [{ source = \"中央\", share = \"0.8\" }, { source = \"地方\", share = \"0.2\" }]",
        "parts = [{ source = \"中央\", weight = \"4\" }, { source = \"地方\", weight = \"CASE WHEN \
         coalesce(grade, '') = '一' THEN 1 ELSE 2 END\" }]",
    );
    assert!(said.contains("grant: its split two reads grade of institution"), "{said}");

    // Weights of the whole settlement are.
    let office = Office::new(&PACK.replace(
        "parts = [{ source = \"中央\", share = \"0.8\" }, { source = \"地方\", share = \"0.2\" }]",
        "parts = [{ source = \"中央\", weight = \"month_number + 3\" }, { source = \"地方\", weight = \
         \"month_number\" }]",
    ));
    office.settle("2026-01", 2);
    // In January 4 and 1: as the shares.
    assert!(office.lines("run-2026-01").contains(&"F1 ORIGINAL 2026-01 grant 中央 53333".into()));
    assert!(office.computes_again("2026-01"));
}

/// January with a family whose reference is not plain, one that is the institution itself, and 1500.00
/// for everybody, where 2346.65 are asked for.
fn short(method: &str) -> Office {
    let shortage = format!(
        "\n[[shortage]]\nid = \"short\"\nclause = \"七\"\neffective_from = 2026-01-01\n\
         limit = \"enough\"\n{method}\n\n[[parameter]]\nid = \"enough\"\nclause = \"七\"\n\
         effective_from = 2026-01-01\nunit = \"yuan\"\nvalue = \"1500\"\n"
    );
    let office = Office::new(&format!("{PACK}{shortage}"));
    let rows = [
        ("KID-1", "F1", "是"),
        ("KID-2", "F1", "是"),
        ("KID-3", "F2", "是"),
        ("KID-4", "A1", "是"),
        ("KID-5", "家庭甲", "是"),
    ];
    office.write("in/2026-01/applications.csv", &applications(&rows));
    office.settle("2026-01", 2);
    office
}

fn paid_to(office: &Office, payee: &str) -> i64 {
    let payments = office.payments("run-2026-01");
    let mine = payments.iter().filter(|line| line.split(' ').next() == Some(payee));
    mine.map(|line| line.split(' ').nth(3).unwrap().parse::<i64>().unwrap()).sum()
}

/// Who stands after the institution, with what he asks for: the children's pseudonyms and families stand
/// among each other by id, references that are not plain at last.
fn in_turn(office: &Office) -> Vec<(String, i64)> {
    let mut ids: Vec<(String, i64)> =
        (1..=5).map(|child| (office.alias(&format!("KID-{child}")), 5_000)).collect();
    ids.extend([("F1".to_owned(), 74_666), ("F2".to_owned(), 38_333)]);
    ids.sort();
    ids.push(("家庭甲".to_owned(), 33_333));
    ids
}

/// Asked for: A1 300.00 of places and the grant of child 4, 633.33; F1 746.66; F2 383.33; 家庭甲 333.33;
/// cards 5 x 50.00.
#[test]
fn a_queue_serves_institutions_and_then_the_others_by_id() {
    let office = short("method = \"queue\"\norder = [\"grade\"]");
    assert_eq!(paid_to(&office, "A1"), 63_333);
    // What is left of 1500.00 is 866.67.
    let mut left = 86_667;
    for (id, asked) in in_turn(&office) {
        let paid = asked.min(left);
        assert_eq!(paid_to(&office, &id), paid, "{id}");
        left -= paid;
    }
    assert!(office.computes_again("2026-01"));
}

#[test]
fn short_money_is_shared_and_carried_for_every_payee() {
    let office = short("method = \"prorata\"");
    let all: i64 = office
        .payments("run-2026-01")
        .iter()
        .map(|line| line.split(' ').nth(3).unwrap().parse::<i64>().unwrap())
        .sum();
    assert_eq!(all, 150_000);
    assert!(office.computes_again("2026-01"));

    // Each has about 1500.00 / 2346.65 of what it asks for: the fen of a line go up or down.
    for (payee, asked, lines) in [("A1", 63_333, 4), ("F1", 74_666, 4), ("F2", 38_333, 4)] {
        let apart = paid_to(&office, payee) * 234_665 - asked * 150_000;
        assert!(apart.abs() < lines * 234_665, "{payee}");
    }

    // Carried whole: who fits into what is left of 1500.00 after those before is paid, who does not waits.
    let office = short("method = \"carry\"\norder = [\"grade\"]");
    assert_eq!(paid_to(&office, "A1"), 63_333);
    let mut left = 86_667;
    for (id, asked) in in_turn(&office) {
        let paid = if asked <= left { asked } else { 0 };
        assert_eq!(paid_to(&office, &id), paid, "{id}");
        left -= paid;
    }
    let carried = |line: &String| line.starts_with("家庭甲 CARRY_OUT");
    assert!(office.lines("run-2026-01").iter().any(carried));
    assert!(office.computes_again("2026-01"));
}

/// 100.00 for each family with two approved applications, on a grouping that has no institution.
#[test]
fn a_family_is_paid_as_a_group_of_its_rows() {
    let bonus = "\n[[grouping]]\nid = \"family\"\nclause = \"九\"\neffective_from = 2026-01-01\n\
                 of = \"applications\"\nby = [\"family_ref\"]\n\n[[parameter]]\nid = \"bonus.rate\"\n\
                 clause = \"九\"\neffective_from = 2026-01-01\nunit = \"yuan/month\"\nvalue = \"100\"\n\n\
                 [[gate]]\nid = \"several\"\nclause = \"九\"\neffective_from = 2026-01-01\n\
                 basis = \"family\"\nrequire = \"count(applications) FILTER (WHERE approved) >= 2\"\n\
                 reason = \"one_child\"\n\n[[subsidy]]\nid = \"bonus\"\nclause = \"九\"\n\
                 effective_from = 2026-01-01\nbasis = \"family\"\ngates = [\"several\"]\n\
                 amount = \"bonus.rate\"\nround = { to = \"0.01\", mode = \"half_up\" }\n\
                 payee = \"family_ref\"\nfunding = \"two\"\ninstrument = \"other\"\n";
    let office = Office::new(&format!("{PACK}{bonus}"));
    office.settle("2026-01", 2);
    let lines = office.lines("run-2026-01");
    let bonus: Vec<&str> =
        lines.iter().map(String::as_str).filter(|line| line.contains(" bonus ")).collect();
    // Families 2 and 3 have one child, nobody knows whose child 5 is.
    let wanted = ["F1 ORIGINAL 2026-01 bonus 中央 8000", "F1 ORIGINAL 2026-01 bonus 地方 2000"];
    assert_eq!(bonus, wanted);
    // One payment with the grants and meals: 597.33 and 80.00.
    assert!(office.payments("run-2026-01").contains(&"F1 2001 中央 67733 3 ".to_owned()));
    assert!(office.computes_again("2026-01"));
    let office = Office::new(&format!(
        "{PACK}{}",
        "\n[[grouping]]\nid = \"family\"\nclause = \"九\"\n\
            effective_from = 2026-01-01\nof = \"applications\"\nby = [\"family_ref\"]\n\n\
            [[subsidy]]\nid = \"bonus\"\nclause = \"九\"\neffective_from = 2026-01-01\n\
            basis = \"family\"\ngates = []\namount = \"card.rate\"\n\
            round = { to = \"0.01\", mode = \"half_up\" }\nfunding = \"two\"\ninstrument = \"other\"\n"
    ));
    let (exit, _, err) = office.tuoyu("policy check @pack --reference @reference");
    assert_eq!(exit, 4, "{err}");
    assert!(err.contains("bonus: rows of family have no institution to pay"), "{err}");
}

/// A cap of an institution bounds its lines whoever is paid for them: meals of 80.00 and 50.00 at A1, at
/// most 65.00, so each keeps a half; grants stand at no institution.
#[test]
fn a_cap_of_an_institution_bounds_what_families_are_paid_there() {
    let cap = "\n[[cap]]\nid = \"meals\"\nclause = \"八\"\neffective_from = 2026-01-01\n\
               items = [\"meal\"]\nstage = \"institution\"\nkey = \"institution\"\nwindow = \"month\"\n\
               limit = \"most\"\n\n[[parameter]]\nid = \"most\"\nclause = \"八\"\n\
               effective_from = 2026-01-01\nunit = \"yuan/month\"\nvalue = \"65\"\n";
    let office = Office::new(&format!("{PACK}{cap}"));
    office.settle("2026-01", 2);
    let meals = |payee: &str| -> i64 {
        let rows = office.rows("run-2026-01", "schedule.csv");
        let mine =
            rows.iter().filter(|row| row["institution_id"] == payee && row["item"] == "meal");
        mine.map(|row| row["payable_fen"].parse::<i64>().unwrap()).sum()
    };
    assert_eq!((meals("F1"), meals("F2")), (4_000, 2_500));
    let findings = office.rows("run-2026-01", "findings.csv");
    let bound = findings.iter().find(|row| row["code"] == "cap_binding").unwrap();
    assert_eq!((&*bound["institution_id"], &*bound["money_fen"]), ("A1", "6500"));
    assert!(office.computes_again("2026-01"));

    // Over a year it is what the lines say, not what was posted to the families.
    let office =
        Office::new(&format!("{PACK}{}", cap.replace("\"month\"\nlimit", "\"year\"\nlimit")));
    office.release("2026-01");
    office.must("close @run-2026-01 --by 赵六 --ledger @ledger.db");
    office.settle("2026-02", 2);
    let meals = office.lines("run-2026-02").into_iter().filter(|line| line.contains("meal"));
    let meals: Vec<String> = meals.collect();
    assert!(!meals.is_empty() && meals.iter().all(|line| line.ends_with(" 0")), "{meals:?}");
    assert!(office.computes_again("2026-02"));
}

/// A child's reference stays one under another name, and as what names the row of a grouping (S32).
#[test]
fn a_child_that_is_paid_as_a_row_of_a_grouping_is_shown_by_its_pseudonym() {
    let card = "basis = \"applications\"\ngates = [\"approved\"]\namount = \"card.rate\"";
    assert!(PACK.contains(card) && PACK.contains("payee = \"child_ref\""));
    let pack = PACK
        .replace(card, "basis = \"kin\"\ngates = []\namount = \"card.rate\"")
        .replace("payee = \"child_ref\"", "payee = \"own\"");
    let more = "\n[[value]]\nid = \"own\"\nclause = \"三\"\neffective_from = 2026-01-01\n\
                basis = \"applications\"\nexpr = \"child_ref\"\n\n[[grouping]]\nid = \"kin\"\n\
                clause = \"三\"\neffective_from = 2026-01-01\nof = \"applications\"\nby = [\"own\"]\n";
    let office = Office::new(&format!("{pack}{more}"));
    office.settle("2026-01", 2);
    let alias = office.alias("KID-1");
    let lines = office.lines("run-2026-01");
    assert!(lines.contains(&format!("{alias} ORIGINAL 2026-01 card 中央 4000")), "{lines:?}");
    for entry in fs::read_dir(office.path("run-2026-01")).unwrap() {
        let path = entry.unwrap().path();
        let bytes = fs::read(&path).unwrap();
        let told = bytes.windows(4).any(|window| window == b"KID-");
        assert!(!told, "{}", path.display());
    }
    assert!(office.computes_again("2026-01"));
}
