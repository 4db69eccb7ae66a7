//! The catalogue and the code that reads it agree.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use tuoyu::domain::texts::{Catalogue, Language};
use tuoyu::subsidy::reasons;

/// Texts in quotes of all source files: `"word.colon"`.
fn quoted(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            quoted(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let text = fs::read_to_string(&path).expect("read");
            found.extend(text.split('"').map(str::to_owned));
        }
    }
}

#[test]
fn every_key_named_in_the_code_has_a_text() {
    let mut found = BTreeSet::new();
    quoted(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    let rooms = "word. cli. explain. timeline. statement. workbook. posted. severity.";
    let catalogue = Catalogue::new(Language::Chinese);
    let named = |text: &&String| {
        rooms.split(' ').any(|room| text.starts_with(room))
            && text.chars().all(|c| c.is_ascii_lowercase() || c == '.' || c == '_')
    };
    let keys: Vec<&String> = found.iter().filter(named).collect();
    assert!(keys.len() > 50, "the code names {} keys", keys.len());
    for key in keys {
        assert!(catalogue.has(key), "write {key} into both files of src/domain/texts");
    }
}

#[test]
fn every_reason_of_the_engine_has_words() {
    let all = [
        reasons::NOT_IN_MONTH,
        reasons::INSTITUTION_UNKNOWN,
        reasons::INSTITUTION_CONTRADICTS,
        reasons::LISTED_TWICE,
        reasons::OVERLAPPING,
        reasons::FEE_ABOVE,
        reasons::FEE_BELOW,
        reasons::FEE_MISSING,
        reasons::INSTITUTION_BREACH,
        reasons::AMOUNT_ZERO,
        reasons::GATE_ERROR,
        // Of `allocation` and `schedule`.
        "cap_exhausted",
        "nothing_due",
        "rows_alike",
        "budget_exhausted",
        "carried_over",
        "excluded",
        "account_missing",
        "account_invalid",
        "bank_no_missing",
        "bank_no_invalid",
        "sanctioned",
    ];
    for language in [Language::Chinese, Language::English] {
        let catalogue = Catalogue::new(language);
        for code in all {
            assert_ne!(catalogue.reason(code), code, "write reason.{code}");
        }
    }
}
