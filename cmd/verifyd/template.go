package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/verifyd/verifyd/internal/message"
	"github.com/verifyd/verifyd/internal/verify"
)

func runTemplateAdd(ctx context.Context, args []string, sys system) error {
	flags := newStoreFlags("template add")
	approve := flags.Bool("approve", false, "approve every text of the file at once")
	path, err := parseWith(flags.FlagSet, "the template's file (- is standard input)", args, sys)
	if err != nil {
		return err
	}
	file, err := readTemplate(path, sys)
	if err != nil {
		return err
	}
	return flags.run(ctx, sys, func(e *verify.Engine, account string) error {
		t, err := e.PutTemplate(ctx, account, file, *approve)
		switch {
		case errors.Is(err, verify.ErrWouldPause):
			return fmt.Errorf("%s: %w, and the new text would wait for approval; add --approve, or give the file another name", file.Name, err)
		case err != nil:
			return asFound(err)
		}
		return printTemplate(sys.stdout, t)
	})
}

func readTemplate(path string, sys system) (*message.File, error) {
	text, err := readInput(path, sys)
	if err != nil {
		return nil, fmt.Errorf("read the template: %w", err)
	}
	file, err := message.ReadFile(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return file, nil
}

// runTemplateExport is beside the store because the API shows one text of each language alone.
func runTemplateExport(ctx context.Context, args []string, sys system) error {
	flags := newStoreFlags("template export")
	return onTemplate(ctx, flags, args, sys, func(e *verify.Engine, account, sid string) error {
		t, err := e.Template(ctx, account, sid)
		if err != nil {
			return asFound(err)
		}
		_, err = sys.stdout.Write(t.File().Format())
		return err
	})
}

func runTemplateApprove(ctx context.Context, args []string, sys system) error {
	flags := newStoreFlags("template approve")
	locale := flags.String("locale", "", "approve the text in this `language` only")
	return onTemplate(ctx, flags, args, sys, func(e *verify.Engine, account, sid string) error {
		t, err := e.ApproveTemplate(ctx, account, sid, *locale)
		if err != nil {
			return asFound(err)
		}
		return printTemplate(sys.stdout, t)
	})
}

func runTemplateRemove(ctx context.Context, args []string, sys system) error {
	flags := newStoreFlags("template remove")
	return onTemplate(ctx, flags, args, sys, func(e *verify.Engine, account, sid string) error {
		err := e.RemoveTemplate(ctx, account, sid)
		switch {
		case errors.Is(err, verify.ErrInUse):
			return fmt.Errorf("template %s %w; clear its DefaultTemplateSid first", sid, err)
		case err != nil:
			return asFound(err)
		}
		_, err = fmt.Fprintf(sys.stdout, "removed %s\n", sid)
		return err
	})
}

// onTemplate runs fn on the template that the argument names.
func onTemplate(ctx context.Context, flags storeFlags, args []string, sys system, fn func(e *verify.Engine, account, sid string) error) error {
	sid, err := parseWith(flags.FlagSet, "the template's SID (HJ…)", args, sys)
	if err != nil {
		return err
	}
	return flags.run(ctx, sys, func(e *verify.Engine, account string) error { return fn(e, account, sid) })
}

// asFound says where to look for what is not there.
func asFound(err error) error {
	if errors.Is(err, verify.ErrNotFound) {
		return fmt.Errorf("%w; verifyd template list shows what there is", err)
	}
	return err
}

// printTemplate writes one line: SID, name, languages. The default one stands first, and one that
// waits for approval says so.
func printTemplate(out io.Writer, t *verify.Template) error {
	tags := slices.Sorted(maps.Keys(t.Translations))
	tags = append([]string{t.Default}, slices.DeleteFunc(tags, func(tag string) bool { return tag == t.Default })...)
	for i, tag := range tags {
		if !t.Translations[tag].Approved {
			tags[i] += " (pending)"
		}
	}
	_, err := fmt.Fprintf(out, "%s  %s: %s\n", t.SID, t.Name, strings.Join(tags, ", "))
	return err
}
