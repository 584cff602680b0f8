package operator

import (
	"encoding/json"
	"flag"
	"io"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"testing"

	"github.com/verifyd/verifyd/internal/api"
)

// without are the routes that have no command here, and why.
var without = map[string]string{
	"GET /v2/Forms/{FormType}":                                 "it is for the libraries of push factors",
	"POST /v2/Services/{ServiceSid}/Passkeys/Factors":          onlyBrowsers,
	"POST /v2/Services/{ServiceSid}/Passkeys/VerifyFactor":     onlyBrowsers,
	"POST /v2/Services/{ServiceSid}/Passkeys/Challenges":       onlyBrowsers,
	"POST /v2/Services/{ServiceSid}/Passkeys/ApproveChallenge": onlyBrowsers,
	"GET /v2/Verifyd/Deliveries":                               "verifyd webhook deliveries",
	"GET /v2/Verifyd/Deliveries/{Sid}":                         "verifyd webhook deliveries",
	"POST /v2/Verifyd/Deliveries/{Sid}/Resend":                 "verifyd webhook resend",
	"GET /v2/Verifyd/Geography":                                "verifyd geo list",
	"POST /v2/Verifyd/Geography":                               "verifyd geo allow, deny and inherit",
}

const onlyBrowsers = "a browser answers, and a terminal has none; verifyd factor and challenge show and delete what came of it"

// Every route of package api is a command, with every parameter that its handler reads and none
// besides, of the kind that it reads.
func TestNoRouteAndNoParameterIsForgotten(t *testing.T) {
	routes := routesOfAPI()
	had := map[string]map[string]bool{} // parameters by route
	for _, c := range Commands() {
		route := c.verb.method + " " + c.path
		takes, ok := routes[route]
		if !ok {
			t.Errorf("%s calls %s, which is no route of the API", c.Name, route)
			continue
		}
		if had[route] == nil {
			had[route] = map[string]bool{}
		}
		for _, p := range c.verb.params {
			had[route][p.name] = true
			goType, read := takes[p.name]
			if !read {
				t.Errorf("%s has %s, which %s does not read", c.Name, p.name, route)
			}
			if want := kindOf(goType); p.kind != want && (p.kind == number || p.kind == yesNo || want != text) {
				t.Errorf("%s: %s is of kind %d, and the API reads a %v", c.Name, p.name, p.kind, goType)
			}
		}
		for name := range c.verb.fixed {
			had[route][name] = true
		}
	}
	for route, takes := range routes {
		if without[route] != "" {
			continue
		}
		if had[route] == nil {
			t.Errorf("%s has no command; give it one, or say why not", route)
		}
		for name := range takes {
			if had[route] != nil && !had[route][name] {
				t.Errorf("no command for %s has its parameter %s", route, name)
			}
		}
	}
	for route := range without {
		if routes[route] == nil || had[route] != nil {
			t.Errorf("%s is said to have no command, and is no route or has one", route)
		}
	}
}

func kindOf(t reflect.Type) kind {
	switch t {
	case reflect.TypeFor[*int]():
		return number
	case reflect.TypeFor[*bool]():
		return yesNo
	default:
		return text
	}
}

// What the published contract calls required is required of people, and nothing else is.
func TestTheRequiredParametersAreThoseOfTheContract(t *testing.T) {
	var contract struct {
		Paths map[string]map[string]struct{ Required []string }
	}
	for _, name := range []string{"contract.json", "contract_factors.json", "contract_push.json"} {
		body, err := os.ReadFile(filepath.Join("../api/testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(body, &contract); err != nil { // adds to the map
			t.Fatal(err)
		}
	}
	for _, c := range Commands() {
		want := slices.Sorted(slices.Values(contract.Paths[c.path][c.verb.method].Required))
		got := slices.Sorted(slices.Values(slices.Concat(c.verb.required, slices.Collect(maps.Keys(c.verb.fixed)))))
		if !slices.Equal(got, want) {
			t.Errorf("%s requires %v, the contract %v", c.Name, got, want)
		}
	}
}

// A flag says that nothing comes of it where that is so, and nowhere else.
func TestHelpSaysWhichFlagsHaveNoEffect(t *testing.T) {
	effects := map[string]map[string]api.Effect{}
	for _, resource := range api.Resources() {
		for _, o := range resource.Operations {
			of := map[string]api.Effect{}
			for _, f := range o.Facts {
				of[f.Name] = f.Effect
			}
			effects[o.Method+" "+o.Path] = of
		}
	}
	none := regexp.MustCompile(`no effect|there is not yet|usual text is sent`)
	for _, c := range Commands() {
		for _, p := range c.verb.params {
			effect, known := effects[c.verb.method+" "+c.path][p.name]
			if said := none.MatchString(p.help); known && said != (effect == api.Accepted) {
				t.Errorf("%s --%s: %q, and its effect is %v", c.Name, p.flagName(), p.help, effect)
			}
		}
	}
}

// Two parameters of a command must not become one flag, and none may hide a flag that all have.
func TestFlagsAreUnambiguous(t *testing.T) {
	names := map[string]bool{}
	for _, c := range Commands() {
		if names[c.Name] {
			t.Errorf("there are two commands %s", c.Name)
		}
		names[c.Name] = true
		flags := flag.NewFlagSet(c.Name, flag.PanicOnError) // two of one name panic as well
		flags.SetOutput(io.Discard)
		c.Bind(flags)
		ServerFlags(flags)
		for _, p := range c.verb.params {
			if p.help == "" {
				t.Errorf("%s --%s has no help", c.Name, p.flagName())
			}
		}
		if c.verb.answer == pages && c.resource.columns == nil {
			t.Errorf("%s has no columns", c.Name)
		}
	}
	for name, want := range map[string]string{
		"FriendlyName": "friendly-name", "Push.ApnCredentialSid": "push-apn-credential-sid",
		"Psd2Enabled": "psd2-enabled", "Verifyd.CodeTtl": "code-ttl", "To": "to",
	} {
		if got := (param{name: name}).flagName(); got != want {
			t.Errorf("the flag of %s is %s, want %s", name, got, want)
		}
	}
}

// routesOfAPI are the routes of package api by its facts, which its own tests hold against its
// handlers: each with the parameters that are read and their types.
func routesOfAPI() map[string]map[string]reflect.Type {
	routes := map[string]map[string]reflect.Type{}
	for _, resource := range api.Resources() {
		for _, o := range resource.Operations {
			parameters := map[string]reflect.Type{}
			if o.Params != nil {
				addParameters(parameters, reflect.TypeOf(o.Params))
			}
			routes[o.Method+" "+o.Path] = parameters
		}
	}
	return routes
}

// addParameters adds those of a struct and of the structs in it.
func addParameters(parameters map[string]reflect.Type, s reflect.Type) {
	for f := range s.Fields() {
		switch name := f.Tag.Get("form"); {
		case f.Anonymous:
			addParameters(parameters, f.Type)
		case name != "":
			parameters[name] = f.Type
		}
	}
}
