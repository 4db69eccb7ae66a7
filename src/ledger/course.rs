//! The course of a run: who made it, what it demands, what was done with it, where it stands.
//!
//! The same rules judge an act before it is written and every act read back, so that the two cannot
//! drift. They are about one run; the order of periods is [`super::order`]'s.

use super::chain::{Event, EventKind};
use super::read::RunState;
use super::refusal::Refusal;
use crate::domain::{
    ActError, Fen, Month, PublicKey, SecretKey, hex, moment, person, reason, same_person,
};
use crate::job::Approval;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// What a person may do with a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ActKind {
    /// A second person agrees: draft -> approved, once enough have.
    Approve,
    /// The payments go out: approved -> released.
    Release,
    /// The bank has answered: released -> answered.
    Answer,
    /// The month ends: released or answered -> closed.
    Close,
    /// An approval or a closing is undone.
    Reopen,
}

impl ActKind {
    /// All of them, in the order of a run's life.
    pub const ALL: [Self; 5] =
        [Self::Approve, Self::Release, Self::Answer, Self::Close, Self::Reopen];

    /// The kind of the event that records it.
    #[must_use]
    pub const fn event(self) -> EventKind {
        match self {
            Self::Approve => EventKind::Approved,
            Self::Release => EventKind::Released,
            Self::Answer => EventKind::Answered,
            Self::Close => EventKind::Closed,
            Self::Reopen => EventKind::Reopened,
        }
    }

    /// The act an event records; `None` for a posting.
    pub(super) fn of(kind: EventKind) -> Option<Self> {
        Self::ALL.into_iter().find(|act| act.event() == kind)
    }
}

/// What a person does with a run.
#[derive(Debug, Clone, Copy)]
pub struct Act<'a> {
    /// What.
    pub kind: ActKind,
    /// Who.
    pub by: &'a str,
    /// When, RFC 3339.
    pub at: &'a str,
    /// Why; may be empty, save for a reopening.
    pub reason: &'a str,
    /// The person's key, where the act is signed.
    pub key: Option<&'a SecretKey>,
}

/// What a run demands before it is released; fixed when it is posted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demand {
    /// Approvals by different persons.
    pub approvals: usize,
    /// Names and keys of those who may act; `None` where nobody has to sign.
    pub keys: Option<BTreeMap<String, PublicKey>>,
}

impl Demand {
    /// The demand of a job for a schedule of this total.
    #[must_use]
    pub fn of(approval: &Approval, total_fen: i64) -> Self {
        let two = approval.two_from.is_some_and(|Fen(from)| total_fen >= from);
        Self { approvals: if two { 2 } else { 1 }, keys: approval.keys.clone() }
    }

    /// As the event of the posting holds it.
    pub(super) fn body(&self) -> Value {
        let keys = self.keys.as_ref().map(|keys| {
            keys.iter().map(|(name, key)| (name.clone(), key.text())).collect::<BTreeMap<_, _>>()
        });
        json!({ "approvals": self.approvals, "keys": keys })
    }

    /// Read back; a run posted before acts were known demands one approval and no key.
    fn read(body: &Value) -> Option<Self> {
        if body.is_null() {
            return Some(Self { approvals: 1, keys: None });
        }
        let approvals = usize::try_from(body["approvals"].as_u64()?).ok()?;
        let keys = match &body["keys"] {
            Value::Null => None,
            Value::Object(keys) => Some(
                keys.iter()
                    .map(|(name, key)| Some((name.clone(), PublicKey::parse(key.as_str()?).ok()?)))
                    .collect::<Option<_>>()?,
            ),
            _ => return None,
        };
        Some(Self { approvals, keys })
    }

    /// Whether a person may act with this key (or without one).
    pub(super) fn allows(&self, by: &str, key: Option<&PublicKey>) -> Result<(), Refusal> {
        let Some(keys) = &self.keys else { return Ok(()) };
        let name = by.to_owned();
        let Some((_, own)) = keys.iter().find(|(listed, _)| same_person(listed, by)) else {
            return Err(Refusal::NotInRegister { name });
        };
        match key {
            None => Err(Refusal::KeyMissing { name }),
            Some(key) if key == own => Ok(()),
            Some(key) => Err(Refusal::OtherKey { name, found: key.text() }),
        }
    }
}

/// One act as the books hold it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deed {
    /// Number of its event.
    pub seq: i64,
    /// Hash of its event: the head of the ledger right after it.
    pub hash: String,
    /// Who.
    pub by: String,
    /// When.
    pub at: String,
    /// Why; empty where nothing was said.
    pub reason: String,
    /// Public key, where it was signed.
    pub key: Option<String>,
    /// Signature over [`message`], where it was signed.
    pub signature: Option<String>,
}

