//! Texts with links, places to link to, tables of them, and strips of time.

use std::fmt::Write as _;

use super::{Page, escape};

/// A piece of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bit {
    /// Text.
    Plain(String),
    /// What something is called.
    Name(String),
    /// What something is called that stands on this page.
    Link {
        /// Its anchor.
        to: String,
        /// The text.
        text: String,
    },
    /// An address outside; only `http` and `https` become a link.
    Away {
        /// The address.
        to: String,
        /// The text.
        text: String,
    },
}

/// A text in pieces.
pub type Line = Vec<Bit>;

/// A table whose cells are texts with links. A row may be linked to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LinkedTable {
    /// What it shows.
    pub caption: String,
    /// Titles; those of columns of numbers are set to the right.
    pub columns: Vec<(String, bool)>,
    /// Rows: anchor or empty, cells.
    pub rows: Vec<(String, Vec<Line>)>,
}

/// One bar of a strip, from and until in thousandths of its width.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StripBar {
    /// Where it starts.
    pub from: i32,
    /// Where it ends.
    pub until: i32,
    /// How it is drawn.
    pub look: StripLook,
}

/// How a bar of a strip is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StripLook {
    /// Filled.
    Full,
    /// An outline.
    Faint,
    /// A dashed outline.
    Dashed,
    /// A mark as wide as a line.
    Tick,
}

/// Rows of bars over one stretch of time, told in words beside them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Strips {
    /// What it shows.
    pub caption: String,
    /// Titles of the three columns.
    pub titles: [String; 3],
    /// First and last day, over the bars.
    pub ends: [String; 2],
    /// A line through all rows, in thousandths.
    pub line: Option<i32>,
    /// Rows: what it is, lanes of bars, words.
    pub rows: Vec<(Line, Vec<Vec<StripBar>>, Vec<Line>)>,
}

/// Height of a lane.
const LANE: i32 = 14;

impl Page<'_> {
    /// Looks of this kind of page beside those of all.
    pub fn style(&mut self, css: &'static str) {
        self.style = css;
    }

    /// Starts a part of a section that can be linked to, with marks behind its heading.
    pub fn part(&mut self, anchor: &str, heading: &str, marks: &[(&str, String)]) {
        let _ = write!(self.body, "<h3 id=\"{}\">{}", escape(anchor), escape(heading));
        for (class, text) in marks.iter().filter(|(_, text)| !text.is_empty()) {
            let _ = write!(self.body, " <span class=\"{class}\">{}</span>", escape(text));
        }
        self.body.push_str("</h3>\n");
    }

    /// A paragraph with links.
    pub fn line(&mut self, class: &str, line: &[Bit]) {
        let _ = writeln!(self.body, "<p class=\"{class}\">{}</p>", bits(line));
    }

    /// Terms, each with what is said of it in one or several lines.
    pub fn terms(&mut self, rows: &[(String, Vec<Line>)]) {
        if rows.is_empty() {
            return;
        }
        self.body.push_str("<dl class=\"terms\">\n");
        for (term, lines) in rows {
            let _ = write!(self.body, "<div><dt>{}</dt>", escape(term));
            for line in lines {
                let _ = write!(self.body, "<dd>{}</dd>", bits(line));
            }
            self.body.push_str("</div>\n");
        }
        self.body.push_str("</dl>\n");
    }

    /// A table with links.
    pub fn linked(&mut self, table: &LinkedTable) {
        self.open_table("scroll", &table.caption);
        self.body.push_str("<thead>\n<tr>");
        for (title, numeric) in &table.columns {
            let class = if *numeric { " class=\"n\"" } else { "" };
            let _ = write!(self.body, "<th scope=\"col\"{class}>{}</th>", escape(title));
        }
        self.body.push_str("</tr>\n</thead>\n<tbody>\n");
        for (anchor, cells) in &table.rows {
            if anchor.is_empty() {
                self.body.push_str("<tr>");
            } else {
                let _ = write!(self.body, "<tr id=\"{}\">", escape(anchor));
            }
            for (at, cell) in cells.iter().enumerate() {
                let numeric = table.columns.get(at).is_some_and(|(_, numeric)| *numeric);
                let class = if numeric { " class=\"n\"" } else { "" };
                let _ = match at {
                    0 => write!(self.body, "<th scope=\"row\"{class}>{}</th>", bits(cell)),
                    _ => write!(self.body, "<td{class}>{}</td>", bits(cell)),
                };
            }
            self.body.push_str("</tr>\n");
        }
        self.body.push_str("</tbody>\n</table>\n</div>\n");
    }

    /// Bars over a stretch of time; what they show stands beside them in words.
    pub fn strips(&mut self, strips: &Strips) {
        self.open_table("scroll strips", &strips.caption);
        let [what, _, words] = &strips.titles;
        let [from, until] = &strips.ends;
        let _ = write!(
            self.body,
            "<thead>\n<tr><th scope=\"col\">{}</th><th scope=\"col\" class=\"time\">\
             <span class=\"ends\"><span>{}</span><span>{}</span></span></th>\
             <th scope=\"col\">{}</th></tr>\n</thead>\n<tbody>\n",
            escape(what),
            escape(from),
            escape(until),
            escape(words)
        );
        for (name, lanes, words) in &strips.rows {
            let words: Vec<String> = words.iter().map(|line| bits(line)).collect();
            let _ = writeln!(
                self.body,
                "<tr><th scope=\"row\">{}</th><td class=\"time\">{}</td><td>{}</td></tr>",
                bits(name),
                drawn(lanes, strips.line),
                words.join("<br>")
            );
        }
        self.body.push_str("</tbody>\n</table>\n</div>\n");
    }

    fn open_table(&mut self, class: &str, caption: &str) {
        self.tables += 1;
        let number = self.tables;
        let _ = write!(
            self.body,
            "<div class=\"{class}\" role=\"region\" tabindex=\"0\" aria-labelledby=\"t{number}\">\n\
             <table>\n<caption id=\"t{number}\">{}</caption>\n",
            escape(caption)
        );
    }
}

