package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/verifyd/verifyd/internal/factor"
	"github.com/verifyd/verifyd/internal/qr"
	"github.com/verifyd/verifyd/internal/verify"
)

// runFactorQR draws what the API shows once, for a person who scans it from a terminal.
func runFactorQR(ctx context.Context, args []string, sys system) error {
	flags, path := configFlags("factor qr")
	factorSID := flags.String("sid", "", "the `SID` of the factor, YF…")
	data := dataFlag(flags)
	if err := parse(flags, args, sys); err != nil {
		return err
	}
	if *factorSID == "" {
		fmt.Fprintln(sys.stderr, "verifyd factor qr: name the factor with --sid; see verifyd factor qr --help")
		return errUsage
	}
	return withData(ctx, *data, *path, sys, func(e *verify.Engine) error {
		f, err := factor.NewEngine(e).Enrolment(ctx, *factorSID)
		if errors.Is(err, verify.ErrNotFound) {
			return fmt.Errorf("no totp factor %s waits to be verified: the secret of a verified one is not shown again", *factorSID)
		}
		if err != nil {
			return err
		}
		picture, err := qr.Encode(f.TOTP.URI)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(sys.stdout, "%s\n%s\n", picture.Terminal(), f.TOTP.URI)
		return err
	})
}
