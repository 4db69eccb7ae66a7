//! What a run says of itself: under which packs.

use super::whole::Office;
use std::fs;
use std::path::PathBuf;

/// A province's pack and a district's over it: the manifest names both, the lowest layer first.
#[test]
fn the_manifest_names_every_pack_of_the_job_in_order() {
    let office = Office::new();
    let inputs = office.path("inputs");
    fs::create_dir(&inputs).expect("a folder");
    let write = |name: &str, text: &str| fs::write(inputs.join(name), text).expect("written");
    write("institutions.csv", "institution_id,name,filed_from\nI1,甲,2025-01-01\n");
    write(
        "enrolments.csv",
        "child_ref,birth_date,institution_id,age_class,service,spell_from\n\
         A,2025-01-10,I1,托小班,全日托,2026-01-05\n",
    );
    let job = |packs: [&str; 2]| -> PathBuf {
        let path = office.path("job.toml");
        let packs = packs.map(|pack| format!("\"tests/rules/packs/{pack}\"")).join(", ");
        let text = format!(
            "id = \"layers\"\nperiod = \"2026-09\"\npacks = [{packs}]\ninput = {:?}\n\
             key_file = \"data/reference/keys/demo.key\"\nworkbooks = false\n",
            inputs.display().to_string()
        );
        fs::write(&path, text).expect("written");
        path
    };
    for packs in [["rounding", "facts"], ["facts", "rounding"]] {
        let output = office.run(&[&job(packs).display().to_string()], &[]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(matches!(output.status.code(), Some(0 | 3)), "{said}");
        let manifest = fs::read(office.path("run").join("manifest.json")).expect("a manifest");
        let manifest: serde_json::Value = serde_json::from_slice(&manifest).expect("JSON");
        assert_eq!(manifest["packs"], serde_json::json!(packs));
    }
}
