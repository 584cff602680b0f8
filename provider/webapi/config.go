package webapi

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"github.com/verifyd/verifyd/provider"
)

// Config is the [providers.X] table of a provider of type "http".
type Config struct {
	// Preset names a description in presets/; what the table sets itself is set over it.
	Preset string `json:"preset"`
	// URL is the address of the API, without what differs from message to message.
	URL string `json:"url"`
	// Vars are what templates know as vars.NAME: user names, keys, passwords. None is ever shown.
	Vars map[string]string `json:"vars"`
	// Channels are those that the API carries, ["sms"] where there are none.
	Channels []string `json:"channels"`
	// From is the sender for messages whose route names none.
	From string `json:"from"`
	// ReportURL is where the vendor reaches this provider's reports: report_url in templates.
	ReportURL string `json:"report_url"`
	// Timeout is the limit for one message: "10s".
	Timeout string `json:"timeout"`
	// AllowPlainHTTP permits http:// to hosts other than this one.
	AllowPlainHTTP bool `json:"allow_plain_http"`

	Request  RequestConfig `json:"request"`
	Accepted AnswerConfig  `json:"accepted"`
	Errors   []Rule        `json:"errors"`
	Report   *ReportConfig `json:"report"`
	Check    *CheckConfig  `json:"check"`
	Examples []Example     `json:"examples"`
}

// RequestConfig is what a message becomes. Every text is a template.
type RequestConfig struct {
	// Method is POST unless it is set.
	Method string `json:"method"`
	// Path is put behind the URL.
	Path string `json:"path"`
	// Headers, Query and Form are fields by name. A field whose template is empty is left out.
	Headers map[string]string `json:"headers"`
	Query   map[string]string `json:"query"`
	Form    map[string]string `json:"form"`
	// JSON is any JSON, of which every text is a template.
	JSON json.RawMessage `json:"json"`
	// XML is a document in which every place is escaped as text.
	XML string `json:"xml"`
	// Basic is a user and a password for the Authorization header.
	Basic []string `json:"basic"`
}

// AnswerConfig says which answer is an acceptance, and what is in it.
type AnswerConfig struct {
	// Status are the statuses of an acceptance, every 2xx where there are none.
	Status []int `json:"status"`
	// From is a source that must be one of In as well, or must be there at all where In is empty.
	From string   `json:"from"`
	In   []string `json:"in"`
	// ID, Parts, Price and Currency are sources.
	ID       string `json:"id"`
	Parts    string `json:"parts"`
	Price    string `json:"price"`
	Currency string `json:"currency"`
	// Code and Detail are sources of what a refusal says of itself.
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

// Rule gives a class to an answer that is no acceptance. The first that fits decides.
type Rule struct {
	// Status are the statuses that fit, any where there are none.
	Status []int `json:"status"`
	// From is a source that must be one of In as well, or must be there at all where In is empty.
	From  string   `json:"from"`
	In    []string `json:"in"`
	Class string   `json:"class"`
}

// ReportConfig is how the vendor reports.
type ReportConfig struct {
	// Methods are POST unless they are set.
	Methods []string `json:"methods"`
	// List is a source of a JSON array, of which every element is a report: "json:/results". The
	// pointers of the other sources then begin at the element.
	List string `json:"list"`
	// ID is a source of the identifier of the answer; Key, of the key that the request carried.
	ID  string `json:"id"`
	Key string `json:"key"`
	// State is a source of one of the words below; other words change nothing.
	State     string   `json:"state"`
	Delivered []string `json:"delivered"`
	Read      []string `json:"read"`
	Failed    []string `json:"failed"`
	// Code, At, MCCMNC, Price and Currency are sources. At is a time by RFC 3339 or a Unix time.
	Code     string `json:"code"`
	At       string `json:"at"`
	MCCMNC   string `json:"mccmnc"`
	Price    string `json:"price"`
	Currency string `json:"currency"`
	// Errors gives a class to a failure; without From it is asked of the code. What fits none is
	// temporary: another route may do.
	Errors []Rule `json:"errors"`
	// Proof says how a call is known to be the vendor's.
	Proof ProofConfig `json:"proof"`
	// Reply is what the vendor wants to read, nothing unless it is set.
	Reply string `json:"reply"`
}

// ProofConfig is how a report is known to be the vendor's.
type ProofConfig struct {
	// Kind is "hmac", "header", "basic", or "none": then the secret in the URL is all there is.
	Kind string `json:"kind"`
	// Secret is the key of the HMAC, the value of the header, or the password.
	Secret string `json:"secret"`
	// Header holds the signature or the secret.
	Header string `json:"header"`
	// Username goes with the password of "basic".
	Username string `json:"username"`
	// Hash is "sha256", "sha1" or "sha512"; Encoding is "hex" or "base64"; Prefix stands before
	// the signature, such as "sha256=". They are of "hmac".
	Hash     string `json:"hash"`
	Encoding string `json:"encoding"`
	Prefix   string `json:"prefix"`
	// TimestampHeader holds a Unix time that is signed before the body, and Separator stands
	// between the two. They are of "hmac", and optional.
	TimestampHeader string `json:"timestamp_header"`
	Separator       string `json:"separator"`
	// AllowFrom are addresses and networks, besides any kind: ["192.0.2.0/24"].
	AllowFrom []string `json:"allow_from"`
}

// Example is an answer of the vendor, and how it must be read. Each is tried at start.
type Example struct {
	Status int    `json:"status"`
	Body   string `json:"body"`
	// Want is "accepted" or a class.
	Want string `json:"want"`
	// ID is the identifier that an acceptance must give.
	ID string `json:"id"`
}

//go:embed presets/*.json
var presetFiles embed.FS

// Presets are the names that Config.Preset may have.
func Presets() []string {
	entries, err := presetFiles.ReadDir("presets")
	if err != nil {
		panic(err) // the folder is in the binary
	}
	var names []string
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".json"))
	}
	return names
}

