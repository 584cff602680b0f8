//go:build full

package otp_test

import (
	"encoding/hex"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/verifyd/verifyd/internal/otp"
)

// oathtool is another implementation, with which many people log in. Of the digits it has 6 to 8.
func TestOathtoolComputesTheSameCodes(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		o := otp.TOTP{
			Hash:   rapid.SampledFrom(otp.Hashes()).Draw(rt, "hash"),
			Step:   time.Duration(rapid.IntRange(20, 60).Draw(rt, "step")) * time.Second,
			Digits: rapid.IntRange(6, 8).Draw(rt, "digits"),
		}
		secret := rapid.SliceOfN(rapid.Byte(), 10, 64).Draw(rt, "secret")
		at := time.Unix(rapid.Int64Range(0, 1<<33).Draw(rt, "time"), 0)
		out, err := exec.Command("oathtool", "--totp="+o.Hash, "--digits", strconv.Itoa(o.Digits),
			"--time-step-size", fmt.Sprintf("%ds", int(o.Step.Seconds())), "--now", at.UTC().Format("2006-01-02 15:04:05 UTC"),
			hex.EncodeToString(secret)).Output()
		if err != nil {
			rt.Fatalf("oathtool: %v (`make tools` installs it)", err)
		}
		if got, want := o.Code(secret, at), strings.TrimSpace(string(out)); got != want {
			rt.Errorf("%+v at %s: got %s, oathtool says %s", o, at, got, want)
		}
	})
}
