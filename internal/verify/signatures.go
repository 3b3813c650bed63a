package verify

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/bundle"
	"github.com/keyrite/keyrite/internal/pki"
)

// digestInfo are the beginnings of the DigestInfo that CKM_RSA_PKCS signs (RFC
// 8017 section 9.2, note 1), by the digest's name.
var digestInfo = map[string]string{
	"SHA-256": "3031300d060960864801650304020105000420",
	"SHA-384": "3041300d060960864801650304020205000430",
	"SHA-512": "3051300d060960864801650304020305000440",
}

// signInput returns what C_Sign gets for the bytes to be signed, in hex.
func signInput(mechanism, digest string, tbs []byte) (string, error) {
	var sum []byte
	switch digest {
	case "SHA-256":
		s := sha256.Sum256(tbs)
		sum = s[:]
	case "SHA-384":
		s := sha512.Sum384(tbs)
		sum = s[:]
	case "SHA-512":
		s := sha512.Sum512(tbs)
		sum = s[:]
	default:
		return "", fmt.Errorf("digest %q", digest)
	}
	switch mechanism {
	case "CKM_ECDSA":
		return hex.EncodeToString(sum), nil
	case "CKM_RSA_PKCS":
		return digestInfo[digest] + hex.EncodeToString(sum), nil
	}
	return "", fmt.Errorf("mechanism %q", mechanism)
}

// checkSignatures explains every C_Sign by exactly one object: what was
// announced, its bytes, its input.
func (v *verifier) checkSignatures(c *Check) {
	count := map[string]int{}
	used := map[int64]int64{}
	defer v.checkPurposes()
	v.index()
	for seq, t := range v.log.tbs {
		v.checkAnnounced(t, seq)
	}
	v.checkRandoms()
	for i := range v.log.signs {
		s := &v.log.signs[i]
		c.Count++
		t := v.log.tbs[s.of]
		if t == nil || s.of >= s.seq {
			count["(unknown)"]++
			v.unless(s.of < 0 || v.hides(s.of, s.of), SignatureUnexplained, v.log.file, s.place(), "the token signed something that no entry announces", "a to-be-signed entry", fmt.Sprintf("entry %d", s.of))
			continue
		}
		count[t.Key]++
		if other, twice := used[s.of]; twice {
			v.findEntry(SignatureUnexplained, v.log.file, s.place(), fmt.Sprintf("what entry %d announces was signed already", s.of), "", fmt.Sprintf("entry %d", other))
		}
		used[s.of] = s.place()
		v.explain(s, t)
	}
	for key, n := range count {
		v.report.Signatures = append(v.report.Signatures, SignatureCount{key, n})
	}
	slices.SortFunc(v.report.Signatures, func(a, b SignatureCount) int { return strings.Compare(a.Key, b.Key) })
}

// place is the entry that shows the signature: the outcome, or the intent if
// that is all there is.
func (s *signing) place() int64 {
	if s.unknown {
		return s.seq
	}
	return s.outcome
}

// explain compares what C_Sign got with what was announced and with the bytes
// in the bundle, and looks for the artifact that became of it.
func (v *verifier) explain(s *signing, t *audit.ToBeSigned) {
	if s.data != t.Input {
		v.findEntry(SignedBytesDiffer, v.log.file, s.seq, "C_Sign got other bytes than were announced", t.Input, s.data)
	}
	tbs, ok := v.bound(t.TBS)
	if !ok {
		v.findEntry(SignatureUnexplained, t.TBS.Name, s.place(), "the bytes that were signed are not in the bundle", t.TBS.SHA256, "")
		return
	}
	if input, err := signInput(t.Mechanism, t.Digest, tbs); err != nil {
		v.findEntry(SignedBytesDiffer, v.log.file, s.of, "what C_Sign gets cannot be made from the bytes to be signed", "", err.Error())
	} else if input != t.Input {
		v.findEntry(SignedBytesDiffer, t.TBS.Name, s.of, "the announced input is not that of the bytes to be signed", input, t.Input)
	}
	v.checkSerial(t, s.of)
	v.checkGiving(s, t, tbs)
	v.explainByArtifact(s, t, tbs)
}

