package vendors

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/verifyd/verifyd/internal/fakecarrier/desk"
)

const (
	maxBody   = 1 << 20          // far beyond any message, so that a mistake does not fill the memory
	maxCall   = 10 * time.Second // for one call with a report
	maxCalls  = 5                // for one report, until somebody takes it
	callPause = time.Second      // before a report is sent again
)

// Server serves APIs, each below a path of its name: /twilio/2010-04-01/…. It is an http.Handler.
type Server struct {
	desk   *desk.Desk
	log    *slog.Logger
	apis   map[string]API
	client *http.Client

	ctx     context.Context // of what goes on after an answer
	stop    context.CancelFunc
	calling sync.WaitGroup

	mu       sync.Mutex
	webhooks map[string]string
	closed   bool
}

// New makes a Server that works until it is closed. Now of d is its clock.
func New(d *desk.Desk, log *slog.Logger, apis ...API) *Server {
	s := &Server{
		desk: d, log: log, apis: map[string]API{}, webhooks: map[string]string{},
		// A vendor has a pool, and does not go by the proxy of this machine.
		client: &http.Client{Transport: &http.Transport{}, Timeout: maxCall},
	}
	for _, api := range apis {
		s.apis[api.Name] = api
	}
	s.ctx, s.stop = context.WithCancel(context.Background())
	return s
}

// Close ends what is under way, and waits for it.
func (s *Server) Close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.stop()
	s.calling.Wait()
	s.client.CloseIdleConnections()
}

// Webhook tells a vendor the URL for its reports, as its console would. A vendor that asks whether
// somebody is there (WhatsApp) does so now.
func (s *Server) Webhook(ctx context.Context, name, webhook string) error {
	api, known := s.apis[name]
	if !known || !api.hasWebhook() {
		return fmt.Errorf("%s has no webhook of the account: it is told a URL with every message, or does not report", name)
	}
	if api.Subscribe != nil {
		ask, want, err := api.Subscribe(webhook)
		if err == nil {
			err = s.ask(ask.WithContext(ctx), want)
		}
		if err != nil {
			return fmt.Errorf("the webhook of %s does not answer as it has to: %w", name, err)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.webhooks[name] = webhook
	return nil
}

func (s *Server) ask(r *http.Request, want string) error {
	answered, err := s.client.Do(r)
	if err != nil {
		return err
	}
	defer answered.Body.Close()
	got, err := io.ReadAll(io.LimitReader(answered.Body, 1<<10))
	if err != nil {
		return err
	}
	if answered.StatusCode != http.StatusOK || string(got) != want {
		return fmt.Errorf("HTTP %d, and not the challenge", answered.StatusCode)
	}
	return nil
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	api, known := s.apis[name]
	if !known {
		http.Error(w, "no vendor of that name is here", http.StatusNotFound)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return // the sender gave up, or sends without an end
	}
	at := *r.URL
	at.Path, at.RawPath = "/"+rest, ""
	r.URL = &at
	r.Body = io.NopCloser(bytes.NewReader(body))
	for _, other := range api.Also {
		if other.Takes(r) {
			api = other
			api.Name = name
		}
	}
	if api.Beside != nil {
		if beside := api.Beside(r); beside != nil {
			beside.ServeHTTP(w, r)
			return
		}
	}
	sent, refusal := api.Read(r, body)
	if refusal != nil {
		s.log.Info("a request was refused", "provider", name, "status", refusal.Status, "code", refusal.Code, "words", refusal.Words)
		api.Refuse(w, *refusal)
		return
	}
	s.meet(w, r, api, sent)
}

// meet has a message that is in order meet what the desk has for it.
func (s *Server) meet(w http.ResponseWriter, r *http.Request, api API, sent Sent) {
	plan := s.desk.Meet(api.Name, sent.To)
	refusal, has := api.Refusals[plan.Answer]
	if plan.Answer == desk.BadRecipient && !has {
		plan.Answer, plan.Reports = desk.Accepted, []desk.State{desk.NoSuch}
	}
	id := ""
	if plan.Answer == desk.Accepted {
		id = cmp.Or(sent.ID, api.Prefix+s.desk.NewID())
	}
	called := api.Talk != nil && plan.Answer == desk.Accepted
	follow := s.report
	if called {
		follow = s.ring // which keeps the call when it is over
	}
	if taken := plan.Answer == desk.Accepted || plan.Arrives; taken && api.Again != nil && api.Again(sent, plan.Arrives) {
		plan.Reports = nil
	} else if !called {
		s.desk.Keep(desk.Message{
			ID: id, Provider: api.Name, To: sent.To, From: sent.From, Text: sent.Text, Answer: plan.Answer, Arrived: plan.Arrives,
		})
	}
	if plan.ReportFirst {
		follow(r.Context(), api, sent, id, plan)
	}
	wait(r.Context(), s.ctx, plan.Latency)
	switch {
	case plan.Answer == desk.Silent:
		wait(r.Context(), s.ctx, -1)
		panic(http.ErrAbortHandler)
	case plan.Answer == desk.Dropped || s.ctx.Err() != nil:
		panic(http.ErrAbortHandler)
	case plan.Answer.Refusal():
		refusal.Words = "this fake carrier was told to refuse"
		api.Refuse(w, refusal)
	default:
		api.Accept(w, sent, id)
		_ = http.NewResponseController(w).Flush()
	}
	if !plan.ReportFirst && (called || len(plan.Reports) > 0) {
		s.aside(func(ctx context.Context) { follow(ctx, api, sent, id, plan) })
	}
}

// wait waits until the time is over, or one of the contexts; a negative time is never over.
func wait(a, b context.Context, d time.Duration) {
	var late <-chan time.Time
	if d == 0 {
		return
	}
	if d > 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		late = timer.C
	}
	select {
	case <-late:
	case <-a.Done():
	case <-b.Done():
	}
}

// aside does something that Close waits for, unless it waits already.
func (s *Server) aside(f func(context.Context)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.calling.Go(func() { f(s.ctx) })
	}
}

