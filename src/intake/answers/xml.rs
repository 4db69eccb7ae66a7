//! XML of the world -> text, then elements by local name; nothing declared in a file is expanded.
//!
//! A reader of one message asks for the children of the element at hand and takes or skips each. What
//! is deeper than [`DEEPEST`], longer than [`LONGEST`], unclosed or made of unknown entities is
//! [`Broken`], and the document it stands in is not believed.

use super::super::decode::decode;
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use std::borrow::Cow;

/// Elements within elements, at most.
const DEEPEST: usize = 64;
/// Bytes of one value, at most; the longest of ISO 20022 has some thousand characters.
pub(super) const LONGEST: usize = 16_384;

/// Why a document cannot be believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Broken(pub(super) String);

/// What is read of an element.
pub(super) type Taken = Result<(), Broken>;

/// One start tag.
pub(super) struct Element<'e, 'a>(&'e BytesStart<'a>);

impl Element<'_, '_> {
    /// Name without prefix.
    pub(super) fn name(&self) -> &str {
        let name = self.0.name().into_inner();
        name.rsplit_once(':').map_or(name, |(_, local)| local)
    }

    /// Every attribute by its local name, in order; one whose value cannot be read is passed over.
    pub(super) fn attributes(&self, mut each: impl FnMut(&str, &str)) {
        // Without checks: two attributes of one name are no reason to lose a statement.
        for attribute in self.0.attributes().with_checks(false).flatten() {
            let name = attribute.key.into_inner();
            let name = name.rsplit_once(':').map_or(name, |(_, local)| local);
            if let Ok(value) = quick_xml::escape::unescape(&attribute.value) {
                each(name, value.trim());
            }
        }
    }

    /// An attribute by its local name.
    pub(super) fn attribute(&self, wanted: &str) -> Option<String> {
        let mut found = None;
        self.attributes(|name, value| {
            if name == wanted {
                found.get_or_insert_with(|| value.to_owned());
            }
        });
        found
    }

    /// The namespace that is declared here for elements without prefix, or for the element's own.
    pub(super) fn namespace(&self) -> String {
        let full = self.0.name().into_inner();
        let own = full
            .split_once(':')
            .map_or_else(|| "xmlns".to_owned(), |(prefix, _)| format!("xmlns:{prefix}"));
        for attribute in self.0.attributes().with_checks(false).flatten() {
            if attribute.key.into_inner() == own {
                return attribute.value.trim().to_owned();
            }
        }
        String::new()
    }
}

/// A walk through the elements of a text.
pub(super) struct Walk<'a> {
    reader: Reader<&'a [u8]>,
    depth: usize,
}

/// What comes next outside of any message.
pub(super) enum Next<'a> {
    /// A start tag; its children are next unless they are taken or skipped.
    Open(BytesStart<'a>),
    /// Its end.
    Close,
    /// Nothing any more.
    End,
}

/// The element a start tag opens.
pub(super) const fn element<'e, 'a>(start: &'e BytesStart<'a>) -> Element<'e, 'a> {
    Element(start)
}

