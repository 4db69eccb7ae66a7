-- Layout 1: runs, their rows, and the chain of events.
-- Rows are only ever added. The one thing that changes is where a run stands (runs.state) and what
-- replaced it (runs.superseded_by); both follow from the events and are checked against them.
--
-- The rows of a run are keyed by run_no * 100000000 + their number in the run: one integer, so that
-- a province of lines is appended and not sorted in. Columns that name a text carry no foreign key
-- (five look-ups a line); a text that is not there is found by the seals.

-- Texts that repeat over many lines: line kinds, items, sources, budget lines, rule versions.
CREATE TABLE texts (
    text_no INTEGER PRIMARY KEY,
    text    TEXT NOT NULL UNIQUE
) STRICT;

-- One settlement of a period. A draft that was replaced stays, marked.
CREATE TABLE runs (
    run_no        INTEGER PRIMARY KEY,
    run_id        TEXT NOT NULL,
    job_id        TEXT NOT NULL,
    period        INTEGER NOT NULL CHECK (period BETWEEN 190001 AND 219912),
    calc_version  TEXT NOT NULL,
    law_hash      TEXT NOT NULL,
    manifest_hash TEXT NOT NULL,
    known_on      INTEGER NOT NULL,
    state         TEXT NOT NULL
        CHECK (state IN ('draft', 'approved', 'released', 'answered', 'closed')),
    superseded_by INTEGER REFERENCES runs (run_no) DEFERRABLE INITIALLY DEFERRED
) STRICT;

-- A period of a job has one run that stands.
CREATE UNIQUE INDEX runs_standing ON runs (job_id, period) WHERE superseded_by IS NULL;

-- Who is paid, with the account as it stood when the run was made.
CREATE TABLE payees (
    payee            INTEGER PRIMARY KEY,
    run_no           INTEGER NOT NULL REFERENCES runs (run_no),
    institution_id   TEXT NOT NULL,
    institution_name TEXT NOT NULL,
    account_name     TEXT NOT NULL,
    account_no       TEXT NOT NULL,
    bank_name        TEXT NOT NULL,
    bank_no          TEXT NOT NULL,
    hold_reason      TEXT NOT NULL,
    payable_fen      INTEGER NOT NULL -- sum of the payee's lines
) STRICT;

-- Payments; never below zero.
CREATE TABLE payments (
    payment       INTEGER PRIMARY KEY,
    payment_no    TEXT NOT NULL,
    end_to_end_id TEXT NOT NULL,
    payee         INTEGER NOT NULL REFERENCES payees (payee),
    source        INTEGER NOT NULL,
    budget_doc_no INTEGER NOT NULL,
    pay_on        INTEGER,
    amount_fen    INTEGER NOT NULL CHECK (amount_fen >= 0),
    lines         INTEGER NOT NULL
) STRICT;

-- Schedule lines; what later periods cap, correct and refund.
CREATE TABLE lines (
    line            INTEGER PRIMARY KEY,
    payee           INTEGER NOT NULL REFERENCES payees (payee),
    line_kind       INTEGER NOT NULL,
    source_period   INTEGER NOT NULL,
    item            INTEGER NOT NULL,
    quantity        TEXT NOT NULL,
    rate_fen        INTEGER,
    gross_fen       INTEGER NOT NULL,
    cut_fen         INTEGER NOT NULL,
    carried_in_fen  INTEGER NOT NULL,
    carried_out_fen INTEGER NOT NULL,
    payable_fen     INTEGER NOT NULL,
    source          INTEGER NOT NULL,
    budget_doc_no   INTEGER NOT NULL,
    pay_on          INTEGER,
    rule_version    INTEGER NOT NULL,
    payment         INTEGER REFERENCES payments (payment)
) STRICT;

-- Every institution of the period, paid or not, for the comparison with the next period.
CREATE TABLE institutions (
    institution    INTEGER PRIMARY KEY,
    run_no         INTEGER NOT NULL REFERENCES runs (run_no),
    institution_id TEXT NOT NULL,
    headcount      INTEGER NOT NULL,
    slots          INTEGER NOT NULL,
    amount_fen     INTEGER NOT NULL
) STRICT;

-- Sums of the lines, so that a year to date need not read a year of lines.
CREATE TABLE totals (
    total         INTEGER PRIMARY KEY,
    run_no        INTEGER NOT NULL REFERENCES runs (run_no),
    item          INTEGER NOT NULL REFERENCES texts (text_no),
    source        INTEGER NOT NULL REFERENCES texts (text_no),
    budget_doc_no INTEGER NOT NULL REFERENCES texts (text_no),
    payable_fen   INTEGER NOT NULL
) STRICT;