// report sends the reports of a message, one after the other.
func (s *Server) report(ctx context.Context, api API, sent Sent, id string, plan desk.Plan) {
	wait(ctx, ctx, plan.ReportAfter)
	for _, state := range plan.Reports {
		s.callBack(ctx, api, sent, id, state)
	}
}

// reportTo is where the reports of a message go: to its own URL, or to that of the account.
func (s *Server) reportTo(api API, sent Sent) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return cmp.Or(sent.ReportTo, s.webhooks[api.Name])
}

// callBack sends one report to where it goes, if that is anywhere.
func (s *Server) callBack(ctx context.Context, api API, sent Sent, id string, state desk.State) {
	sent.ReportTo = s.reportTo(api, sent)
	if api.Call == nil || sent.ReportTo == "" {
		return
	}
	if err := s.call(ctx, api, Report{Sent: sent, ID: id, State: state}); err != nil && ctx.Err() == nil {
		s.log.Warn("a report was not taken", "provider", api.Name, "state", state, "error", err)
	}
}

// call sends one report until it is taken.
func (s *Server) call(ctx context.Context, api API, r Report) (err error) {
	for try := range maxCalls {
		if try > 0 {
			wait(ctx, ctx, callPause)
		}
		r.At, r.Nonce = s.desk.Time(), s.desk.NewID()
		var call *http.Request
		if call, err = api.Call(r); err != nil {
			return err // no second try would go better
		}
		if call == nil {
			return nil // the vendor does not tell of that
		}
		var answered *http.Response
		if answered, err = s.client.Do(call.WithContext(ctx)); err == nil {
			_, _ = io.Copy(io.Discard, io.LimitReader(answered.Body, maxBody))
			answered.Body.Close()
			if answered.StatusCode/100 == 2 {
				return nil
			}
			err = fmt.Errorf("HTTP %d", answered.StatusCode)
		}
		if ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
	}
	return err
}
