//! Publish: the results of a settlement in, the files of a run folder out (FORMATS 2 and 3).
//!
//! In: [`Publication`]. Out: [`Outputs`] in a [`Draft`]. Order: last before the ledger commits and
//! the draft is renamed. Never: computes an amount, shows a child's number, lets a clock, host,
//! thread count or hash order reach a byte.

mod bank;
mod control;
mod corrections_read;
mod delimited;
mod document;
mod entitlement_lines;
mod findings_file;
mod folder;
mod form;
mod indicators;
mod institution_files;
mod labels;
mod law_page;
mod line_files;
mod manifest;
mod merkle;
mod money_files;
pub mod page;
pub mod parquet;
mod pay_file;
mod price_files;
mod profile;
mod profile_check;
mod proof;
mod pseudonym;
pub mod recon;
mod register;
mod release;
mod release_book;
mod report;
pub mod sheet;
mod summary;
mod tally;
pub mod tuning;
mod widths;
mod workbook;
mod workbook_footer;

use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};
use std::sync::OnceLock;

use rayon::prelude::*;

pub use bank::{BankError, BankFile, Outgoing, Place, Wide, bank_files};
pub use control::{Control, ControlMismatch, Mismatch, TableUse, YearToDate};
pub use corrections_read::{CorrectedLine, lay_over, read_corrections};
pub use delimited::write as write_csv;
pub use document::write_document;
pub use entitlement_lines::{PseudonymsAhead, persons, persons_of};
pub use folder::{
    Contents, Damage, DamageKind, Draft, FolderError, HashedFile, MANIFEST, RELEASE, recover,
    recover_sealed_by, verify, verify_sealed_by,
};
pub use form::Form;
pub use institution_files::{Previous, Standing};
pub use law_page::law_page;
pub use line_files::{CORRECTIONS, EXAMINED, LINES, LineFileError, corrections_text, read_lines};
pub use manifest::{InputFile, MANIFEST_FORMAT, Manifest, OutputFile};
pub use pay_file::{PAY_FILE, PayBudgetLine, PayFile, PayOf};
pub use price_files::{PriceColumns, price_columns};
pub use profile::{FINANCE_FIELDS, Profile, ProfileError, Profiles, SUPERVISION_FIELDS};
pub use profile_check::{ProfileFace, ProfileKind, examine_profile};
pub use proof::{Proof, ProofError, ProvedLine, Wanted, prove};
pub use pseudonym::{KeyError, Pseudonym, Pseudonyms};
pub use register::{Institution, Register};
pub use release::{HeadAfter, Paid, Release, Signed};
pub use report::NoticeInForce;
pub use sheet::{Rounded, Sheet, SheetColumn, Values};
pub use summary::Face;
pub use tally::{Heads, ItemFace, Tallies, Tally};

use crate::allocation::Allocation;
use crate::domain::texts::Catalogue;
use crate::domain::{Basis, Finding, Frames, Month};
use crate::intake::Tables;
use crate::job::Job;
use crate::law::PackHead;
use crate::retro::{Correction, Examined, LineBook};
use crate::schedule::Schedule;
use crate::subsidy::Entitlements;
use merkle::Hash;
use proof::OUTSIDE;
use release_book::SCHEDULE_BOOK;
use report::Report;
use workbook::Imprint;

/// The results of one service month.
#[derive(Debug)]
pub struct MonthResult<'a> {
    /// The month.
    pub month: Month,
    /// Facts and computed values.
    pub frames: &'a Frames,
    /// Entitlement lines with their allocation.
    pub entitlements: &'a Entitlements,
    /// Funding, cuts.
    pub allocation: &'a Allocation,
    /// Guide prices of the month ([`price_columns`]).
    pub prices: Vec<PriceColumns>,
}

