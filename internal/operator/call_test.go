package operator

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

var now = time.Date(2026, 11, 28, 3, 0, 0, 0, time.UTC)

// fake is a server that answers as a test wants and remembers what it was asked.
type fake struct {
	*httptest.Server
	asked  []string // method, path and query or form
	answer func(w http.ResponseWriter, r *http.Request)
}

func newFake(t *testing.T, answer func(w http.ResponseWriter, r *http.Request)) *fake {
	f := &fake{answer: answer}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "AC1" || password != "secret" {
			t.Errorf("the credentials are %q and %q", user, password)
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		f.asked = append(f.asked, strings.TrimSpace(r.Method+" "+r.URL.EscapedPath()+" "+r.URL.RawQuery+string(body)))
		f.answer(w, r)
	}))
	t.Cleanup(f.Close)
	return f
}

// run runs a command line against a server.
func (f *fake) run(t *testing.T, line ...string) (stdout, notes string, err error) {
	t.Helper()
	return runAt(t, f.URL, line...)
}

func runAt(t *testing.T, address string, line ...string) (stdout, notes string, err error) {
	t.Helper()
	i := slices.IndexFunc(Commands(), func(c *Command) bool { return c.Name == line[0]+" "+line[1] })
	if i < 0 {
		t.Fatalf("there is no command %v", line)
	}
	flags := flag.NewFlagSet("", flag.ContinueOnError)
	call := Commands()[i].Bind(flags)
	args := line[2:]
	var found []string
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		found, args = args[:1], args[1:]
	}
	if err := flags.Parse(args); err != nil || flags.NArg() > 0 {
		t.Fatalf("%v: %v %v", line, err, flags.Args())
	}
	var out, said strings.Builder
	client := func() (*Client, error) { return newClient(address, "AC1", "secret", "of the test", "try again") }
	err = call.Run(t.Context(), found, now, client, Output{W: &out, Notes: &said})
	return out.String(), said.String(), err
}

// services is a server with so many services, in pages as large as asked for.
func services(n int) func(w http.ResponseWriter, r *http.Request) {
	return func(w http.ResponseWriter, r *http.Request) {
		size, _ := strconv.Atoi(r.URL.Query().Get("PageSize"))
		page, _ := strconv.Atoi(r.URL.Query().Get("Page"))
		var records []string
		for i := page * size; i < min(n, (page+1)*size); i++ {
			records = append(records, fmt.Sprintf(`{"sid":"VA%032d","friendly_name":"Name %d",  "odd":"<&>"}`, i, i%4))
		}
		next := "null"
		if (page+1)*size < n {
			next = fmt.Sprintf(`"https://elsewhere.example/v2/Services?PageSize=%d&Page=%d&PageToken=PA%d"`, size, page+1, page)
		}
		fmt.Fprintf(w, `{"services":[%s],"meta":{"key":"services","next_page_url":%s}}`, strings.Join(records, ","), next)
	}
}

func TestListsGoOverPagesAsFarAsTheLimit(t *testing.T) {
	for _, c := range []struct {
		services int
		flags    []string
		rows     int
		calls    int
		more     bool
	}{
		{0, nil, 0, 1, false},
		{50, nil, 50, 1, false},
		{51, nil, 50, 1, true},
		{7, []string{"--limit", "5"}, 5, 1, true},
		{2500, []string{"--limit", "0"}, 2500, 3, false},
		{2500, []string{"--limit", "1500"}, 1500, 2, true},
		{2000, []string{"--limit", "2000"}, 2000, 2, false},
	} {
		f := newFake(t, services(c.services))
		out, notes, err := f.run(t, append([]string{"service", "list", "--json"}, c.flags...)...)
		if err != nil {
			t.Fatal(err)
		}
		rows, more := strings.Count(out, "\n"), notes == "there are more: --limit 0 shows all\n"
		if rows != c.rows || len(f.asked) != c.calls || more != c.more || !more && notes != "" {
			t.Errorf("%d services with %v: %d rows in %d calls, notes %q; want %d in %d, more %v", c.services, c.flags, rows, len(f.asked), notes, c.rows, c.calls, c.more)
		}
		if rows > 0 && !strings.HasPrefix(out, `{"sid":"VA00000000000000000000000000000000","friendly_name":"Name 0",  "odd":"<&>"}`+"\n") {
			t.Errorf("the JSON of the API was changed:\n%s", strings.SplitAfter(out, "\n")[0])
		}
	}
}

