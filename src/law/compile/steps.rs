//! Values, prices, gates and items in an order in which each reads only earlier ones.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Compiler;
use crate::domain::Basis;
use crate::law::book::PRICE_PARTS;
use crate::law::dating;
use crate::law::names::Names;
use crate::law::order::{self, Mention};
use crate::law::text::{Block, BlockKind, Node};

/// Kinds that are steps, in the order they stand where nothing else decides.
const KINDS: [BlockKind; 9] = [
    BlockKind::Value,
    BlockKind::Grouping,
    BlockKind::Rank,
    BlockKind::Allowance,
    BlockKind::Streak,
    BlockKind::Spread,
    BlockKind::GuidePrice,
    BlockKind::Gate,
    BlockKind::Subsidy,
];

/// Nodes by pack and name.
#[derive(Default)]
struct Index {
    /// Values and parts of prices as expressions name them.
    readable: BTreeMap<(usize, String), usize>,
    /// What each node stands on.
    bases: Vec<Basis>,
    items: BTreeMap<(usize, String), usize>,
    /// Groupings are named alike in all packs.
    groupings: BTreeMap<String, usize>,
    gates: BTreeMap<(usize, String), usize>,
    prices: BTreeMap<(usize, String), usize>,
}

impl<'a> Compiler<'a> {
    /// Compiles every step in order; loops are told.
    pub(super) fn steps(&mut self) {
        let mut nodes: Vec<&'a Arc<Block>> = Vec::new();
        for kind in KINDS {
            nodes.extend(self.of_kind(kind));
        }
        // All versions of a value that is dated by row are one node.
        let mut seen = BTreeSet::new();
        nodes.retain(|block| !block.dating.by_row || seen.insert(dating::name_of(block)));
        self.groupings();
        for block in self.of_kind(BlockKind::Subsidy) {
            let basis = Basis::parse(block.word("basis"));
            let printed = self.book.printed(block.pack, &block.id);
            if self.scope.basis(block.word("basis")).is_some() {
                self.scope.add_item(block.pack, &block.id, &printed, &basis);
            }
        }
        let deps = self.dependencies(&nodes);
        let (order, loops) = order::sort(&deps);
        for cycle in loops {
            self.tell_loop(&cycle, &nodes);
        }
        for index in order {
            let block = nodes[index];
            let done = if block.broken {
                None
            } else {
                match block.kind {
                    BlockKind::Value if block.dating.by_row => self.dated_value(block),
                    BlockKind::Value => self.value(block),
                    kind if kind.within() => self.within(block),
                    BlockKind::Grouping => self.grouping(block),
                    BlockKind::GuidePrice => self.price(block),
                    BlockKind::Gate => self.gate(block),
                    _ => self.item(block),
                }
            };
            if done.is_none() {
                self.give_up(block);
            }
        }
        self.items.sort_by_cached_key(|item| {
            nodes.iter().position(|block| {
                block.kind == BlockKind::Subsidy
                    && *self.book.printed(block.pack, &block.id) == *item.head.id
            })
        });
    }

