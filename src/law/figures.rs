//! Every figure of the law in force and what it is when it is moved a little: what the cases of a pack
//! have to notice. Unlike a lever, a figure belongs to one version, and edges of bands are figures.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::book::LawBook;
use super::cells::{NONE, UNSET};
use super::fault::LawErrors;
use super::levers;
use super::model::LawPlace;
use super::read::{LawText, OverlayText};
use super::snapshot::plain;
use super::text::{Block, BlockKind, Node, Value};
use crate::domain::{Date, Fraction, Month};

/// A step into a block: the value of a key, an entry of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Way {
    Key(String),
    At(usize),
}

/// Which version of which block.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct VersionKey {
    pack: usize,
    kind: BlockKind,
    id: Arc<str>,
    from: Date,
    known_from: Date,
}

/// A number, truth value, date or text of one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    /// `parameter.rate.base.value`, `table.rate[乳儿班]`, `table.rate income edge 30000`.
    pub path: String,
    /// `id@effective_from/known_from`.
    pub version: String,
    /// As written.
    pub value: String,
    /// Notice and clause.
    pub clause: Arc<str>,
    /// Where its block stands.
    pub place: LawPlace,
    /// Months and days of knowledge it is in force for, of those asked for.
    pub moments: Vec<(Month, Date)>,
    pub(super) version_key: VersionKey,
    /// Where it stands in the block, and how each place holds it.
    places: Vec<Spot>,
    /// What it may be instead, the likeliest to be noticed first.
    moved: Vec<Value>,
}

/// Where a figure stands in its block, and how the place holds it.
type Spot = (Vec<Way>, Form);

/// How a place holds a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Whole,
    /// The lower edge of a range.
    Lower,
    /// The upper edge.
    Upper,
}

/// Values put into a block, by their places.
pub(super) struct Edits<'a>(Vec<(&'a Spot, &'a Value)>);

impl Figure {
    /// How many other values it may have.
    #[must_use]
    pub fn moves(&self) -> usize {
        self.moved.len()
    }

    /// One of them as a person writes it.
    #[must_use]
    pub fn moved_to(&self, step: usize) -> String {
        self.moved.get(step).map_or_else(String::new, text_of)
    }

    /// Whether it stands in the same version as another.
    #[must_use]
    pub fn is_beside(&self, other: &Self) -> bool {
        self.version_key == other.version_key
    }
}

impl LawBook {
    /// The figures in force at some moments, by pack, kind, id and version, places as written.
    #[must_use]
    pub fn figures(&self, moments: &[(Month, Date)]) -> Vec<Figure> {
        let mut blocks: BTreeMap<usize, Vec<(Month, Date)>> = BTreeMap::new();
        for (month, known_on) in moments {
            let segments = self.segments(*month, *known_on);
            for block in segments.into_iter().flat_map(|(_, chosen)| chosen) {
                let of = blocks.entry(block.serial).or_default();
                if of.last() != Some(&(*month, *known_on)) {
                    of.push((*month, *known_on));
                }
            }
        }
        let mut figures = Vec::new();
        for (serial, moments) in blocks {
            let block = &self.blocks[serial];
            let printed = self.printed(block.pack, &block.id);
            let head = self.head_of(block);
            for (path, value, places, moved) in of_block(block) {
                let path = format!("{}.{}{path}", block.kind.word(), block.id);
                // As an overlay names it: `city:parameter.rate.value` beside other packs.
                let beside = printed.strip_suffix(&*block.id).unwrap_or_default();
                figures.push(Figure {
                    path: format!("{beside}{path}"),
                    version: block.version(&printed),
                    value,
                    clause: Arc::clone(&head.clause),
                    place: head.place.clone(),
                    moments: moments.clone(),
                    version_key: VersionKey::of(block),
                    places,
                    moved,
                });
            }
        }
        figures
    }
}

impl LawText {
    /// The law under overlays with figures of one version at other values, by number; a figure with
    /// fewer has its last.
    ///
    /// # Errors
    /// When the law does not hold together so.
    pub fn moved(
        &self,
        overlays: &[OverlayText],
        figures: &[(&Figure, usize)],
    ) -> Result<LawBook, LawErrors> {
        let mut edits = Vec::new();
        for (figure, step) in figures {
            let value = figure.moved.get(*step).or(figure.moved.last());
            edits.extend(
                value.into_iter().flat_map(|to| figure.places.iter().map(move |at| (at, to))),
            );
        }
        let at = figures.first().map(|(figure, _)| (&figure.version_key, Edits(edits)));
        super::read::finish(self.laid_moved(overlays, at.as_ref()))
    }
}

