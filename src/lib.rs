//! `tuoyu` (托育) settles a month of inclusive childcare subsidies: enrolment and slot data per
//! institution in, payment schedules and reconciliation files out, under law held as data.
//!
//! Rooms in the order the data walks; a room uses only the rooms before it.

// Words: money, months, identifiers, columns, findings.
pub mod domain;

// Policy packs -> the law in force for a month; the expression language.
pub mod law;

// Job file + command line -> a job with every default resolved.
pub mod job;

// Files -> typed tables, each row with file and record.
pub mod intake;

// Tables -> one fact row per row of each basis, and findings.
pub mod facts;

// Lines of earlier months -> what was paid before, by row.
pub mod history;

// Facts + law -> ceilings, floors, breaches.
pub mod price;

// Priced facts + law -> entitlement lines.
pub mod subsidy;

// Lines -> caps, budget, funding split.
pub mod allocation;

// Two settlements of a closed month -> refunds and corrections.
pub mod retro;

// Allocation + posted lines -> schedule lines and payments.
pub mod schedule;

// Append-only store, states, hash chain.
pub mod ledger;

// Sent payments + answers of banks -> where each payment stands.
pub mod reconcile;

// What runs read, by hash; late deliveries beside the first.
pub mod archive;

// Results -> files, atomically.
pub mod publish;

// The spine.
pub mod settle;

// A settlement -> SQL that computes it again.
pub mod audit;

// One amount, step by step.
pub mod explain;

// Overlays over the law of a settlement -> what each comes to.
pub mod tune;

// A page on this machine where the law's figures are moved.
pub mod workbench;

// Small deliveries written from clauses, and what the law makes of them.
pub mod cases;

// clap; the only room that prints.
pub mod cli;
