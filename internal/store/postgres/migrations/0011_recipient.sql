-- +goose NO TRANSACTION
-- +goose Up
-- The index of 0001 under a condition in other words than those of the index by expiry (0010). While a table is new,
-- all of its indexes seem equally good to the planner, and it looked the current verification of a recipient up
-- through that one, at every start and check, reading all that there were, until the first ANALYZE. To is_current <> 0
-- that index does not apply; to the is_current = 1 of the release before, both do.
DROP INDEX CONCURRENTLY IF EXISTS verification_of_recipient; -- of a migration that was interrupted
CREATE UNIQUE INDEX CONCURRENTLY verification_of_recipient ON verification (service_sid, recipient) WHERE is_current <> 0;
DROP INDEX CONCURRENTLY IF EXISTS verification_current;
