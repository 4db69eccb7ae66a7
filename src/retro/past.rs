//! The books of earlier months as what they say of later ones.

use super::book::{BookLine, LineBook};
use crate::domain::Month;
use crate::history::{History, NO_TEXT, PaidLine, RowKey};
use std::collections::BTreeSet;
use std::sync::Arc;

impl History {
    /// The lines of some items in the books of earlier months, each as it was last corrected. Months
    /// that were never settled have no book: their rows used up nothing.
    #[must_use]
    pub fn of<'b>(
        books: impl IntoIterator<Item = (Month, &'b LineBook)>,
        items: &BTreeSet<Arc<str>>,
    ) -> Self {
        let mut this = Self::default();
        for (month, book) in books {
            this.add(month, book, items);
        }
        this
    }

    /// Adds the book of a month.
    pub fn add(&mut self, month: Month, book: &LineBook, items: &BTreeSet<Arc<str>>) {
        let mut to: Vec<u32> = vec![NO_TEXT; book.texts.texts().len()];
        let wanted: Vec<bool> =
            book.texts.texts().iter().map(|text| items.contains(&**text)).collect();
        let is_wanted =
            |line: &&BookLine| wanted.get(line.key.item as usize).copied().unwrap_or(false);
        for line in book.lines.iter().filter(is_wanted) {
            let mut code = |code: u32| {
                let Some(known) = to.get_mut(code as usize) else { return NO_TEXT };
                if *known == NO_TEXT {
                    *known = self.texts.intern(book.texts.text(code));
                }
                *known
            };
            let key = RowKey {
                institution: code(line.key.institution),
                person: line.key.person,
                row_key: code(line.key.row_key),
                age_class: code(line.key.age_class),
                service: code(line.key.service),
            };
            let (item, used) = (code(line.key.item), code(line.used));
            self.lines.push(PaidLine {
                month,
                item,
                key,
                capped_fen: line.capped_fen,
                allocated_fen: line.allocated_fen,
                parts: line.parts,
                used,
            });
        }
    }
}

impl LineBook {
    /// Leaves out the lines of some items: a total to date corrects itself in the next open month, so
    /// its closed months are not compared.
    pub fn leave_out(&mut self, items: &BTreeSet<Arc<str>>) {
        let texts = &self.texts;
        self.lines.retain(|line| !items.contains(texts.text(line.key.item)));
    }
}
