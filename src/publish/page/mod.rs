//! A page for people: one HTML file that needs no network and no script (FORMATS 2 and 5).
//!
//! In: sections of key figures, tables, charts and notes. Out: [`Page::render`], one text. Order:
//! before the reports that are written on it. Never: computes an amount, lets a text of others
//! become markup, draws what no table tells, knows a clock.
//!
//! Every chart is drawn twice, for a wide and a narrow window, and its figures stand in a table
//! that is made from the same numbers. A report is built from the top down:
//!
//! ```text
//! let mut page = Page::new(&texts, "标题", "副标题");
//! page.section("总体情况");
//! page.figures(&[Figure::new("拨付金额", "1,234.50 元", "")]);
//! page.chart(&Chart::new("费用曲线", "标准每提高一步费用如何变化。", Plot::Lines(lines)));
//! page.table(&table);
//! page.note("说明");
//! let html = page.render();
//! ```

mod chart;
mod measure;
mod rich;
mod table;
mod text;

use std::fmt::Write as _;

pub use chart::{
    Axis, Bar, Bars, Bin, Chart, Guide, Heat, Histogram, Lines, Mark, Plot, Range, Ranges, Series,
    Stroke,
};
pub use measure::Measure;
pub use rich::{Bit, Line, LinkedTable, StripBar, StripLook, Strips};
pub use table::{Column, Table};

use crate::domain::texts::Catalogue;
use text::{clean, escape};

/// Looks, for screen and paper.
const STYLE: &str = include_str!("style.css");

/// A key figure: a name, what it comes to and a few words under it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    /// What it is.
    pub label: String,
    /// The figure with its unit.
    pub value: String,
    /// Words under it; may be empty.
    pub note: String,
}

impl Figure {
    /// A figure.
    pub fn new(
        label: impl Into<String>,
        value: impl Into<String>,
        note: impl Into<String>,
    ) -> Self {
        Self { label: label.into(), value: value.into(), note: note.into() }
    }
}

/// A page that is being written.
pub struct Page<'a> {
    texts: &'a Catalogue,
    title: String,
    subtitle: String,
    /// Headings of the sections, for the list at the top.
    sections: Vec<String>,
    body: String,
    charts: usize,
    tables: usize,
    /// A remark in a box under the title; empty for none.
    banner: String,
    /// Looks beside [`STYLE`].
    style: &'static str,
}

impl<'a> Page<'a> {
    /// An empty page in the language of the catalogue.
    #[must_use]
    pub fn new(texts: &'a Catalogue, title: &str, subtitle: &str) -> Self {
        Self {
            texts,
            title: title.to_owned(),
            subtitle: subtitle.to_owned(),
            sections: Vec::new(),
            body: String::new(),
            charts: 0,
            tables: 0,
            banner: String::new(),
            style: "",
        }
    }

    /// Puts a remark in a box under the title: that everything is invented, say.
    pub fn banner(&mut self, text: &str) {
        text.clone_into(&mut self.banner);
    }

    /// Starts a section; what follows belongs to it.
    pub fn section(&mut self, heading: &str) {
        self.close_section();
        self.sections.push(heading.to_owned());
        let number = self.sections.len();
        let _ = write!(
            self.body,
            "<section aria-labelledby=\"s{number}\">\n<h2 id=\"s{number}\">{}</h2>\n",
            escape(heading)
        );
    }

    /// Starts a part of a section.
    pub fn subsection(&mut self, heading: &str) {
        let _ = writeln!(self.body, "<h3>{}</h3>", escape(heading));
    }

    /// A row of key figures.
    pub fn figures(&mut self, figures: &[Figure]) {
        self.body.push_str("<dl class=\"figures\">\n");
        for Figure { label, value, note } in figures {
            let _ = write!(
                self.body,
                "<div><dt>{}</dt><dd class=\"value\">{}</dd>",
                escape(label),
                escape(value)
            );
            if !note.is_empty() {
                let _ = write!(self.body, "<dd class=\"under\">{}</dd>", escape(note));
            }
            self.body.push_str("</div>\n");
        }
        self.body.push_str("</dl>\n");
    }

    /// A paragraph.
    pub fn note(&mut self, text: &str) {
        let _ = writeln!(self.body, "<p>{}</p>", escape(text));
    }

    /// A list of short texts.
    pub fn list(&mut self, texts: &[String]) {
        self.body.push_str("<ul>\n");
        for text in texts {
            let _ = writeln!(self.body, "<li>{}</li>", escape(text));
        }
        self.body.push_str("</ul>\n");
    }

    /// A table.
    pub fn table(&mut self, table: &Table) {
        self.tables += 1;
        table.write(self.tables, self.texts, &mut self.body);
    }

    /// A chart and, folded away under it, the table of its figures.
    pub fn chart(&mut self, chart: &Chart) {
        self.charts += 1;
        let number = self.charts;
        let _ = write!(self.body, "<figure>\n<figcaption>{}</figcaption>\n", escape(&chart.title));
        chart.write(number, self.texts, &mut self.body);
        let figures = self.texts.label("page.figures");
        let _ = write!(self.body, "<details>\n<summary>{}</summary>\n", escape(figures));
        self.tables += 1;
        chart.table(self.texts).write(self.tables, self.texts, &mut self.body);
        self.body.push_str("</details>\n</figure>\n");
    }

    /// The whole page.
    #[must_use]
    pub fn render(mut self) -> String {
        self.close_section();
        let tag = self.texts.language().tag();
        let label = |key: &'static str| escape(self.texts.label(key));
        let mut out = String::with_capacity(self.body.len() + STYLE.len() + 4096);
        let title = escape(&self.title);
        let _ = write!(
            out,
            "<!DOCTYPE html>\n<html lang=\"{tag}\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
             style-src 'unsafe-inline'; img-src data:\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <title>{title}</title>\n<style>\n{STYLE}{}</style>\n</head>\n<body>\n\
             <a class=\"skip\" href=\"#main\">{}</a>\n<header>\n<h1>{title}</h1>\n",
            self.style,
            label("page.skip")
        );
        if !self.subtitle.is_empty() {
            let _ = writeln!(out, "<p>{}</p>", escape(&self.subtitle));
        }
        if !self.banner.is_empty() {
            let _ = writeln!(out, "<p class=\"banner\">{}</p>", escape(&self.banner));
        }
        out.push_str("</header>\n");
        if self.sections.len() > 1 {
            let _ = write!(out, "<nav aria-label=\"{}\">\n<ul>\n", label("page.contents"));
            for (number, heading) in (1..).zip(&self.sections) {
                let _ = writeln!(out, "<li><a href=\"#s{number}\">{}</a></li>", escape(heading));
            }
            out.push_str("</ul>\n</nav>\n");
        }
        let _ = write!(out, "<main id=\"main\">\n{}</main>\n</body>\n</html>\n", self.body);
        out
    }

    fn close_section(&mut self) {
        if !self.sections.is_empty() {
            self.body.push_str("</section>\n");
        }
    }
}