-- What was done, by whom and when. hash = SHA-256 (prev_hash, then the JSON list
-- [seq, kind, run_no, at, by, body]); the body of a posting holds the hashes of the run's rows.
CREATE TABLE events (
    seq       INTEGER PRIMARY KEY,
    kind      TEXT NOT NULL,
    run_no    INTEGER NOT NULL REFERENCES runs (run_no),
    at        TEXT NOT NULL,
    by        TEXT NOT NULL,
    body      TEXT NOT NULL,
    prev_hash TEXT NOT NULL,
    hash      TEXT NOT NULL UNIQUE
) STRICT;

-- The lines with their texts, for people and auditors.
CREATE VIEW schedule_lines AS
SELECT runs.run_no, runs.run_id, runs.job_id, runs.period, runs.state, runs.superseded_by,
       lines.line, lines.line % 100000000 AS line_no, payees.institution_id, kinds.text AS line_kind,
       lines.source_period, items.text AS item, lines.quantity, lines.rate_fen, lines.gross_fen,
       lines.cut_fen, lines.carried_in_fen, lines.carried_out_fen, lines.payable_fen,
       sources.text AS source, budgets.text AS budget_doc_no, lines.pay_on,
       rules.text AS rule_version, payments.payment_no
FROM lines
JOIN payees ON payees.payee = lines.payee
JOIN runs ON runs.run_no = payees.run_no
JOIN texts AS kinds ON kinds.text_no = lines.line_kind
JOIN texts AS items ON items.text_no = lines.item
JOIN texts AS sources ON sources.text_no = lines.source
JOIN texts AS budgets ON budgets.text_no = lines.budget_doc_no
JOIN texts AS rules ON rules.text_no = lines.rule_version
LEFT JOIN payments ON payments.payment = lines.payment;

-- Rows are only added.
CREATE TRIGGER texts_stay BEFORE UPDATE ON texts
BEGIN SELECT RAISE(ABORT, 'texts: rows are never changed'); END;
CREATE TRIGGER texts_remain BEFORE DELETE ON texts
BEGIN SELECT RAISE(ABORT, 'texts: rows are never deleted'); END;
CREATE TRIGGER payees_stay BEFORE UPDATE ON payees
BEGIN SELECT RAISE(ABORT, 'payees: rows are never changed'); END;
CREATE TRIGGER payees_remain BEFORE DELETE ON payees
BEGIN SELECT RAISE(ABORT, 'payees: rows are never deleted'); END;
CREATE TRIGGER lines_stay BEFORE UPDATE ON lines
BEGIN SELECT RAISE(ABORT, 'lines: rows are never changed'); END;
CREATE TRIGGER lines_remain BEFORE DELETE ON lines
BEGIN SELECT RAISE(ABORT, 'lines: rows are never deleted'); END;
CREATE TRIGGER payments_stay BEFORE UPDATE ON payments
BEGIN SELECT RAISE(ABORT, 'payments: rows are never changed'); END;
CREATE TRIGGER payments_remain BEFORE DELETE ON payments
BEGIN SELECT RAISE(ABORT, 'payments: rows are never deleted'); END;
CREATE TRIGGER institutions_stay BEFORE UPDATE ON institutions
BEGIN SELECT RAISE(ABORT, 'institutions: rows are never changed'); END;
CREATE TRIGGER institutions_remain BEFORE DELETE ON institutions
BEGIN SELECT RAISE(ABORT, 'institutions: rows are never deleted'); END;
CREATE TRIGGER totals_stay BEFORE UPDATE ON totals
BEGIN SELECT RAISE(ABORT, 'totals: rows are never changed'); END;
CREATE TRIGGER totals_remain BEFORE DELETE ON totals
BEGIN SELECT RAISE(ABORT, 'totals: rows are never deleted'); END;
CREATE TRIGGER events_stay BEFORE UPDATE ON events
BEGIN SELECT RAISE(ABORT, 'events: rows are never changed'); END;
CREATE TRIGGER events_remain BEFORE DELETE ON events
BEGIN SELECT RAISE(ABORT, 'events: rows are never deleted'); END;
CREATE TRIGGER runs_remain BEFORE DELETE ON runs
BEGIN SELECT RAISE(ABORT, 'runs: rows are never deleted'); END;
CREATE TRIGGER runs_stay
BEFORE UPDATE OF run_no, run_id, job_id, period, calc_version, law_hash, manifest_hash, known_on
ON runs
BEGIN SELECT RAISE(ABORT, 'runs: only the state of a run changes'); END;
-- Only a draft is replaced, and only once.
CREATE TRIGGER runs_superseded BEFORE UPDATE OF superseded_by ON runs
WHEN OLD.state <> 'draft' OR OLD.superseded_by IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'runs: only a standing draft is replaced'); END;
