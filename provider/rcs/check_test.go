package rcs

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	fake "github.com/verifyd/verifyd/internal/fakecarrier/rcs"
	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/providertest"
	"github.com/verifyd/verifyd/provider/providertest/httpfar"
)

func TestCheckExam(t *testing.T) {
	providertest.RunCheck(t, providertest.Checkup{
		Secrets: keyLines(t)[1:4],
		Start: func(t testing.TB, deps provider.Deps, s providertest.Situation) provider.Provider {
			google, err := fake.New(fake.Options{Agent: agent, Key: testKey()})
			if err != nil {
				t.Fatal(err)
			}
			url, client := httpfar.In(t, s, false, func(w http.ResponseWriter, r *http.Request) {
				if s == providertest.Stranger {
					w.WriteHeader(http.StatusBadRequest)
					fmt.Fprintf(w, `{"error":"invalid_grant","error_description":%q}`, strings.Join(keyLines(t), "\n")+r.FormValue("assertion"))
					return
				}
				google.ServeHTTP(w, r)
			})
			file, err := google.ServiceAccount(url)
			if err != nil {
				t.Fatal(err)
			}
			deps.HTTP = client
			p, err := New(Config{Credentials: string(file), AgentID: agent, BaseURL: url, Timeout: "2m"}, deps)
			if err != nil {
				t.Fatal(err)
			}
			return p
		},
	})
}

func TestARefusalDoesNotRepeatTheAccessToken(t *testing.T) {
	f := newFar(t)
	var access string
	f.stand.Instead(func(w http.ResponseWriter, r *http.Request) bool {
		_, token, bearer := strings.Cut(r.Header.Get("Authorization"), "Bearer ")
		if !bearer {
			return false
		}
		access = token
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprintf(w, `{"error":{"status":"PERMISSION_DENIED","message":"not for %s"}}`, token)
		return true
	})
	p := f.provider(provider.Deps{})
	m := providertest.Message("rcs", 1)
	_, failed := p.Send(t.Context(), m)
	for what, err := range map[string]error{
		"Send": failed, "Revoke": p.Revoke(t.Context(), provider.Sent{Key: m.Key, Channel: "rcs", To: m.To}), "Check": p.Check(t.Context()),
	} {
		if err == nil || access == "" || strings.Contains(err.Error(), access) || !strings.Contains(err.Error(), "not for [secret]") {
			t.Errorf("%s: got %v", what, err)
		}
	}
}
