// Package providertest is the exam that every provider takes, whoever wrote it. It needs only Go:
// the subject brings both ends of its wire, the provider and a far end that can be told how to
// behave, and the exam watches what becomes of the messages in between.
//
// A provider's own tests say that it speaks its protocol well. The exam says that routing may
// trust it: that a failure is a *provider.Error of the right class, that Send gives up when its
// context ends, that "surely not sent" is never said of a message that may have gone, that
// messages sent at once do not mix, and that no error or log repeats a code, an address or a
// password, even when the other side does. Of a provider that takes messages back (provider.Revoker)
// it says that nothing counts as taken back but what the other side has confirmed.
//
// To take it, write a Far for the protocol and hand both ends to Run:
//
//	func TestExam(t *testing.T) {
//		providertest.Run(t, providertest.Subject{
//			Channels: []string{"sms"},
//			Secrets:  []string{"hunter2"},
//			Start: func(t testing.TB, deps provider.Deps) (provider.Provider, providertest.Far) {
//				far := startFakeCarrier(t) // stops itself with t.Cleanup
//				p, err := acme.New(acme.Config{URL: far.URL, Password: "hunter2"}, deps)
//				if err != nil {
//					t.Fatal(err)
//				}
//				return p, far
//			},
//		})
//	}
//
// Run it with -race. The exam measures no time; it only loses patience when Send hangs, and so
// the provider under test wants a time limit of a minute or more.
//
// A provider that has a Check takes a second exam, RunCheck: that it knows right credentials from wrong
// ones, believes no certificate for another name, and ends in time.
//
// It is not for the details of a wire: recorded bytes, tables of vendor codes and the vendor's
// own mistakes belong into the provider's tests.
package providertest

import (
	"slices"
	"testing"
	"time"

	"github.com/verifyd/verifyd/provider"
)

// Subject is a provider that takes the exam.
type Subject struct {
	// Channels are those that the provider carries; messages of any other must be refused with
	// BadRequest. Nil means that the far end decides.
	Channels []string
	// Elsewhere are channels that the provider carries too, and that another Subject's far end is asked
	// about.
	Elsewhere []string
	// Start makes a provider and the far end that it talks to. It is called anew for every
	// question. Both stop with t.Cleanup; a provider that is an io.Closer is closed by the exam.
	Start func(t testing.TB, deps provider.Deps) (provider.Provider, Far)
	// Adapt, if set, changes each message of the exam before it is sent, where the provider cannot
	// take the one that Message gives: a push platform has its own form of address.
	Adapt func(*provider.Message)
	// Secrets are the credentials that Start gives to the provider, and whatever else of its
	// configuration must not appear in an error.
	Secrets []string
	// Never names the classes that no answer of this far end can mean. SMTP has no answer for
	// Unknown: only silence means that.
	Never []provider.Class

	// patience is how long Send may go on after it should have returned.
	patience time.Duration
}

// Far is the other end of a provider's wire, real enough to speak the protocol.
type Far interface {
	// Behave says how to treat messages from now on. A new Far accepts. Messages that are being
	// held stay held.
	Behave(Behaviour)
	// Holding receives one value for each message that the far end holds unanswered (Hang).
	// It must not block the far end: give it a buffer.
	Holding() <-chan struct{}
	// Taken lists the messages that the far end has accepted, in the order of their arrival.
	Taken() []Taken
}

// Behaviour is what a far end does with a message.
type Behaviour struct {
	Act Act
	// Class is what the refusal must mean to the provider (Refuse).
	Class provider.Class
	// Words are those that the far end puts into its refusal, wherever its protocol has room for
	// them. They are one line of ASCII and as careless as vendors are: they repeat the message's
	// address and code, and the provider's credentials.
	Words string
}

// Act is the kind of a Behaviour.
type Act int

// The acts, from the friendly to the dead.
const (
	// Accept takes the message and gives it an identifier of its own, if the protocol has one.
	Accept Act = iota
	// Refuse answers with whatever means Class in this protocol.
	Refuse
	// Hang reads the whole message and says nothing, until the connection or the test ends.
	Hang
	// Drop reads the whole message and ends the connection without an answer.
	Drop
	// Mute accepts connections and never says a word. Where there are no connections it is Hang.
	Mute
	// Leave closes every connection and stops listening. It is the last thing a Far does.
	Leave
)

// Taken is a message as the far end understood it.
type Taken struct {
	To string
	// Text is whatever carried the code, or the SID of a challenge: the text, the speech, the
	// subject and both bodies, the data of a notification.
	Text string
	// ID is the identifier that the far end answered, empty where there is none.
	ID string
}

// Run examines s, one subtest for each question.
func Run(t *testing.T, s Subject) {
	for _, q := range questions(s) {
		t.Run(q.name, func(t *testing.T) { q.ask(sit(t, s)) })
	}
}

// question is one part of the exam; its name is the sentence that it checks.
type question struct {
	name string
	ask  func(*sitting)
}

func questions(s Subject) []question {
	carried := s.Channels
	if carried == nil {
		carried = Channels
	}
	var all []question
	for _, channel := range carried {
		all = append(all, question{"accepts/" + channel, accepts(channel)})
	}
	for _, class := range []provider.Class{
		provider.BadRecipient, provider.BadRequest, provider.Temporary, provider.Throttled, provider.Unknown,
	} {
		if !slices.Contains(s.Never, class) {
			all = append(all, question{"a refusal shows its class/" + class.String(), refusal(class)})
		}
	}
	for _, channel := range Channels {
		if !slices.Contains(carried, channel) && !slices.Contains(s.Elsewhere, channel) {
			all = append(all, question{"refuses another's channel/" + channel, foreign(channel)})
		}
	}
	all = append(all, revocations()...)
	return append(all,
		question{"nobody listens", nobodyListens},
		question{"the far end goes away", goesAway},
		question{"a held message is given up when cancelled", cancelled},
		question{"a held message is given up at the deadline", overdue},
		question{"a dropped message is perhaps sent", dropped},
		question{"a far end that never speaks", mute},
		question{"a context that is over sends nothing", contextOver},
		question{"messages sent at once do not mix", atOnce},
		question{"a message without content", withoutContent},
	)
}
