//! `report.html`: one settlement on one page, for who has to answer for it (FORMATS 2).
//!
//! In: what the other files are made of. Out: one text. Order: after the sheets, some of which it
//! shows the top of. Never: computes an amount, grows with the number of children: every list ends
//! after [`TOP`] rows and says how many more there are.

mod basis;
mod composition;
mod lists;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::control::Control;
use super::page::{Axis, Bar, Bars, Chart, Figure, Measure, Page, Plot};
use super::register::Register;
use super::sheet::Sheet;
use super::tally::Tallies;
use super::workbook::{Imprint, heading};
use super::{Publication, PublishError};
use crate::domain::Fen;

pub use basis::NoticeInForce;

/// Its name.
pub(super) const REPORT: &str = "report.html";

/// Rows of a list and bars of a chart.
const TOP: usize = 15;

/// What a report is made of.
pub(super) struct Report<'a> {
    pub(super) run: &'a Publication<'a>,
    pub(super) register: &'a Register,
    pub(super) tallies: &'a Tallies,
    pub(super) control: &'a Control,
    /// Sheets whose tops are shown: `changes`, `fees`.
    pub(super) sheets: &'a [Sheet],
}

impl Report<'_> {
    /// The page.
    ///
    /// # Errors
    /// When a sum overflows.
    pub(super) fn text(&self) -> Result<String, PublishError> {
        let (run, texts) = (self.run, self.run.texts);
        let imprint = Imprint::of(run);
        let title = heading(&imprint, texts.label("report.paper"));
        let months: Vec<String> = run.months.iter().map(|month| month.month.to_string()).collect();
        let values = [
            ("months", &*months.join(texts.label("word.comma"))),
            ("known", &*run.job.known_on.to_string()),
            ("run", run.run_id.get(..12).unwrap_or(run.run_id)),
        ];
        let mut page = Page::new(texts, &title, &texts.phrase("report.subtitle", &values));
        if run.is_sample() {
            page.banner(texts.label("report.sample"));
        }
        self.totals(&mut page)?;
        self.composition(&mut page)?;
        self.changes(&mut page);
        self.findings(&mut page);
        self.fees(&mut page);
        self.holds(&mut page);
        self.cuts(&mut page);
        self.basis(&mut page);
        Ok(page.render())
    }

    fn label(&self, key: &str) -> String {
        self.run.texts.label(key).to_owned()
    }

    /// Money in full with its unit.
    fn yuan(&self, fen: i64) -> String {
        let amount = Measure::Money.exact(fen);
        self.run.texts.phrase("report.yuan", &[("amount", &amount)])
    }

    /// A title whose numbers are yuan.
    fn in_yuan(&self, key: &str) -> String {
        Measure::Money.titled(self.run.texts.label(key), self.run.texts)
    }

    /// The words of a reason: the pack's, else ours.
    fn reason(&self, code: &str) -> String {
        self.run.words.get(code).cloned().unwrap_or_else(|| self.run.texts.reason(code))
    }

    fn totals(&self, page: &mut Page<'_>) -> Result<(), PublishError> {
        let (run, control, texts) = (self.run, self.control, self.run.texts);
        page.section(texts.label("report.totals"));
        let count = |n: u64| Measure::count("").exact(i64::try_from(n).unwrap_or(i64::MAX));
        // A payee is one institution and account; an institution may have several.
        let mut paid = vec![false; run.schedule.payees.len()];
        for line in run.schedule.lines.iter().filter(|line| line.payable_fen != 0) {
            if let Some(paid) = paid.get_mut(line.payee as usize) {
                *paid = true;
            }
        }
        let paid = run.schedule.payees.iter().zip(paid).filter(|(_, paid)| *paid);
        let mut paid: Vec<&str> = paid.map(|(payee, _)| &*payee.institution_id).collect();
        paid.dedup();
        let others = run.months.iter().flat_map(|month| &month.entitlements.payees);
        let others: BTreeSet<&str> = others.map(|other| &*other.id).collect();
        paid.retain(|id| !others.contains(id));
        let paid = paid.len() as u64;
        let heads = self.tallies.heads.last().map_or(&[][..], Vec::as_slice);
        let sum = |pick: fn(&super::Heads) -> Option<u64>| {
            let told: Vec<u64> = heads.iter().filter_map(pick).collect();
            (!told.is_empty()).then(|| told.into_iter().sum::<u64>())
        };
        let payable = Fen(control.payable_fen);
        let mut figures = vec![Figure::new(
            self.label("report.payable"),
            self.yuan(control.payable_fen),
            texts.words(payable),
        )];
        let cash = control.lines.amount.checked_sub(control.in_kind_fen);
        let cash = cash.ok_or(PublishError::Overflow)?;
        let cut = cash.checked_sub(control.cash_fen).ok_or(PublishError::Overflow)?;
        figures.push(Figure::new(
            self.label("report.gross"),
            self.yuan(cash),
            texts.phrase("report.cut", &[("amount", &self.yuan(cut))]),
        ));
        let held = if control.held_fen == 0 {
            String::new()
        } else {
            texts.phrase("report.held", &[("amount", &self.yuan(control.held_fen))])
        };
        let payments = count(run.schedule.payments.len() as u64);
        figures.push(Figure::new(self.label("report.payments"), payments, held));
        figures.push(Figure::new(
            self.label("report.institutions"),
            count(paid),
            texts.phrase("report.of", &[("count", &count(self.register.len() as u64))]),
        ));
        if let Some(children) = sum(|heads| heads.paid) {
            let listed = sum(|heads| heads.listed).map(count).unwrap_or_default();
            let month = run.months.last().map_or_else(String::new, |of| texts.month(of.month));
            let values = [("month", &*month), ("count", &*listed)];
            let note = texts.phrase("report.children_note", &values);
            figures.push(Figure::new(self.label("report.children"), count(children), note));
        }
        if control.in_kind_fen != 0 {
            let in_kind = self.yuan(control.in_kind_fen);
            figures.push(Figure::new(
                self.label("report.in_kind"),
                in_kind,
                self.label("report.in_kind_note"),
            ));
        }
        page.figures(&figures);
        let lines = control.lines;
        let values = [
            ("all", count(lines.lines())),
            ("paid", count(lines.paid)),
            ("zero", count(lines.zero)),
            ("refused", count(lines.refused)),
            ("checks", count(control.checks)),
        ];
        let values = values.each_ref().map(|(name, value)| (*name, value.as_str()));
        page.note(&texts.phrase("report.lines", &values));
        self.refused(page);
        Ok(())
    }

    /// Why lines were refused.
    fn refused(&self, page: &mut Page<'_>) {
        let texts = self.run.texts;
        // One reason may have one name under several codes.
        let mut by_words: BTreeMap<String, u64> = BTreeMap::new();
        for (code, count) in &self.tallies.refused_by_reason {
            *by_words.entry(self.reason(code)).or_default() += count;
        }
        let mut rows: Vec<(String, u64)> = by_words.into_iter().collect();
        rows.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        let Some((most, _)) = rows.first().cloned() else { return };
        let more = rows.len().saturating_sub(TOP);
        let bars = rows.iter().take(TOP).map(|(words, count)| {
            Bar::new(words.clone(), i64::try_from(*count).unwrap_or(i64::MAX))
        });
        let bars = Bars {
            of: self.label("report.reason"),
            axis: Axis::from_zero(self.label("report.refused_lines"), Measure::count("")),
            parts: vec![self.label("report.refused_lines")],
            rows: bars.collect(),
        };
        let says = texts.phrase("report.refused_says", &[("most", &most)]);
        page.chart(&Chart::new(self.label("report.refused"), says, Plot::Bars(bars)));
        self.more(more, page);
    }

    /// Says that a chart does not show everything.
    fn more(&self, more: usize, page: &mut Page<'_>) {
        if more > 0 {
            let count = more.to_string();
            page.note(&self.run.texts.phrase("page.more", &[("count", &count)]));
        }
    }

    /// The sheet of a name.
    fn sheet(&self, name: &str) -> Option<&Sheet> {
        self.sheets.iter().find(|sheet| sheet.name == name)
    }

    /// What people call an item.
    fn item(&self, id: &str) -> String {
        let face = self.tallies.items.iter().find(|face| &*face.id == id);
        face.map_or(id, |face| &*face.label).to_owned()
    }

    /// Name of an institution, or what it is known by.
    fn institution(&self, id: &str) -> String {
        let known = self.register.find(id).map(|at| &self.register.institutions[at].name);
        let name = known.filter(|name| !name.is_empty());
        name.map_or_else(|| id.to_owned(), ToString::to_string)
    }
}

