package operator

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Misuse is the error of a command that was called wrongly: nothing was asked of a server.
type Misuse string

func (m Misuse) Error() string { return string(m) }

// defaultLimit is how many records a list shows; what is more is said.
const defaultLimit = 50

// Call is a command with its flags.
type Call struct {
	command     *Command
	flags       *flag.FlagSet
	json, quiet bool
	limit       int
}

// SharedFlags are the names of the flags that many commands have, which are not parameters.
var SharedFlags = append([]string{"limit", "json", "quiet"}, serverFlags...)

// Bind makes the flags of a command. They are read by Run, after they were parsed.
func (c *Command) Bind(flags *flag.FlagSet) *Call {
	call := &Call{command: c, flags: flags}
	for _, p := range c.flags() {
		usage := p.help
		if slices.Contains(c.verb.required, p.name) {
			usage += " (required)"
		}
		flags.String(p.flagName(), "", "`"+p.word()+"` "+usage)
	}
	if c.verb.answer == pages {
		flags.IntVar(&call.limit, "limit", defaultLimit, "show at most this `number`; 0 shows all")
	}
	if c.verb.answer != nothing {
		flags.BoolVar(&call.json, "json", false, "print the JSON of the API, one record a line")
		if c.verb.on != "/Summary" {
			id, _, _ := strings.Cut(c.resource.arg, "|")
			flags.BoolVar(&call.quiet, "quiet", false, "print nothing but the "+id+", one a line")
		}
	}
	return call
}

// Run calls the API of the server that find finds and prints its answer. args is the argument, if
// there was one. Errors are a Misuse, a *Refusal, or say why there is no answer.
func (call *Call) Run(ctx context.Context, args []string, now time.Time, find func() (*Client, error), out Output) error {
	c := call.command
	given, err := call.given(args, now)
	if err != nil {
		return err
	}
	client, err := find()
	if err != nil {
		return err
	}
	if err := client.translate(ctx, c, given); err != nil {
		return err
	}
	path, values := c.path, url.Values{}
	for _, name := range variables(c.path) {
		path = strings.Replace(path, "{"+name+"}", url.PathEscape(given[name]), 1)
		delete(given, name)
	}
	for name, value := range given {
		if c.verb.answer != sought {
			values.Set(name, value)
		}
	}
	switch c.verb.answer {
	case pages:
		return call.list(ctx, client, path, values, out)
	case sought:
		found, err := client.seek(ctx, c.resource, given[c.verb.arg])
		if err != nil {
			return err
		}
		return call.printRecord(out, &reply{body: found})
	}
	got, err := client.call(ctx, c.verb.method, path, values)
	switch {
	case err != nil:
		return err
	case c.verb.answer == nothing:
		_, err := fmt.Fprintf(out.W, "%sd %s\n", c.verb.name, printable(args[0]))
		return err
	default:
		return call.printRecord(out, got)
	}
}

// given collects what was given, by the names of the API, and refuses what cannot be a call.
func (call *Call) given(args []string, now time.Time) (map[string]string, error) {
	c := call.command
	given := maps.Clone(c.verb.fixed)
	if given == nil {
		given = map[string]string{}
	}
	sent := map[string]bool{}
	call.flags.Visit(func(f *flag.Flag) { sent[f.Name] = true })
	for _, p := range c.flags() {
		name := p.flagName()
		if !sent[name] {
			continue
		}
		value := call.flags.Lookup(name).Value.String()
		if p.kind == moment {
			value = timeOf(value, now)
		}
		given[p.name] = value
	}
	if len(args) > 0 {
		if _, twice := given[c.verb.arg]; twice {
			return nil, Misuse(fmt.Sprintf("%q and --%s are given", args[0], c.param(c.verb.arg).flagName()))
		}
		given[c.verb.arg] = args[0]
	}
	if call.limit < 0 {
		return nil, Misuse("--limit is less than 0")
	}
	return given, c.lacks(given)
}

// lacks is the Misuse of a call that lacks something. A service may be missing: it is looked for.
func (c *Command) lacks(given map[string]string) error {
	for _, name := range slices.Concat(variables(c.path), c.verb.required) {
		if _, there := given[name]; !there && name == c.verb.arg {
			return Misuse(c.Arg + " is missing")
		} else if !there && name != "ServiceSid" {
			return Misuse("--" + c.param(name).flagName() + " is missing")
		}
	}
	// An empty part of a path would be another path, perhaps that of everything.
	for _, name := range append(variables(c.path), c.verb.arg) {
		if value, there := given[name]; there && value == "" {
			return Misuse("an empty " + strings.ToLower(c.param(name).flagName()))
		}
	}
	return nil
}

// timeOf turns a duration before now into RFC 3339 and leaves everything else to the API.
func timeOf(value string, now time.Time) string {
	if ago, err := time.ParseDuration(value); err == nil {
		return now.Add(-ago).UTC().Format(time.RFC3339)
	}
	return value
}

