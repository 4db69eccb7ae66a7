//! The dictionary of readable names for each basis: alias, type, unit, nullability and source.
//!
//! `facts` fills every column named here; a test holds the two together. Columns a pack adds by
//! `[[input]] extends` and the ages it names join these.

use std::sync::Arc;

use super::inputs::core_tables;
use super::model::{DictionaryEntry, Ty, Unit};
use crate::domain::Basis;

/// `name 中文 type[:unit][?] source`; types as in the core tables, money carries `:/month` where it
/// is a monthly figure.
const COMPUTED: &[(Basis, &str)] = &[
    (Basis::Listing, LISTING),
    (Basis::Spell, LISTING),
    (
        Basis::Spell,
        "spell_from 在托起 date start_of_the_spell_within_the_month
         spell_until 在托止 date end_of_the_spell_within_the_month
         spell_days 在托天数 int:day calendar_days_of_the_spell
         spell_workdays 在托工作日 int:day work_days_of_the_spell
         days_open 开放天数 int:day work_days_of_the_spell_less_closures
         pieces 分段数 int number_of_spells_of_the_listing_in_the_month",
    ),
    (
        Basis::Child,
        "child_ref 证件号码 key enrolments.child_ref
         institution_id 统一社会信用代码 key enrolments.institution_id
         id_valid 证件有效 bool check_of_child_ref
         institution_known 机构在册 bool child_ref's_institution_is_in_the_register
         listings_of_child 收托记录数 int rows_of_the_child_in_the_whole_file
         listings_here 本机构收托记录数 int rows_of_the_child_at_this_institution",
    ),
    (
        Basis::Day,
        "child_ref 证件号码 key sessions.child_ref
         institution_id 统一社会信用代码 key sessions.institution_id
         date 日期 date sessions.date
         sessions_count 当日记录数 int rows_of_sessions_of_the_day
         hours_booked 预约小时 num:hour? sessions.hours_booked
         hours_attended 出勤小时 num:hour? sessions.hours_attended
         institution_known 机构在册 bool institution_is_in_the_register",
    ),
    (
        Basis::Week,
        "child_ref 证件号码 key sessions.child_ref
         institution_id 统一社会信用代码 key sessions.institution_id
         week_start 周一日期 date sessions.date
         days_in_week 当周天数 int:day days_of_the_week_that_count_in_the_month
         institution_known 机构在册 bool institution_is_in_the_register",
    ),
    (
        Basis::Slot,
        "institution_id 统一社会信用代码 key slots.institution_id
         age_class 班型 text slots.age_class
         service 服务类型 text? slots.service
         slots_filed 备案托位 int:slot sum_of_rows_in_force
         slots_open 开放托位 int:slot? sum_of_rows_in_force
         slots_new 新增托位 int:slot sum_of_rows_in_force_of_origin_新建_or_改扩建
         institution_known 机构在册 bool institution_is_in_the_register",
    ),
    (
        Basis::Institution,
        "listed_times 登记行数 int rows_of_the_register_in_force_for_the_institution
         listed_contradicts 登记矛盾 bool rows_in_force_differ_in_a_column_the_law_reads
         listed_first 登记首行 bool the_row_the_law_reads
         filed 已备案 bool filed_from_to_filed_until_by_the_pack's_mid_month_rule
         inclusive 普惠 bool inclusive_from_to_inclusive_until_by_the_pack's_mid_month_rule
         inclusive_whole_month 全月普惠 bool inclusive_on_every_day_of_the_month
         filed_whole_month 全月备案 bool filed_on_every_day_of_the_month
         uscc_valid 信用代码有效 bool GB_32100
         account_valid 账号有效 bool not_empty,_and_Luhn_for_62…
         bank_no_valid 联行号有效 bool CNAPS_check_digit
         sanctioned 受监管处理 bool a_sanction_in_force_by_the_pack's_mid_month_rule
         sanctioned_ever 曾受监管处理 bool any_sanction_with_effect_up_to_the_month's_end
         barred 永久禁入 bool a_sanction_without_end_in_force",
    ),
    (
        Basis::Caregiver,
        "institution_known 机构在册 bool institution_is_in_the_register
         days_employed 在岗天数 int:day calendar_days_in_the_month
         sanctioned 受监管处理 bool a_sanction_on_the_person_in_force",
    ),
    (
        Basis::Venue,
        "institution_known 机构在册 bool institution_is_in_the_register
         days_used 使用天数 int:day calendar_days_in_the_month",
    ),
    (Basis::Class, "institution_known 机构在册 bool institution_is_in_the_register"),
    (Basis::Contract, "institution_known 机构在册 bool institution_is_in_the_register"),
    (
        Basis::Certificate,
        "institution_known 机构在册 bool institution_is_in_the_register
         listed_times 登记行数 int rows_of_the_same_person_and_certificate
         listed_first 登记首行 bool the_first_of_them_by_its_values",
    ),
    (
        Basis::Programme,
        "month_start 月初 date first_day_of_the_service_month
         month_end 月末 date last_day_of_the_service_month
         days_in_month 当月天数 int:day calendar
         workdays_month 当月工作日 int:day calendar
         year 年份 int service_month
         month_number 月份 int service_month",
    ),
];

