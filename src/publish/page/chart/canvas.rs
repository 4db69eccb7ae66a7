//! What every chart is drawn with: a sheet of SVG, a plane of whole numbers on it, axes, legends.

use plotters::backend::SVGBackend;
use plotters::chart::{ChartBuilder, ChartContext, LabelAreaPosition};
use plotters::coord::Shift;
use plotters::coord::cartesian::Cartesian2d;
use plotters::coord::combinators::{BindKeyPoints, WithKeyPoints};
use plotters::coord::types::RangedCoordi64;
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind, IntoDrawingArea};
use plotters::element::{PathElement, Rectangle, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, IntoFont, RGBColor, ShapeStyle, TextStyle};

use super::super::measure::Scale;
use super::super::text::{fit, width};

/// Why a drawing fails: it cannot, into memory.
pub(super) type Fault = DrawingAreaErrorKind<std::io::Error>;
pub(super) type Area<'s> = DrawingArea<SVGBackend<'s>, Shift>;
type Coord = WithKeyPoints<RangedCoordi64>;
pub(super) type Plane<'a, 's> = ChartContext<'a, SVGBackend<'s>, Cartesian2d<Coord, Coord>>;

/// Numbers are drawn up to here, so that the plane can subtract its ends.
const FURTHEST: i64 = 1_000_000_000_000_000_000;

pub(super) const INK: RGBColor = RGBColor(26, 26, 26);
pub(super) const FAINT: RGBColor = RGBColor(89, 89, 89);
pub(super) const GRID: RGBColor = RGBColor(221, 225, 230);
pub(super) const PAPER: RGBColor = RGBColor(255, 255, 255);
/// Of parts and series: from dark to light, hues apart; outlined where they are light.
pub(super) const SERIES: [RGBColor; 6] = [
    RGBColor(23, 55, 94),
    RGBColor(200, 106, 26),
    RGBColor(143, 188, 219),
    RGBColor(96, 96, 96),
    RGBColor(244, 208, 120),
    RGBColor(120, 160, 90),
];

/// A drawing of the sheet's own size.
pub(super) struct Canvas {
    pub(super) svg: String,
    pub(super) height: i32,
}

/// For which window a chart is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Width {
    Wide,
    Narrow,
}

impl Width {
    pub(super) const fn pixels(self) -> i32 {
        match self {
            Self::Wide => 760,
            Self::Narrow => 350,
        }
    }

    pub(super) const fn class(self) -> &'static str {
        match self {
            Self::Wide => "wide",
            Self::Narrow => "narrow",
        }
    }
}

/// Draws on a sheet of that size.
pub(super) fn canvas(
    width: Width,
    height: i32,
    draw: impl FnOnce(&Area<'_>) -> Result<(), Fault>,
) -> Canvas {
    let mut svg = String::with_capacity(8 << 10);
    let size = (width.pixels().unsigned_abs(), height.unsigned_abs());
    {
        let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        draw(&area).and_then(|()| area.present()).expect("a drawing in memory does not fail");
    }
    // The page writes the outer tag itself, with what it says to who cannot see it; the style of
    // the page names the one font, and nothing is half transparent.
    let inner = svg.split_once('>').map_or("", |(_, rest)| rest).trim_start();
    let inner = inner.trim_end().trim_end_matches("</svg>");
    let font = " font-family=\"sans-serif\" font-size=\"10\"";
    Canvas { svg: inner.replace(font, "").replace(" opacity=\"1\"", ""), height }
}

/// Marks of an axis that reach over `least` and `most`: round numbers, evenly apart.
pub(super) fn marks(least: i64, most: i64, about: i64) -> Vec<i64> {
    let (least, most) = (least.clamp(-FURTHEST, FURTHEST - 1), most.clamp(-FURTHEST, FURTHEST));
    let (least, most) = if least < most { (least, most) } else { (least, least + 1) };
    let span = most - least;
    let mut step = 1_i64;
    for factor in [2, 5, 10].into_iter().cycle() {
        if span / step <= about {
            break;
        }
        let power = 10_i64.pow(step.ilog10());
        step = power * factor;
    }
    let first = least.div_euclid(step) * step;
    let count = (most - first + step - 1) / step;
    (0..=count).map(|at| first + at * step).collect()
}

/// Marks of an axis from left to right over that many pixels: as many as are read apart, at
/// most eight.
pub(super) fn fitting_marks(ends: (i64, i64), pixels: i32, scale: &Scale) -> Vec<i64> {
    let mut found = Vec::new();
    for about in (1..=7).rev() {
        found = marks(ends.0, ends.1, about);
        let widest = found.iter().map(|mark| width(&scale.tick(*mark))).max().unwrap_or(0);
        let count = i32::try_from(found.len()).unwrap_or(i32::MAX / 1024);
        if count.saturating_mul(widest + 16) <= pixels {
            break;
        }
    }
    found
}

/// A number where the plane can draw it.
pub(super) const fn near(value: i64) -> i64 {
    if value > FURTHEST {
        FURTHEST
    } else if value < -FURTHEST {
        -FURTHEST
    } else {
        value
    }
}

/// A plane over marks in both directions, with its grid.
pub(super) struct Frame<'m> {
    pub(super) x: &'m [i64],
    pub(super) y: &'m [i64],
    /// Pixels left, right, top and bottom of the plane.
    pub(super) left: i32,
    pub(super) right: i32,
    pub(super) top: i32,
    pub(super) bottom: i32,
    pub(super) x_text: &'m dyn Fn(&i64) -> String,
    pub(super) y_text: &'m dyn Fn(&i64) -> String,
    /// Whether lines run through the marks.
    pub(super) x_grid: bool,
    pub(super) y_grid: bool,
}

