//! Tests of room `law`.

mod cells;
mod dictionary;
mod draft;
mod expr;
mod expr_messages;
mod expr_property;
mod expr_random;
mod expr_sql;
mod expr_world;
mod gaps;
mod json_schema;
mod levers;
mod names;
mod overlay;
mod pack;
mod refusals;
mod table_files;
mod wide_tables;

use std::path::{Path, PathBuf};

/// A path inside the repository.
fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The folder of calendars.
fn reference() -> PathBuf {
    here("data/reference")
}

/// `[pack]` of the small packs tests are made of.
const PACK: &str = r#"
[pack]
id = "case"
title = "测试规则"
region = "示例"
calendar = "weekdays"
sample = true
"#;
