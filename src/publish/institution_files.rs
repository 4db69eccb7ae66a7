//! Files with one record an institution: `changes`, `support`, `supervision`, `notice`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::money_files::payable_by_institution;
use super::register::{Institution, Register};
use super::sheet::{Sheet, Values, yuan};
use super::tally::{Heads, Tallies};
use super::{Publication, PublishError};

/// Where an institution stood at the end of a period; kept for the comparison with the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Standing {
    /// Children listed in the last month; `None` where no table tells.
    pub headcount: Option<u64>,
    /// 备案托位 in the last month.
    pub slots: Option<i64>,
    /// Payable of the period, fen.
    pub amount_fen: i64,
}

/// Where every institution stood at the end of the period before.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Previous {
    /// The period, `YYYY-MM`.
    pub period: String,
    /// By institution id.
    pub by_institution: BTreeMap<String, Standing>,
}

/// Heads of the last month, by institution.
fn last_heads(tallies: &Tallies) -> &[Heads] {
    tallies.heads.last().map_or(&[], Vec::as_slice)
}

/// Where every institution of this period stands.
///
/// # Errors
/// When a sum overflows.
pub(super) fn standing(
    run: &Publication<'_>,
    register: &Register,
    tallies: &Tallies,
) -> Result<BTreeMap<String, Standing>, PublishError> {
    let amounts = payable_by_institution(run, register)?;
    let heads = last_heads(tallies);
    let entry = |(at, institution): (usize, &Institution)| {
        let head = heads.get(at).copied().unwrap_or_default();
        let standing =
            Standing { headcount: head.listed, slots: head.slots_filed, amount_fen: amounts[at] };
        (institution.id.to_string(), standing)
    };
    Ok(register.institutions.iter().enumerate().map(entry).collect())
}

/// Percent with two decimals, rounded half away from zero; empty when nothing stood before.
pub(super) fn percent(part: i64, whole: i64) -> String {
    if whole == 0 {
        return String::new();
    }
    let scaled = crate::domain::RoundingMode::HalfUp
        .divide(i128::from(part) * 10_000 * i128::from(whole.signum()), i128::from(whole).abs());
    scaled.and_then(|n| i64::try_from(n).ok()).map_or_else(String::new, yuan)
}

fn count(heads: Option<u64>) -> Option<i64> {
    heads.and_then(|n| i64::try_from(n).ok())
}

/// One institution in two periods.
struct Change<'a> {
    id: &'a str,
    before: Option<&'a Standing>,
    now: Option<&'a Standing>,
}

impl Change<'_> {
    fn fen(&self) -> i64 {
        let fen = |standing: Option<&Standing>| standing.map_or(0, |s| s.amount_fen);
        fen(self.now).saturating_sub(fen(self.before))
    }

    fn percent(&self) -> String {
        self.before.map_or_else(String::new, |before| percent(self.fen(), before.amount_fen))
    }

    /// Flags: `first` (no earlier period), `new`, `gone`, `large`, or empty.
    fn flag(&self, first: bool, threshold: i64) -> &'static str {
        match (self.before, self.now) {
            _ if first => "first",
            (None, _) => "new",
            (Some(_), None) => "gone",
            (Some(before), Some(_)) => {
                let change = i128::from(self.fen()).abs() * 100;
                let limit = i128::from(before.amount_fen).abs() * i128::from(threshold);
                if change > limit { "large" } else { "" }
            }
        }
    }
}

