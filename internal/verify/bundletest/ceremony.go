package bundletest

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"math/big"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/audit/sqlite"
	"github.com/keyrite/keyrite/internal/bundle"
	"github.com/keyrite/keyrite/internal/pki"
)

var program = audit.Program{Version: "test", Go: runtime.Version(), Platform: "linux/amd64", SHA256: hex.EncodeToString(make([]byte, 32))}

// The invented people and the plan.
var participants = []audit.Participant{
	{ID: "ada", Name: "Ada Example", Initials: "AE", Roles: []string{"ceremony-administrator", "operator"}},
	{ID: "oto", Name: "Oto Sample", Initials: "OS", Roles: []string{"user-pin-custodian"}},
	{ID: "wil", Name: "Wil Muster", Initials: "WM", Roles: []string{"internal-witness"}},
	{ID: "ewa", Name: "Ewa Próbna", Initials: "EP", Roles: []string{"independent-witness"}},
}

var plainPlan = []audit.PlanStep{
	{ID: "roll-call", Kind: "attendance", Title: "Roll call"},
	{ID: "root-key", Kind: "generate-key", Title: "Root key"},
	{ID: "sub-key", Kind: "generate-key", Title: "Sub-CA key"},
	{ID: "root-certificate", Kind: "self-sign-root", Title: "Root certificate"},
	{ID: "sub-certificate", Kind: "sign-csr", Title: "Sub-CA certificate"},
	{ID: "root-crl", Kind: "sign-crl", Title: "Root CRL"},
	{ID: "sub-crl", Kind: "sign-crl", Title: "Sub-CA CRL"},
	{ID: "verdict", Kind: "verdict", Title: "Verdicts"},
	{ID: "close", Kind: "close", Title: "Close"},
}

// plan returns the ceremony's steps.
func (b *Builder) plan() []audit.PlanStep {
	if len(b.Keys) == 0 {
		return slices.Concat(plainPlan[:1], b.actPlan(), plainPlan[1:])
	}
	last := len(plainPlan) - 2
	return slices.Concat(plainPlan[:1], []audit.PlanStep{{ID: "fresh", Kind: "freshness", Title: "Public values"}}, b.actPlan(), plainPlan[1:last],
		[]audit.PlanStep{{ID: "cosign", Kind: "cosign", Title: "Cosignatures"}}, plainPlan[last:])
}

// outline is a script with everything that the log repeats of it.
func (b *Builder) outline() []byte {
	mode := b.Mode
	if b.ScriptMode != "" {
		mode = b.ScriptMode
	}
	var s bytes.Buffer
	fmt.Fprintf(&s, "keyrite: 1\ntitle: Root ceremony\norganisation: Example Authority\nplace: Vault 2\npurpose: To test.\nmode: %s\nparticipants:\n", mode)
	for _, p := range participants {
		fmt.Fprintf(&s, "  - id: %s\n    name: %s\n    initials: %s\n    roles: [%s]\n", p.ID, p.Name, p.Initials, strings.Join(p.Roles, ", "))
		if k := b.Keys[p.ID]; k != nil {
			fmt.Fprintf(&s, "    witness_key: %q\n", k.Key().String())
		}
	}
	b.approvals(&s)
	if len(b.Exposed) > 0 {
		s.WriteString("allow_exposed_keys: true\n")
	}
	s.WriteString("steps:\n")
	for _, p := range b.plan() {
		fmt.Fprintf(&s, "  - id: %s\n    kind: %s\n    title: %s\n    actor: ada\n    witnesses: [wil, ewa]\n    say: %s\n    watch: %s\n", p.ID, p.Kind, p.Title, say, watch)
		s.WriteString(actFields(p.ID))
		if b.approved(p.ID) {
			s.WriteString("    approve:\n      count: 2\n      of: [internal-witness, ewa, oto]\n")
		}
	}
	return s.Bytes()
}

// What each step says, and what the witnesses look at.
const (
	say   = "This is done now."
	watch = "The screen."
)

// A tokenKey stands in for a key on a token.
type tokenKey struct {
	audit.Key
	signer crypto.Signer
	cert   *x509.Certificate
}

