//! Tests of room `job`.

mod batch_profile;
mod late;
mod restore;

use std::path::{Path, PathBuf};
use tempfile::TempDir;
use tuoyu::domain::{Date, Fen, Month};
use tuoyu::job::{self, ArchiveChoice, Job, JobError, Language, LedgerChoice, Overrides};

/// A folder with a job file and an input folder of empty files.
struct Place {
    folder: TempDir,
}

impl Place {
    fn new(files: &[&str]) -> Self {
        let folder = TempDir::new().unwrap();
        std::fs::create_dir(folder.path().join("in")).unwrap();
        for file in files {
            std::fs::write(folder.path().join("in").join(file), "").unwrap();
        }
        Self { folder }
    }

    fn input(&self) -> PathBuf {
        self.folder.path().join("in")
    }

    /// Reads a job whose input is this place's, unless overridden.
    fn read(&self, text: &str, overrides: Overrides) -> Result<Job, JobError> {
        let path = self.folder.path().join("job.toml");
        std::fs::write(&path, text).unwrap();
        let input = overrides.input.clone().unwrap_or_else(|| self.input());
        job::read(&path, &Overrides { input: Some(input), ..overrides })
    }

    /// The message of a job that cannot be read, without the folder.
    fn refusal(&self, text: &str) -> String {
        let error = self.read(text, Overrides::default()).unwrap_err().to_string();
        error.replace(&format!("{}/", self.folder.path().display()), "")
    }
}

const LEAST: &str =
    "id = \"m\"\nperiod = \"2026-09\"\npacks = [\"data/policy/p\"]\nkey_file = \"k\"\n";

fn files(job: &Job, table: &str) -> Vec<String> {
    let spec = job.tables.iter().find(|spec| spec.table == table).unwrap();
    let name = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
    spec.paths.iter().map(name).collect()
}

#[test]
fn everything_left_out_has_its_default() {
    let job = Place::new(&[]).read(LEAST, Overrides::default()).unwrap();
    assert_eq!(job.title, "m");
    assert_eq!(job.reference, Path::new("data/reference"));
    // Day 10 of the month after the period, never today.
    assert_eq!(job.known_on, Date::from_ymd(2026, 10, 10).unwrap());
    assert_eq!(job.out, Path::new("out/2026-09"));
    assert_eq!(job.ledger.as_deref(), Some(Path::new("var/ledger.db")));
    assert!(job.workbooks && !job.entitlements_csv && !job.provisional_calendar);
    assert_eq!(job.change_percent, 20);
    assert_eq!((job.opening, job.threads, job.office.as_str()), (None, None, ""));
    assert_eq!(job.language, Language::Chinese);
    assert_eq!(job.tables.len(), 13, "every core table has a specification");
    // Tables no earlier job had are in no canonical text of a job without them.
    assert!(["sessions", "payees"].iter().all(|younger| !job.canonical.contains(younger)));
    assert!(job.tables.iter().all(|spec| spec.paths.is_empty()));
}

#[test]
fn the_command_line_goes_before_the_file() {
    let text = format!("{LEAST}out = \"o\"\nledger = \"none\"\nknown_on = 2026-10-01\n");
    let place = Place::new(&[]);
    let job = place.read(&text, Overrides::default()).unwrap();
    assert_eq!((job.out.as_path(), job.ledger), (Path::new("o"), None));
    assert_eq!(job.known_on, Date::from_ymd(2026, 10, 1).unwrap());
    let overrides = Overrides {
        period: Month::new(2026, 12),
        out: Some("x".into()),
        ledger: Some(LedgerChoice::File("l.db".into())),
        known_on: Date::from_ymd(2027, 1, 5),
        threads: Some(3),
        language: Some(Language::English),
        ..Overrides::default()
    };
    let job = place.read(&text, overrides).unwrap();
    assert_eq!(job.period, Month::new(2026, 12).unwrap());
    assert_eq!(
        (job.out.as_path(), job.ledger.as_deref()),
        (Path::new("x"), Some(Path::new("l.db")))
    );
    assert_eq!(job.known_on, Date::from_ymd(2027, 1, 5).unwrap());
    assert_eq!((job.threads, job.language), (Some(3), Language::English));
}

