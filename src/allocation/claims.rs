//! Claims on short money, and the three ways to share it; see [`super::shortage`] for their
//! reading.

use super::rows::apportion;
use crate::law::ShortageMethod;

/// Money asked for by one institution and item (from one source).
#[derive(Debug, Clone, Copy)]
pub(super) struct Claim {
    pub(super) institution: u32,
    pub(super) item: u32,
    /// Cell, for claims on sources.
    pub(super) cell: usize,
    /// Bound it falls under; `None` = carried along with its institution only.
    pub(super) bound: Option<usize>,
    pub(super) fen: i64,
}

/// What one bound did to one institution (`None` = to the whole settlement).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Short {
    pub(super) institution: Option<u32>,
    pub(super) bound: usize,
    pub(super) before: i64,
    pub(super) limit: i64,
    pub(super) cut: i64,
}

/// Cut fen by claim, whether the cut is carried, and what to tell people.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Outcome {
    pub(super) cut: Vec<i64>,
    pub(super) carried: bool,
    pub(super) shorts: Vec<Short>,
}

/// Shares short money among claims. `order` lists institution rows in the order of the queue,
/// `rank` their order of ids. Claims stand in order of (institution, item, source). `None` on
/// overflow.
pub(super) fn share_out(
    claims: &[Claim],
    limits: &[i64],
    method: &ShortageMethod,
    order: &[u32],
    rank: &[u32],
) -> Option<Outcome> {
    let mut outcome = Outcome { cut: vec![0; claims.len()], ..Outcome::default() };
    let mut totals = vec![0_i64; limits.len()];
    for claim in claims {
        if let Some(bound) = claim.bound {
            totals[bound] = totals[bound].checked_add(claim.fen)?;
        }
    }
    if totals.iter().zip(limits).all(|(total, limit)| total <= limit) {
        return Some(outcome);
    }
    match method {
        ShortageMethod::ProRata => {
            for (bound, (total, limit)) in totals.iter().zip(limits).enumerate() {
                if total > limit {
                    let under = under(claims, 0..claims.len(), bound);
                    cut_among(claims, &under, total - limit, rank, &mut outcome.cut)?;
                    outcome.shorts.push(Short {
                        institution: None,
                        bound,
                        before: *total,
                        limit: *limit,
                        cut: total - limit,
                    });
                }
            }
        }
        ShortageMethod::Queue(_) => {
            for (bound, limit) in limits.iter().enumerate() {
                let mut left = *limit;
                for (institution, range) in runs(claims, order) {
                    let under = under(claims, range, bound);
                    let need: i64 = under.iter().map(|place| claims[*place].fen).sum();
                    if need > left {
                        cut_among(claims, &under, need - left, rank, &mut outcome.cut)?;
                        outcome.shorts.push(Short {
                            institution: Some(institution),
                            bound,
                            before: need,
                            limit: left,
                            cut: need - left,
                        });
                    }
                    left = (left - need).max(0);
                }
            }
        }
        ShortageMethod::Carry(_) => {
            outcome.carried = true;
            let mut left = limits.to_vec();
            for (institution, range) in runs(claims, order) {
                let mut needs = vec![0_i64; limits.len()];
                for claim in &claims[range.clone()] {
                    if let Some(bound) = claim.bound {
                        needs[bound] += claim.fen;
                    }
                }
                let short = (0..limits.len()).find(|bound| needs[*bound] > left[*bound]);
                let Some(bound) = short else {
                    for (left, need) in left.iter_mut().zip(needs) {
                        *left -= need;
                    }
                    continue;
                };
                let mut carried = 0_i64;
                for place in range {
                    outcome.cut[place] = claims[place].fen;
                    carried = carried.checked_add(claims[place].fen)?;
                }
                outcome.shorts.push(Short {
                    institution: Some(institution),
                    bound,
                    before: needs[bound],
                    limit: left[bound],
                    cut: carried,
                });
            }
        }
    }
    Some(outcome)
}

/// Places of the claims under a bound.
fn under(claims: &[Claim], range: std::ops::Range<usize>, bound: usize) -> Vec<usize> {
    range.filter(|place| claims[*place].bound == Some(bound)).collect()
}

/// The claims of each institution, institutions in the order given; those without claims are left
/// out.
fn runs<'c>(
    claims: &'c [Claim],
    order: &'c [u32],
) -> impl Iterator<Item = (u32, std::ops::Range<usize>)> + 'c {
    order.iter().filter_map(|institution| {
        let start = claims.partition_point(|claim| claim.institution < *institution);
        let end = claims.partition_point(|claim| claim.institution <= *institution);
        (start < end).then_some((*institution, start..end))
    })
}

