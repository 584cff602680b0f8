-- +goose Up
-- credential_sid is the name under which the device of a push factor signs, '' of other factors.
ALTER TABLE factor ADD COLUMN credential_sid TEXT NOT NULL DEFAULT '';
CREATE UNIQUE INDEX factor_device ON factor (credential_sid) WHERE credential_sid <> '';
ALTER TABLE challenge ADD COLUMN resends INTEGER NOT NULL DEFAULT 0;

-- What tells a handset that there is a challenge. id is, here and below, the number in the SID, which
-- grows with time: rows are appended.
CREATE TABLE notification (
	id            INTEGER PRIMARY KEY,
	sid           TEXT NOT NULL,
	challenge_sid TEXT NOT NULL,
	factor_sid    TEXT NOT NULL,
	entity_sid    TEXT NOT NULL,
	identity      TEXT NOT NULL,
	service_sid   TEXT NOT NULL,
	account_sid   TEXT NOT NULL,
	ttl           INTEGER NOT NULL,
	state         TEXT NOT NULL,
	provider      TEXT NOT NULL,
	provider_id   TEXT NOT NULL,
	error_code    TEXT NOT NULL,
	error_class   TEXT NOT NULL,
	hand_overs    INTEGER NOT NULL,
	created_at    INTEGER NOT NULL,
	updated_at    INTEGER NOT NULL
) STRICT;

-- What lets a device make a factor. The token is kept for the few minutes in which it may be asked for.
CREATE TABLE access_token (
	id            INTEGER PRIMARY KEY,
	sid           TEXT NOT NULL,
	service_sid   TEXT NOT NULL,
	account_sid   TEXT NOT NULL,
	identity      TEXT NOT NULL,
	factor_type   TEXT NOT NULL,
	friendly_name TEXT NOT NULL,
	ttl           INTEGER NOT NULL,
	token_sealed  BLOB,
	created_at    INTEGER NOT NULL
) STRICT;
