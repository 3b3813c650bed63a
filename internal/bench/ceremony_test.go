package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/paper"
	"github.com/keyrite/keyrite/internal/transcript"
	"github.com/keyrite/keyrite/internal/verify"
)

// TestLongestCeremony holds it, and finds it whole: so many people, steps and
// departures from the script, each on the paper, and nothing that fails.
func TestLongestCeremony(t *testing.T) {
	dir, err := longest.held(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	report, err := verify.Bundle(dir, verify.Options{Recompose: func(b verify.Files, entries []*audit.Entry) ([]transcript.Page, []byte, error) {
		return paper.Paper{}.Again(entries, b.Read)
	}})
	if err != nil {
		t.Fatal(err)
	}
	if report.Exit != 0 || report.Verdict != verify.Consistent {
		var text bytes.Buffer
		if err := report.WriteText(&text, false); err != nil {
			t.Error(err)
		}
		t.Errorf("it does not verify:\n%s", &text)
	}
	d, err := drawnFrom(dir)
	if err != nil {
		t.Fatal(err)
	}
	open := d.entries[0].Data.(*audit.LogOpen)
	got := size{people: len(open.Participants)}
	for _, e := range d.entries {
		switch end := e.Data.(type) {
		case *audit.StepEnd:
			if end.Result == "done" {
				got.steps++
			}
		case *audit.Deviation:
			got.deviations++
		}
	}
	if got != longest {
		t.Errorf("held was %+v, not %+v", got, longest)
	}
	readable(t, d)
}

// readable looks at the pages: none but the last of a part is nearly empty,
// and what departed from the script stands whole on one page each time it is
// told.
func readable(t *testing.T, d *drawn) {
	t.Helper()
	commit, _, err := paper.Committed(d.entries)
	if err != nil {
		t.Fatal(err)
	}
	pages, err := paper.Paper{}.Pages(d.entries[:commit.Size], audit.Hash{}, d.file)
	if err != nil {
		t.Fatal(err)
	}
	lines, told := 0, 0
	for _, p := range pages {
		lines += len(p.Lines)
		text := strings.Join(strings.Fields(string(p.Text())), " ")
		told += strings.Count(text, "looks at it after the ceremony.")
		if a, b := strings.Count(text, "more-40: The lamp"), strings.Count(text, "touched the token meanwhile"); a > b {
			t.Errorf("page %d begins a departure and does not end it", p.Number)
		}
	}
	if told != 2*longest.deviations {
		t.Errorf("%d departures are told on the cover and in their steps, not %d twice", told, longest.deviations)
	}
	if mean := lines / len(pages); mean < transcript.Units/2 {
		t.Errorf("%d lines on %d pages: half of the paper is empty", lines, len(pages))
	}
}
