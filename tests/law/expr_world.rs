//! A small world for expressions: spells in institutions, with tables and parameters.

use std::collections::BTreeMap;
use std::sync::Arc;

use tuoyu::domain::{
    Basis, Calendar, Cell, CodeColumn, CodeList, Column, Date, Frame, Frames, KeyColumn, NumColumn,
    Stored,
};
use tuoyu::law::expr::{Dated, Expr, ExprError, KeyCell, LookupTable, TableKey, compile};
use tuoyu::law::names::{Name, Names};
use tuoyu::law::{AggregateRule, LawPlace, RuleHead, Ty, Unit};

/// Names, tables and parameters of the small world.
pub(super) struct World {
    /// (basis, English, Chinese, type, nullable).
    pub columns: Vec<(Basis, &'static str, &'static str, Ty, bool)>,
    pub constants: BTreeMap<&'static str, (Cell, Ty)>,
    pub tables: BTreeMap<&'static str, Arc<LookupTable>>,
}

pub(super) fn unit(text: &str) -> Unit {
    Unit::parse(text).expect("a unit")
}

pub(super) fn int(text: &str) -> Ty {
    Ty::Num { integer: true, unit: unit(text) }
}

pub(super) fn num(text: &str) -> Ty {
    Ty::Num { integer: false, unit: unit(text) }
}

pub(super) fn listed(values: &[&str]) -> Ty {
    Ty::Text(Some(Arc::new(values.iter().map(|value| Arc::from(*value)).collect())))
}

pub(super) fn head(id: &str) -> Arc<RuleHead> {
    Arc::new(RuleHead {
        id: Arc::from(id),
        clause: Arc::from("第五条"),
        version: Arc::from(format!("{id}@2026-01-01/2025-12-20")),
        effective_from: date("2026-01-01"),
        effective_until: None,
        known_from: date("2025-12-20"),
        published: date("2025-12-20"),
        label: Arc::from(id),
        english: Arc::from(id),
        place: LawPlace::default(),
    })
}

pub(super) fn date(text: &str) -> Date {
    Date::parse_iso(text).expect("a date")
}

pub(super) const AGE_CLASSES: [&str; 3] = ["乳儿班", "托小班", "托大班"];
pub(super) const SERVICES: [&str; 3] = ["全日托", "半日托", "计时托"];

fn key(name: &str, ty: Ty, range: bool) -> TableKey {
    TableKey { name: Arc::from(name), ty, range }
}

fn text(value: &str) -> KeyCell {
    KeyCell::Is(Cell::Text(value.to_owned()))
}

/// `[low, high)`.
fn band(low: i128, high: i128) -> KeyCell {
    KeyCell::Range { low: Some(((low, 1), true)), high: Some(((high, 1), false)) }
}

