package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/verifyd/verifyd/internal/api"
	"github.com/verifyd/verifyd/internal/delivery"
	"github.com/verifyd/verifyd/internal/queue"
	"github.com/verifyd/verifyd/internal/verify"
	"github.com/verifyd/verifyd/internal/webhook"
)

// server is everything that runs. Both `dev` and `serve` fill it in; run starts it in order, and
// stops it in the reverse order.
type server struct {
	log       *slog.Logger
	store     store
	engine    *verify.Engine
	routes    delivery.Routes
	messaging delivery.MessagingServices
	listener  net.Listener
	tls       *tls.Config // nil for plain HTTP
	publicURL string
	webhooks  []netip.Prefix // private networks that webhooks may go to
	sink      webhook.Sink
	inbox     http.Handler // nil but in dev
	// closeInbox ends the streams that would keep the server from stopping.
	closeInbox func()
}

const (
	// parallelSends is how many messages of one channel may be under way.
	parallelSends = 256
	// parallelEvents is how many webhooks may be called at a time.
	parallelEvents = 64
	// sweepPause is the time between two walks over the current verifications.
	sweepPause = 30 * time.Second
	// sweepRest lets a walk end five thousand verifications a second, with a tenth of the writer.
	sweepRest = 20 * time.Millisecond
	// meterSweeps is how many of those walks pass between two over the counts of limits, which harm
	// nobody when they are over.
	meterSweeps = 20
	// cleanUpTurn is how long a turn of removing what a deleted service left may take.
	cleanUpTurn = time.Minute
	// gcPercent trades four megabytes of a loaded server for a third of the collector's work.
	gcPercent = 150
	// drain is how long requests that are under way may take when the server stops.
	drain = 10 * time.Second
)

// run serves until ctx ends, then stops: no new requests, those under way are answered, messages
// that are half sent are finished. It closes the store.
func (s *server) run(ctx context.Context) error {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	health := &health{store: s.store}
	web := &http.Server{
		Handler:        s.handler(health),
		ReadTimeout:    10 * time.Second, // of the headers too
		WriteTimeout:   15 * time.Second,
		IdleTimeout:    120 * time.Second,
		MaxHeaderBytes: 16 << 10,
		TLSConfig:      s.tls,
		ErrorLog:       log.New(serverErrors{s.log}, "", 0),
	}
	worker := &delivery.Worker{Engine: s.engine, Routes: s.routes, MessagingServices: s.messaging, Log: s.log, Now: s.engine.Now}
	var lanes []queue.Lane
	for _, channel := range verify.Channels() {
		lanes = append(lanes, queue.Lane{
			Kind: string(channel), Worker: worker, Parallel: parallelSends, Timeout: delivery.TurnTimeout(channel),
		})
	}
	lanes = append(lanes, queue.Lane{Kind: verify.CleanUp, Worker: verify.Cleaner{Engine: s.engine}, Parallel: 1, Timeout: cleanUpTurn})
	events := &webhook.Worker{
		Engine: s.engine, Client: webhook.NewClient(s.webhooks, nil), Sink: s.sink, Log: s.log, Now: s.engine.Now, Random: rand.Float64,
	}
	for _, kind := range []string{verify.ToWebhook, verify.ToSink} {
		lanes = append(lanes, queue.Lane{Kind: kind, Worker: events, Parallel: parallelEvents, Timeout: webhook.CallTimeout + 5*time.Second})
	}
	runner := queue.New(s.store, s.log, s.engine.Now, lanes...)
	s.engine.Lanes = runner
	s.engine.SweepRest = sweepRest

	work, stopWork := context.WithCancel(context.Background())
	defer stopWork()
	var workers sync.WaitGroup
	workers.Go(func() { runner.Run(work) })
	workers.Go(func() { s.sweep(work) })

	served := make(chan error, 1)
	go func() {
		if s.tls != nil {
			served <- web.ServeTLS(s.listener, "", "")
		} else {
			served <- web.Serve(s.listener)
		}
	}()

	var err error
	select {
	case <-ctx.Done():
		s.log.Info("stopping")
	case <-s.store.Failed():
		err = fmt.Errorf("the disk failed, nothing written to it is certain any more: %w", s.store.Failure())
	case err = <-served:
	}
	health.stopping.Store(true)
	if s.closeInbox != nil {
		s.closeInbox()
	}
	grace, cancel := context.WithTimeout(context.Background(), drain)
	defer cancel()
	if shutdown := web.Shutdown(grace); shutdown != nil {
		err = errors.Join(err, fmt.Errorf("requests were still under way after %s: %w", drain, shutdown))
	}
	stopWork()
	workers.Wait()
	return errors.Join(err, closeProviders(s.routes, s.messaging), s.store.Close())
}

// closeProviders ends the connections of those that keep some.
func closeProviders(routes delivery.Routes, messaging delivery.MessagingServices) error {
	var errs []error
	closed := map[io.Closer]bool{}
	for _, table := range append(slices.Collect(maps.Values(messaging)), routes) {
		for _, ways := range table {
			for _, way := range ways {
				if c, ok := way.Provider.(io.Closer); ok && !closed[c] {
					closed[c] = true
					errs = append(errs, c.Close())
				}
			}
		}
	}
	return errors.Join(errs...)
}

// handler serves every path. It is no http.ServeMux, because that one redirects paths that it
// finds untidy, and a redirected POST loses its body.
func (s *server) handler(health *health) http.Handler {
	rest := api.New(s.engine, s.publicURL, s.log)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch path := r.URL.Path; {
		case path == "/livez":
			fmt.Fprintln(w, "ok")
		case path == "/readyz":
			health.ready(w, r)
		case path == "/openapi.json":
			api.ServeDocument(w, r)
		case s.inbox != nil && (path == "/dev/inbox" || strings.HasPrefix(path, "/dev/inbox/")):
			s.inbox.ServeHTTP(w, r)
		case s.inbox != nil && path == "/":
			http.Redirect(w, r, "/dev/inbox", http.StatusFound)
		default:
			rest.ServeHTTP(w, r)
		}
	})
}

// sweep ends verifications whose time is up and drops records that are old and counts that are over,
// again and again.
func (s *server) sweep(ctx context.Context) {
	ticker := time.NewTicker(sweepPause)
	defer ticker.Stop()
	for round := 0; ; round++ {
		if err := s.engine.Sweep(ctx); err != nil {
			s.log.Error("cannot end expired verifications", "error", err)
		}
		if err := s.engine.DropOld(ctx); err != nil && ctx.Err() == nil {
			s.log.Error("cannot drop old records", "error", err)
		}
		if round%meterSweeps == 0 {
			if err := s.engine.SweepMeters(ctx); err != nil && ctx.Err() == nil {
				s.log.Error("cannot remove the counts of rate limits that are over", "error", err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// listen opens the address, and says what to do where that fails.
func listen(address string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%s is in use by another program; choose another address with --listen, for example --listen 127.0.0.1:0", address)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s: %w", address, err)
	}
	return l, nil
}
