//! `exceptions.xlsx`: what a person has to do, row by row, and the totals to sign.

use super::{Reconciliation, ageing, rows};
use crate::domain::Fen;
use crate::domain::texts::Catalogue;
use crate::publish::sheet::{Sheet, Values};
use crate::publish::workbook::{self, Imprint};
use rust_xlsxwriter::XlsxError;

/// The workbook.
///
/// # Errors
/// When a page is beyond the format's limits.
pub(super) fn exceptions(of: &Reconciliation<'_>) -> Result<Vec<u8>, XlsxError> {
    let texts = &Catalogue::new(of.job.language);
    let imprint = Imprint {
        texts,
        run_id: of.recon_id,
        office: "",
        title: &of.job.title,
        first: of.job.period,
        period: of.job.period,
        sample: false,
        release: None,
    };
    let pages = [
        (texts.label("recon.todo"), todo(of, texts), "our"),
        (texts.label("recon.totals"), totals(of, texts), ""),
        (texts.label("recon.clearing"), rows::clearing(of), "all_amt_fen"),
        (texts.label("recon.ageing"), readable(ageing::sheet(of), texts), "amount_fen"),
    ];
    workbook::pages(&imprint, &pages)
}

/// Classes in words.
fn readable(mut sheet: Sheet, texts: &Catalogue) -> Sheet {
    for column in &mut sheet.columns {
        if &*column.name == "class"
            && let Values::Text(words) = &mut column.values
        {
            for word in words {
                texts.label(&format!("recon_class.{word}")).clone_into(word);
            }
        }
    }
    sheet
}

fn todo(of: &Reconciliation<'_>, texts: &Catalogue) -> Sheet {
    let open: Vec<_> = rows::open(of).collect();
    let mut sheet = Sheet::new("exceptions", open.len());
    let text =
        |pick: &dyn Fn(&rows::Row<'_>) -> String| Values::Text(open.iter().map(pick).collect());
    let class =
        |row: &rows::Row<'_>| texts.label(&format!("recon_class.{}", row.class.word())).to_owned();
    sheet.put("class", "类别", text(&class));
    sheet.put("institution_name", "机构名称", text(&|row| row.name.to_string()));
    sheet.put("payment_no", "付款编号", text(&|row| row.payment_no.to_owned()));
    let fen =
        |pick: fn(&rows::Row<'_>) -> Option<i64>| Values::MaybeFen(open.iter().map(pick).collect());
    sheet.put("our", "我方金额", fen(|row| row.ours));
    sheet.put("bank", "银行金额", fen(|row| row.bank));
    sheet.put("diff", "差额", fen(rows::difference));
    let reason = |row: &rows::Row<'_>| {
        let mut parts: Vec<String> = Vec::new();
        if !row.account_no.is_empty() {
            parts.push(texts.phrase("recon.their_account", &[("account", row.account_no)]));
        }
        // The bank's own words go before what its code is called.
        let called = of.job.reasons.get(row.code).map_or("", |reason| reason.words(texts));
        let words = if row.reason.is_empty() { called } else { row.reason };
        let told = [row.code, words].into_iter().filter(|text| !text.is_empty());
        parts.extend(told.map(str::to_owned));
        parts.join(" ")
    };
    sheet.put("reason", "原因", text(&reason));
    let dates = open.iter().map(|row| row.bank_date).collect();
    sheet.put("bank_date", "银行日期", Values::Date(dates));
    sheet.put("age", "未结工作日", text(&|row| row.age.to_string())); // a sum of ages means nothing
    let next =
        |row: &rows::Row<'_>| texts.label(&format!("recon_next.{}", row.next.word())).to_owned();
    sheet.put("next_step", "下一步", text(&next));
    let short = |row: &rows::Row<'_>| row.carried_to.chars().take(12).collect();
    sheet.put("carried_to", "转入批次", text(&short));
    let place = |row: &rows::Row<'_>| match row.record {
        Some(record) if !row.file.is_empty() => {
            let values = [("file", row.file), ("record", &*record.to_string())];
            texts.phrase("recon.place", &values)
        }
        _ => String::new(),
    };
    sheet.put("place", "依据", text(&place));
    sheet
}

fn totals(of: &Reconciliation<'_>, texts: &Catalogue) -> Sheet {
    let totals = of.totals;
    let lines = [
        ("recon.sent", totals.sent),
        ("recon.paid", totals.paid),
        ("recon.rejected", totals.rejected),
        ("recon.returned", totals.returned),
        ("recon.pending", totals.pending),
        ("recon.held", totals.held),
        ("recon.excess", totals.excess),
    ];
    let mut sheet = Sheet::new("totals", lines.len());
    let names = lines.iter().map(|(name, _)| texts.label(name).to_owned()).collect();
    sheet.put("part", "项目", Values::Text(names));
    let counts = lines.iter().map(|(_, sum)| i64::try_from(sum.0).unwrap_or(i64::MAX)).collect();
    sheet.put("count", "笔数", Values::Int(counts));
    let fen = |sum: i128| i64::try_from(sum).unwrap_or(i64::MAX);
    let amounts = lines.iter().map(|(_, sum)| fen(sum.1)).collect();
    sheet.put("sum", "金额", Values::Fen(amounts));
    let words = lines.iter().map(|(_, sum)| texts.words(Fen(fen(sum.1))));
    sheet.put("words", "大写", Values::Text(words.collect()));
    sheet
}