/// Cuts some claims in proportion; ties by institution id, item, source.
fn cut_among(
    claims: &[Claim],
    places: &[usize],
    cut: i64,
    rank: &[u32],
    cuts: &mut [i64],
) -> Option<()> {
    let weights: Vec<i64> = places.iter().map(|place| claims[*place].fen).collect();
    let key = |place: usize| {
        let claim = &claims[places[place]];
        (rank.get(claim.institution as usize).copied(), claim.item, claim.cell)
    };
    let parts = apportion(cut, &weights, |a, b| key(a).cmp(&key(b)))?;
    for (place, part) in places.iter().zip(parts) {
        cuts[*place] = part;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::{Claim, Outcome, Short, share_out};
    use crate::law::ShortageMethod;

    fn claim(institution: u32, item: u32, bound: usize, fen: i64) -> Claim {
        Claim { institution, item, cell: 0, bound: Some(bound), fen }
    }

    fn share(claims: &[Claim], limits: &[i64], method: &ShortageMethod, order: &[u32]) -> Outcome {
        let rank: Vec<u32> = (0..20).collect();
        share_out(claims, limits, method, order, &rank).expect("small sums")
    }

    /// DOMAIN 4.7: 1,234,567.89 yuan of 14 claims against 1,000,000.00.
    #[test]
    fn fourteen_claims_share_the_budget_exactly() {
        let fen: [i64; 14] = [
            8_818_342, 8_818_342, 8_818_342, 8_818_342, 8_818_342, 8_818_342, 8_818_342, 8_818_342,
            8_818_342, 8_818_342, 8_818_342, 8_818_342, 8_818_342, 8_818_343,
        ];
        assert_eq!(fen.iter().sum::<i64>(), 123_456_789);
        let claims: Vec<Claim> =
            (0_u32..).zip(fen).map(|(institution, fen)| claim(institution, 0, 0, fen)).collect();
        let order: Vec<u32> = (0..14).collect();
        let outcome = share(&claims, &[100_000_000], &ShortageMethod::ProRata, &order);
        let paid: Vec<i64> =
            claims.iter().zip(&outcome.cut).map(|(claim, cut)| claim.fen - cut).collect();
        assert_eq!(paid.iter().sum::<i64>(), 100_000_000);
        // 8,818,342 x 10^8 / 123,456,789 = 7,142,857.08: cut 1,675,484.92 each, so all but one or
        // two bear 1,675,485. The cut is 23,456,789 = 14 x 1,675,484 + 13; the last claim's exact
        // cut 1,675,485.11 floors to 1,675,485, so 12 of the 13 others bear a fen more.
        assert_eq!(outcome.cut[..12], [1_675_485; 12]);
        assert_eq!(outcome.cut[12..], [1_675_484, 1_675_485]);
        let short = Short {
            institution: None,
            bound: 0,
            before: 123_456_789,
            limit: 100_000_000,
            cut: 23_456_789,
        };
        assert_eq!(outcome.shorts, [short]);
    }

    #[test]
    fn a_queue_serves_in_order_and_shares_the_edge() {
        let claims =
            [claim(0, 0, 0, 50), claim(0, 1, 0, 25), claim(1, 0, 0, 60), claim(2, 0, 0, 10)];
        // Institution 1 first: 60 of 100; 40 are left for 75: 50 and 25 share the cut of 35 by
        // 23.33 and 11.67; institution 2 gets nothing.
        let outcome = share(&claims, &[100], &ShortageMethod::Queue(vec![]), &[1, 0, 2]);
        assert_eq!(outcome.cut, [23, 12, 0, 10]);
        assert!(!outcome.carried);
    }

    #[test]
    fn an_institution_that_does_not_fit_whole_is_carried() {
        let mut claims =
            vec![claim(0, 0, 0, 50), claim(0, 0, 1, 50), claim(1, 0, 0, 60), claim(2, 0, 0, 10)];
        claims[1].bound = None;
        // 60 of 100 to institution 1; 50 do not fit into 40, so both sources of institution 0 are
        // carried; institution 2 still fits.
        let outcome = share(&claims, &[100], &ShortageMethod::Carry(vec![]), &[1, 0, 2]);
        assert_eq!(outcome.cut, [50, 50, 0, 0]);
        assert!(outcome.carried);
        let short = Short { institution: Some(0), bound: 0, before: 50, limit: 40, cut: 100 };
        assert_eq!(outcome.shorts, [short]);
    }

    #[test]
    fn sources_are_bounded_each_by_itself() {
        let claims =
            [claim(0, 0, 0, 50), claim(0, 0, 1, 50), claim(1, 0, 0, 50), claim(1, 0, 1, 50)];
        let outcome = share(&claims, &[100, 61], &ShortageMethod::ProRata, &[0, 1]);
        // 39 fen over two equal claims: the odd one to the first.
        assert_eq!(outcome.cut, [0, 20, 0, 19]);
    }

    #[test]
    fn enough_money_cuts_nothing() {
        let claims = [claim(0, 0, 0, 50)];
        for method in
            [ShortageMethod::ProRata, ShortageMethod::Queue(vec![]), ShortageMethod::Carry(vec![])]
        {
            let outcome = share(&claims, &[50], &method, &[0]);
            assert_eq!(outcome, Outcome { cut: vec![0], ..Outcome::default() });
        }
    }
}
