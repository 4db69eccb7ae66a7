//! What is wrong with a pack: every mistake with its file, line and span, ready for a person.
//!
//! Mistakes are collected, never thrown at the first: a pack is corrected in one go.

use crate::domain::Severity;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// One file of a pack or one overlay, kept for messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceText {
    /// Pack folder's name and file, `shili/gates.toml`; for an overlay its file name.
    pub name: String,
    /// Path of the file inside its pack.
    pub file: Arc<str>,
    /// Pack id, or the folder's name while no `[pack]` was read; empty for an overlay.
    pub pack: Arc<str>,
    /// The text as read; bytes that are not UTF-8 are replaced.
    pub text: String,
}

impl SourceText {
    /// Line and column (both 1-based, columns in characters) of a byte offset.
    #[must_use]
    pub fn position(&self, offset: usize) -> (u32, u32) {
        let mut end = offset.min(self.text.len());
        while !self.text.is_char_boundary(end) {
            end -= 1;
        }
        let before = &self.text[..end];
        let line = memchr::memchr_iter(b'\n', before.as_bytes()).count() + 1;
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        let column = before[start..].chars().count() + 1;
        (u32::try_from(line).unwrap_or(u32::MAX), u32::try_from(column).unwrap_or(u32::MAX))
    }
}

/// One mistake in the law, or one remark about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LawError {
    /// Public name of the kind of mistake, for instance `unknown_key`; never reused.
    pub code: &'static str,
    /// [`Severity::Error`] stops a run; the others do not.
    pub severity: Severity,
    /// Pack id; empty when the mistake is not inside a pack.
    pub pack: Arc<str>,
    /// The file; `None` when no file could be read.
    pub text: Option<Arc<SourceText>>,
    /// Line, 1-based; 0 without a file.
    pub line: u32,
    /// Column in characters, 1-based; 0 without a file.
    pub column: u32,
    /// Bytes of the file the mistake is about.
    pub span: Range<usize>,
    /// What was found, a lowercase fragment.
    pub message: String,
    /// What was expected; may be empty.
    pub expected: String,
    /// What to do; may be empty.
    pub hint: String,
}

impl fmt::Display for LawError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(text) = &self.text {
            write!(f, "{}:{}:{}: ", text.name, self.line, self.column)?;
        }
        f.write_str(&self.message)?;
        if !self.expected.is_empty() {
            write!(f, "; expected {}", self.expected)?;
        }
        if !self.hint.is_empty() {
            write!(f, "; hint: {}", self.hint)?;
        }
        Ok(())
    }
}

impl std::error::Error for LawError {}

impl miette::Diagnostic for LawError {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.code))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warn => miette::Severity::Warning,
            Severity::Note => miette::Severity::Advice,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        (!self.hint.is_empty()).then(|| Box::new(&self.hint) as Box<dyn fmt::Display + 'a>)
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        self.text.as_ref().map(|text| &text.text as &dyn miette::SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = miette::LabeledSpan> + '_>> {
        self.text.as_ref()?;
        let label = (!self.expected.is_empty()).then(|| format!("expected {}", self.expected));
        let span = miette::LabeledSpan::new(label, self.span.start, self.span.len());
        Some(Box::new(std::iter::once(span)))
    }
}

/// Everything that is wrong, in the order of files and lines; never empty when returned as `Err`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LawErrors(pub Vec<LawError>);

impl fmt::Display for LawErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for LawErrors {}

impl miette::Diagnostic for LawErrors {
    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn miette::Diagnostic> + 'a>> {
        Some(Box::new(self.0.iter().map(|error| error as &dyn miette::Diagnostic)))
    }
}

/// A place in one of the files read: index into [`Sources`] and bytes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct At {
    pub(super) file: usize,
    pub(super) span: Range<usize>,
}

/// All files read, in order.
#[derive(Debug, Clone, Default)]
pub(super) struct Sources(pub(super) Vec<Arc<SourceText>>);

impl Sources {
    pub(super) fn add(&mut self, text: SourceText) -> usize {
        self.0.push(Arc::new(text));
        self.0.len() - 1
    }

    /// The exact bytes of a place; empty when the place is not in the file.
    pub(super) fn slice(&self, at: &At) -> &str {
        self.0.get(at.file).and_then(|s| s.text.get(at.span.clone())).unwrap_or("")
    }

    pub(super) fn line(&self, at: &At) -> u32 {
        self.0.get(at.file).map_or(0, |s| s.position(at.span.start).0)
    }
}

