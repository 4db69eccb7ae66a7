//! How wide columns are and how high rows, for programs that do not measure texts themselves.

use super::sheet::{Sheet, Values};

/// Column widths in half-width characters.
const WIDTH_MIN: usize = 6;
const WIDTH_MAX: usize = 44;
/// The widest column of a page whose texts wrap.
pub(super) const WRAP_WIDTH: u32 = 26;
/// Points of a line of text, and what a row has beside.
const LINE: usize = 15;
const BESIDE: usize = 3;
/// Most lines a row makes room for.
const LINES_MAX: usize = 12;

/// Height of a row, in points, with room for the lines of texts that wrap.
pub(super) fn row_height(sheet: &Sheet, row: usize) -> u32 {
    let widths = sheet.columns.iter().map(|column| text_width(&sheet.cell(row, &column.name)));
    let wide = WRAP_WIDTH as usize;
    let lines = widths.max().unwrap_or(0).div_ceil(wide).clamp(1, LINES_MAX);
    u32::try_from(lines * LINE + BESIDE).unwrap_or(u32::MAX)
}

/// Width of a column in half-width characters: the widest cell, a Chinese character counting two.
pub(super) fn column_width(label: &str, values: &Values) -> u32 {
    // A header wraps onto two lines, so half of it is enough.
    let mut widest = text_width(label).div_ceil(2).max(WIDTH_MIN);
    let mut text = String::new();
    for row in 0..values.len() {
        text.clear();
        values.text(row, &mut text);
        // Yuan show a point and separators that fen do not have.
        let extra = match values {
            Values::Fen(_) | Values::MaybeFen(_) => 2 + text.len() / 3,
            Values::Int(_) | Values::MaybeInt(_) => text.len() / 3,
            _ => 0,
        };
        widest = widest.max(text_width(&text) + extra);
    }
    u32::try_from(widest.min(WIDTH_MAX) + 2).unwrap_or(20)
}

fn text_width(text: &str) -> usize {
    text.chars().map(|c| if u32::from(c) < 0x1100 { 1 } else { 2 }).sum()
}
