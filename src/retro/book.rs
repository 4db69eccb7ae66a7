//! The lines of a settled month that carry money, by identity.

use crate::domain::{
    Basis, CodeList, Column, Date, Fraction, Frame, Frames, KeyRows, Stored, key_rows,
};
use crate::history::{NO_TEXT, Person, row_keys, used_text};
use crate::subsidy::{Entitlements, ItemLines, LineStatus};
use rayon::prelude::*;
use std::sync::Arc;

/// What makes a line the same line in another settlement of its month (S24), by codes of one
/// [`CodeList`]. The source is not in it: a line is split over the sources of its institution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LineKey {
    /// Institution id 机构 of the row: the payee, where no other is named.
    pub institution: u32,
    /// The payee's id where it is not that institution, or [`NO_TEXT`].
    pub payee: u32,
    /// Item id.
    pub item: u32,
    /// Basis.
    pub basis: u32,
    /// Child or person.
    pub person: Person,
    /// The rest of the row's key as text (`class_id`, `contract_id` …), or [`NO_TEXT`].
    pub row_key: u32,
    /// 班型, or [`NO_TEXT`].
    pub age_class: u32,
    /// 服务类型, or [`NO_TEXT`].
    pub service: u32,
    /// First day the line is for, on bases with a span.
    pub from: Option<Date>,
    /// Last day.
    pub until: Option<Date>,
}

impl LineKey {
    /// The code of the id of whoever is paid.
    #[must_use]
    pub const fn paid_to(&self) -> u32 {
        if self.payee == NO_TEXT { self.institution } else { self.payee }
    }

    /// The same key by codes of another list; `code` gives [`NO_TEXT`] for what is not there.
    #[must_use]
    pub fn recoded(self, code: impl Fn(u32) -> u32) -> Self {
        Self {
            institution: code(self.institution),
            payee: code(self.payee),
            item: code(self.item),
            basis: code(self.basis),
            row_key: code(self.row_key),
            age_class: code(self.age_class),
            service: code(self.service),
            ..self
        }
    }
}

/// One line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BookLine {
    /// Identity.
    pub key: LineKey,
    /// Fen after exclusions and caps, before a budget shortage.
    pub capped_fen: i64,
    /// Fen allocated.
    pub allocated_fen: i64,
    /// Fen a short budget cut when the line was first paid.
    pub cut_fen: i64,
    /// Version of the rule (`id@effective/known`).
    pub rule: u32,
    /// Input file, or [`NO_TEXT`].
    pub file: u32,
    /// Record in it, 0 = none.
    pub record: u32,
    /// Instalments the line closed, one bit a part, the first lowest.
    pub parts: u64,
    /// What it used up of caps on quantities over several months, as
    /// [`used_text`] writes it, or [`NO_TEXT`].
    pub used: u32,
}

/// The lines of a month that carry money. What is zero before the budget is left out: a zero is
/// never refunded. Only a line that closed an instalment stands here with nothing.
#[derive(Debug, Clone, Default)]
pub struct LineBook {
    /// Texts behind the codes.
    pub texts: CodeList,
    /// Lines in order of items, then of the basis' rows.
    pub lines: Vec<BookLine>,
}

/// First and last day of each row of a frame, where its rows have a span.
fn spans(frame: &Frame) -> [Option<(&Vec<Date>, i32)>; 2] {
    let Some(names) = frame.basis.span_columns() else { return [None, None] };
    names.map(|(name, after)| match frame.get(name).map(|stored| &stored.column) {
        Some(Column::Date(dates)) => Some((dates, after)),
        _ => None,
    })
}

