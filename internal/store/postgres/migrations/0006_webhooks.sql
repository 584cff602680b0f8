-- +goose Up
CREATE TABLE webhook (
	sid           text COLLATE "C" PRIMARY KEY,
	service_sid   text COLLATE "C" NOT NULL,
	account_sid   text COLLATE "C" NOT NULL,
	friendly_name text NOT NULL,
	event_types   text NOT NULL,
	url           text NOT NULL,
	status        text NOT NULL,
	version       text NOT NULL,
	created_at    bigint NOT NULL,
	updated_at    bigint NOT NULL
);
CREATE INDEX webhook_of_service ON webhook (service_sid, sid);

-- An event on its way to a webhook, or to the sink, which has no webhook_sid. id is the number in the
-- SID, which grows with time: rows are appended.
CREATE TABLE event_delivery (
	id          bigint PRIMARY KEY,
	sid         text COLLATE "C" NOT NULL,
	kind        text NOT NULL,
	webhook_sid text COLLATE "C" NOT NULL,
	service_sid text COLLATE "C" NOT NULL,
	account_sid text COLLATE "C" NOT NULL,
	event_type  text NOT NULL,
	uuid        text NOT NULL,
	body        text NOT NULL,
	state       text NOT NULL,
	tries       text NOT NULL,
	failures    integer NOT NULL,
	created_at  bigint NOT NULL,
	updated_at  bigint NOT NULL,
	give_up_at  bigint NOT NULL
) WITH (fillfactor = 75, autovacuum_vacuum_scale_factor = 0.02);
CREATE INDEX event_delivery_of_account ON event_delivery (account_sid, id);
