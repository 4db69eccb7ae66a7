//! Workbooks for people: `schedule.xlsx` 拨付计划, `notice.xlsx` 公示表, `form.xlsx`.
//!
//! Every page has a title with office and period, a header that stays on the screen and on every
//! printed page, widths that fit Chinese, yuan with two decimals, totals, 人民币大写 and a line to
//! sign. The creation date is the period's end, so that the same run makes the same bytes.

use std::collections::BTreeMap;

use rust_xlsxwriter::{
    DocProperties, ExcelDateTime, Format, FormatAlign, FormatBorder, Workbook, Worksheet, XlsxError,
};

use super::form::{Form, TOTAL};
use super::money_files::account_hash_total;
use super::sheet::{Rounded, Sheet, Values};
use super::widths::{WRAP_WIDTH, column_width, row_height};
use super::{HeadAfter, Publication, Release, Signed};
use crate::domain::texts::{Catalogue, Language};
use crate::domain::{Date, Fen, Month, amount_in_words};
use crate::schedule::LineKind;

/// Columns of a page that still read on A4.
const WIDE: usize = 14;

/// Header row; above it stand the title and the line with run and unit.
const HEADER: u32 = 2;

/// Cell formats, made once a workbook.
struct Formats {
    title: Format,
    note: Format,
    header: Format,
    text: Format,
    wrapped: Format,
    whole: Format,
    money: Format,
    date: Format,
    total_text: Format,
    total_whole: Format,
    total_money: Format,
    words: Format,
    sign: Format,
}

impl Formats {
    fn new() -> Self {
        let cell =
            || Format::new().set_border(FormatBorder::Thin).set_align(FormatAlign::VerticalCenter);
        let total = || cell().set_bold().set_background_color("F2F2F2");
        let money = "#,##0.00;[Red]-#,##0.00";
        Self {
            title: Format::new().set_bold().set_font_size(16).set_align(FormatAlign::Center),
            note: Format::new().set_font_color("595959"),
            header: cell()
                .set_bold()
                .set_text_wrap()
                .set_align(FormatAlign::Center)
                .set_background_color("DDEBF7"),
            text: cell(),
            wrapped: cell().set_text_wrap(),
            whole: cell().set_num_format("#,##0"),
            money: cell().set_num_format(money),
            date: cell().set_num_format("yyyy-mm-dd").set_align(FormatAlign::Center),
            total_text: total(),
            total_whole: total().set_num_format("#,##0"),
            total_money: total().set_num_format(money),
            words: Format::new().set_bold(),
            sign: Format::new().set_align(FormatAlign::Left),
        }
    }
}

/// What every page says of the run it is of.
pub(super) struct Imprint<'a> {
    /// Run.
    pub(super) run_id: &'a str,
    /// 制表单位.
    pub(super) office: &'a str,
    /// Title of the job.
    pub(super) title: &'a str,
    /// First service month.
    pub(super) first: Month,
    /// Last service month.
    pub(super) period: Month,
    /// 示例: an invented pack took part.
    pub(super) sample: bool,
    /// Who let it out and where the ledger stood; `None` for what is not released.
    pub(super) release: Option<&'a Release>,
}

impl<'a> Imprint<'a> {
    /// Of a run that is being settled.
    pub(super) fn of(run: &'a Publication<'_>) -> Self {
        let period = run.job.period;
        Self {
            run_id: run.run_id,
            office: &run.job.office,
            title: &run.job.title,
            first: run.months.first().map_or(period, |month| month.month),
            period,
            sample: run.is_sample(),
            release: None,
        }
    }

    /// The line under the title.
    fn note(&self, unit: &str) -> String {
        let mut note =
            format!("批次号：{}    结算期：{}    金额单位：{unit}", self.run_id, self.period);
        if let Some(release) = self.release {
            note.push_str("    账册校验值：");
            note.push_str(&release.ledger.head);
        }
        note
    }
}

/// One page: a sheet with its name and title.
struct Page<'a> {
    name: &'a str,
    title: String,
    sheet: &'a Sheet,
    /// The money column whose total is written in words.
    money: &'a str,
    /// What its amounts are in.
    unit: &'a str,
    /// What has to be said under the totals.
    remarks: Vec<String>,
    /// Whether long texts go on in the next line of their cell.
    wraps: bool,
}

/// The unit of every page but forms.
const YUAN: &str = "元";

