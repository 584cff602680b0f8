package delivery_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/verifyd/verifyd/internal/delivery"
	"github.com/verifyd/verifyd/internal/keyring"
	"github.com/verifyd/verifyd/internal/queue"
	"github.com/verifyd/verifyd/internal/store/sqlite"
	"github.com/verifyd/verifyd/internal/verify"
	"github.com/verifyd/verifyd/provider"
)

// network is a carrier that can be lost, and has a log of what it really took.
type network struct {
	mu    sync.Mutex
	mode  string
	asked int
	took  map[string][]time.Time // by attempt
}

func (n *network) become(mode string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.mode = mode
}

func (n *network) take(attempt string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.took[attempt] = append(n.took[attempt], time.Now())
}

func (n *network) Send(ctx context.Context, m provider.Message) (provider.Accepted, error) {
	n.mu.Lock()
	n.asked++
	mode, odd := n.mode, n.asked%2 == 1
	n.mu.Unlock()
	time.Sleep(20 * time.Millisecond)
	switch mode {
	case "refused":
		return provider.Accepted{}, &provider.Error{Class: provider.Temporary, Detail: "connection refused"}
	case "throttling":
		return provider.Accepted{}, &provider.Error{Class: provider.Throttled, RetryAfter: 5 * time.Second}
	case "cut", "silent":
		if odd { // of what was under way half had arrived
			n.take(m.Attempt)
		}
		if mode == "silent" {
			<-ctx.Done()
		}
		return provider.Accepted{}, &provider.Error{Class: provider.Unknown, Detail: "no answer"}
	}
	n.take(m.Attempt)
	return provider.Accepted{ID: m.Key}, nil
}

// A carrier is lost in mid-load, in each way and in all of them one after the other, and is there again.
// No verification is lost, nobody gets a message twice but by an outcome that nobody knew, what was surely
// not sent goes the other way within a second, and the traffic comes back by itself. Time is the
// bubble's.
func TestACarrierIsLostInMidLoad(t *testing.T) {
	for _, modes := range [][]string{{"cut"}, {"refused"}, {"silent"}, {"throttling"}, {"cut", "refused", "silent", "throttling"}} {
		t.Run(strings.Join(modes, ", "), func(t *testing.T) { synctest.Test(t, func(t *testing.T) { loseCarrier(t, modes) }) })
	}
}

func loseCarrier(t *testing.T, modes []string) {
	time.Sleep(time.Until(start)) // a bubble begins before the epoch of SIDs
	log := slog.New(slog.DiscardHandler)
	store, err := sqlite.Open(t.Context(), "memory:"+t.Name(), sqlite.Options{Now: time.Now, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	}()
	keys, err := keyring.Parse([]byte("1 " + strings.Repeat("42", 32)))
	if err != nil {
		t.Fatal(err)
	}
	e := verify.NewEngine(store, keys, time.Now, rand.Reader, func(verify.Channel) bool { return true })
	account, _, err := e.CreateAccount(t.Context(), "test", "", "")
	if err != nil {
		t.Fatal(err)
	}
	name, channel := "Acme", "sms"
	service, err := e.CreateService(t.Context(), account.SID, verify.ServiceParams{FriendlyName: &name})
	if err != nil {
		t.Fatal(err)
	}
	first, second := &network{took: map[string][]time.Time{}}, &network{took: map[string][]time.Time{}}
	worker := &delivery.Worker{
		Engine: e, Log: log, Now: time.Now, MostInFlight: 32,
		Routes: delivery.Routes{verify.SMS: delivery.Anywhere(delivery.Route{Name: "first", Provider: first}, delivery.Route{Name: "second", Provider: second})},
	}
	runner := queue.New(store, log, time.Now, queue.Lane{Kind: "sms", Worker: worker, Parallel: 64, Timeout: delivery.TurnTimeout(verify.SMS)})
	e.Lanes = runner
	ctx, stop := context.WithCancel(context.Background())
	stopped := make(chan struct{})
	go func() {
		runner.Run(ctx)
		close(stopped)
	}()
	defer func() {
		stop()
		<-stopped
	}()

	const perSecond = 20
	type message struct {
		attempt, mode string
		at            time.Time
	}
	var messages []message
	phase := func(mode string, length time.Duration) {
		first.become(mode)
		for until := time.Now().Add(length); time.Now().Before(until); time.Sleep(time.Second / perSecond) {
			to := fmt.Sprintf("+346%08d", 40_000_000+len(messages))
			v, err := e.StartVerification(t.Context(), account.SID, service.SID, verify.StartParams{To: &to, Channel: &channel})
			if err != nil {
				t.Fatal(err)
			}
			messages = append(messages, message{v.Sends[0].AttemptSID, mode, time.Now()})
		}
	}
	phase("", 5*time.Second)
	for _, mode := range modes {
		phase(mode, 20*time.Second)
	}
	phase("", time.Minute)
	time.Sleep(time.Minute) // what waits comes to its end

	late, soonest, byFirst := 0, 0, 0
	for i, m := range messages {
		var a *verify.Attempt
		if err := store.View(t.Context(), func(tx verify.Tx) (err error) {
			a, err = tx.Attempt(m.attempt)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		story := a.Story.Steps()
		unknown := 0
		for _, s := range story {
			if s.Outcome == "unknown" {
				unknown++
			}
		}
		got := append(first.took[m.attempt], second.took[m.attempt]...)
		if len(got) == 0 || a.State != verify.AttemptSent {
			t.Errorf("message %d, while the carrier was %q, is lost: %s, %+v", i, m.mode, a.State, story)
		}
		if len(got) > 1+min(unknown, 1) {
			t.Errorf("message %d went out %d times with %d unknown outcomes: %+v", i, len(got), unknown, story)
		}
		if len(got) > 0 && unknown == 0 {
			soonest++
			if got[0].Sub(m.at) > time.Second {
				late++
			}
		}
		if i >= len(messages)-20*perSecond && a.Provider == "first" {
			byFirst++
		}
	}
	if late*100 > soonest {
		t.Errorf("%d of %d messages whose outcome was never unknown took more than a second", late, soonest)
	}
	if byFirst < 19*perSecond {
		t.Errorf("of the last %d messages %d went by the carrier that is back", 20*perSecond, byFirst)
	}
	unsure := len(messages) - soonest
	if unsure > 64 {
		t.Errorf("of %d messages %d had an unknown outcome: the carrier was not left alone", len(messages), unsure)
	}
	t.Logf("%d messages, %d of unknown outcome, %d later than a second; the lost carrier was asked %d times", len(messages), unsure, late, first.asked)
}
