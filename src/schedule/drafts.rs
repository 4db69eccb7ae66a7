//! Lines before they are numbered and paid: one a funding share, one a carried sum.

use super::payees::Payees;
use super::quantities::{self, Shown};
use super::{BudgetLine, LineKind, MonthInput, ScheduleError, same_budget_line};
use crate::allocation::PostedLine;
use crate::domain::{Key, Month};
use crate::job::CodeRule;
use crate::law::ItemKind;
use crate::retro::Correction;
use crate::subsidy::ItemLines;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The grain of a line in the order of the schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Grain {
    pub(super) payee: u32,
    pub(super) item: u32,
    pub(super) kind: LineKind,
    pub(super) source_period: Month,
    pub(super) source: u32,
    pub(super) budget_line: u32,
}

/// A line without number and payment.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub(super) grain: Grain,
    pub(super) quantity: Arc<str>,
    pub(super) rate_fen: Option<i64>,
    pub(super) gross_fen: i64,
    pub(super) cut_fen: i64,
    pub(super) carried_in_fen: i64,
    pub(super) carried_out_fen: i64,
    pub(super) payable_fen: i64,
    pub(super) rule_version: Arc<str>,
}

impl Draft {
    /// Adds the money of another line of the same grain; `None` when a sum does not fit.
    pub(super) fn add(&mut self, other: &Self) -> Option<()> {
        self.gross_fen = self.gross_fen.checked_add(other.gross_fen)?;
        self.cut_fen = self.cut_fen.checked_add(other.cut_fen)?;
        self.carried_in_fen = self.carried_in_fen.checked_add(other.carried_in_fen)?;
        self.carried_out_fen = self.carried_out_fen.checked_add(other.carried_out_fen)?;
        self.payable_fen = self.payable_fen.checked_add(other.payable_fen)?;
        Some(())
    }

    /// A line that only moves money between periods.
    pub(super) fn moved(grain: Grain, rule_version: Arc<str>, fen: i64) -> Self {
        let incoming = grain.kind == LineKind::CarryIn;
        Self {
            grain,
            quantity: Arc::from(""),
            rate_fen: None,
            gross_fen: 0,
            cut_fen: 0,
            carried_in_fen: if incoming { fen } else { 0 },
            carried_out_fen: if incoming { 0 } else { fen },
            payable_fen: if incoming { fen } else { -fen },
            rule_version,
        }
    }
}

/// All drafts of the period with the words their numbers stand for.
#[derive(Debug, Default)]
pub(super) struct Drafts {
    pub(super) payees: Payees,
    /// Items in order: pack order of the months, then items only carried in.
    pub(super) items: Vec<Arc<str>>,
    /// Sources in order.
    pub(super) sources: Vec<Arc<str>>,
    pub(super) budget_lines: Vec<BudgetLine>,
    pub(super) lines: Vec<Draft>,
}

/// A posted sum that is still to come in: (institution, item, month, source, 指标文号).
type Open<'p> = BTreeMap<(&'p str, &'p str, Month, &'p str, &'p str), i64>;

/// Drafts the lines of the period.
pub(super) fn draft(
    months: &[MonthInput],
    posted: &[&PostedLine],
    corrections: &[Correction],
) -> Result<Drafts, ScheduleError> {
    let open = carried_over(posted)?;
    let cells = || corrections.iter().flat_map(|of| &of.cells);
    let others = open.keys().map(|(id, ..)| *id).chain(cells().map(|cell| &*cell.institution_id));
    let mut this = Drafts { payees: read_payees(months, others), ..Drafts::default() };
    for month in months {
        this.add_month(month)?;
    }
    for of in corrections {
        this.add_corrections(of);
    }
    this.add_carried(months, &open);
    Ok(this)
}

/// What was carried out of earlier periods and not brought in since.
fn carried_over<'p>(posted: &[&'p PostedLine]) -> Result<Open<'p>, ScheduleError> {
    let mut open = Open::new();
    for line in posted {
        let moves = [LineKind::CarryOut, LineKind::CarryIn];
        if !moves.iter().any(|kind| kind.word() == &*line.line_kind) {
            continue;
        }
        let key = (
            &*line.institution_id,
            &*line.item,
            line.source_period,
            &*line.source,
            &*line.budget_doc_no,
        );
        let sum = open.entry(key).or_insert(0);
        *sum = sum.checked_sub(line.payable_fen).ok_or_else(|| ScheduleError::Overflow {
            institution_id: Arc::clone(&line.institution_id),
        })?;
    }
    open.retain(|_, fen| *fen != 0);
    Ok(open)
}

