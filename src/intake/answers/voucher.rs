//! Treasury vouchers 凭证 that answer: 8207 with its X-fields filled in, and 2252.
//!
//! Either bare or base64 inside `MOF/VoucherBody/Voucher`; names in any case, fields as elements or
//! attributes, details wherever they stand.

use super::parts::join;
use super::xml::{Broken, Element, Next, Taken, Walk, element, text_of};
use super::{Gathered, day, hundredths, message, only_success, shown};
use crate::domain::{Answer, AnswerKind, AnswerMessage, Said};
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

const MAIN: &[&str] = &[
    "VtCode",
    "VoucherNo",
    "VouDate",
    "OriginalVtCode",
    "OriginalVoucherNo",
    "OriBillNo",
    "Id",
    "SumAmt",
    "XSumAmt",
    "PayAmt",
    "PayDate",
    "XPayDate",
    "Remark",
    "Return_Reason",
];
const DETAIL: &[&str] = &[
    "Id",
    "OriVoucherNo",
    "VoucherBillId",
    "PayeeAcctNo",
    "PayeeAcctName",
    "PayAmt",
    "Remark",
    "XPayDate",
    "XAgentBusinessNo",
    "XPayAmt",
    "XPayeeAcctNo",
    "XAddWordCode",
    "XAddWord",
    "Hold1",
];

/// Padding as it comes.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Values of the listed fields; others are passed over.
struct Fields {
    names: &'static [&'static str],
    values: Vec<String>,
}

impl Fields {
    fn new(names: &'static [&'static str]) -> Self {
        Self { names, values: vec![String::new(); names.len()] }
    }

    fn place(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|known| known.eq_ignore_ascii_case(name))
    }

    /// Keeps a value; a blank one replaces nothing.
    fn set(&mut self, name: &str, text: &str) {
        if let Some(at) = self.place(name)
            && !text.is_empty()
        {
            text.clone_into(&mut self.values[at]);
        }
    }

    fn get(&self, name: &str) -> &str {
        self.place(name).map_or("", |at| &self.values[at])
    }

    /// The first of the named fields that is filled.
    fn first(&self, names: &[&str]) -> &str {
        names.iter().map(|name| self.get(name)).find(|text| !text.is_empty()).unwrap_or_default()
    }

    fn clear(&mut self) {
        self.values.iter_mut().for_each(String::clear);
    }
}

/// A voucher as far as it is read.
struct Voucher {
    main: Fields,
    detail: Fields,
    kind: Option<AnswerKind>,
    answers: Vec<Answer>,
    /// Sums of `PayAmt` and `XPayAmt`, while every detail has been read.
    sums: Option<(i128, i128)>,
    details: u32,
    /// Details that stand before the kind is known.
    early: u32,
}

/// Reads a `VoucherBody` with the vouchers in it.
pub(super) fn body(walk: &mut Walk<'_>, body: &Element<'_, '_>, gathered: &mut Gathered) -> Taken {
    let mut outer = Fields::new(MAIN);
    body.attributes(|name, value| outer.set(name, value));
    let mut found = false;
    // Details that say nothing in vouchers before a reason of return.
    let mut open = 0;
    walk.children(|walk, element| {
        if element.name().eq_ignore_ascii_case("Voucher") {
            found = true;
            let before = gathered.messages.len();
            one(walk, element, &outer, gathered)?;
            if outer.get("Return_Reason").is_empty() {
                let messages = gathered.messages.get(before..).unwrap_or_default();
                open += messages.iter().map(|message| unsaid(&message.answers)).sum::<usize>();
            }
            return Ok(());
        }
        let name = element.name().to_owned();
        outer.set(&name, &walk.text()?);
        Ok(())
    })?;
    if !found {
        let no = shown(outer.get("VoucherNo"));
        gathered.tell(0, format!("VoucherBody {no:?} without a Voucher; expected one in it"));
    }
    let called = format!("voucher {:?}", shown(outer.get("VoucherNo")));
    came_back(&called, outer.get("Return_Reason"), open, gathered);
    Ok(())
}

/// Answers that say nothing yet.
fn unsaid(answers: &[Answer]) -> usize {
    answers.iter().filter(|answer| answer.said == Said::Pending).count()
}

