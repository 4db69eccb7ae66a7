//! Audit: a settlement written out as SQL that computes it again from the facts.
//!
//! In: a settled period, with what it kept of earlier months ([`crate::settle::compute_audited`]).
//! Out: a folder with the facts of each service month, the lines of released runs, `recompute.sql`
//! for `DuckDB`, and what it must give: `expected.csv` as the schedule has it, `expected_lines.csv`
//! by status and reason, `expected_amounts.csv` by line. Order: after `settle`.
//! Never: writes a value a rule computed beside the facts, lets a float near money, leaves out a
//! rule it cannot carry ([`AuditError::NotYet`] names it).
//!
//! [`rerun()`] settles an archived run again and says whether every byte is the same;
//! [`difference()`] tells why two runs of one period differ.
//!
//! Run inside the folder, the script writes `recomputed.csv`, `recomputed_lines.csv` and
//! `recomputed_amounts.csv`; they are the expected files byte for byte, or one of the two is wrong.

mod aggregate;
mod allocation;
mod archived;
mod budget;
mod cap;
mod carried;
mod carry;
mod columns;
mod compare;
mod corrections;
mod difference;
mod exclusion;
mod expected;
mod facts;
mod grouping;
mod history;
mod item;
mod order;
mod past;
mod payees;
mod price;
mod rerun;
mod script;
mod shortage;
mod split;
mod to_date;
mod within;

pub use archived::Archived;
pub use compare::{At, first_difference, first_logical_difference};
pub use difference::{
    After, DifferenceError, DifferenceQuestion, DifferenceReport, DifferentLine, DifferentTable,
    Parts, difference,
};
pub use expected::{AMOUNTS, CELLS, LINES};
pub use rerun::{Difference, DifferenceKind, RerunError, RerunQuestion, RerunReport, Whose, rerun};

use crate::law::expr::prelude;
use crate::settle::{Settled, SettledAgain, SettledMonth};
use script::Script;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What an auditor reads first.
const HEADING: &str = "\
-- Computes a settlement again from its facts. Run inside this folder with DuckDB.
-- Each rule of the law stands under its id and clause, in the order in which rules read each other:
-- values, prices, gates, items; then exclusions, caps, budget and split, on the money of the lines.
-- Numbers are fractions n / d of whole numbers, money in fen; no value is a float. Beside each value
-- stands e, why it is missing: 1 no parent row, 2 no row in a table, 3 division by zero, 4 overflow,
-- 5 below zero; 0 if it is not. Ties end in values of the facts, at last in their row.
-- What released runs paid comes first, then closed months that are settled again and compared with
-- it, then the months of the period, at the end what is carried in and out.
";

/// Name of the script in the folder.
pub const SCRIPT: &str = "recompute.sql";

/// Why no folder was written.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The law holds rules the script cannot carry yet.
    #[error(
        "{month}: found {}; expected rules the SQL can carry",
        rules.join(", ")
    )]
    NotYet {
        /// Service month.
        month: String,
        /// Kind and id of every such rule.
        rules: Vec<String>,
    },
    /// A file cannot be written.
    #[error("{path}: {reason}; expected a folder that can be written")]
    Write {
        /// Path.
        path: String,
        /// What the system says.
        reason: String,
    },
}