/// The course of one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Course {
    /// Run id.
    pub run_id: String,
    /// Job.
    pub job_id: String,
    /// Period.
    pub period: Month,
    /// Hash of the manifest.
    pub manifest_hash: String,
    /// The posting.
    pub made: Deed,
    /// What it demands.
    pub demand: Demand,
    /// Released runs it was settled on, in order of period; `None` where the posting does not tell.
    pub earlier: Option<Vec<String>>,
    /// Those of them whose closed months it looked at.
    pub closed: Vec<String>,
    /// Where it stands.
    pub state: RunState,
    /// Approvals that stand.
    pub approvals: Vec<Deed>,
    /// The release.
    pub release: Option<Deed>,
    /// The closing that stands.
    pub closing: Option<Deed>,
    /// Where it stood before it was closed.
    before_closing: RunState,
}

/// What is signed: nothing in it can stand in two places, so no signature serves twice.
#[must_use]
pub fn message(
    kind: EventKind,
    run_id: &str,
    manifest_hash: &str,
    (by, at, reason): (&str, &str, &str),
    head_before: &str,
) -> Vec<u8> {
    let act = kind.word();
    format!("tuoyu-act-v1\n{act}\n{run_id}\n{manifest_hash}\n{by}\n{at}\n{head_before}\n{reason}\n")
        .into_bytes()
}

/// What a posting signs in the place of a reason: SHA-256 of the rest of its text, so that nobody
/// changes the demand or the rows behind a signature.
pub(super) fn rest_of_posting(body: &Value) -> String {
    let mut rest = body.clone();
    if let Some(map) = rest.as_object_mut() {
        map.remove("signature");
        map.remove("key");
    }
    hex(&Sha256::digest(rest.to_string()))
}

