package api

import (
	"net/http"
	"net/url"
	"strings"
)

// route is one line of the API: a method and a path of which the parts in braces are given to the
// handler by name.
type route struct {
	method  string
	path    string
	handler func(*API, *request) (response, error)
}

// json reports whether the body is JSON and not a form.
func (r route) json() bool { return strings.Contains(r.path, "/Passkeys/") }

// routes is the whole API.
var routes = []route{
	{"POST", "/v2/Services", (*API).createService},
	{"GET", "/v2/Services", (*API).listServices},
	{"GET", "/v2/Services/{Sid}", (*API).fetchService},
	{"POST", "/v2/Services/{Sid}", (*API).updateService},
	{"DELETE", "/v2/Services/{Sid}", (*API).deleteService},

	{"POST", "/v2/Services/{ServiceSid}/Verifications", (*API).createVerification},
	{"GET", "/v2/Services/{ServiceSid}/Verifications/{Sid}", (*API).fetchVerification},
	{"POST", "/v2/Services/{ServiceSid}/Verifications/{Sid}", (*API).updateVerification},

	{"POST", "/v2/Services/{ServiceSid}/VerificationCheck", (*API).createVerificationCheck},

	{"POST", "/v2/Services/{ServiceSid}/RateLimits", (*API).createRateLimit},
	{"GET", "/v2/Services/{ServiceSid}/RateLimits", (*API).listRateLimits},
	{"GET", "/v2/Services/{ServiceSid}/RateLimits/{Sid}", (*API).fetchRateLimit},
	{"POST", "/v2/Services/{ServiceSid}/RateLimits/{Sid}", (*API).updateRateLimit},
	{"DELETE", "/v2/Services/{ServiceSid}/RateLimits/{Sid}", (*API).deleteRateLimit},

	{"POST", "/v2/Services/{ServiceSid}/RateLimits/{RateLimitSid}/Buckets", (*API).createBucket},
	{"GET", "/v2/Services/{ServiceSid}/RateLimits/{RateLimitSid}/Buckets", (*API).listBuckets},
	{"GET", "/v2/Services/{ServiceSid}/RateLimits/{RateLimitSid}/Buckets/{Sid}", (*API).fetchBucket},
	{"POST", "/v2/Services/{ServiceSid}/RateLimits/{RateLimitSid}/Buckets/{Sid}", (*API).updateBucket},
	{"DELETE", "/v2/Services/{ServiceSid}/RateLimits/{RateLimitSid}/Buckets/{Sid}", (*API).deleteBucket},

	{"POST", "/v2/Services/{ServiceSid}/MessagingConfigurations", (*API).createMessagingConfiguration},
	{"GET", "/v2/Services/{ServiceSid}/MessagingConfigurations", (*API).listMessagingConfigurations},
	{"GET", "/v2/Services/{ServiceSid}/MessagingConfigurations/{Country}", (*API).fetchMessagingConfiguration},
	{"POST", "/v2/Services/{ServiceSid}/MessagingConfigurations/{Country}", (*API).updateMessagingConfiguration},
	{"DELETE", "/v2/Services/{ServiceSid}/MessagingConfigurations/{Country}", (*API).deleteMessagingConfiguration},

	{"GET", "/v2/Templates", (*API).listTemplates},

	{"GET", "/v2/Attempts", (*API).listAttempts},
	{"GET", "/v2/Attempts/Summary", (*API).fetchAttemptsSummary}, // before {Sid}, which it would be
	{"GET", "/v2/Attempts/{Sid}", (*API).fetchAttempt},

	{"GET", "/v2/Verifyd/Attempts/{Sid}", (*API).fetchStory},

	{"POST", "/v2/SafeList/Numbers", (*API).createSafeNumber},
	{"GET", "/v2/SafeList/Numbers/{PhoneNumber}", (*API).fetchSafeNumber},
	{"DELETE", "/v2/SafeList/Numbers/{PhoneNumber}", (*API).deleteSafeNumber},

	{"GET", "/v2/Forms/{FormType}", (*API).fetchForm},

	{"GET", "/v2/Verifyd/Geography", (*API).fetchGeography},
	{"POST", "/v2/Verifyd/Geography", (*API).updateGeography},

	// Their bodies are JSON.
	{"POST", "/v2/Services/{ServiceSid}/Passkeys/Factors", (*API).createPasskey},
	{"POST", "/v2/Services/{ServiceSid}/Passkeys/VerifyFactor", (*API).verifyPasskey},
	{"POST", "/v2/Services/{ServiceSid}/Passkeys/Challenges", (*API).challengePasskey},
	{"POST", "/v2/Services/{ServiceSid}/Passkeys/ApproveChallenge", (*API).approvePasskey},
	{"GET", "/v2/Verifyd/Deliveries", (*API).listDeliveries},
	{"GET", "/v2/Verifyd/Deliveries/{Sid}", (*API).fetchDelivery},
	{"POST", "/v2/Verifyd/Deliveries/{Sid}/Resend", (*API).resendDelivery},

	{"POST", "/v2/Services/{ServiceSid}/Webhooks", (*API).createWebhook},
	{"GET", "/v2/Services/{ServiceSid}/Webhooks", (*API).listWebhooks},
	{"GET", "/v2/Services/{ServiceSid}/Webhooks/{Sid}", (*API).fetchWebhook},
	{"POST", "/v2/Services/{ServiceSid}/Webhooks/{Sid}", (*API).updateWebhook},
	{"DELETE", "/v2/Services/{ServiceSid}/Webhooks/{Sid}", (*API).deleteWebhook},

	{"POST", "/v2/Services/{ServiceSid}/Entities", (*API).createEntity},
	{"GET", "/v2/Services/{ServiceSid}/Entities", (*API).listEntities},
	{"GET", "/v2/Services/{ServiceSid}/Entities/{Identity}", (*API).fetchEntity},
	{"DELETE", "/v2/Services/{ServiceSid}/Entities/{Identity}", (*API).deleteEntity},
	{"POST", "/v2/Services/{ServiceSid}/Entities/{Identity}/Factors", (*API).createFactor},
	{"GET", "/v2/Services/{ServiceSid}/Entities/{Identity}/Factors", (*API).listFactors},
	{"GET", "/v2/Services/{ServiceSid}/Entities/{Identity}/Factors/{Sid}", (*API).fetchFactor},
	{"POST", "/v2/Services/{ServiceSid}/Entities/{Identity}/Factors/{Sid}", (*API).updateFactor},
	{"DELETE", "/v2/Services/{ServiceSid}/Entities/{Identity}/Factors/{Sid}", (*API).deleteFactor},
	{"POST", "/v2/Services/{ServiceSid}/Entities/{Identity}/Challenges", (*API).createChallenge},
	{"GET", "/v2/Services/{ServiceSid}/Entities/{Identity}/Challenges", (*API).listChallenges},
	{"GET", "/v2/Services/{ServiceSid}/Entities/{Identity}/Challenges/{Sid}", (*API).fetchChallenge},
	{"POST", "/v2/Services/{ServiceSid}/Entities/{Identity}/Challenges/{Sid}", (*API).updateChallenge},
	{"POST", "/v2/Services/{ServiceSid}/Entities/{Identity}/Challenges/{ChallengeSid}/Notifications", (*API).createNotification},

	{"POST", "/v2/Services/{ServiceSid}/AccessTokens", (*API).createAccessToken},
	{"GET", "/v2/Services/{ServiceSid}/AccessTokens/{Sid}", (*API).fetchAccessToken},
}

