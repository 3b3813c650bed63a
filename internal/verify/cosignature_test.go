package verify

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/keyrite/keyrite/audit"
)

// aKey makes a witness's key from a seed.
func aKey(t *testing.T, name string, seed byte) *audit.WitnessSigner {
	t.Helper()
	s, err := audit.GenerateWitnessKey(name, bytes.NewReader(bytes.Repeat([]byte{seed}, 32)))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestCosignatureLines: a line on a checkpoint counts if it is by a key that
// the log bound, once, and of that checkpoint.
func TestCosignatureLines(t *testing.T) {
	const origin = "keyrite.ceremony/rehearsal/0f1e2d3c4b5a69788796a5b4c3d2e1f0"
	log, err := audit.NewLogKey(origin, bytes.NewReader(make([]byte, 32)))
	if err != nil {
		t.Fatal(err)
	}
	wil, eva := aKey(t, "witness.example.org/wil", 1), aKey(t, "witness.example.org/eva", 2)
	line := func(s *audit.WitnessSigner, size, at int64) string {
		c, err := s.Cosign(audit.Checkpoint{Origin: origin, Size: size}, time.Unix(at, 0))
		if err != nil {
			t.Fatal(err)
		}
		return c.Line()
	}
	for name, c := range map[string]struct {
		lines []string
		want  Code
	}{
		"one":                {[]string{line(wil, 7, 1)}, ""},
		"a key nobody bound": {[]string{line(eva, 7, 1)}, CosignatureUnknown},
		"twice":              {[]string{line(wil, 7, 1), line(wil, 7, 2)}, CosignatureBroken},
		"of another size":    {[]string{line(wil, 8, 1)}, CosignatureBroken},
		"no cosignature":     {[]string{"— witness.example AAAAAAAA"}, CosignatureBroken},
	} {
		b, err := log.SignNote(audit.Checkpoint{Origin: origin, Size: 7}.Text())
		if err != nil {
			t.Fatal(err)
		}
		v := &verifier{report: &Report{}}
		v.log = newFacts(v, "log.jsonl")
		v.keys = []*knownKey{{WitnessKey: wil.Key(), person: "wil"}}
		v.checkLines(&Check{}, extraNote{"checkpoint", "checkpoint", append(b, strings.Join(c.lines, "\n")+"\n"...)}, false, map[string]bool{})
		switch found := v.report.Findings; {
		case c.want == "" && len(found) > 0, c.want != "" && (len(found) != 1 || found[0].Code != c.want):
			t.Errorf("%s: %+v", name, found)
		}
	}
}

// TestBindKey: a person has one key, and no two the same.
func TestBindKey(t *testing.T) {
	wil, eva := aKey(t, "witness.example.org/wil", 1), aKey(t, "witness.example.org/eva", 2)
	same := aKey(t, "witness.example.org/another-name", 1)
	for name, c := range map[string]struct {
		person string
		key    *audit.WitnessKey
		want   int
	}{
		"another's":       {"eva", eva.Key(), 0},
		"a second one":    {"wil", eva.Key(), 1},
		"the same":        {"eva", wil.Key(), 1},
		"the same secret": {"eva", same.Key(), 1},
	} {
		f := newFacts(&verifier{}, "log.jsonl")
		f.keyOf["wil"] = wil.Key()
		f.bindKey(&audit.Entry{Seq: 9}, &audit.WitnessKeyRead{Person: c.person, Key: c.key.String(), How: "adopted"})
		if len(f.findings) != c.want {
			t.Errorf("%s: %+v", name, f.findings)
		}
	}
}
