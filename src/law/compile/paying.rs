//! When money is paid, and how much of what is owed is taken back at a time.

use super::Compiler;
use crate::domain::Roll;
use crate::law::cells::scale;
use crate::law::model::{OffsetRule, PayBase, PayDateRule, PayOn};
use crate::law::text::{Block, BlockKind, Value, number};
use std::sync::Arc;

impl<'a> Compiler<'a> {
    /// The block of a kind that stands once in a pack; of several packs the last one's.
    fn the_one(&mut self, kind: BlockKind) -> Option<&'a Arc<Block>> {
        let mut found: Option<&'a Arc<Block>> = None;
        for block in self.of_kind(kind) {
            if block.broken {
                continue;
            }
            self.not_split(block);
            if let Some(other) = found.filter(|other| other.pack == block.pack) {
                let word = kind.word();
                let message = format!("two [[{word}]] in force: {} and {}", other.id, block.id);
                let expected = format!("one [[{word}]]");
                self.faults.error("duplicate", &block.at, message, expected, "");
            }
            found = Some(block);
        }
        found
    }

    /// How much is offset in one period.
    pub(super) fn offset(&mut self) -> Option<Arc<OffsetRule>> {
        let block = self.the_one(BlockKind::Offset)?;
        let share = block.get("share");
        let amount = block.get("amount");
        let least = |fault: bool| (!fault).then_some(());
        if share.is_none() == amount.is_none() {
            let message = format!("[[offset]] {} has both or neither", block.id);
            self.faults.error("offset", &block.at, message, "`share` or `amount`", "");
            return None;
        }
        let share = match share {
            None => None,
            Some(node) => {
                let value = number(node)?;
                let beyond = value.num < 0 || value.num > value.den;
                if beyond {
                    let message = format!("[[offset]] {}: a share beyond 0 to 1", block.id);
                    self.faults.error("offset", &node.at, message, "0 to 1", "");
                }
                least(beyond)?;
                Some(value)
            }
        };
        let amount_fen = match amount {
            None => None,
            Some(node) => {
                let fen = number(node).and_then(|value| scale(value, true));
                let fen = fen.filter(|fen| fen.den == 1 && fen.num >= 0);
                let fen = fen.and_then(|fen| i64::try_from(fen.num).ok());
                if fen.is_none() {
                    let message = format!("[[offset]] {}: an amount that is no money", block.id);
                    self.faults.error("offset", &node.at, message, "yuan, at least 0", "");
                }
                Some(fen?)
            }
        };
        Some(Arc::new(OffsetRule { head: self.book.head_of(block), share, amount_fen }))
    }

    /// The pay date; of several packs the last one's.
    pub(super) fn pay_date(&mut self) -> Option<Arc<PayDateRule>> {
        let block = self.the_one(BlockKind::PayDate)?;
        let count = |key: &str| match block.get(key).map(|node| &node.value) {
            Some(Value::Int(count)) => u32::try_from(*count).ok(),
            _ => None,
        };
        let base = match block.word("base") {
            "next_month" => PayBase::NextMonth,
            "same_month" => PayBase::SameMonth,
            _ => PayBase::PeriodEnd,
        };
        let on = match (count("workday"), count("day"), base) {
            (Some(workday), None, _) if workday <= 31 => PayOn::Workday(workday),
            (None, Some(day), _) if day <= 31 => PayOn::Day(day),
            (None, None, PayBase::PeriodEnd) => PayOn::Base,
            _ => {
                let message = format!("[[pay_date]] {}: no day, or two", block.id);
                let expected = "`workday` or `day`, 1 to 31 (none only with base = \"period_end\")";
                self.faults.error("pay_date", &block.at, message, expected, "");
                return None;
            }
        };
        let roll = match block.word("roll") {
            "next" => Roll::Next,
            "previous" => Roll::Previous,
            _ => Roll::None,
        };
        Some(Arc::new(PayDateRule { head: self.book.head_of(block), base, on, roll }))
    }
}
