package vendors

import (
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/verifyd/verifyd/internal/fakecarrier/desk"
)

// telnyxCommand is the body of a command (developers.telnyx.com/api-reference/call-commands).
type telnyxCommand struct {
	Payload       string `json:"payload"`
	PayloadType   string `json:"payload_type"`
	Language      string `json:"language"`
	Voice         string `json:"voice"`
	ClientState   string `json:"client_state"`
	CommandID     string `json:"command_id"`
	MinimumDigits int    `json:"minimum_digits"`
	MaximumDigits int    `json:"maximum_digits"`
	MaximumTries  int    `json:"maximum_tries"`
	TimeoutMillis int    `json:"timeout_millis"`
	ValidDigits   string `json:"valid_digits"`

	name string // the last part of its path
}

// telnyxCalls are the calls that are under way.
type telnyxCalls struct {
	mu    sync.Mutex
	under map[string]*telnyxCall // by call_control_id; a call that is not there has ended
}

// telnyxCall is what a call was told and has not done yet.
type telnyxCall struct {
	given []telnyxCommand
	known map[string]bool // by command_id: one that comes twice is ignored
}

func (c *telnyxCalls) begin(id string) (end func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.under[id] = &telnyxCall{known: map[string]bool{}}
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.under, id)
	}
}

// give is false for a call that has ended.
func (c *telnyxCalls) give(id string, command telnyxCommand) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	call := c.under[id]
	if call == nil {
		return false
	}
	if command.CommandID == "" || !call.known[command.CommandID] {
		call.known[command.CommandID] = true
		call.given = append(call.given, command)
	}
	return true
}

// next is the command that a call has to do.
func (c *telnyxCalls) next(id string) (command telnyxCommand, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	call := c.under[id]
	if call == nil || len(call.given) == 0 {
		return telnyxCommand{}, false
	}
	command = call.given[0]
	call.given = call.given[1:]
	return command, true
}

