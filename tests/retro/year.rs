//! The scripted year, and random ones.

use super::world::{Stay, World};
use super::{Office, world};

/// A generator of ours, so that a failing year can be run again.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn roll(&mut self, below: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }

    fn of<T: Copy>(&mut self, list: &[T]) -> T {
        list[usize::try_from(self.roll(list.len() as u64)).unwrap()]
    }
}

/// Changes one fact of a past month; gives the tables that tell it.
pub(super) fn event(world: &mut World, month: usize, dice: &mut Dice) -> Vec<&'static str> {
    let institution = u32::try_from(1 + dice.roll(6)).unwrap();
    let children: Vec<u32> = world.months[month].stays.iter().map(|stay| stay.child).collect();
    let last = World::last_day(month);
    if children.is_empty() {
        return Vec::new();
    }
    let child = dice.of(&children);
    let stays = |world: &World| -> Vec<Stay> {
        world.months[month].stays.iter().filter(|stay| stay.child == child).cloned().collect()
    };
    let both = vec!["enrolments", "attendance"];
    match dice.roll(11) {
        // A figure of attendance was wrong.
        0 | 1 => {
            let days = u32::try_from(dice.roll(20)).unwrap();
            let stay = world.stay(month, child).unwrap();
            stay.days = days;
            vec!["attendance"]
        }
        // Ended early.
        2 => {
            let stay = world.stay(month, child).unwrap();
            stay.until = (stay.from + 9).min(stay.until);
            vec!["enrolments"]
        }
        // Continued after its end.
        3 => {
            world.stay(month, child).unwrap().until = last;
            vec!["enrolments"]
        }
        // Annulled.
        4 => {
            world.months[month].stays.retain(|stay| stay.child != child);
            both
        }
        // Moved to another institution.
        5 => {
            for stay in &mut world.months[month].stays {
                if stay.child == child {
                    stay.institution = institution;
                }
            }
            both
        }
        // Split in two.
        6 => {
            let Some(stay) = world.stay(month, child).filter(|stay| stay.until > stay.from + 12)
            else {
                return Vec::new();
            };
            let rest = Stay { from: stay.from + 11, ..stay.clone() };
            stay.until = stay.from + 10;
            world.months[month].stays.push(rest);
            vec!["enrolments"]
        }
        // Two replaced by one, or one by itself.
        7 => {
            let all = stays(world);
            let one = Stay { from: 1, until: last, ..all[0].clone() };
            world.months[month].stays.retain(|stay| stay.child != child);
            world.months[month].stays.push(one);
            vec!["enrolments"]
        }
        // Slots corrected.
        8 => {
            let open = u32::try_from(dice.roll(9)).unwrap();
            world.months[month].slots.insert(institution, open);
            vec!["slots"]
        }
        // Inclusive status revoked, or given back.
        9 => {
            let Some(inclusive) = world.months[month].inclusive.get_mut(&institution) else {
                return Vec::new();
            };
            *inclusive = !*inclusive;
            vec!["institutions"]
        }
        // A sanction found late, or lifted.
        _ => {
            let sanctioned = &mut world.months[month].sanctioned;
            match sanctioned.iter().position(|of| *of == institution) {
                Some(at) => {
                    sanctioned.remove(at);
                }
                None => sanctioned.push(institution),
            }
            vec!["sanctions"]
        }
    }
}

/// A notice that changes a parameter of the pack from a past month on.
pub(super) fn notice(office: &Office, number: u32, published: &str, from: &str, of: &str) {
    office.write(
        &format!("pack/late{number}.toml"),
        &format!(
            "[notice]\nnumber = \"示例{number}号\"\ntitle = \"补发(示例)\"\npublished = {published}\n\n\
             [[parameter]]\n{of}clause = \"一\"\neffective_from = {from}\n"
        ),
    );
}

#[test]
fn a_year_of_late_facts_ends_where_final_knowledge_puts_it() {
    const MONTHS: usize = 12;
    let (mut office, mut world, mut dice) = (Office::new(), World::new(MONTHS), Dice(2026));
    let (mut facts, mut closed) = (0, Vec::new());
    for month in 0..MONTHS {
        let received = |day: u32| match month {
            11 => format!("2027-01-{day:02}"),
            _ => format!("{}-{day:02}", world::period(month + 1)),
        };
        // Institution 6 leaves in August, with facts about it still to come.
        if month >= 7 {
            let truth = &mut world.months[month];
            truth.stays.retain(|stay| stay.institution != 6);
            truth.slots.remove(&6);
            truth.inclusive.remove(&6);
        }
        if month == 4 {
            // Known in May: more a day since February.
            notice(
                &office,
                2,
                "2026-05-20",
                "2026-02-01",
                "id = \"rate.day\"\nunit = \"yuan/day\"\nvalue = \"15.01\"\n\
                 supersedes = { known_from = 2025-12-20, until = \"open\" }\n",
            );
        }
        if month == 9 {
            // Known in October: less a slot since July.
            notice(
                &office,
                3,
                "2026-10-25",
                "2026-07-01",
                "id = \"rate.slot\"\nunit = \"yuan/slot/month\"\nvalue = \"17.77\"\n\
                 supersedes = { known_from = 2025-12-20, until = \"open\" }\n",
            );
        }
        for _ in 0..if month == 0 { 0 } else { 8 } {
            let past = usize::try_from(dice.roll(month as u64)).unwrap();
            for table in event(&mut world, past, &mut dice) {
                office.deliver_late(&world, past, table, &received(3));
                facts += 1;
            }
        }
        // Institution 6 falls out of the register of June, after it left.
        if month == 8 {
            world.months[5].stays.retain(|stay| stay.institution != 6);
            world.months[5].slots.insert(6, 0);
            for table in ["enrolments", "attendance", "slots"] {
                office.deliver_late(&world, 5, table, &received(4));
            }
        }
        office.deliver(&world, month, "in");
        office.pay(month);
        closed.push(office.bytes(month));
    }
    assert!(facts >= 60, "{facts}");
    // Closed bytes never change.
    for (month, bytes) in closed.iter().enumerate() {
        assert_eq!(office.bytes(month), *bytes, "{}", world::period(month));
    }
    let owed = office.check(&world, MONTHS);
    assert!(owed > 0, "institution 6 owes what June took back");
    // The whole year again from the archive alone.
    std::fs::remove_dir_all(office.path("in")).unwrap();
    std::fs::remove_dir_all(office.path("pack")).unwrap();
    for month in 0..MONTHS {
        let run = format!("@run-{}", world::period(month));
        let (exit, out, err) =
            office.tuoyu(&format!("audit rerun {run} --ledger @ledger.db --threads 3 --lang en"));
        assert_eq!(exit, 0, "{run}: {out}{err}");
    }
    let (exit, _, err) = office.tuoyu("audit verify --ledger @ledger.db --lang en");
    assert_eq!(exit, 0, "{err}");
}

#[test]
fn random_years_pay_what_final_knowledge_gives() {
    const MONTHS: usize = 4;
    for seed in 0..6 {
        let (mut office, mut world, mut dice) = (Office::new(), World::new(MONTHS), Dice(seed));
        for month in 0..MONTHS {
            let received = format!("{}-05", world::period(month + 1));
            for _ in 0..if month == 0 { 0 } else { 1 + dice.roll(6) } {
                let past = usize::try_from(dice.roll(month as u64)).unwrap();
                for table in event(&mut world, past, &mut dice) {
                    office.deliver_late(&world, past, table, &received);
                }
            }
            office.deliver(&world, month, "in");
            office.pay(month);
        }
        office.check(&world, MONTHS);
    }
}