    fn tell_loop(&mut self, cycle: &[usize], nodes: &[&'a Arc<Block>]) {
        let mut names: Vec<&str> = cycle.iter().map(|index| &*nodes[*index].id).collect();
        names.extend(names.first().copied());
        let text = names.join(" -> ");
        let first = nodes[cycle[0]];
        self.faults.error(
            "cycle",
            &first.at,
            format!("[[{}]] {} depends on itself: {text}", first.kind.word(), first.id),
            "rules that read only earlier ones",
            "",
        );
        for index in cycle {
            self.give_up(nodes[*index]);
        }
    }

    /// What each node reads, by the names its texts mention.
    fn dependencies(&mut self, nodes: &[&'a Arc<Block>]) -> Vec<BTreeSet<usize>> {
        let named = self.index(nodes);
        nodes
            .iter()
            .map(|block| {
                let mut needs = BTreeSet::new();
                self.scope.asking = block.pack;
                let versions =
                    if block.dating.by_row { self.versions_of(block) } else { vec![*block] };
                for block in versions {
                    let mentions = block.said.mentions.get_or_init(|| {
                        let texts = texts(block).into_iter();
                        texts.flat_map(|text| order::mentions(&self.masked(text))).collect()
                    });
                    for mention in mentions {
                        needs.extend(self.mentioned(&named, block.pack, mention));
                        needs.extend(self.dates_mentioned(&named, block.pack, mention));
                    }
                    self.groupings_read(&named, block, mentions, &mut needs);
                }
                if block.kind == BlockKind::Subsidy {
                    self.needed_by_item(&named, nodes, block, &mut needs);
                }
                needs
            })
            .collect()
    }

    /// The nodes by what they may be called.
    fn index(&self, nodes: &[&'a Arc<Block>]) -> Index {
        let bases = nodes.iter().map(|block| Basis::parse(block.word("basis"))).collect();
        let mut index = Index { bases, ..Index::default() };
        for (node, block) in nodes.iter().enumerate() {
            let id = (block.pack, block.id.to_string());
            match block.kind {
                kind if kind.column() => {
                    for name in self.names_of(block) {
                        index.readable.insert((block.pack, name.to_owned()), node);
                    }
                }
                BlockKind::GuidePrice => {
                    for part in PRICE_PARTS {
                        let name = format!("{}.{part}", block.id);
                        index.readable.insert((block.pack, name), node);
                    }
                    index.prices.insert(id, node);
                }
                BlockKind::Grouping => {
                    index.groupings.insert(id.1, node);
                }
                BlockKind::Gate => {
                    index.gates.insert(id, node);
                }
                _ => {
                    index.items.insert(id, node);
                }
            }
        }
        index
    }

    /// The node a mention in a text of a pack means, if it is one.
    fn mentioned(&self, index: &Index, pack: usize, mention: &Mention) -> Option<usize> {
        let (map, name) = match mention {
            Mention::Name(name) => (&index.readable, name.as_str()),
            Mention::Item(id) => (&index.items, id.as_str()),
        };
        let find = |pack: usize, name: &str| map.get(&(pack, name.to_owned())).copied();
        if let Some(found) = find(pack, name) {
            return Some(found);
        }
        let other = self.scope.split_pack(name).and_then(|(other, rest)| find(other, rest));
        if other.is_some() {
            return other;
        }
        // `spell.rate`: a basis in front. A rule of that name on another basis is another column.
        let (word, rest) = name.split_once('.')?;
        let basis = self.scope.basis(word)?;
        find(pack, rest).filter(|node| index.bases[*node] == basis)
    }

    /// The value that holds the date which a mentioned parameter or table is dated by.
    fn dates_mentioned(&self, index: &Index, pack: usize, mention: &Mention) -> Option<usize> {
        let Mention::Name(name) = mention else { return None };
        let by = self.scope.dated_by(name)?;
        self.mentioned(index, pack, &Mention::Name(by.to_string()))
    }

    /// Groupings a block stands on, reads or counts.
    fn groupings_read(
        &self,
        index: &Index,
        block: &Block,
        mentions: &BTreeSet<Mention>,
        needs: &mut BTreeSet<usize>,
    ) {
        if index.groupings.is_empty() {
            return;
        }
        let stands = if block.kind == BlockKind::Grouping { "of" } else { "basis" };
        let basis = Basis::parse(block.word(stands));
        needs.extend(index.groupings.get(basis.name()));
        needs.extend(index.groupings.get(block.word("within")));
        for mention in mentions {
            let Mention::Name(name) = mention else { continue };
            let word = name.split_once('.').map_or(name.as_str(), |(word, _)| word);
            // A grouping may have the name of a column it is by: bare that is the column.
            let column = || self.scope.readable(&basis, name).is_some();
            if word != name || !column() {
                needs.extend(index.groupings.get(word));
            }
        }
        // Wider groupings stand first, so that its rows are linked to theirs.
        let own = Basis::Declared(Arc::clone(&block.id));
        let own = self.scope.grouping(&own).filter(|_| block.kind == BlockKind::Grouping);
        for wider in own.into_iter().flat_map(|own| self.scope.wider(own)) {
            needs.extend(index.groupings.get(wider.name()));
        }
    }

    /// Gates and prices an item waits for.
    fn needed_by_item(
        &self,
        index: &Index,
        nodes: &[&'a Arc<Block>],
        block: &Block,
        needs: &mut BTreeSet<usize>,
    ) {
        for (id, _) in block.texts("gates") {
            let (map, id) = match id.strip_prefix("price:") {
                Some(id) => (&index.prices, id),
                None => (&index.gates, id),
            };
            let named = id.split_once(':').and_then(|(name, rest)| {
                Some((self.book.packs.iter().position(|p| *p.head.id == *name)?, rest))
            });
            let (pack, id) = named.unwrap_or((block.pack, id));
            needs.extend(map.get(&(pack, id.to_owned())));
        }
        // A breach may refuse lines of the price's basis, or all of an institution (S7).
        needs.extend(index.prices.values().filter(|node| {
            let price = nodes[**node];
            price.word("basis") == block.word("basis")
                || price.word("breach") == "refuse_institution"
        }));
    }
}

/// The expressions of a block.
fn texts(block: &Block) -> Vec<&str> {
    let parts = block.get("instalments").map(Node::list).unwrap_or_default();
    let conditions = parts.iter().filter_map(|part| part.get("when")?.text());
    if block.kind == BlockKind::Grouping {
        return block.texts("by").into_iter().map(|(name, _)| name).collect();
    }
    let order = block.texts("order").into_iter().map(|(name, _)| name);
    let keys: &[&str] = match block.kind {
        BlockKind::Value => &["expr", "dated_by"],
        kind if kind.within() => &["when", "quantity", "limit", "sum", "amount", "weight", "most"],
        BlockKind::GuidePrice => &["when", "fee", "benchmark", "float_up", "float_down"],
        BlockKind::Gate => &["require"],
        _ => &["amount", "quantity", "rate", "payee"],
    };
    keys.iter().map(|key| block.word(key)).chain(conditions).chain(order).collect()
}