// voice is Call Control: a call is dialled, and then told by commands what to do. It refuses as Messaging
// does.
func (a TelnyxAccount) voice(texts API) API {
	calls := &telnyxCalls{under: map[string]*telnyxCall{}}
	api := API{
		Prefix: "v3:", Refuse: texts.Refuse, Refusals: texts.Refusals,
		Takes: func(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, "/v2/calls") },
	}
	commands := http.NewServeMux()
	commands.HandleFunc("POST /v2/calls/{id}/actions/{name}", func(w http.ResponseWriter, r *http.Request) { a.command(w, r, calls) })
	api.Beside = func(r *http.Request) http.Handler {
		if r.URL.Path == "/v2/calls" {
			return nil
		}
		return commands
	}
	api.Read = func(r *http.Request, body []byte) (Sent, *Refusal) {
		var m struct {
			ConnectionID       string `json:"connection_id"`
			To                 string `json:"to"`
			From               string `json:"from"`
			WebhookURL         string `json:"webhook_url"`
			WebhookURLMethod   string `json:"webhook_url_method"`
			ClientState        string `json:"client_state"`
			CommandID          string `json:"command_id"`
			SendDigitsOnAnswer string `json:"send_digits_on_answer"`
			TimeoutSecs        int    `json:"timeout_secs"`
			TimeLimitSecs      int    `json:"time_limit_secs"`
		}
		switch {
		case r.Header.Get("Authorization") != "Bearer "+a.Key:
			return Sent{}, &Refusal{Status: 401, Code: "10009", Words: "Authentication failed"}
		case r.Method != http.MethodPost || !strict(body, &m) || m.WebhookURL != "" && m.WebhookURLMethod != http.MethodPost:
			return Sent{}, &Refusal{Status: 400, Code: "10015", Words: "Bad Request"}
		case m.ConnectionID != a.Connection:
			return Sent{}, &Refusal{Status: 422, Code: "10015", Words: "Invalid value for connection_id (Call Control App ID)"}
		case !e164.MatchString(m.From):
			return Sent{}, &Refusal{Status: 400, Code: "40305", Words: "Invalid 'from' address"}
		case !e164.MatchString(m.To):
			return Sent{}, &Refusal{Status: 400, Code: "40310", Words: "Invalid 'to' address", Content: true}
		}
		return Sent{To: m.To, From: m.From, Script: m.ClientState, ReportTo: m.WebhookURL}, nil
	}
	api.Accept = func(w http.ResponseWriter, _ Sent, id string) {
		answer(w, 200, object{"data": object{"call_control_id": id, "call_leg_id": id, "call_session_id": id, "is_alive": false, "record_type": "call"}})
	}
	event := func(s Sent, id, nonce, kind string, at time.Time, payload object) (*http.Request, error) {
		payload["call_control_id"], payload["connection_id"], payload["to"], payload["from"] = id, a.Connection, s.To, s.From
		return a.webhook(s.ReportTo, at, object{"data": object{
			"event_type": kind, "id": nonce, "occurred_at": at.UTC().Format(time.RFC3339), "record_type": "event", "payload": payload}})
	}
	api.Talk = func(l *Line) error {
		defer calls.begin(l.ID)()
		tell := func(kind string, payload object) error {
			_, err := l.Ask(event(l.Sent, l.ID, l.server.desk.NewID(), kind, l.server.desk.Time(), payload))
			return err
		}
		if err := tell("call.answered", object{"client_state": l.Script}); err != nil {
			return err
		}
		for {
			// Commands are given while a webhook is answered: where there is none, nobody will say more.
			command, given := calls.next(l.ID)
			if !given || command.name == "hangup" {
				return nil
			}
			if err := l.HearSSML(command.Payload); err != nil {
				return err
			}
			kind, payload := "call.speak.ended", object{"client_state": command.ClientState, "status": "completed"}
			if command.name == "gather_using_speak" {
				key, pressed := l.Press()
				kind, payload["digits"], payload["status"] = "call.gather.ended", key, "valid"
				if !pressed || !strings.Contains(command.ValidDigits, key) {
					payload["digits"], payload["status"] = "", "timeout"
				}
			}
			if err := tell(kind, payload); err != nil {
				return err
			}
		}
	}
	api.Call = func(r Report) (*http.Request, error) {
		if r.State == desk.Sent {
			return event(r.Sent, r.ID, r.Nonce, "call.initiated", r.At, object{"state": "bridging"})
		}
		return event(r.Sent, r.ID, r.Nonce, "call.hangup", r.At, object{
			"hangup_cause": pick(r.State, "", "normal_clearing", "user_busy", "unallocated_number"), "hangup_source": "callee",
			"sip_hangup_cause": pick(r.State, "", "200", "486", "404")})
	}
	return api
}

// command takes a command for a call.
func (a TelnyxAccount) command(w http.ResponseWriter, r *http.Request, calls *telnyxCalls) {
	refuse := func(status int, code, words string) {
		answer(w, status, object{"errors": []object{{"code": code, "title": "No", "detail": words}}})
	}
	body, err := readAll(r)
	if err != nil {
		return // the sender gave up
	}
	c := telnyxCommand{name: r.PathValue("name")}
	spoken := c.name == "speak" || c.name == "gather_using_speak"
	switch {
	case r.Header.Get("Authorization") != "Bearer "+a.Key:
		refuse(401, "10009", "Authentication failed")
	case !spoken && c.name != "hangup":
		refuse(404, "10005", "Resource not found")
	case !strict(body, &c) || spoken && (c.Payload == "" || c.PayloadType != "ssml" || c.Language == "" || c.Voice == ""):
		refuse(422, "10015", "a parameter is missing or not known")
	case !calls.give(r.PathValue("id"), c):
		refuse(422, "90018", "Call has already ended")
	default:
		answer(w, 200, object{"data": object{"result": "ok"}})
	}
}
