package vectortest

import (
	"bytes"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/keyrite/keyrite/audit"
)

// at marks, in the texts below, the byte at fault. It is taken out.
const at = "§"

// A text is an entry as bytes, with the mark.
type text struct{ name, about, entry string }

// What stands around an entry's data.
const (
	tail   = `,"kind":"result"` + fixed
	fixed  = `,"prev":"` + prev + `","salt":"` + salt + `","seq":2,"step":"roll-call","time":"` + when + `"}`
	prev   = `9536020590a1f82acbf8ec76edda7fcdbbd67a5c7f6d345ac62c86a9f62d95dc`
	salt   = `9b5f323ba7f2545e1731d736409ba1e8`
	when   = `2026-03-04T09:15:04.623456789Z`
	fair   = `{"data":{"name":"weather","value":"fair"}`
	before = `{"data":{"name":"weather","value":`
)

// result is an entry of kind result whose value is given as JSON.
func result(value string) string { return before + value + `}` + tail }

// number is an entry of kind clock-jump with a number given as JSON.
func number(n string) string {
	return `{"data":{"monotonic_ms":` + n + `,"wall_ms":0},"kind":"clock-jump"` + fixed
}

// swap replaces a part of an entry that is right.
func swap(old, by string) string {
	good := fair + tail
	if strings.Count(good, old) != 1 {
		panic("vectortest: not once in the entry: " + old)
	}
	return strings.Replace(good, old, by, 1)
}

// syntax are entries that are not canonical JSON.
func syntax() []text {
	return []text{
		{"json-empty", "no byte at all", at},
		{"json-truncated", "the last brace is missing", strings.TrimSuffix(fair+tail, "}") + at},
		{"json-not-an-object", "an array around the entry", at + "[" + fair + tail + "]"},
		{"json-bom", "a byte order mark in front", at + "\ufeff" + fair + tail},
		{"json-trailing-newline", "a line feed behind", fair + tail + at + "\n"},
		{"json-trailing-value", "a second value behind", fair + tail + at + "{}"},
		{"json-white-space", "a space after a colon", swap(`"value":`, `"value":`+at+` `)},
		{"json-white-space-first", "a space in front", at + " " + fair + tail},
		{"json-duplicate-key", "a member of data twice", swap(`"value":"fair"`, `"value":"fair",`+at+`"value":"foul"`)},
		{"json-duplicate-member", "the member seq twice", swap(`"seq":2,`, `"seq":2,`+at+`"seq":2,`)},
		{"json-key-order", "members of data in another order", `{"data":{"value":"fair",` + at + `"name":"weather"}` + tail},
		{"json-member-order", "kind in front of data", `{"kind":"result",` + at + `"data":{"name":"weather","value":"fair"}` + fixed},
		{"json-utf16-order", "two names in the order of code points, which is not that of UTF-16 code units", `{"data":{"` + "\ue000" + `":0,` + at + `"😀":0}` + tail},
		{"json-comma", "a comma after the last member", swap(`"value":"fair"`, `"value":"fair",`+at)},
		{"json-single-quotes", "a string in single quotes", result(at + `'fair'`)},
		{"json-comment", "a comment", swap(`,"kind"`, at+`/**/,"kind"`)},

		{"json-escape-slash", "a solidus that need not be escaped", result(`"a` + at + `\/b"`)},
		{"json-escape-letter", "a letter that need not be escaped", result(`"` + at + `\u0066air"`)},
		{"json-escape-short", "a line feed as \\u000a, not \\n", result(`"a` + at + `\u000ab"`)},
		{"json-escape-upper-case", "a control character with upper-case hex digits", result(`"a` + at + `\u001Fb"`)},
		{"json-escape-unicode", "a character beyond ASCII, escaped", result(`"` + at + `\u2028"`)},
		{"json-escape-pair", "a surrogate pair, escaped", result(`"` + at + `\ud83d\ude00"`)},
		{"json-escape-lone-surrogate", "half of a surrogate pair, escaped", result(`"` + at + `\ud83d"`)},
		{"json-escape-unknown", "an escape that JSON does not have", result(`"a` + at + `\x41"`)},
		{"json-lone-surrogate", "half of a surrogate pair, in the bytes that UTF-8 would give it", result(`"a` + at + "\xed\xa0\xbd" + `b"`)},
		{"json-utf8", "a byte that is no UTF-8", result(`"fa` + at + "\xff" + `ir"`)},
		{"json-utf8-overlong", "a solidus in two bytes", result(`"` + at + "\xc0\xaf" + `"`)},
		{"json-utf8-cut", "a character of three bytes that ends after two", result(`"` + at + "\xe2\x80" + `"`)},
		{"json-control", "a tab in a string that is not escaped", result(`"a` + at + "\t" + `b"`)},
		{"json-nul", "a byte 0 in a string", result(`"a` + at + "\x00" + `b"`)},

		{"json-number-beyond", "2^53", number(at + `9007199254740992`)},
		{"json-number-beyond-below", "-(2^53)", number(at + `-9007199254740992`)},
		{"json-number-fraction", "1.0", number(`1` + at + `.0`)},
		{"json-number-exponent", "1e3", number(`1` + at + `e3`)},
		{"json-number-negative-zero", "-0", number(at + `-0`)},
		{"json-number-leading-zero", "01", number(at + `01`)},
		{"json-number-plus", "+1", number(at + `+1`)},
		{"json-number-minus", "a minus sign alone", number(`-` + at)},
		{"json-number-nan", "NaN", number(at + `NaN`)},
		{"json-literal", "True", result(at + `True`)},
		{"json-depth", "arrays in the value, 33 levels deep with the two objects around", result(strings.Repeat("[", 30) + at + "[" + strings.Repeat("]", 31))},
	}
}

