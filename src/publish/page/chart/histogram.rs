//! A distribution: how many fall between two values.

use plotters::style::text_anchor::HPos;

use super::Axis;
use super::canvas::{
    Canvas, FAINT, Frame, SERIES, Width, block, blocks_legend, canvas, legend, line, marks, near,
    write,
};
use crate::domain::texts::Catalogue;
use crate::publish::page::measure::Measure;
use crate::publish::page::table::Table;

/// How many values lie at or above `from` and below `until`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bin {
    /// The least value.
    pub from: i64,
    /// The value it ends before.
    pub until: i64,
    /// How many.
    pub count: u64,
}

/// A distribution. Where values lie on both sides of zero, the sides have two colours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Histogram {
    /// What is counted, with its unit: `机构数（家）`.
    pub counted: String,
    /// What the values measure.
    pub axis: Axis,
    /// Names of the values below zero and of the others; shown where there are both.
    pub sides: [String; 2],
    /// Bins from the least value up.
    pub bins: Vec<Bin>,
}

const BOTTOM: i32 = 44;

impl Histogram {
    /// Bins of round width over the values, about so many, none of them on both sides of zero.
    #[must_use]
    pub fn bins(values: &[i64], about: i64) -> Vec<Bin> {
        let drawn = || values.iter().map(|value| near(*value));
        let (Some(least), Some(most)) = (drawn().min(), drawn().max()) else { return Vec::new() };
        // The last bin ends before its mark: the largest value has to lie below it.
        let edges = marks(least, most + 1, about);
        let mut bins: Vec<Bin> =
            edges.windows(2).map(|edge| Bin { from: edge[0], until: edge[1], count: 0 }).collect();
        for value in drawn() {
            let after = bins.partition_point(|bin| bin.from <= value);
            if let Some(bin) = after.checked_sub(1).and_then(|at| bins.get_mut(at)) {
                bin.count += 1;
            }
        }
        bins
    }

    fn has_both_sides(&self) -> bool {
        let counted = || self.bins.iter().filter(|bin| bin.count > 0);
        counted().any(|bin| bin.from < 0) && counted().any(|bin| bin.from >= 0)
    }

    pub(super) fn draw(&self, paper: Width, texts: &Catalogue) -> Canvas {
        let edges = self.bins.iter().flat_map(|bin| [bin.from, bin.until]);
        let (least, most) = (edges.clone().min().unwrap_or(0), edges.max().unwrap_or(1));
        let count = |bin: &Bin| i64::try_from(bin.count).unwrap_or(i64::MAX);
        let highest = self.bins.iter().map(count).max().unwrap_or(0).max(1);
        let scale = self.axis.measure.scale(most.max(least.saturating_neg()), texts);
        let counts = Measure::count("");
        let y = marks(0, highest, 4);
        let y_text = |value: &i64| counts.exact(*value);
        let both = self.has_both_sides();
        let sides: Vec<&str> = self.sides.iter().map(String::as_str).collect();
        let shown: &[&str] = if both { &sides } else { &[] };
        let head = legend(shown, paper).1;
        let height = head + if paper == Width::Wide { 300 } else { 260 };
        canvas(paper, height, |area| {
            let colours = [SERIES[1], SERIES[0]];
            let entries: Vec<_> = shown.iter().copied().zip(colours).collect();
            blocks_legend(area, &entries, paper)?;
            write(area, &self.counted, (4, head + 10), FAINT, HPos::Left)?;
            let x = marks(least, most, paper.marks());
            let frame = Frame {
                x: &x,
                y: &y,
                left: 56,
                right: 26,
                top: head + 26,
                bottom: BOTTOM,
                x_text: &|value| scale.tick(*value),
                y_text: &y_text,
                x_grid: false,
                y_grid: true,
            };
            let plane = frame.plane(area)?;
            for bin in self.bins.iter().filter(|bin| bin.count > 0) {
                let colour = if both && bin.from < 0 { colours[0] } else { colours[1] };
                let from = plane.backend_coord(&(bin.from, count(bin)));
                let to = plane.backend_coord(&(bin.until, 0));
                block(area, (from.0 + 1, from.1), (to.0 - 1, to.1), colour)?;
            }
            if least < 0 && most > 0 {
                let zero = plane.backend_coord(&(0, 0));
                line(area, (zero.0, head + 26), zero, FAINT)?;
            }
            let title = scale.titled(&self.axis.title, texts);
            let centre = i32::midpoint(56, paper.pixels() - 26);
            write(area, &title, (centre, height - 10), FAINT, HPos::Center)
        })
    }

    pub(super) fn table(&self, caption: &str, texts: &Catalogue) -> Table {
        let measure = &self.axis.measure;
        let mut table = Table::new(caption)
            .text(measure.titled(&self.axis.title, texts))
            .number(&*self.counted);
        for bin in &self.bins {
            let (from, until) = (measure.exact(bin.from), measure.exact(bin.until));
            let span = texts.phrase("page.bin", &[("from", &from), ("until", &until)]);
            table.rows.push(vec![span, bin.count.to_string()]);
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_in_one_bin_and_zero_parts_them() {
        let bins = Histogram::bins(&[-12, -1, 0, 9, 10, 30], 5);
        let told: Vec<_> = bins.iter().map(|bin| (bin.from, bin.until, bin.count)).collect();
        // 43 wide in about five: tens.
        assert_eq!(
            told,
            [(-20, -10, 1), (-10, 0, 1), (0, 10, 2), (10, 20, 1), (20, 30, 0), (30, 40, 1)]
        );
        assert_eq!(Histogram::bins(&[], 5), []);
        let one = Histogram::bins(&[7, 7], 5);
        assert_eq!(one.iter().map(|bin| bin.count).sum::<u64>(), 2);
    }
}
