// Package server is everything that runs in a verifyd, started in order and stopped in the reverse order:
// the queue and its workers, the walks over what has expired, the API over HTTP. Both `serve` and `dev` fill
// in a Server and run it, and so does the test process of package verifytest.
//
// It wires and decides nothing. What a configuration means is known to who fills it in.
package server

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/verifyd/verifyd/internal/api"
	"github.com/verifyd/verifyd/internal/delivery"
	"github.com/verifyd/verifyd/internal/factor"
	"github.com/verifyd/verifyd/internal/inbound"
	"github.com/verifyd/verifyd/internal/queue"
	"github.com/verifyd/verifyd/internal/verify"
	"github.com/verifyd/verifyd/internal/webhook"
	"github.com/verifyd/verifyd/provider"
)

// Store is what a server needs of a store; there are two.
type Store interface {
	verify.Store
	queue.Jobs
	// Ping commits something.
	Ping(context.Context) error
	// Failed is closed when nothing that was written is certain any more, and Failure says why.
	Failed() <-chan struct{}
	Failure() error
}

// Server is everything that runs. Run closes what it was given.
type Server struct {
	Log    *slog.Logger
	Store  Store
	Engine *verify.Engine
	// Providers are all that there are, by name: those that keep a connection are run, and closed at
	// the end.
	Providers map[string]provider.Provider
	// WayBack is where they report to, nil if none does.
	WayBack   *WayBack
	Routes    delivery.Routes
	Messaging delivery.MessagingServices
	Push      delivery.PushRoutes
	Budget    delivery.Budget
	TPS       map[string]float64 // messages a second of providers that have a limit
	Listener  net.Listener
	TLS       *tls.Config // nil for plain HTTP
	PublicURL string
	Webhooks  []netip.Prefix // private networks that webhooks may go to
	Sink      webhook.Sink
	// Jitter is a number from 0 up to 1, by which the pauses between tries of webhooks differ; nil draws
	// it.
	Jitter func() float64

	// What only dev has.

	// Dev serves what lies below /dev/, and /.
	Dev http.Handler
	// Alias is a second address that serves the same with AliasTLS, as the host that is built into
	// client libraries.
	Alias    net.Listener
	AliasTLS *tls.Config
	// CloseStreams ends what would keep the server from stopping.
	CloseStreams func()
	// EngineOf is the engine of a service (VA…) that has a time of its own; of "" it is one whose time is
	// past that of every record, for what is about all services. Nil, or an answer of nil, is Engine.
	EngineOf func(serviceSID string) *verify.Engine
	// Swept is called after every walk over what has expired.
	Swept func()

	runner *queue.Runner    // from Run on
	sender *delivery.Worker // likewise; what it knows of providers is what most messages go by
}

const (
	// ParallelSends is how many messages of one channel may be under way.
	ParallelSends = 256
	// parallelReports is how many reports that wait are seen to at a time, and reportTurn how long that may
	// take.
	parallelReports = 8
	reportTurn      = 10 * time.Second
	// parallelFallbacks is how many codes go on by another channel at a time: a carrier that takes messages
	// back slowly must not hold up the others.
	parallelFallbacks = 64
	// sweepPause is the time between two walks over the current verifications.
	sweepPause = 30 * time.Second
	// sweepRest lets a walk end five thousand verifications a second, with a tenth of the writer.
	sweepRest = 20 * time.Millisecond
	// meterSweeps is how many of those walks pass between two over the counts of limits, which harm
	// nobody when they are over.
	meterSweeps = 20
	// cleanUpTurn is how long a turn of removing what a deleted service left may take.
	cleanUpTurn = time.Minute
	// drain is how long requests that are under way may take when the server stops.
	drain = 10 * time.Second
)

