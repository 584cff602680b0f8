package smpp

import (
	"context"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/fakecarrier/smsc"
	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/providertest"
)

// BenchmarkSend is the pace of one bind over TCP to a carrier in the same process: each message is
// composed, sent, answered, and its receipt recorded and answered. The goal is 2,000 SMS in a second
// on two cores, both ends included.
func BenchmarkSend(b *testing.B) {
	for name, window := range map[string]int{"window=10": 10, "window=100": 100} {
		b.Run(name, func(b *testing.B) {
			far := smsc.New(smsc.Config{
				Accounts: map[string]string{testSystemID: testPassword}, Window: window, Fates: map[string]smsc.Fate{}, Keep: 1000,
			})
			var reported atomic.Int64
			all := make(chan struct{})
			p, err := New(Config{
				Host: "127.0.0.1", Port: listen(b, far, nil), TLS: "none", SystemID: testSystemID, Password: testPassword,
				Window: window, MaxWait: "1m",
			}, provider.Deps{Report: func(context.Context, provider.Report) error {
				if reported.Add(1) == int64(b.N) {
					close(all)
				}
				return nil
			}})
			if err != nil {
				b.Fatal(err)
			}
			ctx, cancel := context.WithCancel(b.Context())
			ran := make(chan error, 1)
			go func() { ran <- p.Run(ctx) }()
			m := providertest.Message("sms", 1)

			b.SetParallelism(32)
			b.ReportAllocs()
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if _, err := p.Send(ctx, m); err != nil {
						b.Error(err)
					}
				}
			})
			<-all
			b.StopTimer()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "sms/s")
			var memory runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&memory)
			b.ReportMetric(float64(memory.HeapAlloc)/(1<<20), "heap-MB")
			cancel()
			if err := <-ran; err != nil {
				b.Error(err)
			}
			if c := far.Counts(); c.Refused > 0 || c.Accepted != b.N || c.ReceiptsTaken != b.N {
				b.Errorf("%d messages: %+v", b.N, c)
			}
		})
	}
}

// BenchmarkCompose is what a message costs before anything is sent.
func BenchmarkCompose(b *testing.B) {
	p := composer(b, Config{From: "Acme"})
	m := providertest.Message("sms", 1)
	m.Deadline = epoch.Add(10 * time.Minute)
	b.ReportAllocs()
	for b.Loop() {
		if _, refused := p.compose(m); refused != nil {
			b.Fatal(refused)
		}
	}
}
