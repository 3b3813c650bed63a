package sample

import (
	"fmt"
	"strings"
	"time"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/transcript"
)

// A run writes the sample ceremony's steps.
type run struct {
	*builder
	cover transcript.Cover
	next  int // index of the next step
}

const words = "adrift adroitness absurd alkali goggles Babylon spaniel Capricorn aimless Camelot bedlamp decimal ahead embezzle concert equipment"

// do runs the next step of the cover with its actor and both witnesses.
func (r *run) do(kind, actor string, body func()) {
	s := r.cover.Steps[r.next]
	r.next++
	r.begin(s, kind, actor, r.next, len(r.cover.Steps), 1)
	body()
	r.end("done", "", actor, "ep", "dv")
}

// opening0 is the roll call alone.
func (r *run) opening0() {
	r.do("attendance", "lw", func() {
		for _, p := range r.cover.Participants {
			r.add(&audit.Attendance{Person: p.ID, Name: p.Name, Roles: p.Roles, Present: true, Identity: "passport seen, photograph compared"})
		}
	})
}

func (r *run) opening() {
	r.opening0()
	r.do("statement", "lw", func() {
		r.add(&audit.Result{Name: "Read aloud", Value: r.cover.Purpose})
	})
	r.do("environment", "lw", func() {
		r.add(&audit.Environment{Program: program(), Module: audit.File{Name: "/usr/lib/softhsm/libsofthsm2.so", SHA256: digest("module"), Size: 812344},
			Kernel: "Linux 6.1.0-42-amd64 #1 SMP", Host: "ceremony", Interfaces: []audit.Interface{{Name: "lo", Up: false}, {Name: "eth0", Up: false}}, CoreLimit: "0/0", Locked: true})
	})
	r.do("environment", "ep", func() {
		r.add(&audit.Clock{Person: "ep", Machine: "2026-11-25T09:04:00Z", Room: "2026-11-25T09:03:58.5Z", OffsetMS: 1500})
	})
	r.do("statement", "lw", func() {
		r.add(&audit.KeyRead{LogKey: LogKey(0), Words: words, People: []string{"ep", "dv"}})
	})
	r.do("statement", "yt", func() {
		r.add(&audit.Answer{Person: "yt", Question: "What is the number on the bag?", Value: "A 0017 4432"})
		r.add(&audit.Deviation{Expected: "A bag with the number A 0017 4423 stands on the list.", Happened: "The bag's number is A 0017 4432: two digits are swapped on the list.",
			Decided: "The list has a typing error: bag and seal are whole, both witnesses compared the photograph of the last sealing.", People: []string{"lw", "ep", "dv"}, Effect: "none"})
	})
}

func (r *run) token() {
	mechanisms := []string{"CKM_RSA_PKCS_KEY_PAIR_GEN", "CKM_RSA_PKCS", "CKM_SHA256_RSA_PKCS", "CKM_EC_KEY_PAIR_GEN", "CKM_ECDSA", "CKM_SHA_1", "CKM_SHA256"}
	info := audit.TokenInfo{Label: "", Manufacturer: "SoftHSM project", Model: "SoftHSM v2", Serial: "a1f0c33e9b42d7aa", Flags: []string{"CKF_RNG", "CKF_LOGIN_REQUIRED", "CKF_SO_PIN_LOCKED"}, MinPIN: 4, MaxPIN: 255, Hardware: "2.6", Firmware: "2.6"}
	module := audit.ModuleInfo{CryptokiVersion: "2.40", Manufacturer: "SoftHSM", Library: "Implementation of PKCS11", LibraryVersion: "2.6"}
	r.do("token-identify", "lw", func() {
		r.call(audit.HSMIntent{Function: "C_Initialize", Module: &audit.File{Name: "/usr/lib/softhsm/libsofthsm2.so", SHA256: digest("module"), Size: 812344}}, audit.HSMOutcome{})
		r.call(audit.HSMIntent{Function: "C_GetInfo"}, audit.HSMOutcome{Module: &module})
		r.call(audit.HSMIntent{Function: "C_GetSlotList"}, audit.HSMOutcome{Slots: []string{"0"}})
		r.call(audit.HSMIntent{Function: "C_GetSlotInfo", Slot: "0"}, audit.HSMOutcome{SlotInfo: &audit.SlotInfo{Description: "SoftHSM slot ID 0x0", Manufacturer: "SoftHSM project"}})
		r.call(audit.HSMIntent{Function: "C_GetTokenInfo", Slot: "0"}, audit.HSMOutcome{Token: &info})
		r.call(audit.HSMIntent{Function: "C_GetMechanismList", Slot: "0"}, audit.HSMOutcome{Mechanisms: mechanisms})
		for _, m := range mechanisms {
			r.call(audit.HSMIntent{Function: "C_GetMechanismInfo", Slot: "0", Mechanism: m}, audit.HSMOutcome{KeySizes: &audit.KeySizes{Min: "112", Max: "521"}})
		}
		r.add(&audit.Token{Name: "root-hsm", Model: "softhsm2", Slot: "0", Module: module, Info: info, Mechanisms: mechanisms})
	})
	r.do("token-inventory", "lw", func() {
		r.session(func() { r.find(0) })
		r.add(&audit.Inventory{Token: "root-hsm", Expected: "empty"})
	})
}

