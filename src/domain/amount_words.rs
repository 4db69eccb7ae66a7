//! Amounts in English words, as a cheque has them: what 人民币大写 is in Chinese.

use super::Fen;

const SMALL: [&str; 20] = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];
const TENS: [&str; 10] =
    ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
const GROUPS: [(u64, &str); 6] = [
    (1_000_000_000_000_000, "quadrillion"),
    (1_000_000_000_000, "trillion"),
    (1_000_000_000, "billion"),
    (1_000_000, "million"),
    (1_000, "thousand"),
    (1, ""),
];

/// The amount in words: `one thousand four hundred and nine yuan and fifty fen`; whole yuan end in
/// `only`, an amount below zero starts with `minus`.
#[must_use]
pub fn amount_in_english_words(amount: Fen) -> String {
    let total = amount.0.unsigned_abs();
    let (yuan, fen) = (total / 100, total % 100);
    let mut words = String::new();
    if amount.0 < 0 {
        words.push_str("minus ");
    }
    if yuan > 0 || fen == 0 {
        whole(yuan, &mut words);
        words.push_str(" yuan");
    }
    match (yuan, fen) {
        (_, 0) => words.push_str(" only"),
        (0, _) => {}
        _ => words.push_str(" and "),
    }
    if fen > 0 {
        below_thousand(fen, &mut words);
        words.push_str(" fen");
    }
    words
}

fn whole(number: u64, words: &mut String) {
    if number == 0 {
        words.push_str(SMALL[0]);
    }
    let mut started = false;
    for (size, name) in GROUPS {
        let group = number / size % 1000;
        if group == 0 {
            continue;
        }
        if started {
            // One thousand and nine: the last group below a hundred is joined by a word.
            words.push_str(if size == 1 && group < 100 { " and " } else { " " });
        }
        below_thousand(group, words);
        if !name.is_empty() {
            words.push(' ');
            words.push_str(name);
        }
        started = true;
    }
}

fn below_thousand(number: u64, words: &mut String) {
    let word = |list: &'static [&'static str], at: u64| {
        usize::try_from(at).ok().and_then(|at| list.get(at)).copied().unwrap_or_default()
    };
    let (hundreds, rest) = (number / 100, number % 100);
    if hundreds > 0 {
        words.push_str(word(&SMALL, hundreds));
        words.push_str(" hundred");
        if rest > 0 {
            words.push_str(" and ");
        }
    }
    if rest >= 20 {
        words.push_str(word(&TENS, rest / 10));
        if rest % 10 > 0 {
            words.push('-');
            words.push_str(word(&SMALL, rest % 10));
        }
    } else if rest > 0 {
        words.push_str(word(&SMALL, rest));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_read_as_on_a_cheque() {
        for (fen, words) in [
            (0, "zero yuan only"),
            (1, "one fen"),
            (140_950, "one thousand four hundred and nine yuan and fifty fen"),
            (100_900, "one thousand and nine yuan only"),
            (-2_001, "minus twenty yuan and one fen"),
            (
                123_456_789_012,
                "one billion two hundred and thirty-four million five hundred and sixty-seven \
                 thousand eight hundred and ninety yuan and twelve fen",
            ),
            (100_000_100, "one million and one yuan only"),
            (111_900, "one thousand one hundred and nineteen yuan only"),
        ] {
            assert_eq!(amount_in_english_words(Fen(fen)), words);
        }
    }
}
