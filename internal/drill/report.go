package drill

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/keyrite/keyrite/audit"
)

// A Course is what became of a fault, as whoever made it knows.
type Course struct {
	Happened bool
	At       time.Time // zero: before the log began
	PutRight time.Time // zero: it was not
	About    []string  // texts of which each problem about it has one; nil if all problems after it are
}

// most is how many entries of a sort a report names.
const most = 8

// Report says in plain words what a fault was, what became of it, and which
// entries of the log speak of it. What people wrote down it lists: whether they
// meant this fault, only they can say.
func Report(s Secret, c Course, entries []*audit.Entry) *audit.Result {
	said := []string{fmt.Sprintf("What the room did not know: %s.", s.Fault)}
	if !c.Happened {
		said = append(said, "It did not happen before the end of the ceremony: there was nothing to notice.")
		return &audit.Result{Name: Reported, Value: strings.Join(said, " ")}
	}
	after := since(entries, c.At)
	if c.At.IsZero() {
		said = append(said, "It was so before the log began.")
	} else {
		said = append(said, fmt.Sprintf("It happened at %s; entry %d is the first after it.", clockTime(c.At), firstOf(after, entries)))
	}
	if !c.PutRight.IsZero() {
		said = append(said, fmt.Sprintf("It was put right at %s, when the room had been told of a problem and went on.", clockTime(c.PutRight)))
	}
	noticed, decided, written := sort(after, c.About)
	said = append(said, verdict(len(noticed) > 0, len(decided) > 0, len(written) > 0))
	for _, part := range []struct {
		what string
		list []string
	}{
		{"keyrite recorded of it", noticed},
		{"The room was asked and decided", decided},
		{"People wrote down after it happened", written},
	} {
		if len(part.list) > 0 {
			said = append(said, part.what+": "+enough(part.list)+".")
		}
	}
	if len(written) > 0 {
		said = append(said, "Whether what people wrote speaks of this fault, they can say.")
	}
	return &audit.Result{Name: Reported, Value: strings.Join(said, " ")}
}

// verdict says in a sentence whether the fault was noticed, and by whom.
func verdict(noticed, decided, written bool) string {
	switch {
	case noticed && written:
		return "NOTICED AND RECORDED: by keyrite, and in people's own words."
	case noticed && decided:
		return "NOTICED by keyrite, which recorded it and asked the room how to go on; people wrote down nothing of their own."
	case noticed:
		return "NOTICED by keyrite, which recorded it; people wrote down nothing of their own."
	case written:
		return "WRITTEN DOWN: keyrite stopped at nothing, and people wrote something down."
	}
	return "NOT NOTICED: keyrite stopped at nothing, and nobody wrote anything down."
}

// since returns the entries from a time on.
func since(entries []*audit.Entry, at time.Time) []*audit.Entry {
	if at.IsZero() {
		return entries
	}
	for i, e := range entries {
		if !e.Time.Before(at) {
			return entries[i:]
		}
	}
	return nil
}

// firstOf is the seq of the first entry after a fault, or that of the next one.
func firstOf(after, all []*audit.Entry) int64 {
	if len(after) > 0 {
		return after[0].Seq
	}
	return int64(len(all))
}

// sort parts the entries that speak of what went wrong: what the program found,
// what the room decided when it was asked, what people wrote down themselves.
func sort(entries []*audit.Entry, about []string) (noticed, decided, written []string) {
	for _, e := range entries {
		say := func(text string) string { return fmt.Sprintf("entry %d (%s) %s", e.Seq, e.Kind(), text) }
		switch d := e.Data.(type) {
		case *audit.Problem:
			if speaks(d.What, about) {
				noticed = append(noticed, say(quote(d.What)))
			}
		case *audit.HSMUnknown:
			decided = append(decided, say(quote(d.Decided)))
		case *audit.Decision:
			if slices.Contains(d.Options, "again") { // asked what to do after a problem
				decided = append(decided, say(quote(d.Chosen)))
			}
		case *audit.Deviation:
			written = append(written, say(quote(d.Happened)))
		case *audit.Incident:
			written = append(written, say(quote(d.What)))
		case *audit.Asked:
			written = append(written, say(quote(d.Question)))
		case *audit.Refusal:
			written = append(written, say(quote(d.Because)))
		case *audit.Abort:
			written = append(written, say(quote(d.Reason)))
		}
	}
	return noticed, decided, written
}

// speaks reports whether a text has one of the texts in it.
func speaks(text string, about []string) bool {
	for _, a := range about {
		if strings.Contains(text, a) {
			return true
		}
	}
	return about == nil
}

// Speaks reports whether a problem is about the fault.
func (c Course) Speaks(problem string) bool { return speaks(problem, c.About) }

func enough(list []string) string {
	if len(list) > most {
		return strings.Join(list[:most], "; ") + fmt.Sprintf("; and %d more", len(list)-most)
	}
	return strings.Join(list, "; ")
}

// quote is a text in quotes, cut to what can be read at a glance.
func quote(text string) string {
	const long = 160
	if r := []rune(text); len(r) > long {
		text = string(r[:long]) + "…"
	}
	return "“" + text + "”"
}

func clockTime(at time.Time) string { return at.UTC().Format("15:04:05") + " UTC" }
