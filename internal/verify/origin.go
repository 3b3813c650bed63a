package verify

import (
	"cmp"
	"crypto"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/cvc"
)

// Objects of the artifacts that show where a key was made.
const (
	keyAttestation     = "key-attestation"     // the request that the key and the device signed
	deviceCertificates = "device-certificates" // the device's certificate, then its issuer's
)

// A KeyOriginSeen is what shows where a key was made, as the verifier found it.
type KeyOriginSeen struct {
	Key    string `json:"key"`    // in the script
	Token  string `json:"token"`  // in the script
	Result string `json:"result"` // "device", "simulated", "missing", "none", "broken" or "not-recorded"
	Device string `json:"device"` // serial number; "" if nothing shows it
	Root   string `json:"root"`   // CHR of the root that its certificates lead to; "" likewise
	Why    string `json:"why"`    // why there is no proof; "" if there is one
	Entry  int64  `json:"entry"`  // -1 if the log does not speak of it
}

// Results that the log itself never has.
const (
	originBroken      = "broken"
	originNotRecorded = "not-recorded"
)

// An originEntry is one key-origin entry, with what the log knew before it.
type originEntry struct {
	seq int64
	*audit.KeyOrigin
	key    *audit.Key // nil if the log had none of that name
	serial string     // of the token, as it was identified last
}

// takeOrigin reads what a token gave to show that it made a key.
func (f *facts) takeOrigin(e *audit.Entry, size int) {
	d, ok := e.Data.(*audit.KeyOrigin)
	if !ok || !f.hold(e.Seq, size) {
		return
	}
	o := originEntry{seq: e.Seq, KeyOrigin: d, key: f.keys[d.Key]}
	if t := f.made.tokens[d.Token]; t != nil {
		o.serial = t.Info.Serial
	}
	f.made.origins = append(f.made.origins, o)
}

// checkAttestations checks that the proofs of where keys were made hold, and
// notes for each key what there is.
func (v *verifier) checkAttestations(c *Check) {
	last := map[string]KeyOriginSeen{}
	for _, o := range v.log.made.origins {
		c.Count++
		last[o.Key] = v.checkAttested(o)
	}
	v.report.KeyOrigins = []KeyOriginSeen{}
	for name, k := range v.log.keys {
		o, ok := last[name]
		if !ok {
			o = KeyOriginSeen{Key: name, Token: k.Token, Result: originNotRecorded, Why: "the log does not speak of it", Entry: -1}
		}
		v.report.KeyOrigins = append(v.report.KeyOrigins, o)
	}
	slices.SortFunc(v.report.KeyOrigins, func(a, b KeyOriginSeen) int { return cmp.Compare(a.Key, b.Key) })
}

// checkAttested checks one entry and returns what it comes to.
func (v *verifier) checkAttested(o originEntry) KeyOriginSeen {
	seen := KeyOriginSeen{Key: o.Key, Token: o.Token, Result: o.Result, Why: shorten(o.Why), Entry: o.seq}
	if o.key == nil || o.key.Token != o.Token {
		v.unless(v.hides(0, o.seq), KeyOriginBroken, v.log.file, o.seq, fmt.Sprintf("the log has no key %q on token %q before this entry", o.Key, o.Token), "", "")
		seen.Result = originBroken
		return seen
	}
	switch o.Result {
	case audit.OriginDevice, audit.OriginSimulated:
		return v.checkProof(o, seen)
	case audit.OriginMissing, audit.OriginNone:
		if o.Device+o.Root+o.Attestation+o.Chain != "" {
			v.findEntry(KeyOriginBroken, v.log.file, o.seq, fmt.Sprintf("there is said to be no proof of where key %q was made, and one is named", o.Key), "", o.Attestation)
		}
		if o.Result == audit.OriginMissing {
			v.findEntry(KeyNotProved, v.log.file, o.seq, fmt.Sprintf("nothing proves that key %q was made in token %q, which gives a proof of each key that it makes", o.Key, o.Token), "", o.Why)
		}
		return seen
	}
	v.findEntry(KeyOriginBroken, v.log.file, o.seq, fmt.Sprintf("what shows where key %q was made is not known", o.Key), "device, simulated, missing or none", o.Result)
	seen.Result = originBroken
	return seen
}

