package inbox

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"path"
)

// The page is one document, some style sheets and a few modules, as they lie in assets: nothing is
// built, nothing comes from elsewhere.
//
//go:embed assets
var assets embed.FS

var page = template.Must(template.ParseFS(assets, "assets/page.html"))

// Spelt out, because mime.TypeByExtension asks the machine that it runs on.
var assetTypes = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
}

func (in *Inbox) writePage(w http.ResponseWriter) error {
	var b bytes.Buffer
	if err := page.Execute(&b, struct {
		Hint  string
		Clock bool
	}{in.hint, in.clock}); err != nil {
		return err
	}
	write(w, http.StatusOK, "text/html; charset=utf-8", b.Bytes())
	return nil
}

func getAsset(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("file")
	kind, ok := assetTypes[path.Ext(name)]
	if !ok {
		return notFound(r)
	}
	data, err := assets.ReadFile("assets/" + name)
	if err != nil {
		return notFound(r)
	}
	write(w, http.StatusOK, kind, data)
	return nil
}
