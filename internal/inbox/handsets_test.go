package inbox

import (
	"context"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/verifyd/verifyd/provider"
)

// someHandsets keep theirs in memory.
type someHandsets struct {
	mu   sync.Mutex
	sets []Handset
	err  error // of everything
}

func (s *someHandsets) List(context.Context) ([]Handset, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []Handset
	for _, h := range s.sets {
		h.Challenges = slices.Clone(h.Challenges)
		list = append(list, h)
	}
	return list, s.err
}

func (s *someHandsets) Handset(ctx context.Context, factorSID string) (Handset, error) {
	list, err := s.List(ctx)
	for _, h := range list {
		if h.FactorSID == factorSID {
			return h, err
		}
	}
	return Handset{}, ErrNoHandset
}

func (s *someHandsets) Register(_ context.Context, p Registration) (Handset, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p.Identity == "short" {
		return Handset{}, &Refusal{Status: 400, Code: 60305, Message: "An identity has 8 to 64 letters"}
	}
	h := Handset{FactorSID: "YF03aa", Identity: p.Identity, Name: p.Name, Platform: p.Platform, ServiceSID: p.ServiceSID}
	s.sets = append(s.sets, h)
	return h, s.err
}

func (s *someHandsets) Answer(_ context.Context, factorSID, challengeSID string, approve bool) (Challenge, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.sets {
		for j := range s.sets[i].Challenges {
			if c := &s.sets[i].Challenges[j]; s.sets[i].FactorSID == factorSID && c.SID == challengeSID {
				c.Status = map[bool]string{true: "approved", false: "denied"}[approve]
				return *c, s.err
			}
		}
	}
	return Challenge{}, ErrNoHandset
}

func (s *someHandsets) Remove(_ context.Context, factorSID string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := len(s.sets)
	s.sets = slices.DeleteFunc(s.sets, func(h Handset) bool { return h.FactorSID == factorSID })
	if len(s.sets) == before {
		return ErrNoHandset
	}
	return s.err
}

// ask shows a question on the first handset.
func (s *someHandsets) ask(sid, message string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sets[0].Challenges = append([]Challenge{{
		SID: sid, Status: "pending", Message: message, Fields: []ChallengeField{{"City", "Zürich <b>"}}, HiddenDetails: map[string]string{"tx": "4711"},
		CreatedAt: time.Now(), ExpiresAt: time.Now().Add(5 * time.Minute),
	}}, s.sets[0].Challenges...)
}

func samplePush() provider.Message {
	return provider.Message{
		Attempt: sampleSID("NT", 6), Channel: "push", To: "handset-5c02e1b7", Brand: "Fernweh", Text: "Log in from Zürich?",
		Push: &provider.Push{Platform: "fcm", App: "com.example.fernweh", Title: "Fernweh", Body: "Log in from Zürich?",
			Data: map[string]string{"type": "verify_push_challenge", "challenge_sid": sampleSID("YC", 6), "factor_sid": sampleSID("YF", 6)}},
	}
}

