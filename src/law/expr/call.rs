//! Function calls and table lookups.

use sqlparser::ast::{self, FunctionArg, FunctionArgExpr, FunctionArguments, Spanned, Value};

use crate::domain::{Cell, Fraction, RoundingMode};
use crate::law::model::{Ty, Unit};
use std::sync::Arc;

use super::exact::Quantum;
use super::lookup::Lookup;
use super::lower::{Lowerer, Part};
use super::tree::{Comparison, Draft, Kind, NodeId, Op};
use super::{LookupTable, TableKey};

/// Functions of values of one row: name, least and most arguments.
const FUNCTIONS: [(&str, usize, usize); 26] = [
    ("least", 2, 64),
    ("greatest", 2, 64),
    ("abs", 1, 1),
    ("floor", 1, 1),
    ("ceil", 1, 1),
    ("round", 3, 3),
    ("mod", 2, 2),
    ("coalesce", 2, 2),
    ("length", 1, 1),
    ("starts_with", 2, 2),
    ("months_between", 2, 2),
    ("month_index", 1, 1),
    ("days_in", 1, 1),
    ("days_between", 2, 2),
    ("overlap_days", 4, 4),
    ("workdays", 2, 2),
    ("add_months", 2, 2),
    ("year", 1, 1),
    ("month", 1, 1),
    ("day", 1, 1),
    ("date_of", 3, 3),
    ("tier", 5, 64),
    ("taper", 5, 5),
    ("count_eligible", 1, 1),
    ("count_paid", 1, 1),
    ("sum_amount", 1, 1),
];

/// Functions of many rows.
pub(super) const AGGREGATES: [&str; 9] =
    ["sum", "count", "count_distinct", "min", "max", "any", "all", "first", "last"];

/// Every function name, for documents and near names; all are reserved.
#[must_use]
pub fn function_names() -> Vec<&'static str> {
    FUNCTIONS.iter().map(|(name, _, _)| *name).chain(AGGREGATES).collect()
}

impl Lowerer<'_, '_> {
    pub(super) fn call(&mut self, function: &ast::Function) -> Option<Part> {
        let words: Vec<String> =
            function.name.0.iter().map(|part| part.to_string().clone()).collect();
        let name = words.join(".");
        let first = self.source.piece_at(function.name.span().start);
        let open = first + 2 * words.len() - 1;
        let close = self.source.pieces.get(open).map_or(open, |piece| piece.partner);
        let end = function.filter.as_ref().map_or(close, |_| {
            self.source.pieces.get(close + 2).map_or(close, |piece| piece.partner)
        });
        let at = (first, end);
        let Some(args) = plain_arguments(function) else {
            return self.fail(
                at,
                format!("`{name}` is called in a form that is not part of the language"),
                "write name(argument, …); count(spell) counts rows",
            );
        };
        let word = name.to_ascii_lowercase();
        if AGGREGATES.contains(&word.as_str()) {
            return self.aggregate(at, &word, &args, function.filter.as_deref());
        }
        if function.filter.is_some() {
            return self.fail(at, "FILTER stands after aggregates only", "use CASE");
        }
        if let Some((_, least, most)) = FUNCTIONS.iter().find(|(known, _, _)| *known == word) {
            if args.len() < *least || args.len() > *most {
                let wanted =
                    if least == most { format!("{least}") } else { format!("at least {least}") };
                return self.fail(
                    at,
                    format!("{word} takes {wanted} arguments, found {}", args.len()),
                    "see the table of functions in docs/expressions.md",
                );
            }
            return self.function(at, &word, &args);
        }
        if let Some(table) = self.names.table(&name) {
            return self.lookup(at, &table, &args);
        }
        self.fail(
            at,
            format!("`{name}` is no function and no table in force"),
            format!("functions are {}", function_names().join(" ")),
        )
    }

    fn function(&mut self, at: (usize, usize), name: &str, args: &[&ast::Expr]) -> Option<Part> {
        match name {
            "round" => return self.round(at, args),
            "starts_with" => return self.starts_with(at, args),
            "tier" => return self.tier(at, args),
            "count_eligible" | "count_paid" | "sum_amount" => {
                return self.item_aggregate(at, name, args[0]);
            }
            _ => {}
        }
        let parts: Vec<Option<Part>> = args.iter().map(|arg| self.lower(arg)).collect();
        let parts = parts.into_iter().collect::<Option<Vec<Part>>>()?;
        let ids: Vec<NodeId> = parts.iter().map(|part| part.id).collect();
        match name {
            "least" | "greatest" => {
                let kind = self.alike(at, &parts)?;
                let op = if name == "least" { Op::Least } else { Op::Greatest };
                self.node(at, op, ids, kind)
            }
            "abs" => {
                let (integer, unit) = self.number(parts[0])?;
                self.node(at, Op::Abs, ids, Kind::Num { integer, unit })
            }
            "floor" => self.rounding(at, parts[0], (1, 1), RoundingMode::Floor),
            "ceil" => self.rounding(at, parts[0], (1, 1), RoundingMode::Ceil),
            "mod" => self.modulo(at, &parts),
            "coalesce" => self.coalesce(at, parts[0], parts[1]),
            "length" => {
                self.text(parts[0])?;
                self.node(at, Op::Length, ids, Kind::integer())
            }
            "taper" => self.taper(at, &parts),
            _ => self.date_function(at, name, &parts, ids),
        }
    }