/// `schedule.xlsx`: lines, payments, and a footer sheet.
///
/// # Errors
/// When a sheet is beyond the format's limits (1,048,576 rows).
pub(super) fn schedule(
    run: &Imprint<'_>,
    lines: &Sheet,
    payments: &Sheet,
    items: &BTreeMap<&str, &str>,
) -> Result<Vec<u8>, XlsxError> {
    let formats = Formats::new();
    let mut book = book(run)?;
    let lines = readable(lines, items).only(&[
        "line_no",
        "institution_id",
        "institution_name",
        "account_name",
        "account_no",
        "bank_name",
        "bank_no",
        "line_kind",
        "source_period",
        "item",
        "quantity",
        "rate",
        "gross_fen",
        "cut_fen",
        "carried_in_fen",
        "carried_out_fen",
        "payable_fen",
        "source",
        "budget_doc_no",
        "pay_on",
        "hold_reason",
        "payment_no",
    ]);
    let title = heading(run, "拨付计划");
    let page = Page::in_yuan("拨付计划", title, &lines, "payable_fen");
    page.write(run, book.add_worksheet(), &formats)?;
    let title = heading(run, "付款清单");
    let payments_shown = readable(payments, items);
    let page = Page::in_yuan("付款清单", title, &payments_shown, "amount_fen");
    page.write(run, book.add_worksheet(), &formats)?;
    footer(run, &lines, payments, book.add_worksheet(), &formats)?;
    book.save_to_buffer()
}

/// `notice.xlsx`: what is put up in public.
///
/// # Errors
/// When a sheet is beyond the format's limits.
pub(super) fn notice(run: &Imprint<'_>, notice: &Sheet) -> Result<Vec<u8>, XlsxError> {
    let formats = Formats::new();
    let mut book = book(run)?;
    let title = heading(run, "公示表");
    let page = Page::in_yuan("公示表", title, notice, "amount_fen");
    page.write(run, book.add_worksheet(), &formats)?;
    book.save_to_buffer()
}

/// A workbook of several pages, each with its name, its sheet and the money column that is totalled in
/// words; a page without one has no totals.
///
/// # Errors
/// When a sheet is beyond the format's limits.
pub(super) fn pages(
    run: &Imprint<'_>,
    pages: &[(&str, Sheet, &str)],
) -> Result<Vec<u8>, XlsxError> {
    let formats = Formats::new();
    let mut book = book(run)?;
    for (name, sheet, money) in pages {
        let page = Page { wraps: true, ..Page::in_yuan(name, heading(run, name), sheet, money) };
        page.write(run, book.add_worksheet(), &formats)?;
    }
    book.save_to_buffer()
}

/// `form.xlsx`: the claim of the period in the unit of the paper form.
///
/// # Errors
/// When a sheet is beyond the format's limits.
pub(super) fn form(run: &Imprint<'_>, form: &Form, sheet: &Sheet) -> Result<Vec<u8>, XlsxError> {
    let formats = Formats::new();
    let mut book = book(run)?;
    let unit = if form.unit == YUAN { YUAN } else { "万元（标明“元”的列除外）" };
    let page = Page {
        name: "申报表",
        title: form_title(run, form),
        sheet,
        money: TOTAL,
        unit,
        remarks: form.remarks(sheet),
        wraps: false,
    };
    page.write(run, book.add_worksheet(), &formats)?;
    book.save_to_buffer()
}

/// Office, the months claimed and what the form is called.
fn form_title(run: &Imprint<'_>, form: &Form) -> String {
    let last = run.period;
    let first = run.first;
    let year =
        if first.year() == last.year() { String::new() } else { format!("{}年", last.year()) };
    let until =
        if first == last { String::new() } else { format!("至{year}{}月", last.number()) };
    let sample = if run.sample { "（示例）" } else { "" };
    let (office, title) = (&run.office, &form.title);
    format!("{office}{}年{}月{until}{title}{sample}", first.year(), first.number())
}

fn book(run: &Imprint<'_>) -> Result<Workbook, XlsxError> {
    let mut book = Workbook::new();
    let (year, month, day) = run.period.last().ymd();
    let year = u16::try_from(year).unwrap_or(1900);
    let (month, day) = (u8::try_from(month).unwrap_or(1), u8::try_from(day).unwrap_or(1));
    let properties = DocProperties::new()
        .set_title(heading(run, ""))
        .set_author(run.office)
        .set_creation_datetime(&ExcelDateTime::from_ymd(year, month, day)?);
    book.set_properties(&properties);
    Ok(book)
}

/// Office, period, job and the kind of paper; an invented pack is said to be one.
fn heading(run: &Imprint<'_>, paper: &str) -> String {
    let (year, month) = (run.period.year(), run.period.number());
    let sample = if run.sample { "（示例）" } else { "" };
    format!("{}{year}年{month}月{}{paper}{sample}", run.office, run.title)
}