#[test]
fn the_archive_lies_beside_the_ledger_unless_stated() {
    let place = Place::new(&[]);
    let archive =
        |more: &str, overrides| place.read(&format!("{LEAST}{more}"), overrides).unwrap().archive;
    let plain = Overrides::default;
    assert_eq!(archive("", plain()).as_deref(), Some(Path::new("var/archive")));
    assert_eq!(archive("ledger = \"l.db\"", plain()).as_deref(), Some(Path::new("archive")));
    assert_eq!(archive("archive = \"a\"", plain()).as_deref(), Some(Path::new("a")));
    assert_eq!(archive("archive = \"none\"", plain()), None);
    // A trial archives nothing, whatever else is said.
    assert_eq!(archive("ledger = \"none\"\narchive = \"a\"", plain()), None);
    let elsewhere =
        Overrides { ledger: Some(LedgerChoice::File("x/l.db".into())), ..Overrides::default() };
    assert_eq!(archive("", elsewhere).as_deref(), Some(Path::new("x/archive")));
    let stated = |choice| Overrides { archive: Some(choice), ..Overrides::default() };
    let folder = stated(ArchiveChoice::Folder("b".into()));
    assert_eq!(archive("archive = \"none\"", folder).as_deref(), Some(Path::new("b")));
    assert_eq!(archive("archive = \"a\"", stated(ArchiveChoice::None)), None);
}

#[test]
fn files_are_found_by_name_pattern_and_period() {
    let place = Place::new(&[
        "enrolments_b.csv",
        "enrolments_a.csv",
        "收托（东区）.xlsx",
        "enrolmentsx.csv",
        "~enrolments.xlsx",
        "slots.csv.bak",
        "托位.parquet",
        "考勤2026-09.csv",
        "考勤2026-08.csv",
        "机构托位.csv",
    ]);
    let text =
        format!("{LEAST}[inputs.attendance]\nfile = \"考勤{{period}}*.csv\"\n[inputs.fees]\n");
    let job = place.read(&text, Overrides::default()).unwrap();
    assert_eq!(
        files(&job, "enrolments"),
        ["enrolments_a.csv", "enrolments_b.csv", "收托（东区）.xlsx"]
    );
    assert_eq!(files(&job, "slots"), ["托位.parquet"]);
    assert_eq!(files(&job, "attendance"), ["考勤2026-09.csv"]);
    assert!(files(&job, "institutions").is_empty() && files(&job, "fees").is_empty());
}

#[test]
fn a_named_file_must_be_there_unless_optional() {
    let place = Place::new(&[]);
    let text = format!("{LEAST}[inputs.slots]\nfile = \"s.csv\"\n");
    let refusal = place.refusal(&text);
    assert_eq!(
        refusal,
        "job.toml:6:8: inputs.slots.file: in/s.csv does not exist; hint: check the input folder, \
         or say optional = true"
    );
    let job = place.read(&format!("{text}optional = true\n"), Overrides::default()).unwrap();
    assert!(files(&job, "slots").is_empty());
}

#[test]
fn one_file_serves_every_table_that_says_so() {
    let place = Place::new(&["register.csv", "slots.csv"]);
    let text = format!(
        "{LEAST}[inputs.institutions]\nfile = \"{{input}}\"\n[inputs.slots]\nfile = \"{{input}}\"\n"
    );
    let input = Some(place.input().join("register.csv"));
    let job = place.read(&text, Overrides { input, ..Overrides::default() }).unwrap();
    assert_eq!(files(&job, "institutions"), ["register.csv"]);
    assert_eq!(files(&job, "slots"), ["register.csv"]);
    assert_eq!(job.tables.len(), 2);
    assert!(place.refusal(&text).contains("the input is a folder; expected a file"));
}