impl World {
    pub(super) fn new() -> Self {
        let spell = |name, alias, ty, nullable| (Basis::Spell, name, alias, ty, nullable);
        let house = |name, alias, ty, nullable| (Basis::Institution, name, alias, ty, nullable);
        let columns = vec![
            spell("fee", "月基本服务费", int("yuan/month"), false),
            spell("fee_other", "其他收费", int("yuan/month"), true),
            spell("days", "出勤天数", int("day"), false),
            spell("open", "开放天数", int("day"), false),
            spell("age", "月龄", int("month"), false),
            spell("small", "小数", int(""), false),
            spell("order", "孩次", int(""), true),
            spell("share", "份额", num(""), false),
            spell("exact", "精确", num(""), true),
            spell("wide", "大数", int(""), false),
            spell("age_class", "班型", listed(&AGE_CLASSES), false),
            spell("service", "服务类型", listed(&SERVICES), true),
            spell("category", "特殊类别", Ty::Text(None), false),
            spell("child", "证件号码", Ty::Key, false),
            spell("known", "机构在册", Ty::Bool, false),
            spell("maybe", "待定", Ty::Bool, true),
            spell("from", "在托起", Ty::Date, false),
            spell("until", "在托止", Ty::Date, true),
            house("institution_id", "机构代码", Ty::Key, false),
            house("grade", "等级", Ty::Text(None), true),
            house("places", "托位", int("slot"), false),
            house("filed", "已备案", Ty::Bool, false),
            house("grant", "补助", int("yuan"), true),
            house("ratio", "比例", num(""), false),
            house("opened", "开办日期", Ty::Date, false),
            (Basis::Programme, "month_start", "月初", Ty::Date, false),
            (Basis::Programme, "days_in_month", "当月天数", int("day"), false),
        ];
        let constants = BTreeMap::from([
            ("cap", (Cell::Num(70_000, 1), int("yuan/child/month"))),
            ("copay", (Cell::Num(30_000, 1), int("yuan/child/month"))),
            ("float_up", (Cell::Num(1, 10), num(""))),
            ("min_days", (Cell::Num(10, 1), int("day"))),
            ("yearly", (Cell::Num(120_000, 1), int("yuan/child/year"))),
            ("first_day", (Cell::Date(date("2026-09-01")), Ty::Date)),
        ]);
        let mut tables = BTreeMap::new();
        let yuan = int("yuan/child/month");
        let money = |yuan: i128| Cell::Num(yuan * 100, 1);
        // Rows stand most specific first, as the pack hands them over.
        let base = vec![
            (vec![text("托小班"), text("一级")], money(2400)),
            (vec![text("托小班"), KeyCell::Any], money(2000)),
            (vec![text("托大班"), KeyCell::Any], Cell::Null),
            (vec![KeyCell::Any, text("二级")], money(1500)),
        ];
        let keys = vec![
            key("age_class", listed(&AGE_CLASSES), false),
            key("grade", Ty::Text(None), false),
        ];
        tables.insert("rate.base", table("rate.base", keys, yuan.clone(), base));
        let bands = vec![
            (vec![band(0, 12)], Cell::Num(25, 10)),
            (vec![band(12, 24)], Cell::Num(1, 3)),
            (vec![KeyCell::Is(Cell::Num(24, 1))], Cell::Num(7, 1)),
            (vec![KeyCell::Range { low: Some(((24, 1), false)), high: None }], Cell::Num(-2, 1)),
        ];
        let keys = vec![key("age", int(""), true)];
        tables.insert("band", table("band", keys, num(""), bands));
        let by_day = vec![
            (
                vec![KeyCell::Range {
                    low: Some(((i128::from(date("2026-09-10").days()), 1), true)),
                    high: None,
                }],
                Cell::Text("新".to_owned()),
            ),
            (vec![KeyCell::Any], Cell::Text("旧".to_owned())),
        ];
        let keys = vec![key("from", Ty::Date, true)];
        tables.insert("rule.by_day", table("rule.by_day", keys, Ty::Text(None), by_day));
        let by_flag = vec![
            (vec![KeyCell::Is(Cell::Bool(true))], Cell::Bool(false)),
            (vec![KeyCell::Any], Cell::Bool(true)),
        ];
        let keys = vec![key("known", Ty::Bool, false)];
        // Too wide for a dense array: 301 texts x 601 classes of numbers.
        let mut wide: Vec<(Vec<KeyCell>, Cell)> = (0..300)
            .map(|at| {
                let keys = vec![text(&format!("街道{at}")), KeyCell::Is(Cell::Num(at, 1))];
                (keys, Cell::Num(at, 1))
            })
            .collect();
        wide.push((vec![text("街道7"), KeyCell::Any], Cell::Num(777, 1)));
        wide.push((vec![KeyCell::Any, band(0, 100)], Cell::Num(-1, 1)));
        let street_keys = vec![key("street", Ty::Text(None), false), key("age", int(""), true)];
        tables.insert("street", table("street", street_keys, int(""), wide));
        tables.insert("flag", table("flag", keys, Ty::Bool, by_flag));
        tables.insert("share.then", dated("share.then", Vec::new(), vec![vec![Vec::new()]; 2]));
        let ages = vec![vec![band(0, 12)], vec![KeyCell::Any]];
        let keys = vec![key("age", int(""), true)];
        tables.insert("band.then", dated("band.then", keys, vec![ages.clone(), ages]));
        Self { columns, constants, tables }
    }
}