/// The bars of a row; who cannot see them reads the words beside them.
fn drawn(lanes: &[Vec<StripBar>], line: Option<i32>) -> String {
    let height = LANE * i32::try_from(lanes.len().max(1)).unwrap_or(1);
    let mut out = format!(
        "<svg class=\"strip\" viewBox=\"0 0 1000 {height}\" height=\"{height}\" \
         preserveAspectRatio=\"none\" aria-hidden=\"true\">"
    );
    for (lane, bars) in lanes.iter().enumerate() {
        let top = LANE * i32::try_from(lane).unwrap_or(0) + 2;
        for bar in bars {
            let (class, width) = match bar.look {
                StripLook::Full => ("full", bar.until - bar.from),
                StripLook::Faint => ("faint", bar.until - bar.from),
                StripLook::Dashed => ("dashed", bar.until - bar.from),
                StripLook::Tick => ("tick", 6),
            };
            let _ = write!(
                out,
                "<rect class=\"{class}\" x=\"{}\" y=\"{top}\" width=\"{}\" height=\"10\"/>",
                bar.from,
                width.max(2)
            );
        }
    }
    if let Some(at) = line {
        let _ =
            write!(out, "<rect class=\"day\" x=\"{at}\" y=\"0\" width=\"3\" height=\"{height}\"/>");
    }
    out.push_str("</svg>");
    out
}

fn bits(line: &[Bit]) -> String {
    let mut out = String::new();
    for bit in line {
        let _ = match bit {
            Bit::Name(text) => write!(out, "<span class=\"name\">{}</span>", escape(text)),
            Bit::Link { to, text } => {
                write!(out, "<a href=\"#{}\">{}</a>", escape(to), escape(text))
            }
            Bit::Away { to, text } if is_web(to) => {
                write!(out, "<a href=\"{}\" rel=\"noreferrer\">{}</a>", escape(to), escape(text))
            }
            Bit::Plain(text) | Bit::Away { text, .. } => write!(out, "{}", escape(text)),
        };
    }
    out
}

/// Whether an address is one of the web: another scheme could run something.
fn is_web(address: &str) -> bool {
    address.starts_with("https://") || address.starts_with("http://")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_web_become_links() {
        let away = |to: &str| bits(&[Bit::Away { to: to.to_owned(), text: "文".to_owned() }]);
        assert_eq!(away("javascript:alert(1)"), "文");
        assert_eq!(
            away("https://a.example/\"x"),
            "<a href=\"https://a.example/&quot;x\" rel=\"noreferrer\">文</a>"
        );
    }
}
