//! Which delivery is chosen: worked through by hand, day by day (S22).

use tuoyu::domain::{Date, Month};
use tuoyu::job::{TableSpec, choose};

fn date(text: &str) -> Date {
    Date::parse_iso(text).unwrap()
}

fn month(text: &str) -> Month {
    Month::parse(text).unwrap()
}

/// A delivery of attendance in a file, with what it says of itself.
fn delivery(file: &str, received_on: Option<&str>, holds: Option<(&str, &str)>) -> TableSpec {
    TableSpec {
        table: "attendance".to_owned(),
        paths: vec![file.into()],
        received_on: received_on.map(date),
        complete_for: holds.map(|(first, last)| (month(first), month(last))),
        ..TableSpec::default()
    }
}

/// The file chosen for a month as known on a day.
fn chosen(base: &TableSpec, late: &[TableSpec], of: &str, known_on: &str) -> String {
    match choose(std::slice::from_ref(base), late, month(of), date(known_on)) {
        Ok(specs) => {
            specs[0].paths.first().map_or("absent".to_owned(), |p| p.display().to_string())
        }
        Err(error) => error.to_string().split(',').next().unwrap().to_owned(),
    }
}

#[test]
fn three_versions_at_their_edges() {
    let base = delivery("base", None, None);
    let late = [
        delivery("one", Some("2026-06-10"), Some(("2026-03", "2026-05"))),
        delivery("two", Some("2026-07-01"), Some(("2026-04", "2026-04"))),
        delivery("same", Some("2026-07-01"), Some(("2026-04", "2026-05"))),
        // Listed last and received in between: the day decides, not the list.
        delivery("between", Some("2026-06-20"), Some(("2026-04", "2026-05"))),
    ];
    for (of, known_on, file) in [
        ("2026-02", "2026-12-31", "base"),
        ("2026-03", "2026-06-09", "base"),
        ("2026-03", "2026-06-10", "one"),
        ("2026-03", "2026-12-31", "one"),
        ("2026-04", "2026-06-19", "one"),
        ("2026-04", "2026-06-20", "between"),
        ("2026-04", "2026-06-30", "between"),
        ("2026-04", "2026-07-01", "same"),
        ("2026-05", "2026-06-10", "one"),
        ("2026-05", "2026-07-01", "same"),
        ("2026-06", "2026-12-31", "base"),
    ] {
        assert_eq!(chosen(&base, &late, of, known_on), file, "{of} known on {known_on}");
    }
}

#[test]
fn a_base_delivery_counts_from_its_day() {
    let early = [delivery("early", Some("2026-09-30"), Some(("2026-09", "2026-09")))];
    let base = delivery("base", Some("2026-10-05"), None);
    let late = "inputs.attendance: the delivery was received on 2026-10-05";
    for (late_ones, known_on, file) in [
        (&early[..0], "2026-10-04", late),
        (&early[..0], "2026-10-05", "base"),
        (&early[..], "2026-09-29", late),
        (&early[..], "2026-10-04", "early"),
        (&early[..], "2026-10-05", "base"),
    ] {
        assert_eq!(chosen(&base, late_ones, "2026-09", known_on), file, "{known_on}");
    }
    // On one day the late one is the correction.
    let same = [delivery("late", Some("2026-10-05"), Some(("2026-09", "2026-09")))];
    assert_eq!(chosen(&base, &same, "2026-09", "2026-10-05"), "late");
    // A base delivery for other months is what there is where no late one holds the month.
    let stale = delivery("stale", Some("2026-10-05"), Some(("2026-08", "2026-08")));
    assert_eq!(chosen(&stale, &[], "2026-09", "2026-10-05"), "stale");
    assert_eq!(chosen(&stale, &early, "2026-09", "2026-10-05"), "early");
    let optional = TableSpec { optional: true, ..base };
    assert_eq!(chosen(&optional, &[], "2026-09", "2026-10-04"), "absent");
}

#[test]
fn a_table_nobody_listed_comes_with_its_late_delivery() {
    let late = [delivery("late", Some("2026-10-05"), Some(("2026-09", "2026-09")))];
    let count =
        |of: &str, known_on: &str| choose(&[], &late, month(of), date(known_on)).unwrap().len();
    assert_eq!(count("2026-09", "2026-10-05"), 1);
    assert_eq!((count("2026-09", "2026-10-04"), count("2026-10", "2026-10-05")), (0, 0));
}
