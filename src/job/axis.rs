//! A range of a parameter, as tune jobs write it: overlay paths and the values they take, in order.

use super::JobError;
use super::toml_walk::{Section, Text};
use crate::law::quoted;
use rust_decimal::Decimal;
use std::fmt::Write as _;
use std::ops::Range;
use toml::Spanned;

/// Most values of one range.
const MOST_VALUES: usize = 100_000;

/// What a value does to the paths of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// It is laid over them.
    Set,
    /// What the law says is multiplied by it.
    Times,
    /// It is added to what the law says.
    Add,
}

/// Overlay paths and the values they take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Axis {
    /// What people call it.
    pub title: String,
    /// Overlay paths; all of them take the value.
    pub paths: Vec<String>,
    /// What the value does.
    pub by: By,
    /// Values in order.
    pub values: Vec<Decimal>,
    /// Quantum and mode that a changed number is rounded to.
    pub round: Option<(String, String)>,
}

/// Keys of a range.
pub(super) const KEYS: [&str; 10] =
    ["path", "paths", "title", "by", "from", "to", "step", "values", "round_to", "mode"];

impl Axis {
    /// The overlay that lays a value over the paths.
    #[must_use]
    pub fn overlay(&self, at: usize) -> String {
        let mut text = String::new();
        let value = self.value(at);
        let round = self.round.as_ref().map_or_else(String::new, |(to, mode)| {
            format!(", to = {}, mode = {}", quoted(to), quoted(mode))
        });
        for path in &self.paths {
            let laid = match self.by {
                By::Set => quoted(&value),
                By::Times => format!("{{ times = {}{round} }}", quoted(&value)),
                By::Add => format!("{{ add = {}{round} }}", quoted(&value)),
            };
            // Writing to a text cannot fail.
            let _ = writeln!(text, "{} = {laid}", quoted(path));
        }
        text
    }

    /// A value as people read it.
    #[must_use]
    pub fn value(&self, at: usize) -> String {
        self.values.get(at).map(ToString::to_string).unwrap_or_default()
    }

    /// What people call it: its title, or its paths.
    #[must_use]
    pub fn name(&self) -> String {
        if self.title.is_empty() { self.paths.join(", ") } else { self.title.clone() }
    }
}

/// An exact number in a text of the job.
pub(super) fn decimal(section: &Section<'_>, key: &str) -> Result<Option<Decimal>, JobError> {
    let Some(text) = section.string(key)? else { return Ok(None) };
    parse(section.text, place(section, key), key, &text).map(Some)
}

pub(super) fn place(section: &Section<'_>, key: &str) -> Range<usize> {
    section.get(key).map_or(0..0, Spanned::span)
}

fn parse(text: Text<'_>, span: Range<usize>, key: &str, value: &str) -> Result<Decimal, JobError> {
    let plain = value.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | '-'));
    plain.then(|| Decimal::from_str_exact(value).ok()).flatten().ok_or_else(|| {
        let message = format!("{key} is {value:?}; expected an exact number such as \"1.05\"");
        text.wrong(span, message)
    })
}

/// Reads the keys of a range from a section.
pub(super) fn read(section: &Section<'_>) -> Result<Axis, JobError> {
    let mut paths: Vec<String> = section.string("path")?.into_iter().collect();
    let more = section.strings("paths")?.unwrap_or_default();
    paths.extend(more.into_iter().map(Spanned::into_inner));
    let wrong = |key: &str, message: String| section.text.wrong(place(section, key), message);
    if paths.is_empty() {
        let example = "path = \"parameter.rate.base.value\"";
        return Err(wrong("path", format!("a range names no path; expected {example}")));
    }
    let by = match section.string("by")?.as_deref() {
        None | Some("set") => By::Set,
        Some("times") => By::Times,
        Some("add") => By::Add,
        Some(other) => {
            let message = format!("by is {other:?}; expected \"set\", \"times\" or \"add\"");
            return Err(wrong("by", message));
        }
    };
    let round = match (section.string("round_to")?, section.string("mode")?) {
        (None, None) => None,
        (Some(quantum), Some(word)) if by != By::Set => Some((quantum, word)),
        (Some(_), Some(_)) => {
            let message = "round_to belongs to by = \"times\" or \"add\"; a value that is set is \
                           taken as it stands";
            return Err(wrong("round_to", message.to_owned()));
        }
        _ => {
            let message = "round_to and mode come together, for instance round_to = \"1\", \
                           mode = \"half_up\"";
            return Err(wrong("round_to", message.to_owned()));
        }
    };
    let values = values(section)?;
    let title = section.string("title")?.unwrap_or_default();
    Ok(Axis { title, paths, by, values, round })
}

