package steps

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"strings"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/ceremony"
	"github.com/keyrite/keyrite/internal/pki"
	"github.com/keyrite/keyrite/internal/room"
)

// request reads the certificate request: from the bundle if two people have
// compared it before, else from the medium. It is taken into the bundle when
// both have found it to be the one on their paper.
func (a *signCSR) request(s *ceremony.Session) (*x509.CertificateRequest, error) {
	if s.Done().Wrote("csr") {
		b, err := s.ReadArtifact(a.CSR)
		if err != nil {
			return nil, err
		}
		return pki.ParseCSR(b)
	}
	if err := s.Here(a.Compare...); err != nil {
		return nil, err
	}
	b, err := a.fromMedium(s)
	if err != nil {
		return nil, err
	}
	csr, err := pki.ParseCSR(b)
	if err != nil {
		return nil, fmt.Errorf("certificate request %s: %w", a.CSR, err)
	}
	_, spki, err := pki.SPKISHA256(csr.PublicKey)
	if err != nil {
		return nil, err
	}
	s.Show(room.Text{Text: "The request's signature was made with the key it asks a certificate for (proof of possession). Its own subject is shown for information: the certificate gets the subject of the profile."})
	s.Show(room.Fact{Name: "subject of the request", Value: csr.Subject.String()})
	s.Show(room.Fact{Name: "public key", Value: pki.AlgorithmOf(csr.PublicKey) + ", SPKI SHA-256 " + spki})
	hash := ceremony.FileOf(a.CSR, b).SHA256
	for _, id := range a.Compare {
		if err := compare(s, id, "csr-sha256", "certificate request", hash); err != nil {
			return nil, err
		}
	}
	s.Show(room.Fact{Name: "SHA-256 of the request file", Value: hash, Big: true})
	if err := s.ReadBack(a.ReadBack, "the SHA-256 of the certificate request", hash); err != nil {
		return nil, err
	}
	f, err := s.WriteFile(a.CSR, b)
	if err != nil {
		return nil, err
	}
	_, err = s.Record(&audit.CSR{File: f, Subject: csr.Subject.String(), SPKI: spki, Possible: true})
	return csr, err
}

// compareTries is how often a person may type the hash before the step stops,
// so that another file can be brought.
const compareTries = 3

// compare has a person type the beginning of a thing's SHA-256 from paper. What
// was typed is recorded only if it is right.
func compare(s *ceremony.Session, person, prompt, thing, hash string) error {
	person = s.Who(person)
	const digits = 16
	for range compareTries {
		v, err := s.AskWord(person, prompt, fmt.Sprintf("From your own paper: type the first %d hex digits of the SHA-256 of the %s", digits, thing), hash[:digits])
		if err != nil {
			return err
		}
		if got := strings.ToLower(strings.Join(strings.Fields(v), "")); len(got) >= digits && strings.HasPrefix(hash, got) {
			_, err := s.Record(&audit.Answer{Person: person, Question: "SHA-256 of the " + thing + ", from paper", Value: got})
			return err
		}
		s.Show(room.Warning{Text: "This is not the beginning of the SHA-256 of the " + thing + " that was read."})
		if _, err := s.Record(&audit.Problem{What: s.Script().Shown(person) + " typed another SHA-256 of the " + thing}); err != nil {
			return err
		}
	}
	return fmt.Errorf("the %s is not the one on the paper of %s: bring the right one, then try the step again", thing, s.Script().Shown(person))
}

// fromMedium reads the request file. A rehearsal without one makes a request
// with a throw-away key, and says so.
func (a *signCSR) fromMedium(s *ceremony.Session) ([]byte, error) {
	b, err := s.ReadMedia(a.CSR, maxCSR)
	if err == nil || !s.Rehearsal() || !errors.Is(err, fs.ErrNotExist) {
		return b, err
	}
	if made, err := s.ReadArtifact(a.CSR); err == nil {
		return made, nil // by an earlier attempt
	}
	const note = "REHEARSAL: no certificate request was brought; one was made with a throw-away key"
	s.Show(room.Warning{Text: note})
	if err := s.Result("certificate request", note, false); err != nil {
		return nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), s.Rand())
	if err != nil {
		return nil, err
	}
	der, err := x509.CreateCertificateRequest(s.Rand(), &x509.CertificateRequest{Subject: pkix.Name{CommonName: "REHEARSAL throw-away key"}}, key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}), nil
}

// maxCSR is the most bytes a request file may have.
const maxCSR = 64 << 10

func bigInt(n int) *big.Int { return big.NewInt(int64(n)) }

func hexInt(s string) (*big.Int, bool) { return new(big.Int).SetString(s, 16) }