// checkGiving verifies what the token gave over the bytes to be signed, whether
// or not an artifact came of it.
func (v *verifier) checkGiving(s *signing, t *audit.ToBeSigned, tbs []byte) {
	if s.unknown {
		return
	}
	pub, err := v.publicKey(t.Key)
	if err != nil {
		v.unless(v.hides(0, s.place()), SignatureUnexplained, v.log.file, s.place(), "the token signed with a key that the log does not know", "", err.Error())
		return
	}
	if asFile(t.Object) {
		v.checkFileGiving(s, t, tbs, pub)
		return
	}
	is, err := pki.LoadTBS(tbs, pub)
	if err != nil {
		v.findEntry(SignatureUnexplained, t.TBS.Name, s.place(), "what was signed is neither a certificate's nor a CRL's bytes for that key", "", err.Error())
		return
	}
	if object := objects[is.Object]; object != t.Object {
		v.findEntry(SignedBytesDiffer, t.TBS.Name, s.of, "the bytes to be signed are those of another object than was announced", t.Object, object)
	}
	raw, err := hex.DecodeString(s.signature)
	if err == nil {
		_, err = pki.AssembleFromTBS(tbs, raw, pub)
	}
	if err != nil {
		v.findEntry(SignatureUnexplained, v.log.file, s.place(), fmt.Sprintf("the signature that the token gave is not one of key %q over the announced bytes", t.Key), "", err.Error())
	}
}

// objects are the names of what is signed in the log, by those of package pki.
var objects = map[string]string{pki.ObjectCertificate: "certificate", pki.ObjectList: "crl"}

// checkAnnounced looks at one to-be-signed entry, signed or not.
func (v *verifier) checkAnnounced(t *audit.ToBeSigned, seq int64) {
	if asFile(t.Object) {
		b, ok := v.bound(t.TBS)
		if ok && t.Object == challenged {
			v.checkChallenge(t.TBS.Name, seq, b)
		}
		if ok && pki.OneSequence(b) {
			v.findEntry(SignedBytesDiffer, t.TBS.Name, seq, "what is announced as a file is one ASN.1 SEQUENCE, as certificates and lists are before they are signed", "a file", t.TBS.SHA256)
		}
		return
	}
	if t.Object != "certificate" && t.Object != "crl" {
		v.findEntry(SignatureUnexplained, v.log.file, seq, "an object is announced that no ceremony signs", "certificate, crl or file", t.Object)
	}
	if b, ok := v.bound(t.TBS); ok && signedObject(b) {
		v.findEntry(ArtifactFormat, t.TBS.Name, seq, "the bytes to be signed are a certificate or CRL that is signed already", "", "")
	}
}

// signedObject reports whether a file is or holds a certificate or CRL with a
// signature, in DER or PEM.
func signedObject(b []byte) bool {
	if holdsPEM(b) {
		return true
	}
	_, _, _, err := pki.SplitSigned(b)
	return err == nil
}

// holdsPEM reports whether a file holds a certificate or CRL in PEM.
func holdsPEM(b []byte) bool {
	for block, rest := pem.Decode(b); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == pemTypes["certificate"] || block.Type == pemTypes["crl"] {
			return true
		}
	}
	return false
}

// index makes the tables in which the artifacts of a C_Sign, the C_Sign of an
// artifact and the log's public keys are found.
func (v *verifier) index() {
	v.artifactsOf, v.signOf, v.spkis = map[int64][]artifact{}, map[int64]*signing{}, map[string]bool{}
	for _, a := range v.log.artifacts {
		v.artifactsOf[a.Signed] = append(v.artifactsOf[a.Signed], a)
	}
	for i := range v.log.signs {
		if s := &v.log.signs[i]; !s.unknown {
			v.signOf[s.outcome] = s
		}
	}
	for _, k := range v.log.keys {
		v.spkis[k.SPKI], v.spkis[k.SPKISHA256] = true, true
	}
}

// checkSerial compares a serial number with the random bytes it is made of.
func (v *verifier) checkSerial(t *audit.ToBeSigned, seq int64) {
	if t.Serial == "" && t.Object != pki.ObjectCertificate {
		return
	}
	random, err := hex.DecodeString(v.log.randoms[t.Random])
	if _, ok := v.log.randoms[t.Random]; !ok || err != nil || t.Random >= seq {
		v.unless(v.hides(t.Random, t.Random), SerialNotRandom, v.log.file, seq, "the entry that the serial number is from gave no random bytes for it", "", fmt.Sprintf("entry %d", t.Random))
		return
	}
	n := pki.SerialFromRandom(random)
	if n == nil || n.Text(16) != t.Serial {
		v.findEntry(SerialNotRandom, v.log.file, seq, "the serial number is not made of the logged random bytes", fmt.Sprintf("%x", n), t.Serial)
	}
}

