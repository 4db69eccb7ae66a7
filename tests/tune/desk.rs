//! The office of the hand case: its deliveries, its baseline job, tune jobs over it.

use super::super::office;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use tempfile::TempDir;
use tuoyu::domain::{NetFees, Outcome, Silent};
use tuoyu::job::{self, Overrides, TuneJob};
use tuoyu::tune::{self, TuneReport};

/// A folder with everything a tune job needs.
pub(super) struct Desk {
    folder: TempDir,
}

/// Deliveries: table and text.
const DELIVERIES: [(&str, &str); 6] = [
    (
        "institutions",
        "institution_id,name,kind,street\nA,甲园,托育机构,东街\nB,乙园,家庭托育点,西街\n",
    ),
    (
        "slots",
        "institution_id,age_class,service,slots_filed\nA,托小班,全日托,5\nB,托小班,全日托,2\n",
    ),
    (
        "enrolments",
        "child_ref,birth_date,institution_id,age_class,service,spell_from,fee_monthly\n\
         child-0001,2024-05-06,A,托小班,全日托,2026-03-02,900\n\
         child-0002,2024-05-06,A,托小班,全日托,2026-03-02,1100\n\
         child-0003,2024-05-06,A,托小班,全日托,2026-03-02,1000\n\
         child-0004,2024-05-06,B,托小班,全日托,2026-03-02,1300\n",
    ),
    (
        "caregivers",
        "person_ref,institution_id,role,from,monthly_cost\n\
         P1,A,保育员,2026-01-01,1500\nP2,A,保育员,2026-01-01,800\n",
    ),
    ("venues", "institution_id,venue_id,area_m2,from,rent_monthly\nA,V1,100,2026-01-01,500\n"),
    (
        "budget",
        "budget_doc_no,source,amount,balance,fiscal_year\n示例省1号,省,700,700,2026\n\
         示例区1号,区,5000,5000,2026\n",
    ),
];

impl Desk {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        office::papers(folder.path());
        let desk = Self { folder };
        for (table, text) in DELIVERIES {
            desk.put(&format!("input/{table}.csv"), text);
        }
        let pack = include_str!("pack.toml");
        desk.put("pack/pack.toml", pack);
        let here = desk.folder.path().display();
        desk.put(
            "base.toml",
            &format!(
                "id = \"base\"\npacks = [\"{here}/pack\"]\nreference = \"{here}/reference\"\n\
                 input = \"{here}/input\"\nkey_file = \"{here}/office.key\"\nworkbooks = false\n\
                 ledger = \"{here}/var/ledger.db\"\nout = \"{here}/out/{{period}}\"\n"
            ),
        );
        desk
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(super) fn put(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// A tune job over September, with more keys.
    pub(super) fn job(&self, more: &str) -> PathBuf {
        let periods = if more.contains("periods =") { "" } else { "periods = [\"2026-09\"]\n" };
        let here = self.folder.path().display();
        let text = format!(
            "id = \"what-if\"\nkind = \"tune\"\nbaseline = \"{here}/base.toml\"\n\
             out = \"{here}/out/what-if\"\n{periods}{more}"
        );
        self.put("tune.toml", &text);
        self.path("tune.toml")
    }

    pub(super) fn read(&self, more: &str) -> TuneJob {
        job::read_tune(&self.job(more), &Overrides::default()).unwrap()
    }

    pub(super) fn run(&self, more: &str) -> TuneReport {
        run(&self.read(more))
    }
}

pub(super) fn run(job: &TuneJob) -> TuneReport {
    tune::run(job, &mut Silent, &AtomicBool::new(false)).unwrap()
}

/// The figures of a scenario.
#[track_caller]
pub(super) fn outcome<'r>(report: &'r TuneReport, id: &str) -> &'r Outcome {
    let row = report.tuning.scenarios.iter().find(|row| row.id == id).unwrap();
    row.outcome.as_ref().unwrap()
}

/// What all families pay.
pub(super) fn all_fees(of: &Outcome) -> NetFees {
    of.net_fees[&(Arc::from(""), Arc::from(""))]
}

pub(super) fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}
