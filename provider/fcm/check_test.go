package fcm

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	fake "github.com/verifyd/verifyd/internal/fakecarrier/fcm"
	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/providertest"
	"github.com/verifyd/verifyd/provider/providertest/httpfar"
)

func TestCheckExam(t *testing.T) {
	providertest.RunCheck(t, providertest.Checkup{
		Secrets: strings.Split(keyText(t), "\n")[1:4],
		Start: func(t testing.TB, deps provider.Deps, s providertest.Situation) provider.Provider {
			google, err := fake.New(fake.Options{Key: testKey()})
			if err != nil {
				t.Fatal(err)
			}
			url, client := httpfar.In(t, s, false, func(w http.ResponseWriter, r *http.Request) {
				if s == providertest.Stranger {
					w.WriteHeader(http.StatusBadRequest)
					fmt.Fprintf(w, `{"error":"invalid_grant","error_description":%q}`, keyText(t)+r.FormValue("assertion"))
					return
				}
				google.ServeHTTP(w, r)
			})
			file, err := google.ServiceAccount(url)
			if err != nil {
				t.Fatal(err)
			}
			deps.HTTP = client
			p, err := New(Config{Credentials: string(file), BaseURL: url, Timeout: "2m"}, deps)
			if err != nil {
				t.Fatal(err)
			}
			return p
		},
	})
}

func TestCheckSaysWhatIsWrong(t *testing.T) {
	answering := func(f *far, status int, body string) {
		f.stand.Instead(func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path == "/token" {
				return false
			}
			w.WriteHeader(status)
			fmt.Fprint(w, body)
			return true
		})
	}
	for _, c := range []struct {
		name   string
		change func(*far, *Config)
		want   string
	}{
		{"well", func(*far, *Config) {}, ""},
		{"another project", func(_ *far, c *Config) { c.Project = "another" },
			"the service account may not send for this project: 403 PERMISSION_DENIED Permission 'cloudmessaging.messages.create' denied"},
		{"the service is not enabled", func(f *far, _ *Config) {
			answering(f, 403, `{"error":{"status":"PERMISSION_DENIED","message":"Firebase Cloud Messaging API has not been used in project 7"}}`)
		}, "has not been used in project 7"},
		{"Firebase is down", func(f *far, _ *Config) { answering(f, 503, `{"error":{"status":"UNAVAILABLE"}}`) }, "the project: 503 UNAVAILABLE"},
		{"a proxy in between", func(f *far, _ *Config) { answering(f, 502, `<html>`) }, "asked for the project, it answers 502"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFar(t, false)
			config := f.config()
			c.change(f, &config)
			p, err := New(config, provider.Deps{HTTP: f.stand.Client()})
			if err != nil {
				t.Fatal(err)
			}
			err = p.Check(t.Context())
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if n := len(f.Inbox()); n != 0 {
				t.Errorf("%d messages were sent", n)
			}
		})
	}
}
