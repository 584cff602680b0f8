package devserver

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/verifyd/verifyd/internal/clock"
	"github.com/verifyd/verifyd/internal/factor"
	"github.com/verifyd/verifyd/internal/inbox"
	"github.com/verifyd/verifyd/internal/verify"
	"github.com/verifyd/verifyd/provider"
)

// The time of one service can be moved on alone: it is then ahead of the server's by so much, for good. Its
// calls are answered and its jobs are carried out by an engine with that time, and by the same code.
//
// There is one queue, in the order of the server's time. So jobs and reports of the service stand in it by that:
// what is due by the service's time is written down so much sooner, and what waits is brought forward when
// the service is moved on. A service cannot stand still while others go on, because its work would have to be
// taken out of the queue; the server can, and then every service moves alone.

// serviceClocks are the clocks of the services that were moved on.
type serviceClocks struct {
	base   *clock.Clock   // of the server
	engine *verify.Engine // likewise
	parts  *parts
	store  Store

	mu sync.Mutex
	by map[string]*serviceClock // by SID, ever
}

// serviceClock is that of one service. It implements clock.Work, for itself.
type serviceClock struct {
	*clock.Clock
	all    *serviceClocks
	sid    string
	engine *verify.Engine
	// hastened is by how much its jobs and reports were brought forward, in whole milliseconds. It is
	// changed by whoever holds the server's clock.
	hastened time.Duration
}

// of is the clock of a service; it is ahead by nothing until it is moved.
func (all *serviceClocks) of(serviceSID string) *serviceClock {
	all.mu.Lock()
	defer all.mu.Unlock()
	c, known := all.by[serviceSID]
	if !known {
		c = &serviceClock{Clock: clock.NewAhead(all.base), all: all, sid: serviceSID}
		c.engine = all.engine.At(c.Now, sooner{all.engine.Store, c.Ahead})
		all.by[serviceSID] = c
	}
	return c
}

// ahead is how far a service is ahead of the server.
func (all *serviceClocks) ahead(serviceSID string) time.Duration {
	all.mu.Lock()
	defer all.mu.Unlock()
	if c, known := all.by[serviceSID]; known {
		return c.Ahead()
	}
	return 0
}

// engineOf is server.Server.EngineOf.
func (all *serviceClocks) engineOf(serviceSID string) *verify.Engine {
	all.mu.Lock()
	defer all.mu.Unlock()
	var found *serviceClock
	for sid, c := range all.by {
		if (serviceSID == "" || serviceSID == sid) && c.Ahead() > 0 && (found == nil || c.Ahead() > found.Ahead()) {
			found = c
		}
	}
	if found == nil {
		return nil
	}
	return found.engine
}

// engineOfService is the engine of a service, the server's if it has no time of its own.
func (all *serviceClocks) engineOfService(serviceSID string) *verify.Engine {
	if e := all.engineOf(serviceSID); e != nil {
		return e
	}
	return all.engine
}

// about is the engine of the service that a record belongs to.
func (all *serviceClocks) about(ctx context.Context, recordSID string) *verify.Engine {
	if all.engineOf("") != nil {
		if service, err := factor.NewEngine(all.engine).ServiceOf(ctx, recordSID); err == nil && service != "" {
			return all.engineOfService(service)
		}
	}
	return all.engine
}

// Save is how far services are ahead.
func (all *serviceClocks) Save() map[string]time.Duration {
	all.mu.Lock()
	defer all.mu.Unlock()
	saved := map[string]time.Duration{}
	for sid, c := range all.by {
		saved[sid] = c.Ahead()
	}
	return saved
}

// Restore has services be ahead as they were, with the queue as it was. Nil is none.
func (all *serviceClocks) Restore(saved map[string]time.Duration) {
	all.mu.Lock()
	defer all.mu.Unlock()
	for sid, c := range all.by {
		c.hastened = saved[sid]
		c.SetAhead(saved[sid])
	}
}

// Next implements clock.Work: it is when something of the service is due next, by its time.
func (c *serviceClock) Next(ctx context.Context) (due time.Time, found bool, err error) {
	due, found, err = c.all.store.NextDueOfService(ctx, c.sid)
	if end, ends := c.all.parts.happened.NextEnd(c.sid); ends && (!found || end.Before(due)) {
		due, found = end, true
	}
	for _, report := range c.all.parts.carrier.Waiting() {
		if report.Service == c.sid && (!found || report.At.Before(due)) {
			due, found = report.At, true
		}
	}
	return due.Add(c.Ahead()), found, err
}

