//! A value for every pair of two parameters, the larger the darker.

use plotters::element::Rectangle;
use plotters::style::text_anchor::HPos;
use plotters::style::{Color, RGBColor};

use super::canvas::{Area, Canvas, FAINT, Fault, INK, PAPER, Width, block, canvas, write};
use crate::domain::texts::Catalogue;
use crate::publish::page::measure::{Measure, Scale};
use crate::publish::page::table::Table;
use crate::publish::page::text::{fit, width};

/// A heat map. Up to about 24 columns fit a narrow window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heat {
    /// What the value is of, without unit.
    pub value: String,
    /// What the values measure.
    pub measure: Measure,
    /// Name of the parameter from left to right, with its unit.
    pub x: String,
    /// Its settings.
    pub columns: Vec<String>,
    /// Name of the parameter from the top down, with its unit.
    pub y: String,
    /// Its settings.
    pub rows: Vec<String>,
    /// A value for each row and column; `None` where there is none.
    pub cells: Vec<Vec<Option<i64>>>,
}

/// Ends of the colours: light and dark, with no turn between.
const LIGHT: (i64, i64, i64) = (232, 240, 248);
const DARK: (i64, i64, i64) = (16, 46, 84);
/// Colour from which on a text reads better in white, in thousandths of the way to dark.
const WHITE_FROM: i64 = 620;
/// Ink on a cell: between the two colours only black is read well enough.
const BLACK: RGBColor = RGBColor(0, 0, 0);
const BOTTOM: i32 = 46;

fn colour(share: i64) -> RGBColor {
    let part = |from: i64, to: i64| {
        u8::try_from((from + (to - from) * share / 1000).clamp(0, 255)).unwrap_or(0)
    };
    RGBColor(part(LIGHT.0, DARK.0), part(LIGHT.1, DARK.1), part(LIGHT.2, DARK.2))
}

/// The colour a text has on a cell.
fn ink(share: i64) -> RGBColor {
    if share >= WHITE_FROM { PAPER } else { BLACK }
}

impl Heat {
    fn ends(&self) -> (i64, i64) {
        let cells = || self.cells.iter().flatten().copied().flatten();
        (cells().min().unwrap_or(0), cells().max().unwrap_or(0))
    }

    /// Thousandths of the way from the least value to the largest.
    fn share(&self, value: i64) -> i64 {
        let (least, most) = self.ends();
        let span = (i128::from(most) - i128::from(least)).max(1);
        let share = (i128::from(value) - i128::from(least)) * 1000 / span;
        i64::try_from(share).unwrap_or(0)
    }

    pub(super) fn draw(&self, paper: Width, texts: &Catalogue) -> Canvas {
        let (least, most) = self.ends();
        let scale = self.measure.scale(most.max(least.saturating_neg()), texts);
        let labels = self.rows.iter().map(|label| width(label)).max().unwrap_or(0);
        let left = (labels + 12).clamp(24, paper.pixels() / 3);
        let count = |n: usize| i32::try_from(n.max(1)).unwrap_or(1);
        let (columns, rows) = (count(self.columns.len()), count(self.rows.len()));
        let wide = ((paper.pixels() - left - 10) / columns).max(2);
        let high = if paper == Width::Wide { 32 } else { 28 };
        let top = if paper == Width::Wide { 54 } else { 76 };
        let height = top + rows * high + BOTTOM;
        canvas(paper, height, |area| {
            self.legend(area, paper, &scale, texts)?;
            write(area, &self.y, (4, top - 12), FAINT, HPos::Left)?;
            for ((at, label), cells) in (0..).zip(&self.rows).zip(&self.cells) {
                let (head, middle) = (top + at * high, top + at * high + high / 2);
                write(area, &fit(label, left - 10), (left - 6, middle), INK, HPos::Right)?;
                for (number, cell) in (0..).zip(cells) {
                    let from = (left + number * wide, head);
                    self.cell(area, *cell, from, (wide, high), &scale)?;
                }
            }
            // As many settings as find room.
            let widest = self.columns.iter().map(|label| width(label)).max().unwrap_or(0) + 8;
            let every = (widest + wide - 1) / wide;
            for (number, label) in (0..)
                .zip(&self.columns)
                .step_by(count(every.unsigned_abs() as usize).unsigned_abs() as usize)
            {
                let at = (left + number * wide + wide / 2, height - BOTTOM + 12);
                write(area, label, at, INK, HPos::Center)?;
            }
            write(area, &self.x, (left + columns * wide / 2, height - 10), FAINT, HPos::Center)
        })
    }

