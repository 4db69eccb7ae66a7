//! What families pay: exact quantiles of millions of values, by counting them in buckets and looking
//! closely into the few buckets that hold a quantile.

use crate::domain::{NetFees, QUANTILES};

/// Families one after the other: fee, bundle of lines, and by bundle what lowers the fee, and the group.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stretch<'s> {
    pub(super) fees: &'s [i64],
    pub(super) bundles: &'s [u32],
    pub(super) less: &'s [(i64, u16)],
}

impl Stretch<'_> {
    #[inline]
    fn each(&self, mut of: impl FnMut(i64, usize)) {
        for (fee, bundle) in self.fees.iter().zip(self.bundles) {
            let (less, group) = self.less[*bundle as usize];
            of(fee.saturating_sub(less), group as usize);
        }
    }
}

/// Buckets a group's values are counted in, as a power of two.
const BUCKETS: u32 = 12;

/// Where a quantile lies.
#[derive(Debug, Clone, Copy)]
struct Sought {
    bucket: usize,
    /// Its place among the values of the bucket.
    place: usize,
}

/// The figures of each group and of everybody; fees lie in `range`.
pub(super) fn net_fees(
    stretches: &[Stretch<'_>],
    groups: usize,
    (lowest, highest): (i64, i64),
) -> (Vec<NetFees>, NetFees) {
    let most_of = |stretch: &Stretch<'_>| stretch.less.iter().map(|(less, _)| *less).max();
    let most = stretches.iter().filter_map(most_of).max().unwrap_or(0);
    let low = lowest.saturating_sub(most);
    let range = highest.saturating_sub(low);
    let shift = (64 - range.leading_zeros()).saturating_sub(BUCKETS);
    let bucket = |value: i64| usize::try_from((value - low) >> shift).unwrap_or(0);
    let width = 1 << BUCKETS;
    let mut counts = vec![0_u32; groups << BUCKETS];
    let mut told = vec![NetFees::default(); groups];
    for stretch in stretches {
        stretch.each(|value, group| {
            counts[(group << BUCKETS) + bucket(value)] += 1;
            told[group].sum_fen += value;
        });
    }
    let mut all = vec![0_u32; width];
    for counts in counts.chunks_exact(width) {
        all.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
    }
    let of_groups: Vec<[Sought; 5]> = counts.chunks_exact(width).map(seek).collect();
    let of_all = seek(&all);
    // For every bucket the list its values go to, in its group and among all; 0 for none.
    let mut lists: Vec<Vec<i64>> = vec![Vec::new()];
    let mut list_of = |own: &mut [u16], sought: &[Sought; 5]| {
        for sought in sought {
            let list = &mut own[sought.bucket];
            if *list == 0 {
                *list = u16::try_from(lists.len()).unwrap_or(0);
                lists.push(Vec::new());
            }
        }
    };
    let mut list_all = vec![0_u16; width];
    list_of(&mut list_all, &of_all);
    let mut list_group = vec![0_u16; groups << BUCKETS];
    for (own, sought) in list_group.chunks_exact_mut(width).zip(&of_groups) {
        list_of(own, sought);
    }
    for stretch in stretches {
        stretch.each(|value, group| {
            let at = bucket(value);
            let (own, everybody) = (list_group[(group << BUCKETS) + at], list_all[at]);
            if own | everybody != 0 {
                for list in [own, everybody] {
                    if list != 0 {
                        lists[usize::from(list)].push(value);
                    }
                }
            }
        });
    }
    let mut quantiles = |own: &[u16], sought: [Sought; 5]| {
        sought.map(|sought| {
            let list = &mut lists[usize::from(own[sought.bucket])];
            match sought.place < list.len() {
                true => *list.select_nth_unstable(sought.place).1,
                false => 0,
            }
        })
    };
    for ((told, own), (sought, counts)) in told
        .iter_mut()
        .zip(list_group.chunks_exact(width))
        .zip(of_groups.into_iter().zip(counts.chunks_exact(width)))
    {
        told.children = counts.iter().map(|count| u64::from(*count)).sum();
        told.quantiles = quantiles(own, sought);
    }
    let everybody = NetFees {
        children: told.iter().map(|of| of.children).sum(),
        sum_fen: told.iter().map(|of| of.sum_fen).sum(),
        quantiles: quantiles(&list_all, of_all),
    };
    (told, everybody)
}

/// The buckets of the quantiles; of nothing, a place beyond the first bucket.
fn seek(counts: &[u32]) -> [Sought; 5] {
    let all: usize = counts.iter().map(|count| *count as usize).sum();
    QUANTILES.map(|percent| {
        let mut place = (all * percent as usize).div_ceil(100).saturating_sub(1);
        for (bucket, count) in counts.iter().enumerate() {
            if place < *count as usize {
                return Sought { bucket, place };
            }
            place -= *count as usize;
        }
        Sought { bucket: 0, place: usize::MAX }
    })
}

#[cfg(test)]
mod tests {
    use super::{Stretch, net_fees};
    use crate::tune::measure::quantiles;

    #[test]
    fn counted_quantiles_are_those_of_sorted_values() {
        // Two groups; the second pays nothing but differences, some of them below zero.
        let fees: Vec<i64> = (0..5000_i64).map(|at| (at * 7919) % 320_000).collect();
        let bundles: Vec<u32> = (0..5000_u32).map(|at| at % 3).collect();
        let less = [(0, 0), (60_050, 1), (319_999, 1)];
        let stretch = Stretch { fees: &fees, bundles: &bundles, less: &less };
        let (groups, all) = net_fees(&[stretch], 3, (0, 320_000));
        let mut values = [Vec::new(), Vec::new(), Vec::new(), Vec::new()];
        for (fee, bundle) in fees.iter().zip(&bundles) {
            let (less, group) = less[*bundle as usize];
            values[usize::from(group)].push(fee - less);
            values[3].push(fee - less);
        }
        for (told, values) in groups.iter().chain([&all]).zip(&mut values) {
            assert_eq!(told.children, values.len() as u64);
            assert_eq!(told.sum_fen, values.iter().sum::<i64>());
            assert_eq!(told.quantiles, quantiles(values));
        }
    }
}