/// Tells a reason of return beside details that say nothing: whether such a voucher was refused,
/// and with what, its details do not say.
fn came_back(called: &str, why: &str, open: usize, gathered: &mut Gathered) {
    if why.is_empty() || open == 0 {
        return;
    }
    let why = shown(why);
    let what = format!(
        "{called} came back with Return_Reason {why:?}, {open} of its details say nothing; \
         expected XPayAmt or XAddWord; hint: ask whether all of it was refused"
    );
    gathered.tell(0, what);
}

/// Reads a `Voucher` that stands by itself.
pub(super) fn bare(
    walk: &mut Walk<'_>,
    voucher: &Element<'_, '_>,
    gathered: &mut Gathered,
) -> Taken {
    one(walk, voucher, &Fields::new(MAIN), gathered)
}

/// One `Voucher`: fields as they stand, or base64 of a document that holds them.
fn one(
    walk: &mut Walk<'_>,
    start: &Element<'_, '_>,
    outer: &Fields,
    gathered: &mut Gathered,
) -> Taken {
    let mut voucher = Voucher::new(outer);
    let before = (gathered.record, gathered.unread.len());
    start.attributes(|name, value| voucher.main.set(name, value));
    let packed =
        walk.content(usize::MAX, |walk, element| voucher.field(walk, element, gathered))?;
    if packed.is_empty() {
        voucher.finish(gathered);
        return Ok(());
    }
    // A voucher that cannot be unpacked does not spoil the next one in the file.
    let mut inner = Voucher::new(outer);
    match unpacked(&packed, &mut inner, gathered) {
        Ok(()) => inner.finish(gathered),
        Err(what) => {
            gathered.record = before.0;
            gathered.unread.truncate(before.1);
            let no = shown(outer.get("VoucherNo"));
            let what = format!("voucher {no:?} unread as a whole: {what}; expected base64 of XML");
            gathered.tell(0, what);
        }
    }
    Ok(())
}

fn unpacked(packed: &str, voucher: &mut Voucher, gathered: &mut Gathered) -> Result<(), String> {
    let packed: Vec<u8> = packed.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let bytes = BASE64.decode(packed).map_err(|error| format!("its base64 is broken: {error}"))?;
    let text = text_of(&bytes)?;
    let text = text.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    if !text.starts_with('<') {
        return Err("no XML inside".to_owned());
    }
    let mut walk = Walk::new(text);
    document(&mut walk, voucher, gathered).map_err(|Broken(what)| format!("inside, {what}"))
}

fn document(walk: &mut Walk<'_>, voucher: &mut Voucher, gathered: &mut Gathered) -> Taken {
    while let Next::Open(start) = walk.next()? {
        let element = element(&start);
        element.attributes(|name, value| voucher.main.set(name, value));
        walk.children(|walk, element| voucher.field(walk, element, gathered))?;
    }
    Ok(())
}

impl Voucher {
    fn new(outer: &Fields) -> Self {
        let mut main = Fields::new(MAIN);
        main.values.clone_from(&outer.values);
        Self {
            main,
            detail: Fields::new(DETAIL),
            kind: None,
            answers: Vec::new(),
            sums: Some((0, 0)),
            details: 0,
            early: 0,
        }
    }

    /// A field of the main part, a list of details, or a detail.
    fn field(
        &mut self,
        walk: &mut Walk<'_>,
        element: &Element<'_, '_>,
        gathered: &mut Gathered,
    ) -> Taken {
        let name = element.name();
        if !name.eq_ignore_ascii_case("Detail") {
            let text = walk.content(super::xml::LONGEST, |walk, element| {
                self.field(walk, element, gathered)
            })?;
            self.main.set(name, &text);
            return Ok(());
        }
        let detail = &mut self.detail;
        detail.clear();
        element.attributes(|name, value| detail.set(name, value));
        walk.children(|walk, element| {
            let text = walk.text()?;
            detail.set(element.name(), &text);
            Ok(())
        })?;
        self.details = self.details.saturating_add(1);
        let record = gathered.number();
        let read = match self.kind_known() {
            Some(AnswerKind::Return2252) => self.returned().map(|answer| (answer, None)),
            Some(_) => self.paid(),
            None => {
                // Told once, of the whole voucher.
                self.early += 1;
                self.sums = None;
                return Ok(());
            }
        };
        match read {
            Ok((mut answer, beside)) => {
                answer.record = record;
                self.answers.push(answer);
                if let Some(what) = beside {
                    let id = shown(self.detail.get("Id"));
                    gathered.tell(record, format!("detail {id:?}: {what}"));
                }
            }
            Err(what) => {
                self.sums = None;
                gathered.tell(record, format!("detail {:?}: {what}", shown(self.detail.get("Id"))));
            }
        }
        Ok(())
    }

