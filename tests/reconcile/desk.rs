//! A finance desk: six institutions settled and released once, copied for every case.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use tempfile::TempDir;

/// Our account.
pub(super) const OURS: &str = "99990000000001";

/// Two lines of one 指标文号 for 省, which differ in their project; the first is used up in the middle.
const BUDGET: &str = "budget_doc_no,source,exp_func_code,project_code,amount,balance,fiscal_year
示例1号,省,2080299,P1,2000.00,2000.00,2026
示例1号,省,2080299,P2,9000.00,9000.00,2026
示例2号,市,2080299,P1,9000.00,9000.00,2026
示例3号,区,2080299,P1,9000.00,9000.00,2026
";

/// Lines of a settle job that reads the budget.
pub(super) const WITH_BUDGET: &str = "[inputs.budget]\nfile = \"{period}/budget.csv\"\n";

/// Rows of a table by header.
pub(super) type Rows = Vec<BTreeMap<String, String>>;

/// What the desk's books stand in.
pub(super) struct Desk {
    folder: TempDir,
    /// Lines of the settle job beside its tables.
    settings: String,
    /// Lines of the reconcile job beside its paths.
    pub(super) answers: String,
}

/// Law, reference papers and deliveries, which no case changes.
fn papers() -> &'static Path {
    static PAPERS: OnceLock<TempDir> = OnceLock::new();
    PAPERS
        .get_or_init(|| {
            let folder = tempfile::tempdir().unwrap();
            let at = folder.path();
            crate::office::papers(at);
            let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
            fs::create_dir_all(at.join("reference/codes")).unwrap();
            for file in ["profiles/pipe_batch.toml", "codes/reasons.toml"] {
                let file = Path::new("reference").join(file);
                fs::copy(root.join("data").join(&file), at.join(&file)).unwrap();
            }
            fs::create_dir_all(at.join("pack")).unwrap();
            fs::write(at.join("pack/pack.toml"), include_str!("pack.toml")).unwrap();
            for month in 8..=10_u32 {
                deliver(at, month);
            }
            folder
        })
        .path()
}

/// Institution I`n` has `n` + `month` open slots of fifteen filed; I7 has no account.
fn deliver(at: &Path, month: u32) {
    let mut institutions = "institution_id,name,inclusive_from,inclusive_until,account_name,\
                            account_no,bank_name,bank_no\n"
        .to_owned();
    let mut slots = "institution_id,age_class,service,slots_filed,slots_open\n".to_owned();
    for id in 1..=7_u32 {
        let account = if id == 7 { String::new() } else { account(id) };
        let _ = writeln!(
            institutions,
            "I{id},园{id},2025-01-01,,户{id},{account},示例银行,102521000335"
        );
        let _ = writeln!(slots, "I{id},托小班,全日托,15,{}", id + month - 5);
    }
    let folder = at.join(format!("in/2026-{month:02}"));
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("institutions.csv"), institutions).unwrap();
    fs::write(folder.join("slots.csv"), slots).unwrap();
    fs::write(folder.join("budget.csv"), BUDGET).unwrap();
}

/// Account of an institution as delivered.
pub(super) fn account(id: u32) -> String {
    format!("1000{id:06}")
}

impl Desk {
    pub(super) fn empty(settings: &str) -> Self {
        let desk = Self {
            folder: tempfile::tempdir().unwrap(),
            settings: settings.to_owned(),
            answers: String::new(),
        };
        desk.write_jobs();
        desk
    }

    /// August and September released, nothing answered.
    pub(super) fn new() -> Self {
        static MADE: OnceLock<Desk> = OnceLock::new();
        let made = MADE.get_or_init(|| {
            let desk = Self::empty("");
            for period in ["2026-08", "2026-09"] {
                desk.settle(period);
                desk.release(&format!("run-{period}"));
            }
            desk
        });
        made.copied()
    }

    /// September settled and not approved yet, by a job with more lines.
    pub(super) fn settled(settings: &str, words: &str) -> Self {
        let desk = Self::empty(settings);
        desk.must(&format!("run @job.toml --period 2026-09 {words}"));
        desk
    }

