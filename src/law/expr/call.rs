//! Function calls and table lookups.

use sqlparser::ast::{self, FunctionArg, FunctionArgExpr, FunctionArguments, Spanned, Value};

use crate::domain::{Cell, Fraction, RoundingMode, Terms};
use crate::law::model::{Ty, Unit, Window};
use crate::law::names::Name;
use std::sync::Arc;

use super::exact::Quantum;
use super::lookup::Lookup;
use super::lower::{Lowerer, Part};
use super::tree::{Draft, Kind, NodeId, Op};
use super::{LookupTable, TableKey};

/// Functions of values of one row: name, least and most arguments.
const FUNCTIONS: [(&str, usize, usize); 33] = [
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
    ("add_days", 2, 2),
    ("week_start", 1, 1),
    ("weekday", 1, 1),
    ("term_of", 2, 13),
    ("term_after", 2, 13),
    ("year", 1, 1),
    ("month", 1, 1),
    ("day", 1, 1),
    ("date_of", 3, 3),
    ("tier", 5, 64),
    ("taper", 5, 5),
    ("count_eligible", 1, 1),
    ("count_paid", 1, 1),
    ("sum_amount", 1, 1),
    ("paid_to_date", 1, 2),
    ("paid_months", 1, 2),
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
            "term_of" | "term_after" => return self.term(at, name, args),
            "count_eligible" | "count_paid" | "sum_amount" => {
                return self.item_aggregate(at, name, args[0], Window::Month);
            }
            "paid_to_date" | "paid_months" => {
                let window = match args.get(1).map(|word| literal_text(word)) {
                    None => Window::Life,
                    Some(word) => match word.as_deref() {
                        Some("life") => Window::Life,
                        Some("year") => Window::Year,
                        _ => {
                            let hint = format!("{name}('item.id', 'year')");
                            return self.fail(at, "the window is 'year' or 'life'", hint);
                        }
                    },
                };
                return self.item_aggregate(at, name, args[0], window);
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
            "week_start" => (Op::WeekStart, Kind::Date),
            "weekday" => (Op::Weekday, Kind::integer()),
            "year" => (Op::Year, Kind::integer()),
            "month" => (Op::Month, Kind::integer()),
            "day" => (Op::Day, Kind::integer()),
            "add_months" => {
                let (date, count) = (self.date(parts[0]), self.integer(parts[1]));
                date.and(count)?;
                return self.node(at, Op::AddMonths, ids, Kind::Date);
            }
            "add_days" => {
                let (date, count) = (self.date(parts[0]), self.days(parts[1]));
                date.and(count)?;
                return self.node(at, Op::AddDays, ids, Kind::Date);
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

    /// A whole number, plain or of days.
    fn days(&mut self, part: Part) -> Option<()> {
        match self.kind(part.id) {
            Kind::Num { integer: true, unit: Some(unit) } if *unit == Unit::word("day") => {
                self.present(part)
            }
            _ => self.integer(part),
        }
    }

    /// `term_of(d, '01-01', '09-01')`, `term_after(…)`.
    fn term(&mut self, at: (usize, usize), name: &str, args: &[&ast::Expr]) -> Option<Part> {
        let part = self.lower(args[0])?;
        self.date(part)?;
        let days: Option<Vec<String>> = args[1..].iter().map(|arg| literal_text(arg)).collect();
        let hint = format!("{name}(d, '01-01', '04-01', '09-01')");
        let Some(days) = days else {
            return self.fail(at, "the days of terms are literal texts", hint);
        };
        match Terms::parse(days.iter().map(String::as_str)) {
            Ok(terms) => {
                let op = if name == "term_of" { Op::TermOf(terms) } else { Op::TermAfter(terms) };
                self.node(at, op, vec![part.id], Kind::Date)
            }
            Err(error) => self.fail(at, error.to_string(), hint),
        }
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

    fn lookup(
        &mut self,
        at: (usize, usize),
        table: &Arc<LookupTable>,
        args: &[&ast::Expr],
    ) -> Option<Part> {
        let parts: Vec<Option<Part>> = args.iter().map(|arg| self.lower(arg)).collect();
        let parts = parts.into_iter().collect::<Option<Vec<Part>>>()?;
        // The date of law that is dated by row is not written.
        let written = table.keys.len() - usize::from(table.dated.is_some());
        if parts.len() != written {
            let keys: Vec<&str> = table.keys[..written].iter().map(|key| &*key.name).collect();
            return self.fail(
                at,
                format!("{} keys, the table has {written}", parts.len()),
                format!("write {}({})", table.head.id, keys.join(", ")),
            );
        }
        for (part, key) in parts.iter().zip(&table.keys) {
            self.key(*part, key)?;
        }
        self.looked_up(at, table, parts)
    }

    /// A lookup with keys that fit; law that is dated by row gets the date of the row.
    pub(super) fn looked_up(
        &mut self,
        at: (usize, usize),
        table: &Arc<LookupTable>,
        mut parts: Vec<Part>,
    ) -> Option<Part> {
        if let Some(dated) = &table.dated {
            parts.push(self.date_of_row(at, &table.head.id, &dated.by)?);
        }
        table.heads().iter().for_each(|head| self.tree.cite(head));
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

    /// The date that law is dated by, read on the rule's own basis.
    fn date_of_row(&mut self, at: (usize, usize), id: &str, by: &str) -> Option<Part> {
        let found = self.names.name(&self.basis, by);
        let what = format!("{id} is dated by `{by}`");
        let column = match found {
            Ok(Name::Column { basis, column, ty, nullable })
                if basis == self.basis || self.names.determines(&self.basis, &basis) =>
            {
                (basis, column, ty, nullable)
            }
            Ok(_) => {
                let message = format!("{what}, which is no column of {}", self.basis);
                let hint = "a date of the row or of what it belongs to: spell_from, listing_from";
                return self.fail(at, message, hint);
            }
            Err(near) => {
                let message = format!("{what}, which cannot be read on {}", self.basis);
                return self.fail(
                    at,
                    message,
                    format!(
                        "read {id} on the basis that has the date, near names are {}",
                        near.join(", ")
                    ),
                );
            }
        };
        let (basis, column, ty, nullable) = column;
        if ty != Ty::Date {
            let found = Kind::of(&ty, &self.basis).word();
            return self.fail(at, format!("{what}, which is {found}"), "name a date");
        }
        let op = Op::Column(self.tree.column(&basis, &column));
        let draft =
            Draft { op, args: vec![], kind: Kind::Date, nullable, text: (0, 0), head: None };
        let part = self.draft(at, draft)?;
        if self.may_be_null(part.id) {
            let message = format!("{what}, which may be null");
            return self.fail(
                at,
                message,
                format!("write `{by} IS NOT NULL AND …` before it (S6)"),
            );
        }
        Some(part)
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
