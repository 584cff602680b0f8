package api

import (
	"encoding/json"
	"maps"
	"os"
	"reflect"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Every parameter that is published for entities, factors and challenges is one that we read, but
// for those of the types of factor that do not exist yet.
func TestEveryPublishedParameterOfFactorsIsRead(t *testing.T) {
	text, err := os.ReadFile("testdata/contract_factors.json")
	if err != nil {
		t.Fatal(err)
	}
	var published struct {
		Paths map[string]map[string]struct {
			Parameters map[string]string
			Query      []string
		}
	}
	if err := json.Unmarshal(text, &published); err != nil {
		t.Fatal(err)
	}
	const entities = "/v2/Services/{ServiceSid}/Entities"
	ours := map[string]any{
		"POST " + entities:                                  entityParams{},
		"POST " + entities + "/{Identity}/Factors":          factorParams{},
		"POST " + entities + "/{Identity}/Factors/{Sid}":    factorUpdateParams{},
		"POST " + entities + "/{Identity}/Challenges":       challengeParams{},
		"POST " + entities + "/{Identity}/Challenges/{Sid}": challengeUpdateParams{},
		"GET " + entities + "/{Identity}/Challenges":        challengeFilters{},
		"POST /v2/Services/{ServiceSid}/Webhooks":           webhookParams{},
		"POST /v2/Services/{ServiceSid}/Webhooks/{Sid}":     webhookParams{},
	}
	ofPush := []string{"Binding.Alg", "Binding.PublicKey", "Config.AppId", "Config.NotificationPlatform", "Config.NotificationToken", "Config.SdkVersion"}
	paging := []string{"PageSize", "Page", "PageToken"}
	for path, methods := range published.Paths {
		for method, m := range methods {
			if !slices.ContainsFunc(routes, func(r route) bool { return r.path == path && r.method == method }) {
				t.Errorf("%s %s is not served", method, path)
			}
			want := slices.DeleteFunc(append(slices.Collect(maps.Keys(m.Parameters)), m.Query...), func(param string) bool {
				return slices.Contains(ofPush, param) || slices.Contains(paging, param)
			})
			var read []string
			if params := ours[method+" "+path]; params != nil {
				for _, f := range fieldsOf(reflect.TypeOf(params)) {
					read = append(read, f.param)
				}
			}
			slices.Sort(want)
			slices.Sort(read)
			if diff := cmp.Diff(want, read); diff != "" && len(want)+len(read) > 0 {
				t.Errorf("%s %s:\n%s", method, path, diff)
			}
		}
	}
}
