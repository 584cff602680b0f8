// Package operator has the commands by which people and their scripts work with a running server:
// services, rate limits, templates, verifications, attempts. They speak the REST API over HTTP, as
// any client does, and know nothing of stores, so that they work from another machine and can do
// nothing that the API does not allow.
//
// The table of resources (resources.go) is all there is to a command: a route of the API, its
// parameters by the API's own names, and words for people. A test holds it against the routes and
// parameters of package api, so that none is forgotten. The rest of the package carries any row of
// the table out: flags (call.go), HTTP (client.go), tables for people (print.go).
//
// What concerns the store of a server and cannot be done through its API (accounts, keys, the texts
// of templates) is none of its business.
package operator

import (
	"slices"
	"strings"
	"unicode"
)

// Command is one command: a route of the API in words for people.
type Command struct {
	Name  string // "rate-limit create": the resource and the verb
	About string
	Arg   string // what its one argument is called in help, "" if it takes none

	verb     verb
	resource *resource
	path     string // of the route, with variables in braces
}

// resource is a noun of the API and the verbs that it has.
type resource struct {
	noun    string
	about   string // for the list of all commands
	path    string // of the collection, with variables in braces
	id      string // the key of a record that names it
	name    string // the key by which people know a record, "" if there is none
	arg     string // what help calls the argument that names a record
	columns []column
	verbs   []verb
}

// verb is what can be done with a resource: one route.
type verb struct {
	name, about string
	method      string
	on          string // follows the path of the collection
	answer      answer
	// arg is what the argument is: the last variable of the path, or a parameter, which may then be
	// given by its flag as well.
	arg      string
	params   []param
	required []string
	// inner is the key of a list in the one object, which is printed below it as a table of the
	// resource's columns.
	inner string
	fixed map[string]string // parameters with the only value that makes this the verb it is
}

// answer is what the API answers to a verb, and so what is printed.
type answer int

const (
	record  answer = iota // one object
	pages                 // a list, page by page
	nothing               // 204
	sought                // a list of which one record is wanted: the API cannot fetch it alone
)

// param is a parameter of the API, or a variable of a path.
type param struct {
	name   string // as it is sent
	kind   kind
	help   string
	flag   string   // "" is the name in the spelling of flags
	values []string // all that the API takes, if they are few
	of     string   // the noun that its value names, for completion
}

// kind is what a parameter's value is. The API judges values; the kind is for help and completion,
// but for those that are translated.
type kind int

const (
	text    kind = iota
	number       // an integer
	yesNo        // true or false
	moment       // RFC 3339, or a duration before now, which is translated
	service      // the SID of a service or its name, which is translated
)

// word is what help calls a value of the parameter.
func (p param) word() string {
	switch {
	case p.values != nil:
		return strings.Join(p.values, "|")
	case p.kind == number:
		return "number"
	case p.kind == yesNo:
		return "true|false"
	case p.kind == moment:
		return "time"
	case p.kind == service:
		return "service"
	default:
		return "text"
	}
}

// flagName is the parameter in the spelling of flags: Push.ApnCredentialSid is
// push-apn-credential-sid. "Verifyd." says that a parameter is ours, which it need not say here.
func (p param) flagName() string {
	if p.flag != "" {
		return p.flag
	}
	var b strings.Builder
	for i, r := range strings.TrimPrefix(p.name, "Verifyd.") {
		switch {
		case r == '.':
			continue
		case unicode.IsUpper(r) && i > 0:
			b.WriteByte('-')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// parents are the variables of paths that say where a resource belongs. They are flags.
var parents = map[string]param{
	"ServiceSid": {name: "ServiceSid", flag: "service", kind: service, of: "service",
		help: "the service, by SID or name; may be left out if there is only one"},
	"RateLimitSid": {name: "RateLimitSid", flag: "rate-limit", of: "rate-limit",
		help: "the rate limit, by SID or unique name"},
	"Identity":     {name: "Identity", flag: "entity", of: "entity", help: "the entity, by its identity"},
	"ChallengeSid": {name: "ChallengeSid", flag: "challenge", of: "challenge", help: "the challenge, by its SID"},
}

// Commands returns all commands, in the order of the table.
func Commands() []*Command {
	var all []*Command
	for i := range resources {
		r := &resources[i]
		for _, v := range r.verbs {
			c := &Command{Name: r.noun + " " + v.name, About: v.about, verb: v, resource: r, path: r.path + v.on}
			switch {
			case v.arg == "":
			case slices.ContainsFunc(v.params, func(p param) bool { return p.name == v.arg }):
				c.Arg = strings.ToUpper(c.param(v.arg).flagName())
			default:
				c.Arg = r.arg
			}
			all = append(all, c)
		}
	}
	return all
}

// Nouns returns the first words of the commands, each with what it is about.
func Nouns() [][2]string {
	var all [][2]string
	for _, r := range resources {
		if r.about != "" { // the second path of a noun has none
			all = append(all, [2]string{r.noun, r.about})
		}
	}
	return all
}

func resourceOf(noun string) *resource {
	i := slices.IndexFunc(resources, func(r resource) bool { return r.noun == noun })
	if i < 0 {
		return nil
	}
	return &resources[i]
}

// variables are the names in braces of a path.
func variables(path string) []string {
	var names []string
	for part := range strings.SplitSeq(path, "/") {
		if name, ok := strings.CutPrefix(part, "{"); ok {
			names = append(names, strings.TrimSuffix(name, "}"))
		}
	}
	return names
}

// flags are all parameters that flags give: where the resource belongs, then what the API takes.
func (c *Command) flags() []param {
	var all []param
	for _, name := range variables(c.path) {
		if parent, ok := parents[name]; ok {
			all = append(all, parent)
		}
	}
	return append(all, c.verb.params...)
}

// param finds a parameter by its name.
func (c *Command) param(name string) param {
	for _, p := range c.flags() {
		if p.name == name {
			return p
		}
	}
	return param{name: name, of: c.resource.noun} // a variable that the argument gives
}
