package handset

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Challenge is what the handset shows its person, and what the application knows besides.
type Challenge struct {
	SID           string
	FactorSID     string
	Status        string // "pending", "expired", "approved", "denied"
	Message       string
	Fields        []Field
	Date          time.Time // zero if the service does not show it
	HiddenDetails map[string]string
	CreatedAt     time.Time
	UpdatedAt     time.Time
	ExpiresAt     time.Time

	// signed are the members that the server wants signed, as they came; nil if it has not said which.
	signed []member
}

// Field is a line that is shown.
type Field struct{ Label, Value string }

type member struct {
	name  string
	value json.RawMessage
}

// UnmarshalJSON reads a challenge as the libraries do.
func (c *Challenge) UnmarshalJSON(text []byte) error {
	var body struct {
		SID            required `json:"sid"`
		FactorSID      required `json:"factor_sid"`
		Status         required `json:"status"`
		DateCreated    date     `json:"date_created"`
		DateUpdated    date     `json:"date_updated"`
		ExpirationDate date     `json:"expiration_date"`
		Details        *struct {
			Message required        `json:"message"`
			Date    json.RawMessage `json:"date"`
			Fields  []struct {
				Label *string `json:"label"`
				Value *string `json:"value"`
			} `json:"fields"`
		} `json:"details"`
		HiddenDetails map[string]string `json:"hidden_details"`
	}
	if err := json.Unmarshal(text, &body); err != nil {
		return err
	}
	d := body.Details
	if d == nil || d.Message == "" || body.SID == "" || body.FactorSID == "" || body.Status == "" ||
		body.DateCreated.IsZero() || body.DateUpdated.IsZero() || body.ExpirationDate.IsZero() {
		return errors.New("a member that the library cannot do without is missing")
	}
	*c = Challenge{
		SID: string(body.SID), FactorSID: string(body.FactorSID), Status: string(body.Status), Message: string(d.Message),
		HiddenDetails: body.HiddenDetails, CreatedAt: body.DateCreated.Time, UpdatedAt: body.DateUpdated.Time, ExpiresAt: body.ExpirationDate.Time,
	}
	switch c.Status {
	case "pending", "expired", "approved", "denied":
	default:
		return fmt.Errorf("the status %q, which iOS does not know", c.Status)
	}
	if d.Date != nil { // null is no date, and Android throws
		var shown date
		if err := json.Unmarshal(d.Date, &shown); err != nil {
			return fmt.Errorf("details.date: %w", err)
		}
		c.Date = shown.Time
	}
	for _, f := range d.Fields {
		if f.Label == nil || f.Value == nil {
			return errors.New("a field without label or value")
		}
		c.Fields = append(c.Fields, Field{*f.Label, *f.Value})
	}
	return nil
}

// Challenge fetches a challenge.
func (h *Handset) Challenge(ctx context.Context, challengeSID string) (*Challenge, error) {
	var raw json.RawMessage
	header, err := h.call(ctx, http.MethodGet, h.entity()+"/Challenges/"+challengeSID, nil, &raw)
	if err != nil {
		return nil, err
	}
	var c Challenge
	if err := json.Unmarshal(raw, &c); err != nil {
		return nil, fmt.Errorf("the library cannot read the challenge: %w", err)
	}
	if c.FactorSID != h.FactorSID {
		return nil, fmt.Errorf("a challenge of %s, and the handset has %s", c.FactorSID, h.FactorSID)
	}
	c.signed, err = membersToSign(header, raw)
	return &c, err
}

// signatureFields is looked up by its exact spelling on Android.
const signatureFields = "Twilio-Verify-Signature-Fields"

