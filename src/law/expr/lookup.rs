//! Lookup tables made ready: each key's values fall into a few classes, each row of the table is a
//! box of classes, and a small dense array names the first row that covers each combination.

use rustc_hash::FxHashMap;
use std::sync::{Arc, Mutex};

use crate::domain::{Cell, CodeList, Date, Key};

use super::exact::Exact;
use super::scalar;
use super::tree::Comparison;
use super::{KeyCell, LookupTable};

/// Most combinations kept as a dense array.
const DENSE_MAX: usize = 1 << 18;
/// Most steps spent on painting the dense array.
const PAINT_MAX: usize = 1 << 22;
/// Widest stretch of whole numbers whose classes are kept one by one: some forty years of days.
const SMALL_MAX: i64 = 1 << 14;
/// Code lists up to this size are classed anew for each chunk, longer ones are remembered.
const SHORT_LIST: usize = 32;
/// Code lists remembered per key.
const REMEMBERED: usize = 8;

/// A table with its index.
#[derive(Debug)]
pub(super) struct Lookup {
    pub(super) table: Arc<LookupTable>,
    pub(super) axes: Vec<Axis>,
    shape: Shape,
    pub(super) cells: Cells,
}

impl PartialEq for Lookup {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.table, &other.table)
    }
}

impl Eq for Lookup {}

/// A code list and the class of each of its codes.
type Remembered = (Arc<CodeList>, Arc<Vec<u32>>);

/// How one key's values fall into classes.
#[derive(Debug)]
pub(super) enum Axis {
    /// Class 0 = any text no row names.
    Text {
        by_text: FxHashMap<Arc<str>, u32>,
        by_key: FxHashMap<Key, u32>,
        remembered: Mutex<Vec<Remembered>>,
    },
    /// false, true.
    Bool,
    /// Numbers and dates.
    Number(Line),
}

/// The line of numbers cut at the points rows name: piece 2i+1 is point i, piece 2i lies below it,
/// the last above all. Neighbours that every row treats alike are one class.
#[derive(Debug)]
pub(super) struct Line {
    points: Vec<Exact>,
    /// Class of each piece.
    class_of: Vec<u32>,
    small: Option<SmallIntegers>,
}

/// Classes of the whole numbers around the points of an axis.
#[derive(Debug)]
struct SmallIntegers {
    from: i64,
    classes: Vec<u32>,
}

#[derive(Debug)]
enum Shape {
    /// Row + 1 by combination of classes, 0 = no row.
    Dense(Vec<u32>),
    /// Class ranges of each row; rows that may match by the class of the key with most classes.
    Boxes { boxes: Vec<Vec<(u32, u32)>>, widest: usize, by_class: Vec<Vec<u32>> },
}

/// The cells as typed columns over the table's rows.
#[derive(Debug)]
pub(super) enum Cells {
    Num { values: Vec<i64>, den: i64 },
    Exact(Vec<(i128, i128)>),
    Bool(Vec<bool>),
    Date(Vec<Date>),
    Text { codes: Vec<u32>, list: Arc<CodeList> },
}

impl Axis {
    fn new(rows: &[(Vec<KeyCell>, Cell)], key: usize) -> Self {
        let cells = || rows.iter().map(|(keys, _)| &keys[key]);
        let mut points: Vec<Exact> = Vec::new();
        let mut texts: Vec<Arc<str>> = Vec::new();
        let mut is_bool = false;
        for cell in cells() {
            match cell {
                KeyCell::Is(Cell::Text(text)) => texts.push(Arc::from(text.as_str())),
                KeyCell::Is(Cell::Bool(_)) => is_bool = true,
                KeyCell::Is(cell) => points.extend(point(cell)),
                KeyCell::Range { low, high } => {
                    for bound in [low, high].into_iter().flatten() {
                        points.extend(Exact::new(bound.0.0, bound.0.1));
                    }
                }
                KeyCell::Any => {}
            }
        }
        if is_bool {
            return Self::Bool;
        }
        if points.is_empty() {
            texts.sort();
            texts.dedup();
            let class = |place: usize| u32::try_from(place + 1).unwrap_or(0);
            let by_text: FxHashMap<_, _> =
                texts.iter().enumerate().map(|(i, text)| (Arc::clone(text), class(i))).collect();
            let by_key = by_text
                .iter()
                .map(|(text, class)| (Key::pack(text.as_bytes()).0, *class))
                .collect();
            return Self::Text { by_text, by_key, remembered: Mutex::new(Vec::new()) };
        }
        Self::Number(Line::new(points, cells()))
    }