fn read_payees<'p>(months: &[MonthInput], others: impl Iterator<Item = &'p str>) -> Payees {
    let mut wanted: FxHashMap<Key, String> = FxHashMap::default();
    for month in months {
        let ids = month.entitlements.owner_keys(month.frames);
        let mut seen = None;
        for share in &month.allocation.shares {
            let owner = share.cell.institution;
            // Shares stand in order of payees: each id is read once.
            if seen != Some(owner)
                && let Some(key) = ids.get(owner as usize)
            {
                wanted.entry(*key).or_insert_with(|| month.entitlements.owner(month.frames, owner));
                seen = Some(owner);
            }
        }
    }
    for id in others {
        wanted.entry(Key::pack(id.as_bytes()).0).or_insert_with(|| id.to_owned());
    }
    Payees::read(months, wanted)
}

/// Place of a text in a list, added when new.
fn place_of(list: &mut Vec<Arc<str>>, text: &Arc<str>) -> u32 {
    let place = list.iter().position(|known| known == text).unwrap_or_else(|| {
        list.push(Arc::clone(text));
        list.len() - 1
    });
    u32::try_from(place).unwrap_or(u32::MAX)
}

/// The versions of an item's rule in the month, in order of segments: one, mostly.
fn rule_version(month: &MonthInput, item: usize) -> Arc<str> {
    let mut versions: Vec<Arc<str>> = Vec::new();
    for rule in month.entitlements.items[item].rules.iter().flatten() {
        if !versions.contains(&rule.head.version) {
            versions.push(Arc::clone(&rule.head.version));
        }
    }
    match versions.as_slice() {
        [only] => Arc::clone(only),
        several => Arc::from(several.join("; ")),
    }
}

/// What the lines of an item are, as its rule says.
fn line_kind(lines: &ItemLines) -> LineKind {
    match lines.rules.iter().flatten().next().map(|rule| rule.kind) {
        Some(ItemKind::Instalment) => LineKind::Instalment,
        Some(ItemKind::Clawback) => LineKind::Clawback,
        Some(ItemKind::Original) | None => LineKind::Original,
    }
}

impl Drafts {
    fn add_month(&mut self, month: &MonthInput) -> Result<(), ScheduleError> {
        let ids = month.entitlements.owner_keys(month.frames);
        let items: Vec<u32> = month
            .entitlements
            .items
            .iter()
            .map(|lines| place_of(&mut self.items, &lines.item))
            .collect();
        let sources: Vec<u32> = month
            .allocation
            .sources
            .iter()
            .map(|source| place_of(&mut self.sources, source))
            .collect();
        let budget: Vec<u32> =
            month.allocation.budget_lines.iter().map(|line| self.budget_place(line)).collect();
        let versions: Vec<Arc<str>> =
            (0..items.len()).map(|item| rule_version(month, item)).collect();
        let kinds: Vec<LineKind> = month.entitlements.items.iter().map(line_kind).collect();
        let paid: Vec<bool> = (0..items.len())
            .map(|item| month.allocation.shares.iter().any(|s| s.cell.item as usize == item))
            .collect();
        let shown: Vec<Vec<Shown>> = month
            .entitlements
            .items
            .iter()
            .zip(&paid)
            .map(|(lines, paid)| if *paid { quantities::of_item(month, lines) } else { Vec::new() })
            .collect();
        self.lines.reserve(month.allocation.shares.len());
        // The sources of one institution and item follow each other and show one quantity.
        let mut written: (usize, usize, Arc<str>) = (usize::MAX, usize::MAX, Arc::from(""));
        for share in &month.allocation.shares {
            let (item, row) = (share.cell.item as usize, share.cell.institution as usize);
            let Some(payee) = ids.get(row).and_then(|key| self.payees.place(*key)) else {
                continue;
            };
            let overflow = || ScheduleError::Overflow {
                institution_id: Arc::clone(&self.payees.list[payee as usize].institution_id),
            };
            let shown = shown[item].get(row).copied().unwrap_or_default();
            if (written.0, written.1) != (item, row) {
                written = (item, row, Arc::from(shown.quantity().ok_or_else(overflow)?));
            }
            let grain = Grain {
                payee,
                item: items[item],
                kind: kinds[item],
                source_period: month.month,
                source: sources[share.cell.source as usize],
                budget_line: budget
                    .get(share.cell.budget_line as usize)
                    .copied()
                    .unwrap_or(u32::MAX),
            };
            let payable = share.cell.fen.checked_add(share.carried_fen).ok_or_else(overflow)?;
            if share.gross_fen == 0 && share.cut_fen == 0 && payable == 0 {
                continue;
            }
            self.lines.push(Draft {
                grain,
                quantity: Arc::clone(&written.2),
                rate_fen: shown.rate_fen(),
                gross_fen: share.gross_fen,
                cut_fen: share.cut_fen,
                carried_in_fen: 0,
                carried_out_fen: 0,
                payable_fen: payable,
                rule_version: Arc::clone(&versions[item]),
            });
            if share.carried_fen != 0 {
                let grain = Grain { kind: LineKind::CarryOut, ..grain };
                let version = Arc::clone(&versions[item]);
                self.lines.push(Draft::moved(grain, version, share.carried_fen));
            }
        }
        Ok(())
    }