    /// The kind: by its code, or, without one, by fields that only one of them has.
    fn kind_known(&mut self) -> Option<AnswerKind> {
        if self.kind.is_none() {
            self.kind = match self.main.get("VtCode") {
                "8207" => Some(AnswerKind::Voucher8207),
                "2252" => Some(AnswerKind::Return2252),
                "" => {
                    let of_return = self.main.first(&["OriBillNo"]).len()
                        + self.detail.first(&["VoucherBillId"]).len();
                    let of_batch = self.main.first(&["SumAmt", "XSumAmt", "OriginalVtCode"]).len()
                        + self.detail.first(&["OriVoucherNo", "XPayAmt", "XAddWordCode"]).len();
                    match (of_return, of_batch) {
                        (1.., 0) => Some(AnswerKind::Return2252),
                        (0, 1..) => Some(AnswerKind::Voucher8207),
                        _ => None,
                    }
                }
                _ => None,
            };
        }
        self.kind
    }

    /// A detail of an 8207.
    ///
    /// Something paid is `Paid` with that amount, be it less than was asked; a reason with nothing paid
    /// is a refusal; neither decides nothing, whatever a nought in `XPayAmt` may be. Beside the
    /// answer stands what is to be told of it: a reason where all is paid.
    fn paid(&mut self) -> Result<(Answer, Option<String>), String> {
        let detail = &self.detail;
        let asked = amount(detail.get("PayAmt"), "PayAmt")?;
        let paid = amount(detail.get("XPayAmt"), "XPayAmt")?;
        if let Some(below) = asked.into_iter().chain(paid).find(|fen| *fen < 0) {
            return Err(format!("amount {below} hundredths; expected none below zero in an 8207"));
        }
        let (code, words) = (detail.get("XAddWordCode"), detail.get("XAddWord"));
        let said = !code.is_empty() || !words.is_empty();
        let reason = said && !only_success(code, words);
        let mut beside = None;
        let mut answer = self.detailed();
        let detail = &self.detail;
        answer.voucher_no = detail.get("OriVoucherNo").into();
        answer.bank_ref = detail.get("XAgentBusinessNo").into();
        answer.bank_date = day(detail.get("XPayDate"));
        if paid.is_some_and(|fen| fen > 0) {
            answer.said = Said::Paid;
            answer.amount_fen = paid;
            let accounts = ["XPayeeAcctNo", "PayeeAcctNo"];
            answer.account_no = detail.first(&accounts).into();
        } else {
            answer.amount_fen = asked;
            if reason {
                answer.said = Said::Rejected;
            }
        }
        // A partial payment says why it is one.
        if reason && (answer.said == Said::Rejected || paid != asked) {
            answer.reason_code = code.into();
            answer.reason = words.into();
        } else if reason {
            let (fen, code, words) = (paid.unwrap_or(0), shown(code), shown(words));
            beside = Some(format!(
                "paid in full, {fen} hundredths, with XAddWordCode {code:?} and XAddWord \
                 {words:?}; expected no reason beside a full payment; hint: ask whether it was paid"
            ));
        }
        answer.status = code.into();
        self.add(asked.unwrap_or(0), paid.unwrap_or(0));
        Ok((answer, beside))
    }

    /// A detail of a 2252: its amount stands below zero, and is money that came back.
    fn returned(&mut self) -> Result<Answer, String> {
        let told = amount(self.detail.get("PayAmt"), "PayAmt")?.unwrap_or(0);
        if told >= 0 {
            let found = shown(self.detail.get("PayAmt"));
            return Err(format!("PayAmt {found:?}; expected an amount below zero in a 2252"));
        }
        let mut answer = self.detailed();
        answer.said = Said::Returned;
        answer.amount_fen = Some(told.checked_neg().ok_or("an amount that is too large")?);
        answer.reason = self.detail.first(&["Remark"]).into();
        self.add(told, 0);
        Ok(answer)
    }

