package api

import (
	"net/http"
	"time"

	"github.com/verifyd/verifyd/internal/verify"
)

// templateQuery is the filter of the list.
type templateQuery struct {
	FriendlyName string `form:"FriendlyName"`
}

// listTemplates is all that the API does with templates: they are made by `verifyd template add`.
func (a *API) listTemplates(r *request) (response, error) {
	query, page, err := readPage(r.query)
	if err != nil {
		return response{}, err
	}
	var q templateQuery
	if err := decode(r.query, &q); err != nil {
		return response{}, err
	}
	templates, err := a.engine.Templates(r.ctx, r.account, q.FriendlyName, page)
	if err != nil {
		return response{}, err
	}
	base := filtered[templateQuery](r.base+"/Templates", r.query)
	templates, m := cutPage(query, "templates", base, templates, func(t verify.Template) string { return t.SID })
	list := make([]templateBody, 0, len(templates))
	for i := range templates {
		list = append(list, templateJSON(&templates[i]))
	}
	return response{status: http.StatusOK, body: templateList{list, m}}, nil
}

type templateList struct {
	Templates []templateBody `json:"templates"`
	Meta      meta           `json:"meta"`
}

// templateBody has neither a URL nor dates.
type templateBody struct {
	SID          string                     `json:"sid"`
	AccountSID   string                     `json:"account_sid"`
	FriendlyName string                     `json:"friendly_name"`
	Channels     []string                   `json:"channels"`
	Translations map[string]translationBody `json:"translations"`
}

// translationBody dates to the nanosecond, as the published examples do.
type translationBody struct {
	IsDefaultTranslation bool   `json:"is_default_translation"`
	Status               string `json:"status"`
	Locale               string `json:"locale"`
	Text                 string `json:"text"`
	DateUpdated          string `json:"date_updated"`
	DateCreated          string `json:"date_created"`
}

// templateJSON shows one text a language, that of the text message if there is one: the API has
// room for no more.
func templateJSON(t *verify.Template) templateBody {
	body := templateBody{
		SID: t.SID, AccountSID: t.AccountSID, FriendlyName: t.Name,
		Channels: []string{}, Translations: make(map[string]translationBody, len(t.Translations)),
	}
	if t.Carries(verify.SMS) {
		body.Channels = append(body.Channels, "sms")
	}
	if t.Carries(verify.Call) {
		body.Channels = append(body.Channels, "voice")
	}
	for tag, translation := range t.Translations {
		one := translationBody{
			IsDefaultTranslation: tag == t.Default,
			Status:               "pending",
			Locale:               tag,
			Text:                 translation.SMS,
			DateUpdated:          translation.UpdatedAt.UTC().Format(time.RFC3339Nano),
			DateCreated:          translation.CreatedAt.UTC().Format(time.RFC3339Nano),
		}
		if translation.Approved {
			one.Status = "approved"
		}
		if one.Text == "" {
			one.Text = translation.Voice
		}
		body.Translations[tag] = one
	}
	return body
}
