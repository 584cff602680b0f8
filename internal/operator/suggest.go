package operator

import (
	"context"
	"net/url"
	"regexp"
	"strings"
)

// Suggestion is a value that may stand at a place of the command line.
type Suggestion struct {
	Value string
	About string
}

// suggestions is how many records are looked at.
const suggestions = 200

// plain are names that need no quotes in any shell.
var plain = regexp.MustCompile(`^[\w.-]+$`)

// Suggest says what may stand in the place of a flag's value or, with flag "", of the argument, given
// what has been typed of it: the values that the API takes or, if a server is found, the records that
// there are.
func (call *Call) Suggest(ctx context.Context, flag, typed string, find func() (*Client, error)) []Suggestion {
	c := call.command
	p := c.param(c.verb.arg)
	if flag != "" {
		p = param{}
		for _, one := range c.flags() {
			if one.flagName() == flag {
				p = one
			}
		}
	}
	var all []Suggestion
	for _, v := range p.values {
		all = append(all, Suggestion{Value: v})
	}
	if p.kind == yesNo {
		all = append(all, Suggestion{Value: "true"}, Suggestion{Value: "false"})
	}
	if of := resourceOf(p.of); of != nil && of.columns != nil && (flag != "" || c.Arg != "") {
		client, err := find()
		if err != nil {
			return nil // whoever only asks what there is gets no errors
		}
		return client.records(ctx, call, of, typed)
	}
	return all
}

// records suggests the records of a resource: by name where the name is one that a shell takes as it
// is, else by SID.
func (c *Client) records(ctx context.Context, call *Call, r *resource, typed string) []Suggestion {
	given := map[string]string{}
	for _, p := range call.command.flags() {
		if f := call.flags.Lookup(p.flagName()); f.Value.String() != "" {
			given[p.name] = f.Value.String()
		}
	}
	if err := c.translate(ctx, call.command, given); err != nil {
		return nil
	}
	path := r.path
	for _, name := range variables(path) {
		if given[name] == "" {
			return nil
		}
		path = strings.Replace(path, "{"+name+"}", url.PathEscape(given[name]), 1)
	}
	var all []Suggestion
	for page, err := range c.pages(ctx, path, url.Values{}, suggestions) {
		if err != nil {
			break
		}
		for _, one := range page.records {
			values, err := decodeRecord(one)
			if err != nil {
				continue
			}
			id, name := cell(values, r.id), ""
			if r.name != "" {
				name = cell(values, r.name)
			}
			s := Suggestion{id, name}
			if plain.MatchString(name) && name != "-" && (typed == "" || !strings.HasPrefix(id, typed)) {
				s = Suggestion{name, id}
			}
			all = append(all, s)
		}
		if len(all) >= suggestions {
			break
		}
	}
	return all
}
