//! Delimited text: headers, records, quotes, pieces.

use super::delivery::{Delivery, ENROLMENTS, column, dump};
use std::fmt::Write;
use tuoyu::intake::{self, IntakeError};

/// An enrolment file with quoted names that hold commas, quotes and line breaks, CRLF line ends in
/// places, blank lines, and rows that cannot be read.
fn awkward(rows: u32) -> String {
    let mut text = String::from(
        "child_ref,child_name,birth_date,institution_id,age_class,service,category,spell_from,\
         fee_monthly\n",
    );
    for row in 0..rows {
        let name = match row % 5 {
            0 => "\"张三,丰\"",
            1 => "\"双\n行\"",
            2 => "\"引\"\"号\"\"\r\n\"",
            3 => "半\"个",
            _ => "",
        };
        let fee = match row % 7 {
            0 => "1800.00",
            1 => "\"1,234.50\"",
            2 => "N/A",
            3 => "",
            _ => "12.5",
        };
        let service = if row % 11 == 10 { "日夜托" } else { "全日托" };
        let end = if row % 3 == 0 { "\r\n" } else { "\n" };
        let category = if row % 2 == 0 { format!("类{}", row % 13) } else { String::new() };
        write!(
            text,
            "C{row:05},{name},2024-02-29,91{row:016},托小班,{service},{category},2026-09-01,{fee}{end}"
        )
        .unwrap();
        if row % 17 == 0 {
            text.push('\n');
        }
        if row % 19 == 0 {
            text.push_str(",,,,,,,,\n");
        }
        if row % 23 == 0 {
            text.push_str("short,row\n");
        }
    }
    text
}

#[test]
fn the_result_does_not_depend_on_the_size_of_a_piece() {
    let text = awkward(200);
    let whole = Delivery::of("enrolments").file("e.csv", &text);
    let (expected, findings) = whole.table();
    // 200 rows and 9 short ones; refused: the short ones, N/A fees (29 of 200), services (18),
    // less the rows that are both (row % 77 == 65 has fee 2 and service 10: rows 65 and 142).
    let both = (0..200).filter(|row| row % 7 == 2 && row % 11 == 10).count() as u64;
    assert_eq!(expected.rows_read, 209);
    assert_eq!(expected.rows_refused, 9 + 29 + 18 - both);
    assert_eq!(findings.len(), 3, "{findings:?}");
    for bytes in [1, 7, 64, 100, 1000, 4096] {
        let pieces = Delivery::of("enrolments").file("e.csv", &text).pieces(bytes);
        let (table, told) = pieces.table();
        assert_eq!(dump(&table), dump(&expected), "pieces of {bytes} bytes");
        assert_eq!(told, findings, "pieces of {bytes} bytes");
    }
}

#[test]
fn a_file_without_quotes_takes_the_short_way_to_the_same_table() {
    let mut plain = format!("{ENROLMENTS}\n");
    for row in 0..50 {
        writeln!(
            plain,
            "C{row},2024-01-0{},I{},托小班,半日托,2026-09-01,{row}.5",
            row % 9 + 1,
            row % 4
        )
        .unwrap();
    }
    let quoted = plain.replace(",半日托,", ",\"半日托\",");
    let crlf = plain.replace('\n', "\r\n");
    let (expected, _) = Delivery::of("enrolments").file("e.csv", &plain).table();
    for (name, text) in
        [("quoted", quoted), ("crlf", crlf.clone()), ("cr", plain.replace('\n', "\r"))]
    {
        for bytes in [13, 1 << 20] {
            let read = Delivery::of("enrolments").file("e.csv", &text).pieces(bytes);
            assert_eq!(dump(&read.table().0), dump(&expected), "{name}, pieces of {bytes}");
        }
    }
    let unended = Delivery::of("enrolments").file("e.csv", crlf.trim_end());
    assert_eq!(dump(&unended.table().0), dump(&expected));
    assert_eq!(column(&expected, "fee_monthly")[3], "350");
}

#[test]
fn the_result_does_not_depend_on_the_number_of_threads() {
    let delivery = Delivery::of("enrolments").file("e.csv", awkward(500)).pieces(600);
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let tables = delivery.read();
            (dump(&tables.by_name["enrolments"]), tables.findings, tables.files)
        })
    };
    let one = on(1);
    assert_eq!(one, on(2));
    assert_eq!(one, on(8));
}

