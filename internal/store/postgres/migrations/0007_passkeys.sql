-- +goose Up
-- What a device calls its key; '' in every row that an older release writes.
ALTER TABLE factor ADD COLUMN credential text COLLATE "C" NOT NULL DEFAULT '';
-- A device names its key, and not its factor. Two registrations of one key meet in it.
CREATE UNIQUE INDEX factor_credential ON factor (credential, service_sid) WHERE credential <> '';

-- The table challenge says that an answer changes no column that an index has. That of a passkey does, where
-- the challenge named nobody: only then is it known whose it was.
