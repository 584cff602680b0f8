package httpsend

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"regexp"
	"strings"

	"github.com/verifyd/verifyd/provider"
)

// maxID is what a column and a log line can hold. A longer identifier is none.
const maxID = 255

// Scalar is a text of a JSON answer that may come as a number: "58" and 58 are one code.
type Scalar string

// UnmarshalJSON never fails, and takes what is neither text nor number as absent: a vendor that
// gives its identifier as a list has still taken the message.
func (s *Scalar) UnmarshalJSON(b []byte) error {
	var text string
	switch {
	case json.Unmarshal(b, &text) == nil:
		*s = Scalar(text)
	case bytes.ContainsAny(b[:1], "-0123456789"):
		*s = Scalar(b)
	}
	return nil
}

// ID is a carrier's identifier, or "" for what is too long or not printable to be one.
func ID(id string) string {
	if len(id) > maxID || strings.ContainsFunc(id, control) {
		return ""
	}
	return id
}

var (
	amount   = regexp.MustCompile(`^[0-9]{1,9}(\.[0-9]{1,9})?$`)
	currency = regexp.MustCompile(`^[A-Z]{3}$`)
)

// Price is all or nothing: an amount without a currency would be added to another's.
func Price(decimal, iso4217 string) provider.Price {
	if !amount.MatchString(decimal) || !currency.MatchString(iso4217) {
		return provider.Price{}
	}
	return provider.Price{Amount: decimal, Currency: iso4217}
}

// JSON writes v without a line break, and without the escapes for web pages that make a body hard
// to read. A v that has no JSON form is a mistake of the program.
func JSON(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// Basic is the value of an Authorization header (RFC 7617).
func Basic(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}
