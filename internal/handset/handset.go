// Package handset is a telephone with an application on it that was built with Twilio's Verify library
// for Android or iOS: it does on the wire what those libraries do, and takes offence at what they take
// offence at. Tests hold the server against it, and `verifyd dev` has some in place of real ones.
//
// It is a second opinion and shares no code with the server. What the libraries send and demand is in
// the factors reference, section 4, from their sources (Android 0.9.0, iOS 3.0.2). Where the two differ,
// System says which one it is.
//
// It is not for production: a real application keeps its key in the telephone's key store.
package handset

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// System is whose library the application was built with.
type System string

// The systems.
const (
	Android System = "Android"
	IOS     System = "iOS"
)

// Options are what a handset is lent.
type Options struct {
	// BaseURL is what the application has in the place of https://verify.twilio.com/v2.
	BaseURL string
	System  System // "" is Android
	Client  *http.Client
	Now     func() time.Time
	Random  io.Reader
}

// Enrolment is what the application's server gave, with what the application knows of itself.
type Enrolment struct {
	AccessToken  string
	ServiceSID   string
	Identity     string
	FriendlyName string
	AppID        string
	Platform     string // "fcm", "apn", "none"
	Token        string // of the platform; not sent where it is empty
	Metadata     map[string]string
}

// Handset is a handset with a factor. It may not be used by several goroutines at once.
type Handset struct {
	Options
	ServiceSID    string
	Identity      string
	AccountSID    string
	FactorSID     string
	CredentialSID string
	FriendlyName  string
	AppID         string
	Platform      string
	Token         string
	Status        string
	Key           *ecdsa.PrivateKey

	// offset is how far the server's clock is ahead, as the last refusal told.
	offset time.Duration
}

// Error is a refusal of the server.
type Error struct {
	Status   int // of HTTP
	Code     int `json:"code"`
	Message  string
	MoreInfo string `json:"more_info"`
}

func (e *Error) Error() string { return fmt.Sprintf("%d: error %d: %s", e.Status, e.Code, e.Message) }

// The version that the handset says it has, by system.
var versions = map[System]string{Android: "0.9.0", IOS: "3.0.2"}

// factor is what the libraries read of a factor. What they cannot do without is not a pointer.
type factor struct {
	SID          required `json:"sid"`
	AccountSID   required `json:"account_sid"`
	FriendlyName required `json:"friendly_name"`
	Status       required `json:"status"`
	DateCreated  date     `json:"date_created"`
	Config       struct {
		CredentialSID        required `json:"credential_sid"`
		NotificationPlatform *string  `json:"notification_platform"`
	} `json:"config"`
	Metadata map[string]string `json:"metadata"`
}

// Enrol makes a key and a factor of it. Nothing but the access token opens the server for that.
func Enrol(ctx context.Context, o Options, e Enrolment) (*Handset, error) {
	if o.System == "" {
		o.System = Android
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), o.Random)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	spki, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return nil, err
	}
	h := &Handset{
		Options: o, ServiceSID: e.ServiceSID, Identity: e.Identity, FriendlyName: e.FriendlyName,
		AppID: e.AppID, Platform: e.Platform, Token: e.Token, Key: key,
	}
	body := form{
		{"FriendlyName", e.FriendlyName}, {"FactorType", "push"},
		{"Binding.PublicKey", base64.StdEncoding.EncodeToString(spki)}, {"Binding.Alg", "ES256"},
	}
	body = append(body, h.application()...)
	if e.Metadata != nil {
		metadata, err := json.Marshal(e.Metadata)
		if err != nil {
			return nil, err
		}
		body = append(body, [2]string{"Metadata", string(metadata)})
	}
	var f factor
	if _, err := h.once(ctx, http.MethodPost, h.entity()+"/Factors", body, e.AccessToken, &f); err != nil {
		return nil, err
	}
	h.take(f)
	return h, nil
}

// application is what every handset says of its application, at its making and later.
func (h *Handset) application() form {
	body := form{{"Config.SdkVersion", versions[h.System]}, {"Config.AppId", h.AppID}, {"Config.NotificationPlatform", h.Platform}}
	if h.Token != "" {
		body = append(body, [2]string{"Config.NotificationToken", h.Token})
	}
	return body
}