    fn classes(&self) -> usize {
        match self {
            Self::Text { by_text, .. } => by_text.len() + 1,
            Self::Bool => 2,
            Self::Number(line) => line.class_of.last().map_or(1, |last| *last as usize + 1),
        }
    }

    /// The classes a key cell covers, first and last.
    fn range(&self, cell: &KeyCell) -> (u32, u32) {
        let last = u32::try_from(self.classes() - 1).unwrap_or(u32::MAX);
        match (self, cell) {
            (Self::Text { by_text, .. }, KeyCell::Is(Cell::Text(text))) => {
                let class = by_text.get(text.as_str()).copied().unwrap_or(0);
                (class, class)
            }
            (Self::Bool, KeyCell::Is(Cell::Bool(value))) => (u32::from(*value), u32::from(*value)),
            (Self::Number(line), cell) => {
                let (low, high) = line.pieces(cell);
                (line.class_of[low], line.class_of[high])
            }
            _ => (0, last),
        }
    }

    /// Classes by code of a list.
    pub(super) fn of_codes(&self, list: &Arc<CodeList>) -> Arc<Vec<u32>> {
        let Self::Text { by_text, remembered, .. } = self else { return Arc::default() };
        let class = || -> Arc<Vec<u32>> {
            let texts = list.texts().iter();
            Arc::new(texts.map(|text| by_text.get(text).copied().unwrap_or(0)).collect())
        };
        if list.texts().len() <= SHORT_LIST {
            return class();
        }
        let Ok(mut remembered) = remembered.lock() else { return class() };
        let known = remembered.iter().find(|(seen, _)| Arc::ptr_eq(seen, list));
        if let Some((_, classes)) = known {
            return Arc::clone(classes);
        }
        if remembered.len() >= REMEMBERED {
            remembered.remove(0);
        }
        // The list is kept with its classes, so that its address cannot be taken by another.
        let classes = class();
        remembered.push((Arc::clone(list), Arc::clone(&classes)));
        classes
    }
}

impl Line {
    fn new<'a>(mut points: Vec<Exact>, cells: impl Iterator<Item = &'a KeyCell>) -> Self {
        points.sort_by(|a, b| a.compare(*b).unwrap_or(std::cmp::Ordering::Equal));
        points.dedup();
        let mut line = Self { points, class_of: Vec::new(), small: None };
        // A class begins where some row begins, and behind where some row ends.
        let mut begins = vec![false; 2 * line.points.len() + 1];
        for cell in cells {
            let (low, high) = line.pieces(cell);
            for piece in [low, high + 1] {
                if let Some(begin) = begins.get_mut(piece) {
                    *begin = true;
                }
            }
        }
        let mut class = 0;
        line.class_of = begins
            .into_iter()
            .enumerate()
            .map(|(piece, begin)| {
                class += u32::from(begin && piece > 0);
                class
            })
            .collect();
        line.small = SmallIntegers::new(&line);
        line
    }

    /// The pieces a key cell covers, first and last.
    fn pieces(&self, cell: &KeyCell) -> (usize, usize) {
        let at = |bound: (i128, i128)| {
            Exact::new(bound.0, bound.1).map_or(0, |value| piece_of(&self.points, value))
        };
        let last = 2 * self.points.len();
        match cell {
            KeyCell::Is(cell) => {
                let piece = point(cell).map_or(0, |value| piece_of(&self.points, value));
                (piece, piece)
            }
            KeyCell::Range { low, high } => (
                low.map_or(0, |(bound, with)| at(bound) + usize::from(!with)),
                high.map_or(last, |(bound, with)| at(bound).saturating_sub(usize::from(!with))),
            ),
            KeyCell::Any => (0, last),
        }
    }

    /// Class of a number.
    pub(super) fn class(&self, value: Exact) -> u32 {
        self.class_of[piece_of(&self.points, value)]
    }

    /// Class of a whole number.
    #[inline]
    pub(super) fn class_of_whole(&self, value: i64) -> u32 {
        match &self.small {
            Some(small) => small.class(value),
            None => self.class(Exact::whole(value.into())),
        }
    }
}

