package inbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/verifyd/verifyd/provider"
)

func TestMessagesAreListedNewestFirst(t *testing.T) {
	in := New(Options{})
	for i := range 5 {
		send(t, in, textTo("+34612345678", fmt.Sprint(i)))
	}
	if got, want := codes(in.Messages(t.Context(), Query{})), "4 3 2 1 0"; got != want {
		t.Errorf("codes: got %s, want %s", got, want)
	}
	if got, want := codes(in.Messages(t.Context(), Query{Limit: 2})), "4 3"; got != want {
		t.Errorf("codes with limit 2: got %s, want %s", got, want)
	}
}

func TestFiltersNarrowTheList(t *testing.T) {
	in := New(Options{})
	for _, m := range samples() {
		send(t, in, m)
	}
	email := in.Messages(t.Context(), Query{Channel: "email"})[0]
	for _, test := range []struct {
		name  string
		query Query
		want  string
	}{
		{"nothing asked", Query{}, "571640 205518 160877 739204 482913"},
		{"a number", Query{To: "+34612345678"}, "482913"},
		{"the start of a number", Query{To: "+3461234567"}, ""},
		{"an address in another case", Query{To: "ines.moreau@EXAMPLE.com"}, "160877"},
		{"a channel", Query{Channel: "call"}, "739204"},
		{"a code", Query{Code: "205518"}, "205518"},
		{"a number on another channel", Query{To: "+34612345678", Channel: "call"}, ""},
		{"newer than the e-mail", Query{After: email.SID}, "571640 205518"},
		{"newer than everything", Query{After: "SMffffffffffffffffffffffffffffffff"}, ""},
		{"newer than what never was", Query{After: "SM00000000000000000000000000000000"}, "571640 205518 160877 739204 482913"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := codes(in.Messages(t.Context(), test.query)); got != test.want {
				t.Errorf("codes: got %q, want %q", got, test.want)
			}
		})
	}
}

func TestOnlyASCIICaseIsFolded(t *testing.T) {
	in := New(Options{})
	send(t, in, textTo("kate@example.com", "1"))
	// U+212A, the Kelvin sign, is a k in lower case to Unicode, and another person's address.
	if got := codes(in.Messages(t.Context(), Query{To: "\u212Aate@example.com"})); got != "" {
		t.Errorf("the Kelvin sign finds %s", got)
	}
	if got := codes(in.Messages(t.Context(), Query{To: "Kate@example.com"})); got != "1" {
		t.Errorf("a capital K finds %q, want 1", got)
	}
}

func TestOldestMessagesMakeRoom(t *testing.T) {
	in := New(Options{Limit: 10})
	first := send(t, in, textTo("+34612345678", "first"))
	for i := range 1000 {
		send(t, in, textTo("+34612345678", fmt.Sprint(i)))
		if n := len(in.messages); n > 10 {
			t.Fatalf("after %d messages %d are kept, want 10", i+2, n)
		}
		// The slice slides along its array; what it leaves behind must be empty and short.
		if c := cap(in.messages); c > 64 {
			t.Fatalf("after %d messages there is room for %d, want a small multiple of 10", i+2, c)
		}
	}
	if got, want := codes(in.Messages(t.Context(), Query{})), "999 998 997 996 995 994 993 992 991 990"; got != want {
		t.Errorf("codes: got %s, want %s", got, want)
	}
	if _, ok := in.Message(t.Context(), first); ok {
		t.Errorf("message %s is still there", first)
	}
	// That message is forgotten, and yet all that is left is newer.
	if got := len(in.Messages(t.Context(), Query{After: first})); got != 10 {
		t.Errorf("newer than the forgotten message: got %d messages, want 10", got)
	}
}

func TestMessageIsFoundBySID(t *testing.T) {
	st := newStates()
	st.set(sampleSID("VE", 1), "pending")
	in := New(Options{State: st.get})
	sid := send(t, in, sampleSMS())
	send(t, in, sampleCall())
	m, ok := in.Message(t.Context(), sid)
	if !ok || m.Code != "482913" || m.VerificationStatus != "pending" {
		t.Errorf("Message(%s) = code %q, status %q, %t; want 482913, pending, true", sid, m.Code, m.VerificationStatus, ok)
	}
	if _, ok := in.Message(t.Context(), "SM00000000000000000000000000000000"); ok {
		t.Error("a SID that was never given out finds a message")
	}
}

