-- +goose Up
CREATE TABLE template (
	sid         TEXT PRIMARY KEY,
	account_sid TEXT NOT NULL REFERENCES account (sid),
	name        TEXT NOT NULL,
	created_at  INTEGER NOT NULL,
	updated_at  INTEGER NOT NULL,
	content     TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX template_name ON template (account_sid, name);

-- id is the service's SID and the country, one after the other.
CREATE TABLE messaging_configuration (
	id                    TEXT PRIMARY KEY,
	service_sid           TEXT NOT NULL REFERENCES service (sid),
	account_sid           TEXT NOT NULL REFERENCES account (sid),
	country               TEXT NOT NULL,
	messaging_service_sid TEXT NOT NULL,
	created_at            INTEGER NOT NULL,
	updated_at            INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
