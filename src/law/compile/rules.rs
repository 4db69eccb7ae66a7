//! Ages, parameters, tables, values, guide prices and gates.

use std::sync::Arc;

use super::{Compiler, Place, owner};
use crate::domain::{Basis, Cell, Fraction, Rounding, Terms};
use crate::law::cells::{self, UNSET, ending, is_money, ty_text};
use crate::law::expr::Expr;
use crate::law::fault::At;
use crate::law::model::{
    AgeAt, AgeRule, BirthdayMonth, Breach, GateRule, PriceRule, Step, Ty, Unit, ValueRule,
};
use crate::law::names::Names;
use crate::law::scope::{Constant, Readable};
use crate::law::text::{Block, BlockKind, number};

/// Bases that carry the ages of a pack.
pub(super) const AGE_BASES: [Basis; 3] = [Basis::Spell, Basis::Listing, Basis::Child];

/// The type of an age: completed months as a plain number, so that `age >= 24` compares.
pub(super) fn age_type() -> Ty {
    Ty::Num { integer: true, unit: Unit::default() }
}

impl Compiler<'_> {
    pub(super) fn ages(&mut self) -> Vec<Arc<AgeRule>> {
        let mut ages = Vec::new();
        for block in self.of_kind(BlockKind::Age) {
            if block.broken {
                self.give_up(block);
                continue;
            }
            let Some(at) = self.age_at(block) else {
                self.give_up(block);
                continue;
            };
            let head = self.book.head_of(block);
            let readable =
                Readable { column: Arc::clone(&head.id), ty: age_type(), nullable: false };
            let names = self.names_of(block);
            for basis in &AGE_BASES {
                self.scope.add_column(block.pack, basis, &names, &readable);
            }
            ages.push(Arc::new(AgeRule {
                head,
                at,
                last_day: block.word("birthday_rule") == "last_day",
                birthday_month: match block.word("birthday_month") {
                    "in" => BirthdayMonth::In,
                    "out" => BirthdayMonth::Out,
                    _ => BirthdayMonth::Exact,
                },
            }));
        }
        ages
    }

    /// The instant of an age; `None` when its terms cannot be read.
    fn age_at(&mut self, block: &Block) -> Option<AgeAt> {
        let (word, texts) = (block.word("at"), block.texts("terms"));
        let expected = "terms = [\"01-01\", \"04-01\", \"09-01\"] with at = \"term_start\"";
        if word == "term_start" {
            match Terms::parse(texts.iter().map(|(text, _)| *text)) {
                Ok(terms) => return Some(AgeAt::TermStart(terms)),
                Err(error) => {
                    let message = format!("the terms of [[age]] {}: {error}", block.id);
                    self.faults.error("terms", block.at("terms"), message, expected, "");
                    return None;
                }
            }
        }
        if block.get("terms").is_some() {
            let message = format!("[[age]] {} has `terms`, but at = {word:?}", block.id);
            self.faults.error("terms", block.at("terms"), message, expected, "");
            return None;
        }
        Some(match word {
            "month_end" => AgeAt::MonthEnd,
            "spell_start" => AgeAt::SpellStart,
            "september_first" => AgeAt::SeptemberFirst,
            _ => AgeAt::MonthStart,
        })
    }

    pub(super) fn constants_and_tables(&mut self) {
        for block in self.of_kind(BlockKind::Parameter) {
            if block.dating.by_row {
                continue;
            }
            if block.broken || self.parameter(block).is_none() {
                self.give_up(block);
            }
        }
        for block in self.of_kind(BlockKind::Table) {
            if block.dating.by_row {
                continue;
            }
            let Some(read) = self.book.tables.get(&block.serial) else {
                self.give_up(block);
                continue;
            };
            for at in &read.unset {
                self.unset(block, at);
            }
            let names = self.names_of(block);
            self.scope.add_table(block.pack, &names, &read.table);
        }
        self.dated_parameters();
        self.dated_tables();
    }

    pub(super) fn unset(&mut self, block: &Block, at: &At) {
        let message = format!("[[{}]] {} is not set", block.kind.word(), block.id);
        let hint = "fill it from the notice, or lay an overlay over it";
        self.faults.error("unset", at, message, "a value", hint);
    }

    fn parameter(&mut self, block: &Block) -> Option<()> {
        let constant = self.constant(block)?;
        let names = self.names_of(block);
        self.scope.add_constant(block.pack, &names, &constant);
        Some(())
    }

    /// The value of a parameter.
    pub(super) fn constant(&mut self, block: &Block) -> Option<Constant> {
        let what = format!("[[parameter]] {}", block.id);
        let currency = Arc::clone(&self.scope.currency);
        let mut ty = cells::declared_type(
            &what,
            &block.at,
            block.get("unit"),
            block.text("type"),
            &currency,
            &mut self.faults,
        )?;
        let node = block.get("value")?;
        let cell = if node.text() == Some(UNSET) {
            self.unset(block, &node.at);
            // A stand-in of the type, so that the rules that read it are still checked.
            match &ty {
                Ty::Bool => Cell::Bool(false),
                Ty::Text(_) | Ty::Key => Cell::Text(String::new()),
                Ty::Num { .. } => Cell::Num(1, 1),
                Ty::Date => Cell::Date(block.dating.from),
            }
        } else {
            match cells::cell(node, &ty, &currency) {
                Ok(cell) => cell,
                Err(message) => {
                    let message = format!("{what}: {message}");
                    self.faults.error("wrong_type", &node.at, message, "", "");
                    return None;
                }
            }
        };
        if let (Ty::Num { integer, .. }, Cell::Num(_, den)) = (&mut ty, &cell) {
            *integer |= *den == 1;
        }
        Some(Constant { cell, ty, head: Arc::new(self.book.head_of(block)) })
    }

    /// Compiles a `[[value]]` and makes it readable.
    pub(super) fn value(&mut self, block: &Block) -> Option<()> {
        let basis = self.basis(block)?;
        let rule = self.value_rule(block, &basis)?;
        let names = self.names_of(block);
        self.readable_value(block, &names, &rule);
        self.push(Step::Value(Arc::new(rule)));
        Some(())
    }

    /// One version of a value.
    pub(super) fn value_rule(&mut self, block: &Block, basis: &Basis) -> Option<ValueRule> {
        let expr = self.key(block, "expr", basis)?;
        let money = matches!(expr.ty(), Ty::Num { unit, .. } if self.money(unit));
        let round = match block.get("round") {
            None => None,
            Some(node) => {
                if !matches!(expr.ty(), Ty::Num { .. }) {
                    let message = format!("`round` on a {}", ty_text(expr.ty()));
                    self.faults.error("rounding", &node.at, message, "a number", "");
                    return None;
                }
                Some(cells::rounding(node, money, &mut self.faults)?)
            }
        };
        self.asserted_unit(block, basis, expr.ty())?;
        let (head, basis) = (self.book.head_of(block), basis.clone());
        Some(ValueRule { head, basis, expr, round, hidden: false, dated_by: None })
    }

    /// Makes a value readable under its names.
    pub(super) fn readable_value(&mut self, block: &Block, names: &[&str], rule: &ValueRule) {
        let readable = Readable {
            column: Arc::clone(&rule.head.id),
            ty: rounded_type(rule.expr.ty(), rule.round),
            nullable: rule.expr.nullable(),
        };
        self.scope.add_column(block.pack, &rule.basis, names, &readable);
    }

    /// Whether a unit is of money.
    pub(super) fn money(&self, unit: &Unit) -> bool {
        is_money(unit, &self.scope.currency)
    }

    fn asserted_unit(&mut self, block: &Block, basis: &Basis, ty: &Ty) -> Option<()> {
        let Some(text) = block.text("unit") else { return Some(()) };
        let asserted = Unit::parse(text);
        let found = match ty {
            Ty::Num { unit, .. } => Some(unit),
            _ => None,
        };
        let equal = found.zip(asserted.as_ref()).is_some_and(|(found, asserted)| {
            found == asserted || ending(found, basis) == ending(asserted, basis)
        });
        if equal {
            return Some(());
        }
        let message = format!("[[value]] {} has the unit {:?}", block.id, ty_text(ty));
        self.faults.error("unit", block.at("unit"), message, format!("{text:?} as stated"), "");
        None
    }

    /// Compiles a `[[guide_price]]` and makes its names readable.
    pub(super) fn price(&mut self, block: &Block) -> Option<()> {
        let basis = self.basis(block)?;
        let when = self.key(block, "when", &basis);
        let fee = self.key(block, "fee", &basis);
        let benchmark = self.scratch(block, "benchmark", &basis);
        let round = match block.get("round") {
            None => None,
            Some(node) => Some((node, cells::rounding(node, true, &mut self.faults)?)),
        };
        if round.is_none() && (block.text("float_up").or(block.text("float_down"))).is_some() {
            self.faults.error(
                "missing_rounding",
                &block.at,
                format!("[[guide_price]] {} has a float band and no `round`", block.id),
                "round = { to, mode }",
                "the ceiling is rounded as the notice says",
            );
            return None;
        }
        let (when, fee, benchmark) = (when?, fee?, benchmark?);
        self.must_be_bool(block, "when", &when)?;
        self.same_money(block, &basis, &fee, &benchmark)?;
        let quoted = round.map(|(node, _)| {
            let to = node.get("to").and_then(number).unwrap_or(Fraction::whole(1));
            (decimal(to), node.get("mode").and_then(|m| m.text()).unwrap_or("").to_owned())
        });
        let ceiling = self.bound(block, &basis, "float_up", "+", quoted.as_ref())?;
        let floor = match block.text("float_down") {
            None => None,
            Some(_) => Some(self.bound(block, &basis, "float_down", "-", quoted.as_ref())?),
        };
        self.breach_fits(block, &basis)?;
        let head = self.book.head_of(block);
        self.price_names(block, &basis, &head.id, fee.ty());
        let breach = match block.word("breach") {
            "refuse_child" => Breach::RefuseChild,
            "refuse_institution" => Breach::RefuseInstitution,
            "reduce_to_ceiling" => Breach::ReduceToCeiling,
            _ => Breach::Warn,
        };
        let rule = PriceRule { head, basis, when, fee, ceiling, floor, breach };
        self.push(Step::Price(Arc::new(rule)));
        Some(())
    }

    /// A breach refuses a child or an institution, so the rows must have one.
    fn breach_fits(&mut self, block: &Block, basis: &Basis) -> Option<()> {
        let needs = match block.word("breach") {
            "refuse_child" => Basis::Child,
            "refuse_institution" => Basis::Institution,
            _ => return Some(()),
        };
        if self.scope.determines(basis, &needs) {
            return Some(());
        }
        let message = format!("[[guide_price]] {}: rows of {basis} have no {needs}", block.id);
        self.faults.error("basis", block.at("breach"), message, "a breach the rows can bear", "");
        None
    }

    /// Compiles a text only to check it; nothing it lifts is kept.
    fn scratch(&mut self, block: &Block, key: &'static str, basis: &Basis) -> Option<Expr> {
        let text = block.word(key).to_owned();
        let name = owner(&self.book.printed(block.pack, &block.id), block, key);
        let place = Place { block, key, at: block.at(key) };
        self.compile_text(place, &text, basis, &name, &mut Vec::new())
    }

    /// Refuses what is no condition, or may be null.
    pub(super) fn must_be_bool(
        &mut self,
        block: &Block,
        key: &'static str,
        expr: &Expr,
    ) -> Option<()> {
        if *expr.ty() == Ty::Bool && !expr.nullable() {
            return Some(());
        }
        let found = if expr.nullable() { "may be null" } else { "is not true or false" };
        let message = format!("[[{}]] {}: `{key}` {found}", block.kind.word(), block.id);
        self.faults.error("type", block.at(key), message, "a condition", "");
        None
    }

    fn same_money(
        &mut self,
        block: &Block,
        basis: &Basis,
        fee: &Expr,
        benchmark: &Expr,
    ) -> Option<()> {
        let unit = |expr: &Expr| match expr.ty() {
            Ty::Num { unit, .. } if self.money(unit) => Some(ending(unit, basis)),
            _ => None,
        };
        let (fee_unit, unit) = (unit(fee), unit(benchmark));
        if fee_unit.is_some() && fee_unit == unit {
            return Some(());
        }
        let message = format!(
            "[[guide_price]] {}: the benchmark is {:?} and the fee {:?}",
            block.id,
            ty_text(benchmark.ty()),
            ty_text(fee.ty())
        );
        self.faults.error("unit", block.at("benchmark"), message, "one unit of money", "");
        None
    }

    /// The ceiling or floor as one expression: null where the price does not hold or the benchmark
    /// is none, else the benchmark with its float, rounded.
    fn bound(
        &mut self,
        block: &Block,
        basis: &Basis,
        float: &'static str,
        sign: &str,
        round: Option<&(String, String)>,
    ) -> Option<Expr> {
        let (when, benchmark) = (block.word("when"), block.word("benchmark"));
        let factor = block.text(float).map(|text| match Fraction::parse_decimal(text) {
            Some(share) => {
                let part = if sign == "+" { share.num } else { -share.num };
                // A share of 10^38 would overflow; it is left to the expression to refuse.
                let num = share.den.checked_add(part).unwrap_or(share.num);
                decimal(Fraction { num, den: share.den })
            }
            None => format!("(1 {sign} ({text}))"),
        });
        let mut inner = format!("({benchmark})");
        if let Some(factor) = factor {
            inner = format!("{inner} * {factor}");
        }
        if let Some((to, mode)) = round {
            inner = format!("round({inner}, '{to}', '{mode}')");
        }
        let text =
            format!("CASE WHEN ({when}) AND ({benchmark}) IS NOT NULL THEN {inner} ELSE NULL END");
        let name = owner(&self.book.printed(block.pack, &block.id), block, float);
        // Parts were compiled alone, so what is wrong now is wrong with the whole.
        let key = if block.get(float).is_some() { float } else { "benchmark" };
        self.expr(Place { block, key, at: block.at(key) }, &text, basis, &name)
    }

    fn price_names(&mut self, block: &Block, basis: &Basis, printed: &str, fee: &Ty) {
        let whole = match fee {
            Ty::Num { unit, .. } => Ty::Num { integer: false, unit: unit.clone() },
            other => other.clone(),
        };
        let names = [
            ("ceiling", whole.clone(), true),
            ("floor", whole.clone(), true),
            ("fee", whole, true),
            ("over", Ty::Bool, false),
            ("under", Ty::Bool, false),
        ];
        for (part, ty, nullable) in names {
            let column = Arc::from(format!("{printed}.{part}"));
            let id = format!("{}.{part}", block.id);
            self.scope.add_column(block.pack, basis, &[&id], &Readable { column, ty, nullable });
        }
    }

    /// Compiles a `[[gate]]`.
    pub(super) fn gate(&mut self, block: &Block) -> Option<()> {
        let basis = self.basis(block)?;
        let require = self.key(block, "require", &basis)?;
        self.must_be_bool(block, "require", &require)?;
        let outcome = block.word("outcome");
        self.push(Step::Gate(Arc::new(GateRule {
            head: self.book.head_of(block),
            basis,
            require,
            reason: Arc::from(block.word("reason")),
            zero: outcome == "zero",
            warn: outcome == "warn",
        })));
        Some(())
    }
}

