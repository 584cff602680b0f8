-- +goose Up
CREATE TABLE webhook (
	sid           TEXT PRIMARY KEY,
	service_sid   TEXT NOT NULL,
	account_sid   TEXT NOT NULL,
	friendly_name TEXT NOT NULL,
	event_types   TEXT NOT NULL,
	url           TEXT NOT NULL,
	status        TEXT NOT NULL,
	version       TEXT NOT NULL,
	created_at    INTEGER NOT NULL,
	updated_at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX webhook_of_service ON webhook (service_sid, sid);

-- An event on its way to a webhook, or to the sink, which has no webhook_sid. id is the number in the
-- SID, which grows with time: rows are appended.
CREATE TABLE event_delivery (
	id          INTEGER PRIMARY KEY,
	sid         TEXT NOT NULL,
	kind        TEXT NOT NULL,
	webhook_sid TEXT NOT NULL,
	service_sid TEXT NOT NULL,
	account_sid TEXT NOT NULL,
	event_type  TEXT NOT NULL,
	uuid        TEXT NOT NULL,
	body        TEXT NOT NULL,
	state       TEXT NOT NULL,
	tries       TEXT NOT NULL,
	failures    INTEGER NOT NULL,
	created_at  INTEGER NOT NULL,
	updated_at  INTEGER NOT NULL,
	give_up_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX event_delivery_of_account ON event_delivery (account_sid, id);
