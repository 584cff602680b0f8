package postgres

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

const (
	// pollPause is the longest time until a change of the configuration on another node shows.
	pollPause = 500 * time.Millisecond
	// hintPause is the shortest time between two hints about one kind of job. Hints are sent apart
	// from the commit, because commits that notify wait for each other in the whole cluster.
	hintPause = 100 * time.Millisecond

	channel = "verifyd"
	notify  = `SELECT pg_notify('` + channel + `', $1)`
	about   = "config"
)

// hinted is when other nodes were last told of a kind of job.
type hinted struct {
	mu   sync.Mutex
	last map[string]time.Time
}

func newNode() string {
	var b [6]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// hint is what other nodes should look at after a commit: the node that says so, then "config" or
// kinds of jobs with a colon before each. It is a hint alone; who misses it polls.
func (s *Store) hint(b *batch) string {
	var words []string
	now := time.Now()
	s.hinted.mu.Lock()
	defer s.hinted.mu.Unlock()
	if s.hinted.last == nil {
		s.hinted.last = map[string]time.Time{}
	}
	for _, t := range b.accepted {
		if t.err != nil {
			continue
		}
		if t.tx.ConfigChanged() {
			words = append(words, about)
		}
		for _, kind := range t.tx.Kinds() {
			if now.Sub(s.hinted.last[kind]) >= hintPause {
				s.hinted.last[kind] = now
				words = append(words, ":"+kind)
			}
		}
	}
	if len(words) == 0 {
		return ""
	}
	return s.node + " " + strings.Join(words, " ")
}

// watch looks for what other nodes changed: at once where the database tells, by polling through a
// pooler, which does not pass notifications on.
func (s *Store) watch(ctx context.Context) {
	var c *conn
	defer func() {
		if c != nil {
			c.close()
		}
	}()
	complained := false
	for ctx.Err() == nil {
		var err error
		if c == nil {
			if c, err = s.connect(); err == nil && !c.pooled {
				_, err = c.run(statement{query: `LISTEN ` + channel})
			}
		}
		if err == nil {
			err = s.look(c)
		}
		if err != nil {
			if !complained {
				s.log.Warn("cannot look for changes of the configuration", "error", err)
			}
			if c != nil {
				c.close()
				c = nil
			}
			sleep(ctx, pollPause)
			complained = true
			continue
		}
		complained = false
		s.listen(ctx, c)
	}
}

// listen waits for a hint that the configuration has changed, or for the time to look again.
func (s *Store) listen(ctx context.Context, c *conn) {
	if c.pooled {
		sleep(ctx, pollPause)
		return
	}
	ctx, cancel := context.WithTimeout(ctx, pollPause)
	defer cancel()
	for {
		n, err := c.c.WaitForNotification(ctx)
		if err != nil { // the time is up, or look will say what is wrong
			return
		}
		if s.heard(n) {
			return
		}
	}
}

// heard passes a hint on, and reports whether the configuration has changed.
func (s *Store) heard(n *pgconn.Notification) (config bool) {
	node, words, _ := strings.Cut(n.Payload, " ")
	if n.Channel != channel || node == s.node {
		return false
	}
	for word := range strings.FieldsSeq(words) {
		if kind, found := strings.CutPrefix(word, ":"); found {
			s.wakeUp(kind)
		} else if word == about {
			config = true
		}
	}
	return config
}

// look reads the version of the configuration and the database's clock.
func (s *Store) look(c *conn) error {
	before := s.clock.local()
	answers, err := c.run(statement{query: `SELECT version, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint FROM config_version`})
	if err != nil {
		return err
	}
	after := s.clock.local()
	var version, micros int64
	if err := (firstRow{a: answers[0]}).Scan(&version, &micros); err != nil {
		return err
	}
	s.clock.sample(before, after, time.UnixMicro(micros))
	s.sawVersion(uint64(version))
	return nil
}

func sleep(ctx context.Context, pause time.Duration) {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
