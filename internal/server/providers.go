package server

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"

	"github.com/verifyd/verifyd/internal/delivery"
	"github.com/verifyd/verifyd/internal/inbound"
	"github.com/verifyd/verifyd/internal/keyring"
	"github.com/verifyd/verifyd/provider"
)

// WayBack is where the reports of providers go. They are built before the store is open, so Run fills it
// in, before any of them is used. The zero value forgets what it is told.
type WayBack struct {
	worker    *delivery.Worker
	keys      *keyring.Ring
	publicURL string
}

// Report is provider.Deps.Report of the provider of a name.
func (b *WayBack) Report(ctx context.Context, name string, r provider.Report) error {
	if b.worker == nil {
		return nil
	}
	return b.worker.Report(ctx, name, r)
}

// ReportURL is provider.Deps.ReportURL of the provider of a name.
func (b *WayBack) ReportURL(name string) string {
	if b.keys == nil || b.publicURL == "" {
		return ""
	}
	return b.publicURL + inbound.Path(b.keys, name)
}

// StartRunners lets the providers that keep a connection keep it until stop is called, which waits for
// them. One that can never work says so in the log; its routes fail, and others take over.
func StartRunners(built map[string]provider.Provider, log *slog.Logger) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	for name, p := range built {
		runner, ok := p.(provider.Runner)
		if !ok {
			continue
		}
		running.Go(func() {
			if err := runner.Run(ctx); ctx.Err() == nil {
				log.Error("a provider has stopped for good", "provider", name, "error", err)
			}
		})
	}
	return func() {
		cancel()
		running.Wait()
	}
}

// CloseProviders ends the connections of those that keep some.
func CloseProviders(built map[string]provider.Provider) error {
	var errs []error
	for _, p := range built {
		if c, ok := p.(io.Closer); ok {
			errs = append(errs, c.Close())
		}
	}
	return errors.Join(errs...)
}
