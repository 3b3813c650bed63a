package verify

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/cvc"
	"github.com/keyrite/keyrite/internal/pki"
	"github.com/keyrite/keyrite/internal/verify/bundletest"
)

// publicDevices are what real devices say of themselves and of their keys.
func publicDevices(t testing.TB) map[string][]byte {
	t.Helper()
	b, err := os.ReadFile("../cvc/testdata/devices.txt")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]byte{}
	for line := range strings.Lines(string(b)) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), " ")
		if ok && line[0] != '#' {
			all[name] = unhex(value)
		}
	}
	return all
}

// spkiOf returns the SubjectPublicKeyInfo of an attested key, hex.
func spkiOf(t testing.TB, attested []byte) string {
	t.Helper()
	a, err := cvc.ParseAttested(attested)
	if err != nil {
		t.Fatal(err)
	}
	var pub crypto.PublicKey = &rsa.PublicKey{N: a.Request.Key.Modulus, E: a.Request.Key.E}
	if a.Request.Key.Curve != nil {
		if pub, err = ecdsa.ParseUncompressedPublicKey(elliptic.P256(), a.Request.Key.Curve.Bytes(a.Request.Key.Point)); err != nil {
			t.Fatal(err)
		}
	}
	der, _, err := pki.SPKISHA256(pub)
	if err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(der)
}

// A born is a key of a real device in a bundle, and what goes with it.
type born struct {
	key, attested, chain string // names among the public devices
	serial               string // of the token in the log

	entry func(*audit.KeyOrigin)       // changes what is said
	bytes func(attested, chain []byte) // changes what is there
	late  bool                         // the files are recorded after the entry that names them
}

// write puts the key into a step.
func (x born) write(t testing.TB) func(*bundletest.Builder, string, audit.Data) {
	all := publicDevices(t)
	return at("root-key", func(b *bundletest.Builder, _ *audit.Artifact) {
		b.Add(&audit.Token{Name: "hsm", Model: "nitrokey-hsm", Mechanisms: []string{}, Differs: []string{}, Info: audit.TokenInfo{Serial: x.serial, Flags: []string{}}})
		out := b.Call(audit.HSMIntent{Function: "C_GenerateKeyPair", Session: "1", Mechanism: "CKM_EC_KEY_PAIR_GEN"}, audit.HSMOutcome{PublicKey: "7", PrivateKey: "8"})
		spki := spkiOf(t, all[x.key])
		b.Add(&audit.Key{Name: "born", Token: "hsm", Algorithm: "P-256", Label: "born", ID: "02", SPKI: spki, SPKISHA256: hash(unhex(spki)), Generated: out, Attributes: []audit.Judgement{}})
		attested, chain := bytes.Clone(all[x.attested]), bytes.Clone(all[x.chain])
		if x.bytes != nil {
			x.bytes(attested, chain)
		}
		d := &audit.KeyOrigin{Key: "born", Token: "hsm", Result: audit.OriginDevice, Device: "DENK0404144", Root: "DESRCACC100001", Attestation: "artifacts/born.attestation.cvc", Chain: "artifacts/born.device.cvc"}
		if x.entry != nil {
			x.entry(d)
		}
		files := func() {
			b.Add(&audit.Artifact{File: b.Replace("artifacts/born.attestation.cvc", attested), Object: keyAttestation, Checks: "read"})
			b.Add(&audit.Artifact{File: b.Replace("artifacts/born.device.cvc", chain), Object: deviceCertificates, Checks: "read"})
		}
		if x.late {
			b.Add(d)
			files()
			return
		}
		files()
		b.Add(d)
	})
}

// real is a key of a real device, with its proof.
func real() born {
	return born{key: "nitrokey-secp256r1", attested: "nitrokey-secp256r1", chain: "nitrokey-chain", serial: "DENK0404144"}
}

// TestBornInRealDevice: keys of a real device, with the proofs that were
// published of them, are said to be made in it.
func TestBornInRealDevice(t *testing.T) {
	for _, name := range []string{"nitrokey-secp256r1", "nitrokey-rsa2048"} {
		x := real()
		x.key, x.attested = name, name
		r := check(t, bundletest.Make(t, bundletest.Ceremony{Mode: audit.ModeProduction, NoPDF: true, Before: x.write(t)}), Options{Recompose: pagesOnly})
		if r.Verdict != Consistent {
			t.Fatalf("%s: %s\n%s", name, r.Verdict, codes(r))
		}
		want := []string{"born device DENK0404144 DESRCACC100001", "root not-recorded  ", "sub not-recorded  "}
		var got []string
		for _, o := range r.KeyOrigins {
			got = append(got, fmt.Sprintf("%s %s %s %s", o.Key, o.Result, o.Device, o.Root))
		}
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("%s: %q", name, got)
		}
		var text bytes.Buffer
		if err := r.WriteText(&text, false); err != nil || !strings.Contains(text.String(), "born: made in the device DENK0404144, vendor root DESRCACC100001") {
			t.Errorf("%s: %v\n%s", name, err, text.String())
		}
	}
}