impl Frame<'_> {
    pub(super) fn plane<'a, 's>(&self, area: &'a Area<'s>) -> Result<Plane<'a, 's>, Fault> {
        let ends = |marks: &[i64]| {
            let (first, last) = (marks.first(), marks.last());
            first.copied().unwrap_or(0)..last.copied().unwrap_or(1)
        };
        let mut plane = ChartBuilder::on(area)
            .margin_top(self.top)
            .margin_right(self.right)
            .set_label_area_size(LabelAreaPosition::Left, self.left)
            .set_label_area_size(LabelAreaPosition::Bottom, self.bottom)
            .build_cartesian_2d(
                ends(self.x).with_key_points(self.x.to_vec()),
                ends(self.y).with_key_points(self.y.to_vec()),
            )?;
        let mut mesh = plane.configure_mesh();
        mesh.x_max_light_lines(0)
            .y_max_light_lines(0)
            .bold_line_style(GRID)
            .axis_style(FAINT)
            .set_all_tick_mark_size(4)
            .label_style(style(FAINT, HPos::Left))
            .x_label_formatter(self.x_text)
            .y_label_formatter(self.y_text);
        if !self.x_grid {
            mesh.disable_x_mesh();
        }
        if !self.y_grid {
            mesh.disable_y_mesh();
        }
        mesh.draw()?;
        drop(mesh);
        Ok(plane)
    }
}

/// The one style of texts: the page's style sheet gives font and size.
pub(super) fn style<'t>(colour: RGBColor, side: HPos) -> TextStyle<'t> {
    // The drawing divides it by 1.24, which makes ten.
    ("sans-serif", 12.4).into_font().color(&colour).pos(Pos::new(side, VPos::Center))
}

/// A text at a pixel, its middle line there.
pub(super) fn write(
    area: &Area<'_>,
    text: &str,
    at: (i32, i32),
    colour: RGBColor,
    side: HPos,
) -> Result<(), Fault> {
    area.draw(&Text::new(super::clean(text).into_owned(), at, style(colour, side)))
}

/// A text on a strip of paper, so that lines do not run through it.
pub(super) fn halo(area: &Area<'_>, text: &str, at: (i32, i32), side: HPos) -> Result<(), Fault> {
    let wide = width(text) + 4;
    let from = if matches!(side, HPos::Right) { at.0 - wide } else { at.0 - 2 };
    let strip = [(from, at.1 - 8), (from + wide, at.1 + 7)];
    area.draw(&Rectangle::new(strip, PAPER.filled()))?;
    write(area, text, at, INK, side)
}

/// A bar between two pixels, outlined so that light colours stand out.
pub(super) fn block(
    area: &Area<'_>,
    from: (i32, i32),
    to: (i32, i32),
    colour: RGBColor,
) -> Result<(), Fault> {
    area.draw(&Rectangle::new([from, to], colour.filled()))?;
    area.draw(&Rectangle::new([from, to], ShapeStyle::from(INK).stroke_width(1)))
}

/// A line between two pixels.
pub(super) fn line(
    area: &Area<'_>,
    from: (i32, i32),
    to: (i32, i32),
    colour: RGBColor,
) -> Result<(), Fault> {
    area.draw(&PathElement::new(vec![from, to], ShapeStyle::from(colour).stroke_width(1)))
}

/// Pixels of a legend's row.
pub(super) const LEGEND_ROW: i32 = 20;

/// Where the entries of a legend stand: row and pixel from the left.
pub(super) fn legend(labels: &[&str], paper: Width) -> (Vec<(i32, i32)>, i32) {
    let (mut places, mut row, mut at) = (Vec::with_capacity(labels.len()), 0, 0);
    for label in labels {
        let wide = (width(label) + 42).min(paper.pixels());
        if at > 0 && at + wide > paper.pixels() {
            (row, at) = (row + 1, 0);
        }
        places.push((row, at));
        at += wide;
    }
    (places, if labels.is_empty() { 0 } else { (row + 1) * LEGEND_ROW + 4 })
}

/// Draws a legend of blocks at the top of the sheet.
pub(super) fn blocks_legend(
    area: &Area<'_>,
    entries: &[(&str, RGBColor)],
    paper: Width,
) -> Result<(), Fault> {
    let labels: Vec<&str> = entries.iter().map(|(label, _)| *label).collect();
    for ((row, at), (label, colour)) in legend(&labels, paper).0.into_iter().zip(entries) {
        let y = row * LEGEND_ROW + 10;
        block(area, (at + 1, y - 6), (at + 13, y + 6), *colour)?;
        write(area, &fit(label, paper.pixels() - 24), (at + 20, y), INK, HPos::Left)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_round_and_reach_over_what_is_drawn() {
        for (least, most, about, want) in [
            (0, 100, 5, vec![0, 20, 40, 60, 80, 100]),
            (0, 101, 5, vec![0, 20, 40, 60, 80, 100, 120]),
            (-37, 112, 7, vec![-40, -20, 0, 20, 40, 60, 80, 100, 120]),
            (5, 5, 5, vec![5, 6]),
            (0, 3, 7, vec![0, 1, 2, 3]),
            (999, 1001, 3, vec![999, 1000, 1001]),
        ] {
            assert_eq!(marks(least, most, about), want, "{least} to {most}");
        }
        let far = marks(i64::MIN, i64::MAX, 5);
        assert!(far.len() <= 8 && far[0] <= -FURTHEST && *far.last().unwrap() >= FURTHEST);
    }
}
