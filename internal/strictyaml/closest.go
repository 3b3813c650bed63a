package strictyaml

import (
	"fmt"
	"strings"
)

// Closest returns the word of known that somebody may have meant who wrote word,
// or "" if none is close.
func Closest(word string, known []string) string {
	best, dist := "", 1+max(1, len(word)/3)
	for _, k := range known {
		if d := distance(fold(word), fold(k)); d < dist {
			best, dist = k, d
		}
	}
	return best
}

// Instead returns how a message about an unknown word goes on: ", did you mean
// "x"?" if a known word is close, else ", expected one of …" with all of them.
func Instead(word string, known []string) string {
	switch c := Closest(word, known); {
	case c != "":
		return fmt.Sprintf(", did you mean %q?", c)
	case len(known) == 0:
		return ""
	}
	return ", expected one of " + strings.Join(known, ", ")
}

func fold(s string) []rune {
	return []rune(strings.NewReplacer("-", "_", " ", "_").Replace(strings.ToLower(s)))
}

// distance counts the letters to insert, delete, replace or swap with their
// neighbour to make b of a.
func distance(a, b []rune) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			d := min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d = min(d, rows[i-2][j-2]+1)
			}
			rows[i][j] = d
		}
	}
	return rows[len(a)][len(b)]
}
