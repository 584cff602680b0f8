-- +goose Up
-- What was looked up of the number, as JSON.
ALTER TABLE verification ADD COLUMN line text NOT NULL DEFAULT '';

ALTER TABLE attempt ADD COLUMN expires_at bigint NOT NULL DEFAULT 0;
ALTER TABLE attempt ADD COLUMN converted smallint NOT NULL DEFAULT 0;
ALTER TABLE attempt ADD COLUMN price text NOT NULL DEFAULT '';
ALTER TABLE attempt ADD COLUMN currency text NOT NULL DEFAULT '';
ALTER TABLE attempt ADD COLUMN carrier text NOT NULL DEFAULT '';
ALTER TABLE attempt ADD COLUMN mcc text NOT NULL DEFAULT '';
ALTER TABLE attempt ADD COLUMN mnc text NOT NULL DEFAULT '';
ALTER TABLE attempt ALTER COLUMN to_address TYPE text COLLATE "C";

-- The attempts to one address, in stretches of four hours: 58982400000000 is the distance of two ids
-- that were minted four hours apart. With the time in front, what is inserted goes to the few pages of
-- the present; an index by address alone would be hit all over.
CREATE INDEX attempt_to ON attempt ((id / 58982400000000), to_address);

-- Attempts, counted. The key is account, span and number of the span ("AC…/h/0000025464"), then
-- what else is counted apart: see sqlstore/attempt_count.go. Nearly every commit changes some of the
-- few rows of the present hour and day, without touching the index.
CREATE TABLE attempt_count (
	key         text COLLATE "C" PRIMARY KEY,
	number      bigint NOT NULL,
	prefix      text COLLATE "C" NOT NULL,
	service_sid text COLLATE "C" NOT NULL,
	channel     text NOT NULL,
	country     text NOT NULL,
	made        bigint NOT NULL,
	converted   bigint NOT NULL
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000);

CREATE TABLE safe_number (
	sid          text COLLATE "C" PRIMARY KEY,
	account_sid  text COLLATE "C" NOT NULL REFERENCES account (sid),
	phone_number text COLLATE "C" NOT NULL,
	created_at   bigint NOT NULL
);
CREATE UNIQUE INDEX safe_number_of_account ON safe_number (account_sid, phone_number);

-- Where messages may go. An empty service_sid is the account's own rule, an empty channel or
-- country stands for all of them. The key is what the rule is about, one after the other.
CREATE TABLE geo_rule (
	key         text COLLATE "C" PRIMARY KEY,
	account_sid text COLLATE "C" NOT NULL REFERENCES account (sid),
	service_sid text COLLATE "C" NOT NULL,
	channel     text NOT NULL,
	country     text NOT NULL,
	allowed     smallint NOT NULL
);
