//! The order of rules: which names a rule's texts mention, and a sort that finds loops.

use std::collections::BTreeSet;

/// What a text mentions, before anything is compiled.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mention {
    /// A name, maybe dotted.
    Name(String),
    /// An item inside `count_eligible('…')`, `count_paid('…')` or `sum_amount('…')`.
    Item(String),
}

/// Functions that read the lines of an item.
const OF_ITEMS: [&str; 3] = ["count_eligible", "count_paid", "sum_amount"];

/// All names and items an expression text mentions; texts in quotes are not names.
pub(super) fn mentions(text: &str) -> BTreeSet<Mention> {
    let mut found = BTreeSet::new();
    let mut rest = text;
    let mut of_item = false;
    while let Some(first) = rest.chars().next() {
        if first == '\'' {
            let inner = &rest[1..];
            let end = inner.find('\'').unwrap_or(inner.len());
            if of_item {
                found.insert(Mention::Item(inner[..end].to_owned()));
            }
            rest = inner.get(end + 1..).unwrap_or("");
            of_item = false;
        } else if is_name(first) {
            let end = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
            let word = &rest[..end];
            of_item = OF_ITEMS.contains(&word.to_ascii_lowercase().as_str());
            found.insert(Mention::Name(word.trim_matches('.').to_owned()));
            rest = &rest[end..];
        } else {
            of_item &= first == '(' || first.is_whitespace();
            rest = &rest[first.len_utf8()..];
        }
    }
    found
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '.'
}

/// Sorts `0..deps.len()` so that each comes after what it depends on; of those that may come next
/// the lowest comes first. Loops are returned and left out of the order.
pub(super) fn sort(deps: &[BTreeSet<usize>]) -> (Vec<usize>, Vec<Vec<usize>>) {
    let mut waiting: Vec<BTreeSet<usize>> = deps.to_vec();
    let mut readers: Vec<Vec<usize>> = vec![Vec::new(); deps.len()];
    for (node, needs) in deps.iter().enumerate() {
        for need in needs {
            readers[*need].push(node);
        }
    }
    let mut left: BTreeSet<usize> = (0..deps.len()).collect();
    let mut ready: BTreeSet<usize> =
        left.iter().copied().filter(|node| waiting[*node].is_empty()).collect();
    let (mut order, mut loops) = (Vec::new(), Vec::new());
    while !left.is_empty() {
        let done: Vec<usize> = if let Some(node) = ready.pop_first() {
            order.push(node);
            vec![node]
        } else {
            let found = find_loop(&left, &waiting);
            loops.push(found.clone());
            found
        };
        for node in done {
            left.remove(&node);
            ready.remove(&node);
            for reader in &readers[node] {
                if waiting[*reader].remove(&node)
                    && waiting[*reader].is_empty()
                    && left.contains(reader)
                {
                    ready.insert(*reader);
                }
            }
        }
    }
    (order, loops)
}

/// A loop among nodes that all wait for another: walk until a node repeats.
fn find_loop(left: &BTreeSet<usize>, waiting: &[BTreeSet<usize>]) -> Vec<usize> {
    let mut path: Vec<usize> = Vec::new();
    let mut node = left.first().copied();
    while let Some(at) = node {
        if let Some(start) = path.iter().position(|seen| *seen == at) {
            return path.split_off(start);
        }
        path.push(at);
        node = waiting[at].iter().copied().find(|need| left.contains(need));
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_items_are_found_and_quoted_texts_are_not() {
        let text = "count_paid( 'slot.care') + 出勤 * rate.base(service, '全日托') - 'age'";
        let found: Vec<Mention> = mentions(text).into_iter().collect();
        let name = |text: &str| Mention::Name(text.to_owned());
        assert!(found.contains(&name("出勤")) && found.contains(&name("rate.base")));
        assert!(found.contains(&Mention::Item("slot.care".to_owned())));
        assert!(!found.contains(&name("age")) && !found.contains(&Mention::Item("全日托".into())));
    }

    #[test]
    fn a_loop_is_named_and_the_rest_is_sorted() {
        let set = |items: &[usize]| items.iter().copied().collect::<BTreeSet<usize>>();
        let (order, loops) = sort(&[set(&[2]), set(&[]), set(&[1]), set(&[4]), set(&[3])]);
        assert_eq!(order, [1, 2, 0]);
        assert_eq!(loops, [vec![3, 4]]);
    }
}
