package main

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"net/url"
	"text/tabwriter"
)

// snapshotCommand is a command about one snapshot: it calls a path of the server in which %s is the name.
func snapshotCommand(name, method, path string) func(context.Context, []string, system) error {
	return func(ctx context.Context, args []string, sys system) error {
		flags := flag.NewFlagSet(name, flag.ContinueOnError)
		find := devFlags(flags, sys)
		snapshot, err := parseWith(flags, "the name of the snapshot", args, sys)
		if err != nil {
			return err
		}
		at, err := find()
		if err != nil {
			return err
		}
		return at.call(ctx, method, fmt.Sprintf(path, url.PathEscape(snapshot)), movePatience, nil)
	}
}

func runSnapshotList(ctx context.Context, args []string, sys system) error {
	flags := flag.NewFlagSet("snapshot list", flag.ContinueOnError)
	find := devFlags(flags, sys)
	if err := parse(flags, args, sys); err != nil {
		return err
	}
	at, err := find()
	if err != nil {
		return err
	}
	var list struct{ Snapshots []struct{ Name, Now string } }
	if err := at.call(ctx, http.MethodGet, "/dev/snapshots", movePatience, &list); err != nil {
		return err
	}
	table := tabwriter.NewWriter(sys.stdout, 0, 0, 2, ' ', 0)
	for _, s := range list.Snapshots {
		fmt.Fprintf(table, "%s\t%s\n", s.Name, s.Now)
	}
	return table.Flush()
}
