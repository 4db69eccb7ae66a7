//! Where commands write: data to `out`, everything else to `err`. `main` hands both down, so that
//! a test can read them. Also how trouble is told: place, found, expected, hint.

use super::exit::Exit;
use crate::domain::texts::{Catalogue, Language};
use crate::domain::{Progress, Severity, Silent};
use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme};
use std::error::Error;
use std::fmt;
use std::io::{self, Write};

/// What surrounds one call of the program.
pub struct Console<'a> {
    /// Data.
    pub out: &'a mut dyn Write,
    /// Everything else.
    pub err: &'a mut dyn Write,
    /// Whether `err` is a terminal a person watches: snippets, frames, progress bars.
    pub terminal: bool,
    /// Whether colour is wanted there.
    pub colour: bool,
    /// The moment of the call, `2026-10-08T09:30:00Z`, read by `main`; kept in the ledger alone.
    pub at: String,
    /// The user of the system, or `unknown`: who makes a run unless the command says so.
    pub user: String,
    /// Draws 32 bytes nobody can guess, for a new key.
    pub draw: fn() -> Option<[u8; 32]>,
}

/// Why a command did not do its work.
pub struct Trouble {
    /// What the program comes to.
    pub exit: Exit,
    /// What is wrong, in order.
    pub complaints: Vec<Complaint>,
}

/// One thing that is wrong.
pub enum Complaint {
    /// Something that points into a file.
    Pointed(Box<dyn Diagnostic + Send + Sync>),
    /// `place: found; expected; hint: …` with the causes behind it, each on its own line.
    Plain(Vec<String>),
}

impl Trouble {
    /// An error of the world or of ours, with its causes.
    #[must_use]
    pub fn of(exit: Exit, error: &dyn Error) -> Self {
        let mut lines = vec![error.to_string()];
        let mut cause = error.source();
        while let Some(next) = cause {
            // Some errors repeat their cause in their own text.
            let text = next.to_string();
            if !lines.iter().any(|line| line.contains(&text)) {
                lines.push(text);
            }
            cause = next.source();
        }
        Self { exit, complaints: vec![Complaint::Plain(lines)] }
    }

    /// A message of the command itself.
    #[must_use]
    pub fn told(exit: Exit, message: String) -> Self {
        Self { exit, complaints: vec![Complaint::Plain(vec![message])] }
    }

    /// Mistakes that point into files.
    #[must_use]
    pub fn pointed<D: Diagnostic + Send + Sync + 'static>(exit: Exit, errors: Vec<D>) -> Self {
        let complaints =
            errors.into_iter().map(|error| Complaint::Pointed(Box::new(error))).collect();
        Self { exit, complaints }
    }
}

/// What a command gives back: its exit code, or why it failed to write its own output.
pub type Outcome = io::Result<Exit>;

impl Console<'_> {
    /// Tells what is wrong.
    ///
    /// # Errors
    /// When `err` cannot be written.
    pub fn tell(&mut self, trouble: &Trouble, texts: &Catalogue) -> Outcome {
        for complaint in &trouble.complaints {
            match complaint {
                Complaint::Pointed(diagnostic) => {
                    self.point(diagnostic.as_ref(), Severity::Error, texts)?;
                }
                Complaint::Plain(lines) => self.plain(lines, Severity::Error, texts)?,
            }
        }
        Ok(trouble.exit)
    }

    /// Tells what stopped a run, and that nothing was written.
    ///
    /// # Errors
    /// When `err` cannot be written.
    pub fn tell_stopped(&mut self, trouble: &Trouble, texts: &Catalogue) -> Outcome {
        let exit = self.tell(trouble, texts)?;
        let key = if exit == Exit::Law { "cli.law_incomplete" } else { "cli.nothing_written" };
        writeln!(self.err, "{}", texts.label(key))?;
        Ok(exit)
    }

    /// A mistake in a file: the lines themselves on a terminal, one line of text elsewhere.
    ///
    /// # Errors
    /// When `err` cannot be written.
    pub fn point(
        &mut self,
        diagnostic: &dyn Diagnostic,
        severity: Severity,
        texts: &Catalogue,
    ) -> io::Result<()> {
        if !self.terminal {
            return self.plain(&[diagnostic.to_string()], severity, texts);
        }
        let theme =
            if self.colour { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
        let mut text = String::new();
        if GraphicalReportHandler::new_themed(theme)
            .render_report(&mut text, &Headed(diagnostic))
            .is_err()
        {
            return self.plain(&[diagnostic.to_string()], severity, texts);
        }
        self.err.write_all(text.as_bytes())
    }

    /// `error: place: found; expected`, its causes, and the hint on a line of its own.
    pub(super) fn plain(
        &mut self,
        lines: &[String],
        severity: Severity,
        texts: &Catalogue,
    ) -> io::Result<()> {
        let mut hint = None;
        for (index, line) in lines.iter().enumerate() {
            let (text, advice) =
                line.split_once("; hint: ").map_or((&**line, None), |(text, h)| (text, Some(h)));
            hint = hint.or(advice);
            if index == 0 {
                let word = texts.label(super::check::severity_key(severity));
                writeln!(self.err, "{word}{}{text}", texts.label("word.colon"))?;
            } else {
                writeln!(self.err, "  {text}")?;
            }
        }
        if let Some(hint) = hint {
            writeln!(self.err, "{}{hint}", texts.label("word.hint"))?;
        }
        Ok(())
    }

    /// Progress bars on a terminal, silence elsewhere.
    #[must_use]
    pub fn progress(&self, language: Language) -> Box<dyn Progress> {
        if self.terminal {
            Box::new(super::progress::Bars::new(Catalogue::new(language)))
        } else {
            Box::new(Silent)
        }
    }
}

