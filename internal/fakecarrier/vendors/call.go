package vendors

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/verifyd/verifyd/internal/fakecarrier/desk"
	"github.com/verifyd/verifyd/internal/fakecarrier/twiml"
)

// A vendor that makes calls has for them an API beside that for texts (API.Also), whose answers and
// refusals are its own. What is different about a call comes after the answer: the telephone rings, a
// person answers or does not, listens, and presses keys; and the vendor asks verifyd in the middle of it
// what to say. So a call is kept when it is over, with what was heard.

// Line is a call that somebody has answered.
type Line struct {
	Sent
	// ID is the identifier of the call.
	ID string
	// Keys are what the person presses, one wherever one is waited for; "" is an answering machine.
	Keys string

	server *Server
	ctx    context.Context
	heard  []string
	pages  int
}

// maxPages bounds a call that goes round in a circle.
const maxPages = 20

// Hear has the person hear words.
func (l *Line) Hear(words string) {
	if words = strings.Join(strings.Fields(words), " "); words != "" {
		l.heard = append(l.heard, words)
	}
}

// HearSSML has the person hear a text in SSML.
func (l *Line) HearSSML(text string) error {
	words, err := twiml.ListenSSML(text)
	l.Hear(words)
	return err
}

// Press is the next key that the person presses; ok is false if they press none.
func (l *Line) Press() (key string, ok bool) {
	if l.Keys == "" {
		return "", false
	}
	key = l.Keys[:1]
	if len(l.Keys) > 1 { // the last is pressed again, for want of another
		l.Keys = l.Keys[1:]
	}
	l.heard = append(l.heard, "(pressed "+key+")")
	return key, true
}

// Ask calls verifyd in the middle of a call, and is what it answers: "" where that has no words.
func (l *Line) Ask(r *http.Request, err error) (string, error) {
	if err != nil {
		return "", err
	}
	if l.pages++; l.pages > maxPages {
		return "", errors.New("the call has no end")
	}
	answered, err := l.server.client.Do(r.WithContext(l.ctx))
	if err != nil {
		return "", err
	}
	defer answered.Body.Close()
	page, err := io.ReadAll(io.LimitReader(answered.Body, maxBody))
	if err == nil && answered.StatusCode/100 != 2 {
		err = fmt.Errorf("HTTP %d", answered.StatusCode)
	}
	return string(page), err
}

// Follow goes through the pages of a call in XML, as Twilio and Plivo have them. Ask is the request for the
// page behind one, with the fields that are the vendor's.
func (l *Line) Follow(page string, ask func(at string, form url.Values) (*http.Request, error)) error {
	for page != "" {
		h, err := twiml.Listen(page)
		if err != nil {
			return err
		}
		l.Hear(h.Heard)
		next, form := h.Redirect, url.Values{}
		if h.Gather != "" {
			if key, pressed := l.Press(); pressed {
				next = h.Gather
				form.Set("Digits", key)
			}
		}
		if next == "" {
			return nil
		}
		if page, err = l.Ask(ask(next, form)); err != nil {
			return err
		}
	}
	return nil
}

// Ends of a call that nobody answers, as the message says them.
var ends = map[desk.State]string{desk.Failed: "busy", desk.NoSuch: "no such number"}

// ring has a telephone ring, and keeps the call when it is over. What a knob has reported is what happens:
// delivered is a person who answers.
func (s *Server) ring(ctx context.Context, api API, sent Sent, id string, plan desk.Plan) {
	wait(ctx, ctx, plan.ReportAfter)
	m := desk.Message{ID: id, Provider: api.Name, To: sent.To, From: sent.From, Text: "nobody answered", Answer: plan.Answer}
	if len(plan.Reports) == 0 {
		s.desk.Keep(m)
		return
	}
	sent.ReportTo = s.reportTo(api, sent)
	for i, state := range plan.Reports {
		l := &Line{Sent: sent, ID: id, Keys: plan.Keys, server: s, ctx: ctx}
		if m.Text = ends[state]; state == desk.Delivered {
			err := api.Talk(l)
			m.Arrived = plan.Arrives && len(l.heard) > 0
			if err != nil && ctx.Err() == nil {
				s.log.Warn("a call ended early", "provider", api.Name, "error", err)
				l.Hear("(the call ended early: " + err.Error() + ")")
			}
			m.Text = strings.Join(l.heard, " ")
		}
		if i == 0 {
			s.desk.Keep(m)
		}
		s.callBack(ctx, api, sent, id, state)
	}
}
