package rcs

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// event is what the webhook is told. A UserEvent names the person senderPhoneNumber, a ServerEvent
// phoneNumber.
type event struct {
	SenderPhoneNumber string `json:"senderPhoneNumber,omitempty"`
	PhoneNumber       string `json:"phoneNumber,omitempty"`
	EventType         string `json:"eventType"`
	EventID           string `json:"eventId"`
	MessageID         string `json:"messageId"`
	AgentID           string `json:"agentId"`
	SendTime          string `json:"sendTime"`
}

func userEvent(kind string, m *Message) event {
	return event{EventType: kind, SenderPhoneNumber: m.To, MessageID: m.ID}
}

func serverEvent(kind string, m *Message) event {
	return event{EventType: kind, PhoneNumber: m.To, MessageID: m.ID}
}

func (s *Server) happened(e event) {
	s.date(&e)
	s.events = append(s.events, e)
}

// date gives an event what all of them have.
func (s *Server) date(e *event) {
	s.minted++
	e.EventID, e.AgentID = fmt.Sprintf("event-%d", s.minted), s.agent
	e.SendTime = s.now().UTC().Format(time.RFC3339Nano)
}

// SetUp makes sure of a webhook as the console does: it posts the client token and a secret, and wants
// the secret back as plain text.
func (s *Server) SetUp(ctx context.Context, client *http.Client, url string) error {
	body, secret := s.setUp()
	status, said, err := post(ctx, client, url, body, "")
	if err != nil {
		return err
	}
	if status != http.StatusOK || strings.TrimSpace(said) != secret {
		return fmt.Errorf("the webhook answered %d %q, want 200 and the secret", status, said)
	}
	return nil
}

// setUp is the body of that call, and what is to be answered.
func (s *Server) setUp() (body []byte, secret string) {
	secret = "1234567890"
	body, _ = json.Marshal(map[string]string{"clientToken": s.token, "secret": secret}) // texts always encode
	return body, secret
}

// Deliver calls the webhook with every event that waits, in their order. It ends with the first that is
// not answered by a 2xx; Google calls again with it, and so does the next Deliver.
func (s *Server) Deliver(ctx context.Context, client *http.Client, url string) error {
	for {
		s.mu.Lock()
		if len(s.events) == 0 {
			s.mu.Unlock()
			return nil
		}
		next := s.events[0]
		s.mu.Unlock()
		data, _ := json.Marshal(next) // texts always encode
		body, signature := Sign(s.token, data)
		status, said, err := post(ctx, client, url, body, signature)
		if err != nil {
			return err
		}
		if status/100 != 2 {
			return fmt.Errorf("the webhook answered %d %q to %s", status, said, next.EventType)
		}
		s.mu.Lock()
		s.events = s.events[1:]
		s.mu.Unlock()
	}
}

// Sign is the body of a call with data in it, and the value of X-Goog-Signature.
func Sign(clientToken string, data []byte) (body []byte, signature string) {
	mac := hmac.New(sha512.New, []byte(clientToken))
	mac.Write(data)
	body, _ = json.Marshal(map[string]any{"message": map[string]any{ // texts always encode
		"attributes": map[string]string{"type": "event"},
		"data":       base64.StdEncoding.EncodeToString(data),
	}})
	return body, base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func post(ctx context.Context, client *http.Client, url string, body []byte, signature string) (status int, said string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	req.Header.Set("Content-Type", "application/json")
	if signature != "" {
		req.Header.Set("X-Goog-Signature", signature)
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxBody))
	return resp.StatusCode, string(text), err
}
