-- +goose Up
-- identity_key is the identity in lower case. id is, here and below, the number in the SID, which grows
-- with time: rows are appended.
CREATE TABLE entity (
	id            INTEGER PRIMARY KEY,
	sid           TEXT NOT NULL,
	service_sid   TEXT NOT NULL,
	account_sid   TEXT NOT NULL,
	identity_key  TEXT NOT NULL,
	identity      TEXT NOT NULL,
	factors_made  INTEGER NOT NULL,
	factors_since INTEGER NOT NULL,
	created_at    INTEGER NOT NULL,
	updated_at    INTEGER NOT NULL
) STRICT;
-- Two simultaneous creations of one identity meet in it.
CREATE UNIQUE INDEX entity_identity ON entity (service_sid, identity_key);
CREATE INDEX entity_of_service ON entity (service_sid, id);
-- The entities that an account made in the last second, to limit them.
CREATE INDEX entity_of_account ON entity (account_sid, id);

CREATE TABLE factor (
	id            INTEGER PRIMARY KEY,
	sid           TEXT NOT NULL,
	entity_sid    TEXT NOT NULL,
	identity      TEXT NOT NULL,
	service_sid   TEXT NOT NULL,
	account_sid   TEXT NOT NULL,
	type          TEXT NOT NULL,
	friendly_name TEXT NOT NULL,
	status        TEXT NOT NULL,
	secret_sealed BLOB,
	config        TEXT NOT NULL,
	metadata      TEXT NOT NULL,
	wrong_answers INTEGER NOT NULL,
	spent_until   INTEGER NOT NULL,
	created_at    INTEGER NOT NULL,
	updated_at    INTEGER NOT NULL
) STRICT;
CREATE INDEX factor_of_entity ON factor (entity_sid, id);
-- A small index, of those alone that wait to be verified: most of them soon are, the others are dropped.
CREATE INDEX factor_unverified ON factor (id) WHERE status = 'unverified';

CREATE TABLE challenge (
	id             INTEGER PRIMARY KEY,
	sid            TEXT NOT NULL,
	factor_sid     TEXT NOT NULL,
	factor_type    TEXT NOT NULL,
	entity_sid     TEXT NOT NULL,
	identity       TEXT NOT NULL,
	service_sid    TEXT NOT NULL,
	account_sid    TEXT NOT NULL,
	status         TEXT NOT NULL,
	details        TEXT NOT NULL,
	hidden_details TEXT NOT NULL,
	metadata       TEXT NOT NULL,
	wrong_answers  INTEGER NOT NULL,
	created_at     INTEGER NOT NULL,
	updated_at     INTEGER NOT NULL,
	responded_at   INTEGER NOT NULL,
	expires_at     INTEGER NOT NULL
) STRICT;
CREATE INDEX challenge_of_entity ON challenge (entity_sid, id);
CREATE INDEX challenge_of_factor ON challenge (factor_sid, id);
