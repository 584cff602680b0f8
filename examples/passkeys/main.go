// Command passkeys is the smallest website with passkeys over verifyd (docs/passkeys.md): one page, and
// a back end that keeps the account's token from the browser and hands JSON on. It is a beginning to
// copy: a real website asks who somebody is before it gives a passkey to a name, and begins a session
// where this one says "Welcome".
//
//	ACCOUNT=AC… TOKEN=… SERVICE=VA… go run ./examples/passkeys
package main

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"time"
)

//go:embed page.html
var page []byte

// site is the website of one service of verifyd.
type site struct {
	verifyd        string // URL of the service's passkeys
	account, token string
	client         http.Client
}

func main() {
	verifyd := os.Getenv("VERIFYD")
	if verifyd == "" {
		verifyd = "http://127.0.0.1:8642"
	}
	address := "127.0.0.1:8090"
	if len(os.Args) > 1 {
		address = os.Args[1]
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		log.Fatal(err)
	}
	// A passkey is for a name and not for an address: the browser must be sent to localhost.
	fmt.Printf("passkeys on http://localhost:%d\n", listener.Addr().(*net.TCPAddr).Port)
	log.Fatal(http.Serve(listener, newSite(verifyd, os.Getenv("SERVICE"), os.Getenv("ACCOUNT"), os.Getenv("TOKEN"))))
}

func newSite(verifyd, service, account, token string) http.Handler {
	s := &site{verifyd: verifyd + "/v2/Services/" + service + "/Passkeys/", account: account, token: token}
	s.client.Timeout = 10 * time.Second
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(page) // a browser that is gone needs no page
	})
	mux.HandleFunc("POST /register", s.register)
	mux.HandleFunc("POST /register/answer", s.handOn("VerifyFactor"))
	mux.HandleFunc("POST /login", s.handOn("Challenges"))
	mux.HandleFunc("POST /login/answer", s.handOn("ApproveChallenge"))
	return http.NewCrossOriginProtection().Handler(mux)
}

// register asks for the options of a new passkey. How it is to be made stands in the service.
func (s *site) register(w http.ResponseWriter, r *http.Request) {
	var asked struct{ Identity string }
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<10)).Decode(&asked); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	body, err := json.Marshal(map[string]string{"identity": asked.Identity, "friendly_name": asked.Identity})
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	s.ask(w, r, "Factors", body)
}

// handOn hands the browser's JSON to verifyd.
func (s *site) handOn(endpoint string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 64<<10))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		s.ask(w, r, endpoint, body)
	}
}

// ask asks verifyd, and tells the browser what it needs of the answer.
func (s *site) ask(w http.ResponseWriter, r *http.Request, endpoint string, body []byte) {
	q, err := http.NewRequestWithContext(r.Context(), http.MethodPost, s.verifyd+endpoint, bytes.NewReader(body))
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	q.SetBasicAuth(s.account, s.token)
	q.Header.Set("Content-Type", "application/json")
	answer, err := s.client.Do(q)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer func() { _ = answer.Body.Close() }() // it was read
	var said struct {
		Identity string          `json:"identity"`
		Status   any             `json:"status"`
		Options  json.RawMessage `json:"options,omitempty"`
		Code     int             `json:"code,omitempty"`
		Message  string          `json:"message,omitempty"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&said); err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(answer.StatusCode)
	_ = json.NewEncoder(w).Encode(said) // a browser that is gone needs no answer
}