    fn date_function(
        &mut self,
        at: (usize, usize),
        name: &str,
        parts: &[Part],
        ids: Vec<NodeId>,
    ) -> Option<Part> {
        let day = || Kind::number(true, Unit::word("day"));
        let (op, kind) = match name {
            "months_between" => (Op::MonthsBetween, Kind::integer()),
            "month_index" => (Op::MonthIndex, Kind::integer()),
            "days_in" => (Op::DaysIn, day()),
            "days_between" => (Op::DaysBetween, day()),
            "overlap_days" => (Op::OverlapDays, day()),
            "workdays" => (Op::Workdays, day()),
            "year" => (Op::Year, Kind::integer()),
            "month" => (Op::Month, Kind::integer()),
            "day" => (Op::Day, Kind::integer()),
            "add_months" => {
                let (date, count) = (self.date(parts[0]), self.integer(parts[1]));
                date.and(count)?;
                return self.node(at, Op::AddMonths, ids, Kind::Date);
            }
            _ => {
                for part in parts {
                    self.integer(*part)?;
                }
                return self.node(at, Op::DateOf, ids, Kind::Date);
            }
        };
        for part in parts {
            self.date(*part)?;
        }
        self.node(at, op, ids, kind)
    }

    fn text(&mut self, part: Part) -> Option<()> {
        match self.kind(part.id) {
            Kind::Text(_) | Kind::Key => self.present(part),
            other => {
                let found = other.word();
                self.fail(part.at, format!("{found} where a text is needed"), "name a text column")
            }
        }
    }

    fn starts_with(&mut self, at: (usize, usize), args: &[&ast::Expr]) -> Option<Part> {
        let part = self.lower(args[0])?;
        self.text(part)?;
        let Some(start) = literal_text(args[1]) else {
            return self.fail(at, "the start is not a literal text", "starts_with(code, '32')");
        };
        self.node(at, Op::StartsWith(start), vec![part.id], Kind::Bool)
    }

    fn round(&mut self, at: (usize, usize), args: &[&ast::Expr]) -> Option<Part> {
        let part = self.lower(args[0])?;
        let quantum = literal_text(args[1])
            .and_then(|text| Fraction::parse_decimal(&text))
            .filter(|quantum| quantum.num > 0)
            .map(Fraction::reduced);
        let Some(quantum) = quantum else {
            return self.fail(
                at,
                "the quantum is not a decimal above zero in quotes",
                "round(x, '0.01', 'half_up')",
            );
        };
        let mode = literal_text(args[2]).and_then(|word| RoundingMode::parse(&word));
        let Some(mode) = mode else {
            let words: Vec<&str> = RoundingMode::WORDS.iter().map(|(word, _)| *word).collect();
            return self.fail(
                at,
                "the rounding mode is not known",
                format!("modes are {}", words.join(", ")),
            );
        };
        self.rounding(at, part, (quantum.num, quantum.den), mode)
    }

    /// Rounds to a multiple of the quantum of the base unit (a yuan is a hundred fen).
    fn rounding(
        &mut self,
        at: (usize, usize),
        part: Part,
        quantum: (i128, i128),
        mode: RoundingMode,
    ) -> Option<Part> {
        let (_, unit) = self.number(part)?;
        let power = unit.as_ref().map_or(0, |unit| unit.power(self.names.currency()));
        let scale = 100_i128.checked_pow(u32::from(power.unsigned_abs().min(8))).unwrap_or(1);
        let (num, den) = if power < 0 {
            (Some(quantum.0), quantum.1.checked_mul(scale))
        } else {
            (quantum.0.checked_mul(scale), Some(quantum.1))
        };
        let (Some(num), Some(den)) = (num, den) else {
            return self.fail(at, "the quantum is out of range", "quanta are like 0.01, 1, 100");
        };
        let by = i128::try_from(super::exact::gcd(num.unsigned_abs(), den.unsigned_abs()));
        let by = by.unwrap_or(1).max(1);
        let quantum = Quantum { num: num / by, den: den / by, mode };
        let kind = Kind::Num { integer: quantum.den == 1, unit };
        self.node(at, Op::Round(quantum), vec![part.id], kind)
    }

    fn modulo(&mut self, at: (usize, usize), parts: &[Part]) -> Option<Part> {
        let kind = self.alike(at, parts)?;
        let (Kind::Num { integer: true, .. }, false) =
            (&kind, matches!(self.folded(parts[1].id), Some(Cell::Num(0, _))))
        else {
            return self.fail(
                at,
                "mod needs whole numbers and a divisor other than zero",
                "floor(x) makes a whole number",
            );
        };
        self.node(at, Op::Mod, vec![parts[0].id, parts[1].id], kind)
    }

