package providertest

import (
	"context"
	"strings"
	"time"

	"github.com/verifyd/verifyd/provider"
)

// crowd is how many messages are sent at once. It is more than any pool of connections holds.
const crowd = 24

// message is a message that this provider carries.
func (x *sitting) message(n int) provider.Message {
	if len(x.subject.Channels) > 0 {
		return x.messageFor(x.subject.Channels[0], n)
	}
	return x.messageFor("sms", n)
}

// messageFor is the message of a channel in the form that this provider wants.
func (x *sitting) messageFor(channel string, n int) provider.Message {
	m := Message(channel, n)
	if x.subject.Adapt != nil {
		x.subject.Adapt(&m)
	}
	return m
}

// careless is what a vendor says about m who has never heard of secrets.
func (x *sitting) careless(m provider.Message) string {
	words := append([]string{"cannot take", m.Code, "for", m.To, "from"}, x.subject.Secrets...)
	return strings.Join(words, " ")
}

func accepts(channel string) func(*sitting) {
	return func(x *sitting) {
		x.mustSend("the first message", x.messageFor(channel, 1))
		x.mustSend("the second message", x.messageFor(channel, 2))
	}
}

func refusal(class provider.Class) func(*sitting) {
	return func(x *sitting) {
		m := x.message(1)
		x.far.Behave(Behaviour{Act: Refuse, Class: class, Words: x.careless(m)})
		_, err := x.send(x.Context(), m)
		x.checkClass("refused", err, class)
		if err.Code == "" {
			x.Errorf("refused: the vendor's code is missing: %+v", err)
		}
		if n := len(x.far.Taken()); n != 0 {
			x.Errorf("the far end took %d messages, want 0: is its Refuse sound?", n)
		}
		x.far.Behave(Behaviour{Act: Accept})
		x.mustSend("after a refusal", x.message(2))
	}
}

func foreign(channel string) func(*sitting) {
	return func(x *sitting) {
		_, err := x.send(x.Context(), x.messageFor(channel, 1))
		x.checkClass("a channel that it does not carry", err, provider.BadRequest)
		x.checkNothingTaken()
	}
}

func nobodyListens(x *sitting) {
	x.far.Behave(Behaviour{Act: Leave})
	_, err := x.send(x.Context(), x.message(1))
	x.checkClass("connection refused", err, provider.Temporary)
}

// goesAway leaves the provider with a connection that it believes in. It may have written into it
// before it learned the truth, and then it cannot know.
func goesAway(x *sitting) {
	x.mustSend("while somebody listened", x.message(1))
	x.far.Behave(Behaviour{Act: Leave})
	_, err := x.send(x.Context(), x.message(2))
	x.checkClass("the far end has gone", err, provider.Temporary, provider.Unknown)
}

func cancelled(x *sitting) {
	ctx, cancel := context.WithCancel(x.Context())
	defer cancel()
	x.far.Behave(Behaviour{Act: Hang})
	s := x.begin(ctx, x.message(1))
	x.await("the far end to hold the message", x.far.Holding())
	cancel()
	_, err := s.wait()
	x.checkClass("cancelled with the message sent", err, provider.Unknown)

	x.far.Behave(Behaviour{Act: Accept})
	x.mustSend("after a message was held", x.message(2))
}

// overdue uses a deadline that has room for the message to arrive. Should the machine be too slow
// even for that, nothing was sent, and saying so is right.
func overdue(x *sitting) {
	ctx, cancel := context.WithTimeout(x.Context(), 250*time.Millisecond)
	defer cancel()
	x.far.Behave(Behaviour{Act: Hang})
	_, err := x.send(ctx, x.message(1))
	select {
	case <-x.far.Holding():
		x.checkClass("deadline passed with the message sent", err, provider.Unknown)
	default:
		x.checkClass("deadline passed", err, provider.Temporary, provider.Unknown)
	}
}

func dropped(x *sitting) {
	x.far.Behave(Behaviour{Act: Drop})
	_, err := x.send(x.Context(), x.message(1))
	x.checkClass("dropped after the whole message", err, provider.Unknown)

	x.far.Behave(Behaviour{Act: Accept})
	x.mustSend("after a message was dropped", x.message(2))
}

// mute cannot say which class is right: where the client speaks first, everything was written.
func mute(x *sitting) {
	ctx, cancel := context.WithTimeout(x.Context(), 200*time.Millisecond)
	defer cancel()
	x.far.Behave(Behaviour{Act: Mute})
	_, err := x.send(ctx, x.message(1))
	x.checkClass("nobody answered", err, provider.Temporary, provider.Unknown)
}

func contextOver(x *sitting) {
	ctx, cancel := context.WithCancel(x.Context())
	cancel()
	_, err := x.send(ctx, x.message(1))
	x.checkNothingTaken()
	x.checkClass("cancelled before it began", err, provider.Temporary)
}

func atOnce(x *sitting) {
	// Two rounds: the second finds the connections that the first has left behind.
	for round := range 2 {
		var under []*sending
		for i := range crowd {
			under = append(under, x.begin(x.Context(), x.message(1+round*crowd+i)))
		}
		for _, s := range under {
			if _, err := s.wait(); err != nil {
				x.Errorf("one of %d at once failed: %v", crowd, err)
			}
		}
		for _, s := range under {
			if s.err == nil {
				x.checkTaken("at once", s.m, s.accepted)
			}
		}
	}
	if got := len(x.far.Taken()); got != 2*crowd {
		x.Errorf("%d messages arrived, %d were sent", got, 2*crowd)
	}
}

// withoutContent is a message as a mistake of ours might compose it. Any answer will do but a
// panic, or an error of another type.
func withoutContent(x *sitting) {
	m := x.message(1)
	m.Text, m.Template, m.Speech, m.Email, m.Push = "", nil, nil, nil, nil
	x.send(x.Context(), m)
	x.send(x.Context(), provider.Message{Channel: m.Channel})
	x.send(x.Context(), provider.Message{})
	x.mustSend("after messages without content", x.message(2))
}

func (x *sitting) checkNothingTaken() {
	x.Helper()
	if n := len(x.far.Taken()); n != 0 {
		x.Errorf("%d messages arrived, want none", n)
	}
}
