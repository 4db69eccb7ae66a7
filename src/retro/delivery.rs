//! A delivery that came in after a month was settled.

use crate::domain::Date;
use std::fmt::{Display, Formatter};

/// A table that is read from other files than when its month was last looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Table.
    pub table: String,
    /// Names of its files.
    pub files: Vec<String>,
    /// The day it was received; none for a table's own delivery without one.
    pub received_on: Option<Date>,
}

/// As outputs write it: `table file,file received_on`.
impl Display for Delivery {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.table, self.files.join(","))?;
        self.received_on.map_or(Ok(()), |day| write!(f, " {day}"))
    }
}
