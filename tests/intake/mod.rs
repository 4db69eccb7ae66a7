//! Tests of room `intake`.

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
