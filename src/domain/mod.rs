//! The words of the trade: money, time, identifiers, columns, findings.
//!
//! In: nothing. Out: types every other room speaks. Order: first.
//! Never: no IO, no polars, no clock, no float.

mod amount_words;
mod answer;
mod basis;
mod calendar;
mod column;
mod compare;
mod finding;
mod fraction;
mod frame;
mod hex;
mod ident;
mod key;
mod key_rows;
mod money;
mod outcome;
mod person;
mod progress;
mod term;
pub mod texts;
mod time;

pub use amount_words::amount_in_english_words;
pub use answer::{
    Answer, AnswerFile, AnswerKind, AnswerMessage, BatchEntry, Said, Scope, Statement, Unread,
};
pub use basis::{Basis, RowError};
pub use calendar::{Calendar, CalendarError, Roll};
pub use column::{
    Cell, CodeColumn, CodeList, Column, Key, KeyColumn, NumColumn, Stored, concatenate, filled,
    in_turn, set_end_to_end,
};
pub use compare::compare_cells;
pub use finding::{Finding, FindingCode, Place, Severity};
pub use fraction::{Fraction, Rounding, RoundingMode, largest_remainder, round_group};
pub use frame::{Frame, Frames, Origins};
pub use hex::{hex, hex_upper, unhex};
pub use ident::{
    CnapsError, ResidentIdError, UsccError, check_cnaps, check_resident_id, check_uscc, luhn_valid,
};
pub use key::{BadKey, PublicKey, SecretKey};
pub use key_rows::{KeyRows, key_rows};
pub use money::{Fen, MoneyError, amount_in_words};
pub use outcome::{
    Breaches, ChildChanges, Institution, NetFees, Outcome, Overrun, QUANTILES, Revenue,
};
pub use person::{ActError, beijing_day, beijing_time, moment, person, reason, same_person};
pub use progress::{Progress, Silent};
pub use term::{Terms, TermsError};
pub use time::{Date, DateError, Month, Span};
