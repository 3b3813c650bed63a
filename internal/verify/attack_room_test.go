package verify

import (
	"strings"
	"testing"
	"time"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/verify/bundletest"
)

// roomAttacks are those of a changed keyrite, a lying module or a lying operator:
// the log's own key signs what is not true.
func roomAttacks() []attack {
	name := func(who, name string) *lie {
		return &lie{change: func(_ int64, _ string, d audit.Data) audit.Data {
			if d, ok := d.(*audit.LogOpen); ok {
				d.Participants = append([]audit.Participant{}, d.Participants...)
				for i := range d.Participants {
					if d.Participants[i].ID == who {
						d.Participants[i].Name = name
					}
				}
			}
			return d
		}}
	}
	signed := edit(func(step string, d *audit.HSMOutcome) {
		if d.Signature != "" && step == "root-crl" {
			d.Signature = strings.Repeat("5a", 64)
		}
	})
	return []attack{
		{name: "module-signs-something-else", lie: &lie{change: signed}, want: []Code{SignedBytesDiffer}},
		{name: "module-returns-a-key-it-had", lie: &lie{change: sameKey()}, want: []Code{KeyRepeated}},
		{name: "module-tells-bad-attributes", verdict: Consistent, want: []Code{AttributeBad}, lie: &lie{change: edit(func(_ string, d *audit.Key) {
			d.Attributes = []audit.Judgement{{Attribute: "CKA_EXTRACTABLE", Reported: "true", Judged: "bad", Why: "it can be taken out"}}
		})}},
		{name: "attributes-judged-better-than-told", want: []Code{ArtifactKey}, lie: betterJudged()},
		{name: "signature-without-a-document", want: []Code{SignatureUnexplained}, lie: &lie{before: at("root-crl", func(b *bundletest.Builder, _ *audit.StepEnd) {
			b.Call(audit.HSMIntent{Function: "C_Sign", Session: "1", Data: "00", For: 3}, audit.HSMOutcome{Signature: "00"})
		})}},
		{name: "call-between-the-steps", want: []Code{CallWithoutStep}, lie: &lie{before: at("", func(b *bundletest.Builder, _ *audit.Transcript) {
			b.Call(audit.HSMIntent{Function: "C_Login", Session: "1", User: "CKU_USER", PIN: "[redacted]"}, audit.HSMOutcome{})
		})}},
		{name: "object-nobody-made", verdict: Consistent, want: []Code{TokenDiffers}, lie: &lie{before: at("root-key", func(b *bundletest.Builder, _ *audit.Key) {
			b.Add(&audit.Inventory{Token: "hsm", Objects: []audit.Object{}, Differs: []string{"a key that nobody made: \"shadow\""}})
		})}},
		{name: "plug-pulled-at-the-login", verdict: Consistent, want: []Code{CallUnknown, SegmentUnanchored}, lie: &lie{c: bundletest.Ceremony{Crash: true}}},
		{name: "rolled-back-and-resumed", want: []Code{SegmentCheckpoint}, lie: &lie{c: bundletest.Ceremony{Pause: true}, before: olderCheckpoint()}},
		{name: "resumed-and-nobody-compared", verdict: Consistent, want: []Code{HeadNotCompared}, lie: &lie{c: bundletest.Ceremony{Pause: true},
			change: edit(func(_ string, d *audit.SegmentAdopt) { d.Seen = "not available" })}},
		{name: "resumed-and-nobody-asked", want: []Code{SegmentAdoption}, lie: &lie{c: bundletest.Ceremony{Pause: true},
			change: drop(func(string, *audit.SegmentAdopt) bool { return true })}},
		{name: "log-key-not-read-aloud", want: []Code{KeyNotRead}, lie: &lie{change: drop(func(string, *audit.KeyRead) bool { return true })}},
		{name: "answer-of-somebody-absent", want: []Code{AckMissing}, lie: &lie{change: absent("oto", func(d *audit.Ack) { d.Person = "oto" })}},
		{name: "witness-did-not-answer", want: []Code{AckMissing}, lie: &lie{change: drop(func(_ string, d *audit.Ack) bool { return d.Person == "ewa" })}},
		{name: "step-left-out", want: []Code{StepMissing}, lie: &lie{change: drop2("sub-crl")}},
		{name: "pin-in-the-log", want: []Code{SecretRecorded}, lie: &lie{change: edit(func(_ string, d *audit.HSMIntent) {
			if d.PIN != "" {
				d.PIN = "648219"
			}
		})}},
		{name: "serial-number-chosen", want: []Code{SerialNotRandom}, lie: &lie{change: edit(func(_ string, d *audit.HSMOutcome) {
			if d.Random != "" {
				d.Random = strings.Repeat("ab", 16)
			}
		})}},
		{name: "certificate-dated-back", want: []Code{NotBefore}, lie: &lie{before: at("root-certificate", func(b *bundletest.Builder, _ *audit.ToBeSigned) { b.Wait(48 * time.Hour) })}},
		{name: "time-set-back", verdict: Consistent, want: []Code{TimeGoesBack}, lie: &lie{before: at("verdict", func(b *bundletest.Builder, _ *audit.Verdict) { b.Wait(-time.Hour) })}},
		{name: "time-jumps", verdict: Consistent, want: []Code{ClockOffset}, lie: &lie{before: at("root-key", func(b *bundletest.Builder, _ *audit.Key) {
			b.Add(&audit.ClockJump{WallMS: 9_000_000, MonotonicMS: 10})
		})}},
		{name: "name-in-two-alphabets", lie: name("ewa", "Ewa Рróbna"), want: []Code{NameMisleads}},
		{name: "name-turned-round", lie: name("ewa", "Ewa \u202eanbórP"), want: []Code{NameMisleads}},
		{name: "name-hidden-character", lie: name("ewa", "Wil Mus\u200bter"), want: []Code{NameMisleads}},
		{name: "name-of-a-double", lie: name("ewa", "Wil МUSТЕR"), want: []Code{NameMisleads}},
		{name: "title-not-that-of-the-script", want: []Code{PlanDiffers}, lie: &lie{change: edit(func(_ string, d *audit.StepBegin) { d.Say = "Look away now." })}},
	}
}

