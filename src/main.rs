//! Exit codes, nothing else: reads the clock and the terminal, hands both down, ends.

use std::io::{self, IsTerminal};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use tuoyu::cli::{self, Console, Exit};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let terminal =
        io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|t| t != "dumb");
    let colour = terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let mut out = io::BufWriter::new(io::stdout());
    let mut err = io::stderr();
    let mut console = Console {
        out: &mut out,
        err: &mut err,
        terminal,
        colour,
        at: cli::moment(now()),
        user: user(),
        draw,
    };
    let run = AssertUnwindSafe(|| cli::main(std::env::args_os(), &mut console));
    let Ok(ended) = catch_unwind(run) else {
        // The panic has told its place; a bug of ours is exit 70, and nothing was published.
        return Exit::Bug.into();
    };
    match ended {
        Ok(exit) => exit.into(),
        // Whoever read our output has gone: `tuoyu … | head` is no failure.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Done.into(),
        Err(_) => Exit::World.into(),
    }
}

/// The user of the system, `unknown` where it has no name that can stand in the books.
fn user() -> String {
    let names = ["USER", "LOGNAME", "USERNAME"].into_iter().filter_map(|of| std::env::var(of).ok());
    let mut known = names.filter(|name| tuoyu::domain::person(name).is_ok());
    known.next().unwrap_or_else(|| "unknown".to_owned())
}

/// 32 bytes from the system's source of random numbers.
fn draw() -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).ok().map(|()| bytes)
}

/// Seconds since 1970.
fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.ok().and_then(|span| i64::try_from(span.as_secs()).ok()).unwrap_or(0)
}
