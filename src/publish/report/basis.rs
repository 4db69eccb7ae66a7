//! On what a settlement rests: the run, the law in force with its 文号, the deliveries.

use super::Report;
use crate::domain::Date;
use crate::law::LawOfMonth;
use crate::publish::Manifest;
use crate::publish::page::{Page, Table};

/// Deliveries that are listed; the manifest holds them all.
const FILES: usize = 60;

/// A notice 文件 with rules in force.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct NoticeInForce {
    /// 文号.
    pub number: String,
    /// Title.
    pub title: String,
    /// The day it was published.
    pub published: Date,
    /// How many versions in force it holds.
    pub versions: usize,
}

impl NoticeInForce {
    /// The notices of a month's law, in order of their days and numbers.
    #[must_use]
    pub fn of(law: &LawOfMonth) -> Vec<Self> {
        let mut found: Vec<Self> = Vec::new();
        for rule in &law.shown.rules {
            match found.iter_mut().find(|of| of.number == rule.number && of.title == rule.notice) {
                Some(of) => of.versions += 1,
                None => found.push(Self {
                    number: rule.number.clone(),
                    title: rule.notice.clone(),
                    published: rule.published,
                    versions: 1,
                }),
            }
        }
        found.sort_by(|a, b| (a.published, &a.number).cmp(&(b.published, &b.number)));
        found
    }
}

impl Report<'_> {
    pub(super) fn basis(&self, page: &mut Page<'_>) {
        let (run, texts) = (self.run, self.run.texts);
        page.section(texts.label("report.basis"));
        let mut table = Table::new(self.label("report.run"))
            .text(self.label("report.what"))
            .text(self.label("report.value"));
        let packs: Vec<&str> = run.packs.iter().map(|pack| &*pack.id).collect();
        let rows = [
            ("report.run_id", run.run_id),
            ("report.calc_version", run.calc_version),
            ("report.known_on", &run.job.known_on.to_string()),
            ("report.packs", &packs.join(texts.label("word.comma"))),
            ("report.law_sha256", run.law_sha256),
            ("report.calendar_sha256", run.calendar_sha256),
            ("report.key", run.pseudonyms.fingerprint()),
        ];
        for (key, value) in rows {
            table.rows.push(vec![self.label(key), value.to_owned()]);
        }
        page.table(&table);
        let mut table = Table::new(self.label("report.notices"))
            .text(self.label("report.number"))
            .text(self.label("report.notice"))
            .text(self.label("report.published"))
            .number(self.label("report.versions"));
        for of in &run.notices {
            table.rows.push(vec![
                of.number.clone(),
                of.title.clone(),
                of.published.to_string(),
                of.versions.to_string(),
            ]);
        }
        page.table(&table);
        let inputs = Manifest::inputs_of(run.tables);
        let mut table = Table::new(self.label("report.inputs"))
            .text(self.label("report.file"))
            .text(self.label("report.table"))
            .number(self.label("report.records"))
            .text("SHA-256");
        for input in inputs.iter().take(FILES) {
            table.rows.push(vec![
                input.file.clone(),
                texts.table(&input.table),
                input.records.to_string(),
                input.sha256.clone(),
            ]);
        }
        table.more = inputs.len().saturating_sub(FILES) as u64;
        page.table(&table);
        page.note(texts.label("report.check"));
    }
}
