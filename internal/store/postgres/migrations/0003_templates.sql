-- +goose Up
CREATE TABLE template (
	sid         text COLLATE "C" PRIMARY KEY,
	account_sid text COLLATE "C" NOT NULL REFERENCES account (sid),
	name        text COLLATE "C" NOT NULL,
	created_at  bigint NOT NULL,
	updated_at  bigint NOT NULL,
	content     text NOT NULL
);
CREATE UNIQUE INDEX template_name ON template (account_sid, name);

-- id is the service's SID and the country, one after the other.
CREATE TABLE messaging_configuration (
	id                    text COLLATE "C" PRIMARY KEY,
	service_sid           text COLLATE "C" NOT NULL REFERENCES service (sid),
	account_sid           text COLLATE "C" NOT NULL REFERENCES account (sid),
	country               text COLLATE "C" NOT NULL,
	messaging_service_sid text NOT NULL,
	created_at            bigint NOT NULL,
	updated_at            bigint NOT NULL
);
