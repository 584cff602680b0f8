-- +goose Up
CREATE TABLE config_version (version INTEGER NOT NULL) STRICT;
INSERT INTO config_version (version) VALUES (1);

CREATE TABLE account (
	sid          TEXT PRIMARY KEY,
	name         TEXT NOT NULL,
	token_hash   BLOB NOT NULL,
	token_sealed BLOB NOT NULL,
	created_at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE api_key (
	sid         TEXT PRIMARY KEY,
	account_sid TEXT NOT NULL REFERENCES account (sid),
	name        TEXT NOT NULL,
	secret_hash BLOB NOT NULL,
	created_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE service (
	sid         TEXT PRIMARY KEY,
	account_sid TEXT NOT NULL REFERENCES account (sid),
	created_at  INTEGER NOT NULL,
	updated_at  INTEGER NOT NULL,
	settings    TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX service_of_account ON service (account_sid, sid);

-- id is the number in the SID, which grows with time: rows are appended.
CREATE TABLE verification (
	id          INTEGER PRIMARY KEY,
	sid         TEXT NOT NULL,
	service_sid TEXT NOT NULL,
	account_sid TEXT NOT NULL,
	recipient   TEXT NOT NULL,
	to_address  TEXT NOT NULL,
	country     TEXT NOT NULL,
	channel     TEXT NOT NULL,
	status      TEXT NOT NULL,
	sends       TEXT NOT NULL,
	checks      INTEGER NOT NULL,
	max_sends   INTEGER NOT NULL,
	max_checks  INTEGER NOT NULL,
	code_length INTEGER NOT NULL,
	code_mac    BLOB,
	code_sealed BLOB,
	amount      TEXT NOT NULL,
	payee       TEXT NOT NULL,
	created_at  INTEGER NOT NULL,
	updated_at  INTEGER NOT NULL,
	expires_at  INTEGER NOT NULL,
	is_current  INTEGER NOT NULL
) STRICT;
-- A small index, of current verifications alone: two simultaneous starts for one recipient meet in it.
CREATE UNIQUE INDEX verification_current ON verification (service_sid, recipient) WHERE is_current = 1;
-- Payments whose amount and payee are still there, to find those that have reached their age.
CREATE INDEX verification_payment ON verification (expires_at) WHERE amount <> '';

CREATE TABLE attempt (
	id               INTEGER PRIMARY KEY,
	sid              TEXT NOT NULL,
	verification_sid TEXT NOT NULL,
	service_sid      TEXT NOT NULL,
	account_sid      TEXT NOT NULL,
	channel          TEXT NOT NULL,
	to_address       TEXT NOT NULL,
	country          TEXT NOT NULL,
	code_length      INTEGER NOT NULL,
	created_at       INTEGER NOT NULL,
	updated_at       INTEGER NOT NULL,
	locale           TEXT NOT NULL,
	brand            TEXT NOT NULL,
	options          TEXT NOT NULL,
	state            TEXT NOT NULL,
	route            INTEGER NOT NULL,
	provider         TEXT NOT NULL,
	provider_id      TEXT NOT NULL,
	error_code       TEXT NOT NULL,
	error_class      TEXT NOT NULL,
	hand_overs       INTEGER NOT NULL
) STRICT;

-- id is the number in the SID that ref is. due is NULL for a job that was buried. A job that is
-- being run is due at the end of its lease.
CREATE TABLE job (
	id      INTEGER PRIMARY KEY,
	kind    TEXT NOT NULL,
	ref     TEXT NOT NULL,
	due     INTEGER,
	runs    INTEGER NOT NULL,
	claimed INTEGER NOT NULL,
	buried  TEXT
) STRICT;
CREATE INDEX job_due ON job (kind, due) WHERE due IS NOT NULL;
