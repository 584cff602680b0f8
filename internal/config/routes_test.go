package config_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/verifyd/verifyd/internal/config"
)

const providersABC = `
[providers.a]
type = "t"
tps = 2.5
url = "https://a"
[providers.b]
type = "t"
tps = 30
[providers.c]
type = "t"
`

func TestRoutesAreReadInBothForms(t *testing.T) {
	c, err := config.Parse([]byte(providersABC+`
[delivery]
max_sends = 2
deadline = "45s"

[routes]
email = ["c"]

[[routes.sms]]
country = ["ES", "PT"]
providers = ["a", {name = "b", from = "Acme"}]

[[routes.sms]]
country = "FR"
providers = [{name = "b", weight = 3}, {name = "c", weight = 1}]

[[routes.sms]]
country = "IN"
providers = [{name = "a", from = "ACMEOT", dlt_entity = "1101456780000012345", dlt_template = "1107161234567890123"}]

[[routes.sms]]
providers = ["c"]

[messaging_services.MG00000000000000000000000000000001]
sms = ["b"]

[[messaging_services.MG00000000000000000000000000000002.rcs]]
country = "ES"
providers = ["a"]
`), none)
	if err != nil {
		t.Fatal(err)
	}
	other := []string{config.AnyCountry}
	want := config.Routes{
		"email": {{Countries: other, Ways: []config.Way{{Provider: "c"}}}},
		"sms": {
			{Countries: []string{"ES", "PT"}, Ways: []config.Way{{Provider: "a"}, {Provider: "b", From: "Acme"}}},
			{Countries: []string{"FR"}, Ways: []config.Way{{Provider: "b", Weight: 3}, {Provider: "c", Weight: 1}}},
			{Countries: []string{"IN"}, Ways: []config.Way{{Provider: "a", From: "ACMEOT", DLTEntity: "1101456780000012345", DLTTemplate: "1107161234567890123"}}},
			{Countries: other, Ways: []config.Way{{Provider: "c"}}},
		},
	}
	if diff := cmp.Diff(want, c.Routes); diff != "" {
		t.Error(diff)
	}
	services := map[string]config.Routes{
		"MG00000000000000000000000000000001": {"sms": {{Countries: other, Ways: []config.Way{{Provider: "b"}}}}},
		"MG00000000000000000000000000000002": {"rcs": {{Countries: []string{"ES"}, Ways: []config.Way{{Provider: "a"}}}}},
	}
	if diff := cmp.Diff(services, c.MessagingServices); diff != "" {
		t.Error(diff)
	}
	if c.Delivery.MaxSends != 2 || time.Duration(c.Delivery.Deadline) != 45*time.Second {
		t.Errorf("delivery: %+v", c.Delivery)
	}
	for name, want := range map[string]float64{"a": 2.5, "b": 30, "c": 0} {
		if got, err := c.TPS(name); got != want || err != nil {
			t.Errorf("tps of %s: %v, %v, want %v", name, got, err, want)
		}
	}
	if _, settings, err := c.Provider("a"); string(settings) != `{"url":"https://a"}` || err != nil {
		t.Errorf("a provider is given %s, %v: type and tps are none of its business", settings, err)
	}
}

