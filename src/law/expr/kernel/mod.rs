//! Column kernels: a tree evaluated over a chunk of rows.
//!
//! In: tree, frames, row numbers. Out: one dense column. Order: after the checker.
//! Never: looks at a row that is not asked for, evaluates an expensive branch on rows that do not
//! take it, lets a value from an untaken branch or its error show.

mod choose;
mod dates;
mod number;
mod read;
mod round;
mod text;
mod vector;

use std::borrow::Cow;
use std::rc::Rc;

use crate::domain::{Basis, Calendar, Cell, Frame, Frames, Stored};

use self::choose::Branch;
use self::number::Arith;
use self::vector::{Arg, Data, Sel, Vector, map2};

pub(super) use self::dates::count as count_workdays;
pub use self::read::join;
use super::exact::Quantum;
use super::tree::{Comparison, Kind, NodeId, Op, Tree};

/// Branches no heavier than this are evaluated on all rows and picked from afterwards.
const CHEAP: u32 = 3;

/// Evaluates one root of a tree on `rows` of `basis`.
pub(super) fn evaluate(
    tree: &Tree,
    root: NodeId,
    (frames, basis): (&Frames, &Basis),
    rows: &[u32],
    calendar: &Calendar,
) -> Stored {
    let mut chunk = Chunk::new(tree, (frames, basis), rows, calendar);
    let vector = chunk.eval(root, Sel::All(rows.len()));
    read::store(&vector, rows.len(), &tree.nodes[root].kind)
}

/// As [`evaluate`], rounded: whole counts of the quantum's denominator in 64 bits.
pub(super) fn evaluate_rounded(
    tree: &Tree,
    root: NodeId,
    (frames, basis): (&Frames, &Basis),
    rows: &[u32],
    calendar: &Calendar,
    to: Quantum,
) -> Stored {
    let mut chunk = Chunk::new(tree, (frames, basis), rows, calendar);
    let vector = chunk.eval(root, Sel::All(rows.len()));
    let rounded = round::round(&vector, to, Sel::All(rows.len()));
    read::store_whole(&rounded, rows.len(), to.den)
}

/// One evaluation: a chunk of rows and what is known about it so far.
struct Chunk<'a> {
    tree: &'a Tree,
    frames: &'a Frames,
    frame: Option<&'a Frame>,
    basis: &'a Basis,
    rows: &'a [u32],
    /// First row when the rows are one after the other.
    first: Option<usize>,
    calendar: &'a Calendar,
    /// Vectors already made, with the region they were made in.
    cache: Vec<Option<(u32, Rc<Vector<'a>>)>>,
    /// Selections that enclose where we stand; a vector made in one of them covers our rows.
    regions: Vec<u32>,
    next_region: u32,
    /// Rows of coarser bases our rows belong to.
    links: Vec<(Basis, Rc<Vec<u32>>)>,
}

impl<'a> Chunk<'a> {
    fn new(
        tree: &'a Tree,
        (frames, basis): (&'a Frames, &'a Basis),
        rows: &'a [u32],
        calendar: &'a Calendar,
    ) -> Self {
        Self {
            tree,
            frames,
            frame: frames.get(basis),
            basis,
            rows,
            first: read::contiguous(rows),
            calendar,
            cache: vec![None; tree.nodes.len()],
            regions: vec![0],
            next_region: 1,
            links: Vec::new(),
        }
    }

    fn eval(&mut self, id: NodeId, sel: Sel<'_>) -> Rc<Vector<'a>> {
        if let Some((region, vector)) = &self.cache[id]
            && self.regions.contains(region)
        {
            return Rc::clone(vector);
        }
        let (vector, region) = self.make(id, sel);
        let vector = Rc::new(vector);
        self.cache[id] = Some((region, Rc::clone(&vector)));
        vector
    }

    /// Evaluates inside a narrower selection.
    fn within(&mut self, id: NodeId, rows: &[u32], n: usize) -> Rc<Vector<'a>> {
        self.regions.push(self.next_region);
        self.next_region += 1;
        let vector = self.eval(id, Sel::Some(rows, n));
        self.regions.pop();
        vector
    }

