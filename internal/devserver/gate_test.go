package devserver

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
)

// paths are all that a Server serves without a password, each with the methods it has.
var paths = map[string]string{
	"/":                              "GET",
	"/dev/":                          "GET",
	"/dev/events":                    "GET",
	"/dev/clock":                     "GET POST",
	"/dev/clock?service=VA1":         "GET POST",
	"/dev/clock/services":            "GET",
	"/dev/reset":                     "POST",
	"/dev/snapshots":                 "GET POST",
	"/dev/snapshots/{name}/restore":  "POST",
	"/dev/snapshots/{name}":          "DELETE",
	"/dev/rules":                     "GET PUT DELETE",
	"/dev/inbox":                     "GET DELETE",
	"/dev/inbox/{$}":                 "GET",
	"/dev/inbox/events":              "GET",
	"/dev/inbox/messages/{sid}":      "GET",
	"/dev/inbox/messages/{sid}/html": "GET",
	"/dev/inbox/factors":             "GET",
	"/dev/inbox/factors/{file}":      "GET",
	"/dev/inbox/handsets":            "GET POST",
	"/dev/inbox/handsets/{factor}":   "GET DELETE",
	"/dev/inbox/handsets/{factor}/challenges/{challenge}": "POST",
	"/dev/inbox/assets/{file}":                            "GET",
}

// open is a Server in memory that runs, which is called by more names.
func open(t *testing.T, hosts ...string) *Server {
	t.Helper()
	o := Options{Log: slog.New(slog.DiscardHandler), Hosts: hosts}
	var err error
	if o.Listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	if o.Store, o.Engine, err = OpenMemory(t.Context(), o.Log); err != nil {
		t.Fatal(err)
	}
	d, err := New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- d.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return d
}

// ask sends a request in the name of a host. Of an answer that never ends, which is that of a stream, it reads
// nothing.
func (d *Server) ask(t *testing.T, method, target, host string, header ...string) (status int, body string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, d.World.URL+target, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = host
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.Header.Get("Content-Type") == "text/event-stream" {
		return answer.StatusCode, "a stream"
	}
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

// wantRefusal wants the answer of the gate, in the format of the API.
func wantRefusal(t *testing.T, status int, text, about string) {
	t.Helper()
	var body map[string]any
	if err := json.Unmarshal([]byte(text), &body); err != nil {
		t.Fatalf("%d %s", status, text)
	}
	if message, _ := body["message"].(string); !strings.Contains(message, about) {
		t.Errorf("%s says nothing of %q", text, about)
	}
	delete(body, "message")
	want := map[string]any{"code": 20403.0, "status": 403.0, "more_info": "https://www.twilio.com/docs/errors/20403"}
	if status != 403 || !maps.Equal(body, want) {
		t.Errorf("%d %s", status, text)
	}
}

func TestNoOtherNameGetsAtAnything(t *testing.T) {
	d := open(t, "dev.acme.example:8642")
	for path, methods := range paths {
		for method := range strings.FieldsSeq(methods) {
			t.Run(method+" "+path, func(t *testing.T) {
				// As the browser sends it that takes the server for the page's own.
				status, body := d.ask(t, method, path, "rebound.example:8642", "Sec-Fetch-Site", "same-origin", "Origin", "http://rebound.example:8642")
				wantRefusal(t, status, body, "start it with --hosts rebound.example")
				for _, host := range []string{"127.0.0.1:8642", "[::1]:8642", "localhost:8642", "verifyd:8642", "dev.acme.example", "verify.sydney.au1.twilio.com"} {
					if status, body := d.ask(t, method, path, host); status == 403 {
						t.Errorf("%s: %s", host, body)
					}
				}
			})
		}
	}
}

// What asks for credentials, or tells nobody anything, does not mind the name.
func TestTheAPIIsCalledByAnyName(t *testing.T) {
	d := open(t)
	for path, want := range map[string]int{"/livez": 200, "/readyz": 200, "/openapi.json": 200, "/v2/Services": 401} {
		if status, body := d.ask(t, "GET", path, "verify.acme.example"); status != want {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
}

func TestNoOtherOriginChangesAnything(t *testing.T) {
	d := open(t)
	for path, methods := range paths {
		for method := range strings.FieldsSeq(methods) {
			if method != http.MethodGet {
				for _, header := range [][]string{{"Origin", "https://evil.example"}, {"Sec-Fetch-Site", "same-site"}} {
					status, body := d.ask(t, method, path, "localhost:8642", header...)
					wantRefusal(t, status, body, "Cross-origin")
				}
			}
		}
	}
}

// A path that is served and not in the table above has not been tried.
func TestTheTableHasEveryPath(t *testing.T) {
	written := regexp.MustCompile(`(?:mux\.Handle|mux\.HandleFunc)\("(?:[A-Z]+ )?(/dev[^"]*)"|path == "(/[^"]*)"`)
	for _, file := range []string{"devserver.go", "snapshot_http.go", "../inbox/handler.go", "../clock/handler.go"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		found := written.FindAllStringSubmatch(string(text), -1)
		if len(found) == 0 {
			t.Errorf("%s serves nothing", file)
		}
		for _, match := range found {
			if path := match[1] + match[2]; paths[path] == "" {
				t.Errorf("%s serves %s, which is not in the table", file, path)
			}
		}
	}
}
