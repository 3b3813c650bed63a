package steps

import (
	"crypto"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"strings"
	"time"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/ceremony"
	"github.com/keyrite/keyrite/internal/bundle"
	"github.com/keyrite/keyrite/internal/pki"
	"github.com/keyrite/keyrite/internal/pki/lint"
	"github.com/keyrite/keyrite/internal/room"
	"github.com/keyrite/keyrite/internal/token"
)

// An issue is the making of one signed object, the same for certificates, CRLs
// and detached signatures: build, check, show, confirm, sign, verify, write.
//
// Its order after a break: a signature that the log has is put to the bytes that
// it signed; an object that was announced and not signed is announced again as
// it is; only what was never announced is built.
type issue struct {
	s      *ceremony.Session
	key    *ceremony.KeySpec
	object string // "certificate", "crl", "file" or "challenge"
	file   string // artifact to make
	// build makes the object. random are the token's bytes for a serial number,
	// nil for an object that has none.
	build   func(random []byte) (*pki.TBS, error)
	serial  bool
	over    string       // artifact that a detached signature is over, if its name does not say so
	content []byte       // of the file, for a detached signature; nil for all else
	profile *pki.Profile // complete, as used
	label   string       // how the log names it
}

// run makes the object, or what of it is missing.
func (i *issue) run() error {
	name := bundle.ArtifactsDir + "/" + i.file
	if a := i.s.State().Artifacts[name]; a != nil && i.s.Done().Wrote("artifact") {
		i.s.Show(room.Text{Text: i.file + " was made in an earlier attempt."})
		_, b, err := i.s.Artifact(i.file)
		if err != nil {
			return err
		}
		return i.show(b)
	}
	signed := i.s.State().Signed(name)
	if signed == nil || signed.Signature == "" || !i.s.Done().Wrote("to-be-signed") {
		if err := i.sign(signed); err != nil {
			return err
		}
		signed = i.s.State().Signed(name)
	} else {
		i.s.Show(room.Text{Text: "The signature was made in an earlier attempt and is in the log; nothing is signed again."})
	}
	return i.finish(signed)
}

// sign logs in and has the token sign.
func (i *issue) sign(old *ceremony.Signed) error {
	t, err := i.s.Token(i.key.Token)
	if err != nil {
		return err
	}
	return t.WithLogin(token.NormalUser, func(session uint, _ token.PIN) error {
		_, private, found, err := t.FindKey(session, i.key)
		if err != nil {
			return err
		}
		if !found {
			return fmt.Errorf("key %q (label %q, id %s) is not on the token", i.key.Name, i.key.Label, i.key.KeyID)
		}
		if err := i.sameKey(t, session); err != nil {
			return err
		}
		d, err := i.announce(t, session, old)
		if err != nil {
			return err
		}
		// On record before anybody is asked: what is approved stays what is
		// signed, over a break, too.
		e, err := i.s.Record(d)
		if err != nil {
			return err
		}
		if err := i.s.Approvals(); err != nil {
			return err
		}
		if err := i.confirm(); err != nil {
			return err
		}
		input, err := hex.DecodeString(d.Input)
		if err != nil {
			return err
		}
		done := i.s.Busy("signing – do not remove the token", time.Second)
		defer done()
		_, err = t.Sign(session, mechanisms[d.Mechanism], private, input, e.Seq)
		if err != nil {
			return fmt.Errorf("signing %s: %w", i.file, err)
		}
		return nil
	})
}

// mechanisms are those that keyrite signs with: both take what is already
// hashed, so that the log holds exactly what the token got.
var mechanisms = map[string]uint{
	pki.MechanismECDSA: token.CKM_ECDSA,
	pki.MechanismRSA:   token.CKM_RSA_PKCS,
}

