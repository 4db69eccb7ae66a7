//! `form.csv`, `form.xlsx`: the paper form on which an office claims a period, one row an
//! institution, in yuan or in 万元 (`data/reference/profiles/<form>.toml`).
//!
//! ```toml
//! id = "dongchangfu_form"
//! title = "二孩三孩保育费补贴申报表"
//! unit = "万元"       # or "元"
//! decimals = 2        # places of amounts in that unit; of yuan at most 2
//! quantity = "人数"   # what is counted
//! [items]             # what an item is called on the form; its own text where not named
//! second_child = "二孩"
//! ```
//!
//! Every amount is turned from fen into the unit and rounded half up by itself, the total from the
//! total in fen, so rows need not add up to it (DOMAIN 4.9): the form says where and by how much,
//! and its last column is exact.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;

use super::sheet::{Rounded, Sheet, Values};
use super::tally::Tallies;
use super::{ProfileError, Publication};
use crate::domain::texts::Catalogue;
use crate::domain::{Month, RoundingMode};
use crate::schedule::ScheduleLine;

/// The exact total of a row: the column whose sum is written in words.
pub(super) const TOTAL: &str = "total_fen";

/// The unit of a form that is not in 万元.
pub(super) const YUAN: &str = "元";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    id: String,
    title: String,
    unit: String,
    decimals: u32,
    quantity: Option<String>,
    #[serde(default)]
    items: BTreeMap<String, String>,
}

/// What a form looks like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    /// Id.
    pub id: String,
    /// Title for people.
    pub title: String,
    /// 元 or 万元.
    pub unit: String,
    /// Fen of the last place shown.
    quantum: i64,
    /// Places of amounts in the unit.
    decimals: u32,
    /// What is counted, where the form says it.
    quantity: Option<String>,
    /// What items are called.
    items: BTreeMap<String, String>,
}

impl Form {
    /// Reads a form of `profiles` in the reference folder, by its file name without `.toml`.
    ///
    /// # Errors
    /// When it is not there, is no form, or has an unit or a number of places nobody can show.
    pub fn load(reference: &Path, name: &str) -> Result<Self, ProfileError> {
        let file = format!("{name}.toml");
        let path = reference.join("profiles").join(&file);
        let text = std::fs::read_to_string(&path)
            .map_err(|cause| ProfileError::Io { path: path.clone(), cause })?;
        Self::parse(&file, &text)
    }

    /// Reads a form; `name` stands in messages.
    ///
    /// # Errors
    /// As [`Form::load`].
    pub fn parse(name: &str, text: &str) -> Result<Self, ProfileError> {
        let Wire { id, title, unit, decimals, quantity, items } = toml::from_str(text)
            .map_err(|cause| ProfileError::Shape { name: name.to_owned(), cause })?;
        // Places down to the fen.
        let places = match unit.as_str() {
            "元" => 2,
            "万元" => 6,
            _ => 0,
        };
        if places == 0 || decimals > places {
            let name = name.to_owned();
            return Err(ProfileError::Unit { name, unit, decimals });
        }
        let quantum = 10_i64.pow(places - decimals);
        Ok(Self { id, title, unit, quantum, decimals, quantity, items })
    }

