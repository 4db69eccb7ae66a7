//! `tier` and `taper`, spelt out into plain steps so that every back end has them for nothing.

use sqlparser::ast;

use crate::domain::Cell;

use super::call::literal_text;
use super::lower::{Lowerer, Part};
use super::tree::{Comparison, Kind, NodeId, Op};

impl Lowerer<'_, '_> {
    /// `tier(x, how, t1, r1, …, r_last)`: bands `(t(i-1), t(i)]` with their rates.
    pub(super) fn tier(&mut self, at: (usize, usize), args: &[&ast::Expr]) -> Option<Part> {
        let how = literal_text(args[1]);
        let marginal = match how.as_deref() {
            Some("marginal") => true,
            Some("whole") => false,
            _ => {
                return self.fail(
                    at,
                    "the second argument of tier is neither 'marginal' nor 'whole'",
                    "tier(x, 'marginal', bound, rate, …, last rate)",
                );
            }
        };
        if args.len().is_multiple_of(2) {
            return self.fail(
                at,
                "tier ends in the rate of the last band",
                "tier(x, 'marginal', bound, rate, …, last rate)",
            );
        }
        let value = self.lower(args[0])?;
        let steps: Vec<Option<Part>> = args[2..].iter().map(|arg| self.lower(arg)).collect();
        let steps = steps.into_iter().collect::<Option<Vec<Part>>>()?;
        let bounds: Vec<Part> = steps.iter().step_by(2).copied().collect();
        let (bounds, last) = (&bounds[..bounds.len() - 1], *steps.last()?);
        let mut rates: Vec<Part> = steps.iter().skip(1).step_by(2).copied().collect();
        rates.push(last);
        self.ascending(at, bounds)?;
        let mut sided = vec![value];
        sided.extend(bounds);
        self.alike(at, &sided)?;
        let rate = self.alike(at, &rates)?;
        if marginal {
            self.marginal(at, value, bounds, &rates)
        } else {
            self.whole_bands(at, value, bounds, &rates, rate)
        }
    }

    fn ascending(&mut self, at: (usize, usize), bounds: &[Part]) -> Option<()> {
        let mut before: Option<Cell> = None;
        for bound in bounds {
            let Some(cell @ Cell::Num(..)) = self.folded(bound.id).cloned() else {
                return self.fail(
                    bound.at,
                    "a bound is neither a literal nor a parameter",
                    "bounds of bands are law",
                );
            };
            let rising = before.is_none_or(|before| {
                super::scalar::compare(Comparison::Below, &before, &cell) == Ok(true)
            });
            if !rising {
                return self.fail(at, "the bounds do not rise", "write the lowest bound first");
            }
            before = Some(cell);
        }
        Some(())
    }

    fn marginal(
        &mut self,
        at: (usize, usize),
        value: Part,
        bounds: &[Part],
        rates: &[Part],
    ) -> Option<Part> {
        let kind = self.kind(value.id).clone();
        let zero = self.zero(at)?;
        let mut sum: Option<NodeId> = None;
        for (band, rate) in rates.iter().enumerate() {
            let upto = match bounds.get(band) {
                Some(bound) => self.step(at, Op::Least, vec![value.id, bound.id], kind.clone())?,
                None => value.id,
            };
            let width = match band.checked_sub(1).map(|below| bounds[below]) {
                Some(below) => {
                    let over = self.step(at, Op::Sub, vec![upto, below.id], kind.clone())?;
                    self.step(at, Op::Greatest, vec![over, zero], kind.clone())?
                }
                None => upto,
            };
            let part = self.product(at, Part { id: width, at }, *rate)?;
            let kind = self.kind(part.id).clone();
            self.tree.nodes[part.id].text = (0, 0);
            sum = Some(match sum {
                None => part.id,
                Some(before) => self.step(at, Op::Add, vec![before, part.id], kind)?,
            });
        }
        Some(self.root(at, sum?))
    }

    fn whole_bands(
        &mut self,
        at: (usize, usize),
        value: Part,
        bounds: &[Part],
        rates: &[Part],
        _rate: Kind,
    ) -> Option<Part> {
        let mut args = Vec::new();
        for (band, rate) in rates.iter().enumerate() {
            if let Some(bound) = bounds.get(band) {
                let test = Op::Compare(Comparison::AtMost);
                args.push(self.step(at, test, vec![value.id, bound.id], Kind::Bool)?);
            }
            let part = self.product(at, value, *rate)?;
            self.tree.nodes[part.id].text = (0, 0);
            args.push(part.id);
        }
        let kind = self.kind(*args.last()?).clone();
        self.node(at, Op::Case, args, kind)
    }

    pub(super) fn taper(&mut self, at: (usize, usize), parts: &[Part]) -> Option<Part> {
        let [value, x0, y0, x1, y1] = parts else { return None };
        let across = self.alike(at, &[*value, *x0, *x1])?;
        let along = self.alike(at, &[*y0, *y1])?;
        self.ascending(at, &[*x0, *x1])?;
        let (Kind::Num { .. }, Kind::Num { .. }) = (&across, &along) else {
            return self.fail(at, "taper works on numbers", "taper(x, x0, y0, x1, y1)");
        };
        let exact = |kind: &Kind| match kind {
            Kind::Num { unit, .. } => Kind::Num { integer: false, unit: unit.clone() },
            other => other.clone(),
        };
        let at_most = Op::Compare(Comparison::AtMost);
        let below = self.step(at, at_most.clone(), vec![value.id, x0.id], Kind::Bool)?;
        let above = self.step(at, at_most, vec![x1.id, value.id], Kind::Bool)?;
        let run = self.step(at, Op::Sub, vec![value.id, x0.id], across.clone())?;
        let whole_run = self.step(at, Op::Sub, vec![x1.id, x0.id], across)?;
        let rise = self.step(at, Op::Sub, vec![y1.id, y0.id], along.clone())?;
        let scaled = self.step(at, Op::Mul, vec![rise, run], exact(&along))?;
        let share = self.step(at, Op::Div, vec![scaled, whole_run], exact(&along))?;
        let between = self.step(at, Op::Add, vec![y0.id, share], exact(&along))?;
        let args = vec![below, y0.id, above, y1.id, between];
        self.node(at, Op::Case, args, exact(&along))
    }

    fn zero(&mut self, at: (usize, usize)) -> Option<NodeId> {
        let kind = Kind::Num { integer: true, unit: None };
        self.step(at, Op::Const(Cell::Num(0, 1)), vec![], kind)
    }

    /// Gives the last step of a spelt-out function the text of the call.
    fn root(&mut self, at: (usize, usize), id: NodeId) -> Part {
        let pieces = &self.source.pieces;
        self.tree.nodes[id].text = (pieces[at.0].from, pieces[at.1].until);
        Part { id, at }
    }
}