// meaning are entries that are canonical JSON and no entries.
func meaning() []text {
	return []text{
		{"json-unknown-kind", "a kind that is in no table", fair + `,"kind":` + at + `"gossip"` + fixed},
		{"json-kind-number", "a number for kind", fair + `,"kind":` + at + `7` + fixed},
		{"json-unknown-field", "a member of data that the kind does not have", swap(`"value":"fair"`, `"value":"fair"`+at+`,"wind":""`)},
		{"json-unknown-member", "an eighth member of the entry", swap(`"time":"`+when+`"`, `"time":"`+when+`",`+at+`"zeal":0`)},
		{"json-unknown-member-first", "a member of the entry before data", `{` + at + `"a":0,` + strings.TrimPrefix(fair+tail, "{")},
		{"json-missing-field", "a member of data is missing", swap(`"name":"weather","value"`, `"`+at+`value"`)},
		{"json-missing-member", "the member step is missing", swap(`"step":"roll-call",`, at)},
		{"json-missing-last-member", "the member time is missing", swap(`,"time":"`+when+`"}`, at+"}")},
		{"json-field-case", "a member's name in another case", swap(`"name"`, `"`+at+`Name"`)},
		{"json-field-type", "a number for a string", result(at + `7`)},
		{"json-field-null", "null for a string", result(at + `null`)},
		{"json-list-null", "null for a list", `{"data":{"log_key":"","people":` + at + `null,"words":""},"kind":"key-read"` + fixed},
		{"json-list-element", "a number in a list of strings", `{"data":{"log_key":"","people":["w1",` + at + `7],"words":""},"kind":"key-read"` + fixed},
		{"json-data-list", "a list for data", `{"data":` + at + `[]` + tail},
		{"json-optional-empty", "an empty string for a member that is then missing", `{"data":{"re` + at + `ason":"","result":"done"},"kind":"step-end"` + fixed},
		{"json-number-string", "a string for an integer", number(at + `"1"`)},
		{"json-seq-negative", "a negative seq", swap(`"seq":2`, `"seq":`+at+`-1`)},
		{"json-seq-string", "a string for seq", swap(`"seq":2`, `"seq":`+at+`"2"`)},
		{"json-prev-upper-case", "prev in upper-case hex", swap(`"`+prev+`"`, at+`"`+strings.ToUpper(prev)+`"`)},
		{"json-prev-short", "prev of 63 digits", swap(`"`+prev+`"`, at+`"`+prev[1:]+`"`)},
		{"json-salt-long", "salt of 33 digits", swap(`"`+salt+`"`, at+`"`+salt+`0"`)},
		{"json-step-null", "null for step", swap(`"roll-call"`, at+`null`)},
		{"json-time-milliseconds", "three fractional digits", swap(`"`+when+`"`, at+`"2026-03-04T09:15:04.623Z"`)},
		{"json-time-offset", "an offset in place of Z", swap(`"`+when+`"`, at+`"2026-03-04T09:15:04.623456789+00:00"`)},
		{"json-time-day", "a day that does not exist", swap(`"`+when+`"`, at+`"2026-02-29T09:15:04.623456789Z"`)},
		{"json-time-leap-second", "second 60", swap(`"`+when+`"`, at+`"2026-12-31T23:59:60.000000000Z"`)},
	}
}

