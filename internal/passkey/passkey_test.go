package passkey_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/verifyd/verifyd/internal/passkey"
	"github.com/verifyd/verifyd/internal/passkey/passkeytest"
)

const (
	site   = "example.test"
	origin = "https://example.test"
	asked  = "YF04c0ffee00112233445566778899aabb"
	user   = "YE0a1b2c3d4e5f60718293a4b5c6d7e8f9"
)

var want = passkey.Wanted{
	Challenge:    asked,
	Site:         site,
	Origins:      []string{"https://login.example.test", origin, "android:apk-key-hash:abc"},
	VerifiedUser: true,
}

func encode(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

// part is the part that an answer was refused for, 0 if it was taken.
func part(t *testing.T, err error) passkey.Part {
	t.Helper()
	if err == nil {
		return 0
	}
	refused, ok := errors.AsType[*passkey.Error](err)
	if !ok {
		t.Fatalf("%v is no *passkey.Error", err)
	}
	return refused.Part
}

func register(answer passkey.RegistrationJSON, want passkey.Wanted) (passkey.Key, error) {
	r, err := passkey.ReadRegistration(answer)
	if err != nil {
		return passkey.Key{}, err
	}
	return r.Check(want)
}

func prove(answer passkey.ProofJSON, want passkey.Wanted, key passkey.Key) (passkey.Key, error) {
	p, err := passkey.ReadProof(answer)
	if err != nil {
		return passkey.Key{}, err
	}
	return p.Check(want, key)
}

func TestRegistrations(t *testing.T) {
	for name, c := range map[string]struct {
		before func(*passkeytest.Authenticator)
		after  func(*passkeytest.Authenticator, passkeytest.Answer)
		want   passkey.Part
	}{
		"as browsers send it": {},
		"in hexadecimal": {after: func(a *passkeytest.Authenticator, x passkeytest.Answer) {
			x["rawId"] = hex.EncodeToString(a.ID)
		}},
		"padded": {after: func(a *passkeytest.Authenticator, x passkeytest.Answer) {
			x["id"] = base64.URLEncoding.EncodeToString(a.ID)
		}},
		"no attachment": {after: func(_ *passkeytest.Authenticator, x passkeytest.Answer) { delete(x, "authenticatorAttachment") }},
		"twilio-go": {after: func(_ *passkeytest.Authenticator, x passkeytest.Answer) {
			x["authenticatorAttachment"], x["type"] = "", nil
		}},
		"an application": {before: func(a *passkeytest.Authenticator) {
			a.Origin = "android:apk-key-hash:abc"
		}},
		"a statement of a maker": {after: func(a *passkeytest.Authenticator, x passkeytest.Answer) {
			x.Response()["attestationObject"] = passkey.Encode(passkeytest.Attestation("packed", a.Attested(a.PublicKey())))
		}},

		"no id":         {after: func(_ *passkeytest.Authenticator, x passkeytest.Answer) { delete(x, "id") }, want: passkey.PartID},
		"id not base64": {after: func(_ *passkeytest.Authenticator, x passkeytest.Answer) { x["id"] = "a b" }, want: passkey.PartID},
		"id too long": {after: func(_ *passkeytest.Authenticator, x passkeytest.Answer) {
			x["id"] = encode(strings.Repeat("x", 1024))
		}, want: passkey.PartID},
		"no raw id":      {after: func(_ *passkeytest.Authenticator, x passkeytest.Answer) { delete(x, "rawId") }, want: passkey.PartRawID},
		"another raw id": {after: func(_ *passkeytest.Authenticator, x passkeytest.Answer) { x["rawId"] = encode("another") }, want: passkey.PartRawID},
		"attachment":     {after: func(_ *passkeytest.Authenticator, x passkeytest.Answer) { x["authenticatorAttachment"] = "usb" }, want: passkey.PartAttachment},
		"type":           {after: func(_ *passkeytest.Authenticator, x passkeytest.Answer) { x["type"] = "password" }, want: passkey.PartResponse},
		"no response":    {after: func(_ *passkeytest.Authenticator, x passkeytest.Answer) { delete(x, "response") }, want: passkey.PartClientData},
		"client data is no JSON": {after: func(_ *passkeytest.Authenticator, x passkeytest.Answer) {
			x.Response()["clientDataJSON"] = encode("{")
		}, want: passkey.PartClientData},
		"a proof": {after: func(a *passkeytest.Authenticator, x passkeytest.Answer) {
			x.Response()["clientDataJSON"] = passkey.Encode(a.ClientData("webauthn.get", encode(asked)))
		}, want: passkey.PartClientData},
		"another challenge": {after: func(a *passkeytest.Authenticator, x passkeytest.Answer) {
			x.Response()["clientDataJSON"] = passkey.Encode(a.ClientData("webauthn.create", encode(asked+"0")))
		}, want: passkey.PartClientData},
		"another origin":     {before: func(a *passkeytest.Authenticator) { a.Origin = "https://evil.test" }, want: passkey.PartClientData},
		"another port":       {before: func(a *passkeytest.Authenticator) { a.Origin = origin + ":8443" }, want: passkey.PartClientData},
		"a site below":       {before: func(a *passkeytest.Authenticator) { a.Origin = "https://a.example.test" }, want: passkey.PartClientData},
		"no TLS":             {before: func(a *passkeytest.Authenticator) { a.Origin = "http://example.test" }, want: passkey.PartClientData},
		"another app":        {before: func(a *passkeytest.Authenticator) { a.Origin = "android:apk-key-hash:ABC" }, want: passkey.PartClientData},
		"in a foreign frame": {before: func(a *passkeytest.Authenticator) { a.CrossOf = true }, want: passkey.PartClientData},
		"no attestation": {after: func(_ *passkeytest.Authenticator, x passkeytest.Answer) {
			delete(x.Response(), "attestationObject")
		}, want: passkey.PartAttestation},
		"no CBOR": {after: func(_ *passkeytest.Authenticator, x passkeytest.Answer) {
			x.Response()["attestationObject"] = encode("text")
		}, want: passkey.PartAttestation},
		"no format": {after: func(a *passkeytest.Authenticator, x passkeytest.Answer) {
			x.Response()["attestationObject"] = passkey.Encode(passkeytest.Attestation("", a.Attested(a.PublicKey())))
		}, want: passkey.PartAttestation},
		"short data": {after: func(a *passkeytest.Authenticator, x passkeytest.Answer) {
			x.Response()["attestationObject"] = passkey.Encode(passkeytest.Attestation("none", a.Unattested()[:36]))
		}, want: passkey.PartAuthenticatorData},
		"no credential": {after: func(a *passkeytest.Authenticator, x passkeytest.Answer) {
			x.Response()["attestationObject"] = passkey.Encode(passkeytest.Attestation("none", a.Unattested()))
		}, want: passkey.PartAttestedCredential},
		"bytes behind the key": {after: func(a *passkeytest.Authenticator, x passkeytest.Answer) {
			x.Response()["attestationObject"] = passkey.Encode(passkeytest.Attestation("none", append(a.Attested(a.PublicKey()), 0)))
		}, want: passkey.PartAttestedCredential},
		"another credential": {after: func(a *passkeytest.Authenticator, x passkeytest.Answer) {
			x["id"], x["rawId"] = encode("another"), encode("another")
		}, want: passkey.PartAttestedCredential},
		"another site":    {before: func(a *passkeytest.Authenticator) { a.Site = "evil.test" }, want: passkey.PartRelyingParty},
		"nobody there":    {before: func(a *passkeytest.Authenticator) { a.Flags = passkeytest.Verified }, want: passkey.PartAuthenticatorData},
		"nobody verified": {before: func(a *passkeytest.Authenticator) { a.Flags = passkeytest.Present }, want: passkey.PartAuthenticatorData},
		"copied, not copyable": {before: func(a *passkeytest.Authenticator) {
			a.Flags |= passkeytest.Copied
		}, want: passkey.PartAuthenticatorData},
		"a key that is no point": {after: func(a *passkeytest.Authenticator, x passkeytest.Answer) {
			key := a.PublicKey()
			key[len(key)-1] ^= 1
			x.Response()["attestationObject"] = passkey.Encode(passkeytest.Attestation("none", a.Attested(key)))
		}, want: passkey.PartPublicKey},
		"an Ed25519 key": {after: func(a *passkeytest.Authenticator, x passkeytest.Answer) {
			key := append([]byte{0xa4, 1, 1, 3, 0x27, 0x20, 6, 0x21, 0x58, 32}, make([]byte, 32)...)
			x.Response()["attestationObject"] = passkey.Encode(passkeytest.Attestation("none", a.Attested(key)))
		}, want: passkey.PartPublicKey},
	} {
		t.Run(name, func(t *testing.T) {
			a := passkeytest.New(site, origin)
			if c.before != nil {
				c.before(a)
			}
			answer := a.Register(encode(asked), encode(user))
			if c.after != nil {
				c.after(a, answer)
			}
			key, err := register(passkeytest.Read[passkey.RegistrationJSON](answer), want)
			if got := part(t, err); got != c.want {
				t.Fatalf("refused for %d (%v), want %d", got, err, c.want)
			}
			if err != nil {
				return
			}
			if diff := cmp.Diff(passkey.Key{ID: a.ID, Public: a.PublicKey(), Transports: []string{"internal"}}, key); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Whatever is cut off an attestation, there is a part to blame and no key.
func TestTruncatedAttestations(t *testing.T) {
	a := passkeytest.New(site, origin)
	whole := passkeytest.Attestation("none", a.Attested(a.PublicKey()))
	for n := range whole {
		answer := a.Register(encode(asked), encode(user))
		answer.Response()["attestationObject"] = passkey.Encode(whole[:n])
		if _, err := register(passkeytest.Read[passkey.RegistrationJSON](answer), want); part(t, err) != passkey.PartAttestation {
			t.Errorf("%d of %d bytes: %v", n, len(whole), err)
		}
	}
	data := a.Attested(a.PublicKey())
	for n := range data {
		answer := a.Register(encode(asked), encode(user))
		answer.Response()["attestationObject"] = passkey.Encode(passkeytest.Attestation("none", data[:n]))
		blamed := passkey.PartAttestedCredential
		if n < sha256.Size+5 {
			blamed = passkey.PartAuthenticatorData
		}
		if _, err := register(passkeytest.Read[passkey.RegistrationJSON](answer), want); part(t, err) != blamed {
			t.Errorf("data of %d of %d bytes: %v", n, len(data), err)
		}
	}
}

func TestProofs(t *testing.T) {
	for name, c := range map[string]struct {
		before func(*passkeytest.Authenticator)
		after  func(*passkeytest.Authenticator, passkeytest.Answer)
		had    uint32
		want   passkey.Part
	}{
		"as browsers send it":    {},
		"the count has grown":    {before: func(a *passkeytest.Authenticator) { a.Count = 8 }, had: 7},
		"the first count":        {before: func(a *passkeytest.Authenticator) { a.Count = 1 }},
		"it became a copied one": {before: func(a *passkeytest.Authenticator) { a.Flags |= passkeytest.Copyable | passkeytest.Copied }},
		"no user": {after: func(_ *passkeytest.Authenticator, x passkeytest.Answer) {
			x.Response()["userHandle"] = nil
		}},

		"the count stands": {before: func(a *passkeytest.Authenticator) { a.Count = 7 }, had: 7, want: passkey.PartAuthenticatorData},
		"the count falls":  {before: func(a *passkeytest.Authenticator) { a.Count = 6 }, had: 7, want: passkey.PartAuthenticatorData},
		"the count ends":   {had: 7, want: passkey.PartAuthenticatorData},
		"a registration": {after: func(a *passkeytest.Authenticator, x passkeytest.Answer) {
			x.Response()["clientDataJSON"] = passkey.Encode(a.ClientData("webauthn.create", encode(asked)))
		}, want: passkey.PartClientData},
		"another challenge": {after: func(a *passkeytest.Authenticator, x passkeytest.Answer) {
			maps.Copy(x, a.Prove(encode(asked+"0")))
		}, want: passkey.PartClientData},
		"another origin":  {before: func(a *passkeytest.Authenticator) { a.Origin = "https://evil.test" }, want: passkey.PartClientData},
		"another site":    {before: func(a *passkeytest.Authenticator) { a.Site = "evil.test" }, want: passkey.PartRelyingParty},
		"nobody there":    {before: func(a *passkeytest.Authenticator) { a.Flags = passkeytest.Verified }, want: passkey.PartAuthenticatorData},
		"nobody verified": {before: func(a *passkeytest.Authenticator) { a.Flags = passkeytest.Present }, want: passkey.PartAuthenticatorData},
		"no data": {after: func(_ *passkeytest.Authenticator, x passkeytest.Answer) {
			delete(x.Response(), "authenticatorData")
		}, want: passkey.PartAuthenticatorData},
		"other data": {after: func(a *passkeytest.Authenticator, x passkeytest.Answer) {
			a.Count = 9
			x.Response()["authenticatorData"] = passkey.Encode(a.Unattested())
		}, want: passkey.PartSignature},
		"other client data": {after: func(a *passkeytest.Authenticator, x passkeytest.Answer) {
			a.Origin = "https://login.example.test"
			x.Response()["clientDataJSON"] = passkey.Encode(a.ClientData("webauthn.get", encode(asked)))
		}, want: passkey.PartSignature},
		"no signature": {after: func(_ *passkeytest.Authenticator, x passkeytest.Answer) {
			delete(x.Response(), "signature")
		}, want: passkey.PartSignature},
		"a signature that is none": {after: func(_ *passkeytest.Authenticator, x passkeytest.Answer) {
			x.Response()["signature"] = encode("text")
		}, want: passkey.PartSignature},
		"the signature of another": {after: func(_ *passkeytest.Authenticator, x passkeytest.Answer) {
			x.Response()["signature"] = passkeytest.New(site, origin).Prove(encode(asked)).Response()["signature"]
		}, want: passkey.PartSignature},
		"a user that is not base64url": {after: func(_ *passkeytest.Authenticator, x passkeytest.Answer) {
			x.Response()["userHandle"] = "a b"
		}, want: passkey.PartResponse},
	} {
		t.Run(name, func(t *testing.T) {
			a := passkeytest.New(site, origin)
			key, err := register(passkeytest.Read[passkey.RegistrationJSON](a.Register(encode(asked), encode(user))), want)
			if err != nil {
				t.Fatal(err)
			}
			key.Count = c.had
			if c.before != nil {
				c.before(a)
			}
			answer := a.Prove(encode(asked))
			if c.after != nil {
				c.after(a, answer)
			}
			next, err := prove(passkeytest.Read[passkey.ProofJSON](answer), want, key)
			if got := part(t, err); got != c.want {
				t.Fatalf("refused for %d (%v), want %d", got, err, c.want)
			}
			if err != nil {
				return
			}
			key.Count, key.Copyable, key.Copied = a.Count, a.Flags&passkeytest.Copyable != 0, a.Flags&passkeytest.Copied != 0
			if diff := cmp.Diff(key, next); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// The samples of the factors reference, section 12.6, were not made by our authenticator.
func TestSamples(t *testing.T) {
	registration := `{"id":"EBESExQVFhcYGRobHB0eHw","rawId":"101112131415161718191a1b1c1d1e1f","authenticatorAttachment":"platform","type":"public-key","response":{"transports":["internal"],
		"clientDataJSON":"eyJ0eXBlIjoid2ViYXV0aG4uY3JlYXRlIiwiY2hhbGxlbmdlIjoiV1VZd05HTXdabVpsWlRBd01URXlNak16TkRRMU5UWTJOemM0T0RrNVlXRmlZZyIsIm9yaWdpbiI6Imh0dHBzOi8vZXhhbXBsZS50ZXN0IiwiY3Jvc3NPcmlnaW4iOmZhbHNlfQ",
		"attestationObject":"o2NmbXRkbm9uZWdhdHRTdG10oGhhdXRoRGF0YViUmyY_vLWJhTE3sz3cr6W8xUA0ZOrU2nZtD4GTSL-NRyxFAAAAAAAAAAAAAAAAAAAAAAAAAAAAEBAREhMUFRYXGBkaGxwdHh-lAQIDJiABIVgg_ejCvyCxgS_IRnLgNnYwocNIfoOlLcaL03SWh2fzLTsiWCDJxtLUY-TsIruMMsNCsWZ_soRlAU6AslTm-EliqheEIg"}}`
	proof := `{"id":"EBESExQVFhcYGRobHB0eHw","rawId":"EBESExQVFhcYGRobHB0eHw","authenticatorAttachment":"platform","type":"public-key","response":{
		"clientDataJSON":"eyJ0eXBlIjoid2ViYXV0aG4uZ2V0IiwiY2hhbGxlbmdlIjoiV1VNd05EUXdOREUwTWpRek5EUTBOVFEyTkRjME9EUTVOVEExTVRVeVptWmxaUSIsIm9yaWdpbiI6Imh0dHBzOi8vZXhhbXBsZS50ZXN0IiwiY3Jvc3NPcmlnaW4iOmZhbHNlfQ",
		"authenticatorData":"myY_vLWJhTE3sz3cr6W8xUA0ZOrU2nZtD4GTSL-NRywFAAAAAQ","userHandle":"WUUwYTFiMmMzZDRlNWY2MDcxODI5M2E0YjVjNmQ3ZThmOQ",
		"signature":"MEQCIB2osD2LE9q5UaYF0qtiujn20itm6pk3UpSpTya77RcSAiB7-NwAudrPb_kZ56c9efte91cpkjHdtxsV4xi3ezswSg"}}`
	var made passkey.RegistrationJSON
	var proven passkey.ProofJSON
	if err := errors.Join(json.Unmarshal([]byte(registration), &made), json.Unmarshal([]byte(proof), &proven)); err != nil {
		t.Fatal(err)
	}
	key, err := register(made, want)
	if err != nil {
		t.Fatal(err)
	}
	p, err := passkey.ReadProof(proven)
	if err != nil {
		t.Fatal(err)
	}
	if p.User != user || p.Challenge() != "YC0440414243444546474849505152ffee" {
		t.Errorf("user %q, challenge %q", p.User, p.Challenge())
	}
	login := want
	login.Challenge = p.Challenge()
	next, err := p.Check(login, key)
	if err != nil || next.Count != 1 {
		t.Errorf("%+v, %v", next, err)
	}
	if _, err := p.Check(login, next); part(t, err) != passkey.PartAuthenticatorData {
		t.Errorf("once more: %v", err)
	}
}

// Whatever is sent, there is a key or an *Error.
func FuzzRegistration(f *testing.F) {
	f.Add(passkeytest.New(site, origin).Register(encode(asked), encode(user)).JSON())
	f.Add([]byte(`{"id":"AA","rawId":"00","response":{"clientDataJSON":"e30","attestationObject":"oA"}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var answer passkey.RegistrationJSON
		if json.Unmarshal(body, &answer) != nil {
			return // refused before
		}
		r, err := passkey.ReadRegistration(answer)
		if err == nil {
			w := want
			w.Challenge = r.Challenge()
			var key passkey.Key
			key, err = r.Check(w)
			if err == nil && (len(key.ID) == 0 || len(key.ID) > 1023 || len(key.Public) == 0) {
				t.Errorf("key %+v", key)
			}
		}
		part(t, err)
	})
}

// Nothing but the answer of the key is a proof.
func FuzzProof(f *testing.F) {
	a := passkeytest.New(site, origin)
	key, err := register(passkeytest.Read[passkey.RegistrationJSON](a.Register(encode(asked), encode(user))), want)
	if err != nil {
		f.Fatal(err)
	}
	a.Flags = passkeytest.Present // so that a seed is refused, and whatever is taken is forged
	f.Add(a.Prove(encode(asked)).JSON())
	f.Fuzz(func(t *testing.T, body []byte) {
		var answer passkey.ProofJSON
		if json.Unmarshal(body, &answer) != nil {
			return // refused before
		}
		if _, err := prove(answer, want, key); part(t, err) == 0 {
			t.Errorf("a forged proof: %s", body)
		}
	})
}

// What is behind the JSON and the base64url is fuzzed without them.
func FuzzAttestation(f *testing.F) {
	a := passkeytest.New(site, origin)
	f.Add(passkeytest.Attestation("none", a.Attested(a.PublicKey())))
	f.Fuzz(func(t *testing.T, object []byte) {
		answer := a.Register(encode(asked), encode(user))
		answer.Response()["attestationObject"] = passkey.Encode(object)
		_, err := register(passkeytest.Read[passkey.RegistrationJSON](answer), want)
		part(t, err)
	})
}
