package factor_test

import (
	"testing"

	"github.com/verifyd/verifyd/internal/verify"
)

func TestEveryRecordOfAJobHasItsService(t *testing.T) {
	w := newWorld(t, verify.ServiceParams{})
	w.hook("factor.created")
	d := w.verifiedHandset(ann)
	c := w.push(d)
	n, err := w.Notify(t.Context(), w.account, w.service, ann, c.SID, nil)
	if err != nil {
		t.Fatal(err)
	}
	for record, want := range map[string]string{
		c.SID:                                w.service,
		n.SID:                                w.service,
		w.told()[0].SID:                      w.service, // verify knows it
		"YC0300000000000000000000000000dead": "",
		"NT00000000000000000000000000000bad": "",
		d.SID:                                "", // no job is about a factor
	} {
		if got, err := w.factors.ServiceOf(t.Context(), record); got != want || err != nil {
			t.Errorf("%s belongs to %q, %v; want %q", record, got, err, want)
		}
	}
}