impl LineBook {
    /// The lines of a settled month. `persons` are the pseudonyms of a basis' rows, `files` the names
    /// of the input files by number.
    #[must_use]
    pub fn of<'p>(
        frames: &Frames,
        entitlements: &Entitlements,
        persons: &dyn Fn(&Basis) -> Option<&'p [Person]>,
        files: &[Arc<str>],
    ) -> Self {
        let mut book = Self::default();
        let file_codes: Vec<u32> = files.iter().map(|name| book.texts.intern(name)).collect();
        let institutions = book.institutions(frames);
        let others = entitlements.payees.iter().map(|other| book.texts.intern(&other.id));
        let others: Vec<u32> = others.collect();
        let owners = [&institutions[..], &others].concat();
        for lines in &entitlements.items {
            let in_kind = lines.rules.iter().flatten().next().is_some_and(|rule| rule.in_kind);
            let (Some(frame), false) = (frames.get(&lines.basis), in_kind) else { continue };
            let made = book.item(frames, lines, frame, persons(&lines.basis), &owners);
            let Made { mut lines, places } = made;
            for (line, row) in lines.iter_mut().zip(places) {
                let (file, record) = frame.origin(row).unzip();
                let code = file.and_then(|at| file_codes.get(at as usize).copied());
                (line.file, line.record) = (code.unwrap_or(NO_TEXT), record.unwrap_or(0));
            }
            book.lines.append(&mut lines);
        }
        book
    }

    /// The code of each institution row's id.
    fn institutions(&mut self, frames: &Frames) -> Vec<u32> {
        let stored = frames.get(&Basis::Institution).and_then(|frame| frame.get("institution_id"));
        match stored.map(|stored| &stored.column) {
            Some(Column::Key(ids)) => {
                (0..ids.keys.len()).map(|row| self.texts.intern(&ids.text(row))).collect()
            }
            _ => Vec::new(),
        }
    }

    fn item(
        &mut self,
        frames: &Frames,
        lines: &ItemLines,
        frame: &Frame,
        persons: Option<&[Person]>,
        owners: &[u32],
    ) -> Made {
        let homes = key_rows(frames, &lines.basis, &Basis::Institution);
        let homes = homes.unwrap_or(KeyRows::Nowhere);
        let code = |owner: u32| owners.get(owner as usize).copied().unwrap_or(NO_TEXT);
        let payee = |row: usize| match &lines.owners {
            Some(paid_to) if paid_to[row] != homes.at(row) => code(paid_to[row]),
            _ => NO_TEXT,
        };
        let capped = lines.capped.as_ref().unwrap_or(&lines.allocated);
        let parts = |row: usize| lines.to_date.as_ref().map_or(0, |of| of.due[row]);
        let places: Vec<usize> = (0..lines.status.len())
            .into_par_iter()
            .filter(|row| {
                matches!(lines.status[*row], LineStatus::Paid | LineStatus::Zero)
                    && (capped[*row] != 0 || lines.allocated[*row] != 0 || parts(*row) != 0)
            })
            .collect();
        let (item, basis) = (self.texts.intern(&lines.item), self.texts.intern(lines.basis.name()));
        let rules: Vec<u32> = lines
            .rules
            .iter()
            .map(|rule| rule.as_ref().map_or(NO_TEXT, |r| self.texts.intern(&r.head.version)))
            .collect();
        let segments = whole_column(frame, "segment");
        let age_class = self.recoded(frame.get("age_class"));
        let service = self.recoded(frame.get("service"));
        let row_keys: Option<Vec<u32>> = row_keys(frame)
            .map(|text| places.iter().map(|row| self.texts.intern(&text(*row))).collect());
        let used: Option<Vec<u32>> = (!lines.used.is_empty())
            .then(|| places.iter().map(|row| self.used(lines, *row)).collect());
        let [from, until] = spans(frame);
        let made = places
            .par_iter()
            .enumerate()
            .map(|(at, row)| {
                let row = *row;
                let segment = segments.and_then(|s| usize::try_from(s[row]).ok()).unwrap_or(0);
                BookLine {
                    key: LineKey {
                        institution: code(homes.at(row)),
                        payee: payee(row),
                        item,
                        basis,
                        person: persons.map_or([0; 16], |persons| persons[row]),
                        row_key: row_keys.as_ref().map_or(NO_TEXT, |keys| keys[at]),
                        age_class: age_class.at(row),
                        service: service.at(row),
                        from: from.map(|(dates, after)| dates[row].plus_days(after)),
                        until: until.map(|(dates, after)| dates[row].plus_days(after)),
                    },
                    capped_fen: capped[row],
                    allocated_fen: lines.allocated[row],
                    cut_fen: capped[row].saturating_sub(lines.allocated[row]),
                    rule: rules.get(segment).or(rules.first()).copied().unwrap_or(NO_TEXT),
                    file: NO_TEXT,
                    record: 0,
                    parts: parts(row),
                    used: used.as_ref().map_or(NO_TEXT, |used| used[at]),
                }
            })
            .collect();
        Made { lines: made, places }
    }

    /// The text of what a row used up of caps.
    fn used(&mut self, lines: &ItemLines, row: usize) -> u32 {
        let caps = lines.used.iter().map(|(cap, amounts)| (&**cap, amounts[row]));
        let caps: Vec<(&str, Fraction)> = caps.filter(|(_, amount)| amount.num != 0).collect();
        if caps.is_empty() { NO_TEXT } else { self.texts.intern(&used_text(&caps)) }
    }

    /// A column of codes by codes of this book.
    fn recoded<'f>(&mut self, stored: Option<&'f Stored>) -> Recoded<'f> {
        match stored.map(|stored| (stored, &stored.column)) {
            Some((stored, Column::Code(codes))) => Recoded {
                stored: Some(stored),
                codes: &codes.codes,
                to: codes.list.texts().iter().map(|text| self.texts.intern(text)).collect(),
            },
            _ => Recoded { stored: None, codes: &[], to: Vec::new() },
        }
    }
}

/// Lines of one item and the rows they stand on.
struct Made {
    lines: Vec<BookLine>,
    places: Vec<usize>,
}

struct Recoded<'f> {
    stored: Option<&'f Stored>,
    codes: &'f [u32],
    to: Vec<u32>,
}

impl Recoded<'_> {
    fn at(&self, row: usize) -> u32 {
        match self.stored {
            Some(stored) if !stored.is_null(row) => {
                self.to.get(self.codes[row] as usize).copied().unwrap_or(NO_TEXT)
            }
            _ => NO_TEXT,
        }
    }
}

/// A column of whole numbers that is never null.
fn whole_column<'f>(frame: &'f Frame, name: &str) -> Option<&'f [i64]> {
    match &frame.get(name)?.column {
        Column::Num(numbers) if numbers.den == 1 => Some(&numbers.values),
        _ => None,
    }
}