    /// The desk as it stands, in another folder.
    pub(super) fn copied(&self) -> Self {
        let copy = Self {
            folder: tempfile::tempdir().unwrap(),
            settings: self.settings.clone(),
            answers: self.answers.clone(),
        };
        copy_tree(self.folder.path(), copy.folder.path());
        copy.write_jobs();
        copy
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    pub(super) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    /// Writes both jobs with the places of this copy.
    pub(super) fn write_jobs(&self) {
        let of = |name: &str| papers().join(name).display().to_string();
        let pay = format!(
            "[pay]\nfiles = [\"pain001\", \"8207\", \"pipe_batch\"]\naccount_name = \"示例区财政局\"\n\
             account_no = \"{OURS}\"\nbank_name = \"示例银行\"\nbank_no = \"102521000335\"\n\
             agency_code = \"9999\"\nagency_name = \"示例局\"\ndivision_code = \"999900\"\n\
             purpose = \"补助(示例)\"\n"
        );
        let settle = format!(
            "id = \"monthly\"\npacks = [{:?}]\nreference = {:?}\ninput = {:?}\nkey_file = {:?}\n\
             workbooks = false\nretro = false\nout = \"{}/run-{{period}}\"\nledger = {:?}\n{}\n\
             [inputs.institutions]\nfile = \"{{period}}/institutions.csv\"\n\
             [inputs.slots]\nfile = \"{{period}}/slots.csv\"\n{pay}",
            of("pack"),
            of("reference"),
            of("in"),
            of("office.key"),
            self.text(""),
            self.text("ledger.db"),
            self.settings,
        );
        self.write("job.toml", settle);
        let reconcile = format!(
            "id = \"recon\"\nkind = \"reconcile\"\nsettles = {:?}\nperiod = \"2026-09\"\n\
             reference = {:?}\ninput = {:?}\ncalendar = \"weekdays\"\nprofiles = [\"pipe_batch\"]\n\
             account_no = \"{OURS}\"\nout = {:?}\nworkbooks = false\n{}\n",
            self.text("job.toml"),
            of("reference"),
            self.text("answers"),
            self.text("recon"),
            self.answers,
        );
        self.write("recon.toml", reconcile);
    }

    /// The table of corrected accounts, with a new account for each of these institutions.
    pub(super) fn correct_accounts(&mut self, ids: &[u32]) {
        let mut text = "institution_id,account_name,account_no,bank_name,bank_no\n".to_owned();
        for id in ids {
            let _ = writeln!(text, "I{id},户{id},{},示例银行,102521000335", corrected(*id));
        }
        self.write("accounts.csv", text);
        if !self.answers.contains("accounts =") {
            let path = self.text("accounts.csv");
            let _ = writeln!(self.answers, "accounts = {path:?}");
        }
        self.write_jobs();
    }

    /// Runs a command line; words that begin with `@` are files of the desk.
    pub(super) fn tuoyu(&self, line: &str) -> (u8, String, String) {
        let words = line.split_whitespace().map(|word| match word.strip_prefix('@') {
            Some(file) => OsString::from(self.text(file)),
            None => OsString::from(word),
        });
        crate::office::tuoyu(words)
    }

    #[track_caller]
    pub(super) fn must(&self, line: &str) -> String {
        let (exit, out, err) = self.tuoyu(line);
        assert!(matches!(exit, 0 | 3), "{line}: exit {exit}: {err}{out}");
        out
    }

    #[track_caller]
    pub(super) fn settle(&self, period: &str) {
        self.must(&format!("run @job.toml --period {period}"));
    }

    /// Approves and releases a run folder; gives the release folder.
    #[track_caller]
    pub(super) fn release(&self, run: &str) -> PathBuf {
        for act in ["approve", "release"] {
            self.must(&format!("{act} @{run} --by 李四 --ledger @ledger.db"));
        }
        self.path(&format!("{run}.release"))
    }

    /// Reconciles the files of a folder: exit code and report.
    #[track_caller]
    pub(super) fn reconcile(&self, folder: &str) -> (u8, serde_json::Value) {
        self.reconcile_with(&format!("--input @{folder}"))
    }

    #[track_caller]
    pub(super) fn reconcile_with(&self, words: &str) -> (u8, serde_json::Value) {
        let line = format!("run @recon.toml --json {words}");
        let (exit, out, err) = self.tuoyu(&line);
        assert!(matches!(exit, 0 | 5), "{line}: exit {exit}: {err}{out}");
        (exit, serde_json::from_str(&out).unwrap())
    }

    /// Rows of a table.
    pub(super) fn rows(&self, file: &str) -> Rows {
        let mut reader = csv::Reader::from_path(self.path(file)).unwrap();
        reader.deserialize().map(Result::unwrap).collect()
    }

    /// Rows of `recon.csv`.
    pub(super) fn recon(&self) -> Rows {
        self.rows("recon/recon.csv")
    }

    /// The row of a payment.
    #[track_caller]
    pub(super) fn row(&self, end_to_end_id: &str) -> BTreeMap<String, String> {
        let mut rows = self.recon();
        rows.retain(|row| row["end_to_end_id"] == end_to_end_id && !row["run_id"].is_empty());
        assert_eq!(rows.len(), 1, "{end_to_end_id}");
        rows.remove(0)
    }

    pub(super) fn summary(&self) -> serde_json::Value {
        serde_json::from_slice(&fs::read(self.path("recon/summary.json")).unwrap()).unwrap()
    }

    /// Every file of a folder with its bytes.
    pub(super) fn bytes(&self, folder: &str) -> BTreeMap<String, Vec<u8>> {
        let entries = fs::read_dir(self.path(folder)).unwrap().map(|entry| entry.unwrap().path());
        let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
        entries.map(|path| (name(&path), fs::read(&path).unwrap())).collect()
    }

    /// Number of events and the head, by a ledger that holds.
    #[track_caller]
    pub(super) fn verified(&self) -> (i64, String) {
        let proved = self.ledger().verify().unwrap();
        (proved.events, proved.head)
    }

    pub(super) fn ledger(&self) -> tuoyu::ledger::Ledger {
        tuoyu::ledger::Ledger::open(&self.path("ledger.db")).unwrap()
    }

    /// The file without the ledger's care for it: as an intruder sees it.
    pub(super) fn raw(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.path("ledger.db")).unwrap()
    }
}

/// The account an institution corrects its own to.
pub(super) fn corrected(id: u32) -> String {
    format!("2000{id:06}")
}

fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let place = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy_tree(&path, &place);
        } else {
            fs::copy(&path, &place).unwrap();
        }
    }
}