fn table(
    id: &str,
    keys: Vec<TableKey>,
    ty: Ty,
    rows: Vec<(Vec<KeyCell>, Cell)>,
) -> Arc<LookupTable> {
    Arc::new(LookupTable { head: head(id), keys, ty, rows, proved: false, dated: None })
}

/// A table looked up at the date `from`: the first version holds from 2000 to 2 September 2026, the
/// second from the 10th on, and nothing before and between. Row n of version v is n/7 + v.
fn dated(id: &str, mut keys: Vec<TableKey>, versions: Vec<Vec<Vec<KeyCell>>>) -> Arc<LookupTable> {
    let day = |text| Some(((i128::from(date(text).days()), 1), true));
    let days = [(day("2000-01-01"), day("2026-09-02")), (day("2026-09-10"), None)];
    keys.push(key("from", Ty::Date, true));
    let (mut rows, mut of_row, mut heads) = (Vec::new(), Vec::new(), Vec::new());
    for (version, (own, (low, high))) in versions.into_iter().zip(days).enumerate() {
        heads.push(head(&format!("{id}{version}")));
        for (number, mut cells) in own.into_iter().enumerate() {
            cells.push(KeyCell::Range { low, high });
            let number = i128::try_from(number + 7 * version).expect("small");
            rows.push((cells, Cell::Num(number, 7)));
            of_row.push(version);
        }
    }
    let dated = Some(Dated { by: Arc::from("from"), heads, of_row });
    Arc::new(LookupTable { head: head(id), keys, ty: num(""), rows, proved: false, dated })
}

const RANKS: [Basis; 3] = [Basis::Spell, Basis::Institution, Basis::Programme];

fn rank(basis: &Basis) -> usize {
    RANKS.iter().position(|known| known == basis).unwrap_or(RANKS.len())
}

impl Names for World {
    fn name(&self, basis: &Basis, name: &str) -> Result<Name, Vec<String>> {
        if let Some(table) = self.tables.get(name).filter(|table| table.keys.len() == 1)
            && table.dated.is_some()
        {
            return Ok(Name::Dated(Arc::clone(table)));
        }
        if let Some((cell, ty)) = self.constants.get(name) {
            return Ok(Name::Constant { cell: cell.clone(), ty: ty.clone(), head: head(name) });
        }
        let (wanted, bare) = match name.split_once('.') {
            Some((word, rest)) => (Some(Basis::parse(word)), rest),
            None => (None, name),
        };
        let mut found: Vec<_> = self
            .columns
            .iter()
            .filter(|(own, english, chinese, _, _)| {
                (*english == bare || *chinese == bare)
                    && wanted.as_ref().is_none_or(|wanted| wanted == own)
            })
            .collect();
        // The own basis first, then coarser ones, then finer ones.
        found.sort_by_key(|(own, ..)| (rank(own) < rank(basis), rank(own)));
        let (own, english, _, ty, nullable) =
            *found.first().ok_or_else(|| vec!["fee".to_owned()])?;
        Ok(Name::Column {
            basis: own.clone(),
            column: Arc::from(*english),
            ty: ty.clone(),
            nullable: *nullable,
        })
    }

    fn table(&self, id: &str) -> Option<Arc<LookupTable>> {
        self.tables.get(id).cloned()
    }

    fn item(&self, id: &str) -> Option<Basis> {
        (id == "operating.child").then_some(Basis::Spell)
    }

    fn basis(&self, word: &str) -> Option<Basis> {
        RANKS.into_iter().find(|basis| basis.name() == word)
    }

    fn determines(&self, fine: &Basis, coarse: &Basis) -> bool {
        rank(fine) < rank(coarse)
    }

    fn currency(&self) -> &'static str {
        "yuan"
    }
}

pub(super) fn compiled_on(source: &str, basis: &Basis) -> Result<Expr, Vec<ExprError>> {
    compiled_with(source, basis).map(|(expr, _)| expr)
}

pub(super) fn compiled_with(
    source: &str,
    basis: &Basis,
) -> Result<(Expr, Vec<AggregateRule>), Vec<ExprError>> {
    let mut lifted = Vec::new();
    let place = LawPlace::default();
    let expr = compile(source, basis, "rule", &place, &World::new(), &mut lifted)?;
    Ok((expr, lifted))
}

