//! Texts on their way into a page: others wrote them, so they are neither markup nor commands.

use std::borrow::Cow;

/// A text without what would change how its neighbours are shown: control characters, marks that
/// turn the direction of writing, and what is no character at all.
pub(super) fn clean(text: &str) -> Cow<'_, str> {
    let shown = |c: char| match c {
        '\n' | '\t' => Some(' '),
        '\u{0}'..='\u{1f}'
        | '\u{7f}'..='\u{9f}'
        | '\u{61c}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{fdd0}'..='\u{fdef}'
        | '\u{e0000}'..='\u{e007f}' => Some('\u{fffd}'),
        _ if u32::from(c) & 0xfffe == 0xfffe => Some('\u{fffd}'),
        _ => None,
    };
    if text.chars().all(|c| shown(c).is_none()) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(|c| shown(c).unwrap_or(c)).collect())
}

/// A cleaned text for HTML, between tags and in quoted attributes.
pub(super) fn escape(text: &str) -> Cow<'_, str> {
    let text = clean(text);
    if !text.contains(['<', '>', '&', '"', '\'']) {
        return text;
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    Cow::Owned(out)
}

/// About how wide a text is in a chart, in its pixels: a Chinese character is square.
pub(super) fn width(text: &str) -> i32 {
    let letter = |c: char| match u32::from(c) {
        0..0x1100 if matches!(c, ' ' | '.' | ',' | 'i' | 'l' | '\'') => 4,
        0..0x1100 if c.is_uppercase() => 9,
        0..0x1100 => 7,
        _ => 12,
    };
    text.chars().map(letter).sum()
}

/// A text cut to a width, with a mark where it was cut.
pub(super) fn fit(text: &str, most: i32) -> String {
    let text = clean(text);
    if width(&text) <= most {
        return text.into_owned();
    }
    let mut out = String::new();
    let mut room = most - 12;
    for c in text.chars() {
        room -= width(c.encode_utf8(&mut [0; 4]));
        if room < 0 {
            break;
        }
        out.push(c);
    }
    out.push('…');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_wrote_is_no_markup() {
        assert_eq!(
            escape("<script>alert('a & \"b\"')</script>"),
            "&lt;script&gt;alert(&#39;a &amp; &quot;b&quot;&#39;)&lt;/script&gt;"
        );
        assert_eq!(escape("示例幼儿园"), "示例幼儿园");
    }

    #[test]
    fn what_turns_the_writing_is_taken_out() {
        assert_eq!(
            clean("a\u{202e}b\u{2066}c\u{0}d\u{1b}e"),
            "a\u{fffd}b\u{fffd}c\u{fffd}d\u{fffd}e"
        );
        assert_eq!(clean("a\nb\tc"), "a b c");
        assert_eq!(clean("\u{feff}x\u{ffff}\u{1ffff}"), "\u{fffd}x\u{fffd}\u{fffd}");
        // Letters that are written from the right are letters.
        assert_eq!(clean("حضانة"), "حضانة");
    }

    #[test]
    fn a_long_text_is_cut_and_says_so() {
        assert_eq!(fit("示例区第一托育中心", 60), "示例区第…");
        assert_eq!(fit("abc", 60), "abc");
    }
}
