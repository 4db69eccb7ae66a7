//! The independent check: the same tree as `DuckDB` SQL, exact to the last digit.
//!
//! `DuckDB`'s `/` is a float, so a number is a struct of numerator, denominator (HUGEINT, lowest
//! terms) and error code, every other value a struct of value and error code. Null is a null
//! numerator or value with error 0. The steps are those of [`super::exact`], so that a result
//! exists here exactly where it exists there; `TRY` turns an overflow into error 4.
//!
//! A query reads a view whose columns are named `basis.column` ([`sql_view`] writes one) and a
//! calendar table ([`calendar_sql`]). Each operator is a few columns of one nested SELECT a
//! level, so that shared sub-expressions are written once.

mod ops;
mod view;

use std::fmt::Write as _;

use crate::domain::{Cell, Date};

use super::tree::{Kind, NodeId, Op, Tree};
use super::{KeyCell, LookupTable};

pub use self::view::{calendar_sql, sql_view};

/// A query with the columns `row`, `error` (0 = none, else the number of the row error), `num` and
/// `den` of a number in lowest terms, `value` of anything else; all texts but `row` and `error`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlQuery {
    /// The SELECT, to be run after [`prelude`].
    pub text: String,
}

/// Macros the queries use; run once a connection.
#[must_use]
pub fn prelude() -> &'static str {
    include_str!("prelude.sql")
}

/// A value in the query: how to name it and the level it exists from.
#[derive(Debug, Clone)]
struct Held {
    text: String,
    level: usize,
}

/// Writes columns level by level.
struct Writer<'a> {
    tree: &'a Tree,
    calendar: &'a str,
    levels: Vec<Vec<String>>,
    held: Vec<Option<Held>>,
    names: usize,
}

pub(super) fn query(tree: &Tree, root: NodeId, view: &str, calendar: &str) -> SqlQuery {
    let held = vec![None; tree.nodes.len()];
    let mut writer = Writer { tree, calendar, levels: Vec::new(), held, names: 0 };
    // Arguments stand before their users in the arena, so that one pass writes everything.
    for id in 0..=root {
        let value = writer.node(id);
        writer.held[id] = Some(value);
    }
    let result = writer.hold(root);
    let mut from = format!("SELECT * FROM {}", name(view));
    for level in &writer.levels {
        if !level.is_empty() {
            from = format!("SELECT *,\n  {}\nFROM ({from})", level.join(",\n  "));
        }
    }
    let (num, den, value) = match tree.nodes[root].kind {
        Kind::Num { .. } => ("(x).n", "(x).d", "NULL"),
        _ => ("NULL", "NULL", "(x).v"),
    };
    let text = format!(
        "SELECT \"row\", (x).e::INTEGER AS error, {num}::VARCHAR AS num, {den}::VARCHAR AS den, \
         {value}::VARCHAR AS value\nFROM (SELECT \"row\", {} AS x FROM ({from}))\nORDER BY \"row\"",
        result.text
    );
    SqlQuery { text }
}

/// A quoted name.
fn name(word: &str) -> String {
    format!("\"{}\"", word.replace('"', "\"\""))
}

/// A quoted text.
fn text(word: &str) -> String {
    format!("'{}'", word.replace('\'', "''"))
}

fn number(num: i128, den: i128) -> String {
    format!("tu_number('{num}', '{den}')")
}

fn day(date: Date) -> String {
    format!("DATE '{date}'")
}

/// The SQL type of the value field.
const fn value_type(kind: &Kind) -> &'static str {
    match kind {
        Kind::Bool | Kind::Null => "BOOLEAN",
        Kind::Date => "DATE",
        Kind::Text(_) | Kind::Key | Kind::Num { .. } => "VARCHAR",
    }
}

/// A value with an error code, of the kind.
fn failed(kind: &Kind, error: &str) -> String {
    match kind {
        Kind::Num { .. } => format!("tu_no_number({error})"),
        _ => format!("tu_value(NULL::{}, {error})", value_type(kind)),
    }
}

/// A constant of the kind.
fn constant(cell: &Cell, kind: &Kind) -> String {
    match cell {
        Cell::Null => failed(kind, "0"),
        Cell::Bool(value) => format!("tu_value({value}, 0)"),
        Cell::Num(num, den) => match super::exact::Exact::new(*num, *den) {
            Some(value) => number(value.num, value.den),
            None => failed(kind, "4"),
        },
        Cell::Date(date) => format!("tu_value({}, 0)", day(*date)),
        Cell::Text(word) => format!("tu_value({}, 0)", text(word)),
    }
}

