-- +goose Up
-- What a device calls its key; '' in every row that an older release writes.
ALTER TABLE factor ADD COLUMN credential TEXT NOT NULL DEFAULT '';
-- A device names its key, and not its factor. Two registrations of one key meet in it.
CREATE UNIQUE INDEX factor_credential ON factor (credential, service_sid) WHERE credential <> '';