    fn coalesce(&mut self, at: (usize, usize), first: Part, second: Part) -> Option<Part> {
        let kind = self.union(at, &[first, second])?;
        self.listed(first, second)?;
        let nullable = self.may_be_null(first.id) && self.may_be_null(second.id);
        let text = (self.source.pieces[at.0].from, self.source.pieces[at.1].until);
        let args = vec![first.id, second.id];
        self.draft(at, Draft { op: Op::Coalesce, args, kind, nullable, text, head: None })
    }

    /// `tier(x, how, t1, r1, …, r_last)`: bands `(t(i-1), t(i)]` with their rates.
    fn tier(&mut self, at: (usize, usize), args: &[&ast::Expr]) -> Option<Part> {
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
        let bounds: Vec<Part> = steps.iter().skip(0).step_by(2).copied().collect();
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
        self.root(at, sum?)
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

    fn taper(&mut self, at: (usize, usize), parts: &[Part]) -> Option<Part> {
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
    fn root(&mut self, at: (usize, usize), id: NodeId) -> Option<Part> {
        let pieces = &self.source.pieces;
        self.tree.nodes[id].text = (pieces[at.0].from, pieces[at.1].until);
        Some(Part { id, at })
    }

    fn lookup(
        &mut self,
        at: (usize, usize),
        table: &Arc<LookupTable>,
        args: &[&ast::Expr],
    ) -> Option<Part> {
        let parts: Vec<Option<Part>> = args.iter().map(|arg| self.lower(arg)).collect();
        let parts = parts.into_iter().collect::<Option<Vec<Part>>>()?;
        if parts.len() != table.keys.len() {
            let keys: Vec<&str> = table.keys.iter().map(|key| &*key.name).collect();
            return self.fail(
                at,
                format!("{} keys, the table has {}", parts.len(), table.keys.len()),
                format!("write {}({})", table.head.id, keys.join(", ")),
            );
        }
        for (part, key) in parts.iter().zip(&table.keys) {
            self.key(*part, key)?;
        }
        self.tree.cite(&table.head);
        let known = self.tree.lookups.iter().position(|lookup| Arc::ptr_eq(&lookup.table, table));
        let index = known.unwrap_or_else(|| {
            self.tree.lookups.push(Arc::new(Lookup::new(Arc::clone(table))));
            self.tree.lookups.len() - 1
        });
        let kind = Kind::of(&table.ty, &self.basis);
        let nullable = table.nullable();
        let text = (self.source.pieces[at.0].from, self.source.pieces[at.1].until);
        let args = parts.iter().map(|part| part.id).collect();
        self.draft(at, Draft { op: Op::Lookup(index), args, kind, nullable, text, head: None })
    }

    /// Whether an argument fits a key column.
    fn key(&mut self, part: Part, key: &TableKey) -> Option<()> {
        self.present(part)?;
        let found = self.kind(part.id).clone();
        let fits = match (&key.ty, &found) {
            (Ty::Bool, Kind::Bool)
            | (Ty::Date, Kind::Date)
            | (Ty::Text(_) | Ty::Key, Kind::Text(_) | Kind::Key) => true,
            (Ty::Num { unit, .. }, Kind::Num { unit: own, .. }) => {
                // A key declared by a pack may leave its unit out; then any unit is meant.
                let unit = unit.cancel(&self.basis);
                unit.is_plain() || own.as_ref().is_none_or(|own| *own == unit)
            }
            _ => false,
        };
        if !fits {
            let wanted = Kind::of(&key.ty, &self.basis).word();
            return self.fail(
                part.at,
                format!("{} for the key {}, which is {wanted}", found.word(), key.name),
                "keys are given in the order of the table",
            );
        }
        let (Ty::Text(Some(list)), Some(Cell::Text(text))) = (&key.ty, self.folded(part.id)) else {
            return Some(());
        };
        if list.iter().any(|value| **value == **text) {
            return Some(());
        }
        let message = format!("'{text}' is not a listed value of {}", key.name);
        self.fail(part.at, message, format!("listed are {}", list.join(", ")))
    }
}

/// The arguments of a call without any of SQL's extras.
fn plain_arguments(function: &ast::Function) -> Option<Vec<&ast::Expr>> {
    let ast::Function { parameters, args, within_group, null_treatment, over, .. } = function;
    let FunctionArguments::List(list) = args else { return None };
    let plain = matches!(parameters, FunctionArguments::None)
        && !function.uses_odbc_syntax
        && within_group.is_empty()
        && null_treatment.is_none()
        && over.is_none()
        && list.duplicate_treatment.is_none()
        && list.clauses.is_empty();
    if !plain {
        return None;
    }
    list.args
        .iter()
        .map(|arg| match arg {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
            _ => None,
        })
        .collect()
}

/// A literal text or number as text.
pub(super) fn literal_text(expr: &ast::Expr) -> Option<String> {
    match expr {
        ast::Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) | Value::Number(text, false) => Some(text.clone()),
            _ => None,
        },
        _ => None,
    }
}
