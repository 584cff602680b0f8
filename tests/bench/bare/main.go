// Bare is the floor that the benchmark compares with: what net/http itself costs for a create and
// a check. Its handlers read Basic auth, parse the form and answer a constant. It is a program of
// its own so that its start and its memory are net/http's alone.
package main

import (
	"fmt"
	"log"
	"net"
	"net/http"
)

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("service SID VA%032d\nbase URL http://%s\n", 0, listener.Addr())
	log.Fatal(http.Serve(listener, handler()))
}

func handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("POST /v2/Services/{service}/Verifications", answer(http.StatusCreated, "pending"))
	mux.Handle("POST /v2/Services/{service}/VerificationCheck", answer(http.StatusOK, "approved"))
	mux.HandleFunc("GET /", func(http.ResponseWriter, *http.Request) {}) // what a cold start asks for
	return mux
}

func answer(code int, status string) http.HandlerFunc {
	body := []byte(constant(status))
	return func(w http.ResponseWriter, r *http.Request) {
		if _, _, ok := r.BasicAuth(); !ok || r.ParseForm() != nil || r.PostForm.Get("To") == "" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(code)
		w.Write(body) // a client that has gone is no concern of ours
	}
}

// constant is an answer of some 600 bytes in the shape of the real ones.
func constant(status string) string {
	return fmt.Sprintf(`{"sid":"VE%032[1]d","service_sid":"VA%032[1]d","account_sid":"AC%032[1]d","to":"+34600000000","channel":"sms",`+
		`"status":"%[2]s","valid":false,"date_created":"2026-11-24T12:00:00Z","date_updated":"2026-11-24T12:00:00Z",`+
		`"lookup":{},"amount":null,"payee":null,"send_code_attempts":[{"attempt_sid":"VL%032[1]d","channel":"sms",`+
		`"time":"2026-11-24T12:00:00.000Z"}],"sna":null,"url":"http://127.0.0.1:8642/v2/Services/VA%032[1]d/Verifications/VE%032[1]d"}`,
		0, status)
}
