package steps

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"math/big"
	"regexp"
	"time"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/ceremony"
	"github.com/keyrite/keyrite/internal/pki"
	"github.com/keyrite/keyrite/internal/room"
	"github.com/keyrite/keyrite/internal/token"
)

// A keyIdentify step finds a key that an earlier ceremony made. A rehearsal on
// a token that only stands in makes a throw-away key, and says so.
type keyIdentify struct {
	Key         string   `yaml:"key,required" desc:"the key to find, from the script's keys"`
	SPKI        string   `yaml:"spki_sha256" desc:"SHA-256 of its public key (SubjectPublicKeyInfo), 64 hex digits in quotes, as its own ceremony recorded it" line:"one"`
	Compare     []string `yaml:"compare" desc:"two participants who compare that SHA-256 with their own paper; needed without spki_sha256"`
	Certificate string   `yaml:"certificate" desc:"file with the key's certificate (PEM), beside the script or in the folder that --media names; it becomes an artifact of the same name"`
}

var sha256Form = regexp.MustCompile(`^[0-9a-f]{64}$`)

// Check notes that the key exists from here on.
func (a *keyIdentify) Check(w *ceremony.World) {
	if a.SPKI != "" && !sha256Form.MatchString(a.SPKI) {
		w.Problem("spki_sha256", "expected 64 hex digits 0-9 and a-f")
	}
	if a.SPKI == "" || len(a.Compare) > 0 {
		comparers(w, a.Compare)
	}
	k := w.Keys[a.Key]
	if k == nil {
		w.Problem("key", "%q is not one of the script's keys", a.Key)
		return
	}
	if k.Exists {
		w.Problem("key", "key %q is known already", a.Key)
	}
	k.Exists = true
	if a.Certificate != "" {
		output(w, a.Certificate, "certificate", a.Key)
		k.Cert = a.Certificate
	}
	t := w.Tokens[k.Spec.Token]
	if t == nil {
		return // reported with the key itself
	}
	if t.ComesBlank() {
		w.Problem("key", "a step of this script initialises token %q: no key from before is on it", k.Spec.Token)
	}
	if !t.Identified {
		w.Problem("key", "token %q is used before a token-identify step has found it", k.Spec.Token)
	}
	custodian(w, t, token.UserPIN)
}

// Announce says that the token is only read.
func (a *keyIdentify) Announce(*ceremony.Session) (effect, irreversible string) {
	return "the user PIN is typed (a wrong one costs a try), and the key is read; nothing changes", ""
}

// Run finds the key, has it compared and records it.
func (a *keyIdentify) Run(s *ceremony.Session) error {
	k := s.Script().Key(a.Key)
	if err := s.Here(a.Compare...); err != nil {
		return err
	}
	found, proofs, err := keyWithProofs(s, k, a.find)
	if err != nil {
		return err
	}
	found.Found = found.Generated == 0
	if err := a.known(s, found); err != nil {
		return err
	}
	if err := reportKey(s, k, found); err != nil {
		return err
	}
	if err := recordOrigin(s, found, proofs); err != nil {
		return err
	}
	return a.certificate(s, found)
}

// find looks for the key; it returns the call that made it if it is a
// throw-away one, else 0.
func (a *keyIdentify) find(s *ceremony.Session, t *ceremony.Token, session uint, k *ceremony.KeySpec) (int64, error) {
	_, _, found, err := t.FindKey(session, k)
	if err != nil {
		return 0, err
	}
	tried, attempted := s.Done().Attempted(token.GenerateKeyPair)
	switch {
	case found && attempted:
		if seq, ok := s.Done().Happened(token.GenerateKeyPair); ok {
			tried = seq
		}
		return tried, nil
	case found:
		return 0, nil
	case !s.Stand():
		return 0, fmt.Errorf("key %q (label %q, id %s) is not on token %q", k.Name, k.Label, k.KeyID, t.Name)
	}
	const note = "REHEARSAL: the token stands in for another one, and has no key from before; a throw-away key is made"
	s.Show(room.Warning{Text: note})
	if err := s.Result("key "+k.Name, note, false); err != nil {
		return 0, err
	}
	return makeKey(s, t, session, k)
}

