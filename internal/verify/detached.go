package verify

import (
	"bytes"
	"crypto"
	"encoding/hex"
	"fmt"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/pki"
)

// The objects of a detached signature: the file as it was brought, and the
// signature that stands beside it.
const (
	signedFile = "file"
	detached   = "signature"
)

// checkBroughtFile looks at a file that was brought to be signed: its bytes are
// anybody's, so only its place in the log can be wrong.
func (v *verifier) checkBroughtFile(a artifact) {
	if a.Signed != 0 {
		v.findEntry(ArtifactSignature, a.File.Name, a.seq, "a file that was brought names a C_Sign of this log", "", fmt.Sprintf("entry %d", a.Signed))
	}
}

// checkDetached compares a signature's file with what the token gave, and
// verifies it with the key that the log recorded.
func (v *verifier) checkDetached(a artifact, b []byte) {
	s, t := v.signedBy(a)
	if t == nil {
		v.unless(v.hides(a.Signed, a.Signed) || s != nil && (s.of < 0 || v.hides(s.of, s.of)), ArtifactSignature, a.File.Name, a.seq, "no C_Sign of this log made the signature", "", fmt.Sprintf("entry %d", a.Signed))
		return
	}
	if !asFile(t.Object) {
		v.findEntry(ArtifactFormat, a.File.Name, a.seq, "the artifact is another object than was announced", t.Object, a.Object)
		return
	}
	pub, err := v.publicKey(t.Key)
	if err != nil {
		return // reported with the keys
	}
	given, err := hex.DecodeString(s.signature)
	if err == nil {
		given, err = pki.DetachedSignature(given, pub)
	}
	if err != nil || !bytes.Equal(given, b) {
		v.findEntry(SignedBytesDiffer, a.File.Name, a.seq, "the file is not the signature that the token gave", hex.EncodeToString(given), hex.EncodeToString(b))
	}
	file, ok := v.bound(t.TBS)
	if !ok {
		return // reported with the files
	}
	if err := pki.VerifyDetached(file, b, pub); err != nil {
		v.findEntry(ArtifactSignature, a.File.Name, a.seq, fmt.Sprintf("the signature over %q does not verify with key %q", t.TBS.Name, t.Key), "", err.Error())
	}
}

// checkFileGiving verifies what the token gave over a file, whether or not an
// artifact came of it.
func (v *verifier) checkFileGiving(s *signing, t *audit.ToBeSigned, file []byte, pub crypto.PublicKey) {
	if t.Digest != "SHA-256" {
		v.findEntry(SignedBytesDiffer, v.log.file, s.of, "a file is signed with another digest than people compare", "SHA-256", t.Digest)
		return
	}
	value, err := hex.DecodeString(s.signature)
	if err == nil {
		value, err = pki.DetachedSignature(value, pub)
	}
	if err == nil {
		err = pki.VerifyDetached(file, value, pub)
	}
	if err != nil {
		v.findEntry(SignatureUnexplained, v.log.file, s.place(), fmt.Sprintf("the signature that the token gave is not one of key %q over the file", t.Key), "", err.Error())
	}
}

// checkPurposes finds keys that signed files and are a CA's (BR 6.1.7).
func (v *verifier) checkPurposes() {
	signs := map[string]map[bool]int64{} // key → whether a file → an entry
	for seq, t := range v.log.tbs {
		if t.Object == challenged {
			continue // it says that it is nothing else, which is checked
		}
		if signs[t.Key] == nil {
			signs[t.Key] = map[bool]int64{}
		}
		signs[t.Key][t.Object == signedFile] = seq
	}
	for key, of := range signs {
		if len(of) > 1 {
			v.findEntry(RuleBroken, v.log.file, of[true], fmt.Sprintf("key %q signs certificates or CRLs, and this file, too (BR 6.1.7)", key), "", fmt.Sprintf("entry %d", of[false]))
		}
	}
}