// The Attempts API gives empty pages that are not the last.
func TestAnEmptyPageIsNotTheEnd(t *testing.T) {
	f := newFake(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("PageToken") == "" {
			fmt.Fprint(w, `{"attempts":[],"meta":{"key":"attempts","next_page_url":"http://x/v2/Attempts?Country=ES&PageToken=PA1"}}`)
			return
		}
		fmt.Fprint(w, `{"attempts":[{"sid":"VL1","channel_data":{"call_status":"failed"}}],"meta":{"key":"attempts","next_page_url":null}}`)
	})
	out, _, err := f.run(t, "attempt", "list", "--country", "ES")
	if err != nil || !strings.Contains(out, "VL1") || !strings.Contains(out, "failed") {
		t.Errorf("%v\n%s", err, out)
	}
	want := []string{"GET /v2/Attempts Country=ES&PageSize=50", "GET /v2/Attempts Country=ES&PageToken=PA1"}
	if !slices.Equal(f.asked, want) {
		t.Errorf("asked %q, want %q", f.asked, want)
	}
}

// What is sent: the API's names, only what was given, an empty value where one was given.
func TestWhatIsSent(t *testing.T) {
	const (
		sid  = "VA00000000000000000000000000000000"
		here = "/v2/Services/" + sid
	)
	for _, c := range []struct {
		line []string
		want string
	}{
		{[]string{"service", "create", "Acme Bank", "--code-length", "8", "--push-include-date", "true", "--code-ttl", "300"},
			"POST /v2/Services CodeLength=8&FriendlyName=Acme+Bank&Push.IncludeDate=true&Verifyd.CodeTtl=300"},
		{[]string{"service", "create", "--friendly-name", "Acme"}, "POST /v2/Services FriendlyName=Acme"},
		{[]string{"service", "update", sid, "--default-template-sid", ""}, "POST " + here + " DefaultTemplateSid="},
		{[]string{"service", "delete", sid}, "DELETE " + here},
		{[]string{"verification", "start", "+34612345678", "--channel", "sms", "--service", sid}, "POST " + here + "/Verifications Channel=sms&To=%2B34612345678"},
		{[]string{"verification", "check", "--verification", "VE1", "--code", "123456", "--service", sid}, "POST " + here + "/VerificationCheck Code=123456&VerificationSid=VE1"},
		{[]string{"verification", "cancel", "+34612345678", "--service", sid}, "POST " + here + "/Verifications/+34612345678 Status=canceled"},
		{[]string{"verification", "show", "a/b@example.com", "--service", sid}, "GET " + here + "/Verifications/a%2Fb@example.com"},
		{[]string{"attempt", "summary", "--after", "90m", "--before", "2026-11-28T02:00:00Z", "--service", sid},
			"GET /v2/Attempts/Summary DateCreatedAfter=2026-11-28T01%3A30%3A00Z&DateCreatedBefore=2026-11-28T02%3A00%3A00Z&VerifyServiceSid=" + sid},
		{[]string{"bucket", "create", "--rate-limit", "end_user_ip", "--max", "2", "--interval", "60", "--service", sid},
			"POST " + here + "/RateLimits/end_user_ip/Buckets Interval=60&Max=2"},
		{[]string{"safe-list", "remove", "+34612345678"}, "DELETE /v2/SafeList/Numbers/+34612345678"},
	} {
		f := newFake(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Method == "DELETE" {
				w.WriteHeader(204)
				return
			}
			fmt.Fprint(w, `{"sid":"XX"}`)
		})
		if _, _, err := f.run(t, c.line...); err != nil || !slices.Equal(f.asked, []string{c.want}) {
			t.Errorf("%q: %v\nasked %q\nwant  %q", c.line, err, f.asked, c.want)
		}
	}
}

