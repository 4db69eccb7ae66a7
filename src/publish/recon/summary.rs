//! `summary.json` of a reconciliation: totals and identities, for scripts.

use super::{BUCKETS, Reconciliation, bucket, rows};
use crate::reconcile::Sum;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A count and its sum as they are told to programs.
#[must_use]
pub fn sum((count, fen): Sum) -> Value {
    json!({ "count": count, "fen": i64::try_from(fen).unwrap_or(i64::MAX) })
}

/// The text of the file.
pub(super) fn text(of: &Reconciliation<'_>) -> String {
    let totals = of.totals;
    let by_class: BTreeMap<&str, Value> =
        totals.by_class.iter().map(|(class, of)| (class.word(), sum(*of))).collect();
    let mut outside: BTreeMap<&str, Sum> = BTreeMap::new();
    for place in of.loose {
        let told = &of.told[*place as usize];
        let of = outside.entry(rows::loose_class(told.rule).word()).or_default();
        of.0 += 1;
        of.1 += i128::from(told.fen.unwrap_or(0));
    }
    let outside: BTreeMap<&str, Value> =
        outside.into_iter().map(|(class, of)| (class, sum(of))).collect();
    let mut ageing: BTreeMap<&str, u64> = BUCKETS.iter().map(|(_, name)| (*name, 0)).collect();
    for row in rows::open(of) {
        *ageing.entry(bucket(row.age)).or_default() += 1;
    }
    let statements: Vec<Value> = of
        .statements
        .iter()
        .map(|of| {
            let statement = of.statement;
            json!({
                "file": of.file,
                "message_id": of.message.message_id,
                "account_no": statement.account_no,
                "currency": statement.currency,
                "opening_fen": statement.opening_fen,
                "entries_fen": statement.entries_fen,
                "closing_fen": statement.closing_fen,
            })
        })
        .collect();
    let batch = of.proposed.map(|batch| {
        json!({
            "run_id": batch.run_id,
            "job": crate::ledger::batch_job(&of.job.settles, batch.number),
            "payments": batch.schedule.payments.len(),
            "amount_fen": batch.schedule.payments.iter().map(|of| of.amount_fen).sum::<i64>(),
        })
    });
    let value = json!({
        "format": 1,
        "recon_id": of.recon_id,
        "job": of.job.id,
        "settles": of.job.settles,
        "title": of.job.title,
        "period": of.job.period.to_string(),
        "as_of": of.as_of.map(|day| day.to_string()),
        "runs": of.book.runs.iter().map(|run| run.run_id.clone()).collect::<Vec<_>>(),
        "messages": of.messages.len(),
        "answers": of.told.len(),
        "sent": sum(totals.sent),
        "paid": sum(totals.paid),
        "rejected": sum(totals.rejected),
        "returned": sum(totals.returned),
        "pending": sum(totals.pending),
        "excess": sum(totals.excess),
        "held": sum(totals.held),
        "identities": { "sent_is_paid_rejected_returned_pending": totals.tie() },
        "by_class": by_class,
        "outside": outside,
        "refused": of.refused.len(),
        "statements": statements,
        "open_items": of.open(),
        "open_by_workdays": ageing,
        "correction": batch,
    });
    // Serialising texts and numbers to memory cannot fail.
    let mut text = serde_json::to_string_pretty(&value).unwrap_or_default();
    text.push('\n');
    text
}