/// Everything the files of a settlement are made of.
pub struct Publication<'a> {
    /// The job.
    pub job: &'a Job,
    /// Settings of the packs in layer order.
    pub packs: Vec<&'a PackHead>,
    /// Content hash of the run (S29).
    pub run_id: &'a str,
    /// Version of the calculation.
    pub calc_version: &'a str,
    /// SHA-256 of the law snapshots, lower-case hex.
    pub law_sha256: &'a str,
    /// SHA-256 of the calendar, lower-case hex.
    pub calendar_sha256: &'a str,
    /// Service months in order.
    pub months: Vec<MonthResult<'a>>,
    /// Schedule of the period.
    pub schedule: &'a Schedule,
    /// Input tables.
    pub tables: &'a Tables,
    /// What became of the rows of each input table.
    pub usage: &'a [TableUse],
    /// All findings, of intake and of every later room.
    pub findings: &'a [Finding],
    /// Texts in the language of the job.
    pub texts: &'a Catalogue,
    /// What packs call their reasons and the rules that cut, by code and id.
    pub words: &'a BTreeMap<String, String>,
    /// Notices whose rules are in force in some month.
    pub notices: Vec<NoticeInForce>,
    /// The period before, where the ledger holds one.
    pub previous: Option<&'a Previous>,
    /// Posted earlier in the fiscal year.
    pub year_to_date: &'a YearToDate,
    /// Pseudonyms under the bureau's key.
    pub pseudonyms: &'a Pseudonyms,
    /// Column maps.
    pub profiles: &'a Profiles,
    /// Corrections of closed months.
    pub corrections: &'a [Correction],
    /// What closed months were compared with.
    pub examined: &'a [Examined],
}

impl Publication<'_> {
    /// Whether an invented pack 示例 took part: said on everything for people.
    #[must_use]
    pub fn is_sample(&self) -> bool {
        self.packs.iter().any(|pack| pack.sample)
    }

    /// The manifest of this run, its outputs still empty ([`Draft::seal`] fills them), as is the
    /// root of the schedule ([`Outputs::schedule_root`]).
    #[must_use]
    pub fn manifest(&self) -> Manifest {
        Manifest {
            format: MANIFEST_FORMAT,
            run_id: self.run_id.to_owned(),
            job: self.job.id.clone(),
            period: self.job.period.to_string(),
            months: self.months.iter().map(|month| month.month.to_string()).collect(),
            calc_version: self.calc_version.to_owned(),
            known_on: self.job.known_on.to_string(),
            packs: self.packs.iter().map(|pack| pack.id.to_string()).collect(),
            language: Manifest::tag_of(self.job.language),
            inputs: Manifest::inputs_of(self.tables),
            law_sha256: self.law_sha256.to_owned(),
            calendar_sha256: self.calendar_sha256.to_owned(),
            key_fingerprint: self.pseudonyms.fingerprint().to_owned(),
            schedule_root: String::new(),
            outputs: Vec::new(),
        }
    }
}

