-- +goose Up
CREATE TABLE config_version (version bigint NOT NULL);
INSERT INTO config_version (version) VALUES (1);

-- Keys compare byte by byte, as they do in Go and in SQLite.
CREATE TABLE account (
	sid          text COLLATE "C" PRIMARY KEY,
	name         text NOT NULL,
	token_hash   bytea NOT NULL,
	token_sealed bytea NOT NULL,
	created_at   bigint NOT NULL
);

CREATE TABLE api_key (
	sid         text COLLATE "C" PRIMARY KEY,
	account_sid text COLLATE "C" NOT NULL REFERENCES account (sid),
	name        text NOT NULL,
	secret_hash bytea NOT NULL,
	created_at  bigint NOT NULL
);

CREATE TABLE service (
	sid         text COLLATE "C" PRIMARY KEY,
	account_sid text COLLATE "C" NOT NULL REFERENCES account (sid),
	created_at  bigint NOT NULL,
	updated_at  bigint NOT NULL,
	settings    text NOT NULL
);
CREATE INDEX service_of_account ON service (account_sid, sid);

-- id is the number in the SID, which grows with time: rows are appended. A check changes no column
-- that an index has, so its new version of the row goes into the free quarter of the page (HOT) and
-- touches no index. Old rows are deleted, and the table is vacuumed before they pile up.
CREATE TABLE verification (
	id          bigint PRIMARY KEY,
	sid         text COLLATE "C" NOT NULL,
	service_sid text COLLATE "C" NOT NULL,
	account_sid text COLLATE "C" NOT NULL,
	recipient   text COLLATE "C" NOT NULL,
	to_address  text NOT NULL,
	country     text NOT NULL,
	channel     text NOT NULL,
	status      text NOT NULL,
	sends       text NOT NULL,
	checks      integer NOT NULL,
	max_sends   integer NOT NULL,
	max_checks  integer NOT NULL,
	code_length integer NOT NULL,
	code_mac    bytea,
	code_sealed bytea,
	amount      text NOT NULL,
	payee       text NOT NULL,
	created_at  bigint NOT NULL,
	updated_at  bigint NOT NULL,
	expires_at  bigint NOT NULL,
	is_current  smallint NOT NULL
) WITH (fillfactor = 75, autovacuum_vacuum_scale_factor = 0.02);
-- A small index, of current verifications alone: two simultaneous starts for one recipient meet in it.
CREATE UNIQUE INDEX verification_current ON verification (service_sid, recipient) WHERE is_current = 1;
-- Payments whose amount and payee are still there, to find those that have reached their age.
CREATE INDEX verification_payment ON verification (expires_at) WHERE amount <> '';

-- Every day has a partition of its own (attempt_YYYYMMDD), dropped as a whole when it is old. What
-- finds none is kept in the default partition.
CREATE TABLE attempt (
	id               bigint PRIMARY KEY,
	sid              text COLLATE "C" NOT NULL,
	verification_sid text COLLATE "C" NOT NULL,
	service_sid      text COLLATE "C" NOT NULL,
	account_sid      text COLLATE "C" NOT NULL,
	channel          text NOT NULL,
	to_address       text NOT NULL,
	country          text NOT NULL,
	code_length      integer NOT NULL,
	created_at       bigint NOT NULL,
	updated_at       bigint NOT NULL,
	locale           text NOT NULL,
	brand            text NOT NULL,
	options          text NOT NULL,
	state            text NOT NULL,
	route            integer NOT NULL,
	provider         text NOT NULL,
	provider_id      text NOT NULL,
	error_code       text NOT NULL,
	error_class      text NOT NULL,
	hand_overs       integer NOT NULL
) PARTITION BY RANGE (id);
CREATE TABLE attempt_default PARTITION OF attempt DEFAULT WITH (fillfactor = 75);

-- id is the number in the SID that ref is. due is NULL for a job that was buried. A job that is
-- being run is due at the end of its lease. Rows come and go quickly, so the table is vacuumed long before a fifth of it is dead.
CREATE TABLE job (
	id      bigint PRIMARY KEY,
	kind    text COLLATE "C" NOT NULL,
	ref     text NOT NULL,
	due     bigint,
	runs    integer NOT NULL,
	claimed smallint NOT NULL,
	buried  text
) WITH (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 5000);
CREATE INDEX job_due ON job (kind, due) WHERE due IS NOT NULL;

-- Every commit leaves a random mark here in place of the writer's last one. Where the answer to a
-- COMMIT is lost, its mark says whether it came about; a fenced mark was put by the one who asked,
-- and keeps a COMMIT that is still on its way from coming about.
CREATE TABLE commit_mark (
	mark   bytea PRIMARY KEY,
	at     bigint NOT NULL,
	fenced smallint NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