// entries adds json- and the entries among ok-.
func (m *maker) entries() {
	for _, t := range slices.Concat(syntax(), meaning()) {
		bad, rest, ok := strings.Cut(t.entry, at)
		if !ok || strings.Contains(rest, at) {
			m.fail(fmt.Errorf("vector %q has not one mark", t.name))
		}
		m.add(Vector{Name: t.name, About: t.about, Input: InputEntry, Entry: -1, Offset: int64(len(bad)), Body: []byte(bad + rest)})
	}
	long := func(n int) string { return result(`"` + strings.Repeat("x", n-len(result(`""`))) + `"`) }
	m.add(Vector{Name: "json-too-long", About: "65,537 bytes", Input: InputEntry, Entry: -1, Offset: -1, Body: []byte(long(audit.MaxEntry + 1))})
	m.right("ok-longest", "65,536 bytes", InputEntry, long(audit.MaxEntry))
	m.right("ok-numbers", "the greatest number", InputEntry, number("9007199254740991"))
	m.right("ok-number-below", "the smallest number", InputEntry, number("-9007199254740991"))
	m.right("ok-strings", "every escape, and characters that have none", InputEntry, result(`"\"\\\b\t\n\f\r\u0000\u001f/`+"\x7f\u0080\u2028\ufeff\uffff😀"+`"`))
	m.right("ok-time", "a leap day, at its last nanosecond", InputEntry, swap(when, `2028-02-29T23:59:59.999999999Z`))
	m.kinds()
}

func (m *maker) right(name, about, input, body string) {
	m.add(Vector{Name: name, About: about, OK: true, Input: input, Entry: -1, Offset: -1, Body: []byte(body)})
}

// kinds adds one entry of every kind with every member, and one with only those
// that are always there.
func (m *maker) kinds() {
	var full, bare bytes.Buffer
	for _, kind := range slices.Sorted(maps.Keys(audit.Kinds)) {
		for out, fill := range map[*bytes.Buffer]bool{&full: true, &bare: false} {
			data := audit.Kinds[kind]()
			if fill {
				fillValue(reflect.ValueOf(data).Elem())
			}
			b, err := (&audit.Entry{Seq: 2, Step: "roll-call", Data: data, Time: time.Date(2026, 3, 4, 9, 15, 4, 623456789, time.UTC)}).Marshal()
			if err != nil {
				m.fail(err)
			}
			out.Write(append(b, '\n'))
		}
	}
	m.right("ok-kinds-full", "an entry of every kind, with every member", InputEntries, full.String())
	m.right("ok-kinds-bare", "an entry of every kind, with the members that are always there", InputEntries, bare.String())
}

// fillValue sets everything at any depth to something that is not empty.
func fillValue(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fillValue(v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			fillValue(v.Field(i))
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fillValue(v.Index(0))
		fillValue(v.Index(1))
	case reflect.String:
		v.SetString("ö\n")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(1)
	}
}
