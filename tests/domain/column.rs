//! Identifiers packed into keys.

use proptest::prelude::*;
use tuoyu::domain::Key;

/// A key by its definition: six bits a character in the order of the bytes, from the left.
fn by_definition(text: &str) -> u128 {
    let letters = "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz";
    let places = text.chars().map(|letter| letters.find(letter).unwrap() as u128);
    places.zip(1..).map(|(six, at)| six << (127 - 6 * at)).sum()
}

#[test]
fn numbers_of_every_length_pack_by_definition() {
    let official = "91000000MA0000618XZA9";
    for length in 0..=official.len() {
        let text = &official[..length];
        assert_eq!(Key::pack(text.as_bytes()), (Key(by_definition(text)), false), "{text}");
        // Each place in turn holds every other character there is.
        for (at, byte) in (0..length).flat_map(|at| (0..=255_u8).map(move |byte| (at, byte))) {
            let mut raw = text.as_bytes().to_vec();
            raw[at] = byte;
            let plain =
                byte.is_ascii_alphanumeric() || byte == b'_' || (byte == b'-' && at + 1 < length);
            let (key, odd) = Key::pack(&raw);
            assert_eq!(odd, !plain, "{raw:?}");
            if plain {
                let text = String::from_utf8(raw).unwrap();
                assert_eq!((key, key.unpack()), (Key(by_definition(&text)), Some(text)));
            }
        }
    }
    assert!(Key::pack(&[b'1'; 22]).1, "too long to pack");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn keys_compare_as_their_texts(one in "[-0-9A-Z_a-z]{0,20}[0-9A-Z]", other in "[0-9A-Z]{0,21}") {
        let key = |text: &str| Key::pack(text.as_bytes());
        prop_assert_eq!(key(&one), (Key(by_definition(&one)), false));
        prop_assert_eq!(key(&one).0.cmp(&key(&other).0), one.cmp(&other));
    }
}
