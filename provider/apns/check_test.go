package apns

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	fake "github.com/verifyd/verifyd/internal/fakecarrier/apns"
	"github.com/verifyd/verifyd/internal/fakecarrier/fate"
	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/providertest"
	"github.com/verifyd/verifyd/provider/providertest/httpfar"
)

// apple knows no handset.
func apple(t testing.TB, o fake.Options) *fake.Server {
	t.Helper()
	o.Team, o.KeyID, o.Key = testTeam, testKeyID, testKey()
	a, err := fake.New(o)
	if err != nil {
		t.Fatal(err)
	}
	a.Fates.SetAll(fate.Fate[fake.Refusal]{Refuse: &fake.BadDeviceToken})
	return a
}

func checked(t testing.TB, s providertest.Situation, c Config, deps provider.Deps, apple http.Handler) *Provider {
	t.Helper()
	url, client := httpfar.In(t, s, true, func(w http.ResponseWriter, r *http.Request) {
		if s == providertest.Stranger {
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprintf(w, `{"reason":%q}`, "InvalidProviderToken "+r.Header.Get("Authorization")+keyText(t))
			return
		}
		apple.ServeHTTP(w, r)
	})
	c.BaseURL, c.Timeout, deps.HTTP = url, "2m", client
	if c.Key == "" {
		c.Key, c.KeyID, c.TeamID = keyText(t), testKeyID, testTeam
	}
	p, err := New(c, deps)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestCheckExam(t *testing.T) {
	for topic, unproven := range map[string]bool{"com.example.app": false, "": true} {
		t.Run("topic "+topic, func(t *testing.T) {
			providertest.RunCheck(t, providertest.Checkup{
				Secrets:  strings.Split(keyText(t), "\n")[1:3],
				Unproven: unproven,
				Start: func(t testing.TB, deps provider.Deps, s providertest.Situation) provider.Provider {
					if unproven && s == providertest.Stranger {
						return nil // nobody is asked about the key
					}
					return checked(t, s, Config{Topic: topic}, deps, apple(t, fake.Options{}))
				},
			})
		})
	}
}

func TestCheckSaysWhatIsWrong(t *testing.T) {
	for _, c := range []struct {
		name   string
		config Config
		topics []string
		want   string
	}{
		{"well", Config{}, nil, ""},
		{"another team", Config{TeamID: "TEAM000000"}, nil, "the key is refused by Apple (403 InvalidProviderToken)"},
		{"another name of the key", Config{KeyID: "KEY0000000"}, nil, "are key_id and team_id those of the key"},
		{"another's app", Config{}, []string{"com.example.other"}, "may not notify the topic (400 TopicDisallowed)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := apple(t, fake.Options{Topics: c.topics})
			c.config.Topic, c.config.Key = "com.example.app", keyText(t)
			if c.config.TeamID == "" {
				c.config.TeamID = testTeam
			}
			if c.config.KeyID == "" {
				c.config.KeyID = testKeyID
			}
			p := checked(t, providertest.Known, c.config, provider.Deps{}, a)
			defer p.Close()
			err := p.Check(t.Context())
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) || errors.Is(err, provider.ErrUnproven) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if n := len(a.Inbox()); n != 0 {
				t.Errorf("%d handsets were notified", n)
			}
		})
	}
}