// Run serves until ctx ends, then stops: no new requests, those under way are answered, messages
// that are half sent are finished. It closes the store.
func (s *Server) Run(ctx context.Context) error {
	if s.Jitter == nil {
		s.Jitter = rand.Float64
	}
	health := &health{store: s.Store}
	web := &http.Server{
		Handler:        s.handler(health),
		ReadTimeout:    10 * time.Second, // of the headers too
		WriteTimeout:   15 * time.Second,
		IdleTimeout:    120 * time.Second,
		MaxHeaderBytes: 16 << 10,
		TLSConfig:      cmp.Or(s.TLS, s.AliasTLS),
		ErrorLog:       log.New(complaints{s.Log}, "", 0),
	}
	delivering := func(e *verify.Engine) *delivery.Worker {
		return &delivery.Worker{
			Engine: e, Routes: s.Routes, MessagingServices: s.Messaging, Budget: s.Budget, TPS: s.TPS,
			MostInFlight: ParallelSends / 2, Log: s.Log, Now: e.Now,
		}
	}
	worker := delivering(s.Engine)
	sends := s.worker(func(e *verify.Engine) queue.Worker {
		if e == s.Engine {
			return worker
		}
		return delivering(e)
	})
	s.sender = worker
	if s.WayBack != nil {
		*s.WayBack = WayBack{worker: worker, keys: s.Engine.Keys, publicURL: s.PublicURL}
	}
	var lanes []queue.Lane
	for _, channel := range verify.Channels() {
		lanes = append(lanes, queue.Lane{
			Kind: string(channel), Worker: sends, Parallel: ParallelSends, Timeout: delivery.TurnTimeout(channel),
		})
	}
	lanes = append(lanes, queue.Lane{Kind: verify.CleanUp, Worker: factor.Cleaner{Engine: factor.NewEngine(s.Engine)}, Parallel: 1, Timeout: cleanUpTurn})
	lanes = append(lanes, queue.Lane{Kind: verify.LateReports, Worker: delivery.LateReports{Worker: worker}, Parallel: parallelReports, Timeout: reportTurn})
	lanes = append(lanes, queue.Lane{Kind: verify.Fallback, Worker: s.worker(func(e *verify.Engine) queue.Worker {
		return verify.Fallbacks{Engine: e, Revoke: delivering(e).Revoke}
	}), Parallel: parallelFallbacks, Timeout: delivery.RevokeTurnTimeout})
	client := webhook.NewClient(s.Webhooks, nil)
	events := s.worker(func(e *verify.Engine) queue.Worker {
		return &webhook.Worker{Engine: e, Client: client, Sink: s.Sink, Log: s.Log, Now: e.Now, Random: s.Jitter}
	})
	for _, kind := range []string{verify.ToWebhook, verify.ToSink} {
		lanes = append(lanes, queue.Lane{Kind: kind, Worker: events, Parallel: webhook.Parallel, Timeout: webhook.CallTimeout + 5*time.Second})
	}
	lanes = append(lanes, queue.Lane{
		Kind: factor.ToHandset, Parallel: ParallelSends, Timeout: delivery.PushTurnTimeout,
		Worker: s.worker(func(e *verify.Engine) queue.Worker {
			return &delivery.Notifier{Engine: factor.NewEngine(e), Routes: s.Push, Log: s.Log, Now: e.Now}
		}),
	})
	runner := queue.New(s.Store, s.Log, s.Engine.Now, lanes...)
	s.Engine.Lanes, s.runner = runner, runner
	s.Engine.SweepRest = sweepRest

	work, stopWork := context.WithCancel(context.Background())
	defer stopWork()
	var workers sync.WaitGroup
	workers.Go(func() { runner.Run(work) })
	workers.Go(func() { s.sweep(work) })
	stopRunners := StartRunners(s.Providers, s.Log)

	served := make(chan error, 2)
	if s.Alias != nil {
		go func() { served <- web.ServeTLS(s.Alias, "", "") }()
	}
	go func() {
		if s.TLS != nil {
			served <- web.ServeTLS(s.Listener, "", "")
		} else {
			served <- web.Serve(s.Listener)
		}
	}()

	var err error
	select {
	case <-ctx.Done():
		s.Log.Info("stopping")
	case <-s.Store.Failed():
		err = fmt.Errorf("the disk failed, nothing written to it is certain any more: %w", s.Store.Failure())
	case err = <-served:
	}
	health.stopping.Store(true)
	if s.CloseStreams != nil {
		s.CloseStreams()
	}
	err = errors.Join(err, shutDown(web, drain))
	stopWork()
	workers.Wait()
	stopRunners() // only now: messages that were half sent needed their connections
	return errors.Join(err, CloseProviders(s.Providers), s.Store.Close())
}

