package verify

import (
	"context"
	"errors"
	"slices"

	"github.com/verifyd/verifyd/internal/jsonparam"
	"github.com/verifyd/verifyd/internal/sid"
)

// A candidate is a template that a start names, with the values of its variables.
type candidate struct {
	sid    string
	values map[string]string
}

// maxCandidates bounds Templates. Twilio gives no number.
const maxCandidates = 10

// templated are the channels that a template can be for.
var templated = []Channel{SMS, RCS, Call}

// readCandidates reads TemplateSid and Templates. TemplateSid wins where both are given.
func (w *wish) readCandidates() error {
	possible := slices.Contains(templated, w.channel)
	if w.Templates != "" {
		list, ok := readTemplateList(w.Templates, w.values)
		if !ok {
			return &Error{Code: CodeInvalidTemplates}
		}
		w.candidates = list
	}
	switch {
	case w.TemplateSID == "":
		if len(w.candidates) > 0 && !possible {
			return &Error{Code: CodeTemplatesInvalid}
		}
	case !sid.Valid(sid.Template, w.TemplateSID):
		return invalid("TemplateSid")
	case !possible:
		return &Error{Code: CodeTemplateChannel}
	default:
		w.candidates = []candidate{{w.TemplateSID, w.values}}
	}
	return nil
}

// readTemplateList reads a Templates parameter: [{"sid":"HJ…","substitutions":{…}}, …]. One without
// substitutions of its own has those of TemplateCustomSubstitutions.
func readTemplateList(s string, values map[string]string) (candidates []candidate, ok bool) {
	list, err := jsonparam.Array(s)
	if err != nil || len(list) == 0 || len(list) > maxCandidates {
		return nil, false
	}
	for _, entry := range list {
		object, _ := entry.(map[string]any)
		c := candidate{values: values}
		c.sid, _ = object["sid"].(string)
		if !sid.Valid(sid.Template, c.sid) {
			return nil, false
		}
		if substitutions, given := object["substitutions"]; given {
			object, isObject := substitutions.(map[string]any)
			if c.values, err = textsOf(object); !isObject || err != nil {
				return nil, false
			}
		}
		candidates = append(candidates, c)
	}
	return candidates, true
}

// chooseTemplate finds the words of a start: of the templates that it names the first that can say
// them, or the service's default template, or the catalogue's.
//
// The default template is a wish of the service's: where it cannot say what has to be said (no
// brand, an amount and a payee) the catalogue does. But a value that the start must bring is asked
// for, and so is one that is not too long.
func (e *Engine) chooseTemplate(ctx context.Context, s *Service, w *wish) error {
	brandless := w.channel == SMS && e.Brandless != nil && e.Brandless(w.country)
	var refusal error
	for _, c := range w.candidates {
		refusal = e.tryTemplate(ctx, s, w, c, brandless)
		if _, refused := errors.AsType[*Error](refusal); !refused {
			return refusal // nil, or a fault
		}
	}
	switch {
	case refusal != nil && w.TemplateSID == "":
		return &Error{Code: CodeTemplatesInvalid}
	case refusal != nil:
		return refusal
	}
	w.options.Brandless = brandless
	if s.DefaultTemplateSID == nil || w.channel != SMS && w.channel != RCS {
		return nil
	}
	err := e.tryTemplate(ctx, s, w, candidate{*s.DefaultTemplateSID, w.values}, brandless)
	refused, ok := errors.AsType[*Error](err)
	if ok && refused.Code != CodeMissingSubstitutions && refused.Code != CodeMessageTooLong {
		return nil
	}
	return err
}

func (e *Engine) tryTemplate(ctx context.Context, s *Service, w *wish, c candidate, brandless bool) error {
	t, err := e.directory.template(ctx, c.sid)
	if errors.Is(err, ErrNotFound) || err == nil && t.AccountSID != s.AccountSID {
		return &Error{Code: CodeTemplateNotFound}
	}
	if err != nil {
		return err
	}
	return w.use(t, c.values, brandless)
}
