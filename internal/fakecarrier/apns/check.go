package apns

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/verifyd/verifyd/internal/fakecarrier/jwt"
)

const (
	maxPayload    = 4096 // bytes
	maxCollapseID = 64   // bytes
	// maxAge is how old a provider token may be.
	maxAge = time.Hour
	// minAge is how long a provider token is to be used before the next one.
	minAge = 20 * time.Minute
	// skew is how far a sender's clock may run ahead.
	skew = 5 * time.Second
)

var (
	handset = regexp.MustCompile(`^[0-9a-fA-F]{64,200}$`)
	uuid    = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)
	number  = regexp.MustCompile(`^[0-9]{1,10}$`)
	bundle  = regexp.MustCompile(`^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$`)
)

var pushTypes = []string{"alert", "background", "complication", "controls", "fileprovider", "liveactivity",
	"location", "mdm", "pushtotalk", "voip", "widgets"}

// check judges a request. What it returns of a notification beside a refusal is what the answer
// needs.
func (s *Server) check(r *http.Request, payload []byte) (Notification, *Refusal) {
	h := r.Header
	token, isDevice := strings.CutPrefix(r.URL.Path, "/3/device/")
	n := Notification{
		ID: h.Get("Apns-Id"), Token: token, Topic: h.Get("Apns-Topic"), PushType: h.Get("Apns-Push-Type"),
		Priority: h.Get("Apns-Priority"), Expiration: h.Get("Apns-Expiration"), CollapseID: h.Get("Apns-Collapse-Id"),
		Payload: payload,
	}
	if n.ID != "" && !uuid.MatchString(n.ID) {
		n.ID = ""
		return n, bad("BadMessageId")
	}
	for name, values := range h {
		if strings.HasPrefix(name, "Apns-") && len(values) > 1 {
			return n, bad("DuplicateHeaders")
		}
	}
	switch {
	case !isDevice:
		return n, &Refusal{HTTP: http.StatusNotFound, Reason: "BadPath"}
	case r.Method != http.MethodPost:
		return n, &Refusal{HTTP: http.StatusMethodNotAllowed, Reason: "MethodNotAllowed"}
	}
	if refusal := s.provider(h.Get("Authorization")); refusal != nil {
		return n, refusal
	}
	switch {
	case n.Topic == "":
		return n, bad("MissingTopic")
	case !bundle.MatchString(n.Topic):
		return n, bad("BadTopic")
	case s.topics != nil && !slices.Contains(s.topics, n.Topic):
		return n, bad("TopicDisallowed")
	case !slices.Contains(pushTypes, n.PushType):
		return n, bad("InvalidPushType")
	case n.Priority != "" && n.Priority != "1" && n.Priority != "5" && n.Priority != "10":
		return n, bad("BadPriority")
	case n.Expiration != "" && !number.MatchString(n.Expiration):
		return n, bad("BadExpirationDate")
	case len(n.CollapseID) > maxCollapseID:
		return n, bad("BadCollapseId")
	case token == "":
		return n, bad("MissingDeviceToken")
	case !handset.MatchString(token) || len(token)%2 != 0:
		return n, &BadDeviceToken
	case len(payload) > maxPayload:
		return n, &Refusal{HTTP: http.StatusRequestEntityTooLarge, Reason: "PayloadTooLarge"}
	case !hasAPS(payload):
		return n, bad("PayloadEmpty")
	}
	return n, nil
}

// hasAPS says that a payload is an object in which aps is one.
func hasAPS(payload []byte) bool {
	var p struct {
		APS map[string]json.RawMessage `json:"aps"`
	}
	return json.Unmarshal(payload, &p) == nil && len(p.APS) > 0
}

// provider judges who sends.
func (s *Server) provider(authorization string) *Refusal {
	scheme, compact, _ := strings.Cut(authorization, " ")
	if !strings.EqualFold(scheme, "bearer") || compact == "" {
		return &MissingProviderToken
	}
	token, err := jwt.Parse(compact)
	if err != nil || token.Header.Kid != s.keyID || !token.SignedES256(&s.key.PublicKey) {
		return &InvalidProviderToken
	}
	var c struct {
		Iss string `json:"iss"`
		Iat int64  `json:"iat"`
	}
	now := s.now()
	switch {
	case json.Unmarshal(token.Claims, &c) != nil, c.Iss != s.team, time.Unix(c.Iat, 0).After(now.Add(skew)):
		return &InvalidProviderToken
	case now.Sub(time.Unix(c.Iat, 0)) > maxAge:
		return &ExpiredProviderToken
	}
	return s.update(c.Iat)
}

// update refuses tokens that follow each other too closely. It goes by what the tokens say of
// themselves, so that many senders with one rhythm do not disturb each other.
func (s *Server) update(iat int64) *Refusal {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.iats = slices.DeleteFunc(s.iats, func(known int64) bool { return s.now().Sub(time.Unix(known, 0)) > 2*maxAge })
	for _, known := range s.iats {
		if known != iat && time.Duration(max(iat-known, known-iat))*time.Second < minAge {
			return &TooManyProviderTokenUpdates
		}
	}
	if !slices.Contains(s.iats, iat) {
		s.iats = append(s.iats, iat)
	}
	return nil
}
