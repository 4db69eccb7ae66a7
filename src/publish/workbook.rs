//! Workbooks for people: `schedule.xlsx` 拨付计划, `notice.xlsx` 公示表, `form.xlsx`.
//!
//! Every page has a title with office and period, a header that stays on the screen and on every
//! printed page, widths that fit Chinese, yuan with two decimals, totals, 人民币大写 and a line to
//! sign. The creation date is the period's end, so that the same run makes the same bytes.

use std::collections::BTreeMap;

use rust_xlsxwriter::{
    DocProperties, ExcelDateTime, Format, FormatAlign, FormatBorder, Workbook, Worksheet, XlsxError,
};

use super::form::{Form, TOTAL, YUAN};
use super::sheet::{Rounded, Sheet, SheetColumn, Values};
use super::widths::{WRAP_WIDTH, column_width, row_height};
use super::workbook_footer::footer;
use super::{Publication, Release};
use crate::domain::texts::{Catalogue, Language};
use crate::domain::{Date, Fen, Month};

/// Columns of a page that still read on A4.
const WIDE: usize = 14;

/// Header row; above it stand the title and the line with run and unit.
pub(super) const HEADER: u32 = 2;

/// Cell formats, made once a workbook.
pub(super) struct Formats {
    pub(super) title: Format,
    pub(super) note: Format,
    header: Format,
    pub(super) text: Format,
    wrapped: Format,
    pub(super) whole: Format,
    pub(super) money: Format,
    date: Format,
    total_text: Format,
    total_whole: Format,
    total_money: Format,
    words: Format,
    pub(super) sign: Format,
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
    /// Texts in the language of the page.
    pub(super) texts: &'a Catalogue,
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
            texts: run.texts,
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
    pub(super) fn note(&self, unit: &str) -> String {
        let period = self.period.to_string();
        let head = self.release.map_or("", |release| &release.ledger.head);
        let values = [("run", self.run_id), ("period", &period), ("unit", unit), ("head", head)];
        self.texts.phrase("book.note", &values)
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
    let lines = readable(lines, items, run.texts).only(&[
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
    let name = run.texts.label("book.schedule");
    let page = Page::in_yuan(run, name, &lines, "payable_fen");
    page.write(run, book.add_worksheet(), &formats)?;
    let payments_shown = readable(payments, items, run.texts);
    let name = run.texts.label("book.payments");
    let page = Page::in_yuan(run, name, &payments_shown, "amount_fen");
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
    let page = Page::in_yuan(run, run.texts.label("book.notice"), notice, "amount_fen");
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
        let page = Page { wraps: true, ..Page::in_yuan(run, name, sheet, money) };
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
    let unit = if form.unit == YUAN { "book.yuan" } else { "book.form_unit" };
    let unit = run.texts.phrase(unit, &[("unit", form.unit_name(run.texts))]);
    let page = Page {
        name: run.texts.label("book.form"),
        title: form_title(run, form),
        sheet,
        money: TOTAL,
        unit: &unit,
        remarks: form.remarks(sheet, run.texts),
        wraps: false,
    };
    page.write(run, book.add_worksheet(), &formats)?;
    book.save_to_buffer()
}

/// Office, the months claimed and what the form is called.
fn form_title(run: &Imprint<'_>, form: &Form) -> String {
    let (first, last) = (run.first, run.period);
    let texts = run.texts;
    let months = if first == last {
        texts.month(first)
    } else {
        let same_year = first.year() == last.year();
        let until = if same_year { texts.month_of_year(last) } else { texts.month(last) };
        texts.phrase("book.months", &[("first", &texts.month(first)), ("last", &until)])
    };
    let values = [("office", run.office), ("months", &months), ("title", &form.title)];
    texts.phrase("book.form_title", &values) + sample_mark(run)
}

/// What says that an invented pack took part.
fn sample_mark<'a>(run: &'a Imprint<'_>) -> &'a str {
    if run.sample { run.texts.label("book.sample") } else { "" }
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
pub(super) fn heading(run: &Imprint<'_>, paper: &str) -> String {
    let month = run.texts.month(run.period);
    let values =
        [("office", run.office), ("month", &month), ("title", run.title), ("paper", paper)];
    run.texts.phrase("book.heading", &values) + sample_mark(run)
}

/// A sheet of the schedule with words for people in place of codes.
fn readable(lines: &Sheet, items: &BTreeMap<&str, &str>, texts: &Catalogue) -> Sheet {
    let mut sheet = lines.clone();
    for column in &mut sheet.columns {
        let word: &dyn Fn(String) -> String = match &*column.name {
            "line_kind" => &|word| texts.label(&format!("kind.{word}")).to_owned(),
            "hold_reason" => &|code| if code.is_empty() { code } else { texts.reason(&code) },
            "item" => &|id| items.get(&*id).map_or_else(|| id.clone(), |name| (*name).to_owned()),
            _ => continue,
        };
        let name = column.name.to_string();
        column.values =
            Values::Text((0..lines.rows).map(|row| word(lines.cell(row, &name))).collect());
    }
    sheet
}

/// The header of a column: sheets carry it in Chinese, the catalogue has it in other languages.
fn header<'a>(column: &'a SheetColumn, texts: &'a Catalogue) -> &'a str {
    match texts.language() {
        Language::Chinese if column.label.is_empty() => &column.name,
        Language::Chinese => &column.label,
        // A form makes its headers itself, in the language of the run.
        Language::English if !texts.has(&format!("column.{}", column.name)) => {
            if column.label.is_empty() { &column.name } else { &column.label }
        }
        Language::English => texts.column(&column.name),
    }
}

fn index(n: usize) -> Result<u32, XlsxError> {
    u32::try_from(n).map_err(|_| XlsxError::RowColumnLimitError)
}

fn column_index(n: usize) -> Result<u16, XlsxError> {
    u16::try_from(n).map_err(|_| XlsxError::RowColumnLimitError)
}

impl<'a> Page<'a> {
    fn in_yuan(run: &'a Imprint<'_>, name: &'a str, sheet: &'a Sheet, money: &'a str) -> Self {
        let (title, unit) = (heading(run, name), run.texts.label("book.yuan"));
        Self { name, title, sheet, money, unit, remarks: Vec::new(), wraps: false }
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
            let label = header(column, run.texts);
            to.write_with_format(HEADER, number, label, &formats.header)?;
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
            let row = index(sheet.rows)? + HEADER + 3;
            sign(run, to, row, column_index(sheet.columns.len())?, formats)?;
        } else {
            self.totals(run, to, formats)?;
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
        to.set_footer(run.texts.label("book.pages"));
        Ok(())
    }

    /// Totals, the amount in words, and the line to sign.
    fn totals(
        &self,
        run: &Imprint<'_>,
        to: &mut Worksheet,
        formats: &Formats,
    ) -> Result<(), XlsxError> {
        let sheet = self.sheet;
        let row = index(sheet.rows)? + HEADER + 1;
        for (number, column) in sheet.columns.iter().enumerate() {
            let at = column_index(number)?;
            let sum = sheet.sum(&column.name);
            match (&column.values, sum) {
                _ if number == 0 => {
                    let total = run.texts.label("book.total");
                    to.write_with_format(row, at, total, &formats.total_text)?
                }
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
        let words = run.texts.words(Fen(fen));
        let words = run.texts.phrase("book.total_words", &[("words", &words)]);
        to.write_with_format(row + 1, 0, words, &formats.words)?;
        for (at, remark) in (row + 2..).zip(&self.remarks) {
            to.write_with_format(at, 0, remark, &formats.note)?;
        }
        let row = row + index(self.remarks.len())?;
        sign(run, to, row + 3, column_index(sheet.columns.len())?, formats)
    }
}

/// Who signs a page: 制单, 复核, 审批.
pub(super) const SIGNED: [&str; 3] = ["book.prepared", "book.checked", "book.authorised"];

/// 制单 / 复核 / 审批 over the width of the page.
fn sign(
    run: &Imprint<'_>,
    to: &mut Worksheet,
    row: u32,
    columns: u16,
    formats: &Formats,
) -> Result<(), XlsxError> {
    for (number, word) in (0_u16..).zip(SIGNED) {
        let word = run.texts.label(word);
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
pub(super) fn yuan_number(fen: i64) -> f64 {
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
pub(super) fn whole_number(whole: i64) -> f64 {
    whole as f64
}
