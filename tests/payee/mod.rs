//! Money paid to others than institutions (S10, S24, S28), in a small office worked out by hand.
//!
//! A grant of 333.33 a child on application and 10 a day in care go to the child's family, a card of 50
//! to the child itself, 100 a place to the institution. 中央 pays four fifths, 地方 one; totals of
//! sources are fixed for each payee (S13). January:
//!
//! | child | family | applied | days at A1 |
//! | --- | --- | --- | --- |
//! | 1 | F1 | approved | 8 |
//! | 2 | F1 | approved | |
//! | 3 | F2 | approved | 5 |
//! | 4 | F3 | approved | |
//! | 5 | not told | approved | |
//! | 6 | F1 | refused | |
//! | 7 | not told | | 3 |
//!
//! * F1: grants of 666.66 and meals of 80.00 are 746.66; 中央 597.328, so 597.33, and 地方 149.33.
//!   Of the grants 533.328 are floored to 533.32, of the meals 64.00: the fen left goes to 中央 of the
//!   grants, 533.33 and 133.33.
//! * F2: 333.33 and 50.00 are 383.33; 中央 306.664, 地方 76.666, which has the larger remainder: 306.66
//!   and 76.67. Meals are 40.00 and 10.00, so the grant is 266.66 and 66.67.
//! * F3: 333.33 are 266.66 and 66.67.
//! * Cards are 40.00 and 10.00 for each of the children 1 to 5. Places: 3 x 100.00, 240.00 and 60.00.
//! * Nobody is named for the grant of 5 and the meals of 7.
//!
//! F1 and child 1 have an account; F2 stands in the table without one, F3 not at all.

mod rules;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use tempfile::TempDir;

const PACK: &str = include_str!("pack.toml");

const PAYEES: &str = "payee_ref,name,account_name,account_no,bank_name,bank_no\n\
    F1,张家,张三,2001,示例银行,313521000011\n\
    F2,李家,李四,,示例银行,313521000011\n\
    KID-1,张小,张三,2001,示例银行,313521000011\n";

/// Child, family, whether the application is approved.
const APPLIED: [(&str, &str, &str); 6] = [
    ("KID-1", "F1", "是"),
    ("KID-2", "F1", "是"),
    ("KID-3", "F2", "是"),
    ("KID-4", "F3", "是"),
    ("KID-5", "", "是"),
    ("KID-6", "F1", "否"),
];

/// Tables of the office's job.
const TABLES: [&str; 6] =
    ["institutions", "slots", "enrolments", "attendance", "applications", "payees"];

/// A line or payment of a file by its columns.
type Row = BTreeMap<String, String>;

/// An office that pays families.
struct Office {
    folder: TempDir,
    /// `[[late]]` deliveries and settings of the job.
    more: String,
}

fn applications(rows: &[(&str, &str, &str)]) -> String {
    let mut text = "child_ref,family_ref,approved\n".to_owned();
    for (child, family, approved) in rows {
        let _ = writeln!(text, "{child},{family},{approved}");
    }
    text
}

