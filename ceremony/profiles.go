package ceremony

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/keyrite/keyrite/internal/bundle"
	"github.com/keyrite/keyrite/internal/canonjson"
	"github.com/keyrite/keyrite/internal/pki"
	"github.com/keyrite/keyrite/internal/strictyaml"
	"github.com/keyrite/keyrite/templates"
)

// Profile returns a profile of the script, complete: merged with the built-in
// one it starts from, and checked.
func (s *Script) Profile(name string) (*pki.Profile, error) {
	for i := range s.Profiles {
		if s.Profiles[i].Name == name {
			return completeProfile(s.Profiles[i])
		}
	}
	return nil, fmt.Errorf("%q is not one of the script's profiles", name)
}

func completeProfile(p pki.Profile) (*pki.Profile, error) {
	if p.Template != "" {
		base, err := builtinProfile(p.Template)
		if err != nil {
			return nil, err
		}
		p = p.Merge(*base)
	}
	var errs []error
	p.ValidateFields(func(path, what string) {
		errs = append(errs, fmt.Errorf("profile %q: %s %s", p.Name, path, what))
	})
	return &p, errors.Join(errs...)
}

func builtinProfile(name string) (*pki.Profile, error) {
	b, err := templates.Profiles.ReadFile("profiles/" + name + ".yaml")
	if err != nil {
		return nil, fmt.Errorf("template %q: there is no such built-in profile", name)
	}
	doc, problems := strictyaml.Parse(name+".yaml", b)
	if len(problems) > 0 {
		return nil, problems
	}
	type unfinished pki.Profile // what is missing comes from the script: it is judged after the merge
	p := new(unfinished)
	if problems := doc.Decode(p); len(problems) > 0 {
		return nil, problems
	}
	return (*pki.Profile)(p), nil
}

// ProfileHash is the SHA-256 of a complete profile's canonical JSON, hex: what
// the log says of the profile that was used (BR 5.4.1).
func ProfileHash(p *pki.Profile) (string, error) {
	b, err := canonjson.Marshal(p)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]), nil
}

// CheckFileName returns an error if name cannot be the name of an artifact:
// letters, digits, dots, hyphens and underscores, no folder.
func CheckFileName(name string) error {
	if err := bundle.CheckName(name); err != nil {
		return err
	}
	if !bundle.Known(bundle.ArtifactsDir + "/" + name) {
		return fmt.Errorf("file name %q: expected a plain name without a folder", name)
	}
	return nil
}
