//! `tuoyu keys`: keys of the persons who act on runs.

use super::args_acts::KeysCommand;
use super::console::{Console, Outcome, Trouble};
use super::exit::Exit;
use crate::domain::SecretKey;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

/// What stands before the name in a key file.
const HEADING: &str = "tuoyu key of ";

/// Makes or shows a key.
///
/// # Errors
/// When the console cannot be written.
pub(super) fn keys(command: &KeysCommand, console: &mut Console<'_>) -> Outcome {
    let line = match command {
        KeysCommand::New { name, out } => new(name, out, console.draw),
        KeysCommand::Show { file } => show(file),
    };
    match line {
        Ok(line) => {
            writeln!(console.out, "{line}")?;
            Ok(Exit::Done)
        }
        Err(trouble) => console.tell(&trouble, &super::texts(None)),
    }
}

fn new(name: &str, out: &Path, draw: fn() -> Option<[u8; 32]>) -> Result<String, Trouble> {
    let told = |reason: &str| Trouble::told(Exit::World, format!("{}: {reason}", out.display()));
    let bytes = draw().ok_or_else(|| told("the system gives no random numbers"))?;
    let key = SecretKey::from_bytes(&bytes);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(out).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            told("is there already and may be somebody's key; hint: name another file")
        }
        _ => told(&error.to_string()),
    })?;
    let text = format!("{HEADING}{name}\npublic {}\n{}", key.public().text(), key.pem());
    file.write_all(text.as_bytes())
        .and_then(|()| file.sync_all())
        .map_err(|error| told(&error.to_string()))?;
    Ok(line(name, &key))
}

fn show(file: &Path) -> Result<String, Trouble> {
    let text = text(file)?;
    let key = parse(file, &text)?;
    let name = text.lines().find_map(|line| line.strip_prefix(HEADING)).unwrap_or_default();
    Ok(line(name, &key))
}

/// A line of the register (TOML).
fn line(name: &str, key: &SecretKey) -> String {
    format!("{} = \"{}\"", toml::Value::String(name.to_owned()), key.public().text())
}

/// Reads the key of whoever acts.
///
/// # Errors
/// When the file cannot be read or holds no key.
pub(super) fn read(file: Option<&Path>) -> Result<Option<SecretKey>, Trouble> {
    file.map(|file| parse(file, &text(file)?)).transpose()
}

fn text(file: &Path) -> Result<String, Trouble> {
    std::fs::read_to_string(file)
        .map_err(|error| Trouble::told(Exit::World, format!("{}: {error}", file.display())))
}

fn parse(file: &Path, text: &str) -> Result<SecretKey, Trouble> {
    SecretKey::parse(text)
        .map_err(|bad| Trouble::told(Exit::World, format!("{}: {bad}", file.display())))
}