impl Writer<'_> {
    fn hold(&self, id: NodeId) -> Held {
        self.held[id].clone().unwrap_or(Held { text: "NULL".to_owned(), level: 0 })
    }

    /// Adds a column computed from values of lower levels.
    fn put(&mut self, from: &[&Held], expression: &str) -> Held {
        let level = from.iter().map(|held| held.level).max().unwrap_or(0);
        if self.levels.len() <= level {
            self.levels.resize(level + 1, Vec::new());
        }
        self.names += 1;
        let text = format!("x{}", self.names);
        self.levels[level].push(format!("{expression} AS {text}"));
        Held { text, level: level + 1 }
    }

    /// Applies a macro.
    fn call(&mut self, function: &str, args: &[&Held]) -> Held {
        let texts: Vec<&str> = args.iter().map(|held| held.text.as_str()).collect();
        let expression = format!("{function}({})", texts.join(", "));
        self.put(args, &expression)
    }

    fn node(&mut self, id: NodeId) -> Held {
        let tree = self.tree;
        let node = &tree.nodes[id];
        if let Some(cell) = &node.folded {
            return Held { text: constant(cell, &node.kind), level: 0 };
        }
        let args: Vec<Held> = node.args.iter().map(|arg| self.hold(*arg)).collect();
        match &node.op {
            Op::Const(cell) => Held { text: constant(cell, &node.kind), level: 0 },
            Op::Column(column) => {
                let (basis, column) = &tree.columns[*column];
                Held { text: name(&format!("{basis}.{column}")), level: 0 }
            }
            Op::And | Op::Or => {
                let decides = if node.op == Op::And { "NOT " } else { "" };
                let (a, b) = (&args[0], &args[1]);
                let expression = format!(
                    "CASE WHEN ({0}).e <> 0 THEN {0} WHEN {decides}({0}).v THEN {0} ELSE {1} END",
                    a.text, b.text
                );
                self.put(&[a, b], &expression)
            }
            Op::Case => self.case(id, &args),
            Op::Coalesce => {
                let field = match node.kind {
                    Kind::Num { .. } => "n",
                    _ => "v",
                };
                let (a, b) = (&args[0], self.typed(node.args[1], &node.kind));
                let expression = format!(
                    "CASE WHEN ({0}).e = 0 AND ({0}).{field} IS NULL THEN {1} ELSE {0} END",
                    a.text, b.text
                );
                self.put(&[a, &b], &expression)
            }
            Op::IsNull => {
                let field = match tree.nodes[node.args[0]].kind {
                    Kind::Num { .. } => "n",
                    _ => "v",
                };
                let a = &args[0];
                let expression =
                    format!("tu_value(({0}).{field} IS NULL AND ({0}).e = 0, ({0}).e)", a.text);
                self.put(&[a], &expression)
            }
            Op::In(list) => self.one_of(id, list),
            Op::Lookup(index) => {
                let table = std::sync::Arc::clone(&tree.lookups[*index].table);
                self.lookup(&table, id, &args)
            }
            op => {
                let numeric = node
                    .args
                    .first()
                    .is_some_and(|arg| matches!(tree.nodes[*arg].kind, Kind::Num { .. }));
                self.operator(op, numeric, &args)
            }
        }
    }

    /// A value as an alternative of a kind: NULL takes the kind's shape.
    fn typed(&self, id: NodeId, kind: &Kind) -> Held {
        match (&self.tree.nodes[id].kind, kind) {
            (Kind::Null, _) => Held { text: failed(kind, "0"), level: 0 },
            _ => self.hold(id),
        }
    }

    fn case(&mut self, id: NodeId, args: &[Held]) -> Held {
        let node = &self.tree.nodes[id];
        let mut expression = "CASE".to_owned();
        let mut used: Vec<Held> = args.to_vec();
        for pair in node.args.chunks(2) {
            if let [test, result] = pair {
                let (test, result) = (self.hold(*test).text, self.typed(*result, &node.kind));
                let broken = failed(&node.kind, &format!("({test}).e"));
                let _ = write!(
                    expression,
                    " WHEN ({test}).e <> 0 THEN {broken} WHEN ({test}).v THEN {}",
                    result.text
                );
                used.push(result);
            } else {
                let otherwise = self.typed(pair[0], &node.kind);
                let _ = write!(expression, " ELSE {} END", otherwise.text);
                used.push(otherwise);
            }
        }
        let used: Vec<&Held> = used.iter().collect();
        self.put(&used, &expression)
    }

    fn one_of(&mut self, id: NodeId, list: &[Cell]) -> Held {
        let node = &self.tree.nodes[id];
        let (value, kind) = (self.hold(node.args[0]), &self.tree.nodes[node.args[0]].kind);
        if !matches!(kind, Kind::Num { .. }) {
            let items: Vec<String> = list
                .iter()
                .map(|cell| match cell {
                    Cell::Bool(value) => value.to_string(),
                    Cell::Date(date) => day(*date),
                    Cell::Text(word) => text(word),
                    _ => "NULL".to_owned(),
                })
                .collect();
            let expression =
                format!("tu_value(({0}).v IN ({1}), ({0}).e)", value.text, items.join(", "));
            return self.put(&[&value], &expression);
        }
        let mut sides = Vec::with_capacity(list.len());
        for cell in list {
            let item = Held { text: constant(cell, kind), level: 0 };
            sides.push(self.call("tu_align", &[&value, &item]));
        }
        let mut expression = "CASE".to_owned();
        for side in &sides {
            let _ = write!(
                expression,
                " WHEN ({0}).e <> 0 THEN tu_value(NULL::BOOLEAN, ({0}).e) \
                 WHEN ({0}).l = ({0}).r THEN tu_value(true, 0)",
                side.text
            );
        }
        expression += " ELSE tu_value(false, 0) END";
        let used: Vec<&Held> = sides.iter().collect();
        self.put(&used, &expression)
    }

    fn lookup(&mut self, table: &LookupTable, id: NodeId, args: &[Held]) -> Held {
        let node = &self.tree.nodes[id];
        let kind = &node.kind;
        let numeric: Vec<bool> = node
            .args
            .iter()
            .map(|arg| matches!(self.tree.nodes[*arg].kind, Kind::Num { .. }))
            .collect();
        let errors: Vec<String> = args.iter().map(|arg| format!("({}).e", arg.text)).collect();
        let worst = errors
            .iter()
            .skip(1)
            .fold(errors[0].clone(), |all, own| format!("tu_worse({all}, {own})"));
        let mut expression = format!("CASE WHEN {worst} <> 0 THEN {}", failed(kind, &worst));
        for (keys, cell) in &table.rows {
            let tests: Vec<String> = keys
                .iter()
                .zip(args.iter().zip(&numeric))
                .flat_map(|(key, (arg, numeric))| key_tests(key, &arg.text, *numeric))
                .collect();
            let test = if tests.is_empty() { "true".to_owned() } else { tests.join(" AND ") };
            let _ = write!(expression, "\n    WHEN {test} THEN {}", constant(cell, kind));
        }
        let _ = write!(expression, "\n    ELSE {} END", failed(kind, "2"));
        let used: Vec<&Held> = args.iter().collect();
        self.put(&used, &expression)
    }
}

