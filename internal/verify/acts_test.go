package verify

import (
	"strings"
	"testing"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/verify/bundletest"
)

// withActs is a rehearsal in which people read, typed, took and filmed.
var withActs = bundletest.Ceremony{Acts: true}

// TestActs: what is as the script says is no finding but the clock's jump, in a
// ceremony and in a rehearsal.
func TestActs(t *testing.T) {
	for _, mode := range []string{audit.ModeRehearsal, audit.ModeProduction} {
		c := withActs
		c.Mode = mode
		r := lie{c: c}.tell(t)
		if r.failed() || r.Has(MachineDiffers) || !r.Has(ClockOffset) {
			t.Errorf("%s: verdict %s\n%s", mode, r.Verdict, codes(r))
		}
		counts := map[string]int64{}
		for _, c := range r.Checks {
			counts[c.Name] = c.Count
		}
		if counts["values read back"] != 6 || counts["machine, materials and custody"] != 6 {
			t.Errorf("%s: checked %v", mode, counts)
		}
	}
}

// actLies are logs whose acts are not what was read, or not the script's.
func actLies() []lie {
	outside := func(f func(d *audit.TypedBack)) func(int64, string, audit.Data) audit.Data {
		return edit(func(step string, d *audit.TypedBack) {
			if step == "machine" {
				f(d)
			}
		})
	}
	bag := func(what string, f func(d *audit.TypedBack)) func(int64, string, audit.Data) audit.Data {
		return edit(func(_ string, d *audit.TypedBack) {
			if d.What == "number of the "+what {
				f(d)
			}
		})
	}
	taken := func(f func(d *audit.Custody)) func(int64, string, audit.Data) audit.Data {
		return edit(func(_ string, d *audit.Custody) {
			if d.Item == "token" {
				f(d)
			}
		})
	}
	drift := func(f func(d *audit.Drift)) func(int64, string, audit.Data) audit.Data {
		return edit(func(_ string, d *audit.Drift) { f(d) })
	}
	return []lie{
		{name: "typed something else than was read", change: outside(func(d *audit.TypedBack) { d.Typed = strings.Repeat("2", 64) }), want: ReadBackDiffers},
		{name: "read back something else than was shown", change: edit(func(_ string, d *audit.ReadBack) { d.Typed = "aardvark" }), want: ReadBackDiffers},
		{name: "a value that the machine did not show", change: outside(func(d *audit.TypedBack) { d.Value = strings.Repeat("2", 64) }), want: ReadBackDiffers},
		{name: "read back a value that the screen did not show", change: edit(func(_ string, d *audit.ReadBack) { d.Value, d.Typed = strings.Repeat("2", 64), "" }), want: ReadBackDiffers},
		{name: "no match, and yet typed the same", change: edit(func(_ string, d *audit.ReadBack) { d.Match = false }), want: ReadBackDiffers},
		{name: "one person reads and types", change: outside(func(d *audit.TypedBack) { d.Reader = d.Person }), want: ReadBackDiffers},
		{name: "a checksum list of nothing", before: at("root-crl", func(b *bundletest.Builder, _ *audit.StepEnd) {
			b.Add(&audit.TypedBack{What: "SHA-256 of out/SHA256SUMS by the second machine", Value: strings.Repeat("0", 16), Reader: "wil", Person: "ewa", Compared: "what was written"})
		}), want: ReadBackDiffers},
		{name: "another fingerprint read back", before: at("root-certificate", func(b *bundletest.Builder, _ *audit.StepEnd) {
			b.Add(&audit.ReadBack{Person: "wil", What: "the SHA-256 fingerprint of root.pem", Value: strings.Repeat("0", 64), Match: true})
		}), want: ReadBackDiffers},
		{name: "another key read back", before: at("root-key", func(b *bundletest.Builder, _ *audit.StepEnd) {
			b.Add(&audit.ReadBack{Person: "wil", What: "the SHA-256 of the public key root", Value: strings.Repeat("0", 64), Match: true})
		}), want: ReadBackDiffers},
		{name: "a serial number of no token", before: at("root-key", func(b *bundletest.Builder, _ *audit.StepEnd) {
			b.Add(&audit.ReadBack{Person: "wil", What: "the serial number of token hsm", Value: "X1", Match: true})
		}), want: ReadBackDiffers},

		{name: "a hash from outside left out", change: drop(func(_ string, d *audit.TypedBack) bool { return strings.Contains(d.What, "module") }), want: ActsDiffer},
		{name: "a hash from outside read by another", change: outside(func(d *audit.TypedBack) { d.Reader = "oto" }), want: ActsDiffer},
		{name: "no machine", change: drop(func(string, *audit.Environment) bool { return true }), want: ActsDiffer},
		{name: "a machine that was not compared", change: drop(func(string, *audit.MachineCheck) bool { return true }), want: ActsDiffer},
		{name: "a device that nobody speaks of", change: edit(func(_ string, d *audit.Devices) {
			d.List = append(d.List[:1:1], audit.Device{At: "2-1", ID: "0781:5567"})
		}), want: ActsDiffer},
		{name: "a network that nobody speaks of", change: edit(func(_ string, d *audit.Environment) { d.Interfaces = []audit.Interface{{Name: "eth0", Up: true}} }), want: ActsDiffer},
		{name: "a difference that is none", change: edit(func(_ string, d *audit.MachineCheck) { d.Differs = []string{"x"} }), want: ActsDiffer},
		{name: "another bag", change: bag("bag of token", func(d *audit.TypedBack) { d.Value = "A 18" }), want: ActsDiffer},
		{name: "another seal", change: bag("seal of token", func(d *audit.TypedBack) { d.Value = "S-8" }), want: ActsDiffer},
		{name: "a bag typed by another", change: bag("bag of sheet", func(d *audit.TypedBack) { d.Person = "oto" }), want: ActsDiffer},
		{name: "a seal left out", change: drop(func(_ string, d *audit.TypedBack) bool { return strings.Contains(d.What, "seal") }), want: ActsDiffer},
		{name: "a bag more", before: at("bags", func(b *bundletest.Builder, _ *audit.StepEnd) {
			b.Add(&audit.TypedBack{What: "number of the bag of key", Value: "A 9", Reader: "ada", Person: "wil", Compared: "the script"})
		}), want: ActsDiffer},
		{name: "no film", change: drop(func(string, *audit.Evidence) bool { return true }), want: ActsDiffer},
		{name: "a film of something else", change: edit(func(_ string, d *audit.Evidence) { d.Shows = "the door" }), want: ActsDiffer},
		{name: "a film by another", change: edit(func(_ string, d *audit.Evidence) { d.Person = "wil" }), want: ActsDiffer},
		{name: "taken by another", change: taken(func(d *audit.Custody) { d.Person = "ada" }), want: ActsDiffer},
		{name: "taken elsewhere", change: taken(func(d *audit.Custody) { d.Place = "home" }), want: ActsDiffer},
		{name: "not taken", change: drop(func(_ string, d *audit.Custody) bool { return d.Item == "sheet" }), want: ActsDiffer},
		{name: "another drift", change: drift(func(d *audit.Drift) { d.DriftMS = 0 }), want: DriftDiffers},
		{name: "a jump left out", change: drift(func(d *audit.Drift) { d.Jumps, d.JumpsMS = 0, 0 }), want: DriftDiffers},
		{name: "a drift since another reading", change: drift(func(d *audit.Drift) { d.First-- }), want: DriftDiffers},
	}
}