// Every mistake is said with the table, the key and the reason.
func TestMistakesInRoutes(t *testing.T) {
	for text, want := range map[string]string{
		"[routes]\nsms = \"a\"":                                                                                            "routes.sms: want a list of providers",
		"[routes]\nsms = [1]":                                                                                              "routes.sms: want names of providers",
		"[routes]\nsms = [\"a\", {name = \"b\", weight = 1}]":                                                              "routes.sms: b: either all providers of a route have a weight",
		"[routes]\nsms = [\"a\", {from = \"b\"}]":                                                                          "routes.sms: a table without the name",
		"[routes]\nsms = [\"a\", {name = \"d\"}]":                                                                          "routes.sms: there is no [providers.d]",
		"[routes]\nsms = [\"a\", {name = \"a\"}]":                                                                          "routes.sms: a stands twice",
		"[routes]\nsms = [\"a\", {name = \"b\", from = 1}]":                                                                "routes.sms: b: from: want a text",
		"[routes]\nsms = [\"a\", {name = \"b\", price = 1}]":                                                               "routes.sms: b: unknown key price",
		"[[routes.sms]]\nproviders = [{name = \"b\", weight = 0}]":                                                         "routes.sms, table 1: providers: b: weight: want a whole number between 1 and 1000",
		"[[routes.sms]]\nproviders = [{name = \"b\", weight = 1.5}]":                                                       "weight: want a whole number",
		"[[routes.sms]]\nproviders = []":                                                                                   "routes.sms, table 1: providers: want a list",
		"[[routes.sms]]\ncountry = \"ES\"":                                                                                 "routes.sms, table 1: providers: want a list",
		"[[routes.sms]]\ncountry = \"ES\"\nproviders = [\"a\"]":                                                            "routes.sms: no table is for the other countries",
		"[[routes.sms]]\nproviders = [\"a\"]\n[[routes.sms]]\ncountry=\"*\"\nproviders=[\"b\"]":                            "routes.sms, table 2: country: \"*\" has a table already",
		"[[routes.sms]]\ncountry = \"es\"\nproviders = [\"a\"]":                                                            "routes.sms, table 1: country: \"es\" is no country code",
		"[[routes.sms]]\ncountry = []\nproviders = [\"a\"]":                                                                "country: the list is empty",
		"[[routes.sms]]\ncountry = 34\nproviders = [\"a\"]":                                                                "country: want a code",
		"[[routes.sms]]\ncountry = [\"*\", \"ES\"]\nproviders = [\"a\"]":                                                   "stands beside others",
		"[[routes.sms]]\ncountry = [\"ES\", \"ES\"]\nproviders = [\"a\"]":                                                  "\"ES\" stands twice",
		"[routes]\nsms = [\"b\", {name = \"a\", dlt_entity = \"1101456780000012345\"}]":                                    `routes.sms: a: dlt_entity and dlt_template belong into a table with country = "IN" alone`,
		"[[routes.sms]]\ncountry = [\"IN\", \"ES\"]\nproviders = [{name = \"a\", dlt_template = \"1107161234567890123\"}]": "routes.sms, table 1: a: dlt_entity and dlt_template belong",
		"[[routes.sms]]\ncountry = \"IN\"\nproviders = [{name = \"a\", dlt_entity = 1101456780000012345}]":                 "routes.sms, table 1: providers: a: dlt_entity: want the identifier of the ledger, a text of digits",
		"[[routes.sms]]\ncountry = \"IN\"\nproviders = [{name = \"a\", dlt_template = \"OTP-1\"}]":                         "a: dlt_template: want the identifier",
		"[[routes.sms]]\ncontry = \"ES\"\nproviders = [\"a\"]":                                                             "routes.sms, table 1: unknown key contry",
		"[[routes.email]]\ncountry = \"ES\"\nproviders = [\"a\"]":                                                          "routes.email, table 1: country: what email is sent to has no country",
		"[[routes.fax]]\nproviders = [\"a\"]":                                                                              "routes.fax: no such channel",
		"[delivery]\nmax_sends = 0":                                                                                        "delivery.max_sends: 0 is not between",
		"[delivery]\ndeadline = \"1s\"":                                                                                    "delivery.deadline: 1s is not between",
		"[delivery]\ndeadline = \"soon\"":                                                                                  "a duration is",
		"[delivery]\ndead_line = \"60s\"":                                                                                  "unknown key delivery.dead_line",
		"[providers.d]\ntype = \"t\"\ntps = 0":                                                                             "providers.d.tps: want messages a second",
		"[providers.d]\ntype = \"t\"\ntps = \"5\"":                                                                         "providers.d.tps",
		"[[messaging_services.MG00000000000000000000000000000001.sms]]\nproviders = [\"d\"]":                               "messaging_services.MG00000000000000000000000000000001.sms, table 1: providers: there is no [providers.d]",
		"[delivery]\nhedge = \"100ms\"":                                                                                    "delivery.hedge: 100ms is neither 0s nor between 500ms and 10s",
		"[delivery]\nhedge = \"-2s\"":                                                                                      "delivery.hedge: -2s is neither",
		"[[routes.sms]]\nproviders = [\"a\"]\nhedge = \"1m\"":                                                              "routes.sms, table 1: hedge: 1m0s is neither",
		"[[routes.sms]]\nproviders = [\"a\"]\nhedge = 2":                                                                   "routes.sms, table 1: hedge: a duration is",
		"[[routes.call]]\nproviders = [\"a\"]\nhedge = \"2s\"":                                                             "routes.call, table 1: hedge: only sms, whatsapp, rcs have one",
	} {
		if _, err := config.Parse([]byte(providersABC+text), none); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q:\n got %v\nwant %q in it", text, err, want)
		}
	}
}

func TestARouteIsHedgedIfItOrAllTextsAre(t *testing.T) {
	c, err := config.Parse([]byte(providersABC+`
[delivery]
hedge = "2s"
[routes]
whatsapp = ["a", "b"]
call = ["a"]
[[routes.sms]]
country = "ES"
providers = ["a", "b"]
hedge = "700ms"
[[routes.sms]]
country = "FR"
providers = ["a", "b"]
hedge = "0s"
[[routes.sms]]
providers = ["a", "b"]
`), none)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]time.Duration{}
	for channel, list := range c.Routes {
		for _, r := range list {
			got[channel+" "+r.Countries[0]] = time.Duration(r.Hedge)
		}
	}
	if diff := cmp.Diff(map[string]time.Duration{
		"whatsapp *": 2 * time.Second, "call *": 0, "sms ES": 700 * time.Millisecond, "sms FR": 0, "sms *": 2 * time.Second,
	}, got); diff != "" {
		t.Error(diff)
	}
	plain, err := config.Parse([]byte(providersABC+"[routes]\nsms = [\"a\", \"b\"]"), none)
	if err != nil || plain.Routes["sms"][0].Hedge != 0 {
		t.Errorf("without a word it is %v, %v", plain.Routes["sms"][0].Hedge, err)
	}
}

func FuzzRoutes(f *testing.F) {
	f.Add("[routes]\nsms = [\"a\", \"b\"]")
	f.Add("[[routes.sms]]\ncountry = [\"ES\"]\nproviders = [{name = \"a\", weight = 3}]\n[[routes.sms]]\nproviders = [\"b\"]")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := config.Parse([]byte(providersABC+text), none)
		if err != nil {
			return
		}
		for channel, list := range c.Routes {
			for _, r := range list {
				if len(r.Ways) == 0 || len(r.Countries) == 0 {
					t.Errorf("%s has a route without providers or countries: %+v", channel, r)
				}
				for _, way := range r.Ways {
					if c.Providers[way.Provider] == nil || way.Weight < 0 {
						t.Errorf("%s has %+v", channel, way)
					}
				}
			}
		}
	})
}
