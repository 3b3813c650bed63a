package audit

import (
	"fmt"
	"strings"
)

// Words returns the PGP words for b, one a byte: a 32-byte hash is 32 words.
// Bytes at even positions, counted from 0, take the two-syllable list, those at
// odd positions the three-syllable one.
func Words(b []byte) []string {
	words := make([]string, len(b))
	for i, c := range b {
		words[i] = wordList(i)[c]
	}
	return words
}

// wordList returns the list for the byte at position i.
func wordList(i int) *[256]string {
	if i%2 == 0 {
		return &evenWords
	}
	return &oddWords
}

// ParseWords returns the bytes that words stand for, as a person may type
// them: in any case, separated by any run of white space, hyphens or commas. A
// beginning of a list is a list; no words are no bytes.
//
// The error names the first word at fault by its number, from 1. A word of the
// other list means that a word before it was left out, repeated or swapped.
func ParseWords(s string) ([]byte, error) {
	words := strings.FieldsFunc(s, func(r rune) bool {
		return r == ' ' || r == '\t' || r == '\n' || r == '\r' || r == '-' || r == ','
	})
	b := make([]byte, 0, len(words))
	for i, w := range words {
		c, ok := findWord(wordList(i), w)
		if _, other := findWord(wordList(i+1), w); !ok && other {
			return nil, fmt.Errorf("word %d, %q, does not belong at this place: a word before it was left out, repeated or swapped", i+1, w)
		}
		if !ok {
			return nil, fmt.Errorf("word %d, %q, is not in the word list", i+1, w)
		}
		b = append(b, c)
	}
	return b, nil
}

func findWord(list *[256]string, word string) (byte, bool) {
	for i, w := range list {
		if strings.EqualFold(w, word) {
			return byte(i), true
		}
	}
	return 0, false
}