// list prints a list page by page, as many records as are wanted.
func (call *Call) list(ctx context.Context, client *Client, path string, values url.Values, out Output) error {
	table := table{columns: call.command.resource.columns, out: out}
	left := call.limit
	for page, err := range client.pages(ctx, path, values, call.limit) {
		if err != nil {
			return err
		}
		records, cut := page.records, page.more
		if call.limit > 0 {
			cut = cut || len(records) > left
			records = records[:min(len(records), left)]
			left -= len(records)
		}
		switch {
		case call.json:
			err = printLines(out.W, records)
		case call.quiet:
			err = call.printIDs(out, records)
		default:
			err = table.print(records)
		}
		if err != nil {
			return err
		}
		if call.limit > 0 && left == 0 {
			if cut {
				_, err = fmt.Fprintf(out.Notes, "there are more: --limit 0 shows all\n")
			}
			return err
		}
	}
	return nil
}

// page is a page of a list; more says that another follows.
type page struct {
	records []json.RawMessage
	more    bool
}

// maxPage is the largest page that the API gives.
const maxPage = 1000

// pages walks a list from its first page on. limit is how many records are wanted, 0 for all.
//
// A page may be empty and yet not the last. The server's URL of the next page is its own, which
// need not be one by which this machine reaches it, so only its query is taken.
func (c *Client) pages(ctx context.Context, path string, values url.Values, limit int) func(func(page, error) bool) {
	return func(yield func(page, error) bool) {
		query := maps.Clone(values)
		query.Set("PageSize", strconv.Itoa(maxPage))
		if limit > 0 && limit < maxPage {
			query.Set("PageSize", strconv.Itoa(limit))
		}
		for query != nil {
			got, err := c.call(ctx, "GET", path, query)
			if err != nil {
				yield(page{}, err)
				return
			}
			p, next, err := readPage(got.body)
			if err != nil {
				yield(page{}, fmt.Errorf("a page of %s: %w", c.base, err))
				return
			}
			if !yield(p, nil) {
				return
			}
			query = next
		}
	}
}

// readPage reads a page of a list, and the query of the next one, nil after the last.
func readPage(body []byte) (page, url.Values, error) {
	var p page
	var all map[string]json.RawMessage
	if err := json.Unmarshal(body, &all); err != nil {
		return p, nil, err
	}
	var meta struct {
		Key  string  `json:"key"`
		Next *string `json:"next_page_url"`
	}
	if err := json.Unmarshal(all["meta"], &meta); err != nil {
		return p, nil, fmt.Errorf("meta: %w", err)
	}
	if err := json.Unmarshal(all[meta.Key], &p.records); err != nil {
		return p, nil, fmt.Errorf("%q: %w", meta.Key, err)
	}
	if meta.Next == nil {
		return p, nil, nil
	}
	u, err := url.Parse(*meta.Next)
	if err != nil {
		return p, nil, err
	}
	p.more = true
	return p, u.Query(), nil
}

var serviceSID = regexp.MustCompile(`^VA[0-9a-fA-F]{32}$`)

// translate puts SIDs in the place of the names of services, and the only service in the place of
// none.
func (c *Client) translate(ctx context.Context, command *Command, given map[string]string) error {
	for _, p := range append(command.flags(), command.param(command.verb.arg)) {
		value, there := given[p.name]
		isService := p.kind == service || p.name == "Sid" && command.path == resourceOf("service").path+"/{Sid}"
		_, inPath := parents[p.name]
		switch {
		case !isService || serviceSID.MatchString(value):
		case there:
			found, err := c.seek(ctx, resourceOf("service"), value)
			if err != nil {
				return err
			}
			given[p.name] = sidOf(found)
		case inPath:
			sid, err := c.onlyService(ctx)
			if err != nil {
				return err
			}
			given[p.name] = sid
		}
	}
	return nil
}

func sidOf(record json.RawMessage) string {
	var r struct{ SID string }
	_ = json.Unmarshal(record, &r) // seek has read it
	return r.SID
}

// seek finds a record by its SID or its name. A name that several have finds none.
func (c *Client) seek(ctx context.Context, r *resource, wanted string) (json.RawMessage, error) {
	var found []json.RawMessage
	for page, err := range c.pages(ctx, r.path, url.Values{}, 0) {
		if err != nil {
			return nil, err
		}
		for _, one := range page.records {
			values, err := decodeRecord(one)
			if err != nil {
				return nil, err
			}
			if values[r.id] == wanted || values[r.name] == wanted {
				found = append(found, one)
			}
		}
	}
	switch len(found) {
	case 0:
		return nil, fmt.Errorf("there is no %s %q; verifyd %[1]s list shows them", r.noun, wanted)
	case 1:
		return found[0], nil
	default:
		return nil, fmt.Errorf("%d are called %q: give the SID; verifyd %s list shows them", len(found), wanted, r.noun)
	}
}

func (c *Client) onlyService(ctx context.Context) (string, error) {
	for page, err := range c.pages(ctx, resourceOf("service").path, url.Values{}, 2) {
		switch {
		case err != nil:
			return "", err
		case len(page.records) == 1 && !page.more:
			return sidOf(page.records[0]), nil
		case len(page.records) > 0:
			return "", Misuse("there is more than one service: choose with --service; verifyd service list shows them")
		}
	}
	return "", Misuse("there is no service yet; verifyd service create makes one")
}
