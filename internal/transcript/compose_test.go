package transcript_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/transcript"
	"github.com/keyrite/keyrite/internal/transcript/sample"
)

var update = flag.Bool("update", false, "write the golden files anew")

// all returns every page's text.
func all(pages []transcript.Page) string {
	var b strings.Builder
	for _, p := range pages {
		b.Write(p.Text())
	}
	return b.String()
}

// flat returns the pages' texts with every run of white space as one space.
func flat(pages []transcript.Page) string { return strings.Join(strings.Fields(all(pages)), " ") }

// TestGolden: the canonical text of a small log, to the byte. A change here
// means that Renderer must be raised.
func TestGolden(t *testing.T) {
	src := sample.Small()
	pages := compose(t, src)
	pages = append(pages, transcript.ClosingPage(pages, sample.Checkpoint(src, 0), sample.LogKey(0)))
	for _, p := range pages {
		name := filepath.Join("testdata", fmt.Sprintf("small-%d.txt", p.Number))
		if *update {
			if err := os.WriteFile(name, p.Text(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(p.Text(), want) {
			t.Errorf("page %d is\n%s\nwant\n%s", p.Number, p.Text(), want)
		}
	}
}

// invariants hold for every page of every transcript.
func invariants(t *testing.T, pages []transcript.Page) {
	t.Helper()
	if len(pages) == 0 {
		t.Fatal("no page")
	}
	for i, p := range pages {
		if p.Number != i+1 || p.Of != len(pages) {
			t.Errorf("page %d of %d calls itself %d of %d", i+1, len(pages), p.Number, p.Of)
		}
		units := 0
		for _, l := range p.Lines {
			units += l.Units()
		}
		if units > transcript.Units {
			t.Errorf("page %d is %d units high", p.Number, units)
		}
		lines := append(append(p.Header[:], p.Lines...), p.Footer)
		for _, l := range lines {
			if w := transcript.Width(l.Text); w > transcript.Columns {
				t.Errorf("page %d: %d columns: %q", p.Number, w, l.Text)
			}
			if l.Lead < 0 {
				t.Errorf("page %d: a lead of %d: %q", p.Number, l.Lead, l.Text)
			}
			for _, r := range l.Text {
				if transcript.Width(string(r)) == 0 {
					t.Errorf("page %d: %U cannot be drawn: %q", p.Number, r, l.Text)
				}
			}
		}
	}
}

func TestCeremony(t *testing.T) {
	src := sample.Ceremony()
	pages := compose(t, src)
	invariants(t, pages)
	text := flat(pages)
	for _, want := range []string{
		"19 done, 0 skipped, 1 attempt failed",
		"1 of them failed; 1 without an outcome",
		"2 signatures by key root",
		"1 deviation, 1 problem, 0 clock jumps",
		"unobserved from 2026-11-25 09:22:25 UTC to 2026-11-25 10:09:32 UTC (break)",
		"The ceremony was interrupted and resumed: segment 1 begins, with a new log key.",
		"returned CKR_PIN_INCORRECT",
		"no outcome was recorded: the room decided “it did not happen”",
		"4 calls, entries",
		"DOES NOT AGREE with the first",
		"山田 太郎", "Ελένη Παραδείγματος", "Дмитрий Примеров", "Łukasz Wzorcowy",
		"complete – every step of the script was begun, and nothing was aborted",
		"Certificate artifacts/root.pem", "Certificate artifacts/root.crl.pem",
		"What this paper cannot prove",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the transcript does not say %q", want)
		}
	}
	for _, secret := range []string{"[U+0020]", "unknown kind"} {
		if strings.Contains(text, secret) {
			t.Errorf("the transcript says %q", secret)
		}
	}
}

// TestLayout: no heading alone at a page's foot, no empty line at its top.
func TestLayout(t *testing.T) {
	for _, p := range compose(t, sample.Ceremony()) {
		last := p.Lines[len(p.Lines)-1]
		if last.Style == transcript.Heading || last.Style == transcript.Subheading || last.Style == transcript.TableHead {
			t.Errorf("page %d ends with the heading %q", p.Number, last.Text)
		}
		if p.Lines[0].Text == "" {
			t.Errorf("page %d begins with an empty line", p.Number)
		}
	}
}

// TestEveryEntryTold: every entry's number stands on the paper, by itself or
// in the range of a folded row.
func TestEveryEntryTold(t *testing.T) {
	src := sample.Ceremony()
	text := all(compose(t, src))
	inSection := map[int64]bool{}
	for _, e := range src.Entries {
		switch e.Data.(type) {
		case *audit.StepBegin:
			inSection[e.Seq] = strings.Contains(text, fmt.Sprintf("entries %d to ", e.Seq))
		case *audit.HSMOutcome:
			inSection[e.Seq] = true // told in its intent's row
		default:
			inSection[e.Seq] = strings.Contains(text, fmt.Sprintf("\n%6d  ", e.Seq))
		}
	}
	folded := 0
	for _, e := range src.Entries {
		if !inSection[e.Seq] {
			if i, ok := e.Data.(*audit.HSMIntent); !ok || i.Function != "C_GetAttributeValue" && i.Function != "C_GetMechanismInfo" {
				t.Errorf("entry %d (%s) is not told", e.Seq, e.Kind())
			}
			folded++
		}
	}
	if folded == 0 {
		t.Error("nothing was folded: the sample does not test it")
	}
}

func TestScriptMustMatch(t *testing.T) {
	src := sample.Small()
	src.Script = append([]byte{}, src.Script...)
	src.Script[0] ^= 1
	if _, err := transcript.Compose(src); err == nil || !strings.Contains(err.Error(), "the script's SHA-256 is") {
		t.Errorf("another script: %v", err)
	}
}

// TestAnnexFaults: a file that is missing, changed or unreadable is told.
func TestAnnexFaults(t *testing.T) {
	good := sample.Ceremony()
	for name, c := range map[string]struct {
		file func(string) ([]byte, error)
		text func(string, []byte) ([]string, error)
		want string
	}{
		"missing":    {func(string) ([]byte, error) { return nil, errors.New("gone") }, good.AnnexText, "The file cannot be shown: reading \"artifacts/root.pem\": gone"},
		"changed":    {func(string) ([]byte, error) { return []byte("other"), nil }, good.AnnexText, "\"artifacts/root.pem\" has the SHA-256"},
		"unreadable": {good.File, func(string, []byte) ([]string, error) { return nil, errors.New("no certificate") }, "The file cannot be shown: no certificate"},
		"hostile": {good.File, func(string, []byte) ([]string, error) {
			return []string{"a\x1b[2J\u202e𝕏", strings.Repeat(" ", 500) + "deep"}, nil
		}, "a[U+001B][2J[U+202E][U+1D54F]"},
	} {
		src := sample.Ceremony()
		src.File, src.AnnexText = c.file, c.text
		pages := compose(t, src)
		invariants(t, pages)
		if !strings.Contains(flat(pages), c.want) {
			t.Errorf("%s: the transcript does not say %q", name, c.want)
		}
	}
}

func TestCoverNames(t *testing.T) {
	src := transcript.Source{Cover: transcript.Cover{Mode: "production", Participants: []transcript.Participant{
		{ID: "a", Name: "Same Name", Roles: []string{"operator"}}, {ID: "b", Name: "Same Name", Roles: []string{"internal-witness"}}}},
		Entries: []*audit.Entry{
			{Seq: 0, Data: &audit.Answer{Person: "b", Question: "q", Value: "v"}},
			{Seq: 1, Data: &audit.Answer{Person: "c", Question: "q", Value: "v"}},
			{Seq: 2, Data: &audit.Answer{Question: "q", Value: "v"}},
			{Seq: 3, Data: &audit.Attendance{Person: "a", Name: "Same Name"}},
		}}
	text := flat(compose(t, src))
	for _, want := range []string{"Same Name (b) was asked", "c (not on the roster) was asked", "(nobody named) was asked", "operator · ABSENT", "internal-witness · NOT CALLED at a roll call"} {
		if !strings.Contains(text, want) {
			t.Errorf("the transcript does not say %q", want)
		}
	}
}

// TestIncomplete: steps that were never begun are named.
func TestIncomplete(t *testing.T) {
	src := sample.Small()
	src.Cover.Steps = append(src.Cover.Steps, transcript.Step{ID: "never", Title: "Never"})
	if text := flat(compose(t, src)); !strings.Contains(text, "INCOMPLETE – never begun: never") {
		t.Error("the cover does not name the step")
	}
}

// TestMidnight: the date is told where it changes.
func TestMidnight(t *testing.T) {
	at := time.Date(2026, 12, 31, 23, 59, 59, 0, time.UTC)
	src := transcript.Source{Entries: []*audit.Entry{
		{Seq: 0, Time: at, Step: "s", Data: &audit.StepBegin{Title: "t", Number: 1, Of: 1, Attempt: 1}},
		{Seq: 1, Time: at.Add(2 * time.Second), Step: "s", Data: &audit.Result{Name: "n", Value: "v"}},
	}}
	text := all(compose(t, src))
	if !strings.Contains(text, "\n        2027-01-01\n     1  00:00:01  n: v\n") || !strings.Contains(text, "2026-12-31 23:59:59 UTC – 2027-01-01 00:00:01 UTC") {
		t.Errorf("the date is not told:\n%s", text)
	}
}

func TestClosingPage(t *testing.T) {
	src := sample.Ceremony()
	pages := compose(t, src)
	p := transcript.ClosingPage(pages, sample.Checkpoint(src, 1), sample.LogKey(0), sample.LogKey(1))
	text := strings.Join(strings.Fields(string(p.Text())), "")
	for _, want := range []string{src.Origin, sample.LogKey(0), sample.LogKey(1), strings.Join(audit.Words(src.Head[:]), ""), src.Head.String(), "Entries276"} {
		if !strings.Contains(text, want) {
			t.Errorf("the closing sheet does not say %q", want)
		}
	}
	for name, note := range map[string][]byte{"empty": nil, "no root": []byte("o\n1\n!!\n\n"), "long": bytes.Repeat([]byte("o\n1\nAAAA\n\n— x y\n"), 400), "binary": {0xff, 0, '\n'}} {
		p := transcript.ClosingPage(pages, note, make([]string, 100)...)
		units := 0
		for _, l := range p.Lines {
			units += l.Units()
			if transcript.Width(l.Text) > transcript.Columns {
				t.Errorf("%s: a wide line %q", name, l.Text)
			}
		}
		if units > 43 {
			t.Errorf("%s: %d units", name, units)
		}
	}
	if p := transcript.ClosingPage(nil, nil); p.Number != 1 || p.Of != 0 {
		t.Errorf("a closing sheet alone is page %d of %d", p.Number, p.Of)
	}
}