func (h *Handset) take(f factor) {
	h.FactorSID, h.AccountSID, h.CredentialSID = string(f.SID), string(f.AccountSID), string(f.Config.CredentialSID)
	h.FriendlyName, h.Status = string(f.FriendlyName), string(f.Status)
}

// Verify proves to the server that the handset has the key: it signs the factor's SID.
func (h *Handset) Verify(ctx context.Context) error {
	proof, err := h.sign([]byte(h.FactorSID))
	if err != nil {
		return err
	}
	var answer struct {
		Status required `json:"status"`
	}
	body := form{{"AuthPayload", base64.StdEncoding.EncodeToString(proof)}}
	if _, err := h.call(ctx, http.MethodPost, h.factor(), body, &answer); err != nil {
		return err
	}
	h.Status = string(answer.Status)
	return nil
}

// UpdateToken tells the server under which token the platform knows the handset now.
func (h *Handset) UpdateToken(ctx context.Context, platform, token string) error {
	h.Platform, h.Token = platform, token
	var f factor
	if _, err := h.call(ctx, http.MethodPost, h.factor(), append(form{{"FriendlyName", h.FriendlyName}}, h.application()...), &f); err != nil {
		return err
	}
	h.take(f)
	return nil
}

// Delete removes the factor. That it is gone already is as good.
func (h *Handset) Delete(ctx context.Context) error {
	_, err := h.call(ctx, http.MethodDelete, h.factor(), nil, nil)
	if refused, ok := errors.AsType[*Error](err); ok && (refused.Status == http.StatusNotFound || refused.Status == http.StatusUnauthorized) {
		return nil
	}
	return err
}

// Service asks for the service, as Android does, and returns its name.
func (h *Handset) Service(ctx context.Context) (friendlyName string, err error) {
	var s struct {
		SID          required `json:"sid"`
		AccountSID   required `json:"account_sid"`
		FriendlyName required `json:"friendly_name"`
		DateCreated  date     `json:"date_created"`
		DateUpdated  date     `json:"date_updated"`
	}
	_, err = h.call(ctx, http.MethodGet, h.BaseURL+"/Services/"+h.ServiceSID, nil, &s)
	return string(s.FriendlyName), err
}

func (h *Handset) entity() string {
	return h.BaseURL + "/Services/" + h.ServiceSID + "/Entities/" + h.Identity
}

func (h *Handset) factor() string { return h.entity() + "/Factors/" + h.FactorSID }

// sign is a DER signature (P-256, SHA-256).
func (h *Handset) sign(text []byte) ([]byte, error) {
	digest := sha256.Sum256(text)
	return ecdsa.SignASN1(h.Random, h.Key, digest[:])
}

// jwt is a signed token, in which the numbers of the signature are written one after the other.
func (h *Handset) jwt(header string, payload []byte) (string, error) {
	encode := base64.RawURLEncoding.EncodeToString
	text := encode([]byte(header)) + "." + encode(payload)
	digest := sha256.Sum256([]byte(text))
	r, s, err := ecdsa.Sign(h.Random, h.Key, digest[:])
	if err != nil {
		return "", err
	}
	var raw []byte
	if h.System == IOS { // pads with one zero at most, so that a signature can be a byte short
		pad := func(n []byte) []byte {
			if len(n) < 32 {
				n = append([]byte{0}, n...)
			}
			return n
		}
		raw = append(pad(r.Bytes()), pad(s.Bytes())...)
	} else {
		raw = make([]byte, 64)
		r.FillBytes(raw[:32])
		s.FillBytes(raw[32:])
	}
	return text + "." + encode(raw), nil
}

// tokenLife is how long what a handset signs is good for.
const tokenLife = 600

// token is the password of a call: who signs, for which account, and when.
func (h *Handset) token() (string, error) {
	now := h.Now().Add(h.offset).Unix()
	kid, err := json.Marshal(h.CredentialSID)
	if err != nil {
		return "", err
	}
	header := `{"cty":"twilio-pba;v=1","kid":` + string(kid) + `,"typ":"JWT","alg":"ES256"}`
	payload := fmt.Sprintf(`{"sub":%q,"exp":%d,"nbf":%d}`, h.AccountSID, now+tokenLife, now)
	return h.jwt(header, []byte(payload))
}

