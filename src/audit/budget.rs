//! What is there to be paid from: the budget lines as delivered, less what earlier months of the same
//! period took of them.

use super::AuditError;
use super::columns::Columns;
use super::script::{Script, text};
use crate::allocation::BudgetLine;
use crate::settle::SettledMonth;
use std::fmt::Write as _;
use std::path::Path;

/// The table of what the months of the period took, by source, document and institution.
pub(super) const TAKEN: &str = "CREATE OR REPLACE TABLE \"taken of the budget\" (source VARCHAR, \
    budget_doc_no VARCHAR, institution_id VARCHAR, fen HUGEINT);\n";

/// Reads a code of a budget line.
type Code = fn(&BudgetLine) -> &str;

/// Codes of a budget line in the order in which lines of one source are used up.
const CODES: [(&str, Code); 6] = [
    ("budget_doc_no", |line| &line.budget_doc_no),
    ("exp_func_code", |line| &line.exp_func_code),
    ("gov_eco_code", |line| &line.gov_eco_code),
    ("dep_eco_code", |line| &line.dep_eco_code),
    ("fund_type_code", |line| &line.fund_type_code),
    ("project_code", |line| &line.project_code),
];

/// Whether a shortage of the month is bounded by the balances.
pub(super) fn is_read(month: &SettledMonth) -> bool {
    let law = month.law.segments.first();
    law.is_some_and(|law| law.shortages.iter().any(|rule| rule.limit.is_none()))
}

/// Writes the budget lines and the statements that read them into the table `budget`.
pub(super) fn write(script: &mut Script<'_>, folder: &Path) -> Result<(), AuditError> {
    let month = script.month;
    let lines = &month.budget;
    let mut columns = Columns::new("budget", lines.len());
    let whole = |of: &dyn Fn(usize, &BudgetLine) -> i128| -> Vec<Option<i128>> {
        lines.iter().enumerate().map(|(nth, line)| Some(of(nth, line))).collect()
    };
    columns.whole("nth", "BIGINT", &whole(&|nth, _| nth as i128));
    columns.texts("source", lines.iter().map(|line| Some(&line.source)));
    columns.whole("fiscal_year", "INTEGER", &whole(&|_, line| line.fiscal_year.into()));
    columns.whole("balance", "HUGEINT", &whole(&|_, line| line.balance_fen.into()));
    for (field, code) in CODES {
        columns.texts(field, lines.iter().map(|line| Some(code(line))));
    }
    let read = columns.write(folder, &format!("facts/{}/budget.parquet", month.month))?;
    script.note("Budget lines as delivered, less what earlier months of this period took of them;");
    script.note("what an institution owes does not widen the budget.");
    script.say(&format!(
        "CREATE OR REPLACE TABLE \"budget\" AS SELECT d.* REPLACE (d.balance - coalesce(t.taken, \
         0) AS balance)\n\
         FROM {read} d\n\
         LEFT JOIN (SELECT source, budget_doc_no, sum(greatest(fen, 0))::HUGEINT AS taken FROM \
         (SELECT source, budget_doc_no, institution_id, sum(fen) AS fen FROM \"taken of the \
         budget\" GROUP BY ALL) GROUP BY ALL) t\n\
         ON t.source = d.source AND t.budget_doc_no = d.budget_doc_no WHERE d.fiscal_year = {};",
        month.month.year()
    ));
    Ok(())
}

/// Statements that make the table `budget lines`: all of the period, in the order of the schedule.
pub(super) fn of_period(lines: &[BudgetLine]) -> String {
    let codes: Vec<String> = CODES.iter().map(|(code, _)| format!("{code} VARCHAR")).collect();
    let mut script = format!(
        "-- The lines of the budget in the order of the schedule.\n\
         CREATE OR REPLACE TABLE \"budget lines\" (place INTEGER, source VARCHAR, fiscal_year \
         INTEGER, \
         {});\n",
        codes.join(", ")
    );
    for (place, line) in lines.iter().enumerate() {
        let codes: Vec<String> = CODES.iter().map(|(_, code)| text(code(line))).collect();
        let _ = writeln!(
            script,
            "INSERT INTO \"budget lines\" VALUES ({place}, {}, {}, {});",
            text(&line.source),
            line.fiscal_year,
            codes.join(", ")
        );
    }
    script
}

/// Makes the table `cells by line`: what the month takes of each budget line.
///
/// The lines of a source are used up in order of their documents, the last takes the rest. What is
/// owed goes back to the line that is paid from at the time.
pub(super) fn by_line(script: &mut Script<'_>) {
    let by: Vec<&str> = CODES.iter().map(|(code, _)| *code).collect();
    script.note("What this month takes of each budget line:");
    script.note("lines of a source one after the other, institutions in order of their ids.");
    let purses = script.fresh("purses");
    script.say(&format!(
        "CREATE OR REPLACE TABLE {purses} AS SELECT *, CASE WHEN a = count(*) OVER (PARTITION BY \
         source) THEN NULL ELSE sum(greatest(balance, 0)) OVER (PARTITION BY source ORDER BY a) \
         END AS until,\n\
         coalesce(sum(greatest(balance, 0)) OVER (PARTITION BY source ORDER BY a ROWS BETWEEN \
         UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS since\n\
         FROM (SELECT *, row_number() OVER (PARTITION BY source ORDER BY {}, nth) AS a FROM \
         \"budget\" \
         LEFT JOIN \"budget lines\" USING (source, fiscal_year, {}));",
        by.join(", "),
        by.join(", ")
    ));
    let asked = script.fresh("asked");
    script.say(&format!(
        "CREATE OR REPLACE TABLE {asked} AS SELECT *, coalesce(greatest(0, max(until) OVER \
         (PARTITION BY source ORDER BY nth ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)), 0) \
         AS most\n\
         FROM (SELECT c.source, n.id, c.item, c.fen, row_number() OVER w AS nth, sum(c.fen) OVER \
         w AS \
         until FROM \"cells\" c JOIN \"institutions\" n ON n.\"row\" = c.payee WHERE c.fen <> 0\n\
         WINDOW w AS (PARTITION BY c.source ORDER BY n.place, c.item, c.i ROWS UNBOUNDED \
         PRECEDING));"
    ));
    script.say(&format!(
        "CREATE OR REPLACE TABLE \"cells by line\" AS SELECT source, budget_doc_no, line, id, \
         item, fen \
         FROM (\n\
         SELECT c.source, p.budget_doc_no, p.place AS line, c.id, c.item, CASE WHEN p.a = \
         min(p.a) FILTER (p.until IS NULL \
         OR c.most <= p.until) OVER (PARTITION BY c.source, c.nth) THEN least(c.until, p.until) - \
         (c.until - c.fen)\n\
         WHEN p.until IS NULL OR c.most <= p.until THEN greatest(least(c.until, p.until) - \
         p.since, 0) ELSE 0 END AS fen\n\
         FROM {asked} c JOIN {purses} p ON p.source = c.source\n\
         UNION ALL SELECT source, '', -1, id, item, fen FROM {asked} WHERE source NOT IN (SELECT \
         source FROM {purses})) WHERE fen <> 0;"
    ));
}

/// Notes what the month takes of each budget line, for later months of the period.
pub(super) fn take(script: &mut Script<'_>) {
    script.say(
        "INSERT INTO \"taken of the budget\" SELECT source, budget_doc_no, id, fen FROM \"cells by \
         line\";",
    );
}
