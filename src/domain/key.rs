//! Ed25519 keys of persons: what they sign, and whose signature it is.
//!
//! A secret key is kept as PKCS#8 PEM, which other tools read as well. Nothing here draws a random
//! number: whoever makes a key hands in its 32 bytes.

use super::{hex, unhex};
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey, EncodePrivateKey, KeypairBytes};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use std::fmt;

/// A public key, 32 bytes, known to be a point of the curve that is not weak.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

/// A text that is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadKey {
    /// A public key that cannot be one.
    #[error("is no public key; expected 64 hex digits as `tuoyu keys show` prints them")]
    Public,
    /// A file that holds no secret key.
    #[error("holds no Ed25519 key; expected a file made by `tuoyu keys new` (PKCS#8 PEM)")]
    Secret,
}

impl PublicKey {
    /// A key from 64 hex digits.
    ///
    /// # Errors
    /// When the text is anything else, or the key is one with which anything can be signed.
    pub fn parse(text: &str) -> Result<Self, BadKey> {
        let bytes: [u8; 32] = unhex(text).ok_or(BadKey::Public)?;
        let key = VerifyingKey::from_bytes(&bytes).map_err(|_| BadKey::Public)?;
        if key.is_weak() { Err(BadKey::Public) } else { Ok(Self(key)) }
    }

    /// 64 hex digits, lower case.
    #[must_use]
    pub fn text(&self) -> String {
        hex(self.0.as_bytes())
    }

    /// Whether `signature` (128 hex digits) is this key's over the message.
    #[must_use]
    pub fn signed(&self, message: &[u8], signature: &str) -> bool {
        unhex::<64>(signature).is_some_and(|bytes| {
            self.0.verify_strict(message, &Signature::from_bytes(&bytes)).is_ok()
        })
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.text())
    }
}

/// A secret key; never shown.
#[derive(Clone)]
pub struct SecretKey(SigningKey);

impl SecretKey {
    /// A key from 32 bytes nobody can guess.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(bytes))
    }

    /// Reads the text of a key file; what stands before the key in it does not count.
    ///
    /// # Errors
    /// When there is no such key in it.
    pub fn parse(text: &str) -> Result<Self, BadKey> {
        let start = text.find("-----BEGIN").ok_or(BadKey::Secret)?;
        SigningKey::from_pkcs8_pem(&text[start..]).map(Self).map_err(|_| BadKey::Secret)
    }

    /// The key as PKCS#8 PEM.
    #[must_use]
    pub fn pem(&self) -> String {
        // Version 1, without the public half: every tool reads it.
        let bytes = KeypairBytes { secret_key: self.0.to_bytes(), public_key: None };
        // 48 bytes to text in memory cannot fail.
        bytes.to_pkcs8_pem(LineEnding::LF).map_or_else(|_| String::new(), |pem| pem.to_string())
    }

    /// Its public half.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    /// Signs a message: 128 hex digits.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> String {
        hex(&self.0.sign(message).to_bytes())
    }
}

impl fmt::Debug for SecretKey {
    /// Names the key, never shows it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey({})", self.public().text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8032, section 7.1, test 1: the secret key, its public half, the signature of nothing.
    const SECRET: &str = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
    const PUBLIC: &str = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    const SIGNED: &str = "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155\
                          5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b";

    #[test]
    fn the_vector_of_the_standard() {
        let key = SecretKey::from_bytes(&unhex(SECRET).unwrap());
        assert_eq!(key.public().text(), PUBLIC);
        assert_eq!(key.sign(b""), SIGNED);
        let public = PublicKey::parse(PUBLIC).unwrap();
        assert!(public.signed(b"", SIGNED));
        assert!(!public.signed(b"x", SIGNED));
        assert!(!public.signed(b"", &SIGNED.replace('e', "f")));
        assert!(!public.signed(b"", ""));
    }

    #[test]
    fn a_key_file_reads_back_with_words_before_it() {
        let key = SecretKey::from_bytes(&[7; 32]);
        let text = format!("key of 李四\n{}", key.pem());
        assert_eq!(SecretKey::parse(&text).unwrap().public(), key.public());
        assert!(!format!("{key:?}").contains("0707"));
        for bad in ["", "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n", SECRET] {
            assert_eq!(SecretKey::parse(bad).unwrap_err(), BadKey::Secret, "{bad}");
        }
    }

    #[test]
    fn a_text_that_is_no_key_is_refused() {
        // The last: the neutral point, with which anything is signed.
        let neutral = format!("01{}", "0".repeat(62));
        for bad in ["", "d7", &PUBLIC[..62], &"z".repeat(64), &neutral] {
            assert_eq!(PublicKey::parse(bad), Err(BadKey::Public), "{bad}");
        }
        assert_eq!(PublicKey::parse(&PUBLIC.to_uppercase()).unwrap().text(), PUBLIC);
    }
}
