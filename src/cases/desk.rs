//! The cases of a pack with its law read once: each is settled in memory and held against what it
//! expects.

use super::CasesError;
use super::hold::{self, CaseSaid, Held, Told, Unasked};
use super::shape::{self, Case, CaseFile};
use crate::domain::{Date, Month, Severity};
use crate::intake::Tables;
use crate::job::Job;
use crate::law::{self, LawBook, LawErrors, LawText, OverlayText};
use crate::publish::Pseudonyms;
use crate::settle::given::{self, Laws};
use crate::settle::{SettleError, Settled};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Names no child: the pseudonyms of cases leave nothing.
const KEY: &[u8] = b"cases of packs name no child";

/// The packs below, and words exchanged: what a law text is read for.
type TextKey = (Vec<String>, BTreeMap<String, String>);

/// A pack with its cases.
#[derive(Debug)]
pub struct Desk {
    pack: PathBuf,
    reference: PathBuf,
    files: Vec<CaseFile>,
    texts: BTreeMap<TextKey, Result<LawText, LawErrors>>,
    pub(super) names: Pseudonyms,
}

/// A case ready to be settled: its tables are typed.
pub(super) struct Ready<'a> {
    pub(super) case: &'a Case,
    /// Packs below.
    pub(super) with: &'a [String],
    /// Which of the law texts of the desk.
    pub(super) text_no: usize,
    pub(super) text: &'a LawText,
    pub(super) overlays: Vec<OverlayText>,
    /// Its periods in order, its own last.
    pub(super) periods: Vec<(Job, Tables)>,
    /// The months it settles, with the day of knowledge.
    pub(super) moments: Vec<(Month, Date)>,
}

impl Desk {
    /// Opens a pack and its own cases.
    ///
    /// # Errors
    /// When there are none, a file of them is not written as one, or the pack does not pass its
    /// checks.
    pub fn open(pack: &Path, reference: &Path) -> Result<Self, CasesError> {
        let files = shape::case_files(pack)?;
        if files.is_empty() {
            return Err(CasesError::NoCases { pack: pack.display().to_string() });
        }
        Self::of_files(pack, reference, &files)
    }

    /// Opens a pack with files of cases that lie elsewhere.
    ///
    /// # Errors
    /// As [`Desk::open`].
    pub fn of_files(pack: &Path, reference: &Path, files: &[PathBuf]) -> Result<Self, CasesError> {
        let files =
            files.iter().map(|file| shape::read_file(file)).collect::<Result<Vec<_>, _>>()?;
        let mut desk = Self {
            pack: pack.to_owned(),
            reference: reference.to_owned(),
            files,
            texts: BTreeMap::new(),
            names: Pseudonyms::new(KEY).map_err(|error| CasesError::Shape {
                file: String::new(),
                line: 0,
                message: error.to_string(),
            })?,
        };
        let all = desk.files.iter().flat_map(|file| {
            let key = |case: &Case| (file.with.clone(), case.wording.clone());
            file.cases.iter().map(key)
        });
        let as_written = desk.files.iter().map(|file| (file.with.clone(), BTreeMap::new()));
        let keys: BTreeSet<TextKey> = all.chain(as_written).collect();
        for key in keys {
            let packs = desk.packs(&key.0);
            let text = law::read_worded(&packs, &key.1, reference);
            let text = text.and_then(|text| checked(&text.under(&[])?).map(|()| text));
            // A pack with a value still open has no law as written: cases may fill it.
            let filled = desk.cases(None).any(|(_, case)| !case.wording.is_empty());
            if key.1.is_empty() && !filled {
                desk.texts.insert(key, Ok(text?));
            } else {
                desk.texts.insert(key, text);
            }
        }
        Ok(desk)
    }

    /// Files of cases in order.
    #[must_use]
    pub fn files(&self) -> &[CaseFile] {
        &self.files
    }

    /// Pack folders of a file's cases, in layer order: the packs below stand beside this one.
    #[must_use]
    pub fn packs(&self, with: &[String]) -> Vec<PathBuf> {
        let beside = |name: &String| self.pack.with_file_name(name);
        with.iter().map(beside).chain([self.pack.clone()]).collect()
    }

