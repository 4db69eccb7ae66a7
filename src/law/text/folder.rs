//! Reads pack folders: every `*.toml` of a folder is one notice; the order of files means nothing.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::block::{Block, Notice, Written, mid};
use super::node::{self, MOST_BYTES, Node, Value};
use super::schema::{self, BlockKind, Key, NOTICE, PACK};
use super::shape;
use super::table_file::{self, Beside};
use crate::domain::Date;
use crate::law::fault::{At, Faults, SourceText, Sources, near, near_hint};
use crate::law::model::{MidMonth, Overlaps, PackHead, Weeks};

/// One pack as read.
#[derive(Debug, Clone)]
pub(crate) struct PackText {
    pub(crate) head: PackHead,
    /// Name of its calendar and where it is written.
    pub(crate) calendar: String,
    pub(crate) calendar_at: At,
    /// Its settings as written, or as they are where nothing is written.
    pub(crate) settings: Vec<(&'static Key, String)>,
    /// `[pack]`.
    pub(crate) at: At,
}

/// Everything read, before any meaning.
#[derive(Debug, Clone, Default)]
pub(crate) struct Papers {
    pub(crate) sources: Sources,
    pub(crate) packs: Vec<PackText>,
    pub(crate) notices: Vec<Notice>,
    /// Dated blocks, in the order of files and lines.
    pub(crate) written: Vec<Written>,
    /// `[[input]]` blocks.
    pub(crate) inputs: Vec<Block>,
}

/// One file: its tree and the notice it is.
struct FileText {
    file: usize,
    root: Node,
    /// It is not TOML throughout: what follows from that is not told.
    damaged: bool,
}

/// Words of a pack and what is read in their place.
pub(crate) type Wording<'a> = &'a BTreeMap<String, String>;

/// Reads packs in layer order, with other words in the last of them.
pub(crate) fn read(packs: &[PathBuf], wording: Wording<'_>, faults: &mut Faults) -> Papers {
    let mut papers = Papers::default();
    if packs.is_empty() {
        faults.world("no_pack", "no policy pack is named".to_owned(), "name a pack folder");
    }
    let mut all = Vec::new();
    let same = BTreeMap::new();
    for (index, folder) in packs.iter().enumerate() {
        let wording = if index + 1 == packs.len() { wording } else { &same };
        all.push(read_folder(folder, wording, &mut papers.sources, faults));
    }
    for (folder, files) in packs.iter().zip(all) {
        read_pack(folder, files, &mut papers, faults);
    }
    same_ids(&papers, faults);
    papers
}

/// Two packs of one id cannot be told apart in `pack:id`.
fn same_ids(papers: &Papers, faults: &mut Faults) {
    for (index, pack) in papers.packs.iter().enumerate() {
        if papers.packs[..index].iter().any(|other| other.head.id == pack.head.id) {
            let message = format!("two packs have the id `{}`", pack.head.id);
            faults.error("duplicate", &pack.at, message, "an id of its own for each pack", "");
        }
        let first = &papers.packs[0].head.currency;
        if pack.head.currency != *first {
            let message =
                format!("the currency is {}, another pack has {first}", pack.head.currency);
            faults.error("currency", &pack.at, message, "one currency for all packs", "");
        }
    }
}

/// The last name of a path.
pub(crate) fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

/// Reads a file of bounded size; bytes that are not UTF-8 are a fault.
pub(crate) fn read_text(path: &Path, what: &str, faults: &mut Faults) -> Option<String> {
    let mut bytes = Vec::new();
    let read =
        fs::File::open(path).and_then(|file| file.take(MOST_BYTES + 1).read_to_end(&mut bytes));
    if let Err(error) = read {
        faults.world("unreadable", format!("{}: {what}: {error}", path.display()), "");
        return None;
    }
    if bytes.len() as u64 > MOST_BYTES {
        faults.world("unreadable", format!("{}: larger than 4 MiB", path.display()), "");
        return None;
    }
    if let Ok(text) = String::from_utf8(bytes) {
        Some(text)
    } else {
        let hint = "save the file as UTF-8";
        faults.world("unreadable", format!("{}: not UTF-8", path.display()), hint);
        None
    }
}

fn read_folder(
    folder: &Path,
    wording: Wording<'_>,
    sources: &mut Sources,
    faults: &mut Faults,
) -> Vec<FileText> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => {
            let hint = "a pack is a folder of TOML files";
            faults.world("unreadable", format!("{}: {error}", folder.display()), hint);
            return Vec::new();
        }
    };
    let mut paths: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|ext| ext == "toml"))
        .collect();
    paths.sort();
    if paths.is_empty() {
        let hint = "a pack is a folder of TOML files";
        faults.world("unreadable", format!("{}: no TOML file", folder.display()), hint);
    }
    let pack = file_name(folder);
    let mut files = Vec::new();
    let mut met: BTreeMap<&str, usize> = wording.keys().map(|old| (old.as_str(), 0)).collect();
    for path in paths {
        let Some(mut text) = read_text(&path, "policy file", faults) else { continue };
        for (old, new) in wording {
            *met.entry(old).or_default() += text.matches(old.as_str()).count();
            text = text.replace(old.as_str(), new);
        }
        let name = file_name(&path);
        let file = sources.add(SourceText {
            name: format!("{pack}/{name}"),
            file: Arc::from(name.as_str()),
            pack: Arc::from(pack.as_str()),
            text,
        });
        let before = faults.0.len();
        let root = node::parse(file, &sources.0[file].text.clone(), faults);
        let damaged = faults.0[before..].iter().any(|fault| fault.code == "toml");
        files.push(FileText { file, root, damaged });
    }
    for (old, times) in met.into_iter().filter(|(_, times)| *times != 1) {
        let message = format!("{}: {old:?} stands {times} times in it", folder.display());
        faults.world("wording", message, "words that stand once are exchanged");
    }
    files
}