impl VersionKey {
    pub(super) fn of(block: &Block) -> Self {
        Self {
            pack: block.pack,
            kind: block.kind,
            id: Arc::clone(&block.id),
            from: block.dating.from,
            known_from: block.dating.known_from,
        }
    }
}

impl Edits<'_> {
    /// The block with the values in their places.
    pub(super) fn over(&self, mut block: Node) -> Node {
        for ((ways, form), to) in &self.0 {
            let mut node = Some(&mut block);
            for way in ways {
                node = node.and_then(|node| match (way, &mut node.value) {
                    (Way::Key(key), Value::Table(entries)) => {
                        entries.iter_mut().find(|of| of.name == *key).map(|of| &mut of.node)
                    }
                    (Way::At(at), Value::List(list)) => list.get_mut(*at),
                    _ => None,
                });
            }
            let Some(node) = node else { continue };
            let range = node.text().and_then(Range::read);
            node.value = match (form, range) {
                (Form::Lower, Some(range)) => range.with(&text_of(to), range.upper),
                (Form::Upper, Some(range)) => range.with(range.lower, &text_of(to)),
                _ => (*to).clone(),
            };
        }
        block
    }
}

/// A range key as written: `[0,12)`.
#[derive(Clone, Copy)]
struct Range<'t> {
    open: &'t str,
    lower: &'t str,
    upper: &'t str,
    close: &'t str,
}

impl<'t> Range<'t> {
    fn read(text: &'t str) -> Option<Self> {
        let text = text.trim();
        let inner = text.strip_prefix(['[', '('])?.strip_suffix([']', ')'])?;
        let (lower, upper) = inner.split_once(',')?;
        let (open, close) = (&text[..1], &text[text.len() - 1..]);
        Some(Self { open, lower: lower.trim(), upper: upper.trim(), close })
    }

    fn with(&self, lower: &str, upper: &str) -> Value {
        Value::Text(format!("{}{lower},{upper}{}", self.open, self.close))
    }
}

type Found = (String, String, Vec<Spot>, Vec<Value>);

/// Path below the block, value, places and other values of its figures.
fn of_block(block: &Block) -> Vec<Found> {
    let mut found = Vec::new();
    let mut one = |path: String, ways: Vec<Way>, node: &Node, among: &[&Node]| {
        let moved = others(node, among);
        if !moved.is_empty() {
            found.push((path, plain(node), vec![(ways, Form::Whole)], moved));
        }
    };
    match block.kind {
        BlockKind::Parameter => {
            if let Some(node) = block.get("value") {
                one(".value".to_owned(), vec![Way::Key("value".to_owned())], node, &[]);
            }
        }
        BlockKind::Table => {
            let rows = block.get("rows").map_or(&[][..], Node::list);
            let values: Vec<&Node> = rows.iter().filter_map(|row| row.list().last()).collect();
            for (at, row) in rows.iter().enumerate() {
                let Some((value, keys)) = row.list().split_last() else { continue };
                let keys: Vec<String> = keys.iter().map(plain).collect();
                let way = [Way::Key("rows".to_owned()), Way::At(at), Way::At(row.list().len() - 1)];
                one(format!("[{}]", keys.join("|")), way.to_vec(), value, &values);
            }
            found.extend(edges(block, rows));
        }
        _ => {
            for (key, _) in levers::stated(block) {
                let ways: Vec<Way> = key.split('.').map(|key| Way::Key(key.to_owned())).collect();
                let node = key.split('.').try_fold(&block.node, |node, key| node.get(key));
                if let Some(node) = node {
                    one(format!(".{key}"), ways, node, &[]);
                }
            }
        }
    }
    found
}

/// Edges of the bands of a table: each is one figure, wherever it bounds a row.
fn edges(block: &Block, rows: &[Node]) -> Vec<Found> {
    let mut edges: BTreeMap<(usize, String), Vec<Spot>> = BTreeMap::new();
    let keys = block.get("keys").map_or(&[][..], Node::list);
    // Where the argument cannot lie beyond it, an end of the bands is no figure of the law.
    let ends: Vec<Option<Range>> =
        keys.iter().map(|key| Range::read(key.get("cover")?.text()?)).collect();
    let is_end = |column: usize, edge: &str| {
        let range = ends.get(column).and_then(Option::as_ref);
        range.is_some_and(|range| [range.lower, range.upper].contains(&edge))
    };
    for (at, row) in rows.iter().enumerate() {
        let keys = row.list().split_last().map_or(&[][..], |(_, keys)| keys);
        for (column, cell) in keys.iter().enumerate() {
            let Some(range) = cell.text().and_then(Range::read) else { continue };
            for (edge, form) in [(range.lower, Form::Lower), (range.upper, Form::Upper)] {
                if !edge.is_empty() && !is_end(column, edge) {
                    let way = vec![Way::Key("rows".to_owned()), Way::At(at), Way::At(column)];
                    edges.entry((column, edge.to_owned())).or_default().push((way, form));
                }
            }
        }
    }
    let names: Vec<String> = keys.iter().map(|key| plain(key.get("name").unwrap_or(key))).collect();
    let found = edges.into_iter().map(|((column, edge), places)| {
        let name = names.get(column).map_or("", String::as_str);
        let moved = numbers_near(&edge).into_iter().map(Value::Text).collect();
        (format!(" {name} edge {edge}"), edge, places, moved)
    });
    found.filter(|(.., moved): &Found| !moved.is_empty()).collect()
}

