//! Lines, steps and points over a measured axis: cost curves and frontiers.

use std::collections::BTreeSet;

use plotters::element::{Circle, PathElement, Polygon, Rectangle};
use plotters::style::text_anchor::HPos;
use plotters::style::{Color, RGBColor, ShapeStyle};

use super::Axis;
use super::canvas::{
    Area, Canvas, FAINT, Fault, Frame, INK, LEGEND_ROW, PAPER, SERIES, Width, canvas, halo, legend,
    line, marks, near, write,
};
use crate::domain::texts::Catalogue;
use crate::publish::page::table::Table;
use crate::publish::page::text::{fit, width};

/// How the points of a series are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stroke {
    /// By straight lines.
    Line,
    /// By steps: a value holds until the next.
    Step,
    /// Not at all.
    Points,
}

/// One series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Series {
    /// Its name.
    pub label: String,
    /// How its points are joined.
    pub stroke: Stroke,
    /// Points by rising x.
    pub points: Vec<(i64, i64)>,
}

/// A point that is named in the drawing: the baseline, what was chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// Its name.
    pub label: String,
    /// Where it is.
    pub at: (i64, i64),
}

/// A level that is named in the drawing: a budget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guide {
    /// Its name.
    pub label: String,
    /// The value.
    pub at: i64,
}

/// Series over one axis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lines {
    /// From left to right.
    pub x: Axis,
    /// From the bottom up.
    pub y: Axis,
    /// At most six, each with its own mark.
    pub series: Vec<Series>,
    /// Named points.
    pub marks: Vec<Mark>,
    /// Named levels of y.
    pub guides: Vec<Guide>,
}

const BOTTOM: i32 = 46;
/// More points than these are drawn without their marks.
const MARKED: usize = 40;

impl Lines {
    /// Ends of one direction over all that is drawn.
    fn ends(&self, axis: &Axis, pick: impl Fn((i64, i64)) -> i64, more: &[i64]) -> (i64, i64) {
        let points = self.series.iter().flat_map(|series| &series.points).copied();
        let all = points.chain(self.marks.iter().map(|mark| mark.at)).map(pick);
        let all: Vec<i64> =
            all.chain(more.iter().copied()).chain(axis.from_zero.then_some(0)).collect();
        let (least, most) = (all.iter().min(), all.iter().max());
        (least.copied().unwrap_or(0), most.copied().unwrap_or(1))
    }

    pub(super) fn draw(&self, paper: Width, texts: &Catalogue) -> Canvas {
        let guides: Vec<i64> = self.guides.iter().map(|guide| guide.at).collect();
        let x_ends = self.ends(&self.x, |point| point.0, &[]);
        let y_ends = self.ends(&self.y, |point| point.1, &guides);
        let largest = |(least, most): (i64, i64)| most.max(least.saturating_neg());
        let x_scale = self.x.measure.scale(largest(x_ends), texts);
        let y_scale = self.y.measure.scale(largest(y_ends), texts);
        let (x, y) = (marks(x_ends.0, x_ends.1, paper.marks()), marks(y_ends.0, y_ends.1, 6));
        let labels: Vec<&str> = self.series.iter().map(|series| &*series.label).collect();
        let shown: &[&str] = if labels.len() > 1 { &labels } else { &[] };
        let (places, head) = legend(shown, paper);
        let top = head + 26;
        let left = y.iter().map(|mark| width(&y_scale.tick(*mark))).max().unwrap_or(0) + 16;
        let height = head + if paper == Width::Wide { 340 } else { 300 };
        canvas(paper, height, |area| {
            for (number, ((row, at), label)) in places.iter().zip(shown).enumerate() {
                let at = (at + 12, row * LEGEND_ROW + 10);
                if self.series[number].stroke != Stroke::Points {
                    let style = ShapeStyle::from(SERIES[number % SERIES.len()]).stroke_width(2);
                    let ends = vec![(at.0 - 11, at.1), (at.0 + 11, at.1)];
                    area.draw(&PathElement::new(ends, style))?;
                }
                point(area, at, number)?;
                let label = fit(label, paper.pixels() - 34);
                write(area, &label, (at.0 + 17, at.1), INK, HPos::Left)?;
            }
            let title = y_scale.titled(&self.y.title, texts);
            write(area, &title, (4, head + 10), FAINT, HPos::Left)?;
            let frame = Frame {
                x: &x,
                y: &y,
                left,
                right: 28,
                top,
                bottom: BOTTOM,
                x_text: &|value| x_scale.tick(*value),
                y_text: &|value| y_scale.tick(*value),
                x_grid: false,
                y_grid: true,
            };
            let plane = frame.plane(area)?;
            let at = |point: &(i64, i64)| plane.backend_coord(&(near(point.0), near(point.1)));
            let right = paper.pixels() - 28;
            for guide in &self.guides {
                let level = at(&(x[0], guide.at)).1;
                for from in (left..right).step_by(10) {
                    line(area, (from, level), ((from + 6).min(right), level), INK)?;
                }
                let label = fit(&guide.label, right - left - 8);
                halo(area, &label, (right - 4, level - 9), HPos::Right)?;
            }
            for (number, series) in self.series.iter().enumerate() {
                let points: Vec<(i32, i32)> = series.points.iter().map(at).collect();
                let style = ShapeStyle::from(SERIES[number % SERIES.len()]).stroke_width(2);
                let path = match series.stroke {
                    Stroke::Line => points.clone(),
                    Stroke::Step => steps(&points),
                    Stroke::Points => Vec::new(),
                };
                if path.len() > 1 {
                    area.draw(&PathElement::new(path, style))?;
                }
                if series.stroke == Stroke::Points || points.len() <= MARKED {
                    for place in points {
                        point(area, place, number)?;
                    }
                }
            }
            for mark in &self.marks {
                let here = at(&mark.at);
                area.draw(&Circle::new(here, 7, ShapeStyle::from(INK).stroke_width(2)))?;
                let label = fit(&mark.label, right - left - 20);
                let side =
                    if here.0 > i32::midpoint(left, right) { HPos::Right } else { HPos::Left };
                let beside = if matches!(side, HPos::Right) { -11 } else { 11 };
                let above = if here.1 < top + 24 { 14 } else { -14 };
                halo(area, &label, (here.0 + beside, here.1 + above), side)?;
            }
            let title = x_scale.titled(&self.x.title, texts);
            let centre = i32::midpoint(left, right);
            write(area, &title, (centre, height - 10), FAINT, HPos::Center)
        })
    }

