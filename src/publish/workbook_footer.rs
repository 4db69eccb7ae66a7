//! The last page of `schedule.xlsx`: counts and sums, who let the run out, and the lines to sign.

use rust_xlsxwriter::{Worksheet, XlsxError};

use super::money_files::account_hash_total;
use super::sheet::Sheet;
use super::workbook::{Formats, HEADER, Imprint, SIGNED, heading, whole_number, yuan_number};
use super::{HeadAfter, Release, Signed};
use crate::domain::Fen;
use crate::domain::texts::Catalogue;

/// Who did what with the run, and what proves it.
fn acts(release: &Release, texts: &Catalogue) -> Vec<(&'static str, String)> {
    let act = |signed: &Signed| {
        let key = signed.key.as_ref().map_or(String::new(), ToString::to_string);
        let values = [("by", &*signed.by), ("at", &*signed.at), ("key", &*key)];
        texts.phrase("book.act", &values)
    };
    let mut acts = vec![("book.act_settled", act(&release.made))];
    acts.extend(release.approvals.iter().map(|approval| ("book.act_approved", act(approval))));
    acts.push(("book.act_released", act(&release.released)));
    acts.push(("book.act_manifest", release.manifest_sha256.clone()));
    acts.push(("book.act_root", release.schedule_root.clone()));
    let HeadAfter { event, head } = &release.ledger;
    acts.push(("book.act_event", event.to_string()));
    acts.push(("book.act_head", head.clone()));
    acts
}

/// The footer sheet: counts, sums, the account hash total, the amount in words, the signatures.
pub(super) fn footer(
    run: &Imprint<'_>,
    lines: &Sheet,
    payments: &Sheet,
    to: &mut Worksheet,
    formats: &Formats,
) -> Result<(), XlsxError> {
    let texts = run.texts;
    to.set_name(texts.label("book.summary"))?;
    // The title is wider than the two columns of figures.
    to.merge_range(
        0,
        0,
        0,
        3,
        &heading(run, texts.label("book.schedule_summary")),
        &formats.title,
    )?;
    to.set_row_height(0, 28)?;
    let note = Imprint { release: None, ..*run }.note(texts.label("book.yuan"));
    to.write_with_format(1, 0, note, &formats.note)?;
    let sum = |sheet: &Sheet, column: &str| sheet.sum(column).unwrap_or(0);
    let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    let mut row = HEADER;
    let mut put = |label: &'static str,
                   value: Result<(i64, bool), String>|
     -> Result<(), XlsxError> {
        to.write_with_format(row, 0, texts.label(label), &formats.text)?;
        match value {
            Ok((fen, true)) => to.write_with_format(row, 1, yuan_number(fen), &formats.money)?,
            Ok((n, false)) => to.write_with_format(row, 1, whole_number(n), &formats.whole)?,
            Err(text) => to.write_string_with_format(row, 1, text, &formats.text)?,
        };
        row += 1;
        Ok(())
    };
    put("book.lines", Ok((count(lines.rows), false)))?;
    put("book.gross", Ok((sum(lines, "gross_fen"), true)))?;
    put("book.cut", Ok((sum(lines, "cut_fen"), true)))?;
    put("book.payable", Ok((sum(lines, "payable_fen"), true)))?;
    put("book.payment_count", Ok((count(payments.rows), false)))?;
    let paid = sum(payments, "amount_fen");
    put("book.paid", Ok((paid, true)))?;
    put("book.paid_words", Err(texts.words(Fen(paid))))?;
    put("book.hash_total", Err(account_hash_total(payments)))?;
    for (label, text) in run.release.map(|release| acts(release, texts)).unwrap_or_default() {
        put(label, Err(text))?;
    }
    to.set_column_width(0, 44)?;
    // A hash of 64 digits has to be seen whole.
    to.set_column_width(1, if run.release.is_some() { 72 } else { 44 })?;
    to.set_column_width(2, 22)?;
    to.set_column_width(3, 22)?;
    for (number, word) in (0_u32..).zip(SIGNED) {
        to.write_with_format(row + 1 + number, 0, texts.label(word), &formats.sign)?;
    }
    to.set_landscape().set_paper_size(9).set_print_fit_to_pages(1, 1);
    Ok(())
}