func TestSendReportsAsACarrierWould(t *testing.T) {
	in := New(Options{})
	m := sampleSMS()
	m.Segments = 3
	got, err := in.Send(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	if !validSID(got.ID) || got.Parts != 3 {
		t.Errorf("accepted as %q in %d parts, want a SID and 3 parts", got.ID, got.Parts)
	}
}

func TestSendGivesUpWhenItsContextHasEnded(t *testing.T) {
	in := New(Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := in.Send(ctx, sampleSMS())
	if e, ok := errors.AsType[*provider.Error](err); !ok || e.Class != provider.Temporary || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want a temporary provider.Error for %v", err, context.Canceled)
	}
	if n := len(in.Messages(t.Context(), Query{})); n != 0 {
		t.Errorf("%d messages are kept of a send that failed", n)
	}
}

func TestKeptMessageDoesNotChangeWithTheSendersCopy(t *testing.T) {
	in := New(Options{})
	call, whatsapp := sampleCall(), sampleWhatsApp()
	send(t, in, call)
	send(t, in, whatsapp)
	call.Speech.Parts[0].Say = "changed"
	call.Speech.Repeat = 9
	whatsapp.Template.Vars["1"] = "changed"

	if got, want := in.Messages(t.Context(), Query{Channel: "call"})[0].Speech, sampleCall().Speech; !cmp.Equal(got, want) {
		t.Errorf("speech (-got +want):\n%s", cmp.Diff(got, want))
	}
	if got, want := in.Messages(t.Context(), Query{Channel: "whatsapp"})[0].Template, sampleWhatsApp().Template; !cmp.Equal(got, want) {
		t.Errorf("template (-got +want):\n%s", cmp.Diff(got, want))
	}
}

func TestStateIsReadWhenMessagesAreReadAndOncePerVerification(t *testing.T) {
	st := newStates()
	in := New(Options{State: st.get})
	m := sampleSMS()
	for range 3 { // sent, and sent again twice
		send(t, in, m)
	}
	if n := st.questions(m.Verification); n != 0 {
		t.Errorf("sending asked for the state %d times, want never", n)
	}
	for i, status := range []string{"pending", "approved"} {
		st.set(m.Verification, status)
		for _, got := range in.Messages(t.Context(), Query{}) {
			if got.VerificationStatus != status {
				t.Errorf("status: got %q, want %q", got.VerificationStatus, status)
			}
		}
		if n := st.questions(m.Verification); n != i+1 {
			t.Errorf("%d lists asked for the state %d times, want once each", i+1, n)
		}
	}
}

func TestMessageOutlivesItsVerification(t *testing.T) {
	in := New(Options{State: newStates().get}) // knows no verification
	send(t, in, sampleSMS())
	got := in.Messages(t.Context(), Query{})
	if len(got) != 1 || got[0].VerificationStatus != "" {
		t.Errorf("got %d messages with status %q, want one without", len(got), got[0].VerificationStatus)
	}
}

func TestClearEmptiesTheInbox(t *testing.T) {
	in := New(Options{})
	before := send(t, in, textTo("+34612345678", "1"))
	in.Clear()
	if got := codes(in.Messages(t.Context(), Query{})); got != "" {
		t.Errorf("after Clear: got codes %s", got)
	}
	after := send(t, in, textTo("+34612345678", "2"))
	if after <= before {
		t.Errorf("SID %s after Clear is not newer than %s before", after, before)
	}
}

func TestWaitReturnsAtOnceWhatIsThere(t *testing.T) {
	in := New(Options{})
	send(t, in, textTo("+34612345678", "1"))
	got, err := in.Wait(t.Context(), Query{To: "+34612345678"})
	if err != nil || codes(got) != "1" {
		t.Errorf("got %s, %v; want 1", codes(got), err)
	}
}

func TestWaitReturnsOnlyWhatIsNewer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := New(Options{})
		last := send(t, in, textTo("+34612345678", "1"))
		got := make(chan string)
		go func() {
			messages, err := in.Wait(t.Context(), Query{To: "+34612345678", After: last})
			got <- fmt.Sprint(codes(messages), err)
		}()
		synctest.Wait()
		send(t, in, textTo("+34600000000", "another's"))
		in.Clear()
		synctest.Wait()
		select {
		case early := <-got:
			t.Fatalf("woken by another's message, or by Clear: %s", early)
		default:
		}
		send(t, in, textTo("+34612345678", "2"))
		if got, want := <-got, "2<nil>"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}

