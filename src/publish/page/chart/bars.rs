//! Bars from left to right: one a row, in one piece or in parts.

use plotters::style::text_anchor::HPos;

use super::Axis;
use super::canvas::{
    Area, Canvas, FAINT, Fault, Frame, INK, SERIES, Width, block, blocks_legend, canvas, halo,
    legend, line, marks, near, write,
};
use crate::domain::texts::Catalogue;
use crate::publish::page::table::Table;
use crate::publish::page::text::{fit, width};

/// One row of [`Bars`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bar {
    /// What the row is of.
    pub label: String,
    /// A value for each part.
    pub parts: Vec<i64>,
}

impl Bar {
    /// A bar in one piece.
    pub fn new(label: impl Into<String>, value: i64) -> Self {
        Self { label: label.into(), parts: vec![value] }
    }

    fn total(&self) -> i64 {
        self.parts.iter().fold(0, |sum: i64, part| sum.saturating_add(*part))
    }

    /// How far the bar reaches below and above zero.
    fn reach(&self) -> (i64, i64) {
        self.parts.iter().fold((0_i64, 0_i64), |(below, above), part| {
            if *part < 0 {
                (below.saturating_add(*part), above)
            } else {
                (below, above.saturating_add(*part))
            }
        })
    }
}

/// Bars from left to right, in the order given; parts are laid end to end, those below zero to the
/// left of it. About thirty rows read well; who has more shows the first and says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bars {
    /// What rows are of.
    pub of: String,
    /// What is measured.
    pub axis: Axis,
    /// Names of the parts; one for bars in one piece.
    pub parts: Vec<String>,
    /// Rows from the top down.
    pub rows: Vec<Bar>,
}

/// Sizes in pixels.
struct Sizes {
    top: i32,
    left: i32,
    right: i32,
    row: i32,
    /// Half of a bar's thickness.
    half: i32,
    /// From a row's top to the middle of its bar.
    middle: i32,
}

const BOTTOM: i32 = 44;

impl Bars {
    pub(super) fn draw(&self, paper: Width, texts: &Catalogue) -> Canvas {
        let reach = self.rows.iter().map(Bar::reach);
        let (least, most) =
            reach.fold((0, 0), |(l, m), (below, above)| (l.min(below), m.max(above)));
        let scale = self.axis.measure.scale(most.max(least.saturating_neg()), texts);
        let values: Vec<String> = self.rows.iter().map(|row| scale.value(row.total())).collect();
        let parts: Vec<&str> = self.parts.iter().map(String::as_str).collect();
        let shown = if parts.len() > 1 { &*parts } else { &[] };
        let widest = values.iter().map(|value| width(value)).max().unwrap_or(0);
        let labels = self.rows.iter().map(|row| width(&row.label)).max().unwrap_or(0);
        let top = legend(shown, paper).1;
        let sizes = match paper {
            Width::Wide => {
                let left = (labels + 14).clamp(60, 250);
                Sizes { top, left, right: widest + 14, row: 28, half: 8, middle: 14 }
            }
            // The label has a line of its own over the bar.
            Width::Narrow => {
                Sizes { top, left: 8, right: widest + 12, row: 42, half: 7, middle: 30 }
            }
        };
        let rows = i32::try_from(self.rows.len()).unwrap_or(i32::MAX / 64);
        let height = sizes.top + rows * sizes.row + BOTTOM;
        canvas(paper, height, |area| {
            let entries: Vec<_> = shown.iter().copied().zip(SERIES.into_iter().cycle()).collect();
            blocks_legend(area, &entries, paper)?;
            let x = marks(least, most.max(least.saturating_add(1)), paper.marks());
            let frame = Frame {
                x: &x,
                y: &[0, 1],
                left: sizes.left,
                right: sizes.right,
                top: sizes.top,
                bottom: BOTTOM,
                x_text: &|value| scale.tick(*value),
                y_text: &|_| String::new(),
                x_grid: true,
                y_grid: false,
            };
            let plane = frame.plane(area)?;
            let at = |value: i64| plane.backend_coord(&(near(value), 0)).0;
            let bottom = height - BOTTOM;
            for ((row, bar), value) in (0_i32..).zip(&self.rows).zip(&values) {
                let head = sizes.top + row * sizes.row;
                let middle = head + sizes.middle;
                match paper {
                    Width::Wide => {
                        let label = fit(&bar.label, sizes.left - 12);
                        write(area, &label, (sizes.left - 8, middle), INK, HPos::Right)?;
                    }
                    Width::Narrow => {
                        let label = fit(&bar.label, paper.pixels() - 12);
                        halo(area, &label, (sizes.left, head + 12), HPos::Left)?;
                    }
                }
                bar.draw(area, &at, middle, sizes.half)?;
                let edge = paper.pixels() - 4;
                write(area, value, (edge, middle), INK, HPos::Right)?;
            }
            line(area, (at(0), sizes.top), (at(0), bottom), FAINT)?;
            let title = scale.titled(&self.axis.title, texts);
            let centre = i32::midpoint(sizes.left, paper.pixels() - sizes.right);
            let centre = if paper == Width::Wide { centre } else { paper.pixels() / 2 };
            write(area, &title, (centre, height - 10), FAINT, HPos::Center)
        })
    }

    pub(super) fn table(&self, caption: &str, texts: &Catalogue) -> Table {
        let mut table = Table::new(caption).text(&*self.of);
        for part in &self.parts {
            table = table.number(self.axis.measure.titled(part, texts));
        }
        let sums = self.parts.len() > 1;
        if sums {
            let total = texts.label("page.total");
            table = table.number(self.axis.measure.titled(total, texts));
        }
        let exact = |value: i64| self.axis.measure.exact(value);
        for row in &self.rows {
            let mut cells = vec![row.label.clone()];
            cells.extend(row.parts.iter().map(|part| exact(*part)));
            cells.extend(sums.then(|| exact(row.total())));
            table.rows.push(cells);
        }
        table
    }
}

impl Bar {
    fn draw(
        &self,
        area: &Area<'_>,
        at: &dyn Fn(i64) -> i32,
        middle: i32,
        half: i32,
    ) -> Result<(), Fault> {
        let (mut below, mut above) = (0_i64, 0_i64);
        for (part, colour) in self.parts.iter().zip(SERIES.into_iter().cycle()) {
            let edge = if *part < 0 { &mut below } else { &mut above };
            let from = *edge;
            *edge = edge.saturating_add(*part);
            if *part != 0 {
                let (left, right) = (from.min(*edge), from.max(*edge));
                let (left, right) = (at(left), at(right).max(at(left) + 1));
                block(area, (left, middle - half), (right, middle + half), colour)?;
            }
        }
        Ok(())
    }
}