// known compares the key with the script and with people's papers.
func (a *keyIdentify) known(s *ceremony.Session, k *audit.Key) error {
	if a.SPKI != "" && a.SPKI != k.SPKISHA256 {
		if k.Found || !s.Stand() {
			return fmt.Errorf("key %q on the token has the public key %s (SHA-256), the script says %s: it is another key", k.Name, k.SPKISHA256, a.SPKI)
		}
		if err := s.Result("compared with the script", "REHEARSAL: a throw-away key has another SHA-256 than the script says", false); err != nil {
			return err
		}
	}
	for _, id := range a.Compare {
		if err := compare(s, id, "key-sha256", "public key "+k.Name, k.SPKISHA256); err != nil {
			return err
		}
	}
	return nil
}

// maxCertificate is the most bytes a certificate's file may have.
const maxCertificate = 64 << 10

// certificate takes the key's certificate into the bundle.
func (a *keyIdentify) certificate(s *ceremony.Session, k *audit.Key) error {
	if a.Certificate == "" {
		return nil
	}
	b, err := a.bring(s, k)
	if err != nil {
		return err
	}
	block, _ := pem.Decode(b)
	if block == nil || block.Type != "CERTIFICATE" {
		return fmt.Errorf("%s is no certificate in PEM", a.Certificate)
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return fmt.Errorf("%s: %w", a.Certificate, err)
	}
	if _, sum, err := pki.SPKISHA256(cert.PublicKey); err != nil || sum != k.SPKISHA256 {
		return fmt.Errorf("%s is not the certificate of key %q: it is for the public key %s (SHA-256), the token's is %s", a.Certificate, k.Name, sum, k.SPKISHA256)
	}
	if now := s.Now(); now.Before(cert.NotBefore) || now.After(cert.NotAfter) {
		s.Show(room.Warning{Text: fmt.Sprintf("The certificate is valid from %s to %s, and not today.", cert.NotBefore.UTC().Format(time.DateOnly), cert.NotAfter.UTC().Format(time.DateOnly))})
	}
	s.Show(room.Fact{Name: "subject of " + a.Certificate, Value: cert.Subject.String()})
	block.Headers = nil
	if err := s.WriteArtifact(a.Certificate, "brought-certificate", pem.EncodeToMemory(block), 0, "brought to the ceremony; its public key is the one read from the token"); err != nil {
		return err
	}
	return s.Result("SHA-256 fingerprint of "+a.Certificate, pki.Fingerprint(block.Bytes), true)
}

// bring reads the certificate's file: from the bundle if an earlier attempt put
// it there, else from the medium. The one on the medium belongs to the real key,
// so a throw-away key gets another one.
func (a *keyIdentify) bring(s *ceremony.Session, k *audit.Key) ([]byte, error) {
	if b, err := s.ReadArtifact(a.Certificate); err == nil {
		return b, nil
	}
	if !k.Found {
		return a.throwAway(s, k)
	}
	return s.ReadMedia(a.Certificate, maxCertificate)
}

// throwAway makes a certificate for a rehearsal's throw-away key, by an issuer
// that exists for this moment alone.
func (a *keyIdentify) throwAway(s *ceremony.Session, k *audit.Key) ([]byte, error) {
	const note = "REHEARSAL: no certificate was brought; one was made by a throw-away issuer"
	s.Show(room.Warning{Text: note})
	if err := s.Result("certificate of "+k.Name, note, false); err != nil {
		return nil, err
	}
	pub, err := parseSPKI(k)
	if err != nil {
		return nil, err
	}
	issuer, err := ecdsa.GenerateKey(elliptic.P256(), s.Rand())
	if err != nil {
		return nil, err
	}
	keyID, err := hex.DecodeString(k.SPKISHA256)
	if err != nil {
		return nil, err
	}
	cert := &x509.Certificate{
		SerialNumber: big.NewInt(s.Now().UnixNano()), Subject: pkix.Name{CommonName: "REHEARSAL " + k.Label, Organization: []string{"REHEARSAL"}, Country: []string{"XX"}},
		NotBefore: s.Now().Add(-time.Hour), NotAfter: s.Now().AddDate(20, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, SubjectKeyId: keyID[:20],
	}
	parent := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "REHEARSAL throw-away issuer"}, SubjectKeyId: keyID[:8]}
	der, err := x509.CreateCertificate(s.Rand(), cert, parent, pub, issuer)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), nil
}
