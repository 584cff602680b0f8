package verify_test

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/keyring"
	"github.com/verifyd/verifyd/internal/store/sqlite"
	"github.com/verifyd/verifyd/internal/verify"
)

func (w *world) rateLimit(name string) *verify.RateLimit {
	w.t.Helper()
	l, err := w.CreateRateLimit(w.t.Context(), w.account, w.service, verify.RateLimitParams{UniqueName: &name})
	if err != nil {
		w.t.Fatal(err)
	}
	return l
}

func (w *world) bucket(limit string, most int, interval time.Duration) *verify.Bucket {
	w.t.Helper()
	seconds := int(interval / time.Second)
	b, err := w.CreateBucket(w.t.Context(), w.account, w.service, limit, verify.BucketParams{Max: &most, Interval: &seconds})
	if err != nil {
		w.t.Fatal(err)
	}
	return b
}

// startBy starts with values for rate limits.
func (w *world) startBy(to string, values map[string]string) (*verify.Verification, error) {
	w.t.Helper()
	channel := "sms"
	text, err := json.Marshal(values)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.StartVerification(w.t.Context(), w.account, w.service,
		verify.StartParams{To: &to, Channel: &channel, RateLimits: string(text)})
}

func number(n int) string { return fmt.Sprintf("+346%08d", 12_000_000+n) }

func wantLimited(t *testing.T, err error, name string, after time.Duration) {
	t.Helper()
	wantRetry(t, err, verify.CodeTooManyRequests, after)
	if got := refusal(err).RateLimit; got != name {
		t.Fatalf("limited by %q, want %q", got, name)
	}
}

func TestARefusedStartSpendsNothing(t *testing.T) {
	w := newWorld(t, verify.ServiceParams{})
	w.rateLimit("ip")
	w.rateLimit("user")
	w.bucket("ip", 1, time.Minute)
	w.bucket("ip", 100, time.Hour)
	w.bucket("user", 3, 2*time.Minute)
	values := func(ip string) map[string]string { return map[string]string{"ip": ip, "user": "ana"} }
	v, err := w.startBy(ana, values("a"))
	if err != nil {
		t.Fatal(err)
	}
	for range 10 { // spends nothing of the user, nor of the address's hour
		_, err := w.startBy(ana, values("a"))
		wantLimited(t, err, "ip", time.Minute)
	}
	got, err := w.Verification(t.Context(), w.account, w.service, v.SID)
	if err != nil || len(got.Sends) != 1 {
		t.Fatalf("the verification is %+v, %v, want it untouched", got, err)
	}
	for _, ip := range []string{"b", "c"} {
		if _, err := w.startBy(ana, values(ip)); err != nil {
			t.Fatalf("from %s: %v", ip, err)
		}
	}
	_, err = w.startBy(ana, values("d"))
	wantLimited(t, err, "user", 2*time.Minute)

	// What is refused for another reason spends nothing either: the fifth send is the last.
	w.advance(2 * time.Minute)
	for _, ip := range []string{"d", "e"} {
		if _, err := w.startBy(ana, values(ip)); err != nil {
			t.Fatalf("from %s: %v", ip, err)
		}
	}
	for range 5 {
		_, err = w.startBy(ana, values("f"))
		wantCode(t, err, verify.CodeMaxSends, "")
	}
	if _, err = w.startBy(number(1), values("f")); err != nil {
		t.Fatal(err)
	}
	_, err = w.startBy(number(1), values("g"))
	wantLimited(t, err, "user", 2*time.Minute)
}

