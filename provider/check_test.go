package provider

import (
	"context"
	"errors"
	"fmt"
	"testing"
)

func TestPlainWords(t *testing.T) {
	for want, err := range map[string]error{
		"did not answer in time":       &Error{Class: Unknown, Detail: "did not answer", Err: context.DeadlineExceeded},
		"connect: no route":            &Error{Class: Temporary, Detail: "connect", Err: errors.New("no route")},
		"535 5.7.8 AUTH: no such user": &Error{Class: BadRequest, Code: "535 5.7.8", Detail: "AUTH: no such user"},
		"odd":                          errors.New("odd"),
	} {
		if got := Plain(err).Error(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestUnprovenIsOne(t *testing.T) {
	err := fmt.Errorf("carrier: %w", Unproven("the key may not read the balance"))
	if !errors.Is(err, ErrUnproven) || err.Error() != "carrier: the key may not read the balance" {
		t.Errorf("got %v", err)
	}
	if errors.Is(errors.New("the key may not read the balance"), ErrUnproven) {
		t.Error("any error is unproven")
	}
}
