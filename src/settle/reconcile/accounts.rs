//! Accounts that institutions have corrected after a payment failed.

use super::SettleError;
use crate::domain::{check_cnaps, luhn_valid};
use crate::facts;
use crate::intake;
use crate::job::{ReconcileJob, TableSpec};
use crate::schedule::Payee;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The table of corrected accounts, as the register of institutions has them.
const TABLE: &str = "institutions";

/// Columns that must be there.
const COLUMNS: [&str; 4] = ["account_name", "account_no", "bank_name", "bank_no"];

/// Corrected accounts by institution; an institution on two rows is corrected by neither.
pub(super) fn read(job: &ReconcileJob) -> Result<BTreeMap<Arc<str>, Payee>, SettleError> {
    let mut found: BTreeMap<Arc<str>, Option<Payee>> = BTreeMap::new();
    let Some(path) = &job.accounts else { return Ok(BTreeMap::new()) };
    let spec =
        TableSpec { table: TABLE.to_owned(), paths: vec![path.clone()], ..TableSpec::default() };
    let wanted: Vec<(Arc<str>, Arc<str>)> =
        COLUMNS.iter().map(|column| (Arc::from(TABLE), Arc::from(*column))).collect();
    let tables = intake::read(&[spec], &[], &job.currency, &wanted)?;
    let Some(table) = tables.get(TABLE) else { return Ok(BTreeMap::new()) };
    for row in 0..table.rows {
        let text = |column: &str| Arc::from(facts::text_at(table.get(column), row));
        let id: Arc<str> = text("institution_id");
        let payee = Payee {
            institution_id: Arc::clone(&id),
            institution_name: text("name"),
            account_name: text("account_name"),
            account_no: text("account_no"),
            bank_name: text("bank_name"),
            bank_no: text("bank_no"),
            hold_reason: Arc::from(""),
        };
        found.entry(id).and_modify(|known| *known = None).or_insert(Some(payee));
    }
    Ok(found.into_iter().filter_map(|(id, payee)| Some((id, payee?))).collect())
}

/// Why nothing may be paid to an account, or empty: the checks of a settlement (S7).
pub(super) fn hold(payee: &Payee) -> &'static str {
    if payee.account_no.is_empty() {
        "account_missing"
    } else if payee.account_no.starts_with("62") && !luhn_valid(&payee.account_no) {
        "account_invalid"
    } else if payee.bank_no.is_empty() {
        "bank_no_missing"
    } else if check_cnaps(&payee.bank_no).is_err() {
        "bank_no_invalid"
    } else {
        ""
    }
}

/// The hold of a payee whose account was refused and not corrected.
pub(super) const REFUSED: &str = "account_refused";

/// Whether a payment is held for its account, so that a corrected one lets it go.
pub(super) fn is_hold(reason: &str) -> bool {
    [REFUSED, "account_missing", "account_invalid", "bank_no_missing", "bank_no_invalid"]
        .contains(&reason)
}
