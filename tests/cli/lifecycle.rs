//! Runs, approvals and releases by the program itself: folders, proofs, keys, the order of months.

use super::transcript::tuoyu;
use calamine::{Reader, Xlsx, open_workbook};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use tuoyu::domain::{Fen, hex};
use tuoyu::ledger::Ledger;

/// A folder with one ledger and a run folder for each period.
pub(super) struct Office(TempDir);

impl Office {
    pub(super) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(super) fn place(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    /// Runs a command on the office's ledger: exit code, stdout, stderr.
    pub(super) fn says(&self, words: &[&str]) -> (u8, String, String) {
        let ledger = self.place("ledger.db");
        let words: Vec<String> =
            words.iter().copied().chain(["--ledger", &ledger]).map(str::to_owned).collect();
        tuoyu(&words)
    }

    /// The same, where it has to be done.
    #[track_caller]
    pub(super) fn done(&self, words: &[&str]) -> Value {
        let words: Vec<&str> = words.iter().copied().chain(["--json"]).collect();
        let (exit, out, err) = self.says(&words);
        assert!([0, 3].contains(&exit), "{words:?}: {exit}\n{err}");
        serde_json::from_str(&out).unwrap()
    }

    /// The same, where it must be refused: what is said.
    #[track_caller]
    pub(super) fn refused(&self, words: &[&str], want: u8) -> String {
        let (exit, out, err) = self.says(words);
        assert_eq!((exit, &*out), (want, ""), "{words:?}: {err}");
        err
    }

    pub(super) fn run(&self, period: &str) -> Value {
        let job = ["run", "jobs/monthly.toml", "--period", period, "--threads", "2"];
        let out = self.place(period);
        let words: Vec<&str> = job.into_iter().chain(["--out", &out]).collect();
        self.done(&words)
    }

    pub(super) fn act(&self, act: &str, period: &str, by: &str) -> Value {
        self.done(&[act, &self.place(period), "--by", by])
    }
}

fn read(path: impl AsRef<Path>) -> Vec<u8> {
    let path = path.as_ref();
    fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn only_a_release_yields_payment_files_and_counts_for_the_next_month() {
    let office = Office::new();
    let august = office.run("2026-08");
    let draft = office.run("2026-09");
    let september = "2026-09";
    assert!(!office.path("2026-08.release").exists());
    office.act("approve", "2026-08", "李四");
    // An approval is no release: the run stays what it was.
    assert_eq!(office.run(september)["run_id"], draft["run_id"]);
    office.act("approve", september, "李四");
    let early = office.refused(&["release", &office.place(september), "--by", "王五"], 1);
    assert!(early.contains("follows 2026-08, which is approved; expected it released"), "{early}");

    let released = office.act("release", "2026-08", "王五");
    let folder = office.path("2026-08.release");
    assert_eq!(released["folder"].as_str(), folder.to_str());
    assert_eq!(read(folder.join("payments.csv")), read(office.path("2026-08/payments.csv")));
    let release: Value = serde_json::from_slice(&read(folder.join("release.json"))).unwrap();
    let manifest = read(office.path("2026-08/manifest.json"));
    let ledger = Ledger::open(&office.path("ledger.db")).unwrap();
    for (found, want) in [
        (&release["run_id"], august["run_id"].as_str().unwrap()),
        (&release["manifest_sha256"], &hex(&Sha256::digest(&manifest))),
        (&release["ledger"]["head"], &ledger.head().unwrap()),
        (&released["head"], &ledger.head().unwrap()),
        (&release["made"]["by"], "张三"),
        (&release["approvals"][0]["by"], "李四"),
        (&release["released"]["by"], "王五"),
        (&release["period"], "2026-08"),
    ] {
        assert_eq!(found.as_str(), Some(want));
    }
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    assert_eq!(release["schedule_root"], manifest["schedule_root"]);
    let sources = release["payments"]["by_source"].as_object().unwrap();
    let paid: i64 = sources.values().map(|fen| fen.as_i64().unwrap()).sum();
    assert_eq!(release["payments"]["amount_fen"].as_i64(), Some(paid));
    assert_eq!(august["payable_fen"].as_i64(), Some(paid));

    // September was settled before that: approved as it is, it cannot go out.
    let stale = office.refused(&["release", &office.place(september), "--by", "王五"], 1);
    assert!(stale.contains("was settled before an earlier period was released"), "{stale}");
    office.done(&["reopen", &office.place(september), "--by", "王五", "--reason", "八月已下达"]);
    let again = office.run(september);
    assert_eq!(again["posted"], "replaced");
    assert_ne!(again["run_id"], draft["run_id"]);
    office.act("approve", september, "李四");
    office.act("release", september, "王五");
    assert_eq!(office.run(september)["posted"], "already_there");
    assert_eq!(office.run("2026-08")["posted"], "already_there");
    let folders = [office.place("2026-08"), office.place(september)];
    let verified = office.done(&["audit", "verify", &folders[0], &folders[1]]);
    assert_eq!((&verified["folders"], &verified["runs"]), (&2.into(), &3.into()));
    // The head told at the first release is still in the chain; another is not.
    let head = released["head"].as_str().unwrap();
    office.done(&["audit", "verify", "--head", head]);
    let other = head.replace(&head[..8], "00000000");
    let broken = office.refused(&["audit", "verify", "--head", &other], 7);
    assert!(broken.contains("(missing)"), "{broken}");
}

#[test]
fn what_is_not_what_stands_is_not_agreed_to() {
    let office = Office::new();
    let run = office.run("2026-08");
    let (folder, events) =
        (office.place("2026-08"), || Ledger::open(&office.path("ledger.db")).unwrap().events());
    // A changed file.
    let payments = office.path("2026-08/payments.csv");
    let kept = read(&payments);
    fs::write(&payments, [&kept[..], b"\n"].concat()).unwrap();
    for act in ["approve", "release", "close"] {
        let said = office.refused(&[act, &folder, "--by", "李四"], 1);
        assert!(said.contains("payments.csv is not as the manifest says (1 such"), "{said}");
    }
    // A manifest that fits the changed file.
    let manifest = office.path("2026-08/manifest.json");
    let told = String::from_utf8(read(&manifest)).unwrap();
    let forged = told
        .replace(&hex(&Sha256::digest(&kept)), &hex(&Sha256::digest(read(&payments))))
        .replace(&format!("\"bytes\": {}", kept.len()), &format!("\"bytes\": {}", kept.len() + 1));
    fs::write(&manifest, &forged).unwrap();
    let said = office.refused(&["approve", &folder, "--by", "李四"], 1);
    assert!(said.contains("holds manifest") && said.contains("act on what stands"), "{said}");
    // A run that was replaced meanwhile, from a copy of its folder.
    office.run("2026-08");
    fs::rename(office.path("2026-08"), office.path("copy")).unwrap();
    let job = ["run", "jobs/monthly.toml", "--period", "2026-08", "--known-on", "2026-09-20"];
    let words: Vec<&str> = job.into_iter().chain(["--out", &folder]).collect();
    let other = office.done(&words);
    let said = office.refused(&["approve", &office.place("copy"), "--by", "李四"], 1);
    let id = other["run_id"].as_str().unwrap();
    assert!(said.contains(&format!("was replaced by run {id}")), "{said}");
    assert_eq!(events().unwrap(), 2);
    // The run that stands may be named by its first digits; its folder is where it was written, which
    // no job says here.
    let said = office.refused(&["approve", &id[..8], "--by", "李四"], 1);
    assert!(said.contains("its run folder was not found"), "{said}");
    let old = run["run_id"].as_str().unwrap();
    let said = office.refused(&["approve", &old[..12], "--by", "李四"], 1);
    assert!(said.contains("fits no run that stands"), "{said}");
    office.act("approve", "2026-08", "李四");
    // Nothing has to be seen to take an approval back.
    let back = office.done(&["reopen", &id[..8], "--by", "王五", "--reason", "名册有误"]);
    assert_eq!(back["state"], "draft");
}

/// The cells of a page as texts, row by row.
pub(super) fn page(book: &Path, name: &str) -> Vec<Vec<String>> {
    let mut book: Xlsx<_> = open_workbook(book).unwrap();
    let range = book.worksheet_range(name).unwrap();
    range.rows().map(|row| row.iter().map(ToString::to_string).collect()).collect()
}

#[test]
fn the_released_schedule_is_the_one_of_the_run_with_the_head_of_the_ledger_on_it() {
    let office = Office::new();
    let run = office.run("2026-08");
    office.act("approve", "2026-08", "李四");
    let released = office.act("release", "2026-08", "王五");
    let head = released["head"].as_str().unwrap();
    let [settled, let_out] =
        ["2026-08", "2026-08.release"].map(|folder| office.path(folder).join("schedule.xlsx"));
    for name in ["拨付计划", "付款清单"] {
        let (before, after) = (page(&settled, name), page(&let_out, name));
        assert!(before.len() > 10, "{name}");
        // All but the line under the title is the same: labels, words, sums, signature row.
        assert_eq!(before[0], after[0], "{name}");
        assert_eq!(before[2..], after[2..], "{name}");
        assert_eq!(after[1][0], format!("{}    账册校验值：{head}", before[1][0]), "{name}");
    }
    let (before, after) = (page(&settled, "汇总"), page(&let_out, "汇总"));
    let told = |label: &str| {
        let row = after.iter().find(|row| row[0].starts_with(label));
        row.map(|row| row[1].clone())
    };
    assert!(before.iter().all(|row| !row[0].starts_with("复核") || row[0] == "复核："));
    assert_eq!(
        told("付款笔数"),
        before.iter().find(|row| row[0] == "付款笔数").map(|r| r[1].clone())
    );
    assert!(told("复核").unwrap().starts_with("李四"), "{after:?}");
    assert!(told("下达").unwrap().starts_with("王五"));
    assert_eq!(told("账册校验值").as_deref(), Some(head));
    let manifest = hex(&Sha256::digest(read(office.path("2026-08/manifest.json"))));
    assert_eq!(told("清单文件校验"), Some(manifest));
    let release: Value =
        serde_json::from_slice(&read(office.path("2026-08.release/release.json"))).unwrap();
    assert_eq!(told("计划行默克尔根").as_deref(), release["schedule_root"].as_str());
    assert_eq!(run["payable_fen"], release["payments"]["amount_fen"]);
}

#[test]
fn a_release_folder_is_made_again_with_the_same_bytes() {
    let office = Office::new();
    office.run("2026-08");
    office.act("approve", "2026-08", "李四");
    office.act("release", "2026-08", "王五");
    let folder = office.path("2026-08.release");
    let files = ["payments.csv", "schedule.xlsx", "release.json"];
    let files = files.map(|name| (name, read(folder.join(name))));
    let damages: [&dyn Fn(); 4] = [
        &|| fs::write(folder.join("payments.csv"), "none").unwrap(),
        &|| fs::remove_file(folder.join("release.json")).unwrap(),
        &|| fs::remove_dir_all(&folder).unwrap(),
        // What a crash between the ledger's word and the renaming leaves.
        &|| fs::rename(&folder, office.path(".2026-08.release.draft")).unwrap(),
    ];
    for (at, damage) in damages.iter().enumerate() {
        damage();
        if at == 1 {
            // A folder with files and no seal may be anybody's.
            let said = office.refused(&["release", &office.place("2026-08"), "--by", "赵六"], 1);
            assert!(said.contains("is not a run folder (no release.json)"), "{said}");
            fs::remove_dir_all(&folder).unwrap();
        } else if at < 3 {
            let verify = ["audit", "verify", &office.place("2026-08")];
            let (exit, _, said) = office.says(&verify);
            // A folder that is gone is no lie; a changed one is.
            assert_eq!(exit, u8::from(at == 0), "{said}");
        }
        let again = office.act("release", "2026-08", "赵六");
        assert_eq!((&again["again"], &again["event"]), (&true.into(), &3.into()));
        for (name, bytes) in &files {
            assert_eq!(&read(folder.join(name)), bytes, "{name} after damage {at}");
        }
    }
    assert!(!office.path(".2026-08.release.draft").exists());
    assert_eq!(Ledger::open(&office.path("ledger.db")).unwrap().events().unwrap(), 3);
    // A person's note in the folder is kept when it has to be made again.
    fs::write(folder.join("note.txt"), "已电话核实").unwrap();
    fs::write(folder.join("payments.csv"), "none").unwrap();
    office.act("release", "2026-08", "赵六");
    assert_eq!(read(office.path("2026-08.release.replaced/note.txt")), "已电话核实".as_bytes());
}

#[test]
fn a_job_may_demand_keys_and_two_approvals() {
    let office = Office::new();
    let mut register = String::new();
    for (name, file) in [("张三", "z.key"), ("李四", "l.key"), ("王五", "w.key")] {
        // The tests' source of random numbers always gives the same: one key is made by hand.
        let seed = name.as_bytes()[1];
        let key = tuoyu::domain::SecretKey::from_bytes(&[seed; 32]);
        fs::write(office.path(file), key.pem()).unwrap();
        writeln!(register, "\"{name}\" = \"{}\"", key.public().text()).unwrap();
    }
    fs::write(office.path("register.toml"), register).unwrap();
    let job = fs::read_to_string("jobs/monthly.toml").unwrap();
    let demand =
        format!("[approval]\nkeys = {:?}\ntwo_from = \"1\"\n\n", office.place("register.toml"));
    let job = job.replacen("[inputs.", &format!("{demand}[inputs."), 1);
    fs::write(office.path("job.toml"), job).unwrap();
    let (job, folder) = (office.place("job.toml"), office.place("out"));
    let run = ["run", &job, "--period", "2026-08", "--out", &folder];
    let said = office.refused(&run, 1);
    assert!(said.contains("demands signatures; expected the key of 张三"), "{said}");
    let by = |by: &'static str, key: &'static str| -> [String; 4] {
        ["--by".to_owned(), by.to_owned(), "--key".to_owned(), office.place(key)]
    };
    let with = |words: &[&str], more: &[String]| -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).chain(more.iter().cloned()).collect()
    };
    let done = |words: &[&str], more: &[String]| {
        let words = with(words, more);
        office.done(&words.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let refused = |words: &[&str], more: &[String]| {
        let words = with(words, more);
        office.refused(&words.iter().map(String::as_str).collect::<Vec<_>>(), 1)
    };
    let made = done(&run, &by("张三", "z.key"));
    let approve = ["approve", &folder];
    let said = refused(&approve, &by("李四", "w.key"));
    assert!(said.contains("demands the key of 李四, found"), "{said}");
    let said = refused(&approve, &by("赵六", "l.key"));
    assert!(said.contains("which 赵六 is not"), "{said}");
    assert_eq!(done(&approve, &by("李四", "l.key"))["state"], "draft");
    // The demand was fixed with the run: another register changes nothing now.
    fs::write(office.path("register.toml"), "\"赵六\" = \"\"\n").unwrap();
    assert_eq!(done(&approve, &by("王五", "w.key"))["state"], "approved");
    done(&["release", &folder], &by("李四", "l.key"));
    let release: Value =
        serde_json::from_slice(&read(office.path("out.release/release.json"))).unwrap();
    let signed = &release["approvals"][1];
    assert_eq!(signed["by"], "王五");
    assert_eq!(signed["signature"].as_str().map(str::len), Some(128));
    assert_eq!(made["posted"], "new");
    office.done(&["audit", "verify", &folder]);
}

#[test]
fn a_new_key_is_for_its_owner_alone() {
    let office = Office::new();
    let words = ["keys", "new", "--name", "李四", "--out", &office.place("k")].map(str::to_owned);
    let (exit, line, _) = tuoyu(&words);
    assert_eq!(exit, 0);
    let text = fs::read_to_string(office.path("k")).unwrap();
    let public = line.trim().split('"').nth(3).unwrap().to_owned();
    assert!(text.starts_with(&format!("tuoyu key of 李四\npublic {public}\n-----BEGIN")), "{text}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(office.path("k")).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn a_line_is_proved_without_the_others() {
    let office = Office::new();
    office.run("2026-08");
    let folder = office.place("2026-08");
    let manifest: Value =
        serde_json::from_slice(&read(office.path("2026-08/manifest.json"))).unwrap();
    let root = manifest["schedule_root"].as_str().unwrap().to_owned();
    let mut reader = csv::Reader::from_path(office.path("2026-08/schedule.csv")).unwrap();
    let heads = reader.headers().unwrap().clone();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let column = |name: &str| heads.iter().position(|head| head == name).unwrap();
    let says = |words: &[&str]| {
        tuoyu(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<String>>())
    };
    let check = |text: &str, root: &str| {
        fs::write(office.path("proof.json"), text).unwrap();
        let file = office.place("proof.json");
        says(&["audit", "prove", "--check", &file, "--root", root, "--lang", "en"])
    };
    let last = rows.len().to_string();
    for line in ["1", "17", &last] {
        let (exit, text, err) = says(&["audit", "prove", &folder, "--line", line]);
        assert_eq!(exit, 0, "{err}");
        let (exit, said, err) = check(&text, &root);
        assert_eq!(exit, 0, "{err}");
        let row = &rows[line.parse::<usize>().unwrap() - 1];
        assert!(said.contains(&row[column("institution_name")]), "{said}");
        let yuan = Fen(row[column("payable_fen")].parse().unwrap()).to_string();
        assert!(said.contains(&format!(": {yuan}\n")), "{said}");
        // Of the other lines there is nothing in it: no institution, no account, no row's hash.
        for other in &rows {
            for name in ["institution_id", "account_no", "row_hash"] {
                let field = &other[column(name)];
                let own = &row[column(name)] == field && name != "row_hash";
                assert!(field.is_empty() || own || !text.contains(field), "{field}");
            }
        }
        // Another amount, heading, neighbour, month or run leads elsewhere.
        let proof: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(proof["lines"].as_u64(), u64::try_from(rows.len()).ok());
        let fen = row[column("payable_fen")].to_owned();
        let path = proof["proved"][0]["path"][0].as_str().unwrap();
        for (old, new) in [
            (&*fen, "1"),
            ("payable_fen", "cut_fen"),
            (path, &*root),
            ("2026-08", "2026-07"),
            (proof["run_id"].as_str().unwrap(), &*root),
        ] {
            let altered = text.replace(&format!("\"{old}\""), &format!("\"{new}\""));
            assert_ne!(altered, text, "{old}");
            let (exit, out, err) = check(&altered, &root);
            assert_eq!((exit, &*out), (6, ""), "{old}: {err}");
        }
        let (exit, ..) = check(&text, &root.replace(&root[..4], "0000"));
        assert_eq!(exit, 6);
    }
    // A payment is all its lines.
    let payment = rows.iter().find(|row| !row[column("payment_no")].is_empty()).unwrap();
    let payment = &payment[column("payment_no")];
    let (_, text, _) = says(&["audit", "prove", &folder, "--payment", payment]);
    let proof: Value = serde_json::from_str(&text).unwrap();
    let count = rows.iter().filter(|row| &row[column("payment_no")] == payment).count();
    assert_eq!(proof["proved"].as_array().map(Vec::len), Some(count));
    assert_eq!(check(&text, &root).0, 0);
    // The text of the first line, its leaf and the way up, reckoned here from the docs.
    let proof: Value =
        serde_json::from_str(&says(&["audit", "prove", &folder, "--line", "1"]).1).unwrap();
    let texts = |value: &Value| -> Vec<String> {
        value.as_array().unwrap().iter().map(|v| v.as_str().unwrap().to_owned()).collect()
    };
    let sha = |parts: &[&[u8]]| Sha256::digest(parts.concat()).to_vec();
    let bytes = |text: &str| -> Vec<u8> {
        (0..text.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
            .collect()
    };
    let lines = |texts: &[String]| texts.join("\n") + "\n";
    let run = proof["run_id"].as_str().unwrap();
    let head = format!("tuoyu-line-v1\n{run}\n{}", lines(&texts(&proof["columns"])));
    let line = &proof["proved"][0];
    let row = sha(&[lines(&texts(&line["row"])).as_bytes()]);
    assert_eq!(hex(&row[..8]), rows[0][column("row_hash")]);
    let blinding = bytes(line["blinding"].as_str().unwrap());
    let mut hash = sha(&[&[0], &sha(&[head.as_bytes()]), &blinding, &row]);
    // The first line is the left one all the way.
    for beside in texts(&line["path"]) {
        hash = sha(&[&[1], &hash, &bytes(&beside)]);
    }
    assert_eq!(hex(&hash), root);
    let (exit, _, said) = says(&["audit", "prove", &folder, "--line", "0"]);
    assert_eq!(exit, 1, "{said}");
    // A schedule that was changed is proved no more.
    let path = office.path("2026-08/schedule.csv");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replacen(",ORIGINAL,", ",CORRECTION,", 1)).unwrap();
    let (exit, _, said) = says(&["audit", "prove", &folder, "--line", "1"]);
    assert_eq!(exit, 6, "{said}");
}
