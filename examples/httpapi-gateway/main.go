// Command httpapi-gateway is the smallest gateway that keeps the httpapi contract
// (docs/providers/httpapi.md): it checks the signature, knows a message that comes twice, and
// prints what it should have carried. It is a beginning to copy, for teams whose vendor verifyd
// does not know; gateway.py beside it is the same in Python.
//
//	SECRET=… go run ./examples/httpapi-gateway
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/verifyd/verifyd/provider/httpapi"
)

func main() {
	secret, err := httpapi.ParseSecret(os.Getenv("SECRET"))
	if err != nil {
		log.Fatalf("SECRET %v", err)
	}
	address := "127.0.0.1:8089"
	if len(os.Args) > 1 {
		address = os.Args[1]
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("gateway on http://" + listener.Addr().String())
	log.Fatal(http.Serve(listener, &gateway{secret: secret, out: os.Stdout}))
}

type gateway struct {
	secret httpapi.Secret

	mu      sync.Mutex
	out     io.Writer
	answers map[string]string // by Idempotency-Key; a real gateway keeps them where a restart finds them
}

func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err != nil || g.secret.Verify(r.Header, body, time.Now()) != nil {
		refuse(w, http.StatusUnauthorized, "signature")
		return
	}
	var m httpapi.Request
	if err := json.Unmarshal(body, &m); err != nil {
		refuse(w, http.StatusBadRequest, "json")
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	answer, known := g.answers[m.Key]
	if !known {
		if g.answers == nil {
			g.answers = map[string]string{}
		}
		// Here your vendor is called.
		fmt.Fprintln(g.out, m.Channel, m.To, m.Text)
		answer = fmt.Sprintf(`{"id":"gw-%d","parts":1}`, len(g.answers)+1)
		g.answers[m.Key] = answer
	}
	w.WriteHeader(http.StatusAccepted)
	io.WriteString(w, answer)
}

func refuse(w http.ResponseWriter, status int, code string) {
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"error":{"class":"bad_request","code":%q}}`, code)
}