/// `changes.csv`: this period against the one before, flagged above the job's threshold.
pub(super) fn changes(
    run: &Publication<'_>,
    register: &Register,
    now: &BTreeMap<String, Standing>,
) -> Sheet {
    let empty = BTreeMap::new();
    let before = run.previous.map_or(&empty, |previous| &previous.by_institution);
    let ids: BTreeSet<&String> = now.keys().chain(before.keys()).collect();
    let change = |id| Change { id, before: before.get(id), now: now.get(id) };
    let rows: Vec<Change<'_>> = ids.into_iter().map(|id: &String| change(id.as_str())).collect();
    let mut sheet = Sheet::new("changes", rows.len());
    let texts =
        |pick: &dyn Fn(&Change<'_>) -> String| Values::Text(rows.iter().map(pick).collect());
    sheet.put("institution_id", "统一社会信用代码", texts(&|row| row.id.to_owned()));
    let name = |id: &str| register.find(id).map_or("", |at| &*register.institutions[at].name);
    sheet.put("institution_name", "机构名称", texts(&|row| name(row.id).to_owned()));
    let of_before = |pick: &dyn Fn(&Standing) -> Option<i64>| {
        rows.iter().map(|row| row.before.and_then(pick)).collect::<Vec<_>>()
    };
    let of_now = |pick: &dyn Fn(&Standing) -> Option<i64>| {
        rows.iter().map(|row| row.now.and_then(pick)).collect::<Vec<_>>()
    };
    let heads = |standing: &Standing| count(standing.headcount);
    let slots = |standing: &Standing| standing.slots;
    let fen = |standing: &Standing| Some(standing.amount_fen);
    sheet.put("headcount_before", "上期人数", Values::MaybeInt(of_before(&heads)));
    sheet.put("headcount", "本期人数", Values::MaybeInt(of_now(&heads)));
    sheet.put("slots_before", "上期托位", Values::MaybeInt(of_before(&slots)));
    sheet.put("slots", "本期托位", Values::MaybeInt(of_now(&slots)));
    sheet.put("amount_before_fen", "上期金额", Values::MaybeFen(of_before(&fen)));
    sheet.put("amount_fen", "本期金额", Values::MaybeFen(of_now(&fen)));
    sheet.put("change_fen", "增减金额", Values::Fen(rows.iter().map(Change::fen).collect()));
    sheet.put("change_percent", "增减%", texts(&|row| row.percent()));
    let (first, threshold) = (run.previous.is_none(), run.job.change_percent);
    sheet.put("flag", "标记", texts(&|row| row.flag(first, threshold).to_owned()));
    sheet
}

/// `support.csv` 支持措施台账: per institution and instrument, in cash (allocated) and in kind
/// (the value recorded), with the clauses.
///
/// # Errors
/// When a sum overflows.
pub(super) fn support(
    run: &Publication<'_>,
    register: &Register,
    tallies: &Tallies,
) -> Result<Sheet, PublishError> {
    struct Row {
        institution: usize,
        instrument: Arc<str>,
        cash: i64,
        in_kind: i64,
        items: Vec<Arc<str>>,
        clauses: Vec<Arc<str>>,
    }
    let mut rows: Vec<Row> = Vec::new();
    for (institution, owner) in (0..register.len()).zip(0_u32..) {
        let first = rows.len();
        for (at, face) in tallies.items.iter().enumerate() {
            let sum = tallies.sum(Some(owner), Some(at))?;
            let (cash, in_kind) = if face.in_kind { (0, sum.amount) } else { (sum.allocated, 0) };
            if cash == 0 && in_kind == 0 {
                continue;
            }
            let known = rows[first..].iter().position(|row| row.instrument == face.instrument);
            let place = known.map_or_else(
                || {
                    rows.push(Row {
                        institution,
                        instrument: Arc::clone(&face.instrument),
                        cash: 0,
                        in_kind: 0,
                        items: Vec::new(),
                        clauses: Vec::new(),
                    });
                    rows.len() - 1
                },
                |offset| first + offset,
            );
            let row = &mut rows[place];
            row.cash = row.cash.checked_add(cash).ok_or(PublishError::Overflow)?;
            row.in_kind = row.in_kind.checked_add(in_kind).ok_or(PublishError::Overflow)?;
            row.items.push(Arc::clone(&face.id));
            if !face.clause.is_empty() && !row.clauses.contains(&face.clause) {
                row.clauses.push(Arc::clone(&face.clause));
            }
        }
    }
    let mut sheet = Sheet::new("support", rows.len());
    let shared = |pick: &dyn Fn(&Row) -> Arc<str>| Values::Shared(rows.iter().map(pick).collect());
    let period: Arc<str> = Arc::from(run.job.period.to_string());
    let institution = |row: &Row| &register.institutions[row.institution];
    let joined = |parts: &[Arc<str>]| {
        Arc::from(parts.iter().map(|part| &**part).collect::<Vec<_>>().join("；"))
    };
    sheet.put("period", "结算期", shared(&|_| Arc::clone(&period)));
    sheet.put(
        "institution_id",
        "统一社会信用代码",
        shared(&|row| Arc::clone(&institution(row).id)),
    );
    sheet.put("institution_name", "机构名称", shared(&|row| Arc::clone(&institution(row).name)));
    sheet.put("instrument", "支持措施", shared(&|row| Arc::clone(&row.instrument)));
    sheet.put("cash_fen", "资金支持", Values::Fen(rows.iter().map(|row| row.cash).collect()));
    sheet.put("in_kind_fen", "实物折价", Values::Fen(rows.iter().map(|row| row.in_kind).collect()));
    sheet.put("items", "补助项目", shared(&|row| joined(&row.items)));
    sheet.put("clause", "条款", shared(&|row| joined(&row.clauses)));
    Ok(sheet)
}

/// The one word for an institution's status: a sanction outweighs inclusive, that outweighs filing.
fn status(institution: &Institution) -> &'static str {
    match (institution.sanctioned, institution.inclusive, institution.filed) {
        (Some(true), ..) => "sanctioned",
        (_, Some(true), _) => "inclusive",
        (_, _, Some(true)) => "filed",
        (_, _, Some(false)) => "not_filed",
        _ => "unknown",
    }
}