#[test]
fn maps_and_captures_are_kept() {
    let text = format!(
        "{LEAST}[inputs.slots]\nheaders = {{ \"位数\" = \"slots_filed\" }}\n\
         values.service = {{ \"FULL\" = \"全日托\", \"NONE\" = \"\" }}\n\
         constants = {{ origin = \"新建\" }}\n\
         ignore = [\"备注\"]\nreceived_on = 2026-10-05\ncomplete_for = [\"2026-08\", \"2026-09\"]\n\
         sheet = \"九月\"\nheader_row = 3\n\
         [[inputs.slots.captures]]\ncolumn = \"slots_open\"\nfrom = \"说明\"\npattern = '开放(\\d+)'\n"
    );
    let job = Place::new(&[]).read(&text, Overrides::default()).unwrap();
    let slots = job.tables.iter().find(|spec| spec.table == "slots").unwrap();
    assert_eq!(slots.headers["位数"], "slots_filed");
    assert_eq!(slots.values["service"]["FULL"], "全日托");
    assert_eq!(slots.values["service"]["NONE"], "");
    assert_eq!(slots.constants["origin"], "新建");
    assert_eq!(slots.ignore, ["备注"]);
    assert_eq!(slots.received_on, Date::from_ymd(2026, 10, 5));
    assert_eq!(slots.complete_for, Month::new(2026, 8).zip(Month::new(2026, 9)));
    assert_eq!((slots.sheet.as_deref(), slots.header_row), (Some("九月"), Some(3)));
    assert_eq!(slots.captures[0].pattern, r"开放(\d+)");
}

