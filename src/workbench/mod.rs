//! The workbench: a page on this machine on which figures of the law are moved, and what it comes to.
//!
//! In: a baseline, an open port, a token. Out: pages and answers over HTTP, to this machine only.
//! Order: after `tune`, whose desk gives every figure. Never: computes money, writes a file, opens the
//! ledger, lets a child or a pseudonym out.

mod bench;
mod block;
mod figures;
mod guard;
mod number;
mod overlay;
mod page;
mod server;
mod tables;

pub use bench::{Subject, Workbench, open};
pub use guard::Token;
pub use overlay::StartError;
pub use server::{Door, serve};
