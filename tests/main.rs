//! The one integration binary: rooms as modules, so that polars links once.

mod archive;
mod audit;
mod cli;
mod dice;
mod domain;
mod explain;
mod intake;
mod job;
mod law;
mod ledger;
mod office;
mod payee;
mod publish;
mod reconcile;
mod retro;
mod rules;
mod settle;
mod tidy;
mod tune;
mod workbench;
