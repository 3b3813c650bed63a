package verify

import (
	"bytes"
	"testing"
	"time"

	"github.com/keyrite/keyrite/audit"
)

// Each entry that witnesses bring has its kind of step, its people and its form.
func TestWitnessedGrammar(t *testing.T) {
	good := goodCosignature(t)
	for name, c := range map[string]struct {
		step string
		data audit.Data
		want int
	}{
		"a key":                          {"attendance", &audit.WitnessKeyRead{Person: "wil", Key: good.key, How: "script"}, 0},
		"a key in another step":          {"statement", &audit.WitnessKeyRead{Person: "wil", Key: good.key, How: "script"}, 1},
		"a key of no form":               {"attendance", &audit.WitnessKeyRead{Person: "wil", Key: "wil+00000000+BA==", How: "adopted"}, 1},
		"a key come by otherwise":        {"attendance", &audit.WitnessKeyRead{Person: "wil", Key: good.key, How: "found"}, 1},
		"a key of nobody":                {"attendance", &audit.WitnessKeyRead{Person: "nob", Key: good.key, How: "script"}, 1},
		"a cosignature":                  {"cosign", &audit.Cosigned{Person: "wil", Size: 7, NoteLine: good.line}, 0},
		"a cosignature in another step":  {"verdict", &audit.Cosigned{Person: "wil", Size: 7, NoteLine: good.line}, 1},
		"a cosignature of no form":       {"cosign", &audit.Cosigned{Person: "wil", Size: 7, NoteLine: good.line + "\n"}, 1},
		"a cosignature of what comes":    {"cosign", &audit.Cosigned{Person: "wil", Size: 10, NoteLine: good.line}, 1},
		"a cosignature of nothing":       {"cosign", &audit.Cosigned{Person: "wil", Size: 0, NoteLine: good.line}, 1},
		"a key unlocked":                 {"verdict", &audit.WitnessKeyExposed{Person: "wil", Key: good.key, File: "wil.key", For: "verdict"}, 0},
		"a key unlocked at the close":    {"close", &audit.WitnessKeyExposed{Person: "wil", Key: good.key, File: "wil.key", For: "final cosignature"}, 0},
		"a key unlocked elsewhere":       {"cosign", &audit.WitnessKeyExposed{Person: "wil", Key: good.key, File: "wil.key", For: "verdict"}, 1},
		"a key unlocked for nothing":     {"cosign", &audit.WitnessKeyExposed{Person: "wil", Key: good.key, File: "wil.key", For: "fun"}, 1},
		"a key unlocked of no form":      {"cosign", &audit.WitnessKeyExposed{Person: "wil", Key: "wil", File: "wil.key", For: "cosignature"}, 1},
		"a key unlocked by nobody":       {"cosign", &audit.WitnessKeyExposed{Person: "nob", Key: good.key, File: "wil.key", For: "cosignature"}, 2},
		"a public value":                 {"freshness", &audit.Freshness{Person: "wil", Source: "drand", Value: "1", Claimed: "2026-11-24T09:00:00Z"}, 0},
		"a public value elsewhere":       {"attendance", &audit.Freshness{Person: "wil", Source: "drand", Value: "1", Claimed: "2026-11-24T09:00:00Z"}, 1},
		"a public value of another zone": {"freshness", &audit.Freshness{Person: "wil", Source: "drand", Value: "1", Claimed: "2026-11-24T09:00:00+01:00"}, 1},
		"a public value of no time":      {"freshness", &audit.Freshness{Person: "wil", Source: "drand", Value: "1", Claimed: "today"}, 1},
	} {
		f := newFacts(&verifier{}, "log.jsonl")
		f.roster["wil"], f.running = true, "s"
		f.now.StepBegin = &audit.StepBegin{StepKind: c.step, Witnesses: []string{"wil"}}
		f.takeWitnessed(&audit.Entry{Seq: 9, Step: "s", Data: c.data})
		if len(f.findings) != c.want || c.want > 0 && f.findings[0].Code != LogGrammar {
			t.Errorf("%s: %+v", name, f.findings)
		}
	}
}

type aWitness struct{ key, line string }

func goodCosignature(t *testing.T) aWitness {
	t.Helper()
	s, err := audit.GenerateWitnessKey("witness.example.org/wil", bytes.NewReader(make([]byte, 32)))
	if err != nil {
		t.Fatal(err)
	}
	c, err := s.Cosign(audit.Checkpoint{Origin: "keyrite.ceremony/rehearsal/0f1e2d3c4b5a69788796a5b4c3d2e1f0", Size: 7}, time.Unix(1795000000, 0))
	if err != nil {
		t.Fatal(err)
	}
	return aWitness{s.Key().String(), c.Line()}
}