// checkProof checks a proof: the device's certificates lead to a known root, the
// device and the key signed the request, the key is the log's, the device the
// token.
func (v *verifier) checkProof(o originEntry, seen KeyOriginSeen) KeyOriginSeen {
	seen.Result = originBroken
	broken := func(what, expected, found string) KeyOriginSeen {
		v.findEntry(KeyOriginBroken, v.log.file, o.seq, fmt.Sprintf("key %q: %s", o.Key, what), expected, found)
		return seen
	}
	attested, ok1 := v.originFile(o, o.Attestation, keyAttestation)
	chain, ok2 := v.originFile(o, o.Chain, deviceCertificates)
	if !ok1 || !ok2 {
		return seen
	}
	p, err := cvc.Prove(attested, chain, cvc.Roots())
	if err != nil {
		return broken("what is to prove that it was made in its device does not", "", err.Error())
	}
	seen.Device, seen.Root = p.Serial(), p.Root.CHR
	if pub, err := keyOf(o.key); err != nil || !p.Key.Is(pub) {
		return broken("the device attests another key", o.key.SPKISHA256, "")
	}
	if p.Serial() != o.serial {
		return broken("another device than the token made it: a key that was brought into a token has the request of the one that made it", o.serial, p.Serial())
	}
	if o.Device != p.Serial() || o.Root != p.Root.CHR || (o.Result == audit.OriginSimulated) != p.Root.Simulated {
		return broken("the log says something else of its proof than the proof", strings.Join([]string{p.Serial(), p.Root.CHR}, ", "), strings.Join([]string{o.Result, o.Device, o.Root}, ", "))
	}
	if seen.Result = o.Result; p.Root.Simulated && v.log.open != nil && v.log.open.Mode == audit.ModeProduction {
		v.findEntry(KeySimulated, v.log.file, o.seq, fmt.Sprintf("key %q of a production ceremony was made in a simulated device, which proves nothing", o.Key), "", p.Serial()+", "+p.Root.CHR)
	}
	return seen
}

// originFile reads a file that a key-origin entry names: an artifact that was
// recorded before it as what it is.
func (v *verifier) originFile(o originEntry, name, object string) ([]byte, bool) {
	for _, a := range v.log.artifacts {
		if a.File.Name == name && a.Object == object && a.seq < o.seq {
			b, ok := v.bound(a.File) // what is wrong with the file is reported with the artifacts
			if !ok {
				v.findEntry(KeyOriginBroken, name, o.seq, fmt.Sprintf("key %q: the file that is to prove where it was made is not there as recorded", o.Key), a.File.SHA256, "")
			}
			return b, ok
		}
	}
	v.unless(v.hides(0, o.seq), KeyOriginBroken, v.log.file, o.seq, fmt.Sprintf("key %q: no artifact %s of that name was recorded before", o.Key, object), "", name)
	return nil, false
}

// keyOf returns the public key in a key entry.
func keyOf(k *audit.Key) (crypto.PublicKey, error) {
	der, err := hex.DecodeString(k.SPKI)
	if err != nil {
		return nil, err
	}
	return x509.ParsePKIXPublicKey(der)
}

// checkAttestation checks the form of a file that shows where a key was made;
// that it proves it is for the key-origin entry.
func (v *verifier) checkAttestation(a artifact, b []byte) {
	var err error
	if a.Object == keyAttestation {
		_, err = cvc.ParseAttested(b)
	} else {
		for rest := b; err == nil && len(rest) > 0; {
			_, rest, err = cvc.Parse(rest)
		}
	}
	if err != nil || len(b) == 0 {
		v.findEntry(ArtifactFormat, a.File.Name, a.seq, "the file holds no card verifiable certificate or request", "", fmt.Sprint(err))
	}
	if a.Signed != 0 {
		v.findEntry(ArtifactSignature, a.File.Name, a.seq, "what a card gave names a C_Sign", "", fmt.Sprintf("entry %d", a.Signed))
	}
}

// writeOrigins says of each key where it was made, as far as it is shown.
func (r *Report) writeOrigins(p *printer) {
	for _, o := range r.KeyOrigins {
		says := "no proof that it was made in its token: " + o.Why
		switch o.Result {
		case audit.OriginDevice:
			says = "made in the device " + o.Device + ", vendor root " + o.Root
		case audit.OriginSimulated:
			says = "made in the SIMULATED device " + o.Device + " (" + o.Root + "), which proves nothing"
		case originBroken:
			says = "the proof that it was made in its token does NOT hold"
		}
		p.line("  %-9s %s", "Key", oneLine(o.Key+": "+says))
	}
}
