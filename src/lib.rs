//! `tuoyu` (托育) settles a month of inclusive childcare subsidies: enrolment and slot data per
//! institution in, payment schedules and reconciliation files out, under law held as data.
//!
//! Rooms in the order the data walks; a room uses only the rooms before it.

pub mod allocation; // lines -> caps, budget, funding split
pub mod audit; // a settlement -> SQL that computes it again
pub mod cli; // clap; the only room that prints
pub mod domain; // words: money, months, identifiers, columns, findings
pub mod explain; // one amount, step by step
pub mod facts; // tables -> one fact row per row of each basis, and findings
pub mod intake; // files -> typed tables, each row with file and record
pub mod job; // job file + command line -> a job with every default resolved
pub mod law; // policy packs -> the law in force for a month; the expression language
pub mod ledger; // append-only store, states, hash chain
pub mod price; // facts + law -> ceilings, floors, breaches
pub mod publish; // results -> files, atomically
pub mod schedule; // allocation + posted lines -> schedule lines and payments
pub mod settle; // the spine
pub mod subsidy; // priced facts + law -> entitlement lines
