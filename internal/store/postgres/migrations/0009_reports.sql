-- +goose Up
-- What happened to an attempt, as JSON, and what reports of its carrier will call it.
ALTER TABLE attempt ADD COLUMN story text NOT NULL DEFAULT '';
ALTER TABLE attempt ADD COLUMN report_key text COLLATE "C" NOT NULL DEFAULT '';

-- The attempts of which a report may come, in stretches of four hours (see attempt_to). Those of
-- providers that never report are not in it, and as their key does not change, an update of them
-- touches no index.
CREATE INDEX attempt_reported ON attempt ((id / 58982400000000), report_key) WHERE report_key <> '';
