//! Charts of a page, drawn as SVG from whole numbers.
//!
//! In: numbers and labels. Out: two drawings of the same, and the table of what is drawn. Order:
//! written by the page. Never: computes an amount, drops a number that the table then shows.
//!
//! Colours differ in lightness, so that they survive a printer without colours, and nothing is
//! told by colour alone.

mod bars;
mod canvas;
mod heat;
mod histogram;
mod lines;
mod ranges;

use std::fmt::Write as _;

pub use bars::{Bar, Bars};
pub use heat::Heat;
pub use histogram::{Bin, Histogram};
pub use lines::{Guide, Lines, Mark, Series, Stroke};
pub use ranges::{Range, Ranges};

use super::measure::Measure;
use super::table::Table;
use super::{clean, escape};
use crate::domain::texts::Catalogue;
use canvas::{Canvas, Width};

/// An axis: what it measures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Axis {
    /// Its title, without unit.
    pub title: String,
    /// What its numbers are.
    pub measure: Measure,
    /// Whether it must show zero.
    pub from_zero: bool,
}

impl Axis {
    /// An axis that shows zero.
    pub fn from_zero(title: impl Into<String>, measure: Measure) -> Self {
        Self { title: title.into(), measure, from_zero: true }
    }

    /// An axis that shows the numbers it has, and no more.
    pub fn close(title: impl Into<String>, measure: Measure) -> Self {
        Self { title: title.into(), measure, from_zero: false }
    }
}

/// What is drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plot {
    /// Lines, steps or points over a measured axis: a cost curve, a frontier.
    Lines(Lines),
    /// Bars from left to right, in one piece or in parts: a composition, deltas by institution.
    Bars(Bars),
    /// How many fall between two values: a distribution.
    Histogram(Histogram),
    /// A value for every pair of two parameters.
    Heat(Heat),
    /// What a result moves between while one parameter does: sensitivity.
    Ranges(Ranges),
}

/// A chart with its title and, for who cannot see it, what it shows in a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chart {
    /// Title.
    pub title: String,
    /// What is to be seen.
    pub says: String,
    /// What is drawn.
    pub plot: Plot,
}

impl Chart {
    /// A chart.
    pub fn new(title: impl Into<String>, says: impl Into<String>, plot: Plot) -> Self {
        Self { title: title.into(), says: says.into(), plot }
    }

    /// Both drawings. Only one is ever shown; the other is hidden from every reader.
    pub(super) fn write(&self, number: usize, texts: &Catalogue, out: &mut String) {
        for width in [Width::Wide, Width::Narrow] {
            let canvas = match &self.plot {
                Plot::Lines(plot) => plot.draw(width, texts),
                Plot::Bars(plot) => plot.draw(width, texts),
                Plot::Histogram(plot) => plot.draw(width, texts),
                Plot::Heat(plot) => plot.draw(width, texts),
                Plot::Ranges(plot) => plot.draw(width, texts),
            };
            let Canvas { svg, height } = canvas;
            let (class, pixels) = (width.class(), width.pixels());
            let id = format!("c{number}{}", &class[..1]);
            let _ = write!(
                out,
                "<svg class=\"{class}\" viewBox=\"0 0 {pixels} {height}\" role=\"img\" \
                 aria-labelledby=\"{id}t {id}d\">\n<title id=\"{id}t\">{}</title>\n\
                 <desc id=\"{id}d\">{}</desc>\n{svg}</svg>\n",
                escape(&self.title),
                escape(&self.says),
            );
        }
    }

    /// The figures that are drawn, in full.
    #[must_use]
    pub fn table(&self, texts: &Catalogue) -> Table {
        let caption = &*self.title;
        match &self.plot {
            Plot::Lines(plot) => plot.table(caption, texts),
            Plot::Bars(plot) => plot.table(caption, texts),
            Plot::Histogram(plot) => plot.table(caption, texts),
            Plot::Heat(plot) => plot.table(caption, texts),
            Plot::Ranges(plot) => plot.table(caption, texts),
        }
    }
}
