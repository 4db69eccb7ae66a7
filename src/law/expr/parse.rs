//! Text -> sqlparser tree, bounded and with only the words of the language (S16).
//!
//! The text is cut into tokens first. Tokens outside the language are refused there, and every
//! word that is no keyword of ours loses its SQL meaning before the parser sees it, so that
//! subqueries, casts, intervals and the like do not exist and names such as `from` are free.

use sqlparser::ast;
use sqlparser::dialect::Dialect;
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer, Whitespace};
use std::collections::BTreeMap;

use super::ExprError;

/// Longest expression in bytes.
const BYTES_MAX: usize = 4096;
/// Deepest nesting of parentheses and CASE.
const DEPTH_MAX: usize = 64;
/// Most operators in one expression; keeps chains such as `a + a + …` shallow.
const OPERATORS_MAX: usize = 500;

/// The words that keep their SQL meaning.
const KEYWORDS: [Keyword; 15] = [
    Keyword::CASE,
    Keyword::WHEN,
    Keyword::THEN,
    Keyword::ELSE,
    Keyword::END,
    Keyword::AND,
    Keyword::OR,
    Keyword::NOT,
    Keyword::IN,
    Keyword::BETWEEN,
    Keyword::IS,
    Keyword::NULL,
    Keyword::TRUE,
    Keyword::FALSE,
    Keyword::WHERE,
];

/// `DuckDB`'s names and FILTER, without its named arguments, lambdas, structs and trailing commas.
#[derive(Debug)]
struct PackDialect;

impl Dialect for PackDialect {
    fn is_identifier_start(&self, ch: char) -> bool {
        ch.is_alphabetic() || ch == '_'
    }

    fn is_identifier_part(&self, ch: char) -> bool {
        ch.is_alphabetic() || ch.is_ascii_digit() || ch == '_'
    }

    fn supports_filter_during_aggregation(&self) -> bool {
        true
    }
}

/// A token that matters (no white space).
pub(super) struct Piece {
    pub(super) token: Token,
    /// First byte.
    pub(super) from: usize,
    /// Byte after the last.
    pub(super) until: usize,
    /// For parentheses the piece that closes or opens it.
    pub(super) partner: usize,
}

/// An expression text cut into pieces.
pub(super) struct Source<'a> {
    pub(super) text: &'a str,
    pub(super) pieces: Vec<Piece>,
    by_place: BTreeMap<(u64, u64), usize>,
}

impl Source<'_> {
    /// The piece that starts at a location of the parser.
    pub(super) fn piece_at(&self, at: Location) -> usize {
        self.by_place.get(&(at.line, at.column)).copied().unwrap_or(0)
    }

    /// An error over the pieces `first ..= last`.
    pub(super) fn error(
        &self,
        (first, last): (usize, usize),
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> ExprError {
        let offset = self.pieces.get(first).map_or(self.text.len(), |piece| piece.from);
        let until = self.pieces.get(last).map_or(self.text.len(), |piece| piece.until);
        ExprError {
            offset,
            length: until.saturating_sub(offset),
            message: message.into(),
            hint: hint.into(),
        }
    }
}

fn whole(text: &str, message: impl Into<String>, hint: &str) -> ExprError {
    ExprError { offset: 0, length: text.len(), message: message.into(), hint: hint.to_owned() }
}

/// Reads an expression text.
pub(super) fn parse(text: &str) -> Result<(Source<'_>, ast::Expr), ExprError> {
    if text.len() > BYTES_MAX {
        return Err(whole(
            text,
            format!("{} bytes; an expression has at most {BYTES_MAX}", text.len()),
            "name parts of it as [[value]]",
        ));
    }
    if text.trim().is_empty() {
        return Err(whole(text, "an empty expression", "write TRUE where everything is meant"));
    }
    let offsets = byte_offsets(text);
    let byte = |at: Location| offsets.get(&(at.line, at.column)).copied().unwrap_or(text.len());
    let tokens = Tokenizer::new(&PackDialect, text).tokenize_with_location().map_err(|error| {
        let offset = byte(error.location);
        ExprError {
            offset,
            length: text.len() - offset,
            message: format!("not readable: {}", error.message),
            hint: "texts stand in 'single quotes'".to_owned(),
        }
    })?;
    let (source, tokens) = admit(text, tokens, byte)?;
    let mut parser = Parser::new(&PackDialect)
        .with_recursion_limit(DEPTH_MAX * 6)
        .with_tokens_with_locations(tokens);
    let tree = parser.parse_expr().map_err(|error| {
        let next = parser.peek_token();
        let at = if next.token == Token::EOF {
            source.pieces.len().saturating_sub(1)
        } else {
            source.piece_at(next.span.start)
        };
        refused(&source, at, &error)
    })?;
    let rest = parser.peek_token();
    if rest.token == Token::EOF {
        return Ok((source, tree));
    }
    let at = source.piece_at(rest.span.start);
    Err(source.error(
        (at, at),
        format!("`{}` after the end of the expression", rest.token),
        "an expression is one value; join conditions with AND or OR",
    ))
}

fn refused(source: &Source<'_>, at: usize, error: &ParserError) -> ExprError {
    let message = match error {
        ParserError::RecursionLimitExceeded => "nested too deep".to_owned(),
        ParserError::TokenizerError(text) | ParserError::ParserError(text) => {
            // The parser's own place counts characters; ours stands beside the text.
            let text = text.split(" at Line").next().unwrap_or(text);
            format!("not an expression: {text}")
        }
    };
    source.error((at, at), message, "see docs/expressions.md for the grammar")
}

