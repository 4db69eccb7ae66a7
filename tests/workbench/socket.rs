//! Who is let in, what is answered, and what never leaves.

use super::{PERIOD, Served, overlay, settled, settled_in};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

type Headers<'a> = &'a [(&'a str, &'a str)];

/// A request as written; the status, the headers and the body of the answer.
fn sent(port: u16, request: &str) -> (u16, String, String) {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("a connection");
    stream.set_read_timeout(Some(Duration::from_mins(1))).expect("a bound");
    stream.write_all(request.as_bytes()).expect("sent");
    let mut bytes = Vec::new();
    // A server that refuses a long body closes while it is still sent.
    let _ = stream.read_to_end(&mut bytes);
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).and_then(|word| word.parse().ok()).unwrap_or(0);
    (status, head.to_lowercase(), body.to_owned())
}

impl Served {
    /// A request with the headers a browser sends from our own page, but for those given.
    fn ask(&self, line: &str, headers: Headers<'_>, body: &str) -> (u16, String, String) {
        let host = format!("127.0.0.1:{}", self.port());
        let mut request = format!("{line} HTTP/1.1\r\nConnection: close\r\n");
        if !headers.iter().any(|(name, _)| *name == "Host") {
            let _ = write!(request, "Host: {host}\r\n");
        }
        for (name, value) in headers {
            let _ = write!(request, "{name}: {value}\r\n");
        }
        if !body.is_empty() {
            let _ = write!(request, "Content-Length: {}\r\n", body.len());
        }
        sent(self.port(), &format!("{request}\r\n{body}"))
    }

    fn get(&self, name: &str) -> (u16, String, String) {
        self.ask(&format!("GET /{}/{name}", self.token()), &[], "")
    }

    fn post(&self, name: &str, changes: &Value) -> (u16, String, String) {
        let body = json!({ "changes": changes }).to_string();
        let json = [("Content-Type", "application/json")];
        self.ask(&format!("POST /{}/{name}", self.token()), &json, &body)
    }

    fn answer(&self, changes: &Value) -> Value {
        let (status, _, body) = self.post("answer.json", changes);
        assert_eq!(status, 200, "{body}");
        serde_json::from_str(&body).expect("an answer")
    }
}

/// The cost an answer tells, fen.
fn cost(answer: &Value) -> i64 {
    let figure = &answer["figures"][0];
    assert_eq!(figure["id"], "cost", "{answer}");
    figure["exact"].as_str().and_then(|text| text.parse().ok()).expect("a cost")
}

