//! Tests of room `intake`.

mod answers;
mod answers_batches;
mod answers_entries;
mod answers_peer;
mod answers_tables;
mod answers_vouchers;
mod blocks;
mod delimited;
mod delivery;
mod encodings;
mod garbage;
mod parquet;
mod real;
mod values;
mod workbook;
mod xls_sample;
