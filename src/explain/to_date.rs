//! What of a total to date is due now, told and written.

use super::text::Page;
use super::walk::LineWalk;
use super::{InstalmentSaid, LineSaid, ToDateSaid};
use crate::allocation::cut_instalments;

impl LineWalk<'_> {
    /// What stands behind the line of an item due to date; none where the row has no total.
    pub(super) fn due_to_date(&mut self) -> Option<ToDateSaid> {
        let rule = std::sync::Arc::clone(&self.rule);
        let law = rule.to_date.as_ref()?;
        let of = self.lines.to_date.as_ref()?;
        let row = self.row;
        let (total, due) = (*of.capped.get(row)?, *self.lines.amount.get(row)?);
        let cut = cut_instalments(total, &law.parts).unwrap_or_default();
        let has = |parts: u64, at: usize| parts >> at & 1 == 1;
        for part in &law.parts {
            self.read(&part.when, &rule.basis, row);
        }
        let instalments = law.parts.iter().zip(cut).enumerate();
        let bound = of.recoverable.as_ref().map(|most| (most[row], of.asked[row]));
        Some(ToDateSaid {
            window: law.window.word().to_owned(),
            total_fen: total,
            before_fen: of.before[row],
            less: law.less.iter().map(ToString::to_string).collect(),
            less_fen: of.less[row],
            instalments: instalments
                .map(|(at, (part, fen))| InstalmentSaid {
                    share: format!("{}/{}", part.share.reduced().num, part.share.reduced().den),
                    when: part.when.source().to_owned(),
                    clause: part.clause.to_string(),
                    fen,
                    state: match (has(of.settled[row], at), has(of.due[row], at)) {
                        (true, _) => "closed",
                        (false, true) => "due",
                        (false, false) => "open",
                    }
                    .to_owned(),
                })
                .collect(),
            recovers: law.recovers.as_ref().map_or_else(String::new, ToString::to_string),
            bound: bound.filter(|(_, asked)| *asked != due),
            due_fen: due,
        })
    }
}

impl Page<'_> {
    /// The section of a total to date.
    pub(super) fn write_to_date(&mut self, line: &LineSaid) {
        let Some(said) = &line.to_date else { return };
        self.section("explain.to_date");
        let window = self.word("window", &said.window);
        let value = self.money(said.total_fen);
        self.say(1, "explain.to_date_total", &[("window", &window), ("value", &value)]);
        for (at, part) in said.instalments.iter().enumerate() {
            let n = (at + 1).to_string();
            let state = self.word("instalment", &part.state);
            let value = self.money(part.fen);
            let when = part.when.split_whitespace().collect::<Vec<_>>().join(" ");
            self.say(
                2,
                "explain.instalment",
                &[
                    ("n", &n),
                    ("share", &part.share),
                    ("value", &value),
                    ("state", &state),
                    ("when", &when),
                    ("clause", &part.clause),
                ],
            );
        }
        let value = self.money(said.before_fen);
        self.say(1, "explain.to_date_before", &[("value", &value)]);
        if !said.less.is_empty() {
            let items = said.less.join(self.texts.label("word.comma"));
            let value = self.money(said.less_fen);
            self.say(1, "explain.to_date_less", &[("items", &items), ("value", &value)]);
        }
        if let Some((most, asked)) = said.bound {
            let (most, asked) = (self.money(most), self.money(asked));
            let item = said.recovers.as_str();
            self.say(
                1,
                "explain.to_date_bound",
                &[("item", item), ("limit", &most), ("before", &asked)],
            );
        }
        let value = self.money(said.due_fen);
        self.say(1, "explain.to_date_due", &[("value", &value)]);
    }
}