// table finds routes. It matches the path as it was sent, part by part, and never redirects: a
// POST that is redirected loses its body, and %2B34… must stay one part.
type table struct {
	routes []parsedRoute
}

type parsedRoute struct {
	route
	parts []string
}

func newTable(routes []route) table {
	var t table
	for _, r := range routes {
		t.routes = append(t.routes, parsedRoute{r, strings.Split(r.path[1:], "/")})
	}
	return t
}

// find looks a request up. found is false if no route has the path; if one has it, but not the
// method, allow lists those that do.
func (t table) find(r *http.Request) (hit *parsedRoute, vars pathVars, allow []string, found bool) {
	path := r.URL.EscapedPath()
	if path == "" || path[0] != '/' {
		return nil, nil, nil, false
	}
	parts := strings.Split(path[1:], "/")
	for i := range t.routes {
		candidate := &t.routes[i]
		got, ok := candidate.match(parts)
		if !ok {
			continue
		}
		if candidate.method == r.Method {
			return candidate, got, nil, true
		}
		allow = append(allow, candidate.method)
	}
	return nil, nil, allow, len(allow) > 0
}

func (r *parsedRoute) match(parts []string) (pathVars, bool) {
	if len(parts) != len(r.parts) {
		return nil, false
	}
	var vars pathVars
	for i, want := range r.parts {
		if want[0] != '{' {
			if parts[i] != want {
				return nil, false
			}
			continue
		}
		value, err := url.PathUnescape(parts[i])
		if err != nil || value == "" || !validText(value) {
			return nil, false
		}
		vars = append(vars, pathVar{want[1 : len(want)-1], value})
	}
	return vars, true
}

// pathVars are the parts of a path that have a name.
type pathVars []pathVar

type pathVar struct{ name, value string }

func (vars pathVars) get(name string) string {
	for _, v := range vars {
		if v.name == name {
			return v.value
		}
	}
	return ""
}