impl SmallIntegers {
    fn new(line: &Line) -> Option<Self> {
        let points = &line.points;
        let low = i64::try_from(points.first()?.num.div_euclid(points.first()?.den) - 1).ok()?;
        let high = i64::try_from(points.last()?.num.div_euclid(points.last()?.den) + 1).ok()?;
        if high.checked_sub(low)? > SMALL_MAX {
            return None;
        }
        let classes = (low..=high).map(|value| line.class(Exact::whole(value.into())));
        Some(Self { from: low, classes: classes.collect() })
    }

    #[inline]
    fn class(&self, value: i64) -> u32 {
        let last = self.classes.len() - 1;
        let place = usize::try_from(value.saturating_sub(self.from)).unwrap_or(0);
        self.classes[place.min(last)]
    }
}

/// Piece of a number among points in order.
fn piece_of(points: &[Exact], value: Exact) -> usize {
    let order = |p: &Exact| p.compare(value).unwrap_or(std::cmp::Ordering::Less);
    match points.binary_search_by(order) {
        Ok(place) => 2 * place + 1,
        Err(place) => 2 * place,
    }
}

fn point(cell: &Cell) -> Option<Exact> {
    match cell {
        Cell::Num(num, den) => Exact::new(*num, *den),
        Cell::Date(date) => Some(Exact::whole(date.days().into())),
        _ => None,
    }
}

impl Lookup {
    pub(super) fn new(table: Arc<LookupTable>) -> Self {
        let axes: Vec<Axis> =
            (0..table.keys.len()).map(|key| Axis::new(&table.rows, key)).collect();
        let boxes: Vec<Vec<(u32, u32)>> = table
            .rows
            .iter()
            .map(|(keys, _)| axes.iter().zip(keys).map(|(axis, cell)| axis.range(cell)).collect())
            .collect();
        let shape = dense(&axes, &boxes).unwrap_or_else(|| {
            let widest = (0..axes.len()).max_by_key(|key| axes[*key].classes()).unwrap_or(0);
            let mut by_class = vec![Vec::new(); axes.get(widest).map_or(1, Axis::classes)];
            for (row, ranges) in boxes.iter().enumerate() {
                let (low, high) = ranges.get(widest).copied().unwrap_or((0, 0));
                for class in low..=high {
                    by_class[class as usize].push(u32::try_from(row).unwrap_or(u32::MAX));
                }
            }
            Shape::Boxes { boxes, widest, by_class }
        });
        let cells = Cells::new(&table);
        Self { table, axes, shape, cells }
    }

    /// Stride of each key in the dense array; `None` when the table is too wide for one.
    pub(super) fn dense(&self) -> Option<(&[u32], Vec<u32>)> {
        let Shape::Dense(rows) = &self.shape else { return None };
        let mut strides = vec![1_u32; self.axes.len()];
        for key in (1..self.axes.len()).rev() {
            strides[key - 1] =
                strides[key] * u32::try_from(self.axes[key].classes()).unwrap_or(u32::MAX);
        }
        Some((rows, strides))
    }

    /// First row (+ 1) covering the classes; 0 = none.
    pub(super) fn search(&self, classes: &[u32]) -> u32 {
        let Shape::Boxes { boxes, widest, by_class } = &self.shape else { return 0 };
        let class = classes.get(*widest).copied().unwrap_or(0);
        let candidates = by_class.get(class as usize).map_or(&[][..], |rows| rows);
        candidates
            .iter()
            .find(|row| {
                let ranges = &boxes[**row as usize];
                ranges.iter().zip(classes).all(|((low, high), class)| low <= class && class <= high)
            })
            .map_or(0, |row| row + 1)
    }