/// Keeps the pieces of the language, checks nesting, and takes the SQL meaning off other words.
fn admit(
    text: &str,
    tokens: Vec<TokenWithSpan>,
    byte: impl Fn(Location) -> usize,
) -> Result<(Source<'_>, Vec<TokenWithSpan>), ExprError> {
    let mut source = Source { text, pieces: Vec::new(), by_place: BTreeMap::new() };
    let mut kept: Vec<TokenWithSpan> = Vec::new();
    for token in tokens {
        if matches!(
            token.token,
            Token::Whitespace(Whitespace::Space | Whitespace::Newline | Whitespace::Tab)
        ) {
            continue;
        }
        if token.token == Token::EOF {
            continue;
        }
        let (from, until) = (byte(token.span.start), byte(token.span.end));
        let at = source.pieces.len();
        source.by_place.insert((token.span.start.line, token.span.start.column), at);
        source.pieces.push(Piece { token: token.token.clone(), from, until, partner: at });
        if !admitted(&token.token) {
            return Err(source.error(
                (at, at),
                format!("`{}` is not part of the language", text.get(from..until).unwrap_or("")),
                foreign_hint(&token.token),
            ));
        }
        kept.push(token);
    }
    nesting(&mut source)?;
    for at in 0..kept.len() {
        let text_follows =
            matches!(kept.get(at + 1).map(|t| &t.token), Some(Token::SingleQuotedString(_)));
        let call_follows = matches!(kept.get(at + 1).map(|t| &t.token), Some(Token::LParen));
        if let Token::Word(word) = &mut kept[at].token {
            let meant = KEYWORDS.contains(&word.keyword)
                || (word.keyword == Keyword::DATE && text_follows)
                || (word.keyword == Keyword::FILTER && call_follows);
            if !meant {
                word.keyword = Keyword::NoKeyword;
            }
        }
    }
    Ok((source, kept))
}

const fn admitted(token: &Token) -> bool {
    match token {
        Token::Word(word) => word.quote_style.is_none(),
        Token::Number(_, long) => !*long,
        Token::SingleQuotedString(_)
        | Token::Comma
        | Token::Eq
        | Token::Neq
        | Token::Lt
        | Token::Gt
        | Token::LtEq
        | Token::GtEq
        | Token::Plus
        | Token::Minus
        | Token::Mul
        | Token::Div
        | Token::LParen
        | Token::RParen
        | Token::Period => true,
        _ => false,
    }
}

fn foreign_hint(token: &Token) -> String {
    match token {
        Token::Whitespace(_) => "comments belong in the notice file, beside the block",
        Token::DoubleEq => "equality is one `=`",
        Token::Mod => "write mod(a, b)",
        Token::Colon => "pack:id is a name where that pack is loaded together with this one",
        Token::StringConcat => "texts are compared, never built",
        Token::Word(_) | Token::DoubleQuotedString(_) => {
            "names stand without quotes, texts in 'single quotes'"
        }
        Token::Char(_) => "use the half-width signs ( ) , = < > + - * /",
        _ => "see docs/expressions.md for the grammar",
    }
    .to_owned()
}

/// Pairs parentheses and bounds nesting and operators before the parser walks the text.
fn nesting(source: &mut Source<'_>) -> Result<(), ExprError> {
    let mut open: Vec<usize> = Vec::new();
    let (mut cases, mut operators) = (0_usize, 0_usize);
    for at in 0..source.pieces.len() {
        match &source.pieces[at].token {
            Token::LParen => open.push(at),
            Token::RParen => {
                if let Some(start) = open.pop() {
                    source.pieces[start].partner = at;
                    source.pieces[at].partner = start;
                }
            }
            Token::Word(word) => match word.keyword {
                Keyword::CASE => cases += 1,
                Keyword::END => cases = cases.saturating_sub(1),
                Keyword::AND | Keyword::OR | Keyword::NOT | Keyword::IS | Keyword::IN => {
                    operators += 1;
                }
                _ => {}
            },
            Token::Comma
            | Token::Number(..)
            | Token::SingleQuotedString(_)
            | Token::Period
            | Token::EOF => {}
            _ => operators += 1,
        }
        if open.len() + cases > DEPTH_MAX {
            return Err(source.error(
                (at, at),
                format!("nested deeper than {DEPTH_MAX}"),
                "name parts of it as [[value]]",
            ));
        }
        if operators > OPERATORS_MAX {
            return Err(source.error(
                (at, at),
                format!("more than {OPERATORS_MAX} operators"),
                "name parts of it as [[value]]",
            ));
        }
    }
    Ok(())
}

/// Byte offset of each (line, column) the tokenizer may report; columns count characters.
fn byte_offsets(text: &str) -> BTreeMap<(u64, u64), usize> {
    let mut offsets = BTreeMap::new();
    let (mut line, mut column) = (1, 1);
    for (at, letter) in text.char_indices() {
        offsets.insert((line, column), at);
        if letter == '\n' {
            line += 1;
            column = 1;
        } else {
            column += 1;
        }
    }
    offsets.insert((line, column), text.len());
    offsets
}
