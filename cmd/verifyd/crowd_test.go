//go:build full

package main

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
)

// seedFlag repeats the choices of a randomized run, though not its timing:
//
//	go test -tags full -run Order ./cmd/verifyd -seed 42
var seedFlag = flag.Uint64("seed", 0, "the `seed` of randomized runs; 0 takes a new one")

func seed(t *testing.T) uint64 {
	t.Helper()
	s := *seedFlag
	if s == 0 {
		s = rand.Uint64()
	}
	t.Logf("to choose the same again: -seed %d", s)
	return s
}

// crowd are clients that ask any of three nodes at random about a few numbers.
type crowd struct {
	history *history
	numbers []string
	// ask puts a question to a node. done is false if it is certain that nothing was done.
	ask func(node int, q question) (a answer, done bool)
	// codeFor is the latest code for a number, empty if there is none.
	codeFor func(to string) string

	stopped atomic.Bool
	clients sync.WaitGroup
}

const (
	crowded = 8 // clients
	// breath is the pause of a client whom a node turned away.
	breath = 20 * time.Millisecond
	// patience bounds that of a client who hangs up.
	patience = 5 * time.Millisecond
)

func (c *crowd) begin(seed uint64) {
	for client := range crowded {
		c.clients.Go(func() {
			choose := rand.New(rand.NewPCG(seed, uint64(client)))
			for !c.stopped.Load() {
				c.history.note(client, c.question(choose), func(q question) (answer, bool) {
					a, done := c.ask(choose.IntN(3), q)
					if !done {
						time.Sleep(breath)
					}
					return a, done
				})
			}
		})
	}
}

func (c *crowd) question(choose *rand.Rand) question {
	q := question{do: "start", to: c.numbers[choose.IntN(len(c.numbers))]}
	switch n := choose.IntN(100); {
	case n < 30:
	case n < 55:
		q.do, q.code = "check", noCode
	case n < 70:
		q.do, q.code = "check", c.codeFor(q.to)
		if q.code == "" {
			q.code = noCode
		}
	case n < 77:
		q.do = "cancel"
	default:
		q.do = "fetch"
	}
	if choose.IntN(100) == 0 {
		q.patience = 1 + time.Duration(choose.Int64N(int64(patience)))
	}
	return q
}

// stop waits for the clients to have their last answers.
func (c *crowd) stop() {
	c.stopped.Store(true)
	c.clients.Wait()
}

// askAll asks the same about every number, one after the other.
func (c *crowd) askAll(q question) {
	for i, to := range c.numbers {
		q.to = to
		c.history.note(crowded, q, func(q question) (answer, bool) { return c.ask(i%3, q) })
	}
}

// waitForAnswers waits until so many more requests were answered.
func (c *crowd) waitForAnswers(t *testing.T, more int) {
	t.Helper()
	enough := c.history.answered() + more
	waitFor(t, "answers", func() bool { return c.history.answered() >= enough || t.Failed() })
}

// note asks a question and remembers it with its answer, unless there is nothing to remember: it is
// certain that it was not done, or it was a fetch without an answer.
func (h *history) note(client int, q question, ask func(question) (a answer, done bool)) {
	call := time.Since(h.began)
	q.from = h.tick()
	a, done := ask(q)
	q.until = h.tick()
	if !done || a.unknown && q.do == "fetch" {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ops = append(h.ops, porcupine.Operation{
		ClientId: client, Input: q, Call: call.Nanoseconds(), Output: a, Return: time.Since(h.began).Nanoseconds(),
	})
}

// answered is how many requests were answered.
func (h *history) answered() (n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, op := range h.ops {
		if !op.Output.(answer).unknown {
			n++
		}
	}
	return n
}

// counts is how often each question had each answer.
func (h *history) counts() map[string]int {
	h.mu.Lock()
	defer h.mu.Unlock()
	counts := map[string]int{}
	for _, op := range h.ops {
		q, a := op.Input.(question), op.Output.(answer)
		what := a.status
		switch {
		case a.unknown:
			what = "unknown"
		case a.refused != 0:
			what = strings.TrimSpace(fmt.Sprint(a.refused, " ", a.reason))
		}
		counts[q.do+": "+what]++
	}
	return counts
}

// mustAccept fails the test if the history has no order.
func (h *history) mustAccept(t *testing.T) {
	t.Helper()
	began := time.Now()
	if err := h.accept(); err != nil {
		t.Error(err)
	}
	t.Logf("the checker took %s for %v", time.Since(began).Round(time.Millisecond), h.counts())
}