impl<'a> Walk<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let mut reader = Reader::from_str(text);
        reader.config_mut().expand_empty_elements = true;
        Self { reader, depth: 0 }
    }

    fn event(&mut self) -> Result<Event<'a>, Broken> {
        let event = self.reader.read_event().map_err(|error| {
            Broken(format!("byte {}: not well-formed: {error}", self.reader.error_position()))
        })?;
        match event {
            Event::Start(_) => {
                self.depth += 1;
                if self.depth > DEEPEST {
                    return Err(self.broken(&format!("more than {DEEPEST} elements deep")));
                }
            }
            Event::End(_) => self.depth = self.depth.saturating_sub(1),
            Event::Eof if self.depth > 0 => {
                return Err(self.broken("the file ends inside an element"));
            }
            _ => {}
        }
        Ok(event)
    }

    /// A fault at the place reached.
    pub(super) fn broken(&self, what: &str) -> Broken {
        Broken(format!("byte {}: {what}", self.reader.buffer_position()))
    }

    /// The next tag, whatever element it belongs to.
    pub(super) fn next(&mut self) -> Result<Next<'a>, Broken> {
        loop {
            match self.event()? {
                Event::Start(start) => return Ok(Next::Open(start)),
                Event::End(_) => return Ok(Next::Close),
                Event::Eof => return Ok(Next::End),
                _ => {}
            }
        }
    }

    /// Every child of the element at hand; `each` takes or skips the child it is given.
    pub(super) fn children(
        &mut self,
        mut each: impl FnMut(&mut Self, &Element<'_, 'a>) -> Taken,
    ) -> Taken {
        loop {
            match self.event()? {
                Event::Start(start) => each(self, &Element(&start))?,
                Event::End(_) => return Ok(()),
                _ => {}
            }
        }
    }

    /// Passes over what is left of the element at hand.
    pub(super) fn skip(&mut self) -> Taken {
        let outside = self.depth.saturating_sub(1);
        while self.depth > outside {
            self.event()?;
        }
        Ok(())
    }

    /// Text of the element at hand, trimmed; child elements are passed over.
    pub(super) fn text(&mut self) -> Result<Cow<'a, str>, Broken> {
        self.content(LONGEST, |walk, _| walk.skip())
    }

    /// Text of the element at hand, trimmed, of at most so many bytes; child elements are `each`'s.
    pub(super) fn content(
        &mut self,
        most: usize,
        mut each: impl FnMut(&mut Self, &Element<'_, 'a>) -> Taken,
    ) -> Result<Cow<'a, str>, Broken> {
        let mut text = Cow::Borrowed("");
        loop {
            match self.event()? {
                Event::Text(part) => append(&mut text, part.into_inner()),
                Event::CData(part) => append(&mut text, part.into_inner()),
                Event::GeneralRef(name) => {
                    let letter = match &*name {
                        "lt" => Some('<'),
                        "gt" => Some('>'),
                        "amp" => Some('&'),
                        "quot" => Some('"'),
                        "apos" => Some('\''),
                        _ => name.resolve_char_ref().ok().flatten(),
                    };
                    let Some(letter) = letter else {
                        let shown: String = name.chars().take(40).collect();
                        let what = format!("&{shown}; is no letter; entities are not expanded");
                        return Err(self.broken(&what));
                    };
                    text.to_mut().push(letter);
                }
                Event::Start(start) => each(self, &Element(&start))?,
                Event::End(_) => break,
                _ => {}
            }
            if text.len() > most {
                return Err(self.broken(&format!("a value of more than {most} bytes")));
            }
        }
        Ok(match text {
            Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
            Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
        })
    }
}

fn append<'a>(text: &mut Cow<'a, str>, part: Cow<'a, str>) {
    if text.is_empty() {
        *text = part;
    } else {
        text.to_mut().push_str(&part);
    }
}

/// Bytes of XML or of a delimited text as text: a byte order mark decides, then the declaration, then
/// strict UTF-8, then strict GB18030.
///
/// # Errors
/// What was found, when no encoding takes all bytes.
pub(super) fn text_of(bytes: &[u8]) -> Result<Cow<'_, str>, String> {
    let marked = Encoding::for_bom(bytes).is_some();
    if !marked {
        // UTF-16 without a mark: `<` or a blank as two bytes.
        for (at, encoding) in [(1, UTF_16LE), (0, UTF_16BE)] {
            let starts = bytes.get(..2).filter(|pair| pair[at] == 0 && pair[1 - at] == b'<');
            if starts.is_some() {
                return strictly(encoding, bytes);
            }
        }
        if let Some(encoding) = declared(bytes)
            && let Some(text) = encoding.decode_without_bom_handling_and_without_replacement(bytes)
        {
            return Ok(text);
        }
    }
    match decode(bytes) {
        Ok(Cow::Borrowed(text)) => {
            std::str::from_utf8(text).map(Cow::Borrowed).map_err(|error| error.to_string())
        }
        Ok(Cow::Owned(text)) => {
            String::from_utf8(text).map(Cow::Owned).map_err(|error| error.to_string())
        }
        Err(broken) => Err(format!(
            "byte {} fits neither UTF-8 nor GB18030 nor a declared encoding",
            broken.offset
        )),
    }
}

fn strictly(encoding: &'static Encoding, bytes: &[u8]) -> Result<Cow<'static, str>, String> {
    let text = encoding.decode_without_bom_handling_and_without_replacement(bytes);
    let text = text.ok_or_else(|| format!("not all bytes are {}", encoding.name()))?;
    Ok(Cow::Owned(text.into_owned()))
}

/// The encoding an XML declaration names. One that is UTF-16 in a declaration of single bytes is
/// what a program left there when it wrote the text anew: none.
fn declared(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = bytes.trim_ascii_start();
    let head = head.strip_prefix(b"<?xml")?;
    let head = head.get(..head.iter().take(200).position(|byte| *byte == b'>')?)?;
    let place = head.windows(8).position(|word| word == b"encoding")?;
    let value = head.get(place + 8..)?.trim_ascii_start().strip_prefix(b"=")?.trim_ascii_start();
    let (quote, value) = value.split_first()?;
    let label = value.split(|byte| byte == quote).next()?;
    let encoding = Encoding::for_label(label)?;
    (encoding == encoding.output_encoding() && encoding != UTF_8).then_some(encoding)
}
