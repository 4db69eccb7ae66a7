//! Batch texts for a bank, by a profile (FORMATS 3.4): lines of fields, separated or of a fixed width in
//! bytes of the encoding, in as many files as the bank's limits ask for.

use super::error::{BankError, Wide};
use super::{BankFile, Due, Place, Release, contents, sum};
use crate::domain::{Date, Fen};
use crate::job::{
    Align, BatchField, BatchProfile, BatchValue, DatePattern, FieldSource, TextEncoding,
};

/// The files of a profile; none where nothing is paid.
pub(super) fn files(
    release: &Release<'_>,
    profile: &BatchProfile,
) -> Result<Vec<BankFile>, BankError> {
    let parts = parts(release.dues, profile)?;
    let mut files = Vec::with_capacity(parts.len());
    for (at, dues) in parts.iter().enumerate() {
        let file = File {
            release,
            profile,
            dues,
            total: sum(dues.iter().map(|due| due.amount))?,
            part: at + 1,
            parts: parts.len(),
        };
        files.push((file.name(), file.bytes()?, contents(dues.len(), file.total)));
    }
    Ok(files)
}

/// The payments of each file, in order: no file has more rows or more money than the profile allows.
fn parts<'d, 'a>(
    dues: &'d [Due<'a>],
    profile: &BatchProfile,
) -> Result<Vec<&'d [Due<'a>]>, BankError> {
    let mut parts = Vec::new();
    let (mut from, mut total) = (0, Fen(0));
    for (at, due) in dues.iter().enumerate() {
        if let Some(limit) = profile.amount_limit.filter(|limit| due.amount > *limit) {
            return Err(BankError::AboveLimit {
                file: profile.id.clone(),
                payment: due.row.payment_no.clone(),
                amount: due.amount,
                limit,
            });
        }
        let with = total.checked_add(due.amount).ok_or(BankError::Overflow)?;
        let full = profile.rows_per_file.is_some_and(|rows| at - from >= rows)
            || profile.amount_limit.is_some_and(|limit| with > limit);
        if full {
            parts.push(&dues[from..at]);
            (from, total) = (at, due.amount);
        } else {
            total = with;
        }
    }
    if from < dues.len() {
        parts.push(&dues[from..]);
    }
    Ok(parts)
}

/// One file of a profile.
struct File<'f, 'a> {
    release: &'f Release<'f>,
    profile: &'f BatchProfile,
    dues: &'f [Due<'a>],
    total: Fen,
    part: usize,
    parts: usize,
}

impl File<'_, '_> {
    fn name(&self) -> String {
        let out = self.release.out;
        self.profile
            .file_name
            .replace("{job}", out.job)
            .replace("{period}", out.period)
            .replace("{profile}", &self.profile.id)
            .replace("{part}", &format!("{:03}", self.part))
            .replace("{parts}", &format!("{:03}", self.parts))
            .replace("{date}", &DatePattern::default().write(self.release.day))
            .replace("{batch_no}", &self.batch_no())
    }

    /// Other letters than in the numbers of vouchers, so that no two are one.
    fn batch_no(&self) -> String {
        format!("{}B{:03}", self.release.stem, self.part)
    }

    fn bytes(&self) -> Result<Vec<u8>, BankError> {
        let mut bytes = Vec::new();
        if !self.profile.head.is_empty() {
            self.line(&self.profile.head, None, &mut bytes)?;
        }
        for (at, due) in self.dues.iter().enumerate() {
            self.line(&self.profile.detail, Some((at + 1, due)), &mut bytes)?;
        }
        if !self.profile.tail.is_empty() {
            self.line(&self.profile.tail, None, &mut bytes)?;
        }
        if let Some(mark) = &self.profile.end_mark {
            let place = || Place { payment: None, field: "end_mark".to_owned() };
            bytes.extend(self.encoded(mark, place)?);
            bytes.extend(self.profile.line_end.bytes());
        }
        Ok(bytes)
    }

