//! A bank of ours: it reads payment files, keeps its own books of every movement, and answers in
//! whatever message it likes. It knows nothing of the engine; what it expects of a reconciliation
//! follows from what it did.

use super::desk::{OURS, corrected};
use super::orders::{Fate, Order, Want, read_orders};
use super::paper::{self, Detail, Entry, Line, Status};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

/// Days of the rounds; account and amount tell until ten days after the release.
const DAYS: [&str; 4] = ["2026-10-12", "2026-10-14", "2026-10-16", "2026-10-18"];

/// The bank.
pub(super) struct Bank {
    seed: u64,
    pub(super) orders: Vec<Order>,
    /// Balance of the bureau's account.
    balance: i64,
    /// Every movement of it: our payment or none, and fen that left.
    pub(super) movements: Vec<(Option<usize>, i64)>,
    /// Whether every movement is on a statement.
    statements: bool,
    number: u32,
    round: usize,
    /// Bookings it told that no payment of ours can be told by.
    pub(super) loose: BTreeMap<&'static str, usize>,
    strays: bool,
}

/// What is said in one round.
#[derive(Default)]
struct Post {
    entries: Vec<Entry>,
    notes: Vec<Entry>,
    reports: BTreeMap<String, Vec<Status>>,
    vouchers: BTreeMap<String, Vec<Detail>>,
    refunds: BTreeMap<String, Vec<Detail>>,
    rows: Vec<Line>,
    lines: Vec<Line>,
}

impl Bank {
    pub(super) fn new(seed: u64) -> Self {
        let mut bank = Self {
            seed: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1,
            orders: Vec::new(),
            balance: 100_000_000,
            movements: Vec::new(),
            statements: true,
            number: 0,
            round: 0,
            loose: BTreeMap::new(),
            strays: true,
        };
        bank.statements = bank.one_in(2);
        bank
    }

    /// No money that nobody knows, none that cannot be told apart.
    pub(super) const fn without_strays(mut self) -> Self {
        self.strays = false;
        self
    }

    /// The next number of a plain sequence.
    fn draw(&mut self) -> u64 {
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 7;
        self.seed ^= self.seed << 17;
        self.seed
    }

    pub(super) fn below(&mut self, most: u64) -> u64 {
        (self.draw() >> 11) % most
    }

    fn one_in(&mut self, of: u64) -> bool {
        self.below(of) == 0
    }

    fn next_ref(&mut self) -> String {
        self.number += 1;
        format!("R{:06}", self.number)
    }

    /// Takes the orders of a release, with a fate for each; `fixed` where it is not to be drawn.
    pub(super) fn take(&mut self, folder: &Path, first: bool, fixed: Option<&[Fate]>) {
        use Fate::{
            HalfTwins, InBatch, Late, NoId, OtherAccount, Partial, PendingReject, Reject,
            RejectAndReturn, Rest, ReturnLater, ReturnNow, Silence, Success, TooLittle, TooMuch,
            Twice, TwiceAndBack, TwinsNoId,
        };
        let all = [
            Success,
            Success,
            Success,
            Reject,
            Partial,
            Rest,
            ReturnNow,
            ReturnLater,
            RejectAndReturn,
            TwiceAndBack,
            Twice,
            OtherAccount,
            TooMuch,
            TooLittle,
            Late,
            Silence,
            PendingReject,
            NoId,
        ];
        let again = [Success, Success, Reject, Partial, ReturnNow, Twice, Silence];
        let from = self.orders.len();
        self.orders.extend(read_orders(folder));
        for at in from..self.orders.len() {
            let pool: &[Fate] = if first { &all } else { &again };
            self.orders[at].fate = match fixed {
                Some(fates) => fates[(at - from) % fates.len()],
                None => pool[usize::try_from(self.below(pool.len() as u64)).unwrap()],
            };
        }
        if !first || fixed.is_some() {
            return;
        }
        // Twins of an institution, one fate for both; a booking without id tells a single payment only.
        for at in from..self.orders.len() {
            let of = self.orders[at].clone();
            let twin = |(place, other): (usize, &Order)| {
                let same = (&other.account, other.amount) == (&of.account, of.amount);
                (place > at && same).then_some(place)
            };
            let Some(twin) = self.orders.iter().enumerate().find_map(twin) else { continue };
            let pair = if self.one_in(3) {
                Some(TwinsNoId)
            } else if self.strays && self.one_in(6) {
                Some(HalfTwins)
            } else {
                None
            };
            for place in [at, twin] {
                if let Some(fate) = pair {
                    self.orders[place].fate = fate;
                } else if self.orders[place].fate == NoId {
                    self.orders[place].fate = Success;
                }
            }
        }
        // One batch in some cases is booked in one sum.
        if self.one_in(3) {
            let batch = self.orders[from].batch.clone();
            for of in self.orders[from..].iter_mut().filter(|of| of.batch == batch) {
                of.fate = InBatch;
            }
        }
        // A twin whose other half went into a batch is no pair any more.
        for at in from..self.orders.len() {
            let of = self.orders[at].clone();
            let pair = |other: &&Order| {
                (&other.account, other.amount, other.fate) == (&of.account, of.amount, of.fate)
            };
            let lone = self.orders.iter().filter(pair).count() == 1;
            if lone && matches!(of.fate, TwinsNoId | HalfTwins) {
                self.orders[at].fate = Success;
            }
        }
    }

