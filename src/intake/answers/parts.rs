//! Parts that messages of ISO 20022 share: amounts, accounts, names, codes.

use super::hundredths;
use super::xml::{Broken, Element, LONGEST, Taken, Walk};

/// An amount with its currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sum {
    /// Currency code, as delivered.
    pub(super) currency: Box<str>,
    /// Hundredths, never below zero, or what was found instead.
    pub(super) hundredths: Result<i64, String>,
}

impl Sum {
    /// The amount of the element at hand.
    pub(super) fn read(walk: &mut Walk<'_>, element: &Element<'_, '_>) -> Result<Self, Broken> {
        let currency: Box<str> = element.attribute("Ccy").unwrap_or_default().into();
        let hundredths = hundredths(&walk.text()?).and_then(|sum| {
            let below = || format!("amount {sum} hundredths; expected none below zero");
            if sum < 0 { Err(below()) } else { Ok(sum) }
        });
        Ok(Self { currency, hundredths })
    }
}

/// An `Amt` below the element at hand, whatever stands beside it.
pub(super) fn inner_sum(walk: &mut Walk<'_>, sum: &mut Option<Sum>) -> Taken {
    walk.children(|walk, element| {
        if element.name() == "Amt" {
            *sum = Some(Sum::read(walk, element)?);
            return Ok(());
        }
        walk.skip()
    })
}

/// The text of the element at hand as it is kept.
pub(super) fn kept(walk: &mut Walk<'_>) -> Result<Box<str>, Broken> {
    Ok(Box::from(&*walk.text()?))
}

/// An end-to-end id; empty for the word that says there is none.
pub(super) fn named(text: &str) -> Box<str> {
    if text.eq_ignore_ascii_case("NOTPROVIDED") { Box::from("") } else { Box::from(text) }
}

/// An account: `Id/IBAN`, `Id/Othr/Id` or, of old, `Id/BBAN`.
pub(super) fn account(walk: &mut Walk<'_>, account_no: &mut Box<str>) -> Taken {
    walk.children(
        |walk, element| {
            if element.name() == "Id" { account_id(walk, account_no) } else { walk.skip() }
        },
    )
}

/// The `Id` of an account.
pub(super) fn account_id(walk: &mut Walk<'_>, account_no: &mut Box<str>) -> Taken {
    walk.children(|walk, element| match element.name() {
        "IBAN" | "BBAN" => {
            *account_no = kept(walk)?;
            Ok(())
        }
        "Othr" | "PrtryAcct" => walk.children(|walk, element| {
            if element.name() == "Id" {
                *account_no = kept(walk)?;
                return Ok(());
            }
            walk.skip()
        }),
        _ => walk.skip(),
    })
}

/// The name of a party, which later versions put below `Pty`.
pub(super) fn name(walk: &mut Walk<'_>, name: &mut Box<str>) -> Taken {
    walk.children(|walk, element| match element.name() {
        "Nm" => {
            *name = kept(walk)?;
            Ok(())
        }
        "Pty" => walk.children(|walk, element| {
            if element.name() == "Nm" {
                *name = kept(walk)?;
                return Ok(());
            }
            walk.skip()
        }),
        _ => walk.skip(),
    })
}

/// A code, the listed or the bank's own; of the first versions also a bare text.
pub(super) fn coded(walk: &mut Walk<'_>) -> Result<Box<str>, Broken> {
    let mut code: Box<str> = Box::from("");
    let own = walk.content(LONGEST, |walk, element| {
        match element.name() {
            "Cd" | "Prtry" => code = kept(walk)?,
            _ => walk.skip()?,
        }
        Ok(())
    })?;
    Ok(if code.is_empty() { Box::from(&*own) } else { code })
}

/// Characters of joined words, at most: one text may be copied to every answer of a file.
const LONGEST_WORDS: usize = 500;

/// Words joined by `; `, cut with a mark where they are too long.
pub(super) fn join(all: &mut String, words: &str) {
    if !all.is_empty() && !words.is_empty() {
        all.push_str("; ");
    }
    all.push_str(words);
    if all.chars().nth(LONGEST_WORDS).is_some() {
        let kept = all.char_indices().nth(LONGEST_WORDS - 1).map_or(all.len(), |(at, _)| at);
        all.truncate(kept);
        all.push('…');
    }
}
