package fakecarrier

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/verifyd/verifyd/internal/fakecarrier/desk"
	"github.com/verifyd/verifyd/internal/fakecarrier/sip"
	"github.com/verifyd/verifyd/internal/fakecarrier/smtp"
	"github.com/verifyd/verifyd/internal/gate"
)

const (
	maxText = 1 << 20     // of a request
	maxWait = time.Minute // for a message
)

// handler serves the API of docs/fakecarrier.md, to programs and not to pages of strangers; hosts are what it is
// called.
func (c *Carrier) handler(hosts []string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /messages", c.getMessages)
	mux.HandleFunc("DELETE /messages", func(w http.ResponseWriter, _ *http.Request) {
		c.desk.Forget()
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("GET /messages/{number}/recording", c.getRecording)
	mux.HandleFunc("GET /knobs", c.getKnobs)
	mux.HandleFunc("PUT /knobs", c.putKnobs)
	mux.HandleFunc("DELETE /knobs", func(w http.ResponseWriter, r *http.Request) {
		c.desk.Set(nil)
		c.getKnobs(w, r)
	})
	mux.HandleFunc("PUT /webhooks", c.putWebhooks)
	mux.HandleFunc("GET /verifyd.toml", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		io.WriteString(w, c.TOML())
	})
	guard := gate.Gate{Hosts: hosts, Refuse: func(w http.ResponseWriter, text string) {
		refuse(w, http.StatusForbidden, errors.New(text))
	}}
	return guard.Before(mux)
}

// query reads the parameters of GET /messages.
func query(values url.Values) (q desk.Query, wait time.Duration, err error) {
	for name := range values {
		value := values.Get(name)
		var bad error
		switch name {
		case "provider":
			q.Provider = value
		case "to":
			// The plus of a number is a space in a query that was not encoded.
			q.To = strings.Replace(value, " ", "+", 1)
		case "after":
			q.After, bad = strconv.Atoi(value)
		case "all":
			q.All, bad = strconv.ParseBool(value)
		case "wait":
			if wait, bad = time.ParseDuration(value); bad == nil && (wait < 0 || wait > maxWait) {
				bad = errors.New("out of range")
			}
		default:
			return q, 0, fmt.Errorf("%q means nothing: the parameters are provider, to, after, all and wait", name)
		}
		if bad != nil {
			return q, 0, fmt.Errorf("%s=%s is none: after is a number, all is true or false, wait is like 10s and at most %v", name, value, maxWait)
		}
	}
	return q, wait, nil
}

func (c *Carrier) getMessages(w http.ResponseWriter, r *http.Request) {
	q, wait, err := query(r.URL.Query())
	if err != nil {
		refuse(w, http.StatusBadRequest, err)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), wait)
	defer cancel()
	write(w, http.StatusOK, map[string]any{"messages": c.desk.Messages(ctx, q)})
}

func (c *Carrier) getRecording(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithCancel(r.Context())
	cancel() // nobody waits
	number, err := strconv.Atoi(r.PathValue("number"))
	var heard []byte
	if all := c.desk.Messages(ctx, desk.Query{Provider: sip.Name, All: true, After: number - 1}); err == nil && len(all) > 0 && all[0].Number == number {
		heard = c.sip.Recording(all[0].ID)
	}
	if heard == nil {
		refuse(w, http.StatusNotFound, errors.New("no message of that number was heard"))
		return
	}
	w.Header().Set("Content-Type", "audio/wav")
	w.Write(heard)
}

func (c *Carrier) getKnobs(w http.ResponseWriter, _ *http.Request) {
	knobs := c.desk.Knobs()
	if knobs == nil {
		knobs = []desk.Knob{}
	}
	write(w, http.StatusOK, map[string]any{"knobs": knobs})
}

func (c *Carrier) putKnobs(w http.ResponseWriter, r *http.Request) {
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxText))
	if err != nil {
		refuse(w, http.StatusBadRequest, errors.New("the knobs could not be read"))
		return
	}
	knobs, err := desk.Parse(text, c.Providers())
	if err != nil {
		refuse(w, http.StatusBadRequest, err)
		return
	}
	c.desk.Set(knobs)
	c.getKnobs(w, r)
}

// putWebhooks tells vendors the URLs that their consoles would be told, and the mail system the server of
// bounces.
func (c *Carrier) putWebhooks(w http.ResponseWriter, r *http.Request) {
	var webhooks map[string]string
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxText)).Decode(&webhooks); err != nil {
		refuse(w, http.StatusBadRequest, errors.New(`want an object such as {"whatsapp":"https://verify.example.com/reports/…"}`))
		return
	}
	for _, name := range slices.Sorted(maps.Keys(webhooks)) {
		if err := c.Webhook(r.Context(), name, webhooks[name]); err != nil {
			refuse(w, http.StatusBadRequest, err)
			return
		}
	}
	w.WriteHeader(http.StatusNoContent)
}

// Webhook tells the vendor of a provider's type the URL for its reports, where it has one for the whole
// account; "smtp" is told the address of the server that takes bounces.
func (c *Carrier) Webhook(ctx context.Context, name, webhook string) error {
	if name == smtp.Name {
		c.smtp.Bounces(webhook)
		return nil
	}
	return c.vendors.Webhook(ctx, name, webhook)
}

// Set puts knobs in the place of those that held.
func (c *Carrier) Set(knobs []desk.Knob) { c.desk.Set(knobs) }

// Messages are those that q asks for; if there is none yet it waits for one until ctx ends.
func (c *Carrier) Messages(ctx context.Context, q desk.Query) []desk.Message {
	return c.desk.Messages(ctx, q)
}

func refuse(w http.ResponseWriter, status int, err error) {
	write(w, status, map[string]string{"error": err.Error()})
}

func write(w http.ResponseWriter, status int, v any) {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // texts and numbers always encode
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	w.Write(append(text, '\n'))
}
