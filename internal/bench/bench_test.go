package main

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"testing"
	"time"
)

// fixed is a measurement that comes out as given.
func fixed(name string, goal, ratio float64, err error) measurement {
	return measurement{name: name, goal: goal, measure: func(stopwatch) (float64, error) { return ratio, err }}
}

func TestRun(t *testing.T) {
	good := fixed("good", 1.15, 1.08, nil)
	edge := fixed("edge", 1.15, 1.1549, nil)
	slow := fixed("slow", 1.15, 1.156, nil)
	open := fixed("open", 0, 7, nil)
	lazy := fixed("lazy", 1.15, 0.84, nil)
	lazy.floor = 0.85
	plenty, few := fixed("plenty", 0.8, 0.796, nil), fixed("few", 0.8, 0.79, nil)
	plenty.atLeast, few.atLeast = true, true
	broken := fixed("broken", 2, 0, errors.New("no token"))
	for _, c := range []struct {
		name      string
		names     []string
		all       []measurement
		code      int
		out, talk string
	}{
		{"met", nil, []measurement{good, edge, open}, 0, "good 1.08 ≤1.15 ok\nedge 1.15 ≤1.15 ok\nopen 7.00 - no goal yet\n", ""},
		{"at least", nil, []measurement{plenty, few}, 1, "plenty 0.80 ≥0.8 ok\nfew 0.79 ≥0.8 missed\n", ""},
		{"missed", nil, []measurement{slow, good}, 1, "slow 1.16 ≤1.15 missed\ngood 1.08 ≤1.15 ok\n", ""},
		{"failed", nil, []measurement{slow, broken, good}, 3, "slow 1.16 ≤1.15 missed\ngood 1.08 ≤1.15 ok\n", "bench: broken: no token\n"},
		{"too good", nil, []measurement{lazy, good}, 3, "good 1.08 ≤1.15 ok\n", "bench: lazy: the ratio 0.84 is too good to be true (below 0.85): what is measured leaves out work, such as reaching the disk\n"},
		{"chosen", []string{"open"}, []measurement{slow, open}, 0, "open 7.00 - no goal yet\n", ""},
		{"unknown", []string{"open", "nothing"}, []measurement{open}, 2, "", "bench: there is no measurement \"nothing\"\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out, talk bytes.Buffer
			code := run(c.names, c.all, stopwatch{}, &out, &talk)
			if code != c.code || out.String() != c.out || talk.String() != c.talk {
				t.Errorf("exit %d, out %q, talk %q; want %d, %q, %q", code, out.String(), talk.String(), c.code, c.out, c.talk)
			}
		})
	}
}

// TestMeasurements: names are what scripts look for, so they are unique, one
// word, and keep to what the line can carry.
func TestMeasurements(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range measurements(new(bigBundles), new(cardSigns)) {
		if seen[m.name] || m.name == "" || strings.ContainsAny(m.name, " \t\n") || m.measure == nil {
			t.Errorf("measurement %q is not usable", m.name)
		}
		seen[m.name] = true
	}
	for _, name := range []string{"recorded-sign", "opensc-recorded-sign", "opensc-pkcs11-tool", "opensc-openssl", "append", "recorded-sign-late", "append-late", "verify-per-entry", "verify-1m", "verify-growth", "verify-rss", "db-size", "peers-git", "peers-journal", "peers-tlog", "transcript-per-page", "transcript-growth"} {
		if !seen[name] {
			t.Errorf("there is no measurement %q", name)
		}
	}
}

// A hand is a clock that works move.
type hand struct{ t time.Time }

func (h *hand) watch() stopwatch { return stopwatch{now: func() time.Time { return h.t }} }

// taking returns a work whose n-th run takes the n-th duration, after a
// preparation of an hour.
func (h *hand) taking(ms ...int) work {
	n := 0
	return func() (func() error, error) {
		h.t = h.t.Add(time.Hour)
		return func() error {
			h.t = h.t.Add(time.Duration(ms[n%len(ms)]) * time.Millisecond)
			n++
			return nil
		}, nil
	}
}

func TestRatio(t *testing.T) {
	for _, c := range []struct {
		name            string
		measured, plain []int
		rounds, turns   int
		want            float64
	}{
		{"steady", []int{3}, []int{2}, 3, 5, 1.5},
		{"one outlier a round", []int{3, 900, 3}, []int{2, 2, 700}, 3, 3, 1.5},
		{"one bad round of three", []int{3, 3, 3, 900, 900, 900, 3, 3, 3}, []int{2}, 3, 3, 1.5},
		{"one turn", []int{8}, []int{4}, 1, 1, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := &hand{}
			got, err := h.watch().ratio(c.rounds, c.turns, h.taking(c.measured...), h.taking(c.plain...))
			if err != nil || math.Abs(got-c.want) > 1e-9 {
				t.Errorf("ratio %v (%v), want %v", got, err, c.want)
			}
		})
	}
}

// TestRatioErrors: a failed piece of work is an error, never a fast one.
func TestRatioErrors(t *testing.T) {
	h := &hand{}
	broken := errors.New("broken")
	unready := work(func() (func() error, error) { return nil, broken })
	failing := whole(func() error { return broken })
	fine := h.taking(1)
	for _, c := range []struct{ measured, plain work }{
		{unready, fine}, {failing, fine}, {fine, unready}, {fine, failing},
	} {
		if _, err := h.watch().ratio(1, 1, c.measured, c.plain); !errors.Is(err, broken) {
			t.Errorf("got %v, want %v", err, broken)
		}
	}
}
