-- +goose Up
-- The wrong codes that the challenges of a factor got.
ALTER TABLE factor ADD COLUMN guesses text NOT NULL DEFAULT '';

-- The meters of the device that all starts of a verification name, and of the known device that its wrong
-- codes are counted for. 0 is none.
ALTER TABLE verification ADD COLUMN device bigint NOT NULL DEFAULT 0;
ALTER TABLE verification ADD COLUMN payer bigint NOT NULL DEFAULT 0;

-- Current verifications by the end of their time, so that the sweep finds those that are due. What is
-- inserted goes to the few pages of the present, and a check does not touch it.
CREATE INDEX verification_expiry ON verification (expires_at, id) WHERE is_current = 1;
