package steps

import (
	"crypto"
	"encoding/pem"
	"fmt"
	"strings"
	"time"

	"github.com/keyrite/keyrite/ceremony"
	"github.com/keyrite/keyrite/internal/pki"
)

// backdate is how long before the signing a certificate becomes valid: little
// enough for BR 7.1.2.1.1 (within one day), enough for clocks that are slow.
const backdate = time.Minute

// A selfSignRoot step makes a root certificate.
type selfSignRoot struct {
	Key      string `yaml:"key,required" desc:"the root's key"`
	Profile  string `yaml:"profile,required" desc:"profile of the certificate, for a root-ca"`
	File     string `yaml:"file,required" desc:"artifact to make, such as root.pem"`
	ReadBack string `yaml:"read_back" desc:"participant who types back the certificate's SHA-256 fingerprint, as the actor reads it aloud; it is compared"`
}

// Check notes that the key has a certificate from here on.
func (a *selfSignRoot) Check(w *ceremony.World) {
	w.CheckReadBack(a.ReadBack)
	k := caKey(w, a.Key)
	profileOf(w, a.Profile, pki.ObjectRootCA)
	output(w, a.File, "certificate", a.Key)
	if k == nil {
		return
	}
	if k.Cert != "" {
		w.Problem("key", "key %q has the certificate %q already", a.Key, k.Cert)
	}
	k.Cert = a.File
}

// ShowsFirst: who approves sees the certificate before.
func (a *selfSignRoot) ShowsFirst() {}

// Announce says what is signed.
func (a *selfSignRoot) Announce(*ceremony.Session) (effect, irreversible string) {
	return "the key signs its own root certificate", "a signature cannot be taken back; a wrong certificate can only be thrown away"
}

// Run makes the certificate.
func (a *selfSignRoot) Run(s *ceremony.Session) error {
	profile, label, err := usedProfile(s, a.Profile)
	if err != nil {
		return err
	}
	i := &issue{s: s, key: s.Script().Key(a.Key), object: "certificate", file: a.File, serial: true, profile: profile, label: label}
	i.build = func(random []byte) (*pki.TBS, error) {
		pub, err := publicKeyOf(s, a.Key)
		if err != nil {
			return nil, err
		}
		return pki.NewCertificate(request(s, *profile, pub, pub, random))
	}
	if err := i.run(); err != nil || a.ReadBack == "" {
		return err
	}
	_, b, err := s.Artifact(a.File)
	if err != nil {
		return err
	}
	block, _ := pem.Decode(b)
	if block == nil {
		return fmt.Errorf("reading %s: it is no PEM file", a.File)
	}
	return s.ReadBack(a.ReadBack, "the SHA-256 fingerprint of "+a.File, pki.Fingerprint(block.Bytes))
}

func request(s *ceremony.Session, p pki.Profile, subject, issuer crypto.PublicKey, random []byte) pki.CertificateRequest {
	return pki.CertificateRequest{
		Profile: p, SubjectKey: subject, IssuerKey: issuer,
		Serial:    random,
		NotBefore: s.Now().Add(-backdate).Truncate(time.Second),
	}
}

// usedProfile returns a profile as it is used, marked in a rehearsal, and how
// the log names it.
func usedProfile(s *ceremony.Session, name string) (*pki.Profile, string, error) {
	p, err := s.Script().Profile(name)
	if err != nil {
		return nil, "", err
	}
	if s.Rehearsal() {
		*p = p.Rehearsal()
	}
	h, err := ceremony.ProfileHash(p)
	return p, fmt.Sprintf("%s (SHA-256 %s)", name, h), err
}

// A signCSR step makes a subordinate certificate of a request.
type signCSR struct {
	Key      string   `yaml:"key,required" desc:"the issuer's key"`
	Issuer   string   `yaml:"issuer,required" desc:"artifact with the issuer's certificate"`
	Profile  string   `yaml:"profile,required" desc:"profile of the certificate, for a sub-ca"`
	CSR      string   `yaml:"csr,required" desc:"file with the certificate request (PKCS #10), beside the script or in the folder that --media names"`
	Compare  []string `yaml:"compare,required" desc:"two participants who compare the request's SHA-256 with the one that came by another way"`
	File     string   `yaml:"file,required" desc:"artifact to make"`
	ReadBack string   `yaml:"read_back" desc:"participant who types back the SHA-256 of the request file, as the actor reads it aloud; it is compared"`
}

// Check wants an issuer, and two people to compare.
func (a *signCSR) Check(w *ceremony.World) {
	w.CheckReadBack(a.ReadBack)
	caKey(w, a.Key)
	issuerCertificate(w, a.Issuer, a.Key)
	profileOf(w, a.Profile, pki.ObjectSubCA)
	output(w, a.File, "certificate", a.Key)
	w.Subs[a.Key] = true
	if err := ceremony.CheckFileName(a.CSR); err != nil {
		w.Problem("csr", "%v", err)
	}
	comparers(w, a.Compare)
}

