package api_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/verifyd/verifyd/internal/factor"
	"github.com/verifyd/verifyd/internal/jose"
)

// deviceKeys are the keys of the devices in conversations: $KEY1 to $KEY30. That of the reference is the
// first.
var deviceKeys = func() []*ecdsa.PrivateKey {
	keys := make([]*ecdsa.PrivateKey, 30)
	for i := range keys {
		d := sha256.Sum256([]byte{byte(i)})
		k, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), d[:])
		if err != nil {
			panic(err)
		}
		keys[i] = k
	}
	return keys
}()

func publicKey(k *ecdsa.PrivateKey) string {
	der, err := x509.MarshalPKIXPublicKey(&k.PublicKey)
	if err != nil {
		panic(err)
	}
	return base64.StdEncoding.EncodeToString(der)
}

// deviceVariable is what a device sends: $KEY1 is a public key, $PROOF_YF1 the signature of a factor's
// SID with its key, $APPROVE_YC1 and $DENY_YC1 what its device says of a challenge.
func (w *world) deviceVariable(name string) (string, bool) {
	if n, ok := strings.CutPrefix(name, "KEY"); ok {
		i, err := strconv.Atoi(n)
		return publicKey(deviceKeys[max(i-1, 0)]), err == nil
	}
	what, about, ok := strings.Cut(name, "_")
	if !ok {
		return "", false
	}
	sid := w.names[about]
	switch what {
	case "PROOF":
		digest := sha256.Sum256([]byte(sid))
		signature, err := ecdsa.SignASN1(rand.Reader, w.keyOf(sid), digest[:])
		if err != nil {
			w.t.Fatal(err)
		}
		return base64.StdEncoding.EncodeToString(signature), true
	case "APPROVE", "DENY":
		return w.statement(sid, map[string]string{"APPROVE": "approved", "DENY": "denied"}[what]), true
	}
	return "", false
}

// keyOf is the key of a factor's device.
func (w *world) keyOf(factorSID string) *ecdsa.PrivateKey {
	w.t.Helper()
	var f *factor.Factor
	if err := w.engine.Store.View(w.t.Context(), factor.InTx(func(tx factor.Tx) (err error) {
		f, err = tx.Factor(factorSID)
		return err
	})); err != nil {
		w.t.Fatal(err)
	}
	for _, k := range deviceKeys {
		if publicKey(k) == f.Config.Push.PublicKey {
			return k
		}
	}
	w.t.Fatalf("no device has the key of %s", factorSID)
	return nil
}

// statement is what a device says of a challenge: the members that the header names, copied out of the
// body that it is shown.
func (w *world) statement(challengeSID, status string) string {
	w.t.Helper()
	var c *factor.Challenge
	if err := w.engine.Store.View(w.t.Context(), factor.InTx(func(tx factor.Tx) (err error) {
		c, err = tx.Challenge(challengeSID)
		return err
	})); err != nil {
		w.t.Fatal(err)
	}
	rec := w.do("GET", fmt.Sprintf("/v2/Services/%s/Entities/%s/Challenges/%s", c.ServiceSID, c.Identity, c.SID), "")
	var body, claims map[string]json.RawMessage
	if err := json.Unmarshal(rec.Body.Bytes(), &body); err != nil {
		w.t.Fatal(err)
	}
	claims = map[string]json.RawMessage{}
	for name := range strings.SplitSeq(rec.Header().Get("Twilio-Verify-Signature-Fields"), ",") {
		claims[name] = body[name]
	}
	claims["status"] = json.RawMessage(strconv.Quote(status))
	payload, err := json.Marshal(claims)
	if err != nil {
		w.t.Fatal(err)
	}
	token, err := jose.SignJWS([]byte(`{"typ":"JWT","alg":"ES256"}`), payload, w.keyOf(c.FactorSID), rand.Reader)
	if err != nil {
		w.t.Fatal(err)
	}
	return token
}

// credential is the password of the user "token": "granted" is an access token, "device2" what the device
// of $CR2 signs now.
func (w *world) credential(word string) string {
	w.t.Helper()
	if word == "granted" {
		return w.names["TOKEN1"]
	}
	n := strings.TrimPrefix(word, "device")
	if n == "" {
		n = "1"
	}
	i, err := strconv.Atoi(n)
	if err != nil {
		w.t.Fatal(err)
	}
	return deviceToken(w, deviceKeys[i-1], w.names["CR"+n], w.account, w.now, w.now.Add(10*time.Minute))
}

// deviceToken is the JWT by which a device logs in.
func deviceToken(w *world, k *ecdsa.PrivateKey, credentialSID, account string, begin, end time.Time) string {
	w.t.Helper()
	header := fmt.Sprintf(`{"cty":"twilio-pba;v=1","kid":%q,"typ":"JWT","alg":"ES256"}`, credentialSID)
	payload := fmt.Sprintf(`{"sub":%q,"exp":%d,"nbf":%d}`, account, end.Unix(), begin.Unix())
	token, err := jose.SignJWS([]byte(header), []byte(payload), k, rand.Reader)
	if err != nil {
		w.t.Fatal(err)
	}
	return token
}

var anyAccessToken = regexp.MustCompile(`eyJ[\w-]+\.\.[\w-]+\.[\w-]+\.[\w-]+`)

func (w *world) nameToken(token string) string {
	for n := 1; ; n++ {
		name := "TOKEN" + strconv.Itoa(n)
		if known, taken := w.names[name]; !taken || known == token {
			w.names[name] = token
			return "$" + name
		}
	}
}
