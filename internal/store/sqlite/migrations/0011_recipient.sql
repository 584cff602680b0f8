-- +goose Up
-- The index of 0001 under a condition in other words than those of the index by expiry. PostgreSQL says why; here
-- it changes nothing.
CREATE UNIQUE INDEX verification_of_recipient ON verification (service_sid, recipient) WHERE is_current <> 0;
DROP INDEX verification_current;
