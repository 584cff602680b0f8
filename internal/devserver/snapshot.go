package devserver

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"sync"
	"time"

	"github.com/verifyd/verifyd/internal/clock"
	"github.com/verifyd/verifyd/internal/inbox"
	"github.com/verifyd/verifyd/internal/journal"
	"github.com/verifyd/verifyd/internal/rules"
)

// A snapshot is everything that a Server has: its records, which the store copies, and what is kept in memory
// beside them. After it was restored the same calls have the same answers; with a seed down to every SID and
// every code.

// parts are what a Server is made of beside its store.
type parts struct {
	clock    *clock.Clock
	random   *clock.Random
	work     duties
	happened *journal.Journal
	book     *rules.Book
	carrier  *rules.Carrier
	box      *inbox.Inbox
	handsets *devHandsets
	services *serviceClocks
}

// saved is what parts were once.
type saved struct {
	clock    clock.Saved
	random   []byte
	ends     journal.Saved
	book     rules.Saved
	reports  []rules.Waiting
	box      inbox.Saved
	handsets []byte
	ahead    map[string]time.Duration
}

func (p *parts) save() (s saved, err error) {
	s = saved{clock: p.clock.Save(), ends: p.happened.Save(), book: p.book.Save(), reports: p.carrier.Waiting(), box: p.box.Save(), ahead: p.services.Save()}
	if s.random, err = p.random.Save(); err != nil {
		return s, err
	}
	s.handsets, err = p.handsets.Save()
	return s, err
}

func (p *parts) restore(s saved) error {
	p.services.Restore(s.ahead)
	p.book.Restore(s.book)
	p.carrier.SetWaiting(s.reports)
	p.happened.Restore(s.ends)
	p.box.Restore(s.box)
	return errors.Join(p.random.Restore(s.random), p.handsets.Restore(s.handsets))
}

// maxSnapshots bounds what a server keeps.
const maxSnapshots = 20

var (
	snapshotName = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

	errName      = errors.New("a snapshot has a name of at most 64 letters, digits, dots, hyphens and underscores")
	errNone      = errors.New("there is no snapshot of this name")
	errSnapshots = fmt.Errorf("there are %d snapshots already; delete one", maxSnapshots)
)

// snapshots are those of a server, as long as it runs.
type snapshots struct {
	mu    sync.Mutex // held while one is taken or restored
	taken []snapshot // the oldest first
}

type snapshot struct {
	name   string
	number int // of the store's copy
	saved
}

// find is the place of a snapshot. The caller holds mu.
func (all *snapshots) find(name string) int {
	return slices.IndexFunc(all.taken, func(s snapshot) bool { return s.name == name })
}

// free is a number that no snapshot has. The caller holds mu.
func (all *snapshots) free() int {
	for n := 1; ; n++ {
		if !slices.ContainsFunc(all.taken, func(s snapshot) bool { return s.number == n }) {
			return n
		}
	}
}

// takeSnapshot takes a snapshot under a name, in the place of one that has it.
func (d *Server) takeSnapshot(ctx context.Context, name string) (snapshot, error) {
	all := &d.snapshots
	all.mu.Lock()
	defer all.mu.Unlock()
	i := all.find(name)
	switch {
	case !snapshotName.MatchString(name):
		return snapshot{}, errName
	case i < 0 && len(all.taken) >= maxSnapshots:
		return snapshot{}, errSnapshots
	}
	s := snapshot{name: name, number: all.free()}
	err := d.parts.clock.Hold(func() (err error) {
		if err = d.parts.work.Settle(ctx); err != nil {
			return err
		}
		if s.saved, err = d.parts.save(); err != nil {
			return err
		}
		return d.made.Store.SaveSnapshot(ctx, s.number)
	})
	if err != nil {
		return s, err
	}
	if i >= 0 {
		err = d.made.Store.DropSnapshot(ctx, all.taken[i].number)
		all.taken = slices.Delete(all.taken, i, i+1)
	}
	all.taken = append(all.taken, s)
	return s, err
}

// restoreSnapshot goes back to a snapshot. The clock is the first: what the others set in motion has to be due
// by it.
func (d *Server) restoreSnapshot(ctx context.Context, name string) (snapshot, error) {
	all := &d.snapshots
	all.mu.Lock()
	defer all.mu.Unlock()
	i := all.find(name)
	if i < 0 {
		return snapshot{}, errNone
	}
	s := all.taken[i]
	err := d.parts.clock.Hold(func() error {
		if err := d.parts.work.Settle(ctx); err != nil {
			return err
		}
		before := d.parts.clock.Save()
		d.parts.clock.Restore(s.clock)
		if err := d.made.Store.RestoreSnapshot(ctx, s.number); err != nil {
			d.parts.clock.Restore(before)
			return err
		}
		d.Engine.ForgetTime()
		err := d.parts.restore(s.saved)
		d.parts.clock.Restore(s.clock) // nothing has ticked since
		d.parts.happened.Add("restored", struct {
			Name string `json:"name"`
		}{s.name})
		return err
	})
	return s, err
}

// dropSnapshot forgets a snapshot.
func (d *Server) dropSnapshot(ctx context.Context, name string) error {
	all := &d.snapshots
	all.mu.Lock()
	defer all.mu.Unlock()
	i := all.find(name)
	if i < 0 {
		return errNone
	}
	number := all.taken[i].number
	all.taken = slices.Delete(all.taken, i, i+1)
	return d.made.Store.DropSnapshot(ctx, number)
}
