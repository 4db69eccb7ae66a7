//! Words of the command line that are wrong, and the table of exit codes.

use super::transcript::tuoyu;
use tuoyu::cli::{Exit, moment};

fn typed(line: &str) -> (u8, String) {
    let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
    let (exit, out, err) = tuoyu(&words);
    assert!(out.is_empty(), "{line}: a usage error is no data: {out}");
    (exit, err)
}

#[test]
fn a_wrong_word_is_exit_2_and_says_what_is_expected() {
    for (line, part) in [
        ("run", "JOB.toml"),
        ("run a.toml --period 2026-13", "--period: found \"2026-13\"; expected a month"),
        ("run a.toml --period 202609", "expected a month as 2026-09"),
        ("run a.toml --known-on 2026-02-30", "expected a date as 2026-09-30"),
        ("run a.toml --threads 0", "--threads: found \"0\"; expected a number from 1"),
        ("run a.toml --threads -1", "-1"),
        ("run a.toml --lang fr", "expected zh-CN or en"),
        ("check a.toml --ledger x", "--ledger"),
        ("policy check", "PACK"),
        ("profile check", "FILE"),
        ("profile check x.toml --lang fr", "expected zh-CN or en"),
        ("policy show p", "--on"),
        ("policy show p --on 2026-9", "expected a date as 2026-09-30 or a month as 2026-09"),
        ("policy diff p", "--notice"),
        ("policy diff p --notice a --known-after 2026-01-01", "cannot be used with"),
        ("explain out/2026-09", "--institution"),
        ("explain out/2026-09 --statement", "--child"),
        ("explain r --statement --child c --from 2026-13", "--from: found \"2026-13\""),
        ("explain r --statement --child c --to 2026", "--to: found \"2026\"; expected a month"),
        ("explain r --institution i --to 2026-02", "--statement"),
        ("explain r --statement --child c --month 2026-02", "cannot be used with"),
        ("approve", "RUN"),
        ("approve out/2026-09", "--by"),
        ("release r --by 李四 --at 2026-10-12", "--at: found \"2026-10-12\"; expected a moment"),
        ("run a.toml --at now", "expected a moment as 2026-10-12T09:30:00+08:00"),
        ("keys", "new"),
        ("keys new --name 李四", "--out"),
        ("audit", "sql"),
        ("audit sql out/2026-09", "--out"),
        ("audit rerun", "RUN"),
        ("audit rerun no/such/folder --lang en", "is no run folder and no run id; expected"),
        ("audit rerun 1234567 --lang en", "8 to 64 of 0-9 and a-f"),
        ("audit rerun 12345678 --threads 0", "--threads: found \"0\""),
    ] {
        let (exit, err) = typed(line);
        assert_eq!(exit, 2, "{line}: {err}");
        assert!(err.contains(part), "{line}: {err}");
    }
}

#[test]
fn exit_codes_are_a_contract() {
    let codes: Vec<u8> = Exit::ALL.iter().map(|exit| exit.code()).collect();
    assert_eq!(codes, [0, 1, 2, 3, 4, 5, 6, 7, 8, 70]);
}

#[test]
fn help_and_version_go_to_stdout() {
    for line in ["--help", "--version", "run --help", "policy --help", "explain --help"] {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let (exit, out, err) = tuoyu(&words);
        assert_eq!((exit, err.as_str()), (0, ""), "{line}");
        assert!(!out.is_empty(), "{line}");
    }
}

#[test]
fn the_moment_of_a_call_is_written_in_utc() {
    // 2026-10-10 09:30:05 UTC is 1 791 624 605 seconds after 1970.
    assert_eq!(moment(1_791_624_605), "2026-10-10T09:30:05Z");
    assert_eq!(moment(0), "1970-01-01T00:00:00Z");
    assert_eq!(moment(-1), "1969-12-31T23:59:59Z");
}
