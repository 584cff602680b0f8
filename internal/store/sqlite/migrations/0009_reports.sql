-- +goose Up
-- What happened to an attempt, as JSON, and what reports of its carrier will call it.
ALTER TABLE attempt ADD COLUMN story TEXT NOT NULL DEFAULT '';
ALTER TABLE attempt ADD COLUMN report_key TEXT NOT NULL DEFAULT '';

-- The attempts of which a report may come, in stretches of four hours (see attempt_to). Those of
-- providers that never report are not in it and cost nothing.
CREATE INDEX attempt_reported ON attempt (id / 58982400000000, report_key) WHERE report_key <> '';