    fn make(&mut self, id: NodeId, sel: Sel<'_>) -> (Vector<'a>, u32) {
        let node = &self.tree.nodes[id];
        let here = self.regions.last().copied().unwrap_or(0);
        if let Some(cell) = &node.folded {
            return (Vector::plain(Data::One(cell.clone())), 0);
        }
        if let Op::Column(column) = &node.op {
            // Columns cost little and are often shared: they are read for the whole chunk.
            return (self.read(*column, &node.kind), 0);
        }
        let vector = match &node.op {
            Op::And | Op::Or => self.logic(node.args[0], node.args[1], node.op == Op::And, sel),
            Op::Case => self.case(&node.args, &node.kind, sel),
            Op::Coalesce => self.coalesce(&node.args, &node.kind, sel),
            _ => {
                let args: Vec<Rc<Vector<'a>>> =
                    node.args.iter().map(|arg| self.eval(*arg, sel)).collect();
                self.apply(&node.op, &args, sel)
            }
        };
        (vector, here)
    }

    fn apply(&self, op: &Op, args: &[Rc<Vector<'a>>], sel: Sel<'_>) -> Vector<'a> {
        let refs: Vec<&Vector<'a>> = args.iter().map(Rc::as_ref).collect();
        match op {
            Op::Add => number::arith(Arith::Add, refs[0], refs[1], sel),
            Op::Sub => number::arith(Arith::Sub, refs[0], refs[1], sel),
            Op::Mul => number::arith(Arith::Mul, refs[0], refs[1], sel),
            Op::Mod => number::arith(Arith::Mod, refs[0], refs[1], sel),
            Op::Div => number::quotient(refs[0], refs[1], sel),
            Op::Neg => number::negate(refs[0], sel, false),
            Op::Abs => number::negate(refs[0], sel, true),
            Op::Round(to) => round::round(refs[0], *to, sel),
            Op::Least | Op::Greatest => extreme(op, &refs, sel),
            Op::Compare(how) => compare(*how, refs[0], refs[1], sel),
            Op::In(list) => one_of(refs[0], list, sel),
            Op::Not => {
                let data = vector::map1(sel, refs[0].bools(), |value| !value);
                let errs = refs[0].errs.clone();
                Vector { data: Data::Bool(Cow::Owned(data)), nulls: None, errs }
            }
            Op::IsNull => is_null(refs[0], sel),
            Op::Length => text::length(refs[0], sel),
            Op::StartsWith(start) => text::starts_with(refs[0], start, sel),
            Op::Lookup(index) => text::lookup(&self.tree.lookups[*index], &refs, sel),
            Op::Workdays => dates::workdays(refs[0], refs[1], self.calendar, sel),
            _ => dates::apply(op, &refs, sel),
        }
    }