impl Office {
    /// January and February delivered as the table above has them, under a pack.
    fn new(pack: &str) -> Self {
        let office =
            Self { folder: tempfile::tempdir().unwrap(), more: "opening = \"2026-01\"\n".into() };
        crate::office::papers(office.folder.path());
        office.write("pack/pack.toml", pack);
        for (month, last) in [(1, 31), (2, 28)] {
            let put = |table: &str, text: &str| {
                office.write(&format!("in/2026-{month:02}/{table}.csv"), text);
            };
            put(
                "institutions",
                "institution_id,name,account_name,account_no,bank_name,bank_no\n\
                 A1,甲托育,甲托育,1001,示例银行,313521000011\n",
            );
            put(
                "slots",
                "institution_id,age_class,service,slots_filed,slots_open\n\
                 A1,托小班,全日托,5,3\n",
            );
            let mut stays = "child_ref,birth_date,institution_id,age_class,service,spell_from,\
                             spell_until,family_ref\n"
                .to_owned();
            let mut days = "child_ref,institution_id,period,days_attended\n".to_owned();
            for (child, family, count) in [("KID-1", "F1", 8), ("KID-3", "F2", 5), ("KID-7", "", 3)]
            {
                let _ = writeln!(
                    stays,
                    "{child},2024-06-01,A1,托小班,全日托,2026-{month:02}-01,2026-{month:02}-{last},\
                     {family}"
                );
                let _ = writeln!(days, "{child},A1,2026-{month:02},{count}");
            }
            put("enrolments", &stays);
            put("attendance", &days);
            put("applications", &applications(&APPLIED));
            put("payees", PAYEES);
        }
        office
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Runs a command line; words that begin with `@` are files of the office.
    fn tuoyu(&self, line: &str) -> (u8, String, String) {
        let words = line.split_whitespace().map(|word| match word.strip_prefix('@') {
            Some(file) => OsString::from(self.text(file)),
            None => OsString::from(word),
        });
        crate::office::tuoyu(words)
    }

    #[track_caller]
    fn must(&self, line: &str) -> String {
        let (exit, out, err) = self.tuoyu(line);
        assert!(matches!(exit, 0 | 3), "{line}: exit {exit}: {err}");
        out
    }

    fn job(&self) {
        let tables =
            TABLES.map(|table| format!("[inputs.{table}]\nfile = \"{{period}}/{table}.csv\"\n"));
        let text = format!(
            "id = \"families\"\npacks = [{:?}]\nreference = {:?}\ninput = {:?}\nkey_file = {:?}\n\
             workbooks = false\n{}{}",
            self.text("pack"),
            self.text("reference"),
            self.text("in"),
            self.text("office.key"),
            self.more,
            tables.concat(),
        );
        self.write("job.toml", &text);
    }

    fn settle(&self, period: &str, threads: usize) {
        self.job();
        self.must(&format!(
            "run @job.toml --period {period} --out @run-{period} --ledger @ledger.db --threads \
             {threads}"
        ));
    }

    fn release(&self, period: &str) {
        self.settle(period, 2);
        for (act, by) in [("approve", "李四"), ("release", "王五")] {
            self.must(&format!("{act} @run-{period} --by {by} --ledger @ledger.db"));
        }
    }

    /// Rows of a file of a run folder.
    fn rows(&self, folder: &str, file: &str) -> Vec<Row> {
        let mut reader = csv::Reader::from_path(self.path(folder).join(file)).unwrap();
        reader.deserialize().map(Result::unwrap).collect()
    }

    /// Lines of a schedule that move money: payee, kind, month, item, source, fen.
    fn lines(&self, folder: &str) -> Vec<String> {
        let names = ["institution_id", "line_kind", "source_period", "item", "source"];
        let line = |row: Row| {
            let words: Vec<&str> = names.iter().map(|name| &*row[*name]).collect();
            format!("{} {}", words.join(" "), row["payable_fen"])
        };
        self.rows(folder, "schedule.csv").into_iter().map(line).collect()
    }

    /// Payments: payee, account, source, fen, lines, why it is held.
    fn payments(&self, folder: &str) -> Vec<String> {
        let names =
            ["institution_id", "account_no", "source", "amount_fen", "lines", "hold_reason"];
        let payment = |row: Row| {
            let words: Vec<&str> = names.iter().map(|name| &*row[*name]).collect();
            words.join(" ")
        };
        self.rows(folder, "payments.csv").into_iter().map(payment).collect()
    }

    /// Whether `DuckDB` comes to the same; true where it is not here.
    fn computes_again(&self, period: &str) -> bool {
        if !crate::audit::duckdb_is_here() {
            return true;
        }
        self.must(&format!(
            "audit sql @run-{period} --out @sql-{period} --job @job.toml --ledger @ledger.db"
        ));
        crate::audit::recomputed(&self.path(&format!("sql-{period}"))).0.is_empty()
    }

    /// The pseudonym of a child, as the files have it.
    fn alias(&self, child: &str) -> String {
        let key = fs::read(self.path("office.key")).unwrap();
        let names = tuoyu::publish::Pseudonyms::new(&key).unwrap();
        String::from_utf8(names.one(child).to_vec()).unwrap()
    }
}

#[test]
fn a_family_is_paid_once_for_all_its_children() {
    let office = Office::new(PACK);
    office.release("2026-01");
    let lines = office.lines("run-2026-01");
    let families: Vec<&str> =
        lines.iter().map(String::as_str).filter(|line| line.starts_with(['A', 'F'])).collect();
    assert_eq!(
        families,
        [
            "A1 ORIGINAL 2026-01 place 中央 24000",
            "A1 ORIGINAL 2026-01 place 地方 6000",
            "F1 ORIGINAL 2026-01 grant 中央 53333",
            "F1 ORIGINAL 2026-01 grant 地方 13333",
            "F1 ORIGINAL 2026-01 meal 中央 6400",
            "F1 ORIGINAL 2026-01 meal 地方 1600",
            "F2 ORIGINAL 2026-01 grant 中央 26666",
            "F2 ORIGINAL 2026-01 grant 地方 6667",
            "F2 ORIGINAL 2026-01 meal 中央 4000",
            "F2 ORIGINAL 2026-01 meal 地方 1000",
            "F3 ORIGINAL 2026-01 grant 中央 26666",
            "F3 ORIGINAL 2026-01 grant 地方 6667",
        ]
    );
    let payments = office.payments("run-2026-01");
    let mut wanted: Vec<String> = [
        "A1 1001 中央 24000 1 ",
        "A1 1001 地方 6000 1 ",
        "F1 2001 中央 59733 2 ",
        "F1 2001 地方 14933 2 ",
        "F2  中央 30666 2 account_missing",
        "F2  地方 7667 2 account_missing",
        "F3  中央 26666 1 account_missing",
        "F3  地方 6667 1 account_missing",
    ]
    .map(str::to_owned)
    .to_vec();
    for child in 1..=5 {
        let (account, hold) = if child == 1 { ("2001", "") } else { ("", "account_missing") };
        let alias = office.alias(&format!("KID-{child}"));
        wanted.push(format!("{alias} {account} 中央 4000 1 {hold}"));
        wanted.push(format!("{alias} {account} 地方 1000 1 {hold}"));
    }
    let mut found = payments.clone();
    found.sort();
    wanted.sort();
    assert_eq!(found, wanted);

    // Names of the payee stand where institutions have theirs; the funding says whose each fen is.
    let named = &office.rows("run-2026-01", "schedule.csv")[6];
    assert_eq!((&*named["institution_id"], &*named["institution_name"]), ("F1", "张家"));
    let funding = office.rows("run-2026-01", "funding.csv");
    let of_f1: i64 = funding
        .iter()
        .filter(|row| row["institution_id"] == "F1")
        .map(|row| row["amount_fen"].parse::<i64>().unwrap())
        .sum();
    assert_eq!(of_f1, 74_666);
    // Families are no institutions: the notice that is put up does not name them.
    let notice = office.rows("run-2026-01", "notice.csv");
    let told: Vec<(&str, &str)> =
        notice.iter().map(|row| (&*row["institution_id"], &*row["amount_fen"])).collect();
    assert_eq!(told, [("A1", "30000")]);

    let summary = fs::read_to_string(office.path("run-2026-01/summary.json")).unwrap();
    let summary: serde_json::Value = serde_json::from_str(&summary).unwrap();
    let refused = &summary["refused_by_reason"];
    assert_eq!((&refused["payee_missing"], &refused["not_approved"]), (&2.into(), &2.into()));
    assert!(office.computes_again("2026-01"));
    office.must("audit rerun @run-2026-01 --ledger @ledger.db");
}

#[test]
fn no_reference_to_a_child_leaves_and_the_order_of_rows_is_nothing() {
    let office = Office::new(PACK);
    office.settle("2026-01", 1);
    for entry in fs::read_dir(office.path("run-2026-01")).unwrap() {
        let path = entry.unwrap().path();
        let bytes = fs::read(&path).unwrap();
        assert!(!bytes.windows(4).any(|four| four == b"KID-"), "{}", path.display());
    }
    // Compressed columns hide what they hold: the identity of a line is read back.
    let bytes = fs::read(office.path("run-2026-01/lines.parquet")).unwrap();
    let book = tuoyu::publish::read_lines(&bytes, tuoyu::domain::Month::parse("2026-01").unwrap())
        .unwrap();
    assert!(book.texts.texts().iter().all(|text| !text.contains("KID-")));
    let paid_to = |item: &str| -> Vec<(String, String)> {
        let text = |code: u32| book.texts.text(code).to_owned();
        let of = book.lines.iter().filter(|line| text(line.key.item) == item);
        of.map(|line| (text(line.key.institution), text(line.key.payee))).collect()
    };
    let both = |a: &str, b: &str| (a.to_owned(), b.to_owned());
    assert_eq!(paid_to("meal"), [both("A1", "F1"), both("A1", "F2")]);
    assert_eq!(paid_to("place"), [both("A1", "")]);

    let mut shuffled = Office::new(PACK);
    let mut rows = APPLIED;
    rows.reverse();
    shuffled.write("in/2026-01/applications.csv", &applications(&rows));
    shuffled.more.push('\n');
    shuffled.settle("2026-01", 3);
    assert_eq!(office.lines("run-2026-01"), shuffled.lines("run-2026-01"));
    assert_eq!(office.payments("run-2026-01"), shuffled.payments("run-2026-01"));
}

/// Received on 20 February: January's grant of child 2 was never approved, child 3 belonged to F4 and
/// child 5 to F3. F1 then owes 333.33 and earns 80.00 of meals and 333.33 of grant in February.
#[test]
fn a_closed_month_is_corrected_payee_by_payee() {
    let mut office = Office::new(PACK);
    office.release("2026-01");
    office.must("close @run-2026-01 --by 赵六 --ledger @ledger.db");
    let late = [
        ("KID-1", "F1", "是"),
        ("KID-2", "F1", "否"),
        ("KID-3", "F4", "是"),
        ("KID-4", "F3", "是"),
        ("KID-5", "F3", "是"),
        ("KID-6", "F1", "否"),
    ];
    office.write("in/late/applications.csv", &applications(&late));
    office.write("in/2026-02/applications.csv", &applications(&late));
    office.more.push_str(
        "[[late]]\ntable = \"applications\"\nfile = \"late/applications.csv\"\n\
         received_on = 2026-02-20\ncomplete_for = [\"2026-01\", \"2026-01\"]\n",
    );
    office.release("2026-02");
    let mut net: BTreeMap<(String, String), i64> = BTreeMap::new();
    for row in office.rows("run-2026-02", "schedule.csv") {
        let corrects = ["REFUND", "CORRECTION"].contains(&&*row["line_kind"]);
        if row["source_period"] == "2026-01" && corrects && row["item"] == "grant" {
            let fen: i64 = row["payable_fen"].parse().unwrap();
            let key = (row["institution_id"].clone(), row["source"].clone());
            *net.entry(key).or_default() += fen;
        }
    }
    net.retain(|_, fen| *fen != 0);
    // F1 now: 333.33 and 80.00 are 413.33; 中央 330.664, 地方 82.666: 330.66 and 82.67, of which meals
    // 64.00 and 16.00, so its grant is 266.66 and 66.67 where it was 533.33 and 133.33.
    // F3 now: 666.66 are 533.33 and 133.33 where they were 266.66 and 66.67. F2 loses, F4 gets one.
    let told: Vec<(&str, &str, i64)> =
        net.iter().map(|((payee, source), fen)| (&**payee, &**source, *fen)).collect();
    assert_eq!(
        told,
        [
            ("F1", "中央", -26_667),
            ("F1", "地方", -6_666),
            ("F2", "中央", -26_666),
            ("F2", "地方", -6_667),
            ("F3", "中央", 26_667),
            ("F3", "地方", 6_666),
            ("F4", "中央", 26_666),
            ("F4", "地方", 6_667),
        ]
    );
    // F2 earns 50.00 of meals and owes 333.33: what is not offset now is carried on, 中央 226.66 and
    // 地方 56.67.
    let carried: Vec<String> = office
        .lines("run-2026-02")
        .into_iter()
        .filter(|line| line.starts_with('F') && line.contains("CARRY_OUT"))
        .collect();
    assert_eq!(
        carried,
        ["F2 CARRY_OUT 2026-01 grant 中央 22666", "F2 CARRY_OUT 2026-01 grant 地方 5667"]
    );
    let corrected = office.rows("run-2026-02", "corrections.csv");
    let of_3: Vec<(&str, &str)> = corrected
        .iter()
        .filter(|row| row["item"] == "grant" && row["child_ref"] == office.alias("KID-3"))
        .map(|row| (&*row["payee"], &*row["net_fen"]))
        .collect();
    assert_eq!(of_3, [("F2", "-33333"), ("F4", "33333")]);
    assert!(corrected.iter().flat_map(Row::values).all(|cell| !cell.contains("KID-")));
    assert!(office.computes_again("2026-02"));
    office.must("audit rerun @run-2026-02 --ledger @ledger.db");

    // An explanation tells whom was paid, then and as corrected.
    let of = "explain @run-2026-01 --ledger @ledger.db --job @job.toml";
    let meal = office.must(&format!("{of} --institution A1 --item meal --child KID-1"));
    assert!(meal.contains("收款人：F1") && meal.contains("当期 中央：64.00 元"), "{meal}");
    let grant = office.must(&format!("{of} --institution F2 --item grant --child KID-3"));
    assert!(grant.contains("机构：F2 李家") && grant.contains("-333.33"), "{grant}");
    let statement = office
        .must("explain @run-2026-02 --child KID-3 --statement --ledger @ledger.db --job @job.toml");
    for word in ["机构：F2", "机构：F4", "grant：首次核定 666.66 元，其后变动 0.00 元"]
    {
        assert!(statement.contains(word), "{word} in {statement}");
    }
}

#[test]
fn banks_answer_for_families_as_for_institutions() {
    let mut office = Office::new(PACK);
    office.more.push_str(
        "[pay]\nfiles = [\"pain001\", \"8207\"]\naccount_name = \"示例区财政局\"\n\
         account_no = \"999900000000000001\"\nbank_name = \"示例银行示例区支行\"\n\
         bank_no = \"102521000335\"\nagency_code = \"999900001\"\n\
         agency_name = \"示例区卫生健康局\"\ndivision_code = \"999900\"\n",
    );
    office.release("2026-01");
    let pain = fs::read_to_string(office.path("run-2026-01.release/pain001.xml")).unwrap();
    assert!(pain.contains("<Nm>张三</Nm>") && pain.contains("597.33"), "{pain}");
    assert!(!pain.contains("李四"), "what is held does not go out");
    let held = office.rows("run-2026-01.release", "held.csv");
    assert_eq!(held.iter().filter(|row| row["institution_id"] == "F2").count(), 2);

    let mut answers = "端到端标识,状态,金额,原因,日期\n".to_owned();
    let sent = office.rows("run-2026-01", "payments.csv");
    for row in sent.iter().filter(|row| row["hold_reason"].is_empty()) {
        let fen: i64 = row["amount_fen"].parse().unwrap();
        let (state, reason) = match (&*row["institution_id"], &*row["source"]) {
            ("F1", "地方") => ("失败", "账户已销户"),
            _ => ("成功", ""),
        };
        let yuan = format!("{}.{:02}", fen / 100, fen % 100);
        let _ = writeln!(answers, "{},{state},{yuan},{reason},2026-02-13", row["end_to_end_id"]);
    }
    office.write("answers/answers.csv", &answers);
    // The table of corrected accounts names a payee as it names an institution.
    office.write(
        "accounts.csv",
        "institution_id,account_name,account_no,bank_name,bank_no\n\
         F1,张三,2002,示例银行,313521000011\n",
    );
    let reconcile = format!(
        "id = \"answers\"\nkind = \"reconcile\"\nsettles = {:?}\nperiod = \"2026-01\"\n\
         reference = {:?}\ninput = {:?}\ncalendar = \"weekdays\"\ncorrect = true\n\
         workbooks = false\naccounts = {:?}\n",
        office.text("run-2026-01"),
        office.text("reference"),
        office.text("answers"),
        office.text("accounts.csv"),
    );
    office.write("answers.toml", &reconcile);
    let (exit, _, err) = office.tuoyu("run @answers.toml --out @recon --ledger @ledger.db");
    assert_eq!(exit, 5, "{err}");
    let recon = office.rows("recon", "recon.csv");
    let class = |payee: &str, source: &str| -> &str {
        let mine = |row: &&Row| row["institution_id"] == payee && row["source"] == source;
        let id = &sent.iter().find(mine).unwrap()["end_to_end_id"];
        &recon.iter().find(|row| row["end_to_end_id"] == *id).unwrap()["class"]
    };
    assert_eq!((class("F1", "中央"), class("F1", "地方")), ("PAID", "REJECTED"));
    assert_eq!(class("A1", "地方"), "PAID");
    // What was rejected is paid again to the corrected account.
    let again: Vec<String> = office.payments("run-2026-01.correction-1");
    let again: Vec<&str> =
        again.iter().map(String::as_str).filter(|payment| payment.starts_with("F1")).collect();
    assert_eq!(again, ["F1 2002 地方 14933 2 "]);
}
