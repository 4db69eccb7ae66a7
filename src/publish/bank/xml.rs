//! XML on its way into memory, and what a text may hold there.

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};

use super::error::{BankError, Place, Wide};

/// A tree that is written from its root down.
pub(super) struct Tree(Writer<Vec<u8>>);

impl Tree {
    /// A document in an encoding; the bytes are UTF-8 until they are encoded.
    pub(super) fn new(encoding: &str) -> Self {
        let mut tree = Self(Writer::new_with_indent(Vec::new(), b' ', 2));
        tree.put(Event::Decl(BytesDecl::new("1.0", Some(encoding), None)));
        tree
    }

    fn put(&mut self, event: Event<'_>) {
        // Memory takes every byte.
        let _ = self.0.write_event(event);
    }

    /// Begins an element.
    pub(super) fn open(&mut self, name: &str) {
        self.open_with(name, &[]);
    }

    /// Begins an element with attributes.
    pub(super) fn open_with(&mut self, name: &str, attributes: &[(&str, &str)]) {
        let mut start = BytesStart::new(name);
        for (name, value) in attributes {
            start.push_attribute((*name, *value));
        }
        self.put(Event::Start(start));
    }

    /// Ends an element.
    pub(super) fn close(&mut self, name: &str) {
        self.put(Event::End(BytesEnd::new(name)));
    }

    /// An element with a text; the empty text is an empty element.
    pub(super) fn leaf(&mut self, name: &str, text: &str) {
        self.leaf_with(name, &[], text);
    }

    /// An element with attributes and a text.
    pub(super) fn leaf_with(&mut self, name: &str, attributes: &[(&str, &str)], text: &str) {
        self.open_with(name, attributes);
        self.put(Event::Text(BytesText::new(text)));
        self.close(name);
    }

    /// Elements around one text, outermost first.
    pub(super) fn path(&mut self, names: &[&str], text: &str) {
        let Some((last, around)) = names.split_last() else { return };
        for name in around {
            self.open(name);
        }
        self.leaf(last, text);
        for name in around.iter().rev() {
            self.close(name);
        }
    }

    /// The document, a line end behind it.
    pub(super) fn text(self) -> String {
        let mut bytes = self.0.into_inner();
        bytes.push(b'\n');
        // Only texts went in.
        String::from_utf8(bytes).unwrap_or_default()
    }
}

/// A value as an element's text: not empty, no longer than `most` characters, no control character and
/// nothing XML forbids.
pub(super) fn checked<'t>(
    file: &str,
    text: &'t str,
    most: usize,
    place: impl Fn() -> Place,
) -> Result<&'t str, BankError> {
    if text.is_empty() {
        return Err(BankError::Empty { file: file.to_owned(), place: place() });
    }
    plain(file, text, &place)?;
    let found = text.chars().count();
    if found > most {
        let (file, place, wide) = (file.to_owned(), place(), Wide::Characters);
        return Err(BankError::TooLong { file, place, found, most, wide });
    }
    Ok(text)
}

/// Refuses control characters and what XML forbids.
pub(super) fn plain(file: &str, text: &str, place: &impl Fn() -> Place) -> Result<(), BankError> {
    let forbidden = |c: &char| c.is_control() || matches!(c, '\u{FFFE}' | '\u{FFFF}');
    match text.chars().find(forbidden) {
        None => Ok(()),
        Some(found) => {
            let (file, place) = (file.to_owned(), place());
            Err(BankError::Character { file, place, found, of: "XML" })
        }
    }
}
