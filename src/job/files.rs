//! Which files of the input folder belong to a table.

use std::path::{Path, PathBuf};

/// Core tables and their Chinese names, for default files.
pub(super) const CORE_FILES: [(&str, &str); 13] = [
    ("institutions", "机构"),
    ("slots", "托位"),
    ("classes", "班级"),
    ("enrolments", "收托"),
    ("attendance", "考勤"),
    ("sessions", "逐日托育"),
    ("caregivers", "保育人员"),
    ("venues", "场地"),
    ("contracts", "政府购买服务"),
    ("certificates", "培训鉴定"),
    ("sanctions", "监管事件"),
    ("payees", "收款人"),
    ("budget", "指标"),
];

/// Whether every job has such a table, whatever its packs declare.
#[must_use]
pub fn is_core(table: &str) -> bool {
    CORE_FILES.iter().any(|(name, _)| *name == table)
}

const ENDINGS: [&str; 4] = ["csv", "xlsx", "xls", "parquet"];

/// File names of a folder in order; hidden files and locks of spreadsheet programs are passed over.
pub(super) fn names(folder: &Path) -> std::io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.starts_with(['.', '~']) && entry.path().is_file() {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// Files by the table's own name: `enrolments_2026-09.csv`, `收托（东区）.xlsx`.
pub(super) fn by_default(table: &str, folder: &Path, names: &[String]) -> Vec<PathBuf> {
    let chinese = CORE_FILES.iter().find(|(name, _)| *name == table).map(|(_, zh)| *zh);
    let fits = |name: &&String| {
        let Some((stem, ending)) = name.rsplit_once('.') else { return false };
        ENDINGS.contains(&ending.to_ascii_lowercase().as_str())
            && [Some(table), chinese].into_iter().flatten().any(|own| {
                let rest = stem.strip_prefix(own);
                rest.is_some_and(|rest| !rest.starts_with(char::is_alphabetic))
            })
    };
    names.iter().filter(fits).map(|name| folder.join(name)).collect()
}

/// Whether a pattern has a wildcard.
pub(super) fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?'])
}

/// Whether `name` fits `pattern`, where `*` is any run of characters and `?` any one.
pub(super) fn fits(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    let (mut p, mut n) = (0, 0);
    // Where the last star stood, and how much of the name it has taken.
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(c) if *c == '?' || *c == name[n] => {
                p += 1;
                n += 1;
            }
            _ => match &mut star {
                Some((at, taken)) => {
                    *taken += 1;
                    p = *at + 1;
                    n = *taken;
                }
                None => return false,
            },
        }
    }
    pattern.get(p..).is_some_and(|rest| rest.iter().all(|c| *c == '*'))
}