func TestWaitEndsWithItsContextAndWithTheInbox(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := New(Options{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := in.Wait(ctx, Query{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want %v", err, context.DeadlineExceeded)
		}

		ended := make(chan error)
		go func() {
			_, err := in.Wait(t.Context(), Query{})
			ended <- err
		}()
		synctest.Wait()
		in.Close()
		in.Close() // is allowed
		if err := <-ended; !errors.Is(err, ErrClosed) {
			t.Errorf("got %v, want %v", err, ErrClosed)
		}
		if _, err := in.Wait(t.Context(), Query{}); !errors.Is(err, ErrClosed) {
			t.Errorf("after Close: got %v, want %v", err, ErrClosed)
		}
		if len(in.watchers) != 0 {
			t.Errorf("%d destinations are still watched", len(in.watchers))
		}
	})
}

func TestHundredWaitsDoNotCross(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := New(Options{})
		var waits sync.WaitGroup
		for i := range 100 {
			waits.Go(func() {
				to := fmt.Sprintf("+346%08d", i)
				got, err := in.Wait(t.Context(), Query{To: to})
				if err != nil || codes(got) != fmt.Sprint(i) {
					t.Errorf("%s: got codes %q, %v; want %d", to, codes(got), err, i)
				}
			})
		}
		synctest.Wait() // now all of them wait
		if n := len(in.watchers); n != 100 {
			t.Errorf("%d destinations are watched, want 100", n)
		}
		var sends sync.WaitGroup
		for i := range 100 {
			sends.Go(func() { send(t, in, textTo(fmt.Sprintf("+346%08d", i), fmt.Sprint(i))) })
		}
		sends.Wait()
		waits.Wait()
		if n := len(in.watchers); n != 0 {
			t.Errorf("%d destinations are still watched", n)
		}
	})
}

func TestSendClearAndReadTogether(t *testing.T) {
	in := New(Options{Limit: 50, State: newStates().get})
	var busy, waits sync.WaitGroup
	for i := range 8 {
		to := fmt.Sprintf("+3461234567%d", i)
		busy.Go(func() {
			for j := range 200 {
				send(t, in, textTo(to, fmt.Sprint(j)))
			}
		})
		busy.Go(func() {
			for range 50 {
				in.Clear()
				previous := "SMg"
				for _, m := range in.Messages(t.Context(), Query{Limit: maxPage}) {
					if m.SID >= previous {
						t.Errorf("%s is listed after %s", m.SID, previous)
					}
					previous = m.SID
				}
			}
		})
		waits.Go(func() {
			got, err := in.Wait(t.Context(), Query{To: to})
			if err != nil || len(got) == 0 {
				t.Errorf("wait: got %d messages, %v", len(got), err)
			}
		})
	}
	busy.Wait()
	for i := range 8 { // whose messages may all have been cleared before the wait began
		send(t, in, textTo(fmt.Sprintf("+3461234567%d", i), "last"))
	}
	waits.Wait()
}

