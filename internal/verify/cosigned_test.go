package verify

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/bundle"
	"github.com/keyrite/keyrite/internal/timestamp"
	"github.com/keyrite/keyrite/internal/timestamp/tsatest"
	"github.com/keyrite/keyrite/internal/transcript"
	"github.com/keyrite/keyrite/internal/verify/bundletest"
)

// later is after the invented ceremony.
var later = time.Date(2026, 11, 26, 10, 0, 0, 0, time.UTC)

// A witnessing is a bundle whose witnesses have keys.
type witnessing struct {
	*bundletest.Bundle
	wil, ewa *audit.WitnessSigner
}

// makeWitnessed makes a bundle in which wil cosigns before the verdicts and ewa the
// final checkpoint, and both sign their verdicts.
func makeWitnessed(t testing.TB, change func(c *bundletest.Ceremony)) *witnessing {
	t.Helper()
	w := &witnessing{wil: newWitness(t, "wil"), ewa: newWitness(t, "ewa")}
	c := bundletest.Ceremony{
		NoPDF: true, Keys: map[string]*audit.WitnessSigner{"wil": w.wil, "ewa": w.ewa}, Cosign: []string{"wil"}, Final: []string{"ewa"}, SignVerdicts: true,
		Fresh: []audit.Freshness{{Source: "drand round 1", Value: "8990e7a9", Claimed: "2026-11-25T08:30:00Z", Person: "wil"}},
	}
	if change != nil {
		change(&c)
	}
	w.Bundle = bundletest.Make(t, c)
	return w
}

func (w *witnessing) copy(t testing.TB) *witnessing {
	return &witnessing{bundletest.Copy(t, w.Bundle), w.wil, w.ewa}
}

// late writes a cosignature of the final checkpoint into after/.
func (w *witnessing) late(t testing.TB, s *audit.WitnessSigner) {
	t.Helper()
	signed := w.Read(t, bundle.CheckpointFile)
	p, _, err := audit.Cosignatures(signed)
	if err != nil {
		t.Fatal(err)
	}
	line, err := s.Cosign(p, later)
	if err != nil {
		t.Fatal(err)
	}
	if signed, err = audit.AddCosignature(signed, line.Line(), s.Key()); err != nil {
		t.Fatal(err)
	}
	w.Write(t, bundle.CosignatureFile(s.Key().Name()), signed)
}

func (w *witnessing) vkey(s *audit.WitnessSigner) string { return s.Key().String() }

// besides drops the findings that every such bundle has.
func besides(r *Report, codes ...Code) (out []Code) {
	for _, f := range r.Findings {
		if f.Code != CeremonyIsRehearsal && !slices.Contains(codes, f.Code) {
			out = append(out, f.Code)
		}
	}
	return out
}

// pagesOnce is pagesOnly for bundles of one and the same log.
func pagesOnce() Recomposer {
	var pages []transcript.Page
	return func(b Files, entries []*audit.Entry) (_ []transcript.Page, _ []byte, err error) {
		if pages == nil {
			pages, _, err = pagesOnly(b, entries)
		}
		return pages, nil, err
	}
}

