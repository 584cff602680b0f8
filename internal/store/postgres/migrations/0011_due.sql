-- +goose NO TRANSACTION
-- +goose Up
-- The index of 0010 under a condition that the look-up of a recipient's current verification does not have.
-- While a table is new, all of its indexes seem equally good to the planner, and it read every current
-- verification through that one, at every start and check, until the first ANALYZE.
DROP INDEX CONCURRENTLY IF EXISTS verification_due; -- of a migration that was interrupted
CREATE INDEX CONCURRENTLY verification_due ON verification (expires_at, id) WHERE is_current = 1 AND expires_at > 0;
DROP INDEX CONCURRENTLY IF EXISTS verification_expiry;
