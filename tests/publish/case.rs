//! A settlement small enough to do on paper.
//!
//! 甲 (A) has two children paid 300.00 and 200.00 and twenty slots paid 1,000.00; 乙 (B) has one
//! child zero (`listed_twice`), one paid 450.00 and cut to 400.00 by `cap.institution`, slots
//! refused, and a payment on hold. One child stands at an institution nobody knows. Each fen is
//! split evenly between 省 and 区: 1,900.00 in all.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tuoyu::allocation::{Allocation, BudgetLine, FundingCell};
use tuoyu::domain::texts::Catalogue;
use tuoyu::domain::{
    Basis, CodeColumn, CodeList, Column, Date, Fen, Finding, FindingCode, Frame, Frames, KeyColumn,
    Month, NumColumn, Origins, Place, Stored,
};
use tuoyu::intake::{SourceFile, Table, Tables};
use tuoyu::job::{Job, JobKind, Language};
use tuoyu::law::{MidMonth, Overlaps, PackHead, Weeks};
use tuoyu::publish::{
    Draft, MonthResult, NoticeInForce, Outputs, Previous, PriceColumns, Profiles, Pseudonyms,
    Publication, PublishError, Standing, TableUse, YearToDate,
};
use tuoyu::schedule::{LineKind, Payee, Payment, Schedule, ScheduleLine};
use tuoyu::subsidy::{Entitlements, ItemLines, LineStatus};

/// 统一社会信用代码 of 甲.
pub(super) const A: &str = "91420112MA00000A1X";
/// Of 乙.
pub(super) const B: &str = "52420112MA00000B2Y";
/// A child's number; it must not reach any file.
pub(super) const CHILD: &str = "420112202401010011";
/// 甲's account; it must not reach a notice.
pub(super) const ACCOUNT: &str = "42001234567890000001";

/// Everything a [`Publication`] borrows.
pub(super) struct Case {
    pub(super) job: Job,
    pub(super) pack: PackHead,
    pub(super) frames: Frames,
    pub(super) entitlements: Entitlements,
    pub(super) allocation: Allocation,
    pub(super) schedule: Schedule,
    pub(super) tables: Tables,
    pub(super) usage: Vec<TableUse>,
    pub(super) findings: Vec<Finding>,
    pub(super) previous: Option<Previous>,
    pub(super) year_to_date: YearToDate,
    pub(super) pseudonyms: Pseudonyms,
    pub(super) profiles: Profiles,
    pub(super) texts: Catalogue,
    words: BTreeMap<String, String>,
}

pub(super) fn keys<'a>(texts: impl IntoIterator<Item = &'a str>) -> Stored {
    let mut column = KeyColumn::default();
    texts.into_iter().for_each(|text| column.push(text));
    Stored::plain(Column::Key(column))
}

pub(super) fn codes<'a>(texts: impl IntoIterator<Item = &'a str>) -> Stored {
    let mut list = CodeList::default();
    let codes = texts.into_iter().map(|text| list.intern(text)).collect();
    Stored::plain(Column::Code(CodeColumn { codes, list: Arc::new(list) }))
}

pub(super) fn whole(values: impl IntoIterator<Item = i64>) -> Stored {
    Stored::plain(Column::whole(values.into_iter().collect()))
}

pub(super) fn flags(values: impl IntoIterator<Item = bool>) -> Stored {
    Stored::plain(Column::Bool(values.into_iter().collect()))
}