/// `supervision.csv`: one record an institution and month in the columns of the job's profile.
///
/// # Errors
/// When a sum overflows.
pub(super) fn supervision(
    run: &Publication<'_>,
    register: &Register,
    tallies: &Tallies,
) -> Result<Sheet, PublishError> {
    let mut found: BTreeMap<&str, BTreeMap<&str, u64>> = BTreeMap::new();
    for finding in run.findings {
        let codes = found.entry(&finding.institution_id).or_default();
        *codes.entry(finding.code.name()).or_default() += finding.count;
    }
    let mut rows: Vec<Supervised<'_>> = Vec::with_capacity(register.len() * run.months.len());
    for (number, month) in run.months.iter().enumerate() {
        let period: Arc<str> = Arc::from(month.month.to_string());
        for (owner, institution) in (0_u32..).zip(register.in_month(number)) {
            let Some(institution) = institution else { continue };
            let mut amount = 0_i64;
            for (at, _) in tallies.items.iter().enumerate().filter(|(_, face)| !face.in_kind) {
                let fen = tallies.cell(number, owner, at).allocated;
                amount = amount.checked_add(fen).ok_or(PublishError::Overflow)?;
            }
            rows.push(Supervised {
                period: Arc::clone(&period),
                institution,
                heads: tallies.heads[number].get(owner as usize).copied().unwrap_or_default(),
                amount,
                codes: found.get(&*institution.id),
            });
        }
    }
    Ok(run.profiles.supervision.sheet(supervision_fields(&rows)))
}

/// One record of `supervision.csv`.
struct Supervised<'a> {
    period: Arc<str>,
    institution: &'a Institution,
    heads: Heads,
    amount: i64,
    codes: Option<&'a BTreeMap<&'a str, u64>>,
}

