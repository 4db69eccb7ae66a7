//! The core input tables (FORMATS 1), declared the same way as a pack's `[[input]]` (S5).

use std::sync::Arc;

use super::model::{InputColumn, InputTable, Ty, Unit};

/// The columns a table's rows are in force from and until, if it has them.
type SpanColumns = Option<(&'static str, &'static str)>;

/// Compact declaration: `name 中文 type[?]`. Types: key, text, bool, int, num, money, date,
/// `enum:a|b|c`; a unit may follow, money has one below the line: `money:/hour`. `?` marks a column
/// that may be empty.
const CORE: &[(&str, &[&str], SpanColumns, &str)] = &[
    (
        "institutions",
        &["institution_id"],
        Some(("valid_from", "valid_until")),
        "institution_id 统一社会信用代码 key
         name 机构名称 text?
         kind 机构类型 enum:托育机构|幼儿园托班|社区托育|用人单位托育|家庭托育点?
         ownership 举办方式 enum:公办|公办民营|民办公助|民办?
         nature 性质 enum:营利性|非营利性?
         grade 等级 text?
         division_code 区划代码 text?
         street 街道 text?
         services 服务类型 text?
         filed_from 备案起 date?
         filed_until 备案止 date?
         inclusive_from 普惠认定起 date?
         inclusive_until 普惠认定止 date?
         account_name 户名 text?
         account_no 账号 text?
         bank_name 开户行 text?
         bank_no 联行号 text?
         valid_from 生效日 date?
         valid_until 失效日 date?",
    ),
    (
        "slots",
        &["institution_id", "age_class", "service"],
        Some(("valid_from", "valid_until")),
        "institution_id 统一社会信用代码 key
         age_class 班型 enum:乳儿班|托小班|托大班|混龄班
         service 服务类型 enum:全日托|半日托|计日托|计时托|临时托?
         slots_filed 备案托位 int:slot
         slots_open 开放托位 int:slot?
         valid_from 生效日 date?
         valid_until 失效日 date?
         origin 来源 enum:新建|改扩建|存量?",
    ),
    (
        "classes",
        &["institution_id", "class_id"],
        None,
        "institution_id 统一社会信用代码 key
         class_id 班级 key
         age_class 班型 enum:乳儿班|托小班|托大班|混龄班
         places 班额 int:slot
         opened_on 开班日期 date?
         baseline 存量 bool?",
    ),
    (
        "enrolments",
        &["child_ref", "institution_id"],
        Some(("spell_from", "spell_until")),
        "child_ref 证件号码 key
         child_name 姓名 ignored
         birth_date 出生日期 date
         birth_order 孩次 int?
         category 特殊类别 text?
         institution_id 统一社会信用代码 key
         age_class 班型 enum:乳儿班|托小班|托大班|混龄班
         service 服务类型 enum:全日托|半日托|计日托|计时托|临时托
         spell_from 入托日期 date
         spell_until 离托日期 date?
         fee_monthly 月基本服务费 money?
         fee_other 其他收费 money?
         prepaid_months 预收月数 int:month?",
    ),
    (
        "attendance",
        &["child_ref", "institution_id", "period"],
        None,
        "child_ref 证件号码 key
         institution_id 统一社会信用代码 key
         period 所属期 month?
         days_attended 出勤天数 int:day?
         days_excused 请假天数 int:day?
         days_illness 病假天数 int:day?
         days_disaster 灾害停托天数 int:day?
         days_closure 停园天数 int:day?
         date 日期 date?
         mark 考勤标记 text?",
    ),
    (
        "sessions",
        &["child_ref", "institution_id", "date"],
        None,
        "child_ref 证件号码 key
         institution_id 统一社会信用代码 key
         date 日期 date
         hours_booked 预约小时 num:hour?
         hours_attended 出勤小时 num:hour?
         mark 考勤标记 text?
         fee_hourly 小时收费 money:/hour?",
    ),
    (
        "caregivers",
        &["person_ref", "institution_id"],
        Some(("from", "until")),
        "person_ref 人员编号 key
         institution_id 统一社会信用代码 key
         role 岗位 text?
         certificate 证书 text?
         from 起 date?
         until 止 date?
         monthly_cost 月人工成本 money?",
    ),
    (
        "venues",
        &["institution_id", "venue_id"],
        Some(("from", "until")),
        "institution_id 统一社会信用代码 key
         venue_id 场地编号 key
         area_m2 面积 num:m2
         rent_monthly 月租金 money?
         rent_terms 租金方式 enum:免费|减免|自租?
         from 起 date?
         until 止 date?",
    ),
    (
        "contracts",
        &["contract_id"],
        None,
        "contract_id 合同编号 key
         institution_id 统一社会信用代码 key
         service 服务内容 text?
         unit 计量单位 text?
         quantity 数量 num?
         unit_price 单价 money
         delivered 实际交付 num
         period 所属期 month?",
    ),
    (
        "certificates",
        &["person_ref", "certificate"],
        None,
        "person_ref 人员编号 key
         institution_id 统一社会信用代码 key?
         certificate 证书 text
         level 等级 text?
         issued_on 发证日期 date",
    ),
    (
        "sanctions",
        &["institution_id", "person_ref", "kind", "found_on"],
        Some(("effect_from", "effect_until")),
        "institution_id 统一社会信用代码 key?
         person_ref 人员编号 key?
         kind 事件类型 text
         found_on 发现日期 date
         effect_from 生效日 date
         effect_until 失效日 date?",
    ),
    (
        "payees",
        &["payee_ref"],
        Some(("valid_from", "valid_until")),
        "payee_ref 收款人编号 key
         name 姓名或名称 text?
         kind 收款人类型 text?
         account_name 户名 text?
         account_no 账号 text?
         bank_name 开户行 text?
         bank_no 联行号 text?
         valid_from 生效日 date?
         valid_until 失效日 date?",
    ),
    (
        "budget",
        &["budget_doc_no", "source"],
        None,
        "budget_doc_no 指标文号 text
         source 资金来源 text
         exp_func_code 功能分类 text?
         gov_eco_code 政府经济分类 text?
         dep_eco_code 部门经济分类 text?
         fund_type_code 资金性质 text?
         project_code 项目代码 text?
         amount 指标金额 money
         balance 指标余额 money
         fiscal_year 预算年度 int",
    ),
];

