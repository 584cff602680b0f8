package httpfar

import (
	"fmt"
	"io"
	"net/http"

	"github.com/verifyd/verifyd/internal/fakecarrier/desk"
	"github.com/verifyd/verifyd/internal/fakecarrier/vendors"
	"github.com/verifyd/verifyd/provider/providertest"
)

// Of are the manners of a vendor of the fake carrier. A request that it would refuse for who sends it, or
// how, fails the test; one that it would refuse for its content is taken, because the exam sends such too.
func Of(api vendors.API) Manners {
	return Manners{
		Read: func(r *http.Request) (providertest.Taken, error) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				return providertest.Taken{}, err
			}
			sent, refusal := api.Read(r, body)
			if refusal != nil && !refusal.Content {
				return providertest.Taken{}, fmt.Errorf("it would answer %d %s %s", refusal.Status, refusal.Code, refusal.Words)
			}
			return providertest.Taken{To: sent.To, Text: sent.Text}, nil
		},
		Accept: func(w http.ResponseWriter, taken providertest.Taken) {
			api.Accept(w, vendors.Sent{To: taken.To, Text: taken.Text}, taken.ID)
		},
		Refuse: func(w http.ResponseWriter, b providertest.Behaviour) {
			refusal := api.Refusals[desk.Answer(b.Class.String())]
			refusal.Words = b.Words
			api.Refuse(w, refusal)
		},
	}
}
