package templates

import (
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/keyrite/keyrite/internal/pki"
	"github.com/keyrite/keyrite/internal/strictyaml"
)

// TestProfiles decodes every built-in profile and completes it with what a
// script must add, and nothing more.
func TestProfiles(t *testing.T) {
	adds := map[string]pki.Profile{
		"root-ca":    {Subject: pki.Subject{Country: "DE", Organisation: "Example", CommonName: "Example Root"}},
		"sub-ca-tls": {Subject: pki.Subject{Country: "DE", Organisation: "Example", CommonName: "Example CA"}, CRLURL: "http://example.org/a.crl", CAIssuersURL: "http://example.org/a.cer"},
		"crl":        {},
	}
	files, err := fs.Glob(Profiles, "profiles/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, file := range files {
		name := strings.TrimSuffix(strings.TrimPrefix(file, "profiles/"), ".yaml")
		names = append(names, name)
		add, ok := adds[name]
		if !ok {
			t.Errorf("profile %q is not known to this test", name)
			continue
		}
		b, err := fs.ReadFile(Profiles, file)
		if err != nil {
			t.Fatal(err)
		}
		type unfinished pki.Profile // does not judge itself: a script adds what is missing
		var decoded unfinished
		doc, problems := strictyaml.Parse(file, b)
		for _, p := range append(problems, doc.Decode(&decoded)...) {
			t.Error(p)
		}
		base := pki.Profile(decoded)
		if base.Name != name {
			t.Errorf("%s is named %q", file, base.Name)
		}
		add.Name = "mine"
		add.Template = name
		add.Merge(base).ValidateFields(func(path, what string) { t.Errorf("%s: %s: %s", name, path, what) })
	}
	if want := []string{"crl", "root-ca", "sub-ca-tls"}; !slices.Equal(names, want) {
		t.Errorf("profiles %q, want %q", names, want)
	}
}