// call is a request that the handset signs. After a 401 it sets its clock by the Date of the answer and
// tries once more.
func (h *Handset) call(ctx context.Context, method, url string, body form, into any) (http.Header, error) {
	for again := false; ; again = true {
		password, err := h.token()
		if err != nil {
			return nil, err
		}
		header, err := h.once(ctx, method, url, body, password, into)
		refused, ok := errors.AsType[*Error](err)
		if !ok || refused.Status != http.StatusUnauthorized || again {
			return header, err
		}
		at, parseErr := http.ParseTime(header.Get("Date"))
		if parseErr != nil {
			return header, fmt.Errorf("%w; and no date to set the clock by: %w", err, parseErr)
		}
		h.offset = at.Sub(h.Now())
	}
}

// once is one request.
func (h *Handset) once(ctx context.Context, method, url string, body form, password string, into any) (http.Header, error) {
	r, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body.encode(h.System)))
	if err != nil {
		return nil, err
	}
	r.SetBasicAuth("token", password)
	const urlencoded = "application/x-www-form-urlencoded"
	if method == http.MethodPost {
		r.Header.Set("Content-Type", urlencoded)
		r.Header.Set("Accept", "application/json")
	} else {
		r.Header.Set("Accept", urlencoded) // and they want JSON
	}
	r.Header.Set("User-Agent", h.userAgent())
	res, err := h.Client.Do(r)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	const most = 1 << 20
	text, err := io.ReadAll(io.LimitReader(res.Body, most))
	if err != nil {
		return res.Header, err
	}
	if res.StatusCode >= 300 {
		refused := &Error{Status: res.StatusCode}
		if err := json.Unmarshal(text, refused); err != nil {
			return res.Header, fmt.Errorf("%d with a body that is no error: %w", res.StatusCode, err)
		}
		return res.Header, refused
	}
	if into == nil {
		return res.Header, nil
	}
	if err := json.NewDecoder(bytes.NewReader(text)).Decode(into); err != nil {
		return res.Header, fmt.Errorf("the library cannot read the answer: %w", err)
	}
	return res.Header, nil
}

func (h *Handset) userAgent() string {
	if h.System == IOS {
		return "Acme; iOS; 1.0; 12; iOS 17.2; iPhone; TwilioVerify; 3.0.2; 1"
	}
	return "Acme; Android; 1.0; 12; 34; sdk_phone; VerifySDK; 0.9.0; 24"
}

// form is a body in its order.
type form [][2]string

// unescaped is what iOS leaves as it is in a value. It leaves & too, which nobody could read again.
const unescaped = "=/;'():,@?!$*"

func (f form) encode(system System) string {
	var b strings.Builder
	for i, pair := range f {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(url.QueryEscape(pair[0]))
		b.WriteByte('=')
		value := url.QueryEscape(pair[1])
		if system == IOS {
			for _, c := range unescaped {
				value = strings.ReplaceAll(value, fmt.Sprintf("%%%02X", c), string(c))
			}
			value = strings.ReplaceAll(value, "+", "%20")
		}
		b.WriteString(value)
	}
	return b.String()
}

// required is a text that the libraries cannot do without: null, missing and empty are an error.
type required string

func (r *required) UnmarshalJSON(text []byte) error {
	var s *string
	if err := json.Unmarshal(text, &s); err != nil {
		return err
	}
	if s == nil || *s == "" {
		return errors.New("a text that the library cannot do without is null or empty")
	}
	*r = required(*s)
	return nil
}

// date is a time as both libraries parse it: whole seconds in UTC, and nothing else.
type date struct{ time.Time }

func (d *date) UnmarshalJSON(text []byte) error {
	s, err := strconv.Unquote(string(text))
	if err != nil {
		return fmt.Errorf("a date is %s", text)
	}
	const layout = "2006-01-02T15:04:05Z"
	if d.Time, err = time.Parse(layout, s); err == nil && d.Format(layout) != s { // Go takes a fraction
		err = fmt.Errorf("the date %s is not whole seconds", s)
	}
	return err
}