/// Why a run cannot be published.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// A control total does not tie: our bug, exit 70.
    #[error(transparent)]
    Control(#[from] ControlMismatch),
    /// The run folder cannot be written.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// A file cannot be written.
    #[error("{file}: cannot write: {cause}")]
    Write {
        /// File name inside the run folder.
        file: String,
        /// Why.
        cause: io::Error,
    },
    /// A file for bank or treasury cannot be made.
    #[error(transparent)]
    Bank(#[from] BankError),
    /// A sum does not fit 64 bits.
    #[error("a sum of amounts is beyond 9 x 10^16 yuan; expected inputs below 10^12 fen each")]
    Overflow,
}

impl PublishError {
    fn write(file: &str) -> impl FnOnce(io::Error) -> Self {
        let file = file.to_owned();
        move |cause| Self::Write { file, cause }
    }
}

/// What was published.
#[derive(Debug, Clone)]
pub struct Outputs {
    /// Totals, all identities checked.
    pub control: Control,
    /// Refused lines by reason.
    pub refused_by_reason: BTreeMap<String, u64>,
    /// Where every institution stands: the next period's [`Previous`].
    pub standing: BTreeMap<String, Standing>,
    /// Merkle root over the schedule lines, for the manifest.
    pub schedule_root: String,
}

/// The money column of a file, whose sum stands in the manifest.
const MONEY_COLUMNS: [(&str, &str); 7] = [
    ("schedule", "payable_fen"),
    ("payments", "amount_fen"),
    ("funding", "amount_fen"),
    ("notice", "amount_fen"),
    ("support", "cash_fen"),
    ("corrections", "net_fen"),
    ("form", form::TOTAL),
];

/// Totals made once and checked, before any file is written.
pub struct Prepared {
    register: Register,
    tallies: Tallies,
    control: Control,
    standing: BTreeMap<String, Standing>,
}

impl Prepared {
    /// Where every institution stands: the next period's [`Previous`].
    #[must_use]
    pub const fn standing(&self) -> &BTreeMap<String, Standing> {
        &self.standing
    }
}

/// Sums what the files tell and checks every control total.
///
/// # Errors
/// When a control total does not tie or a sum overflows.
pub fn prepare(run: &Publication<'_>) -> Result<Prepared, PublishError> {
    let register = Register::of(&run.months);
    let tallies = Tallies::of(&run.months, &register, run.texts)?;
    let (control, standing) = rayon::join(
        || control::control(run, &register, &tallies),
        || institution_files::standing(run, &register, &tallies),
    );
    let (control, standing) = (control?, standing?);
    Ok(Prepared { register, tallies, control, standing })
}

/// Checks the control totals, then writes every file of FORMATS 2 into the draft. The caller seals
/// the draft with [`Publication::manifest`].
///
/// # Errors
/// When a control total does not tie or a file cannot be written.
pub fn write(run: &Publication<'_>, draft: &mut Draft) -> Result<Outputs, PublishError> {
    let prepared = prepare(run)?;
    write_prepared(run, prepared, Vec::new(), draft)
}

/// [`write()`] for totals already made; `ahead` are the pseudonyms of the months, in order, where they
/// were begun earlier.
///
/// # Errors
/// When a file cannot be written.
pub fn write_prepared(
    run: &Publication<'_>,
    prepared: Prepared,
    ahead: Vec<PseudonymsAhead>,
    draft: &mut Draft,
) -> Result<Outputs, PublishError> {
    let Prepared { register, tallies, control, standing } = prepared;
    let (lines, rest) = rayon::join(
        || write_entitlements(run, ahead, draft),
        || {
            let root = OnceLock::new();
            let made = write_sheets(run, &register, &tallies, &control, &standing, draft, &root)?;
            let (sheets, mut files): (Vec<_>, Vec<_>) = made.into_iter().unzip();
            let sheets: Vec<Sheet> = sheets.into_iter().flatten().collect();
            if run.job.workbooks {
                files.extend(write_workbooks(run, &sheets, &tallies, draft)?);
            }
            let text = summary::text(run, &tallies, &control)?;
            files.push(write_bytes(summary::SUMMARY, text.as_bytes(), draft)?);
            let report = Report {
                run,
                register: &register,
                tallies: &tallies,
                control: &control,
                sheets: &sheets,
            };
            files.push(write_bytes(report::REPORT, report.text()?.as_bytes(), draft)?);
            if let Some(pay) = PayFile::of(run)? {
                files.push(write_bytes(PAY_FILE, pay.text().as_bytes(), draft)?);
            }
            if run.job.retro {
                files.push(write_sheet(&line_files::corrections(run.corrections), draft)?);
                let text = Examined::text(run.examined);
                files.push(write_bytes(EXAMINED, text.as_bytes(), draft)?);
            }
            Ok::<_, PublishError>((files, root.into_inner().unwrap_or_default()))
        },
    );
    let (rest, schedule_root) = rest?;
    for (file, contents) in lines?.into_iter().chain(rest) {
        draft.close(file, contents);
    }
    let refused_by_reason = tallies.refused_by_reason;
    Ok(Outputs { control, refused_by_reason, standing, schedule_root })
}

type Closed = (HashedFile, Contents);

fn write_entitlements(
    run: &Publication<'_>,
    ahead: Vec<PseudonymsAhead>,
    draft: &Draft,
) -> Result<Vec<Closed>, PublishError> {
    let (parquet, csv) = ("entitlements.parquet", "entitlements.csv");
    let mut file = draft.open(parquet)?;
    let mut text = run.job.entitlements_csv.then(|| draft.open(csv)).transpose()?;
    let pseudonyms = entitlement_lines::pseudonyms(run, ahead);
    let lines = run.job.retro.then(|| write_lines(run, &pseudonyms, draft)).transpose()?;
    let written = entitlement_lines::write(
        run,
        pseudonyms,
        BufWriter::with_capacity(1 << 20, &mut file),
        text.as_mut().map(|text| BufWriter::with_capacity(1 << 20, text)),
    )
    .map_err(PublishError::write(parquet))?;
    let contents = Contents { rows: Some(written.rows), fen: Some(written.amount_fen) };
    file.start_sync();
    let written = std::iter::once(file).chain(text).map(|file| (file, contents));
    Ok(written.chain(lines).collect())
}

/// Writes the lines that carry money, by identity: what later periods compare with.
fn write_lines(
    run: &Publication<'_>,
    pseudonyms: &entitlement_lines::Pseudonymous,
    draft: &Draft,
) -> Result<Closed, PublishError> {
    let files: Vec<_> = run.tables.files.iter().map(|file| file.name.clone()).collect();
    let books: Vec<(Month, LineBook)> = run
        .months
        .iter()
        .enumerate()
        .map(|(number, month)| {
            let persons =
                |basis: &Basis| pseudonyms.get(&(number, basis.clone())).map(Vec::as_slice);
            (month.month, LineBook::of(month.frames, month.entitlements, &persons, &files))
        })
        .collect();
    let mut file = draft.open(LINES)?;
    let sink = BufWriter::with_capacity(1 << 20, &mut file);
    let (rows, fen) = line_files::write_lines(&books, sink).map_err(PublishError::write(LINES))?;
    file.start_sync();
    Ok((file, Contents { rows: Some(rows), fen: Some(fen) }))
}

/// Makes and writes the small files and the root of the schedule; a sheet is kept only where a
/// workbook or the report shows it again.
fn write_sheets(
    run: &Publication<'_>,
    register: &Register,
    tallies: &Tallies,
    control: &Control,
    standing: &BTreeMap<String, Standing>,
    draft: &Draft,
    root: &OnceLock<String>,
) -> Result<Vec<(Option<Sheet>, Closed)>, PublishError> {
    type Make<'m> = Box<dyn Fn() -> Result<(Sheet, Closed), PublishError> + Sync + Send + 'm>;
    let put = |sheet: Sheet| {
        let file = write_sheet(&sheet, draft)?;
        Ok((sheet, file))
    };
    let mut makers: Vec<Make<'_>> = vec![
        Box::new(|| {
            let sheet = money_files::schedule(run);
            let (file, rows) = write_hashed(&sheet, draft)?;
            root.get_or_init(|| money_files::root(run, &sheet, &rows));
            Ok((sheet, file))
        }),
        Box::new(|| put(money_files::payments(run.schedule))),
        Box::new(|| put(findings_file::findings(run))),
        Box::new(|| put(control::sheet(run, register, tallies, control)?)),
        Box::new(|| put(institution_files::changes(run, register, standing))),
        Box::new(|| put(price_files::fees(run, register))),
        Box::new(|| put(money_files::funding(run, register, tallies)?)),
        Box::new(|| put(money_files::finance_detail(run, register)?)),
        Box::new(|| put(institution_files::support(run, register, tallies)?)),
        Box::new(|| put(indicators::indicators(run, register, tallies))),
        Box::new(|| put(institution_files::supervision(run, register, tallies)?)),
        Box::new(|| put(institution_files::notice(run, register, tallies)?)),
    ];
    if let Some(form) = &run.profiles.form {
        makers.push(Box::new(|| put(form.sheet(run, tallies))));
    }
    let write = |make: &Make<'_>| {
        let (sheet, file) = make()?;
        let in_report = matches!(&*sheet.name, "changes" | "fees");
        let in_book = matches!(&*sheet.name, "schedule" | "payments" | "notice" | "form");
        Ok(((in_report || run.job.workbooks && in_book).then_some(sheet), file))
    };
    makers.par_iter().with_max_len(1).map(write).collect()
}

