package strictyaml

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/bidi"
	"golang.org/x/text/unicode/norm"
)

// MaxSize is the size of the largest file that is read, in bytes.
const MaxSize = 1 << 20

const bom = '\uFEFF'

// text checks the characters of a file. It returns a text in which each refused
// character is replaced by one that YAML can read, so that the rest of the file
// can be judged, too; columns stay as they are.
func (d *Doc) text(b []byte) string {
	if r, n := utf8.DecodeRune(b); r == bom {
		d.problem(1, 1, "", "the file begins with a byte order mark (BOM): save it as UTF-8 without BOM")
		b = b[n:]
	}
	var clean strings.Builder
	for i, line := range strings.SplitAfter(string(b), "\n") {
		d.checkForm(i+1, line)
		clean.WriteString(d.line(i+1, line))
	}
	return clean.String()
}

// line checks one line, its end included, and returns what YAML may read.
func (d *Doc) line(number int, line string) string {
	end := ""
	for _, e := range []string{"\r\n", "\n"} {
		if strings.HasSuffix(line, e) {
			line, end = strings.TrimSuffix(line, e), "\n"
			break
		}
	}
	var clean strings.Builder
	col, tabs := 0, 0
	for i, n := 0, 0; i < len(line); i += n {
		var r rune
		r, n = utf8.DecodeRuneInString(line[i:])
		col++
		switch what := refused(r); {
		case r == utf8.RuneError && n == 1:
			d.char(number, col, fmt.Sprintf("byte 0x%02X is not UTF-8: save the file as UTF-8", line[i]))
			clean.WriteByte('_')
		case r == '\t':
			if tabs++; tabs == 1 {
				d.char(number, col, what)
			}
			clean.WriteByte(' ')
		case what != "":
			d.char(number, col, what)
			clean.WriteByte('_')
		default:
			clean.WriteRune(r)
		}
	}
	return clean.String() + end
}

// checkForm reports the first character of a line that is not in NFC.
func (d *Doc) checkForm(number int, line string) {
	if !utf8.ValidString(line) || norm.NFC.IsNormalString(line) {
		return
	}
	n, _ := norm.NFC.SpanString(line, true)
	d.char(number, utf8.RuneCountInString(line[:n])+1, notNFC)
}

func (d *Doc) char(line, col int, what string) {
	if len(d.chars) >= maxProblems {
		return
	}
	d.chars = append(d.chars, Problem{File: d.File, Line: line, Col: col, What: what})
}

const notNFC = "a letter and its accent are two characters here: write the composed letter (Unicode form NFC)"

// refused says why a character may not stand in a file, "" if it may.
func refused(r rune) string {
	switch {
	case r == '\t':
		return "a tab: use spaces"
	case r >= 0x20 && r < 0x7f, r == '\n':
		return ""
	case unicode.Is(unicode.Cc, r), r == 0x2028, r == 0x2029:
		return fmt.Sprintf("control character %U: take it out", r)
	case unicode.Is(unicode.Bidi_Control, r):
		return fmt.Sprintf("%U changes the direction of the text around it unseen: take it out", r)
	case invisible(r):
		return fmt.Sprintf("%U cannot be seen: take it out", r)
	case unicode.Is(unicode.Zs, r) && r != 0xa0 && r != 0x202f && r != 0x3000:
		return fmt.Sprintf("%U is an unusual space: write an ordinary one", r)
	case unicode.Is(unicode.Co, r):
		return fmt.Sprintf("%U is a private character that means nothing elsewhere: take it out", r)
	case r > 0xffff:
		return fmt.Sprintf("%q (%U) cannot be printed on the transcript: write it in words", r, r)
	case !assigned(r):
		return fmt.Sprintf("%U is no character of Unicode %s: take it out", r, unicode.Version)
	case rightToLeft(r):
		return fmt.Sprintf("%q (%U) is written from right to left, which the transcript cannot print: write it in Latin letters", r, r)
	}
	return ""
}

func invisible(r rune) bool {
	return unicode.In(r, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector) || r == 0x2800
}

func assigned(r rune) bool {
	return unicode.In(r, unicode.L, unicode.M, unicode.N, unicode.P, unicode.S, unicode.Z)
}

func rightToLeft(r rune) bool {
	p, _ := bidi.LookupRune(r)
	c := p.Class()
	return c == bidi.R || c == bidi.AL || c == bidi.AN
}

// mixed says which letters of a word belong to another script than its first
// one, where the two have letters that look alike; "" if none does.
func mixed(text string) string {
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return !unicode.In(r, unicode.L, unicode.M) }) {
		first := ""
		for _, r := range word {
			s := scriptOf(r)
			if s == "" || s == first {
				continue
			}
			if first == "" {
				first = s
				continue
			}
			return fmt.Sprintf("the word %q mixes %s and %s letters (%q is %U): write it in one alphabet", word, first, s, r, r)
		}
	}
	return ""
}

func scriptOf(r rune) string {
	switch {
	case unicode.Is(unicode.Latin, r):
		return "Latin"
	case unicode.Is(unicode.Cyrillic, r):
		return "Cyrillic"
	case unicode.Is(unicode.Greek, r):
		return "Greek"
	}
	return ""
}
