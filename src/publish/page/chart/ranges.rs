//! Sensitivity: what a result moves between while one parameter does, the widest at the top.

use plotters::style::text_anchor::HPos;

use super::Axis;
use super::canvas::{
    Canvas, FAINT, Frame, INK, SERIES, Width, block, blocks_legend, canvas, halo, legend, line,
    marks, near, write,
};
use crate::domain::texts::Catalogue;
use crate::publish::page::table::Table;
use crate::publish::page::text::{fit, width};

/// One parameter: its two settings and the results under them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    /// The parameter.
    pub label: String,
    /// The low setting, as text.
    pub low: String,
    /// The result under it.
    pub low_value: i64,
    /// The high setting, as text.
    pub high: String,
    /// The result under it.
    pub high_value: i64,
}

/// Ranges around the result of the baseline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ranges {
    /// What is measured.
    pub axis: Axis,
    /// The result of the baseline.
    pub centre: i64,
    /// Parameters, from the top down.
    pub rows: Vec<Range>,
}

const BOTTOM: i32 = 44;

impl Ranges {
    pub(super) fn draw(&self, paper: Width, texts: &Catalogue) -> Canvas {
        let ends = self.rows.iter().flat_map(|row| [row.low_value, row.high_value]);
        let (least, most) =
            ends.fold((self.centre, self.centre), |(l, m), value| (l.min(value), m.max(value)));
        let scale = self.axis.measure.scale(most.max(least.saturating_neg()), texts);
        let sides = [texts.label("page.range_low"), texts.label("page.range_high")];
        let labels = self.rows.iter().map(|row| width(&row.label)).max().unwrap_or(0);
        let settings = self.rows.iter().flat_map(|row| [width(&row.low), width(&row.high)]);
        let settings = settings.max().unwrap_or(0) + 10;
        let (left, row, middle) = match paper {
            Width::Wide => ((labels + 14).clamp(60, 230), 30, 15),
            Width::Narrow => (4, 44, 32),
        };
        let top = legend(&sides, paper).1;
        let rows = i32::try_from(self.rows.len()).unwrap_or(i32::MAX / 64);
        let height = top + rows * row + BOTTOM;
        canvas(paper, height, |area| {
            let entries = [(sides[0], SERIES[2]), (sides[1], SERIES[0])];
            blocks_legend(area, &entries, paper)?;
            let x = marks(least, most, paper.marks());
            // Beside the plane there is room for the settings at the ends of the longest bar.
            let frame = Frame {
                x: &x,
                y: &[0, 1],
                left: left + settings,
                right: settings.max(24),
                top,
                bottom: BOTTOM,
                x_text: &|value| scale.tick(*value),
                y_text: &|_| String::new(),
                x_grid: true,
                y_grid: false,
            };
            let plane = frame.plane(area)?;
            let at = |value: i64| plane.backend_coord(&(near(value), 0)).0;
            let centre = at(self.centre);
            for (number, range) in (0_i32..).zip(&self.rows) {
                let head = top + number * row;
                let middle = head + middle;
                match paper {
                    Width::Wide => {
                        let label = fit(&range.label, left - 12);
                        write(area, &label, (left - 8, middle), INK, HPos::Right)?;
                    }
                    Width::Narrow => {
                        let label = fit(&range.label, paper.pixels() - 12);
                        halo(area, &label, (left, head + 12), HPos::Left)?;
                    }
                }
                let ends = [
                    (range.low_value, &range.low, SERIES[2]),
                    (range.high_value, &range.high, SERIES[0]),
                ];
                for (value, setting, colour) in ends {
                    let end = at(value);
                    if end != centre {
                        let (from, to) = (end.min(centre), end.max(centre));
                        block(area, (from, middle - 8), (to, middle + 8), colour)?;
                    }
                    let to_left =
                        value < self.centre || (value == self.centre && setting == &range.low);
                    let (x, side) =
                        if to_left { (end - 5, HPos::Right) } else { (end + 5, HPos::Left) };
                    write(area, setting, (x, middle), INK, side)?;
                }
            }
            line(area, (centre, top), (centre, height - BOTTOM), INK)?;
            let title = scale.titled(&self.axis.title, texts);
            let middle = i32::midpoint(left + settings, paper.pixels() - settings.max(24));
            write(area, &title, (middle, height - 10), FAINT, HPos::Center)
        })
    }

    pub(super) fn table(&self, caption: &str, texts: &Catalogue) -> Table {
        let measure = &self.axis.measure;
        let label = |key: &'static str| texts.label(key);
        let baseline = measure.exact(self.centre);
        let caption = texts.phrase("page.ranges", &[("caption", caption), ("baseline", &baseline)]);
        let mut table = Table::new(caption)
            .text(label("page.parameter"))
            .number(label("page.range_low"))
            .number(measure.titled(&self.axis.title, texts))
            .number(label("page.range_high"))
            .number(measure.titled(&self.axis.title, texts));
        for row in &self.rows {
            table.rows.push(vec![
                row.label.clone(),
                row.low.clone(),
                measure.exact(row.low_value),
                row.high.clone(),
                measure.exact(row.high_value),
            ]);
        }
        table
    }
}