    fn moved(&mut self, of: Option<usize>, fen: i64) {
        self.balance -= fen;
        self.movements.push((of, fen));
    }

    /// Books money that left for an order and tells it; gives the reference.
    fn debit(&mut self, at: usize, fen: i64, account: &str, id: bool, post: &mut Post) -> String {
        let bank_ref = self.next_ref();
        self.moved(Some(at), fen);
        self.orders[at].net += fen;
        let entry = Entry {
            fen,
            day: DAYS[self.round.min(3)].to_owned(),
            bank_ref: bank_ref.clone(),
            end_to_end_id: if id { self.orders[at].end_to_end_id.clone() } else { String::new() },
            account: account.to_owned(),
            ..Entry::default()
        };
        if self.statements {
            post.entries.push(entry);
        } else {
            post.notes.push(entry);
        }
        bank_ref
    }

    /// Books money that came back.
    fn credit(&mut self, at: usize, fen: i64, code: &str, post: &mut Post) {
        let bank_ref = self.next_ref();
        self.moved(Some(at), -fen);
        self.orders[at].net -= fen;
        let of = self.orders[at].clone();
        let refund = Detail {
            id: of.payment_no.clone(),
            account: of.account.clone(),
            asked: fen,
            bank_ref: bank_ref.clone(),
            hold: if self.one_in(2) { of.end_to_end_id.clone() } else { String::new() },
            ..Detail::default()
        };
        let treasury = self.one_in(3);
        if treasury {
            post.refunds.entry(of.batch.clone()).or_default().push(refund);
        }
        if self.statements || !treasury {
            let entry = Entry {
                credit: true,
                fen,
                day: DAYS[self.round.min(3)].to_owned(),
                bank_ref,
                end_to_end_id: of.end_to_end_id,
                account: of.account,
                code: code.to_owned(),
                details: None,
            };
            if self.statements { post.entries.push(entry) } else { post.notes.push(entry) }
        }
    }

    /// Tells a full payment besides its booking, in some of the ways there are.
    fn tell_paid(&mut self, at: usize, bank_ref: &str, post: &mut Post) {
        if self.one_in(2) {
            self.status(at, "ACSC", "", post);
        }
        let amount = self.orders[at].amount;
        if self.one_in(3) {
            self.fill(at, Some(amount), bank_ref, "", "", post);
        }
        if self.one_in(4) {
            let line = self.line(at, "paid", amount, "", bank_ref);
            if self.one_in(2) { post.rows.push(line) } else { post.lines.push(line) }
        }
    }

    fn line(&self, at: usize, said: &'static str, fen: i64, code: &str, bank_ref: &str) -> Line {
        let of = &self.orders[at];
        Line {
            end_to_end_id: of.end_to_end_id.clone(),
            payment_no: of.payment_no.clone(),
            account: of.account.clone(),
            said,
            fen,
            code: code.to_owned(),
            day: DAYS[self.round.min(3)].to_owned(),
            bank_ref: bank_ref.to_owned(),
        }
    }

    fn status(&self, at: usize, word: &'static str, code: &str, post: &mut Post) {
        let of = &self.orders[at];
        post.reports.entry(of.message.clone()).or_default().push(Status {
            end_to_end_id: of.end_to_end_id.clone(),
            word,
            code: code.to_owned(),
            day: DAYS[self.round.min(3)].to_owned(),
        });
    }

    /// Fills a detail of the voucher in.
    fn fill(
        &self,
        at: usize,
        paid: Option<i64>,
        bank_ref: &str,
        account: &str,
        code: &str,
        post: &mut Post,
    ) {
        let of = &self.orders[at];
        post.vouchers.entry(of.batch.clone()).or_default().push(Detail {
            id: of.payment_no.clone(),
            account: of.account.clone(),
            asked: of.amount,
            paid,
            bank_ref: bank_ref.to_owned(),
            paid_account: account.to_owned(),
            code: code.to_owned(),
            day: DAYS[self.round.min(3)].to_owned(),
            hold: of.end_to_end_id.clone(),
        });
    }

