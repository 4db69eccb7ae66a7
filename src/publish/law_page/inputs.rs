//! How packs are settled, and the tables and columns they declare.

use super::{Writer, plain};
use crate::law::{PaperInput, PaperValue};
use crate::publish::page::{Line, LinkedTable, Page};

impl Writer<'_> {
    pub(super) fn settings(&self, page: &mut Page<'_>) {
        page.section(&self.label("settings"));
        let settings = self.paper.settings.iter().map(|field| {
            let said = match &field.value {
                PaperValue::Text(unit) if field.key == "currency" => vec![plain(&self.unit(unit))],
                _ => self.lines(field),
            };
            (self.key(field.key), said)
        });
        page.terms(&settings.collect::<Vec<_>>());
    }

    pub(super) fn inputs(&self, page: &mut Page<'_>) {
        if self.paper.inputs.is_empty() {
            return;
        }
        page.section(&self.label("inputs"));
        page.note(&self.label("inputs_note"));
        for input in &self.paper.inputs {
            self.input(page, input);
        }
    }

    fn input(&self, page: &mut Page<'_>, input: &PaperInput) {
        let caption = if input.extends { "input_extends" } else { "input_own" };
        let said = self.texts.table(&input.table);
        let name = if said == input.table { said } else { format!("{said} {}", input.table) };
        let mut heads = vec!["name", "zh", "type", "unit", "values", "nullable"];
        // A page in English has the name alone: what a column is called besides is Chinese.
        heads.retain(|head| *head != "zh" || self.is_chinese());
        let mut table = LinkedTable {
            caption: self.phrase(caption, &[("table", &name)]),
            columns: heads.iter().map(|head| (self.key(head), false)).collect(),
            rows: Vec::new(),
        };
        let comma = self.texts.label("word.comma");
        for column in &input.columns {
            let cell = |head: &&str| match *head {
                "name" => plain(&column.name),
                "zh" => plain(&column.zh),
                "type" => plain(&self.word("type", column.kind)),
                "unit" => plain(&self.unit(&column.unit)),
                "values" => plain(&column.values.join(comma)),
                _ => plain(&self.word("nullable", if column.nullable { "true" } else { "false" })),
            };
            table.rows.push((String::new(), heads.iter().map(cell).collect()));
        }
        page.linked(&table);
        let mut terms: Vec<(String, Vec<Line>)> = Vec::new();
        if !input.key.is_empty() {
            terms.push((self.label("input_key"), vec![plain(&input.key.join(comma))]));
        }
        if let Some(of) = &input.of {
            terms.push((self.label("input_of"), vec![plain(&self.basis(of))]));
        }
        if let Some(span) = &input.span {
            terms.push((self.key("span"), vec![plain(&span.join(comma))]));
        }
        page.terms(&terms);
    }
}
