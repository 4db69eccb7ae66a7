//! The paper form of a period, in 万元 and in yuan.

use crate::office::{papers, tuoyu};
use calamine::{Data, Reader, Xlsx, open_workbook};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use tuoyu::publish::{Form, ProfileError};

/// Three institutions that claim 250.00 yuan each (DOMAIN 4.9), on a form of that unit.
fn claimed(folder: &Path, unit: &str, decimals: u32) -> (u8, String) {
    papers(folder);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    fs::copy(
        root.join("data/reference/calendars/cn.toml"),
        folder.join("reference/calendars/cn.toml"),
    )
    .unwrap();
    let form = format!(
        "id = \"paper\"\ntitle = \"申报表\"\nunit = \"{unit}\"\ndecimals = {decimals}\n\
         quantity = \"人数\"\n[items]\neighth = \"托育费\"\n"
    );
    fs::write(folder.join("reference/profiles/paper.toml"), form).unwrap();
    let inputs = folder.join("inputs");
    fs::create_dir_all(&inputs).unwrap();
    let mut institutions = "institution_id,name\n".to_owned();
    let mut enrolments =
        "child_ref,birth_date,institution_id,age_class,service,spell_from,fee_monthly\n".to_owned();
    for at in 1..=3 {
        let _ = writeln!(institutions, "I{at},园{at}");
        // An eighth of the fee is paid.
        let _ = writeln!(enrolments, "C{at},2025-01-10,I{at},混龄班,全日托,2026-01-05,2000.00");
    }
    fs::write(inputs.join("institutions.csv"), institutions).unwrap();
    fs::write(inputs.join("enrolments.csv"), enrolments).unwrap();
    let at = |name: &str| format!("{:?}", folder.join(name).display().to_string());
    let pack = format!("{:?}", root.join("tests/rules/packs/traps").display().to_string());
    let job = format!(
        "id = \"three\"\nperiod = \"2026-09\"\npacks = [{pack}]\nreference = {}\ninput = {}\n\
         key_file = {}\nform = \"paper\"\nretro = false\n",
        at("reference"),
        at("inputs"),
        at("office.key"),
    );
    let path = folder.join("job.toml");
    fs::write(&path, job).unwrap();
    let out = folder.join("out");
    let words = ["run", "--ledger", "none", "--out"].map(Into::into);
    let (code, _, said) = tuoyu(words.into_iter().chain([out.into(), path.into()]));
    (code, said)
}

/// The cells of the only page, row by row.
fn page(folder: &Path) -> Vec<Vec<Data>> {
    let mut book: Xlsx<_> = open_workbook(folder.join("out/form.xlsx")).unwrap();
    assert_eq!(book.sheet_names(), ["申报表"]);
    book.worksheet_range("申报表").unwrap().rows().map(<[Data]>::to_vec).collect()
}

#[test]
fn rows_in_wan_need_not_add_up_and_the_form_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let (code, said) = claimed(folder.path(), "万元", 2);
    assert_eq!(code, 3, "{said}");
    let text = fs::read_to_string(folder.path().join("out/form.csv")).unwrap();
    let expected = "institution_id,institution_name,eighth_2026-09,eighth_rate_fen,eighth_amount,\
                    total_amount,total_fen\n\
                    I1,园1,1,,0.03,0.03,25000\n\
                    I2,园2,1,,0.03,0.03,25000\n\
                    I3,园3,1,,0.03,0.03,25000\n";
    assert_eq!(text, expected);
    let rows = page(folder.path());
    assert_eq!(rows[0][0].to_string(), "2026年9月申报表（示例）");
    assert!(rows[1][0].to_string().contains("金额单位：万元"));
    let header: Vec<String> =
        rows[2].iter().map(|cell| cell.to_string().replace('\n', "")).collect();
    let shown = [
        "托育费人数（9月）",
        "托育费标准（元）",
        "托育费金额（万元）",
        "合计（万元）",
        "合计（元）",
    ];
    assert_eq!(header[2..], shown);
    // 750 yuan are 0.08 万元, though the rows are 0.03 each.
    let total = &rows[6];
    assert_eq!(total[2], Data::Float(3.0));
    assert_eq!(total[5], Data::Float(0.08));
    assert_eq!(total[6], Data::Float(750.0));
    assert_eq!(rows[7][0].to_string(), "金额合计（大写）：柒佰伍拾元整");
    let remark = rows[9][0].to_string();
    assert!(remark.starts_with("“合计（万元）”各行之和为0.09，合计为0.08"), "{remark}");
}

#[test]
fn rows_in_yuan_add_up_and_nothing_is_remarked() {
    let folder = tempfile::tempdir().unwrap();
    let (code, said) = claimed(folder.path(), "元", 2);
    assert_eq!(code, 3, "{said}");
    let rows = page(folder.path());
    assert_eq!(rows[3][4], Data::Float(250.0));
    assert_eq!(rows[6][4], Data::Float(750.0));
    let all = rows.iter().flatten().map(Data::to_string).collect::<String>();
    assert!(all.contains("金额单位：元") && !all.contains("各行之和"), "{all}");
}

#[test]
fn a_form_finer_than_the_fen_is_refused() {
    for (unit, decimals) in [("元", 3), ("万元", 7), ("亿元", 2)] {
        let text = format!("id = \"f\"\ntitle = \"f\"\nunit = \"{unit}\"\ndecimals = {decimals}\n");
        let refused = Form::parse("f.toml", &text);
        assert!(matches!(refused, Err(ProfileError::Unit { .. })), "{refused:?}");
    }
    let folder = tempfile::tempdir().unwrap();
    let (code, said) = claimed(folder.path(), "元", 3);
    assert_eq!(code, 1);
    assert!(said.contains("paper.toml: 3 decimals of \"元\""), "{said}");
    assert!(!folder.path().join("out").exists());
}
