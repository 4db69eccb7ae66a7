//! The page in a headless browser (`drive.py`), its figures beside settlements under what it downloads.

use super::{Served, overlay, root, settled};
use crate::office::tuoyu;
use serde_json::Value;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the browser saw; `None` with a printed reason where there is no browser.
fn driven(part: &str, url: &str, folder: &Path) -> Option<Value> {
    let script = root().join("tests/workbench/drive.py");
    let output = Command::new("python3").arg(script).args([part, url]).arg(folder).output();
    let missing = match &output {
        Ok(output) if output.status.code() == Some(77) => true,
        Ok(_) => false,
        Err(_) => true,
    };
    if missing {
        assert!(std::env::var_os("CI").is_none(), "CI drives the page: {output:?}");
        println!("skipped: python3 with selenium, chromium and chromedriver are not all here");
        return None;
    }
    let output = output.expect("python3 runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    Some(serde_json::from_slice(&output.stdout).expect("what the browser saw"))
}

fn fen(told: &Value) -> i64 {
    told.as_str().and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("{told}"))
}

#[test]
fn a_slider_moves_the_cost_to_what_a_settlement_gives() {
    let served = Served::new(&[]);
    let folder = tempfile::tempdir().expect("a folder");
    let Some(seen) = driven("pointer", &served.url, folder.path()) else { return };
    let as_it_is = settled(None);
    assert_eq!(fen(&seen["at_first"]), as_it_is);

    // One value dragged, pinned; a second one typed, pinned.
    let dragged = format!("\"table.rate.slot[乳儿班]\" = {}", seen["dragged"]);
    let first = settled(Some(&overlay(folder.path(), &dragged)));
    assert_ne!(first, as_it_is);
    assert_eq!(fen(&seen["after_drag"]), first);
    let both = format!("{dragged}\n\"guide_price.full_day.float_up\" = \"0.03\"");
    let second = settled(Some(&overlay(folder.path(), &both)));
    assert_ne!(second, first);
    assert_eq!(fen(&seen["after_typing"]), second);
    let compared: Vec<i64> = seen["compared"].as_array().expect("pins").iter().map(fen).collect();
    assert_eq!(compared, [first, second]);
    assert_eq!(seen["names"], serde_json::json!(["甲方案", "方案 2"]));

    // What is downloaded passes the checks of the pack and settles to the same.
    let file = PathBuf::from(seen["downloaded"].as_str().expect("a file"));
    let words: [OsString; 7] = [
        "policy".into(),
        "check".into(),
        root().join("data/policy/shili").into(),
        "--overlay".into(),
        file.clone().into(),
        "--reference".into(),
        root().join("data/reference").into(),
    ];
    let (exit, out, err) = tuoyu(words.into_iter());
    assert_eq!(exit, 0, "{out}{err}");
    assert_eq!(settled(Some(&file)), second);

    // A reload keeps what is moved and what is pinned.
    assert_eq!(fen(&seen["after_reload"]), second);
    assert_eq!(seen["compared_after_reload"], seen["compared"]);
    // A wrong value is told beside its control and changes nothing; a reset mends it.
    let told = seen["told"].as_str().expect("a message");
    assert!(told.contains("“一百”不是数字"), "{told}");
    assert_eq!(fen(&seen["while_wrong"]), second);
    assert_eq!(fen(&seen["after_reset"]), as_it_is);
    calm(&seen);
}

#[test]
fn everything_is_done_by_keys_alone() {
    let served = Served::new(&["--lang", "en"]);
    let folder = tempfile::tempdir().expect("a folder");
    let Some(seen) = driven("keys", &served.url, folder.path()) else { return };
    // Five steps up of 120 yuan a slot.
    assert_eq!(seen["value"], "125");
    let line = "\"table.rate.slot[乳儿班]\" = \"125\"";
    let wanted = settled(Some(&overlay(folder.path(), line)));
    assert_eq!(fen(&seen["after_keys"]), wanted);
    let compared: Vec<i64> = seen["compared"].as_array().expect("pins").iter().map(fen).collect();
    assert_eq!(compared, [wanted]);
    let file = PathBuf::from(seen["downloaded"].as_str().expect("a file"));
    assert_eq!(settled(Some(&file)), wanted);
    assert_eq!(fen(&seen["after_reset"]), settled(None));
    // Every stop of the tab key has a name and a ring to see.
    assert_eq!(seen["nameless"], serde_json::json!([]));
    assert_eq!(seen["ringless"], serde_json::json!([]));
    calm(&seen);
}

#[test]
fn the_page_fits_a_desk_and_a_hand() {
    let served = Served::new(&[]);
    let folder = tempfile::tempdir().expect("a folder");
    let Some(seen) = driven("widths", &served.url, folder.path()) else { return };
    let widths = seen["widths"].as_array().expect("two widths");
    assert_eq!(widths.len(), 2);
    for (of, window) in widths.iter().zip([1280, 390]) {
        assert_eq!(of[0], window);
        assert!(of[1].as_u64().is_some_and(|page| page > 0 && page <= window), "{of}");
    }
    calm(&seen);
}

/// No error on the console, no request that failed, none that went elsewhere.
fn calm(seen: &Value) {
    assert_eq!(seen["console"], serde_json::json!([]));
    assert_eq!(seen["failed"], serde_json::json!([]));
    assert!(seen["requests"].as_u64().is_some_and(|count| count >= 6), "{seen}");
}
