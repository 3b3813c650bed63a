package canonjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/gowebpki/jcs"
)

func nested(depth int) string { return strings.Repeat("[", depth) + strings.Repeat("]", depth) }

var validTests = []string{
	`{}`, `[]`, `""`, `0`, `-1`, `true`, `false`, `null`,
	`9007199254740991`, `-9007199254740991`,
	`{"a":1,"b":[2,"x",{}],"c":null}`,
	`{"":0,"a":0}`,
	`"\"\\\b\f\n\r\t\u0000\u0007\u000b\u000e\u001f"`,
	"\"\x7f\u0080\u2028\u2029\ufeff\ufffd\uffff\U0001f600\U0010ffff/<>&'\"",
	`["Łukasz","山田","Ελένη"]`,
	`{"\r":1,"1":2,"a":3,"ö":4,"€":5,"` + "\U0001f600" + `":6,"` + "\ufb33" + `":7}`, // RFC 8785 section 3.2.3
	`{"` + "\U00010000" + `":0,"` + "\ue000" + `":0}`,                                // D800 DC00 before E000
	`{"\b":0,"\t":0,"\n":0,"\"":0,"\\":0}`,
	nested(MaxDepth),
	strings.Repeat(`{"a":`, MaxDepth) + "1" + strings.Repeat("}", MaxDepth),
}

func TestValid(t *testing.T) {
	for _, in := range validTests {
		if err := Valid([]byte(in)); err != nil {
			t.Errorf("Valid(%q) = %v", in, err)
		}
		want, err := jcs.Transform([]byte(`{"x":` + in + `}`))
		if err != nil || string(want) != `{"x":`+in+`}` {
			t.Errorf("the oracle canonicalises %q to %q, %v", in, want, err)
		}
	}
}

