package verify

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/verifyd/verifyd/internal/message"
	"github.com/verifyd/verifyd/internal/sid"
)

// Refusals of the operations on templates, which belong to the operator and not to the API.
var (
	// ErrWouldPause says that a text which is in use would wait for approval from now on, so that
	// messages in its language would change or be refused.
	ErrWouldPause = errors.New("is in use")
	// ErrInUse says that a service has the template as its default.
	ErrInUse = errors.New("is the default template")
)

// PutTemplate makes a template of an account, or changes the one with the file's name. Texts that
// are new or have changed wait for approval, unless approve is set; the others keep theirs.
func (e *Engine) PutTemplate(ctx context.Context, accountSID string, f *message.File, approve bool) (*Template, error) {
	minted, err := sid.New(sid.Template, e.Now(), e.Random)
	if err != nil {
		return nil, err
	}
	return e.putTemplate(ctx, accountSID, minted, f, approve, func(*Template) error { return nil })
}

// ImportTemplate is PutTemplate with approval, for a template that an application knows by a SID (HJ…)
// already. It is ErrExists where the account has one of its name under another SID, or another one under
// its SID.
func (e *Engine) ImportTemplate(ctx context.Context, accountSID, templateSID string, f *message.File) (*Template, error) {
	return e.putTemplate(ctx, accountSID, templateSID, f, true, func(named *Template) error {
		if named.SID != templateSID {
			return ErrExists
		}
		return nil
	})
}

// putTemplate puts a template, under a SID where there is none of its name; may says whether the one of its
// name may be changed.
func (e *Engine) putTemplate(ctx context.Context, accountSID, newSID string, f *message.File, approve bool, may func(named *Template) error) (*Template, error) {
	now := e.Now()
	var t *Template
	err := e.Store.Update(ctx, func(tx Tx) error {
		if _, err := tx.Account(accountSID); err != nil {
			return fmt.Errorf("account %s: %w", accountSID, err)
		}
		named, err := tx.Templates(accountSID, f.Name, Page{Size: 1})
		if err != nil {
			return err
		}
		if len(named) > 0 {
			t = &named[0]
			err = may(t)
		} else {
			t = &Template{SID: newSID, AccountSID: accountSID, Name: f.Name, CreatedAt: now}
			_, err = tx.Template(newSID)
			err = vacant(err)
		}
		if err != nil {
			return err
		}
		if err := t.replace(f, approve, now); err != nil {
			return err
		}
		tx.PutTemplate(t)
		return nil
	})
	return t, err
}

// replace takes over what the file says.
func (t *Template) replace(f *message.File, approve bool, now time.Time) error {
	next := TemplateContent{Default: f.Default, Variables: f.Variables, Translations: map[string]Translation{}}
	var paused []string
	for _, tag := range slices.Sorted(maps.Keys(f.Translations)) {
		texts := f.Translations[tag]
		was, there := t.Translations[tag]
		translation := was
		if !there {
			translation.CreatedAt = now
		}
		if translation.Translation != texts {
			if was.Approved && !approve {
				paused = append(paused, tag)
			}
			translation.Translation, translation.UpdatedAt, translation.Approved = texts, now, false
		}
		translation.Approved = translation.Approved || approve
		next.Translations[tag] = translation
	}
	if len(paused) > 0 {
		return fmt.Errorf("%s %w", strings.Join(paused, ", "), ErrWouldPause)
	}
	t.TemplateContent = next
	t.UpdatedAt = now
	return nil
}

// ApproveTemplate approves the translation in a language, or all if locale is empty.
func (e *Engine) ApproveTemplate(ctx context.Context, accountSID, templateSID, locale string) (*Template, error) {
	var t *Template
	err := e.Store.Update(ctx, func(tx Tx) (err error) {
		if t, err = ownTemplate(tx, accountSID, templateSID); err != nil {
			return err
		}
		tag := message.Canonical(locale)
		if _, there := t.Translations[tag]; !there && locale != "" {
			return fmt.Errorf("translation %s: %w", locale, ErrNotFound)
		}
		now := e.Now()
		for have, translation := range t.Translations {
			if (locale == "" || have == tag) && !translation.Approved {
				translation.Approved, translation.UpdatedAt = true, now
				t.Translations[have] = translation
				t.UpdatedAt = now
			}
		}
		tx.PutTemplate(t)
		return nil
	})
	return t, err
}

// RemoveTemplate removes a template that no service has as its default. Messages that were asked
// for before still have its words.
func (e *Engine) RemoveTemplate(ctx context.Context, accountSID, templateSID string) error {
	return e.Store.Update(ctx, func(tx Tx) error {
		t, err := ownTemplate(tx, accountSID, templateSID)
		if err != nil {
			return err
		}
		const size = 500
		for page := (Page{Size: size}); ; {
			services, err := tx.Services(accountSID, page)
			if err != nil {
				return err
			}
			for i := range services {
				if d := services[i].DefaultTemplateSID; d != nil && *d == t.SID {
					return fmt.Errorf("%w of service %s", ErrInUse, services[i].SID)
				}
			}
			if len(services) < size {
				break
			}
			page.After = services[size-1].SID
		}
		tx.DeleteTemplate(t.SID)
		return nil
	})
}

// Template fetches a template.
func (e *Engine) Template(ctx context.Context, accountSID, templateSID string) (*Template, error) {
	var t *Template
	err := e.Store.View(ctx, func(tx Tx) (err error) {
		t, err = ownTemplate(tx, accountSID, templateSID)
		return err
	})
	return t, err
}

// Templates lists an account's templates, newest first: those with a name, or all if it is empty.
func (e *Engine) Templates(ctx context.Context, accountSID, name string, page Page) ([]Template, error) {
	var list []Template
	err := e.Store.View(ctx, func(tx Tx) (err error) {
		list, err = tx.Templates(accountSID, name, page)
		return err
	})
	return list, err
}

func ownTemplate(tx Tx, accountSID, templateSID string) (*Template, error) {
	t, err := tx.Template(templateSID)
	if errors.Is(err, ErrNotFound) || err == nil && t.AccountSID != accountSID {
		return nil, fmt.Errorf("template %s: %w", templateSID, ErrNotFound)
	}
	return t, err
}

// File is the template as its file says it.
func (t *Template) File() *message.File {
	f := &message.File{Name: t.Name, Default: t.Default, Variables: t.Variables, Translations: map[string]message.Translation{}}
	for tag, translation := range t.Translations {
		f.Translations[tag] = translation.Translation
	}
	return f
}

// checkDefaultTemplate refuses a default template of a service that could not be sent by SMS: one
// that is not there (60228), has no text messages (60227), or is not approved in its own default
// language (60201).
func checkDefaultTemplate(tx Tx, s *Service) error {
	if s.DefaultTemplateSID == nil {
		return nil
	}
	t, err := ownTemplate(tx, s.AccountSID, *s.DefaultTemplateSID)
	switch {
	case errors.Is(err, ErrNotFound):
		return &Error{Code: CodeTemplateNotFound}
	case err != nil:
		return err
	case !t.Carries(SMS):
		return &Error{Code: CodeTemplateChannel}
	case !t.Translations[t.Default].Approved:
		return &Error{Code: CodeTemplateNotApproved}
	}
	return nil
}
