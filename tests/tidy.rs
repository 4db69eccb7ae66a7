//! The rules of the house that the compiler does not hold, held against the source.
//!
//! Each message says what to do. A ratchet list names what is older than its rule: entries may
//! only go or shrink.

use std::fs;
use std::path::PathBuf;

/// Rooms in the order the data walks (DESIGN 3); a room uses only rooms before it.
const ROOMS: &str = "domain law job intake facts history price subsidy allocation retro schedule \
                     ledger reconcile archive publish settle audit explain tune workbench cases \
                     cli";

/// Hash maps that are walked, into what has no order of its own; or another map of that name.
const WALKED: &str = "src/facts/child.rs:homes src/intake/plan.rs:map src/publish/control/mod.rs:funded \
     src/audit/difference.rs:by_key";

const MOST_LINES: usize = 600;
/// Files longer than [`MOST_LINES`], with the length they may not pass.
const LONG_FILES: &[(&str, usize)] = &[("tests/settle/allocation.rs", 700)];

/// The formatter holds code at 100; comments and texts it cannot break get a little more.
const WIDEST: usize = 105;
/// Files with lines wider than [`WIDEST`]: tables of texts that read worse when broken.
const WIDE_FILES: &str =
    "src/domain/finding.rs src/law/calendar.rs src/job/mod.rs src/schedule/mod.rs";

/// Words of a file format that hold a banned name, and names older than the rule.
const OTHER_TERMS: &[&str] =
    &["fn data_page(", "fn common_den(", "fn common(", "fn int_data<", "enum Data<"];

const BANNED_NAMES: &str = "util helper manager common misc data info process handle";
/// Largest number of a rule of SEMANTICS.
const LAST_RULE: u32 = 33;
#[derive(Clone)]
struct Source {
    /// Path from the root, with `/`.
    path: String,
    text: String,
}

fn root() -> PathBuf {
    env!("CARGO_MANIFEST_DIR").into()
}

/// Text files below a folder with one of the endings; build products and hidden folders apart.
fn sources(folder: &str, endings: &[&str]) -> Vec<Source> {
    let mut found = Vec::new();
    let mut open = vec![root().join(folder)];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let name = entry.file_name().to_string_lossy().into_owned();
            if path.is_dir() {
                if !name.starts_with("target") && !["out", "var", ".git"].contains(&&*name) {
                    open.push(path);
                }
            } else if endings.iter().any(|ending| name.ends_with(ending))
                && let Ok(text) = fs::read_to_string(&path)
            {
                let path = path.strip_prefix(root()).unwrap_or(&path).to_string_lossy();
                found.push(Source { path: path.replace('\\', "/"), text });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn rust() -> Vec<Source> {
    [sources("src", &[".rs"]), sources("tests", &[".rs"])].concat()
}

/// Where a rule is broken, and what to do.
#[track_caller]
fn none(broken: &[String], what_to_do: &str) {
    assert!(broken.is_empty(), "{what_to_do}:\n  {}", broken.join("\n  "));
}

/// Paths of the files that `wrong` names.
fn paths(files: &[Source], wrong: impl Fn(&Source) -> bool) -> Vec<String> {
    files.iter().filter(|file| wrong(file)).map(|file| file.path.clone()).collect()
}

/// `path:line` of every line that `wrong` names.
fn lines(files: &[Source], wrong: impl Fn(&Source, &str) -> bool) -> Vec<String> {
    let mut broken = Vec::new();
    for file in files {
        for (number, line) in file.text.lines().enumerate() {
            if wrong(file, line) {
                broken.push(format!("{}:{}: {}", file.path, number + 1, line.trim()));
            }
        }
    }
    broken
}

fn rooms() -> impl Iterator<Item = &'static str> {
    ROOMS.split_whitespace()
}

fn room(path: &str) -> Option<&str> {
    let name = path.strip_prefix("src/")?.split(['/', '.']).next()?;
    rooms().any(|room| room == name).then_some(name)
}

/// Whether `word` stands in `line` with no letter, digit or underscore beside it.
fn has_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let part = |c: char| c.is_alphanumeric() || c == '_';
        !line[..at].ends_with(part) && !line[at + word.len()..].starts_with(part)
    })
}

