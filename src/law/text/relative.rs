//! New values of an overlay said by the old ones: `{ times = "1.1", to = "1", mode = "half_up" }`.
//!
//! Decimals are exact: a product or a sum of decimals is a decimal, and so is a rounded one.

use super::node::{Node, Value};
use super::schema::RELATIVE;
use super::shape;
use crate::domain::{Fraction, Rounding, RoundingMode};
use crate::law::fault::Faults;

/// How an old number becomes the new one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Relative {
    change: Change,
    round: Option<Rounding>,
}

#[derive(Debug, Clone, Copy)]
enum Change {
    Times(Fraction),
    Add(Fraction),
}

/// Whether a table of an overlay is a relative value and not a piece of a path.
pub(crate) fn is_relative(node: &Node) -> bool {
    let change = |name: &str| matches!(name, "times" | "add");
    let table = |node: &Node| matches!(node.value, Value::Table(_));
    node.entries().iter().any(|entry| change(&entry.name) && !table(&entry.node))
}

/// Reads a relative value; `None` with a fault when it says too little or too much.
pub(crate) fn read(node: &Node, faults: &mut Faults) -> Option<Relative> {
    let mut node = node.clone();
    if !shape::record("a relative value", &mut node, RELATIVE, faults) {
        return None;
    }
    let number = |key: &str| node.get(key).and_then(super::number);
    let change = match (number("times"), number("add")) {
        (Some(times), None) => Change::Times(times),
        (None, Some(add)) => Change::Add(add),
        _ => {
            let message = "a relative value with both `times` and `add`";
            faults.error("overlay_value", &node.at, message, "one of them", "");
            return None;
        }
    };
    let mode = node.get("mode").and_then(Node::text).and_then(RoundingMode::parse);
    let round = match (number("to"), mode) {
        (None, None) => None,
        (Some(to), Some(mode)) if to.num > 0 => Some(Rounding { quantum: (to.num, to.den), mode }),
        (Some(_), Some(_)) => {
            let at = node.get("to").map_or(&node.at, |to| &to.at);
            let message = "a quantum that is not above zero";
            faults.error("overlay_value", at, message, "\"0.01\", \"1\"", "");
            return None;
        }
        (to, _) => {
            let (has, lacks) = if to.is_some() { ("to", "mode") } else { ("mode", "to") };
            let hint = "for instance to = \"1\", mode = \"half_up\"";
            let message = format!("`{has}` without `{lacks}`");
            faults.error("overlay_value", &node.at, message, "both, or neither", hint);
            return None;
        }
    };
    Some(Relative { change, round })
}

impl Relative {
    /// The new value of a number; `None` when the old value is none, or the new one is too large.
    pub(crate) fn of(self, old: &Node) -> Option<Value> {
        let number = super::number(old)?;
        let changed = match self.change {
            Change::Times(by) => Fraction {
                num: number.num.checked_mul(by.num)?,
                den: number.den.checked_mul(by.den)?,
            },
            Change::Add(by) => number.checked_add(by)?,
        };
        let rounded = match self.round {
            Some(round) => round.apply(changed.reduced())?,
            None => changed,
        }
        .reduced();
        // A count stays an integer of TOML, as the grammar wants it.
        if matches!(old.value, Value::Int(_)) && rounded.den == 1 {
            return Some(Value::Int(rounded.num));
        }
        // Only a share written as a fraction, 1/3, may have no decimal; it stays a fraction.
        let fraction = || format!("{}/{}", rounded.num, rounded.den);
        Some(Value::Text(decimal(rounded).unwrap_or_else(fraction)))
    }
}

/// A reduced fraction as a plain decimal; `None` when it does not terminate within reason.
fn decimal(number: Fraction) -> Option<String> {
    let (mut scale, mut places) = (1_i128, 0_usize);
    while scale % number.den != 0 {
        scale = scale.checked_mul(10)?;
        places += 1;
    }
    let digits = number.num.checked_mul(scale / number.den)?;
    let sign = if digits < 0 { "-" } else { "" };
    let digits = format!("{:0width$}", digits.unsigned_abs(), width = places + 1);
    let (whole, part) = digits.split_at(digits.len() - places);
    Some(if part.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{part}") })
}

#[cfg(test)]
mod tests {
    use super::super::node;
    use super::*;

    /// What a relative value makes of an old one.
    fn of(relative: &str, old: &str) -> String {
        let mut faults = Faults::default();
        let read_it = |text: &str, faults: &mut Faults| {
            node::parse(0, &format!("a = {text}"), faults).get("a").unwrap().clone()
        };
        let relative = read(&read_it(relative, &mut faults), &mut faults).unwrap();
        match relative.of(&read_it(old, &mut faults)) {
            Some(Value::Text(text)) => format!("{text:?}"),
            Some(Value::Int(int)) => int.to_string(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn decimals_are_exact_and_rounded_only_where_it_is_said() {
        assert_eq!(of("{ times = \"1.1\" }", "\"240.50\""), "\"264.55\"");
        assert_eq!(of("{ add = \"-20.00\" }", "\"15.5\""), "\"-4.5\"");
        // 125 x 1.05 = 131.25; to whole yuan, half up, 131; up, 132; to tens 130.
        assert_eq!(of("{ times = \"1.05\" }", "125"), "\"131.25\"");
        assert_eq!(of("{ times = \"1.05\", to = \"1\", mode = \"half_up\" }", "125"), "131");
        assert_eq!(of("{ times = \"1.05\", to = \"1\", mode = \"up\" }", "\"125\""), "\"132\"");
        assert_eq!(of("{ times = \"1.05\", to = 10, mode = \"half_up\" }", "\"125\""), "\"130\"");
        // 0.10 x 0.5 = 0.05; a third of a fraction stays a fraction.
        assert_eq!(of("{ times = \"0.5\" }", "\"0.10\""), "\"0.05\"");
        assert_eq!(of("{ times = \"0.5\" }", "\"1/3\""), "\"1/6\"");
        assert_eq!(of("{ times = 2 }", "\"none\""), "None");
    }
}