// explainByArtifact finds the artifact made from a signature and compares it
// with the bytes and the signature.
func (v *verifier) explainByArtifact(s *signing, t *audit.ToBeSigned, tbs []byte) {
	found := false
	var made []artifact
	if !s.unknown {
		made = v.artifactsOf[s.outcome]
	}
	for _, a := range made {
		found = true
		if a.File.Name != t.For {
			v.findEntry(SignedBytesDiffer, a.File.Name, a.seq, "the artifact is not the one that was announced", t.For, a.File.Name)
		}
		v.compareSigned(a, s, t, tbs)
	}
	if !found {
		v.unless(v.hides(s.place(), v.log.lastSeq), SignatureUnused, t.TBS.Name, s.place(), fmt.Sprintf("key %q signed these bytes for %s, and no artifact came of it: a failed try", t.Key, t.For), "", "")
	}
}

func (v *verifier) compareSigned(a artifact, s *signing, t *audit.ToBeSigned, tbs []byte) {
	b, ok := v.bound(a.File)
	if !ok {
		return // reported with the artifacts
	}
	if asFile(t.Object) {
		return // reported with the artifacts
	}
	der, err := onePEM(b, pemTypes[a.Object])
	if err != nil {
		v.findEntry(SignedBytesDiffer, a.File.Name, a.seq, "the artifact cannot be compared with what was signed", "", err.Error())
		return
	}
	inside, _, signature, err := pki.SplitSigned(der)
	if err != nil {
		v.findEntry(ArtifactFormat, a.File.Name, a.seq, "the file is no signed object", "", err.Error())
		return
	}
	if !bytes.Equal(inside, tbs) {
		v.findEntry(SignedBytesDiffer, a.File.Name, a.seq, "the artifact does not hold the bytes that were signed", t.TBS.SHA256, hash(inside))
	}
	raw, err := rawSignature(t.Mechanism, signature, len(s.signature)/2)
	if err != nil || hex.EncodeToString(raw) != s.signature {
		v.findEntry(SignedBytesDiffer, a.File.Name, a.seq, "the artifact does not hold the signature that the token gave", s.signature, hex.EncodeToString(raw))
	}
}

func hash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// rawSignature returns a signature as the token gave it: for ECDSA r‖s, each
// half of size bytes, from the DER of an Ecdsa-Sig-Value (RFC 3279 section
// 2.2.3).
func rawSignature(mechanism string, signature []byte, size int) ([]byte, error) {
	if mechanism != "CKM_ECDSA" {
		return signature, nil
	}
	var sig struct{ R, S *big.Int }
	if rest, err := asn1.Unmarshal(signature, &sig); err != nil || len(rest) > 0 {
		return nil, errors.New("no Ecdsa-Sig-Value")
	}
	half := size / 2
	if sig.R.Sign() <= 0 || sig.S.Sign() <= 0 || sig.R.BitLen() > 8*half || sig.S.BitLen() > 8*half {
		return nil, errors.New("r or s does not fit")
	}
	raw := make([]byte, 2*half)
	sig.R.FillBytes(raw[:half])
	sig.S.FillBytes(raw[half:])
	return raw, nil
}

// bound reads a file that an entry binds. It reports false without a finding
// if the file is not there as bound: checkArtifacts reports that once a file.
func (v *verifier) bound(f audit.File) ([]byte, bool) {
	if !v.has(f.Name) {
		return nil, false
	}
	c := v.readOnce(f.Name)
	return c.content, c.err == nil && c.sum == f.SHA256 && int64(len(c.content)) == f.Size
}

// A content is a file's bytes with their SHA-256 in hex.
type content struct {
	name    string
	content []byte
	sum     string
	err     error
}

// readOnce reads a file, unless it is the one read last.
func (v *verifier) readOnce(name string) *content {
	if v.last == nil || v.last.name != name {
		b, err := v.Read(name)
		v.last = &content{name, b, hash(b), err}
	}
	return v.last
}

// pemTypes are the PEM types of artifacts by their object.
var pemTypes = map[string]string{
	"certificate": "CERTIFICATE",
	"crl":         "X509 CRL",
	"public-key":  "PUBLIC KEY",

	broughtCertificate: "CERTIFICATE",
}

