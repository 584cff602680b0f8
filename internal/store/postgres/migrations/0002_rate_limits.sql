-- +goose Up
CREATE TABLE rate_limit (
	sid         text COLLATE "C" PRIMARY KEY,
	service_sid text COLLATE "C" NOT NULL,
	account_sid text COLLATE "C" NOT NULL,
	unique_name text COLLATE "C" NOT NULL,
	description text NOT NULL,
	described   smallint NOT NULL,
	created_at  bigint NOT NULL,
	updated_at  bigint NOT NULL
);
CREATE UNIQUE INDEX rate_limit_name ON rate_limit (service_sid, unique_name);

CREATE TABLE bucket (
	sid            text COLLATE "C" PRIMARY KEY,
	rate_limit_sid text COLLATE "C" NOT NULL,
	service_sid    text COLLATE "C" NOT NULL,
	account_sid    text COLLATE "C" NOT NULL,
	max_starts     bigint NOT NULL,
	interval_s     bigint NOT NULL,
	created_at     bigint NOT NULL,
	updated_at     bigint NOT NULL
);
CREATE UNIQUE INDEX bucket_interval ON bucket (rate_limit_sid, interval_s);

-- What one value of one rate limit has spent. Rows are updated in place (HOT) while they count. No
-- index has their end, which every start of a window would have to change: a walk finds those that
-- are over.
CREATE TABLE meter (
	id      bigint PRIMARY KEY,
	windows text NOT NULL,
	ends_at bigint NOT NULL
) WITH (fillfactor = 75, autovacuum_vacuum_scale_factor = 0.02);

-- held_until keeps a verification current for the sake of the guesses in its history.
ALTER TABLE verification ADD COLUMN history text NOT NULL DEFAULT '';
ALTER TABLE verification ADD COLUMN held_until bigint NOT NULL DEFAULT 0;
