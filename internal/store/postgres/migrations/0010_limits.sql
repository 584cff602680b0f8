-- +goose Up
-- The wrong codes that the challenges of a factor got.
ALTER TABLE factor ADD COLUMN guesses text NOT NULL DEFAULT '';

-- The meters of the device that all starts of a verification name, and of the known device that its wrong
-- codes are counted for. 0 is none.
ALTER TABLE verification ADD COLUMN device bigint NOT NULL DEFAULT 0;
ALTER TABLE verification ADD COLUMN payer bigint NOT NULL DEFAULT 0;
