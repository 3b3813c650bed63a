package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/drill"
)

// onStage writes a template's script and answers; answers begin with more, of
// which those of the template that are replaced are left out.
func onStage(t *testing.T, template string, more ...string) *stage {
	t.Helper()
	s := &stage{t: t, dir: t.TempDir()}
	s.out = filepath.Join(s.dir, "bundle")
	s.keyrite(0, "new", template, "-o", "t.yaml")
	s.keyrite(0, "new", template, "--answers", "-o", "a.yaml")
	s.answers("a.yaml", more...)
	return s
}

// answers puts more answers into the file of them, in place of those there.
func (s *stage) answers(name string, more ...string) {
	s.t.Helper()
	b, err := os.ReadFile(filepath.Join(s.dir, "a.yaml"))
	if err != nil {
		s.t.Fatal(err)
	}
	var lines []string
	for line := range strings.Lines(string(b)) {
		replaced := false
		for _, m := range more {
			key, _, _ := strings.Cut(m, ": ")
			replaced = replaced || strings.HasPrefix(line, "  "+key+":")
		}
		if !replaced {
			lines = append(lines, line)
		}
	}
	for _, m := range more {
		lines = append(lines, "  "+m+"\n")
	}
	if err := os.WriteFile(filepath.Join(s.dir, name), []byte(strings.Join(lines, "")), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// What people answer who go on after a problem, and who write down what they saw.
var (
	goOn = []string{
		`"*/on-failure/*": "again"`, `"*/unknown/*": "it-cannot-be-known"`,
		`"*/unknown-seen/*": "@initials"`, `"*/unknown-agreed/*": "@initials"`,
	}
	writeDown = []string{
		`"deviations/any/*": ["yes", "no"]`, `"deviations/expected/*": "nothing of the sort"`,
		`"deviations/happened/*": "something was not as it should be"`, `"deviations/decided/*": "we went on"`,
		`"deviations/deviation/*": "@initials"`,
	}
)

// drilled returns the one result of a name, "" if there is none.
func (s *stage) drilled(name string) string {
	s.t.Helper()
	var found []string
	for _, d := range logged[*audit.Result](s) {
		if d.Name == name {
			found = append(found, d.Value)
		}
	}
	if len(found) > 1 {
		s.t.Errorf("%d results are named %q", len(found), name)
	}
	return strings.Join(found, "")
}

// reports wants the drill committed to, revealed and reported with these words,
// in a bundle that verifies.
func (s *stage) reports(out, fault string, words ...string) {
	s.t.Helper()
	hash, hidden := drill.ReadCommitment(&audit.Result{Name: drill.Committed, Value: s.drilled(drill.Committed)})
	secret, told := drill.ReadReveal(&audit.Result{Name: drill.Revealed, Value: s.drilled(drill.Revealed)})
	if !hidden || !told || secret.Hash() != hash || !strings.HasPrefix(secret.Fault, fault+": ") {
		s.t.Errorf("hidden %t, told %t: %q", hidden, told, secret.Fault)
	}
	report := s.drilled(drill.Reported)
	for _, w := range append(words, secret.Fault) {
		if !strings.Contains(report, w) {
			s.t.Errorf("the report has no %q: %s", w, report)
		}
	}
	if !strings.Contains(out, "The drill. "+report) {
		s.t.Error("the report was not told at the end")
	}
	if before, _, _ := strings.Cut(out, drill.Revealed); strings.Contains(before, secret.Fault) {
		s.t.Error("the room was told what the drill is before its end")
	}
	s.verified("This was a REHEARSAL")
	if _, err := os.Stat(s.out + ".token"); err == nil {
		s.t.Error("what the drill keeps is still there")
	}
}

const nobodyWrote = "people wrote down nothing of their own"

// TestDrills holds each drill on the tokens that can, once with a room that
// writes down what it saw and once with one that does not.
func TestDrills(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		fault, token, template string
		more                   []string
		want                   []string
	}{
		{"clock", kindSoftHSM, "root-ca", goOn, []string{"NOTICED by keyrite", nobodyWrote, "It was put right", "the clocks are"}},
		{"label-taken", kindSoftHSM, "root-ca", append(writeDown, goOn...), []string{"NOTICED AND RECORDED", "is taken by the token", "something was not as it should be"}},
		{"label-taken", kindSim, "root-ca", goOn, []string{"NOTICED by keyrite", nobodyWrote, "It was put right", "is taken by the token"}},
		{"try-spent", kindSim, "root-ca", goOn, []string{"wrong SO-PIN", "NOTICED by keyrite", nobodyWrote, "14 tries at the start, 15 expected by the script"}},
		{"try-spent", kindSim, "signing", append(writeDown, goOn...), []string{"wrong user PIN", "WRITTEN DOWN", "something was not as it should be"}},
		{"other-card", kindSim, "signing", goOn, []string{"NOTICED by keyrite", nobodyWrote, "It was put right", "expected serial"}},
		{"other-card", kindSim, "root-ca", append(writeDown, goOn...), []string{"NOTICED AND RECORDED", "expected serial"}},
		{"pulled", kindSim, "signing", goOn, []string{"NOTICED by keyrite", nobodyWrote, "It happened at", "It was put right"}},
		{"pulled", kindSim, "signing", append(writeDown, goOn...), []string{"NOTICED AND RECORDED", "It happened at", "It was put right"}},
	} {
		t.Run(fmt.Sprint(c.fault, " on ", c.token, " in ", c.template, " ", len(c.more)), func(t *testing.T) {
			s := onStage(t, c.template, c.more...)
			out := s.keyrite(0, "rehearse", "t.yaml", "--answers", "a.yaml", "--token", c.token, "--drill", c.fault, "--out", s.out)
			s.reports(out, c.fault, c.want...)
		})
	}
}

// TestDrillUnnoticedClock: a script that allows an hour lets the clock pass.
func TestDrillUnnoticedClock(t *testing.T) {
	t.Parallel()
	s := onStage(t, "root-ca")
	b, err := os.ReadFile(filepath.Join(s.dir, "t.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	lax := strings.Replace(string(b), "max_offset: 120", "max_offset: 3600", 1)
	if lax == string(b) {
		t.Fatal("the script says nothing of the clock")
	}
	if err := os.WriteFile(filepath.Join(s.dir, "t.yaml"), []byte(lax), 0o600); err != nil {
		t.Fatal(err)
	}
	out := s.keyrite(0, "rehearse", "t.yaml", "--answers", "a.yaml", "--drill", "clock", "--out", s.out)
	s.reports(out, "clock", "NOT NOTICED")
	for _, d := range logged[*audit.Clock](s) {
		if d.OffsetMS < leastAhead*1000 || d.OffsetMS > (upTo+60)*1000 {
			t.Errorf("the machine's clock was %d ms ahead", d.OffsetMS)
		}
	}
	if out := s.keyrite(0, "verify", s.out); !strings.Contains(out, "E-CLOCK-OFFSET") {
		t.Errorf("the verifier does not see the clock:\n%s", out)
	}
}

// TestDrillByChance draws a drill, and keeps it over a pause: the other fault is
// still there, and what was hidden is told.
func TestDrillByChance(t *testing.T) {
	t.Parallel()
	s := onStage(t, "root-ca", goOn...)
	s.answers("some.yaml", append([]string{`"nobody/at/all": "no"`, `"machine/room-time/*": ["@now"]`, `"machine/network/*": ["on"]`, `"*/on-failure/*": "pause"`}, goOn[1:]...)...)
	s.keyrite(4, "rehearse", "t.yaml", "--answers", "some.yaml", "--drill", "random", "--out", s.out)
	s.answers("all.yaml", append([]string{
		`"resume/head/*": "none"`, `"resume/bag/*": "none"`, `"resume/power-cycled/*": "@initials"`,
		`"resume/custody/*": "nobody"`, `"resume/adopt/*": "@initials"`,
	}, goOn...)...)
	kept, err := os.ReadFile(filepath.Join(s.out+".token", "drill"))
	if err != nil {
		t.Fatalf("the drill is not kept over the pause: %v", err)
	}
	var state drillState
	if err := json.Unmarshal(kept, &state); err != nil {
		t.Fatal(err)
	}
	if d := s.drilled(drill.Revealed); d != "" {
		t.Errorf("revealed at the pause: %s", d)
	}
	out := s.keyrite(0, "resume", s.out, "--answers", "all.yaml")
	s.reports(out, state.Kind, "NOTICED by keyrite", "It was put right", `(decision) “pause”`, `(decision) “again”`)
}

// TestDrillForged: what is revealed is not what the log committed to, because
// somebody chose another fault in the meantime.
func TestDrillForged(t *testing.T) {
	t.Parallel()
	s := onStage(t, "root-ca", goOn...)
	s.answers("some.yaml", `"*/on-failure/*": "pause"`)
	s.keyrite(4, "rehearse", "t.yaml", "--answers", "some.yaml", "--drill", "clock", "--out", s.out)
	s.answers("all.yaml", append([]string{
		`"resume/head/*": "none"`, `"resume/bag/*": "none"`, `"resume/power-cycled/*": "@initials"`,
		`"resume/custody/*": "nobody"`, `"resume/adopt/*": "@initials"`,
	}, goOn...)...)
	file := filepath.Join(s.out+".token", "drill")
	kept, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	forged := strings.Replace(string(kept), "clock: the machine's", "clock: the room's", 1)
	if forged == string(kept) {
		t.Fatalf("the fault is not in %s", kept)
	}
	if err := os.WriteFile(file, []byte(forged), 0o600); err != nil {
		t.Fatal(err)
	}
	s.keyrite(0, "resume", s.out, "--answers", "all.yaml")
	if out := s.keyrite(1, "verify", s.out); !strings.Contains(out, "E-DRILL-DIFFERS") {
		t.Errorf("the verifier does not see it:\n%s", out)
	}
}

// TestDrillGivenUp: a rehearsal that is aborted tells its drill as well.
func TestDrillGivenUp(t *testing.T) {
	t.Parallel()
	s := onStage(t, "root-ca", `"*/on-failure/*": "abort"`, `"*/give-up/*": "@word"`, `"*/reason/*": "the clock cannot be trusted"`)
	out := s.keyrite(1, "rehearse", "t.yaml", "--answers", "a.yaml", "--drill", "clock", "--out", s.out)
	s.reports(out, "clock", "NOTICED AND RECORDED", "the clock cannot be trusted")
}

// TestDrillRefused: what there is not, and what a token cannot do.
func TestDrillRefused(t *testing.T) {
	t.Parallel()
	s := onStage(t, "root-ca")
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"--drill", "fire"}, "there is no drill"},
		{[]string{"--drill", "pulled"}, "add --token nitrokey-sim"},
		{[]string{"--drill", "clock", "--token", "spare"}, "not for a spare device"},
		{[]string{"--drill", "random", "--token", "spare"}, "no drill fits"},
	} {
		args := append([]string{"rehearse", "t.yaml", "--answers", "a.yaml", "--out", s.out}, c.args...)
		if out := s.keyrite(2, args...); !strings.Contains(out, c.want) {
			t.Errorf("%v: got %q", c.args, out)
		}
	}
	s.keyrite(0, "new", "signing", "-o", "signing.yaml")
	if out := s.keyrite(2, "rehearse", "signing.yaml", "--token", "nitrokey-sim", "--drill", "label-taken", "--out", s.out); !strings.Contains(out, "known by its serial number") {
		t.Errorf("got %q", out)
	}
	for _, dir := range []string{s.out, s.out + ".token"} {
		if _, err := os.Stat(dir); err == nil {
			t.Errorf("%s was made", dir)
		}
	}
}
