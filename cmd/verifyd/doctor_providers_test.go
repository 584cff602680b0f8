package main

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// marked is every secret in the table below.
const marked = "S3CR3T-hunter2"

// everyProvider has a table of verifyd.toml for each type. $HTTP, $HTTPS, $SMTP, $SMPP and $SIP stand for
// the far ends, $KEY for a key in PEM, and $ACCOUNT for Google's key file.
var everyProvider = map[string]string{
	"africastalking": `username = "u"
		api_key = "S3CR3T-hunter2"
		base_url = "$HTTP"`,
	"apns": `key = """$KEY"""
		key_id = "KEY1234567"
		team_id = "TEAM123456"
		topic = "com.example.app"
		base_url = "$HTTPS"`,
	"aws": `region = "eu-west-1"
		access_key_id = "AKID"
		secret_access_key = "S3CR3T-hunter2"
		session_token = "S3CR3T-hunter2-session"
		base_url = "$HTTP"`,
	"fcm": `credentials = '''$ACCOUNT'''
		base_url = "$HTTP"
		token_url = "$HTTP/token"`,
	"http": `url = "$HTTP"
		vars = { key = "S3CR3T-hunter2" }
		request = { form = { to = "{{to}}" } }
		check = { query = { key = "{{vars.key}}" }, headers = { X-Key = "{{vars.key}}" } }`,
	"httpapi": `url = "$HTTP"
		secret = "S3CR3T-hunter2 and more of it"
		headers = { X-Token = "S3CR3T-hunter2" }`,
	"infobip": `api_key = "S3CR3T-hunter2"
		from = "Acme"
		base_url = "$HTTP"`,
	"msg91": `auth_key = "S3CR3T-hunter2"
		template_id = "T1"
		base_url = "$HTTP"`,
	"plivo": `auth_id = "MA1"
		auth_token = "S3CR3T-hunter2"
		from = "Acme"
		base_url = "$HTTP"`,
	"postmark": `server_token = "S3CR3T-hunter2"
		from = "a@example.com"
		base_url = "$HTTP"`,
	"rcs": `credentials = '''$ACCOUNT'''
		agent_id = "acme_agent"
		region = "europe"
		client_token = "S3CR3T-hunter2"
		base_url = "$HTTP"
		token_url = "$HTTP/token"`,
	"sendgrid": `api_key = "S3CR3T-hunter2"
		from = "a@example.com"
		base_url = "$HTTP"`,
	"ses": `region = "eu-west-1"
		access_key_id = "AKID"
		secret_access_key = "S3CR3T-hunter2"
		session_token = "S3CR3T-hunter2-session"
		from = "a@example.com"
		base_url = "$HTTP"`,
	"sinch": `service_plan_id = "p"
		api_token = "S3CR3T-hunter2"
		base_url = "$HTTP"`,
	"sip": `server = "$SIP"
		listen = "127.0.0.1:0"
		username = "u"
		password = "S3CR3T-hunter2"
		from = "+34910000000"`,
	"smpp": `host = "127.0.0.1"
		port = $SMPP
		tls = "none"
		system_id = "u"
		password = "S3CR3T-hunter2"`,
	"smtp": `host = "127.0.0.1"
		port = $SMTP
		tls = "none"
		username = "user"
		password = "S3CR3T-hunter2"
		from = "a@example.com"`,
	"telnyx": `api_key = "S3CR3T-hunter2"
		from = "+15005550006"
		base_url = "$HTTP"`,
	"twilio": `account_sid = "AC00000000000000000000000000000001"
		auth_token = "S3CR3T-hunter2"
		from = "x"
		base_url = "$HTTP"`,
	"vonage": `api_key = "k"
		api_secret = "S3CR3T-hunter2"
		from = "Acme"
		base_url = "$HTTP"`,
	"whatsapp": `phone_number_id = "106540352242922"
		access_token = "S3CR3T-hunter2"
		base_url = "$HTTP"`,
}

// farEnds refuse everybody, and repeat whatever they were shown, as it came and decoded.
type farEnds struct {
	http, https, sip string
	smtp, smpp       int
}

func newFarEnds(t *testing.T, status int) farEnds {
	t.Helper()
	repeat := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		user, password, _ := r.BasicAuth()
		path, _ := url.QueryUnescape(r.URL.String())
		w.WriteHeader(status)
		// Short enough that nothing is cut off where an error is.
		for _, said := range []string{password, user, path, r.Header.Get("Authorization"), r.Header.Get("X-Amz-Security-Token"), marked} {
			fmt.Fprint(w, said, " ")
		}
		for _, name := range slices.Sorted(maps.Keys(r.Header)) {
			fmt.Fprint(w, r.Header.Get(name), " ")
		}
		w.Write(body)
	})
	plain, secured := httptest.NewServer(repeat), httptest.NewUnstartedServer(repeat)
	secured.EnableHTTP2 = true
	secured.Config.ErrorLog = log.New(io.Discard, "", 0) // nobody trusts it
	secured.StartTLS()
	t.Cleanup(plain.Close)
	t.Cleanup(secured.Close)
	return farEnds{
		http: plain.URL, https: secured.URL,
		smtp: serveTCP(t, refuseMail), smpp: serveTCP(t, refuseBind), sip: serveSIP(t),
	}
}

