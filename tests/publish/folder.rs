//! The run folder: whole or not at all, the same bytes every time, damage found.

use std::fs;
use std::path::Path;

use tuoyu::publish::{
    Contents, DamageKind, Draft, FolderError, Manifest, PublishError, recover, verify,
};

use super::case::Case;

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// A sealed draft with one file, as it stands before the ledger commits.
fn sealed(out: &Path, run_id: &str) -> Draft {
    let mut draft = Draft::create(out).unwrap();
    draft.put("a.csv", format!("x\n{run_id}\n").as_bytes(), Contents::default()).unwrap();
    draft.seal(Manifest { run_id: run_id.to_owned(), ..Manifest::default() }).unwrap();
    draft
}

fn run_id(out: &Path) -> String {
    Manifest::read(out).unwrap().run_id
}

#[test]
fn a_folder_appears_whole_and_replaces_the_one_before() {
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("2026-09");
    let draft = sealed(&out, "one");
    assert!(!out.exists(), "nothing in place before the commit");
    assert_eq!(draft.commit().unwrap(), None);
    assert_eq!(run_id(&out), "one");
    sealed(&out, "two").commit().unwrap();
    assert_eq!(run_id(&out), "two");
    assert_eq!(names(place.path()), ["2026-09"], "nothing is left beside");
    assert!(verify(&out).unwrap().is_empty());
}

#[test]
fn a_draft_given_up_leaves_nothing() {
    let place = tempfile::tempdir().unwrap();
    drop(sealed(&place.path().join("run"), "one"));
    assert!(names(place.path()).is_empty());
}

#[test]
fn what_a_person_put_there_is_kept() {
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("run");
    sealed(&out, "one").commit().unwrap();
    fs::write(out.join("note.txt"), "call the bank").unwrap();
    let kept = sealed(&out, "two").commit().unwrap().unwrap();
    assert_eq!(fs::read_to_string(kept.join("note.txt")).unwrap(), "call the bank");
    assert_eq!(names(place.path()), ["run", "run.replaced"]);
}

#[test]
fn a_place_that_is_no_run_folder_is_not_touched() {
    let place = tempfile::tempdir().unwrap();
    fs::write(place.path().join("thesis.doc"), "years of work").unwrap();
    let error = Draft::create(place.path()).unwrap_err();
    assert!(matches!(error, FolderError::NotARunFolder { .. }), "{error}");
    assert_eq!(names(place.path()), ["thesis.doc"]);
    let empty = place.path().join("empty");
    fs::create_dir(&empty).unwrap();
    sealed(&empty, "one").commit().unwrap();
    assert_eq!(run_id(&empty), "one");
}

/// What a crash can leave, whether the ledger holds run "two", and what must stand afterwards.
#[test]
fn leftovers_are_finished_or_removed() {
    // (old folder in place, old folder moved aside, draft: none / unsealed / sealed, in the
    // ledger, run id in place afterwards)
    for (case, in_place, aside, draft, decided, want) in [
        ("while writing", true, false, "unsealed", false, Some("one")),
        ("while writing the first", false, false, "unsealed", false, None),
        ("before the ledger's commit", true, false, "sealed", false, Some("one")),
        ("after the ledger's commit", true, false, "sealed", true, Some("two")),
        ("after the ledger's commit, first run", false, false, "sealed", true, Some("two")),
        ("between the renames", false, true, "sealed", true, Some("two")),
        ("between the renames of a trial", false, true, "sealed", false, Some("two")),
        ("before the old one was removed", true, true, "none", true, Some("one")),
        ("nothing but the old one aside", false, true, "none", false, Some("zero")),
    ] {
        let place = tempfile::tempdir().unwrap();
        let out = place.path().join("run");
        if aside {
            sealed(&out, "zero").commit().unwrap();
            fs::rename(&out, place.path().join(".run.old")).unwrap();
        }
        if in_place {
            let other = place.path().join("other");
            sealed(&other, "one").commit().unwrap();
            fs::rename(other, &out).unwrap();
        }
        match draft {
            // A crash runs no destructor, which would clear the draft away.
            "sealed" => std::mem::forget(sealed(&out, "two")),
            "unsealed" => {
                let mut draft = Draft::create(&out).unwrap();
                draft.put("a.csv", b"half", Contents::default()).unwrap();
                std::mem::forget(draft);
            }
            _ => {}
        }
        recover(&out, &|id| decided && id == "two").unwrap();
        assert_eq!(Manifest::read(&out).ok().map(|m| m.run_id).as_deref(), want, "{case}");
        let left = if want.is_some() { vec!["run"] } else { vec![] };
        assert_eq!(names(place.path()), left, "{case}");
    }
}

