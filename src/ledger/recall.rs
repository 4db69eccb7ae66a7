//! The books as a past run read them: by the ids of the runs it saw, replaced drafts included.

use super::read::{RunHead, by_id};
use super::rows::keys;
use super::{Ledger, LedgerError, chain};
use serde_json::Value;
use std::collections::BTreeMap;

/// The runs a past run read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recalled {
    /// Runs of earlier periods whose lines it used, in order of period.
    pub earlier: Vec<String>,
    /// Those of them whose months were closed then.
    pub closed: Vec<String>,
    /// The run it compared with.
    pub compared_with: Option<String>,
    /// That run itself, where the books hold it: what it claimed of failed payments is what it read.
    pub run: Option<String>,
}

impl Ledger {
    /// The same books, of which [`Ledger::standing`], [`Ledger::posted`], [`Ledger::previous`] and
    /// [`Ledger::year_to_date`] see these runs and no others.
    #[must_use]
    pub fn recalling(mut self, recalled: Recalled) -> Self {
        self.recalled = Some(recalled);
        self
    }

    /// Whether the books are read as a past run read them.
    #[must_use]
    pub const fn is_recalled(&self) -> bool {
        self.recalled.is_some()
    }

    /// The past run whose view of the books this is.
    pub(crate) fn recalled_run(&self) -> Option<&str> {
        self.recalled.as_ref()?.run.as_deref()
    }

    /// A run by its id, whether it stands or was replaced.
    ///
    /// # Errors
    /// [`LedgerError::Unknown`] when it was never posted here.
    pub fn run(&self, run_id: &str) -> Result<RunHead, LedgerError> {
        let found = by_id(&self.connection, run_id).map_err(|source| self.store(source))?;
        found.ok_or_else(|| LedgerError::Unknown {
            path: self.path.clone(),
            run_id: run_id.to_owned(),
        })
    }

    /// The files of answers that were archived when they were taken in: hash -> name.
    ///
    /// # Errors
    /// [`LedgerError::Broken`] when the chain does not hold, else the store's reasons.
    pub fn answer_files(&self) -> Result<BTreeMap<String, String>, LedgerError> {
        let mut events = Vec::new();
        chain::walk(&self.connection, &self.path, |event, _| {
            let body: Value = serde_json::from_str(&event.body).unwrap_or_default();
            if body["archived"].as_bool() == Some(true) {
                events.push(event.seq);
            }
            Ok(())
        })?;
        let mut files = BTreeMap::new();
        for event in events {
            let of = self.rows(
                "SELECT sha256, file FROM messages WHERE message BETWEEN ?1 AND ?2",
                keys(event),
                |row| Ok((row.get(0)?, row.get(1)?)),
            )?;
            files.extend(of);
        }
        Ok(files)
    }

    /// Hash of the recipe of each run in the archive, as the events that posted them say; a run
    /// that was not archived is not in it. The chain is checked on the way.
    ///
    /// # Errors
    /// [`LedgerError::Broken`] when the chain does not hold, else the store's reasons.
    pub fn recipes(&self) -> Result<BTreeMap<String, String>, LedgerError> {
        let mut recipes = BTreeMap::new();
        chain::walk(&self.connection, &self.path, |event, _| {
            let body: Value = serde_json::from_str(&event.body).unwrap_or_default();
            if let (Some(run_id), Some(hash)) = (body["run_id"].as_str(), body["archive"].as_str())
            {
                recipes.insert(run_id.to_owned(), hash.to_owned());
            }
            Ok(())
        })?;
        Ok(recipes)
    }
}
