package api_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/verifyd/verifyd/internal/api"
	"github.com/verifyd/verifyd/internal/message"
	"github.com/verifyd/verifyd/internal/sid"
	"github.com/verifyd/verifyd/internal/verify"
)

var update = flag.Bool("update", false, "write the answers into the conversations")

// TestConversations plays each file of testdata/conversations: a request a line, then the answer,
// which -update writes. SIDs have names by the order in which they appear ($VA1), $CODE1 is the
// code of $VE1 and $WRONG1 is not; $TOTP is the code of the sample seed now. "device" in front of a
// request signs it as the device of $CR1, "device2" as that of $CR2, and "granted" sends the access token
// $TOKEN1; device_test.go has the variables of devices. $PROOF is what a browser with a passkey makes of
// the latest options, and there are wrong ones (see answers); a parameter that is {…} is a JSON body.
// "advance 10m" moves the clock; "without email" takes a channel's routes away; "limits" sets the
// built-in limits; "announced" has the sink told of events, and "sweep" ends what is over; "carries" names
// the one messaging service that the server has; "template" and "draft" make a template from a file,
// approved or not, and give its SID a name; "store is unavailable", "is
// broken" and "is back" again; "brandless" names a country
// whose text messages must not name the brand; "x5" at the end repeats a request, the $N-th time.
func TestConversations(t *testing.T) {
	files, err := filepath.Glob("testdata/conversations/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no conversations: %v", err)
	}
	seen, played := map[string]bool{}, 0
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			w := newWorld(t)
			got := w.play(string(text))
			maps.Copy(seen, w.seen)
			played++
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(strings.Split(string(text), "\n"), strings.Split(got, "\n")); diff != "" {
				t.Errorf("%s (run with -update to accept):\n%s", file, diff)
			}
		})
	}
	if played < len(files) {
		return // -run has chosen some
	}
	for _, r := range api.Resources() {
		for _, o := range r.Operations {
			if !seen[o.ID+" "+strconv.Itoa(o.Status)] {
				t.Errorf("no conversation has %s answered with %d", o.ID, o.Status)
			}
		}
	}
}

func (w *world) play(text string) string {
	var out strings.Builder
	for _, line := range strings.Split(strings.TrimRight(text, "\n"), "\n") {
		word, rest, _ := strings.Cut(line, " ")
		switch {
		case line == "" || word == "#":
			out.WriteString(line + "\n")
		case word == "advance":
			d, err := time.ParseDuration(rest)
			if err != nil {
				w.t.Fatal(err)
			}
			w.now = w.now.Add(d)
			out.WriteString(line + "\n")
		case word == "limits": // of a server, which a developer has not
			w.engine.Limits = verify.BuiltIn()
			out.WriteString(line + "\n")
		case word == "announced": // the sink is told of what these patterns are
			var err error
			if w.engine.Announced, err = verify.Subscribe(strings.Fields(rest)); err != nil {
				w.t.Fatal(err)
			}
			out.WriteString(line + "\n")
		case word == "sweep": // ends what nobody asks about
			if err := w.engine.Sweep(w.t.Context()); err != nil {
				w.t.Fatal(err)
			}
			out.WriteString(line + "\n")
		case word == "deliver": // sends what waits, as a worker would
			w.deliver(rest)
			out.WriteString(line + "\n")
		case word == "report": // what the carrier says later
			w.report(rest)
			out.WriteString(line + "\n")
		case word == "fallback": // the code goes on by another channel, if what was sent is taken back
			w.fallback(rest)
			out.WriteString(line + "\n")
		case word == "without":
			w.routed[verify.Channel(rest)] = false
			out.WriteString(line + "\n")
		case word == "carries":
			w.engine.Carries = func(sid string, _ verify.Channel) bool { return sid == rest }
			out.WriteString(line + "\n")
		case word == "store":
			w.breakStore(rest)
			out.WriteString(line + "\n")
		case word == "brandless":
			w.engine.Brandless = func(country string) bool { return country == rest }
			out.WriteString(line + "\n")
		case word == "template" || word == "draft":
			w.template(rest, word == "template")
			out.WriteString(line + "\n")
		case slices.Contains([]string{"GET", "POST", "DELETE", "PUT", "OPTIONS"}, word):
			out.WriteString(line + "\n" + w.request(line))
		case word == "granted" || strings.HasPrefix(word, "device"):
			user, password := w.user, w.password
			w.user, w.password = "token", w.credential(word)
			out.WriteString(line + "\n" + w.request(rest))
			w.user, w.password = user, password
		}
	}
	return out.String()
}

