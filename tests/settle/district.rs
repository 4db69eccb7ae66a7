//! A small district built by hand: frames, lines and law without files.

use std::collections::BTreeMap;
use std::sync::Arc;
use tuoyu::domain::{
    Basis, Calendar, Cell, CodeColumn, CodeList, Column, Date, Frame, Frames, KeyColumn, Month,
    Rounding, RoundingMode, Stored,
};
use tuoyu::law::expr::{Expr, LookupTable, compile};
use tuoyu::law::names::{Name, Names};
use tuoyu::law::{
    ItemKind, Law, LawOfMonth, LawPlace, MidMonth, Overlaps, PackHead, PayDateRule, RoundScope,
    RuleHead, ShownLaw, SubsidyRule, Ty, Unit,
};
use tuoyu::subsidy::{Entitlements, ItemLines, LineStatus};

pub(super) fn date(text: &str) -> Date {
    Date::parse_iso(text).expect("a date")
}

pub(super) fn month(text: &str) -> Month {
    Month::parse(text).expect("a month")
}

pub(super) fn head(id: &str) -> RuleHead {
    RuleHead {
        id: Arc::from(id),
        clause: Arc::from("示例 第一条"),
        version: Arc::from(format!("{id}@2026-01-01/2025-12-20")),
        effective_from: date("2026-01-01"),
        effective_until: None,
        known_from: date("2025-12-20"),
        published: date("2025-12-20"),
        label: Arc::from(id),
        english: Arc::from(id),
        place: LawPlace::default(),
    }
}

pub(super) fn keys(texts: &[&str]) -> Stored {
    let mut column = KeyColumn::default();
    for text in texts {
        column.push(text);
    }
    Stored::plain(Column::Key(column))
}

/// A text column; an empty text is null.
pub(super) fn texts(texts: &[&str]) -> Stored {
    let mut list = CodeList::default();
    let codes = texts.iter().map(|text| list.intern(text)).collect();
    let column = Column::Code(CodeColumn { codes, list: Arc::new(list) });
    Stored::nullable(column, texts.iter().map(|text| text.is_empty()).collect())
}

pub(super) fn whole(values: &[i64]) -> Stored {
    Stored::plain(Column::whole(values.to_vec()))
}

/// An institution frame and a programme row.
pub(super) fn district(ids: &[&str]) -> Frames {
    let mut frame = Frame::new(Basis::Institution, ids.len());
    frame.put("institution_id", keys(ids));
    frame.links.insert(Basis::Institution, (0_u32..).take(ids.len()).collect());
    frame.links.insert(Basis::Programme, vec![0; ids.len()]);
    let mut frames = Frames::default();
    frames.put(frame);
    frames.put(Frame::new(Basis::Programme, 1));
    frames
}

/// Adds a column of the institution frame.
pub(super) fn with(frames: &mut Frames, name: &str, stored: Stored) {
    frames.get_mut(&Basis::Institution).expect("institutions").put(name, stored);
}

/// Lines of one item: paid where the amount is not zero, absent elsewhere.
pub(super) fn lines(item: &str, basis: Basis, amount: &[i64]) -> ItemLines {
    let status = |fen: &i64| if *fen == 0 { LineStatus::Absent } else { LineStatus::Paid };
    ItemLines {
        item: Arc::from(item),
        basis,
        rules: Vec::new(),
        owners: None,
        status: amount.iter().map(status).collect(),
        reason: vec![0; amount.len()],
        amount: amount.to_vec(),
        exact: None,
        quantity: None,
        rate: None,
        allocated: amount.to_vec(),
        capped: None,
        to_date: None,
        used: Vec::new(),
        cut_by: vec![0; amount.len()],
    }
}

pub(super) fn entitlements(items: Vec<ItemLines>) -> Entitlements {
    let list = || CodeList::new([""]);
    Entitlements { reasons: list(), cutters: list(), items, payees: Vec::new() }
}

