package steps

import (
	"crypto"
	"errors"
	"fmt"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/ceremony"
	"github.com/keyrite/keyrite/internal/bundle"
	"github.com/keyrite/keyrite/internal/cvc"
	"github.com/keyrite/keyrite/internal/room"
	"github.com/keyrite/keyrite/internal/token/apdu"
	"github.com/keyrite/keyrite/internal/token/recorded"
)

// attestations are the files by which a card attests the keys that it made.
type attestations struct {
	t     *ceremony.Token
	chain []byte   // EF 2F02
	files [][]byte // EF CExx, in the card's order; a certificate may have replaced some
	err   error    // why they could not be read
}

// readAttestations reads the files of the token's card, if its model has them.
// That they cannot be read is kept in what is returned; the error is that
// nothing more can be done.
func readAttestations(t *ceremony.Token) (*attestations, error) {
	a := &attestations{t: t}
	if !t.Model.Attests {
		return a, nil
	}
	a.err = t.Card(func(c *recorded.Card) error {
		a.chain = c.Chain
		list, err := c.Files()
		if err != nil {
			return err
		}
		for _, file := range list {
			if file&0xFF00 != apdu.Attestation {
				continue
			}
			b, err := c.ReadFile(file)
			if err != nil {
				return err
			}
			a.files = append(a.files, b)
		}
		return nil
	})
	if ceremony.Fatal(a.err) {
		return nil, a.err
	}
	return a, nil
}

// keyWithProofs is keyOn that reads, as soon as the key is there, by what files
// the card attests its keys: what is stored for a key later could replace them.
func keyWithProofs(s *ceremony.Session, k *ceremony.KeySpec, get func(*ceremony.Session, *ceremony.Token, uint, *ceremony.KeySpec) (int64, error)) (key *audit.Key, a *attestations, err error) {
	key, err = keyOn(s, k, func(s *ceremony.Session, t *ceremony.Token, session uint, k *ceremony.KeySpec) (int64, error) {
		seq, err := get(s, t, session, k)
		if err == nil {
			a, err = readAttestations(t)
		}
		return seq, err
	})
	return key, a, err
}

// of returns the file that attests a key, by its public key: OpenSC numbers the
// files, and CKA_ID says nothing about them.
func (a *attestations) of(pub crypto.PublicKey) (request []byte, p *cvc.Proof, err error) {
	if a.err != nil {
		return nil, nil, a.err
	}
	for _, b := range a.files {
		if r, perr := cvc.ParseAttested(b); perr != nil || !r.Request.Key.Is(pub) {
			continue
		}
		p, err := cvc.Prove(b, a.chain, cvc.Roots())
		if err == nil && p.Serial() != a.t.Info.Serial {
			err = fmt.Errorf("it was signed by the device %q", p.Serial())
		}
		return b, p, err
	}
	return nil, nil, fmt.Errorf("none of the card's %d attestations is of this key", len(a.files))
}

// recordOrigin records what shows that the token made a key, and lets the room
// of a production ceremony that made it decide if nothing does that should. Of
// an older key there is nothing to decide: its own ceremony did.
func recordOrigin(s *ceremony.Session, k *audit.Key, a *attestations) error {
	pub, err := parseSPKI(k)
	if err != nil {
		return err
	}
	for {
		d, err := writeOrigin(s, k, a, pub)
		if err != nil {
			return err
		}
		showOrigin(s, d)
		if s.Rehearsal() || k.Found || d.Result == audit.OriginDevice || d.Result == audit.OriginNone {
			return nil
		}
		v, err := s.Decide(s.Step.Actor, "no-origin", fmt.Sprintf("Go on with the key %s, though nothing proves that it was made in the token?", k.Name),
			room.Choice{Word: "again", Does: "read the card once more"},
			room.Choice{Word: "go-on", Does: "use the key all the same; the log and the paper say that there is no proof"},
			room.Choice{Word: "stop", Does: "do not use it"})
		switch {
		case err != nil:
			return err
		case v == "stop":
			return fmt.Errorf("key %q: the room does not take a key without a proof of where it was made", k.Name)
		case v == "go-on":
			return nil
		}
		if a, err = readAttestations(a.t); err != nil {
			return err
		}
	}
}

// writeOrigin puts a key's proof into the bundle and records it, or that there
// is none.
func writeOrigin(s *ceremony.Session, k *audit.Key, a *attestations, pub crypto.PublicKey) (*audit.KeyOrigin, error) {
	d := &audit.KeyOrigin{Key: k.Name, Token: k.Token}
	record := func(result, why string) (*audit.KeyOrigin, error) {
		d.Result, d.Why = result, why
		_, err := s.Record(d)
		return d, err
	}
	if !a.t.Model.Attests {
		return record(audit.OriginNone, "a token of this model ("+a.t.Model.Title+") gives no proof")
	}
	request, p, err := a.of(pub)
	if err != nil {
		return record(audit.OriginMissing, whyMissing(err))
	}
	attestation, chain := bundle.OriginFiles(k.Name)
	if err := s.WriteArtifact(attestation, "key-attestation", request, 0, "read from the card; signed by the key and by the device"); err != nil {
		return nil, err
	}
	if err := s.WriteArtifact(chain, "device-certificates", a.chain, 0, "read from the card; they lead to the root "+p.Root.CHR); err != nil {
		return nil, err
	}
	d.Device, d.Root = p.Serial(), p.Root.CHR
	d.Attestation, d.Chain = bundle.ArtifactsDir+"/"+attestation, bundle.ArtifactsDir+"/"+chain
	if p.Root.Simulated {
		return record(audit.OriginSimulated, "")
	}
	return record(audit.OriginDevice, "")
}

// whyMissing says for people why there is no proof.
func whyMissing(err error) string {
	if errors.Is(err, recorded.ErrNoCards) {
		return "this run reaches no card beside PKCS#11"
	}
	return err.Error()
}

// showOrigin tells the room where a key was made, as far as it is shown.
func showOrigin(s *ceremony.Session, d *audit.KeyOrigin) {
	switch d.Result {
	case audit.OriginDevice:
		s.Show(room.Fact{Name: "made in the device", Value: d.Device + ", vendor root " + d.Root, Big: true})
	case audit.OriginSimulated:
		s.Show(room.Warning{Text: fmt.Sprintf("The device %s says that it made the key, and it is a SIMULATED one (root %s): that proves nothing.", d.Device, d.Root)})
	case audit.OriginNone:
		s.Show(room.Text{Text: "Proof that the key was made in the token: none; " + d.Why + "."})
	default:
		s.Show(room.Warning{Text: "There is NO PROOF that the key was made in the token: " + d.Why + "."})
	}
}