func serveTCP(t *testing.T, serve func(net.Conn)) (port int) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				serve(c)
			}()
		}
	}()
	return l.Addr().(*net.TCPAddr).Port
}

func refuseMail(c net.Conn) {
	fmt.Fprint(c, "220 relay.test\r\n")
	for lines := bufio.NewScanner(c); lines.Scan(); {
		switch verb, rest, _ := strings.Cut(lines.Text(), " "); verb {
		case "EHLO":
			fmt.Fprint(c, "250-relay.test\r\n250 AUTH PLAIN\r\n")
		case "AUTH":
			_, text, _ := strings.Cut(rest, " ")
			decoded, _ := base64.StdEncoding.DecodeString(text)
			fmt.Fprintf(c, "535 5.7.8 who is %s, %s?\r\n", text, strings.ReplaceAll(string(decoded), "\x00", " "))
		default:
			fmt.Fprint(c, "250 OK\r\n")
		}
	}
}

// refuseBind answers any PDU with ESME_RINVPASWD and whatever came as its body.
func refuseBind(c net.Conn) {
	bind := make([]byte, 1024)
	n, err := c.Read(bind)
	if err != nil || n < 16 {
		return
	}
	answer := bytes.Clone(bind[:n])
	answer[4], answer[11] = 0x80, 0x0E
	c.Write(answer)
}

func serveSIP(t *testing.T) (address string) {
	t.Helper()
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	copied := regexp.MustCompile(`(?mi)^(Via|From|To|Call-ID|CSeq): .*\r\n`)
	go func() {
		buffer := make([]byte, 64<<10)
		for {
			n, from, err := conn.ReadFrom(buffer)
			if err != nil {
				return
			}
			request := string(buffer[:n])
			proof := regexp.MustCompile(`Authorization: (.*)\r\n`).FindStringSubmatch(request)
			answer := "SIP/2.0 401 Prove It\r\n"
			if proof != nil {
				answer = "SIP/2.0 403 " + marked + " " + proof[1] + "\r\n"
			}
			answer += strings.Join(copied.FindAllString(request, -1), "") +
				`WWW-Authenticate: Digest realm="r", nonce="n", qop="auth"` + "\r\nContent-Length: 0\r\n\r\n"
			conn.WriteTo([]byte(answer), from)
		}
	}()
	return conn.LocalAddr().String()
}

// fill writes the tables for the far ends, and lists what of them must not be told.
func (f farEnds) fill(t *testing.T) (tables string, secrets []string) {
	t.Helper()
	secrets = []string{marked, base64.StdEncoding.EncodeToString([]byte(marked)), hex.EncodeToString([]byte(marked))}
	inPEM := func(key any, err error) string {
		if err != nil {
			t.Fatal(err)
		}
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		text := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
		lines := strings.Split(text, "\n")
		secrets = append(secrets, lines[1:len(lines)-2]...)
		return text
	}
	apples, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	key := inPEM(apples, err)
	googles, err := rsa.GenerateKey(rand.Reader, 2048)
	account, err := json.Marshal(map[string]string{
		"type": "service_account", "project_id": "acme", "private_key_id": "k", "private_key": inPEM(googles, err),
		"client_email": "push@acme.iam.gserviceaccount.com", "token_uri": f.http + "/token",
	})
	if err != nil {
		t.Fatal(err)
	}
	for kind, table := range everyProvider {
		tables += "[providers." + kind + "]\ntype = \"" + kind + "\"\n" + table + "\n"
	}
	return strings.NewReplacer(
		"$HTTPS", f.https, "$HTTP", f.http, "$SIP", f.sip, "$SMTP", fmt.Sprint(f.smtp), "$SMPP", fmt.Sprint(f.smpp),
		"$KEY", key, "$ACCOUNT", string(account),
	).Replace(tables), secrets
}

// TestTheDoctorTriesEveryProviderAndTellsNoSecret: every type has a Check, and no far end, however
// careless, has its words repeated with a secret in them.
func TestTheDoctorTriesEveryProviderAndTellsNoSecret(t *testing.T) {
	for _, kind := range slices.Sorted(maps.Keys(providers)) {
		if everyProvider[kind] == "" {
			t.Errorf("the doctor is not tried with a provider of type %q: give it a table in everyProvider", kind)
		}
	}
	for _, status := range []int{200, 401, 403, 404, 500} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			far := newFarEnds(t, status)
			text := "store = \"sqlite:" + filepath.Join(t.TempDir(), "verifyd.db") + "\"\n[routes]\nsms = [\"plivo\"]\n"
			tables, secrets := far.fill(t)
			text += tables
			path := filepath.Join(t.TempDir(), "verifyd.toml")
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			for _, args := range [][]string{{"doctor"}, {"doctor", "--json"}} {
				stdout, stderr, _ := once(t, append(args, "--config", path)...)
				for kind := range everyProvider {
					if !strings.Contains(stdout, "provider "+kind) || strings.Contains(stdout, "it cannot be tried") {
						t.Errorf("%s was not tried:\n%s%s", kind, stdout, stderr)
					}
				}
				for _, secret := range secrets {
					if strings.Contains(strings.ToLower(stdout+stderr), strings.ToLower(secret)) {
						t.Fatalf("the doctor tells %q:\n%s%s", secret, stdout, stderr)
					}
				}
			}
		})
	}
}
