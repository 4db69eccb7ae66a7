//! Tests of room `publish`: what a run folder holds, and how it comes into being.

mod bank;
mod bank_sample;
mod case;
mod columnar;
mod files;
mod folder;
mod form;
mod law;
mod law_page;
mod outside;
mod page;
mod report;
mod speed;
