//! The page itself: files built into the program, with the words of a language put in.

use crate::domain::texts::Catalogue;
use std::collections::BTreeMap;

/// Texts of the page stand under this in the catalogue.
const ROOM: &str = "workbench.";

/// A file of the page with its media type; the page itself has no name.
pub(super) fn file(name: &str) -> Option<(&'static str, &'static str)> {
    Some(match name {
        "page.css" => ("text/css; charset=utf-8", include_str!("page/page.css")),
        "page.js" => ("text/javascript; charset=utf-8", include_str!("page/page.js")),
        "compare.js" => ("text/javascript; charset=utf-8", include_str!("page/compare.js")),
        "icon.svg" => ("image/svg+xml", include_str!("page/icon.svg")),
        _ => return None,
    })
}

/// The page in a language: `{{key}}` stands for a text of the catalogue.
pub(super) fn html(texts: &Catalogue) -> String {
    let mut out = String::new();
    let mut rest = include_str!("page/index.html");
    while let Some((before, after)) = rest.split_once("{{") {
        let (key, after) = after.split_once("}}").unwrap_or((after, ""));
        out.push_str(before);
        if key == "lang" {
            out.push_str(texts.language().tag());
        } else {
            out.push_str(&escaped(texts.label(&format!("{ROOM}{key}"))));
        }
        rest = after;
    }
    out + rest
}

/// Texts the page puts together itself.
pub(super) fn words(texts: &Catalogue) -> BTreeMap<&str, &str> {
    texts.entries().filter_map(|(key, text)| Some((key.strip_prefix(ROOM)?, text))).collect()
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            letter => out.push(letter),
        }
    }
    out
}