func (w *world) template(text string, approve bool) {
	w.t.Helper()
	file, err := message.ReadFile([]byte(text))
	if err != nil {
		w.t.Fatal(err)
	}
	p, err := w.engine.PutTemplate(w.t.Context(), w.account, file, approve)
	if err != nil {
		w.t.Fatal(err)
	}
	w.name(p.SID)
}

// faulty is a store of which every call fails.
type faulty struct {
	verify.Store
	err error
}

func (f faulty) View(context.Context, func(verify.Tx) error) error   { return f.err }
func (f faulty) Update(context.Context, func(verify.Tx) error) error { return f.err }

func (w *world) breakStore(how string) {
	if f, ok := w.engine.Store.(faulty); ok {
		w.engine.Store = f.Store
	}
	switch how {
	case "is unavailable":
		w.engine.Store = faulty{w.engine.Store, verify.ErrUnavailable}
	case "is broken":
		w.engine.Store = faulty{w.engine.Store, errors.New("the disk is on fire")}
	case "is back":
	default:
		w.t.Fatalf("store %s", how)
	}
}

// deliver records what became of an attempt: "$VL1 sent", "$VL2 failed 30005".
func (w *world) deliver(words string) {
	fields := strings.Fields(os.Expand(words, w.variable))
	var a *verify.Attempt
	if err := w.engine.Store.View(w.t.Context(), func(tx verify.Tx) (err error) {
		a, err = tx.Attempt(fields[0])
		return err
	}); err != nil {
		w.t.Fatal(err)
	}
	r := verify.SendResult{State: verify.AttemptState(fields[1]), HandOvers: 1, Provider: "carrier"}
	step := verify.Step{At: verify.MillisOf(w.now), Provider: "carrier", Took: 31, Outcome: "accepted", Decision: verify.DecidedSent}
	if len(fields) > 2 {
		r.ErrorCode = fields[2]
		step.Outcome, step.Code, step.Decision, step.Why = "bad_recipient", fields[2], verify.DecidedStop, "nobody reaches this address by this channel"
	} else {
		r.Price, r.Currency = "0.0052", "EUR"
	}
	r.Steps = []verify.Step{step}
	if err := w.engine.RecordSend(w.t.Context(), verify.Job{ID: sid.Key(fields[0])}, a, r); err != nil {
		w.t.Fatal(err)
	}
}

// fallback does the job that goes on by another channel than an attempt's, whose carrier says what became of
// the wish to take its message back: "$VL1 revoked".
func (w *world) fallback(words string) {
	w.t.Helper()
	fields := strings.Fields(os.Expand(words, w.variable))
	f := verify.Fallbacks{Engine: w.engine, Revoke: func(context.Context, *verify.Attempt) verify.Revocations {
		return verify.Revocations{{Provider: "carrier", At: verify.MillisOf(w.now), Took: 12, Outcome: verify.RevocationOutcome(fields[1])}}
	}}
	job := verify.Job{ID: sid.Key(fields[0]), Kind: verify.Fallback, Ref: fields[0], Runs: 1}
	if err := f.Work(w.t.Context(), job); err != nil {
		w.t.Fatal(err)
	}
}

// report has the carrier of an attempt report a state of it.
func (w *world) report(words string) {
	w.t.Helper()
	fields := strings.Fields(os.Expand(words, w.variable))
	w.now = w.now.Add(2 * time.Second)
	got, err := w.engine.Report(w.t.Context(), verify.Report{
		Provider: "carrier", Key: fields[0] + ":1", State: verify.AttemptState(fields[1]), Price: "0.0060", Currency: "EUR", MCC: "214", MNC: "07",
	}, func(*verify.Attempt) bool { return false })
	if err != nil || got != verify.ReportTaken {
		w.t.Fatal(got, err)
	}
}

var repeated = regexp.MustCompile(` x(\d+)$`)

func (w *world) request(line string) string {
	times := 1
	if m := repeated.FindStringSubmatch(line); m != nil {
		times, _ = strconv.Atoi(m[1])
		line = strings.TrimSuffix(line, m[0])
	}
	var rec *httptest.ResponseRecorder
	for n := range times {
		fields := strings.Fields(os.Expand(line, func(name string) string {
			if name == "N" {
				return strconv.Itoa(n + 1)
			}
			return w.variable(name)
		}))
		rec = w.as(w.user, w.password, fields[0], fields[1], bodyOf(fields[2:]))
	}
	w.answers = append(w.answers, rec.Body.Bytes())
	return w.answer(rec)
}