// rsaKey is made once a test run: it takes the longest.
var rsaKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

func (b *Builder) run() {
	b.t.Helper()
	script := b.Script
	if script == nil {
		script = b.outline()
	}
	file := b.write(bundle.ScriptFile, script)
	b.made.ScriptSHA256 = file.SHA256
	var err error
	b.made.Origin, err = audit.NewOrigin(b.Mode, rand.Reader)
	b.must(err)
	b.store, err = sqlite.Create(filepath.Join(b.dir, bundle.DatabaseFile))
	b.must(err)
	b.t.Cleanup(func() { _ = b.store.Close() })
	b.newKey()
	b.log, err = audit.Create(b.config())
	b.must(err)
	b.Add(&audit.LogOpen{
		Format: audit.FormatVersion, Origin: b.made.Origin, Mode: b.Mode, Script: file, LogKey: b.key.VerifierKey(), Program: program,
		Title: "Root ceremony", Organisation: "Example Authority", Place: "Vault 2", Purpose: "To test.",
		Participants: participants, Plan: b.plan(),
	})
	b.approve(file)
	b.rollCall()
	b.act()
	b.generate("root-key", "root")
	b.generate("sub-key", "sub")
	switch {
	case b.Abort:
		b.Add(&audit.Abort{Reason: "a seal was broken", Person: "ada"})
		b.seal("aborted")
		return
	case b.Open:
		b.pause()
		return
	case b.Pause:
		b.pause()
		b.resume("pause")
	case b.Crash:
		b.crash()
	}
	b.finish()
}

// finish makes the rest of the ceremony, once the keys are there.
func (b *Builder) finish() {
	b.t.Helper()
	b.certificates()
	b.lists()
	if len(b.Keys) > 0 {
		b.cosignatures()
	}
	b.verdicts()
	b.begin("close")
	for _, person := range b.Final {
		b.exposed(person, "final cosignature")
	}
	b.end("done")
	b.seal("complete")
}

func (b *Builder) pause() {
	b.Add(&audit.Pause{Reason: "lunch", Person: "ada"})
	b.must(b.log.Keep())
	b.writeLines()
}

// crash breaks off inside C_Login of a step and goes on: the room decides what
// became of the call.
func (b *Builder) crash() {
	b.begin("root-certificate")
	intent := b.Add(&audit.HSMIntent{Function: "C_Login", Session: "1", User: "CKU_USER", PIN: "[redacted]"})
	b.resume("break")
	b.step = "root-certificate"
	b.Add(&audit.HSMUnknown{Intent: intent, Found: "no session is open", Decided: "cannot be known", Person: "ada"})
	b.step = ""
}

func (b *Builder) begin(id string) {
	b.t.Helper()
	b.step = id
	b.attempts[id]++
	for i, p := range b.plan() {
		if p.ID == id {
			d := &audit.StepBegin{StepKind: p.Kind, Title: p.Title, Number: i + 1, Of: len(b.plan()), Attempt: b.attempts[id], Actor: "ada", Witnesses: []string{"wil", "ewa"}, Say: say, Watch: watch}
			if b.approved(id) {
				d.Approve = &audit.ApproveRule{Count: 2, Of: []string{"internal-witness", "ewa", "oto"}}
			}
			b.Add(d)
		}
	}
}

// given adds the approvals of a signature: its bytes were shown before.
func (b *Builder) given() {
	if b.approved(b.step) {
		for _, person := range []string{"wil", "ewa"} {
			b.Add(&audit.Approval{Person: person, Act: "step", How: "passphrase", Result: "approved"})
		}
	}
}

// approved reports whether a step needs approvals.
func (b *Builder) approved(id string) bool { return b.Approve && id == "root-certificate" }

// passphrases has everybody who may approve set a passphrase.
func (b *Builder) passphrases(again bool) {
	if b.Approve {
		for _, p := range participants[1:] {
			b.Add(&audit.Passphrase{Person: p.ID, Result: "set", Again: again})
		}
	}
}

