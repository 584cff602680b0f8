package api_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/verifyd/verifyd/internal/api"
)

func TestTheDocumentIsServedToEverybody(t *testing.T) {
	for method, status := range map[string]int{"GET": 200, "HEAD": 200, "POST": 405, "DELETE": 405} {
		rec := httptest.NewRecorder()
		api.ServeDocument(rec, httptest.NewRequest(method, "/openapi.json", nil))
		if rec.Code != status {
			t.Errorf("%s: %d, want %d", method, rec.Code, status)
		}
		if status == 200 && (rec.Header().Get("Content-Type") != "application/json" || rec.Header().Get("Access-Control-Allow-Origin") != "*") {
			t.Errorf("%s: headers %v", method, rec.Header())
		}
		if (rec.Body.Len() > 0) != (method == "GET") {
			t.Errorf("%s: a body of %d bytes", method, rec.Body.Len())
		}
	}
}

func TestTheDocumentIsValid(t *testing.T) {
	rec := httptest.NewRecorder()
	api.ServeDocument(rec, httptest.NewRequest("GET", "/openapi.json", nil))
	doc, err := openapi3.NewLoader().LoadFromData(rec.Body.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context(), openapi3.EnableExamplesValidation()); err != nil {
		t.Error(err)
	}
}

// strictDocument is the served document, but that an answer may have no key that is not described:
// clients must bear new ones, tests must not.
var strictDocument = sync.OnceValues(func() (*openapi3.T, error) {
	rec := httptest.NewRecorder()
	api.ServeDocument(rec, httptest.NewRequest("GET", "/openapi.json", nil))
	doc, err := openapi3.NewLoader().LoadFromData(rec.Body.Bytes())
	if err != nil {
		return nil, err
	}
	for _, s := range doc.Components.Schemas {
		closeObjects(s.Value)
	}
	return doc, nil
})

func closeObjects(s *openapi3.Schema) {
	if s.Type.Is("object") && s.AdditionalProperties.Schema == nil && len(s.OneOf) == 0 {
		no := false
		s.AdditionalProperties.Has = &no
	}
	children := slices.Concat(s.OneOf)
	for _, p := range s.Properties {
		children = append(children, p)
	}
	for _, one := range []*openapi3.SchemaRef{s.Items, s.AdditionalProperties.Schema} {
		if one != nil {
			children = append(children, one)
		}
	}
	for _, child := range children {
		if child.Ref == "" {
			closeObjects(child.Value)
		}
	}
}

// checkDocument holds an answer against the document: its status, its headers, its body, and of a
// refusal the code. Of a request that was not refused, the parameters have to be in order too.
func (w *world) checkDocument(method, target, form string, rec *httptest.ResponseRecorder) {
	w.t.Helper()
	doc, err := strictDocument()
	if err != nil {
		w.t.Fatal(err)
	}
	path, query, _ := strings.Cut(target, "?")
	item := findPath(doc, path)
	if item == nil || item.GetOperation(method) == nil {
		return // no operation
	}
	operation := item.GetOperation(method)
	w.seen[operation.OperationID+" "+strconv.Itoa(rec.Code)] = true
	ref := operation.Responses.Status(rec.Code)
	if ref == nil {
		w.t.Errorf("%s %s: the document has no %d", method, path, rec.Code)
		return
	}
	w.checkHeaders(operation.OperationID, ref.Value, rec)
	if media := ref.Value.Content.Get("application/json"); media != nil {
		w.checkBody(operation.OperationID, media, rec)
	} else if rec.Body.Len() > 0 {
		w.t.Errorf("%s: a %d with the body %s", operation.OperationID, rec.Code, rec.Body)
	}
	if rec.Code < 300 {
		w.checkParameters(operation, form, query)
	}
}

// findPath finds the path of the document that a request is for, literal parts first.
func findPath(doc *openapi3.T, path string) *openapi3.PathItem {
	parts := strings.Split(path, "/")
	best := ""
	for candidate := range doc.Paths.Map() {
		wanted := strings.Split(candidate, "/")
		matches := len(wanted) == len(parts)
		for i := 0; matches && i < len(parts); i++ {
			matches = wanted[i] == parts[i] || strings.HasPrefix(wanted[i], "{") && parts[i] != ""
		}
		if matches && (best == "" || strings.Count(candidate, "{") < strings.Count(best, "{")) {
			best = candidate
		}
	}
	return doc.Paths.Value(best)
}

