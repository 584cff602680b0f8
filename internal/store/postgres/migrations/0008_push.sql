-- +goose Up
-- credential_sid is the name under which the device of a push factor signs, '' of other factors.
ALTER TABLE factor ADD COLUMN credential_sid text COLLATE "C" NOT NULL DEFAULT '';
CREATE UNIQUE INDEX factor_device ON factor (credential_sid) WHERE credential_sid <> '';
ALTER TABLE challenge ADD COLUMN resends integer NOT NULL DEFAULT 0;

-- What tells a handset that there is a challenge. id is, here and below, the number in the SID, which
-- grows with time: rows are appended.
CREATE TABLE notification (
	id            bigint PRIMARY KEY,
	sid           text COLLATE "C" NOT NULL,
	challenge_sid text COLLATE "C" NOT NULL,
	factor_sid    text COLLATE "C" NOT NULL,
	entity_sid    text COLLATE "C" NOT NULL,
	identity      text NOT NULL,
	service_sid   text COLLATE "C" NOT NULL,
	account_sid   text COLLATE "C" NOT NULL,
	ttl           bigint NOT NULL,
	state         text NOT NULL,
	provider      text NOT NULL,
	provider_id   text NOT NULL,
	error_code    text NOT NULL,
	error_class   text NOT NULL,
	hand_overs    integer NOT NULL,
	created_at    bigint NOT NULL,
	updated_at    bigint NOT NULL
) WITH (fillfactor = 75, autovacuum_vacuum_scale_factor = 0.02);

-- What lets a device make a factor. The token is kept for the few minutes in which it may be asked for.
CREATE TABLE access_token (
	id            bigint PRIMARY KEY,
	sid           text COLLATE "C" NOT NULL,
	service_sid   text COLLATE "C" NOT NULL,
	account_sid   text COLLATE "C" NOT NULL,
	identity      text NOT NULL,
	factor_type   text NOT NULL,
	friendly_name text NOT NULL,
	ttl           bigint NOT NULL,
	token_sealed  bytea,
	created_at    bigint NOT NULL
) WITH (fillfactor = 75, autovacuum_vacuum_scale_factor = 0.02);
