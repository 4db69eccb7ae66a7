//! The compact form of Thrift, as far as Parquet's footer and page headers need it.

/// Element kinds, by their number in the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// 32-bit whole number.
    I32 = 5,
    /// 64-bit whole number.
    I64 = 6,
    /// Bytes or text.
    Binary = 8,
    /// List.
    List = 9,
    /// Structure.
    Struct = 12,
}

/// A structure being written; fields must come with rising ids.
pub(super) struct Struct<'a> {
    out: &'a mut Vec<u8>,
    last: u8,
}

impl<'a> Struct<'a> {
    /// Starts a structure.
    pub(super) fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out, last: 0 }
    }

    /// Ends it.
    pub(super) fn end(self) {
        self.out.push(0);
    }

    fn head(&mut self, id: u8, kind: Kind) {
        // Ids in Parquet's structures stay below 16 apart, so the short form always fits.
        self.out.push(((id - self.last) << 4) | kind as u8);
        self.last = id;
    }

    /// A whole number.
    pub(super) fn int(&mut self, id: u8, kind: Kind, value: i64) {
        self.head(id, kind);
        varint(zigzag(value), self.out);
    }

    /// A count or offset.
    pub(super) fn long(&mut self, id: u8, value: u64) {
        self.int(id, Kind::I64, i64::try_from(value).unwrap_or(i64::MAX));
    }

    /// Bytes.
    pub(super) fn bytes(&mut self, id: u8, value: &[u8]) {
        self.head(id, Kind::Binary);
        varint(value.len() as u64, self.out);
        self.out.extend_from_slice(value);
    }

    /// A text.
    pub(super) fn text(&mut self, id: u8, value: &str) {
        self.bytes(id, value.as_bytes());
    }

    /// A nested structure.
    pub(super) fn structure(&mut self, id: u8, fill: impl FnOnce(&mut Struct<'_>)) {
        self.head(id, Kind::Struct);
        let mut nested = Struct::new(self.out);
        fill(&mut nested);
        nested.end();
    }

    /// A list of elements that are already encoded.
    pub(super) fn list(&mut self, id: u8, kind: Kind, elements: &[Vec<u8>]) {
        self.list_head(id, kind, elements.len());
        for element in elements {
            self.out.extend_from_slice(element);
        }
    }

    /// A list of 32-bit whole numbers.
    pub(super) fn ints(&mut self, id: u8, values: &[i64]) {
        self.list_head(id, Kind::I32, values.len());
        for value in values {
            varint(zigzag(*value), self.out);
        }
    }

    /// A list of texts.
    pub(super) fn texts(&mut self, id: u8, values: &[&str]) {
        self.list_head(id, Kind::Binary, values.len());
        for value in values {
            varint(value.len() as u64, self.out);
            self.out.extend_from_slice(value.as_bytes());
        }
    }

    fn list_head(&mut self, id: u8, kind: Kind, length: usize) {
        self.head(id, Kind::List);
        match u8::try_from(length) {
            Ok(short) if short < 15 => self.out.push((short << 4) | kind as u8),
            _ => {
                self.out.push(0xF0 | kind as u8);
                varint(length as u64, self.out);
            }
        }
    }
}

/// Signed to unsigned so that small magnitudes stay small.
pub(super) const fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

/// Seven bits a byte, lowest first.
pub(super) fn varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
}
