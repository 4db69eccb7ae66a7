//! Values of parameters, table cells and keys: from text to exact cells with type and unit (S15).

use std::sync::Arc;

use super::fault::{At, Faults};
use super::model::{Ty, Unit};
use super::text::{Node, Value};
use crate::domain::{Basis, Cell, Date, Fraction, Rounding, RoundingMode};

/// The word of a value a user must fill.
pub(super) const UNSET: &str = "unset";
/// The word of a covered cell without a value.
pub(super) const NONE: &str = "none";

/// The unit a payable or limit ends in on a basis (S15): without a month below (on a day or a week that
/// instead), a child below on the bases of a child, and the row itself below on the others, so that
/// `yuan/class` on a class is money. Stricter than the comparison of units inside expressions:
/// `yuan*month` is not money.
pub(super) fn ending(unit: &Unit, basis: &Basis) -> Unit {
    let (time, own) = match basis {
        Basis::Spell | Basis::Listing | Basis::Child => ("month", "child"),
        // A rate of the month is none of the day: it would be paid on every one.
        Basis::Day | Basis::Week => (basis.name(), "child"),
        // A row of slots is many slots; the institution and the programme are not counted.
        Basis::Slot | Basis::Programme => ("month", ""),
        other => ("month", other.name()),
    };
    let mut unit = unit.clone();
    for word in [time, own] {
        if let Some(power) = unit.0.get_mut(word).filter(|power| **power < 0) {
            *power += 1;
        }
    }
    unit.0.retain(|_, power| *power != 0);
    unit
}

/// Whether a unit contains the currency, so that numbers are held in its hundredth.
pub(super) fn is_money(unit: &Unit, currency: &str) -> bool {
    unit.0.contains_key(currency)
}

/// Whether a unit is the currency and nothing else.
pub(super) fn is_currency(unit: &Unit, currency: &str) -> bool {
    unit.0.len() == 1 && unit.0.get(currency) == Some(&1)
}

/// How a type reads for people.
pub(super) fn ty_text(ty: &Ty) -> String {
    match ty {
        Ty::Bool => "true or false".to_owned(),
        Ty::Text(_) => "text".to_owned(),
        Ty::Key => "key".to_owned(),
        Ty::Date => "date".to_owned(),
        Ty::Num { unit, .. } => unit.to_string(),
    }
}

/// Reads `unit` and `type` of a block into a type; `None` with a fault when they do not fit.
pub(super) fn declared_type(
    what: &str,
    block_at: &At,
    unit_node: Option<&Node>,
    type_word: Option<&str>,
    currency: &str,
    faults: &mut Faults,
) -> Option<Ty> {
    let parsed = match unit_node {
        None => None,
        Some(node) => {
            let text = node.text().unwrap_or("");
            let Some(parsed) = Unit::parse(text) else {
                let message = format!("unit {text:?} cannot be read");
                let expected = "words joined by / and *, for instance \"yuan/child/month\"";
                faults.error("unit", &node.at, message, expected, "");
                return None;
            };
            Some(parsed)
        }
    };
    let number = |integer| {
        let unit = parsed.clone().unwrap_or_default();
        // Money as delivered has at most two decimals: whole fen.
        let integer = integer || type_word == Some("money");
        Some(Ty::Num { integer, unit })
    };
    match (type_word, &parsed) {
        (None, None) => {
            let expected = "`unit`, or `type` for a plain value";
            faults.error("missing_key", block_at, format!("{what} has no type"), expected, "");
            None
        }
        (None | Some("number"), _) => number(false),
        (Some("integer"), _) | (Some("money"), Some(_)) => number(true),
        (Some("money"), None) => {
            let mut unit = Unit::default();
            unit.0.insert(Arc::from(currency), 1);
            Some(Ty::Num { integer: true, unit })
        }
        (Some(word), Some(_)) => {
            let at = unit_node.map_or(block_at, |node| &node.at);
            faults.error("unit", at, format!("a {word} has no unit"), "no `unit`", "");
            None
        }
        (Some("text"), None) => Some(Ty::Text(None)),
        (Some("key"), None) => Some(Ty::Key),
        (Some("date"), None) => Some(Ty::Date),
        (Some(_), None) => Some(Ty::Bool),
    }
}

