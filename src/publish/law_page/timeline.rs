//! What is in force when: each id a row, its versions as bars.

use super::{Writer, named, plain};
use crate::domain::{Date, Span};
use crate::law::{PaperLife, PaperVersion, Standing};
use crate::publish::page::{Bit, Line, Page, StripBar, StripLook, Strips};

/// Days shown after the last one anything happens on, so that what is open is seen to go on.
const BEYOND: i32 = 183;

/// The stretch of time that is drawn.
struct Scale {
    first: Date,
    last: Date,
}

impl Scale {
    fn of(lives: &[PaperLife], day: Date) -> Self {
        let versions = || lives.iter().flat_map(|life| &life.versions);
        let first = versions().flat_map(|v| [v.from, v.known_from]).chain([day]).min();
        let ends = |v: &PaperVersion| [Some(v.from), Some(v.known_from), v.until];
        let far = |day: &Date| day.ymd().0 < 2199;
        let last = versions().flat_map(ends).flatten().chain([day]).filter(far).max();
        let last = last.unwrap_or(day).plus_days(BEYOND);
        Self { first: first.unwrap_or(day), last }
    }

    /// A day in thousandths of the stretch.
    fn place(&self, day: Date) -> i32 {
        let whole = i64::from(self.last.days() - self.first.days()).max(1);
        let part = i64::from(day.clamp(self.first, self.last).days() - self.first.days());
        i32::try_from(part * 1000 / whole).unwrap_or(0)
    }

    fn bar(&self, span: Span, look: StripLook) -> StripBar {
        let until = span.until.clamp(self.first, self.last);
        StripBar { from: self.place(span.from), until: self.place(until), look }
    }
}

impl Writer<'_> {
    pub(super) fn timeline(&self, page: &mut Page<'_>) {
        page.section(&self.label("timeline"));
        page.note(&self.phrase("timeline_note", &[("day", &self.paper.day.to_string())]));
        let scale = Scale::of(&self.paper.lives, self.paper.day);
        let mut kinds: Vec<&str> = self.kinds();
        for life in &self.paper.lives {
            if !kinds.contains(&life.kind) {
                kinds.push(life.kind);
            }
        }
        for kind in kinds {
            let lives: Vec<&PaperLife> =
                self.paper.lives.iter().filter(|life| life.kind == kind).collect();
            if lives.is_empty() {
                continue;
            }
            let caption = self.kind(kind, lives[0].kind_zh);
            page.strips(&Strips {
                caption,
                titles: ["rule", "life", "versions"].map(|key| self.label(key)),
                ends: [scale.first.to_string(), scale.last.to_string()],
                line: Some(scale.place(self.paper.day)),
                rows: lives.iter().map(|life| self.row(life, &scale)).collect(),
            });
        }
    }

    fn row(&self, life: &PaperLife, scale: &Scale) -> (Line, Vec<Vec<StripBar>>, Vec<Line>) {
        let shown =
            self.paper.rules.iter().any(|rule| Some(&rule.anchor) == life.name.anchor.as_ref());
        let name = if shown {
            named(self.name(&life.name), life.name.anchor.as_ref())
        } else {
            Bit::Plain(self.name(&life.name).to_owned())
        };
        let lanes = life.versions.iter().map(|version| lane(version, scale)).collect();
        let words = life.versions.iter().map(|version| plain(&self.version(version))).collect();
        (vec![name], lanes, words)
    }

    fn version(&self, version: &PaperVersion) -> String {
        let (from, known) = (version.from.to_string(), version.known_from.to_string());
        let until = version.until.map(|until| until.to_string());
        let standing = match version.standing {
            Standing::InForce => None,
            Standing::Later => Some("standing_later"),
            Standing::Planned => Some("standing_planned"),
            Standing::Past => Some("standing_past"),
            Standing::Unknown => Some("standing_unknown"),
        };
        let standing = standing.map(|key| self.label(key));
        let mut values = vec![("from", &*from), ("known", &*known)];
        values.extend(until.as_deref().map(|until| ("until", until)));
        values.extend(standing.as_deref().map(|standing| ("standing", standing)));
        self.phrase("version", &values)
    }
}

/// A version: its span as an outline, the stretches it is in force filled, and since when it is known.
fn lane(version: &PaperVersion, scale: &Scale) -> Vec<StripBar> {
    let until = version.until.unwrap_or(scale.last);
    let look =
        if version.standing == Standing::Planned { StripLook::Dashed } else { StripLook::Faint };
    let mut bars = vec![scale.bar(Span { from: version.from, until }, look)];
    bars.extend(version.holds.iter().map(|span| scale.bar(*span, StripLook::Full)));
    let known = scale.place(version.known_from);
    bars.push(StripBar { from: known, until: known, look: StripLook::Tick });
    bars
}