// What is known from outside of witnesses decides what anchors the log.
func TestAnchoredByWitnesses(t *testing.T) {
	w := makeWitnessed(t, nil)
	stranger := newWitness(t, "stranger")
	late := w.copy(t)
	late.late(t, w.wil)
	late.late(t, stranger)
	pages := pagesOnce()
	both := fmt.Sprintf("witness W %s\nwitness E %s\ngroup both all W E\nquorum both\n", w.vkey(w.wil), w.vkey(w.ewa))
	for _, test := range []struct {
		name    string
		w       *witnessing
		o       Options
		verdict Verdict
		exit    int
		anchor  string
		want    []Code
	}{
		{"nothing given", w, Options{}, Consistent, 0, "", nil},
		{"on the final checkpoint", w, Options{WitnessKeys: []string{w.vkey(w.ewa)}}, Verified, 0, "the cosignature of Ewa Próbna (witness.example.org/ewa)", nil},
		{"by a participant's id", w, Options{WitnessKeys: []string{"ewa=" + w.vkey(w.ewa)}}, Verified, 0, "the cosignature of Ewa Próbna (witness.example.org/ewa)", nil},
		{"before the verdicts", w, Options{WitnessKeys: []string{w.vkey(w.wil)}}, Verified, 0, "the cosignature of Wil Muster (witness.example.org/wil) at ", nil},
		{"somebody's who did not sign", w, Options{WitnessKeys: []string{w.vkey(stranger)}}, Consistent, 1, "", []Code{SegmentUnanchored}},
		{"late", late, Options{WitnessKeys: []string{w.vkey(stranger)}}, Verified, 0, "the cosignature of witness.example.org/stranger", nil},
		{"late, and named by nobody", late, Options{}, Consistent, 0, "", []Code{CosignatureUnknown}},
		{"another key of ewa", w, Options{WitnessKeys: []string{"ewa=" + w.vkey(stranger)}}, Failed, 1, "", []Code{WitnessKeyDiffers, SegmentUnanchored}},
		{"ewa's as wil's", w, Options{WitnessKeys: []string{"wil=" + w.vkey(w.ewa)}}, Failed, 1, "", []Code{WitnessKeyDiffers, WitnessKeyDiffers}},
		{"a quorum not met", w, Options{Policy: []byte(both)}, Consistent, 1, "", []Code{SegmentUnanchored, PolicyNotMet}},
		{"a quorum met late", late, Options{Policy: []byte(both)}, Verified, 0, `the quorum "both" of the policy`, []Code{CosignatureUnknown}},
		{"a policy of a log alone", w, Options{Policy: []byte("log " + w.LogKeys[0] + "\nquorum none\n")}, Verified, 0, "the log key of segment 0", nil},
		{"a policy of another log", w, Options{Policy: []byte("log " + late.LogKeys[0][:30] + "x+00000000+AQ==\nquorum none\n")}, "", 2, "", nil},
		{"a key from outside beside a policy not met", w, Options{WitnessKeys: []string{w.vkey(w.ewa)}, Policy: []byte(both)}, Verified, 1, "Ewa", []Code{PolicyNotMet}},
	} {
		test.o.Recompose = pages
		r, err := Bundle(test.w.Dir, test.o)
		if test.exit == ExitUsage {
			if err == nil {
				t.Errorf("%s: accepted", test.name)
			}
			continue
		}
		if err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		if r.Verdict != test.verdict || r.Exit != test.exit || !strings.Contains(strings.Join(r.Anchors, "; "), test.anchor) || test.anchor == "" && len(r.Anchors) > 0 && r.Verdict != Failed {
			t.Errorf("%s: verdict %s, exit %d, anchored by %q; want %s, %d, %q\n%s", test.name, r.Verdict, r.Exit, r.Anchors, test.verdict, test.exit, test.anchor, codes(r))
		}
		if got := besides(r, PDFNotCompared); !slices.Equal(got, test.want) {
			t.Errorf("%s: findings %v, want %v\n%s", test.name, got, test.want, codes(r))
		}
	}
}