func TestAServiceIsFoundByItsNameOrIsTheOnlyOne(t *testing.T) {
	for _, c := range []struct {
		services int
		flags    []string
		want     string // the service whose rate limits are asked for
		err      string
	}{
		{1, nil, "VA00000000000000000000000000000000", ""},
		{4, []string{"--service", "Name 2"}, "VA00000000000000000000000000000002", ""},
		{0, nil, "", "there is no service yet; verifyd service create makes one"},
		{2, nil, "", "there is more than one service: choose with --service; verifyd service list shows them"},
		{2, []string{"--service", "Name 3"}, "", `there is no service "Name 3"; verifyd service list shows them`},
		{8, []string{"--service", "Name 3"}, "", `2 are called "Name 3": give the SID; verifyd service list shows them`},
		{1, []string{"--service", ""}, "", "an empty service"},
	} {
		f := newFake(t, nil)
		f.answer = func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/v2/Services" {
				services(c.services)(w, r)
				return
			}
			fmt.Fprint(w, `{"rate_limits":[],"meta":{"key":"rate_limits"}}`)
		}
		_, _, err := f.run(t, append([]string{"rate-limit", "list"}, c.flags...)...)
		if c.err != "" {
			if err == nil || err.Error() != c.err {
				t.Errorf("%d services, %q: %v, want %s", c.services, c.flags, err, c.err)
			}
			continue
		}
		want := "GET /v2/Services/" + c.want + "/RateLimits PageSize=50"
		if err != nil || f.asked[len(f.asked)-1] != want {
			t.Errorf("%d services, %q: %v, asked %q, want %q at last", c.services, c.flags, err, f.asked, want)
		}
	}
}

// A call that cannot be right asks nothing of a server.
func TestMisuseAsksNothing(t *testing.T) {
	for _, c := range []struct {
		line []string
		want Misuse
	}{
		{[]string{"service", "show"}, "SID|NAME is missing"},
		{[]string{"service", "delete", ""}, "an empty sid"},
		{[]string{"service", "create"}, "FRIENDLY-NAME is missing"},
		{[]string{"service", "create", "A", "--friendly-name", "B"}, `"A" and --friendly-name are given`},
		{[]string{"verification", "start", "+34612345678"}, "--channel is missing"},
		{[]string{"bucket", "list"}, "--rate-limit is missing"},
		{[]string{"bucket", "delete", "BL1", "--rate-limit", ""}, "an empty rate-limit"},
		{[]string{"service", "list", "--limit", "-1"}, "--limit is less than 0"},
	} {
		f := newFake(t, func(w http.ResponseWriter, r *http.Request) { t.Errorf("%v asks %s", c.line, r.URL) })
		_, _, err := f.run(t, c.line...)
		if got, ok := errors.AsType[Misuse](err); !ok || got != c.want {
			t.Errorf("%q: %v, want %s", c.line, err, c.want)
		}
	}
}

func TestErrorsAreOneLineThatSaysWhatToDo(t *testing.T) {
	const code20003 = `{"code":20003,"message":"Authentication Error - invalid username","more_info":"x","status":401}`
	for _, c := range []struct {
		status int
		header map[string]string
		body   string
		want   string // with URL for the address of the server
	}{
		{404, map[string]string{"Verifyd-Reason": "expired"}, `{"code":20404,"message":"The requested resource /x was not found","status":404}`,
			"20404: The requested resource /x was not found (HTTP 404); reason: expired"},
		{429, map[string]string{"Retry-After": "30", "Twilio-Reached-Rate-Limit": "ip"}, `{"code":20429,"message":"Too many requests","status":429}`,
			"20429: Too many requests (HTTP 429); rate limit: ip; seconds to wait: 30"},
		{401, nil, code20003, "20003: Authentication Error - invalid username (HTTP 401); URL does not know the credentials of the test"},
		{400, nil, `{"code":60200,"message":"Invalid parameter: \u001b[2J\nTo","status":400}`, `60200: Invalid parameter: \x1b[2J\nTo (HTTP 400)`},
		{404, nil, "<html>", "URL answers 404 Not Found, and not as a verifyd does; is that its address?"},
		{200, nil, "<html>", "URL answers 200 OK, and not as a verifyd does; is that its address?"},
		{500, nil, `{"error":"x"}`, "URL answers 500 Internal Server Error, and not as a verifyd does; is that its address?"},
		{302, map[string]string{"Location": "/v2/Elsewhere"}, "", "URL answers 302 Found, and not as a verifyd does; is that its address?"},
	} {
		f := newFake(t, func(w http.ResponseWriter, _ *http.Request) {
			for name, value := range c.header {
				w.Header().Set(name, value)
			}
			w.WriteHeader(c.status)
			fmt.Fprint(w, c.body)
		})
		_, _, err := f.run(t, "attempt", "summary")
		if want := strings.ReplaceAll(c.want, "URL", f.URL); err == nil || err.Error() != want {
			t.Errorf("%d %s:\ngot  %v\nwant %s", c.status, c.body, err, want)
		}
		if len(f.asked) != 1 {
			t.Errorf("%d: a redirect was followed: %q", c.status, f.asked)
		}
	}
}