// TestOriginLies: a proof that is another's, changed, or not there does not pass.
func TestOriginLies(t *testing.T) {
	cases := map[string]struct {
		born func(*born)
		says string // in the finding
	}{
		"another key's request":       {func(x *born) { x.attested = "nitrokey-rsa2048" }, "the device attests another key"},
		"another curve":               {func(x *born) { x.attested = "nitrokey-secp256k1" }, "the device attests another key"},
		"another device's chain":      {func(x *born) { x.chain = "microsd-chain" }, `signed by "DENK040414400000"`},
		"another token's serial":      {func(x *born) { x.serial = "DENK0000001" }, "another device than the token made it"},
		"a request with a bit set":    {func(x *born) { x.bytes = func(a, _ []byte) { a[len(a)-1] ^= 1 } }, "the signature does not verify"},
		"a request's inner signature": {func(x *born) { x.bytes = func(a, _ []byte) { a[len(a)/2] ^= 1 } }, "what is to prove"},
		"a chain with a bit set":      {func(x *born) { x.bytes = func(_, c []byte) { c[len(c)-1] ^= 1 } }, "the signature does not verify"},
		"an unknown root": {func(x *born) {
			x.bytes = func(_, c []byte) { copy(c[bytes.Index(c, []byte("DESRCACC100001")):], "DESRCACC100009") }
		}, "no root that is known"},
		"another device said":         {func(x *born) { x.entry = func(d *audit.KeyOrigin) { d.Device = "DENK0000001" } }, "says something else of its proof"},
		"another root said":           {func(x *born) { x.entry = func(d *audit.KeyOrigin) { d.Root = "DESRCACC100002" } }, "says something else of its proof"},
		"said to be simulated":        {func(x *born) { x.entry = func(d *audit.KeyOrigin) { d.Result = audit.OriginSimulated } }, "says something else of its proof"},
		"said to be made elsewhere":   {func(x *born) { x.entry = func(d *audit.KeyOrigin) { d.Result = "factory" } }, "is not known"},
		"another key named":           {func(x *born) { x.entry = func(d *audit.KeyOrigin) { d.Key = "lost" } }, `no key "lost"`},
		"another token named":         {func(x *born) { x.entry = func(d *audit.KeyOrigin) { d.Token = "spare" } }, `no key "born" on token "spare"`},
		"the proof of none":           {func(x *born) { x.entry = func(d *audit.KeyOrigin) { d.Result = audit.OriginNone } }, "and one is named"},
		"a file named that is none":   {func(x *born) { x.entry = func(d *audit.KeyOrigin) { d.Attestation = "artifacts/root.pub.pem" } }, "no artifact key-attestation"},
		"files in each other's place": {func(x *born) { x.entry = func(d *audit.KeyOrigin) { d.Attestation, d.Chain = d.Chain, d.Attestation } }, "no artifact key-attestation"},
		"files recorded afterwards":   {func(x *born) { x.late = true }, "no artifact key-attestation"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := real()
			c.born(&x)
			r := check(t, bundletest.Make(t, bundletest.Ceremony{NoPaper: true, Before: x.write(t)}), Options{Recompose: pagesOnly})
			for _, f := range r.Findings {
				if f.Code == KeyOriginBroken && strings.Contains(f.What+f.Found, c.says) {
					return
				}
			}
			t.Errorf("no %s that says %q\n%s", KeyOriginBroken, c.says, codes(r))
		})
	}
}

// TestOriginFiles: a proof's file that is not there, or is not the recorded one,
// is found, and the key is not called proved.
func TestOriginFiles(t *testing.T) {
	x := real()
	whole := bundletest.Make(t, bundletest.Ceremony{NoPDF: true, Before: x.write(t)})
	for name, do := range map[string]func(*bundletest.Bundle){
		"artifacts/born.attestation.cvc": func(b *bundletest.Bundle) {
			if err := os.Remove(b.Path("artifacts/born.attestation.cvc")); err != nil {
				t.Fatal(err)
			}
		},
		"artifacts/born.device.cvc": func(b *bundletest.Bundle) { b.Write(t, "artifacts/born.device.cvc", []byte("x")) },
	} {
		b := bundletest.Copy(t, whole)
		do(b)
		b.Resum(t)
		r := check(t, b, Options{Recompose: pagesOnly})
		if !r.Has(KeyOriginBroken) || !r.Has(FileMissing) && !r.Has(ArtifactDiffers) || r.KeyOrigins[0].Result != originBroken {
			t.Errorf("%s: %+v\n%s", name, r.KeyOrigins[0], codes(r))
		}
	}
}

// TestNoProof: that there is no proof is a warning where there should be one,
// and said where there cannot be.
func TestNoProof(t *testing.T) {
	for result, want := range map[string]bool{audit.OriginMissing: true, audit.OriginNone: false} {
		x := real()
		x.entry = func(d *audit.KeyOrigin) {
			*d = audit.KeyOrigin{Key: "born", Token: "hsm", Result: result, Why: "the card was not found"}
		}
		r := check(t, bundletest.Make(t, bundletest.Ceremony{NoPDF: true, Before: x.write(t)}), Options{Recompose: pagesOnly})
		if r.Verdict != Consistent || r.Has(KeyNotProved) != want || r.KeyOrigins[0].Result != result {
			t.Errorf("%s: %s %+v\n%s", result, r.Verdict, r.KeyOrigins[0], codes(r))
		}
		var text bytes.Buffer
		if err := r.WriteText(&text, false); err != nil || !strings.Contains(text.String(), "born: no proof that it was made in its token: the card was not found") {
			t.Errorf("%s: %v\n%s", result, err, text.String())
		}
	}
}
