package api_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// contract is what Twilio's published OpenAPI description (twilio_verify_v2) says of the paths
// that we serve: parameters, fields and their types, without its prose. A ? marks what may be null.
type contract struct {
	Schemas map[string]map[string]string
}

func readContract(t *testing.T) contract {
	t.Helper()
	files, err := filepath.Glob("testdata/contract*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no contract: %v", err)
	}
	all := contract{Schemas: map[string]map[string]string{}}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var c contract
		if err := json.Unmarshal(text, &c); err != nil {
			t.Fatal(err)
		}
		maps.Copy(all.Schemas, c.Schemas)
	}
	return all
}

// checkContract holds a body against the schema that its keys announce: no key may be missing, none
// may be there besides, and each has the type that is published.
func (w *world) checkContract(body []byte) {
	w.t.Helper()
	var got map[string]any
	if err := json.Unmarshal(body, &got); err != nil {
		w.t.Errorf("body is not a JSON object: %v", err)
		return
	}
	for key, schema := range map[string]string{
		"services": "service", "rate_limits": "rate_limit", "buckets": "bucket", "templates": "template",
		"messaging_configurations": "messaging_configuration", "attempts": "attempt",
	} {
		if list, ok := got[key].([]any); ok {
			for _, s := range list {
				w.checkSchema(schema, s.(map[string]any))
			}
			return
		}
	}
	if w.checkFactorsContract(got) {
		return
	}
	switch {
	case got["rules"] != nil, got["story"] != nil: // ours
	case got["total_attempts"] != nil:
		w.checkSchema("attempts_summary", got)
	case got["conversion_status"] != nil:
		w.checkSchema("attempt", got)
	case got["phone_number"] != nil:
		w.checkSchema("safelist", got)
	case got["form_type"] != nil:
		w.checkSchema("form", got)
	case got["more_info"] != nil:
		delete(got, "details")
		if keys := slices.Sorted(maps.Keys(got)); !slices.Equal(keys, []string{"code", "message", "more_info", "status"}) {
			w.t.Errorf("an error has the keys %v", keys)
		}
	case got["unique_name"] != nil:
		w.checkSchema("rate_limit", got)
	case got["interval"] != nil:
		w.checkSchema("bucket", got)
	case got["links"] != nil:
		w.checkSchema("service", got)
	case got["messaging_service_sid"] != nil:
		w.checkSchema("messaging_configuration", got)
	case got["send_code_attempts"] != nil:
		w.checkSchema("verification", got)
	default:
		w.checkSchema("verification_check", got)
	}
}

func (w *world) checkSchema(name string, got map[string]any) {
	w.t.Helper()
	schema := readContract(w.t).Schemas[name]
	if diff := cmp.Diff(slices.Sorted(maps.Keys(schema)), slices.Sorted(maps.Keys(got))); diff != "" {
		w.t.Errorf("keys of a %s:\n%s", name, diff)
	}
	for key, value := range got {
		want, nullable := strings.CutSuffix(schema[key], "?")
		ok := false
		switch value.(type) {
		case nil:
			ok = nullable
		case string:
			ok = want == "string"
		case bool:
			ok = want == "boolean"
		case float64:
			ok = want == "integer"
		case []any:
			ok = want == "array"
		case map[string]any:
			ok = want == "object"
		}
		if !ok && want != "any" {
			w.t.Errorf("%s.%s is %v, want %s", name, key, value, schema[key])
		}
	}
}
