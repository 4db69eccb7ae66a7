//! Where one payment stands by all that was said of it.

use crate::domain::{AnswerKind, Date, Said};
use crate::ledger::Told;

/// Classes of FORMATS 4, each with its next step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Class {
    /// All of it went out to the payee.
    Paid,
    /// A part of it did.
    PaidPartial,
    /// None of it did: the bank refused.
    Rejected,
    /// It went out and came back, or some of it did.
    Returned,
    /// The bank moved it twice.
    DuplicateBank,
    /// An answer fits several payments of ours.
    DuplicateOurs,
    /// The bank moved another amount than ours.
    AmountDiff,
    /// The bank paid another account than ours.
    AccountDiff,
    /// Money nobody here knows.
    UnknownExternal,
    /// Sent, and not decided yet.
    MissingExternal,
    /// An answer about a payment of another period.
    OutOfPeriod,
    /// A file or record that cannot be read or believed.
    Unreadable,
}

impl Class {
    /// All of them, in the order of reports.
    pub const ALL: [Self; 12] = [
        Self::Paid,
        Self::PaidPartial,
        Self::Rejected,
        Self::Returned,
        Self::DuplicateBank,
        Self::DuplicateOurs,
        Self::AmountDiff,
        Self::AccountDiff,
        Self::UnknownExternal,
        Self::MissingExternal,
        Self::OutOfPeriod,
        Self::Unreadable,
    ];

    /// The word in outputs.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Paid => "PAID",
            Self::PaidPartial => "PAID_PARTIAL",
            Self::Rejected => "REJECTED",
            Self::Returned => "RETURNED",
            Self::DuplicateBank => "DUPLICATE_BANK",
            Self::DuplicateOurs => "DUPLICATE_OURS",
            Self::AmountDiff => "AMOUNT_DIFF",
            Self::AccountDiff => "ACCOUNT_DIFF",
            Self::UnknownExternal => "UNKNOWN_EXTERNAL",
            Self::MissingExternal => "MISSING_EXTERNAL",
            Self::OutOfPeriod => "OUT_OF_PERIOD",
            Self::Unreadable => "UNREADABLE",
        }
    }
}

/// Where a payment stands: `amount = paid + rejected + returned + pending`, all in fen, none below
/// zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Went out and stayed out, up to the amount.
    pub paid: i64,
    /// Never left.
    pub rejected: i64,
    /// Left and came back.
    pub returned: i64,
    /// Not decided.
    pub pending: i64,
    /// Moved beyond the amount and not given back.
    pub excess: i64,
    /// What the bank holds moved, less what came back: `paid + excess`.
    pub bank_fen: i64,
    /// Class.
    pub class: Class,
    /// A report rejects what a booking paid: the booking counts, a person should ask.
    pub contradicted: bool,
    /// Place of the answer that decided, in the list judged; the last where several did.
    pub decided_by: Option<usize>,
}

impl Standing {
    /// What failed and may be paid again.
    #[must_use]
    pub const fn failed(&self) -> i64 {
        self.rejected + self.returned
    }

    /// Whether a person has something to do. `carried`: all that failed has gone out again, and where
    /// that stands is told of the payment it went out in.
    #[must_use]
    pub const fn is_open(&self, carried: bool) -> bool {
        let done = match self.class {
            Class::Paid => true,
            Class::PaidPartial | Class::Rejected | Class::Returned => carried && self.pending == 0,
            _ => false,
        };
        !done || self.contradicted
    }
}

/// One movement of money as one kind of file tells it.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Movement<'a> {
    kind: AnswerKind,
    /// The bank's reference; else what tells movements apart without one.
    by: (&'a str, Option<Date>, i64, usize),
}

