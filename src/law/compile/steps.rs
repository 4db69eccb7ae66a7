//! Values, prices, gates and items in an order in which each reads only earlier ones.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Compiler;
use crate::domain::Basis;
use crate::law::names::Names;
use crate::law::order::{self, Mention};
use crate::law::text::{Block, BlockKind};

/// Kinds that are steps, in the order they stand where nothing else decides.
const KINDS: [BlockKind; 4] =
    [BlockKind::Value, BlockKind::GuidePrice, BlockKind::Gate, BlockKind::Subsidy];

/// Parts of a guide price that can be read.
const PRICE_PARTS: [&str; 5] = ["ceiling", "floor", "fee", "over", "under"];

impl<'a> Compiler<'a> {
    /// Compiles every step in order; loops are told.
    pub(super) fn steps(&mut self) {
        let mut nodes: Vec<&'a Arc<Block>> = Vec::new();
        for kind in KINDS {
            nodes.extend(self.of_kind(kind));
        }
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
                    BlockKind::Value => self.value(block),
                    BlockKind::GuidePrice => self.price(block),
                    BlockKind::Gate => self.gate(block),
                    _ => self.item(block),
                }
            };
            if done.is_none() {
                self.give_up(block);
            }
        }
        self.items.sort_by_key(|item| {
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
    fn dependencies(&self, nodes: &[&'a Arc<Block>]) -> Vec<BTreeSet<usize>> {
        let mut readable: BTreeMap<(usize, String), usize> = BTreeMap::new();
        let mut items: BTreeMap<(usize, &str), usize> = BTreeMap::new();
        let mut gates: BTreeMap<(usize, &str), usize> = BTreeMap::new();
        let mut prices: BTreeMap<(usize, &str), usize> = BTreeMap::new();
        for (index, block) in nodes.iter().enumerate() {
            match block.kind {
                BlockKind::Value => {
                    for name in self.names_of(block) {
                        readable.insert((block.pack, name.to_owned()), index);
                    }
                }
                BlockKind::GuidePrice => {
                    prices.insert((block.pack, &block.id), index);
                    for part in PRICE_PARTS {
                        readable.insert((block.pack, format!("{}.{part}", block.id)), index);
                    }
                }
                BlockKind::Gate => {
                    gates.insert((block.pack, &block.id), index);
                }
                _ => {
                    items.insert((block.pack, &block.id), index);
                }
            }
        }
        let find = |pack: usize, name: &str| -> Option<usize> {
            if let Some(found) = readable.get(&(pack, name.to_owned())) {
                return Some(*found);
            }
            if let Some((other, rest)) = self.scope.split_pack(name)
                && let Some(found) = readable.get(&(other, rest.to_owned()))
            {
                return Some(*found);
            }
            let (word, rest) = name.split_once('.')?;
            self.scope.basis(word)?;
            readable.get(&(pack, rest.to_owned())).copied()
        };
        let pack_of = |pack: usize, id: &'a str| -> (usize, &'a str) {
            let split = id.split_once(':').and_then(|(name, rest)| {
                Some((self.book.packs.iter().position(|p| *p.head.id == *name)?, rest))
            });
            split.unwrap_or((pack, id))
        };
        let mut deps = Vec::new();
        for block in nodes {
            let mut needs = BTreeSet::new();
            for text in texts(block) {
                for mention in order::mentions(&self.masked(text)) {
                    match mention {
                        Mention::Name(name) => needs.extend(find(block.pack, &name)),
                        Mention::Item(id) => {
                            needs.extend(items.get(&(block.pack, id.as_str())));
                            if let Some((pack, rest)) = self.scope.split_pack(&id) {
                                needs.extend(items.get(&(pack, rest)));
                            }
                        }
                    }
                }
            }
            if block.kind == BlockKind::Subsidy {
                for (id, _) in block.texts("gates") {
                    let id: &'a str = self.lasting(block, id);
                    needs.extend(match id.strip_prefix("price:") {
                        Some(id) => prices.get(&pack_of(block.pack, id)),
                        None => gates.get(&pack_of(block.pack, id)),
                    });
                }
                // A breach may refuse lines of the price's basis, or all of an institution (S7).
                needs.extend(prices.values().filter(|index| {
                    let price = nodes[**index];
                    price.word("basis") == block.word("basis")
                        || price.word("breach") == "refuse_institution"
                }));
            }
            deps.push(needs);
        }
        deps
    }

    /// The id inside the book, which outlives the compiler.
    fn lasting(&self, block: &Block, id: &str) -> &'a str {
        let owned = &self.book.blocks[block.serial];
        owned.texts("gates").into_iter().find(|(text, _)| *text == id).map_or("", |(text, _)| text)
    }
}

/// The expressions of a block.
fn texts(block: &Block) -> Vec<&str> {
    let keys: &[&str] = match block.kind {
        BlockKind::Value => &["expr"],
        BlockKind::GuidePrice => &["when", "fee", "benchmark", "float_up", "float_down"],
        BlockKind::Gate => &["require"],
        _ => &["amount", "quantity", "rate"],
    };
    keys.iter().map(|key| block.word(key)).collect()
}
