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

/// Bytes of a hex text of exactly their length.
#[must_use]
pub fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.as_bytes();
    if digits.len() != 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let digit = |at: usize| char::from(pair[at]).to_digit(16);
        *byte = u8::try_from(digit(0)? * 16 + digit(1)?).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_reads_back_at_its_length() {
        assert_eq!(unhex("00fA"), Some([0, 0xfa]));
        assert_eq!(unhex::<2>("00f"), None);
        assert_eq!(unhex::<1>("00fa"), None);
        assert_eq!(unhex::<1>("g0"), None);
    }

    #[test]
    fn both_halves_of_a_byte_are_written() {
        assert_eq!(hex(&[0, 0x0f, 0xa0, 0xff]), "000fa0ff");
        assert_eq!(hex_upper(&[0, 0x0f, 0xa0, 0xff]), "000FA0FF");
    }
}
