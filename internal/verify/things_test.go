package verify

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/bundle"
	"github.com/keyrite/keyrite/internal/pki"
	"github.com/keyrite/keyrite/internal/verify/bundletest"
)

// request makes a certificate request and what two people type of it.
func request(t testing.TB) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: "Sub"}}, key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der})
}

// asked takes a request in the step sub-key, as changed by f.
func asked(t testing.TB, f func(b *bundletest.Builder, csr *audit.CSR, answers []*audit.Answer)) func(*bundletest.Builder, string, audit.Data) {
	return at("sub-key", func(b *bundletest.Builder, _ *audit.StepEnd) {
		content := request(t)
		block, _ := pem.Decode(content)
		csr, err := x509.ParseCertificateRequest(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		d := &audit.CSR{File: b.Replace("artifacts/sub.csr", content), Subject: csr.Subject.String(), SPKI: hash(csr.RawSubjectPublicKeyInfo), Possible: true}
		var answers []*audit.Answer
		for _, person := range []string{"ada", "oto"} {
			answers = append(answers, &audit.Answer{Person: person, Question: paperQuestion, Value: d.File.SHA256[:16]})
		}
		f(b, d, answers)
		for _, a := range answers {
			b.Add(a)
		}
		b.Add(d)
	})
}

// exporting writes an export of the root's public key, as changed by f.
func exporting(f func(x *audit.Export)) func(*bundletest.Builder, string, audit.Data) {
	return at("sub-key", func(b *bundletest.Builder, _ *audit.StepEnd) {
		content := b.Read("artifacts/root.pub.pem")
		x := &audit.Export{Destination: "out", Files: []audit.File{{Name: "out/root.pub.pem", SHA256: hash(content), Size: int64(len(content))}}, ReadBack: true}
		f(x)
		b.Add(x)
	})
}

// told has the token tell attributes before a key is recorded.
func told(attributes ...audit.Attribute) func(*bundletest.Builder, string, audit.Data) {
	return at("root-key", func(b *bundletest.Builder, _ *audit.Key) {
		b.Call(audit.HSMIntent{Function: "C_GetAttributeValue", Session: "1", Object: "4"}, audit.HSMOutcome{Attributes: attributes})
	})
}

// brought writes a certificate for a key, as if it came from another ceremony.
func brought(t testing.TB, b *bundletest.Builder, key *ecdsa.PrivateKey) {
	t.Helper()
	now := time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Brought"}, NotBefore: now, NotAfter: now.Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	file := b.Replace("artifacts/brought.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	b.Add(&audit.Artifact{File: file, Object: broughtCertificate, Checks: "brought"})
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// thingLies are lies about what the ceremony made.
func thingLies(t testing.TB) []lie {
	key := func(f func(d *audit.Key)) func(int64, string, audit.Data) audit.Data {
		return edit(func(step string, d *audit.Key) {
			if step == "root-key" {
				f(d)
			}
		})
	}
	object := func(step, as string) func(int64, string, audit.Data) audit.Data {
		return edit(func(s string, d *audit.Artifact) {
			if s == step {
				d.Object = as
			}
		})
	}
	return []lie{
		{name: "an artifact of an unknown sort", change: object("root-certificate", "report"), want: ArtifactFormat},
		{name: "a certificate as a public key", change: object("root-certificate", "public-key"), want: ArtifactFormat},
		{name: "an unknown object announced", change: edit(func(_ string, d *audit.ToBeSigned) { d.Object = "code" }), want: SignatureUnexplained},
		{name: "a public key that names a C_Sign", change: edit(func(_ string, d *audit.Artifact) {
			if d.Object == "public-key" {
				d.Signed = 3
			}
		}), want: ArtifactSignature},
		{name: "a failed try whose signature is another's", c: bundletest.Ceremony{Failed: true}, change: changeFirst(func(d *audit.HSMOutcome) bool { return d.Signature != "" }, func(d *audit.HSMOutcome) { d.Signature = strings.Repeat("1", 128) }), want: SignatureUnexplained},
		{name: "random bytes used twice", change: sameRandom(), want: SerialNotRandom},
		{name: "an entry that no page shows", before: at("", func(b *bundletest.Builder, _ *audit.Close) { b.Add(&audit.Result{Name: "a", Value: "b"}) }), want: PagesDiffer},
		{name: "a transcript of too little", change: edit(func(_ string, d *audit.Transcript) { d.Size-- }), want: PagesDiffer},
		{name: "a transcript of another Go", change: edit(func(_ string, d *audit.Transcript) { d.Go = "go1.1" }), want: PagesDiffer},
		{name: "a key from nowhere", change: key(func(d *audit.Key) { d.Generated = 2 }), want: ArtifactKey},
		{name: "a key of a call that nobody saw succeed", change: key(func(d *audit.Key) { d.Generated-- }), want: ArtifactKey},
		{name: "a key made in the ceremony and said to be older", change: key(func(d *audit.Key) { d.Found, d.Generated = true, 0 }), want: ArtifactKey},
		{name: "a certificate of this ceremony said to be brought", change: object("root-certificate", broughtCertificate), want: ArtifactSignature},
		{name: "a certificate brought for nobody's key", before: at("root-key", func(b *bundletest.Builder, _ *audit.Key) { brought(t, b, newKey(t)) }), want: ArtifactKey},
		{name: "one name, two keys", before: at("sub-key", func(b *bundletest.Builder, d *audit.Key) {
			other := *d
			other.SPKI, other.SPKISHA256 = otherKey, hash(unhex(otherKey))
			b.Add(&other)
		}), want: ArtifactKey},
		{name: "another public key told", before: told(audit.Attribute{Type: "CKA_EC_PARAMS", Value: "06082a8648ce3d030107"}, audit.Attribute{Type: "CKA_EC_POINT", Value: otherKey[52:]}), want: ArtifactKey},
		{name: "no public key told", before: told(audit.Attribute{Type: "CKA_EC_POINT", Value: "zz"}), want: ArtifactKey},
		{name: "an attribute judged otherwise than told", before: told(audit.Attribute{Type: "CKA_SENSITIVE", Value: "false"}),
			change: key(func(d *audit.Key) {
				d.Attributes = []audit.Judgement{{Attribute: "CKA_SENSITIVE", Reported: "true", Judged: "good"}}
			}), want: ArtifactKey},
		{name: "an attribute judged good and not told", before: told(audit.Attribute{Type: "CKA_SENSITIVE", Error: "CKR_ATTRIBUTE_TYPE_INVALID"}),
			change: key(func(d *audit.Key) {
				d.Attributes = []audit.Judgement{{Attribute: "CKA_SENSITIVE", Reported: "true", Judged: "good"}}
			}), want: ArtifactKey},
		{name: "a request of another key", before: asked(t, func(_ *bundletest.Builder, d *audit.CSR, _ []*audit.Answer) { d.SPKI = strings.Repeat("0", 64) }), want: ArtifactKey},
		{name: "a request of another subject", before: asked(t, func(_ *bundletest.Builder, d *audit.CSR, _ []*audit.Answer) { d.Subject = "x" }), want: ArtifactFormat},
		{name: "a certificate as a request", before: asked(t, func(b *bundletest.Builder, d *audit.CSR, _ []*audit.Answer) {
			d.File = b.Replace(d.File.Name, []byte("-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"))
		}), want: ArtifactFormat},
		{name: "a request compared with another paper", before: asked(t, func(_ *bundletest.Builder, _ *audit.CSR, a []*audit.Answer) { a[1].Value = strings.Repeat("0", 16) }), want: ArtifactDiffers},
		{name: "a request compared by one", before: asked(t, func(_ *bundletest.Builder, _ *audit.CSR, a []*audit.Answer) { a[1].Person = "ada" }), want: ArtifactDiffers},
		{name: "an export of other bytes", before: exporting(func(x *audit.Export) { x.Files[0].SHA256 = strings.Repeat("0", 64) }), want: ArtifactDiffers},
		{name: "an export of no artifact", before: exporting(func(x *audit.Export) { x.Files[0].Name = "out/x.pem" }), want: ArtifactDiffers},
		{name: "an export not read back", before: exporting(func(x *audit.Export) { x.ReadBack = false }), want: ArtifactDiffers},
		{name: "bytes to be signed that are a certificate", after: func(t *testing.T, b *bundletest.Bundle) {
			b.Write(t, "artifacts/x.pem.tbs", b.Read(t, "artifacts/root.pem"))
		}, want: FileUnknown},
	}
}

// changeFirst changes the first entry of a type for which is is true.
func changeFirst[D audit.Data](is func(D) bool, change func(D)) func(int64, string, audit.Data) audit.Data {
	done := false
	return func(_ int64, _ string, d audit.Data) audit.Data {
		if x, ok := d.(D); ok && !done && is(x) {
			done = true
			change(x)
		}
		return d
	}
}

// sameRandom has the second certificate name the first one's random bytes.
func sameRandom() func(int64, string, audit.Data) audit.Data {
	first := int64(0)
	return edit(func(_ string, d *audit.ToBeSigned) {
		switch {
		case d.Object != "certificate":
		case first == 0:
			first = d.Random
		default:
			d.Random = first
		}
	})
}

func TestThingLies(t *testing.T) {
	for _, l := range thingLies(t) {
		t.Run(l.name, func(t *testing.T) {
			if r := l.tell(t); r.Verdict != Failed || !r.Has(l.want) {
				t.Errorf("verdict %s, no %s\n%s", r.Verdict, l.want, codes(r))
			}
		})
	}
}

// TestThings tells the same without a lie.
func TestThings(t *testing.T) {
	for name, l := range map[string]lie{
		"request": {before: asked(t, func(*bundletest.Builder, *audit.CSR, []*audit.Answer) {})},
		"export":  {before: exporting(func(*audit.Export) {})},
		"told": {before: told(audit.Attribute{Type: "CKA_SENSITIVE", Value: "true"}), change: edit(func(_ string, d *audit.Key) {
			d.Attributes = []audit.Judgement{{Attribute: "CKA_SENSITIVE", Reported: "true", Judged: "good"}}
		})},
		"adopted": {before: at("root-key", func(b *bundletest.Builder, _ *audit.Key) {
			b.Add(&audit.Decision{Question: adoptQuestion, Options: []string{"ours", "stop"}, Chosen: adoptAnswer, Person: "ada"})
		}), change: edit(func(step string, d *audit.Key) {
			if step == "root-key" {
				d.Generated--
			}
		})},
		"left over": {before: at("root-key", func(b *bundletest.Builder, _ *audit.Key) {
			b.Replace("artifacts/x.pem.2.tbs", []byte("never announced"))
		})},
	} {
		t.Run(name, func(t *testing.T) {
			r := l.tell(t)
			if r.failed() {
				t.Errorf("verdict %s\n%s", r.Verdict, codes(r))
			}
			if name == "left over" && !r.Has(FileUnlogged) {
				t.Errorf("no %s", FileUnlogged)
			}
		})
	}
}

// foreign are files that somebody puts into a bundle.
var foreign = []string{"approvals/a.note", "keys/key.pem", "keys/log-00.vkey", "artifacts/x.tbs.pem", "artifacts/x.pem.tbs", "notes/a"}

func TestForeign(t *testing.T) {
	base := bundletest.Make(t, bundletest.Ceremony{NoPDF: true})
	for _, name := range foreign {
		b := bundletest.Copy(t, base)
		b.Write(t, name, []byte("x"))
		if err := os.Remove(b.Path(bundle.ManifestFile)); err != nil {
			t.Fatal(err)
		}
		b.Resum(t)
		file, _, deep := strings.Cut(name, "/a")
		if !deep || file != "notes" {
			file = name
		}
		if r := check(t, b, Options{Recompose: pagesOnly}); !(wanted{FileUnknown, file, -1}).in(r) {
			t.Errorf("%s:\n%s", name, codes(r))
		}
	}
}

// TestCosignature puts further signatures under the final checkpoint.
func TestCosignature(t *testing.T) {
	b := bundletest.Make(t, bundletest.Ceremony{NoPDF: true})
	note := append(b.Read(t, bundle.CheckpointFile), "— witness.example AAAAAAAA\n"...)
	b.Write(t, bundle.CheckpointFile, note)
	sqlite3(t, b, fmt.Sprintf("UPDATE head SET note=x'%x'; DELETE FROM checkpoint", note))
	if err := os.Remove(b.Path(bundle.ManifestFile)); err != nil {
		t.Fatal(err)
	}
	b.Resum(t)
	r := check(t, b, Options{LogKeys: b.LogKeys, Recompose: pagesOnly})
	for _, want := range []wanted{{CosignatureBroken, bundle.CheckpointFile, b.Size - 1}, {CheckpointMissing, bundle.DatabaseFile, -2}, {TranscriptUnbound, bundle.TranscriptFile, -1}, {ManifestMissing, bundle.ManifestFile, -1}} {
		if !want.in(r) {
			t.Errorf("no %v\n%s", want, codes(r))
		}
	}
}

// TestNoManifest has a bundle whose close was broken off: the PDF is compared,
// so nothing needs the manifest.
func TestNoManifest(t *testing.T) {
	b := bundletest.Make(t, bundletest.Ceremony{})
	if err := os.Remove(b.Path(bundle.ManifestFile)); err != nil {
		t.Fatal(err)
	}
	if r := check(t, b, Options{}); r.Exit != ExitSound || !r.Has(ManifestMissing) {
		t.Errorf("verdict %s\n%s", r.Verdict, codes(r))
	}
}

// TestReportText looks at what the report's text makes of long texts, of what
// was left out, and of a PDF that was not compared.
func TestReportText(t *testing.T) {
	r := &Report{Verdict: Consistent, Log: Log{Title: "a \n b" + strings.Repeat("é", 5000)}, Tokens: []TokenSeen{{"hsm", "Model X", "S1"}}, NotTold: 3}
	for range MaxFindings + 2 {
		r.add(Finding{Code: PDFNotCompared, Weight: Warning})
		r.add(Finding{Code: LogGrammar, Weight: Failure})
	}
	if r.More != 4 || r.MoreFailures != 2 {
		t.Errorf("left out %d, failures %d", r.More, r.MoreFailures)
	}
	text := func() string {
		var out bytes.Buffer
		if err := r.WriteText(&out, false); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	for _, want := range []string{"NOT compared", "Ceremony  a bé", `model "Model X", serial "S1"`, "Not told  3 attribute(s)"} {
		if !strings.Contains(text(), want) {
			t.Errorf("no %q in\n%s", want, text())
		}
	}
	for _, line := range strings.Split(text(), "\n") {
		if len(line) > 300 {
			t.Errorf("a line of %d bytes", len(line))
		}
	}
	r.Verdict = Failed
	if want := fmt.Sprintf("FAILED: %d findings", MaxFindings+2); !strings.Contains(text(), want) {
		t.Errorf("no %q", want)
	}
}

// TestRules has package pki judge what keeps no rule, and what is nothing.
func TestRules(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Root"}, NotBefore: now, NotAfter: now.Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	a := artifact{7, &audit.Artifact{File: audit.File{Name: "artifacts/root.pem"}, Object: "certificate"}}
	for _, test := range []struct {
		der  []byte
		want Code
	}{{der, RuleBroken}, {der[1:], CertificateBroken}} {
		v := &verifier{report: &Report{}}
		v.reportRules(a, test.der, pki.Known{})
		if !(wanted{test.want, "artifacts/root.pem", 7}).in(v.report) {
			t.Errorf("no %s\n%s", test.want, codes(v.report))
		}
	}
}

// TestTooManyPages commits to more pages than are composed again.
func TestTooManyPages(t *testing.T) {
	v := &verifier{report: &Report{}, Options: Options{Recompose: pagesOnly}}
	v.log = newFacts(v, bundle.LogFile)
	v.log.pages = []committed{{5, 0, &audit.Transcript{Of: maxPages + 1}}}
	if _, _, err := v.callRecompose(); err == nil || !v.report.Has(TooMuch) {
		t.Errorf("%v\n%s", err, codes(v.report))
	}
}