// sameKey stops when the key on the token is not the one that the log recorded.
func (i *issue) sameKey(t *ceremony.Token, session uint) error {
	known := i.s.State().Keys[i.key.Name]
	if known == nil {
		return fmt.Errorf("key %q has not been generated in this ceremony", i.key.Name)
	}
	now, err := readKey(t, session, i.key, known.Generated)
	if err != nil {
		return err
	}
	if now.SPKI != known.SPKI {
		return fmt.Errorf("key %q on the token is not the one of this ceremony: its public key has the SHA-256 %s, the log says %s", i.key.Name, now.SPKISHA256, known.SPKISHA256)
	}
	return nil
}

// announce shows what is to be signed, then its digest, and returns the entry for
// it.
func (i *issue) announce(t *ceremony.Token, session uint, old *ceremony.Signed) (*audit.ToBeSigned, error) {
	if old != nil && i.s.Done().Wrote("to-be-signed") {
		kept, err := i.kept(old)
		if kept || err != nil {
			return old.TBS, err
		}
	}
	if i.content != nil {
		return i.announceFile()
	}
	d := &audit.ToBeSigned{Object: i.object, For: bundle.ArtifactsDir + "/" + i.file, Key: i.key.Name, Profile: i.label, Lint: []string{}}
	var random []byte
	if i.serial {
		var err error
		if random, d.Random, err = t.Random(session, pki.SerialRandomSize, token.PurposeSerial); err != nil {
			return nil, err
		}
		d.Serial = pki.SerialFromRandom(random).Text(16)
	}
	tbs, err := i.build(random)
	if err != nil {
		return nil, err
	}
	d.Mechanism, d.Digest, d.Input = tbs.Mechanism, pki.DigestName(tbs.Digest), hex.EncodeToString(tbs.Input)
	if err := i.lint(d, tbs); err != nil {
		return nil, err
	}
	if d.TBS, err = i.store(tbs.DER); err == nil {
		i.showDigest(d.TBS)
	}
	return d, err
}

// maxAnnounced is how long after they were announced bytes may be signed: their
// dates say when they were built (BR 7.1.2.1.1: notBefore within one day).
const maxAnnounced = 12 * time.Hour

// kept shows once more what an earlier attempt announced and has not signed.
// What is too old is built anew (kept is then false), unless people may have
// approved it: then the room has to do the step anew.
func (i *issue) kept(old *ceremony.Signed) (kept bool, err error) {
	if i.content != nil {
		i.showFileDigest()
		return true, nil
	}
	age := i.s.Now().Sub(old.When)
	switch {
	case age <= maxAnnounced:
	case i.s.Step.Approve != nil:
		return false, fmt.Errorf("%s was announced %s ago, and its dates say so: choose repeat, so that it is built and approved anew", i.file, age.Round(time.Hour))
	default:
		i.s.Show(room.Text{Text: "What an earlier attempt announced is too old to be signed; it is built anew."})
		return false, nil
	}
	der, err := i.s.ReadArtifact(strings.TrimPrefix(old.TBS.TBS.Name, bundle.ArtifactsDir+"/"))
	if err != nil {
		return false, err
	}
	if ceremony.FileOf(old.TBS.TBS.Name, der) != old.TBS.TBS {
		return false, fmt.Errorf("%s is not what the log says was announced", old.TBS.TBS.Name)
	}
	text, err := pki.Text(der)
	if err != nil {
		return false, err
	}
	i.s.Show(room.Text{Text: "The same bytes that were announced in an earlier attempt are signed now:"})
	i.s.Show(room.Text{Text: text})
	i.showDigest(old.TBS.TBS)
	return true, nil
}

// showDigest shows the checksum of the bytes that are approved and signed.
func (i *issue) showDigest(f audit.File) {
	i.s.Show(room.Fact{Name: "SHA-256 of the bytes to be signed", Value: f.SHA256, Big: true})
}