/// What a value may be instead; nothing for one that is not there.
fn others(node: &Node, among: &[&Node]) -> Vec<Value> {
    match &node.value {
        Value::Bool(truth) => vec![Value::Bool(!truth)],
        Value::Date(date) => [1, -1].map(|days| Value::Date(date.plus_days(days))).to_vec(),
        Value::Int(number) => {
            let near = numbers_near(&number.to_string());
            let value = |text: String| text.parse().map_or(Value::Text(text), Value::Int);
            near.into_iter().map(value).collect()
        }
        Value::Text(text) if matches!(text.as_str(), NONE | UNSET) => Vec::new(),
        Value::Text(text) => {
            let near = numbers_near(text.trim());
            if !near.is_empty() {
                return near.into_iter().map(Value::Text).collect();
            }
            let other = among.iter().find(|other| {
                other.text().is_some_and(|of| of != text && !matches!(of, NONE | UNSET))
            });
            let other =
                other.map_or_else(|| Value::Text(format!("{text}x")), |of| of.value.clone());
            vec![other]
        }
        _ => Vec::new(),
    }
}

/// A hundredth more and less, a unit of the last place more and less; nothing for what is no number.
fn numbers_near(text: &str) -> Vec<String> {
    if let Some((top, bottom)) = text.split_once('/') {
        let whole = |text: &str| text.trim().parse::<i64>().ok().map(i128::from);
        let (Some(top), Some(bottom)) = (whole(top), whole(bottom)) else { return Vec::new() };
        return [101, 99].map(|part| format!("{}/{}", top * part, bottom * 100)).to_vec();
    }
    if Fraction::parse_decimal(text).is_none() {
        return Vec::new();
    }
    let scale = text.split_once('.').map_or(0, |(_, part)| part.len());
    let Ok(digits) = text.replace('.', "").parse::<i64>().map(i128::from) else {
        return Vec::new();
    };
    let mut near: Vec<String> = Vec::new();
    if digits != 0 {
        near.extend([101, 99].map(|part| decimal(digits * part, scale + 2)));
    }
    near.extend([1, -1].map(|step| decimal(digits + step, scale)));
    near
}

/// `digits / 10^scale` without zeros at its end.
fn decimal(digits: i128, scale: usize) -> String {
    let sign = if digits < 0 { "-" } else { "" };
    let text = format!("{:0>width$}", digits.unsigned_abs(), width = scale + 1);
    let (whole, part) = text.split_at(text.len() - scale);
    match part.trim_end_matches('0') {
        "" => format!("{sign}{whole}"),
        part => format!("{sign}{whole}.{part}"),
    }
}

fn text_of(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::Int(number) => number.to_string(),
        Value::Bool(truth) => truth.to_string(),
        Value::Date(date) => date.to_string(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_move_by_a_hundredth_and_by_their_last_place() {
        for (text, near) in [
            ("14.63", vec!["14.7763", "14.4837", "14.64", "14.62"]),
            ("150", vec!["151.5", "148.5", "151", "149"]),
            ("30000", vec!["30300", "29700", "30001", "29999"]),
            ("0", vec!["1", "-1"]),
            ("0.05", vec!["0.0505", "0.0495", "0.06", "0.04"]),
            ("-2", vec!["-2.02", "-1.98", "-1", "-3"]),
            ("52/12", vec!["5252/1200", "5148/1200"]),
            ("full", vec![]),
        ] {
            assert_eq!(numbers_near(text), near, "{text}");
        }
    }

    #[test]
    fn an_edge_moves_in_every_band_it_bounds() {
        let range = Range::read("[0, 12)").unwrap();
        assert_eq!(range.with("1", range.upper), Value::Text("[1,12)".to_owned()));
        assert!(Range::read("全日托").is_none());
    }
}