/// A mistake before its file is looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) code: &'static str,
    pub(super) severity: Severity,
    pub(super) at: Option<At>,
    pub(super) message: String,
    pub(super) expected: String,
    pub(super) hint: String,
}

/// Collects mistakes.
#[derive(Debug, Clone, Default)]
pub(super) struct Faults(pub(super) Vec<Fault>);

impl Faults {
    /// Records a mistake that stops a run.
    pub(super) fn error(
        &mut self,
        code: &'static str,
        at: &At,
        message: impl Into<String>,
        expected: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.0.push(Fault {
            code,
            severity: Severity::Error,
            at: Some(at.clone()),
            message: message.into(),
            expected: expected.into(),
            hint: hint.into(),
        });
    }

    /// Records a remark that stops nothing.
    pub(super) fn warn(
        &mut self,
        code: &'static str,
        at: &At,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.0.push(Fault {
            code,
            severity: Severity::Warn,
            at: Some(at.clone()),
            message: message.into(),
            expected: String::new(),
            hint: hint.into(),
        });
    }

    /// Records a mistake that has no place in a file.
    pub(super) fn world(&mut self, code: &'static str, message: String, hint: &str) {
        self.0.push(Fault {
            code,
            severity: Severity::Error,
            at: None,
            message,
            expected: String::new(),
            hint: hint.to_owned(),
        });
    }

    pub(super) fn any_error(&self) -> bool {
        self.0.iter().any(|fault| fault.severity == Severity::Error)
    }

    /// Looks up files and sorts by file, line and text; equal mistakes are told once.
    pub(super) fn resolve(self, sources: &Sources) -> Vec<LawError> {
        let mut faults = self.0;
        faults.sort_by(|a, b| {
            let key = |f: &Fault| f.at.as_ref().map(|at| (at.file, at.span.start, at.span.end));
            key(a).cmp(&key(b)).then_with(|| a.message.cmp(&b.message))
        });
        faults.dedup();
        faults.into_iter().map(|fault| fault.resolve(sources)).collect()
    }
}

impl Fault {
    fn resolve(self, sources: &Sources) -> LawError {
        let at = self.at.unwrap_or(At { file: usize::MAX, span: 0..0 });
        let text = sources.0.get(at.file).cloned();
        let (line, column) = text.as_ref().map_or((0, 0), |t| t.position(at.span.start));
        LawError {
            code: self.code,
            severity: self.severity,
            pack: text.as_ref().map_or_else(|| Arc::from(""), |t| Arc::clone(&t.pack)),
            text,
            line,
            column,
            span: at.span,
            message: self.message,
            expected: self.expected,
            hint: self.hint,
        }
    }
}

/// Up to three of `known` that look like `word`, nearest first: for "did you mean".
pub(super) fn near<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let word: Vec<char> = word.to_lowercase().chars().take(64).collect();
    let most = (word.len() / 3).max(1);
    let mut found: Vec<(usize, &str)> = known
        .into_iter()
        .filter_map(|candidate| {
            let other: Vec<char> = candidate.to_lowercase().chars().take(64).collect();
            let distance = edits(&word, &other);
            (distance <= most).then_some((distance, candidate))
        })
        .collect();
    found.sort_unstable();
    found.dedup();
    found.into_iter().take(3).map(|(_, candidate)| candidate.to_owned()).collect()
}

/// Levenshtein distance.
fn edits(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let next = (diagonal + usize::from(x != y)).min(row[j] + 1).min(row[j + 1] + 1);
            diagonal = row[j + 1];
            row[j + 1] = next;
        }
    }
    row[b.len()]
}

/// `did you mean a, b?`, or the fallback when nothing is near.
pub(super) fn near_hint(names: &[String], fallback: &str) -> String {
    if names.is_empty() {
        fallback.to_owned()
    } else {
        format!("did you mean {}?", names.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_characters_not_bytes() {
        let text = SourceText {
            name: String::new(),
            file: Arc::from(""),
            pack: Arc::from(""),
            text: "a\n第五条 = 1\n".to_owned(),
        };
        assert_eq!(text.position(0), (1, 1));
        // Line 2: three characters of three bytes each, then the space is column 4.
        assert_eq!(text.position(2 + 9), (2, 4));
        assert_eq!(text.position(999), (3, 1));
    }

    #[test]
    fn near_names_come_nearest_first() {
        assert_eq!(near("efective_from", ["effective_from", "known_from"]), ["effective_from"]);
        assert!(near("x", ["effective_from"]).is_empty());
    }
}
