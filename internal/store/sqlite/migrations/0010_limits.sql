-- +goose Up
-- The wrong codes that the challenges of a factor got.
ALTER TABLE factor ADD COLUMN guesses TEXT NOT NULL DEFAULT '';

-- The meters of the device that all starts of a verification name, and of the known device that its wrong
-- codes are counted for. 0 is none.
ALTER TABLE verification ADD COLUMN device INTEGER NOT NULL DEFAULT 0;
ALTER TABLE verification ADD COLUMN payer INTEGER NOT NULL DEFAULT 0;
