package delivery_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
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
	world := newBenchWorld(b)
	b.SetParallelism(32)
	b.ReportAllocs()
	b.ResetTimer()
	before := processorTime(b)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			world.verification(b, false)
		}
	})
	b.ReportMetric(float64((processorTime(b)-before).Microseconds())/float64(b.N), "cpu-µs/op")
}

// BenchmarkRateLimits runs pairs of legs, without and with two rate limits that have two buckets
// each, and reports what is left of the rate (the goal is 0.85) and how the processor times compare.
// A ratio is of two legs that follow each other, because a machine that others use changes its
// pace; reported is the median of all pairs. Run it with -benchtime 15x.
func BenchmarkRateLimits(b *testing.B) {
	world := newBenchWorld(b)
	world.addRateLimits(b)
	var rate, processor []float64
	leg := func(limited bool) (wall, cpu float64) {
		begin, used := time.Now(), processorTime(b)
		var all sync.WaitGroup
		for range 64 {
			all.Go(func() {
				for range 50 {
					world.verification(b, limited)
				}
			})
		}
		all.Wait()
		return time.Since(begin).Seconds(), (processorTime(b) - used).Seconds()
	}
	leg(true)
	for i := range b.N {
		limited := i%2 == 0 // who is first, is first in every other pair
		wall, cpu := leg(limited)
		otherWall, otherCPU := leg(!limited)
		if limited {
			wall, otherWall, cpu, otherCPU = otherWall, wall, otherCPU, cpu
		}
		rate = append(rate, wall/otherWall)
		processor = append(processor, cpu/otherCPU)
	}
	slices.Sort(rate)
	slices.Sort(processor)
	b.ReportMetric(rate[len(rate)/2], "rate-ratio")
	b.ReportMetric(processor[len(processor)/2], "cpu-ratio")
}

// benchWorld is an engine with its worker on a file.
type benchWorld struct {
	*verify.Engine
	account, service string
	number           atomic.Int64
}

func newBenchWorld(b *testing.B) *benchWorld {
	log := slog.New(slog.DiscardHandler)
	store, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "verifyd.db"), sqlite.Options{Server: true, Now: time.Now, Log: log})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := store.Close(); err != nil {
			b.Error(err)
		}
	})
	keys, err := keyring.Parse([]byte("1 " + strings.Repeat("42", 32)))
	if err != nil {
		b.Fatal(err)
	}
	e := verify.NewEngine(store, keys, time.Now, rand.Reader, func(verify.Channel) bool { return true })
	e.Limits = verify.BuiltIn()
	a, _, err := e.CreateAccount(b.Context(), "test", "", "")
	if err != nil {
		b.Fatal(err)
	}
	name := "Acme"
	s, err := e.CreateService(b.Context(), a.SID, verify.ServiceParams{FriendlyName: &name})
	if err != nil {
		b.Fatal(err)
	}
	worker := &delivery.Worker{Engine: e, Routes: delivery.Routes{verify.SMS: {{Name: "taker", Provider: taker{}}}}, Log: log, Now: time.Now}
	runner := queue.New(store, log, time.Now, queue.Lane{Kind: "sms", Worker: worker, Parallel: 256, Timeout: time.Minute})
	e.Lanes = runner
	ctx, stop := context.WithCancel(context.Background())
	stopped := make(chan struct{})
	go func() {
		runner.Run(ctx)
		close(stopped)
	}()
	b.Cleanup(func() {
		stop()
		<-stopped
	})
	return &benchWorld{Engine: e, account: a.SID, service: s.SID}
}

// addRateLimits makes limits that are far away.
func (w *benchWorld) addRateLimits(b *testing.B) {
	for _, name := range []string{"end_user_ip", "session"} {
		if _, err := w.CreateRateLimit(b.Context(), w.account, w.service, verify.RateLimitParams{UniqueName: &name}); err != nil {
			b.Fatal(err)
		}
		for _, seconds := range []int{60, 3600} {
			most := 1_000_000
			if _, err := w.CreateBucket(b.Context(), w.account, w.service, name, verify.BucketParams{Max: &most, Interval: &seconds}); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// verification is one start and one check. An address has some starts; a session has one.
func (w *benchWorld) verification(b *testing.B, limited bool) {
	ctx, channel, code := context.Background(), "sms", "000000"
	n := w.number.Add(1)
	to := fmt.Sprintf("+346%08d", n)
	p := verify.StartParams{To: &to, Channel: &channel}
	if limited {
		p.RateLimits = fmt.Sprintf(`{"end_user_ip":"192.0.%d.%d","session":"%d"}`, n/251%4, n%251, n)
	}
	if _, err := w.StartVerification(ctx, w.account, w.service, p); err != nil {
		b.Error(err)
	}
	if _, _, err := w.CheckVerification(ctx, w.account, w.service, verify.CheckParams{To: &to, Code: &code}); err != nil {
		b.Error(err)
	}
}

func processorTime(b *testing.B) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
