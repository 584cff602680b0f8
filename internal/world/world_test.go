package world

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
)

const whole = "testdata/verifyd.world.toml"

func readWhole(t testing.TB) string {
	t.Helper()
	text, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The file has every key, and every setting that the engine knows gets to it: a setting that is new and was
// forgotten here fails.
func TestEverySettingGetsThrough(t *testing.T) {
	w, err := Read(whole)
	if err != nil {
		t.Fatal(err)
	}
	params := reflect.ValueOf(w.Services[0].params())
	for i := range params.NumField() {
		if params.Field(i).IsZero() {
			t.Errorf("%s is not set by the file, or not taken from it", params.Type().Field(i).Name)
		}
	}
	filled(t, "", reflect.ValueOf(*w))
}

// filled finds fields that nothing in the file sets.
func filled(t *testing.T, path string, v reflect.Value) {
	t.Helper()
	switch v.Kind() {
	case reflect.Slice:
		if v.Len() == 0 {
			t.Errorf("%s: the file has none", path)
			return
		}
		if v.Type().Elem().Kind() == reflect.Struct {
			filled(t, path, v.Index(0))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() && f.Name != "Country" { // of a rule: the second has one
				filled(t, path+"."+f.Name, v.Field(i))
			}
		}
	default:
		if v.IsZero() {
			t.Errorf("%s is not set by the file", path)
		}
	}
}

func TestParseSaysWhereTheMistakeIs(t *testing.T) {
	service := "[[service]]\nsid = \"VA5c1d0e8f7a6b49325c1d0e8f7a6b4932\"\nfriendly_name = \"Acme\"\n"
	for text, want := range map[string]string{
		service + "code_lenght = 4\n":                                                     "line 4: unknown key service.code_lenght",
		service + "code_length = \"4\"\n":                                                 "line 4, column 15: ",
		"[[service]]\nfriendly_name = \"A\"\n":                                            `[[service]] 1: sid: "" is no SID: VA and 32`,
		"[[service]]\nsid = \"VA5c\"\n":                                                   `[[service]] 1: sid: "VA5c" is no SID`,
		strings.Replace(service, "friendly", "#", 1):                                      "[[service]] 1: friendly_name: is missing",
		service + service:                                                                 "[[service]] 2: sid: VA5c1d0e8f7a6b49325c1d0e8f7a6b4932 is another service's already",
		"[[rule]]\nto = \"*\"\ncarrier = \"flies\"\n":                                     `[[rule]] 1: carrier "flies" is none of delivers`,
		"[[template]]\nsid = \"HJ\"\nfile = \"x\"\n":                                      `[[template]] 1: sid: "HJ" is no SID`,
		"[[template]]\nsid = \"HJ0b6a1d52e3f4c7980b6a1d52e3f4c798\"\nfile = \"none\"\n":   "[[template]] 1: file: no such file",
		"[[template]]\nsid = \"HJ0b6a1d52e3f4c7980b6a1d52e3f4c798\"\nfile = \"broken\"\n": "[[template]] 1: file: broken: ",
		service + "[[service.entity]]\nidentity = \"user-7f3a91c2\"\n[[service.entity.factor]]\nfriendly_name = \"A\"\nsecret = \"1\"\n": `[[service]] 1: [[service.entity.factor]] "A" of user-7f3a91c2: secret: want 10 to 128 bytes in base32`,
		service + strings.Repeat("[[service.entity]]\nidentity = \"user-7f3a91c2\"\n", maxEntities+1):                                    "[[service.entity]]: 41 are more than the 40",
	} {
		_, err := parse([]byte(text), func(name string) ([]byte, error) {
			if name == "broken" {
				return []byte("{"), nil
			}
			return nil, errors.New("no such file")
		})
		if err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s\n%v, want %s", text, err, want)
		}
	}
	if _, err := Read("testdata/none.toml"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
}

func TestKeysOfParameters(t *testing.T) {
	for param, want := range map[string]string{
		"FriendlyName": "friendly_name", "Psd2Enabled": "psd2_enabled", "Totp.TimeStep": "totp.time_step",
		"Passkeys.RelyingParty.Id": "passkeys.relying_party.id", "Verifyd.CodeTtl": "verifyd.code_ttl",
		"Config.TimeStep": "time_step", "Binding.Secret": "secret",
	} {
		if got := keyOf(param); got != want {
			t.Errorf("%s is %s, want %s", param, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(readWhole(f))
	f.Add("[[rule]]\nto = \"*\"\n")
	f.Fuzz(func(t *testing.T, text string) {
		w, err := parse([]byte(text), func(string) ([]byte, error) { return nil, os.ErrNotExist })
		if (w == nil) == (err == nil) {
			t.Error(fmt.Sprint(w, err))
		}
	})
}