// session opens and closes one.
func (r *run) session(body func()) {
	r.call(audit.HSMIntent{Function: "C_OpenSession", Slot: "0", Flags: []string{"CKF_SERIAL_SESSION", "CKF_RW_SESSION"}}, audit.HSMOutcome{Session: "1"})
	body()
	r.call(audit.HSMIntent{Function: "C_CloseSession", Session: "1"}, audit.HSMOutcome{})
}

// find lists n objects and their attributes.
func (r *run) find(n int) {
	r.call(audit.HSMIntent{Function: "C_FindObjectsInit", Session: "1"}, audit.HSMOutcome{})
	objects := []string{}
	for i := range n {
		objects = append(objects, fmt.Sprint(i+2))
	}
	r.call(audit.HSMIntent{Function: "C_FindObjects", Session: "1", Length: 64}, audit.HSMOutcome{Objects: objects})
	r.call(audit.HSMIntent{Function: "C_FindObjectsFinal", Session: "1"}, audit.HSMOutcome{})
	for range n {
		for _, o := range objects {
			r.call(audit.HSMIntent{Function: "C_GetAttributeValue", Session: "1", Object: o, Attributes: []string{"CKA_CLASS", "CKA_LABEL", "CKA_ID"}},
				audit.HSMOutcome{Attributes: []audit.Attribute{{Type: "CKA_CLASS", Value: "2"}, {Type: "CKA_LABEL", Value: "root-2026"}, {Type: "CKA_ID", Value: "01"}}})
		}
	}
}

func (r *run) login(user string, rv string) {
	r.call(audit.HSMIntent{Function: "C_Login", Session: "1", User: user, PIN: "[redacted]"}, audit.HSMOutcome{RV: rv, Micros: 2433})
}