fn frames() -> Frames {
    let mut institutions = Frame::new(Basis::Institution, 3);
    // The last row is a version of 甲 that holds from the middle of the month.
    institutions.put("institution_id", keys([A, B, A]));
    institutions.put("name", codes(["甲托育", "乙幼儿园,\"二\"部", "甲托育（新）"]));
    institutions.put("kind", codes(["托育机构", "幼儿园托班", "托育机构"]));
    institutions.put("street", codes(["吴家山", "金银湖", "吴家山"]));
    institutions.put("division_code", codes(["420112", "420112", "420112"]));
    institutions.put("filed", flags([true, true, true]));
    institutions.put("inclusive", flags([true, false, true]));
    institutions.put("sanctioned", flags([false, false, false]));
    institutions.links.insert(Basis::Institution, vec![0, 1, 0]);

    let mut spells = Frame::new(Basis::Spell, 5);
    spells.put("child_ref", keys([CHILD, "C2", "C3", "C4", "C5"]));
    spells.put("institution_id", keys([A, A, B, B, "NOWHERE"]));
    spells.put("age_class", codes(["托小班", "托大班", "托大班", "托大班", "托小班"]));
    spells.put("service", codes(["全日托", "半日托", "全日托", "全日托", "全日托"]));
    spells.put("in_month", flags([true; 5]));
    spells.put("fee_monthly", whole([200_000, 150_000, 210_000, 180_000, 1]));
    let ceilings = Column::whole(vec![200_000, 160_000, 200_000, 200_000, 0]);
    let nulls = vec![false, false, false, false, true];
    spells.put("full_day.ceiling", Stored::nullable(ceilings, nulls));
    spells.put("full_day.over", flags([false, false, true, false, false]));
    spells.origins = Some(Origins::new(vec![0], vec![1, 2, 3, 4, 5]));
    spells.links.insert(Basis::Institution, vec![0, 2, 1, 1, Frame::NO_ROW]);

    let mut slots = Frame::new(Basis::Slot, 2);
    slots.put("institution_id", keys([A, B]));
    slots.put("age_class", codes(["托小班", "托大班"]));
    slots.put("service", codes(["全日托", "全日托"]));
    slots.put("slots_filed", whole([20, 30]));
    slots.put("slots_open", whole([20, 10]));
    slots.links.insert(Basis::Institution, vec![0, 1]);

    let mut frames = Frames::default();
    frames.put(institutions);
    frames.put(spells);
    frames.put(slots);
    frames
}

fn entitlements() -> Entitlements {
    let reasons = CodeList::new(["", "listed_twice", "institution_unknown", "not_inclusive"]);
    let cutters = CodeList::new(["", "cap.institution"]);
    let children = ItemLines {
        item: Arc::from("operating.child"),
        basis: Basis::Spell,
        rules: vec![None],
        owners: None,
        status: vec![
            LineStatus::Paid,
            LineStatus::Paid,
            LineStatus::Zero,
            LineStatus::Paid,
            LineStatus::Refused,
        ],
        reason: vec![0, 0, 1, 0, 2],
        amount: vec![30_000, 20_000, 0, 45_000, 0],
        exact: Some(Stored {
            column: Column::Num(NumColumn { values: vec![90_000, 59_999, 0, 135_000, 0], den: 3 }),
            nulls: Some(vec![false, false, true, false, true]),
            errors: None,
        }),
        quantity: Some(whole([1; 5])),
        rate: Some(whole([30_000, 20_000, 30_000, 45_000, 0])),
        allocated: vec![30_000, 20_000, 0, 40_000, 0],
        capped: None,
        to_date: None,
        used: Vec::new(),
        cut_by: vec![0, 0, 0, 1, 0],
    };
    let slots = ItemLines {
        item: Arc::from("slot.new"),
        basis: Basis::Slot,
        rules: vec![None],
        owners: None,
        status: vec![LineStatus::Paid, LineStatus::Refused],
        reason: vec![0, 3],
        amount: vec![100_000, 0],
        exact: None,
        quantity: Some(whole([20, 30])),
        rate: None,
        allocated: vec![100_000, 0],
        capped: None,
        to_date: None,
        used: Vec::new(),
        cut_by: vec![0, 0],
    };
    Entitlements { reasons, cutters, items: vec![children, slots], payees: Vec::new() }
}

fn budget_lines() -> Vec<BudgetLine> {
    let line = |doc: &str, source: &str| BudgetLine {
        budget_doc_no: doc.to_owned(),
        source: source.to_owned(),
        exp_func_code: "2080299".to_owned(),
        balance_fen: 10_000_000,
        fiscal_year: 2026,
        ..BudgetLine::default()
    };
    vec![line("示例财社〔2026〕1号", "省"), line("示例财社〔2026〕2号", "区")]
}

fn allocation() -> Allocation {
    let cell = |institution, item, source, fen| FundingCell {
        institution,
        item,
        source,
        budget_line: source,
        fen,
    };
    Allocation {
        sources: vec![Arc::from("省"), Arc::from("区")],
        budget_lines: budget_lines(),
        cells: vec![
            cell(0, 0, 0, 25_000),
            cell(0, 0, 1, 25_000),
            cell(0, 1, 0, 50_000),
            cell(0, 1, 1, 50_000),
            cell(1, 0, 0, 20_000),
            cell(1, 0, 1, 20_000),
        ],
        ..Allocation::default()
    }
}