// Each test: bytes that are not canonical, the offset of the first one at
// fault, and a word of what was wanted there.
var invalidTests = []struct {
	class, in string
	at        int64
	want      string
}{
	{"empty", ``, 0, "a value"},
	{"white-space-before", ` 1`, 0, "a value"},
	{"white-space-after", `1 `, 1, "the end"},
	{"white-space-inside", `[1, 2]`, 3, "a value"},
	{"white-space-before-comma", `[1 ,2]`, 2, `","`},
	{"white-space-after-name", `{"a" :1}`, 4, `":"`},
	{"white-space-after-colon", `{"a": 1}`, 5, "a value"},
	{"white-space-in-empty", `{ }`, 1, "a member name"},
	{"newline-at-end", "{}\n", 2, "the end"},
	{"byte-order-mark", "\ufeff1", 0, "a value"},
	{"two-values", `{}{}`, 2, "the end"},
	{"nul", "\x00", 0, "a value"},
	{"literal-case", `True`, 0, "a value"},
	{"literal-cut", `tru`, 3, "true"},
	{"literal-other", `nul1`, 3, "null"},
	{"literal-long", `truee`, 4, "the end"},
	{"array-open", `[1`, 2, `","`},
	{"array-trailing-comma", `[1,]`, 3, "a value"},
	{"array-leading-comma", `[,1]`, 1, "a value"},
	{"array-wrong-bracket", `[1}`, 2, `","`},
	{"object-open", `{"a":1`, 6, `","`},
	{"object-trailing-comma", `{"a":1,}`, 7, "a member name"},
	{"object-name-number", `{1:2}`, 1, "a member name"},
	{"object-no-value", `{"a":}`, 5, "a value"},
	{"object-wrong-bracket", `{"a":1]`, 6, `","`},
	{"names-order", `{"b":1,"a":2}`, 7, "UTF-16"},
	{"names-twice", `{"a":1,"a":2}`, 7, "UTF-16"},
	{"names-empty-twice", `{"":1,"":2}`, 6, "UTF-16"},
	{"names-prefix-last", `{"ab":1,"a":2}`, 8, "UTF-16"},
	{"names-code-point-order", `{"` + "\ue000" + `":0,"` + "\U00010000" + `":0}`, 9, "UTF-16"},
	{"names-escape-order", `{"\n":0,"\t":0}`, 8, "UTF-16"},
	{"names-escaped-twice", `{"\n":0,"\n":0}`, 8, "UTF-16"},
	{"names-deep", `[[{"b":1,"a":2}]]`, 9, "UTF-16"},
	{"number-plus", `+1`, 0, "a value"},
	{"number-minus-alone", `-`, 1, "a digit"},
	{"number-minus-letter", `-a`, 1, "a digit"},
	{"number-negative-zero", `-0`, 0, "without a sign"},
	{"number-leading-zero", `01`, 0, "leading zero"},
	{"number-leading-zeros", `[00]`, 1, "leading zero"},
	{"number-negative-leading-zero", `-01`, 1, "leading zero"},
	{"number-fraction", `1.0`, 1, "fraction"},
	{"number-fraction-zero", `0.5`, 1, "fraction"},
	{"number-exponent", `1e3`, 1, "fraction"},
	{"number-exponent-upper", `1E3`, 1, "fraction"},
	{"number-beyond", `9007199254740992`, 0, "2^53-1"},
	{"number-beyond-negative", `[-9007199254740992]`, 1, "2^53-1"},
	{"number-huge", `1` + strings.Repeat("0", 400), 0, "2^53-1"},
	{"number-hex", `0x1`, 1, "the end"},
	{"number-infinity", `Infinity`, 0, "a value"},
	{"string-open", `"a`, 2, `\"`},
	{"string-single-quotes", `'a'`, 0, "a value"},
	{"string-control", "\"a\x01\"", 2, "escape for a control"},
	{"string-newline", "\"\n\"", 1, "escape for a control"},
	{"string-slash-escaped", `"\/"`, 1, "shortest escape"},
	{"string-escape-cut", `"\`, 1, "shortest escape"},
	{"string-escape-unknown", `"\x"`, 1, "shortest escape"},
	{"string-escape-upper", `"\N"`, 1, "shortest escape"},
	{"string-unicode-cut", `"\u00`, 1, "shortest escape"},
	{"string-unicode-letter", `"\u0041"`, 1, "shortest escape"},
	{"string-unicode-newline", `"\u000a"`, 1, "shortest escape"},
	{"string-unicode-backspace", `"\u0008"`, 1, "shortest escape"},
	{"string-unicode-upper-hex", `"\u001F"`, 1, "shortest escape"},
	{"string-unicode-delete", `"\u007f"`, 1, "shortest escape"},
	{"string-unicode-line-separator", `"\u2028"`, 1, "shortest escape"},
	{"string-lone-surrogate", `"\ud800"`, 1, "shortest escape"},
	{"string-surrogate-pair", `"\ud83d\ude00"`, 1, "shortest escape"},
	{"string-surrogate-utf8", "\"\xed\xa0\x80\"", 1, "UTF-8"},
	{"string-bad-utf8", "\"a\xff\"", 2, "UTF-8"},
	{"string-overlong", "\"\xc0\xaf\"", 1, "UTF-8"},
	{"string-cut-utf8", "\"\xe2\x82\"", 1, "UTF-8"},
	{"string-beyond-unicode", "\"\xf4\x90\x80\x80\"", 1, "UTF-8"},
	{"depth", nested(MaxDepth + 1), MaxDepth, "32 levels"},
	{"depth-objects", strings.Repeat(`{"a":`, MaxDepth) + "{}" + strings.Repeat("}", MaxDepth), 5 * MaxDepth, "32 levels"},
	{"depth-bomb", strings.Repeat("[", 1<<20), MaxDepth, "32 levels"},
	{"comment", `[1/**/]`, 2, `","`},
}

func TestInvalid(t *testing.T) {
	for _, test := range invalidTests {
		err := Valid([]byte(test.in))
		var syntax *SyntaxError
		if !errors.As(err, &syntax) {
			t.Errorf("%s: Valid(%.40q) = %v, want a SyntaxError", test.class, test.in, err)
			continue
		}
		if syntax.Offset != test.at || !strings.Contains(syntax.Want, test.want) {
			t.Errorf("%s: Valid(%.40q) = %v, want byte %d: …%s…", test.class, test.in, err, test.at, test.want)
		}
	}
}

// Every proper beginning of a canonical object is refused at its end or before.
func TestCutShort(t *testing.T) {
	whole := `{"a":[1,-20,"x\n\u0001é"],"b":{"c":true,"d":null}}`
	if err := Valid([]byte(whole)); err != nil {
		t.Fatal(err)
	}
	for n := range whole {
		var syntax *SyntaxError
		if err := Valid([]byte(whole[:n])); !errors.As(err, &syntax) || syntax.Offset > int64(n) {
			t.Errorf("Valid(%q) = %v", whole[:n], err)
		}
	}
}

func TestMembers(t *testing.T) {
	in := `{"a":1,"b\n":{"c":[2]},"d":"x"}`
	got, err := Members([]byte(in))
	if err != nil {
		t.Fatal(err)
	}
	want := []Member{{[]byte("a"), []byte("1"), 5}, {[]byte(`b\n`), []byte(`{"c":[2]}`), 13}, {[]byte("d"), []byte(`"x"`), 27}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("Members = %v, want %v", got, want)
	}
	for _, m := range got {
		if !bytes.HasPrefix([]byte(in[m.Offset:]), m.Value) {
			t.Errorf("member %q is not at %d", m.Name, m.Offset)
		}
	}
	for _, bad := range []string{"", "[]", "1", `{"a":1}x`, `{"a":01}`} {
		var syntax *SyntaxError
		if _, err := Members([]byte(bad)); !errors.As(err, &syntax) {
			t.Errorf("Members(%q): %v", bad, err)
		}
	}
}

func TestUnquote(t *testing.T) {
	for _, in := range validTests {
		var want any
		if err := json.Unmarshal([]byte(in), &want); err != nil {
			t.Fatal(err)
		}
		text, isString := want.(string)
		if got, ok := Unquote([]byte(in)); got != text || ok != isString {
			t.Errorf("Unquote(%q) = %q, %v", in, got, ok)
		}
	}
}

func TestMarshal(t *testing.T) {
	type pair struct {
		Z int    `json:"a"`
		A string `json:"z"`
	}
	tests := []struct {
		in   any
		want string
	}{
		{pair{1, "<&>\u2028\u2029\x7f"}, "{\"a\":1,\"z\":\"<&>\u2028\u2029\x7f\"}"},
		{map[string]any{"b": []int{}, "a": []int(nil), "": map[string]int{}}, `{"":{},"a":null,"b":[]}`},
		{map[string]int{"\ue000": 1, "\U00010000": 2, "\n": 3}, `{"\n":3,"` + "\U00010000" + `":2,"` + "\ue000" + `":1}`},
		{"\x00\b\t\n\v\f\r\x1f\"\\/", `"\u0000\b\t\n\u000b\f\r\u001f\"\\/"`},
		{"a\xffb", "\"a\ufffdb\""},
		{[]any{true, false, nil, int64(MaxInt), int64(-MaxInt), uint8(7)}, `[true,false,null,9007199254740991,-9007199254740991,7]`},
		{json.RawMessage(` { "b" : "\u00e9\ud83d\ude00\/" , "a" : [ ] } `), `{"a":[],"b":"é😀/"}`},
	}
	for _, test := range tests {
		got, err := Marshal(test.in)
		if err != nil || string(got) != test.want {
			t.Errorf("Marshal(%#v) = %q, %v; want %q", test.in, got, err, test.want)
		}
		if err := Valid(got); err != nil {
			t.Errorf("Marshal(%#v) = %q: %v", test.in, got, err)
		}
	}
}

func TestMarshalRefuses(t *testing.T) {
	deep := any(1)
	for range MaxDepth + 1 {
		deep = []any{deep}
	}
	for name, v := range map[string]any{
		"fraction":   1.5,
		"big float":  1e300,
		"2^53":       int64(MaxInt + 1),
		"-2^53":      int64(-MaxInt - 1),
		"uint64":     uint64(math.MaxUint64),
		"depth":      deep,
		"duplicates": json.RawMessage(`{"a":1,"\u0061":2}`),
		"channel":    make(chan int),
		"NaN":        math.NaN(),
	} {
		if b, err := Marshal(v); err == nil {
			t.Errorf("%s: Marshal gives %q", name, b)
		}
	}
}

// remarshal sends canonical JSON through Go values and back.
func remarshal(b []byte) ([]byte, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	return Marshal(v)
}

func FuzzValid(f *testing.F) {
	for _, in := range validTests {
		f.Add([]byte(in))
	}
	for _, test := range invalidTests {
		if len(test.in) < 1000 {
			f.Add([]byte(test.in))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		err := Valid(b)
		var syntax *SyntaxError
		if err != nil && (!errors.As(err, &syntax) || syntax.Offset < 0 || syntax.Offset > int64(len(b))) {
			t.Fatalf("Valid(%q) = %v", b, err)
		}
		again, merr := remarshal(b)
		if err == nil && (merr != nil || !bytes.Equal(again, b)) {
			t.Fatalf("valid %q is marshalled again as %q, %v", b, again, merr)
		}
		if err != nil {
			return
		}
		wrapped := append(append([]byte(`{"x":`), b...), '}')
		if oracle, err := jcs.Transform(wrapped); err != nil || !bytes.Equal(oracle, wrapped) {
			t.Fatalf("valid %q is by the oracle %q, %v", wrapped, oracle, err)
		}
	})
}

// What the oracle canonicalises is valid, as far as it lies in the subset.
func FuzzMarshal(f *testing.F) {
	for _, in := range validTests {
		f.Add(in)
	}
	f.Fuzz(func(t *testing.T, s string) {
		b, err := Marshal(map[string]any{"a": s, s: []string{s}})
		if err != nil {
			if strings.Contains(err.Error(), "twice") {
				return
			}
			t.Fatal(err)
		}
		if err := Valid(b); err != nil {
			t.Fatalf("Marshal of %q gives %q: %v", s, b, err)
		}
		if oracle, err := jcs.Transform(b); err != nil || !bytes.Equal(oracle, b) {
			t.Fatalf("%q is by the oracle %q, %v", b, oracle, err)
		}
	})
}

func BenchmarkValid(b *testing.B) {
	entry := []byte(`{"data":{"function":"C_GetTokenInfo","intent":41,"micros":1204,"rv":"CKR_OK"},"kind":"hsm-outcome","prev":"2f0c0f3b1b1e7f0b1a9c8d7e6f5a4b3c2d1e0f9a8b7c6d5e4f3a2b1c0d9e8f7a","salt":"00112233445566778899aabbccddeeff","seq":42,"step":"token-identify","time":"2026-03-04T09:15:00.123456789Z"}`)
	b.SetBytes(int64(len(entry)))
	for b.Loop() {
		if err := Valid(entry); err != nil {
			b.Fatal(err)
		}
	}
}

// Every byte at every place of a word is judged as it is alone.
func TestPlainWord(t *testing.T) {
	for c := range 256 {
		for place := range 8 {
			word := uint64(0x6161616161616161)&^(0xff<<(8*place)) | uint64(c)<<(8*place)
			if got := plainWord(word); got != plain[c] {
				t.Errorf("byte %#x at %d: plainWord says %v", c, place, got)
			}
		}
	}
}

// Text and Int read what Valid accepts of a string and an integer, and what
// follows does not matter to them.
func TestTextAndInt(t *testing.T) {
	for _, b := range []string{
		`""`, `"a"`, `"a\n\u0001ü"`, `"a\u0061"`, `"a`, `a"`, ``, `"`, `"\`, "\"\xff\"", `0`, `-0`, `00`, `-1`, `12`, `-`, `x`,
		`9007199254740991`, `9007199254740992`, `-9007199254740991`, `1.5`, `1e3`, `null`, `[]`,
	} {
		valid := Valid([]byte(b)) == nil
		content, size, escaped := Text([]byte(b + ","))
		if isText := valid && b[0] == '"'; isText && size != len(b) || !isText && size != 0 {
			t.Errorf("Text(%q) takes %d bytes", b, size)
		} else if isText {
			if want, _ := Unquote([]byte(b)); string(content) != b[1:len(b)-1] || escaped == (string(content) == want) {
				t.Errorf("Text(%q) is %q, escaped %v", b, content, escaped)
			}
		}
		n, size := Int([]byte(b + ","))
		if isInt := valid && strings.ContainsAny(b[:1], "-0123456789"); isInt && size != len(b) || !isInt && size != 0 {
			t.Errorf("Int(%q) takes %d bytes", b, size)
		} else if isInt && fmt.Sprint(n) != b {
			t.Errorf("Int(%q) is %d", b, n)
		}
	}
}
