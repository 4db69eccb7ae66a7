//! Identifiers against published vectors (DOMAIN 4.11, 5).

use super::shared_table;
use tuoyu::domain::{
    CnapsError, Date, ResidentIdError, UsccError, check_cnaps, check_resident_id, check_uscc,
    luhn_valid,
};

#[test]
fn uscc_by_hand() {
    let cases = [
        ("91350100M000100Y43", Ok("91350100M000100Y43")),
        ("91310115MA1H8R7C6D", Err(UsccError::Check)),
        ("91110000600037341L", Ok("91110000600037341L")),
        ("9 1 110000-600037341l", Ok("91110000600037341L")),
        ("９１110000600037341Ｌ", Ok("91110000600037341L")),
        ("91110000600037341I", Err(UsccError::Character)),
        ("9111000060003734OL", Err(UsccError::Character)),
        ("91110000600037341中", Err(UsccError::Character)),
        ("9111000060003734L", Err(UsccError::Length)),
        ("91110000600037341LL", Err(UsccError::Length)),
        ("", Err(UsccError::Length)),
        // Letters may come first.
        ("N2420112MF00000005", Ok("N2420112MF00000005")),
        // The sum is 31 x n: the check value is 0, where `31 - sum mod 31` says 31.
        ("Y1420112MF00000000", Ok("Y1420112MF00000000")),
        ("12420112MB0000000J", Ok("12420112MB0000000J")),
        // One digit changed, two neighbours swapped.
        ("91350100M000200Y43", Err(UsccError::Check)),
        ("91350100M000010Y43", Err(UsccError::Check)),
    ];
    for (text, want) in cases {
        assert_eq!(check_uscc(text), want.map(str::to_owned), "{text}");
    }
}

#[test]
fn uscc_with_sum_zero_has_only_check_zero() {
    // All 17 characters zero: the sum is 0, the check character must be 0 and nothing else.
    for check in "0123456789ABCDEFGHJKLMNPQRTUWXY".chars() {
        let code = format!("{}{check}", "0".repeat(17));
        assert_eq!(check_uscc(&code).is_ok(), check == '0', "{code}");
    }
}

#[test]
fn uscc_tables() {
    if let Some(text) = shared_table("uscc_valid_real.txt") {
        let codes: Vec<&str> = text.split_whitespace().collect();
        assert!(codes.len() >= 100, "{} codes", codes.len());
        for code in codes {
            assert_eq!(check_uscc(code).as_deref(), Ok(code));
        }
    }
    if let Some(text) = shared_table("uscc_cases.csv") {
        for line in text.lines().skip(1) {
            let mut fields = line.split(',');
            let (Some(code), Some(want)) = (fields.next(), fields.next()) else { continue };
            assert_eq!(check_uscc(code).is_ok(), want.starts_with("valid"), "{line}");
        }
    }
}

#[test]
fn resident_id_by_hand() {
    let born = |text: &str| Date::parse_iso(text).unwrap();
    let cases = [
        ("11010519491231002X", Ok(("11010519491231002X", born("1949-12-31")))),
        ("11010519491231002x", Ok(("11010519491231002X", born("1949-12-31")))),
        ("44011320141005001x", Ok(("44011320141005001X", born("2014-10-05")))),
        ("110101202311012176", Ok(("110101202311012176", born("2023-11-01")))),
        ("110101202311012171", Err(ResidentIdError::Check)),
        // An unknown region is no reason to refuse.
        ("990426199112010074", Ok(("990426199112010074", born("1991-12-01")))),
        ("360426199113010079", Err(ResidentIdError::Birth)),
        ("360426199102300079", Err(ResidentIdError::Birth)),
        ("T60426199101010078", Err(ResidentIdError::Character)),
        ("1101051949123100X2", Err(ResidentIdError::Character)),
        ("11010519491231002A", Err(ResidentIdError::Character)),
        ("110105491231002", Err(ResidentIdError::Length)),
        (" 1101011949 1231002X", Err(ResidentIdError::Check)),
    ];
    for (text, want) in cases {
        let want = want.map(|(id, birth)| (id.to_owned(), birth));
        assert_eq!(check_resident_id(text), want, "{text}");
    }
}

#[test]
fn resident_id_table() {
    let Some(text) = shared_table("ric_cases.csv") else { return };
    for line in text.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        assert_eq!(check_resident_id(fields[0]).is_ok(), fields[1] == "True", "{line}");
    }
}

#[test]
fn cnaps_by_hand() {
    let cases = [
        ("313521000011", Ok(())),
        ("102521000335", Ok(())),
        ("313521000012", Err(CnapsError::Check)),
        ("315321000011", Err(CnapsError::Check)),
        ("31352100001", Err(CnapsError::Shape)),
        ("3135210000110", Err(CnapsError::Shape)),
        ("31352100001X", Err(CnapsError::Shape)),
        ("３１３５", Err(CnapsError::Shape)), // 12 bytes, no digit
    ];
    for (text, want) in cases {
        assert_eq!(check_cnaps(text), want, "{text}");
    }
}

#[test]
fn cnaps_has_one_check_digit_for_each_bank() {
    // Where the running sum is a multiple of ten the standard counts ten: eleven digits always
    // have exactly one check digit, and it may be 0.
    let mut zero_seen = false;
    for branch in 0..200 {
        let front = format!("31352100{branch:03}");
        let valid: Vec<u32> =
            (0..10).filter(|check| check_cnaps(&format!("{front}{check}")).is_ok()).collect();
        assert_eq!(valid.len(), 1, "{front}: {valid:?}");
        zero_seen |= valid == [0];
    }
    assert!(zero_seen);
}

#[test]
fn luhn_by_hand() {
    let cases = [
        ("6222020200112230", true), // 11 + 19 = 30
        ("6222020200112231", false),
        ("79927398713", true),
        ("79927398710", false),
        ("4111111111111111", true),
        ("4111111111111112", false),
        ("4111 1111 1111 1111", false),
        ("0", false),
        ("", false),
    ];
    for (text, want) in cases {
        assert_eq!(luhn_valid(text), want, "{text}");
    }
}