func TestTheAPIOfHandsets(t *testing.T) {
	s := &someHandsets{}
	handler := New(Options{Handsets: s}).Handler()
	call := func(method, path, form, accept string) (int, string) {
		r := httptest.NewRequest(method, path, strings.NewReader(form))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Accept", accept)
		rec := httptest.NewRecorder()
		handler.ServeHTTP(rec, r)
		return rec.Code, strings.TrimSpace(rec.Body.String())
	}
	const at = "/dev/inbox/handsets"
	for _, c := range []struct {
		method, path, form string
		status             int
		want               string
	}{
		{"GET", at, "", 200, `{"handsets":[]}`},
		{"POST", at, "", 400, `Invalid parameter: identity`},
		{"POST", at, "identity=short", 400, `{"code":60305,"message":"An identity has 8 to 64 letters"`},
		{"POST", at, "identity=" + strings.Repeat("x", 9000), 400, `Invalid parameter`},
		{"POST", at, "identity=user-7f3a91c2&friendly_name=Ann&platform=APN&service=VA1", 201,
			`{"factor_sid":"YF03aa","service_sid":"VA1","identity":"user-7f3a91c2","friendly_name":"Ann","platform":"apn","token":"","gone":false,"challenges":[]}`},
		{"GET", at + "/YF03aa", "", 200, `"friendly_name":"Ann"`},
		{"GET", at + "/YF03bb", "", 404, `"code":20404`},
		{"POST", at + "/YF03aa/challenges/YC1", "answer=maybe", 400, `Invalid parameter: answer`},
		{"POST", at + "/YF03aa/challenges/YC2", "answer=deny", 404, `"code":20404`},
		{"POST", at + "/YF03aa/challenges/YC1", "answer=deny", 200, `"status":"denied"`},
		{"PUT", at, "", 405, `"code":20004`},
		{"DELETE", at + "/YF03bb", "", 404, `"code":20404`},
		{"DELETE", at + "/YF03aa", "", 204, ``},
		{"GET", at, "", 200, `{"handsets":[]}`},
	} {
		if c.path == at+"/YF03aa/challenges/YC1" && c.status == 200 {
			s.ask("YC1", "Log in?")
		}
		if status, body := call(c.method, c.path, c.form, ""); status != c.status || !strings.Contains(body, c.want) {
			t.Errorf("%s %s %.60s: %d %s, want %d %s", c.method, c.path, c.form, status, body, c.status, c.want)
		}
	}
	if status, page := call("GET", at, "", "text/html"); status != 200 || !strings.Contains(page, "Register a handset") {
		t.Errorf("the page: %d %s", status, page)
	}
	if _, list := call("GET", at+"?format=json", "", "text/html"); !strings.HasPrefix(list, "{") {
		t.Errorf("JSON asked for by name: %s", list)
	}
	s.err = errors.New("fault")
	if status, body := call("GET", at, "", ""); status != 500 || strings.Contains(body, "fault") {
		t.Errorf("a fault: %d %s", status, body)
	}
}

func TestAnInboxWithoutHandsets(t *testing.T) {
	handler := New(Options{}).Handler()
	for call, want := range map[string]int{
		"GET /dev/inbox/handsets": 200, "POST /dev/inbox/handsets": 404, "GET /dev/inbox/handsets/YF1": 404,
		"DELETE /dev/inbox/handsets/YF1": 404, "POST /dev/inbox/handsets/YF1/challenges/YC1": 404,
	} {
		method, path, _ := strings.Cut(call, " ")
		rec := httptest.NewRecorder()
		handler.ServeHTTP(rec, httptest.NewRequest(method, path, nil))
		if rec.Code != want {
			t.Errorf("%s: %d, want %d", call, rec.Code, want)
		}
	}
}

// A notification has the status of its challenge.
func TestANotificationIsKept(t *testing.T) {
	in := New(Options{State: func(_ context.Context, sid string) (string, error) {
		if sid != sampleSID("YC", 6) {
			t.Errorf("asked about %s", sid)
		}
		return "denied", nil
	}})
	m := samplePush()
	send(t, in, m)
	clear(m.Push.Data) // the sender may use it again
	got := in.Messages(t.Context(), Query{Channel: "push", To: "handset-5c02e1b7"})
	if len(got) != 1 || got[0].VerificationStatus != "denied" || got[0].Text != "Log in from Zürich?" {
		t.Fatalf("%+v", got)
	}
	if diff := cmp.Diff(samplePush().Push, got[0].Push); diff != "" {
		t.Error(diff)
	}
	text, err := json.Marshal(got[0])
	if err != nil || !strings.Contains(string(text), `"push":{"platform":"fcm","app":"com.example.fernweh","title":"Fernweh"`) {
		t.Errorf("%s, %v", text, err)
	}
}