/// All fields a profile may ask for, as columns.
fn supervision_fields(rows: &[Supervised<'_>]) -> Sheet {
    let mut sheet = Sheet::new("supervision", rows.len());
    let shared = |pick: &dyn Fn(&Supervised<'_>) -> Arc<str>| {
        Values::Shared(rows.iter().map(pick).collect())
    };
    let of = |pick: fn(&Institution) -> &Arc<str>| shared(&|row| Arc::clone(pick(row.institution)));
    sheet.put("institution_id", "", of(|i| &i.id));
    sheet.put("institution_name", "", of(|i| &i.name));
    sheet.put("period", "", shared(&|row| Arc::clone(&row.period)));
    sheet.put("kind", "", of(|i| &i.kind));
    sheet.put("division_code", "", of(|i| &i.division_code));
    sheet.put("street", "", of(|i| &i.street));
    sheet.put("grade", "", of(|i| &i.grade));
    sheet.put("status", "", shared(&|row| Arc::from(status(row.institution))));
    let flag = |pick: fn(&Institution) -> Option<bool>| {
        Values::Bool(rows.iter().map(|row| pick(row.institution)).collect())
    };
    sheet.put("filed", "", flag(|i| i.filed));
    sheet.put("inclusive", "", flag(|i| i.inclusive));
    sheet.put("sanctioned", "", flag(|i| i.sanctioned));
    let number = |pick: fn(&Heads) -> Option<i64>| {
        Values::MaybeInt(rows.iter().map(|row| pick(&row.heads)).collect())
    };
    sheet.put("slots_filed", "", number(|heads| heads.slots_filed));
    sheet.put("slots_open", "", number(|heads| heads.slots_open));
    sheet.put("headcount", "", number(|heads| count(heads.listed)));
    sheet.put("headcount_paid", "", number(|heads| count(heads.paid)));
    sheet.put("amount", "", Values::Text(rows.iter().map(|row| yuan(row.amount)).collect()));
    let listed = |row: &Supervised<'_>| {
        let codes = row.codes.into_iter().flatten();
        codes.map(|(code, count)| format!("{code}:{count}")).collect::<Vec<_>>().join(";")
    };
    sheet.put("findings", "", Values::Text(rows.iter().map(listed).collect()));
    let all = |row: &Supervised<'_>| {
        let sum = row.codes.map_or(0, |codes| codes.values().sum::<u64>());
        i64::try_from(sum).unwrap_or(i64::MAX)
    };
    sheet.put("findings_count", "", Values::Int(rows.iter().map(all).collect()));
    sheet
}

/// `notice.csv` 公示表: institutions with money, headcounts and amounts; no account, no child.
///
/// # Errors
/// When a sum overflows.
pub(super) fn notice(
    run: &Publication<'_>,
    register: &Register,
    tallies: &Tallies,
) -> Result<Sheet, PublishError> {
    let amounts = payable_by_institution(run, register)?;
    let heads = last_heads(tallies);
    let shown: Vec<usize> = (0..register.len()).filter(|at| amounts[*at] != 0).collect();
    let mut sheet = Sheet::new("notice", shown.len());
    let period: Arc<str> = Arc::from(run.job.period.to_string());
    let shared = |pick: &dyn Fn(&Institution) -> Arc<str>| {
        Values::Shared(shown.iter().map(|at| pick(&register.institutions[*at])).collect())
    };
    let head = |pick: &dyn Fn(&Heads) -> Option<i64>| {
        Values::MaybeInt(shown.iter().map(|at| heads.get(*at).and_then(pick)).collect())
    };
    sheet.put("period", "结算期", shared(&|_| Arc::clone(&period)));
    sheet.put("institution_id", "统一社会信用代码", shared(&|i| Arc::clone(&i.id)));
    sheet.put("institution_name", "机构名称", shared(&|i| Arc::clone(&i.name)));
    sheet.put("kind", "机构类型", shared(&|i| Arc::clone(&i.kind)));
    sheet.put("street", "街道", shared(&|i| Arc::clone(&i.street)));
    sheet.put("slots", "备案托位", head(&|h| h.slots_filed));
    sheet.put("headcount", "在托人数", head(&|h| count(h.listed)));
    sheet.put("headcount_paid", "补助人数", head(&|h| count(h.paid)));
    let fen = shown.iter().map(|at| amounts[*at]).collect();
    sheet.put("amount_fen", "补助金额", Values::Fen(fen));
    Ok(sheet)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percents_round_half_away_from_zero() {
        for (part, whole, text) in
            [(1, 3, "33.33"), (-1, 8, "-12.50"), (1, 0, ""), (200, 100, "200.00"), (2, 3, "66.67")]
        {
            assert_eq!(percent(part, whole), text, "{part}/{whole}");
        }
    }
}
