//! Tables of a page.

use std::fmt::Write as _;

use super::escape;
use crate::domain::texts::Catalogue;

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its title.
    pub title: String,
    /// Whether its cells are numbers, which stand to the right.
    pub numeric: bool,
}

/// A table. The first cell of a row names the row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Table {
    /// What it shows.
    pub caption: String,
    /// Columns in order.
    pub columns: Vec<Column>,
    /// Rows, each with a cell a column.
    pub rows: Vec<Vec<String>>,
    /// A last row of totals; empty for none.
    pub total: Vec<String>,
    /// Rows that are not shown: said under the table.
    pub more: u64,
}

impl Table {
    /// A table without rows.
    pub fn new(caption: impl Into<String>) -> Self {
        Self { caption: caption.into(), ..Self::default() }
    }

    /// Adds a column of texts.
    #[must_use]
    pub fn text(mut self, title: impl Into<String>) -> Self {
        self.columns.push(Column { title: title.into(), numeric: false });
        self
    }

    /// Adds a column of numbers.
    #[must_use]
    pub fn number(mut self, title: impl Into<String>) -> Self {
        self.columns.push(Column { title: title.into(), numeric: true });
        self
    }

    pub(super) fn write(&self, number: usize, texts: &Catalogue, out: &mut String) {
        // A wide table scrolls by itself: by finger, and by keyboard since it takes the focus.
        let _ = write!(
            out,
            "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-labelledby=\"t{number}\">\n\
             <table>\n<caption id=\"t{number}\">{}</caption>\n<thead>\n<tr>",
            escape(&self.caption)
        );
        for column in &self.columns {
            let class = if column.numeric { " class=\"n\"" } else { "" };
            let _ = write!(out, "<th scope=\"col\"{class}>{}</th>", escape(&column.title));
        }
        out.push_str("</tr>\n</thead>\n<tbody>\n");
        for row in &self.rows {
            self.row(row, out);
        }
        out.push_str("</tbody>\n");
        if !self.total.is_empty() {
            out.push_str("<tfoot>\n");
            self.row(&self.total, out);
            out.push_str("</tfoot>\n");
        }
        out.push_str("</table>\n");
        if self.more > 0 {
            let count = self.more.to_string();
            let more = texts.phrase("page.more", &[("count", &count)]);
            let _ = writeln!(out, "<p class=\"more\">{}</p>", escape(&more));
        }
        out.push_str("</div>\n");
    }

    fn row(&self, row: &[String], out: &mut String) {
        out.push_str("<tr>");
        for (at, (cell, column)) in row.iter().zip(&self.columns).enumerate() {
            let class = if column.numeric { " class=\"n\"" } else { "" };
            let cell = escape(cell);
            let _ = match at {
                0 => write!(out, "<th scope=\"row\"{class}>{cell}</th>"),
                _ => write!(out, "<td{class}>{cell}</td>"),
            };
        }
        out.push_str("</tr>\n");
    }
}
