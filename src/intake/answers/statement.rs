//! camt.052, camt.053 and camt.054: reports, statements and notifications, by entry and detail.
//!
//! A booked debit has left our account. A booked credit came back where the bank says so: by a reason
//! of return, by the mark of a reversal, or by a code of returns. An entry that is not booked decides
//! nothing, and a camt.052 is told only. Details that do not come to what their entry booked are
//! told and not believed.

use super::entry::{Detail, Entry, Party, batch, booked, code_returns, detail, is_credit, untied};
use super::parts::{Sum, account_id, coded, join, kept};
use super::xml::{Taken, Walk};
use super::{Gathered, day, message};
use crate::domain::{Answer, AnswerKind, AnswerMessage, BatchEntry, Said, Scope, Statement};

/// Reads one `BkToCstmr…`: each statement in it is a message.
pub(super) fn read(walk: &mut Walk<'_>, kind: AnswerKind, gathered: &mut Gathered) -> Taken {
    let mut header = Header::default();
    walk.children(|walk, element| match element.name() {
        "GrpHdr" => walk.children(|walk, element| match element.name() {
            "MsgId" => {
                header.message_id = kept(walk)?;
                Ok(())
            }
            "MsgPgntn" => page(walk, &mut header.page),
            _ => walk.skip(),
        }),
        "Stmt" | "Rpt" | "Ntfctn" => one(walk, kind, &header, gathered),
        _ => walk.skip(),
    })
}

#[derive(Default)]
struct Header {
    message_id: Box<str>,
    page: Box<str>,
}

fn page(walk: &mut Walk<'_>, number: &mut Box<str>) -> Taken {
    walk.children(|walk, element| {
        if element.name() == "PgNb" {
            *number = kept(walk)?;
            return Ok(());
        }
        walk.skip()
    })
}

/// What is gathered of one statement.
struct Sheet<'g> {
    kind: AnswerKind,
    message: AnswerMessage,
    statement: Statement,
    /// PRCD, the closing balance before, for where no OPBD is told.
    previous: Option<i64>,
    entries: i128,
    /// Details of the entry at hand.
    details: Vec<Detail>,
    gathered: &'g mut Gathered,
}

fn one(walk: &mut Walk<'_>, kind: AnswerKind, header: &Header, gathered: &mut Gathered) -> Taken {
    let mut id: Box<str> = Box::from("");
    let mut number = header.page.clone();
    let mut sheet = Sheet {
        kind,
        message: message(kind),
        statement: Statement::default(),
        previous: None,
        entries: 0,
        details: Vec::new(),
        gathered,
    };
    walk.children(|walk, element| match element.name() {
        "Id" => {
            id = kept(walk)?;
            Ok(())
        }
        "StmtPgntn" | "RptPgntn" | "NtfctnPgntn" => page(walk, &mut number),
        "FrToDt" => walk.children(|walk, element| {
            match element.name() {
                "FrDtTm" | "FrDt" => sheet.statement.from = day(&walk.text()?),
                "ToDtTm" | "ToDt" => sheet.statement.until = day(&walk.text()?),
                _ => walk.skip()?,
            }
            Ok(())
        }),
        "Acct" => sheet.own_account(walk),
        "Bal" => sheet.balance(walk),
        "Ntry" => sheet.entry(walk),
        _ => walk.skip(),
    })?;
    let Sheet { mut message, mut statement, previous, entries, gathered, .. } = sheet;
    message.message_id = identity(&header.message_id, &id, &number);
    statement.opening_fen = statement.opening_fen.or(previous);
    let Ok(entries) = i64::try_from(entries) else {
        let what = format!("statement {id:?} whose entries sum to {entries}; expected less");
        gathered.tell(0, what);
        return Ok(());
    };
    statement.entries_fen = entries;
    if kind != AnswerKind::Camt054 {
        message.statement = Some(statement);
    }
    gathered.messages.push(message);
    Ok(())
}

/// Id of the message and of the statement in it, where they differ, and the page from the second on:
/// a message may hold several statements, a statement several pages.
fn identity(message_id: &str, id: &str, page: &str) -> Box<str> {
    let mut identity = match (message_id, id) {
        ("", only) | (only, "") => only.to_owned(),
        (message_id, id) if message_id == id => id.to_owned(),
        (message_id, id) => format!("{message_id}/{id}"),
    };
    if !matches!(page.trim_start_matches('0'), "" | "1") {
        identity.push('#');
        identity.push_str(page);
    }
    identity.into()
}