/// A mistake whose heading leaves its hint to the line for help below the picture.
#[derive(Debug)]
struct Headed<'a>(&'a dyn Diagnostic);

impl fmt::Display for Headed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.to_string();
        f.write_str(text.split_once("; hint: ").map_or(&*text, |(heading, _)| heading))
    }
}

impl Error for Headed<'_> {}

impl Diagnostic for Headed<'_> {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.0.code()
    }

    fn severity(&self) -> Option<miette::Severity> {
        self.0.severity()
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.0.help()
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        self.0.source_code()
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = miette::LabeledSpan> + '_>> {
        self.0.labels()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Severity;

    fn pointed(terminal: bool) -> String {
        let text = crate::law::SourceText {
            name: "pack.toml".to_owned(),
            file: "pack.toml".into(),
            pack: "p".into(),
            text: "a = 1\nx = 2\n".to_owned(),
        };
        let mistake = crate::law::LawError {
            code: "unknown_key",
            severity: Severity::Error,
            pack: "p".into(),
            text: Some(text.into()),
            line: 2,
            column: 1,
            span: 6..7,
            message: "unknown key `x`".to_owned(),
            expected: "y".to_owned(),
            hint: "write y".to_owned(),
        };
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut console = Console {
            out: &mut out,
            err: &mut err,
            terminal,
            colour: false,
            at: String::new(),
            user: String::new(),
            draw: || None,
        };
        let texts = Catalogue::new(Language::English);
        console.point(&mistake, Severity::Error, &texts).unwrap();
        String::from_utf8(err).unwrap()
    }

    #[test]
    fn a_script_gets_lines_and_a_person_the_place() {
        assert_eq!(
            pointed(false),
            "error: pack.toml:2:1: unknown key `x`; expected y\nhint: write y\n"
        );
        let picture = pointed(true);
        assert!(picture.contains("unknown key `x`; expected y\n"), "{picture}");
        assert!(picture.contains(" 2 │ x = 2"), "{picture}");
        assert_eq!(picture.matches("write y").count(), 1, "{picture}");
        assert!(!picture.contains('\u{1b}'), "no colour was asked for");
    }

    #[test]
    fn causes_follow_and_are_not_repeated() {
        #[derive(Debug, thiserror::Error)]
        #[error("{0}")]
        struct Said(&'static str, #[source] Option<std::io::Error>);
        let cause = || Some(std::io::Error::other("disk full"));
        let lines = |error: &Said| match Trouble::of(Exit::World, error).complaints.remove(0) {
            Complaint::Plain(lines) => lines,
            Complaint::Pointed(_) => Vec::new(),
        };
        assert_eq!(lines(&Said("a.csv: cannot write", cause())).len(), 2);
        assert_eq!(lines(&Said("a.csv: cannot write: disk full", cause())).len(), 1);
    }
}