/// Sum and number of the movements of one kind, the most that any kind tells; fen beyond an `i64` count
/// as the largest.
fn moved(amount: i64, said: Said, told: &[(AnswerKind, &Told)]) -> (i64, usize) {
    let mut movements: Vec<(Movement<'_>, i64)> = Vec::new();
    for (at, (kind, of)) in told.iter().enumerate() {
        if of.said != said {
            continue;
        }
        let fen = of.fen.unwrap_or(amount);
        let by = if *kind == AnswerKind::Pain002 {
            // A status is no movement: settled here and settled there are one payment.
            ("", None, 0, 0)
        } else if of.bank_ref.is_empty() {
            let same = |(_, other): &&(AnswerKind, &Told)| {
                other.said == said
                    && other.message == of.message
                    && other.bank_ref.is_empty()
                    && (other.bank_date, other.fen) == (of.bank_date, of.fen)
            };
            ("", of.bank_date, fen, told[..at].iter().filter(same).count())
        } else {
            (&*of.bank_ref, None, 0, 0)
        };
        movements.push((Movement { kind: *kind, by }, fen));
    }
    movements.sort();
    movements.dedup_by(|next, kept| next.0 == kept.0);
    movements
        .chunk_by(|a, b| a.0.kind == b.0.kind)
        .map(|kind| {
            let sum = kind.iter().fold(0_i64, |sum, (_, fen)| sum.saturating_add(*fen));
            (sum, kind.len())
        })
        .max()
        .unwrap_or((0, 0))
}

/// Judges all that was said of a payment of `amount` fen, in the order it was taken in.
#[must_use]
pub fn standing(amount: i64, told: &[(AnswerKind, &Told)]) -> Standing {
    let (out, movements) = moved(amount, Said::Paid, told);
    let (back, _) = moved(amount, Said::Returned, told);
    // What came back has been out, told or not.
    let out = out.max(back.min(amount));
    let over = (out - amount).max(0);
    let excess = (over - back).max(0);
    let returned = (back - over).clamp(0, amount);
    let left = out.min(amount);
    let rest = amount - left;
    let refuses_rest = |of: &Told| match of.said {
        Said::Rejected => of.fen.is_none_or(|fen| fen >= amount),
        // A partial payment with a reason is final: the rest of it was refused.
        Said::Paid => {
            let why = !(of.reason_code.is_empty() && of.reason.is_empty());
            why && of.fen.is_some_and(|fen| fen < amount)
        }
        _ => false,
    };
    let rejected = if told.iter().any(|(_, of)| refuses_rest(of)) {
        rest
    } else {
        moved(amount, Said::Rejected, told).0.min(rest)
    };
    let paid = left - returned;
    let outright =
        told.iter().any(|(_, of)| of.said == Said::Rejected && of.fen.is_none_or(|fen| fen > rest));
    let account = told.iter().any(|(_, of)| of.said == Said::Paid && !of.account_no.is_empty());
    let class = if excess > 0 && movements > 1 {
        Class::DuplicateBank
    } else if excess > 0 {
        Class::AmountDiff
    } else if account && paid > 0 {
        Class::AccountDiff
    } else if returned > 0 {
        Class::Returned
    } else if paid == amount {
        Class::Paid
    } else if paid > 0 {
        Class::PaidPartial
    } else if rejected > 0 {
        Class::Rejected
    } else {
        Class::MissingExternal
    };
    let weight = |said: Said| match said {
        Said::Pending | Said::Credit => 0,
        Said::Paid => 1,
        Said::Rejected => 2,
        Said::Returned => 3,
    };
    let decisive = told.iter().enumerate().max_by_key(|(at, (_, of))| (weight(of.said), *at));
    Standing {
        paid,
        rejected,
        returned,
        pending: rest - rejected,
        excess,
        bank_fen: paid + excess,
        class,
        contradicted: outright && paid > 0 && returned == 0,
        decided_by: decisive.map(|(at, _)| at),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::MatchRule;

    fn told(said: Said, fen: Option<i64>, bank_ref: &str, message: u32) -> Told {
        Told {
            message,
            record: 1,
            payment: Some(1),
            rule: MatchRule::EndToEnd,
            said,
            fen,
            bank_date: None,
            bank_ref: bank_ref.into(),
            reason_code: "".into(),
            reason: "".into(),
            end_to_end_id: "".into(),
            account_no: "".into(),
        }
    }

    const STATEMENT: AnswerKind = AnswerKind::Camt053;
    const REPORT: AnswerKind = AnswerKind::Pain002;

    /// What is told, and paid, rejected, returned, pending, excess, class.
    type Case<'c> = (&'c [(AnswerKind, Told)], (i64, i64, i64, i64, i64, &'static str));

    fn judged(told: &[(AnswerKind, Told)]) -> (i64, i64, i64, i64, i64, &'static str) {
        let told: Vec<_> = told.iter().map(|(kind, of)| (*kind, of)).collect();
        let s = standing(1000, &told);
        assert_eq!(s.paid + s.rejected + s.returned + s.pending, 1000);
        (s.paid, s.rejected, s.returned, s.pending, s.excess, s.class.word())
    }

    /// Worked by hand from FORMATS 4.
    #[test]
    fn the_courses_a_payment_can_take() {
        use Said::{Paid, Pending, Rejected, Returned};
        let all = |said, by| told(said, None, by, 0);
        let some = |said, fen, by| told(said, Some(fen), by, 0);
        let cases: [Case<'_>; 16] = [
            (&[], (0, 0, 0, 1000, 0, "MISSING_EXTERNAL")),
            (&[(REPORT, all(Pending, ""))], (0, 0, 0, 1000, 0, "MISSING_EXTERNAL")),
            (&[(REPORT, all(Paid, ""))], (1000, 0, 0, 0, 0, "PAID")),
            (&[(REPORT, all(Rejected, ""))], (0, 1000, 0, 0, 0, "REJECTED")),
            // Settled on our account, then on the payee's.
            (
                &[
                    (REPORT, all(Paid, "")),
                    (REPORT, Told { bank_date: Date::from_ymd(2026, 10, 14), ..all(Paid, "X") }),
                ],
                (1000, 0, 0, 0, 0, "PAID"),
            ),
            // Three kinds tell one payment.
            (
                &[
                    (REPORT, all(Paid, "")),
                    (STATEMENT, some(Paid, 1000, "A")),
                    (AnswerKind::Voucher8207, some(Paid, 1000, "V")),
                ],
                (1000, 0, 0, 0, 0, "PAID"),
            ),
            // One reference told in two statements is one movement, two references are two.
            (
                &[(STATEMENT, some(Paid, 1000, "A")), (STATEMENT, told(Paid, Some(1000), "A", 1))],
                (1000, 0, 0, 0, 0, "PAID"),
            ),
            (
                &[(STATEMENT, some(Paid, 1000, "A")), (STATEMENT, some(Paid, 1000, "B"))],
                (1000, 0, 0, 0, 1000, "DUPLICATE_BANK"),
            ),
            // The second movement is given back.
            (
                &[
                    (STATEMENT, some(Paid, 1000, "A")),
                    (STATEMENT, some(Paid, 1000, "B")),
                    (STATEMENT, some(Returned, 1000, "C")),
                ],
                (1000, 0, 0, 0, 0, "PAID"),
            ),
            // Reject and return of one item count once.
            (
                &[
                    (STATEMENT, some(Paid, 1000, "A")),
                    (REPORT, all(Rejected, "")),
                    (STATEMENT, some(Returned, 1000, "C")),
                ],
                (0, 0, 1000, 0, 0, "RETURNED"),
            ),
            // A return of what nobody told as paid.
            (&[(STATEMENT, some(Returned, 1000, "C"))], (0, 0, 1000, 0, 0, "RETURNED")),
            (&[(STATEMENT, some(Paid, 600, "A"))], (600, 0, 0, 400, 0, "PAID_PARTIAL")),
            (
                &[(
                    AnswerKind::Voucher8207,
                    Told { reason_code: "03".into(), ..some(Paid, 600, "A") },
                )],
                (600, 400, 0, 0, 0, "PAID_PARTIAL"),
            ),
            // A part was refused, the rest is not decided.
            (&[(REPORT, some(Rejected, 400, ""))], (0, 400, 0, 600, 0, "REJECTED")),
            (&[(STATEMENT, some(Paid, 1001, "A"))], (1000, 0, 0, 0, 1, "AMOUNT_DIFF")),
            // Without references, two entries of one message are two movements.
            (
                &[(STATEMENT, some(Paid, 1000, "")), (STATEMENT, some(Paid, 1000, ""))],
                (1000, 0, 0, 0, 1000, "DUPLICATE_BANK"),
            ),
        ];
        for (told, want) in cases {
            assert_eq!(judged(told), want, "{told:?}");
        }
    }
}