    fn refuse(&mut self, at: usize, code: &str, post: &mut Post) {
        let amount = self.orders[at].amount;
        match self.below(4) {
            0 => self.fill(at, None, "", "", code, post),
            1 => post.rows.push(self.line(at, "rejected", amount, code, "")),
            2 => post.lines.push(self.line(at, "rejected", amount, code, "")),
            _ => self.status(at, "RJCT", code, post),
        }
        self.set(at, (0, amount, 0, 0), "REJECTED", code);
    }

    /// What the payment is now: paid, rejected, returned, excess.
    fn set(&mut self, at: usize, fen: (i64, i64, i64, i64), class: &'static str, code: &str) {
        let (paid, rejected, returned, excess) = fen;
        self.orders[at].want =
            Want { paid, rejected, returned, excess, class, code: code.to_owned() };
    }

    /// One more round: what becomes of every order, and the files that tell it.
    pub(super) fn round(&mut self) -> Vec<(String, Vec<u8>)> {
        let opening = self.balance;
        let mut post = Post::default();
        for at in 0..self.orders.len() {
            self.step(at, &mut post);
            self.orders[at].age += 1;
        }
        self.book_batches(&mut post);
        if self.strays && self.one_in(2) {
            self.stray(&mut post);
        }
        let written = self.write(opening, &post);
        self.round += 1;
        written
    }

    fn step(&mut self, at: usize, post: &mut Post) {
        let Order { fate, age, amount, account, .. } = self.orders[at].clone();
        let code = ["AC04", "AC01", "AM04"][usize::try_from(self.below(3)).unwrap()];
        // What comes back may be told without its code, too: it blames the account then.
        let back = if code == "AM04" { "AC04" } else { code };
        let part = amount / 3;
        let all = (amount, 0, 0, 0);
        match (fate, age) {
            (Fate::Success | Fate::ReturnLater, 0) | (Fate::Late, 1) => {
                let bank_ref = self.debit(at, amount, &account, true, post);
                self.tell_paid(at, &bank_ref, post);
                self.set(at, all, "PAID", "");
            }
            // The payee's bank has it too: the same payment, told once more on another day.
            (Fate::Success, 1) if self.one_in(3) => self.status(at, "ACCC", "", post),
            (Fate::Reject, 0) | (Fate::PendingReject, 1) => self.refuse(at, code, post),
            (Fate::PendingReject, 0) => self.status(at, "ACSP", "", post),
            (Fate::Partial, 0) => {
                let bank_ref = self.debit(at, part, &account, true, post);
                self.fill(at, Some(part), &bank_ref, "", "03", post);
                self.set(at, (part, amount - part, 0, 0), "PAID_PARTIAL", "03");
            }
            (Fate::Rest, 0) => {
                self.debit(at, part, &account, true, post);
                self.set(at, (part, 0, 0, 0), "PAID_PARTIAL", "");
            }
            (Fate::Rest, 1) => {
                self.debit(at, amount - part, &account, true, post);
                self.set(at, all, "PAID", "");
            }
            (Fate::ReturnNow | Fate::RejectAndReturn, 0) => {
                let bank_ref = self.debit(at, amount, &account, true, post);
                if fate == Fate::RejectAndReturn {
                    self.status(at, "RJCT", back, post);
                } else {
                    self.tell_paid(at, &bank_ref, post);
                }
                self.give_back(at, back, post);
            }
            (Fate::ReturnLater, 1) => self.give_back(at, back, post),
            (Fate::TwiceAndBack | Fate::Twice, 0) => {
                self.debit(at, amount, &account, true, post);
                self.debit(at, amount, &account, true, post);
                self.set(at, (amount, 0, 0, amount), "DUPLICATE_BANK", "");
            }
            (Fate::TwiceAndBack, 1) => {
                self.credit(at, amount, "DUPL", post);
                self.set(at, all, "PAID", "");
            }
            (Fate::OtherAccount, 0) => {
                let bank_ref = self.debit(at, amount, "8888000001", true, post);
                if self.one_in(2) {
                    self.fill(at, Some(amount), &bank_ref, "8888000001", "", post);
                }
                self.set(at, all, "ACCOUNT_DIFF", "");
            }
            (Fate::TooMuch, 0) => {
                self.debit(at, amount + 7, &account, true, post);
                self.set(at, (amount, 0, 0, 7), "AMOUNT_DIFF", "");
            }
            (Fate::TooLittle, 0) => {
                self.debit(at, amount - 7, &account, true, post);
                self.set(at, (amount - 7, 0, 0, 0), "PAID_PARTIAL", "");
            }
            (Fate::NoId | Fate::TwinsNoId, 0) => {
                self.debit(at, amount, &account, false, post);
                self.set(at, all, "PAID", "");
            }
            (Fate::HalfTwins, 0) => self.half_twins(at, post),
            _ => {}
        }
    }