/// The type once rounded: whole where the quantum is.
fn rounded_type(ty: &Ty, round: Option<Rounding>) -> Ty {
    match (ty, round) {
        (Ty::Num { integer, unit }, Some(round)) => {
            Ty::Num { integer: *integer || round.quantum.1 == 1, unit: unit.clone() }
        }
        (ty, _) => ty.clone(),
    }
}

/// A fraction of tens as a decimal text; others as a quotient in brackets.
fn decimal(number: Fraction) -> String {
    let Fraction { num, den } = number.reduced();
    let mut scale = 1_i128;
    for places in 0..30_usize {
        if scale % den == 0 {
            let digits = (num.abs() * (scale / den)).to_string();
            let padded = format!("{digits:0>width$}", width = places + 1);
            let (whole, part) = padded.split_at(padded.len() - places);
            let sign = if num < 0 { "-" } else { "" };
            let point = if places > 0 { "." } else { "" };
            return format!("{sign}{whole}{point}{part}");
        }
        scale = scale.saturating_mul(10);
    }
    format!("({num} / {den})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_of_tens_are_written_as_decimals() {
        let text = |num, den| decimal(Fraction { num, den });
        assert_eq!(text(11, 10), "1.1");
        assert_eq!(text(7, 8), "0.875");
        assert_eq!(text(3, 1), "3");
        assert_eq!(text(1, 100), "0.01");
        assert_eq!(text(1, 3), "(1 / 3)");
    }
}
