package main

import (
	"context"
	"errors"
	"testing"

	"github.com/verifyd/verifyd/internal/delivery"
	"github.com/verifyd/verifyd/internal/verify"
	"github.com/verifyd/verifyd/provider"
)

// kept is a provider that keeps connections.
type kept struct {
	provider.Provider
	closed int
	err    error
}

func (k *kept) Close() error {
	k.closed++
	return k.err
}

type keepsNothing struct{}

func (keepsNothing) Send(context.Context, provider.Message) (provider.Accepted, error) {
	return provider.Accepted{}, nil
}

func TestProvidersAreClosedOnceAtTheEnd(t *testing.T) {
	broken := errors.New("broken pipe")
	mail, gateway, local := &kept{}, &kept{err: broken}, &kept{}
	err := closeProviders(delivery.Routes{
		verify.Email: {{Name: "mail", Provider: mail}, {Name: "gateway", Provider: gateway}},
		verify.SMS:   {{Name: "gateway", Provider: gateway}, {Name: "other", Provider: keepsNothing{}}},
	}, delivery.MessagingServices{
		"MG1": {verify.SMS: {{Name: "local", Provider: local}, {Name: "gateway", Provider: gateway}}},
	})
	if mail.closed != 1 || gateway.closed != 1 || local.closed != 1 || !errors.Is(err, broken) {
		t.Errorf("closed %d, %d and %d times, %v", mail.closed, gateway.closed, local.closed, err)
	}
}