// Many at once share an address or a user, in every order; each count is exact.
func TestSimultaneousStartsAreCounted(t *testing.T) {
	w := newWorld(t, verify.ServiceParams{})
	w.rateLimit("ip")
	w.rateLimit("user")
	w.bucket("ip", 7, time.Minute)
	w.bucket("ip", 9, time.Hour)
	w.bucket("user", 20, time.Minute)
	var started, refused atomic.Int64
	var all sync.WaitGroup
	for i := range 60 {
		all.Go(func() {
			_, err := w.startBy(number(i), map[string]string{"user": "ana", "ip": fmt.Sprint(i % 4)})
			switch got := refusal(err); {
			case err == nil:
				started.Add(1)
			case got != nil && got.Code == verify.CodeTooManyRequests:
				refused.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	all.Wait()
	if started.Load() != 20 || refused.Load() != 40 {
		t.Errorf("%d started, %d were refused; want 20 and 40", started.Load(), refused.Load())
	}
	w.advance(time.Minute)
	left := 0
	for i := range 100 {
		if _, err := w.startBy(number(100+i), map[string]string{"ip": fmt.Sprint(i % 4)}); err == nil {
			left++
		}
	}
	if left != 4*9-20 {
		t.Errorf("%d more start in the hour, want %d", left, 4*9-20)
	}
}

func TestChangesCountAtOnce(t *testing.T) {
	w := newWorld(t, verify.ServiceParams{})
	limit := w.rateLimit("ip")
	by := func() error {
		_, err := w.startBy(ana, map[string]string{"ip": "a"})
		return err
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(by())
	b := w.bucket("ip", 1, time.Minute)
	must(by())
	wantLimited(t, by(), "ip", time.Minute)
	update := func(p verify.BucketParams) {
		t.Helper()
		_, err := w.UpdateBucket(t.Context(), w.account, w.service, limit.SID, b.SID, p)
		must(err)
	}
	two, seconds := 2, 30
	update(verify.BucketParams{Max: &two}) // the first is still counted
	must(by())
	wantLimited(t, by(), "ip", time.Minute)
	must(w.DeleteBucket(t.Context(), w.account, w.service, "ip", b.SID))
	b = w.bucket("ip", 2, time.Minute) // a bucket made anew is no way out
	wantLimited(t, by(), "ip", time.Minute)
	update(verify.BucketParams{Interval: &seconds}) // this one is
	must(by())
	must(w.DeleteRateLimit(t.Context(), w.account, w.service, "ip"))
	w.service = func() string { // the five sends of the number are spent
		name := "Another"
		s, err := w.CreateService(t.Context(), w.account, verify.ServiceParams{FriendlyName: &name})
		must(err)
		return s.SID
	}()
	must(by())
}

func TestTheBoundsOfRateLimits(t *testing.T) {
	w := newWorld(t, verify.ServiceParams{})
	for n := range verify.MaxRateLimits {
		w.rateLimit(fmt.Sprint("limit.", n))
	}
	name := "one-more"
	_, err := w.CreateRateLimit(t.Context(), w.account, w.service, verify.RateLimitParams{UniqueName: &name})
	wantCode(t, err, verify.CodeTooManyRateLimits, "")
	for n := range verify.MaxBuckets {
		w.bucket("limit.0", 1, time.Duration(n+1)*time.Second)
	}
	one, seconds := 1, 60
	_, err = w.CreateBucket(t.Context(), w.account, w.service, "limit.0", verify.BucketParams{Max: &one, Interval: &seconds})
	wantCode(t, err, verify.CodeTooManyBuckets, "")

	for name, valid := range map[string]bool{
		"a": true, "A-Z.0_9": true, strings.Repeat("x", 128): true,
		"": false, "a b": false, "ä": false, "a/b": false, strings.Repeat("x", 129): false,
	} {
		w := newWorld(t, verify.ServiceParams{})
		_, err := w.CreateRateLimit(t.Context(), w.account, w.service, verify.RateLimitParams{UniqueName: &name})
		if valid != (err == nil) {
			t.Errorf("UniqueName %q: %v", name, err)
		}
		if !valid {
			wantCode(t, err, verify.CodeUniqueNameInvalid, "")
		}
	}
}

func TestSimultaneousCreatesKeepTheBounds(t *testing.T) {
	w := newWorld(t, verify.ServiceParams{})
	var made atomic.Int64
	var all sync.WaitGroup
	for i := range 30 {
		all.Go(func() {
			name := fmt.Sprint(i % 15) // each twice
			_, err := w.CreateRateLimit(t.Context(), w.account, w.service, verify.RateLimitParams{UniqueName: &name})
			switch got := refusal(err); {
			case err == nil:
				made.Add(1)
			case got == nil || got.Code != verify.CodeRateLimitExists && got.Code != verify.CodeTooManyRateLimits:
				t.Error(err)
			}
		})
	}
	all.Wait()
	if made.Load() != verify.MaxRateLimits {
		t.Errorf("%d were made, want %d", made.Load(), verify.MaxRateLimits)
	}
}

func TestARateLimitOfAnotherAccountIsNotThere(t *testing.T) {
	w := newWorld(t, verify.ServiceParams{})
	l := w.rateLimit("ip")
	b := w.bucket("ip", 1, time.Minute)
	stranger, _, err := w.CreateAccount(t.Context(), "another", "", "")
	if err != nil {
		t.Fatal(err)
	}
	one, name := 1, "name"
	ctx, service := t.Context(), w.service
	for what, do := range map[string]func(account string) error{
		"create": func(account string) error {
			_, err := w.CreateRateLimit(ctx, account, service, verify.RateLimitParams{UniqueName: &name})
			return err
		},
		"list": func(account string) error {
			_, err := w.RateLimits(ctx, account, service, verify.Page{Size: 1})
			return err
		},
		"fetch": func(account string) error { _, err := w.RateLimit(ctx, account, service, l.SID); return err },
		"update": func(account string) error {
			_, err := w.UpdateRateLimit(ctx, account, service, l.SID, verify.RateLimitParams{})
			return err
		},
		"delete": func(account string) error { return w.DeleteRateLimit(ctx, account, service, l.SID) },
		"create a bucket": func(account string) error {
			_, err := w.CreateBucket(ctx, account, service, l.SID, verify.BucketParams{Max: &one, Interval: &one})
			return err
		},
		"list buckets": func(account string) error {
			_, _, err := w.Buckets(ctx, account, service, l.SID, verify.Page{Size: 1})
			return err
		},
		"fetch a bucket": func(account string) error {
			_, err := w.Bucket(ctx, account, service, l.SID, b.SID)
			return err
		},
		"update a bucket": func(account string) error {
			_, err := w.UpdateBucket(ctx, account, service, l.SID, b.SID, verify.BucketParams{})
			return err
		},
		"delete a bucket": func(account string) error { return w.DeleteBucket(ctx, account, service, l.SID, b.SID) },
	} {
		if err := do(stranger.SID); refusal(err) == nil || refusal(err).Code != verify.CodeNotFound {
			t.Errorf("%s by a stranger: %v, want 20404", what, err)
		}
	}
	if _, err := w.Bucket(ctx, w.account, service, l.SID, b.SID); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// Counts and guesses are in the database, and nowhere else; values are not.
func TestCountsSurviveARestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "verifyd.db")
	keys, err := keyring.Parse([]byte("1 " + strings.Repeat("42", 32)))
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, now: start}
	open := func() {
		t.Helper()
		if w.store, err = sqlite.Open(t.Context(), path, sqlite.Options{Server: true, Now: w.clock, Log: slog.New(slog.DiscardHandler)}); err != nil {
			t.Fatal(err)
		}
		w.Engine = verify.NewEngine(w.store, keys, w.clock, rand.Reader, func(verify.Channel) bool { return true })
		w.Limits = verify.BuiltIn()
	}
	restart := func() {
		t.Helper()
		if err := w.store.Close(); err != nil {
			t.Fatal(err)
		}
		open()
	}
	open()
	defer func() { w.store.Close() }()
	a, _, err := w.CreateAccount(t.Context(), "test", "", "")
	if err != nil {
		t.Fatal(err)
	}
	name := "Acme"
	s, err := w.CreateService(t.Context(), a.SID, verify.ServiceParams{FriendlyName: &name})
	if err != nil {
		t.Fatal(err)
	}
	w.account, w.service = a.SID, s.SID
	w.rateLimit("ip")
	w.bucket("ip", 2, time.Hour)
	for n := 1; n <= 2; n++ {
		if _, err := w.startBy(number(n), map[string]string{"ip": "192.0.2.7"}); err != nil {
			t.Fatal(err)
		}
		restart()
	}
	_, err = w.startBy(number(3), map[string]string{"ip": "192.0.2.7"})
	wantLimited(t, err, "ip", time.Hour)

	if got, _ := w.siege(ana); got != 25 {
		t.Fatalf("%d guesses", got)
	}
	restart()
	if _, err := w.start(ana, "sms"); refusal(err) == nil || refusal(err).Code != verify.CodeMaxChecks {
		t.Fatalf("after a restart: %v, want 60202", err)
	}

	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(file, []byte(number(1))) || bytes.Contains(file, []byte("192.0.2.7")) {
		t.Error("the database has the value of a rate limit in it")
	}
}

func TestTheSweepRemovesCountsThatAreOver(t *testing.T) {
	w := newWorld(t, verify.ServiceParams{})
	w.rateLimit("ip")
	w.bucket("ip", 2, time.Minute)
	w.bucket("ip", 3, time.Hour)
	if _, err := w.startBy(ana, map[string]string{"ip": "a"}); err != nil {
		t.Fatal(err)
	}
	sweep := func() bool {
		t.Helper()
		if err := w.SweepMeters(t.Context()); err != nil {
			t.Fatal(err)
		}
		asked := errors.New("only asked")
		var next int64
		if err := w.store.Update(t.Context(), func(tx verify.Tx) (err error) {
			next, err = tx.DropMeters(0, w.clock(), 1) // finds one, whether it has ended or not
			return cmp.Or(err, asked)
		}); !errors.Is(err, asked) {
			t.Fatal(err)
		}
		return next != 0
	}
	w.advance(time.Hour - time.Millisecond)
	if !sweep() {
		t.Error("a count was removed while its hour counts")
	}
	w.advance(time.Millisecond)
	if sweep() {
		t.Error("a count that is over is still there")
	}
}
