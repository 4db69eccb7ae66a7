//! An expression cut into words, for texts that people read: every piece of it, in its order, with
//! nothing left out and nothing added.

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::Token;

use super::parse::{Piece, parse};

/// One word of an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::law) enum Word {
    /// A name, maybe dotted.
    Name(String),
    /// A name that is called: a function or a table.
    Call(String),
    /// A text literal, without quotes.
    Text(String),
    /// A number or date as written.
    Literal(String),
    /// A word of the language, in capitals; `BETWEEN_AND` is the AND of a BETWEEN.
    Key(&'static str),
    /// An operator as SQL writes it.
    Sign(&'static str),
    /// `-` in front of a value.
    Minus,
    Open,
    Close,
    Comma,
}

/// The words of an expression; `None` where it cannot be read.
pub(in crate::law) fn words(text: &str) -> Option<Vec<Word>> {
    let (source, _) = parse(text).ok()?;
    let pieces = &source.pieces;
    let mut words: Vec<Word> = Vec::new();
    // For each BETWEEN that waits for its AND, the depth it stands at.
    let mut between: Vec<usize> = Vec::new();
    let (mut at, mut depth) = (0, 0);
    while let Some(piece) = pieces.get(at) {
        at += 1;
        let word = match &piece.token {
            Token::Word(word) => {
                let next = pieces.get(at).map(|piece| &piece.token);
                match keyword(word.keyword, next) {
                    Some("DATE") => {
                        at += 1;
                        match next {
                            Some(Token::SingleQuotedString(date)) => Word::Literal(date.clone()),
                            _ => return None,
                        }
                    }
                    Some("AND") if between.last() == Some(&depth) => {
                        between.pop();
                        Word::Key("BETWEEN_AND")
                    }
                    Some(key) => {
                        match key {
                            "BETWEEN" => between.push(depth),
                            "CASE" => depth += 1,
                            "END" => depth -= 1,
                            _ => {}
                        }
                        Word::Key(key)
                    }
                    None => name(&word.value, pieces, &mut at),
                }
            }
            Token::Number(number, _) => Word::Literal(number.clone()),
            Token::SingleQuotedString(text) => Word::Text(text.clone()),
            Token::LParen => {
                depth += 1;
                Word::Open
            }
            Token::RParen => {
                depth = depth.checked_sub(1)?;
                Word::Close
            }
            Token::Comma => Word::Comma,
            Token::Minus if stands_alone(words.last()) => Word::Minus,
            token => Word::Sign(sign(token)?),
        };
        words.push(word);
    }
    Some(words)
}

/// A name with what is joined to it by dots.
fn name(first: &str, pieces: &[Piece], at: &mut usize) -> Word {
    let mut name = first.to_owned();
    let token = |at: usize| pieces.get(at).map(|piece| &piece.token);
    while let (Some(Token::Period), Some(Token::Word(part))) = (token(*at), token(*at + 1)) {
        name.push('.');
        name.push_str(&part.value);
        *at += 2;
    }
    if token(*at) == Some(&Token::LParen) { Word::Call(name) } else { Word::Name(name) }
}

/// Whether a `-` after this word belongs to the value behind it.
fn stands_alone(last: Option<&Word>) -> bool {
    match last {
        Some(Word::Name(_) | Word::Text(_) | Word::Literal(_) | Word::Close) => false,
        Some(Word::Key(key)) => *key != "END",
        _ => true,
    }
}

fn keyword(keyword: Keyword, next: Option<&Token>) -> Option<&'static str> {
    Some(match keyword {
        Keyword::CASE => "CASE",
        Keyword::WHEN => "WHEN",
        Keyword::THEN => "THEN",
        Keyword::ELSE => "ELSE",
        Keyword::END => "END",
        Keyword::AND => "AND",
        Keyword::OR => "OR",
        Keyword::NOT => "NOT",
        Keyword::IN => "IN",
        Keyword::BETWEEN => "BETWEEN",
        Keyword::IS => "IS",
        Keyword::NULL => "NULL",
        Keyword::TRUE => "TRUE",
        Keyword::FALSE => "FALSE",
        Keyword::WHERE => "WHERE",
        Keyword::DATE if matches!(next, Some(Token::SingleQuotedString(_))) => "DATE",
        Keyword::FILTER if matches!(next, Some(Token::LParen)) => "FILTER",
        _ => return None,
    })
}

const fn sign(token: &Token) -> Option<&'static str> {
    Some(match token {
        Token::Eq => "=",
        Token::Neq => "<>",
        Token::Lt => "<",
        Token::Gt => ">",
        Token::LtEq => "<=",
        Token::GtEq => ">=",
        Token::Plus => "+",
        Token::Minus => "-",
        Token::Mul => "*",
        Token::Div => "/",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_piece_is_a_word() {
        let name = |text: &str| Word::Name(text.to_owned());
        let literal = |text: &str| Word::Literal(text.to_owned());
        assert_eq!(
            words("a.b >= -2 AND rate(x, 'y') / 30 <> 0").unwrap(),
            [
                name("a.b"),
                Word::Sign(">="),
                Word::Minus,
                literal("2"),
                Word::Key("AND"),
                Word::Call("rate".into()),
                Word::Open,
                name("x"),
                Word::Comma,
                Word::Text("y".into()),
                Word::Close,
                Word::Sign("/"),
                literal("30"),
                Word::Sign("<>"),
                literal("0"),
            ]
        );
        // The AND of BETWEEN is told from the one that joins conditions.
        let keys: Vec<_> = words("d BETWEEN DATE '2026-01-01' AND (a - b) AND c")
            .unwrap()
            .into_iter()
            .filter_map(|word| if let Word::Key(key) = word { Some(key) } else { None })
            .collect();
        assert_eq!(keys, ["BETWEEN", "BETWEEN_AND", "AND"]);
        assert_eq!(words("1 +"), None);
    }

    /// The words put together again, without spaces.
    fn rebuilt(words: &[Word]) -> String {
        words
            .iter()
            .map(|word| match word {
                Word::Name(text) | Word::Call(text) | Word::Literal(text) => text.clone(),
                Word::Text(text) => format!("'{}'", text.replace('\'', "''")),
                Word::Key("BETWEEN_AND") => "AND".to_owned(),
                Word::Key(key) => (*key).to_owned(),
                Word::Sign(sign) => (*sign).to_owned(),
                Word::Minus => "-".to_owned(),
                Word::Open => "(".to_owned(),
                Word::Close => ")".to_owned(),
                Word::Comma => ",".to_owned(),
            })
            .collect()
    }

    #[test]
    fn nothing_is_left_out_and_nothing_added() {
        for text in [
            "CASE WHEN a IS NOT NULL THEN a - (b - c) ELSE -(d + 0.5) END * 2",
            "CASE k WHEN 'it''s' THEN 1 WHEN 'b' THEN 2 ELSE 3 END",
            "NOT (x NOT IN ('a', 'b') OR y NOT BETWEEN 1 AND 2 AND z)",
            "count(listing) FILTER (WHERE listing.in_month) >= occupancy.least * slots_counted",
            "x BETWEEN CASE WHEN p AND q THEN 1 ELSE 2 END AND 3 AND r <> TRUE",
            "tier(x, 'marginal', 10, 0.5, 0.25) / 30 <= greatest(least(a, b), 0)",
            "from.until = order",
        ] {
            let plain: String = text.chars().filter(|c| !c.is_whitespace()).collect();
            assert_eq!(rebuilt(&words(text).expect(text)), plain, "{text}");
        }
    }
}