#[test]
fn nobody_is_let_in_but_the_page_of_this_machine() {
    let served = Served::new(&[]);
    let (port, token) = (served.port(), served.token().to_owned());
    assert!(token.len() == 64 && token.bytes().all(|byte| byte.is_ascii_hexdigit()), "{token}");
    let page = format!("GET /{token}/");
    let own = format!("127.0.0.1:{port}");
    let origin = format!("http://{own}");
    let (localhost, other_port) = (format!("localhost:{port}"), format!("127.0.0.1:{}", port ^ 1));
    let named = format!("rebound.example:{port}");
    let other = if token.ends_with('0') { "1" } else { "0" };
    let almost = format!("GET /{}{other}/", &token[..63]);
    let short = format!("GET /{}/", &token[..63]);
    let absolute = format!("GET http://rebound.example/{token}/");
    let put = format!("PUT /{token}/answer.json");
    let answer = format!("POST /{token}/answer.json");
    let deeper = format!("GET /{token}/../../etc/passwd");
    let json = ("Content-Type", "application/json");
    let asked = r#"{"changes":{}}"#;
    let cases: [(u16, &str, Headers<'_>, &str); 25] = [
        (200, &page, &[], ""),
        (200, &page, &[("Host", &localhost)], ""),
        (200, &page, &[("Sec-Fetch-Site", "none")], ""),
        (200, &page, &[("Origin", &origin), ("Sec-Fetch-Site", "same-origin")], ""),
        (403, "GET /", &[], ""),
        (403, "GET /page.js", &[], ""),
        (403, "GET //page.js", &[], ""),
        (403, &almost, &[], ""),
        (403, &short, &[], ""),
        (403, &page, &[("Host", &named)], ""),
        (403, &page, &[("Host", "127.0.0.1")], ""),
        (403, &page, &[("Host", &other_port)], ""),
        (403, &page, &[("Host", &own), ("Host", &own)], ""),
        (403, &absolute, &[], ""),
        (403, &page, &[("Origin", "http://rebound.example")], ""),
        (403, &page, &[("Origin", "null")], ""),
        (403, &page, &[("Sec-Fetch-Site", "cross-site")], ""),
        (403, &page, &[("Sec-Fetch-Site", "same-site")], ""),
        (403, &answer, &[json, ("Sec-Fetch-Site", "none")], asked),
        (200, &answer, &[json, ("Origin", &origin)], asked),
        (415, &answer, &[("Content-Type", "text/plain")], asked),
        (400, &answer, &[json], r#"{"changes":{},"ledger":"var/ledger.db"}"#),
        (405, &put, &[json], asked),
        (404, &deeper, &[], ""),
        (404, &format!("GET /{token}/answer.json"), &[], ""),
    ];
    for (wanted, line, headers, body) in cases {
        let (status, head, told) = served.ask(line, headers, body);
        assert_eq!(status, wanted, "{line} {headers:?}: {told}");
        assert!(!head.contains("access-control-"), "{head}");
        for guard in [
            "content-security-policy: default-src 'none'; script-src 'self';",
            "x-content-type-options: nosniff",
            "referrer-policy: no-referrer",
            "cache-control: no-store",
        ] {
            assert!(head.contains(guard), "{line}: {head}");
        }
    }
    let long = "x".repeat((1 << 20) + 1);
    assert_eq!(served.ask(&answer, &[json], &long).0, 413);
    let wide = "y".repeat(64 << 10);
    assert_eq!(served.ask(&page, &[("X-Long", &wide)], "").0, 431);
}

#[test]
fn an_answer_is_what_a_settlement_comes_to() {
    let served = Served::new(&["--json", "--threads", "1"]);
    // `--json` is the same address.
    assert!(served.url.is_empty() || served.url.starts_with('{'), "{}", served.url);
    let url: Value = serde_json::from_str(&served.url).expect("JSON");
    drop(served);
    assert!(url["url"].as_str().is_some_and(|url| url.starts_with("http://127.0.0.1:")));

    let served = Served::new(&[]);
    let folder = tempfile::tempdir().expect("a folder");
    let as_it_is = settled(None);
    assert_eq!(cost(&served.answer(&json!({}))), as_it_is);
    for (path, value) in [
        ("table.rate.slot[乳儿班]", "151"),
        ("table.rate.operating[*|托小班|全日托]", "199.5"),
        ("parameter.ceiling.kindergarten.value", "0"),
        ("guide_price.full_day.float_up", "0"),
    ] {
        let file = overlay(folder.path(), &format!("\"{path}\" = \"{value}\""));
        let wanted = settled(Some(&file));
        assert_ne!(wanted, as_it_is, "{path} moves the cost");
        assert_eq!(cost(&served.answer(&json!({ path: value }))), wanted, "{path}");
        // What is downloaded says the same again.
        let (status, _, text) = served.post("overlay.toml", &json!({ path: value }));
        assert_eq!(status, 200);
        std::fs::write(&file, text).expect("an overlay");
        assert_eq!(settled(Some(&file)), wanted, "{path}");
    }
}

#[test]
fn the_next_step_of_every_slider_is_answered() {
    let served = Served::new(&[]);
    let desk: Value = serde_json::from_str(&served.get("desk.json").2).expect("JSON");
    let mut answered = 0;
    let lines = desk["cards"].as_array().expect("cards").iter();
    for line in lines.flat_map(|card| card["lines"].as_array().expect("lines")) {
        let (path, slider) = (line["path"].as_str().expect("a path"), &line["slider"]);
        let whole = |key: &str| slider[key].as_i64().expect("a whole number");
        if slider.is_null() {
            assert!(path.ends_with(".round.to") || path.ends_with(".quantum"), "{path}");
            continue;
        }
        assert!(whole("least") <= whole("at") && whole("at") < whole("most"), "{line}");
        let (at, places) = (whole("at") + 1, usize::try_from(whole("places")).expect("places"));
        let digits = format!("{at:0>width$}", width = places + 1);
        let (front, part) = digits.split_at(digits.len() - places);
        let value = if part.is_empty() { front.to_owned() } else { format!("{front}.{part}") };
        let answer = served.answer(&json!({ path: value }));
        assert!(answer["refused"].is_null(), "{path} = {value}: {}", answer["refused"]);
        answered += 1;
    }
    // 34 parameters, 39 cells, 3 bands, a work day.
    assert_eq!(answered, 77);
}

#[test]
fn a_page_begins_with_an_overlay_it_wrote() {
    let changes =
        json!({ "table.rate.slot[乳儿班]": "151", "guide_price.full_day.float_up": "0.2" });
    let folder = tempfile::tempdir().expect("a folder");
    let text = Served::new(&[]).post("overlay.toml", &changes).2;
    assert!(text.contains("示例财规〔2026〕1号 第八条): 120\n"), "{text}");
    let file = overlay(folder.path(), &text);
    let served = Served::new(&["--overlay", file.to_str().expect("a path")]);
    let desk: Value = serde_json::from_str(&served.get("desk.json").2).expect("JSON");
    assert_eq!(desk["start"], changes);
    assert_eq!(desk["period"], PERIOD);

    let file = overlay(folder.path(), "\"item.operating.rate\" = \"1\"");
    let words = ["workbench", super::JOB, "--overlay", file.to_str().expect("a path")];
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_tuoyu"))
        .current_dir(super::root())
        .args(words)
        .output()
        .expect("the program");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("`item.operating.rate` is no number of the law in force"), "{said}");
}

#[test]
fn a_tune_job_opens_all_its_periods_and_says_what_it_assumes() {
    let served = Served::on(&["jobs/tune.toml", "--lang", "en"]);
    let desk: Value = serde_json::from_str(&served.get("desk.json").2).expect("JSON");
    assert_eq!(desk["period"], "2026-08 – 2026-09");
    assert_eq!(desk["assumed"], json!([]));
    let both = settled_in("2026-08", None) + settled_in("2026-09", None);
    assert_eq!(cost(&desk["baseline"]), both);

    let folder = tempfile::tempdir().expect("a folder");
    let told = "\n[assumptions.growth]\npercent = \"10\"\nsource = \"a survey\"\n";
    let text = std::fs::read_to_string(super::root().join("jobs/tune.toml")).expect("the job");
    let file = folder.path().join("tune.toml");
    std::fs::write(&file, text + told).expect("a job");
    let served = Served::on(&[file.to_str().expect("a path"), "--lang", "en"]);
    let desk: Value = serde_json::from_str(&served.get("desk.json").2).expect("JSON");
    assert_eq!(desk["assumed"], json!(["Assumed: enrolment grows by 10 % (source: a survey)"]));
    assert_ne!(cost(&desk["baseline"]), both);
}

#[test]
fn a_value_that_does_not_hold_is_told_beside_its_lever() {
    let served = Served::new(&["--lang", "en"]);
    let slot = "table.rate.slot[乳儿班]";
    let refused = |changes: Value| {
        let answer = served.answer(&changes);
        let refused = answer["refused"].as_array().unwrap_or_else(|| panic!("{answer}")).clone();
        refused.iter().map(|of| (of["path"].clone(), of["message"].clone())).collect::<Vec<_>>()
    };
    let of = refused(json!({ slot: "一百" }));
    assert_eq!(of.len(), 1);
    assert_eq!(of[0].0, slot);
    assert_eq!(of[0].1, "一百 is no number; expected plain decimal digits such as 120 or 0.85");
    let of = refused(json!({ "table.rate.slot[大大班]": "1" }));
    assert_eq!(of[0].1, "the law in force has no such number");
    let of = refused(json!({ slot: "-0.01", "guide_price.full_day.float_up": "0" }));
    assert_eq!(of.len(), 1);
    assert_eq!(of[0].0, slot);
    assert!(of[0].1.as_str().is_some_and(|told| told.contains("below zero")), "{of:?}");
    // The law refuses one of two changes; the other is told nothing.
    let quantum = "guide_price.full_day.round.to";
    let of = refused(json!({ quantum: "0", slot: "100" }));
    assert_eq!(of.len(), 1, "{of:?}");
    assert_eq!(of[0].0, quantum, "{of:?}");
    // Quotes and breaks stay inside their value.
    let of = refused(json!({ slot: "1\"\n\"parameter.ceiling.kindergarten.value\" = \"0" }));
    assert_eq!(of.len(), 1);
}

#[test]
fn no_child_leaves() {
    let served = Served::new(&[]);
    let file = super::root().join("data/sample/2026-09/enrolments/part-2.csv");
    let text = std::fs::read_to_string(file).expect("the sample");
    let words: Vec<&str> =
        text.lines().skip(1).flat_map(|line| line.splitn(3, ',').take(2)).collect();
    assert!(words.len() > 100, "{}", words.len());
    let told = served.get("desk.json").2
        + &served.answer(&json!({ "table.rate.slot[乳儿班]": "151" })).to_string();
    assert!(told.contains("91999900MA"), "institutions are told");
    for word in words {
        assert!(!told.contains(word), "{word} is a child's");
    }
}

#[test]
fn every_word_of_the_page_is_in_the_catalogue() {
    use tuoyu::domain::texts::{Catalogue, Language};
    let folder = super::root().join("src/workbench/page");
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).expect("the page");
    let (script, page) = (read("page.js") + &read("compare.js"), read("index.html"));
    let mut keys: Vec<&str> = Vec::new();
    for rest in script.split("word(\"").skip(1) {
        keys.extend(rest.split('"').next());
    }
    for rest in page.split("{{").skip(1) {
        keys.extend(rest.split("}}").next().filter(|key| *key != "lang"));
    }
    assert!(keys.len() > 50, "{}", keys.len());
    let catalogue = Catalogue::new(Language::Chinese);
    for key in keys {
        assert!(catalogue.has(&format!("workbench.{key}")), "write workbench.{key}");
    }
}