fn read_pack(folder: &Path, mut files: Vec<FileText>, papers: &mut Papers, faults: &mut Faults) {
    let pack = papers.packs.len();
    let mut heads: Vec<(At, PackText)> = Vec::new();
    let mut written = 0;
    for FileText { root, damaged, .. } in &mut files {
        if let Some(head) = take(root, "pack") {
            written += 1;
            let at = head.at.clone();
            let mut untold = Faults::default();
            let faults = if *damaged { &mut untold } else { &mut *faults };
            heads.extend(pack_head(head, faults).map(|head| (at, head)));
        }
    }
    if written == 0 {
        let damaged = files.iter().any(|file| file.damaged);
        if !damaged && !files.is_empty() {
            let message = format!("{}: no file has a [pack]", folder.display());
            faults.world("missing_pack", message, "pack.toml holds [pack] with id, title …");
        }
    }
    for (at, _) in heads.iter().skip(1) {
        faults.error("duplicate", at, "a second [pack]", "one [pack] in the folder", "");
    }
    // A pack without a readable head is kept under its folder's name, so that its blocks are checked.
    let head = heads.into_iter().next().map_or_else(|| stand_in(folder, &files), |(_, head)| head);
    for FileText { file, .. } in &files {
        let mut source = (*papers.sources.0[*file]).clone();
        source.pack = Arc::clone(&head.head.id);
        papers.sources.0[*file] = Arc::new(source);
    }
    papers.packs.push(head);
    for FileText { file, root, damaged } in files {
        let mut untold = Faults::default();
        let faults = if damaged { &mut untold } else { &mut *faults };
        let read = FileText { file, root, damaged };
        read_file(pack, Some(folder), read, papers, faults);
    }
}

/// Adds a file to a pack that was read.
pub(crate) fn add_notice(
    papers: &mut Papers,
    pack: usize,
    name: &str,
    text: &str,
    faults: &mut Faults,
) {
    let id = &papers.packs[pack].head.id;
    let file = papers.sources.add(SourceText {
        name: format!("{id}/{name}"),
        file: Arc::from(name),
        pack: Arc::clone(id),
        text: text.to_owned(),
    });
    let before = faults.0.len();
    let root = node::parse(file, text, faults);
    let damaged = faults.0[before..].iter().any(|fault| fault.code == "toml");
    read_file(pack, None, FileText { file, root, damaged }, papers, faults);
}

/// Takes a key out of a table.
fn take(root: &mut Node, name: &str) -> Option<Node> {
    let Value::Table(entries) = &mut root.value else { return None };
    let index = entries.iter().position(|entry| entry.name == name)?;
    Some(entries.remove(index).node)
}

fn stand_in(folder: &Path, files: &[FileText]) -> PackText {
    let at = At { file: files.first().map_or(usize::MAX, |file| file.file), span: 0..0 };
    let text = |text: &str| Arc::<str>::from(text);
    PackText {
        head: PackHead {
            id: text(&file_name(folder)),
            title: text(""),
            region: text(""),
            currency: text("yuan"),
            sample: false,
            resident_ids: true,
            uscc: true,
            overlaps: Overlaps::Refuse,
            settlement_months: 1,
            filing: MidMonth::ByMonthStart,
            inclusive: MidMonth::ByMonthStart,
            grade: MidMonth::ByMonthStart,
            sanctions: MidMonth::ByMonthStart,
            weeks: Weeks::Clipped,
        },
        calendar: String::new(),
        calendar_at: at.clone(),
        settings: Vec::new(),
        at,
    }
}