/// The core tables, with the currency unit of the pack.
///
/// Columns typed `ignored` are accepted and never read (personal data ends at the door);
/// a `month` column is a text `YYYY-MM` kept as the date of the month's first day.
#[must_use]
pub fn core_tables(currency: &str) -> Vec<InputTable> {
    CORE.iter()
        .map(|(name, key, span, columns)| InputTable {
            name: Arc::from(*name),
            extends: false,
            key: key.iter().map(|k| Arc::from(*k)).collect(),
            columns: columns.lines().filter_map(|line| column(line.trim(), currency)).collect(),
            span: span.map(|(from, until)| (Arc::from(from), Arc::from(until))),
            of: None,
        })
        .collect()
}

/// One line of [`CORE`]; `None` for an ignored column.
fn column(line: &str, currency: &str) -> Option<InputColumn> {
    let mut words = line.split_whitespace();
    let (name, alias, ty) = (words.next()?, words.next()?, words.next()?);
    let nullable = ty.ends_with('?');
    let ty = ty.trim_end_matches('?');
    let (kind, rest) = ty.split_once(':').unwrap_or((ty, ""));
    let unit = |word: &str| {
        let mut unit = Unit::default();
        if !word.is_empty() {
            unit.0.insert(Arc::from(word), 1);
        }
        unit
    };
    let below = rest.strip_prefix('/').unwrap_or("");
    let ty = match kind {
        "key" => Ty::Key,
        "text" => Ty::Text(None),
        "enum" => Ty::Text(Some(Arc::new(rest.split('|').map(Arc::from).collect()))),
        "bool" => Ty::Bool,
        "int" => Ty::Num { integer: true, unit: unit(rest) },
        "num" => Ty::Num { integer: false, unit: unit(rest) },
        "money" => Ty::Num { integer: true, unit: unit(currency).over(&unit(below)) },
        "date" | "month" => Ty::Date,
        _ => return None,
    };
    Some(InputColumn { name: Arc::from(name), alias: Arc::from(alias), ty, nullable })
}

/// Columns holding a month (`YYYY-MM`), typed as the first day of that month.
#[must_use]
pub fn is_month_column(table: &str, column: &str) -> bool {
    column == "period" && matches!(table, "attendance" | "contracts")
}

/// Columns that are accepted in a file and never read.
#[must_use]
pub fn is_ignored_column(table: &str, column: &str) -> bool {
    table == "enrolments" && matches!(column, "child_name" | "姓名")
}