// membersToSign picks out what the header names. It splits at commas and does not trim.
func membersToSign(header http.Header, body []byte) ([]member, error) {
	values := header[signatureFields]
	if len(values) == 0 {
		return nil, nil
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(body, &members); err != nil {
		return nil, err
	}
	var list []member
	for name := range strings.SplitSeq(values[0], ",") {
		value, there := members[name]
		if !there {
			return nil, fmt.Errorf("the server wants %q signed and does not show it", name)
		}
		list = append(list, member{name, value})
	}
	return list, nil
}

// Approve says that the person agrees, Deny that she does not. Both fetch the challenge, answer it, and
// fetch it again to see whether the answer was taken.
func (h *Handset) Approve(ctx context.Context, challengeSID string) (*Challenge, error) {
	return h.answer(ctx, challengeSID, "approved")
}

// Deny is described with Approve.
func (h *Handset) Deny(ctx context.Context, challengeSID string) (*Challenge, error) {
	return h.answer(ctx, challengeSID, "denied")
}

func (h *Handset) answer(ctx context.Context, challengeSID, status string) (*Challenge, error) {
	c, err := h.Challenge(ctx, challengeSID)
	if err != nil {
		return nil, err
	}
	if c.Status != "pending" {
		return c, fmt.Errorf("the challenge is %s", c.Status)
	}
	payload, err := h.Statement(c, status)
	if err != nil {
		return nil, err
	}
	if _, err := h.call(ctx, http.MethodPost, h.entity()+"/Challenges/"+challengeSID, form{{"AuthPayload", payload}}, nil); err != nil {
		return nil, err
	}
	if c, err = h.Challenge(ctx, challengeSID); err == nil && c.Status != status {
		err = fmt.Errorf("the challenge is %s, and %s was said", c.Status, status)
	}
	return c, err
}

// Statement is what the handset signs about a challenge that it has fetched: what it was shown, with
// another status.
func (h *Handset) Statement(c *Challenge, status string) (string, error) {
	if c.signed == nil {
		return "", errors.New("the server has not said what to sign, and the application cannot answer")
	}
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range c.signed {
		if i > 0 {
			b.WriteByte(',')
		}
		value := []byte(m.value)
		if m.name == "status" {
			value = []byte(strconv.Quote(status))
		}
		if h.System == IOS { // it writes \/ for /
			value = bytes.ReplaceAll(value, []byte("/"), []byte(`\/`))
		}
		fmt.Fprintf(&b, "%q:%s", m.name, value)
	}
	b.WriteByte('}')
	return h.jwt(`{"typ":"JWT","alg":"ES256"}`, b.Bytes())
}

// Challenges lists the challenges of the factor in a state ("" is every), oldest first, and turns the
// pages over by the token in the address of the next one.
func (h *Handset) Challenges(ctx context.Context, status string, pageSize int) ([]Challenge, error) {
	pageToken := "PageToken"
	if h.System == IOS {
		pageToken = "pageToken"
	}
	var all []Challenge
	for token := ""; ; {
		query := url.Values{"FactorSid": {h.FactorSID}, "PageSize": {strconv.Itoa(pageSize)}, "Order": {"asc"}}
		if status != "" {
			query.Set("Status", status)
		}
		if token != "" {
			query.Set(pageToken, token)
		}
		var page struct {
			Challenges []Challenge `json:"challenges"`
			Meta       *struct {
				Page            *int    `json:"page"`
				PageSize        *int    `json:"page_size"`
				PreviousPageURL *string `json:"previous_page_url"`
				NextPageURL     *string `json:"next_page_url"`
			} `json:"meta"`
		}
		if _, err := h.call(ctx, http.MethodGet, h.entity()+"/Challenges?"+query.Encode(), nil, &page); err != nil {
			return nil, err
		}
		if page.Meta == nil || page.Meta.Page == nil || page.Meta.PageSize == nil {
			return nil, errors.New("the list does not say where its page stands")
		}
		all = append(all, page.Challenges...)
		if page.Meta.NextPageURL == nil {
			return all, nil
		}
		next, err := url.Parse(*page.Meta.NextPageURL)
		if err != nil {
			return nil, err
		}
		if token = next.Query().Get("PageToken"); token == "" {
			return nil, fmt.Errorf("no token in the address of the next page: %s", next)
		}
	}
}