    /// What details of both kinds share.
    fn detailed(&self) -> Answer {
        let detail = &self.detail;
        let hold = detail.get("Hold1");
        let ours = hold.len() == 32 && hold.bytes().all(|byte| byte.is_ascii_hexdigit());
        Answer {
            instruction_id: detail.get("Id").into(),
            end_to_end_id: if ours { hold.into() } else { Box::from("") },
            account_no: detail.get("PayeeAcctNo").into(),
            account_name: detail.get("PayeeAcctName").into(),
            ..Answer::default()
        }
    }

    fn add(&mut self, asked: i64, paid: i64) {
        if let Some((all_asked, all_paid)) = &mut self.sums {
            *all_asked += i128::from(asked);
            *all_paid += i128::from(paid);
        }
    }

    /// The message of the voucher, or why it is none.
    fn finish(mut self, gathered: &mut Gathered) {
        let main = &self.main;
        let number = main.first(&["VoucherNo", "Id"]);
        let called = format!("voucher {:?}", shown(number));
        let Some(kind) = self.kind.or_else(|| {
            // Without details the code alone can say it.
            match main.get("VtCode") {
                "8207" => Some(AnswerKind::Voucher8207),
                "2252" => Some(AnswerKind::Return2252),
                _ => None,
            }
        }) else {
            let code = shown(main.get("VtCode"));
            let what =
                format!("{called} of kind {code:?}; expected VtCode 8207 or 2252, or their fields");
            return gathered.tell(0, what);
        };
        if self.details == 0 {
            return gathered.tell(0, format!("{called} without details; expected one a payment"));
        }
        if self.early > 0 {
            let early = self.early;
            gathered.tell(
                0,
                format!(
                    "{called}: {early} details stand before what tells its kind, unread; expected \
                     VtCode before them; hint: ask for the voucher with its VtCode"
                ),
            );
        }
        if let Some(sums) = self.sums {
            self.check_sums(kind, sums, &called, gathered);
        }
        let main = &self.main;
        let mut found: AnswerMessage = message(kind);
        found.message_id = match (number, main.get("VouDate")) {
            ("", only) | (only, "") => only.into(),
            (number, date) => format!("{number}/{date}").into(),
        };
        found.original_id = main.first(&["OriginalVoucherNo", "OriBillNo"]).into();
        let decided = day(main.first(if kind == AnswerKind::Return2252 {
            &["PayDate", "VouDate"]
        } else {
            &["XPayDate"]
        }));
        let mut remark = String::new();
        join(&mut remark, main.get("Remark"));
        for answer in &mut self.answers {
            if answer.said != Said::Pending {
                answer.bank_date = answer.bank_date.or(decided);
            }
            if kind == AnswerKind::Return2252 {
                answer.voucher_no = main.get("OriginalVoucherNo").into();
                if answer.reason.is_empty() {
                    answer.reason = Box::from(&*remark);
                }
            }
        }
        came_back(&called, main.get("Return_Reason"), unsaid(&self.answers), gathered);
        found.answers = self.answers;
        gathered.messages.push(found);
    }

    /// Tells a sum of the main part that its details do not come to; the details stand.
    fn check_sums(
        &self,
        kind: AnswerKind,
        (asked, paid): (i128, i128),
        called: &str,
        gathered: &mut Gathered,
    ) {
        let checks = match kind {
            AnswerKind::Return2252 => &[("PayAmt", asked)][..],
            _ => &[("SumAmt", asked), ("XSumAmt", paid)][..],
        };
        for (field, sum) in checks {
            let told = match amount(self.main.get(field), field) {
                Ok(None) => continue,
                Ok(Some(told)) => told,
                Err(what) => {
                    gathered.tell(0, format!("{called}: {what}"));
                    continue;
                }
            };
            if i128::from(told) != *sum {
                gathered.tell(0, format!(
                    "{called}: {field} is {told} hundredths, its details come to {sum}; expected \
                     the same; hint: ask whether details are missing"
                ));
            }
        }
    }
}

/// An amount of a field; `None` where it is blank.
fn amount(text: &str, field: &str) -> Result<Option<i64>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    hundredths(text).map(Some).map_err(|what| format!("{field}: {what}"))
}
