//! Pseudonyms of children and persons (S32): HMAC-SHA256 under the bureau's key file.
//!
//! A pseudonym is the first 80 bits of the code in 16 letters of Crockford's base 32. With `n`
//! identifiers the chance that any two share a pseudonym is about `n² / 2^81`: for ten million
//! children 4 in 10^11. Without the key nobody can test a guess; a plain hash of an 18-digit
//! number would be searched through in minutes.

use hmac::{Hmac, KeyInit, Mac};
use rayon::prelude::*;
use sha2::{Digest, Sha256};

use crate::domain::{Key, KeyColumn, hex};

/// Crockford's base 32 in lower case: no i, l, o, u.
const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// What the fingerprint is a hash of, before the key.
const FINGERPRINT_LABEL: &[u8] = b"tuoyu pseudonym key\n";

/// What stands before the run id where the key blinds schedule lines; no identifier holds a line end.
const BLINDING_LABEL: &[u8] = b"tuoyu line blinding\n";

/// A pseudonym: 16 letters.
pub type Pseudonym = [u8; 16];

/// Makes pseudonyms under one key.
#[derive(Clone)]
pub struct Pseudonyms {
    keyed: Hmac<Sha256>,
    fingerprint: String,
}

impl std::fmt::Debug for Pseudonyms {
    /// Names the key, never shows it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pseudonyms({})", self.fingerprint)
    }
}

/// A key that protects nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the key file holds {found} bytes; expected at least 16; hint: make one of 32 random bytes"
)]
pub struct KeyError {
    /// Bytes found, without the line end.
    pub found: usize,
}

impl Pseudonyms {
    /// Takes the bytes of the key file; line ends at its end do not count.
    ///
    /// # Errors
    /// When fewer than 16 bytes remain.
    pub fn new(key: &[u8]) -> Result<Self, KeyError> {
        let end = key.iter().rposition(|b| !matches!(b, b'\n' | b'\r')).map_or(0, |at| at + 1);
        let key = &key[..end];
        if key.len() < 16 {
            return Err(KeyError { found: key.len() });
        }
        let keyed = Hmac::<Sha256>::new_from_slice(key).map_err(|_| KeyError { found: 0 })?;
        let hash = Sha256::new_with_prefix(FINGERPRINT_LABEL).chain_update(key).finalize();
        Ok(Self { keyed, fingerprint: hex(&hash[..8]) })
    }

    /// First 16 hex digits of the SHA-256 of the key under a label: which key, never what key.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// The key of the blinding numbers of a run's schedule lines.
    pub(super) fn blinding_key(&self, run_id: &str) -> [u8; 32] {
        let mut mac = self.keyed.clone();
        mac.update(BLINDING_LABEL);
        mac.update(run_id.as_bytes());
        mac.finalize().into_bytes().into()
    }

    /// The pseudonym of one identifier as delivered.
    #[must_use]
    pub fn one(&self, id: &str) -> Pseudonym {
        let mut mac = self.keyed.clone();
        mac.update(id.as_bytes());
        let code = mac.finalize().into_bytes();
        let mut text = [0_u8; 16];
        // Five bytes are eight letters.
        for (bytes, letters) in code.chunks_exact(5).zip(text.chunks_exact_mut(8)) {
            let mut bits = bytes.iter().fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte));
            for letter in letters.iter_mut().rev() {
                *letter = LETTERS[(bits & 31) as usize];
                bits >>= 5;
            }
        }
        text
    }

    /// The pseudonyms of a column, one a row.
    #[must_use]
    pub fn of(&self, column: &KeyColumn) -> Vec<Pseudonym> {
        (0..column.keys.len())
            .into_par_iter()
            .with_min_len(4096)
            .map(|row| self.of_row(column, row))
            .collect()
    }

    /// The pseudonym of one row of a column.
    #[must_use]
    pub fn of_row(&self, column: &KeyColumn, row: usize) -> Pseudonym {
        match column.keys[row].spell(&mut [0; Key::SPELT]) {
            Some(id) => self.one(id),
            None => self.one(&column.text(row)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed with Python's `hmac` and `hashlib`.
    #[test]
    fn vectors() {
        let names = Pseudonyms::new(b"0123456789abcdef0123456789abcdef\n").unwrap();
        assert_eq!(names.fingerprint(), "472a95f00cb04c59");
        for (id, want) in [
            ("11010519491231002X", "fcnq68xqax8ddcxz"),
            ("C0000001", "xcfh147ham78gt6d"),
            ("", "f5pd61way533cx9x"),
            ("出生证A123", "8w89c8wgxcnvepda"),
        ] {
            assert_eq!(std::str::from_utf8(&names.one(id)).unwrap(), want, "{id}");
        }
    }

    #[test]
    fn a_column_is_its_rows() {
        let names = Pseudonyms::new(&[7; 32]).unwrap();
        let mut column = KeyColumn::default();
        for row in 0..10_000 {
            column.push(&format!("child {row}"));
        }
        let made = names.of(&column);
        assert!((0..10_000).all(|row| made[row] == names.one(&format!("child {row}"))));
    }

    #[test]
    fn a_short_key_is_refused_and_debug_hides_it() {
        assert_eq!(Pseudonyms::new(b"short\n").unwrap_err(), KeyError { found: 5 });
        let shown = format!("{:?}", Pseudonyms::new(b"abcdefghijklmnop").unwrap());
        assert!(!shown.contains("abcdefgh"));
    }
}