func (w *world) checkHeaders(operation string, response *openapi3.Response, rec *httptest.ResponseRecorder) {
	w.t.Helper()
	for name, values := range rec.Header() {
		if !strings.HasPrefix(name, "Verifyd-") && !strings.HasPrefix(name, "Twilio-") && name != "Retry-After" && name != "Www-Authenticate" {
			continue
		}
		var described *openapi3.Header
		for known, ref := range response.Headers {
			if http.CanonicalHeaderKey(known) == name {
				described = ref.Value
			}
		}
		if described == nil {
			w.t.Errorf("%s: the document does not have %s on a %d", operation, name, rec.Code)
			continue
		}
		if err := described.Schema.Value.VisitJSON(asType(described.Schema.Value, values[0])); err != nil {
			w.t.Errorf("%s: %s is %q: %v", operation, name, values[0], err)
		}
	}
}

func (w *world) checkBody(operation string, media *openapi3.MediaType, rec *httptest.ResponseRecorder) {
	w.t.Helper()
	var body any
	if err := json.Unmarshal(rec.Body.Bytes(), &body); err != nil {
		w.t.Errorf("%s: %v in %s", operation, err, rec.Body)
		return
	}
	if err := media.Schema.Value.VisitJSON(body, openapi3.MultiErrors(), openapi3.EnableFormatValidation()); err != nil {
		w.t.Errorf("%s: the answer is not what the document says: %v\n%s", operation, err, rec.Body)
	}
	if rec.Code < 400 {
		return
	}
	code := strconv.Itoa(int(body.(map[string]any)["code"].(float64)))
	if media.Examples[code] == nil {
		w.t.Errorf("%s: the document does not have %s among its refusals", operation, code)
	}
}

// checkParameters holds the parameters of a request that was not refused against the document.
func (w *world) checkParameters(operation *openapi3.Operation, form, query string) {
	w.t.Helper()
	known := map[string]*openapi3.SchemaRef{}
	anyCase := map[string]bool{} // a list of values has no word for it
	for _, p := range operation.Parameters {
		known[p.Value.Name] = p.Value.Schema
		anyCase[p.Value.Name] = strings.Contains(p.Value.Description, "in any case")
	}
	text := query
	if operation.RequestBody != nil && operation.RequestBody.Value.Content.Get("application/json") != nil {
		w.checkMembers(operation, form)
		return
	}
	if operation.RequestBody != nil {
		media := operation.RequestBody.Value.Content.Get("application/x-www-form-urlencoded")
		known, text = media.Schema.Value.Properties, form
		for name, p := range known {
			anyCase[name] = strings.Contains(p.Value.Description, "in any case")
		}
	}
	sent, err := url.ParseQuery(text)
	if err != nil {
		w.t.Fatal(err)
	}
	for name, values := range sent {
		value := values[0]
		if anyCase[name] {
			value = strings.ToLower(value)
		}
		ref := known[name]
		if ref != nil && ref.Value.Type.Is("array") {
			ref = ref.Value.Items // the parameter is repeated
		}
		if ref != nil {
			if err := ref.Value.VisitJSON(asType(ref.Value, value)); err != nil {
				w.t.Errorf("%s takes %s=%q, and the document says: %v", operation.OperationID, name, values[0], err)
			}
		}
	}
}

// checkMembers holds a JSON body that was not refused against the document.
func (w *world) checkMembers(operation *openapi3.Operation, text string) {
	w.t.Helper()
	var body any
	if err := json.Unmarshal([]byte(text), &body); err != nil {
		return // none, which is an empty object
	}
	media := operation.RequestBody.Value.Content.Get("application/json")
	if err := media.Schema.Value.VisitJSON(body); err != nil {
		w.t.Errorf("%s takes %s, and the document says: %v", operation.OperationID, text, err)
	}
}

// asType reads a text as a value of a schema's type, or leaves it as it is.
func asType(s *openapi3.Schema, text string) any {
	switch {
	case s.Type.Is("integer") || s.Type.Is("number"):
		if n, err := strconv.ParseFloat(text, 64); err == nil {
			return n
		}
	case s.Type.Is("boolean"):
		if b, err := strconv.ParseBool(text); err == nil {
			return b
		}
	}
	return text
}
