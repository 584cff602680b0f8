package server

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/delivery"
	"github.com/verifyd/verifyd/internal/keyring"
	"github.com/verifyd/verifyd/internal/sid"
	"github.com/verifyd/verifyd/internal/store/sqlite"
	"github.com/verifyd/verifyd/internal/verify"
	"github.com/verifyd/verifyd/provider"
)

// asked is a provider that tells who was asked.
type asked struct {
	name string
	who  chan string
}

func (a asked) Send(context.Context, provider.Message) (provider.Accepted, error) {
	a.who <- a.name
	return provider.Accepted{}, nil
}

// A server that starts reads how often the codes came back that others sent, before it sends any itself.
func TestAServerThatStartsKnowsWhichCodesCameBack(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	store, err := sqlite.Open(t.Context(), "memory:"+t.Name(), sqlite.Options{Now: time.Now, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	keys, err := keyring.Parse([]byte("1 " + strings.Repeat("42", 32)))
	if err != nil {
		t.Fatal(err)
	}
	engine := verify.NewEngine(store, keys, time.Now, rand.Reader, func(verify.Channel) bool { return true })
	name, to, channel := "Acme", "+34612345678", "sms"
	account, _, err := engine.CreateAccount(t.Context(), "test", "", "")
	if err != nil {
		t.Fatal(err)
	}
	service, err := engine.CreateService(t.Context(), account.SID, verify.ServiceParams{FriendlyName: &name})
	if err != nil {
		t.Fatal(err)
	}
	const each = 60
	earlier := time.Now().Add(-10 * time.Minute)
	if err := store.Update(t.Context(), func(tx verify.Tx) error {
		for i := range 2 * each {
			a := &verify.Attempt{Channel: verify.SMS, To: to, Country: "ES", Provider: "first", State: verify.AttemptSent, CreatedAt: earlier, UpdatedAt: earlier, ExpiresAt: earlier}
			if a.Converted = i%2 == 1; a.Converted {
				a.Provider = "second"
			}
			if a.SID, err = sid.New(sid.Attempt, earlier.Add(time.Duration(i)*time.Millisecond), rand.Reader); err != nil {
				return err
			}
			tx.AddAttempt(a)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	who, swept := make(chan string), make(chan struct{}, 1)
	first, second := asked{"first", who}, asked{"second", who}
	s := &Server{
		Log: log, Store: store, Engine: engine, Listener: listener,
		Providers: map[string]provider.Provider{"first": first, "second": second},
		Routes:    delivery.Routes{verify.SMS: delivery.Anywhere(delivery.Route{Name: "first", Provider: first}, delivery.Route{Name: "second", Provider: second})},
		Swept: func() {
			select {
			case swept <- struct{}{}:
			default:
			}
		},
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	<-swept
	had := map[string]int{}
	for i := range 20 {
		to := fmt.Sprintf("+346123456%02d", i)
		if _, err := engine.StartVerification(t.Context(), account.SID, service.SID, verify.StartParams{To: &to, Channel: &channel}); err != nil {
			t.Fatal(err)
		}
		had[<-who]++
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if had["second"] <= had["first"] {
		t.Errorf("messages by provider: %v; the codes of the first never came back", had)
	}
}