fn schedule(month: Month) -> Schedule {
    let payee = |id: &str, name: &str, account: &str, hold: &str| Payee {
        institution_id: Arc::from(id),
        institution_name: Arc::from(name),
        account_name: Arc::from(name),
        account_no: Arc::from(account),
        bank_name: Arc::from("示例银行"),
        bank_no: Arc::from("313521000011"),
        hold_reason: Arc::from(hold),
    };
    let pay_on = Date::from_ymd(2026, 10, 15);
    let mut schedule = Schedule {
        payees: vec![
            payee(B, "乙幼儿园,\"二\"部", "", "account_missing"),
            payee(A, "甲托育", ACCOUNT, ""),
        ],
        budget_lines: budget_lines(),
        ..Schedule::default()
    };
    let rows = [
        (0, "operating.child", 0, 22_500, 2_500, 0),
        (0, "operating.child", 1, 22_500, 2_500, 1),
        (1, "operating.child", 0, 25_000, 0, 2),
        (1, "operating.child", 1, 25_000, 0, 3),
        (1, "slot.new", 0, 50_000, 0, 2),
        (1, "slot.new", 1, 50_000, 0, 3),
    ];
    for (line_no, (payee, item, budget_line, gross, cut, payment)) in (1..).zip(rows) {
        schedule.lines.push(ScheduleLine {
            line_no,
            payee,
            kind: LineKind::Original,
            source_period: month,
            item: Arc::from(item),
            quantity: "1".into(),
            rate_fen: None,
            gross_fen: gross,
            cut_fen: cut,
            carried_in_fen: 0,
            carried_out_fen: 0,
            payable_fen: gross - cut,
            source: Arc::from(["省", "区"][budget_line as usize]),
            budget_line,
            pay_on,
            rule_version: Arc::from("operating.child@2026-01-01/2025-12-20"),
            payment,
        });
    }
    for (at, (payee, amount, lines)) in
        (0_u32..).zip([(0, 20_000, 1), (0, 20_000, 1), (1, 75_000, 2), (1, 75_000, 2)])
    {
        schedule.payments.push(Payment {
            payment_no: format!("2026-09-{:06}", at + 1),
            end_to_end_id: format!("E2E{at}"),
            payee,
            budget_line: at % 2,
            source: Arc::from(["省", "区"][(at % 2) as usize]),
            pay_on,
            amount_fen: amount,
            lines,
        });
    }
    schedule
}

fn tables() -> Tables {
    let mut tables = Tables::default();
    for (name, rows_read, rows_refused) in [("enrolments", 7, 1), ("institutions", 3, 0)] {
        let table = Table { name: Arc::from(name), rows_read, rows_refused, ..Table::default() };
        tables.by_name.insert(Arc::from(name), table);
        tables.files.push(SourceFile {
            table: Arc::from(name),
            name: Arc::from(format!("{name}.csv")),
            path: Arc::from(Path::new("in")),
            sha256: "0".repeat(64),
            bytes: 10,
            records: rows_read,
        });
    }
    tables
}

fn findings() -> Vec<Finding> {
    let finding = |code, institution: &str, money: Option<i64>, record| Finding {
        code,
        place: Place { table: "enrolments".to_owned(), file: "enrolments.csv".to_owned(), record },
        institution_id: institution.to_owned(),
        rule: String::new(),
        count: 1,
        money: money.map(Fen),
        values: Vec::new(),
    };
    vec![
        finding(FindingCode::CapBinding, B, Some(5_000), 4),
        finding(FindingCode::FeeAboveCeiling, B, Some(10_000), 3),
        finding(FindingCode::InstitutionUnknown, "NOWHERE", None, 5),
        finding(FindingCode::PaymentHeld, B, Some(40_000), 0),
        finding(FindingCode::ValueUnreadable, "", None, 6),
    ]
}

fn pack() -> PackHead {
    PackHead {
        id: Arc::from("district"),
        title: Arc::from("示例区"),
        region: Arc::from("示例区"),
        currency: Arc::from("yuan"),
        sample: true,
        resident_ids: true,
        uscc: true,
        overlaps: Overlaps::Refuse,
        settlement_months: 1,
        filing: MidMonth::ByMonthStart,
        inclusive: MidMonth::ByMonthStart,
        grade: MidMonth::ByMonthStart,
        sanctions: MidMonth::ByMonthStart,
        weeks: Weeks::Clipped,
    }
}

pub(super) fn reference() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data/reference")
}

