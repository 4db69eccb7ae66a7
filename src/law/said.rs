//! What the keys and words of the grammar are called, in Chinese and in English. Roundings are called
//! as everywhere else, which a test holds.
//!
//! In: a key or a word of a block. Out: its name for a person. Never: reads a block.

use crate::domain::texts::Language;

/// Keys of blocks: as written, 中文, English.
const KEYS: &[(&str, &str, &str)] = &[
    ("effective_from", "施行", "Effective from"),
    ("effective_until", "废止", "Effective until"),
    ("supersedes", "替代", "Replaces"),
    ("mid_month", "月中起止", "Starting within a month"),
    ("zh", "名称", "Name"),
    ("unit", "单位", "Unit"),
    ("type", "类型", "Type"),
    ("value", "取值", "Value"),
    ("within", "组别", "Within each"),
    ("gap", "间隔", "Unbroken while"),
    ("sum", "累计", "Adds up"),
    ("weight", "权重", "Weight"),
    ("most", "上限", "At most"),
    ("to", "最小单位", "In steps of"),
    ("keys", "依据", "Keys"),
    ("rows", "标准", "Rows"),
    ("file", "标准表文件", "File"),
    ("sheet", "工作表", "Sheet"),
    ("coverage", "覆盖", "Coverage"),
    ("at", "计算时点", "Reckoned at"),
    ("terms", "学期起始日", "Terms begin"),
    ("dated_by", "按此日期适用", "As on"),
    ("birthday_rule", "月末出生", "Born on a month's last day"),
    ("birthday_month", "生日当月", "Month of the birthday"),
    ("basis", "对象", "For each"),
    ("expr", "计算", "Computed as"),
    ("round", "取整", "Rounding"),
    ("when", "适用", "Only where"),
    ("fee", "收费", "Fee"),
    ("benchmark", "基准价", "Benchmark"),
    ("float_up", "上浮", "Float up"),
    ("float_down", "下浮", "Float down"),
    ("breach", "超出时", "Where exceeded"),
    ("require", "要求", "Must hold"),
    ("reason", "不符原因", "Reason when it fails"),
    ("outcome", "不符结果", "Otherwise"),
    ("gates", "条件", "Conditions"),
    ("amount", "金额", "Amount"),
    ("quantity", "数量", "Quantity"),
    ("rate", "标准", "Rate"),
    ("payee", "收款方", "Paid to"),
    ("funding", "资金分担", "Shared among"),
    ("instrument", "支持方式", "Support"),
    ("in_kind", "实物", "In kind"),
    ("sign", "正负", "Sign"),
    ("to_date", "累计口径", "Counted up over"),
    ("instalments", "分期", "Instalments"),
    ("less", "扣减项目", "Less the items"),
    ("recovers", "追缴项目", "Recovers"),
    ("restore", "补发核减", "Paid later"),
    ("line_kind", "明细类别", "Kind of line"),
    ("across", "跨机构", "Across institutions"),
    ("trace", "列示", "Shown on the line"),
    ("items", "项目", "Items"),
    ("key", "范围", "For each"),
    ("rule", "取法", "Which is paid"),
    ("stage", "环节", "When applied"),
    ("window", "期间", "Over"),
    ("limit", "限额", "Limit"),
    ("apportion", "分摊", "Shared out"),
    ("order", "次序", "In the order of"),
    ("sources", "资金来源", "Sources of funds"),
    ("method", "方法", "Method"),
    ("scope", "口径", "Shared per"),
    ("parts", "各方", "Shares"),
    ("quantum", "最小单位", "Smallest unit"),
    ("base", "基准", "Counted from"),
    ("workday", "第几个工作日", "Workday"),
    ("day", "日", "Day"),
    ("roll", "顺延", "On a day off"),
    ("source", "资金来源", "Source of funds"),
    ("share", "比例", "Share"),
    ("mode", "方式", "Mode"),
    ("clause", "条款", "Clause"),
    ("known_from", "公布于", "published"),
    ("until", "至", "until"),
    ("table", "数据表", "Table"),
    ("extends", "扩充", "Extends"),
    ("columns", "列", "Columns"),
    ("span", "起止列", "Span"),
    ("name", "列名", "Name"),
    ("en", "英文名称", "En"),
    ("values", "可取值", "Values"),
    ("nullable", "可为空", "Nullable"),
    ("range", "区间", "Range"),
    ("cover", "取值范围", "Cover"),
    ("of", "成员", "Members"),
    ("by", "归组依据", "Grouped by"),
    ("currency", "货币", "Currency"),
    ("calendar", "工作日历", "Calendar"),
    ("settlement", "结算期", "Settlement period"),
    ("child_id", "婴幼儿证件", "Children's identifiers"),
    ("institution_id", "机构代码", "Institutions' identifiers"),
    ("overlaps", "重叠收托", "Overlapping enrolments"),
    ("filing", "备案月中变动", "Filing that changes within a month"),
    ("inclusive", "普惠月中变动", "Inclusive status that changes within a month"),
    ("grade", "等级月中变动", "Grade that changes within a month"),
    ("sanctions", "监管处理月中变动", "Sanctions that change within a month"),
    ("weeks", "跨月的周", "Weeks over the edge of a month"),
];

