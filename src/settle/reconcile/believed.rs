//! Which messages of a delivery are believed: each once, statements that add up, of our account.

use crate::domain::{AnswerFile, AnswerMessage, Unread};
use crate::job::ReconcileJob;
use crate::ledger::Message;
use crate::publish::recon::StatementOf;
use rustc_hash::{FxHashMap, FxHashSet};

/// What of the files is believed and what is not.
pub(super) struct Believed<'a> {
    /// Messages that are new to the books, with their files.
    pub(super) new: Vec<(&'a AnswerFile, &'a AnswerMessage)>,
    /// Statements of the files, known ones among them.
    pub(super) statements: Vec<StatementOf<'a>>,
    /// What is not believed, by file.
    pub(super) refused: Vec<(&'a str, Unread)>,
}

impl<'a> Believed<'a> {
    pub(super) fn of(job: &ReconcileJob, files: &'a [AnswerFile], known: &[Message]) -> Self {
        let mut this = Self { new: Vec::new(), statements: Vec::new(), refused: Vec::new() };
        let hashes: FxHashSet<&str> = known.iter().map(|of| &*of.sha256).collect();
        // Under which bytes each message was taken in.
        let mut taken: FxHashMap<(&str, &str), (&str, &str)> = known
            .iter()
            .filter(|of| !of.message_id.is_empty())
            .map(|of| ((of.kind.word(), &*of.message_id), (&*of.sha256, &*of.file)))
            .collect();
        let mut seen: FxHashSet<&str> = FxHashSet::default();
        for file in files {
            let name = file.name.as_str();
            this.refused.extend(file.unread.iter().map(|unread| (name, unread.clone())));
            if !seen.insert(&file.sha256) {
                continue; // the same file under another name
            }
            let before = hashes.contains(file.sha256.as_str());
            for message in &file.messages {
                let refuse = |what: String| (name, Unread { record: 0, what });
                if let Err(what) = believable(job, message) {
                    this.refused.push(refuse(what));
                    continue;
                }
                let key = (message.kind.word(), &*message.message_id);
                if !message.message_id.is_empty() {
                    match taken.get(&key) {
                        Some((hash, _)) if *hash == file.sha256 && before => {}
                        Some((_, other)) => {
                            this.refused.push(refuse(format!(
                                "message {} of {} was taken in from {other} with other bytes; \
                                 expected the same bytes or a new message id; hint: ask the bank \
                                 which of the two stands",
                                message.message_id,
                                message.kind.word(),
                            )));
                            continue;
                        }
                        None => {
                            taken.insert(key, (&file.sha256, name));
                        }
                    }
                }
                if let Some(statement) = &message.statement {
                    this.statements.push(StatementOf { file: name, message, statement });
                }
                if !before {
                    this.new.push((file, message));
                }
            }
        }
        this
    }

    /// The new messages as the books hold them.
    pub(super) fn messages(&self) -> impl Iterator<Item = Message> + '_ {
        self.new.iter().map(|(file, message)| Message {
            kind: message.kind,
            message_id: message.message_id.clone(),
            sha256: file.sha256.as_str().into(),
            file: file.name.as_str().into(),
        })
    }
}

/// Whether a message may be believed as a whole; why not otherwise.
fn believable(job: &ReconcileJob, message: &AnswerMessage) -> Result<(), String> {
    let Some(statement) = &message.statement else { return Ok(()) };
    let id = &message.message_id;
    let plain = |text: &str| text.chars().filter(char::is_ascii_alphanumeric).collect::<String>();
    let ours = &job.account_no;
    if !ours.is_empty()
        && !statement.account_no.is_empty()
        && !plain(ours).eq_ignore_ascii_case(&plain(&statement.account_no))
    {
        let found = &statement.account_no;
        return Err(format!(
            "statement {id} is of account {found}; expected our account {ours}; hint: it belongs to \
             another office, or account_no in the job is wrong"
        ));
    }
    let (Some(opening), Some(closing)) = (statement.opening_fen, statement.closing_fen) else {
        return Ok(());
    };
    let sum = opening.checked_add(statement.entries_fen);
    if sum != Some(closing) {
        return Err(format!(
            "statement {id}: opening {opening} fen and entries of {} fen do not make closing \
             {closing} fen; expected a whole statement; hint: ask the bank for it again",
            statement.entries_fen
        ));
    }
    Ok(())
}