#[test]
fn records_keep_their_numbers_over_blank_rows() {
    let text = "institution_id,age_class,slots_filed\nA,托小班,3\n,,\nB,托大班,x\nC,托大班,5\n";
    let (table, findings) = Delivery::of("slots").file("s.csv", text).table();
    assert_eq!(column(&table, "institution_id"), ["A", "C"]);
    assert_eq!(table.records, [1, 4]);
    assert_eq!((table.rows_read, table.rows_refused), (3, 1));
    assert_eq!(findings, ["value_unreadable slots_filed 3*1 found=x"]);
}

#[test]
fn headers_are_known_in_english_chinese_or_by_the_job() {
    let text = "统一社会信用代码, 班型 ,approved,ｓｌｏｔｓ＿ｏｐｅｎ,备注\nA,托小班,3,2,x\n";
    let (table, findings) =
        Delivery::of("slots").file("s.csv", text).header("approved", "slots_filed").table();
    assert_eq!(column(&table, "slots_filed"), ["3"]);
    assert_eq!(column(&table, "slots_open"), ["2"]);
    assert_eq!(column(&table, "age_class"), ["托小班"]);
    assert!(table.get("service").is_none(), "a nullable column nobody delivered is absent");
    assert_eq!(findings, ["column_unknown 备注 0*1 header=备注"]);
    let quiet = Delivery::of("slots").file("s.csv", text).header("approved", "slots_filed");
    assert!(quiet.ignore(&["备注"]).table().1.is_empty());
}

#[test]
fn a_childs_name_is_never_read_and_never_found() {
    let text =
        format!("{ENROLMENTS},姓名\n李四四,2024-01-01,A,托小班,全日托,2026-09-01,x,李四四\n");
    let (table, findings) = Delivery::of("enrolments").file("e.csv", text).table();
    assert!(table.get("child_name").is_none());
    assert_eq!(findings, ["value_unreadable fee_monthly 1*1 found=x"]);
    // A row shifted by a column: the name stands where a service is expected.
    let text = format!("{ENROLMENTS}\n,2024-01-01,A,托小班,张小明,110105194912310021,1\n");
    let (_, findings) = Delivery::of("enrolments").file("e.csv", text).table();
    let all = findings.join("\n");
    assert!(!all.contains("张") && !all.contains("19491231"), "{all}");
    assert!(all.contains("value_not_listed service 1*1 found=字字字"), "{all}");
    // A file without a header row begins with a child.
    let text = "110105194912310021,张小明,2024-01-01,A,托小班,全日托,2026-09-01,1\n";
    let error = Delivery::of("enrolments").file("e.csv", text).try_read().unwrap_err().to_string();
    assert!(!error.contains("张小明") && !error.contains("1949"), "{error}");
    assert!(error.contains("the file has 999999999999999999, 字字字, 2024-01-01"), "{error}");
    // A child's number is told by its length.
    let text = format!("{ENROLMENTS}\n1.23457E+17,2024-01-01,A,托小班,全日托,2026-09-01,1\n");
    let (_, findings) = Delivery::of("enrolments").file("e.csv", text).table();
    assert_eq!(findings, ["number_through_float child_ref 1*1 length=11"]);
}

#[test]
fn one_finding_a_column_and_code_with_count_and_first_place() {
    let text = "institution_id,age_class,slots_filed\nA,托小班,1\nB,x,y\nC,x,2\nD,z\n,托小班,3\n";
    let (table, findings) = Delivery::of("slots").file("s.csv", text).table();
    assert_eq!(table.rows_refused, 4);
    assert_eq!(
        findings,
        [
            "value_unreadable slots_filed 2*1 found=y",
            "value_missing institution_id 5*1",
            "value_not_listed age_class 2*2 found=x",
            "record_shape  4*1 fields=2 expected=3",
        ]
    );
}

#[test]
fn separators_other_than_the_comma_are_seen_in_the_header() {
    for mark in ["\t", ";"] {
        let text = "institution_id|age_class|slots_filed\nA|托小班|3\n".replace('|', mark);
        let (table, _) = Delivery::of("slots").file("s.csv", text).table();
        assert_eq!(column(&table, "slots_filed"), ["3"]);
    }
}

