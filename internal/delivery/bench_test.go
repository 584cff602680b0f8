package delivery_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/delivery"
	"github.com/verifyd/verifyd/internal/keyring"
	"github.com/verifyd/verifyd/internal/queue"
	"github.com/verifyd/verifyd/internal/store/sqlite"
	"github.com/verifyd/verifyd/internal/verify"
	"github.com/verifyd/verifyd/provider"
)

// taker is a provider that takes everything.
type taker struct{}

func (taker) Send(context.Context, provider.Message) (provider.Accepted, error) {
	return provider.Accepted{ID: "id"}, nil
}

// BenchmarkVerification is a start, its send and a check on a file, without HTTP, by 64 callers.
// The processor time is the steadier figure.
func BenchmarkVerification(b *testing.B) {
	log := slog.New(slog.DiscardHandler)
	store, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "verifyd.db"), sqlite.Options{Server: true, Now: time.Now, Log: log})
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	keys, err := keyring.Parse([]byte("1 " + strings.Repeat("42", 32)))
	if err != nil {
		b.Fatal(err)
	}
	e := verify.NewEngine(store, keys, time.Now, rand.Reader, func(verify.Channel) bool { return true })
	a, _, err := e.CreateAccount(b.Context(), "test", "", "")
	if err != nil {
		b.Fatal(err)
	}
	name, channel, code := "Acme", "sms", "000000"
	s, err := e.CreateService(b.Context(), a.SID, verify.ServiceParams{FriendlyName: &name})
	if err != nil {
		b.Fatal(err)
	}
	worker := &delivery.Worker{Engine: e, Routes: delivery.Routes{verify.SMS: {{Name: "taker", Provider: taker{}}}}, Log: log, Now: time.Now}
	runner := queue.New(store, log, time.Now, queue.Lane{Kind: channel, Worker: worker, Parallel: 256, Timeout: time.Minute})
	e.Lanes = runner
	ctx, stop := context.WithCancel(b.Context())
	stopped := make(chan struct{})
	go func() {
		runner.Run(ctx)
		close(stopped)
	}()
	defer func() {
		stop()
		<-stopped
	}()

	var number atomic.Int64
	b.SetParallelism(32)
	b.ReportAllocs()
	b.ResetTimer()
	before := processorTime(b)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			to := fmt.Sprintf("+346%08d", number.Add(1))
			if _, err := e.StartVerification(ctx, a.SID, s.SID, verify.StartParams{To: &to, Channel: &channel}); err != nil {
				b.Error(err)
			}
			if _, _, err := e.CheckVerification(ctx, a.SID, s.SID, verify.CheckParams{To: &to, Code: &code}); err != nil {
				b.Error(err)
			}
		}
	})
	b.ReportMetric(float64((processorTime(b)-before).Microseconds())/float64(b.N), "cpu-µs/op")
}

func processorTime(b *testing.B) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