fn write_sheet(sheet: &Sheet, draft: &Draft) -> Result<Closed, PublishError> {
    let name = format!("{}.csv", sheet.name);
    let mut file = draft.open(&name)?;
    delimited::write(sheet, &mut file).map_err(PublishError::write(&name))?;
    file.start_sync();
    Ok((file, contents(sheet)))
}

/// [`write_sheet`] of the sheet whose rows carry their hashes; gives those.
fn write_hashed(sheet: &Sheet, draft: &Draft) -> Result<(Closed, Vec<Hash>), PublishError> {
    let name = format!("{}.csv", sheet.name);
    let mut file = draft.open(&name)?;
    let hashes = delimited::write_hashed(sheet, &OUTSIDE, "row_hash", &mut file);
    let hashes = hashes.map_err(PublishError::write(&name))?;
    file.start_sync();
    Ok(((file, contents(sheet)), hashes))
}

fn contents(sheet: &Sheet) -> Contents {
    let money = MONEY_COLUMNS.iter().find(|(file, _)| *file == sheet.name);
    let fen = money.and_then(|(_, column)| sheet.sum(column));
    Contents { rows: u64::try_from(sheet.rows).ok(), fen }
}

fn write_bytes(name: &str, bytes: &[u8], draft: &Draft) -> Result<Closed, PublishError> {
    let mut file = draft.open(name)?;
    file.write_all(bytes).map_err(PublishError::write(name))?;
    Ok((file, Contents::default()))
}

