// Command bench measures keyrite's performance goals, each as a ratio to the
// plain work it stands on, so that the numbers hold on a slow machine too. It
// prints one line a goal:
//
//	recorded-sign 1.08 ≤1.15 ok
//
// A goal is "≤" and the largest ratio that is good, "≥" and the smallest, or "-"
// for what is measured and has no goal yet. With arguments, only the measurements named are made.
//
// Exit: 0 all goals met, 1 one was missed, 2 wrong use, 3 a measurement failed.
package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"time"
)

// A measurement is one line of the output.
type measurement struct {
	name    string
	goal    float64 // largest good ratio; 0 for none yet
	atLeast bool    // goal is the smallest good ratio
	floor   float64 // below it something was left undone that the plain work does
	measure func(stopwatch) (ratio float64, err error)
}

func measurements(big *bigBundles, cards *cardSigns) []measurement {
	return []measurement{
		{name: "recorded-sign", goal: 1.15, floor: 0.6, measure: recordedSign(false)},
		{name: "opensc-recorded-sign", goal: 1.05, floor: 0.9, measure: cards.againstBare},
		{name: "opensc-pkcs11-tool", goal: 1, measure: cards.againstTool},
		{name: "opensc-openssl", goal: 1, measure: cards.againstOpenSSL},
		{name: "append", goal: 0.8, atLeast: true, measure: appended(false)},
		// Beyond a thousand pages a bare database writes over its write-ahead log
		// as ours does from the start. Measured at 1.2 to 1.4 and 0.7 to 0.9;
		// these goals only keep it so.
		{name: "recorded-sign-late", goal: 1.5, floor: 0.85, measure: recordedSign(true)},
		{name: "append-late", goal: 0.6, atLeast: true, measure: appended(true)},
		// Measured at 2 to 3: this goal only keeps it so.
		{name: "verify-per-entry", goal: 5, measure: verifyPerEntry},
		{name: "verify-1m", goal: 2.5, measure: big.verifyMillion},
		{name: "verify-growth", goal: 4.4, measure: big.verifyGrowth},
		{name: "verify-rss", goal: 1, measure: big.verifyMemory},
		{name: "db-size", goal: 1.5, measure: big.databaseSize},
		{name: "peers-git", goal: 1, measure: big.againstGit},
		{name: "peers-journal", goal: 1, measure: big.againstJournal},
		{name: "peers-tlog", goal: 1, measure: big.againstTree},
		// Measured at 1.8 to 3.0: the same.
		{name: "transcript-per-page", goal: 3.5, measure: transcriptPerPage},
		{name: "transcript-growth", goal: 3, measure: transcriptGrowth},
	}
}

func main() {
	if len(os.Args) == 3 && os.Args[1] == rebuildTree {
		if err := rebuild(os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(3)
		}
		return
	}
	big := new(bigBundles)
	code := run(os.Args[1:], measurements(big, new(cardSigns)), stopwatch{now: time.Now}, os.Stdout, os.Stderr)
	if err := big.remove(); err != nil {
		fmt.Fprintf(os.Stderr, "bench: removing what was measured: %v\n", err)
		code = max(code, 3)
	}
	os.Exit(code)
}

// run makes the measurements named, or all, and returns the exit code.
func run(names []string, all []measurement, w stopwatch, out, talk io.Writer) int {
	chosen, err := choose(names, all)
	if err != nil {
		fmt.Fprintf(talk, "bench: %v\n", err)
		return 2
	}
	code := 0
	for _, m := range chosen {
		ratio, err := m.measure(w)
		if err != nil {
			fmt.Fprintf(talk, "bench: %s: %v\n", m.name, err)
			code = 3
			continue
		}
		if ratio < m.floor {
			fmt.Fprintf(talk, "bench: %s: the ratio %.2f is too good to be true (below %.2f): what is measured leaves out work, such as reaching the disk\n", m.name, ratio, m.floor)
			code = 3
			continue
		}
		fmt.Fprintln(out, m.line(ratio))
		if !m.met(ratio) && code == 0 {
			code = 1
		}
	}
	return code
}

// choose returns the measurements with the given names, or all for no name.
func choose(names []string, all []measurement) ([]measurement, error) {
	if len(names) == 0 {
		return all, nil
	}
	var chosen []measurement
	for _, name := range names {
		found := false
		for _, m := range all {
			if m.name == name {
				chosen, found = append(chosen, m), true
			}
		}
		if !found {
			return nil, fmt.Errorf("there is no measurement %q", name)
		}
	}
	return chosen, nil
}

// met reports whether a ratio, as it is printed, meets the goal.
func (m measurement) met(ratio float64) bool {
	if m.atLeast {
		return hundredths(ratio) >= hundredths(m.goal)
	}
	return m.goal == 0 || hundredths(ratio) <= hundredths(m.goal)
}

// line returns "name ratio goal verdict"; a ratio has two decimals.
func (m measurement) line(ratio float64) string {
	goal, verdict := "-", "no goal yet"
	if m.goal != 0 {
		goal, verdict = "≤", "ok"
		if m.atLeast {
			goal = "≥"
		}
		goal += strconv.FormatFloat(m.goal, 'f', -1, 64)
	}
	if !m.met(ratio) {
		verdict = "missed"
	}
	return fmt.Sprintf("%s %.2f %s %s", m.name, ratio, goal, verdict)
}

func hundredths(f float64) int { return int(f*100 + 0.5) }
