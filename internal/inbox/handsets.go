package inbox

import (
	"bytes"
	"context"
	"errors"
	"html/template"
	"net/http"
	"strings"
	"time"
)

// Handset is a simulated telephone with the application on it.
type Handset struct {
	FactorSID  string `json:"factor_sid"` // YF…
	ServiceSID string `json:"service_sid"`
	Identity   string `json:"identity"`
	Name       string `json:"friendly_name"`
	Platform   string `json:"platform"` // "fcm", "apn", "none"
	Token      string `json:"token"`    // of the platform: where notifications go to, "" with "none"
	// Gone says that the server does not know the handset any more: its factor was deleted.
	Gone bool `json:"gone"`
	// Challenges are those that wait for an answer, and the last that had one here; newest first.
	Challenges []Challenge `json:"challenges"`
}

// Challenge is a question that a handset shows.
type Challenge struct {
	SID           string            `json:"sid"` // YC…
	Status        string            `json:"status"`
	Message       string            `json:"message"`
	Fields        []ChallengeField  `json:"fields"`
	HiddenDetails map[string]string `json:"hidden_details"` // what only the application sees
	CreatedAt     time.Time         `json:"created_at"`
	ExpiresAt     time.Time         `json:"expires_at"`
}

// ChallengeField is a line of a challenge.
type ChallengeField struct {
	Label string `json:"label"`
	Value string `json:"value"`
}

// Registration is a new handset.
type Registration struct {
	ServiceSID string // "" is the first service
	Identity   string
	Name       string // "" is one that the handset chooses
	Platform   string // "" is "fcm"
}

// Handsets are the simulated telephones.
type Handsets interface {
	List(context.Context) ([]Handset, error)
	Handset(ctx context.Context, factorSID string) (Handset, error)
	Register(context.Context, Registration) (Handset, error)
	// Answer has the person approve or deny a challenge.
	Answer(ctx context.Context, factorSID, challengeSID string, approve bool) (Challenge, error)
	Remove(ctx context.Context, factorSID string) error
}

// ErrNoHandset says that there is no such handset.
var ErrNoHandset = errors.New("inbox: no such handset")

// Refusal is what the server said to a handset.
type Refusal struct {
	Status  int // of HTTP
	Code    int // of the API
	Message string
}

func (r *Refusal) Error() string { return r.Message }

var handsetsPage = template.Must(template.ParseFS(assets, "assets/handsets.html"))

// getHandsets is the page of the handsets, or their list.
func (in *Inbox) getHandsets(w http.ResponseWriter, r *http.Request) error {
	p, err := parseParameters(r.URL.RawQuery)
	if err != nil {
		return err
	}
	w.Header().Set("Vary", "Accept")
	if wantsPage(r) && !p.json {
		var b bytes.Buffer
		if err := handsetsPage.Execute(&b, nil); err != nil {
			return err
		}
		write(w, http.StatusOK, "text/html; charset=utf-8", b.Bytes())
		return nil
	}
	list := []Handset{}
	if in.handsets != nil {
		all, err := in.handsets.List(r.Context())
		if err != nil {
			return told(r, err)
		}
		for _, h := range all {
			list = append(list, h.whole())
		}
	}
	writeJSON(w, http.StatusOK, map[string][]Handset{"handsets": list})
	return nil
}

// whole has empty lists where there are none.
func (h Handset) whole() Handset {
	if h.Challenges == nil {
		h.Challenges = []Challenge{}
	}
	for i := range h.Challenges {
		h.Challenges[i] = h.Challenges[i].whole()
	}
	return h
}

func (c Challenge) whole() Challenge {
	if c.Fields == nil {
		c.Fields = []ChallengeField{}
	}
	return c
}

func (in *Inbox) getHandset(w http.ResponseWriter, r *http.Request) error {
	if in.handsets == nil {
		return notFound(r)
	}
	h, err := in.handsets.Handset(r.Context(), r.PathValue("factor"))
	if err != nil {
		return told(r, err)
	}
	writeJSON(w, http.StatusOK, h.whole())
	return nil
}

// postHandset takes a form: identity, and perhaps service, friendly_name, platform.
func (in *Inbox) postHandset(w http.ResponseWriter, r *http.Request) error {
	if in.handsets == nil {
		return notFound(r)
	}
	if err := readSmallForm(w, r); err != nil {
		return err
	}
	p := Registration{
		ServiceSID: r.PostForm.Get("service"), Identity: r.PostForm.Get("identity"),
		Name: r.PostForm.Get("friendly_name"), Platform: strings.ToLower(r.PostForm.Get("platform")),
	}
	if p.Identity == "" {
		return badParameter("identity")
	}
	h, err := in.handsets.Register(r.Context(), p)
	if err != nil {
		return told(r, err)
	}
	writeJSON(w, http.StatusCreated, h.whole())
	return nil
}

func (in *Inbox) deleteHandset(w http.ResponseWriter, r *http.Request) error {
	if in.handsets == nil {
		return notFound(r)
	}
	if err := in.handsets.Remove(r.Context(), r.PathValue("factor")); err != nil {
		return told(r, err)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// postAnswer takes a form: answer, which is approve or deny.
func (in *Inbox) postAnswer(w http.ResponseWriter, r *http.Request) error {
	if in.handsets == nil {
		return notFound(r)
	}
	if err := readSmallForm(w, r); err != nil {
		return err
	}
	answer := r.PostForm.Get("answer")
	if answer != "approve" && answer != "deny" {
		return badParameter("answer")
	}
	c, err := in.handsets.Answer(r.Context(), r.PathValue("factor"), r.PathValue("challenge"), answer == "approve")
	if err != nil {
		return told(r, err)
	}
	writeJSON(w, http.StatusOK, c.whole())
	return nil
}

// maxForm bounds a form, in bytes.
const maxForm = 8 << 10

func readSmallForm(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return badParameter("(null)")
	}
	return nil
}

// told is the error of a handset as an answer: what the server refused it is passed on.
func told(r *http.Request, err error) error {
	if errors.Is(err, ErrNoHandset) {
		return notFound(r)
	}
	if refused, ok := errors.AsType[*Refusal](err); ok {
		return &apiError{refused.Code, refused.Status, refused.Message}
	}
	return err
}
