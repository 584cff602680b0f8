-- +goose Up
-- The wrong codes that the challenges of a factor got.
ALTER TABLE factor ADD COLUMN guesses text NOT NULL DEFAULT '';
