//! One changed byte, anywhere, is found and named.

use super::{Office, contents, flip};
use std::collections::BTreeMap;
use std::fs;

/// Bytes looked at in a file of so many: its first ones, its middle, its last ones.
fn places(length: usize) -> Vec<usize> {
    let ends = [0, 1, 4, 5, 6, 8, length / 2];
    let last = [1, 2, 16, 32, 33, 34, 39, 40, 41, 44];
    let mut places: Vec<usize> = ends
        .into_iter()
        .chain(last.into_iter().filter_map(|back| length.checked_sub(back)))
        .collect();
    places.retain(|at| *at < length);
    places.sort_unstable();
    places.dedup();
    places
}

#[test]
fn every_byte_of_the_archive_counts() {
    let office = Office::new();
    let (run, _) = office.settle("2026-09", "");
    let archive = office.archive();
    let recorded = office.ledger().recipes().unwrap();
    assert_eq!(archive.verify(&recorded, &BTreeMap::new()).unwrap(), []);
    let files = contents(archive.path());
    assert!(files.len() > 10);
    let mut flipped = 0;
    for (file, bytes) in &files {
        for at in places(bytes.len()) {
            let path = archive.path().join(file);
            flip(&path, at);
            let found = archive.verify(&recorded, &BTreeMap::new()).unwrap();
            assert!(found.iter().any(|damage| damage.file == *file), "{file} byte {at}: {found:?}");
            fs::write(&path, bytes).unwrap();
            flipped += 1;
        }
    }
    assert!(flipped > 150, "{flipped}");
    assert_eq!(archive.verify(&recorded, &BTreeMap::new()).unwrap(), []);
    // Every byte of the pointer, since it is short; a rerun stops at it too.
    let pointer = format!("runs/{run}.json");
    for at in 0..files[&pointer].len() {
        let path = archive.path().join(&pointer);
        let bytes = flip(&path, at);
        let found = archive.verify(&recorded, &BTreeMap::new()).unwrap();
        assert!(found.iter().any(|damage| damage.file == pointer), "byte {at}: {found:?}");
        let (exit, said) = office.rerun("run-2026-09");
        assert_eq!(exit, 6, "byte {at}: {said}");
        fs::write(&path, bytes).unwrap();
    }
}

#[test]
fn a_damaged_or_missing_object_is_named_by_what_it_held() {
    let office = Office::new();
    let (run, _) = office.settle("2026-09", "");
    let archive = office.archive();
    let recipe = archive.recipe(&run).unwrap();
    let recorded = office.ledger().recipes().unwrap();
    let mut named = 0;
    for (hash, what) in recipe.objects() {
        let folder = archive.path().join("objects").join(&hash[..2]);
        let zst = folder.join(format!("{}.zst", &hash[2..]));
        let path = if zst.exists() { zst } else { folder.join(&hash[2..]) };
        let bytes = flip(&path, 20);
        // What a rerun reads of it: everything but the law's text and the outputs kept for later runs,
        // and the lines, where the run comes out the same without them.
        let unread = ["the law of", "the output", "the entitlement lines"]
            .iter()
            .any(|words| what.starts_with(words));
        let (exit, said) = office.rerun(&run);
        if !unread {
            assert_eq!(exit, 6, "{what}: {said}");
            assert!(said.contains(&what) && said.contains("is damaged"), "{what}: {said}");
            named += 1;
        }
        let found = archive.verify(&recorded, &BTreeMap::new()).unwrap();
        assert!(found.len() == 1 && found[0].what.starts_with(&what), "{what}: {found:?}");
        fs::remove_file(&path).unwrap();
        let (_, said) = office.rerun(&run);
        let told = said.contains(&what) && said.contains("is missing");
        assert!(unread || told, "{what}: {said}");
        let found = archive.verify(&recorded, &BTreeMap::new()).unwrap();
        assert!(found.len() == 1 && found[0].found == "it is missing", "{what}: {found:?}");
        fs::write(&path, bytes).unwrap();
    }
    assert!(named >= 8, "three tables, a pack, three reference files, the key: {named}");
    assert!(
        recipe
            .objects()
            .iter()
            .any(|(_, what)| { what == "input file attendance.csv of table attendance" })
    );
}

