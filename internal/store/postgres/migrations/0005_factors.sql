-- +goose Up
-- identity_key is the identity in lower case. id is, here and below, the number in the SID, which grows
-- with time: rows are appended.
CREATE TABLE entity (
	id            bigint PRIMARY KEY,
	sid           text COLLATE "C" NOT NULL,
	service_sid   text COLLATE "C" NOT NULL,
	account_sid   text COLLATE "C" NOT NULL,
	identity_key  text COLLATE "C" NOT NULL,
	identity      text NOT NULL,
	factors_made  integer NOT NULL,
	factors_since bigint NOT NULL,
	created_at    bigint NOT NULL,
	updated_at    bigint NOT NULL
) WITH (fillfactor = 75, autovacuum_vacuum_scale_factor = 0.02);
-- Two simultaneous creations of one identity meet in it.
CREATE UNIQUE INDEX entity_identity ON entity (service_sid, identity_key);
CREATE INDEX entity_of_service ON entity (service_sid, id);
-- The entities that an account made in the last second, to limit them.
CREATE INDEX entity_of_account ON entity (account_sid, id);

CREATE TABLE factor (
	id            bigint PRIMARY KEY,
	sid           text COLLATE "C" NOT NULL,
	entity_sid    text COLLATE "C" NOT NULL,
	identity      text NOT NULL,
	service_sid   text COLLATE "C" NOT NULL,
	account_sid   text COLLATE "C" NOT NULL,
	type          text NOT NULL,
	friendly_name text NOT NULL,
	status        text NOT NULL,
	secret_sealed bytea,
	config        text NOT NULL,
	metadata      text NOT NULL,
	wrong_answers integer NOT NULL,
	spent_until   bigint NOT NULL,
	created_at    bigint NOT NULL,
	updated_at    bigint NOT NULL
) WITH (fillfactor = 75, autovacuum_vacuum_scale_factor = 0.02);
CREATE INDEX factor_of_entity ON factor (entity_sid, id);
-- A small index, of those alone that wait to be verified: most of them soon are, the others are dropped.
CREATE INDEX factor_unverified ON factor (id) WHERE status = 'unverified';

-- An answer changes no column that an index has (see table verification).
CREATE TABLE challenge (
	id             bigint PRIMARY KEY,
	sid            text COLLATE "C" NOT NULL,
	factor_sid     text COLLATE "C" NOT NULL,
	factor_type    text NOT NULL,
	entity_sid     text COLLATE "C" NOT NULL,
	identity       text NOT NULL,
	service_sid    text COLLATE "C" NOT NULL,
	account_sid    text COLLATE "C" NOT NULL,
	status         text NOT NULL,
	details        text NOT NULL,
	hidden_details text NOT NULL,
	metadata       text NOT NULL,
	wrong_answers  integer NOT NULL,
	created_at     bigint NOT NULL,
	updated_at     bigint NOT NULL,
	responded_at   bigint NOT NULL,
	expires_at     bigint NOT NULL
) WITH (fillfactor = 75, autovacuum_vacuum_scale_factor = 0.02);
CREATE INDEX challenge_of_entity ON challenge (entity_sid, id);
CREATE INDEX challenge_of_factor ON challenge (factor_sid, id);