// drop2 leaves out every entry of a step.
func drop2(id string) func(int64, string, audit.Data) audit.Data {
	return func(_ int64, step string, d audit.Data) audit.Data {
		if step == id {
			return nil
		}
		return d
	}
}

// sameKey has the token return, for the second key, the one it made first.
func sameKey() func(int64, string, audit.Data) audit.Data {
	first := ""
	return edit(func(_ string, d *audit.Key) {
		if first == "" {
			first = d.SPKI
		}
		d.SPKI, d.SPKISHA256 = first, hash(unhex(first))
	})
}

// betterJudged has the token tell of a key that can be taken out, and the log
// call it good.
func betterJudged() *lie {
	return &lie{before: at("root-key", func(b *bundletest.Builder, _ *audit.Key) {
		b.Call(audit.HSMIntent{Function: "C_GetAttributeValue", Session: "1", Object: "4", Attributes: []string{"CKA_SENSITIVE", "CKA_EXTRACTABLE"}},
			audit.HSMOutcome{Attributes: []audit.Attribute{{Type: "CKA_SENSITIVE", Value: "true"}, {Type: "CKA_EXTRACTABLE", Value: "true"}}})
	}), change: edit(func(_ string, d *audit.Key) {
		d.Attributes = []audit.Judgement{{Attribute: "CKA_EXTRACTABLE", Reported: "false", Judged: "good"}}
	})}
}

// TestNames holds the judgement of names against names of many languages, which
// mislead nobody.
func TestNames(t *testing.T) {
	for _, s := range []string{"", "Ada Example", "Ewa Próbna", "Ελένη Παπαδοπούλου", "Анна Иванова", "אנה כהן", "山田 太郎", "Nguyễn Thị Hoa", "سارا احمدی", "می\u200cخواهم", "O’Brien-Smith 3rd", "Root CA G2 (ΚΕΠ)", "one\ntwo"} {
		if why := misleads(s); why != "" {
			t.Errorf("%q %s", s, why)
		}
	}
	for _, s := range []string{"Аda", "Ada\u202e", "A\u00adda", "Ada\x1b[2J", "\ufeffAda", "Pro\u0301bna", "Αda", "a\u2066b", "Ada\r"} {
		if misleads(s) == "" {
			t.Errorf("%q passes", s)
		}
	}
	for a, b := range map[string]string{"Wil": "WiI", "Анна": "Aннa", "Root 0": "Root O", "Sub  CA": "Sub CA", "ﬁle": "file"} {
		if looks(a) != looks(b) {
			t.Errorf("%q and %q: %q, %q", a, b, looks(a), looks(b))
		}
	}
	if looks("Ada") == looks("Ade") {
		t.Error("Ada is Ade")
	}
}