#[test]
fn every_file_of_the_run_folder_counts() {
    let office = Office::new();
    office.settle("2026-09", "");
    let files = contents(&office.path("run-2026-09"));
    for (file, bytes) in &files {
        let path = office.path("run-2026-09").join(file);
        flip(&path, bytes.len() / 2);
        let (exit, said) = office.rerun("run-2026-09");
        assert_ne!(exit, 0, "{file}: {said}");
        assert!(said.contains(file), "{file}: {said}");
        if file != "manifest.json" {
            assert_eq!(exit, 6, "{file}: {said}");
            assert_eq!(said.matches("run folder was changed").count(), 1, "{file}: {said}");
        }
        fs::remove_file(&path).unwrap();
        let (_, said) = office.rerun("run-2026-09");
        assert!(said.contains(file), "{file} gone: {said}");
        fs::write(&path, bytes).unwrap();
    }
    // Every byte of the manifest: it names the run, so some of them end in another error.
    let path = office.path("run-2026-09/manifest.json");
    for at in (0..files["manifest.json"].len()).step_by(97) {
        let bytes = flip(&path, at);
        let (exit, said) = office.rerun("run-2026-09");
        assert!(exit != 0 && said.contains("manifest"), "byte {at}: {said}");
        fs::write(&path, bytes).unwrap();
    }
    // A Parquet file is compared by row and column.
    let other = Office::new();
    other.attendance("attendance.csv", &[("A", "2026-09", 10), ("B", "2026-09", 6)]);
    other.settle("2026-09", "");
    let name = "run-2026-09/entitlements.parquet";
    fs::copy(other.path(name), office.path(name)).unwrap();
    let (exit, said) = office.rerun("run-2026-09");
    assert_eq!(exit, 6, "{said}");
    let place =
        "entitlements.parquet: the file in the run folder was changed, line 2, column exact";
    // B's five days were 50 yuan there, six here.
    assert!(said.contains(place) && said.contains("archived: 5000"), "{said}");
    assert!(said.contains("found:    6000"), "{said}");
}

#[test]
fn the_ledger_vouches_for_the_archive() {
    let office = Office::new();
    let (first, _) = office.settle("2026-09", "");
    office.attendance("attendance.csv", &[("A", "2026-09", 1)]);
    let (second, _) = office.settle("2026-09", "");
    let archive = office.archive();
    let recorded = office.ledger().recipes().unwrap();
    assert_eq!(recorded.len(), 2);
    // A pointer that leads to the recipe of another run is whole in itself.
    let pointer = |run: &str| office.path("archive/runs").join(format!("{run}.json"));
    let own = fs::read(pointer(&first)).unwrap();
    fs::copy(pointer(&second), pointer(&first)).unwrap();
    let found = archive.verify(&recorded, &BTreeMap::new()).unwrap();
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].found.contains("the ledger says"), "{found:?}");
    let (exit, said) = office.rerun(&first);
    assert_eq!(exit, 6, "{said}");
    assert!(said.contains("the recipe of run") && said.contains("in the ledger"), "{said}");
    fs::remove_file(pointer(&first)).unwrap();
    assert_eq!(archive.verify(&recorded, &BTreeMap::new()).unwrap()[0].found, "it is missing");
    fs::write(pointer(&first), own).unwrap();
    assert_eq!(office.rerun(&first).0, 0, "a draft that was replaced comes back as well");
    // The event itself: the chain no longer holds.
    let raw = office.raw_ledger();
    raw.execute("UPDATE events SET body = replace(body, 'archive', 'archivf') WHERE seq = 1", ())
        .unwrap();
    drop(raw);
    let (exit, said) = office.rerun(&first);
    assert_eq!(exit, 7, "{said}");
    assert!(said.contains("event 1 (posted run"), "{said}");
}
