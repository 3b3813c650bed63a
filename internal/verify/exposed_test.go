package verify

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/bundle"
	"github.com/keyrite/keyrite/internal/redact"
	"github.com/keyrite/keyrite/internal/verify/bundletest"
)

// An exposed key vouches for nothing by default: neither alone nor in a policy,
// neither what it signed before nor what came after the close. Asked for, it
// counts, and the verdict says so.
func TestExposedKeys(t *testing.T) {
	exposing := func(who, from string) *witnessing {
		return makeWitnessed(t, func(c *bundletest.Ceremony) { c.Exposed = map[string]string{who: from} })
	}
	// wil cosigned before the verdicts, ewa the final checkpoint.
	ewa, before, onlyWil := exposing("ewa", "verdict"), exposing("wil", "verdict"), exposing("wil", "cosign")
	late := ewa.copy(t)
	late.late(t, late.wil)
	again := onlyWil.copy(t)
	again.late(t, again.wil)
	const anyOf, both = "group any any W E\nquorum any", "group both all W E\nquorum both"
	policy := func(w *witnessing, quorum string) []byte {
		return []byte(fmt.Sprintf("witness W %s\nwitness E %s\n%s\n", w.vkey(w.wil), w.vkey(w.ewa), quorum))
	}
	for _, test := range []struct {
		name    string
		w       *witnessing
		o       Options
		verdict Verdict
		exit    int
		says    string // the first line, or a finding
		want    []Code
	}{
		{"nothing given", ewa, Options{}, Consistent, 0, "key of Ewa Próbna", nil},
		{"its key alone", ewa, Options{WitnessKeys: []string{ewa.vkey(ewa.ewa)}}, Consistent, 1, "not counted, because the key was exposed to the ceremony machine: witness.example.org/ewa (--count-exposed counts it)", []Code{SegmentUnanchored}},
		{"its key alone, counted", ewa, Options{WitnessKeys: []string{ewa.vkey(ewa.ewa)}, CountExposed: true}, Verified, 0, "VERIFIED, anchored by the cosignature of Ewa Próbna (witness.example.org/ewa) [key EXPOSED to the ceremony machine]", nil},
		{"a policy with it alone", ewa, Options{Policy: policy(ewa, "quorum E")}, Consistent, 1, "not counted, because the key was exposed", []Code{SegmentUnanchored, PolicyNotMet}},
		{"a policy with it alone, counted", ewa, Options{Policy: policy(ewa, "quorum E"), CountExposed: true}, Verified, 0, `VERIFIED, anchored by the quorum "E" of the policy, COUNTING a key that was exposed`, nil},
		{"any of two, the other has not signed", ewa, Options{Policy: policy(ewa, anyOf)}, Consistent, 1, "not counted", []Code{SegmentUnanchored, PolicyNotMet}},
		{"any of two, the other has signed", late, Options{Policy: policy(ewa, anyOf)}, Verified, 0, `VERIFIED, anchored by the quorum "any" of the policy`, nil},
		{"any of two, counted though not needed", late, Options{Policy: policy(ewa, anyOf), CountExposed: true}, Verified, 0, `VERIFIED, anchored by the quorum "any" of the policy`, nil},
		{"both", late, Options{Policy: policy(ewa, both)}, Consistent, 1, "cosigned by 1 of 2", []Code{SegmentUnanchored, PolicyNotMet}},
		{"both, counted", late, Options{Policy: policy(ewa, both), CountExposed: true}, Verified, 0, `of the policy, COUNTING`, nil},
		{"a key exposed after it cosigned", before, Options{WitnessKeys: []string{before.vkey(before.wil)}}, Consistent, 1, "Wil Muster", []Code{SegmentUnanchored}},
		{"a late line by a key exposed before", again, Options{WitnessKeys: []string{again.vkey(again.wil)}}, Consistent, 1, "not counted", []Code{SegmentUnanchored}},
		{"the other witness's key", onlyWil, Options{WitnessKeys: []string{onlyWil.vkey(onlyWil.ewa)}}, Verified, 0, "VERIFIED, anchored by the cosignature of Ewa Próbna (witness.example.org/ewa); transcript.pdf", nil},
	} {
		test.o.Recompose = pagesOnly
		r := check(t, test.w.Bundle, test.o)
		var text strings.Builder
		if err := r.WriteText(&text, false); err != nil {
			t.Fatal(err)
		}
		if r.Verdict != test.verdict || r.Exit != test.exit || !strings.Contains(text.String(), test.says) {
			t.Errorf("%s: verdict %s, exit %d; want %s, %d, %q\n%s", test.name, r.Verdict, r.Exit, test.verdict, test.exit, test.says, text.String())
		}
		first, _, _ := strings.Cut(text.String(), "\n")
		if strings.Contains(first, "COUNTING") != strings.Contains(test.says, "COUNTING") {
			t.Errorf("%s: the first line is %s", test.name, first)
		}
		if got := besides(r, WitnessKeyExposed, PDFNotCompared); !slices.Equal(got, test.want) || !r.Has(WitnessKeyExposed) {
			t.Errorf("%s: findings %v, want %v\n%s", test.name, got, test.want, codes(r))
		}
	}
}

