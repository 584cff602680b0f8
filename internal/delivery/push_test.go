package delivery_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/verifyd/verifyd/internal/delivery"
	"github.com/verifyd/verifyd/internal/factor"
	"github.com/verifyd/verifyd/internal/verify"
	"github.com/verifyd/verifyd/provider"
)

const (
	ann          = "user-7f3a91c2"
	handsetToken = "token-of-the-handset"
	credential   = "CR00000000000000000000000000000001"
)

// pushWorld is a world in which a handset is enrolled.
type pushWorld struct {
	factors *factor.Engine
	*world
	service string
	factor  *factor.Factor
	routes  delivery.PushRoutes
}

func newPushWorld(t *testing.T, platform string) *pushWorld {
	t.Helper()
	w := &pushWorld{world: newWorld(t)}
	w.factors = factor.NewEngine(w.engine)
	w.service = w.v.ServiceSID
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	made, err := w.factors.CreateFactor(t.Context(), w.acc, w.service, ann, factor.Params{
		FriendlyName: new("Ann's phone"), FactorType: new("push"), BindingPublicKey: new(base64.StdEncoding.EncodeToString(der)),
		PushParams: factor.PushParams{AppID: new("com.acme.app"), SDKVersion: new("1"), NotificationPlatform: &platform, NotificationToken: new(handsetToken)},
	})
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256([]byte(made.SID))
	proof, err := ecdsa.SignASN1(rand.Reader, key, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	if w.factor, err = w.factors.UpdateFactor(t.Context(), w.acc, w.service, ann, made.SID, factor.Update{
		AuthPayload: new(base64.StdEncoding.EncodeToString(proof)),
	}); err != nil || w.factor.Status != factor.Verified {
		t.Fatalf("%+v, %v", w.factor, err)
	}
	return w
}

func (w *pushWorld) challenge() *factor.Challenge {
	w.t.Helper()
	c, err := w.factors.CreateChallenge(w.t.Context(), w.acc, w.service, ann, factor.ChallengeParams{
		FactorSID: &w.factor.SID, DetailsMessage: new("Log in?"), HiddenDetails: new(`{"tx":"4711"}`),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

// turns carries out what is queued whenever it is due, until nothing is.
func (w *pushWorld) turns() {
	w.t.Helper()
	worker := &delivery.Notifier{Engine: w.factors, Routes: w.routes, Log: slog.New(slog.NewJSONHandler(&w.log, nil)), Now: func() time.Time { return w.now }}
	for range 100 {
		due, found, err := w.store.NextDue(w.t.Context(), factor.ToHandset)
		if err != nil {
			w.t.Fatal(err)
		}
		if !found {
			return
		}
		if due.After(w.now) {
			w.now = due
		}
		jobs, err := w.store.Claim(w.t.Context(), factor.ToHandset, w.now, w.now.Add(delivery.PushTurnTimeout), 10)
		if err != nil {
			w.t.Fatal(err)
		}
		for _, job := range jobs {
			if err := worker.Work(w.t.Context(), job); err != nil {
				w.t.Fatal(err)
			}
		}
	}
	w.t.Fatal("the turns come to no end")
}

func (w *pushWorld) by(carriers ...*carrier) []delivery.Route {
	var routes []delivery.Route
	for i, c := range carriers {
		routes = append(routes, delivery.Route{Name: string(rune('a' + i)), Provider: c})
	}
	return routes
}

func (w *pushWorld) reload() *factor.Factor {
	w.t.Helper()
	f, err := w.factors.Factor(w.t.Context(), w.acc, w.service, ann, w.factor.SID)
	if err != nil {
		w.t.Fatal(err)
	}
	return f
}

func TestANotificationGoesToItsPlatform(t *testing.T) {
	for _, platform := range []string{"fcm", "apn"} {
		t.Run(platform, func(t *testing.T) {
			w := newPushWorld(t, platform)
			c := w.challenge()
			fcm, apn, own := &carrier{}, &carrier{}, &carrier{}
			w.routes = delivery.PushRoutes{
				Credentials: map[string][]delivery.Route{credential: w.by(own)},
				Platforms:   map[factor.Platform][]delivery.Route{factor.FCM: w.by(fcm), factor.APN: w.by(apn)},
			}
			w.turns()
			got := map[string]*carrier{"fcm": fcm, "apn": apn}[platform]
			if len(got.keys) != 1 || len(fcm.keys)+len(apn.keys) != 1 {
				t.Fatalf("fcm got %d, apn %d", len(fcm.keys), len(apn.keys))
			}
			m := got.last
			if m.Channel != "push" || m.To != handsetToken || !m.Deadline.Equal(c.ExpiresAt) || m.Key != m.Attempt+":1" || m.Push == nil ||
				m.Push.Platform != platform || m.Push.App != "com.acme.app" || m.Push.Body != "Log in?" || m.Push.Collapse != c.SID || m.Push.Data["challenge_sid"] != c.SID {
				t.Errorf("%+v, %+v", m, m.Push)
			}
			if _, err := w.engine.UpdateService(t.Context(), w.acc, w.service, verify.ServiceParams{
				PushAPNCredentialSID: new(credential), PushFCMCredentialSID: new(credential),
			}); err != nil {
				t.Fatal(err)
			}
			w.challenge()
			w.turns()
			if len(own.keys) != 1 || len(got.keys) != 1 {
				t.Errorf("the service's own credential carried %d, the platform's %d", len(own.keys), len(got.keys)-1)
			}
		})
	}
}

// push is the notification, as it was stored, that a carrier got last.
func (w *pushWorld) push(c *carrier) *factor.Notification { return w.stored(c.last.Attempt) }

func (w *pushWorld) stored(notificationSID string) *factor.Notification {
	w.t.Helper()
	var n *factor.Notification
	if err := w.engine.Store.View(w.t.Context(), factor.InTx(func(tx factor.Tx) (err error) {
		n, err = tx.Notification(notificationSID)
		return err
	})); err != nil {
		w.t.Fatal(err)
	}
	return n
}

func TestWhatFollowsFromAPlatformsAnswer(t *testing.T) {
	for _, c := range []struct {
		name          string
		first, second []error
		state         factor.NotificationState
		by            string
		keys          [][]string
		after         time.Duration
		unreachable   bool
	}{
		{name: "accepted", state: factor.NotificationSent, by: "a", keys: [][]string{{":1"}, nil}},
		{name: "an unknown handset is the end", first: fail(badRecipient), state: factor.NotificationFailed, by: "a", keys: [][]string{{":1"}, nil}, unreachable: true},
		{name: "a bad request goes to the next route", first: fail(badRequest), state: factor.NotificationSent, by: "b", keys: [][]string{{":1"}, {":2"}}},
		{name: "a bad request everywhere fails", first: fail(badRequest), second: fail(badRequest), state: factor.NotificationFailed, by: "b", keys: [][]string{{":1"}, {":2"}}},
		{name: "temporary everywhere is tried again", first: fail(temporary, throttled), second: fail(throttled, temporary), state: factor.NotificationSent, by: "a",
			keys: [][]string{{":1", ":1", ":1"}, {":2", ":2"}}, after: 3 * time.Second},
		{name: "unknown is repeated, because it takes its own place", first: fail(unknown), second: fail(unknown), state: factor.NotificationSent, by: "a",
			keys: [][]string{{":1", ":1"}, {":2"}}, after: time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newPushWorld(t, "fcm")
			w.challenge()
			first, second := &carrier{answers: c.first}, &carrier{answers: c.second}
			w.routes.Platforms = map[factor.Platform][]delivery.Route{factor.FCM: w.by(first, second)}
			w.turns()
			n := w.push(first)
			if n.State != c.state || n.Provider != c.by || n.HandOvers != len(first.keys)+len(second.keys) {
				t.Errorf("it is %s by %s after %d hand-overs, want %s by %s", n.State, n.Provider, n.HandOvers, c.state, c.by)
			}
			if diff := cmp.Diff(c.keys, [][]string{first.keys, second.keys}); diff != "" {
				t.Errorf("hand-overs:\n%s", diff)
			}
			if got := w.now.Sub(start); got != c.after {
				t.Errorf("it took %s, want %s", got, c.after)
			}
			if got := w.reload().Config.Push.Unreachable; got != c.unreachable {
				t.Errorf("the handset is unreachable: %v, want %v", got, c.unreachable)
			}
		})
	}
}

func TestADeadPlatformIsTriedUntilTheChallengeExpires(t *testing.T) {
	w := newPushWorld(t, "fcm")
	w.challenge()
	dead := &carrier{}
	for range 1000 {
		dead.answers = append(dead.answers, fail(temporary)...)
	}
	w.routes.Platforms = map[factor.Platform][]delivery.Route{factor.FCM: w.by(dead)}
	w.turns()
	if n := w.push(dead); n.State != factor.NotificationFailed || w.now.Sub(start) > 5*time.Minute || len(dead.keys) < 8 || len(dead.keys) > 30 {
		t.Errorf("%s after %d hand-overs in %s", n.State, len(dead.keys), w.now.Sub(start))
	}
}

func TestAPlatformsPauseIsKept(t *testing.T) {
	w := newPushWorld(t, "fcm")
	w.challenge()
	slow := &carrier{answers: []error{&provider.Error{Class: throttled, RetryAfter: time.Minute}}}
	w.routes.Platforms = map[factor.Platform][]delivery.Route{factor.FCM: w.by(slow)}
	w.turns()
	if n := w.push(slow); n.State != factor.NotificationSent || w.now.Sub(start) != time.Minute {
		t.Errorf("%s after %s, want sent after the minute that was asked for", n.State, w.now.Sub(start))
	}
}

// A handset that its platform does not know any more is left alone, until it brings another token.
func TestAnUnknownHandsetIsLeftAlone(t *testing.T) {
	w := newPushWorld(t, "fcm")
	c := &carrier{answers: fail(badRecipient)}
	w.routes.Platforms = map[factor.Platform][]delivery.Route{factor.FCM: w.by(c)}
	w.challenge()
	w.turns()
	again := w.challenge()
	w.turns()
	n, err := w.factors.Notify(t.Context(), w.acc, w.service, ann, again.SID, nil)
	if err != nil || n.State != factor.NotificationDropped {
		t.Errorf("a notification that was asked for: %+v, %v", n, err)
	}
	if stored := w.stored(n.SID); stored.State != factor.NotificationDropped {
		t.Errorf("it is stored as %s", stored.State)
	}
	w.turns()
	if len(c.keys) != 1 {
		t.Fatalf("the handset was written to %d times, want once", len(c.keys))
	}
	if _, err := w.factors.UpdateFactor(t.Context(), w.acc, w.service, ann, w.factor.SID, factor.Update{
		PushParams: factor.PushParams{NotificationToken: new("another token")},
	}); err != nil {
		t.Fatal(err)
	}
	w.challenge()
	w.turns()
	if len(c.keys) != 2 || c.last.To != "another token" {
		t.Errorf("after another token it was written to %d times, last at %s", len(c.keys), c.last.To)
	}
}

// A token that came while the old one was tried is not taken for dead.
func TestANewTokenIsNotTakenForTheOld(t *testing.T) {
	w := newPushWorld(t, "fcm")
	w.challenge()
	w.routes.Platforms = map[factor.Platform][]delivery.Route{factor.FCM: {{Name: "a", Provider: sender(func() error {
		_, err := w.factors.UpdateFactor(t.Context(), w.acc, w.service, ann, w.factor.SID, factor.Update{
			PushParams: factor.PushParams{NotificationToken: new("another token")},
		})
		if err != nil {
			t.Error(err)
		}
		return fail(badRecipient)[0]
	})}}}
	w.turns()
	if w.reload().Config.Push.Unreachable {
		t.Error("the new token is taken for dead")
	}
}

func TestWhatNeedsNoNotificationGetsNone(t *testing.T) {
	remove := func(w *pushWorld, _ *factor.Challenge) {
		if err := w.factors.DeleteFactor(w.t.Context(), w.acc, w.service, ann, w.factor.SID); err != nil {
			w.t.Fatal(err)
		}
	}
	for name, prepare := range map[string]func(*pushWorld, *factor.Challenge){
		"its time is up":      func(w *pushWorld, c *factor.Challenge) { w.now = c.ExpiresAt },
		"its factor is gone":  remove,
		"nobody carries it":   func(w *pushWorld, _ *factor.Challenge) { w.routes = delivery.PushRoutes{} },
		"its service is gone": func(w *pushWorld, _ *factor.Challenge) { _ = w.engine.DeleteService(w.t.Context(), w.acc, w.service) },
		"its person is gone": func(w *pushWorld, _ *factor.Challenge) {
			_ = w.factors.DeleteEntity(w.t.Context(), w.acc, w.service, ann)
		},
		"the application polls": func(w *pushWorld, _ *factor.Challenge) { w.polls() },
	} {
		t.Run(name, func(t *testing.T) {
			w := newPushWorld(t, "fcm")
			c := w.challenge()
			none := &carrier{}
			w.routes.Platforms = map[factor.Platform][]delivery.Route{factor.FCM: w.by(none)}
			prepare(w, c)
			w.turns()
			if len(none.keys) != 0 {
				t.Errorf("it was told %d times", len(none.keys))
			}
		})
	}
}

func (w *pushWorld) polls() {
	if _, err := w.factors.UpdateFactor(w.t.Context(), w.acc, w.service, ann, w.factor.SID, factor.Update{
		PushParams: factor.PushParams{NotificationPlatform: new("none")},
	}); err != nil {
		w.t.Fatal(err)
	}
}

func TestTheLogHasNoTokenOfAHandset(t *testing.T) {
	w := newPushWorld(t, "fcm")
	w.challenge()
	c := &carrier{answers: fail(temporary)}
	w.routes.Platforms = map[factor.Platform][]delivery.Route{factor.FCM: w.by(c)}
	w.turns()
	if n := strings.Count(w.log.String(), "\n"); n != 2 {
		t.Errorf("%d lines for 2 hand-overs", n)
	}
	for _, secret := range []string{handsetToken, "Log in?", "4711"} {
		if strings.Contains(w.log.String(), secret) {
			t.Errorf("the log has %q in it:\n%s", secret, w.log.String())
		}
	}
}

// A provider of notifications that has a fault is the fault of a hand-over, as one of messages is.
func TestAProviderOfNotificationsThatPanicsIsTriedAgain(t *testing.T) {
	w := newPushWorld(t, "fcm")
	w.challenge()
	second := &carrier{}
	w.routes.Platforms = map[factor.Platform][]delivery.Route{factor.FCM: {{Name: "first", Provider: broken{}}, {Name: "second", Provider: second}}}
	w.turns()
	if len(second.keys) != 1 {
		t.Errorf("the second provider was asked %d times, want once", len(second.keys))
	}
	if log := w.log.String(); strings.Contains(log, handsetToken) || !strings.Contains(log, "a provider panicked") {
		t.Errorf("the log is\n%s", log)
	}
}

// sender is a provider that is a function.
type sender func() error

func (s sender) Send(context.Context, provider.Message) (provider.Accepted, error) {
	return provider.Accepted{}, s()
}

// With a place in the lane, a notification goes out straight from its commit; it is the same, recorded in
// the same way. A challenge that needs none gives the place back.
func TestANotificationGoesOutStraightFromItsCommit(t *testing.T) {
	w := newPushWorld(t, "fcm")
	l := &lane{}
	w.engine.Lanes = l
	c := w.challenge()
	if len(l.begun) != 1 || l.begun[0].Push == nil || l.begun[0].Kind != factor.ToHandset {
		t.Fatalf("begun: %+v", l.begun)
	}
	direct := &carrier{answers: fail(temporary)}
	w.routes.Platforms = map[factor.Platform][]delivery.Route{factor.FCM: w.by(direct)}
	worker := &delivery.Notifier{Engine: w.factors, Routes: w.routes, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return w.now }}
	if err := worker.Work(t.Context(), l.begun[0]); err != nil {
		t.Fatal(err)
	}
	if m := direct.last; m.To != handsetToken || m.Push.Collapse != c.SID || !m.Deadline.Equal(c.ExpiresAt) {
		t.Errorf("%+v", m)
	}
	w.turns() // the platform's failure left the job to the queue
	if n := w.push(direct); n.State != factor.NotificationSent || n.HandOvers != 2 {
		t.Errorf("%+v", n)
	}
	w.polls()
	l.taken = false
	w.challenge()
	if l.taken || len(l.begun) != 1 {
		t.Errorf("without a platform the place is taken: %v, and %d were begun", l.taken, len(l.begun))
	}
}

// A notification that is to be kept for a short time is tried for a short time; with none at all, once.
func TestAShortLifeIsAShortTry(t *testing.T) {
	for ttl, most := range map[int]time.Duration{0: 10 * time.Second, 60: time.Minute, 300: 5 * time.Minute} {
		w := newPushWorld(t, "fcm")
		c := w.challenge()
		none := &carrier{}
		w.routes.Platforms = map[factor.Platform][]delivery.Route{factor.FCM: w.by(none)}
		w.turns()
		n, err := w.factors.Notify(t.Context(), w.acc, w.service, ann, c.SID, &ttl)
		if err != nil || n.TTL != time.Duration(ttl)*time.Second {
			t.Fatalf("%+v, %v", n, err)
		}
		w.turns()
		if got := none.last.Deadline.Sub(w.now); got != most {
			t.Errorf("ttl %d: %s are left, want %s", ttl, got, most)
		}
		if err := w.store.Close(); err != nil { // the next world has the same name
			t.Fatal(err)
		}
	}
}