/// Writes the folder of a settlement. Files of an earlier call are replaced.
///
/// # Errors
/// When the law holds a rule the script cannot carry (nothing is written then), or a file cannot be
/// written.
pub fn sql(settled: &Settled, folder: &Path) -> Result<(), AuditError> {
    let again: Vec<&SettledAgain> = settled.audited.iter().flat_map(|of| &of.again).collect();
    carried::refuse(settled)?;
    let mut text = HEADING.to_owned();
    text.push_str(prelude());
    text.push_str(include_str!("macros.sql"));
    text.push_str(
        "CREATE OR REPLACE TABLE \"result\" (month VARCHAR, institution_id VARCHAR, item VARCHAR, \
         source VARCHAR, amount_fen HUGEINT);\n\
         CREATE OR REPLACE TABLE \"result lines\" (month VARCHAR, item VARCHAR, status VARCHAR, \
         reason VARCHAR, lines BIGINT);\n\
         CREATE OR REPLACE TABLE \"result amounts\" (month VARCHAR, item VARCHAR, line BIGINT, \
         status VARCHAR, amount_fen HUGEINT, allocated_fen HUGEINT);\n",
    );
    text.push_str(carry::TABLE);
    past::write(settled, folder, &mut text)?;
    let run = settled.audited.as_ref().map_or(0, |of| of.released.len()) + 1;
    let names = &settled.pseudonyms;
    for of in &again {
        let _ = writeln!(text, "\n-- {}, closed, settled again as known now.", of.month.month);
        let mut script = Script::new(&of.month, true, names, compared(&of.month));
        facts::write(&mut script, folder)?;
        script.steps();
        allocation::allocate(&mut script);
        corrections::compare(&mut script, of, run);
        text.push_str(&script.text);
    }
    // Months after the last that reads the budget, or is told apart by it, ask nothing of it.
    let by_line = carry::by_line(settled);
    let last_asked = if by_line {
        settled.months.len().checked_sub(1)
    } else {
        settled.months.iter().rposition(budget::is_read)
    };
    if last_asked.is_some() {
        text.push_str(budget::TAKEN);
        text.push_str(&budget::of_period(&settled.schedule.budget_lines));
        carry::draw(settled, &mut text);
    }
    let remembered = read_later(settled);
    for (at, month) in settled.months.iter().enumerate() {
        let _ = writeln!(text, "\n-- {}", month.month);
        let is_last = month.month == settled.period;
        let items = if is_last { BTreeSet::new() } else { remembered.clone() };
        let mut script = Script::new(month, false, names, items);
        facts::write(&mut script, folder)?;
        let later_asks = last_asked.is_some_and(|last| at < last);
        if budget::is_read(month) || later_asks || by_line {
            budget::write(&mut script, folder)?;
        }
        script.steps();
        allocation::allocate(&mut script);
        if later_asks || by_line {
            budget::by_line(&mut script);
            budget::take(&mut script);
        }
        past::remember(&mut script, run);
        carry::first_paid(&mut script, by_line);
        text.push_str(&script.text);
    }
    carry::carry(settled, &mut text);
    text.push_str(
        "COPY (SELECT kind, source_month, institution_id, item, source, sum(amount_fen)::HUGEINT \
         AS \
         amount_fen FROM \"schedule\" GROUP BY ALL HAVING sum(amount_fen) <> 0 ORDER BY ALL) \
         TO 'recomputed.csv' (FORMAT csv, HEADER, FORCE_QUOTE (kind, source_month, institution_id, \
         item, source));\n\
         COPY (SELECT month, item, status, reason, sum(lines)::HUGEINT AS lines \
         FROM \"result lines\" GROUP BY ALL ORDER BY ALL) \
         TO 'recomputed_lines.csv' (FORMAT csv, HEADER, FORCE_QUOTE (month, item, status, \
         reason));\n\
         COPY (SELECT * FROM \"result amounts\" ORDER BY ALL) \
         TO 'recomputed_amounts.csv' (FORMAT csv, HEADER, FORCE_QUOTE (month, item, status));\n",
    );
    put(&folder.join(SCRIPT), text.as_bytes())?;
    put(&folder.join("expected.csv"), expected::cells(settled).as_bytes())?;
    put(&folder.join("expected_lines.csv"), expected::lines(settled).as_bytes())?;
    put(&folder.join("expected_amounts.csv"), expected::amounts(settled).as_bytes())
}

/// Items whose lines of a closed month are compared: all but those due to date.
fn compared(month: &SettledMonth) -> BTreeSet<Arc<str>> {
    let to_date = month.law.items_to_date();
    let items = month.entitlements.items.iter().map(|lines| Arc::clone(&lines.item));
    items.filter(|item| !to_date.contains(item)).collect()
}

/// Items whose lines later months of the period read.
fn read_later(settled: &Settled) -> BTreeSet<Arc<str>> {
    settled.months.iter().flat_map(|month| month.law.items_of_history()).collect()
}

fn put(path: &PathBuf, bytes: &[u8]) -> Result<(), AuditError> {
    let wrong = |error: std::io::Error| AuditError::Write {
        path: path.display().to_string(),
        reason: error.to_string(),
    };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(wrong)?;
    }
    std::fs::write(path, bytes).map_err(wrong)
}
