//! The scenarios of a job: as written, every combination of a grid, drawn by lot.

use super::desk::Scenario;
use crate::job::{Axis, Combined, Drawn, TuneJob};
use crate::law::OverlayText;

/// A scenario with what people see of it.
#[derive(Debug, Clone)]
pub(super) struct Planned {
    /// The scenario.
    pub scenario: Scenario,
    /// Title for people.
    pub title: String,
    /// Grid or draw it belongs to, or empty.
    pub group: String,
    /// Places on the ranges of the grid or draw.
    pub places: Vec<usize>,
}

/// All scenarios of a job, in the order of the file: listed, grids, draws.
pub(super) fn scenarios(job: &TuneJob) -> Vec<Planned> {
    let listed = job.scenarios.iter().map(|of| Planned {
        scenario: Scenario {
            id: of.id.clone(),
            overlays: of
                .overlays
                .iter()
                .map(|(name, text)| OverlayText { name: name.clone(), text: text.clone() })
                .collect(),
            planned: job.planned || of.planned,
        },
        title: of.title.clone(),
        group: String::new(),
        places: Vec::new(),
    });
    let grids = job.grids.iter().flat_map(|grid| {
        combinations(&grid.axes).into_iter().zip(1_usize..).map(|(places, number)| {
            combined(grid, format!("{}.{number}", grid.id), places, job.planned)
        })
    });
    let drawn = job.drawn.iter().flat_map(|of| {
        draws(of).into_iter().zip(1_usize..).map(|(places, number)| {
            combined(&of.of, format!("{}.{number}", of.of.id), places, job.planned)
        })
    });
    listed.chain(grids).chain(drawn).collect()
}

fn combined(grid: &Combined, id: String, places: Vec<usize>, planned: bool) -> Planned {
    let values: Vec<String> =
        grid.axes.iter().zip(&places).map(|(axis, at)| told(axis, *at)).collect();
    let overlay = overlay(&grid.axes, &places);
    Planned {
        scenario: Scenario {
            overlays: vec![OverlayText { name: id.clone(), text: overlay }],
            planned: planned || grid.planned,
            id,
        },
        title: values.join("; "),
        group: grid.id.clone(),
        places,
    }
}

/// A range and its value as people read them.
fn told(axis: &Axis, at: usize) -> String {
    let sign = match axis.by {
        crate::job::By::Set => " = ",
        crate::job::By::Times => " × ",
        crate::job::By::Add => " + ",
    };
    format!("{}{sign}{}", axis.name(), axis.value(at))
}

/// The overlay of a point: one after the other, the ranges of the point.
pub(super) fn overlay(axes: &[Axis], places: &[usize]) -> String {
    axes.iter().zip(places).map(|(axis, at)| axis.overlay(*at)).collect()
}

/// Places of all combinations, the first range slowest.
fn combinations(axes: &[Axis]) -> Vec<Vec<usize>> {
    let mut all = vec![Vec::new()];
    for axis in axes {
        let longer = |places: &Vec<usize>| {
            let places = places.clone();
            (0..axis.values.len()).map(move |at| [places.as_slice(), &[at]].concat())
        };
        all = all.iter().flat_map(longer).collect();
    }
    all
}

/// Places drawn by lot: the same for the same seed on every machine.
fn draws(of: &Drawn) -> Vec<Vec<usize>> {
    let mut lot = Lot(of.seed);
    (0..of.count)
        .map(|_| of.of.axes.iter().map(|axis| lot.below(axis.values.len())).collect())
        .collect()
}

/// `SplitMix64`: a well-known generator of 64 bits whose whole state is one number.
struct Lot(u64);

impl Lot {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `count`.
    fn below(&mut self, count: usize) -> usize {
        let wide = u128::from(self.next()) * count as u128;
        usize::try_from(wide >> 64).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::Lot;

    #[test]
    fn lots_are_those_of_the_published_generator() {
        // First outputs of SplitMix64 from seed 1234567, as its authors publish them.
        let mut lot = Lot(1_234_567);
        let first =
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423];
        assert_eq!(first.map(|_| lot.next()), first);
    }

    #[test]
    fn a_lot_stays_below_its_count() {
        let mut lot = Lot(7);
        let mut seen = [false; 5];
        (0..200).for_each(|_| seen[lot.below(5)] = true);
        assert_eq!(seen, [true; 5]);
    }
}