// comparers reports people who cannot compare a hash with their own paper: there
// must be two, and both in the room.
func comparers(w *ceremony.World, people []string) {
	distinct := map[string]bool{}
	for n, id := range people {
		distinct[id] = true
		inRoom(w, fmt.Sprintf("compare[%d]", n), id)
	}
	if len(distinct) < 2 {
		w.Problem("compare", "expected two different people")
	}
}

// inRoom reports somebody who is not in the script or was not called.
func inRoom(w *ceremony.World, field, id string) {
	if w.Script.Participant(id) == nil {
		w.Problem(field, "%q is not a participant of the script", id)
	} else if w.Present != nil && !w.Present[id] {
		w.Problem(field, "%q was not called at the roll call", id)
	}
}

// ShowsFirst: who approves sees the certificate before.
func (a *signCSR) ShowsFirst() {}

// Announce says what is signed.
func (a *signCSR) Announce(*ceremony.Session) (effect, irreversible string) {
	return "the key signs the certificate of another CA", "a signature cannot be taken back; a wrong certificate must be revoked"
}

// Run checks the request, has it compared and makes the certificate.
func (a *signCSR) Run(s *ceremony.Session) error {
	csr, err := a.request(s)
	if err != nil {
		return err
	}
	profile, label, err := usedProfile(s, a.Profile)
	if err != nil {
		return err
	}
	i := &issue{s: s, key: s.Script().Key(a.Key), object: "certificate", file: a.File, serial: true, profile: profile, label: label}
	i.build = func(random []byte) (*pki.TBS, error) {
		issuer, err := certificate(s, a.Issuer)
		if err != nil {
			return nil, err
		}
		r := request(s, *profile, csr.PublicKey, issuer.PublicKey, random)
		r.Issuer = issuer
		return pki.NewCertificate(r)
	}
	return i.run()
}

// A signCRL step makes a certificate revocation list.
type signCRL struct {
	Key     string    `yaml:"key,required" desc:"the issuer's key"`
	Issuer  string    `yaml:"issuer,required" desc:"artifact with the issuer's certificate"`
	Profile string    `yaml:"profile,required" desc:"profile of the list"`
	Number  int       `yaml:"number,required" desc:"CRL number: 1 for the first, then always higher"`
	Revoked []revoked `yaml:"revoked" desc:"certificates that are revoked"`
	File    string    `yaml:"file,required" desc:"artifact to make"`
}

// A revoked certificate on a CRL.
type revoked struct {
	Serial string `yaml:"serial,required" desc:"serial number, hex in quotes"`
	Date   string `yaml:"date,required" desc:"when it was revoked, in quotes: 2026-01-31 14:05:09, UTC"`
	Reason string `yaml:"reason,required" enum:"keyCompromise,cACompromise,affiliationChanged,superseded,cessationOfOperation,privilegeWithdrawn" desc:"reason code (RFC 5280 section 5.3.1)"`
}

// Check wants an issuer and a number that fits.
func (a *signCRL) Check(w *ceremony.World) {
	caKey(w, a.Key)
	issuerCertificate(w, a.Issuer, a.Key)
	profileOf(w, a.Profile, pki.ObjectCRL)
	output(w, a.File, "crl", a.Key)
	w.CRLs[a.Key] = true
	if a.Number < 1 {
		w.Problem("number", "expected 1 or more")
	}
	if _, err := a.list(); err != nil {
		w.Problem("revoked", "%v", err)
	}
}

// ShowsFirst: who approves sees the list before.
func (a *signCRL) ShowsFirst() {}

// Announce says what is signed.
func (a *signCRL) Announce(*ceremony.Session) (effect, irreversible string) {
	return "the key signs a certificate revocation list", "a signature cannot be taken back; whoever gets the list acts on it"
}

// Run makes the list.
func (a *signCRL) Run(s *ceremony.Session) error {
	profile, label, err := usedProfile(s, a.Profile)
	if err != nil {
		return err
	}
	list, err := a.list()
	if err != nil {
		return err
	}
	i := &issue{s: s, key: s.Script().Key(a.Key), object: "crl", file: a.File, profile: profile, label: label}
	i.build = func([]byte) (*pki.TBS, error) {
		issuer, err := certificate(s, a.Issuer)
		if err != nil {
			return nil, err
		}
		return pki.NewCRL(pki.CRLRequest{
			Profile: *profile, Issuer: issuer, IssuerKey: issuer.PublicKey, Number: bigInt(a.Number), Revoked: list,
			ThisUpdate: s.Now().Truncate(time.Second),
		})
	}
	return i.run()
}

func (a *signCRL) list() ([]pki.Revoked, error) {
	var list []pki.Revoked
	for n, r := range a.Revoked {
		serial, ok := hexInt(strings.ToLower(r.Serial))
		if !ok {
			return nil, fmt.Errorf("entry %d: serial %q is not hex", n, r.Serial)
		}
		at, err := parseTime(r.Date)
		if err != nil {
			return nil, fmt.Errorf("entry %d: %w", n, err)
		}
		list = append(list, pki.Revoked{Serial: serial, When: at, Reason: r.Reason})
	}
	return list, nil
}
