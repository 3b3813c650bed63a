package steps_test

import (
	"bytes"
	"cmp"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/ceremony"
	"github.com/keyrite/keyrite/internal/cardtest"
	"github.com/keyrite/keyrite/internal/verify"
)

// An unwritten store does not write the first entry of a kind.
type unwritten struct {
	ceremony.Store
	kind string
	once *bool
}

func (f *unwritten) Append(from int64, entries [][]byte, checkpoint []byte, keep, sync bool) error {
	for _, e := range entries {
		if bytes.Contains(e, []byte(`"kind":"`+f.kind+`"`)) && !*f.once {
			*f.once = true
			return errors.New("no space left on device")
		}
	}
	return f.Store.Append(from, entries, checkpoint, keep, sync)
}

// origins are what the log says of the root key, and what the verifier does.
func origins(t *testing.T, st *stage) (logged []*audit.KeyOrigin, r *verify.Report) {
	t.Helper()
	r, err := verify.Bundle(st.bundle(), verify.Options{Recompose: recompose})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.KeyOrigins) != 1 || r.KeyOrigins[0].Key != "root" {
		t.Fatalf("the report says of keys: %+v", r.KeyOrigins)
	}
	logged, _ = entriesOf[*audit.KeyOrigin](st.entries(t))
	return logged, r
}

// TestKeyOrigin: what attests the root key is read from the card and checked,
// also by the auditor; where there is nothing it is said, and the room of a
// production ceremony decides.
func TestKeyOrigin(t *testing.T) {
	for name, c := range map[string]struct {
		mode     string
		cardless bool
		answer   string // to the question whether to go on
		results  string // in the log
		finding  verify.Code
		ends     string // problem that it ends with, "" if it is complete
	}{
		"rehearsal":                  {results: "simulated"},
		"rehearsal without the card": {cardless: true, results: "missing", finding: verify.KeyNotProved},
		"production":                 {mode: ceremony.Production, answer: `["again", "go-on"]`, results: "simulated simulated", finding: verify.KeySimulated},
		"production without the card": {mode: ceremony.Production, cardless: true, answer: `"stop"`, results: "missing", finding: verify.KeyNotProved,
			ends: `key "root": the room does not take a key without a proof of where it was made`},
	} {
		t.Run(name, func(t *testing.T) {
			cards := cardtest.New(t, 1)
			st := onCards(t, cards, func(s string) string {
				if c.mode == "" {
					return s
				}
				return strings.Replace(s, "mode: rehearsal", "mode: "+c.mode, 1)
			}, "  \"make-root-key/no-origin/*\": "+cmp.Or(c.answer, `"no such question"`)+"\n"+abortOnFailure)
			st.mode, st.cardless = c.mode, c.cardless
			var screen bytes.Buffer
			st.out = &screen
			err := st.start()
			var stop *ceremony.Stop
			if (err == nil) != (c.ends == "") || err != nil && !errors.As(err, &stop) {
				t.Fatalf("%v\n%s", err, problems(st.entries(t)))
			}
			if got := problems(st.entries(t)); !strings.Contains(got, c.ends) {
				t.Errorf("problems: %s", got)
			}
			logged, r := origins(t, st)
			var results []string
			for _, d := range logged {
				results = append(results, d.Result)
			}
			if got := strings.Join(results, " "); got != c.results {
				t.Errorf("the log says %q, want %q", got, c.results)
			}
			if c.finding != "" && !r.Has(c.finding) || c.finding == "" && r.Exit != verify.ExitSound {
				t.Errorf("want %q: %s, %+v", c.finding, r.Verdict, r.Findings)
			}
			seen, says := r.KeyOrigins[0], "SIMULATED"
			if c.cardless {
				says = "NO PROOF that the key was made in the token: this run reaches no card beside PKCS#11"
			} else if seen.Device != cards.Serial(0) || seen.Root != "ZZSIMROOT00001" {
				t.Errorf("the report says %+v", seen)
			}
			has(t, strings.Join(strings.Fields(screen.String()), " "), says)
		})
	}
}

// TestKeyOriginAfterBreak: a run that broke off between the key and its proof
// reads the card again.
func TestKeyOriginAfterBreak(t *testing.T) {
	for _, kind := range []string{"key", "key-origin"} {
		t.Run(kind, func(t *testing.T) {
			cards := cardtest.New(t, 1)
			st := onCards(t, cards, nil, afterBreak)
			st.store = func(s ceremony.Store) ceremony.Store { return &unwritten{s, kind, new(bool)} }
			if err := st.start(); err == nil {
				t.Fatalf("the log cannot be written, and the ceremony went on")
			}
			st.store = nil
			if err := st.resume(); err != nil {
				t.Fatalf("%v\n%s", err, problems(st.entries(t)))
			}
			logged, r := origins(t, st)
			if len(logged) != 1 || logged[0].Result != audit.OriginSimulated || r.Exit != verify.ExitSound {
				t.Errorf("%+v, %s %+v", logged, r.Verdict, r.Findings)
			}
			if n := len(calls(st.entries(t), "make-root-key", "C_GenerateKeyPair")); n != 1 {
				t.Errorf("%d keys were made", n)
			}
		})
	}
}

// TestKeyOriginSoftHSM: a token that gives no proof is said to give none.
func TestKeyOriginSoftHSM(t *testing.T) {
	st, err := play(t, "root-ca", nil, "")
	if err != nil {
		t.Fatal(err)
	}
	logged, r := origins(t, st)
	if len(logged) != 1 || logged[0].Result != audit.OriginNone || !strings.Contains(logged[0].Why, "SoftHSM2") {
		t.Errorf("the log says %+v", logged)
	}
	if r.Exit != verify.ExitSound || r.Has(verify.KeyNotProved) || r.KeyOrigins[0].Result != audit.OriginNone {
		t.Errorf("%s, %+v", r.Verdict, r.KeyOrigins)
	}
	if _, err := os.Stat(st.bundle() + "/artifacts/root.attestation.cvc"); err == nil {
		t.Error("a token without a proof gave one")
	}
}

// TestKeyOriginLater: a key of an earlier ceremony is proved as well, as long as
// the card has the file.
func TestKeyOriginLater(t *testing.T) {
	cards := cardtest.New(t, 1)
	first := onCards(t, cards, nil, "")
	if err := first.start(); err != nil {
		t.Fatal(err)
	}
	root, err := os.ReadFile(first.bundle() + "/artifacts/root.pem")
	if err != nil {
		t.Fatal(err)
	}
	keys, _ := entriesOf[*audit.Key](first.entries(t))
	second := onCards(t, cards, func(string) string { return later(t, keys[0].SPKISHA256, "") }, "")
	if err := os.WriteFile(second.dir+"/root.pem", root, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := second.start(); err != nil {
		t.Fatalf("%v\n%s", err, problems(second.entries(t)))
	}
	logged, r := origins(t, second)
	if len(logged) != 1 || logged[0].Result != audit.OriginSimulated || r.Exit != verify.ExitSound || r.KeyOrigins[0].Device != cards.Serial(0) {
		t.Errorf("%+v, %s %+v", logged, r.Verdict, r.KeyOrigins)
	}
}
