//! What a bank reads: the orders in the files of a release folder.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use regex::Regex;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// What the bank does with a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Success,
    Reject,
    /// A part is paid and the rest refused.
    Partial,
    /// A part is paid and the rest in the next round.
    Rest,
    /// Paid, and back in the same round.
    ReturnNow,
    /// Paid, and back in the next round.
    ReturnLater,
    RejectAndReturn,
    /// Paid twice, given back in the next round.
    TwiceAndBack,
    Twice,
    OtherAccount,
    TooMuch,
    TooLittle,
    /// Nothing in the first round, then as success.
    Late,
    Silence,
    /// First under way, then refused.
    PendingReject,
    /// The booking bears no id of ours.
    NoId,
    /// The same of a pair of equal account and amount, both.
    TwinsNoId,
    /// One of such a pair alone.
    HalfTwins,
    /// Booked in one sum with its batch.
    InBatch,
}

/// What the bank holds a payment to be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Want {
    pub(super) paid: i64,
    pub(super) rejected: i64,
    pub(super) returned: i64,
    pub(super) excess: i64,
    pub(super) class: &'static str,
    /// Reason of what failed.
    pub(super) code: String,
}

/// A payment order as the bank read it.
#[derive(Debug, Clone)]
pub(super) struct Order {
    pub(super) end_to_end_id: String,
    pub(super) payment_no: String,
    pub(super) batch: String,
    pub(super) message: String,
    pub(super) account: String,
    pub(super) institution: u32,
    pub(super) amount: i64,
    pub(super) fate: Fate,
    /// Rounds since it came.
    pub(super) age: usize,
    /// What of it stands told.
    pub(super) want: Want,
    /// Money that left for it, less what came back, as far as the bank told it with a name.
    pub(super) net: i64,
}

impl Order {
    pub(super) fn pending(&self) -> i64 {
        self.amount - self.want.paid - self.want.rejected - self.want.returned
    }
}

fn texts<'t>(text: &'t str, element: &str) -> Vec<&'t str> {
    let (open, close) = (format!("<{element}>"), format!("</{element}>"));
    text.split(&*open).skip(1).map(|rest| rest.split(&*close).next().unwrap()).collect()
}

fn fen(yuan: &str) -> i64 {
    yuan.replace('.', "").parse().unwrap()
}

/// The orders of a release folder by its pain.001, checked against its vouchers and batch text.
pub(super) fn read_orders(folder: &Path) -> Vec<Order> {
    let Ok(text) = fs::read_to_string(folder.join("pain001.xml")) else { return Vec::new() };
    let message = texts(&text, "MsgId")[0].to_owned();
    let mut orders = Vec::new();
    let amount = Regex::new("<InstdAmt Ccy=\"CNY\">([0-9.]+)</InstdAmt>").unwrap();
    for block in texts(&text, "PmtInf") {
        let batch = texts(block, "PmtInfId")[0];
        for of in texts(block, "CdtTrfTxInf") {
            let party = texts(of, "CdtrAcct")[0];
            let account = texts(texts(party, "Othr")[0], "Id")[0].to_owned();
            orders.push(Order {
                end_to_end_id: texts(of, "EndToEndId")[0].to_owned(),
                payment_no: texts(of, "InstrId")[0].to_owned(),
                batch: batch.to_owned(),
                message: message.clone(),
                institution: account[4..].parse().unwrap(),
                account,
                amount: fen(&amount.captures(of).unwrap()[1]),
                fate: Fate::Success,
                age: 0,
                want: Want { class: "MISSING_EXTERNAL", ..Want::default() },
                net: 0,
            });
        }
    }
    let known: BTreeSet<(String, String, i64)> = orders
        .iter()
        .map(|of| (of.payment_no.clone(), of.end_to_end_id.clone(), of.amount))
        .collect();
    assert_eq!(known.len(), orders.len());
    assert_eq!(in_vouchers(folder), known, "{}", folder.display());
    assert_eq!(in_batch_texts(folder), known, "{}", folder.display());
    orders
}

fn files<'f>(folder: &'f Path, head: &'f str) -> impl Iterator<Item = Vec<u8>> + 'f {
    let mut paths: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let named = move |path: &Path| path.file_name().unwrap().to_string_lossy().starts_with(head);
    paths.into_iter().filter(move |path| named(path)).map(|path| fs::read(path).unwrap())
}

fn in_vouchers(folder: &Path) -> BTreeSet<(String, String, i64)> {
    let mut found = BTreeSet::new();
    for bytes in files(folder, "voucher_8207_") {
        let outer = encoding_rs::GBK.decode(&bytes).0.into_owned();
        let inner = STANDARD.decode(texts(&outer, "Voucher")[0]).unwrap();
        let inner = encoding_rs::GBK.decode(&inner).0.into_owned();
        for of in texts(&inner, "Detail") {
            let text = |name| texts(of, name)[0].to_owned();
            assert!(found.insert((text("Id"), text("Hold1"), fen(&text("PayAmt")))));
        }
    }
    found
}

fn in_batch_texts(folder: &Path) -> BTreeSet<(String, String, i64)> {
    let mut found = BTreeSet::new();
    for bytes in files(folder, "pipe_batch_") {
        let text = encoding_rs::GBK.decode(&bytes).0.into_owned();
        for line in text.lines().filter(|line| !line.starts_with(['P', '#'])) {
            let of: Vec<&str> = line.split('|').collect();
            found.insert((of[7].to_owned(), of[6].to_owned(), of[5].parse().unwrap()));
        }
    }
    found
}