    /// AND and OR: the right side counts only where the left side does not decide.
    fn logic(&mut self, left: NodeId, right: NodeId, and: bool, sel: Sel<'_>) -> Vector<'a> {
        let a = self.eval(left, sel);
        let cheap = self.tree.nodes[right].weight <= CHEAP;
        let b = if cheap {
            self.eval(right, sel)
        } else {
            let bools = a.bools();
            let mut open = Vec::new();
            sel.each(|row| {
                if bools.at(row) == and && a.err(row) == 0 {
                    open.push(u32::try_from(row).unwrap_or(u32::MAX));
                }
            });
            if open.is_empty() {
                return (*a).clone();
            }
            self.within(right, &open, sel.rows())
        };
        // An error on the left stays; one on the right counts where the left does not decide.
        let right = b.errs.as_ref().map(|errs| {
            map2(sel, a.bools(), Arg::Each(errs), |left, err| if left == and { err } else { 0 })
        });
        let errs = match (&a.errs, right) {
            (None, right) => right,
            (Some(left), None) => Some(left.clone()),
            (Some(left), Some(right)) => {
                let graver = |left: u8, right: u8| if left == 0 { right } else { left };
                Some(map2(sel, Arg::Each(left), Arg::Each(&right), graver))
            }
        };
        let errs = errs.filter(|errs| errs.iter().any(|err| *err != 0));
        let data = if and {
            map2(sel, a.bools(), b.bools(), |a, b| a & b)
        } else {
            map2(sel, a.bools(), b.bools(), |a, b| a | b)
        };
        Vector { data: Data::Bool(Cow::Owned(data)), nulls: None, errs }
    }

    /// CASE: conditions in order, each on the rows no earlier one took.
    fn case(&mut self, args: &[NodeId], kind: &Kind, sel: Sel<'_>) -> Vector<'a> {
        if let Some(vector) = self.two_way(args, sel) {
            return vector;
        }
        let n = sel.rows();
        let mut rest: Vec<u32> = Vec::with_capacity(n);
        sel.each(|row| rest.push(u32::try_from(row).unwrap_or(u32::MAX)));
        let mut errs: Option<Vec<u8>> = None;
        let mut branches: Vec<Branch<'a>> = Vec::new();
        let mut pairs = args.chunks_exact(2);
        for pair in &mut pairs {
            if rest.is_empty() {
                break;
            }
            let test = self.in_rows(pair[0], &rest, sel);
            let bools = test.bools();
            let (mut taken, mut left) = (Vec::new(), Vec::with_capacity(rest.len()));
            for row in &rest {
                match test.err(*row as usize) {
                    0 if bools.at(*row as usize) => taken.push(*row),
                    0 => left.push(*row),
                    own => errs.get_or_insert_with(|| vec![0; n])[*row as usize] = own,
                }
            }
            if !taken.is_empty() {
                let value = self.in_rows(pair[1], &taken, sel);
                branches.push(Branch { rows: taken, value });
            }
            rest = left;
        }
        if let ([otherwise], false) = (pairs.remainder(), rest.is_empty()) {
            let value = self.in_rows(*otherwise, &rest, sel);
            branches.push(Branch { rows: rest, value });
        }
        choose::merge(branches, errs, n, kind)
    }

    /// Evaluates on some rows of the selection, or on all of it where that costs little.
    fn in_rows(&mut self, id: NodeId, rows: &[u32], sel: Sel<'_>) -> Rc<Vector<'a>> {
        let all = match sel {
            Sel::All(n) => rows.len() == n,
            Sel::Some(wanted, _) => rows.len() == wanted.len(),
        };
        if all || self.tree.nodes[id].weight <= CHEAP {
            self.eval(id, sel)
        } else {
            self.within(id, rows, sel.rows())
        }
    }

    /// The frequent case: one condition, two cheap branches of numbers, no nulls, no errors.
    fn two_way(&mut self, args: &[NodeId], sel: Sel<'_>) -> Option<Vector<'a>> {
        let [test, yes, no] = args else { return None };
        let cheap = |id: &NodeId| self.tree.nodes[*id].weight <= CHEAP;
        if !cheap(yes) || !cheap(no) {
            return None;
        }
        let test = self.eval(*test, sel);
        let (yes, no) = (self.eval(*yes, sel), self.eval(*no, sel));
        if test.is_masked() || yes.is_masked() || no.is_masked() {
            return None;
        }
        let data = choose::blend(&test, &yes, &no, sel)?;
        Some(Vector::plain(data))
    }

    fn coalesce(&mut self, args: &[NodeId], kind: &Kind, sel: Sel<'_>) -> Vector<'a> {
        let first = self.eval(args[0], sel);
        let Some(nulls) = &first.nulls else {
            return match first.data {
                Data::One(Cell::Null) => (*self.eval(args[1], sel)).clone(),
                _ => (*first).clone(),
            };
        };
        let n = sel.rows();
        if self.tree.nodes[args[1]].weight <= CHEAP {
            let second = self.eval(args[1], sel);
            let test = Vector::plain(Data::Bool(nulls.clone()));
            if !second.is_masked()
                && let Some(data) = choose::blend(&test, &second, &first, sel)
            {
                return Vector { data, nulls: None, errs: first.errs.clone() };
            }
        }
        let (mut there, mut absent) = (Vec::new(), Vec::new());
        sel.each(|row| {
            // A row in error stays with the first argument, whose error it keeps.
            let list =
                if first.is_null(row) && first.err(row) == 0 { &mut absent } else { &mut there };
            list.push(u32::try_from(row).unwrap_or(u32::MAX));
        });
        if absent.is_empty() {
            return (*first).clone();
        }
        let second = self.in_rows(args[1], &absent, sel);
        let branches =
            vec![Branch { rows: there, value: first }, Branch { rows: absent, value: second }];
        choose::merge(branches, None, n, kind)
    }
}

fn extreme<'a>(op: &Op, args: &[&Vector<'a>], sel: Sel<'_>) -> Vector<'a> {
    if matches!(args[0].data, Data::Date(_) | Data::One(Cell::Date(_))) {
        return dates::extreme(*op == Op::Least, args, sel);
    }
    let how = if *op == Op::Least { Arith::Least } else { Arith::Greatest };
    let mut best = number::arith(how, args[0], args[1], sel);
    for arg in &args[2..] {
        best = number::arith(how, &best, arg, sel);
    }
    best
}

fn is_null<'a>(a: &Vector<'a>, sel: Sel<'_>) -> Vector<'a> {
    let errs = a.errs.clone();
    let data = match (&a.data, &a.nulls) {
        (Data::One(cell), None) => Data::One(Cell::Bool(*cell == Cell::Null)),
        (_, None) => Data::One(Cell::Bool(false)),
        (_, Some(nulls)) => Data::Bool(nulls.clone()),
    };
    let _ = sel;
    Vector { data, nulls: None, errs }
}

fn compare<'a>(how: Comparison, a: &Vector<'a>, b: &Vector<'a>, sel: Sel<'_>) -> Vector<'a> {
    let is_date = |v: &Vector<'_>| matches!(v.data, Data::Date(_) | Data::One(Cell::Date(_)));
    let is_bool = |v: &Vector<'_>| matches!(v.data, Data::Bool(_) | Data::One(Cell::Bool(_)));
    if is_date(a) && is_date(b) {
        return dates::compare(how, a, b, sel);
    }
    if is_bool(a) && is_bool(b) {
        let equal = how == Comparison::Equal;
        let data = map2(sel, a.bools(), b.bools(), |a, b| (a == b) == equal);
        let errs = vector::join_errors(&[a, b]);
        return Vector { data: Data::Bool(Cow::Owned(data)), nulls: None, errs };
    }
    if text::is_text(a) && text::is_text(b) {
        return text::compare(how == Comparison::Equal, a, b, sel);
    }
    number::compare(how, a, b, sel)
}

/// Whether the value is among constants.
fn one_of<'a>(a: &Vector<'a>, list: &[Cell], sel: Sel<'_>) -> Vector<'a> {
    if text::is_text(a) {
        return text::one_of(a, list, sel);
    }
    let mut found: Option<Vector<'a>> = None;
    for cell in list {
        let value = Vector::plain(Data::One(cell.clone()));
        let test = compare(Comparison::Equal, a, &value, sel);
        found = Some(match found {
            None => test,
            Some(before) => {
                let data = map2(sel, before.bools(), test.bools(), |a, b| a | b);
                let mut errs = before.errs.clone();
                if let Some(own) = &test.errs {
                    // An element counts only where no earlier one was equal.
                    let matched = before.bools();
                    sel.each(|row| {
                        let into = errs.get_or_insert_with(|| vec![0; sel.rows()]);
                        if into[row] == 0 && !matched.at(row) {
                            into[row] = own[row];
                        }
                    });
                }
                Vector { data: Data::Bool(Cow::Owned(data)), nulls: None, errs }
            }
        });
    }
    found.unwrap_or_else(|| Vector::plain(Data::One(Cell::Bool(false))))
}
