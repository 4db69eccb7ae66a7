//! A pack made by `policy new NAME`: what has to be filled is named, and filled it settles.

use super::transcript::tuoyu;
use std::fs;
use std::path::Path;

fn run(line: &[&str]) -> (u8, String, String) {
    tuoyu(&line.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
}

/// Puts text in place of every "unset" of a file, in order.
fn fill(path: &Path, values: &[&str]) {
    let text = fs::read_to_string(path).expect("read");
    let pieces: Vec<&str> = text.split("\"unset\"").collect();
    assert_eq!(pieces.len(), values.len() + 1, "{}: values to fill", path.display());
    let mut filled = pieces[0].to_owned();
    for (value, piece) in values.iter().zip(&pieces[1..]) {
        filled.push_str(value);
        filled.push_str(piece);
    }
    fs::write(path, filled).expect("written");
}

#[test]
fn a_new_pack_names_what_to_fill_and_settles_when_filled() {
    let place = tempfile::tempdir().expect("a folder");
    let folder = place.path().join("hexi");
    let (pack, root) = (folder.display().to_string(), place.path());
    let (exit, out, err) = run(&["policy", "new", "hexi", "--to", &pack]);
    assert_eq!(exit, 0, "{out}{err}");

    // Every "unset" of pack and notice is named once with its line, and nothing else is told.
    let (exit, _, err) = run(&["policy", "check", &pack]);
    assert_eq!(exit, 4);
    let mut wanted = Vec::new();
    for file in ["notice.toml", "pack.toml"] {
        let text = fs::read_to_string(folder.join(file)).expect("read");
        for (number, line) in (1..).zip(text.lines()) {
            let count = line.split('#').next().unwrap_or("").matches("\"unset\"").count();
            wanted.extend((0..count).map(|_| format!("hexi/{file}:{number}")));
        }
    }
    let mut told: Vec<String> = err
        .lines()
        .filter_map(|line| line.strip_prefix("error: "))
        .map(|line| {
            assert!(line.contains("not filled") || line.contains("not set"), "{line}");
            line.splitn(3, ':').take(2).collect::<Vec<_>>().join(":")
        })
        .collect();
    wanted.sort();
    told.sort();
    assert_eq!(told, wanted);

    // A folder that is there is left alone.
    let before = fs::read_to_string(folder.join("notice.toml")).expect("read");
    let (exit, _, err) = run(&["policy", "new", "hexi", "--to", &pack]);
    assert_eq!(exit, 2, "{err}");
    assert!(err.contains("is there already"), "{err}");
    assert_eq!(fs::read_to_string(folder.join("notice.toml")).expect("read"), before);
    // A title stands in a comment too, so it has one line.
    let other = root.join("hedong").display().to_string();
    let (exit, _, err) = run(&["policy", "new", "hedong", "--title", "a\nb", "--to", &other]);
    assert_eq!(exit, 2, "{err}");
    assert!(err.contains("--title: found \"a\\nb\"; expected a text of one line"), "{err}");
    assert!(!root.join("hedong").exists());

    // An invented notice: 280 yuan a month in 托小班, at least 10 days, all from the district.
    let (day, clause) = ("2026-01-01", "\"第二条\"");
    let date = |clause: &'static str| [clause, day];
    let [table, parameter] = [date(clause), date("\"第三条\"")];
    let [one, two, item] = [date("\"第三条\""), date("\"第三条\""), date(clause)];
    let [split, pay] = [date("\"第五条\""), date("\"第六条\"")];
    let head = ["\"示例规〔2026〕3号\"", "\"示例\"", "2025-12-20"];
    let rates = ["\"360\"", "\"280\"", "\"220\"", "\"250\""];
    let values: Vec<&str> = head
        .iter()
        .chain(&table)
        .chain(&rates)
        .chain(&parameter)
        .chain(&["\"10\""])
        .chain(&one)
        .chain(&two)
        .chain(&item)
        .chain(&["\"0.01\"", "\"half_up\""])
        .chain(&split)
        .chain(&["\"区\"", "\"1\""])
        .chain(&pay)
        .copied()
        .collect();
    fill(&folder.join("notice.toml"), &values);
    fill(&folder.join("pack.toml"), &["\"示例区补助\"", "\"示例区\""]);
    let (exit, out, err) = run(&["policy", "check", &pack]);
    assert_eq!(exit, 0, "{out}{err}");
    assert!(err.is_empty(), "{err}");

    // Its case: 20 days of at least 10 are the whole rate.
    fill(&folder.join("cases/first.toml"), &["\"第二条\"", "\"20 >= 10\"", "\"280.00\""]);
    let (exit, out, err) = run(&["policy", "test", &pack]);
    assert_eq!(exit, 0, "{out}{err}");

    // A month by hand: 20 days of at least 10 are 280 yuan, 9 days are none.
    let input = root.join("in");
    fs::create_dir(&input).expect("made");
    for (file, text) in [
        ("institutions.csv", "institution_id,name\n91999900MA000901X2,示例园\n"),
        (
            "enrolments.csv",
            "child_ref,birth_date,institution_id,age_class,service,spell_from,spell_until\n\
             999999202407010010,2024-07-01,91999900MA000901X2,托小班,全日托,2026-01-05,\n\
             999999202311017007,2023-11-01,91999900MA000901X2,托大班,全日托,2026-01-05,\n",
        ),
        (
            "attendance.csv",
            "child_ref,institution_id,period,days_attended\n\
             999999202407010010,91999900MA000901X2,2026-09,20\n\
             999999202311017007,91999900MA000901X2,2026-09,9\n",
        ),
    ] {
        fs::write(input.join(file), text).expect("written");
    }
    let job = root.join("job.toml");
    let text = format!(
        "id = \"hexi\"\nperiod = \"2026-09\"\npacks = [{pack:?}]\ninput = {:?}\n\
         key_file = \"data/reference/keys/demo.key\"\nworkbooks = false\nledger = \"none\"\n\
         entitlements_csv = true\n",
        input.display().to_string()
    );
    fs::write(&job, text).expect("written");
    let out = root.join("out");
    let words = ["run", &job.display().to_string(), "--out", &out.display().to_string()];
    let (exit, said, err) = run(&words);
    assert!([0, 3].contains(&exit), "{said}{err}");
    let schedule = fs::read_to_string(out.join("schedule.csv")).expect("a schedule");
    let heads: Vec<&str> = schedule.lines().next().expect("a header").split(',').collect();
    let at = heads.iter().position(|head| *head == "payable_fen").expect("a column");
    let sum: i64 = schedule
        .lines()
        .skip(1)
        .map(|line| line.split(',').nth(at).expect("a cell").parse::<i64>().expect("fen"))
        .sum();
    assert_eq!(sum, 28_000, "{schedule}");
}