    /// What the unit is called.
    pub(super) fn unit_name<'t>(&self, texts: &'t Catalogue) -> &'t str {
        texts.label(if self.unit == YUAN { "form.yuan" } else { "form.wan" })
    }

    fn amount(&self, fen: i64) -> i64 {
        RoundingMode::HalfUp.divide_i64(fen, self.quantum)
    }

    /// A column of amounts in the unit, the total rounded by itself.
    fn amounts(&self, fen: &[i64]) -> Values {
        let cells = fen.iter().map(|fen| self.amount(*fen)).collect();
        let total = self.amount(fen.iter().sum());
        Values::Rounded(Rounded { cells, places: self.decimals, total })
    }

    /// The form of a period.
    pub(super) fn sheet(&self, run: &Publication<'_>, tallies: &Tallies) -> Sheet {
        let (claims, texts) = (Claims::of(run), run.texts);
        let counted_as = self.quantity.as_deref().unwrap_or_else(|| texts.label("form.quantity"));
        let unit = self.unit_name(texts);
        let mut sheet = Sheet::new("form", claims.institutions.len());
        let column = |pick: &dyn Fn(&str) -> i64| -> Vec<i64> {
            claims.institutions.keys().map(|id| pick(id)).collect()
        };
        let ids = claims.institutions.keys().map(|id| (*id).to_owned()).collect();
        let names = claims.institutions.values().map(|name| (*name).to_owned()).collect();
        sheet.put("institution_id", texts.label("form.institution_id"), Values::Text(ids));
        sheet.put("institution_name", texts.label("form.institution_name"), Values::Text(names));
        for face in &tallies.items {
            let item = &*face.id;
            let Some(months) = claims.items.get(item) else { continue };
            let label = self.items.get(item).map_or(&*face.label, String::as_str);
            let of = |id: &str| claims.of_item.get(&(id.to_owned(), item.to_owned()));
            let mut counted = true;
            for month in months {
                let quantity = |id: &&str| of(id)?.quantity.get(month).copied();
                let quantity: Vec<_> = claims.institutions.keys().map(quantity).collect();
                counted &= quantity.iter().any(Option::is_some);
                let month_name = texts.month_of_year(*month);
                let values = [("item", label), ("quantity", counted_as), ("month", &month_name)];
                let label = texts.phrase("form.quantity_of_month", &values);
                sheet.put(&format!("{item}_{month}"), &label, Values::MaybeInt(quantity));
            }
            if counted && months.len() > 1 {
                let sums = column(&|id| of(id).map_or(0, Claim::quantity_sum));
                let values = [("item", label), ("quantity", counted_as)];
                let label = texts.phrase("form.quantity_total", &values);
                sheet.put(&format!("{item}_quantity"), &label, Values::Int(sums));
            }
            let rates = claims.institutions.keys().map(|id| of(id).and_then(Claim::rate)).collect();
            sheet.put(
                &format!("{item}_rate_fen"),
                &texts.phrase("form.rate", &[("item", label)]),
                Values::MaybeFen(rates),
            );
            let fen = column(&|id| of(id).map_or(0, |claim| claim.fen));
            let shown = texts.phrase("form.amount", &[("item", label), ("unit", unit)]);
            sheet.put(&format!("{item}_amount"), &shown, self.amounts(&fen));
        }
        let other = column(&|id| claims.other.get(id).copied().unwrap_or(0));
        if !claims.other.is_empty() {
            let label = texts.phrase("form.other", &[("unit", unit)]);
            sheet.put("other_amount", &label, self.amounts(&other));
        }
        let total = column(&|id| claims.total.get(id).copied().unwrap_or(0));
        let label = texts.phrase("form.total", &[("unit", unit)]);
        sheet.put("total_amount", &label, self.amounts(&total));
        let label = texts.phrase("form.total", &[("unit", texts.label("form.yuan"))]);
        sheet.put(TOTAL, &label, Values::Fen(total));
        sheet
    }

    /// Where the rows of a column do not add up to its total, and why.
    pub(super) fn remarks(&self, sheet: &Sheet, texts: &Catalogue) -> Vec<String> {
        let mut remarks = Vec::new();
        for column in &sheet.columns {
            let Values::Rounded(rounded) = &column.values else { continue };
            let sum: i64 = rounded.cells.iter().sum();
            if sum != rounded.total {
                let values = [
                    ("column", column.label.replace('\n', "")),
                    ("sum", rounded.text(sum)),
                    ("total", rounded.text(rounded.total)),
                    ("places", self.decimals.to_string()),
                ];
                let values = values.each_ref().map(|(name, value)| (*name, value.as_str()));
                remarks.push(texts.phrase("form.remark", &values));
            }
        }
        remarks
    }
}

/// What one institution claims for one item.
#[derive(Debug, Default)]
struct Claim {
    /// By service month.
    quantity: BTreeMap<Month, i64>,
    rates: BTreeSet<Option<i64>>,
    fen: i64,
}

impl Claim {
    fn quantity_sum(&self) -> i64 {
        self.quantity.values().sum()
    }

    /// The rate all months share.
    fn rate(&self) -> Option<i64> {
        self.rates.first().copied().flatten().filter(|_| self.rates.len() == 1)
    }

    fn add(&mut self, line: &ScheduleLine) {
        // Lines of several sources show the same quantity; one that is no whole number is not
        // shown, for a form counts children and places.
        if let Ok(quantity) = line.quantity.parse() {
            self.quantity.insert(line.source_period, quantity);
        }
        self.rates.insert(line.rate_fen);
        self.fen += line.payable_fen;
    }
}

/// The lines of the schedule by institution.
#[derive(Debug, Default)]
struct Claims<'a> {
    /// Names by id.
    institutions: BTreeMap<&'a str, &'a str>,
    /// Service months of each item.
    items: BTreeMap<&'a str, BTreeSet<Month>>,
    of_item: BTreeMap<(String, String), Claim>,
    /// What is not of the period's own months, fen.
    other: BTreeMap<&'a str, i64>,
    /// All of it, fen: the sum of the schedule.
    total: BTreeMap<&'a str, i64>,
}

impl<'a> Claims<'a> {
    fn of(run: &'a Publication<'_>) -> Self {
        let mut claims = Self::default();
        for line in &run.schedule.lines {
            let Some(payee) = run.schedule.payees.get(line.payee as usize) else { continue };
            let id = &*payee.institution_id;
            claims.institutions.insert(id, &payee.institution_name);
            *claims.total.entry(id).or_default() += line.payable_fen;
            if line.kind.is_of_month() {
                claims.items.entry(&line.item).or_default().insert(line.source_period);
                let key = (id.to_owned(), line.item.to_string());
                claims.of_item.entry(key).or_default().add(line);
            } else {
                *claims.other.entry(id).or_default() += line.payable_fen;
            }
        }
        claims
    }
}
