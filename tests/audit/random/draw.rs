//! Numbers of a seed, and names that the law drawn so far has made.

use crate::dice::Dice;
use std::collections::BTreeMap;

/// The numbers of a seed; neighbours have nothing in common.
pub(super) fn dice(seed: u64) -> Dice {
    Dice(seed.wrapping_mul(0xA076_1D64_78BD_642F))
}

/// What a name or an expression is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Yuan,
    Plain,
    Hour,
    Bool,
}

/// A name the law has made, to be read on its basis and on finer ones.
#[derive(Debug, Clone)]
pub(super) struct Named {
    pub(super) basis: &'static str,
    pub(super) kind: Kind,
    /// As it is written where it is read.
    pub(super) text: String,
}

/// How often each construct stood in a law.
pub(super) type Uses = BTreeMap<String, usize>;

/// Coarser bases a row is sure to determine, groupings among them where the law has them.
pub(super) fn coarser(basis: &str) -> &'static [&'static str] {
    match basis {
        "day" => &[
            "week",
            "spell",
            "listing",
            "child",
            "slot",
            "institution",
            "programme",
            "family",
            "household",
            "everywhere",
            "weekdays",
            "street",
        ],
        "week" | "sessions" => &["child", "institution", "programme", "everywhere", "street"],
        "spell" => &[
            "listing",
            "child",
            "slot",
            "institution",
            "programme",
            "family",
            "household",
            "everywhere",
            "street",
        ],
        "listing" => &["child", "slot", "institution", "programme", "everywhere", "street"],
        "visits" => &["child", "institution", "programme", "kinds", "everywhere", "street"],
        "child" => &["institution", "programme", "everywhere", "street"],
        "slot" | "class" | "caregiver" => &["institution", "programme", "street"],
        "household" => &["family", "institution", "programme"],
        "weekdays" | "kinds" => &["institution", "programme"],
        "institution" => &["programme", "street"],
        "programme" => &[],
        _ => &["programme"],
    }
}

/// Finer bases whose rows an aggregate folds, of the built-in ones and of what the law has made.
pub(super) fn finer(basis: &str, made: &[&'static str]) -> Vec<&'static str> {
    const ALL: [&str; 13] = [
        "day",
        "week",
        "spell",
        "listing",
        "visits",
        "sessions",
        "child",
        "slot",
        "class",
        "household",
        "weekdays",
        "kinds",
        "institution",
    ];
    let here = |of: &&&str| {
        coarser(of).contains(&basis) && !matches!(**of, "household" | "weekdays" | "kinds")
            || coarser(of).contains(&basis) && made.contains(*of)
    };
    ALL.iter().filter(here).copied().collect()
}
