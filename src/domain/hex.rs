//! Bytes as hexadecimal text, for hashes.

/// Lower-case hex.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    written(bytes, b"0123456789abcdef")
}

/// Upper-case hex.
#[must_use]
pub fn hex_upper(bytes: &[u8]) -> String {
    written(bytes, b"0123456789ABCDEF")
}

fn written(bytes: &[u8], digits: &[u8; 16]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(char::from(digits[usize::from(byte >> 4)]));
        text.push(char::from(digits[usize::from(byte & 15)]));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_halves_of_a_byte_are_written() {
        assert_eq!(hex(&[0, 0x0f, 0xa0, 0xff]), "000fa0ff");
        assert_eq!(hex_upper(&[0, 0x0f, 0xa0, 0xff]), "000FA0FF");
    }
}