func (b *Builder) end(result string) {
	b.t.Helper()
	b.Add(&audit.Ack{Person: "ada", As: "actor", What: "Begin now?", Typed: "AE"})
	for _, p := range participants[2:] {
		b.Add(&audit.Ack{Person: p.ID, As: "witness", What: "I have seen this done as the script says", Typed: p.Initials})
	}
	b.Add(&audit.StepEnd{Result: result})
	b.step = ""
	b.must(b.log.Keep())
}

func (b *Builder) rollCall() {
	b.begin("roll-call")
	for _, p := range participants {
		b.Add(&audit.Attendance{Person: p.ID, Name: p.Name, Roles: p.Roles, Present: true, Identity: "passport"})
		b.present = append(b.present, p.ID)
	}
	b.passphrases(false)
	for _, p := range participants {
		if k := b.Keys[p.ID]; k != nil {
			b.Add(&audit.WitnessKeyRead{Person: p.ID, Key: k.Key().String(), How: "script"})
			b.write(bundle.WitnessKeyFile(p.ID), []byte(k.Key().String()+"\n"))
		}
	}
	b.end("done")
	b.readKey()
	if len(b.Keys) > 0 {
		b.begin("fresh")
		for _, f := range b.Fresh {
			b.Add(&f)
		}
		b.end("done")
	}
}

// cosigned returns the log's checkpoint with the lines of those people.
func (b *Builder) cosigned(people []string) []byte {
	b.t.Helper()
	signed := b.log.Checkpoint()
	for _, person := range people {
		signed = b.cosign(person, signed)
	}
	return signed
}

// cosign adds a person's line to a checkpoint.
func (b *Builder) cosign(person string, signed []byte) []byte {
	b.t.Helper()
	p, _, err := audit.Cosignatures(signed)
	b.must(err)
	line, err := b.Keys[person].Cosign(p, b.clock())
	b.must(err)
	signed, err = audit.AddCosignature(signed, line.Line(), b.Keys[person].Key())
	b.must(err)
	return signed
}

// cosignatures is the step in which witnesses bring their lines.
func (b *Builder) cosignatures() {
	b.begin("cosign")
	size, signed := b.log.Size(), b.cosigned(b.Cosign)
	if len(b.Cosign) > 0 {
		b.must(b.store.Append(size, nil, signed, true, true))
	}
	_, lines, err := audit.Cosignatures(signed)
	b.must(err)
	for i, person := range b.Cosign {
		b.Add(&audit.Cosigned{Person: person, Size: size, NoteLine: lines[i].Line(), Exposed: b.exposed(person, "cosignature")})
	}
	b.end("done")
}

// exposed unlocks a person's key on the ceremony machine, if it is so by now, and
// reports whether it is.
func (b *Builder) exposed(person, use string) bool {
	steps := []string{"cosign", "verdict", "close"}
	from := slices.Index(steps, b.Exposed[person])
	if from < 0 || slices.Index(steps, b.step) < from {
		return false
	}
	b.Add(&audit.WitnessKeyExposed{Person: person, Key: b.Keys[person].Key().String(), File: person + ".key", For: use})
	b.Add(&audit.Secret{Person: person, Secret: "witness key passphrase", Use: "current", Result: "accepted"})
	return true
}

// login opens a session on the token and logs in.
func (b *Builder) login() {
	b.Call(audit.HSMIntent{Function: "C_OpenSession", Slot: "0"}, audit.HSMOutcome{Session: "1"})
	b.Add(&audit.Secret{Person: "oto", Secret: "user PIN", Use: "current", Token: "hsm", Result: "accepted"})
	b.Call(audit.HSMIntent{Function: "C_Login", Session: "1", User: "CKU_USER", PIN: "[redacted]"}, audit.HSMOutcome{})
}

func (b *Builder) logout() {
	b.Call(audit.HSMIntent{Function: "C_Logout", Session: "1"}, audit.HSMOutcome{})
	b.Call(audit.HSMIntent{Function: "C_CloseSession", Session: "1"}, audit.HSMOutcome{})
}