#[test]
fn one_flipped_byte_and_one_missing_file_are_found() {
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("run");
    Case::new().publish(&out).unwrap();
    assert!(verify(&out).unwrap().is_empty());
    let victim = out.join("entitlements.parquet");
    let mut bytes = fs::read(&victim).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&victim, bytes).unwrap();
    fs::remove_file(out.join("fees.csv")).unwrap();
    let found = verify(&out).unwrap();
    let found: Vec<_> = found.iter().map(|damage| (&*damage.file, damage.kind)).collect();
    let want = [("entitlements.parquet", DamageKind::Changed), ("fees.csv", DamageKind::Missing)];
    assert_eq!(found, want);
}

#[test]
fn the_manifest_names_every_file_and_nothing_of_the_machine() {
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("run");
    Case::new().publish(&out).unwrap();
    let manifest = Manifest::read(&out).unwrap();
    let mut listed: Vec<String> = manifest.outputs.iter().map(|file| file.file.clone()).collect();
    listed.push("manifest.json".to_owned());
    listed.sort();
    assert_eq!(listed, names(&out));
    let fen = |name: &str| manifest.outputs.iter().find(|file| file.file == name).unwrap().fen;
    assert_eq!(fen("schedule.csv"), Some(190_000));
    assert_eq!(fen("payments.csv"), Some(190_000));
    assert_eq!(fen("funding.csv"), Some(190_000));
    assert_eq!(fen("entitlements.parquet"), Some(195_000));
    let text = fs::read_to_string(out.join("manifest.json")).unwrap();
    assert!(!text.contains(&place.path().display().to_string()));
    assert!(!text.contains("0123456789abcdef0123456789abcdef"), "the key is not shown");
    assert_eq!(manifest.key_fingerprint, "472a95f00cb04c59");
}

#[test]
fn the_same_bytes_on_one_thread_and_on_eight() {
    let place = tempfile::tempdir().unwrap();
    let folders = [1, 8].map(|threads| {
        let out = place.path().join(format!("run{threads}"));
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| super::speed::large(3_000, 40).publish(&out)).unwrap();
        out
    });
    for name in names(&folders[0]) {
        let [one, eight] = folders.each_ref().map(|folder| fs::read(folder.join(&name)).unwrap());
        assert!(one == eight, "{name} differs");
    }
}

#[test]
fn a_total_that_does_not_tie_publishes_nothing() {
    type Break = fn(&mut Case);
    let breaks: [(&str, Break, &str); 8] = [
        ("a used row too many", |c| c.usage[0].used += 1, "rows of table enrolments"),
        ("a table forgotten", |c| drop(c.usage.pop()), "table institutions"),
        ("a fen without source", |c| c.allocation.cells[0].fen -= 1, "item operating.child"),
        ("a line paid more", |c| c.schedule.lines[0].payable_fen += 1, "schedule line 1"),
        ("a payment short", |c| c.schedule.payments[3].amount_fen -= 1, "payment 2026-09-000004"),
        (
            "a line without payment",
            |c| c.schedule.lines[0].payment = u32::MAX,
            "payment 2026-09-000001",
        ),
        (
            "a refusal without reason",
            |c| c.entitlements.items[0].reason[4] = 0,
            "lines that are refused",
        ),
        (
            "money moved between sources",
            |c| {
                c.schedule.lines[0].source = "区".into();
            },
            "schedule of source",
        ),
    ];
    for (name, damage, want) in breaks {
        let mut case = Case::new();
        damage(&mut case);
        let place = tempfile::tempdir().unwrap();
        let out = place.path().join("run");
        let error = case.publish(&out).unwrap_err();
        assert!(matches!(error, PublishError::Control(_)), "{name}: {error}");
        let text = error.to_string();
        assert!(text.contains(want), "{name}: {text}");
        assert!(text.contains("differ by"), "{name}: both sides are told: {text}");
        assert!(!out.exists(), "{name}");
    }
}