impl Course {
    /// The course that begins with a posting; `None` when its text cannot be read.
    pub(super) fn begin(event: &Event, hash: &str, body: &Value) -> Option<Self> {
        let text = |key: &str| body[key].as_str().map(str::to_owned);
        let ids = |key: &str| match &body[key] {
            Value::Array(ids) => {
                ids.iter().map(|id| id.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()
            }
            _ => None,
        };
        let earlier = match &body["earlier"] {
            Value::Null => None,
            _ => Some(ids("earlier")?),
        };
        Some(Self {
            run_id: text("run_id")?,
            job_id: text("job_id")?,
            period: Month::parse(&text("period")?).ok()?,
            manifest_hash: text("manifest_hash")?,
            made: deed(event, hash, body),
            demand: Demand::read(&body["approval"])?,
            earlier,
            closed: ids("closed").unwrap_or_default(),
            state: RunState::Draft,
            approvals: Vec::new(),
            release: None,
            closing: None,
            before_closing: RunState::Released,
        })
    }

    /// Where an act leads; refused where it may not be done.
    pub(super) fn after(&self, act: &Act<'_>) -> Result<RunState, Refusal> {
        let word = |error: ActError| Refusal::Word { found: error.found, expected: error.expected };
        let by = person(act.by).map_err(word)?;
        moment(act.at).map_err(word)?;
        let why = reason(act.reason).map_err(word)?;
        let name = || by.to_owned();
        let state = RunState::of_act(self, act.kind)?;
        // Whoever signs with one key is one person, whatever they call themselves; a register says
        // itself whose key it is.
        let unlisted = self.demand.keys.is_none();
        let key = act.key.filter(|_| unlisted).map(|key| key.public().text());
        let theirs = |deed: &Deed| same_person(by, &deed.by) || (key.is_some() && key == deed.key);
        let made = theirs(&self.made);
        match act.kind {
            ActKind::Approve | ActKind::Release if made => {
                return Err(Refusal::Maker { name: name() });
            }
            ActKind::Approve if self.approvals.iter().any(theirs) => {
                return Err(Refusal::Twice { name: name() });
            }
            ActKind::Reopen => {
                let undone = if self.state == RunState::Closed {
                    self.closing.as_slice()
                } else {
                    self.approvals.as_slice()
                };
                if undone.iter().any(theirs) {
                    return Err(Refusal::OwnAct { name: name() });
                }
                if why.is_empty() {
                    return Err(Refusal::NoReason);
                }
            }
            _ => {}
        }
        self.demand.allows(by, act.key.map(SecretKey::public).as_ref())?;
        Ok(state)
    }

    /// The body of the event of an act that [`Course::after`] has allowed, signed.
    pub(super) fn body(&self, act: &Act<'_>, state: RunState, head_before: &str) -> Value {
        let words = (act.by.trim(), act.at, act.reason.trim());
        let signature = act.key.map(|key| {
            let event = act.kind.event();
            key.sign(&message(event, &self.run_id, &self.manifest_hash, words, head_before))
        });
        json!({
            "approvals": self.approvals.len() + usize::from(act.kind == ActKind::Approve),
            "from": self.state.word(),
            "key": act.key.map(|key| key.public().text()),
            "manifest_hash": self.manifest_hash,
            "reason": words.2,
            "run_id": self.run_id,
            "signature": signature,
            "state": state.word(),
        })
    }

    /// Takes in an act that was written: judged again, its signature checked.
    pub(super) fn take(&mut self, event: &Event, hash: &str, body: &Value) -> Result<(), Refusal> {
        let kind = EventKind::parse(&event.kind).and_then(ActKind::of);
        let Some(kind) = kind else { return Err(Refusal::Unreadable) };
        let done = deed(event, hash, body);
        // The key itself is not here; who may sign is asked of the public half below.
        let act = Act { kind, by: &done.by, at: &done.at, reason: &done.reason, key: None };
        let state = match self.after(&act) {
            Err(Refusal::KeyMissing { .. }) if done.key.is_some() => RunState::of_act(self, kind)?,
            judged => judged?,
        };
        self.check_signature(kind.event(), &done, &event.before)?;
        let said = |key: &str| body[key].as_str().unwrap_or_default();
        let approvals = self.approvals.len() + usize::from(kind == ActKind::Approve);
        let wanted = [&*self.run_id, &*self.manifest_hash, self.state.word(), state.word()];
        if ["run_id", "manifest_hash", "from", "state"].map(said) != wanted
            || body["approvals"].as_u64() != u64::try_from(approvals).ok()
        {
            return Err(Refusal::Unreadable);
        }
        match kind {
            ActKind::Approve => self.approvals.push(done),
            ActKind::Release => self.release = Some(done),
            ActKind::Answer => {}
            ActKind::Close => {
                self.before_closing = self.state;
                self.closing = Some(done);
            }
            ActKind::Reopen if self.state == RunState::Closed => self.closing = None,
            ActKind::Reopen => self.approvals.clear(),
        }
        self.state = state;
        Ok(())
    }

    /// Whether a deed bears the signature it says, by a key that may sign it.
    pub(super) fn check_signature(
        &self,
        kind: EventKind,
        done: &Deed,
        head_before: &str,
    ) -> Result<(), Refusal> {
        self.check_words(kind, done, &done.reason, head_before)
    }

    /// The same for a posting, whose signature covers the rest of its text.
    pub(super) fn check_posting(
        &self,
        kind: EventKind,
        body: &Value,
        head_before: &str,
    ) -> Result<(), Refusal> {
        self.check_words(kind, &self.made, &rest_of_posting(body), head_before)
    }

    /// The same for answers taken in, whose signature covers the rest of their text too.
    pub(super) fn check_reconciled(
        &self,
        done: &Deed,
        body: &Value,
        head_before: &str,
    ) -> Result<(), Refusal> {
        let rest = rest_of_posting(body);
        self.check_words(EventKind::Reconciled, done, &rest, head_before)
    }

    fn check_words(
        &self,
        kind: EventKind,
        done: &Deed,
        reason: &str,
        head_before: &str,
    ) -> Result<(), Refusal> {
        let words = (&*done.by, &*done.at, reason);
        let key = match &done.key {
            Some(key) => Some(PublicKey::parse(key).map_err(|_| Refusal::BadSignature)?),
            None => None,
        };
        self.demand.allows(&done.by, key.as_ref())?;
        let signed = match (&key, &done.signature) {
            (None, None) => true,
            (Some(key), Some(signature)) => {
                let text = message(kind, &self.run_id, &self.manifest_hash, words, head_before);
                key.signed(&text, signature)
            }
            _ => false,
        };
        if signed { Ok(()) } else { Err(Refusal::BadSignature) }
    }

    /// Approvals still missing.
    #[must_use]
    pub fn missing(&self) -> usize {
        self.demand.approvals.saturating_sub(self.approvals.len())
    }
}

impl RunState {
    /// Where an act leads from where the run stands, whoever does it.
    fn of_act(course: &Course, kind: ActKind) -> Result<Self, Refusal> {
        let none = || Err(Refusal::State { kind, state: course.state });
        match (kind, course.state) {
            (ActKind::Approve, Self::Draft) if course.missing() > 1 => Ok(Self::Draft),
            (ActKind::Approve, Self::Draft) => Ok(Self::Approved),
            (ActKind::Release, Self::Approved) => Ok(Self::Released),
            (ActKind::Answer, Self::Released) => Ok(Self::Answered),
            (ActKind::Close, Self::Released | Self::Answered) => Ok(Self::Closed),
            (ActKind::Reopen, Self::Draft) if course.approvals.is_empty() => none(),
            (ActKind::Reopen, Self::Draft | Self::Approved) => Ok(Self::Draft),
            (ActKind::Reopen, Self::Closed) => Ok(course.before_closing),
            _ => none(),
        }
    }
}

pub(super) fn deed(event: &Event, hash: &str, body: &Value) -> Deed {
    let text = |key: &str| body[key].as_str().map(str::to_owned);
    Deed {
        seq: event.seq,
        hash: hash.to_owned(),
        by: event.by.clone(),
        at: event.at.clone(),
        reason: text("reason").unwrap_or_default(),
        key: text("key"),
        signature: text("signature"),
    }
}