/// Words under one key whose meaning differs from that of [`WORDS`]: key, word, 中文, English.
const OF_KEY: &[(&str, &str, &str, &str)] = &[
    ("type", "number", "数值", "number"),
    ("type", "integer", "整数", "whole number"),
    ("type", "text", "文字", "text"),
    ("type", "date", "日期", "date"),
    ("type", "bool", "是或否", "yes or no"),
    ("type", "money", "金额", "money"),
    ("type", "key", "编号", "key"),
    ("child_id", "resident", "居民身份证号码，须有效", "identity numbers, which are checked"),
    ("child_id", "opaque", "其他编号", "others"),
    ("institution_id", "uscc", "统一社会信用代码，须有效", "USCCs, which are checked"),
    ("institution_id", "opaque", "其他编号", "others"),
    ("overlaps", "refuse", "核实之前均不计", "none counts until resolved"),
    ("overlaps", "later_known", "后报送的为准", "the one delivered later counts"),
    ("overlaps", "first_spell", "先入托的为准", "the one that starts first counts"),
    ("overlaps", "most_days", "天数最多的为准", "the one with most days counts"),
    ("overlaps", "allow", "由条件判断", "conditions decide"),
    ("weeks", "clipped", "只计当月各日", "the days in the month"),
    ("weeks", "by_end", "计入周日所在月", "whole, in the month their Sunday lies in"),
];

/// Words a block may hold where they are not part of an expression: as written, 中文, English.
const WORDS: &[(&str, &str, &str)] = &[
    ("day", "在托日", "day of care"),
    ("week", "在托周", "week of care"),
    ("sessions", "逐日托育", "session"),
    ("spell", "在托时段", "spell"),
    ("listing", "收托记录", "listing"),
    ("child", "婴幼儿", "child"),
    ("slot", "托位", "slot"),
    ("class", "班级", "class"),
    ("caregiver", "保育人员", "caregiver"),
    ("venue", "场地", "venue"),
    ("contract", "合同", "contract"),
    ("certificate", "证书", "certificate"),
    ("institution", "机构", "institution"),
    ("programme", "全部", "programme"),
    ("line", "每笔", "line"),
    ("month_start", "月初", "first day of the month"),
    ("month_end", "月末", "last day of the month"),
    ("spell_start", "入托日", "first day in care"),
    ("september_first", "最近的9月1日", "latest 1 September"),
    ("term_start", "学期首日", "first day of term"),
    ("next_day", "次月1日满月", "full on the 1st of the next month"),
    ("last_day", "当月末日满月", "full on the last day of the month"),
    ("exact", "按日", "by the day"),
    ("in", "当月视为未满", "not yet of age in it"),
    ("out", "当月视为已满", "of age in it"),
    ("refuse_child", "该婴幼儿不予补助", "the child is not paid for"),
    ("refuse_institution", "该机构当月不予补助", "the institution is not paid for the month"),
    ("reduce_to_ceiling", "按上限计", "paid up to the ceiling"),
    ("warn", "提示", "a remark only"),
    ("refuse", "不予补助", "not paid"),
    ("zero", "补助为零", "paid nothing"),
    ("half_up", "四舍五入", "half up"),
    ("half_even", "四舍六入五取偶", "half to even"),
    ("up", "进一", "up"),
    ("down", "去尾", "down"),
    ("floor", "向下取整", "floor"),
    ("ceil", "向上取整", "ceiling"),
    ("child_month", "每人每月", "child and month"),
    ("institution_month", "每机构每月", "institution and month"),
    ("settlement", "结算合计", "settlement"),
    ("per_child", "按人", "per child"),
    ("per_slot", "按托位", "per slot"),
    ("free_site", "免费场地", "free site"),
    ("rent", "租金", "rent"),
    ("labour", "人工成本", "labour"),
    ("purchase", "政府购买服务", "purchase"),
    ("training", "培训鉴定", "training"),
    ("construction", "建设", "construction"),
    ("award", "奖励", "award"),
    ("insurance", "保险", "insurance"),
    ("tax", "税费", "tax"),
    ("land", "土地", "land"),
    ("other", "其他", "other"),
    ("highest", "就高", "the highest"),
    ("first", "按次序", "the first listed"),
    ("item", "项目", "item"),
    ("cumulative", "累计", "cumulative"),
    ("month", "月", "month"),
    ("quarter", "季", "quarter"),
    ("half_year", "半年", "half year"),
    ("year", "年", "year"),
    ("life", "终身", "life"),
    ("INSTALMENT", "分期", "instalment"),
    ("CLAWBACK", "追缴", "clawback"),
    ("largest_remainder", "最大余额法", "largest remainder"),
    ("queue", "按次序用完为止", "in turn, until it is used up"),
    ("prorata", "按比例", "in proportion"),
    ("one", "一行独得", "all to one row"),
    ("rows", "逐行相连", "every row follows"),
    ("days", "逐日相连", "day follows day"),
    ("workdays", "逐工作日相连", "workday follows workday"),
    ("weeks", "逐周相连", "week follows week"),
    ("months", "逐月相连", "month follows month"),
    ("integer", "号码相连", "number follows number"),
    ("carry", "顺延下期", "carried to the next period"),
    ("residual_last", "余额归末位", "the last bears what is left"),
    ("residual_first", "余额归首位", "the first bears what is left"),
    ("budget", "预算余额", "what is left of the budget"),
    ("next_month", "次月", "next month"),
    ("same_month", "当月", "same month"),
    ("period_end", "期末", "period end"),
    ("next", "顺延", "the next workday"),
    ("previous", "提前", "the workday before"),
    ("none", "不调整", "stays"),
    ("split_days", "按日分段", "cut by the day"),
    ("whole_if_started", "起即整月", "the whole month if it starts in it"),
    ("by_month_start", "按月初", "as on the first of the month"),
    ("fact", "以事实为准", "as the facts have it"),
    ("proved", "全部覆盖", "every case"),
    ("any", "可正可负", "may be negative"),
    ("true", "是", "yes"),
    ("false", "否", "no"),
];