/// Reads one scalar as a cell of the type; money is scaled to its hundredth.
pub(super) fn cell(node: &Node, ty: &Ty, currency: &str) -> Result<Cell, String> {
    let wrong = |expected: &str| {
        let found = match &node.value {
            Value::Text(text) => format!("{text:?}"),
            Value::Int(int) => int.to_string(),
            Value::Bool(yes) => yes.to_string(),
            Value::Date(date) => date.to_string(),
            _ => node.kind().to_owned(),
        };
        Err(format!("{found} is not {expected}"))
    };
    match (ty, &node.value) {
        (Ty::Bool, Value::Bool(yes)) => Ok(Cell::Bool(*yes)),
        (Ty::Bool, Value::Text(text)) if text == "true" => Ok(Cell::Bool(true)),
        (Ty::Bool, Value::Text(text)) if text == "false" => Ok(Cell::Bool(false)),
        (Ty::Bool, _) => wrong("true or false"),
        (Ty::Date, Value::Date(date)) => Ok(Cell::Date(*date)),
        (Ty::Date, Value::Text(text)) => match Date::parse_iso(text) {
            Ok(date) => Ok(Cell::Date(date)),
            Err(_) => wrong("a date YYYY-MM-DD"),
        },
        (Ty::Date, _) => wrong("a date YYYY-MM-DD"),
        (Ty::Text(_) | Ty::Key, Value::Text(text)) => Ok(Cell::Text(text.clone())),
        (Ty::Text(_) | Ty::Key, Value::Int(int)) => Ok(Cell::Text(int.to_string())),
        (Ty::Text(_) | Ty::Key, _) => wrong("a text"),
        (Ty::Num { integer, unit }, value) => {
            let read = match value {
                Value::Int(int) => Some(Fraction::whole(*int)),
                Value::Text(text) => super::text::share(text),
                _ => None,
            };
            let Some(read) = read else {
                return wrong(
                    "an exact number such as \"0.725\" or \"52/12\", no separators, no unit",
                );
            };
            let Some(scaled) = scale(read, is_money(unit, currency)) else {
                return wrong("a number within bounds");
            };
            if *integer && scaled.den != 1 {
                return wrong("a whole number");
            }
            Ok(Cell::Num(scaled.num, scaled.den))
        }
    }
}

/// A number in its base unit: money times one hundred. `None` beyond 10^24.
pub(super) fn scale(number: Fraction, money: bool) -> Option<Fraction> {
    let factor = if money { 100 } else { 1 };
    let scaled = Fraction { num: number.num.checked_mul(factor)?, den: number.den }.reduced();
    let bound = 10_i128.pow(24);
    (scaled.num.abs() < bound && scaled.den < bound).then_some(scaled)
}

/// Reads `{ to, mode }`; the quantum of money is in its hundredth.
pub(super) fn rounding(node: &Node, money: bool, faults: &mut Faults) -> Option<Rounding> {
    let to = node.get("to")?;
    let quantum = super::text::number(to).and_then(|number| scale(number, money));
    let Some(quantum) = quantum.filter(|quantum| quantum.num > 0) else {
        faults.error("rounding", &to.at, "a quantum that is not above zero", "\"0.01\", \"1\"", "");
        return None;
    };
    let mode = RoundingMode::parse(node.get("mode")?.text()?)?;
    Some(Rounding { quantum: (quantum.num, quantum.den), mode })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_units_of_the_row_itself_end() {
        let end = |text: &str, basis| ending(&Unit::parse(text).unwrap(), &basis).to_string();
        assert_eq!(end("yuan/child/month", Basis::Spell), "yuan");
        assert_eq!(end("yuan/child/month", Basis::Institution), "yuan/child");
        assert_eq!(end("yuan/slot/month", Basis::Slot), "yuan/slot");
        assert_eq!(end("yuan/class", Basis::Class), "yuan");
        assert_eq!(end("yuan/year", Basis::Slot), "yuan/year");
        assert_eq!(end("yuan/child/day", Basis::Day), "yuan");
        assert_eq!(end("yuan/child/month", Basis::Day), "yuan/month");
        assert_eq!(end("yuan/week", Basis::Week), "yuan");
        assert_eq!(end("yuan*month", Basis::Spell), "month*yuan");
    }
}
