//! Acts of persons on a settled run: look at what stands, then approve, release, close, reopen.
//!
//! Order of a release (S31): the event is written, the release folder beside its place and synced,
//! the ledger commits and so decides, the folder is renamed. What a crash left is finished or
//! removed by the next release.

use super::{SettleError, indicators, reconcile};
use crate::archive::{Archive, ArchiveError};
use crate::domain::hex;
use crate::ledger::{Act, ActKind, Acted, Course, Deed, Ledger, Money, Verified};
use crate::publish::{
    self, Face, HeadAfter, MANIFEST, Manifest, Paid, PayFile, PublishError, RELEASE, Release,
    Signed,
};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

/// What came of an act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActReport {
    /// The run after it.
    pub course: Course,
    /// Number of the event, of the release where it was released before.
    pub seq: i64,
    /// The head of the ledger right after that event.
    pub head: String,
    /// The release folder, after a release.
    pub folder: Option<PathBuf>,
    /// Whether the run had been released before, so that no event was added.
    pub again: bool,
}

/// Opens a ledger that is there: an act makes none.
///
/// # Errors
/// When there is no such file, or it cannot be opened.
pub fn open(path: &Path) -> Result<Ledger, SettleError> {
    if !path.is_file() {
        return Err(SettleError::NoLedger { path: path.to_owned() });
    }
    Ok(Ledger::open(path)?)
}

/// Checks that a run folder is whole and is the run of that course, and gives its face.
///
/// # Errors
/// [`SettleError::Damaged`] for a folder that differs from its manifest, [`SettleError::OtherRun`]
/// for one that is not what the ledger holds.
pub fn look(folder: &Path, course: &Course) -> Result<Face, SettleError> {
    let manifest = Manifest::read(folder).map_err(PublishError::from)?;
    if manifest.run_id != course.run_id {
        return Err(SettleError::OtherRun {
            folder: folder.to_owned(),
            found: format!("run {}", manifest.run_id),
            expected: format!("run {}", course.run_id),
        });
    }
    let damages = publish::verify(folder).map_err(PublishError::from)?;
    if let Some(damage) = damages.first() {
        return Err(SettleError::Damaged {
            folder: folder.to_owned(),
            file: damage.file.clone(),
            count: damages.len(),
        });
    }
    let found = manifest_hash(folder)?;
    if found != course.manifest_hash {
        return Err(SettleError::OtherRun {
            folder: folder.to_owned(),
            found: format!("manifest {found}"),
            expected: format!("manifest {}", course.manifest_hash),
        });
    }
    Ok(Face::read(folder).map_err(PublishError::from)?)
}

fn manifest_hash(folder: &Path) -> Result<String, SettleError> {
    let path = folder.join(MANIFEST);
    let bytes = std::fs::read(&path).map_err(|cause| {
        PublishError::from(publish::FolderError::Io { path, action: "open", cause })
    })?;
    Ok(hex(&Sha256::digest(bytes)))
}

/// Does something with a run that needs no file: approve, close, reopen.
///
/// # Errors
/// When the act may not be done, the ledger is busy or broken, or a correction batch pays again what has
/// not failed.
pub fn act(ledger: &mut Ledger, run_id: &str, act: &Act<'_>) -> Result<ActReport, SettleError> {
    if act.kind == ActKind::Approve {
        reconcile::claims_hold(ledger, run_id)?;
    }
    let Acted { course, seq, head } = ledger.act(run_id, act)?;
    Ok(ActReport { course, seq, head, folder: None, again: false })
}

/// Releases a run: the event and the release folder beside the run folder. A run that is released
/// already gets its release folder again if that is missing or damaged, and no event.
///
/// # Errors
/// When the run folder is not the run's, the act may not be done, a file cannot be written, or the
/// ledger is busy or broken. Nothing stands then.
pub fn release(
    ledger: &mut Ledger,
    run_id: &str,
    folder: &Path,
    act: &Act<'_>,
) -> Result<ActReport, SettleError> {
    let checked = may_go_out(ledger, run_id, folder)?;
    // Under the write lock from here on: nobody else writes or clears the same folder.
    let mut pending = ledger.begin()?;
    if checked.is_some_and(|head| head != pending.head()) {
        // The books have moved on meanwhile: what failed may have been paid, an indicator drawn from.
        drop(pending);
        return release(ledger, run_id, folder, act);
    }
    let course = pending.course(run_id)?;
    look(folder, &course)?;
    let manifest = Manifest::read(folder).map_err(PublishError::from)?;
    let place = Release::place(folder);
    publish::recover_sealed_by(&place, RELEASE, &|id| {
        id == course.run_id && course.release.is_some()
    })
    .map_err(PublishError::from)?;
    let money = pending.money(run_id)?;
    if let Some(done) = &course.release {
        let wanted = released(&course, done, &money, &manifest);
        if !wanted.stands(&place) {
            let draft = wanted.write(folder, &place)?;
            draft.commit().map_err(PublishError::from)?;
        }
        let (seq, head) = (done.seq, done.hash.clone());
        return Ok(ActReport { course, seq, head, folder: Some(place), again: true });
    }
    // What another run has paid is not cleared away.
    if let Some(found) = Release::run_of(&place).filter(|found| *found != course.run_id) {
        return Err(SettleError::OtherRun { folder: place, found, expected: course.run_id });
    }
    let Acted { course, seq, head } =
        pending.act(run_id, &Act { kind: ActKind::Release, ..*act })?;
    let Some(done) = &course.release else { unreachable!("an act of release releases") };
    let draft = released(&course, done, &money, &manifest).write(folder, &place)?;
    pending.commit()?;
    // The lock again, so that nobody who sees the release mends its folder while it is moved in.
    let lock = ledger.begin();
    draft.commit().map_err(PublishError::from)?;
    drop(lock);
    Ok(ActReport { course, seq, head, folder: Some(place), again: false })
}

