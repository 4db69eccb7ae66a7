//! Tests of the round trip: payments go out, a bank of ours answers, what failed goes out again.

mod again;
mod bank;
mod books;
mod classes;
mod desk;
mod later;
mod orders;
mod paper;
mod round;
mod together;
