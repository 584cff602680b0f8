package inbox

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestHTTPWaitAnswersWhenTheMessageArrives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := New(Options{})
		s := startServer(t, in)
		last := send(t, in, textTo("+34612345678", "1"))
		if got := s.list(t.Context(), "to=+34612345678&wait=10s"); got != "1" {
			t.Errorf("with a message there: got %q, want 1", got)
		}

		got := make(chan string)
		go func() { got <- s.list(t.Context(), "to=+34612345678&wait=10s&after="+last) }()
		synctest.Wait()
		send(t, in, textTo("+34699999999", "another's"))
		send(t, in, textTo("+34612345678", "2"))
		if got := <-got; got != "2" {
			t.Errorf("after the first: got %q, want 2", got)
		}
	})
}

func TestHTTPWaitAnswersNothingWhenTheTimeIsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startServer(t, New(Options{}))
		// Longer than the server's own time-outs, and longer than is allowed.
		for wait, want := range map[string]time.Duration{"20s": 20 * time.Second, "5m": time.Minute, "0s": 0} {
			start := time.Now() // the bubble's clock
			if got := s.list(t.Context(), "to=+34612345678&wait="+wait); got != "" {
				t.Errorf("wait=%s: got %q, want nothing", wait, got)
			}
			if got := time.Since(start); got != want {
				t.Errorf("wait=%s took %v, want %v", wait, got, want)
			}
		}
	})
}

func TestHundredParallelHTTPWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := New(Options{})
		s := startServer(t, in)
		var waits sync.WaitGroup
		for i := range 100 {
			waits.Go(func() {
				if got := s.list(t.Context(), fmt.Sprintf("to=%%2B346%08d&wait=60s", i)); got != fmt.Sprint(i) {
					t.Errorf("wait %d: got %q", i, got)
				}
			})
		}
		synctest.Wait()
		if n := len(in.watchers); n != 100 {
			t.Fatalf("%d destinations are watched, want 100", n)
		}
		for i := 99; i >= 0; i-- {
			send(t, in, textTo(fmt.Sprintf("+346%08d", i), fmt.Sprint(i)))
		}
		waits.Wait()
		synctest.Wait()
		if n := len(in.watchers); n != 0 {
			t.Errorf("%d destinations are still watched", n)
		}
	})
}

func TestHTTPWaitEndsWhenTheClientHangsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := New(Options{})
		s := startServer(t, in)
		ctx, hangUp := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() {
			r, _ := http.NewRequestWithContext(ctx, http.MethodGet, "http://inbox.test/dev/inbox?wait=60s", nil)
			_, err := s.client.Do(r)
			ended <- err
		}()
		synctest.Wait()
		if n := len(in.watchers); n != 1 {
			t.Fatalf("%d destinations are watched, want 1", n)
		}
		hangUp()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("client: %v", err)
		}
		synctest.Wait()
		if n := len(in.watchers); n != 0 {
			t.Errorf("the waiter of a client that hung up is still there")
		}
	})
}

func TestShutdownFreesWaitsAndStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := New(Options{})
		s := startServer(t, in)
		stream := s.events("")
		var waits sync.WaitGroup
		waits.Go(func() { stream.want("(end)") })
		for range 20 {
			waits.Go(func() {
				if got := s.list(t.Context(), "wait=60s"); got != "503 Service Unavailable" {
					t.Errorf("wait: got %q, want 503 Service Unavailable", got)
				}
			})
		}
		synctest.Wait()
		start := time.Now()
		if err := s.http.Shutdown(t.Context()); err != nil {
			t.Errorf("shut down: %v", err)
		}
		waits.Wait()
		// Shutdown looks twice a second whether the connections are idle; nobody's wait is as short.
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("shutting down took %v", took)
		}
		if n := len(in.watchers); n != 0 {
			t.Errorf("%d destinations are still watched", n)
		}
	})
}

func TestClosedInboxRefusesToWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := New(Options{})
		s := startServer(t, in)
		in.Close()
		if got := s.list(t.Context(), "wait=60s"); got != "503 Service Unavailable" {
			t.Errorf("wait: got %q", got)
		}
		resp := s.request(t.Context(), http.MethodGet, "/dev/inbox/events")
		resp.Body.Close()
		if resp.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("events: got %s", resp.Status)
		}
		send(t, in, textTo("+34612345678", "1"))
		if got := s.list(t.Context(), "wait=60s"); got != "1" {
			t.Errorf("what is there already: got %q, want 1", got)
		}
	})
}