fn pack_head(mut node: Node, faults: &mut Faults) -> Option<PackText> {
    if !shape::record("[pack]", &mut node, PACK, faults) {
        return None;
    }
    let default = |key: &str| PACK.iter().find(|k| k.name == key).map_or("", |k| k.default);
    let word = |key: &str| node.get(key).and_then(Node::text).unwrap_or_else(|| default(key));
    let text = |key: &str| Arc::<str>::from(word(key));
    let at = |key: &str| node.get(key).map_or(node.at.clone(), |node| node.at.clone());
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    if !word("id").bytes().all(plain) {
        let expected = "letters, digits, _ and -";
        faults.error(
            "bad_id",
            &at("id"),
            format!("the pack's id is {:?}", word("id")),
            expected,
            "",
        );
        return None;
    }
    Some(PackText {
        head: PackHead {
            id: text("id"),
            title: text("title"),
            region: text("region"),
            currency: text("currency"),
            sample: matches!(node.get("sample").map(|n| &n.value), Some(Value::Bool(true))),
            resident_ids: word("child_id") == "resident",
            uscc: word("institution_id") == "uscc",
            overlaps: match word("overlaps") {
                "later_known" => Overlaps::LaterKnown,
                "first_spell" => Overlaps::FirstSpell,
                "most_days" => Overlaps::MostDays,
                "allow" => Overlaps::Allow,
                _ => Overlaps::Refuse,
            },
            settlement_months: match word("settlement") {
                "quarter" => 3,
                "half_year" => 6,
                "year" => 12,
                _ => 1,
            },
            filing: mid(word("filing")),
            inclusive: mid(word("inclusive")),
            grade: mid(word("grade")),
            sanctions: mid(word("sanctions")),
            weeks: match word("weeks") {
                "by_end" => Weeks::ByEnd,
                _ => Weeks::Clipped,
            },
        },
        calendar: word("calendar").to_owned(),
        calendar_at: at("calendar"),
        settings: schema::settings().map(|key| (key, word(key.name).to_owned())).collect(),
        at: node.at.clone(),
    })
}

fn read_file(
    pack: usize,
    folder: Option<&Path>,
    FileText { file, mut root, damaged }: FileText,
    papers: &mut Papers,
    faults: &mut Faults,
) {
    let notice_node = take(&mut root, "notice");
    let Value::Table(entries) = root.value else { return };
    let dated =
        entries.iter().any(|entry| BlockKind::parse(&entry.name).is_some_and(BlockKind::dated));
    let name = Arc::clone(&papers.sources.0[file].file);
    let notice = if let Some(node) = notice_node {
        notice(node, &name, faults)
    } else {
        if dated {
            let at = At { file, span: 0..0 };
            faults.error(
                "missing_notice",
                &at,
                "the file has no [notice]",
                "[notice] with number, title, published",
                "one file is one notice",
            );
        }
        None
    };
    let broken_notice = notice.is_none();
    let index = papers.notices.len();
    papers.notices.push(notice.unwrap_or_else(|| Notice {
        file: name,
        number: Arc::from(""),
        title: Arc::from(""),
        published: Date::default(),
        planned: false,
        url: Arc::from(""),
    }));
    for entry in entries {
        let Some(kind) = BlockKind::parse(&entry.name) else {
            let words = BlockKind::ALL.iter().map(|kind| kind.word()).chain(["pack", "notice"]);
            let hint = near_hint(&near(&entry.name, words), "see docs/policy-pack.md");
            let message = format!("unknown block `{}`", entry.name);
            faults.error("unknown_block", &entry.at, message, "", hint);
            continue;
        };
        let Value::List(list) = entry.node.value else {
            let message = format!("[{}] is written once", kind.word());
            let expected = format!("[[{}]]", kind.word());
            faults.error("wrong_type", &entry.at, message, expected, "use two brackets");
            continue;
        };
        for mut node in list {
            if kind == BlockKind::Table {
                let beside = Beside { folder, pack: Arc::clone(&papers.packs[pack].head.id) };
                table_file::lay(&mut node, &beside, &mut papers.sources, faults);
            }
            let id_key = if kind.dated() { "id" } else { "table" };
            let id = Arc::from(node.get(id_key).and_then(Node::text).unwrap_or(""));
            let broken = damaged || (broken_notice && kind.dated());
            let line = papers.sources.line(&node.at);
            let written = Written { kind, pack, notice: index, id, line, node, damaged, broken };
            if kind.dated() {
                papers.written.push(written);
            } else {
                papers.inputs.extend(written.block(None, &papers.notices, faults));
            }
        }
    }
}

fn notice(mut node: Node, file: &Arc<str>, faults: &mut Faults) -> Option<Notice> {
    if !shape::record("[notice]", &mut node, NOTICE, faults) {
        return None;
    }
    let text = |key: &str| Arc::<str>::from(node.get(key).and_then(Node::text).unwrap_or(""));
    Some(Notice {
        file: Arc::clone(file),
        number: text("number"),
        title: text("title"),
        published: node.get("published").and_then(Node::date)?,
        planned: node.get("status").and_then(Node::text) == Some("planned"),
        url: text("url"),
    })
}
