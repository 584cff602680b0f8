package webhook

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/queue"
	"github.com/verifyd/verifyd/internal/verify"
)

// hanging is the way to receivers that do not answer before they are released, and to others that do.
type hanging struct{ asked, release, well chan struct{} }

func (h *hanging) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasPrefix(r.URL.Host, "hangs") {
		h.asked <- struct{}{}
		<-h.release
	} else {
		h.well <- struct{}{}
	}
	return &http.Response{StatusCode: http.StatusNoContent, Body: http.NoBody, Request: r}, nil
}

// told tells of each job that ended.
type told struct {
	queue.Worker
	ended chan struct{}
}

func (w told) Work(ctx context.Context, job verify.Job) error {
	err := w.Worker.Work(ctx, job)
	w.ended <- struct{}{}
	return err
}

// Eight URLs with eight calls each are as many as the lane has places. The account that has them waits for
// itself, and another account for nobody.
func TestAnAccountWhoseURLsHangDelaysNoOther(t *testing.T) {
	const urls = 8
	calls := urls * webhookPace.parallel
	way := &hanging{asked: make(chan struct{}, calls), release: make(chan struct{}), well: make(chan struct{}, 1)}
	w := newWorld(t, &http.Client{Transport: way})
	ends := told{w.worker, make(chan struct{}, 2*calls)}
	runner := queue.New(w.store, slog.New(slog.DiscardHandler), w.worker.Now,
		queue.Lane{Kind: verify.ToWebhook, Worker: ends, Parallel: Parallel, Timeout: time.Minute})
	ctx, stop := context.WithCancel(t.Context())
	stopped := make(chan struct{})
	go func() {
		runner.Run(ctx)
		close(stopped)
	}()
	defer func() {
		close(way.release)
		stop()
		<-stopped
	}()

	for i := range urls {
		w.hook(fmt.Sprintf("https://hangs%d.example.com/", i))
	}
	for range webhookPace.parallel {
		w.factor()
	}
	held := 0
	for range calls {
		select {
		case <-way.asked:
			held++
		case <-ends.ended: // put off
		}
	}
	if held >= Parallel {
		t.Fatalf("one account holds all of the %d places", held)
	}
	w.anotherAccount()
	w.hook("https://well.example.com/")
	w.factor()
	<-way.well
}
