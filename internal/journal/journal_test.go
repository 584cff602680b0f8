package journal

import (
	"bufio"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/keyring"
	"github.com/verifyd/verifyd/internal/store/sqlite"
	"github.com/verifyd/verifyd/internal/store/storetest"
	"github.com/verifyd/verifyd/internal/verify"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func atNoon() time.Time { return noon }

// reader reads the data lines of a stream.
type reader struct {
	t     *testing.T
	lines *bufio.Scanner
}

func read(t *testing.T, server *httptest.Server, query string, header ...string) *reader {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "GET", server.URL+"/dev/events"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil || answer.StatusCode != 200 || answer.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("GET %s: %v, %v", query, answer, err)
	}
	t.Cleanup(func() { answer.Body.Close() })
	return &reader{t, bufio.NewScanner(answer.Body)}
}

func (r *reader) next() string {
	r.t.Helper()
	for r.lines.Scan() {
		if data, ok := strings.CutPrefix(r.lines.Text(), "data: "); ok {
			return data
		}
	}
	r.t.Fatal("the stream has ended")
	return ""
}

func serve(t *testing.T) (*Journal, *httptest.Server) {
	j := New(atNoon)
	server := httptest.NewServer(j)
	t.Cleanup(func() {
		j.Close()
		server.Close()
	})
	return j, server
}