/// The law of a whole month without a single rule.
pub(super) fn no_law(month: Month) -> Law {
    Law {
        month,
        segment: month.span(),
        ages: Vec::new(),
        steps: Vec::new(),
        items: Vec::new(),
        exclusions: Vec::new(),
        caps: Vec::new(),
        shortages: Vec::new(),
        splits: BTreeMap::new(),
        pay_date: None,
        offset: None,
    }
}

pub(super) fn law_of_month(law: Law, calendar: Calendar) -> LawOfMonth {
    let (start, month) = (MidMonth::ByMonthStart, law.month);
    let head = PackHead {
        id: Arc::from("sample"),
        title: Arc::from("示例"),
        region: Arc::from("示例区"),
        currency: Arc::from("yuan"),
        sample: true,
        resident_ids: false,
        uscc: false,
        overlaps: Overlaps::Refuse,
        settlement_months: 1,
        filing: start,
        inclusive: start,
        grade: start,
        sanctions: start,
        weeks: tuoyu::law::Weeks::Clipped,
    };
    LawOfMonth {
        packs: vec![head.clone()],
        head,
        segments: vec![law],
        inputs: Vec::new(),
        dictionary: tuoyu::law::dictionary::built_in("yuan"),
        calendar: Arc::new(calendar),
        tables_read: Vec::new(),
        columns_read: Vec::new(),
        snapshot: String::new(),
        shown: ShownLaw { titles: Vec::new(), month, known_on: month.last(), rules: Vec::new() },
    }
}

/// A law that pays on the n-th work day of the month after the period.
pub(super) fn pays(law: &mut Law, rule: PayDateRule) {
    law.pay_date = Some(Arc::new(rule));
}

/// Names that mean columns of the basis itself, all nullable numbers without a unit; a name that is
/// a fraction `n_of_m` is that constant.
#[derive(Debug)]
struct Columns;

impl Names for Columns {
    fn name(&self, basis: &Basis, name: &str) -> Result<Name, Vec<String>> {
        let ty = Ty::Num { integer: false, unit: Unit::default() };
        let fraction = name.split_once("_of_").and_then(|(num, den)| {
            Some(Cell::Num(num.strip_prefix('n')?.parse().ok()?, den.parse().ok()?))
        });
        Ok(match fraction {
            Some(cell) => Name::Constant { cell, ty, head: Arc::new(head(name)) },
            None => Name::Column {
                basis: basis.clone(),
                column: Arc::from(name),
                ty,
                nullable: name.starts_with("maybe_"),
            },
        })
    }

    fn table(&self, _: &str) -> Option<Arc<LookupTable>> {
        None
    }

    fn item(&self, _: &str) -> Option<Basis> {
        None
    }

    fn basis(&self, _: &str) -> Option<Basis> {
        None
    }

    fn determines(&self, _: &Basis, _: &Basis) -> bool {
        true
    }

    fn currency(&self) -> &'static str {
        "yuan"
    }
}

/// An expression on a basis.
pub(super) fn expr(source: &str, basis: &Basis) -> Expr {
    let place = LawPlace::default();
    compile(source, basis, "test", &place, &Columns, &mut Vec::new()).expect("an expression")
}

/// The rule of an item, funded by a split (or none).
pub(super) fn item_rule(id: &str, basis: &Basis, funding: &str) -> SubsidyRule {
    SubsidyRule {
        head: head(id),
        basis: basis.clone(),
        gates: Vec::new(),
        amount: expr("0", basis),
        round: Rounding { quantum: (1, 1), mode: RoundingMode::HalfUp },
        round_scope: RoundScope::Line,
        quantity: None,
        rate: None,
        payee: None,
        funding: Arc::from(funding),
        instrument: Arc::from("per_child"),
        in_kind: false,
        any_sign: false,
        to_date: None,
        kind: ItemKind::Original,
        trace: Vec::new(),
    }
}

/// Lines of one item with its rule.
pub(super) fn ruled(rule: SubsidyRule, amount: &[i64]) -> ItemLines {
    let mut lines = lines(&rule.head.id, rule.basis.clone(), amount);
    lines.rules = vec![Some(Arc::new(rule))];
    lines
}
