package verify

import (
	"fmt"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// checkNames looks for names that a reader takes for others: with characters
// that nobody sees or that turn the text round, with letters of two alphabets in
// one word, or alike to the eye without being the same.
func (v *verifier) checkNames(c *Check) {
	f := v.log
	if f.open == nil {
		c.Result = "not done"
		return
	}
	seen := map[string]string{} // as it looks → as it is written
	look := func(seq int64, what, s string) {
		c.Count++
		if why := misleads(s); why != "" {
			v.findEntry(NameMisleads, f.file, seq, what+" "+why, "", s)
			return
		}
		form := looks(s)
		if other, ok := seen[form]; ok && other != s {
			v.findEntry(NameMisleads, f.file, seq, what+" looks like another name and is not the same", other, s)
			return
		}
		seen[form] = s
	}
	o := f.open
	for _, s := range []string{o.Title, o.Organisation, o.Place, o.Purpose} {
		look(0, "a text of the first entry", s)
	}
	for _, p := range o.Participants {
		look(0, "the name of a participant", p.Name)
	}
	for _, p := range o.Plan {
		look(0, "the title of a step", p.Title)
	}
	for _, k := range f.made.judged {
		look(k.seq, "the name of a key", k.Name)
		look(k.seq, "the label of a key", k.Label)
	}
	for _, x := range f.artifacts {
		look(x.seq, "the name of an artifact", x.File.Name)
	}
}

// scripts whose letters look like those of another of them.
var scripts = []struct {
	name  string
	table *unicode.RangeTable
}{{"Latin", unicode.Latin}, {"Greek", unicode.Greek}, {"Cyrillic", unicode.Cyrillic}, {"Armenian", unicode.Armenian}, {"Cherokee", unicode.Cherokee}}

// misleads says what is wrong with a name, "" if nothing is.
func misleads(s string) string {
	for _, r := range s {
		switch {
		case unicode.Is(unicode.Bidi_Control, r):
			return fmt.Sprintf("turns the direction of writing (%U)", r)
		case r == '\n' || r == '\t' || r == '\u200c' || r == '\u200d': // line ends of a purpose; joiners that names need
		case !unicode.IsGraphic(r):
			return fmt.Sprintf("has a character that nobody sees (%U)", r)
		}
	}
	if !norm.NFC.IsNormalString(s) {
		return "is not in Unicode's normal form C"
	}
	for _, word := range strings.FieldsFunc(s, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsMark(r) }) {
		var in []string
		for _, script := range scripts {
			if strings.ContainsFunc(word, func(r rune) bool { return unicode.Is(script.table, r) }) {
				in = append(in, script.name)
			}
		}
		if len(in) > 1 {
			return fmt.Sprintf("has %s letters in one word", strings.Join(in, " and "))
		}
	}
	return ""
}

// alike are the Cyrillic and Greek letters that look like a Latin one, and the
// figures and joiners that deceive.
var alike = strings.NewReplacer(
	"А", "A", "В", "B", "Е", "E", "К", "K", "М", "M", "Н", "H", "О", "O", "Р", "P", "С", "C", "Т", "T", "Х", "X", "У", "Y", "І", "I", "Ѕ", "S", "Ј", "J",
	"а", "a", "е", "e", "о", "o", "р", "p", "с", "c", "у", "y", "х", "x", "і", "i", "ѕ", "s", "ј", "j", "ԁ", "d", "һ", "h", "ӏ", "l",
	"Α", "A", "Β", "B", "Ε", "E", "Ζ", "Z", "Η", "H", "Ι", "I", "Κ", "K", "Μ", "M", "Ν", "N", "Ο", "O", "Ρ", "P", "Τ", "T", "Υ", "Y", "Χ", "X",
	"ο", "o", "ν", "v", "ι", "i", "α", "a", "ρ", "p",
	"0", "O", "1", "l", "I", "l", "|", "l", "\u200c", "", "\u200d", "",
)

// looks returns a form in which names are the same that look the same: Unicode's
// compatibility form, each letter as its Latin double, white space as one space.
func looks(s string) string {
	// Twice: a capital I becomes the small l that a Cyrillic one becomes, too.
	return strings.Join(strings.Fields(alike.Replace(alike.Replace(norm.NFKC.String(s)))), " ")
}
