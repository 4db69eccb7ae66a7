//! Who did something, when and why: the words every act of a person carries into the ledger.

use super::Date;
use chrono::{DateTime, Datelike, FixedOffset, Timelike as _};
use unicode_normalization::UnicodeNormalization as _;

/// Longest name, in characters.
const NAME_MAX: usize = 64;
/// Longest reason, in characters.
const REASON_MAX: usize = 500;

/// A word of an act that cannot stand in the books.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("found {found:?}; expected {expected}")]
pub struct ActError {
    /// The word as found.
    pub found: String,
    /// What it should be.
    pub expected: &'static str,
}

/// The name of a person 姓名: any script, trimmed.
///
/// # Errors
/// When nothing is left, more than 64 characters are, or one of them cannot be seen.
pub fn person(name: &str) -> Result<&str, ActError> {
    words(name, 1, NAME_MAX, "a name of 1 to 64 characters that can all be seen")
}

/// A reason 理由: one line of text, trimmed; may be empty.
///
/// # Errors
/// When it has more than 500 characters, or one that cannot be seen.
pub fn reason(text: &str) -> Result<&str, ActError> {
    words(text, 0, REASON_MAX, "one line of at most 500 characters that can all be seen")
}

/// A moment as RFC 3339 writes it, kept as it is written.
///
/// # Errors
/// When it is no moment.
pub fn moment(text: &str) -> Result<&str, ActError> {
    let expected = "a moment as 2026-10-12T09:30:00+08:00";
    match DateTime::parse_from_rfc3339(text) {
        Ok(_) => Ok(text),
        Err(_) => Err(ActError { found: text.to_owned(), expected }),
    }
}

/// Seconds by which the clocks of the whole country are ahead of UTC.
const BEIJING: i32 = 8 * 3600;

/// The day of a moment by the country's one clock, whatever zone it is written in.
#[must_use]
pub fn beijing_day(moment: &str) -> Option<Date> {
    let moment = DateTime::parse_from_rfc3339(moment).ok()?;
    let day = moment.with_timezone(&FixedOffset::east_opt(BEIJING)?).date_naive();
    Date::from_ymd(day.year(), day.month(), day.day())
}

/// A moment on the country's one clock, to the second, `2026-10-12T09:30:00+08:00`.
#[must_use]
pub fn beijing_time(moment: &str) -> Option<String> {
    let moment = DateTime::parse_from_rfc3339(moment).ok()?;
    let there = moment.with_timezone(&FixedOffset::east_opt(BEIJING)?);
    // A leap second is told as the one before it: most readers know no second 60.
    let there = there.with_nanosecond(0)?;
    Some(there.format("%Y-%m-%dT%H:%M:%S+08:00").to_string())
}

/// Whether two names are one person's: spaces, capitals, and letters that only look different in the
/// code table (full-width, composed, compatibility forms) do not tell people apart.
#[must_use]
pub fn same_person(a: &str, b: &str) -> bool {
    let folded = |name: &str| -> String {
        let plain: String = name.nfkc().filter(|c| !c.is_whitespace()).collect();
        plain.to_lowercase().nfkc().collect()
    };
    folded(a) == folded(b)
}

fn words<'t>(
    text: &'t str,
    least: usize,
    most: usize,
    expected: &'static str,
) -> Result<&'t str, ActError> {
    let kept = text.trim();
    let count = kept.chars().count();
    if count < least || count > most || kept.chars().any(unseen) {
        return Err(ActError { found: text.to_owned(), expected });
    }
    Ok(kept)
}

/// Control characters, and marks without width that would make two persons of one name.
fn unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180d}' | '\u{2800}' | '\u{fe00}'..='\u{fe0f}' | '\u{ffa0}'
            | '\u{e0100}'..='\u{e01ef}')
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{3164}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_seen_and_trimmed() {
        assert_eq!(person(" 张三 "), Ok("张三"));
        assert_eq!(person("Zoë O'Brien"), Ok("Zoë O'Brien"));
        assert!(person(&"名".repeat(64)).is_ok());
        for bad in ["张三\u{fe0f}", "张\u{2800}三", "张\u{34f}三", "张三\u{e0100}"] {
            assert!(person(bad).is_err(), "{bad:?}");
        }
        for bad in ["", "  ", "a\nb", "张\u{200b}三", "张三\u{202e}", &"名".repeat(65)] {
            assert!(person(bad).is_err(), "{bad:?}");
        }
        assert!(same_person("Li Si ", "li si") && !same_person("李四", "李三"));
        // 李 as a compatibility ideograph, full-width letters, é composed and not, spaces within.
        for (a, b) in
            [("李四", "\u{f9e1}四"), ("Ｌｉ", "Li"), ("Zo\u{e9}", "Zoe\u{301}"), ("李  四", "李四")]
        {
            assert!(same_person(a, b), "{a} {b}");
        }
    }

    #[test]
    fn a_day_begins_in_beijing() {
        for (at, day) in [
            ("2026-12-31T15:59:59Z", "2026-12-31"),
            ("2026-12-31T16:00:00Z", "2027-01-01"),
            ("2027-01-01T00:30:00+08:00", "2027-01-01"),
            ("2027-01-01T00:30:00+09:00", "2026-12-31"),
        ] {
            assert_eq!(beijing_day(at).unwrap().to_string(), day, "{at}");
        }
        assert_eq!(beijing_day("2026-12-31"), None);
    }

    #[test]
    fn there_is_one_clock() {
        for (moment, there) in [
            ("2026-10-12T09:30:00+08:00", "2026-10-12T09:30:00+08:00"),
            ("2026-10-12T16:00:00.5Z", "2026-10-13T00:00:00+08:00"),
            ("2026-12-31T23:59:60Z", "2027-01-01T07:59:59+08:00"),
        ] {
            assert_eq!(beijing_time(moment).as_deref(), Some(there), "{moment}");
        }
        assert_eq!(beijing_time("2026-10-12"), None);
    }

    #[test]
    fn moments_have_a_zone() {
        for good in ["2026-10-12T09:30:00Z", "2026-10-12T09:30:00.5+08:00"] {
            assert_eq!(moment(good), Ok(good));
        }
        for bad in ["", "2026-10-12", "2026-10-12T09:30:00", "2026-02-30T00:00:00Z", "今天"] {
            assert!(moment(bad).is_err(), "{bad}");
        }
        assert!(reason("").is_ok() && reason("a\nb").is_err() && reason(&"x".repeat(501)).is_err());
    }
}
