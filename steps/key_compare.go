package steps

import (
	"encoding/hex"
	"fmt"
	"io"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/ceremony"
	"github.com/keyrite/keyrite/internal/bundle"
	"github.com/keyrite/keyrite/internal/room"
)

// A keyCompare step has a key and its copy sign the same challenge.
type keyCompare struct {
	Key  string `yaml:"key,required" desc:"the key, from the script's keys"`
	Copy string `yaml:"copy,required" desc:"its copy on a second token"`
	File string `yaml:"file,required" desc:"artifact to make: the challenge that both sign, a text that says what it is for and can be taken for no certificate; the signatures stand beside it as NAME.KEY.sig"`
}

// Check wants two keys on two tokens.
func (a *keyCompare) Check(w *ceremony.World) {
	k, c := signingKey(w, a.Key), signingKey(w, a.Copy)
	if k != nil && c != nil && k.Spec.Token == c.Spec.Token {
		w.Problem("copy", "keys %q and %q are on one token", a.Key, a.Copy)
	}
	output(w, a.File, "challenge", "")
	for _, key := range []string{a.Key, a.Copy} {
		output(w, a.signature(key), "signature", key)
	}
}

func (a *keyCompare) signature(key string) string { return a.File + "." + key + ".sig" }

// ShowsFirst: who approves sees the challenge before.
func (a *keyCompare) ShowsFirst() {}

// Announce says what is signed.
func (a *keyCompare) Announce(*ceremony.Session) (effect, irreversible string) {
	return fmt.Sprintf("key %s and its copy %s sign the same random challenge", a.Key, a.Copy), ""
}

// Run has both sign, verifies both with one public key and records that.
func (a *keyCompare) Run(s *ceremony.Session) error {
	var serials []string
	for _, name := range []string{a.Key, a.Copy} {
		t, without, err := backupToken(s, s.Script().Key(name).Token)
		if err != nil || without {
			return err
		}
		serials = append(serials, t.Info.Serial)
	}
	d := &audit.KeyCompare{Keys: []string{a.Key, a.Copy}, Serials: serials, Signatures: []audit.File{}}
	key, copied := s.State().Keys[a.Key], s.State().Keys[a.Copy]
	switch {
	case serials[0] == serials[1]:
		return fmt.Errorf("keys %q and %q are both looked for on the token with the serial number %s", a.Key, a.Copy, serials[0])
	case key == nil || copied == nil:
		return fmt.Errorf("the log does not have both keys, %q and %q", a.Key, a.Copy)
	case key.SPKI != copied.SPKI:
		return fmt.Errorf("keys %q and %q have different public keys: %s and %s (SHA-256)", a.Key, a.Copy, key.SPKISHA256, copied.SPKISHA256)
	}
	content, err := a.challenge(s, serials)
	if err != nil {
		return err
	}
	d.SPKISHA256, d.Challenge = key.SPKISHA256, ceremony.FileOf(bundle.ArtifactsDir+"/"+a.File, content)
	for _, name := range d.Keys {
		i := &issue{s: s, key: s.Script().Key(name), object: "challenge", file: a.signature(name), over: a.File, content: content}
		if err := i.run(); err != nil {
			return err
		}
		made, _, err := s.Artifact(i.file)
		if err != nil {
			return err
		}
		d.Signatures = append(d.Signatures, made.File)
	}
	if s.Done().Wrote("key-compare") {
		return nil
	}
	s.Show(room.Fact{Name: "both tokens sign alike, public key (SHA-256)", Value: d.SPKISHA256, Big: true})
	_, err = s.Record(d)
	return err
}

// challenge is the text that both sign: from the bundle after a break, else a new
// one.
func (a *keyCompare) challenge(s *ceremony.Session, serials []string) ([]byte, error) {
	if s.State().Artifacts[bundle.ArtifactsDir+"/"+a.File] != nil {
		_, b, err := s.Artifact(a.File)
		return b, err
	}
	if b, err := s.ReadArtifact(a.File); err == nil { // written, and not recorded before the break
		return b, s.WriteArtifact(a.File, "challenge", b, 0, challengeChecks)
	}
	random := make([]byte, 32)
	if _, err := io.ReadFull(s.Rand(), random); err != nil {
		return nil, fmt.Errorf("drawing a challenge: %w", err)
	}
	b := fmt.Appendf(nil, "%s%s\nkey %s on %s, copy %s on %s\n%s\n", audit.ChallengeHead, s.State().Open.Origin, a.Key, serials[0], a.Copy, serials[1], hex.EncodeToString(random))
	s.Show(room.Text{Text: "Both tokens sign this text, which means nothing else:\n" + string(b)})
	return b, s.WriteArtifact(a.File, "challenge", b, 0, challengeChecks)
}

const challengeChecks = "made here, with 32 random bytes; signed by two tokens to show that they have one key"
