package sqlstore

import (
	"errors"
	"slices"
	"time"

	"github.com/verifyd/verifyd/internal/verify"
)

// A job that is being run is one whose due time lies in the future: claiming moves it there. If
// its worker dies, it becomes due again by itself.

// Enqueue implements verify.Tx.
func (t *Tx) Enqueue(j verify.Job) {
	if j.Runs == 0 {
		t.wake(j.Kind)
	}
	t.writeRow(`INSERT INTO job (id, kind, ref, due, runs, claimed) VALUES ($1, $2, $3, $4, $5, $6)`,
		j.ID, j.Kind, j.Ref, toMillis(j.Due), j.Runs, toBit(j.Runs > 0))
}

// FinishJob implements verify.Tx.
func (t *Tx) FinishJob(j verify.Job) { t.write(`DELETE FROM job WHERE id = $1`, j.ID) }

// DeferJob implements verify.Tx.
func (t *Tx) DeferJob(j verify.Job, due time.Time) {
	t.wake(j.Kind)
	t.write(`UPDATE job SET due = $2, claimed = 0 WHERE id = $1`, j.ID, toMillis(due))
}

// BuryJob takes a job out of the queue and keeps it for a person to look at.
func (t *Tx) BuryJob(j verify.Job, reason string) {
	t.write(`UPDATE job SET due = NULL, claimed = 0, buried = $2 WHERE id = $1`, j.ID, reason)
}

// wake notes that jobs of a kind have another due time than before.
func (t *Tx) wake(kind string) {
	if !slices.Contains(t.kinds, kind) {
		t.kinds = append(t.kinds, kind)
	}
}

const claimJobs = `UPDATE job SET due = $3, runs = runs + 1, claimed = 1
	WHERE id IN (SELECT id FROM job WHERE kind = $1 AND due <= $2 ORDER BY due, id LIMIT $4)
	RETURNING id, kind, ref, due, runs`

// claimJobsSkippingLocked passes over the jobs that another node is taking at the same moment.
// PostgreSQL returns updated rows in no order, and may run a subquery of IN more than once.
const claimJobsSkippingLocked = `WITH taken AS MATERIALIZED (
		SELECT id, due FROM job WHERE kind = $1 AND due <= $2 ORDER BY due, id LIMIT $4 FOR UPDATE SKIP LOCKED
	), claimed AS (
		UPDATE job SET due = $3, runs = job.runs + 1, claimed = 1 FROM taken WHERE job.id = taken.id
		RETURNING job.id, job.kind, job.ref, job.due, job.runs, taken.due AS was
	) SELECT id, kind, ref, due, runs FROM claimed ORDER BY was, id`

// ClaimJobs takes at most limit due jobs of a kind, the longest due first, and makes them due
// again at the end of the lease. Unlike other writes it happens at once, because the caller needs
// the rows.
func (t *Tx) ClaimJobs(kind string, now, lease time.Time, limit int) ([]verify.Job, error) {
	statement := claimJobs
	if t.dialect == Postgres {
		statement = claimJobsSkippingLocked
	}
	return list(t, func(row Row) (j verify.Job, err error) {
		var due int64
		err = row.Scan(&j.ID, &j.Kind, &j.Ref, &due, &j.Runs)
		j.Due = fromMillis(due)
		return j, err
	}, statement, kind, toMillis(now), toMillis(lease), limit)
}

// ReleaseJobs makes claimed jobs due at once. It is for the start of a process that is the
// database's only user: whoever claimed them is dead.
func (t *Tx) ReleaseJobs(now time.Time) {
	t.write(`UPDATE job SET due = $1, claimed = 0 WHERE claimed = 1`, toMillis(now))
}

// NextDue is when the next job of a kind is due.
func (t *Tx) NextDue(kind string) (due time.Time, found bool, err error) {
	var ms int64
	err = t.conn.QueryRow(`SELECT due FROM job WHERE kind = $1 AND due IS NOT NULL ORDER BY due LIMIT 1`, kind).Scan(&ms)
	if errors.Is(err, verify.ErrNotFound) {
		return time.Time{}, false, nil
	}
	return fromMillis(ms), err == nil, err
}

// ofService are the jobs about the records of a service, which is $1, that nobody is carrying out.
const ofService = `due IS NOT NULL AND claimed = 0 AND (
		ref IN (SELECT sid FROM attempt WHERE service_sid = $1) OR ref IN (SELECT sid FROM event_delivery WHERE service_sid = $1)
		OR ref IN (SELECT sid FROM notification WHERE service_sid = $1))`

// NextDueOfService is when the next job about the records of a service is due.
func (t *Tx) NextDueOfService(serviceSID string) (due time.Time, found bool, err error) {
	var jobs, ms int64
	err = t.conn.QueryRow(`SELECT count(*), coalesce(min(due), 0) FROM job WHERE `+ofService, serviceSID).Scan(&jobs, &ms)
	return fromMillis(ms), err == nil && jobs > 0, err
}

// HastenService has the jobs about the records of a service be due sooner.
func (t *Tx) HastenService(serviceSID string, by time.Duration) {
	t.many = true
	t.write(`UPDATE job SET due = due - $2 WHERE `+ofService, serviceSID, by.Milliseconds())
}
