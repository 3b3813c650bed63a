package transcript_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/transcript"
	"github.com/keyrite/keyrite/internal/transcript/sample"
)

func compose(t testing.TB, src transcript.Source) []transcript.Page {
	t.Helper()
	pages, err := transcript.Compose(src)
	if err != nil {
		t.Fatal(err)
	}
	return pages
}

func TestPageText(t *testing.T) {
	p := transcript.Page{Number: 1, Of: 1, Header: [3]transcript.Line{{}, {Text: "title   "}, {Text: "org"}},
		Lines: []transcript.Line{{Style: transcript.Heading, Text: "Step"}, {}, {Text: "  body "}}, Footer: transcript.Line{Text: "foot"}}
	want := "\ntitle\norg\nStep\n\n  body\nfoot\n"
	if got := string(p.Text()); got != want {
		t.Errorf("text is %q, want %q", got, want)
	}
}

// TestDigests computes the chain by hand and changes every page in turn: it
// and all after it get other digests, those before it keep theirs.
func TestDigests(t *testing.T) {
	pages := compose(t, sample.Ceremony())
	digests := transcript.Digests(pages)
	prev := make([]byte, 32)
	for i, p := range pages {
		sum := sha256.Sum256(bytes.Join([][]byte{[]byte("keyrite page digest v1\n"), prev, p.Text()}, nil))
		if digests[i] != audit.Hash(sum) {
			t.Fatalf("page %d: digest %s, want %x", i+1, digests[i], sum)
		}
		prev = sum[:]
	}
	for i := range pages {
		changed := append([]transcript.Page{}, pages...)
		changed[i].Footer.Text += "!"
		for j, d := range transcript.Digests(changed) {
			if same := d == digests[j]; same != (j < i) {
				t.Errorf("page %d changed: digest of page %d same: %v", i+1, j+1, same)
			}
		}
	}
}

// TestFrame: every page says what it belongs to.
func TestFrame(t *testing.T) {
	src := sample.Ceremony()
	pages := compose(t, src)
	pages = append(pages, transcript.ClosingPage(pages, sample.Checkpoint(src, 1), sample.LogKey(0), sample.LogKey(1)))
	for i, p := range pages {
		text := string(p.Text())
		for _, want := range []string{"REHEARSAL – nothing made here may be trusted", src.Cover.Title, src.Cover.Organisation,
			fmt.Sprintf("page %d of %d\n", i+1, len(pages)), "  rehearsal\n", transcript.Renderer, "log " + src.Origin} {
			if !strings.Contains(text, want) {
				t.Errorf("page %d does not say %q", i+1, want)
			}
		}
		if p.Of != len(pages)-1 {
			t.Errorf("page %d: %d signed pages, want %d", i+1, p.Of, len(pages)-1)
		}
	}
}

func TestMarks(t *testing.T) {
	abort := &audit.Abort{Reason: "the token broke", Person: "lw"}
	for _, c := range []struct {
		mode  string
		abort bool
		want  string
	}{
		{"production", false, ""},
		{"production", true, "ABORTED"},
		{"rehearsal", false, "REHEARSAL"},
		{"rehearsal", true, "REHEARSAL – ABORTED"},
		{"", false, "REHEARSAL"},
	} {
		src := transcript.Source{Cover: transcript.Cover{Mode: c.mode}}
		if c.abort {
			src.Entries = []*audit.Entry{{Data: abort}}
		}
		for _, p := range compose(t, src) {
			if p.Mark != c.want || (c.want == "") != (p.Header[0].Text == "") || !strings.Contains(p.Header[0].Text, c.want) {
				t.Errorf("%+v: page %d has the mark %q and the banner %q", c, p.Number, p.Mark, p.Header[0].Text)
			}
		}
	}
}

// TestModeOfTheLog: a script that says production cannot hide a rehearsal.
func TestModeOfTheLog(t *testing.T) {
	src := transcript.Source{Cover: transcript.Cover{Mode: "production"},
		Entries: []*audit.Entry{{Data: &audit.LogOpen{Mode: "rehearsal"}}}}
	if p := compose(t, src)[0]; p.Mark != "REHEARSAL" {
		t.Errorf("mark %q", p.Mark)
	}
}
