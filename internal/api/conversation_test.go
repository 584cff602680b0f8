package api_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
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
	"github.com/verifyd/verifyd/internal/keyring"
	"github.com/verifyd/verifyd/internal/message"
	"github.com/verifyd/verifyd/internal/passkey/passkeytest"
	"github.com/verifyd/verifyd/internal/sid"
	"github.com/verifyd/verifyd/internal/store/sqlite"
	"github.com/verifyd/verifyd/internal/verify"
)

var update = flag.Bool("update", false, "write the answers into the conversations")

var start = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// world is the API over a real store, on a clock of its own.
type world struct {
	t       *testing.T
	engine  *verify.Engine
	handler http.Handler
	now     time.Time
	routed  map[verify.Channel]bool
	account string
	token   string
	log     bytes.Buffer
	names   map[string]string // SIDs by the name that the conversation knows them by
	// user and password are those of the requests of a conversation.
	user, password string
	seen           map[string]bool // operations of the document, each with a status: "FetchService 200"
	passkey        *passkeytest.Authenticator
	answers        [][]byte // all bodies, the latest one last
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, now: start, names: map[string]string{}, seen: map[string]bool{}, routed: map[verify.Channel]bool{}}
	for _, c := range verify.Channels() {
		w.routed[c] = true
	}
	clock := func() time.Time { return w.now }
	store, err := sqlite.Open(t.Context(), "memory:"+t.Name(), sqlite.Options{Now: clock, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	keys, err := keyring.Parse([]byte("1 " + strings.Repeat("42", 32)))
	if err != nil {
		t.Fatal(err)
	}
	w.engine = verify.NewEngine(store, keys, clock, rand.Reader, func(c verify.Channel) bool { return w.routed[c] })
	w.handler = api.New(w.engine, "https://verify.example.com", slog.New(slog.NewJSONHandler(&w.log, nil)))
	a, token, err := w.engine.CreateAccount(t.Context(), "test", "", "")
	if err != nil {
		t.Fatal(err)
	}
	w.account, w.token = a.SID, token
	w.user, w.password = a.SID, token
	w.names["AC"] = a.SID
	return w
}

// do sends one request with the account's credentials.
func (w *world) do(method, path, body string) *httptest.ResponseRecorder {
	return w.as(w.account, w.token, method, path, body)
}

func (w *world) as(user, password, method, path, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	switch {
	case strings.HasPrefix(body, "{"):
		r.Header.Set("Content-Type", "application/json")
	case method == http.MethodPost:
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if user != "" {
		r.SetBasicAuth(user, password)
	}
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, r)
	w.checkDocument(method, path, body, rec)
	return rec
}

// code reads the code of a verification's latest message.
func (w *world) code(verificationSID string) string {
	var v *verify.Verification
	err := w.engine.Store.View(w.t.Context(), func(tx verify.Tx) (err error) {
		v, err = tx.Verification(verificationSID)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	d, ok, err := w.engine.Delivery(w.t.Context(), v.Sends[len(v.Sends)-1].AttemptSID)
	if err != nil || !ok {
		w.t.Fatalf("code of %s: %v, %v", verificationSID, ok, err)
	}
	return d.Code
}

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

func TestLogsHaveNoCodeNoNumberNoToken(t *testing.T) {
	w := newWorld(t)
	play := "POST /v2/Services FriendlyName=Acme\nPOST /v2/Services/$VA1/Verifications To=+34612345678 Channel=sms"
	w.play(play)
	code := w.code(w.names["VE1"])
	w.play("POST /v2/Services/$VA1/VerificationCheck To=+34612345678 Code=" + code +
		"\nGET /v2/Services/$VA1/Verifications/+34612345678\nPOST /v2/Services/$VA1/Verifications To=+34612345678 Channel=fax")
	log := w.log.String()
	if n := strings.Count(log, "\n"); n != 5 {
		t.Errorf("%d lines for 5 requests", n)
	}
	for _, secret := range []string{code, "612345678", w.token} {
		if strings.Contains(log, secret) {
			t.Errorf("the log has %s in it:\n%s", secret, log)
		}
	}
}

func TestRefusedCredentials(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct{ user, password, text string }{
		{"", "", "Authentication Error - No credentials provided"},
		{w.account, "wrong", "Authentication Error - invalid username"},
		{"AC00000000000000000000000000000000", w.token, "Authentication Error - invalid username"},
	} {
		rec := w.as(c.user, c.password, "GET", "/v2/Services", "")
		var body struct {
			Code, Status int
			Message      string
		}
		if err := json.Unmarshal(rec.Body.Bytes(), &body); err != nil {
			t.Fatal(err)
		}
		if rec.Code != 401 || body.Code != 20003 || body.Status != 401 || body.Message != c.text || rec.Header().Get("WWW-Authenticate") == "" {
			t.Errorf("%s: %d %s", c.user, rec.Code, rec.Body)
		}
	}
}

// Bodies that are no form are refused whole.
func TestBadBodies(t *testing.T) {
	w := newWorld(t)
	for name, body := range map[string]string{
		"bad escape":          "FriendlyName=%zz",
		"invalid UTF-8":       "FriendlyName=%ff",
		"NUL":                 "FriendlyName=a%00b",
		"too many parameters": strings.Repeat("a=b&", 101),
		"too large":           "FriendlyName=" + strings.Repeat("x", 70_000),
	} {
		rec := w.do("POST", "/v2/Services", body)
		if rec.Code != 400 || !strings.Contains(rec.Body.String(), `"code":60200`) {
			t.Errorf("%s: %d %s", name, rec.Code, rec.Body)
		}
	}
	r := httptest.NewRequest("POST", "/v2/Services", strings.NewReader(`{"FriendlyName":"Acme"}`))
	r.Header.Set("Content-Type", "application/json")
	r.SetBasicAuth(w.account, w.token)
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, r)
	if rec.Code != 400 {
		t.Errorf("a JSON body: %d", rec.Code)
	}
	if rec := w.do("GET", "/v2/Services", ""); strings.Contains(rec.Body.String(), `"sid"`) {
		t.Errorf("a refused body has made a service: %s", rec.Body)
	}
}

func TestPathsAreTakenAsTheyAreSent(t *testing.T) {
	w := newWorld(t)
	w.play("POST /v2/Services FriendlyName=Acme\nPOST /v2/Services/$VA1/Verifications To=+34612345678 Channel=sms")
	at := "/v2/Services/" + w.names["VA1"] + "/Verifications/"
	for path, status := range map[string]int{
		at + "%2B34612345678":                  200,
		at + "+34612345678":                    200,
		at + "34612345678":                     400, // no plus sign: no number
		at:                                     404,
		"//v2/Services":                        404,
		"/v2/Services/":                        404,
		"/v2/../v2/Services":                   404,
		"/v2/Services/" + w.names["VA1"] + "/": 404,
	} {
		if rec := w.do("GET", path, ""); rec.Code != status {
			t.Errorf("GET %s: %d, want %d, %s", path, rec.Code, status, rec.Body)
		}
	}
}

// Every page of a list leads to the next, and together they hold every service once.
func TestPages(t *testing.T) {
	w := newWorld(t)
	const n = 7
	for range n {
		w.now = w.now.Add(time.Second)
		w.do("POST", "/v2/Services", "FriendlyName=Acme")
	}
	seen := map[string]bool{}
	next := "https://verify.example.com/v2/Services?PageSize=3&Page=0"
	for pages := 0; next != ""; pages++ {
		if pages > n {
			t.Fatal("the pages do not end")
		}
		rec := w.do("GET", strings.TrimPrefix(next, "https://verify.example.com"), "")
		var body struct {
			Services []struct{ SID string }
			Meta     struct {
				Next     *string `json:"next_page_url"`
				Previous *string `json:"previous_page_url"`
				Key      string
			}
		}
		if err := json.Unmarshal(rec.Body.Bytes(), &body); err != nil || rec.Code != 200 || body.Meta.Key != "services" {
			t.Fatalf("%d %s: %v", rec.Code, rec.Body, err)
		}
		if (body.Meta.Previous == nil) != (pages == 0) {
			t.Errorf("page %d: previous is %v", pages, body.Meta.Previous)
		}
		for _, s := range body.Services {
			if seen[s.SID] {
				t.Errorf("%s is listed twice", s.SID)
			}
			seen[s.SID] = true
		}
		next = ""
		if body.Meta.Next != nil {
			next = *body.Meta.Next
		}
	}
	if len(seen) != n {
		t.Errorf("%d services are listed, want %d", len(seen), n)
	}
}
