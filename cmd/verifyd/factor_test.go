package main

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/verifyd/verifyd/internal/qr"
)

func TestTheQRCodeOfAFactorIsDrawnBesideARunningServer(t *testing.T) {
	data := t.TempDir()
	p := dev(t, data)
	account, token := p.said("account SID"), p.said("auth token")
	path := "/v2/Services/" + p.said("service SID") + "/Entities/user-7f3a91c2/Factors"
	status, body, _, err := post(t.Context(), p.base, account, token, path, url.Values{"FriendlyName": {"Ann"}, "FactorType": {"totp"}})
	if err != nil || status != 201 {
		t.Fatalf("factor: %d, %v, %v", status, body, err)
	}
	sid, uri := body["sid"].(string), body["binding"].(map[string]any)["uri"].(string)
	picture, err := qr.Encode(uri)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.Get(p.base + "/dev/inbox/factors/" + sid + ".svg")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if svg, err := io.ReadAll(resp.Body); err != nil || string(svg) != picture.SVG() {
		t.Errorf("the inbox shows another picture: %v", err)
	}
	if out, errs, code := once(t, "factor", "qr", "--data", data, "--sid", sid); code != 0 || out != picture.Terminal()+"\n"+uri+"\n" {
		t.Errorf("exit code %d, %s, got\n%s", code, errs, out)
	}
	out, errs, code := once(t, "factor", "qr", "--data", data, "--sid", "YF021122334455667788990011223344aa")
	if code != 1 || out != "" || !strings.Contains(errs, "no totp factor YF02") {
		t.Errorf("of no factor: exit code %d, %q, %q", code, out, errs)
	}
	if _, errs, code := once(t, "factor", "qr", "--data", data); code != 2 || !strings.Contains(errs, "--sid") {
		t.Errorf("without a factor: exit code %d, %q", code, errs)
	}
}