/// A sheet of the schedule with words for people in place of codes.
fn readable(lines: &Sheet, items: &BTreeMap<&str, &str>) -> Sheet {
    // Files for people are in Chinese.
    let catalogue = Catalogue::new(Language::Chinese);
    let mut sheet = lines.clone();
    for column in &mut sheet.columns {
        let replace: &dyn Fn(&str) -> Option<String> = match &*column.name {
            "line_kind" => &|word| kind_label(word).map(str::to_owned),
            "hold_reason" => &|code| (!code.is_empty()).then(|| catalogue.reason(code)),
            "item" => {
                let label = |id: String| items.get(&*id).map_or(id, |label| (*label).to_owned());
                let texts = (0..lines.rows).map(|row| label(lines.cell(row, "item"))).collect();
                column.values = Values::Text(texts);
                continue;
            }
            _ => continue,
        };
        let name = column.name.to_string();
        let word = |text: String| replace(&text).unwrap_or(text);
        column.values =
            Values::Text((0..lines.rows).map(|row| word(lines.cell(row, &name))).collect());
    }
    sheet
}

fn kind_label(word: &str) -> Option<&'static str> {
    let kinds = [
        (LineKind::Original, "当期"),
        (LineKind::Correction, "更正"),
        (LineKind::Refund, "冲回"),
        (LineKind::CarryIn, "上期转入"),
        (LineKind::CarryOut, "结转下期"),
        (LineKind::Clawback, "追缴"),
        (LineKind::Instalment, "分期"),
        (LineKind::WriteOff, "核销"),
    ];
    kinds.iter().find(|(kind, _)| kind.word() == word).map(|(_, label)| *label)
}

fn index(n: usize) -> Result<u32, XlsxError> {
    u32::try_from(n).map_err(|_| XlsxError::RowColumnLimitError)
}

fn column_index(n: usize) -> Result<u16, XlsxError> {
    u16::try_from(n).map_err(|_| XlsxError::RowColumnLimitError)
}

impl<'a> Page<'a> {
    const fn in_yuan(name: &'a str, title: String, sheet: &'a Sheet, money: &'a str) -> Self {
        Self { name, title, sheet, money, unit: YUAN, remarks: Vec::new(), wraps: false }
    }

    fn write(
        &self,
        run: &Imprint<'_>,
        to: &mut Worksheet,
        formats: &Formats,
    ) -> Result<(), XlsxError> {
        let sheet = self.sheet;
        to.set_name(self.name)?;
        let last = column_index(sheet.columns.len().saturating_sub(1))?;
        if last > 0 {
            to.merge_range(0, 0, 0, last, &self.title, &formats.title)?;
        } else {
            to.write_with_format(0, 0, &self.title, &formats.title)?;
        }
        to.set_row_height(0, 28)?;
        to.set_row_height(HEADER, 32)?;
        to.write_with_format(1, 0, run.note(self.unit), &formats.note)?;
        for (number, column) in sheet.columns.iter().enumerate() {
            let number = column_index(number)?;
            let label = if column.label.is_empty() { &column.name } else { &column.label };
            to.write_with_format(HEADER, number, &**label, &formats.header)?;
            let text = if self.wraps { &formats.wrapped } else { &formats.text };
            write_column(to, number, &column.values, formats, text)?;
            let width = column_width(label, &column.values);
            let most = if self.wraps { WRAP_WIDTH } else { u32::MAX };
            to.set_column_width(number, width.min(most))?;
        }
        if self.wraps {
            for row in 0..sheet.rows {
                to.set_row_height(index(row)? + HEADER + 1, row_height(sheet, row))?;
            }
        }
        if self.money.is_empty() {
            sign(to, index(sheet.rows)? + HEADER + 3, column_index(sheet.columns.len())?, formats)?;
        } else {
            self.totals(to, formats)?;
        }
        let total = index(sheet.rows)? + HEADER + 1;
        to.set_freeze_panes(HEADER + 1, 0)?;
        if sheet.rows > 0 {
            to.autofilter(HEADER, 0, total - 1, last)?;
        }
        // A3 where A4 would print too small to sign.
        let paper = if self.sheet.columns.len() > WIDE { 8 } else { 9 };
        to.set_landscape().set_paper_size(paper).set_print_fit_to_pages(1, 0);
        to.set_repeat_rows(0, HEADER)?;
        to.set_margins(0.4, 0.4, 0.5, 0.6, 0.3, 0.3);
        to.set_footer("&C第 &P 页 共 &N 页");
        Ok(())
    }

