package fakecarrier

import (
	"net/url"
	"testing"
	"time"
)

func TestQueries(t *testing.T) {
	values, err := url.ParseQuery("provider=smpp&to=+34*&after=7&all=true&wait=1.5s") // a plus that was not encoded
	if err != nil {
		t.Fatal(err)
	}
	q, wait, err := query(values)
	if err != nil || q.Provider != "smpp" || q.To != "+34*" || q.After != 7 || !q.All || wait != 1500*time.Millisecond {
		t.Errorf("got %+v, %v, %v", q, wait, err)
	}
}

func FuzzQuery(f *testing.F) {
	f.Add("provider=smpp&to=%2B34*&after=7&all=true&wait=10s")
	f.Add("wait=-1s&wait=1s")
	f.Fuzz(func(t *testing.T, text string) {
		values, err := url.ParseQuery(text)
		if err != nil {
			return
		}
		if _, wait, err := query(values); err == nil && (wait < 0 || wait > maxWait) {
			t.Errorf("%q waits for %v", text, wait)
		}
	})
}
