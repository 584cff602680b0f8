package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// call sends a form and reads JSON; who is the account, or nobody.
func (p *program) call(t *testing.T, method, path string, form url.Values, user, password string) (int, map[string]any) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, p.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if user != "" {
		r.SetBasicAuth(user, password)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	body := map[string]any{}
	if len(text) > 0 {
		if err := json.Unmarshal(text, &body); err != nil {
			t.Fatalf("%s %s: %v in %s", method, path, err, text)
		}
	}
	return res.StatusCode, body
}

// A web developer tries push without a telephone: a handset of the inbox registers, is told, answers, and
// is there again after a restart.
func TestASimulatedHandset(t *testing.T) {
	data := t.TempDir()
	p := dev(t, data)
	account, token := p.said("account SID"), p.said("auth token")
	entity := "/v2/Services/" + p.said("service SID") + "/Entities/user-7f3a91c2"

	status, set := p.call(t, "POST", "/dev/inbox/handsets", url.Values{"identity": {"user-7f3a91c2"}, "friendly_name": {"Ann's phone"}}, "", "")
	factor, _ := set["factor_sid"].(string)
	if status != 201 || !strings.HasPrefix(factor, "YF03") || set["friendly_name"] != "Ann's phone" || set["platform"] != "fcm" {
		t.Fatalf("register: %d %v", status, set)
	}
	if status, f := p.call(t, "GET", entity+"/Factors/"+factor, nil, account, token); status != 200 || f["status"] != "verified" {
		t.Fatalf("its factor: %d %v", status, f)
	}
	ask := func(message string) string {
		t.Helper()
		status, c := p.call(t, "POST", entity+"/Challenges", url.Values{"FactorSid": {factor}, "Details.Message": {message},
			"Details.Fields": {`{"label":"City","value":"Zürich"}`}, "HiddenDetails": {`{"tx":"4711"}`}}, account, token)
		if status != 201 || c["status"] != "pending" {
			t.Fatalf("challenge: %d %v", status, c)
		}
		return c["sid"].(string)
	}
	first := ask("Log in?")
	_, got := p.call(t, "GET", "/dev/inbox?channel=push&wait=20s&to="+url.QueryEscape(set["token"].(string)), nil, "", "")
	messages := got["messages"].([]any)
	if len(messages) != 1 {
		t.Fatalf("in the inbox: %v", got)
	}
	push, _ := messages[0].(map[string]any)["push"].(map[string]any)
	about, _ := push["data"].(map[string]any)
	if push["platform"] != "fcm" || push["body"] != "Log in?" || push["title"] != "Acme" || about["challenge_sid"] != first || messages[0].(map[string]any)["verification_status"] != "pending" {
		t.Errorf("the notification: %v", messages[0])
	}
	_, shown := p.call(t, "GET", "/dev/inbox/handsets/"+factor, nil, "", "")
	waiting := shown["challenges"].([]any)[0].(map[string]any)
	if waiting["sid"] != first || waiting["message"] != "Log in?" || waiting["fields"].([]any)[0].(map[string]any)["value"] != "Zürich" || waiting["hidden_details"].(map[string]any)["tx"] != "4711" {
		t.Errorf("the handset shows %v", waiting)
	}
	answer := "/dev/inbox/handsets/" + factor + "/challenges/"
	if status, c := p.call(t, "POST", answer+first, url.Values{"answer": {"approve"}}, "", ""); status != 200 || c["status"] != "approved" {
		t.Errorf("approve: %d %v", status, c)
	}
	if status, c := p.call(t, "GET", entity+"/Challenges/"+first, nil, account, token); status != 200 || c["status"] != "approved" {
		t.Errorf("the challenge: %d %v", status, c)
	}
	for form, want := range map[string]int{"approve": 409, "deny": 409, "later": 400, "": 400} {
		if status, c := p.call(t, "POST", answer+first, url.Values{"answer": {form}}, "", ""); status != want {
			t.Errorf("answer=%s once more: %d %v", form, status, c)
		}
	}
	second := ask("And again?")
	p.stop()

	p = dev(t, data)
	if status, c := p.call(t, "POST", answer+second, url.Values{"answer": {"deny"}}, "", ""); status != 200 || c["status"] != "denied" {
		t.Errorf("after a restart: %d %v", status, c)
	}
	for _, c := range []struct {
		form url.Values
		want int
	}{
		{url.Values{}, 400},
		{url.Values{"identity": {"short"}}, 400},
		{url.Values{"identity": {"user-other"}, "platform": {"gcm"}}, 400},
		{url.Values{"identity": {"user-other"}, "service": {"VA00000000000000000000000000000000"}}, 404},
	} {
		if status, body := p.call(t, "POST", "/dev/inbox/handsets", c.form, "", ""); status != c.want || body["message"] == nil {
			t.Errorf("%v: %d %v, want %d", c.form, status, body, c.want)
		}
	}
	// What the application deletes is gone, and says so.
	if status, _ := p.call(t, "DELETE", entity+"/Factors/"+factor, nil, account, token); status != 204 {
		t.Errorf("delete the factor: %d", status)
	}
	if _, shown := p.call(t, "GET", "/dev/inbox/handsets/"+factor, nil, "", ""); shown["gone"] != true {
		t.Errorf("without its factor it shows %v", shown)
	}
	if status, _ := p.call(t, "DELETE", "/dev/inbox/handsets/"+factor, nil, "", ""); status != 204 {
		t.Errorf("remove: %d", status)
	}
	if status, _ := p.call(t, "GET", "/dev/inbox/handsets/"+factor, nil, "", ""); status != 404 {
		t.Errorf("it is still there: %d", status)
	}
	for platform, system := range map[string]string{"apn": "iOS handset", "none": "Android handset"} {
		status, set := p.call(t, "POST", "/dev/inbox/handsets", url.Values{"identity": {"user-other"}, "platform": {platform}}, "", "")
		if status != 201 || set["friendly_name"] != system || (set["token"] == "") != (platform == "none") {
			t.Errorf("%s: %d %v", platform, status, set)
		}
	}
}