/// Code before a `//`.
fn code(line: &str) -> &str {
    line.split("//").next().unwrap_or(line)
}

#[test]
fn a_room_uses_only_the_rooms_before_it() {
    let lib = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    for name in rooms() {
        assert!(lib.contains(&format!("pub mod {name};")), "src/lib.rs: declare room {name}");
    }
    let place = |name: &str| rooms().position(|room| room == name);
    let broken = lines(&sources("src", &[".rs"]), |file, line| {
        let Some(own) = room(&file.path).and_then(place) else { return false };
        code(line).split("crate::").skip(1).any(|rest| {
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            place(&rest[..end]).is_some_and(|used| used > own)
        })
    });
    none(&broken, "move the type down to `domain`, or turn the call round (order: see ROOMS)");
    let grouped = lines(&sources("src", &[".rs"]), |_, line| code(line).contains("crate::{"));
    none(&grouped, "write one `use crate::room::…` a room, so that this test can read it");
}

#[test]
fn only_the_roof_prints_and_knows_clock_and_environment() {
    let banned = "println! eprintln! print! eprint! dbg! std::env SystemTime Instant::now \
                  io::stdout io::stderr";
    let broken = lines(&sources("src", &[".rs"]), |file, line| {
        let roof = file.path.starts_with("src/cli/") || file.path == "src/main.rs";
        !roof && banned.split_whitespace().any(|word| code(line).contains(word))
    });
    none(&broken, "hand it down from `cli` as a value; the library is a pure function");
    let main = fs::read_to_string(root().join("src/main.rs")).unwrap();
    assert!(main.lines().count() <= 60, "src/main.rs: exit policy only; the rest is `cli`");
}

#[test]
fn no_float_and_no_hash_order() {
    let files = sources("src", &[".rs"]);
    let broken = lines(&files, |file, line| {
        let floats = ["f32", "f64"].iter().any(|word| has_word(code(line), word));
        floats
            && !file.text.contains("expect(clippy::disallowed_types")
            && !file.text.contains("expect(\n    clippy::disallowed_types")
    });
    none(&broken, "use Fen, i64 or Fraction; at a file format's edge say #[expect(.., reason)]");
    let broken = lines(&files, |_, line| {
        ["HashMap", "HashSet"].iter().any(|word| has_word(code(line), word))
    });
    none(&broken, "use BTreeMap, or FxHashMap where the map is only looked up");
    let walks = "iter() iter_mut() into_iter() keys() values() drain(";
    let mut broken = Vec::new();
    for file in &files {
        let unlisted = |name: &&str| !WALKED.contains(&format!("{}:{name}", file.path));
        let walked: Vec<String> = hashed(&file.text)
            .filter(unlisted)
            .flat_map(|name| walks.split(' ').map(move |walk| format!("{name}.{walk}")))
            .collect();
        broken.extend(lines(std::slice::from_ref(file), |_, line| {
            walked.iter().any(|walk| has_word(code(line), walk))
        }));
    }
    none(&broken, "walk a sorted Vec or a BTreeMap: a hash map is for looking up");
}