/// Whether a run may go out: what it draws from indicators is there, and a correction batch pays again
/// only what failed. Gives the head of the ledger that follows from; `None` for a run that is out.
fn may_go_out(ledger: &Ledger, run_id: &str, folder: &Path) -> Result<Option<String>, SettleError> {
    let _view = ledger.view()?;
    if ledger.run(run_id)?.state.is_released() {
        return Ok(None);
    }
    reconcile::claims_hold(ledger, run_id)?;
    if let Some(pay) = PayFile::read(folder).map_err(PublishError::from)? {
        indicators::check(ledger, run_id, &pay)?;
    }
    Ok(Some(ledger.head()?))
}

/// What `release.json` says.
fn released(course: &Course, done: &Deed, money: &Money, manifest: &Manifest) -> Release {
    let signed = |deed: &Deed| Signed {
        by: deed.by.clone(),
        at: deed.at.clone(),
        reason: deed.reason.clone(),
        key: deed.key.clone(),
        signature: deed.signature.clone(),
    };
    Release {
        format: Release::FORMAT,
        run_id: course.run_id.clone(),
        job: course.job_id.clone(),
        period: course.period.to_string(),
        manifest_sha256: course.manifest_hash.clone(),
        schedule_root: manifest.schedule_root.clone(),
        payments: Paid {
            count: money.payments,
            amount_fen: money.amount_fen,
            held: money.held,
            held_fen: money.held_fen,
            by_source: money.by_source.clone(),
        },
        made: signed(&course.made),
        approvals: course.approvals.iter().map(signed).collect(),
        released: signed(done),
        ledger: HeadAfter { event: done.seq, head: done.hash.clone() },
        outputs: Vec::new(),
    }
}

/// Proves the ledger, that a head kept elsewhere is one of its events, and that run folders (with
/// their release folders) are what it holds.
///
/// # Errors
/// [`crate::ledger::LedgerError::Broken`] names the first event that does not hold; else the first
/// folder that differs.
pub fn verify(
    path: &Path,
    head: Option<&str>,
    folders: &[PathBuf],
) -> Result<Verified, SettleError> {
    let ledger = open(path)?;
    let verified = ledger.verify_from(head)?;
    for folder in folders {
        let manifest = Manifest::read(folder).map_err(PublishError::from)?;
        let course = ledger.course(&manifest.run_id)?;
        look(folder, &course)?;
        let place = Release::place(folder);
        let Some(done) = &course.release else {
            if place.exists() {
                return Err(SettleError::OtherRun {
                    folder: place,
                    found: "a release".to_owned(),
                    expected: format!("run {} as {}", course.run_id, course.state.word()),
                });
            }
            continue;
        };
        let money = ledger.money(&course.run_id)?;
        if place.exists() && !released(&course, done, &money, &manifest).stands(&place) {
            let file = RELEASE.to_owned();
            return Err(SettleError::Damaged { folder: place, file, count: 1 });
        }
    }
    Ok(verified)
}

/// Reads every object of a ledger's archive: the one named, else `archive` beside the ledger. A
/// ledger that archived nothing needs none.
///
/// # Errors
/// The first object or pointer that is not as it was left, or an archive that is gone.
pub fn verify_archive(ledger: &Path, named: Option<&Path>) -> Result<(), SettleError> {
    let books = Ledger::open(ledger)?;
    let (recipes, answers) = (books.recipes()?, books.answer_files()?);
    let beside = ledger.parent().unwrap_or(Path::new("")).join("archive");
    let folder = named.unwrap_or(&beside);
    if recipes.is_empty() && answers.is_empty() && named.is_none() {
        return Ok(());
    }
    let archive = Archive::open(folder)?;
    match archive.verify(&recipes, &answers)?.into_iter().next() {
        None => Ok(()),
        Some(damage) => Err(SettleError::Archive(ArchiveError::Damaged {
            path: folder.join(damage.file),
            what: damage.what,
            found: damage.found,
        })),
    }
}
