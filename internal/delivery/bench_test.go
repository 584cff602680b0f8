package delivery_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/api"
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
			world.verification(b, world.number.Add(1), "")
		}
	})
	b.ReportMetric(float64((processorTime(b)-before).Microseconds())/float64(b.N), "cpu-µs/op")
}

// BenchmarkRateLimits runs pairs of legs, without and with two rate limits that have two buckets
// each, and reports what is left of the rate (the goal is 0.85) and how the processor times compare.
// A ratio is of two legs that follow each other, because a machine that others use changes its
// pace; reported is the median of all pairs. Run it with -benchtime 15x.
//
// A verification is two requests over loopback, made in the same process; "engine" leaves HTTP out.
// Values come again (addresses, accounts) or are new with every start (sessions), which is the worst
// case: each such start touches a page that no other one touches.
func BenchmarkRateLimits(b *testing.B) {
	for _, c := range []struct {
		name           string
		http, sessions bool
	}{
		{"http", true, false}, {"http, new values", true, true}, {"engine", false, false}, {"engine, new values", false, true},
	} {
		b.Run(c.name, func(b *testing.B) {
			world := newBenchWorld(b)
			world.addRateLimits(b)
			verification := world.verification
			if c.http {
				verification = world.serve(b)
			}
			var rate, processor []float64
			leg := func(limited bool) (wall, cpu float64) {
				begin, used := time.Now(), processorTime(b)
				var all sync.WaitGroup
				for range 64 {
					all.Go(func() {
						for range 50 {
							n := world.number.Add(1)
							limits := ""
							if limited && c.sessions {
								limits = fmt.Sprintf(`{"end_user_ip":"192.0.%d.%d","session":"%d"}`, n/251%4, n%251, n)
							} else if limited {
								limits = fmt.Sprintf(`{"end_user_ip":"192.0.%d.%d","session":"%d"}`, n/251%4, n%251, n%300)
							}
							verification(b, n, limits)
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
		})
	}
}

// benchWorld is an engine with its worker on a file.
type benchWorld struct {
	*verify.Engine
	account, token, service string
	number                  atomic.Int64
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
	a, token, err := e.CreateAccount(b.Context(), "test", "", "")
	if err != nil {
		b.Fatal(err)
	}
	name := "Acme"
	s, err := e.CreateService(b.Context(), a.SID, verify.ServiceParams{FriendlyName: &name})
	if err != nil {
		b.Fatal(err)
	}
	worker := &delivery.Worker{Engine: e, Routes: delivery.Routes{verify.SMS: delivery.Anywhere(delivery.Route{Name: "taker", Provider: taker{}})}, Log: log, Now: time.Now}
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
	return &benchWorld{Engine: e, account: a.SID, token: token, service: s.SID}
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

// recipient is a number; they come in no order.
func recipient(n int64) string { return fmt.Sprintf("+346%08d", n*7_919_993%100_000_000) }

const wrongCode = "000000"

// verification is one start and one check.
func (w *benchWorld) verification(b *testing.B, n int64, limits string) {
	ctx, channel, code, to := context.Background(), "sms", wrongCode, recipient(n)
	if _, err := w.StartVerification(ctx, w.account, w.service, verify.StartParams{To: &to, Channel: &channel, RateLimits: limits}); err != nil {
		b.Error(err)
	}
	if _, _, err := w.CheckVerification(ctx, w.account, w.service, verify.CheckParams{To: &to, Code: &code}); err != nil {
		b.Error(err)
	}
}

// serve is verification over HTTP.
func (w *benchWorld) serve(b *testing.B) func(*testing.B, int64, string) {
	server := httptest.NewServer(api.New(w.Engine, "", slog.New(slog.NewJSONHandler(io.Discard, nil))))
	b.Cleanup(server.Close)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	post := func(b *testing.B, path string, want int, form url.Values) {
		r, err := http.NewRequest("POST", server.URL+"/v2/Services/"+w.service+path, strings.NewReader(form.Encode()))
		if err != nil {
			b.Error(err)
			return
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.SetBasicAuth(w.account, w.token)
		res, err := client.Do(r)
		if err != nil {
			b.Error(err)
			return
		}
		_, err = io.Copy(io.Discard, res.Body)
		if err = errors.Join(err, res.Body.Close()); err != nil || res.StatusCode != want {
			b.Errorf("%s: %d, %v", path, res.StatusCode, err)
		}
	}
	return func(b *testing.B, n int64, limits string) {
		form := url.Values{"To": {recipient(n)}, "Channel": {"sms"}}
		if limits != "" {
			form.Set("RateLimits", limits)
		}
		post(b, "/Verifications", 201, form)
		post(b, "/VerificationCheck", 200, url.Values{"To": {recipient(n)}, "Code": {wrongCode}})
	}
}

func processorTime(b *testing.B) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