func (r *run) pins() {
	r.do("token-init", "yt", func() {
		r.add(&audit.Secret{Person: "yt", Secret: "SO-PIN", Use: "new", Token: "root-hsm", Result: "it has 4 characters too few for this token"})
		r.add(&audit.Secret{Person: "yt", Secret: "SO-PIN", Use: "new", Token: "root-hsm", Result: "accepted"})
		r.call(audit.HSMIntent{Function: "C_InitToken", Slot: "0", PIN: "[redacted]", Label: "root-2026"}, audit.HSMOutcome{Micros: 38211})
		r.call(audit.HSMIntent{Function: "C_GetSlotList"}, audit.HSMOutcome{Slots: []string{"1290348112", "1"}})
	})
	r.do("set-so-pin", "yt", func() {
		r.session(func() {
			r.login("CKU_SO", "")
			r.add(&audit.Secret{Person: "yt", Secret: "SO-PIN", Use: "new", Token: "root-hsm", Result: "accepted"})
			r.call(audit.HSMIntent{Function: "C_SetPIN", Session: "1", PIN: "[redacted]", NewPIN: "[redacted]"}, audit.HSMOutcome{})
			r.call(audit.HSMIntent{Function: "C_Logout", Session: "1"}, audit.HSMOutcome{})
		})
	})
	s := r.cover.Steps[r.next]
	r.begin(s, "set-user-pin", "yt", r.next+1, len(r.cover.Steps), 1)
	r.login("CKU_SO", "CKR_PIN_INCORRECT")
	r.add(&audit.Problem{What: "logging in as SO: the token refused the PIN", RV: "CKR_PIN_INCORRECT", Hint: "This token does not count tries. Enter the PIN again, slowly."})
	r.add(&audit.Decision{Question: "The step failed. What now?", Options: []string{"again", "skip", "pause", "abort"}, Chosen: "again", Person: "lw"})
	r.end("failed", "the SO-PIN was wrong")
	r.begin(s, "set-user-pin", "yt", r.next+1, len(r.cover.Steps), 2)
	r.next++
	r.session(func() {
		r.login("CKU_SO", "")
		r.call(audit.HSMIntent{Function: "C_InitPIN", Session: "1", PIN: "[redacted]"}, audit.HSMOutcome{})
		r.call(audit.HSMIntent{Function: "C_Logout", Session: "1"}, audit.HSMOutcome{})
	})
	r.end("done", "", "yt", "ep", "dv")
	r.do("login-proof", "yt", func() {
		r.session(func() {
			r.login("CKU_USER", "")
			r.call(audit.HSMIntent{Function: "C_Logout", Session: "1"}, audit.HSMOutcome{})
		})
	})
}

func (r *run) keys() {
	r.do("generate-key", "yt", func() {
		r.session(func() {
			r.find(0)
			n := r.call(audit.HSMIntent{Function: "C_GenerateKeyPair", Session: "1", Mechanism: "CKM_EC_KEY_PAIR_GEN",
				Template: []audit.Attribute{{Type: "CKA_EC_PARAMS", Value: "06052b81040022"}, {Type: "CKA_LABEL", Value: "root-2026"}, {Type: "CKA_TOKEN", Value: "true"}, {Type: "CKA_VERIFY", Value: "true"}},
				Private:  []audit.Attribute{{Type: "CKA_TOKEN", Value: "true"}, {Type: "CKA_PRIVATE", Value: "true"}, {Type: "CKA_SENSITIVE", Value: "true"}, {Type: "CKA_EXTRACTABLE", Value: "false"}, {Type: "CKA_SIGN", Value: "true"}}},
				audit.HSMOutcome{PublicKey: "2", PrivateKey: "3", Micros: 12733})
			r.find(2)
			r.add(&audit.Key{Name: "root", Token: "root-hsm", Algorithm: "P-384", Label: "root-2026", ID: "01", SPKI: "3076", SPKISHA256: digest("spki"), Generated: n,
				Attributes: []audit.Judgement{
					good("CKA_SENSITIVE", "true", "the private key cannot be read"), good("CKA_EXTRACTABLE", "false", "nor wrapped"),
					good("CKA_ALWAYS_SENSITIVE", "true", "and never could be"), good("CKA_NEVER_EXTRACTABLE", "true", "nor ever was"),
					good("CKA_LOCAL", "true", "made on this token"),
				}})
		})
	})
	r.interrupted()
	r.do("sign-crl", "yt", func() { r.sign("crl", "artifacts/root.crl.pem") })
}

func good(attribute, reported, why string) audit.Judgement {
	return audit.Judgement{Attribute: attribute, Reported: reported, Judged: "good", Why: why}
}