/// A name and its sum, fen.
type Sum = (Arc<str>, i64);

/// The first rows by a number, largest first, equal ones in their order; no other is put in order.
fn first_rows(mut rows: Vec<(i64, usize)>) -> Vec<usize> {
    let order = |(number, row): &(i64, usize)| (std::cmp::Reverse(*number), *row);
    if rows.len() > TOP {
        rows.select_nth_unstable_by_key(TOP, order);
        rows.truncate(TOP);
    }
    rows.sort_by_key(order);
    rows.into_iter().map(|(_, row)| row).collect()
}

/// Sums by name.
#[derive(Default)]
struct Sums(BTreeMap<Arc<str>, i64>);

impl Sums {
    fn add(&mut self, name: &Arc<str>, fen: i64) -> Result<(), PublishError> {
        let sum = self.0.entry(Arc::clone(name)).or_default();
        *sum = sum.checked_add(fen).ok_or(PublishError::Overflow)?;
        Ok(())
    }

    /// The largest first, equal ones by name; those beyond [`TOP`] as one sum with their number.
    fn top(self) -> (Vec<Sum>, Option<(usize, i64)>) {
        let mut rows: Vec<Sum> = self.0.into_iter().filter(|(_, fen)| *fen != 0).collect();
        rows.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        let rest = rows.split_off(rows.len().min(TOP));
        let sum = rest.iter().fold(0_i64, |sum, (_, fen)| sum.saturating_add(*fen));
        (rows, (!rest.is_empty()).then_some((rest.len(), sum)))
    }
}
