package transcript

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/keyrite/keyrite/audit"
)

// annexBlocks draws what stands behind the steps: keys and files once more,
// the certificates' and CRLs' texts, and how to check the paper.
func (f *facts) annexBlocks() []block {
	var blocks []block
	if len(f.keys)+len(f.artifacts) > 0 {
		b := heading(Heading, "Annex A · Keys and files")
		b.fresh = true
		blocks = append(blocks, b, free(text(Prose, 0, "Fingerprints as one compares them: upper-case, unseparated, so that they can be searched for in this file.")...), gap())
	}
	for _, e := range f.keys {
		d := e.Data.(*audit.Key)
		is := fmt.Sprintf("%s on token %s, entry %d", d.Algorithm, d.Token, e.Seq)
		if from := f.origin(d.Name); from != "" {
			is += "; made in: " + from
		}
		blocks = append(blocks, kept(fingerprint("key "+d.Name, is, "SPKI SHA-256", d.SPKISHA256)...))
	}
	for _, e := range f.artifacts {
		d := e.Data.(*audit.Artifact)
		blocks = append(blocks, kept(fingerprint(d.File.Name, fmt.Sprintf("%s, %s, entry %d", d.Object, plural(int(d.File.Size), "byte"), e.Seq), "file SHA-256", d.File.SHA256)...))
	}
	for _, e := range f.artifacts {
		blocks = append(blocks, f.artifactText(e.Data.(*audit.Artifact))...)
	}
	return append(blocks, checkingBlocks()...)
}

func fingerprint(name, what, label, sum string) []Line {
	lines := text(Strong, 0, clean(name))
	lines = append(lines, pair(Plain, 2, 16, "is", clean(what))...)
	lines = append(lines, pair(Plain, 2, 16, label, clean(strings.ToUpper(sum)))...)
	return append(lines, Line{})
}

// artifactText draws a certificate or CRL in words, or why it cannot.
func (f *facts) artifactText(d *audit.Artifact) []block {
	if f.src.File == nil || f.src.AnnexText == nil || d.Object != "certificate" && d.Object != "crl" {
		return nil
	}
	head := heading(Heading, "Annex · "+clean(d.File.Name))
	lines, err := f.readable(d)
	if err != nil {
		return []block{head, kept(text(Alarm, 0, clean("The file cannot be shown: "+err.Error()))...)}
	}
	var body []Line
	for _, l := range lines {
		for _, w := range wrapIndented(indented(l)) {
			body = append(body, Line{Text: w})
		}
	}
	return []block{head, free(body...), gap()}
}

// readable returns an artifact's text, if its bytes are those of the log.
func (f *facts) readable(d *audit.Artifact) ([]string, error) {
	b, err := f.src.File(d.File.Name)
	if err != nil {
		return nil, fmt.Errorf("reading %q: %w", d.File.Name, err)
	}
	sum := sha256.Sum256(b)
	if have := hex.EncodeToString(sum[:]); have != d.File.SHA256 {
		return nil, fmt.Errorf("%q has the SHA-256 %s, the log says %q", d.File.Name, have, d.File.SHA256)
	}
	return f.src.AnnexText(d.File.Name, b)
}

// wrapIndented wraps a prepared line under its own indent.
func wrapIndented(s string) []string {
	body := strings.TrimLeft(s, " ")
	indent := min(len(s)-len(body), Columns/2)
	lines := wrap(body, Columns-indent-2)
	for i := range lines {
		if i > 0 {
			lines[i] = "  " + lines[i]
		}
		lines[i] = strings.Repeat(" ", indent) + lines[i]
	}
	return lines
}

// checking is the last annex, in paragraphs; one that begins with "# " is a
// heading.
var checking = []string{
	"# What this paper is",
	"These pages were made by the program keyrite from the ceremony's log: the entries named on the cover, and nothing else. The log key, which existed only in the ceremony machine's memory and was read aloud in the room, has signed every page's checksum.",
	"# What stands at the foot of every page",
	"The checksum of this page is computed from the page's text and the checksum of the page before, so the last page vouches for all of them. The square code holds the log's number, the mode, the page's number, its checksum, the number of log entries and the root over them, and the log key's signature over all that.",
	"# How to check it with keyrite",
	"Run “keyrite-verify DIR” on the bundle. It checks the log, makes these pages' texts again from it and compares their checksums with those that were signed. Give it what you noted in the room: “--log-key” with the log key read aloud, or “--head” with the words of the closing sheet. Without one of these it can only show that the bundle agrees with itself.",
	"# How to check one sheet of paper",
	"Read its square code with any phone and compare: the checksum in the code with the one printed, the log's number with the cover, the entries and the root with the cover. The signature is Ed25519 over six lines of text that docs/transcript.md gives; the log key on the closing sheet checks it without any network and without keyrite.",
	"# What to compare by eye",
	"The log key as read aloud (cover) with what you wrote down in the room. The words of the closing sheet with what the screen showed at the end. The page numbers: none missing, none twice. The mode on every page.",
	"# What only the people in the room can say",
	"Before you sign: answer each of these for yourself, and write beside your signature what you cannot say yes to.",
	"1. The SHA-256 of keyrite and of the PKCS#11 module that the screen showed is the one that was approved, taken from elsewhere.",
	"2. What I typed, I typed myself; nobody typed for me or for somebody who was not there.",
	"3. The screen, the paper script and what was read aloud said the same.",
	"4. The token was in sight from its bag to its bag, also in breaks; where it was not, the cover says so.",
	"5. Nobody used another program, keyboard, cable or network on the ceremony machine.",
	"6. The head that I noted is the one that the screen showed after the break and at the end.",
	"7. The date and time are today's, by a clock that is not the machine's.",
	"8. I know the people who are named here; names that look alike are the same person's.",
	"9. The token came from its maker in a sealed bag, and its make is one that was approved.",
	"# What this paper cannot prove",
	"Who was in the room, beyond what those present signed. That the machine ran the program it says it ran. That the HSM did what it reported. That the log key was destroyed. Nor what happened while the ceremony was interrupted: such times are on the cover. For these there are the people who sign, the video and the seals.",
}

func checkingBlocks() []block {
	blocks := []block{heading(Heading, "Annex · How to check this paper")}
	for _, p := range checking {
		if h, ok := strings.CutPrefix(p, "# "); ok {
			blocks = append(blocks, gap(), heading(Subheading, h))
			continue
		}
		blocks = append(blocks, kept(text(Prose, 0, clean(p))...))
	}
	return blocks
}
