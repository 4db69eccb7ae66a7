//! What packs say without a clause: how they are settled, and which tables and columns they declare.

use crate::law::book::LawBook;
use crate::law::model::{
    InputColumn, InputTable, PaperColumn, PaperField, PaperInput, PaperValue, Ty,
};
use crate::law::text::schema::{Key, Shape};

impl LawBook {
    /// Settings of the last pack, which hold.
    pub(super) fn paper_settings(&self) -> Vec<PaperField> {
        let settings = self.packs.last().map_or(&[][..], |pack| &pack.settings);
        let field = |(key, text): &(&'static Key, String)| PaperField {
            key: key.name,
            value: match key.shape {
                Shape::Word(_) => PaperValue::Word(text.clone()),
                _ => PaperValue::Text(text.clone()),
            },
        };
        settings.iter().map(field).collect()
    }

    pub(super) fn paper_inputs(&self) -> Vec<PaperInput> {
        let currency = self.packs.first().map_or("", |pack| &*pack.head.currency);
        let input = |of: &InputTable| PaperInput {
            table: of.name.to_string(),
            extends: of.extends,
            key: of.key.iter().map(ToString::to_string).collect(),
            span: of.span.as_ref().map(|(from, until)| [from.to_string(), until.to_string()]),
            of: of.of.as_ref().map(ToString::to_string),
            columns: of.columns.iter().map(|of| column(of, currency)).collect(),
        };
        self.inputs.iter().map(input).collect()
    }
}

fn column(of: &InputColumn, currency: &str) -> PaperColumn {
    let (kind, unit) = match &of.ty {
        Ty::Bool => ("bool", String::new()),
        Ty::Text(_) => ("text", String::new()),
        Ty::Key => ("key", String::new()),
        Ty::Date => ("date", String::new()),
        Ty::Num { integer, unit } => {
            let number = if *integer { "integer" } else { "number" };
            let kind = if unit.0.contains_key(currency) { "money" } else { number };
            (kind, if unit.0.is_empty() { String::new() } else { unit.to_string() })
        }
    };
    let values = match &of.ty {
        Ty::Text(Some(values)) => values.iter().map(ToString::to_string).collect(),
        _ => Vec::new(),
    };
    PaperColumn {
        name: of.name.to_string(),
        zh: of.alias.to_string(),
        kind,
        unit,
        values,
        nullable: of.nullable,
    }
}