#[test]
fn slips_are_refused_with_their_place() {
    let place = Place::new(&[]);
    let cases = [
        ("titel = \"x\"", "job.toml:5:1: unknown key \"titel\"; hint: did you mean \"title\"?"),
        ("workbooks = 1", "job.toml:5:13: workbooks is a TOML integer; expected true or false"),
        (
            "change_percent = 2000",
            "job.toml:5:18: change_percent is out of range; expected a whole number from 0 to 1000",
        ),
        (
            "kind = \"tunes\"",
            "job.toml:5:8: kind is \"tunes\"; expected \"settle\", \"reconcile\" or \"tune\"",
        ),
        (
            "opening = \"2026-13\"",
            "job.toml:5:11: opening: \"2026-13\" is not a month; expected YYYY-MM",
        ),
        (
            "[inputs.enrolment]",
            "job.toml:5:9: unknown table \"enrolment\"; hint: did you mean \"enrolments\"?",
        ),
        (
            "[inputs.slots]\nheader = {}",
            "job.toml:6:1: unknown key \"inputs.slots.header\"; hint: did you mean \"headers\"?",
        ),
        (
            "[inputs.slots]\nconstants = { places = 3 }",
            "job.toml:6:24: inputs.slots.constants.places is a TOML integer; \
             expected a text in quotes",
        ),
        (
            "[[inputs.slots.captures]]\ncolumn = \"a\"\nfrom = \"b\"\npattern = \"x\"",
            "job.toml:8:11: inputs.slots.captures.pattern: the pattern has 0 groups; \
             expected one group",
        ),
        (
            "[inputs.slots]\ncomplete_for = [\"2026-09\", \"2026-08\"]",
            "job.toml:6:16: inputs.slots.complete_for: 2026-08 lies before 2026-09; \
             expected first, then last",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(place.refusal(&format!("{LEAST}{text}\n")), expected);
    }
    let open = place.refusal(&format!(
        "{LEAST}[[inputs.slots.captures]]\ncolumn = \"a\"\nfrom = \"b\"\npattern = \"(\"\n"
    ));
    assert!(open.starts_with("job.toml:8:11: inputs.slots.captures.pattern:"), "{open}");
    let torn = place.refusal("id = \"m\nperiod = 1\n");
    assert!(torn.starts_with("job.toml:1:") && torn.contains("not TOML"), "{torn}");
}

#[test]
fn what_must_be_said_is_asked_for() {
    let place = Place::new(&[]);
    for (key, flag) in [("period", "--period"), ("packs", "data/policy"), ("key_file", "key")] {
        let text: String =
            LEAST.lines().filter(|line| !line.starts_with(key)).collect::<Vec<_>>().join("\n");
        let refusal = place.refusal(&text);
        assert!(
            refusal.contains(&format!("{key} is not set")) && refusal.contains(flag),
            "{refusal}"
        );
    }
    assert!(place.refusal("").contains("id is missing"));
    let gone = Overrides { input: Some("no/such/folder".into()), ..Overrides::default() };
    let refusal = place.read(LEAST, gone).unwrap_err().to_string();
    assert!(refusal.contains("input names no/such/folder, which does not exist"), "{refusal}");
    let gone = job::read(Path::new("no/such/job.toml"), &Overrides::default()).unwrap_err();
    assert!(matches!(gone, JobError::Unreadable { .. }));
}

/// A job reads as before there were sessions, so that its runs keep their ids.
#[test]
fn a_table_of_sessions_stands_in_the_canonical_text_where_it_is_delivered() {
    let read = |files: &[&str]| Place::new(files).read(LEAST, Overrides::default()).unwrap();
    assert!(!read(&["enrolments.csv"]).canonical.contains("sessions"));
    assert!(read(&["enrolments.csv", "逐日托育.csv"]).canonical.contains("sessions"));
}

#[test]
fn the_canonical_text_knows_no_folder_and_no_thread() {
    let text = format!("{LEAST}[inputs.slots]\nvalues.service = {{ \"FULL\" = \"全日托\" }}\n");
    let read = |files: &[&str], text: &str, overrides| {
        Place::new(files).read(text, overrides).unwrap().canonical
    };
    let base = read(&["slots.csv"], &text, Overrides::default());
    let elsewhere = Overrides {
        out: Some("x".into()),
        ledger: Some(LedgerChoice::None),
        threads: Some(8),
        language: Some(Language::Chinese),
        ..Overrides::default()
    };
    assert_eq!(base, read(&["slots.csv"], &text, elsewhere));
    let changes = [
        text.replace("全日托", "半日托"),
        text.replace("data/policy/p", "data/policy/q"),
        text.replace("2026-09", "2026-10"),
        format!("office = \"示例区\"\n{text}"),
        format!("known_on = 2026-10-11\n{text}"),
        format!("change_percent = 21\n{text}"),
        format!("language = \"en\"\n{text}"),
    ];
    for changed in changes {
        assert_ne!(base, read(&["slots.csv"], &changed, Overrides::default()), "{changed}");
    }
    assert_ne!(base, read(&["slots_1.csv"], &text, Overrides::default()), "file names are shown");
}

/// S29 as it stands since files speak English: a job in Chinese keeps the id it always had, one in
/// English is another run, whether its file or the command line says so.
#[test]
fn the_language_of_the_files_is_part_of_the_run_where_it_is_not_chinese() {
    let read = |text: &str, language| {
        let overrides = Overrides { language, ..Overrides::default() };
        Place::new(&["slots.csv"]).read(text, overrides).unwrap()
    };
    let english = format!("language = \"en\"\n{LEAST}");
    let base = read(LEAST, None);
    assert!(!base.canonical.contains("language"), "{}", base.canonical);
    assert_eq!(base.canonical, read(&format!("language = \"zh-CN\"\n{LEAST}"), None).canonical);
    let job = read(&english, None);
    assert_eq!(job.language, Language::English);
    assert!(job.canonical.contains("\"language\":\"en\""), "{}", job.canonical);
    assert_eq!(job.canonical, read(LEAST, Some(Language::English)).canonical);
    assert_eq!(base.canonical, read(&english, Some(Language::Chinese)).canonical);
    let wrong = format!("language = \"de\"\n{LEAST}");
    let said = Place::new(&["slots.csv"]).read(&wrong, Overrides::default()).unwrap_err();
    assert!(said.to_string().contains("expected \"zh-CN\" or \"en\""), "{said}");
}

/// First cells of the Markdown table under a heading: the keys documented there.
fn documented(heading: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/job.md");
    let text = std::fs::read_to_string(path).unwrap();
    let section = text.split(heading).nth(1).unwrap().split("\n## ").next().unwrap();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
    let mut keys: Vec<String> = rows.map(|row| row.split('`').next().unwrap().to_owned()).collect();
    keys.sort();
    keys
}

#[test]
fn the_reference_names_exactly_the_keys_the_reader_knows() {
    let place = Place::new(&[]);
    let known = |text: &str| {
        let refusal = place.refusal(&format!("{LEAST}{text}\n"));
        let list = refusal.split("expected one of ").nth(1).unwrap().to_owned();
        let mut keys: Vec<String> = list.split(", ").map(str::to_owned).collect();
        keys.sort();
        keys
    };
    assert_eq!(documented("## Top level"), known("zzzzzzzzzzzz = 1"));
    let table = known("[inputs.slots]\nzzzzzzzzzzzz = 1");
    assert_eq!(documented("## `[inputs.<table>]`"), table);
    // Keys that are read as a table's own stand in a sentence below the list.
    let late = known("[[late]]\nzzzzzzzzzzzz = 1");
    let listed = documented("## `[[late]]`");
    assert!(listed.iter().all(|key| late.contains(key)), "{late:?}");
    let rest: Vec<_> = late.iter().filter(|key| !listed.contains(key)).collect();
    assert!(rest.iter().all(|key| table.contains(key)) && rest.len() + 4 == late.len(), "{rest:?}");
    assert_eq!(documented("## `[approval]`"), known("[approval]\nzzzzzzzzzzzz = 1"));
    let mut pay = documented("## `[pay]`");
    // One row tells two.
    pay.push("agency_name".to_owned());
    pay.sort();
    assert_eq!(pay, known("[pay]\nzzzzzzzzzzzz = 1"));
}

/// Two public keys: of RFC 8032, section 7.1, tests 1 and 2.
const KEYS: [&str; 2] = [
    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
];

#[test]
fn what_a_release_demands_is_read_and_does_not_name_the_run() {
    let place = Place::new(&[]);
    let plain = place.read(LEAST, Overrides::default()).unwrap();
    assert_eq!(plain.approval, job::Approval::default());
    let register = place.folder.path().join("register.toml");
    let [one, two] = KEYS;
    std::fs::write(&register, format!("# 登记\n\"张三\" = \"{one}\"\n\" 李四 \" = \"{two}\"\n"))
        .unwrap();
    let text = format!("{LEAST}[approval]\ntwo_from = \"1000000.50\"\nkeys = {register:?}\n");
    let job = place.read(&text, Overrides::default()).unwrap();
    assert_eq!(job.approval.two_from, Some(Fen(100_000_050)));
    let keys: Vec<(String, String)> =
        job.approval.keys.unwrap().into_iter().map(|(name, key)| (name, key.text())).collect();
    assert_eq!(keys, [("张三".to_owned(), one.to_owned()), ("李四".to_owned(), two.to_owned())]);
    assert_eq!(job.canonical, plain.canonical);
}

#[test]
fn a_register_that_leaves_doubt_is_refused() {
    let place = Place::new(&[]);
    let register = place.folder.path().join("r.toml");
    let [one, two] = KEYS;
    let text = format!("{LEAST}[approval]\nkeys = {register:?}\n");
    assert!(place.refusal(&text).contains("approval.keys names r.toml, which does not exist"));
    for (content, part) in [
        (String::new(), "r.toml:1:1: the register names nobody"),
        (format!("\"张三\" = \"{}\"", &one[1..]), "the key of 张三 is no public key; expected 64"),
        (format!("\"张三\" = \"{one}\"\n\"李四\" = \"{one}\""), "r.toml:2:1: 李四 has the name or"),
        (format!("\"li\" = \"{one}\"\n\"LI\" = \"{two}\""), "LI has the name or the key of li"),
        (format!("\" \" = \"{one}\""), "expected a name of 1 to 64 characters"),
        ("\"张三\" = 5".to_owned(), "the key of 张三 is no text"),
        ("张三 = ".to_owned(), "r.toml:1:1: not TOML"),
    ] {
        std::fs::write(&register, &content).unwrap();
        let said = place.refusal(&text);
        assert!(said.contains(part), "{content}: {said}");
    }
    for (key, part) in [
        ("two_from = \"1,000\"", "approval.two_from is \"1,000\"; expected an amount in yuan"),
        ("two_from = \"-1\"", "expected an amount in yuan"),
        ("two_from = 5", "approval.two_from is a TOML integer; expected a text"),
        ("three_from = \"5\"", "unknown key \"approval.three_from\""),
    ] {
        let said = place.refusal(&format!("{LEAST}[approval]\n{key}\n"));
        assert!(said.contains(part), "{key}: {said}");
    }
    assert!(place.refusal(&format!("approval = 5\n{LEAST}")).contains("approval is no table"));
}

#[test]
fn books_are_found_without_deliveries() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("job.toml");
    let text = "id = \"m\"\ninput = \"nowhere\"\nout = \"o/{id}/{period}\"\n";
    let read = |more: &str, period| {
        std::fs::write(&path, format!("{text}{more}")).unwrap();
        job::books(&path, period).unwrap()
    };
    let books = read("[approval]\nkeys = \"nowhere\"\n", Month::new(2026, 9));
    assert_eq!(books.out.as_deref(), Some(Path::new("o/m/2026-09")));
    assert_eq!(books.ledger.as_deref(), Some(Path::new("var/ledger.db")));
    let books = read("ledger = \"none\"\nperiod = \"2026-08\"\n", None);
    assert_eq!((books.ledger, books.out.as_deref()), (None, Some(Path::new("o/m/2026-08"))));
    assert_eq!(read("", None).out, None);
}

