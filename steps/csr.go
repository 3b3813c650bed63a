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

// request reads the certificate request: from the bundle if it was taken in
// before a break, else from the medium. Two people compare its SHA-256.
func (a *signCSR) request(s *ceremony.Session) (*x509.CertificateRequest, error) {
	b, err := s.ReadArtifact(a.CSR)
	taken := err == nil
	if !taken {
		if b, err = a.fromMedium(s); err != nil {
			return nil, err
		}
	}
	csr, err := pki.ParseCSR(b)
	if err != nil {
		return nil, fmt.Errorf("certificate request %s: %w", a.CSR, err)
	}
	if taken && s.Done().Wrote("csr") {
		return csr, nil
	}
	f, err := s.WriteFile(a.CSR, b)
	if err != nil {
		return nil, err
	}
	_, spki, err := pki.SPKISHA256(csr.PublicKey)
	if err != nil {
		return nil, err
	}
	s.Show(room.Text{Text: "The request's signature was made with the key it asks a certificate for (proof of possession). Its own subject is shown for information: the certificate gets the subject of the profile."})
	s.Show(room.Fact{Name: "subject of the request", Value: csr.Subject.String()})
	s.Show(room.Fact{Name: "public key", Value: pki.AlgorithmOf(csr.PublicKey) + ", SPKI SHA-256 " + spki})
	s.Show(room.Fact{Name: "SHA-256 of the request file", Value: f.SHA256, Big: true})
	for _, id := range a.Compare {
		if err := compare(s, id, f.SHA256); err != nil {
			return nil, err
		}
	}
	_, err = s.Record(&audit.CSR{File: f, Subject: csr.Subject.String(), SPKI: spki, Possible: true})
	return csr, err
}

// compare has a person type the beginning of a hash from paper.
func compare(s *ceremony.Session, person, hash string) error {
	const digits = 16
	want := hash[:digits]
	for {
		v, err := s.AskWord(person, "csr-sha256", fmt.Sprintf("From your own paper, not from the screen: type the first %d hex digits of the request's SHA-256", digits), want)
		if err != nil {
			return err
		}
		if got := strings.ToLower(strings.Join(strings.Fields(v), "")); len(got) >= digits && strings.HasPrefix(hash, got) {
			_, err := s.Record(&audit.Answer{Person: person, Question: "SHA-256 of the certificate request, from paper", Value: v})
			return err
		}
		s.Show(room.Warning{Text: "This is not the SHA-256 of the request that was read. If your paper is right, the request was exchanged: do not go on. Type it again, or ! for other choices."})
		if _, err := s.Record(&audit.Problem{What: fmt.Sprintf("%s typed another SHA-256 of the certificate request: %q", person, v)}); err != nil {
			return err
		}
	}
}

// fromMedium reads the request file. A rehearsal without one makes a request
// with a throw-away key, and says so.
func (a *signCSR) fromMedium(s *ceremony.Session) ([]byte, error) {
	b, err := s.ReadMedia(a.CSR, maxCSR)
	if err == nil || !s.Rehearsal() || !errors.Is(err, fs.ErrNotExist) {
		return b, err
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
