package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// sink is an application that is told of events.
type sink struct {
	mu     sync.Mutex
	events []cloudEvent
}

type cloudEvent struct {
	Type string
	Time time.Time
	Data struct {
		To     string
		Status string `json:"verification_status"`
		Sends  struct {
			Attempts []struct {
				Status string `json:"delivery_status"`
			}
		} `json:"send_code_attempts"`
	}
}

func (s *sink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var list []cloudEvent
	if err := json.NewDecoder(r.Body).Decode(&list); err != nil || len(list) != 1 {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = append(s.events, list[0])
}

// told is what the sink was told of a number, in short, sorted, with the time since begun.
func (s *sink) told(to string, begun time.Time) (list []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.events {
		if e.Data.To == to {
			list = append(list, e.Time.Sub(begun).String()+" "+strings.TrimPrefix(e.Type, "com.twilio.accountsecurity.verify."))
		}
	}
	slices.Sort(list)
	return list
}

// A developer moves the clock, and the application is told at its time what became of each code.
func TestTheSinkOfDevIsToldOfAnEndByAge(t *testing.T) {
	told := &sink{}
	app := httptest.NewServer(told)
	defer app.Close()
	p := begin(t, devReady, nil, "dev", "--listen", "127.0.0.1:0", "--data", t.TempDir(), "--log", "error", "--seed", "7", "--events", app.URL)
	service := "/v2/Services/" + p.said("service SID")
	if status, body, _, err := post(t.Context(), p.base, p.said("account SID"), p.said("auth token"), service,
		url.Values{"VerifyEventSubscriptionEnabled": {"true"}}); err != nil || status != 200 {
		t.Fatal(status, body, err)
	}
	begun := p.move("advance=0s").Now.Truncate(time.Second)
	p.start("+34612345678", "sms")
	p.start("+34612345679", "sms")
	p.move("advance=1m")
	if status := p.check("+34612345679", p.newest("+34612345679")); status != "approved" {
		t.Fatalf("the code is %s", status)
	}
	p.move("advance=1h")
	p.move("advance=1h")
	for to, want := range map[string][]string{
		"+34612345678": {"0s message.sent", "0s verification.pending", "10m0s verification.expired"},
		"+34612345679": {"0s message.sent", "0s verification.pending", "1m0s verification.approved"},
	} {
		got := told.told(to, begun)
		for i := range got { // time that stands still moves by microseconds
			if at, rest, _ := strings.Cut(got[i], " "); rest != "" {
				d, err := time.ParseDuration(at)
				if err != nil {
					t.Fatal(err)
				}
				got[i] = d.Truncate(time.Second).String() + " " + rest
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s:\n%s", to, diff)
		}
	}
	told.mu.Lock()
	defer told.mu.Unlock()
	for _, e := range told.events {
		if strings.HasSuffix(e.Type, ".expired") && (e.Data.Status != "EXPIRED" || e.Data.Sends.Attempts[0].Status != "SENT") {
			t.Errorf("%+v", e)
		}
	}
}

func TestEventsAreChosenByTheirNames(t *testing.T) {
	for text, want := range map[string]string{
		"[events]\nurl = \"https://e.example.com\"":                                  "events ok 10 types, of services with VerifyEventSubscriptionEnabled",
		"[events]\nurl = \"https://e.example.com\"\ntypes = [\"*\"]":                 "events ok 15 types, of services with VerifyEventSubscriptionEnabled",
		"[events]\nurl = \"https://e.example.com\"\ntypes = [\"verification.gone\"]": `events failed events.types: there is no event "verification.gone"`,
	} {
		url, _ := answering(t, 200, `{}`)
		path := configured(t, url, url, bothGateways+text)
		out, _, _ := once(t, "doctor", "--config", path)
		if got := strings.Join(strings.Fields(out), " "); !strings.Contains(got, want) {
			t.Errorf("%s\nthe doctor says %s, want %s", text, got, want)
		}
		if !strings.Contains(want, "failed") {
			continue
		}
		if _, errs, code := once(t, "serve", "--config", path); code != 1 || !strings.Contains(errs, "events.types") {
			t.Errorf("serve: %d %s", code, errs)
		}
	}
	if _, errs, code := once(t, "dev", "--events", "localhost:1"); code != 2 || !strings.Contains(errs, "no URL") {
		t.Errorf("dev: %d %s", code, errs)
	}
}
