package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/verifyd/verifyd/internal/verify"
)

func runGeoList(ctx context.Context, args []string, sys system) error {
	flags := newStoreFlags("geo list")
	if err := parse(flags.FlagSet, args, sys); err != nil {
		return err
	}
	return flags.run(ctx, sys, func(e *verify.Engine, owner string) error {
		g, err := e.Geography(ctx, owner)
		if err != nil {
			return err
		}
		printGeography(sys.stdout, g)
		return nil
	})
}

// changeGeography is the command that gives countries a permission.
func changeGeography(permission string) func(context.Context, []string, system) error {
	return func(ctx context.Context, args []string, sys system) error {
		flags := newStoreFlags("geo " + permission)
		countries := flags.String("countries", "", "the `countries`, as ISO 3166-1 codes: ES,FR; or all")
		channels := flags.String("channels", "", "for these `channels` alone: sms, call, whatsapp, rcs")
		service := flags.String("service", "", "for the service with this `SID` alone")
		if err := parse(flags.FlagSet, args, sys); err != nil {
			return err
		}
		return flags.run(ctx, sys, func(e *verify.Engine, owner string) error {
			g, err := e.ChangeGeography(ctx, owner, verify.GeoChange{
				ServiceSID: *service, Channels: commaList(*channels), Countries: commaList(*countries), Permission: permission,
			})
			if err != nil {
				return geoMistake(err, *service)
			}
			printGeography(sys.stdout, g)
			return nil
		})
	}
}

func commaList(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' })
}

// geoMistake says of a refusal what to do.
func geoMistake(err error, service string) error {
	refused, ok := errors.AsType[*verify.Error](err)
	switch {
	case !ok:
		return err
	case refused.Code == verify.CodeMissingParameter:
		return errors.New("say where messages may go: --countries ES,FR or --countries all")
	case refused.Code == verify.CodeNotFound:
		return fmt.Errorf("the account has no service %s", service)
	case refused.Param == "Country":
		return fmt.Errorf("--countries: %q is no country that telephone numbers belong to; want ISO 3166-1 codes as ES,FR, or all", refused.Value)
	case refused.Param == "Channel":
		return errors.New("--channels: want some of sms,call,whatsapp,rcs")
	default:
		return err
	}
}

func printGeography(w io.Writer, g verify.Geography) {
	if len(g) == 0 {
		fmt.Fprintln(w, "no rule: messages may go to all countries")
	}
	for _, r := range g {
		permission := "deny "
		if r.Allowed {
			permission = "allow"
		}
		fmt.Fprintf(w, "%s  %-13s  %-12s  %s\n", permission, or(r.Country, "all countries"), or(string(r.Channel), "all channels"), or(r.ServiceSID, "all services"))
	}
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
