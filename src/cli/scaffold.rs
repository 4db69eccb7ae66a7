//! `tuoyu policy new NAME`: a pack to be filled, with a block of each kind a notice usually needs and
//! a case. What the notice has to say is "unset", so that `policy check` names it.

use super::args_authoring::ScaffoldWords;
use super::console::{Console, Outcome, Trouble};
use super::exit::Exit;
use crate::domain::texts::Catalogue;
use crate::law::quoted;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

const FILES: [(&str, &str); 3] = [
    ("pack.toml", include_str!("scaffold/pack.toml")),
    ("notice.toml", include_str!("scaffold/notice.toml")),
    ("cases/first.toml", include_str!("scaffold/case.toml")),
];

/// Writes the folder and says what comes next.
///
/// # Errors
/// When the console cannot be written.
pub(super) fn scaffold(
    words: &ScaffoldWords,
    json: bool,
    console: &mut Console<'_>,
    texts: &Catalogue,
) -> Outcome {
    let files = match write(words) {
        Ok(files) => files,
        Err(trouble) => return console.tell(&trouble, texts),
    };
    let folder = words.to.display().to_string();
    if json {
        let files: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
        writeln!(console.out, "{}", serde_json::json!({ "pack": folder, "files": files }))?;
    } else {
        writeln!(console.out, "{}", texts.phrase("cli.policy_scaffold", &[("folder", &folder)]))?;
    }
    Ok(Exit::Done)
}

fn write(words: &ScaffoldWords) -> Result<Vec<PathBuf>, Trouble> {
    let folder = &words.to;
    // A folder that holds anything is somebody's; an empty one was made for this.
    let holds = fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some());
    if holds || (folder.exists() && !folder.is_dir()) {
        let reason = "is there already; expected a new folder; hint: name another with --to";
        return Err(Trouble::told(Exit::Usage, format!("{}: {reason}", folder.display())));
    }
    let title = words.title.clone().unwrap_or_else(|| "unset".to_owned());
    let region = words.region.clone().unwrap_or_else(|| "unset".to_owned());
    let values = [
        ("{id}", quoted(&words.name)),
        ("{title}", words.title.clone().unwrap_or_else(|| words.name.clone())),
        ("{title_text}", quoted(&title)),
        ("{region_text}", quoted(&region)),
        ("{folder}", folder.display().to_string()),
    ];
    let mut written = Vec::new();
    for (name, text) in FILES {
        let filled =
            values.iter().fold(text.to_owned(), |text, (key, value)| text.replace(key, value));
        let path = folder.join(name);
        put(&path, &filled)?;
        written.push(path);
    }
    Ok(written)
}

/// Writes a new file; one that is there is left as it is.
fn put(path: &Path, text: &str) -> Result<(), Trouble> {
    let wrong = |error: std::io::Error| {
        let exit = if error.kind() == ErrorKind::AlreadyExists { Exit::Usage } else { Exit::World };
        Trouble::told(exit, format!("{}: {error}", path.display()))
    };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(wrong)?;
    }
    let mut file = OpenOptions::new().write(true).create_new(true).open(path).map_err(wrong)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(wrong)
}