/// A key of a block as people call it; the key itself where it has no name.
#[must_use]
pub fn said_key(key: &str, language: Language) -> &str {
    let found = KEYS.iter().find(|(name, ..)| *name == key);
    found.map_or(key, |(_, zh, en)| in_language(language, zh, en))
}

/// A word of the grammar under a key as people say it; the word itself where it is no word of ours.
#[must_use]
pub fn said_word<'w>(key: &str, word: &'w str, language: Language) -> &'w str {
    let own = OF_KEY.iter().find(|(under, name, ..)| *under == key && *name == word);
    let own = own.map(|(_, _, zh, en)| (zh, en));
    let found =
        own.or_else(|| WORDS.iter().find(|(name, ..)| *name == word).map(|(_, zh, en)| (zh, en)));
    found.map_or(word, |(zh, en)| in_language(language, zh, en))
}

fn in_language(language: Language, zh: &'static str, en: &'static str) -> &'static str {
    match language {
        Language::Chinese => zh,
        Language::English => en,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::RoundingMode;
    use crate::domain::texts::Catalogue;
    use crate::law::text::BlockKind;
    use crate::law::text::schema::{Key, Shape, settings};

    fn hold(keys: &[Key]) {
        for key in keys.iter().filter(|key| key.name != "id") {
            assert_ne!(said_key(key.name, Language::Chinese), key.name, "a key without a name");
            match key.shape {
                Shape::Word(words) => {
                    for word in words {
                        let said = said_word(key.name, word, Language::Chinese);
                        assert_ne!(said, *word, "a word of {} without a name", key.name);
                    }
                }
                Shape::Record(keys) | Shape::Records(keys) | Shape::Keys(keys) => hold(keys),
                _ => {}
            }
        }
    }

    #[test]
    fn every_key_and_word_of_the_grammar_has_a_name() {
        for kind in BlockKind::ALL {
            hold(&kind.all_keys());
        }
        hold(&settings().copied().collect::<Vec<_>>());
    }

    #[test]
    fn a_rounding_is_called_as_explanations_call_it() {
        for language in [Language::Chinese, Language::English] {
            let texts = Catalogue::new(language);
            for (mode, _) in RoundingMode::WORDS {
                let key = format!("rounding.{mode}");
                assert_eq!(said_word("mode", mode, language), texts.label(&key));
            }
        }
    }

    #[test]
    fn a_name_is_told_once() {
        let mut keys: Vec<&str> = KEYS.iter().map(|(key, ..)| *key).collect();
        let mut words: Vec<&str> = WORDS.iter().map(|(word, ..)| *word).collect();
        for names in [&mut keys, &mut words] {
            let all = names.len();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), all);
        }
    }
}