func TestAServerThatIsNotThere(t *testing.T) {
	f := newFake(t, nil)
	f.Close()
	_, _, err := f.run(t, "verification", "show", "+34612345678", "--service", "VA00000000000000000000000000000000")
	if err == nil || !strings.HasPrefix(err.Error(), f.URL+" does not answer: ") || !strings.HasSuffix(err.Error(), "; try again") || strings.Contains(err.Error(), "34612345") {
		t.Errorf("got %v", err)
	}
}

// A list whose page cannot be read fails with its server's name instead of ending early.
func TestAPageThatIsNone(t *testing.T) {
	for _, body := range []string{`[]`, `{}`, `{"meta":{"key":"x"}}`, `{"x":[],"meta":{"key":"x","next_page_url":"http://[::1"}}`} {
		f := newFake(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, body) })
		if _, _, err := f.run(t, "service", "list"); err == nil || !strings.HasPrefix(err.Error(), "a page of "+f.URL) {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func TestSuggestions(t *testing.T) {
	f := newFake(t, services(2))
	for _, c := range []struct {
		command, flag, typed string
		want                 []Suggestion
	}{
		{"verification start", "channel", "", []Suggestion{{Value: "sms"}, {Value: "call"}, {Value: "email"}, {Value: "whatsapp"}, {Value: "rcs"}}},
		{"service create", "lookup-enabled", "", []Suggestion{{Value: "true"}, {Value: "false"}}},
		{"service show", "", "", []Suggestion{{"VA00000000000000000000000000000000", "Name 0"}, {"VA00000000000000000000000000000001", "Name 1"}}},
		{"verification show", "", "", nil},
		{"service create", "friendly-name", "", nil},
	} {
		i := slices.IndexFunc(Commands(), func(one *Command) bool { return one.Name == c.command })
		call := Commands()[i].Bind(flag.NewFlagSet("", flag.ContinueOnError))
		got := call.Suggest(t.Context(), c.flag, c.typed, func() (*Client, error) { return newClient(f.URL, "AC1", "secret", "", "") })
		if !slices.Equal(got, c.want) {
			t.Errorf("%s --%s: %v, want %v", c.command, c.flag, got, c.want)
		}
		got = call.Suggest(t.Context(), c.flag, c.typed, func() (*Client, error) { return nil, errors.New("no server") })
		if c.command == "service show" && got != nil {
			t.Errorf("without a server %v", got)
		}
	}
}

// FuzzReadPage checks that no page makes it panic, and that what it takes for records is JSON.
func FuzzReadPage(f *testing.F) {
	f.Add([]byte(`{"services":[{"sid":"VA1"}],"meta":{"key":"services","next_page_url":"http://x/?Page=1"}}`))
	f.Add([]byte(`{"meta":{"key":"meta"}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		p, next, err := readPage(body)
		if err != nil {
			return
		}
		if p.more != (next != nil) {
			t.Errorf("more is %v, the next page %v", p.more, next)
		}
		for _, r := range p.records {
			if !json.Valid(r) {
				t.Errorf("a record is %q", r)
			}
		}
		_ = url.Values(next).Encode()
	})
}
