package steps

import (
	"crypto/x509"
	"strings"

	"github.com/keyrite/keyrite/ceremony"
	"github.com/keyrite/keyrite/internal/bundle"
	"github.com/keyrite/keyrite/internal/pki"
	"github.com/keyrite/keyrite/internal/token"
)

// signingKey reports a key that cannot sign at this point, and returns it.
func signingKey(w *ceremony.World, name string) *ceremony.KeyState {
	k := w.Keys[name]
	if k == nil {
		w.Problem("key", "%q is not one of the script's keys", name)
		return nil
	}
	if !k.Exists {
		w.Problem("key", "key %q is used before a generate-key step has made it", name)
	}
	if t := w.Tokens[k.Spec.Token]; t != nil {
		custodian(w, t, token.UserPIN)
	}
	return k
}

// caKey is signingKey for a key that signs certificates and CRLs: such a key
// signs nothing else (BR 6.1.7).
func caKey(w *ceremony.World, name string) *ceremony.KeyState {
	k := signingKey(w, name)
	if k != nil {
		k.CA = true
		apartFromFiles(w, k)
	}
	return k
}

// apartFromFiles reports a key that signs files and is a CA's, too.
func apartFromFiles(w *ceremony.World, k *ceremony.KeyState) {
	if k.CA && k.Files {
		w.Problem("key", "key %q would sign files and be a CA's key, too: a CA's key signs certificates and CRLs only (BR 6.1.7)", k.Spec.Name)
	}
}

// output reports an artifact that is written twice, and notes it.
func output(w *ceremony.World, file, object, key string) {
	if old, ok := w.Files[file]; ok {
		w.Problem("file", "%q is written twice: step %q has made it already", file, old.Step)
		return
	}
	if err := ceremony.CheckFileName(file); err != nil {
		w.Problem("file", "%v", err)
	}
	w.Files[file] = ceremony.FileState{Object: object, Step: w.Step.ID, Key: key}
}

// issuerCertificate reports an issuer's certificate that does not exist by then
// or is not the key's.
func issuerCertificate(w *ceremony.World, file, key string) {
	f, ok := w.Files[file]
	switch {
	case !ok:
		w.Problem("issuer", "the certificate %q does not exist by then: no earlier step makes it", file)
	case f.Object != "certificate":
		w.Problem("issuer", "%q is no certificate but a %s", file, f.Object)
	case w.Keys[key] != nil && w.Keys[key].Cert != file:
		w.Problem("issuer", "%q is not the certificate of key %q", file, key)
	}
}

// profileOf returns a profile of the script, merged with its template, and
// reports one that is not there or is for another object.
func profileOf(w *ceremony.World, name string, objects ...string) *pki.Profile {
	p, err := w.Script.Profile(name)
	if err != nil {
		w.Problem("profile", "%v", err)
		return nil
	}
	for _, o := range objects {
		if p.Object == o {
			return p
		}
	}
	w.Problem("profile", "profile %q is for %s, expected one for %v", name, p.Object, objects[0])
	return p
}

// certificates returns those that were made or brought so far, by the artifact's
// name.
func certificates(s *ceremony.Session) (map[string]*x509.Certificate, error) {
	all := map[string]*x509.Certificate{}
	for name, a := range s.State().Artifacts {
		if a.Object != "certificate" && a.Object != "brought-certificate" {
			continue
		}
		file := strings.TrimPrefix(name, bundle.ArtifactsDir+"/")
		cert, err := certificate(s, file)
		if err != nil {
			return nil, err
		}
		all[file] = cert
	}
	return all, nil
}