/// Compiles on spell, or shows what is wrong.
#[track_caller]
pub(super) fn compiled(source: &str) -> Expr {
    compiled_on(source, &Basis::Spell).unwrap_or_else(|errors| panic!("{source}: {errors:?}"))
}

/// A weekday calendar of every year.
pub(super) fn calendar() -> Calendar {
    Calendar {
        id: "weekdays".to_owned(),
        weekend: [6, 7].into(),
        every_year: true,
        ..Calendar::default()
    }
}

/// Builds frames from cells: one row a spell.
pub(super) struct Rows {
    pub spells: Vec<BTreeMap<&'static str, Cell>>,
    /// Institution of each spell; `None` is an unknown one.
    pub house_of: Vec<Option<usize>>,
    pub houses: Vec<BTreeMap<&'static str, Cell>>,
}

impl Rows {
    pub(super) fn frames(&self) -> Frames {
        let world = World::new();
        let mut spells = Frame::new(Basis::Spell, self.spells.len());
        let mut houses = Frame::new(Basis::Institution, self.houses.len());
        let mut programme = Frame::new(Basis::Programme, 1);
        for (basis, name, _, ty, _) in &world.columns {
            match basis {
                Basis::Spell => spells.put(name, column(ty, name, &self.spells)),
                Basis::Institution => houses.put(name, column(ty, name, &self.houses)),
                _ => {
                    let cell = match ty {
                        Ty::Date => Cell::Date(date("2026-09-01")),
                        _ => Cell::Num(30, 1),
                    };
                    programme.put(name, column(ty, name, &[BTreeMap::from([(*name, cell)])]));
                }
            }
        }
        let link = |house: &Option<usize>| {
            house.map_or(Frame::NO_ROW, |house| u32::try_from(house).expect("few houses"))
        };
        spells.links.insert(Basis::Institution, self.house_of.iter().map(link).collect());
        spells.links.insert(Basis::Programme, vec![0; self.spells.len()]);
        houses.links.insert(Basis::Programme, vec![0; self.houses.len()]);
        let mut frames = Frames::default();
        frames.put(spells);
        frames.put(houses);
        frames.put(programme);
        frames
    }
}

/// One typed column out of cells; a cell that is not given is zero, false, empty or 1970-01-01.
fn column(ty: &Ty, name: &str, rows: &[BTreeMap<&'static str, Cell>]) -> Stored {
    let cells: Vec<Option<&Cell>> = rows.iter().map(|row| row.get(name)).collect();
    let nulls: Vec<bool> = cells.iter().map(|cell| *cell == Some(&Cell::Null)).collect();
    let texts = || {
        cells.iter().map(|cell| match cell {
            Some(Cell::Text(text)) => text.as_str(),
            _ => "",
        })
    };
    let values = match ty {
        Ty::Bool => {
            Column::Bool(cells.iter().map(|cell| *cell == Some(&Cell::Bool(true))).collect())
        }
        Ty::Date => Column::Date(
            cells
                .iter()
                .map(|cell| match cell {
                    Some(Cell::Date(date)) => *date,
                    _ => Date::default(),
                })
                .collect(),
        ),
        Ty::Key => {
            let mut keys = KeyColumn::default();
            texts().for_each(|text| keys.push(text));
            Column::Key(keys)
        }
        Ty::Text(_) => {
            let mut list = CodeList::default();
            let codes = texts().map(|text| list.intern(text)).collect();
            Column::Code(CodeColumn { codes, list: Arc::new(list) })
        }
        Ty::Num { .. } if name == "exact" => Column::Ratio(
            cells
                .iter()
                .map(|cell| match cell {
                    Some(Cell::Num(num, den)) => (*num, *den),
                    _ => (0, 1),
                })
                .collect(),
        ),
        Ty::Num { integer, .. } => {
            let den: i64 = if *integer { 1 } else { 1000 };
            let value = |cell: Option<&Cell>| match cell {
                Some(Cell::Num(num, own)) => {
                    i64::try_from(num * i128::from(den) / own).expect("a small number")
                }
                _ => 0,
            };
            Column::Num(NumColumn { values: cells.iter().copied().map(value).collect(), den })
        }
    };
    Stored::nullable(values, nulls)
}