// bodyOf is the body that parameters make: a form, or the JSON that one of them is.
func bodyOf(parameters []string) string {
	form := url.Values{}
	for _, parameter := range parameters {
		parameter = strings.ReplaceAll(parameter, "␣", " ")
		if parameter[0] == '{' {
			return parameter
		}
		name, value, _ := strings.Cut(parameter, "=")
		form.Add(name, value)
	}
	return form.Encode()
}

func (w *world) variable(name string) string {
	if n, ok := strings.CutPrefix(name, "CODE"); ok {
		return w.code(w.names["VE"+n])
	}
	if n, ok := strings.CutPrefix(name, "WRONG"); ok {
		code := w.code(w.names["VE"+n])
		return string('0'+(code[0]-'0'+1)%10) + code[1:]
	}
	if code, ok := w.totpVariable(name); ok {
		return code
	}
	if answer, ok := w.passkeyVariable(name); ok {
		return answer
	}
	if text, ok := w.deviceVariable(name); ok {
		return text
	}
	sid, known := w.names[name]
	if !known {
		w.t.Fatalf("no $%s has appeared", name)
	}
	return sid
}

var anySID = regexp.MustCompile(`(AC|VA|VE|VL|RK|BL|HJ|GN|YE|YF|YC|YW|ED|NT|YK|CR)[0-9a-f]{32}\b`)

// anyUUID is the name of an event, anyDigits one that the sink is told of.
var anyDigits = regexp.MustCompile(`\b[0-9a-f]{64}\b`)
var anyUUID = regexp.MustCompile(`\b[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\b`)

// anyPlace is a page token of a list that begins at the number in a SID.
var anyPlace = regexp.MustCompile(`\bPA[0-9a-f]{16}\b`)

// answer is an answer with names in the place of SIDs: status, the headers that tell something, and
// the body.
func (w *world) answer(rec *httptest.ResponseRecorder) string {
	var out strings.Builder
	fmt.Fprintf(&out, "%d\n", rec.Code)
	for _, name := range []string{"Allow", "Date", "Retry-After", "Twilio-Reached-Rate-Limit", "Twilio-Verify-Signature-Fields", "Verifyd-Reason", "Verifyd-Sends-Left", "Verifyd-Checks-Left",
		"Verifyd-Expires-In", "Verifyd-Code-Ttl", "Verifyd-Max-Sends", "Verifyd-Max-Checks", "Verifyd-Disabled-Channels", "Verifyd-Fallback", "Verifyd-Fallback-After", "Www-Authenticate"} {
		if value := rec.Header().Get(name); value != "" {
			fmt.Fprintf(&out, "%s: %s\n", name, value)
		}
	}
	body := rec.Body.Bytes()
	if len(body) > 0 {
		if got := rec.Header().Get("Content-Type"); got != "application/json" {
			w.t.Errorf("Content-Type is %q", got)
		}
		w.checkContract(body)
		var pretty bytes.Buffer
		if err := json.Indent(&pretty, body, "  ", "  "); err != nil {
			w.t.Errorf("body is not JSON: %v", err)
		}
		out.WriteString("  " + strings.TrimRight(pretty.String(), "\n") + "\n")
	}
	text := anyAccessToken.ReplaceAllStringFunc(out.String(), w.nameToken)
	text = anyPlace.ReplaceAllString(anyUUID.ReplaceAllString(anyDigits.ReplaceAllString(text, "64 DIGITS"), "UUID"), "PA…")
	text = encodedSID.ReplaceAllStringFunc(text, func(encoded string) string {
		sid, err := base64.RawURLEncoding.DecodeString(encoded)
		if err != nil {
			w.t.Fatal(err)
		}
		return "base64(" + string(sid) + ")"
	})
	return anySID.ReplaceAllStringFunc(text, w.name)
}

// encodedSID is the SID of an entity, a factor or a challenge as the options of a passkey have it.
var encodedSID = regexp.MustCompile(`\bWU[UYM][0-9A-Za-z_-]{43}\b`)

func (w *world) name(sid string) string {
	for name, known := range w.names {
		if known == sid {
			return "$" + name
		}
	}
	for n := 1; ; n++ {
		name := sid[:2] + strconv.Itoa(n)
		if _, taken := w.names[name]; !taken {
			w.names[name] = sid
			return "$" + name
		}
	}
}