const LISTING: &str = "child_ref 证件号码 key enrolments.child_ref
    birth_date 出生日期 date enrolments.birth_date
    birth_order 孩次 int? enrolments.birth_order
    category 特殊类别 text? enrolments.category
    institution_id 统一社会信用代码 key enrolments.institution_id
    age_class 班型 text enrolments.age_class
    service 服务类型 text enrolments.service
    listing_from 入托日期 date enrolments.spell_from
    listing_until 离托日期 date? enrolments.spell_until
    fee_monthly 月基本服务费 money:/month? enrolments.fee_monthly
    fee_other 其他收费 money:/month? enrolments.fee_other
    prepaid_months 预收月数 int:month? enrolments.prepaid_months
    days_attended 出勤天数 int:day? attendance_of_child_institution_and_month
    days_excused 请假天数 int:day? attendance
    days_illness 病假天数 int:day? attendance
    days_disaster 灾害停托天数 int:day? attendance
    days_closure 停园天数 int:day? attendance
    attendance_found 有考勤 bool an_attendance_row_exists
    id_valid 证件有效 bool check_of_child_ref
    institution_known 机构在册 bool institution_is_in_the_register
    span_valid 起止有效 bool spell_from_is_not_after_spell_until
    in_month 当月在托 bool the_listing_has_a_day_in_the_month
    service_offered 服务已备案 bool institutions.services_names_the_service_(or_names_none)
    listings_of_child 收托记录数 int rows_of_the_child_in_the_whole_file
    listings_here 本机构收托记录数 int rows_of_the_child_at_this_institution
    overlapping 重叠收托 bool overlaps_another_listing_of_the_child_in_the_month";

/// Bases made row by row from a core table: (basis, table).
pub const TABLE_BASES: &[(Basis, &str)] = &[
    (Basis::Institution, "institutions"),
    (Basis::Class, "classes"),
    (Basis::Caregiver, "caregivers"),
    (Basis::Venue, "venues"),
    (Basis::Contract, "contracts"),
    (Basis::Certificate, "certificates"),
];

/// The word of the basis of sanction rows, readable in aggregates: `any(sanctions.kind = '虐童')`.
pub const SANCTIONS: &str = "sanctions";

/// The word of the basis of session rows: `sum(sessions.hours_attended)`.
pub const SESSIONS: &str = "sessions";

/// The table of payees that are no institutions: no rule reads it, payments do.
pub const PAYEES: &str = "payees";

/// Facts of declared tables whose key names one row: name, alias, what it says.
pub(super) const REPEATS: [(&str, &str, &str); 3] = [
    ("listed_times", "登记行数", "rows of the same key"),
    ("listed_first", "登记首行", "the first of them by its values"),
    ("listed_contradicts", "登记矛盾", "rows of the same key differ in another column"),
];

/// Built-in names of every basis, with the currency unit of the pack.
#[must_use]
pub fn built_in(currency: &str) -> Vec<DictionaryEntry> {
    let mut entries = Vec::new();
    let tables = core_tables(currency);
    let named = |table: &'static str| (Basis::Declared(Arc::from(table)), table);
    let row_bases = TABLE_BASES
        .iter()
        .map(|(basis, table)| (basis.clone(), *table))
        .chain([SANCTIONS, SESSIONS].map(named));
    for (basis, table) in row_bases {
        let Some(declared) = tables.iter().find(|t| &*t.name == table) else { continue };
        for column in &declared.columns {
            entries.push(DictionaryEntry {
                basis: basis.clone(),
                name: Arc::clone(&column.name),
                alias: Arc::clone(&column.alias),
                ty: monthly(column.ty.clone(), &column.name),
                nullable: column.nullable,
                source: Arc::from(format!("{table}.{}", column.name)),
            });
        }
    }
    for (basis, lines) in COMPUTED {
        for line in lines.lines() {
            entries.extend(entry(basis, line.trim(), currency));
        }
    }
    // The enums of the core tables hold on the bases that copy their columns.
    for basis in [Basis::Listing, Basis::Spell, Basis::Slot] {
        for name in ["age_class", "service"] {
            let listed = tables
                .iter()
                .find(|t| &*t.name == "enrolments")
                .and_then(|t| t.columns.iter().find(|c| &*c.name == name))
                .map(|c| c.ty.clone());
            if let (Some(ty), Some(entry)) =
                (listed, entries.iter_mut().find(|e| e.basis == basis && &*e.name == name))
            {
                entry.ty = ty;
            }
        }
    }
    entries
}

/// Columns named `…_monthly` or `monthly_…` are currency a month.
fn monthly(ty: Ty, name: &str) -> Ty {
    match ty {
        Ty::Num { integer, mut unit } if name.contains("monthly") => {
            unit.0.insert(Arc::from("month"), -1);
            Ty::Num { integer, unit }
        }
        other => other,
    }
}

fn entry(basis: &Basis, line: &str, currency: &str) -> Option<DictionaryEntry> {
    let mut words = line.split_whitespace();
    let (name, alias, ty, source) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let nullable = ty.ends_with('?');
    let ty = ty.trim_end_matches('?');
    let (kind, unit_word) = ty.split_once(':').unwrap_or((ty, ""));
    let mut unit = Unit::default();
    if kind == "money" {
        unit.0.insert(Arc::from(currency), 1);
    }
    if let Some(below) = unit_word.strip_prefix('/') {
        unit.0.insert(Arc::from(below), -1);
    } else if !unit_word.is_empty() {
        unit.0.insert(Arc::from(unit_word), 1);
    }
    let ty = match kind {
        "key" => Ty::Key,
        "text" => Ty::Text(None),
        "bool" => Ty::Bool,
        "int" | "money" => Ty::Num { integer: true, unit },
        "num" => Ty::Num { integer: false, unit },
        "date" => Ty::Date,
        _ => return None,
    };
    Some(DictionaryEntry {
        basis: basis.clone(),
        name: Arc::from(name),
        alias: Arc::from(alias),
        ty,
        nullable,
        source: Arc::from(source),
    })
}