// Settle implements clock.Work. The queue counts in milliseconds, and nothing is late by less than one.
func (c *serviceClock) Settle(ctx context.Context) error {
	if by := (c.Ahead() - c.hastened + time.Millisecond - 1).Truncate(time.Millisecond); by > 0 {
		if err := c.all.store.HastenService(ctx, c.sid, by); err != nil {
			return err
		}
		c.all.parts.carrier.Hasten(c.sid, by)
		c.hastened += by
	}
	return c.all.parts.work.Settle(ctx)
}

// sooner is a store on which jobs are due sooner than an engine with another time says.
type sooner struct {
	verify.Store
	by func() time.Duration
}

// Update implements verify.Store.
func (s sooner) Update(ctx context.Context, fn func(verify.Tx) error) error {
	return s.Store.Update(ctx, factor.InTx(func(tx factor.Tx) error { return fn(soonerTx{tx, s.by()}) }))
}

type soonerTx struct {
	factor.Tx
	by time.Duration
}

// Enqueue implements verify.Tx. A job that was born claimed is due at the end of its lease, which the queue has
// said.
func (tx soonerTx) Enqueue(j verify.Job) {
	if j.Runs == 0 {
		j.Due = j.Due.Add(-tx.by)
	}
	tx.Tx.Enqueue(j)
}

// DeferJob implements verify.Tx.
func (tx soonerTx) DeferJob(j verify.Job, due time.Time) { tx.Tx.DeferJob(j, due.Add(-tx.by)) }

// byServerTime is the inbox, which shows when a code expires by the server's time.
type byServerTime struct {
	*inbox.Inbox
	clocks *serviceClocks
}

// Send implements provider.Provider.
func (b byServerTime) Send(ctx context.Context, m provider.Message) (provider.Accepted, error) {
	if b.clocks.engineOf("") != nil && !m.Deadline.IsZero() {
		m.Deadline = m.Deadline.Add(-b.clocks.ahead(b.clocks.serviceOf(ctx, m)))
	}
	return b.Inbox.Send(ctx, m)
}

// serviceOf is the service of a message, "" if nobody knows it.
func (all *serviceClocks) serviceOf(ctx context.Context, m provider.Message) string {
	record := m.Verification
	if record == "" {
		record = m.Attempt
	}
	service, err := factor.NewEngine(all.engine).ServiceOf(ctx, record)
	if err != nil {
		return ""
	}
	return service
}

// serveService is /dev/clock with the parameter service: that of one service, which can be moved on.
func (d *Server) serveService(w http.ResponseWriter, r *http.Request, serviceSID string) {
	_, err := d.Engine.Service(r.Context(), d.World.Account, serviceSID)
	_, refused := errors.AsType[*verify.Error](err)
	switch {
	case refused:
		refuse(w, 20404, http.StatusNotFound, "There is no service "+serviceSID)
		return
	case err != nil:
		refuse(w, 20500, http.StatusInternalServerError, "An internal server error has occurred")
		return
	case r.Form.Has("freeze") || r.Form.Has("resume"):
		refuse(w, 60200, http.StatusBadRequest, "Only the whole server stands still: freeze it, and move the service on")
		return
	}
	r.Form.Del("service")
	c := d.services.of(serviceSID)
	h := c.Handler(c)
	if r.Method != http.MethodPost {
		h.ServeHTTP(w, r)
		return
	}
	_ = d.parts.clock.Hold(func() error {
		h.ServeHTTP(w, r)
		return nil
	})
}

// serviceTime is a service as /dev/clock/services lists it.
type serviceTime struct {
	SID          string    `json:"sid"`
	FriendlyName string    `json:"friendly_name"`
	Now          time.Time `json:"now"`
}

// serveServices is GET /dev/clock/services: what could be moved on.
func (d *Server) serveServices(w http.ResponseWriter, r *http.Request) {
	all, err := d.Engine.AllServices(r.Context(), d.World.Account)
	if err != nil {
		refuse(w, 20500, http.StatusInternalServerError, "An internal server error has occurred")
		return
	}
	list := []serviceTime{}
	for i := range all {
		now := d.parts.clock.Now().Add(d.services.ahead(all[i].SID))
		list = append(list, serviceTime{all[i].SID, all[i].FriendlyName, now.UTC().Truncate(time.Millisecond)})
	}
	slices.SortFunc(list, func(a, b serviceTime) int {
		return strings.Compare(a.FriendlyName+a.SID, b.FriendlyName+b.SID)
	})
	write(w, http.StatusOK, map[string][]serviceTime{"services": list})
}
