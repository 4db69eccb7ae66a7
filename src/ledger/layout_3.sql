-- Layout 3: what banks and the treasury answered, and what became of payments that failed.
-- Both are rows of an event, keyed as the rows of a run are: number of the event (or of the run)
-- * 100000000 + their number in it. The body of the event holds their seals.

-- Messages that were believed: a file may hold several, all under the hash of its bytes.
CREATE TABLE messages (
    message    INTEGER PRIMARY KEY,
    run_no     INTEGER NOT NULL REFERENCES runs (run_no), -- the settlement whose period it is about
    kind       TEXT NOT NULL,
    message_id TEXT NOT NULL,
    sha256     TEXT NOT NULL,
    file       TEXT NOT NULL
) STRICT;

-- One message is taken once, whoever hands it in.
CREATE UNIQUE INDEX messages_once ON messages (run_no, kind, message_id) WHERE message_id <> '';

-- What was said of a payment, or (payment is null) of none of ours.
-- As in `lines`, what names a text carries no foreign key; nor do message and payment, for a million
-- answers would look up two rows each: `verify` finds one that leads nowhere.
CREATE TABLE answers (
    answer        INTEGER PRIMARY KEY,
    message       INTEGER NOT NULL,
    record        INTEGER NOT NULL,
    payment       INTEGER,
    rule          INTEGER NOT NULL, -- what it was matched by; why not, where it was not
    said          INTEGER NOT NULL, -- pending, paid, rejected, returned, credit
    fen           INTEGER CHECK (fen >= 0),
    bank_date     INTEGER,
    bank_ref      TEXT NOT NULL,
    reason_code   TEXT NOT NULL,
    reason        TEXT NOT NULL,
    end_to_end_id TEXT NOT NULL, -- of an answer without payment
    account_no    TEXT NOT NULL  -- of an answer without payment, or where it is not the payee's
) STRICT;

-- What a correction batch 更正发放 pays again: its run, the payment that failed, and how much of it.
CREATE TABLE claims (
    claim   INTEGER PRIMARY KEY,
    run_no  INTEGER NOT NULL REFERENCES runs (run_no),
    payment INTEGER NOT NULL REFERENCES payments (payment),
    fen     INTEGER NOT NULL CHECK (fen > 0)
) STRICT;

CREATE INDEX claims_of_payment ON claims (payment);

CREATE TRIGGER messages_stay BEFORE UPDATE ON messages
BEGIN SELECT RAISE(ABORT, 'messages: rows are never changed'); END;
CREATE TRIGGER messages_remain BEFORE DELETE ON messages
BEGIN SELECT RAISE(ABORT, 'messages: rows are never deleted'); END;
CREATE TRIGGER answers_stay BEFORE UPDATE ON answers
BEGIN SELECT RAISE(ABORT, 'answers: rows are never changed'); END;
CREATE TRIGGER answers_remain BEFORE DELETE ON answers
BEGIN SELECT RAISE(ABORT, 'answers: rows are never deleted'); END;
CREATE TRIGGER claims_stay BEFORE UPDATE ON claims
BEGIN SELECT RAISE(ABORT, 'claims: rows are never changed'); END;
CREATE TRIGGER claims_remain BEFORE DELETE ON claims
BEGIN SELECT RAISE(ABORT, 'claims: rows are never deleted'); END;

-- A payment is claimed by one batch at a time: the next one only when the money of the batch before
-- has gone out (and failed again), or that batch was replaced.
CREATE TRIGGER claims_once BEFORE INSERT ON claims
WHEN EXISTS (
    SELECT 1 FROM claims JOIN runs ON runs.run_no = claims.run_no
    WHERE claims.payment = NEW.payment AND claims.run_no <> NEW.run_no
        AND runs.superseded_by IS NULL AND runs.state IN ('draft', 'approved')
)
BEGIN SELECT RAISE(ABORT, 'claims: another batch pays this again already'); END;
-- And never more than the payment was.
CREATE TRIGGER claims_within BEFORE INSERT ON claims
WHEN NEW.fen + (
    SELECT coalesce(sum(claims.fen), 0) FROM claims JOIN runs ON runs.run_no = claims.run_no
    WHERE claims.payment = NEW.payment AND runs.superseded_by IS NULL
) > (SELECT amount_fen FROM payments WHERE payment = NEW.payment)
BEGIN SELECT RAISE(ABORT, 'claims: more is paid again than was paid'); END;