/// `values`, or `from`, `to` and `step`.
fn values(section: &Section<'_>) -> Result<Vec<Decimal>, JobError> {
    let wrong = |key: &str, message: String| section.text.wrong(place(section, key), message);
    let listed = section.strings("values")?;
    let ends = [decimal(section, "from")?, decimal(section, "to")?, decimal(section, "step")?];
    match (listed, ends) {
        (Some(listed), [None, None, None]) => {
            let values: Result<Vec<Decimal>, JobError> = listed
                .iter()
                .map(|value| parse(section.text, value.span(), "values", value.get_ref()))
                .collect();
            let values = values?;
            if values.is_empty() {
                return Err(wrong("values", "values is empty; expected at least one".to_owned()));
            }
            Ok(values)
        }
        (None, [Some(from), Some(to), Some(step)]) => {
            if step <= Decimal::ZERO || to < from {
                let message = format!(
                    "from {from} to {to} by {step} is no range; expected from <= to and a step \
                     above zero"
                );
                return Err(wrong("step", message));
            }
            stepped(from, to, step).map_err(|message| wrong("step", message))
        }
        _ => {
            let message = "a range has either values, or from, to and step".to_owned();
            Err(wrong("from", message))
        }
    }
}

fn stepped(from: Decimal, to: Decimal, step: Decimal) -> Result<Vec<Decimal>, String> {
    let mut values = Vec::new();
    let mut at = from;
    loop {
        values.push(at);
        if at == to {
            return Ok(values);
        }
        if values.len() >= MOST_VALUES {
            return Err(format!("a range of more than {MOST_VALUES} values; take a larger step"));
        }
        at = at.checked_add(step).filter(|next| *next <= to).ok_or_else(|| {
            format!(
                "steps of {step} from {from} pass over {to}; expected a range that ends on its \
                 last value"
            )
        })?;
    }
}

#[cfg(test)]
mod tests {
    use super::{Axis, By, stepped};
    use rust_decimal::Decimal;

    fn number(text: &str) -> Decimal {
        Decimal::from_str_exact(text).expect("a number")
    }

    #[test]
    fn steps_are_exact_and_end_on_the_last_value() {
        let values = stepped(number("0.9"), number("1.1"), number("0.1")).expect("a range");
        let texts: Vec<String> = values.iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["0.9", "1.0", "1.1"]);
        let error = stepped(number("0"), number("1"), number("0.3")).expect_err("passes over 1");
        assert!(error.contains("pass over 1"), "{error}");
    }

    #[test]
    fn a_value_is_laid_over_every_path() {
        let axis = Axis {
            title: String::new(),
            paths: vec!["table.rate.rows".to_owned(), "parameter.x.value".to_owned()],
            by: By::Times,
            values: vec![number("1.05")],
            round: Some(("1".to_owned(), "half_up".to_owned())),
        };
        assert_eq!(
            axis.overlay(0),
            "\"table.rate.rows\" = { times = \"1.05\", to = \"1\", mode = \"half_up\" }\n\
             \"parameter.x.value\" = { times = \"1.05\", to = \"1\", mode = \"half_up\" }\n"
        );
    }
}