// The text names what anchors nothing before anything else, what each witness
// said and signed, and what speaks for the time.
func TestWitnessedText(t *testing.T) {
	w := makeWitnessed(t, nil)
	w.late(t, w.wil)
	text := func(o Options) string {
		var out strings.Builder
		if err := check(t, w.Bundle, o).WriteText(&out, false); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	got := text(Options{RequireAnchor: true, Recompose: pagesOnly})
	for _, want := range []string{
		"  NOTHING from outside vouches for segment 0 (entries 0 to ",
		"the key of witness.example.org/ewa or witness.example.org/wil, whose line the final checkpoint has (--witness-key)",
		"Verdicts by step and witness\n           Wil Muster      Ewa Próbna\n  verdict  agrees, signed  agrees, signed\n",
		"  - witness.example.org/ewa (Ewa Próbna) on the final checkpoint, 2026-11-25T",
		"late: after the close; key known from this bundle alone; in after/cosignature-witness.example.org_wil.txt",
		"  not before 2026-11-25T08:30:00Z  drand round 1: 8990e7a9\n      nobody could know it before, as Wil Muster said (entry ",
		"  not after  2026-11-26T10:00:00Z  the cosignature of Wil Muster (witness.example.org/wil)\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	got = text(Options{WitnessKeys: []string{w.vkey(w.ewa)}, Recompose: pagesOnly})
	if !strings.HasPrefix(got, "VERIFIED, anchored by the cosignature of Ewa Próbna (witness.example.org/ewa)") || !strings.Contains(got, "key known from outside") {
		t.Errorf("anchored:\n%s", got)
	}
}

// A segment that begins after a break is vouched for by a cosignature given
// after its adoption, and by no earlier one.
func TestCosignedSegments(t *testing.T) {
	w := makeWitnessed(t, func(c *bundletest.Ceremony) { c.Pause, c.Final = true, nil })
	r := check(t, w.Bundle, Options{WitnessKeys: []string{w.vkey(w.wil)}, Recompose: pagesOnly})
	if len(r.Log.Segments) != 2 || !r.Log.Segments[0].Anchored || !r.Log.Segments[1].Anchored || r.Verdict != Verified {
		t.Errorf("after the adoption: %+v\n%s", r.Log.Segments, codes(r))
	}
	early := &verifier{log: &facts{segments: []Segment{{Number: 0}, {Number: 1, First: 50, adopted: true, adoptedAt: 51}}, close: new(audit.Close), size: 100}, report: new(Report)}
	for size, want := range map[int64][2]bool{0: {}, 1: {true, false}, 51: {true, false}, 52: {true, true}, 100: {true, true}} {
		early.log.segments[0].Anchored, early.log.segments[1].Anchored = false, false
		early.report.Cosignatures = []CosignatureSeen{{Size: size, Trusted: true, by: &knownKey{WitnessKey: w.wil.Key(), alone: true}}}
		early.anchorByWitnesses(new(Check))
		if got := [2]bool{early.log.segments[0].Anchored, early.log.segments[1].Anchored}; got != want {
			t.Errorf("a cosignature at %d entries anchors %v, want %v", size, got, want)
		}
	}
}

// A cosignatureLie is done to a bundle with witnesses; other is another one.
type cosignatureLie struct {
	name string
	lie  func(t *testing.T, w, other *witnessing)
	want Code
}

func cosignatureLies() []cosignatureLie {
	rewriteFinal := func(t *testing.T, w *witnessing, change func(note string) string) {
		note := []byte(change(string(w.Read(t, bundle.CheckpointFile))))
		w.Write(t, bundle.CheckpointFile, note)
		sqlite3(t, w.Bundle, fmt.Sprintf("UPDATE head SET note=x'%x'; UPDATE checkpoint SET note=x'%x' WHERE size=%d", note, note, w.Size))
	}
	line := func(t *testing.T, w *witnessing, s *audit.WitnessSigner, p audit.Checkpoint) string {
		c, err := s.Cosign(p, later)
		if err != nil {
			t.Fatal(err)
		}
		return c.Line() + "\n"
	}
	final := func(t *testing.T, w *witnessing) audit.Checkpoint {
		p, _, err := audit.Cosignatures(w.Read(t, bundle.CheckpointFile))
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	return []cosignatureLie{
		{"a bit of the final line", func(t *testing.T, w, _ *witnessing) {
			rewriteFinal(t, w, func(n string) string { return n[:len(n)-9] + strings.Map(rot, n[len(n)-9:len(n)-4]) + n[len(n)-4:] })
		}, CosignatureBroken},
		{"a line that is no cosignature", func(t *testing.T, w, _ *witnessing) {
			rewriteFinal(t, w, func(n string) string { return n + "— witness.example AAAAAAAA\n" })
		}, CosignatureBroken},
		{"one key twice", func(t *testing.T, w, _ *witnessing) {
			rewriteFinal(t, w, func(n string) string { return n + line(t, w, w.ewa, final(t, w)) })
		}, CosignatureBroken},
		{"the line of another size", func(t *testing.T, w, _ *witnessing) {
			p := final(t, w)
			p.Size--
			rewriteFinal(t, w, func(n string) string { return n + line(t, w, w.wil, p) })
		}, CosignatureBroken},
		{"the line of a kept checkpoint", func(t *testing.T, w, _ *witnessing) {
			log := string(w.Read(t, bundle.LogFile))
			_, rest, _ := strings.Cut(log, `"note_line":"`)
			kept, _, _ := strings.Cut(rest, `"`)
			rewriteFinal(t, w, func(n string) string { return n + kept + "\n" })
		}, CosignatureReplayed},
		{"another ceremony's late line", func(t *testing.T, w, other *witnessing) {
			name := bundle.CosignatureFile(w.wil.Key().Name())
			w.Write(t, name, other.Read(t, name))
		}, CosignatureReplayed},
		{"a late line of a smaller log", func(t *testing.T, w, _ *witnessing) {
			p := final(t, w)
			p.Size--
			w.Write(t, "after/cosignature-x.txt", []byte(p.Text()+"\n— "+p.Origin+" AAAAAAAA\n"+line(t, w, w.wil, p)))
		}, CosignatureReplayed},
		{"a late line without the log's", func(t *testing.T, w, _ *witnessing) {
			p := final(t, w)
			w.Write(t, "after/cosignature-x.txt", []byte(p.Text()+"\n"+line(t, w, w.wil, p)))
		}, CosignatureBroken},
		{"a late file of something else", func(t *testing.T, w, _ *witnessing) {
			w.Write(t, "after/cosignature-x.txt", w.Read(t, bundle.ManifestFile))
		}, CosignatureBroken},
		{"a flood of late lines", func(t *testing.T, w, _ *witnessing) {
			n := append(w.Read(t, bundle.CheckpointFile), bytes.Repeat([]byte(line(t, w, w.wil, final(t, w))), 3000)...)
			w.Write(t, "after/cosignature-x.txt", n)
		}, CosignatureBroken},
		{"the kept line removed", func(t *testing.T, w, _ *witnessing) {
			sqlite3(t, w.Bundle, "UPDATE checkpoint SET note=substr(note, 1, length(note)-140) WHERE hex(note) LIKE '%"+fmt.Sprintf("%X", w.wil.Key().Name())+"%'")
		}, CosignatureMissing},
		{"the key file replaced", func(t *testing.T, w, other *witnessing) {
			w.Write(t, bundle.WitnessKeyFile("wil"), []byte(other.vkey(other.ewa)+"\n"))
		}, KeyFileDiffers},
		{"the key file removed", func(t *testing.T, w, _ *witnessing) {
			if err := os.Remove(w.Path(bundle.WitnessKeyFile("wil"))); err != nil {
				t.Fatal(err)
			}
		}, FileMissing},
		{"a key file of nobody", func(t *testing.T, w, _ *witnessing) {
			w.Write(t, bundle.WitnessKeyFile("oto"), []byte(w.vkey(w.wil)+"\n"))
		}, FileUnknown},
	}
}

// rot replaces a base64 character by another.
func rot(r rune) rune {
	if r == 'A' {
		return 'B'
	}
	return 'A'
}

func TestCosignatureLies(t *testing.T) {
	noPaper := func(c *bundletest.Ceremony) { c.NoPaper = true }
	w, other := makeWitnessed(t, noPaper), makeWitnessed(t, noPaper)
	other.wil = w.wil
	other.late(t, w.wil)
	for _, x := range cosignatureLies() {
		m := w.copy(t)
		x.lie(t, m, other)
		m.Resum(t)
		if r := check(t, m.Bundle, Options{Recompose: pagesOnly}); !r.Has(x.want) {
			t.Errorf("%s: %s, no %s\n%s", x.name, r.Verdict, x.want, codes(r))
		}
	}
}

// What the log says of witnesses' keys and signatures cannot be made up.
func TestWitnessLies(t *testing.T) {
	stranger := newWitness(t, "stranger")
	for _, x := range []struct {
		name   string
		change func(seq int64, step string, d audit.Data) audit.Data
		want   Code
	}{
		{"another key than the script's", func(_ int64, _ string, d audit.Data) audit.Data {
			if k, ok := d.(*audit.WitnessKeyRead); ok && k.Person == "wil" {
				k.Key = stranger.Key().String()
			}
			return d
		}, WitnessKeyDiffers},
		{"adopted though the script has one", func(_ int64, _ string, d audit.Data) audit.Data {
			if k, ok := d.(*audit.WitnessKeyRead); ok {
				k.How = "adopted"
			}
			return d
		}, WitnessKeyDiffers},
		{"one key for two", func(_ int64, _ string, d audit.Data) audit.Data {
			if k, ok := d.(*audit.WitnessKeyRead); ok {
				k.Key = stranger.Key().String()
			}
			return d
		}, WitnessKeyDiffers},
		{"a verdict turned round", func(_ int64, _ string, d audit.Data) audit.Data {
			if g, ok := d.(*audit.Verdict); ok && g.Person == "wil" {
				g.Agree, g.Because = false, "x"
			}
			return d
		}, VerdictSignature},
		{"a verdict signed by another", func(_ int64, _ string, d audit.Data) audit.Data {
			if g, ok := d.(*audit.Verdict); ok {
				v, err := audit.ReadVerdictNote([]byte(g.Note))
				if err != nil {
					t.Fatal(err)
				}
				b, err := stranger.SignVerdict(v)
				if err != nil {
					t.Fatal(err)
				}
				g.Note = string(b)
			}
			return d
		}, VerdictSignature},
		{"a verdict of no form", func(_ int64, _ string, d audit.Data) audit.Data {
			if g, ok := d.(*audit.Verdict); ok {
				g.Note = "I agree.\n"
			}
			return d
		}, VerdictSignature},
		{"a verdict with more signatures", func(_ int64, _ string, d audit.Data) audit.Data {
			if g, ok := d.(*audit.Verdict); ok {
				g.Note += "— somebody AAAAAAAA\n"
			}
			return d
		}, VerdictSignature},
		{"a cosignature in somebody else's name", func(_ int64, _ string, d audit.Data) audit.Data {
			if c, ok := d.(*audit.Cosigned); ok {
				c.Person = "ewa"
			}
			return d
		}, CosignatureBroken},
		{"a public value from after the log", func(_ int64, _ string, d audit.Data) audit.Data {
			if f, ok := d.(*audit.Freshness); ok {
				f.Claimed = "2026-12-31T00:00:00Z"
			}
			return d
		}, TimesDisagree},
	} {
		w := makeWitnessed(t, func(c *bundletest.Ceremony) { c.Change, c.NoPaper = x.change, true })
		r := check(t, w.Bundle, Options{Recompose: pagesOnly})
		if !r.Has(x.want) {
			t.Errorf("%s: no %s\n%s", x.name, x.want, codes(r))
		}
	}
}

// A signed verdict of a witness whose key nobody has named is not let pass.
func TestVerdictOfUnknownKey(t *testing.T) {
	stranger := newWitness(t, "stranger")
	w := makeWitnessed(t, func(c *bundletest.Ceremony) {
		c.NoPaper, c.Cosign, c.Final = true, nil, nil
		delete(c.Keys, "wil")
		c.Change = func(_ int64, _ string, d audit.Data) audit.Data {
			if g, ok := d.(*audit.Verdict); ok && g.Person == "wil" {
				v, err := audit.ReadVerdictNote([]byte(strings.Repeat(g.Note, 1)))
				if err == nil {
					t.Fatalf("wil has signed %+v", v)
				}
				root, err := ParseHead(g.Head)
				if err != nil {
					t.Fatal(err)
				}
				b, err := stranger.SignVerdict(audit.VerdictNote{Origin: "o", Step: "verdict", Size: g.Size, Root: root, Witness: "wil", Agree: true})
				if err != nil {
					t.Fatal(err)
				}
				g.Note = string(b)
			}
			return d
		}
	})
	if r := check(t, w.Bundle, Options{}); !r.Has(VerdictSignature) {
		t.Errorf("no %s\n%s", VerdictSignature, codes(r))
	}
}

// A time-stamp is checked against the CA that is given, over the checkpoint's
// text.
func TestTimestamp(t *testing.T) {
	w := makeWitnessed(t, func(c *bundletest.Ceremony) { c.NoPaper = true })
	p, _, err := audit.Cosignatures(w.Read(t, bundle.CheckpointFile))
	if err != nil {
		t.Fatal(err)
	}
	stamp := func(a *tsatest.Authority, text string) []byte {
		request, err := timestamp.Request([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return a.Stamp(request)
	}
	a, other := tsatest.New(t, "critical,timeStamping", "EC", "sha256"), tsatest.New(t, "critical,timeStamping", "EC", "sha256")
	good := stamp(a, p.Text())
	bad := bytes.Clone(good)
	bad[len(bad)-1] ^= 1
	for _, test := range []struct {
		name string
		tsr  []byte
		ca   []byte
		want Code
	}{
		{"good", good, a.CA, ""},
		{"not checked", good, nil, TimestampUnchecked},
		{"another authority's", good, other.CA, TimestampBroken},
		{"of another head", stamp(a, p.Text()+"x"), a.CA, TimestampBroken},
		{"of another head, not checked", stamp(a, p.Text()+"x"), nil, TimestampBroken},
		{"changed", bad, a.CA, TimestampBroken},
		{"none", []byte("x"), a.CA, TimestampBroken},
	} {
		w.Write(t, bundle.TimestampFile, test.tsr)
		r := check(t, w.Bundle, Options{TSACA: test.ca})
		if test.want != "" && !r.Has(test.want) || test.want == "" && (r.Has(TimestampBroken) || r.Has(TimestampUnchecked)) {
			t.Errorf("%s: want %q\n%s", test.name, test.want, codes(r))
		}
		by := ""
		for _, b := range r.Times.NotAfter {
			by += b.By
		}
		if strings.Contains(by, "Example TSA") != (test.want == "") {
			t.Errorf("%s: not after: %+v", test.name, r.Times.NotAfter)
		}
		// The machine's clock stood in 2026-11: what the time-stamp says differs.
		if at := time.Now(); test.want == "" && r.Has(TimesDisagree) != at.Before(time.Date(2026, 11, 25, 8, 0, 0, 0, time.UTC)) {
			t.Errorf("%s: times disagree: %s", test.name, codes(r))
		}
	}
	if _, err := Bundle(w.Dir, Options{TSACA: []byte("x")}); err == nil {
		t.Error("a CA that is none was accepted")
	}
}