fn write_workbooks(
    run: &Publication<'_>,
    sheets: &[Sheet],
    tallies: &Tallies,
    draft: &Draft,
) -> Result<Vec<Closed>, PublishError> {
    let empty = Sheet::default();
    let sheet = |name: &str| sheets.iter().find(|s| s.name == name).unwrap_or(&empty);
    let failed = |name: &'static str| {
        move |error: rust_xlsxwriter::XlsxError| PublishError::write(name)(io::Error::other(error))
    };
    let (lines, payments) = (sheet("schedule"), sheet("payments"));
    let imprint = Imprint::of(run);
    let schedule = workbook::schedule(&imprint, lines, payments, &tallies.labels());
    let notice = workbook::notice(&imprint, sheet("notice"));
    let mut files = vec![
        (SCHEDULE_BOOK, schedule.map_err(failed(SCHEDULE_BOOK))?, lines, "payable_fen"),
        ("notice.xlsx", notice.map_err(failed("notice.xlsx"))?, sheet("notice"), "amount_fen"),
    ];
    if let Some(form) = &run.profiles.form {
        let bytes = workbook::form(&imprint, form, sheet("form")).map_err(failed("form.xlsx"))?;
        files.push(("form.xlsx", bytes, sheet("form"), form::TOTAL));
    }
    let write = |(name, bytes, sheet, money): (&str, Vec<u8>, &Sheet, &str)| {
        let (file, _) = write_bytes(name, &bytes, draft)?;
        let contents = Contents { rows: u64::try_from(sheet.rows).ok(), fen: sheet.sum(money) };
        Ok((file, contents))
    };
    files.into_iter().map(write).collect()
}