func TestEveryKeyIsThereAndNullWhenUnset(t *testing.T) {
	c := newClock()
	in := New(Options{Now: c.now, Rand: strings.NewReader("12345678")})
	send(t, in, provider.Message{Channel: "sms", To: "+34612345678"})
	want := `{"sid":"SM` + fmt.Sprintf("%012x", c.now().UnixMilli()) + `00003132333435363738",` +
		`"attempt_sid":null,"verification_sid":null,"verification_status":null,"channel":"sms","to":"+34612345678",` +
		`"from":null,"from_name":null,"brand":null,"code":null,"text":null,"segments":null,"encoding":null,` +
		`"subject":null,"html":null,"locale":null,"created_at":"2026-11-24T09:30:00.000Z","expires_at":null,` +
		`"speech":null,"template":null,"push":null,"rules":null}`
	if got := messageJSON(t, in); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestEmailIsFlattened(t *testing.T) {
	c := newClock()
	in := New(Options{Now: c.now})
	m := sampleEmail()
	m.Deadline = c.now().Add(10*time.Minute + 5*time.Millisecond)
	send(t, in, m)
	var got map[string]any
	if err := json.Unmarshal([]byte(messageJSON(t, in)), &got); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]any{
		"from": "no-reply@fernweh.example", "from_name": "Fernweh", "text": m.Email.Text, "html": m.Email.HTML,
		"subject": m.Email.Subject, "to": "Ines.Moreau@example.com", "expires_at": "2026-11-24T09:40:00.005Z",
	} {
		if got[key] != want {
			t.Errorf("%s: got %v, want %v", key, got[key], want)
		}
	}
}

func TestMessageSurvivesJSON(t *testing.T) {
	in := New(Options{Now: newClock().now})
	for _, m := range samples() {
		send(t, in, m)
	}
	for _, want := range in.Messages(t.Context(), Query{}) {
		b, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got Message
		if err := json.Unmarshal(b, &got); err != nil {
			t.Fatal(err)
		}
		want.key = ""
		if diff := cmp.Diff(got, want, cmp.AllowUnexported(Message{})); diff != "" {
			t.Errorf("%s (-got +want):\n%s", want.Channel, diff)
		}
	}
}

func messageJSON(t *testing.T, in *Inbox) string {
	t.Helper()
	b, err := json.Marshal(in.Messages(t.Context(), Query{})[0])
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// A number that signs in twice: the first code opens nothing any more, and is not what a test waits for.
func TestPendingLeavesOutWhatIsOver(t *testing.T) {
	st := newStates()
	in := New(Options{State: st.get})
	first, second := textTo("+34612345678", "1"), textTo("+34612345678", "2")
	first.Verification, second.Verification = sampleSID("VE", 1), sampleSID("VE", 2)
	st.set(first.Verification, "pending")
	st.set(second.Verification, "pending")
	send(t, in, first)
	pending := Query{To: "+34612345678", Pending: true}
	if got := codes(in.Messages(t.Context(), pending)); got != "1" {
		t.Errorf("at first: %q", got)
	}
	st.set(first.Verification, "approved")
	if got := codes(in.Messages(t.Context(), pending)); got != "" {
		t.Errorf("after the approval: %q", got)
	}
	got := make(chan []Message, 1)
	go func() {
		messages, _ := in.Wait(t.Context(), pending)
		got <- messages
	}()
	send(t, in, second)
	if got := codes(<-got); got != "2" {
		t.Errorf("waited for %q, want 2", got)
	}
	for range 10 {
		send(t, in, second)
	}
	pending.Limit = 3
	if got := codes(in.Messages(t.Context(), pending)); got != "2 2 2" {
		t.Errorf("with a limit of 3: %q", got)
	}
}

func TestEveryMessageIsToldOf(t *testing.T) {
	var told []Message
	in := New(Options{Sent: func(m Message) { told = append(told, m) }})
	send(t, in, textTo("+34612345678", "1"))
	send(t, in, textTo("+34612345679", "2"))
	if got := codes(told); got != "1 2" {
		t.Errorf("told of %q", got)
	}
}

// Whoever waits for one code is not the reason to read every verification that there is.
func TestPendingAsksForNoMoreStatesThanItNeeds(t *testing.T) {
	asked := 0
	in := New(Options{State: func(context.Context, string) (string, error) {
		asked++
		return "pending", nil
	}})
	for i := range 100 {
		m := textTo("+34612345678", fmt.Sprint(i))
		m.Verification = fmt.Sprintf("VE%032x", i)
		send(t, in, m)
	}
	if got := codes(in.Messages(t.Context(), Query{Pending: true, Limit: 2})); got != "99 98" || asked != 2 {
		t.Errorf("%s, and %d questions", got, asked)
	}
}
