package webapi

import (
	"testing"

	"github.com/verifyd/verifyd/provider"
)

func TestWhatIndiasLedgerHas(t *testing.T) {
	for _, c := range []struct {
		told *provider.Regulatory
		want string
	}{
		{&provider.Regulatory{DLTEntity: "1101", DLTTemplate: "1107"}, "1101/1107"},
		{&provider.Regulatory{DLTEntity: "1101"}, "1101/"},
		{nil, "/"},
	} {
		x := moment{m: provider.Message{Regulatory: c.told}}
		if got := values["dlt_entity"](x) + "/" + values["dlt_template"](x); got != c.want {
			t.Errorf("%+v: got %q, want %q", c.told, got, c.want)
		}
	}
}
