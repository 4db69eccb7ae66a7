//! The third way: a batch of random expressions in `DuckDB` gives what the trace gives.

use std::io::Write;
use std::process::{Command, Stdio};

use tuoyu::domain::{Basis, Cell, RowError};
use tuoyu::law::Ty;
use tuoyu::law::expr::{Expr, calendar_sql, prelude, sql_view};

use super::expr_random::{expression, rows};
use super::expr_world::{calendar, compiled_on, date};
use crate::dice::Dice;

/// Reads statements and queries as JSON from standard input, prints one JSON line a query.
const RUNNER: &str = r#"
import duckdb, json, sys
job = json.load(sys.stdin)
con = duckdb.connect(config={"threads": 2})
for statement in job["setup"]:
    con.execute(statement)
for query in job["queries"]:
    try:
        print(json.dumps({"rows": con.execute(query).fetchall()}))
    except Exception as problem:
        print(json.dumps({"problem": str(problem)[:1500]}))
"#;

/// Whether python3 with duckdb is here.
fn duckdb_is_here() -> bool {
    let found = Command::new("python3")
        .args(["-c", "import duckdb"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    found.is_ok_and(|status| status.success())
}

fn run(setup: &[String], queries: &[String]) -> Vec<serde_json::Value> {
    let mut child = Command::new("python3")
        .args(["-c", RUNNER])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 starts");
    let job = serde_json::json!({ "setup": setup, "queries": queries }).to_string();
    let mut stdin = child.stdin.take().expect("a pipe");
    let writer = std::thread::spawn(move || stdin.write_all(job.as_bytes()));
    let output = child.wait_with_output().expect("python3 ends");
    writer.join().expect("no panic").expect("the job is written");
    assert!(output.status.success(), "the runner failed");
    String::from_utf8(output.stdout)
        .expect("text")
        .lines()
        .map(|line| serde_json::from_str(line).expect("one JSON line a query"))
        .collect()
}

/// The columns `error, num, den, value` the trace expects.
fn expected(
    outcome: &Result<Cell, RowError>,
) -> (u8, Option<String>, Option<String>, Option<String>) {
    match outcome {
        Err(error) => (*error as u8, None, None, None),
        Ok(Cell::Null) => (0, None, None, None),
        Ok(Cell::Num(num, den)) => (0, Some(num.to_string()), Some(den.to_string()), None),
        Ok(Cell::Bool(value)) => (0, None, None, Some(value.to_string())),
        Ok(Cell::Date(date)) => (0, None, None, Some(date.to_string())),
        Ok(Cell::Text(text)) => (0, None, None, Some(text.clone())),
    }
}

fn compare(seed: u64, extreme: bool, wanted: usize) {
    if !duckdb_is_here() {
        assert!(std::env::var_os("CI").is_none(), "python3 with duckdb computes again in CI");
        println!("skipped: python3 with duckdb is not here");
        return;
    }
    let mut dice = Dice(seed);
    let count = 40;
    let frames = rows(&mut dice, count, extreme).frames();
    let mut expressions: Vec<Expr> = Vec::new();
    while expressions.len() < wanted {
        let source = expression(&mut dice);
        if source.len() < 500
            && let Ok(expr) = compiled_on(&source, &Basis::Spell)
        {
            expressions.push(expr);
        }
    }
    let days = calendar_sql(&calendar(), "work_days", date("1990-01-01"), date("2030-12-31"));
    let setup: Vec<String> = prelude()
        .split(";\n")
        .map(str::to_owned)
        .filter(|statement| !statement.trim().is_empty())
        .chain([sql_view(&frames, &Basis::Spell, "facts"), days])
        .collect();
    let queries: Vec<String> =
        expressions.iter().map(|expr| expr.sql("facts", "work_days").text).collect();
    let answers = run(&setup, &queries);
    assert_eq!(answers.len(), expressions.len());
    let mut wrong = Vec::new();
    for (expr, answer) in expressions.iter().zip(answers) {
        let Some(found) = answer["rows"].as_array() else {
            wrong.push(format!("{}\n  {}", expr.source(), answer["problem"]));
            continue;
        };
        assert_eq!(found.len(), count, "{}", expr.source());
        for (row, found) in found.iter().enumerate() {
            let number = u32::try_from(row).expect("few");
            let outcome = expr.trace(&frames, &Basis::Spell, number, &calendar())[0].value.clone();
            let (error, num, den, value) = expected(&outcome);
            let want = match expr.ty() {
                Ty::Num { .. } => serde_json::json!([
                    row,
                    error,
                    num,
                    if num.is_some() { den } else { None },
                    value
                ]),
                _ => serde_json::json!([row, error, num, den, value]),
            };
            let mut found = found.clone();
            // A row without a value has no fields that mean anything.
            if found[1] != 0 || found[2].is_null() {
                found[3] = serde_json::Value::Null;
            }
            if found[1] != 0 {
                found[2] = serde_json::Value::Null;
                found[4] = serde_json::Value::Null;
            }
            if found != want {
                wrong.push(format!("{} row {row}: SQL {found}, trace {want}", expr.source()));
                break;
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {wanted}:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn sql_and_trace_agree() {
    compare(20_260_901, false, 30);
}

#[test]
fn sql_and_trace_agree_at_the_edges_of_the_machine() {
    compare(20_260_902, true, 30);
}
