package whatsapp

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpsend"
)

// defaultTemplate is what channels ask for where the configuration names none.
const defaultTemplate = "verification_code"

// Check implements provider.Checker: it asks Meta for each number, and for the template in each of its
// languages where the configuration names the business account to which they belong.
func (p *Provider) Check(ctx context.Context) error {
	if err := p.checkNumber(ctx, p.endpoint, "phone_number_id"); err != nil {
		return err
	}
	for _, from := range slices.Sorted(maps.Keys(p.endpoints)) {
		if p.endpoints[from] == p.endpoint {
			continue
		}
		if err := p.checkNumber(ctx, p.endpoints[from], "the number of phone_numbers for "+from); err != nil {
			return err
		}
	}
	if p.businessAccount == "" {
		return provider.Unproven("the token and the number are right; whether the template is approved is not known without business_account_id")
	}
	return p.checkTemplate(ctx)
}

// checkNumber reads the number
// (https://developers.facebook.com/docs/whatsapp/cloud-api/phone-numbers).
func (p *Provider) checkNumber(ctx context.Context, endpoint, asked string) error {
	var number struct {
		Status string `json:"status"`
	}
	if err := p.ask(ctx, strings.TrimSuffix(endpoint, "/messages")+"?fields=verified_name,status", asked, &number); err != nil {
		return err
	}
	if number.Status != "" && number.Status != "CONNECTED" {
		return fmt.Errorf("%s is %s, and CONNECTED is what can send", asked, p.sender.Excerpt(number.Status, provider.Message{}))
	}
	return nil
}

// checkTemplate looks for the template's state in each language
// (https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/template-management).
func (p *Provider) checkTemplate(ctx context.Context) error {
	name := cmp.Or(p.templateName, defaultTemplate)
	query := url.Values{"name": {name}, "fields": {"name,language,status,category"}, "limit": {"200"}}
	var list struct {
		Data []struct{ Name, Language, Status, Category string }
	}
	if err := p.ask(ctx, p.businessAccount+"/message_templates?"+query.Encode(), "business_account_id", &list); err != nil {
		return err
	}
	states := map[string]string{}
	for _, t := range list.Data {
		if t.Name != name { // the name that is asked for may be a part of another
			continue
		}
		if t.Category != "AUTHENTICATION" {
			return fmt.Errorf("the template %s is of the category %s, and codes need AUTHENTICATION", name, p.sender.Excerpt(t.Category, provider.Message{}))
		}
		states[t.Language] = t.Status
	}
	if len(states) == 0 {
		return fmt.Errorf("the business account has no template %s", name)
	}
	var bad []string
	for _, language := range p.languages {
		if state := states[language]; state != "APPROVED" {
			bad = append(bad, language+" ("+cmp.Or(p.sender.Excerpt(state, provider.Message{}), "not there")+")")
		}
	}
	if len(bad) > 0 {
		return fmt.Errorf("the template %s is not approved in %s", name, strings.Join(bad, ", "))
	}
	return nil
}

// ask reads an object of the Graph API into v. Meta refuses with an error that says more than its
// status.
func (p *Provider) ask(ctx context.Context, url, asked string, v any) error {
	answer, err := p.sender.CheckJSON(ctx, httpsend.Request{
		URL: url, Header: http.Header{"Authorization": {"Bearer " + p.accessToken}},
	}, asked, v)
	if err == nil {
		return nil
	}
	var said struct {
		Error struct {
			Code    int    `json:"code"`
			Message string `json:"message"`
		} `json:"error"`
	}
	if json.Unmarshal(answer.Body, &said) != nil || said.Error.Code == 0 {
		return err
	}
	words := p.sender.Excerpt(said.Error.Message, provider.Message{})
	switch code := said.Error.Code; {
	case code == 190:
		return fmt.Errorf("the access token is refused (190): %s", words)
	case code == 3, code == 10, code >= 200 && code < 300:
		return fmt.Errorf("the access token may not read %s (%d): %s", asked, code, words)
	case code == 100:
		return fmt.Errorf("%s is not known to Meta, or not given to the token (100): %s", asked, words)
	default:
		return fmt.Errorf("asked for %s, Meta answers %d: %s", asked, code, words)
	}
}