    fn give_back(&mut self, at: usize, code: &str, post: &mut Post) {
        let amount = self.orders[at].amount;
        let refunds: usize = post.refunds.values().map(Vec::len).sum();
        self.credit(at, amount, code, post);
        // A notice of the treasury tells no code that anybody here knows.
        let told = post.refunds.values().map(Vec::len).sum::<usize>() == refunds;
        self.set(at, (0, 0, amount, 0), "RETURNED", if told { code } else { "" });
    }

    /// The first of a pair is booked without id: which of the two, nobody can tell.
    fn half_twins(&mut self, at: usize, post: &mut Post) {
        let of = self.orders[at].clone();
        let first = self.orders.iter().position(|other| {
            (&other.account, other.amount, other.fate) == (&of.account, of.amount, of.fate)
        });
        if first == Some(at) {
            self.debit(at, of.amount, &of.account, false, post);
            // Whose money it was cannot be told.
            self.orders[at].net = 0;
            self.movements.last_mut().unwrap().0 = None;
            *self.loose.entry("DUPLICATE_OURS").or_default() += 1;
        }
    }

    /// Batches that are booked in one sum, with or without their details.
    fn book_batches(&mut self, post: &mut Post) {
        let mut batches: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (at, of) in self.orders.iter().enumerate() {
            if of.fate == Fate::InBatch && of.age == 1 {
                batches.entry(of.batch.clone()).or_default().push(at);
            }
        }
        for (batch, places) in batches {
            let told = self.one_in(2);
            let (bank_ref, mut details, mut sum) = (self.next_ref(), String::new(), 0);
            for at in places {
                let of = self.orders[at].clone();
                sum += of.amount;
                self.moved(Some(at), of.amount);
                self.orders[at].net += of.amount;
                self.set(at, (of.amount, 0, 0, 0), "PAID", "");
                if told {
                    let _ = write!(
                        details,
                        "<TxDtls><Refs><EndToEndId>{}</EndToEndId></Refs><AmtDtls><TxAmt>\
                         <Amt Ccy=\"CNY\">{}</Amt></TxAmt></AmtDtls></TxDtls>",
                        of.end_to_end_id,
                        paper::yuan(of.amount)
                    );
                }
            }
            let entry = Entry {
                fen: sum,
                day: DAYS[self.round.min(3)].to_owned(),
                bank_ref,
                details: Some(format!("<Btch><PmtInfId>{batch}</PmtInfId></Btch>{details}")),
                ..Entry::default()
            };
            if self.statements { post.entries.push(entry) } else { post.notes.push(entry) }
        }
    }

    /// Money nobody here knows.
    fn stray(&mut self, post: &mut Post) {
        let credit = self.one_in(2);
        let fen = 12_345;
        self.moved(None, if credit { -fen } else { fen });
        let entry = Entry {
            credit,
            fen,
            day: DAYS[self.round.min(3)].to_owned(),
            bank_ref: self.next_ref(),
            account: "7777000001".to_owned(),
            ..Entry::default()
        };
        *self.loose.entry("UNKNOWN_EXTERNAL").or_default() += 1;
        if self.statements { post.entries.push(entry) } else { post.notes.push(entry) }
    }

    /// The files of a round, each message with its own id; names tell nothing.
    fn write(&mut self, opening: i64, post: &Post) -> Vec<(String, Vec<u8>)> {
        let round = self.round;
        let mut files: Vec<Vec<u8>> = Vec::new();
        if self.statements {
            let id = format!("S{round}");
            let (text, closing) = paper::camt053(&id, OURS, opening, &post.entries);
            assert_eq!(closing, self.balance);
            files.push(text.into_bytes());
        }
        if !post.notes.is_empty() {
            files.push(paper::camt054(&format!("N{round}"), &post.notes).into_bytes());
        }
        for (at, (message, of)) in post.reports.iter().enumerate() {
            files.push(paper::pain002(&format!("P{round}-{at}"), message, of).into_bytes());
        }
        for (batch, of) in &post.vouchers {
            files.push(paper::voucher(&format!("{batch}A{round}"), batch, of));
        }
        for (batch, of) in &post.refunds {
            files.push(paper::refund(&format!("{batch}T{round}"), batch, DAYS[round.min(3)], of));
        }
        if !post.rows.is_empty() {
            files.push(paper::table(&post.rows).into_bytes());
        }
        if !post.lines.is_empty() {
            files.push(paper::pipe(&post.lines));
        }
        if files.is_empty() {
            files.push(paper::camt054(&format!("N{round}"), &[]).into_bytes());
        }
        let mut named = Vec::new();
        for bytes in files {
            let name = format!("{round}-{:08}.dat", self.below(100_000_000));
            named.push((name, bytes));
        }
        named
    }

    /// Whether an order went to a corrected account.
    pub(super) fn is_corrected(of: &Order) -> bool {
        of.account == corrected(of.institution)
    }
}
