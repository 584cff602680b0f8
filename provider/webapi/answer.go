package webapi

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpsend"
)

// answers are the rules by which an answer is read.
type answers struct {
	accepted                   condition
	id, parts, price, currency source
	code, detail               source
	refused                    []classRule
}

type classRule struct {
	condition
	class provider.Class
}

// condition fits a status and a value; an empty one fits every 2xx, or every failure in a rule.
type condition struct {
	status []int
	from   source
	in     []string
}

func parseAnswers(c AnswerConfig, rules []Rule) (*answers, error) {
	a := &answers{}
	var err error
	if a.accepted, err = parseCondition("accepted", c.Status, c.From, c.In); err != nil {
		return nil, err
	}
	for _, s := range []struct {
		key, text string
		to        *source
	}{
		{"id", c.ID, &a.id}, {"parts", c.Parts, &a.parts}, {"price", c.Price, &a.price},
		{"currency", c.Currency, &a.currency}, {"code", c.Code, &a.code}, {"detail", c.Detail, &a.detail},
	} {
		if *s.to, err = parseSource("accepted."+s.key, s.text, ofAnswers); err != nil {
			return nil, err
		}
	}
	a.refused, err = parseRules("errors", rules, ofAnswers, "")
	return a, err
}

func parseCondition(key string, status []int, from string, in []string) (condition, error) {
	s, err := parseSource(key+".from", from, ofAnswers)
	if err == nil && s == nil && in != nil {
		err = fmt.Errorf("%s.in: there is no from", key)
	}
	return condition{status, s, in}, err
}

// parseRules reads a list of rules. A rule without from asks the default, if there is one.
func parseRules(key string, rules []Rule, allowed map[string]bool, defaultFrom string) ([]classRule, error) {
	var all []classRule
	for i, r := range rules {
		key := fmt.Sprintf("%s[%d]", key, i)
		if r.From == "" && r.In != nil {
			r.From = defaultFrom
		}
		s, err := parseSource(key+".from", r.From, allowed)
		if err != nil {
			return nil, err
		}
		class, ok := provider.ParseClass(r.Class)
		switch {
		case !ok:
			return nil, fmt.Errorf("%s.class: %q is none of bad_recipient, bad_request, temporary, throttled, unknown", key, r.Class)
		case s == nil && r.In != nil:
			return nil, fmt.Errorf("%s.in: there is no from", key)
		case s == nil && r.Status == nil:
			return nil, fmt.Errorf("%s: fits everything; set status or from", key)
		}
		all = append(all, classRule{condition{r.Status, s, r.In}, class})
	}
	return all, nil
}

func (c condition) fits(x *scene) bool {
	if c.status != nil && !slices.Contains(c.status, x.status) {
		return false
	}
	if c.from == nil {
		return true
	}
	value := c.from(x)
	return value != "" && (c.in == nil || slices.Contains(c.in, value))
}

// read gives either the acceptance or the error that an answer means. Where no rule fits, refusal
// stands, which is made of the status.
func (a *answers) read(answer httpsend.Answer, refusal *provider.Error) (provider.Accepted, *provider.Error) {
	x := &scene{status: answer.Status, header: answer.Header, body: answer.Body}
	if (a.accepted.status != nil || answer.OK()) && a.accepted.fits(x) {
		parts, _ := strconv.ParseUint(a.parts.of(x), 10, 8) // what is no number is not stated
		return provider.Accepted{
			ID: httpsend.ID(a.id.of(x)), Parts: int(parts),
			Price: httpsend.Price(a.price.of(x), a.currency.of(x)),
		}, nil
	}
	for _, rule := range a.refused {
		if rule.fits(x) {
			refusal.Class = rule.class
			break
		}
	}
	if code := a.code.of(x); code != "" {
		refusal.Code = code
	}
	detail := a.detail.of(x)
	if detail == "" {
		detail = string(answer.Body)
	}
	if detail != "" {
		refusal.Detail += ": " + detail
	}
	return provider.Accepted{}, refusal
}

func exampleAnswer(e Example) httpsend.Answer {
	return httpsend.Answer{Status: e.Status, Body: []byte(e.Body)}
}

var errGroup = errors.New("the regular expression wants exactly one group")