#[test]
fn a_write_off_is_a_reasoned_act_of_two_persons() {
    let place = Place::new(&[]);
    let act =
        |rest: &str| place.refusal(&format!("{LEAST}[[write_off]]\ninstitution = \"A\"\n{rest}"));
    let two = "by = [\"张三\", \"李四\"]\n";
    for (rest, part) in [
        (two.to_owned(), "write_off.reason"),
        (format!("reason = \" \"\n{two}"), "write_off.reason is empty"),
        ("reason = \"注销\"\n".to_owned(), "two names of different persons"),
        ("reason = \"注销\"\nby = [\"张三\"]\n".to_owned(), "two names of different persons"),
        // One person under two spellings.
        ("reason = \"注销\"\nby = [\"Li Na\", \"ＬＩ ＮＡ\"]\n".to_owned(), "different persons"),
        (format!("reason = \"注销\"\namount = \"0\"\n{two}"), "above zero"),
        (format!("reason = \"注销\"\namount = \"-1.00\"\n{two}"), "above zero"),
        (format!("reason = \"注销\"\nitems = \"x\"\n{two}"), "items"),
    ] {
        let said = act(&rest);
        assert!(said.contains(part) && said.contains("job.toml"), "{rest}: {said}");
    }
}

const PAYS: &str = "[pay]\nfiles = [\"pain001\", \"8207\", \"bank\"]\naccount_name = \"财政局\"\n\
    account_no = \"1\"\nbank_name = \"银行\"\nbank_no = \"102521000335\"\nagency_code = \"1\"\n\
    agency_name = \"卫健局\"\ndivision_code = \"999900\"\n";