    pub(super) fn table(&self, caption: &str, texts: &Catalogue) -> Table {
        let mut table = Table::new(caption).number(self.x.measure.titled(&self.x.title, texts));
        let title = |series: &Series| {
            let name = if self.series.len() > 1 { &series.label } else { &self.y.title };
            self.y.measure.titled(name, texts)
        };
        for series in &self.series {
            table = table.number(title(series));
        }
        // One row a point: a series may hold several of one x.
        let xs: BTreeSet<i64> =
            self.series.iter().flat_map(|series| &series.points).map(|point| point.0).collect();
        for x in xs {
            let of = |series: &Series| -> Vec<i64> {
                let here = series.points.iter().filter(|point| point.0 == x);
                here.map(|point| point.1).collect()
            };
            let values: Vec<Vec<i64>> = self.series.iter().map(of).collect();
            for row in 0..values.iter().map(Vec::len).max().unwrap_or(0) {
                let mut cells = vec![self.x.measure.exact(x)];
                let cell = |values: &Vec<i64>| {
                    values.get(row).map_or(String::new(), |y| self.y.measure.exact(*y))
                };
                cells.extend(values.iter().map(cell));
                table.rows.push(cells);
            }
        }
        for mark in &self.marks {
            let name = texts.phrase("page.mark", &[("label", &mark.label)]);
            let mut cells = vec![format!("{}{name}", self.x.measure.exact(mark.at.0))];
            cells.push(self.y.measure.exact(mark.at.1));
            cells.resize(table.columns.len(), String::new());
            table.rows.push(cells);
        }
        for guide in &self.guides {
            let mut cells = vec![guide.label.clone(), self.y.measure.exact(guide.at)];
            cells.resize(table.columns.len(), String::new());
            table.rows.push(cells);
        }
        table
    }
}

/// A value holds until the next x.
fn steps(points: &[(i32, i32)]) -> Vec<(i32, i32)> {
    let mut path = Vec::with_capacity(points.len() * 2);
    for pair in points.windows(2) {
        path.extend([pair[0], (pair[1].0, pair[0].1)]);
    }
    path.extend(points.last());
    path
}

/// The mark of a series: its shape tells it apart where its colour does not.
fn point(area: &Area<'_>, (x, y): (i32, i32), number: usize) -> Result<(), Fault> {
    let colour: RGBColor = SERIES[number % SERIES.len()];
    let outline = ShapeStyle::from(colour).stroke_width(2);
    match number % 4 {
        0 => area.draw(&Circle::new((x, y), 4, colour.filled())),
        1 => {
            let corners = [(x - 4, y - 4), (x + 4, y + 4)];
            area.draw(&Rectangle::new(corners, PAPER.filled()))?;
            area.draw(&Rectangle::new(corners, outline))
        }
        2 => {
            let corners = vec![(x - 5, y + 4), (x + 5, y + 4), (x, y - 5)];
            area.draw(&Polygon::new(corners, colour.filled()))
        }
        _ => {
            area.draw(&PathElement::new(vec![(x - 4, y - 4), (x + 4, y + 4)], outline))?;
            area.draw(&PathElement::new(vec![(x - 4, y + 4), (x + 4, y - 4)], outline))
        }
    }
}
