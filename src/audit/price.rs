//! Guide prices: ceiling, floor, the fee that counts, breaches.

use super::script::{Kind, Script, name};
use crate::law::{Breach, PriceRule};

const PARTS: [(&str, Kind); 6] = [
    ("ceiling", Kind::Num),
    ("floor", Kind::Num),
    ("fee", Kind::Num),
    ("over", Kind::Bool),
    ("under", Kind::Bool),
    ("missing", Kind::Bool),
];

impl Script<'_> {
    /// The columns of a price, empty.
    pub(super) fn price_columns(&mut self, rule: &PriceRule) {
        for (part, kind) in PARTS {
            self.column(&rule.basis, &format!("{}.{part}", rule.head.id), kind);
        }
    }

    /// Judges the fees of some rows.
    pub(super) fn price(&mut self, rule: &PriceRule, rows: &str) {
        let basis = &rule.basis;
        let when = self.made("when", &rule.when, basis, rows);
        let fee = self.made("fee", &rule.fee, basis, rows);
        let ceiling = self.made("ceiling", &rule.ceiling, basis, rows);
        let floor = rule.floor.as_ref().map(|floor| self.made("floor", floor, basis, rows));
        let judged = self.fresh("judged");
        let none = Kind::Num.none("0");
        let floor = floor.map_or_else(
            || (none.clone(), String::new()),
            |own| ("l.x".to_owned(), format!(" JOIN {own} l USING (\"row\")")),
        );
        self.say(&format!(
            "CREATE OR REPLACE TABLE {judged} AS SELECT *, applies AND tu_above(fee, ceiling) AS \
             over, \
             applies AND tu_above(floor, fee) AS under,\n  \
             applies AND (fee).e = 0 AND (fee).n IS NULL AS missing\n\
             FROM (SELECT w.\"row\", (w.x).e = 0 AND coalesce((w.x).v, false) AS applies, \
             f.x AS fee, c.x AS ceiling, {} AS floor\n\
             FROM {when} w JOIN {fee} f USING (\"row\") JOIN {ceiling} c USING (\"row\"){});",
            floor.0, floor.1
        ));
        let counted = if rule.breach == Breach::ReduceToCeiling {
            "CASE WHEN (fee).e <> 0 THEN fee WHEN (ceiling).e <> 0 THEN tu_no_number((ceiling).e) \
             WHEN over THEN ceiling ELSE fee END"
        } else {
            "fee"
        };
        for (part, _) in PARTS {
            let value = match part {
                "fee" => counted.to_owned(),
                "ceiling" | "floor" => part.to_owned(),
                flag => format!("tu_value({flag}, 0)"),
            };
            let key = (basis.clone(), format!("{}.{part}", rule.head.id));
            if let Some(held) = self.known.get(&key) {
                let own = name(&held.text);
                self.say(&format!("INSERT INTO {own} SELECT \"row\", {value} FROM {judged};"));
            }
        }
    }
}