    fn budget_place(&mut self, line: &BudgetLine) -> u32 {
        let known = self.budget_lines.iter().position(|known| same_budget_line(known, line));
        let place = known.unwrap_or_else(|| {
            self.budget_lines.push(line.clone());
            self.budget_lines.len() - 1
        });
        u32::try_from(place).unwrap_or(u32::MAX)
    }

    /// Gives every line the economic classification of its item and payee, where a rule says one.
    pub(super) fn classify(&mut self, codes: &[CodeRule]) {
        if codes.is_empty() {
            return;
        }
        let mut places: FxHashMap<(u32, u32, u32), u32> = FxHashMap::default();
        for at in 0..self.lines.len() {
            let grain = self.lines[at].grain;
            let key = (grain.budget_line, grain.item, grain.payee);
            let place = places.get(&key).copied().unwrap_or_else(|| self.classified(key, codes));
            places.insert(key, place);
            self.lines[at].grain.budget_line = place;
        }
    }

    fn classified(&mut self, (line, item, payee): (u32, u32, u32), codes: &[CodeRule]) -> u32 {
        let Some(own) = self.budget_lines.get(line as usize) else { return line };
        let item = &self.items[item as usize];
        let payee = &self.payees.list[payee as usize].institution_id;
        let Some(rule) = codes.iter().find(|of| of.holds(item, payee, own.fiscal_year)) else {
            return line;
        };
        let mut line = own.clone();
        line.gov_eco_code = rule.gov_eco_code.clone().unwrap_or(line.gov_eco_code);
        line.dep_eco_code = rule.dep_eco_code.clone().unwrap_or(line.dep_eco_code);
        self.budget_place(&line)
    }

    /// The budget line of a source with that 指标文号, else the first of the source.
    fn budget_line(&self, source: &str, doc: &str) -> u32 {
        let of_source = |line: &BudgetLine| line.source == source;
        self.budget_lines
            .iter()
            .position(|line| of_source(line) && line.budget_doc_no == doc)
            .or_else(|| self.budget_lines.iter().position(of_source))
            .and_then(|place| u32::try_from(place).ok())
            .unwrap_or(u32::MAX)
    }

    /// Refunds what was posted for a closed month and is due no longer, and pays what is due instead.
    fn add_corrections(&mut self, of: &Correction) {
        for cell in &of.cells {
            let Some(payee) = self.payees.place(Key::pack(cell.institution_id.as_bytes()).0) else {
                continue;
            };
            let grain = Grain {
                payee,
                item: place_of(&mut self.items, &cell.item),
                kind: LineKind::Refund,
                source_period: of.month,
                source: place_of(&mut self.sources, &cell.source),
                budget_line: self.budget_line(&cell.source, &cell.budget_doc_no),
            };
            for (kind, fen, rule) in [
                (LineKind::Refund, -cell.refund_fen, &cell.old_rule),
                (LineKind::Correction, cell.correction_fen, &cell.new_rule),
            ] {
                if fen != 0 {
                    self.lines.push(Draft {
                        grain: Grain { kind, ..grain },
                        quantity: Arc::from(""),
                        rate_fen: None,
                        gross_fen: fen,
                        cut_fen: 0,
                        carried_in_fen: 0,
                        carried_out_fen: 0,
                        payable_fen: fen,
                        rule_version: Arc::clone(rule),
                    });
                }
            }
        }
    }

    /// Brings in what earlier periods carried out, on the same budget line where it still exists,
    /// else on the first of the source.
    fn add_carried(&mut self, months: &[MonthInput], open: &Open) {
        for ((id, item, source_period, source, doc), fen) in open {
            let Some(payee) = self.payees.place(Key::pack(id.as_bytes()).0) else { continue };
            let budget_line = self.budget_line(source, doc);
            let rule_version = months
                .iter()
                .rev()
                .find_map(|month| {
                    let items = &month.entitlements.items;
                    let at = items.iter().position(|lines| *lines.item == **item)?;
                    Some(rule_version(month, at))
                })
                .unwrap_or_else(|| Arc::from(""));
            let grain = Grain {
                payee,
                item: place_of(&mut self.items, &Arc::from(*item)),
                kind: LineKind::CarryIn,
                source_period: *source_period,
                source: place_of(&mut self.sources, &Arc::from(*source)),
                budget_line,
            };
            self.lines.push(Draft::moved(grain, rule_version, *fen));
        }
    }
}