// withPreset is c over its preset.
func (c Config) withPreset() (Config, error) {
	if c.Preset == "" {
		return c, nil
	}
	text, err := presetFiles.ReadFile("presets/" + c.Preset + ".json")
	if err != nil {
		return c, fmt.Errorf("preset: %q is none of %s", c.Preset, strings.Join(Presets(), ", "))
	}
	var under Config
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&under); err != nil {
		return c, fmt.Errorf("preset %s: %w", c.Preset, err)
	}
	if c.Report != nil && under.Report != nil && !c.Report.sound() {
		return c, errors.New("report: of a preset only the proof can be set by itself; set state too, and all of it is yours")
	}
	return c.over(under), nil
}

// over is c, with what c does not set taken from under. Tables that describe the API are taken
// whole: half a description of one and half of another fit by luck.
func (c Config) over(under Config) Config {
	vars := maps.Clone(under.Vars)
	if vars == nil {
		vars = map[string]string{}
	}
	maps.Copy(vars, c.Vars)
	c.Vars = vars
	if c.URL == "" {
		c.URL = under.URL
	}
	if c.Channels == nil {
		c.Channels = under.Channels
	}
	if c.Request.empty() {
		c.Request = under.Request
		if c.Check == nil {
			c.Check = under.Check
		}
	}
	if c.Accepted.empty() && c.Errors == nil {
		c.Accepted, c.Errors = under.Accepted, under.Errors
		c.Examples = append(slices.Clone(under.Examples), c.Examples...)
	}
	if under.Report != nil {
		merged := *under.Report
		if c.Report != nil {
			merged = c.Report.over(merged)
		}
		c.Report = &merged
	}
	return c
}

// sound says that a report is whole, or a proof and nothing else.
func (r ReportConfig) sound() bool {
	if r.State != "" {
		return true
	}
	r.Proof = ProofConfig{}
	return reflect.DeepEqual(r, ReportConfig{})
}

// over lets the table set the proof, which holds a secret, and keep the rest of a preset.
func (r ReportConfig) over(under ReportConfig) ReportConfig {
	if r.State != "" {
		return r
	}
	under.Proof = r.Proof
	return under
}

func (r RequestConfig) empty() bool {
	return r.Method == "" && r.Path == "" && r.Headers == nil && r.Query == nil && r.Form == nil &&
		r.JSON == nil && r.XML == "" && r.Basic == nil
}

func (a AnswerConfig) empty() bool {
	return a.Status == nil && a.From == "" && a.In == nil && a.ID == "" && a.Parts == "" &&
		a.Price == "" && a.Currency == "" && a.Code == "" && a.Detail == ""
}

var known = []string{"sms", "call", "email", "whatsapp", "rcs"}

func (c Config) channels() ([]string, error) {
	if len(c.Channels) == 0 {
		return []string{"sms"}, nil
	}
	for _, channel := range c.Channels {
		if !slices.Contains(known, channel) {
			return nil, fmt.Errorf("channels: %q is none of %s", channel, strings.Join(known, ", "))
		}
	}
	return c.Channels, nil
}

// secrets are what no error may repeat. Every var is taken for one: a user name in a log is no
// loss, and a key is.
func (c Config) secrets() []string {
	all := slices.Collect(maps.Values(c.Vars))
	requests := []RequestConfig{c.Request}
	if c.Check != nil {
		requests = append(requests, c.Check.RequestConfig)
	}
	for _, r := range requests {
		all = append(all, r.secrets()...)
	}
	// What a request's URL repeats is escaped there.
	for _, secret := range slices.Clone(all) {
		all = append(all, url.QueryEscape(secret))
	}
	return all
}

func (r RequestConfig) secrets() []string {
	all := slices.Clone(r.Basic)
	for _, fields := range []map[string]string{r.Headers, r.Query, r.Form} {
		for name, value := range fields {
			if !strings.Contains(value, "{{") && secretive(name) {
				all = append(all, value)
			}
		}
	}
	return all
}

// secretive finds the names under which people write a secret straight into a request.
func secretive(name string) bool {
	name = strings.ToLower(name)
	for _, word := range []string{"auth", "key", "pass", "secret", "token", "pwd"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return false
}

// try reads every example by the rules, and finds the first that is read otherwise than it says.
func (p *Provider) try(examples []Example) error {
	for i, e := range examples {
		accepted, failure := p.read(exampleAnswer(e))
		got := "accepted"
		if failure != nil {
			got = failure.Class.String()
		}
		if _, ok := provider.ParseClass(e.Want); !ok && e.Want != "accepted" {
			return fmt.Errorf("examples[%d].want: %q is neither \"accepted\" nor a class", i, e.Want)
		}
		if got != e.Want {
			return fmt.Errorf("examples[%d]: status %d is read as %s, the example says %s", i, e.Status, got, e.Want)
		}
		if accepted.ID != e.ID {
			return fmt.Errorf("examples[%d].id: the answer gives %q, the example says %q", i, accepted.ID, e.ID)
		}
	}
	return nil
}

var errOneBody = errors.New("request: has more than one of form, json and xml")