func TestActLies(t *testing.T) {
	for _, l := range actLies() {
		t.Run(l.name, func(t *testing.T) {
			l.c = withActs
			if r := l.tell(t); r.Verdict != Failed || !r.Has(l.want) {
				t.Errorf("verdict %s, no %s\n%s", r.Verdict, l.want, codes(r))
			}
		})
	}
}

// stranger is a log that says truly that the machine is not the script's.
func stranger(_ int64, _ string, d audit.Data) audit.Data {
	switch d := d.(type) {
	case *audit.Environment:
		d.Release = "6.1.0-43-amd64"
	case *audit.MachineCheck:
		d.Differs = []string{"kernel: 6.1.0-43-amd64, expected 6.1.0-42-amd64"}
	}
	return d
}

// TestOtherMachine: a rehearsal may be held on another machine than the
// script's, which is said; a ceremony that went on there is not sound. Clocks
// that drifted too far are said.
func TestOtherMachine(t *testing.T) {
	c := withActs
	if r := (lie{c: c, change: stranger}).tell(t); r.failed() || !r.Has(MachineDiffers) {
		t.Errorf("rehearsal: verdict %s\n%s", r.Verdict, codes(r))
	}
	c.Mode = audit.ModeProduction
	if r := (lie{c: c, change: stranger}).tell(t); r.Verdict != Failed || !r.Has(ActsDiffer) {
		t.Errorf("production: verdict %s\n%s", r.Verdict, codes(r))
	}
	narrow := edit(func(_ string, d *audit.Drift) { d.LimitMS = 1000 })
	if r := (lie{c: withActs, change: narrow}).tell(t); r.failed() || !strings.Contains(codes(r), "drifted apart") {
		t.Errorf("drift: verdict %s\n%s", r.Verdict, codes(r))
	}
}
