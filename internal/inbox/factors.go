package inbox

import (
	"bytes"
	"errors"
	"html/template"
	"net/http"
	"strings"
	"time"

	"github.com/verifyd/verifyd/internal/qr"
)

// Factor is an authenticator app that waits for its first code.
type Factor struct {
	SID       string // YF…
	Identity  string
	Name      string
	URI       string // otpauth://…
	CreatedAt time.Time
}

// ErrNoFactor says that a factor does not wait, or is not there.
var ErrNoFactor = errors.New("inbox: no such factor")

var factorsPage = template.Must(template.ParseFS(assets, "assets/factors.html"))

// getFactors is a page with the QR codes of the factors that wait. It needs no script.
func (in *Inbox) getFactors(w http.ResponseWriter, r *http.Request) error {
	var waiting []Factor
	if in.factors != nil {
		var err error
		if waiting, err = in.factors(r.Context()); err != nil {
			return err
		}
	}
	var b bytes.Buffer
	if err := factorsPage.Execute(&b, waiting); err != nil {
		return err
	}
	write(w, http.StatusOK, "text/html; charset=utf-8", b.Bytes())
	return nil
}

// getFactorPicture is the QR code of one factor. It is a file of its own, because the page's policy
// permits no picture inside it.
func (in *Inbox) getFactorPicture(w http.ResponseWriter, r *http.Request) error {
	sid, isPicture := strings.CutSuffix(r.PathValue("file"), ".svg")
	if !isPicture || in.factor == nil {
		return notFound(r)
	}
	f, err := in.factor(r.Context(), sid)
	if errors.Is(err, ErrNoFactor) {
		return notFound(r)
	}
	if err != nil {
		return err
	}
	picture, err := qr.Encode(f.URI)
	if err != nil {
		return err
	}
	write(w, http.StatusOK, assetTypes[".svg"], []byte(picture.SVG()))
	return nil
}