func (b *Builder) generate(step, name string) {
	b.t.Helper()
	b.begin(step)
	b.login()
	k := &tokenKey{}
	var err error
	if name == "root" {
		k.signer, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	} else {
		k.signer, err = rsaKey()
	}
	b.must(err)
	out := b.Call(audit.HSMIntent{Function: "C_GenerateKeyPair", Session: "1", Mechanism: "CKM_EC_KEY_PAIR_GEN"}, audit.HSMOutcome{PublicKey: "3", PrivateKey: "4"})
	der, sum, err := pki.SPKISHA256(k.signer.Public())
	b.must(err)
	k.Key = audit.Key{
		Name: name, Token: "hsm", Algorithm: pki.AlgorithmOf(k.signer.Public()), Label: name, ID: "01",
		SPKI: hex.EncodeToString(der), SPKISHA256: sum, Generated: out, Attributes: []audit.Judgement{},
	}
	b.keys[name] = k
	b.Add(&k.Key)
	file := b.write("artifacts/"+name+".pub.pem", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	b.Add(&audit.Artifact{File: file, Object: "public-key", Checks: "read from the token"})
	b.logout()
	b.end("done")
}

// Sign has a key sign what build makes, as keyrite's steps do, and writes the
// artifact. artifact "" leaves it a failed try.
func (b *Builder) Sign(key, object, name string, artifact bool, build func(random []byte) *pki.TBS) []byte {
	b.t.Helper()
	k := b.keys[key]
	d := &audit.ToBeSigned{Object: object, For: "artifacts/" + name, Key: key, Profile: "test", Lint: []string{}}
	var random []byte
	if object == "certificate" {
		random = make([]byte, pki.SerialRandomSize)
		_, err := rand.Read(random)
		b.must(err)
		d.Random = b.Call(audit.HSMIntent{Function: "C_GenerateRandom", Session: "1", Length: len(random), Purpose: "serial"}, audit.HSMOutcome{Random: hex.EncodeToString(random)})
		d.Serial = pki.SerialFromRandom(random).Text(16)
	}
	tbs := build(random)
	d.Mechanism, d.Digest, d.Input = tbs.Mechanism, pki.DigestName(tbs.Digest), hex.EncodeToString(tbs.Input)
	d.TBS = b.writeTBS(name, tbs.DER)
	of := b.Add(d)
	b.given()
	b.Call(audit.HSMIntent{Function: "C_SignInit", Session: "1", Mechanism: d.Mechanism, Object: "4"}, audit.HSMOutcome{})
	raw := rawSign(b, k.signer, tbs)
	seq := b.Call(audit.HSMIntent{Function: "C_Sign", Session: "1", Data: d.Input, For: of}, audit.HSMOutcome{Signature: hex.EncodeToString(raw)})
	der, err := pki.AssembleFromTBS(tbs.DER, raw, k.signer.Public())
	b.must(err)
	if artifact {
		typ := map[string]string{"certificate": "CERTIFICATE", "crl": "X509 CRL"}[object]
		file := b.write("artifacts/"+name, pem.EncodeToMemory(&pem.Block{Type: typ, Bytes: der}))
		b.Add(&audit.Artifact{File: file, Object: object, Signed: seq, Checks: "signature verified"})
	}
	return der
}

func (b *Builder) writeTBS(name string, der []byte) audit.File {
	full := bundle.TBSFile("artifacts/" + name)
	for n := 2; ; n++ {
		if _, err := b.read(full); err != nil {
			return b.write(full, der)
		}
		full = bundle.TBSFile(fmt.Sprintf("artifacts/%s.%d", name, n))
	}
}

// rawSign signs as a token does: r‖s for ECDSA.
func rawSign(b *Builder, signer crypto.Signer, tbs *pki.TBS) []byte {
	switch k := signer.(type) {
	case *ecdsa.PrivateKey:
		r, s, err := ecdsa.Sign(rand.Reader, k, tbs.Input)
		b.must(err)
		raw := make([]byte, 64)
		r.FillBytes(raw[:32])
		s.FillBytes(raw[32:])
		return raw
	case *rsa.PrivateKey:
		raw, err := rsa.SignPKCS1v15(nil, k, 0, tbs.Input) // the input is a DigestInfo already
		b.must(err)
		return raw
	}
	panic("bundletest: no such key")
}

// Profiles of the invented authority.
var (
	rootProfile = pki.Profile{Name: "root", Object: pki.ObjectRootCA, Validity: "10y", KeyUsage: []string{"keyCertSign", "cRLSign"},
		Subject: pki.Subject{Country: "DE", Organisation: "Example Authority", CommonName: "Example Root"}}
	subProfile = pki.Profile{Name: "sub", Object: pki.ObjectSubCA, Validity: "5y", PathLength: "0", KeyUsage: []string{"keyCertSign", "cRLSign"},
		ExtKeyUsage: []string{"serverAuth"}, Policies: []string{"2.23.140.1.2.1"}, CRLURL: "http://crl.example/root.crl", CAIssuersURL: "http://crl.example/root.cer",
		Subject: pki.Subject{Country: "DE", Organisation: "Example Authority", CommonName: "Example Sub-CA"}}
	crlProfile = pki.Profile{Name: "crl", Object: pki.ObjectCRL, NextUpdate: "6m"}
)

func (b *Builder) certificates() {
	b.t.Helper()
	root, sub := b.keys["root"], b.keys["sub"]
	rootTBS := func(random []byte) *pki.TBS {
		tbs, err := pki.NewCertificate(pki.CertificateRequest{Profile: rootProfile, SubjectKey: root.signer.Public(), IssuerKey: root.signer.Public(), Serial: random, NotBefore: b.now})
		b.must(err)
		return tbs
	}
	if b.Failed {
		b.begin("root-certificate")
		b.login()
		b.Sign("root", "certificate", "root.pem", false, rootTBS)
		b.logout()
		b.end("failed")
	}
	b.begin("root-certificate")
	b.login()
	root.cert = b.parse(b.Sign("root", "certificate", "root.pem", true, rootTBS))
	b.logout()
	b.end("done")

	b.begin("sub-certificate")
	b.login()
	sub.cert = b.parse(b.Sign("root", "certificate", "sub-ca.pem", true, func(random []byte) *pki.TBS {
		tbs, err := pki.NewCertificate(pki.CertificateRequest{Profile: subProfile, SubjectKey: sub.signer.Public(), Issuer: root.cert, IssuerKey: root.signer.Public(), Serial: random, NotBefore: b.now})
		b.must(err)
		return tbs
	}))
	b.logout()
	b.end("done")
}

func (b *Builder) parse(der []byte) *x509.Certificate {
	b.t.Helper()
	cert, err := x509.ParseCertificate(der)
	b.must(err)
	return cert
}

func (b *Builder) lists() {
	for _, name := range []string{"root", "sub"} {
		k := b.keys[name]
		b.begin(name + "-crl")
		b.login()
		b.Sign(name, "crl", name+".crl.pem", true, func([]byte) *pki.TBS { return b.CRL(k.cert, k.signer.Public()) })
		b.logout()
		b.end("done")
	}
}

// SignMore has the root sign another CRL in the running step.
func (b *Builder) SignMore() {
	b.t.Helper()
	b.login()
	root := b.keys["root"]
	b.Sign("root", "crl", "late.crl.pem", true, func([]byte) *pki.TBS { return b.CRL(root.cert, root.signer.Public()) })
	b.logout()
}

// CRL builds an empty CRL.
func (b *Builder) CRL(issuer *x509.Certificate, key crypto.PublicKey) *pki.TBS {
	b.t.Helper()
	tbs, err := pki.NewCRL(pki.CRLRequest{Profile: crlProfile, Issuer: issuer, IssuerKey: key, Number: big.NewInt(1), ThisUpdate: b.now})
	b.must(err)
	return tbs
}

func (b *Builder) verdicts() {
	b.begin("verdict")
	size, root := b.log.Size(), b.log.Root()
	for _, id := range []string{"wil", "ewa"} {
		d := &audit.Verdict{Person: id, Agree: true, Size: size, Head: root.String()}
		if k := b.Keys[id]; k != nil && b.SignVerdicts {
			said, err := k.SignVerdict(audit.VerdictNote{Origin: b.made.Origin, Step: "verdict", Size: size, Root: root, Witness: id, Agree: true})
			b.must(err)
			d.Note, d.Exposed = string(said), b.exposed(id, "verdict")
		}
		b.Add(d)
	}
	b.end("done")
}