// interrupted is the certificate's step: a signature whose outcome was lost, a
// break, a new segment, a second attempt.
func (r *run) interrupted() {
	s := r.cover.Steps[r.next]
	r.begin(s, "self-sign-root", "yt", r.next+1, len(r.cover.Steps), 1)
	lost := r.add(&audit.HSMIntent{Function: "C_SignInit", Session: "1", Mechanism: "CKM_ECDSA", Object: "3"})
	r.step = ""
	r.now = r.now.Add(47 * time.Minute)
	r.add(&audit.SegmentOpen{Segment: 1, LogKey: LogKey(1), Reason: "break", Checkpoint: "keyrite.example/rehearsal/3f9ac1d2774e4b0b9a1dbe5506e7cc18\n184\nq83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA=\n\n— invented signature\n", Program: program()})
	r.add(&audit.SegmentAdopt{Size: 184, Head: digest("adopted"), Seen: "typed", Typed: []string{"ep", "dv"}, People: []string{"ep", "dv"}, Custody: "The token lay on the table in sight of both witnesses; nobody touched it.", Bag: "none"})
	r.add(&audit.KeyRead{LogKey: LogKey(1), Words: words, People: []string{"ep", "dv"}})
	r.add(&audit.HSMUnknown{Intent: lost, Found: "The token has no open session; no signature left it.", Decided: "it did not happen", Person: "lw"})
	r.begin(s, "self-sign-root", "yt", r.next+1, len(r.cover.Steps), 2)
	r.next++
	r.sign("certificate", "artifacts/root.pem")
	r.end("done", "", "yt", "ep", "dv")
}

func (r *run) sign(object, name string) {
	r.session(func() {
		r.login("CKU_USER", "")
		random := r.call(audit.HSMIntent{Function: "C_GenerateRandom", Session: "1", Length: 16, Purpose: "serial"}, audit.HSMOutcome{Random: digest(name)[:32]})
		tbs := r.add(&audit.ToBeSigned{Object: object, For: name, TBS: file(strings.TrimSuffix(name, ".pem")+".tbs", []byte(name)), Key: "root", Mechanism: "CKM_ECDSA", Digest: "SHA-384",
			Input: digest(name) + digest(name)[:32], Profile: "root-ca", Lint: []string{"zlint v3.7.3: no error, no warning"}, Serial: digest(name)[:32], Random: random})
		r.call(audit.HSMIntent{Function: "C_SignInit", Session: "1", Mechanism: "CKM_ECDSA", Object: "3"}, audit.HSMOutcome{})
		n := r.call(audit.HSMIntent{Function: "C_Sign", Session: "1", Data: digest(name) + digest(name)[:32], For: tbs}, audit.HSMOutcome{Signature: digest("sig") + digest("nature") + digest("!")})
		r.call(audit.HSMIntent{Function: "C_Logout", Session: "1"}, audit.HSMOutcome{})
		r.add(&audit.Artifact{File: file(name, Files[name]), Object: object, Signed: n, Checks: "the signature verifies with the issuer's key by code that did not build it"})
	})
}

func (r *run) ending() {
	r.do("token-inventory", "lw", func() {
		r.session(func() { r.find(2) })
		r.add(&audit.Inventory{Token: "root-hsm", Login: true, Expected: "as the log says", Objects: []audit.Object{
			{Class: "CKO_PUBLIC_KEY", Label: "root-2026", ID: "01", Type: "CKK_EC"}, {Class: "CKO_PRIVATE_KEY", Label: "root-2026", ID: "01", Type: "CKK_EC"}}})
	})
	r.do("export", "lw", func() {
		for _, medium := range []string{"medium A", "medium B"} {
			r.add(&audit.Export{Destination: medium, ReadBack: true, Files: []audit.File{file("artifacts/root.pem", Files["artifacts/root.pem"]), file("artifacts/root.crl.pem", Files["artifacts/root.crl.pem"])}})
		}
	})
	r.do("statement", "yt", func() {
		r.add(&audit.Answer{Person: "yt", Question: "What is the number on the new bag?", Value: "A 0018 1101"})
	})
	r.do("statement", "lw", func() {
		r.add(&audit.Verdict{Person: "ep", Agree: true, Size: int64(len(r.entries)), Head: digest("seen")})
		r.add(&audit.Verdict{Person: "dv", Agree: false, Because: "the list of bags was not corrected in writing before the bag was opened", Size: int64(len(r.entries)), Head: digest("seen")})
	})
}
