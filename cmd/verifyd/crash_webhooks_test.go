package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"sync"
	"testing"
)

// Under load the server is killed again and again. Every factor that was answered is told of, and no
// other one under two UUIDs.
func TestKillMinusNineLosesNoEvent(t *testing.T) {
	var mu sync.Mutex
	told := map[string]map[string]bool{} // UUIDs by factor
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			return // the server was killed while it wrote
		}
		mu.Lock()
		defer mu.Unlock()
		factor := r.PostForm.Get("factor_sid")
		if told[factor] == nil {
			told[factor] = map[string]bool{}
		}
		told[factor][r.PostForm.Get("uuid")] = true
	}))
	defer receiver.Close()
	in := install(t, "http://127.0.0.1:9/")
	file, err := os.OpenFile(in.config, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprint(file, "[webhooks]\nallow = [\"127.0.0.0/8\"]\n"); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	p := in.serve()
	status, body, _, err := in.post(t.Context(), p.base, "/Webhooks",
		url.Values{"FriendlyName": {"audit"}, "EventTypes": {"*"}, "WebhookUrl": {receiver.URL}})
	if err != nil || status != 201 {
		t.Fatalf("webhook: %d %v, %v", status, body, err)
	}
	p.stop()

	const kills, callers, most = 3, 4, 90 // an entity takes a hundred factors a day
	made := map[string]bool{}
	for round := range kills {
		p := in.serve()
		ctx, cancel := context.WithCancel(t.Context())
		var all sync.WaitGroup
		for caller := range callers {
			all.Go(func() {
				for range most {
					status, body, _, err := in.post(ctx, p.base, fmt.Sprintf("/Entities/user-%d-%d/Factors", round, caller),
						url.Values{"FriendlyName": {"Ann"}, "FactorType": {"totp"}})
					if err != nil {
						return // killed
					}
					if status != 201 {
						t.Errorf("factor: %d %v", status, body)
						return
					}
					mu.Lock()
					made[body["sid"].(string)] = true
					mu.Unlock()
				}
			})
		}
		enough := (round + 1) * 60
		waitFor(t, "answers", func() bool { mu.Lock(); defer mu.Unlock(); return len(made) >= enough || t.Failed() })
		p.kill()
		cancel()
		all.Wait()
	}
	p = in.serve()
	waitFor(t, "every event that was promised", func() bool {
		mu.Lock()
		defer mu.Unlock()
		for factor := range made {
			if told[factor] == nil {
				return false
			}
		}
		return true
	})
	mu.Lock()
	defer mu.Unlock()
	for factor, uuids := range told {
		if len(uuids) != 1 {
			t.Errorf("factor %s was told of under %d UUIDs", factor, len(uuids))
		}
	}
	t.Logf("%d factors answered, %d told of, in %d kills", len(made), len(told), kills)
	if code := p.stop(); code != 0 {
		t.Errorf("exit code %d\n%s", code, p.errs)
	}
}