/// Names a file declares as hash maps or sets.
fn hashed(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(code).filter(|line| !line.contains("use ")).filter_map(|line| {
        let (before, _) = line.split_once("FxHash")?;
        let name = before.split(['=', ':']).next()?.trim().rsplit(' ').next()?;
        (!name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_')).then_some(name)
    })
}

#[test]
fn files_open_with_docs_and_stay_short() {
    let files = rust();
    let broken = paths(&files, |file| !file.text.starts_with("//!"));
    none(&broken, "open the file with //! (a door: what, in, out, order, never)");
    let broken = paths(&files, |file| {
        let limit = LONG_FILES.iter().find(|(path, _)| *path == file.path);
        file.text.lines().count() > limit.map_or(MOST_LINES, |(_, lines)| *lines)
    });
    none(&broken, "cut the file along its subject; a room that has outgrown a file gets a folder");
    let broken = lines(&files, |file, line| {
        file.path.starts_with("src/")
            && line.chars().count() > WIDEST
            && !WIDE_FILES.split(' ').any(|wide| wide == file.path)
    });
    none(&broken, "break the line at 100 characters");
}

#[test]
fn nothing_is_left_undone_or_switched_off() {
    // Written in halves, so that this file does not name them.
    let halves = "TO-DO FIX-ME to-do!( unimplement-ed!( #[ig-nore thread::-sleep";
    let marks: Vec<String> = halves.split(' ').map(|mark| mark.replacen('-', "", 1)).collect();
    let broken = lines(&rust(), |_, line| marks.iter().any(|mark| line.contains(&**mark)));
    none(&broken, "do it, or open an issue and say in the docs what is missing");
}

#[test]
fn names_say_what_a_thing_is() {
    let broken = lines(&rust(), |_, line| {
        let words: Vec<&str> = code(line).split_whitespace().collect();
        let other = OTHER_TERMS.iter().any(|term| line.contains(term));
        !other
            && words.windows(2).any(|pair| {
                let declares = ["mod", "fn", "struct", "enum", "trait", "type"].contains(&pair[0]);
                declares
                    && segments(pair[1])
                        .iter()
                        .any(|name| BANNED_NAMES.split(' ').any(|b| b == name))
            })
    });
    none(&broken, "name it by what it is in the field (GLOSSARY.md)");
}

/// `read_info(…` and `ReadInfo<` as `read`, `info`.
fn segments(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for letter in name.chars().take_while(|c| c.is_alphanumeric() || *c == '_') {
        if letter == '_' || letter.is_uppercase() {
            words.push(String::new());
        }
        if letter != '_' {
            words.last_mut().unwrap().extend(letter.to_lowercase());
        }
    }
    words
}

#[test]
fn no_file_names_a_machine_or_a_registry() {
    let endings = [".rs", ".md", ".toml", ".py", ".sh", ".csv", ".sql", "run", ".json"];
    let halves = "/ro-ot/ /wo-rk/ /ho-me/ /Us-ers/ /t-mp/ crates-.io pypi-.org npmjs-.org \
                  registry-.npm deb-.debian";
    let banned: Vec<String> = halves.split_whitespace().map(|w| w.replacen('-', "", 1)).collect();
    let broken = lines(&sources("", &endings), |file, line| {
        file.path != "Cargo.lock" && banned.iter().any(|word| line.contains(&**word))
    });
    none(&broken, "write a path relative to the checkout, and leave hosts to the tools' settings");
}

#[test]
fn every_cited_rule_of_semantics_exists() {
    let mut files = rust();
    files.extend(sources("docs", &[".md"]));
    let broken = lines(&files, |_, line| {
        line.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| {
            let number = word.strip_prefix('S').and_then(|digits| digits.parse::<u32>().ok());
            number.is_some_and(|number| !(1..=LAST_RULE).contains(&number))
        })
    });
    none(&broken, "cite a rule that stands in SEMANTICS");
}

#[test]
fn one_test_binary_and_no_dead_file() {
    let cargo = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(cargo.contains("autotests = false"), "Cargo.toml: polars links once, in one binary");
    assert_eq!(cargo.matches("[[test]]").count(), 1, "Cargo.toml: tests/main.rs is the one binary");
    assert!(cargo.contains("unsafe_code = \"forbid\""), "Cargo.toml: forbid unsafe code");
    assert!(cargo.contains("overflow-checks = true"), "Cargo.toml: a wrapped fen is wrong pay");
    let files = rust();
    let broken = paths(&files, |file| {
        let root = ["src/main.rs", "src/lib.rs", "tests/main.rs"].contains(&&*file.path);
        !root && !files.iter().any(|parent| declares(parent, &file.path))
    });
    none(&broken, "declare the module in its parent, or delete the file");
}

/// Whether `parent` is the file that has to declare `path`, and does.
fn declares(parent: &Source, path: &str) -> bool {
    let stem = path.strip_suffix("/mod.rs").or_else(|| path.strip_suffix(".rs")).unwrap_or(path);
    let (folder, name) = stem.rsplit_once('/').unwrap_or(("", stem));
    let of = ["/mod.rs", ".rs", "/lib.rs", "/main.rs"];
    of.iter().any(|ending| parent.path == format!("{folder}{ending}"))
        && parent.text.lines().any(|line| has_word(code(line), &format!("mod {name};")))
}
