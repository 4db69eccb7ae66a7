//! The run folder of a correction batch 更正发放: what a settlement's folder holds that an approval and a
//! release need.

use crate::domain::Month;
use crate::domain::texts::Catalogue;
use crate::publish::proof::OUTSIDE;
use crate::publish::sheet::Sheet;
use crate::publish::workbook::{self, Imprint};
use crate::publish::{
    Contents, Draft, MANIFEST_FORMAT, Manifest, PublishError, delimited, money_files,
};
use crate::schedule::Schedule;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::Path;

/// What the folder is made of.
pub struct BatchFiles<'a> {
    /// Run of the batch.
    pub run_id: &'a str,
    /// Its job id.
    pub job_id: &'a str,
    /// Period.
    pub period: Month,
    /// Title for people.
    pub title: &'a str,
    /// 制表单位.
    pub office: &'a str,
    /// 示例: an invented pack took part in the settlement.
    pub sample: bool,
    /// What people call each item.
    pub items: &'a BTreeMap<String, String>,
    /// Version of the calculation.
    pub calc_version: &'a str,
    /// Day the answers are from, `YYYY-MM-DD`.
    pub known_on: String,
    /// Lines and payments.
    pub schedule: &'a Schedule,
    /// Files of the settlement's folder that tell how it is paid: name and bytes.
    pub paying: &'a [(String, Vec<u8>)],
    /// Whether workbooks are written.
    pub workbooks: bool,
    /// Texts in the language of the settlement.
    pub texts: &'a Catalogue,
}

/// Writes and seals the folder beside its place.
///
/// # Errors
/// When a file cannot be written.
pub fn write_batch(of: &BatchFiles<'_>, out: &Path) -> Result<Draft, PublishError> {
    let mut draft = Draft::create(out)?;
    let lines = money_files::schedule_of(of.schedule, of.run_id, of.job_id, of.period);
    let payments = money_files::payments(of.schedule);
    let mut text = Vec::new();
    delimited::write_hashed(&lines, &OUTSIDE, "row_hash", &mut text)
        .map_err(PublishError::write("schedule.csv"))?;
    draft.put("schedule.csv", &text, contents(&lines, "payable_fen"))?;
    let mut text = Vec::new();
    delimited::write(&payments, &mut text).map_err(PublishError::write("payments.csv"))?;
    draft.put("payments.csv", &text, contents(&payments, "amount_fen"))?;
    draft.put("summary.json", summary(of).as_bytes(), Contents::default())?;
    for (name, bytes) in of.paying {
        draft.put(name, bytes, Contents::default())?;
    }
    if of.workbooks {
        let imprint = Imprint {
            texts: of.texts,
            run_id: of.run_id,
            office: of.office,
            title: of.title,
            first: of.period,
            period: of.period,
            sample: of.sample,
            release: None,
        };
        let items = of.items.iter().map(|(id, label)| (id.as_str(), label.as_str())).collect();
        let book = workbook::schedule(&imprint, &lines, &payments, &items).map_err(|cause| {
            PublishError::Write {
                file: "schedule.xlsx".to_owned(),
                cause: std::io::Error::other(cause),
            }
        })?;
        draft.put("schedule.xlsx", &book, Contents::default())?;
    }
    draft.seal(Manifest {
        format: MANIFEST_FORMAT,
        run_id: of.run_id.to_owned(),
        job: of.job_id.to_owned(),
        period: of.period.to_string(),
        months: vec![of.period.to_string()],
        calc_version: of.calc_version.to_owned(),
        known_on: of.known_on.clone(),
        language: Manifest::tag_of(of.texts.language()),
        ..Manifest::default()
    })?;
    Ok(draft)
}

fn contents(sheet: &Sheet, money: &str) -> Contents {
    Contents { rows: Some(sheet.rows as u64), fen: sheet.sum(money) }
}

/// What the face of a run and its printed schedule are told.
fn summary(of: &BatchFiles<'_>) -> String {
    let schedule = of.schedule;
    let held = |payee: u32| {
        schedule.payees.get(payee as usize).is_some_and(|payee| !payee.hold_reason.is_empty())
    };
    let sum = |held_only: bool| -> i64 {
        let counted = schedule.payments.iter().filter(|of| !held_only || held(of.payee));
        counted.fold(0, |sum, of| sum.saturating_add(of.amount_fen))
    };
    let value = json!({
        "format": 1,
        "run_id": of.run_id,
        "job": of.job_id,
        "title": of.title,
        "office": of.office,
        "period": of.period.to_string(),
        "months": [of.period.to_string()],
        "sample": of.sample,
        "items": of.items,
        "payable_fen": sum(false),
        "payments": {
            "count": schedule.payments.len(),
            "amount_fen": sum(false),
            "held_fen": sum(true),
        },
        "findings": {},
        "findings_by_code": {},
    });
    // Serialising texts and numbers to memory cannot fail.
    let mut text = serde_json::to_string_pretty(&value).unwrap_or_default();
    text.push('\n');
    text
}