    fn line(
        &self,
        fields: &[BatchField],
        of: Option<(usize, &Due<'_>)>,
        bytes: &mut Vec<u8>,
    ) -> Result<(), BankError> {
        for (at, field) in fields.iter().enumerate() {
            if at > 0
                && let Some(separator) = &self.profile.separator
            {
                let place = || Place { payment: None, field: "separator".to_owned() };
                bytes.extend(self.encoded(separator, place)?);
            }
            self.field(field, of, bytes)?;
        }
        bytes.extend(self.profile.line_end.bytes());
        Ok(())
    }

    fn encoded(&self, text: &str, place: impl Fn() -> Place) -> Result<Vec<u8>, BankError> {
        let encoding: TextEncoding = self.profile.encoding;
        encoding.encode(text).map_err(|found| BankError::Character {
            file: self.profile.id.clone(),
            place: place(),
            found,
            of: encoding.word(),
        })
    }

    fn field(
        &self,
        field: &BatchField,
        of: Option<(usize, &Due<'_>)>,
        bytes: &mut Vec<u8>,
    ) -> Result<(), BankError> {
        let file = || self.profile.id.clone();
        let place = || Place {
            payment: of.map(|(_, due)| due.row.payment_no.clone()),
            field: field.name.clone(),
        };
        let value = match &field.source {
            FieldSource::Constant(text) => text.clone(),
            FieldSource::Value(value) => self.value(*value, field, of),
        };
        let value = field.codes.get(&value).cloned().unwrap_or(value);
        if value.is_empty() && field.required {
            return Err(BankError::Empty { file: file(), place: place() });
        }
        if let Some(found) = value.chars().find(|c| c.is_control()) {
            let of = "one line";
            return Err(BankError::Character { file: file(), place: place(), found, of });
        }
        if let Some(separator) =
            self.profile.separator.as_ref().filter(|sign| value.contains(sign.as_str()))
        {
            let separator = separator.clone();
            return Err(BankError::Separator { file: file(), place: place(), value, separator });
        }
        let text = self.encoded(&value, place)?;
        let width = field.width.unwrap_or(text.len());
        if text.len() > width {
            let (found, most, wide) = (text.len(), width, Wide::Bytes);
            return Err(BankError::TooLong { file: file(), place: place(), found, most, wide });
        }
        if self.profile.separator.is_some() {
            bytes.extend(text);
            return Ok(());
        }
        // An ASCII character is one byte in each of the encodings.
        let pad = std::iter::repeat_n(field.pad as u8, width - text.len());
        match field.align {
            Align::Left => bytes.extend(text.into_iter().chain(pad)),
            Align::Right => bytes.extend(pad.chain(text)),
        }
        Ok(())
    }

    /// What a field comes from, as text.
    fn value(
        &self,
        value: BatchValue,
        field: &BatchField,
        of: Option<(usize, &Due<'_>)>,
    ) -> String {
        let out = self.release.out;
        let pay = &out.pay.pay;
        let date = |date: Date| field.date.write(date);
        let row = |pick: fn(&super::Row) -> &String| {
            of.map_or_else(String::new, |(_, due)| pick(&due.row).clone())
        };
        let line = |pick: fn(&super::PayBudgetLine) -> &String| {
            let line = of.and_then(|(_, due)| due.line);
            line.map_or_else(String::new, |(_, line)| pick(line).clone())
        };
        match value {
            BatchValue::EndToEndId => row(|row| &row.end_to_end_id),
            BatchValue::PaymentNo => row(|row| &row.payment_no),
            BatchValue::InstitutionId => row(|row| &row.institution_id),
            BatchValue::InstitutionName => {
                of.map_or_else(String::new, |(_, due)| due.institution_name.to_owned())
            }
            BatchValue::AccountName => row(|row| &row.account_name),
            BatchValue::AccountNo => row(|row| &row.account_no),
            BatchValue::BankName => row(|row| &row.bank_name),
            BatchValue::BankNo => row(|row| &row.bank_no),
            BatchValue::Amount => {
                of.map_or_else(String::new, |(_, due)| field.amount.write(due.amount))
            }
            BatchValue::PayOn => of.map_or_else(String::new, |(_, due)| date(due.pay_on)),
            BatchValue::Row => of.map_or_else(String::new, |(at, _)| at.to_string()),
            BatchValue::Source => row(|row| &row.source),
            BatchValue::BudgetDocNo => row(|row| &row.budget_doc_no),
            BatchValue::ExpFuncCode => line(|line| &line.exp_func_code),
            BatchValue::GovEcoCode => line(|line| &line.gov_eco_code),
            BatchValue::DepEcoCode => line(|line| &line.dep_eco_code),
            BatchValue::FundTypeCode => line(|line| &line.fund_type_code),
            BatchValue::ProjectCode => line(|line| &line.project_code),
            BatchValue::Purpose => pay.purpose.clone(),
            BatchValue::Count => self.dues.len().to_string(),
            BatchValue::Total => field.amount.write(self.total),
            BatchValue::Part => self.part.to_string(),
            BatchValue::Parts => self.parts.to_string(),
            BatchValue::Date => date(self.release.day),
            BatchValue::BatchNo => self.batch_no(),
            BatchValue::PayerAccountName => pay.account_name.clone(),
            BatchValue::PayerAccountNo => pay.account_no.clone(),
            BatchValue::PayerBankName => pay.bank_name.clone(),
            BatchValue::PayerBankNo => pay.bank_no.clone(),
            BatchValue::AgencyCode => pay.agency_code.clone(),
            BatchValue::AgencyName => pay.agency_name.clone(),
            BatchValue::DivisionCode => pay.division_code.clone(),
            BatchValue::Currency => out.pay.currency.clone(),
            BatchValue::Job => out.job.to_owned(),
            BatchValue::Period => out.period.to_owned(),
            BatchValue::RunId => out.run_id.to_owned(),
        }
    }
}
