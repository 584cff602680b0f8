package intercept

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"
)

// BenchmarkCall calls verifyd without the proxy and through it, on connections that are kept and on new
// ones.
func BenchmarkCall(b *testing.B) {
	a, err := OpenAuthority(b.TempDir(), time.Now)
	if err != nil {
		b.Fatal(err)
	}
	verifyd := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "{}") }))
	verifyd.TLS = a.TLS()
	verifyd.StartTLS()
	defer verifyd.Close()
	address := verifyd.Listener.Addr().String()
	p, err := StartProxy(ProxyOptions{Verifyd: address})
	if err != nil {
		b.Fatal(err)
	}
	defer p.Close()
	through, err := url.Parse(p.URL())
	if err != nil {
		b.Fatal(err)
	}
	direct := func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}
	for _, kept := range []bool{true, false} {
		pair := [2]*http.Client{
			{Transport: &http.Transport{DialContext: direct, TLSClientConfig: trusting(a, ""), DisableKeepAlives: !kept}},
			{Transport: &http.Transport{Proxy: http.ProxyURL(through), TLSClientConfig: trusting(a, ""), DisableKeepAlives: !kept}},
		}
		name := "new connections"
		if kept {
			name = "kept connections"
		}
		b.Run(name, func(b *testing.B) { benchmarkPair(b, pair) })
	}
}

// benchmarkPair calls in turn without the proxy and through it, so that a machine that slows down slows
// both, and says how many times as long the second takes and how much longer.
func benchmarkPair(b *testing.B, clients [2]*http.Client) {
	var took [2]time.Duration
	for b.Loop() {
		for i, c := range clients {
			begin := time.Now()
			answer, err := c.Get("https://" + Host + "/")
			if err != nil {
				b.Fatal(err)
			}
			io.Copy(io.Discard, answer.Body)
			answer.Body.Close()
			took[i] += time.Since(begin)
		}
	}
	b.ReportMetric(float64(took[1])/float64(took[0]), "×direct")
	b.ReportMetric(float64((took[1]-took[0]).Microseconds())/float64(b.N), "µs-added/op")
}