    /// All cases, or those of a name.
    pub(super) fn cases<'a>(
        &'a self,
        only: Option<&'a str>,
    ) -> impl Iterator<Item = (&'a CaseFile, &'a Case)> {
        let all =
            self.files.iter().flat_map(|file| file.cases.iter().map(move |case| (file, case)));
        all.filter(move |(_, case)| only.is_none_or(|name| name == case.name))
    }

    /// Names of the cases, in order.
    #[must_use]
    pub fn case_names(&self) -> Vec<&str> {
        self.cases(None).map(|(_, case)| case.name.as_str()).collect()
    }

    /// Runs the cases, or those of a name; in order of files and lines.
    #[must_use]
    pub fn run(&self, only: Option<&str>) -> Vec<CaseSaid> {
        let cases: Vec<(&CaseFile, &Case)> = self.cases(only).collect();
        cases.into_par_iter().map(|(file, case)| self.said(file, case)).collect()
    }

    fn said(&self, file: &CaseFile, case: &Case) -> CaseSaid {
        CaseSaid {
            file: file.name.clone(),
            line: case.line,
            name: case.name.clone(),
            from: case.from.clone(),
            expectations: case.expectations(),
            held: held(case, self.settle(file, case)),
        }
    }

    /// Settles a case: its periods in order, its own last.
    ///
    /// # Errors
    /// What stops it, in words.
    pub fn settle(&self, file: &CaseFile, case: &Case) -> Result<Vec<Settled>, String> {
        let ready = self.ready(file, case)?;
        let laws = ready.laws(&ready.book()?)?;
        ready.settle(laws, &self.names).map_err(|error| error.to_string())
    }

    /// Types the tables of a case, under its own law.
    pub(super) fn ready<'a>(
        &'a self,
        file: &'a CaseFile,
        case: &'a Case,
    ) -> Result<Ready<'a>, String> {
        let key = (file.with.clone(), case.wording.clone());
        let text_no = self.texts.keys().position(|of| *of == key).unwrap_or_default();
        let text = self.text(&key)?;
        let overlays = case.overlays(&file.name)?;
        let packs = self.packs(&file.with);
        let book = text.under(&overlays).map_err(|errors| errors.to_string())?;
        let before = case.before.iter().map(|of| (of.period, of.known_on, &of.tables));
        let own = (case.period, case.known_on, &case.tables);
        let (mut periods, mut moments) = (Vec::new(), Vec::new());
        for (period, known_on, texts) in before.chain([own]) {
            let names: Vec<&str> = texts.keys().map(String::as_str).collect();
            let job = Job::trial((period, known_on), &packs, &self.reference, &names);
            let (laws, tables) =
                given::read(&job, &book, texts).map_err(|error| error.to_string())?;
            moments.extend(laws.iter().map(|(month, _)| (*month, known_on)));
            periods.push((job, tables));
        }
        Ok(Ready { case, with: &file.with, text_no, text, overlays, periods, moments })
    }

    fn text(&self, key: &TextKey) -> Result<&LawText, String> {
        match self.texts.get(key) {
            Some(Ok(text)) => Ok(text),
            Some(Err(errors)) => Err(errors.to_string()),
            None => Err("the law of the case was not read".to_owned()),
        }
    }

    /// The law over some packs as it is written.
    pub(super) fn plain(&self, with: &[String]) -> Result<LawBook, String> {
        let text = self.text(&(with.to_vec(), BTreeMap::new()))?;
        text.under(&[]).map_err(|errors| errors.to_string())
    }
}

/// A law passes its checks.
fn checked(book: &LawBook) -> Result<(), LawErrors> {
    let mut errors = law::check(book);
    errors.retain(|error| error.severity == Severity::Error);
    if errors.is_empty() { Ok(()) } else { Err(LawErrors(errors)) }
}

impl Ready<'_> {
    pub(super) fn book(&self) -> Result<LawBook, String> {
        self.text.under(&self.overlays).map_err(|errors| errors.to_string())
    }

    pub(super) fn laws(&self, book: &LawBook) -> Result<Vec<Laws>, String> {
        let laws = |(job, _): &(Job, Tables)| crate::settle::pinned::laws(job, book);
        self.periods.iter().map(laws).collect::<Result<_, _>>().map_err(|error| error.to_string())
    }

    /// Settles the periods one after another.
    pub(super) fn settle(
        &self,
        laws: Vec<Laws>,
        names: &Pseudonyms,
    ) -> Result<Vec<Settled>, SettleError> {
        let mut settled = Vec::new();
        for ((job, tables), laws) in self.periods.iter().zip(laws) {
            let next = given::settle(job, laws, tables, &settled, names)?;
            settled.push(next);
        }
        Ok(settled)
    }
}

/// What becomes of a case that was settled, or could not be.
fn held(case: &Case, settled: Result<Vec<Settled>, String>) -> Held {
    match (settled, &case.error) {
        (Err(said), Some(error)) if said.contains(error.as_str()) => Held::Holds,
        (Err(said), Some(error)) => {
            Held::Broken(format!("{said}; expected a message with {error:?}"))
        }
        (Err(said), None) => Held::Broken(said),
        (Ok(_), Some(error)) => {
            Held::Broken(format!("it is settled; expected a message with {error:?}"))
        }
        (Ok(periods), None) => {
            let told = Told { periods: &periods, why: true };
            match hold::differences(case, &told) {
                Ok(found) if found.is_empty() => Held::Holds,
                Ok(found) => Held::Differs(found),
                Err(Unasked(line, said)) => Held::Broken(format!("line {line}: {said}")),
            }
        }
    }
}

impl Case {
    /// How many things it expects.
    #[must_use]
    pub fn expectations(&self) -> usize {
        let lists = [self.expect.len(), self.sum.len(), self.source.len(), self.finding.len()];
        let cells =
            self.fact.len() + self.value.len() + self.pay.len() + usize::from(self.error.is_some());
        lists.iter().sum::<usize>() + cells
    }

    /// Its lines over the law.
    fn overlays(&self, file: &str) -> Result<Vec<OverlayText>, String> {
        if self.law.is_empty() {
            return Ok(Vec::new());
        }
        let text = toml::to_string(&self.law).map_err(|error| format!("law: {error}"))?;
        Ok(vec![OverlayText { name: format!("{file}, law of {:?}", self.name), text }])
    }
}
