//! Budget lines 指标: which 指标文号 pays which cell.
//!
//! A cell is paid from the budget lines of its source and of the fiscal year of the month, in order
//! of 指标文号, each until its balance is used up; the last takes the rest, so that nothing is lost
//! when a budget is short and no rule says what to do (the caller makes a finding of it).
//! Institutions come in order of id, so shuffled files use the lines up alike. A source without a
//! budget line has cells without one (`u32::MAX`).

use super::lines::Lines;
use super::split::{Cells, Splits};
use super::{Allocation, AllocationError, BudgetLine, FundingCell, FundingShare};
use crate::domain::Month;

/// The budget lines of one source in the order they are used up.
#[derive(Debug)]
struct Purse {
    /// (index of the budget line, fen left).
    lines: Vec<(u32, i64)>,
    current: usize,
}

impl Purse {
    fn new(source: &str, budget: &[BudgetLine], month: Month) -> Self {
        let mut lines: Vec<(u32, &BudgetLine)> = (0_u32..)
            .zip(budget)
            .filter(|(_, line)| line.source == source && line.fiscal_year == month.year())
            .collect();
        lines.sort_by(|a, b| order(a.1).cmp(&order(b.1)));
        Self { lines: lines.iter().map(|(i, line)| (*i, line.balance_fen)).collect(), current: 0 }
    }

    /// Budget lines and fen that make up `fen`; at least one entry.
    fn take(&mut self, fen: i64) -> Vec<(u32, i64)> {
        let Some(last) = self.lines.len().checked_sub(1) else { return vec![(u32::MAX, fen)] };
        let mut left = fen;
        let mut taken = Vec::with_capacity(1);
        loop {
            let (line, balance) = &mut self.lines[self.current];
            if self.current < last && *balance <= 0 && left > 0 {
                self.current += 1;
                continue;
            }
            let give = if self.current < last { left.min(*balance) } else { left };
            if give != 0 || left == 0 {
                taken.push((*line, give));
            }
            *balance = balance.saturating_sub(give);
            left -= give;
            if left == 0 {
                return taken;
            }
        }
    }
}

/// What orders budget lines: the 指标文号, then every other code.
fn order(line: &BudgetLine) -> [&str; 6] {
    [
        &line.budget_doc_no,
        &line.exp_func_code,
        &line.gov_eco_code,
        &line.dep_eco_code,
        &line.fund_type_code,
        &line.project_code,
    ]
}

/// Gives every cell its budget line and makes the result of the room.
pub(super) fn assign(
    lines: Lines,
    splits: &Splits,
    cells: &Cells,
    budget: &[BudgetLine],
    month: Month,
) -> Result<Allocation, AllocationError> {
    let mut purses: Vec<Purse> =
        splits.sources.iter().map(|source| Purse::new(source, budget, month)).collect();
    let mut order: Vec<usize> = (0..cells.rows.len()).collect();
    order.sort_by_key(|place| {
        let row = &cells.rows[*place];
        (lines.owners.rank[row.institution as usize], row.item)
    });
    let mut shares = Vec::with_capacity(cells.fen.len());
    for place in order {
        let row = &cells.rows[place];
        let Some(split) = splits.of_item(row.item as usize) else { continue };
        for (offset, source) in split.sources.iter().enumerate() {
            let at = row.start + offset;
            let (fen, mut cut, mut carried) = (cells.fen[at], cells.cut[at], cells.carried[at]);
            if fen == 0 && cut == 0 && carried == 0 {
                continue;
            }
            for (budget_line, fen) in purses[*source as usize].take(fen) {
                let gross = fen.checked_add(cut).and_then(|sum| sum.checked_add(carried));
                let item = &lines.entitlements.items[row.item as usize].item;
                shares.push(FundingShare {
                    cell: FundingCell {
                        institution: row.institution,
                        item: row.item,
                        source: *source,
                        budget_line,
                        fen,
                    },
                    gross_fen: gross.ok_or_else(|| AllocationError::overflow(item))?,
                    cut_fen: cut,
                    carried_fen: carried,
                });
                // What was cut or carried stands once, beside the first budget line.
                (cut, carried) = (0, 0);
            }
        }
    }
    let key = |cell: &FundingCell| (cell.institution, cell.item, cell.source, cell.budget_line);
    shares.sort_by_key(|share| key(&share.cell));
    let mut carried = lines.carried;
    carried.sort_unstable();
    Ok(Allocation {
        sources: splits.sources.clone(),
        budget_lines: budget.to_vec(),
        cells: shares.iter().map(|share| share.cell).filter(|cell| cell.fen != 0).collect(),
        cuts: lines.cuts,
        carried,
        shares,
    })
}

#[cfg(test)]
mod tests {
    use super::{BudgetLine, Purse};
    use crate::domain::Month;

    fn line(doc: &str, balance_fen: i64, fiscal_year: i32) -> BudgetLine {
        BudgetLine {
            budget_doc_no: doc.to_owned(),
            source: "市".to_owned(),
            balance_fen,
            fiscal_year,
            ..BudgetLine::default()
        }
    }

    #[test]
    fn budget_lines_are_used_up_in_order_of_their_numbers() {
        let month = Month::parse("2026-09").expect("a month");
        let budget = [line("B", 100, 2026), line("A", 30, 2026), line("0", 999, 2025)];
        let mut purse = Purse::new("市", &budget, month);
        assert_eq!(purse.take(20), [(1, 20)]);
        assert_eq!(purse.take(20), [(1, 10), (0, 10)]);
        assert_eq!(purse.take(-5), [(0, -5)]);
        assert_eq!(purse.take(0), [(0, 0)]);
        // 95 are left; the last line takes the rest all the same.
        assert_eq!(purse.take(200), [(0, 200)]);
        assert_eq!(Purse::new("省", &budget, month).take(7), [(u32::MAX, 7)]);
    }
}