/// Conditions on one key of a table row; `*` has none.
fn key_tests(key: &KeyCell, arg: &str, numeric: bool) -> Vec<String> {
    match key {
        KeyCell::Any => Vec::new(),
        KeyCell::Is(Cell::Num(num, den)) => match super::exact::Exact::new(*num, *den) {
            // Both sides are in lowest terms.
            Some(value) => {
                vec![format!("({arg}).n = {} AND ({arg}).d = {}", value.num, value.den)]
            }
            None => vec!["false".to_owned()],
        },
        KeyCell::Is(Cell::Bool(value)) => vec![format!("({arg}).v = {value}")],
        KeyCell::Is(Cell::Date(date)) => vec![format!("({arg}).v = {}", day(*date))],
        KeyCell::Is(Cell::Text(word)) => vec![format!("({arg}).v = {}", text(word))],
        KeyCell::Is(Cell::Null) => vec!["false".to_owned()],
        KeyCell::Range { low, high } => {
            let low = low.map(|(bound, with)| (bound, if with { ">=" } else { ">" }));
            let high = high.map(|(bound, with)| (bound, if with { "<=" } else { "<" }));
            [low, high]
                .into_iter()
                .flatten()
                .map(|((num, den), sign)| {
                    if numeric {
                        format!(
                            "TRY(({arg}).n * '{den}'::HUGEINT) {sign} \
                             TRY('{num}'::HUGEINT * ({arg}).d)"
                        )
                    } else {
                        format!("(({arg}).v - DATE '1970-01-01') * {den} {sign} {num}")
                    }
                })
                .collect()
        }
    }
}
