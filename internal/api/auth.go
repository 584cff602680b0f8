package api

import (
	"context"
	"net/http"
	"strings"

	"github.com/verifyd/verifyd/internal/factor"
	"github.com/verifyd/verifyd/internal/sid"
	"github.com/verifyd/verifyd/internal/verify"
)

// caller is who makes a request: an account, a device that has an access token, or a device that signs
// with the key of its factor.
type caller struct {
	account string // SID of the account that the call is in
	token   bool   // the caller has the account's token, and not a key
	grant   *factor.Grant
	device  *factor.Device
}

// deviceUser is the user name of devices (factors reference, section 4.2).
const deviceUser = "token"

// authenticate finds out who calls. An access token has five parts, and what a device signs has three.
func (a *API) authenticate(ctx context.Context, r *http.Request) (c caller, err error) {
	user, password, _ := r.BasicAuth()
	if user != deviceUser {
		c.account, err = a.engine.Authenticate(ctx, user, password)
		c.token = strings.HasPrefix(user, sid.Account)
		return c, err
	}
	if strings.Count(password, ".") == 4 {
		if c.grant, err = a.factors.AuthenticateGrant(password); err == nil {
			c.account = c.grant.AccountSID
		}
		return c, err
	}
	if c.device, err = a.factors.AuthenticateDevice(ctx, password); err == nil {
		c.account = c.device.AccountSID
	}
	return c, err
}

// forDevices are the routes that a device may call; everything else is for accounts alone. Android asks
// for its service.
var forDevices = map[string]bool{
	"GET /v2/Services/{Sid}": true,
	"POST /v2/Services/{ServiceSid}/Entities/{Identity}/Factors/{Sid}":    true,
	"DELETE /v2/Services/{ServiceSid}/Entities/{Identity}/Factors/{Sid}":  true,
	"GET /v2/Services/{ServiceSid}/Entities/{Identity}/Challenges":        true,
	"GET /v2/Services/{ServiceSid}/Entities/{Identity}/Challenges/{Sid}":  true,
	"POST /v2/Services/{ServiceSid}/Entities/{Identity}/Challenges/{Sid}": true,
}

// forGrants is the one route that an access token opens.
const forGrants = "POST /v2/Services/{ServiceSid}/Entities/{Identity}/Factors"

// admit refuses a caller what is not for it: a route with 401, and what belongs to another factor as if
// it were not there.
func (a *API) admit(ctx context.Context, c caller, hit *parsedRoute, vars pathVars) error {
	name := hit.method + " " + hit.path
	switch {
	case c.grant != nil && name != forGrants, c.device != nil && !forDevices[name]:
		return &verify.Error{Code: verify.CodeUnauthorized}
	case c.device == nil:
		return nil
	}
	d := c.device
	own := true
	for _, v := range vars {
		switch {
		case v.name == "ServiceSid", hit.path == "/v2/Services/{Sid}":
			own = own && v.value == d.ServiceSID
		case v.name == "Identity":
			own = own && strings.EqualFold(v.value, d.Identity)
		case strings.HasSuffix(hit.path, "/Factors/{Sid}"):
			own = own && v.value == d.FactorSID
		case own: // a challenge, which never changes its factor
			challenge, err := a.factors.Challenge(ctx, d.AccountSID, d.ServiceSID, d.Identity, v.value)
			if err != nil {
				return err
			}
			own = challenge.FactorSID == d.FactorSID
		}
	}
	if !own {
		return &verify.Error{Code: verify.CodeNotFound}
	}
	return nil
}