impl Sheet<'_> {
    fn own_account(&mut self, walk: &mut Walk<'_>) -> Taken {
        let statement = &mut self.statement;
        walk.children(|walk, element| match element.name() {
            "Id" => account_id(walk, &mut statement.account_no),
            "Ccy" => {
                statement.currency = kept(walk)?;
                Ok(())
            }
            _ => walk.skip(),
        })
    }

    /// A `Bal`; the first opening and the last closing one in our currency stand.
    fn balance(&mut self, walk: &mut Walk<'_>) -> Taken {
        let (mut code, mut sum, mut credit) = (Box::from(""), None, None);
        walk.children(|walk, element| {
            match element.name() {
                "Tp" => walk.children(|walk, element| {
                    match element.name() {
                        "CdOrPrtry" => code = coded(walk)?,
                        // Of the first versions.
                        "Cd" => code = kept(walk)?,
                        _ => walk.skip()?,
                    }
                    Ok(())
                })?,
                "Amt" => sum = Some(Sum::read(walk, element)?),
                "CdtDbtInd" => credit = is_credit(&walk.text()?),
                _ => walk.skip()?,
            }
            Ok(())
        })?;
        if !matches!(&*code, "OPBD" | "PRCD" | "CLBD") {
            return Ok(());
        }
        let (Some(sum), Some(credit)) = (sum, credit) else {
            let what = format!("balance {code} without amount or sign; expected Amt and CdtDbtInd");
            self.gathered.tell(0, what);
            return Ok(());
        };
        let fen = match self.ours(&sum) {
            Ok(fen) => {
                if credit {
                    fen
                } else {
                    -fen
                }
            }
            Err(what) => {
                self.gathered.tell(0, format!("balance {code}: {what}"));
                return Ok(());
            }
        };
        match &*code {
            "OPBD" => self.statement.opening_fen = self.statement.opening_fen.or(Some(fen)),
            "PRCD" => self.previous = self.previous.or(Some(fen)),
            _ => self.statement.closing_fen = Some(fen),
        }
        Ok(())
    }

    /// The hundredths of a sum in the statement's currency, which the first sum says where the
    /// account does not.
    fn ours(&mut self, sum: &Sum) -> Result<i64, String> {
        let fen = sum.hundredths.clone()?;
        let own = &mut self.statement.currency;
        if own.is_empty() {
            own.clone_from(&sum.currency);
        }
        if sum.currency.is_empty() || sum.currency == *own {
            return Ok(fen);
        }
        Err(format!(
            "{} in a statement of {own}, not in its sum; expected one currency",
            sum.currency
        ))
    }

    fn entry(&mut self, walk: &mut Walk<'_>) -> Taken {
        let mut entry = Entry::default();
        let details = &mut self.details;
        details.clear();
        walk.children(|walk, element| {
            match element.name() {
                "Amt" => entry.sum = Some(Sum::read(walk, element)?),
                "CdtDbtInd" => entry.credit = is_credit(&walk.text()?),
                "RvslInd" => entry.reversal = matches!(&*walk.text()?, "true" | "1"),
                "Sts" => entry.status = coded(walk)?,
                "BookgDt" => booked(walk, &mut entry.day)?,
                "AcctSvcrRef" => entry.bank_ref = kept(walk)?,
                "BkTxCd" => code_returns(walk, &mut entry.returned)?,
                "AddtlNtryInf" => join(&mut entry.words, &walk.text()?),
                "NtryDtls" => walk.children(|walk, element| match element.name() {
                    "Btch" => batch(walk, entry.batch.get_or_insert_default()),
                    "TxDtls" => {
                        details.push(detail(walk)?);
                        Ok(())
                    }
                    _ => walk.skip(),
                })?,
                _ => walk.skip()?,
            }
            Ok(())
        })?;
        self.close(entry);
        Ok(())
    }

    /// An entry that is read becomes its answers.
    fn close(&mut self, mut entry: Entry) {
        let record = self.gathered.number();
        let (fen, credit) = match entry.read_sum() {
            Ok(read) => read,
            Err(what) => {
                self.gathered.tell(record, format!("entry unread: {what}"));
                return;
            }
        };
        let booked = entry.status.eq_ignore_ascii_case("BOOK");
        if booked {
            let sum = entry.sum.clone();
            match sum.map(|sum| self.ours(&sum)) {
                Some(Ok(fen)) => self.entries += i128::from(if credit { fen } else { -fen }),
                Some(Err(what)) => self.gathered.tell(record, what),
                None => {}
            }
        }
        let mut details = std::mem::take(&mut self.details);
        let whole_batch = details.is_empty() && entry.batch.is_some();
        let count = entry.batch.as_ref().and_then(|batch| batch.count);
        let mut believed = booked && self.kind != AnswerKind::Camt052;
        if believed
            && !details.is_empty()
            && let Some(what) = untied(&details, &entry, (fen, credit), count)
        {
            self.gathered.tell(record, what);
            believed = false;
        }
        let place = (entry.batch.is_some() || details.len() > 1).then(|| {
            let batch = entry.batch.take().unwrap_or_default();
            let batch_ref = [batch.reference, batch.message_id, entry.bank_ref.clone()];
            self.message.batches.push(BatchEntry {
                amount_fen: fen,
                count: batch.count,
                batch_ref: batch_ref.into_iter().find(|id| !id.is_empty()).unwrap_or_default(),
                details: u32::try_from(details.len()).unwrap_or(u32::MAX),
                record,
            });
            u32::try_from(self.message.batches.len() - 1).unwrap_or(u32::MAX)
        });
        if details.is_empty() {
            details.push(Detail::default());
        }
        let single = place.is_none() || whole_batch;
        let alone = single || details.len() == 1 && count.is_none_or(|count| count <= 1);
        for mut detail in details.drain(..) {
            let record = if single { record } else { self.gathered.number() };
            let answer = &mut detail.answer;
            answer.record = record;
            answer.batch = place;
            if whole_batch {
                answer.scope = Scope::Batch;
            }
            if let Some(place) = place
                && answer.batch_ref.is_empty()
                && let Some(batch) = self.message.batches.get(place as usize)
            {
                answer.batch_ref.clone_from(&batch.batch_ref);
            }
            let one = alone.then_some(fen);
            match self.told(detail, &entry, (credit, believed), one) {
                Ok(answer) => self.message.answers.push(answer),
                Err(what) => self.gathered.tell(record, format!("detail unread: {what}")),
            }
        }
        self.details = details;
    }

    /// The answer of a detail; `whole` is the entry's amount where the detail is all of it,
    /// `believed` whether it is booked and to be believed.
    fn told(
        &self,
        detail: Detail,
        entry: &Entry,
        (credit, believed): (bool, bool),
        whole: Option<i64>,
    ) -> Result<Answer, String> {
        let Detail { mut answer, sum, instructed, credit: own, returned, message_id, .. } = detail;
        let (debtor, creditor, words) = (detail.debtor, detail.creditor, detail.words);
        let credit = own.unwrap_or(credit);
        let returned = returned || entry.returned || entry.reversal;
        answer.said = match (believed, credit) {
            (false, _) => Said::Pending,
            (true, false) => Said::Paid,
            (true, true) if returned => Said::Returned,
            (true, true) => Said::Credit,
        };
        answer.reversal = entry.reversal;
        answer.status.clone_from(&entry.status);
        answer.bank_date = entry.day;
        if answer.bank_ref.is_empty() {
            answer.bank_ref.clone_from(&entry.bank_ref);
        }
        if answer.batch_ref.is_empty() {
            answer.batch_ref = message_id;
        }
        let currency = entry.sum.as_ref().map(|sum| &*sum.currency).unwrap_or_default();
        let (ours, foreign) = match instructed {
            Some(sum) if *sum.currency == *currency => (Some(sum), None),
            other => (None, other),
        };
        if let Some(sum) = sum.or(ours) {
            answer.amount_fen = Some(sum.hundredths?);
            answer.currency = sum.currency;
        } else if let Some(fen) = whole {
            answer.amount_fen = Some(fen);
            answer.currency = Box::from(currency);
        } else if let Some(sum) = foreign {
            answer.amount_fen = Some(sum.hundredths?);
            answer.currency = sum.currency;
        }
        // On a credit the other side is who sends it. Banks that keep the sides of the payment that
        // comes back name us there, and then it is the payee.
        let other = |party: &Party| {
            !party.account_no.is_empty() && party.account_no != self.statement.account_no
        };
        let party = if credit && (other(&debtor) || !other(&creditor)) { debtor } else { creditor };
        answer.account_no = party.account_no;
        answer.account_name = party.name;
        if answer.said != Said::Paid || returned {
            let mut words = words.into_iter().chain([entry.words.clone()]);
            answer.reason = words.find(|words| !words.is_empty()).unwrap_or_default().into();
        }
        Ok(answer)
    }
}