func TestAReaderIsToldWhatComes(t *testing.T) {
	j, server := serve(t)
	j.Add("clock", struct{}{}) // before anybody listens
	all, some := read(t, server, ""), read(t, server, "?type=message,factor")
	j.Add("verification", map[string]string{"sid": "VE1"})
	j.Add("message", map[string]string{"code": "1"})
	if got, want := all.next(), `{"type":"verification","at":"2026-11-24T12:00:00.000Z","sid":"VE1"}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for _, r := range []*reader{all, some} {
		if got := r.next(); !strings.Contains(got, `"code":"1"`) {
			t.Errorf("got %s, want the message", got)
		}
	}
	early := read(t, server, "?after=0")
	if got, want := early.next(), `{"type":"clock","at":"2026-11-24T12:00:00.000Z"}`; got != want {
		t.Errorf("from the beginning: %s, want %s", got, want)
	}
}

func TestAReaderThatComesBackGetsWhatItMissed(t *testing.T) {
	j, server := serve(t)
	for i := range 3 * kept {
		j.Add("n", map[string]int{"i": i})
	}
	if got := read(t, server, "?after=1", "Last-Event-ID", fmt.Sprint(3*kept-1)).next(); !strings.HasSuffix(got, fmt.Sprintf(`"i":%d}`, 3*kept-1)) {
		t.Errorf("behind the last but one: %s", got)
	}
	if got := read(t, server, "?after=1").next(); !strings.HasSuffix(got, fmt.Sprintf(`"i":%d}`, 2*kept)) {
		t.Errorf("behind what is forgotten: %s", got)
	}
	future := read(t, server, "", "Last-Event-ID", "99999999")
	j.Add("n", map[string]int{"i": -1})
	if got := future.next(); !strings.HasSuffix(got, `"i":-1}`) {
		t.Errorf("with an id of another server: %s", got)
	}
	for _, target := range []string{"?after=x", "?after=-1"} {
		rec := httptest.NewRecorder()
		if j.ServeHTTP(rec, httptest.NewRequest("GET", "/dev/events"+target, nil)); rec.Code != 400 {
			t.Errorf("%s: %d", target, rec.Code)
		}
	}
	rec := httptest.NewRecorder()
	if j.ServeHTTP(rec, httptest.NewRequest("POST", "/dev/events", nil)); rec.Code != 405 {
		t.Errorf("POST: %d", rec.Code)
	}
}

func TestCloseEndsTheStreams(t *testing.T) {
	j, server := serve(t)
	r := read(t, server, "")
	j.Close()
	j.Close()
	for r.lines.Scan() {
	}
	if err := r.lines.Err(); err != nil {
		t.Error(err)
	}
}

// Every Update runs twice here, and what a refused one wrote is told by nobody.
func TestEveryCommitIsToldOnce(t *testing.T) {
	store, err := sqlite.Open(t.Context(), "memory:"+t.Name(), sqlite.Options{Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	keys, err := keyring.New(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	e := verify.NewEngine(store, keys, time.Now, rand.Reader, func(verify.Channel) bool { return true })
	j := New(atNoon)
	e.Store = j.Watch(storetest.Replay{Store: store})
	account, _, err := e.CreateAccount(t.Context(), "test", "", "")
	if err != nil {
		t.Fatal(err)
	}
	service, err := e.CreateService(t.Context(), account.SID, verify.ServiceParams{FriendlyName: new("Acme")})
	if err != nil {
		t.Fatal(err)
	}
	to := new("+34612345678")
	if _, err := e.StartVerification(t.Context(), account.SID, service.SID, verify.StartParams{To: to, Channel: new("sms")}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := e.CheckVerification(t.Context(), account.SID, service.SID, verify.CheckParams{To: to, Code: new("0000")}); err != nil {
		t.Fatal(err)
	}
	refused := errors.New("refused")
	if err := e.Store.Update(t.Context(), func(tx verify.Tx) error {
		tx.PutVerification(&verify.Verification{SID: "VEnever"})
		return refused
	}); !errors.Is(err, refused) {
		t.Fatal(err)
	}
	happened, _ := j.after(0)
	var got []string
	for _, ev := range happened {
		got = append(got, ev.kind+" "+strings.Join(regexp.MustCompile(`"(?:status|state|checks|sends)":[^,}]+`).FindAllString(textOf(t, ev), -1), " "))
	}
	want := []string{
		`verification "status":"pending" "sends":1 "checks":0`, `attempt "state":"queued"`,
		`verification "status":"pending" "sends":1 "checks":1`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestItKnowsWhatExpiresNext(t *testing.T) {
	now := noon
	j := New(func() time.Time { return now })
	if _, found := j.NextEnd(""); found {
		t.Error("an empty journal knows of something")
	}
	j.pending("VE2", true, ending{at: noon.Add(2 * time.Minute)})
	j.pending("VE1", true, ending{at: noon.Add(time.Minute)})
	j.pending("VE3", true, ending{at: noon.Add(2 * time.Minute)})
	j.pending("VE0", true, ending{at: noon.Add(time.Second)})
	j.pending("VE0", false, ending{at: noon})
	if end, found := j.NextEnd(""); !found || !end.Equal(noon.Add(time.Minute)) {
		t.Errorf("next is %v, %v", end, found)
	}
	now = noon.Add(2 * time.Minute)
	j.Expire()
	var told []string
	happened, _ := j.after(0)
	for _, e := range happened {
		told = append(told, e.kind+regexp.MustCompile(`VE\d`).FindString(textOf(t, e)))
	}
	if want := []string{"expiredVE1", "expiredVE2", "expiredVE3"}; !slices.Equal(told, want) {
		t.Errorf("told %v, want %v", told, want)
	}
	if _, found := j.NextEnd(""); found {
		t.Error("what has expired is still to come")
	}
}

func textOf(t *testing.T, e event) string {
	t.Helper()
	text, err := e.text()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// An end that is committed, for a subscriber of events, is told as one that is not: by Expire, once.
func TestAnEndThatIsCommittedIsToldOnce(t *testing.T) {
	now := noon
	j := New(func() time.Time { return now })
	v := verify.Verification{SID: "VE1", Status: verify.Pending, ExpiresAt: noon.Add(time.Minute)}
	var written []change
	tx := watchedTx{written: &written}
	tx.verification(&v)
	j.pending(written[0].sid, written[0].waits, written[0].end)
	now = noon.Add(time.Minute)
	v.Expire(now)
	if tx.verification(&v); len(written) != 1 {
		t.Errorf("the commit of the end is told as %+v", written[1:])
	}
	for range 2 {
		j.Expire()
	}
	if happened, _ := j.after(0); len(happened) != 1 || happened[0].kind != "expired" {
		t.Errorf("told %d events, want that it expired", len(happened))
	}
}

// What a service has expires by its own time, which is ahead.
func TestEndsOfAServiceThatIsAhead(t *testing.T) {
	now := noon
	j := New(func() time.Time { return now })
	j.Ahead(func(service string) time.Duration {
		return map[string]time.Duration{"VA1": 10 * time.Minute}[service]
	})
	j.pending("VE1", true, ending{"VA1", noon.Add(12 * time.Minute)})
	j.pending("VE2", true, ending{"VA2", noon.Add(5 * time.Minute)})
	for service, want := range map[string]time.Duration{"": 2 * time.Minute, "VA1": 2 * time.Minute, "VA2": 5 * time.Minute} {
		if end, found := j.NextEnd(service); !found || end.Sub(noon) != want {
			t.Errorf("next of %q is in %v, want %v", service, end.Sub(noon), want)
		}
	}
	saved := j.Save()
	now = noon.Add(2 * time.Minute)
	j.Expire()
	if _, found := j.NextEnd("VA1"); found {
		t.Error("it has not expired")
	}
	j.Restore(saved)
	if _, found := j.NextEnd("VA1"); !found {
		t.Error("it has not come back")
	}
}
