//! The columns of `schedule.csv` and `payments.csv`: what people call them, and what their cells
//! are when they are read back.

use super::sheet::{Sheet, Values};

/// What the cells of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Fen,
    Whole,
    Day,
}

use Kind::{Day, Fen, Text, Whole};

const COLUMNS: &[(&str, &str, Kind)] = &[
    ("run_id", "批次号", Text),
    ("period", "结算期", Text),
    ("schedule_no", "计划编号", Text),
    ("line_no", "序号", Whole),
    ("institution_id", "统一社会信用代码", Text),
    ("institution_name", "机构名称", Text),
    ("account_name", "户名", Text),
    ("account_no", "账号", Text),
    ("bank_name", "开户行", Text),
    ("bank_no", "联行号", Text),
    ("line_kind", "行类型", Text),
    ("source_period", "所属期", Text),
    ("item", "补助项目", Text),
    ("quantity", "数量", Text),
    ("rate", "标准", Fen),
    ("gross_fen", "应补金额", Fen),
    ("cut_fen", "核减金额", Fen),
    ("carried_in_fen", "上期结转", Fen),
    ("carried_out_fen", "结转下期", Fen),
    ("payable_fen", "拨付金额", Fen),
    ("source", "资金来源", Text),
    ("budget_doc_no", "指标文号", Text),
    ("exp_func_code", "功能分类", Text),
    ("gov_eco_code", "政府经济分类", Text),
    ("dep_eco_code", "部门经济分类", Text),
    ("fund_type_code", "资金性质", Text),
    ("project_code", "项目代码", Text),
    ("pay_on", "拨付日期", Day),
    ("hold_reason", "暂缓原因", Text),
    ("rule_version", "规则版本", Text),
    ("payment_no", "付款编号", Text),
    ("row_hash", "行校验", Text),
    ("end_to_end_id", "端到端标识", Text),
    ("amount_fen", "付款金额", Fen),
    ("lines", "行数", Whole),
];

/// What people call a column; nothing for one that is not of these files.
pub(super) fn label(name: &str) -> &'static str {
    COLUMNS.iter().find(|(known, ..)| *known == name).map_or("", |(_, label, _)| label)
}

/// What the cells of a column are.
pub(super) fn kind(name: &str) -> Kind {
    COLUMNS.iter().find(|(known, ..)| *known == name).map_or(Text, |(.., kind)| *kind)
}

/// Adds a column of these files.
pub(super) fn put(sheet: &mut Sheet, name: &str, values: Values) {
    sheet.put(name, label(name), values);
}
