package transcript

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
)

// closingUnits is the height of the closing sheet's text: beneath it the QR
// code of the checkpoint needs more room than that of a page.
const closingUnits = 43

// ClosingPage makes the sheet behind the signed pages, from what is only fixed
// once the log is closed: the final checkpoint (a C2SP signed note) and the
// log's verifier keys, one a segment, the last one last. It is not signed as a
// page: its QR code ([CheckpointQR]) is the checkpoint, which the log key
// signed. What does not fit is left out, and the sheet says where it stands.
func ClosingPage(pages []Page, checkpoint []byte, logKey ...string) Page {
	holds := "holds whole"
	if len(checkpoint) > maxCheckpointQR {
		holds = "holds without its last cosignatures"
	}
	lines := text(Prose, 0, "The log is closed. This sheet was made afterwards and is not among the signed pages; what it says stands in the final checkpoint, which the square code below "+holds+", signed by the log key.")
	lines = append(lines, Line{})
	lines = append(lines, checkpointLines(checkpoint)...)
	for i, k := range logKey {
		label := "Log key"
		if len(logKey) > 1 {
			label = fmt.Sprintf("Log key, segment %d", i)
		}
		lines = append(lines, coverPair(label, k)...)
	}
	lines = append(lines, Line{}, Line{Style: Subheading, Text: "What to compare"})
	for _, s := range []string{
		"The words above with what the screen showed when the log was closed, and with what you wrote down.",
		"The log key with the one read aloud before the first call to the HSM, and with the cover.",
		"The number of sheets: this is the last one. The number of entries: the log ends there and cannot grow.",
	} {
		lines = append(lines, text(Prose, 2, s)...)
	}
	lines = append(lines, Line{}, Line{Style: Subheading, Text: "The final checkpoint, as it stands in the bundle"})
	lines = append(lines, noteLines(checkpoint)...)
	p := Page{Number: len(pages) + 1, Of: len(pages)}
	p.Lines = closingFit(append([]Line{{Style: Heading, Text: "Closing sheet"}}, lines...))
	if len(pages) > 0 {
		first := pages[0]
		p.Mark, p.Header, p.Footer = first.Mark, first.Header, first.Footer
		old := fmt.Sprintf("page %d of %d", first.Number, first.Of+1)
		number := fmt.Sprintf("page %d of %d", p.Number, p.Of+1)
		title := strings.TrimRight(strings.TrimSuffix(first.Header[1].Text, old), " ")
		p.Header[1].Text = spread(title, number)
	}
	return p
}

// checkpointLines sets a checkpoint's origin, size and root, the root in hex
// and in words. What is no checkpoint is said to be none.
func checkpointLines(checkpoint []byte) []Line {
	f := strings.SplitN(string(checkpoint), "\n", 4)
	if len(f) < 4 {
		return text(Alarm, 0, "The checkpoint cannot be read.")
	}
	lines := coverPair("Log origin", f[0])
	lines = append(lines, coverPair("Entries", f[1])...)
	root, err := base64.StdEncoding.DecodeString(f[2])
	if err != nil {
		return append(lines, text(Alarm, 0, "The checkpoint's root cannot be read.")...)
	}
	lines = append(lines, coverRows("Head (root)", hexRows(hex.EncodeToString(root)))...)
	return append(lines, coverRows("  in words", wordRows(root))...)
}

// noteLines sets a signed note line by line.
func noteLines(n []byte) []Line {
	var lines []Line
	for _, l := range strings.Split(strings.TrimSuffix(string(n), "\n"), "\n") {
		lines = append(lines, text(Plain, 2, clean(l))...)
	}
	return lines
}

// closingFit cuts lines to the sheet, saying so.
func closingFit(lines []Line) []Line {
	if height(lines) <= closingUnits {
		return lines
	}
	n, used := 0, 1
	for used+lines[n].Units() <= closingUnits {
		used += lines[n].Units()
		n++
	}
	return append(lines[:n:n], Line{Style: Strong, Text: "… what does not fit here stands in the bundle's file checkpoint and in the log"})
}
