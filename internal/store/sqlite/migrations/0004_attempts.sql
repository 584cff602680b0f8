-- +goose Up
-- What was looked up of the number, as JSON.
ALTER TABLE verification ADD COLUMN line TEXT NOT NULL DEFAULT '';

ALTER TABLE attempt ADD COLUMN expires_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE attempt ADD COLUMN converted INTEGER NOT NULL DEFAULT 0;
ALTER TABLE attempt ADD COLUMN price TEXT NOT NULL DEFAULT '';
ALTER TABLE attempt ADD COLUMN currency TEXT NOT NULL DEFAULT '';
ALTER TABLE attempt ADD COLUMN carrier TEXT NOT NULL DEFAULT '';
ALTER TABLE attempt ADD COLUMN mcc TEXT NOT NULL DEFAULT '';
ALTER TABLE attempt ADD COLUMN mnc TEXT NOT NULL DEFAULT '';

-- The attempts to one address, in stretches of four hours: 58982400000000 is the distance of two ids
-- that were minted four hours apart. With the time in front, what is inserted goes to the few pages of
-- the present; an index by address alone would be hit all over.
CREATE INDEX attempt_to ON attempt (id / 58982400000000, to_address);

-- Attempts, counted. The key is account, span and number of the span ("AC…/h/0000025464"), then
-- what else is counted apart: see sqlstore/attempt_count.go.
CREATE TABLE attempt_count (
	key         TEXT PRIMARY KEY,
	number      INTEGER NOT NULL,
	prefix      TEXT NOT NULL,
	service_sid TEXT NOT NULL,
	channel     TEXT NOT NULL,
	country     TEXT NOT NULL,
	made        INTEGER NOT NULL,
	converted   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE safe_number (
	sid          TEXT PRIMARY KEY,
	account_sid  TEXT NOT NULL REFERENCES account (sid),
	phone_number TEXT NOT NULL,
	created_at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX safe_number_of_account ON safe_number (account_sid, phone_number);

-- Where messages may go. An empty service_sid is the account's own rule, an empty channel or
-- country stands for all of them. The key is what the rule is about, one after the other.
CREATE TABLE geo_rule (
	key         TEXT PRIMARY KEY,
	account_sid TEXT NOT NULL REFERENCES account (sid),
	service_sid TEXT NOT NULL,
	channel     TEXT NOT NULL,
	country     TEXT NOT NULL,
	allowed     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
