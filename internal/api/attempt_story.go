package api

import (
	"net/http"

	"github.com/verifyd/verifyd/internal/verify"
)

// fetchStory is no call of Twilio's: it tells what happened to an attempt, step by step.
func (a *API) fetchStory(r *request) (response, error) {
	attempt, err := a.engine.Attempt(r.ctx, r.account, r.vars.get("Sid"))
	if err != nil {
		return response{}, err
	}
	return response{status: http.StatusOK, body: storyJSON(attempt, r.base)}, nil
}

type storyBody struct {
	SID             string              `json:"sid"`
	AccountSID      string              `json:"account_sid"`
	ServiceSID      string              `json:"service_sid"`
	VerificationSID string              `json:"verification_sid"`
	Channel         verify.Channel      `json:"channel"`
	To              string              `json:"to"`
	Country         *string             `json:"country"`
	State           verify.AttemptState `json:"state"`
	Provider        *string             `json:"provider"`
	ProviderID      *string             `json:"provider_id"`
	HandOvers       int                 `json:"hand_overs"`
	Story           []stepBody          `json:"story"`
	DateCreated     string              `json:"date_created"`
	DateUpdated     string              `json:"date_updated"`
	URL             string              `json:"url"`
}

type stepBody struct {
	Date         string  `json:"date"`
	Kind         string  `json:"kind"`
	Provider     *string `json:"provider"`
	Milliseconds *int    `json:"milliseconds"`
	Outcome      *string `json:"outcome"`
	Code         *string `json:"code"`
	Detail       *string `json:"detail"`
	Decision     *string `json:"decision"`
	Reason       *string `json:"reason"`
}

// handedOver is what the API calls the commonest kind of a step, which is stored without a name.
const handedOver = "hand_over"

// stepTime is RFC 3339 to the millisecond: the steps of a story follow each other quickly.
const stepTime = "2006-01-02T15:04:05.000Z"

func storyJSON(a *verify.Attempt, base string) storyBody {
	steps := a.Story.Steps()
	b := storyBody{
		SID: a.SID, AccountSID: a.AccountSID, ServiceSID: a.ServiceSID, VerificationSID: a.VerificationSID,
		Channel: a.Channel, To: a.To, Country: nullable(a.Country), State: a.State,
		Provider: nullable(a.Provider), ProviderID: nullable(a.ProviderID), HandOvers: a.HandOvers,
		Story:       make([]stepBody, 0, len(steps)),
		DateCreated: timestamp(a.CreatedAt), DateUpdated: timestamp(a.UpdatedAt),
		URL: base + "/Verifyd/Attempts/" + a.SID,
	}
	for _, s := range steps {
		step := stepBody{
			Date: s.At.Time().Format(stepTime), Kind: string(s.Kind), Provider: nullable(s.Provider), Outcome: nullable(s.Outcome),
			Code: nullable(s.Code), Detail: nullable(s.Detail), Decision: nullable(string(s.Decision)), Reason: nullable(s.Why),
		}
		switch took := int(s.Took); s.Kind {
		case verify.StepHandOver:
			step.Kind, step.Milliseconds = handedOver, &took
		case verify.StepRevoke:
			step.Milliseconds = &took
		}
		b.Story = append(b.Story, step)
	}
	return b
}
