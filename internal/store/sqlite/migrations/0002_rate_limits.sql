-- +goose Up
CREATE TABLE rate_limit (
	sid         TEXT PRIMARY KEY,
	service_sid TEXT NOT NULL,
	account_sid TEXT NOT NULL,
	unique_name TEXT NOT NULL,
	description TEXT NOT NULL,
	described   INTEGER NOT NULL,
	created_at  INTEGER NOT NULL,
	updated_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX rate_limit_name ON rate_limit (service_sid, unique_name);

CREATE TABLE bucket (
	sid            TEXT PRIMARY KEY,
	rate_limit_sid TEXT NOT NULL,
	service_sid    TEXT NOT NULL,
	account_sid    TEXT NOT NULL,
	max_starts     INTEGER NOT NULL,
	interval_s     INTEGER NOT NULL,
	created_at     INTEGER NOT NULL,
	updated_at     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX bucket_interval ON bucket (rate_limit_sid, interval_s);

-- What one value of one rate limit has spent. Rows are updated in place while they count. No index
-- has their end, which every start of a window would have to change: a walk finds those that are over.
CREATE TABLE meter (
	id      INTEGER PRIMARY KEY,
	windows TEXT NOT NULL,
	ends_at INTEGER NOT NULL
) STRICT;

-- held_until keeps a verification current for the sake of the guesses in its history.
ALTER TABLE verification ADD COLUMN history TEXT NOT NULL DEFAULT '';
ALTER TABLE verification ADD COLUMN held_until INTEGER NOT NULL DEFAULT 0;
