//! Real files of `../shared/data`, where they are at hand.

use super::delivery::{Delivery, column, dump, yuan};
use std::path::PathBuf;
use tuoyu::job::Capture;

/// A file of the shared data, or `None` with a printed reason.
fn shared(path: &str) -> Option<PathBuf> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let file = root.parent()?.join("shared/data").join(path);
    if file.exists() {
        return Some(file);
    }
    println!("skipped: ../shared/data/{path} is not here");
    None
}

fn list(path: &str) -> Option<Delivery> {
    let ignored = ["区县", "机构别名", "联系电话", "托位数", "备案状态", "普惠", "示范"];
    let mut delivery = Delivery::of("institutions")
        .header("序号", "institution_id")
        .header("地址", "street")
        .header("举办方", "ownership")
        .ignore(&ignored);
    delivery.spec.paths.push(shared(path)?);
    Some(delivery)
}

#[test]
fn a_districts_list_reads_alike_in_both_encodings() {
    let Some(marked) = list("lists/nanjing_qinhuai_2025.utf8bom.csv") else { return };
    let Some(gb) = list("lists/nanjing_qinhuai_2025.gb18030.csv") else { return };
    let (utf8, findings) = marked.table();
    assert!(findings.is_empty(), "{findings:?}");
    assert_eq!(column(&utf8, "name")[0], "南京三之三幼儿园");
    assert_eq!(column(&utf8, "street")[0], "南京市秦淮区御道街169号");
    assert_eq!(column(&utf8, "ownership")[0], "-");
    let (gb, findings) = gb.table();
    assert!(findings.is_empty(), "{findings:?}");
    assert_eq!(dump(&gb), dump(&utf8));
}

#[test]
fn a_register_gives_up_the_fee_in_its_text() {
    let Some(path) = shared("infant_centres/2025-07.csv") else { return };
    let ignored = ["縣市", "準公共化資格", "評鑑等級", "最近一次評鑑年度", "托育人員", "違規筆數"];
    let mut delivery = Delivery::of("institutions")
        .extended("fee_full_day", "全日托收费", yuan())
        .header("id", "institution_id")
        .header("機構名稱", "name")
        .ignore(&ignored)
        .ignore(&["核定收托", "實際收托"])
        .pieces(10_000);
    delivery.spec.paths.push(path);
    delivery.spec.captures.push(Capture {
        column: "fee_full_day".to_owned(),
        from: "收費情形".to_owned(),
        pattern: r"日間托育/托育費=(\d+)".to_owned(),
    });
    let (table, findings) = delivery.table();
    // One name ends in an ideographic space.
    let spaced = "value_normalised name 1034*1 found=桃園市私立新發現托嬰中心\u{3000}";
    assert_eq!(findings, [spaced]);
    let (ids, fees) = (column(&table, "institution_id"), column(&table, "fee_full_day"));
    // The first two rows of the file, read by eye: 14500 and 15800 yuan.
    assert_eq!((ids[0].as_str(), fees[0].as_str()), ("CW10112215", "1450000"));
    assert_eq!((ids[1].as_str(), fees[1].as_str()), ("CW10112216", "1580000"));
    assert_eq!(table.rows_refused, 0);
    // Records of the file and those with the fee, counted by another csv reader.
    let captured = fees.iter().filter(|fee| *fee != "-").count();
    assert_eq!((table.rows, captured), (2_189, 1_922));
}