// shutDown lets the requests end that are under way, and cuts off those that take longer than patience:
// what they need is about to be closed.
func shutDown(web *http.Server, patience time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	err := web.Shutdown(ctx)
	if err == nil {
		return nil
	}
	return errors.Join(fmt.Errorf("requests were still under way after %s: %w", patience, err), web.Close())
}

// handler serves every path. It is no http.ServeMux, because that one redirects paths that it
// finds untidy, and a redirected POST loses its body.
func (s *Server) handler(health *health) http.Handler {
	rest := s.rest()
	reports := inbound.Reports{Keys: s.Engine.Keys, Providers: s.Providers, Log: s.Log}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch path := r.URL.Path; {
		case path == "/livez":
			fmt.Fprintln(w, "ok")
		case path == "/readyz":
			health.ready(w, r)
		case path == "/openapi.json":
			api.ServeDocument(w, r)
		case strings.HasPrefix(path, inbound.Prefix):
			reports.ServeHTTP(w, r)
		case s.Dev != nil && (path == "/" || strings.HasPrefix(path, "/dev/")):
			s.Dev.ServeHTTP(w, r)
		default:
			rest.ServeHTTP(w, r)
		}
	})
}

// sweep looks which codes came back, ends verifications whose time is up, and drops records that are old and
// counts that are over, again and again.
func (s *Server) sweep(ctx context.Context) {
	ticker := time.NewTicker(sweepPause)
	defer ticker.Stop()
	for round := 0; ; round++ {
		s.sweepOnce(ctx, round%meterSweeps == 0)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// sweepOnce is one walk.
func (s *Server) sweepOnce(ctx context.Context, metersToo bool) {
	if err := s.sender.Judge(ctx); err != nil && ctx.Err() == nil {
		s.Log.Error("cannot tell how many codes came back", "error", err)
	}
	if err := s.Engine.Sweep(ctx); err != nil {
		s.Log.Error("cannot end expired verifications", "error", err)
	}
	if err := s.Engine.DropOld(ctx); err != nil && ctx.Err() == nil {
		s.Log.Error("cannot drop old records", "error", err)
	}
	if err := factor.NewEngine(s.Engine).DropUnverified(ctx); err != nil && ctx.Err() == nil {
		s.Log.Error("cannot drop factors that nobody verified", "error", err)
	}
	if metersToo {
		if err := s.Engine.SweepMeters(ctx); err != nil && ctx.Err() == nil {
			s.Log.Error("cannot remove the counts of rate limits that are over", "error", err)
		}
	}
	if s.Swept != nil {
		s.Swept()
	}
}

// complaints passes what net/http has to complain about (broken handshakes, mostly) to our log.
type complaints struct{ log *slog.Logger }

func (c complaints) Write(line []byte) (int, error) {
	c.log.Warn("http server", "message", strings.TrimSpace(string(line)))
	return len(line), nil
}

// NextDue is when a job is due next. The server must run.
func (s *Server) NextDue(ctx context.Context) (due time.Time, found bool, err error) {
	return s.runner.NextDue(ctx)
}

// Settle does what is due by the engine's clock, and returns when nothing is left to do. The server must
// run; one caller at a time.
func (s *Server) Settle(ctx context.Context) error {
	if err := s.runner.Settle(ctx); err != nil {
		return err
	}
	s.sweepOnce(ctx, true)
	return s.runner.Settle(ctx) // the events of what has expired
}