// onePEM decodes a file that is exactly one PEM block of the type, as
// encoding/pem writes it: no headers, nothing before or behind. So every bit
// of the file has a meaning.
func onePEM(b []byte, typ string) ([]byte, error) {
	block, rest := pem.Decode(b)
	switch {
	case block == nil:
		return nil, errors.New("no PEM block")
	case block.Type != typ:
		return nil, fmt.Errorf("a PEM block of type %q, want %q", block.Type, typ)
	case len(block.Headers) > 0:
		return nil, errors.New("a PEM block with headers")
	case len(rest) > 0:
		return nil, fmt.Errorf("%d bytes after the PEM block", len(rest))
	case !bytes.Equal(pem.EncodeToMemory(block), b):
		return nil, errors.New("PEM that is not in its one form")
	}
	return block.Bytes, nil
}

// maxRSA is the largest RSA key that is looked at: more would only keep the
// auditor waiting.
const maxRSA = 16384

// publicKey returns the public key that the log recorded under a key's name.
func (v *verifier) publicKey(name string) (crypto.PublicKey, error) {
	k := v.log.keys[name]
	if k == nil {
		return nil, fmt.Errorf("the log has no key %q", name)
	}
	der, err := hex.DecodeString(k.SPKI)
	if err != nil {
		return nil, fmt.Errorf("public key of %q: %w", name, err)
	}
	if hash(der) != k.SPKISHA256 {
		return nil, fmt.Errorf("public key of %q: its SHA-256 in the log is not that of its bytes", name)
	}
	pub, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return nil, fmt.Errorf("public key of %q: %w", name, err)
	}
	switch k := pub.(type) {
	case *rsa.PublicKey:
		if k.N.BitLen() > maxRSA {
			return nil, fmt.Errorf("public key of %q: RSA of %d bits, at most %d", name, k.N.BitLen(), maxRSA)
		}
		return pub, nil
	case *ecdsa.PublicKey:
		return pub, nil
	}
	return nil, fmt.Errorf("public key of %q: neither RSA nor ECDSA", name)
}

// checkArtifacts compares the files that the log binds with the bundle's, and
// looks into certificates, CRLs and public keys.
func (v *verifier) checkArtifacts(c *Check) {
	for name, l := range v.log.files {
		c.Count++
		if !bundle.Known(name) || !strings.HasPrefix(name, bundle.ArtifactsDir+"/") {
			v.findEntry(ArtifactDiffers, v.log.file, l.seq, "the log binds a file that has no place among the artifacts", "", name)
			continue
		}
		v.checkBound(l)
	}
	for name := range v.files {
		if _, ok := v.log.files[name]; !ok && v.log.open != nil && strings.HasPrefix(name, bundle.ArtifactsDir+"/") {
			v.checkUnlogged(name)
		}
	}
	for _, k := range v.log.keys {
		if _, err := v.publicKey(k.Name); err != nil {
			v.find(ArtifactKey, v.log.file, "a key in the log cannot be used", "", err.Error())
		}
	}
	for _, a := range v.log.artifacts {
		if b, ok := v.bound(a.File); ok {
			v.checkArtifact(a, b)
		}
	}
}

// checkUnlogged judges a file among the artifacts that no entry names. Bytes to
// be signed may be left there by a try that broke off, if the manifest says that
// they were there at the close.
func (v *verifier) checkUnlogged(name string) {
	stem, isTBS := strings.CutSuffix(name, bundle.TBSFile(""))
	switch {
	case !isTBS || stem == bundle.ArtifactsDir+"/":
		v.find(FileUnknown, name, "the log knows nothing of this file", "", "")
	case v.closed() && !v.manifestHolds:
		v.find(FileUnknown, name, "bytes to be signed that no entry announces, and no manifest says that they were there", "", "")
	case !v.has(name):
		return // reported with the files
	default:
		v.find(FileUnlogged, name, "bytes to be signed that no entry announces", "", "")
		if c := v.readOnce(name); c.err == nil && signedObject(c.content) {
			v.find(ArtifactFormat, name, "the bytes to be signed are a certificate or CRL that is signed already", "", "")
		}
	}
}

func (v *verifier) checkBound(l logged) {
	if !v.has(l.file.Name) {
		v.findEntry(FileMissing, l.file.Name, l.seq, "the log binds a file that is not in the bundle", l.file.SHA256, "")
		return
	}
	c := v.readOnce(l.file.Name)
	if c.err != nil {
		v.find(FileUnreadable, l.file.Name, "the file cannot be read", "", c.err.Error())
		return
	}
	if c.sum != l.file.SHA256 || int64(len(c.content)) != l.file.Size {
		v.findEntry(ArtifactDiffers, l.file.Name, l.seq, "the file is not the one that the log recorded", l.file.SHA256, c.sum)
	}
}