    /// Totals, the amount in words, and the line to sign.
    fn totals(&self, to: &mut Worksheet, formats: &Formats) -> Result<(), XlsxError> {
        let sheet = self.sheet;
        let row = index(sheet.rows)? + HEADER + 1;
        for (number, column) in sheet.columns.iter().enumerate() {
            let at = column_index(number)?;
            let sum = sheet.sum(&column.name);
            match (&column.values, sum) {
                _ if number == 0 => to.write_with_format(row, at, "合计", &formats.total_text)?,
                (Values::Rounded(rounded), _) => {
                    let format = formats.total_money.clone().set_num_format(places(rounded));
                    to.write_with_format(row, at, shown(rounded, rounded.total), &format)?
                }
                // A sum of rates means nothing.
                _ if matches!(&*column.name, "rate") || column.name.ends_with("_rate_fen") => {
                    to.write_blank(row, at, &formats.total_text)?
                }
                // Where no row has a number, there is none to add up.
                (values, _) if (0..sheet.rows).all(|row| values.number(row).is_none()) => {
                    to.write_blank(row, at, &formats.total_text)?
                }
                (Values::Fen(_) | Values::MaybeFen(_), Some(fen)) => {
                    to.write_with_format(row, at, yuan_number(fen), &formats.total_money)?
                }
                (Values::Int(_) | Values::MaybeInt(_), Some(sum)) => {
                    to.write_with_format(row, at, whole_number(sum), &formats.total_whole)?
                }
                _ => to.write_blank(row, at, &formats.total_text)?,
            };
        }
        let fen = sheet.sum(self.money).unwrap_or(0);
        let words = format!("金额合计（大写）：{}", amount_in_words(Fen(fen)));
        to.write_with_format(row + 1, 0, words, &formats.words)?;
        for (at, remark) in (row + 2..).zip(&self.remarks) {
            to.write_with_format(at, 0, remark, &formats.note)?;
        }
        let row = row + index(self.remarks.len())?;
        sign(to, row + 3, column_index(sheet.columns.len())?, formats)
    }
}

/// 制单 / 复核 / 审批 over the width of the page.
fn sign(to: &mut Worksheet, row: u32, columns: u16, formats: &Formats) -> Result<(), XlsxError> {
    for (number, word) in (0_u16..).zip(["制单：", "复核：", "审批："]) {
        to.write_with_format(row, columns * number / 3, word, &formats.sign)?;
    }
    Ok(())
}

fn write_column(
    to: &mut Worksheet,
    column: u16,
    values: &Values,
    formats: &Formats,
    texts: &Format,
) -> Result<(), XlsxError> {
    let mut text = String::new();
    for row in 0..values.len() {
        let at = index(row)? + HEADER + 1;
        match values {
            Values::Fen(_) | Values::MaybeFen(_) => match values.number(row) {
                Some(fen) => {
                    to.write_with_format(at, column, yuan_number(fen), &formats.money)?;
                }
                None => {
                    to.write_blank(at, column, &formats.money)?;
                }
            },
            Values::Int(_) | Values::MaybeInt(_) => match values.number(row) {
                Some(whole) => {
                    to.write_with_format(at, column, whole_number(whole), &formats.whole)?;
                }
                None => {
                    to.write_blank(at, column, &formats.whole)?;
                }
            },
            Values::Rounded(rounded) => {
                let format = formats.money.clone().set_num_format(places(rounded));
                let number = shown(rounded, rounded.cells[row]);
                to.write_with_format(at, column, number, &format)?;
            }
            Values::Date(dates) => match dates[row].map(excel_date).transpose()? {
                Some(date) => {
                    to.write_datetime_with_format(at, column, date, &formats.date)?;
                }
                None => {
                    to.write_blank(at, column, &formats.date)?;
                }
            },
            _ => {
                text.clear();
                values.text(row, &mut text);
                // Always a text: an account number must not become a number.
                to.write_string_with_format(at, column, &text, texts)?;
            }
        }
    }
    Ok(())
}

fn excel_date(date: Date) -> Result<ExcelDateTime, XlsxError> {
    let (year, month, day) = date.ymd();
    let year = u16::try_from(year).unwrap_or(1900);
    ExcelDateTime::from_ymd(year, u8::try_from(month).unwrap_or(1), u8::try_from(day).unwrap_or(1))
}

