//! Where commands write: data to `out`, everything else to `err`. `main` hands both down, so that
//! a test can read them. Also how trouble is told: place, found, expected, hint.

use super::exit::Exit;
use crate::domain::texts::{Catalogue, Language};
use crate::domain::{Progress, Severity, Silent};
use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme};
use std::error::Error;
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
        if GraphicalReportHandler::new_themed(theme).render_report(&mut text, diagnostic).is_err() {
            return self.plain(&[diagnostic.to_string()], severity, texts);
        }
        self.err.write_all(text.as_bytes())
    }

    /// `error: place: found; expected`, its causes, and the hint on a line of its own.
    fn plain(&mut self, lines: &[String], severity: Severity, texts: &Catalogue) -> io::Result<()> {
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