// lint shows what is to be signed and stops at what a linter calls an error
// (BR 4.3.1.2: before signing).
func (i *issue) lint(d *audit.ToBeSigned, tbs *pki.TBS) error {
	text, err := pki.Text(tbs.DER)
	if err != nil {
		return err
	}
	i.s.Show(room.Text{Text: "This is what will be signed:"})
	i.s.Show(room.Text{Text: text})
	report, err := lint.Lint(tbs.Preview, i.profile.Object, i.profile.AcceptedLints...)
	d.Lint = append(d.Lint, report.Lines()...)
	for _, l := range d.Lint {
		i.s.Show(room.Fact{Name: "checked by", Value: l})
	}
	if err != nil {
		return fmt.Errorf("%s must not be signed as it is: %w", i.file, err)
	}
	return nil
}

// confirm has the actor say that it is signed now (BR 4.3.1.1: a direct command
// by an authorised person).
func (i *issue) confirm() error { return confirmWord(i.s, "sign", "SIGN", "sign "+i.file) }

// store writes the bytes to be signed to the bundle: they are there before the
// signature exists. A failed try's bytes stay under their own name.
func (i *issue) store(der []byte) (audit.File, error) {
	name := bundle.TBSFile(i.file)
	for n := 2; ; n++ {
		old, err := i.s.ReadArtifact(name)
		if err != nil || string(old) == string(der) {
			return i.s.WriteFile(name, der)
		}
		name = bundle.TBSFile(fmt.Sprintf("%s.%d", i.file, n))
	}
}

// finish puts signature and bytes together, verifies the whole with the
// issuer's key by code that did not build it, and writes it.
func (i *issue) finish(signed *ceremony.Signed) error {
	tbs, err := i.s.ReadArtifact(strings.TrimPrefix(signed.TBS.TBS.Name, bundle.ArtifactsDir+"/"))
	if err != nil {
		return err
	}
	if ceremony.FileOf(signed.TBS.TBS.Name, tbs) != signed.TBS.TBS {
		return fmt.Errorf("%s is not what the log says was signed", signed.TBS.TBS.Name)
	}
	signature, err := hex.DecodeString(signed.Signature)
	if err != nil {
		return err
	}
	pub, err := parseSPKI(i.s.State().Keys[i.key.Name])
	if err != nil {
		return err
	}
	if i.content != nil {
		return i.finishFile(signature, pub, signed.SignSeq)
	}
	der, err := pki.AssembleFromTBS(tbs, signature, pub)
	if err != nil {
		return fmt.Errorf("%s: what the token signed does not verify: %w", i.file, err)
	}
	if err := pki.VerifySignature(der, pub); err != nil {
		return fmt.Errorf("%s: %w", i.file, err)
	}
	block := map[string]string{"certificate": "CERTIFICATE", "crl": "X509 CRL"}[i.object]
	b := pem.EncodeToMemory(&pem.Block{Type: block, Bytes: der})
	checks := "built and linted before signing; to-be-signed bytes equal to those signed; signature verified with the public key read from the token"
	if err := i.s.WriteArtifact(i.file, i.object, b, signed.SignSeq, checks); err != nil {
		return err
	}
	return i.show(b)
}

func (i *issue) show(b []byte) error {
	if i.content != nil {
		return i.showFile(b)
	}
	block, _ := pem.Decode(b)
	if block == nil {
		return fmt.Errorf("%s is not PEM", i.file)
	}
	i.s.Show(room.Fact{Name: "written", Value: bundle.ArtifactsDir + "/" + i.file})
	return i.s.Result("SHA-256 fingerprint of "+i.file, pki.Fingerprint(block.Bytes), true)
}

// publicKeyOf returns the public key that the log recorded for a key.
func publicKeyOf(s *ceremony.Session, name string) (crypto.PublicKey, error) {
	k := s.State().Keys[name]
	if k == nil {
		return nil, fmt.Errorf("key %q has not been generated in this ceremony", name)
	}
	return parseSPKI(k)
}

// certificate reads a certificate of this ceremony.
func certificate(s *ceremony.Session, file string) (*x509.Certificate, error) {
	_, b, err := s.Artifact(file)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(b)
	if block == nil {
		return nil, fmt.Errorf("%s is not PEM", file)
	}
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return c, nil
}
