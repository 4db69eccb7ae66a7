//! Tests of room `publish`: what a run folder holds, and how it comes into being.

mod case;
mod columnar;
mod files;
mod folder;
mod form;
mod law;
mod speed;