fn job(period: Month) -> Job {
    Job {
        id: "monthly".to_owned(),
        kind: JobKind::Settle,
        title: "普惠托育补助".to_owned(),
        period,
        packs: Vec::new(),
        overlays: Vec::new(),
        reference: reference(),
        known_on: Date::from_ymd(2026, 10, 8).unwrap(),
        law_known_on: None,
        tables: Vec::new(),
        late: Vec::new(),
        key_file: PathBuf::new(),
        out: PathBuf::new(),
        ledger: None,
        archive: None,
        approval: tuoyu::job::Approval::default(),
        form: None,
        pay_before_opening: false,
        write_offs: Vec::new(),
        workbooks: true,
        entitlements_csv: true,
        change_percent: 20,
        provisional_calendar: false,
        retro: false,
        opening: None,
        office: "示例区财政局".to_owned(),
        pay: None,
        carry_failed: false,
        codes: Vec::new(),
        language: Language::Chinese,
        threads: None,
        canonical: String::new(),
    }
}

impl Case {
    /// The settlement of September 2026.
    pub(super) fn new() -> Self {
        let period = Month::new(2026, 9).unwrap();
        let used = |table: &str, read, used, unused, refused| TableUse {
            table: Arc::from(table),
            read,
            used,
            unused,
            refused,
        };
        let standing = |headcount, slots, amount_fen| Standing {
            headcount: Some(headcount),
            slots: Some(slots),
            amount_fen,
        };
        let by_institution = BTreeMap::from([
            (A.to_owned(), standing(2, 20, 120_000)),
            (B.to_owned(), standing(2, 30, 40_000)),
            ("GONE".to_owned(), standing(9, 9, 9)),
        ]);
        Self {
            job: job(period),
            pack: pack(),
            frames: frames(),
            entitlements: entitlements(),
            allocation: allocation(),
            schedule: schedule(period),
            tables: tables(),
            usage: vec![used("enrolments", 7, 5, 1, 1), used("institutions", 3, 3, 0, 0)],
            findings: findings(),
            previous: Some(Previous { period: "2026-08".to_owned(), by_institution }),
            year_to_date: YearToDate {
                by_institution: BTreeMap::from([(A.to_owned(), 1_000_000)]),
                total: 1_000_000,
                ..YearToDate::default()
            },
            pseudonyms: Pseudonyms::new(b"0123456789abcdef0123456789abcdef").unwrap(),
            profiles: Profiles::load(&reference(), None, None).unwrap(),
            texts: Catalogue::new(Language::Chinese),
            words: BTreeMap::new(),
        }
    }

    pub(super) fn publication(&self) -> Publication<'_> {
        Publication {
            job: &self.job,
            packs: vec![&self.pack],
            run_id: "run0123456789abcdef",
            calc_version: "1",
            law_sha256: "law",
            calendar_sha256: "calendar",
            months: vec![MonthResult {
                month: self.job.period,
                frames: &self.frames,
                entitlements: &self.entitlements,
                allocation: &self.allocation,
                prices: vec![PriceColumns {
                    id: Arc::from("full_day"),
                    basis: Basis::Spell,
                    fee: Arc::from("fee_monthly"),
                    clause: Arc::from("第五条"),
                }],
            }],
            schedule: &self.schedule,
            tables: &self.tables,
            usage: &self.usage,
            findings: &self.findings,
            texts: &self.texts,
            words: &self.words,
            notices: vec![NoticeInForce {
                number: "示例财规〔2026〕1号".to_owned(),
                title: "示例办法".to_owned(),
                published: Date::from_ymd(2025, 12, 20).unwrap(),
                versions: 2,
            }],
            previous: self.previous.as_ref(),
            year_to_date: &self.year_to_date,
            pseudonyms: &self.pseudonyms,
            profiles: &self.profiles,
            corrections: &[],
            examined: &[],
        }
    }

    /// Publishes into `out`, from draft to rename.
    pub(super) fn publish(&self, out: &Path) -> Result<Outputs, PublishError> {
        let run = self.publication();
        let mut draft = Draft::create(out)?;
        let outputs = tuoyu::publish::write(&run, &mut draft)?;
        draft.seal(run.manifest())?;
        draft.commit()?;
        Ok(outputs)
    }
}

/// A CSV file as header and rows.
pub(super) fn read_csv(path: &Path) -> (Vec<String>, Vec<Vec<String>>) {
    let mut reader = csv::ReaderBuilder::new().from_path(path).unwrap();
    let texts = |record: &csv::StringRecord| record.iter().map(str::to_owned).collect();
    let header = texts(reader.headers().unwrap());
    (header, reader.records().map(|record| texts(&record.unwrap())).collect())
}

/// One column of a CSV file.
pub(super) fn column(path: &Path, name: &str) -> Vec<String> {
    let (header, rows) = read_csv(path);
    let at =
        header.iter().position(|h| h == name).unwrap_or_else(|| panic!("{name} in {header:?}"));
    rows.into_iter().map(|mut row| row.swap_remove(at)).collect()
}
