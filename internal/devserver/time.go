package devserver

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/verifyd/verifyd/internal/clock"
	"github.com/verifyd/verifyd/internal/journal"
	"github.com/verifyd/verifyd/internal/rules"
	"github.com/verifyd/verifyd/internal/server"
	"github.com/verifyd/verifyd/internal/verify"
)

// seededStart is where time stands still in a world that is the same in every run.
var seededStart = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// steer gives an engine a clock that can be moved.
func steer(e *verify.Engine, seed *uint64) (*clock.Clock, *clock.Random) {
	now, source := clock.New(e.Now), rand.Reader
	if seed != nil {
		now, source = clock.Stopped(seededStart, e.Now), clock.Seeded(*seed)
	}
	random := now.Random(source)
	e.Now, e.Random = now.Now, random
	return now, random
}

// duties are what time sets in motion in a server.
type duties struct {
	server   *server.Server
	happened *journal.Journal
	carrier  *rules.Carrier
}

// Next implements clock.Work.
func (d duties) Next(ctx context.Context) (due time.Time, found bool, err error) {
	due, found, err = d.server.NextDue(ctx)
	if end, ends := d.happened.NextEnd(""); ends && (!found || end.Before(due)) {
		due, found = end, true
	}
	if reports := d.carrier.Waiting(); len(reports) > 0 && (!found || reports[0].At.Before(due)) {
		due, found = reports[0].At, true
	}
	return due, found, err
}

// Settle implements clock.Work. A report may leave jobs behind, and a job may promise a report.
func (d duties) Settle(ctx context.Context) error {
	for {
		done := d.carrier.Done()
		if err := d.server.Settle(ctx); err != nil {
			return err
		}
		if err := d.carrier.Settle(ctx); err != nil || d.carrier.Done() == done {
			return err
		}
	}
}
