package provider

import (
	"context"
	"errors"
	"strings"
)

// Checker is a Provider that can say whether it would work. Check connects, proves who it is as far as
// that sends nothing, and leaves. Its error says what is wrong in words for an operator, without
// secrets. It may be called of a provider that does not run (Runner).
type Checker interface {
	Check(ctx context.Context) error
}

// ErrUnproven is the error of a Check that reached the other side and could not find out whether it
// knows the credentials.
var ErrUnproven = errors.New("reached, but nothing there says whether our credentials are right")

// Unproven is an ErrUnproven that says in words of its own what was found out, and what was not.
func Unproven(words string) error { return unproven(words) }

type unproven string

func (u unproven) Error() string { return string(u) }

func (unproven) Is(target error) bool { return target == ErrUnproven }

// Plain is a failure to talk in the words of a Check: without its class, which is for routing.
func Plain(err error) error {
	e := AsError(err)
	words := strings.TrimSpace(e.Code + " " + e.Detail)
	switch {
	case errors.Is(e.Err, context.DeadlineExceeded):
		words += " in time"
	case e.Err != nil:
		words += ": " + e.Err.Error()
	}
	return errors.New(strings.TrimPrefix(words, ": "))
}
