//! A job from its canonical text.

use super::{LEAST, Place};
use std::path::PathBuf;
use tuoyu::job::{Job, Overrides, Places, TableSpec, restore};

const ALL: &str = "title = \"月结\"\nopening = \"2026-01\"\noffice = \"示例区\"\nworkbooks = false\n\
    entitlements_csv = true\nchange_percent = 7\nprovisional_calendar = true\n\
    overlays = [\"x/what.toml\"]\nform = \"paper\"\nbefore_opening = \"pay\"\n\
    [inputs.attendance]\nfile = \"a*.csv\"\nsheet = \"s\"\nheader_row = 3\n\
    headers = { \"天数\" = \"days_attended\" }\nvalues.mark = { \"√\" = \"1\" }\n\
    captures = [{ column = \"mark\", from = \"t\", pattern = '(\\d+)' }]\n\
    constants = { period = \"2026-09\" }\nignore = [\"备注\"]\nreceived_on = 2026-10-01\n\
    complete_for = [\"2026-08\", \"2026-09\"]\n\
    [[write_off]]\ninstitution = \"A\"\nsource = \"区\"\namount = \"1200.50\"\n\
    source_period = \"2026-03\"\nreason = \"机构注销\"\nby = [\"张三\", \"李四\"]\n\
    [pay]\nfiles = [\"pain001\", \"bank\"]\naccount_name = \"财政局\"\naccount_no = \"1\"\n\
    bank_name = \"银行\"\nbank_no = \"102521000335\"\n";

/// The places of a job's files in another folder.
fn elsewhere(job: &Job) -> Places {
    let moved = |path: &PathBuf| PathBuf::from("moved").join(path.file_name().unwrap());
    let files = job
        .tables
        .iter()
        .map(|spec| (spec.table.clone(), spec.paths.iter().map(moved).collect()))
        .collect();
    Places {
        packs: job.packs.iter().map(moved).collect(),
        overlays: job.overlays.iter().map(moved).collect(),
        files,
        ..Places::default()
    }
}

#[test]
fn a_job_comes_back_from_its_text() {
    let place = Place::new(&["a1.csv", "a2.csv", "slots.csv"]);
    let job = place.read(&format!("{LEAST}{ALL}"), Overrides::default()).unwrap();
    let back = restore(&job.canonical, elsewhere(&job)).unwrap();
    assert_eq!(back.canonical, job.canonical);
    assert!(job.pay_before_opening && back.pay_before_opening);
    assert_eq!((&back.form, &back.write_offs), (&job.form, &job.write_offs));
    assert_eq!(back.pay, job.pay);
    assert_eq!(job.pay.as_ref().unwrap().purpose, "月结");
    let [act] = job.write_offs.as_slice() else { panic!("one act") };
    assert_eq!((act.amount_fen, act.source_period.as_deref()), (Some(120_050), Some("2026-03")));
    assert_eq!((&act.item, act.source.as_deref()), (&None, Some("区")));
    assert_eq!((back.known_on, back.period, back.change_percent), (job.known_on, job.period, 7));
    for (spec, again) in job.tables.iter().zip(&back.tables) {
        let paths = again.paths.clone();
        assert_eq!(TableSpec { paths, ..spec.clone() }, *again);
        assert_eq!(TableSpec::restore(&spec.canonical(), spec.paths.clone()).unwrap(), *spec);
    }
    assert_eq!((back.ledger, back.archive), (None, None));
}

/// Spoils the places of a job.
type Change<'c> = &'c dyn Fn(&mut Places);

#[test]
fn places_that_do_not_fit_are_refused() {
    let place = Place::new(&["a1.csv"]);
    let job = place.read(&format!("{LEAST}{ALL}"), Overrides::default()).unwrap();
    let wrong: [(&str, Change<'_>); 3] = [
        ("other packs", &|places| places.packs.clear()),
        ("has 1 files", &|places| places.files.clear()),
        ("other names of files", &|places| places.packs[0] = "moved/q".into()),
    ];
    for (part, change) in wrong {
        let mut places = elsewhere(&job);
        change(&mut places);
        let told = restore(&job.canonical, places).unwrap_err().to_string();
        assert!(told.contains(part), "{part}: {told}");
    }
    assert!(restore("{}", Places::default()).is_err());
}

#[test]
fn what_an_overlay_changes_is_said_by_the_law_alone() {
    let place = Place::new(&["a1.csv", "a2.csv", "slots.csv"]);
    let job = place.read(&format!("{LEAST}{ALL}"), Overrides::default()).unwrap();
    let without = ALL.replace("overlays = [\"x/what.toml\"]\n", "");
    let plain = place.read(&format!("{LEAST}{without}"), Overrides::default()).unwrap();
    assert_eq!((job.overlays.len(), plain.overlays.len()), (1, 0));
    assert_eq!(job.canonical, plain.canonical, "the same run unless the law differs");
    assert!(job.canonical.contains("\"overlays\":[]"));
    // Texts archived before said the names of the files; they come back as they were.
    let old = job.canonical.replace("\"overlays\":[]", "\"overlays\":[\"what.toml\"]");
    assert_eq!(restore(&old, elsewhere(&job)).unwrap().canonical, old);
    let mut places = elsewhere(&job);
    places.overlays.clear();
    let told = restore(&old, places).unwrap_err().to_string();
    assert!(told.contains("other overlays"), "{told}");
}
