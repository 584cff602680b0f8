package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/verifyd/verifyd/internal/intercept"
)

func runCAPath(_ context.Context, args []string, sys system) error {
	a, err := openCA("ca path", args, sys)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(sys.stdout, a.Path())
	return err
}

func runCAInstall(ctx context.Context, args []string, sys system) error {
	a, err := openCA("ca install", args, sys)
	if err != nil {
		return err
	}
	where, err := intercept.TrustStore{}.Install(ctx, a)
	if err != nil {
		return asRoot(err, "ca install", args)
	}
	_, err = fmt.Fprintf(sys.stdout, "installed in %s: programs of this machine believe verifyd that it is verify.twilio.com\n", where)
	return err
}

func runCAUninstall(ctx context.Context, args []string, sys system) error {
	a, err := openCA("ca uninstall", args, sys)
	if err != nil {
		return err
	}
	where, err := intercept.TrustStore{}.Uninstall(ctx, a)
	if err != nil {
		return asRoot(err, "ca uninstall", args)
	}
	_, err = fmt.Fprintln(sys.stdout, "removed from", where)
	return err
}

// openCA opens the certificate authority of a data folder, and makes it where there is none.
func openCA(name string, args []string, sys system) (*intercept.Authority, error) {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	data := flags.String("data", defaultData(sys.getenv), "the data `folder` of the verifyd dev")
	if err := parse(flags, args, sys); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(*data, 0o700); err != nil {
		return nil, err
	}
	return intercept.OpenAuthority(*data, time.Now)
}

// asRoot says how to repeat a command that may not change the system.
func asRoot(err error, name string, args []string) error {
	if !errors.Is(err, fs.ErrPermission) {
		return err
	}
	return fmt.Errorf("%w; it has to be done as root: sudo --preserve-env=HOME,XDG_DATA_HOME verifyd %s", err, strings.TrimSpace(name+" "+strings.Join(args, " ")))
}