    /// First matching row, by walking the rows: for traces and constants.
    pub(super) fn find(&self, keys: &[Cell]) -> Option<usize> {
        let matches = |cell: &KeyCell, key: &Cell| match cell {
            KeyCell::Any => true,
            KeyCell::Is(value) => scalar::compare(Comparison::Equal, value, key) == Ok(true),
            KeyCell::Range { low, high } => {
                let number = match key {
                    Cell::Date(date) => Cell::Num(date.days().into(), 1),
                    other => other.clone(),
                };
                let below = |bound: &(i128, i128), with: bool, low: bool| {
                    let bound = Cell::Num(bound.0, bound.1);
                    let how = if with { Comparison::AtMost } else { Comparison::Below };
                    let (left, right) = if low { (&bound, &number) } else { (&number, &bound) };
                    scalar::compare(how, left, right) == Ok(true)
                };
                low.as_ref().is_none_or(|(bound, with)| below(bound, *with, true))
                    && high.as_ref().is_none_or(|(bound, with)| below(bound, *with, false))
            }
        };
        self.table
            .rows
            .iter()
            .position(|(cells, _)| cells.iter().zip(keys).all(|(cell, key)| matches(cell, key)))
    }
}

/// Paints the boxes, last row first, so that the first row that covers a combination stays.
fn dense(axes: &[Axis], boxes: &[Vec<(u32, u32)>]) -> Option<Shape> {
    let size = axes.iter().try_fold(1_usize, |size, axis| size.checked_mul(axis.classes()))?;
    if size > DENSE_MAX {
        return None;
    }
    let volume = |ranges: &Vec<(u32, u32)>| {
        ranges.iter().fold(1_usize, |size, (low, high)| {
            size.saturating_mul((high + 1).saturating_sub(*low) as usize)
        })
    };
    if boxes.iter().map(volume).fold(0, usize::saturating_add) > PAINT_MAX {
        return None;
    }
    let mut rows = vec![0_u32; size];
    for (row, ranges) in boxes.iter().enumerate().rev() {
        let mark = u32::try_from(row + 1).ok()?;
        let mut places = vec![0_usize];
        for (axis, (low, high)) in axes.iter().zip(ranges) {
            let width = axis.classes();
            places = places
                .iter()
                .flat_map(|place| (*low..=*high).map(move |class| place * width + class as usize))
                .collect();
        }
        for place in places {
            rows[place] = mark;
        }
    }
    Some(Shape::Dense(rows))
}

impl Cells {
    fn new(table: &LookupTable) -> Self {
        let cells = || table.rows.iter().map(|(_, cell)| cell);
        let sample = cells().find(|cell| **cell != Cell::Null);
        match sample {
            Some(Cell::Bool(_)) => Self::Bool(cells().map(scalar::boolean).collect()),
            Some(Cell::Date(_)) => Self::Date(cells().map(scalar::date).collect()),
            Some(Cell::Text(_)) => {
                let mut list = CodeList::default();
                let codes = cells()
                    .map(|cell| match cell {
                        Cell::Text(text) => list.intern(text),
                        _ => 0,
                    })
                    .collect();
                Self::Text { codes, list: Arc::new(list) }
            }
            _ => Self::numbers(&cells().cloned().collect::<Vec<Cell>>()),
        }
    }

    fn numbers(cells: &[Cell]) -> Self {
        let exact: Vec<(i128, i128)> = cells
            .iter()
            .map(|cell| point(cell).map_or((0, 1), |value| (value.num, value.den)))
            .collect();
        let den = exact.iter().try_fold(1_i64, |den, (_, own)| {
            let own = i64::try_from(*own).ok()?;
            let by = super::exact::gcd_64(den.unsigned_abs(), own.unsigned_abs());
            den.checked_mul(own / i64::try_from(by).ok()?)
        });
        let values: Option<Vec<i64>> = den.and_then(|den| {
            let scaled = exact.iter().map(|(num, own)| {
                num.checked_mul(i128::from(den) / own).and_then(|value| i64::try_from(value).ok())
            });
            scaled.collect()
        });
        match (values, den) {
            (Some(values), Some(den)) => Self::Num { values, den },
            _ => Self::Exact(exact),
        }
    }
}
