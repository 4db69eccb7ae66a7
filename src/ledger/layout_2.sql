-- Layout 2: acts of persons. What was done stands in `events`, as before; runs.state only follows.
-- The body of an act is {approvals, from, key, manifest_hash, reason, run_id, signature, state}:
-- `from` and `state` are where the run stood and stands, key and signature are null where the run
-- demands none.

CREATE INDEX events_of_run ON events (run_no, seq);

-- The row of a run stands before the rows it is made of; it is told its manifest once, in the same
-- transaction.
DROP TRIGGER runs_stay;
CREATE TRIGGER runs_stay
BEFORE UPDATE OF run_no, run_id, job_id, period, calc_version, law_hash, known_on ON runs
BEGIN SELECT RAISE(ABORT, 'runs: only the state of a run changes'); END;
CREATE TRIGGER runs_sealed BEFORE UPDATE OF manifest_hash ON runs
WHEN OLD.manifest_hash <> '' OR NEW.manifest_hash = ''
BEGIN SELECT RAISE(ABORT, 'runs: only the state of a run changes'); END;

-- A run moves forward by one step (or is closed without answers), or back by a reopening.
CREATE TRIGGER runs_move BEFORE UPDATE OF state ON runs
WHEN OLD.state || '>' || NEW.state NOT IN (
    'draft>approved', 'approved>released', 'released>answered', 'answered>closed',
    'released>closed', 'approved>draft', 'closed>answered', 'closed>released'
)
BEGIN SELECT RAISE(ABORT, 'runs: no act moves a run like this'); END;

-- The act is written first: it is the last event, is about this run and says this move.
CREATE TRIGGER runs_moved BEFORE UPDATE OF state ON runs
WHEN NOT EXISTS (
    SELECT 1 FROM events
    WHERE seq = (SELECT max(seq) FROM events) AND run_no = NEW.run_no
        AND kind IN ('approved', 'released', 'answered', 'closed', 'reopened')
        AND json_extract(body, '$.from') = OLD.state
        AND json_extract(body, '$.state') = NEW.state
)
BEGIN SELECT RAISE(ABORT, 'runs: a state changes with its event'); END;

-- A run that was replaced is nobody's business any more; a new one is a draft.
CREATE TRIGGER runs_replaced BEFORE UPDATE OF state ON runs
WHEN OLD.superseded_by IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'runs: a replaced run is not acted on'); END;
CREATE TRIGGER runs_begin BEFORE INSERT ON runs
WHEN NEW.state <> 'draft' OR NEW.superseded_by IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'runs: a run begins as a draft'); END;
