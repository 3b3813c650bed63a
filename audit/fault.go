package audit

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/keyrite/keyrite/internal/canonjson"
)

// members are an entry's members in canonical order.
var members = [...]string{"data", "kind", "prev", "salt", "seq", "step", "time"}

// fault says why b is no entry. It looks for the first byte that is not
// canonical JSON; then at the members' names, at those beside the data, at the
// kind, at the data.
func fault(b []byte) error {
	if len(b) > MaxEntry {
		return fmt.Errorf("%d bytes, over %d", len(b), MaxEntry)
	}
	m, err := split(b)
	if err != nil {
		return err
	}
	if err := checkFields(m); err != nil {
		return err
	}
	kind, ok := kindPlans()[text(m[1].Value)]
	if !ok {
		return wrong(m[1], "a kind of this format version")
	}
	return checkDataMember(kind, m[0])
}

// split returns the seven members of an entry.
func split(b []byte) ([]canonjson.Member, error) {
	m, err := canonjson.Members(b)
	if err != nil {
		return nil, err
	}
	for i, name := range members {
		if i >= len(m) {
			return nil, &canonjson.SyntaxError{Offset: int64(len(b)) - 1, Want: fmt.Sprintf("member %q", name)}
		}
		if string(m[i].Name) != name {
			return nil, &canonjson.SyntaxError{Offset: m[i].Offset - int64(len(m[i].Name)) - 3, Want: fmt.Sprintf("member %q", name)}
		}
	}
	if len(m) > len(members) {
		next := m[len(members)]
		return nil, &canonjson.SyntaxError{Offset: next.Offset - int64(len(next.Name)) - 3, Want: "no further member"}
	}
	return m, nil
}

// wrong is the error for a member whose value is not what it should be.
func wrong(m canonjson.Member, want string) error {
	return &canonjson.SyntaxError{Offset: m.Offset, Want: want}
}

// text returns a JSON string's value, or "" if b is none.
func text(b []byte) string {
	s, _ := canonjson.Unquote(b)
	return s
}

// checkFields looks at all members but data and kind.
func checkFields(m []canonjson.Member) error {
	prev, salt, seq, step, when := m[2], m[3], m[4], m[5], m[6]
	if !isHex(prev.Value, HashSize) {
		return wrong(prev, "64 lower-case hex digits")
	}
	if !isHex(salt.Value, SaltSize) {
		return wrong(salt, "32 lower-case hex digits")
	}
	if n, err := strconv.ParseInt(string(seq.Value), 10, 64); err != nil || n < 0 {
		return wrong(seq, "an integer from 0")
	}
	if step.Value[0] != '"' {
		return wrong(step, "a string")
	}
	said := text(when.Value)
	if t, err := time.Parse(timeLayout, said); err != nil || t.Format(timeLayout) != said {
		return wrong(when, "a time in UTC with nine fractional digits")
	}
	return nil
}

// isHex reports whether a value is a string of n bytes in lower-case hex.
func isHex(value []byte, n int) bool {
	s := text(value)
	b, err := hex.DecodeString(s)
	return err == nil && len(b) == n && strings.ToLower(s) == s
}

// checkDataMember finds the first byte of the member data that is not the one
// encoding of what it says: what a type does not know, or cannot hold, is not
// written again.
func checkDataMember(k *kind, m canonjson.Member) error {
	d := k.empty()
	var mismatch *json.UnmarshalTypeError
	if err := json.Unmarshal(m.Value, d); err != nil && !errors.As(err, &mismatch) {
		return wrong(m, "the data of a "+k.name+" entry: "+err.Error())
	}
	again, err := k.data.append(nil, reflect.ValueOf(d).Elem())
	if err != nil {
		return err
	}
	at := 0
	for at < min(len(m.Value), len(again)) && m.Value[at] == again[at] {
		at++
	}
	rest := again[at:]
	return &canonjson.SyntaxError{
		Offset: m.Offset + int64(at),
		Want:   fmt.Sprintf("data as the kind %q has it: %q", k.name, rest[:min(len(rest), 24)]),
	}
}
