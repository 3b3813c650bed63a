package strictyaml

import (
	"fmt"
	"regexp"
	"strings"
)

// wholeNumber is the one form of a number that is read.
var wholeNumber = regexp.MustCompile(`^(0|-?[1-9][0-9]{0,15})$`)

// numeric forms of YAML 1.1 and 1.2 (core schema) other than wholeNumber, and
// what else a reader may take for a number or a date.
var (
	otherNumber = regexp.MustCompile(`^[-+]?(0b[01_]+|0o[0-7_]+|0x[0-9a-fA-F_]+|[0-9][0-9_]*|\.[0-9][0-9_]*([eE][-+]?[0-9]+)?|[0-9][0-9_]*(\.[0-9_]*)?([eE][-+]?[0-9]+)?|\.(inf|Inf|INF))$|^\.(nan|NaN|NAN)$`)
	sexagesimal = regexp.MustCompile(`^[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?$`)
	date        = regexp.MustCompile(`^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt ].*)?$`)
)

// surprise says what some YAML readers take an unquoted value for, if they do
// not take it for the text it seems to be; "" if all agree. Whole numbers and
// true and false are judged by the field they stand in.
func surprise(v string) string {
	switch {
	case v == "":
		return "" // an empty value, reported as such
	case wholeNumber.MatchString(v), v == "true", v == "false":
		return ""
	case otherNumber.MatchString(v), sexagesimal.MatchString(v):
		return quote(v, "a number")
	case date.MatchString(v):
		return quote(v, "a date")
	case v == "=":
		return quote(v, "a default value")
	}
	switch strings.ToLower(v) {
	case "y", "yes", "on", "n", "no", "off", "true", "false":
		return quote(v, "true or false")
	case "~", "null":
		return quote(v, "no value at all")
	}
	return ""
}

func quote(v, as string) string {
	return fmt.Sprintf("some readers take %s for %s: put it in quotes, %q", v, as, v)
}

var commentStart = regexp.MustCompile(`^#[^ #!\n-]`)

// cutOff says that a comment that follows a value may be meant as part of it.
func cutOff(comment string) string {
	if !commentStart.MatchString(comment) {
		return ""
	}
	word, _, _ := strings.Cut(comment, " ")
	return fmt.Sprintf("%q begins a comment here, so the text ends before it: put the whole text in quotes, or write %q if it is a comment", word, "# "+word[1:])
}