#[test]
fn files_of_a_table_stand_in_the_order_of_their_names() {
    let delivery = Delivery::of("slots")
        .file("b.csv", "institution_id,age_class,slots_filed\nB,托小班,2\nB2,托小班,x\n")
        .file("a.csv", "institution_id,age_class,slots_filed,origin\nA,托小班,1,新建\n");
    let tables = delivery.read();
    let table = &tables.by_name["slots"];
    assert_eq!(column(table, "institution_id"), ["A", "B"]);
    assert_eq!(column(table, "origin"), ["新建", "-"]);
    assert_eq!(table.files, [(0, 0), (1, 1)]);
    assert_eq!((table.file_of(0), table.file_of(1)), (0, 1));
    assert_eq!(&*tables.files[1].name, "b.csv");
    assert_eq!(tables.files[1].records, 2);
    assert_eq!(tables.files[0].bytes, 65);
    let place = &tables.findings[0].place;
    assert_eq!((place.file.as_str(), place.record), ("b.csv", 2));
}

#[test]
fn a_files_hash_is_that_of_its_bytes() {
    let tables =
        Delivery::of("slots").file("s.csv", "institution_id,age_class,slots_filed\n").read();
    // printf 'institution_id,age_class,slots_filed\n' | sha256sum
    assert_eq!(
        tables.files[0].sha256,
        "891b77eb3c4ebdce2a207db7f58ef686cafe9cb13eabb7d90dd94b6f3421f61b"
    );
    let table = &tables.by_name["slots"];
    assert_eq!(table.rows, 0);
    assert!(table.get("slots_filed").is_some(), "mandatory columns stand even without rows");
}

#[test]
fn captures_constants_and_value_maps_fill_columns() {
    let mut delivery = Delivery::of("slots")
        .file("s.csv", "id,text,class\nA,收费 50 位,small\nB,none,big\n")
        .header("id", "institution_id")
        .header("class", "age_class")
        .value("age_class", "small", "托小班")
        .value("age_class", "big", "")
        .constant("service", "全日托");
    delivery.spec.captures.push(tuoyu::job::Capture {
        column: "slots_filed".to_owned(),
        from: "text".to_owned(),
        pattern: r"(\d+) 位".to_owned(),
    });
    let (table, findings) = delivery.table();
    assert_eq!(column(&table, "slots_filed"), ["50"]);
    assert_eq!(column(&table, "service"), ["全日托"]);
    // Row B has no places and a class mapped to nothing: both must not be empty.
    assert_eq!(findings, ["value_missing age_class 2*1", "value_missing slots_filed 2*1"]);
}

#[test]
fn what_the_job_cannot_mean_is_an_error() {
    let slots = || Delivery::of("slots").file("s.csv", "institution_id,age_class,slots_filed\n");
    let told = |delivery: Delivery| delivery.try_read().unwrap_err().to_string();
    let mut unknown = slots();
    unknown.spec.table = "slotz".to_owned();
    assert!(told(unknown).starts_with("inputs.slotz: no table of that name is declared"));
    assert!(told(slots().header("x", "y")).starts_with("inputs.slots.headers: \"y\" is not"));
    assert!(told(slots().constant("age_class", "托小班")).contains("filled by the header"));
    let twice = Delivery::of("slots").file("s.csv", "a,a\n");
    assert!(told(twice).contains("the header \"a\" stands twice"));
    let missing = told(Delivery::of("slots").file("s.csv", "institution_id,位数\n"));
    assert!(
        missing.contains("no column for age_class (班型), slots_filed (备案托位)"),
        "{missing}"
    );
    assert!(missing.contains("institution_id, 位数"), "{missing}");
    assert!(told(Delivery::of("slots").file("s.csv", "\n\n")).contains("no header row"));
    let mut gone = slots();
    gone.spec.paths[0].set_file_name("gone.csv");
    assert!(matches!(gone.try_read(), Err(IntakeError::Unreadable { .. })));
    let both = [slots().spec, slots().spec];
    let error = intake::read(&both, &[], "yuan", &[]).unwrap_err();
    assert!(matches!(error, IntakeError::TableTwice { .. }));
}

#[test]
fn columns_packs_add_are_wanted() {
    let ty = tuoyu::law::model::Ty::Bool;
    let delivery = Delivery::of("slots").extended("night", "夜间", ty);
    let text = "institution_id,age_class,slots_filed\nA,托小班,3\n";
    let (table, findings) = delivery.file("s.csv", text).table();
    assert_eq!(findings, ["column_missing night 0*1 column=night header=夜间"]);
    assert!(table.get("night").is_none());
    let ty = tuoyu::law::model::Ty::Bool;
    let delivery = Delivery::of("slots").extended("night", "夜间", ty);
    let text = "institution_id,age_class,slots_filed,夜间\nA,托小班,3,是\nB,托小班,4,\n";
    assert_eq!(column(&delivery.file("s.csv", text).table().0, "night"), ["true", "-"]);
}