    fn cell(
        &self,
        area: &Area<'_>,
        cell: Option<i64>,
        from: (i32, i32),
        (wide, high): (i32, i32),
        scale: &Scale,
    ) -> Result<(), Fault> {
        let to = (from.0 + wide - 1, from.1 + high - 1);
        let middle = (from.0 + wide / 2, from.1 + high / 2);
        let Some(value) = cell else {
            area.draw(&Rectangle::new([from, to], FAINT))?;
            return write(area, "–", middle, FAINT, HPos::Center);
        };
        let share = self.share(value);
        area.draw(&Rectangle::new([from, to], colour(share).filled()))?;
        let text = scale.value(value);
        if width(&text) + 6 > wide {
            return Ok(());
        }
        let ink = ink(share);
        write(area, &text, middle, ink, HPos::Center)
    }

    /// What light and dark stand for.
    fn legend(
        &self,
        area: &Area<'_>,
        paper: Width,
        scale: &Scale,
        texts: &Catalogue,
    ) -> Result<(), Fault> {
        let (least, most) = self.ends();
        let title = scale.titled(&self.value, texts);
        write(area, &title, (4, 10), FAINT, HPos::Left)?;
        let (mut x, y) = match paper {
            Width::Wide => (width(&title) + 24, 10),
            Width::Narrow => (4, 32),
        };
        let text = scale.value(least);
        write(area, &text, (x, y), INK, HPos::Left)?;
        x += width(&text) + 8;
        for step in 0..5 {
            block(area, (x, y - 6), (x + 18, y + 6), colour(step * 250))?;
            x += 18;
        }
        write(area, &scale.value(most), (x + 8, y), INK, HPos::Left)
    }

    pub(super) fn table(&self, caption: &str, texts: &Catalogue) -> Table {
        let value = self.measure.titled(&self.value, texts);
        let across =
            texts.phrase("page.heat", &[("caption", caption), ("value", &value), ("x", &self.x)]);
        let mut table = Table::new(across).text(&*self.y);
        for column in &self.columns {
            table = table.number(&**column);
        }
        for (label, cells) in self.rows.iter().zip(&self.cells) {
            let exact =
                |cell: &Option<i64>| cell.map_or("–".to_owned(), |v| self.measure.exact(v));
            let mut row = vec![label.clone()];
            row.extend(cells.iter().map(exact));
            table.rows.push(row);
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// WCAG 2.1, 1.4.3: the lighter to the darker, each plus 0.05.
    #[expect(clippy::disallowed_types, reason = "a measure of colours")]
    fn contrast(a: RGBColor, b: RGBColor) -> f64 {
        let part = |v: u8| {
            let v = f64::from(v) / 255.0;
            if v <= 0.03928 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
        };
        let light = |c: RGBColor| 0.2126 * part(c.0) + 0.7152 * part(c.1) + 0.0722 * part(c.2);
        let (a, b) = (light(a), light(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn a_text_is_read_on_every_cell_and_on_paper() {
        for share in 0..=1000 {
            let found = contrast(colour(share), ink(share));
            assert!(found >= 4.5, "{share}: {found}");
        }
        for text in [INK, FAINT] {
            assert!(contrast(text, PAPER) >= 7.0);
        }
    }
}