#[test]
fn who_pays_is_read_with_its_defaults_and_names_the_run() {
    let place = Place::new(&[]);
    let plain = place.read(LEAST, Overrides::default()).unwrap();
    assert!(plain.pay.is_none() && !plain.canonical.contains("pay"), "{}", plain.canonical);
    let job = place.read(&format!("{LEAST}{PAYS}"), Overrides::default()).unwrap();
    assert_ne!(job.canonical, plain.canonical);
    let pay = job.pay.unwrap();
    // An appropriation 实拨 is documented by 5207, a direct payment by 5201.
    assert_eq!((&*pay.pay_type_code, &*pay.original_vt_code), ("91", "5207"));
    assert_eq!((&*pay.purpose, &*pay.pay_bank_code), ("m", ""));
    assert_eq!(pay.profiles().collect::<Vec<_>>(), ["bank"]);
    let direct = format!("{LEAST}{PAYS}pay_type_code = \"11\"\npurpose = \"补贴\"\n");
    let pay = place.read(&direct, Overrides::default()).unwrap().pay.unwrap();
    assert_eq!((&*pay.original_vt_code, &*pay.purpose), ("5201", "补贴"));
}

#[test]
fn a_payer_that_cannot_be_right_is_refused() {
    let place = Place::new(&[]);
    for (from, to, expected) in [
        (
            "102521000335",
            "102521000336",
            "job.toml:10:11: pay.bank_no is \"102521000336\": the check digit differs; expected a \
             联行号",
        ),
        (
            "account_no = \"1\"",
            "account_no = \"1 2\"",
            "job.toml:8:14: pay.account_no is \"1 2\"; expected 1 to 34 letters and digits",
        ),
        (
            "agency_code = \"1\"",
            "pay_type_code = \"13\"",
            "job.toml:11:17: pay.pay_type_code is \"13\"; expected 11 直接支付, 12 授权支付 or 91 实拨",
        ),
        (
            "agency_code = \"1\"",
            "original_vt_code = \"5201\"",
            "job.toml:11:20: pay.original_vt_code is 5201 with pay_type_code 91; expected \
             pay.pay_type_code = \"11\"",
        ),
        (
            "财政局",
            "财\\n政局",
            "job.toml:7:16: pay.account_name is \"财\\n政局\"; expected a text without line ends",
        ),
        (
            "\"pain001\", \"8207\", \"bank\"",
            "\"../bank\"",
            "job.toml:6:10: pay.files: \"../bank\"; expected \"pain001\", \"8207\" or the name of a \
             batch profile of the reference folder, each once",
        ),
        (
            "\"pain001\", \"8207\", \"bank\"",
            "\"8207\", \"8207\"",
            "job.toml:6:18: pay.files: \"8207\"; expected \"pain001\", \"8207\" or the name of a batch \
             profile of the reference folder, each once",
        ),
    ] {
        let text = format!("{LEAST}{PAYS}").replace(from, to);
        assert_eq!(place.refusal(&text), expected);
    }
    // What only the treasury asks for.
    let text = format!("{LEAST}{PAYS}").replace("division_code = \"999900\"\n", "");
    assert!(place.refusal(&text).contains("pay.division_code is missing; expected a text"));
    let bank = text.replace(", \"8207\"", "");
    assert!(place.read(&bank, Overrides::default()).is_ok());
    let none = text.replace("\"pain001\", \"8207\", \"bank\"", "");
    assert!(place.refusal(&none).contains("pay.files is empty; expected"));
    let way = format!("{LEAST}{PAYS}pay_type_code = \"12\"\n");
    assert!(place.refusal(&way).contains("pay.original_vt_code is missing"));
}