// What the log says of exposed keys must agree with itself and with the script.
func TestExposedLies(t *testing.T) {
	for _, x := range []struct {
		name   string
		c      func(*bundletest.Ceremony)
		change func(int64, string, audit.Data) audit.Data
		want   Code
	}{
		{"the cosignature does not say it", nil, edit(func(_ string, d *audit.Cosigned) { d.Exposed = false }), LogGrammar},
		{"the verdict does not say it", nil, edit(func(_ string, d *audit.Verdict) { d.Exposed = false }), LogGrammar},
		{"the entry is left out", nil, drop(func(string, *audit.WitnessKeyExposed) bool { return true }), LogGrammar},
		{"it is said of another key", nil, edit(func(_ string, d *audit.WitnessKeyExposed) { d.Key = newWitness(t, "x").Key().String() }), LogGrammar},
		{"the script does not allow it", func(c *bundletest.Ceremony) {
			c.Change = nil
			c.Exposed = nil
			c.Before = at("cosign", func(b *bundletest.Builder, d *audit.Cosigned) {
				b.Add(&audit.WitnessKeyExposed{Person: "wil", Key: b.Keys["wil"].Key().String(), File: "wil.key", For: "cosignature"})
			})
		}, nil, PlanDiffers},
	} {
		w := makeWitnessed(t, func(c *bundletest.Ceremony) {
			c.Exposed, c.Change = map[string]string{"wil": "cosign"}, x.change
			if x.c != nil {
				x.c(c)
			}
		})
		if r := check(t, w.Bundle, Options{Recompose: pagesOnly}); r.Verdict != Failed || !r.Has(x.want) {
			t.Errorf("%s: %s, no %s\n%s", x.name, r.Verdict, x.want, codes(r))
		}
	}
}

// TestExposureHidden is row 55 of docs/threat-model.md: the machine keeps silent
// about a key that it was given. Nothing in the bundle shows it, and this test
// says so: whoever was in the room, or has a film of it, knows.
func TestExposureHidden(t *testing.T) {
	silent := func(_ int64, _ string, d audit.Data) audit.Data {
		switch d := d.(type) {
		case *audit.WitnessKeyExposed, *audit.Secret:
			if s, ok := d.(*audit.Secret); !ok || s.Token == "" {
				return nil
			}
		case *audit.Cosigned:
			d.Exposed = false
		case *audit.Verdict:
			d.Exposed = false
		}
		return d
	}
	w := makeWitnessed(t, func(c *bundletest.Ceremony) {
		c.Exposed, c.Change = map[string]string{"wil": "cosign", "ewa": "cosign"}, silent
	})
	r := check(t, w.Bundle, Options{WitnessKeys: []string{w.vkey(w.ewa)}, Recompose: pagesOnly})
	if r.Verdict != Verified || len(besides(r, PDFNotCompared)) > 0 {
		t.Errorf("it is found now; then the document says less than is true:\n%s", codes(r))
	}
}

// A redacted copy keeps the entries about exposed keys; where somebody hides one
// by hand, or may have, the report says that it cannot know.
func TestExposedInRedactedCopy(t *testing.T) {
	if _, err := redact.ParseSelection([]string{"kind=witness-key-exposed"}); err == nil {
		t.Error("entries about exposed keys can be hidden")
	}
	w := makeWitnessed(t, func(c *bundletest.Ceremony) { c.Exposed = map[string]string{"ewa": "close"} })
	o := Options{WitnessKeys: []string{w.vkey(w.ewa)}, Recompose: pagesOnly}
	c := redactedCopy(t, w.Bundle, "person=ewa")
	if r := check(t, c, o); r.Verdict != InPart || len(r.Anchors) > 0 || !r.Has(WitnessKeyExposed) {
		t.Errorf("ewa hidden: %s, anchored by %q\n%s", r.Verdict, r.Anchors, codes(r))
	}
	c = redactedCopy(t, w.Bundle, "kind=freshness")
	hidden := notChecked + "a witness's key was unlocked on the ceremony machine"
	says := func(r *Report) bool {
		return slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Code == NotChecked && f.What == hidden })
	}
	if r := check(t, c, o); says(r) {
		t.Errorf("nothing is hidden where a key is unlocked\n%s", codes(r))
	}
	kinds, _ := shown(t, c)
	hideByHand(t, c, kinds["witness-key-exposed"][0], same)
	say(t, c, func(*bundle.Redaction) {})
	if r := check(t, c, o); r.Verdict != InPart || !says(r) {
		t.Errorf("hidden by hand: %s\n%s", r.Verdict, codes(r))
	}
}

// The verifier in Python takes a log with an exposed key, and counts that key for
// nothing, as keyrite-verify does.
func TestSecondExposed(t *testing.T) {
	w := makeWitnessed(t, func(c *bundletest.Ceremony) {
		c.Final, c.Exposed = []string{"ewa", "wil"}, map[string]string{"ewa": "verdict"}
	})
	jobs := []secondJob{
		{Dir: w.Dir, name: "nothing given"},
		{Dir: w.Dir, name: "the key that was not exposed", Witnesses: []string{w.vkey(w.wil)}},
		{Dir: w.Dir, name: "the exposed key", Witnesses: []string{w.vkey(w.wil), w.vkey(w.ewa)}, fail: true},
	}
	for _, job := range jobs[1:] {
		if r := check(t, w.Bundle, Options{WitnessKeys: job.Witnesses[len(job.Witnesses)-1:], Recompose: pagesOnly}); (r.Exit != 0) != job.fail {
			t.Errorf("%s: keyrite-verify says %s\n%s", job.name, r.Verdict, codes(r))
		}
	}
	compare(t, jobs)
}
