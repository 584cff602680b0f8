-- +goose Up
-- The index of 0010 under a condition that the look-up of a recipient's current verification does not have.
-- PostgreSQL says why; here it changes nothing.
DROP INDEX verification_expiry;
CREATE INDEX verification_due ON verification (expires_at, id) WHERE is_current = 1 AND expires_at > 0;
