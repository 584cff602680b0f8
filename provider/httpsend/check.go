package httpsend

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/verifyd/verifyd/provider"
)

// Check asks a vendor for something that only whoever knows the credentials may read, and that
// changes nothing: r is a GET unless it says otherwise. asked names it in the words of an error, as in
// "the balance". The answer is a 2xx where there is no error; otherwise it is as far as it came, with
// a status of 0 where there was none.
//
// It is for a provider's Check (provider.Checker): the error is for an operator to read.
func (s *Sender) Check(ctx context.Context, r Request, asked string) (Answer, error) {
	if r.Method == "" {
		r.Method = http.MethodGet
	}
	answer, err := s.Do(ctx, r, provider.Message{})
	if err != nil {
		return answer, provider.Plain(err)
	}
	if answer.OK() {
		return answer, nil
	}
	_, credentials, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	words := s.Excerpt(string(answer.Body), provider.Message{}, credentials)
	switch {
	case answer.Status == http.StatusUnauthorized:
		return answer, fmt.Errorf("the credentials are refused (401): %s", words)
	case answer.Status == http.StatusForbidden:
		return answer, fmt.Errorf("the credentials may not read %s (403): %s", asked, words)
	case answer.Status == http.StatusNotFound:
		return answer, fmt.Errorf("%s is not known there (404): %s", asked, words)
	case answer.Status == http.StatusTooManyRequests:
		return answer, provider.Unproven("reached, and asked too often to say more (429): " + words)
	case answer.Status/100 == 3:
		return answer, fmt.Errorf("asked for %s, it sends us elsewhere (%d), where nothing is sent", asked, answer.Status)
	}
	return answer, fmt.Errorf("asked for %s, it answers %d: %s", asked, answer.Status, words)
}

// CheckJSON is Check where the answer is a JSON object, which is read into v: a page of some proxy is a
// 200 too.
func (s *Sender) CheckJSON(ctx context.Context, r Request, asked string, v any) (Answer, error) {
	answer, err := s.Check(ctx, r, asked)
	if err == nil && json.Unmarshal(answer.Body, v) != nil {
		err = fmt.Errorf("asked for %s, it answers something else than JSON (%d): is base_url right?", asked, answer.Status)
	}
	return answer, err
}

// Reach asks for the head of a URL. Any answer shows that somebody is there, with TLS as it should be,
// and is provider.ErrUnproven: no credentials were shown.
func (s *Sender) Reach(ctx context.Context, url string) error {
	if _, err := s.Do(ctx, Request{Method: http.MethodHead, URL: url}, provider.Message{}); err != nil {
		return provider.Plain(err)
	}
	return provider.ErrUnproven
}
