package steps

import (
	"crypto"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/ceremony"
	"github.com/keyrite/keyrite/internal/bundle"
	"github.com/keyrite/keyrite/internal/pki"
	"github.com/keyrite/keyrite/internal/room"
)

// A signFile step makes a detached signature over a file. docs/sign-file.md has
// its format.
type signFile struct {
	Key     string   `yaml:"key,required" desc:"the key that signs; never one of a CA"`
	File    string   `yaml:"file,required" desc:"file to sign, at most 16 MiB, beside the script or in the folder that --media names; it becomes an artifact, and the signature stands beside it as NAME.sig"`
	Compare []string `yaml:"compare,required" desc:"two participants who compare the file's SHA-256 with the one that came by another way"`
}

// signatureFile is the artifact with the signature over a file.
func signatureFile(file string) string { return file + ".sig" }

// Check wants a key that is no CA's, a file of its own name and two people to
// compare it.
func (a *signFile) Check(w *ceremony.World) {
	if k := signingKey(w, a.Key); k != nil {
		k.Files = true
		apartFromFiles(w, k)
	}
	for _, end := range []string{".sig", bundle.TBSFile("")} {
		if strings.HasSuffix(a.File, end) {
			w.Problem("file", "a name that ends in %s is kept for what keyrite writes: give the file another one", end)
		}
	}
	output(w, a.File, "file", "")
	output(w, signatureFile(a.File), "signature", a.Key)
	comparers(w, a.Compare)
}

// Announce says what is signed.
func (a *signFile) Announce(*ceremony.Session) (effect, irreversible string) {
	return "the key signs the file " + a.File, "a signature cannot be taken back; whoever has it can show it for ever"
}

// Run has the file compared and signed.
func (a *signFile) Run(s *ceremony.Session) error {
	content, err := a.content(s)
	if err != nil {
		return err
	}
	if err := noCA(s, a.Key); err != nil {
		return err
	}
	i := &issue{s: s, key: s.Script().Key(a.Key), object: "file", file: signatureFile(a.File), content: content}
	return i.run()
}

// content reads the file: from the bundle if two people have compared it before,
// else from the medium.
func (a *signFile) content(s *ceremony.Session) ([]byte, error) {
	if s.State().Artifacts[bundle.ArtifactsDir+"/"+a.File] != nil {
		_, b, err := s.Artifact(a.File)
		return b, err
	}
	if err := s.Here(a.Compare...); err != nil {
		return nil, err
	}
	b, err := a.fromMedium(s)
	if err != nil {
		return nil, err
	}
	switch {
	case len(b) == 0:
		return nil, fmt.Errorf("%s is empty: there is nothing to sign", a.File)
	case pki.OneSequence(b):
		return nil, fmt.Errorf("%s is one ASN.1 SEQUENCE, as certificates, lists, requests and time-stamps are: signed as a file it could be used as one. Sign a list of checksums with its SHA-256 in it instead", a.File)
	}
	hash := ceremony.FileOf(a.File, b).SHA256
	for _, id := range a.Compare {
		if err := compare(s, id, "file-sha256", "file", hash); err != nil {
			return nil, err
		}
	}
	s.Show(room.Fact{Name: "SHA-256 of " + a.File, Value: hash, Big: true})
	return b, s.WriteArtifact(a.File, "file", b, 0, "brought to the ceremony; its SHA-256 compared with two papers")
}

// fromMedium reads the file. A rehearsal without one signs a line of its own.
func (a *signFile) fromMedium(s *ceremony.Session) ([]byte, error) {
	b, err := s.ReadMedia(a.File, bundle.MaxArtifact)
	if err == nil || !s.Rehearsal() || !errors.Is(err, fs.ErrNotExist) {
		return b, err
	}
	const note = "REHEARSAL: no file was brought; a line that says so is signed in its place"
	s.Show(room.Warning{Text: note})
	return []byte(note + "\n"), s.Result(a.File, note, false)
}

// noCA stops when the key's certificate, brought or made here, is a CA's.
func noCA(s *ceremony.Session, key string) error {
	k := s.State().Keys[key]
	all, err := certificates(s)
	if k == nil || err != nil {
		return err
	}
	for name, cert := range all {
		_, sum, err := pki.SPKISHA256(cert.PublicKey)
		if err == nil && sum == k.SPKISHA256 && cert.IsCA && !s.Rehearsal() { // a throw-away certificate is one
			return fmt.Errorf("%s says that key %q is a CA's: such a key signs certificates and CRLs only (BR 6.1.7)", name, key)
		}
	}
	return nil
}

// ShowsFirst: who approves sees the file's checksum before.
func (a *signFile) ShowsFirst() {}

// signs is the artifact that a detached signature is over.
func (i *issue) signs() string {
	if i.over != "" {
		return i.over
	}
	return strings.TrimSuffix(i.file, ".sig")
}

// announceFile returns the entry for a file that is to be signed.
func (i *issue) announceFile() (*audit.ToBeSigned, error) {
	pub, err := publicKeyOf(i.s, i.key.Name)
	if err != nil {
		return nil, err
	}
	mechanism, input, err := pki.DetachedInput(i.content, pub)
	if err != nil {
		return nil, fmt.Errorf("key %q: %w", i.key.Name, err)
	}
	name := bundle.ArtifactsDir + "/" + i.signs()
	i.showFileDigest()
	return &audit.ToBeSigned{
		Object: i.object, For: bundle.ArtifactsDir + "/" + i.file, TBS: ceremony.FileOf(name, i.content), Key: i.key.Name,
		Mechanism: mechanism, Digest: "SHA-256", Input: hex.EncodeToString(input), Profile: "detached signature", Lint: []string{},
	}, nil
}

// showFileDigest shows the checksum of the file that is approved and signed.
func (i *issue) showFileDigest() {
	name := bundle.ArtifactsDir + "/" + i.signs()
	i.s.Show(room.Text{Text: fmt.Sprintf("The SHA-256 of %s that was compared is signed with key %s.", name, i.key.Name)})
	i.showDigest(ceremony.FileOf(name, i.content))
}

// finishFile writes the signature once it verifies.
func (i *issue) finishFile(signature []byte, pub crypto.PublicKey, seq int64) error {
	value, err := pki.DetachedSignature(signature, pub)
	if err != nil {
		return fmt.Errorf("%s: %w", i.file, err)
	}
	if err := pki.VerifyDetached(i.content, value, pub); err != nil {
		return fmt.Errorf("%s: %w", i.file, err)
	}
	if err := i.s.WriteArtifact(i.file, "signature", value, seq, "verified over the file with the public key read from the token"); err != nil {
		return err
	}
	return i.showFile(value)
}

func (i *issue) showFile(value []byte) error {
	file := i.signs()
	i.s.Show(room.Fact{Name: "written", Value: bundle.ArtifactsDir + "/" + i.file})
	i.s.Show(room.Text{Text: fmt.Sprintf("To check it: openssl dgst -sha256 -verify %s -signature %s %s", publicKeyFile(i.key.Name), i.file, file)})
	return i.s.Result("SHA-256 of "+i.file, ceremony.FileOf(i.file, value).SHA256, false)
}