/// Yuan as the spreadsheet's number. Below 2^53 fen the quotient is the double nearest to the
/// two-decimal amount, which is what the sheet shows and what a person would type.
#[expect(clippy::disallowed_types, reason = "a workbook knows no other number")]
#[expect(clippy::cast_precision_loss, reason = "amounts of a settlement are far below 2^53 fen")]
fn yuan_number(fen: i64) -> f64 {
    fen as f64 / 100.0
}

/// A rounded amount as the spreadsheet's number: the double nearest to what is shown.
#[expect(clippy::disallowed_types, reason = "a workbook knows no other number")]
fn shown(rounded: &Rounded, number: i64) -> f64 {
    whole_number(number) / f64::from(10_u32.pow(rounded.places))
}

/// The number format of amounts with that many places.
fn places(rounded: &Rounded) -> String {
    let zeros = "0".repeat(rounded.places as usize);
    let point = if zeros.is_empty() { "" } else { "." };
    format!("#,##0{point}{zeros};[Red]-#,##0{point}{zeros}")
}

#[expect(clippy::disallowed_types, reason = "a workbook knows no other number")]
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn whole_number(whole: i64) -> f64 {
    whole as f64
}

/// Who did what with the run, and what proves it.
fn acts(release: &Release) -> Vec<(&'static str, String)> {
    let act = |signed: &Signed| {
        let key = signed.key.as_ref().map_or(String::new(), |key| format!("（公钥{key}）"));
        format!("{}　{}{key}", signed.by, signed.at)
    };
    let mut acts = vec![("结算", act(&release.made))];
    acts.extend(release.approvals.iter().map(|approval| ("复核", act(approval))));
    acts.push(("下达", act(&release.released)));
    acts.push(("清单文件校验（SHA-256）", release.manifest_sha256.clone()));
    acts.push(("计划行默克尔根", release.schedule_root.clone()));
    let HeadAfter { event, head } = &release.ledger;
    acts.push(("账册记录号", event.to_string()));
    acts.push(("账册校验值（下达后，请另行留存）", head.clone()));
    acts
}

/// The footer sheet: counts, sums, the account hash total, the amount in words, the signatures.
fn footer(
    run: &Imprint<'_>,
    lines: &Sheet,
    payments: &Sheet,
    to: &mut Worksheet,
    formats: &Formats,
) -> Result<(), XlsxError> {
    to.set_name("汇总")?;
    // The title is wider than the two columns of figures.
    to.merge_range(0, 0, 0, 3, &heading(run, "拨付计划汇总"), &formats.title)?;
    to.set_row_height(0, 28)?;
    let note = format!("批次号：{}    结算期：{}    金额单位：元", run.run_id, run.period);
    to.write_with_format(1, 0, note, &formats.note)?;
    let sum = |sheet: &Sheet, column: &str| sheet.sum(column).unwrap_or(0);
    let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    let mut row = HEADER;
    let mut put = |label: &str, value: Result<(i64, bool), String>| -> Result<(), XlsxError> {
        to.write_with_format(row, 0, label, &formats.text)?;
        match value {
            Ok((fen, true)) => to.write_with_format(row, 1, yuan_number(fen), &formats.money)?,
            Ok((n, false)) => to.write_with_format(row, 1, whole_number(n), &formats.whole)?,
            Err(text) => to.write_string_with_format(row, 1, text, &formats.text)?,
        };
        row += 1;
        Ok(())
    };
    put("计划行数", Ok((count(lines.rows), false)))?;
    put("应补金额合计", Ok((sum(lines, "gross_fen"), true)))?;
    put("核减金额合计", Ok((sum(lines, "cut_fen"), true)))?;
    put("拨付金额合计", Ok((sum(lines, "payable_fen"), true)))?;
    put("付款笔数", Ok((count(payments.rows), false)))?;
    let paid = sum(payments, "amount_fen");
    put("付款金额合计", Ok((paid, true)))?;
    put("付款金额大写", Err(amount_in_words(Fen(paid))))?;
    put("账号校验和（各付款账号数字之和，末十二位）", Err(account_hash_total(payments)))?;
    for (label, text) in run.release.map(acts).unwrap_or_default() {
        put(label, Err(text))?;
    }
    to.set_column_width(0, 44)?;
    // A hash of 64 digits has to be seen whole.
    to.set_column_width(1, if run.release.is_some() { 72 } else { 44 })?;
    to.set_column_width(2, 22)?;
    to.set_column_width(3, 22)?;
    for (number, word) in (0_u32..).zip(["制单：", "复核：", "审批："]) {
        to.write_with_format(row + 1 + number, 0, word, &formats.sign)?;
    }
    to.set_landscape().set_paper_size(9).set_print_fit_to_pages(1, 1);
    Ok(())
}
