package main

import (
	"encoding/json"
	"net/url"
	"testing"
)

// Values come again, as those of people do, and no two limits always see the same pair.
func TestStartsNameBothRateLimits(t *testing.T) {
	addresses, accounts := map[string]int{}, map[string]int{}
	for number := range int64(12_000) {
		form, err := url.ParseQuery(string(appendLimits([]byte("To=%2B34600000000"), number)))
		if err != nil {
			t.Fatal(err)
		}
		var values map[string]string
		if err := json.Unmarshal([]byte(form.Get("RateLimits")), &values); err != nil {
			t.Fatalf("start %d: %v: %v", number, err, form)
		}
		if len(form) != 2 || len(values) != 2 || values[limitOfAddress] == "" || values[limitOfAccount] == "" {
			t.Fatalf("start %d: got %v, want the number and both limits", number, form)
		}
		addresses[values[limitOfAddress]]++
		accounts[values[limitOfAccount]]++
	}
	if len(addresses) != 4000 || len(accounts) != 3000 {
		t.Errorf("got %d addresses and %d accounts, want 4000 and 3000", len(addresses), len(accounts))
	}
}
