package token_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/keyrite/keyrite/internal/token"
)

// TestPINNeverPrints plants a PIN in everything that might print one.
func TestPINNeverPrints(t *testing.T) {
	const planted = "735190264"
	pin := token.NewPIN([]byte(planted))
	holder := struct {
		Open   token.PIN
		hidden token.PIN
		ptr    *token.PIN
		list   []token.PIN
		m      map[string]token.PIN
		call   token.Call
	}{pin, pin, &pin, []token.PIN{pin}, map[string]token.PIN{"x": pin}, token.Call{PIN: pin, NewPIN: pin}}
	j, err := json.Marshal(holder)
	if err != nil {
		t.Fatal(err)
	}
	var shown strings.Builder
	shown.Write(j)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%c", "%U", "%o", "%b", "%T"} {
		for _, v := range []any{pin, &pin, holder, &holder, []any{holder}} {
			fmt.Fprintf(&shown, verb+"\n", v)
		}
	}
	for _, form := range []string{planted, fmt.Sprintf("%x", planted), fmt.Sprintf("%X", planted), strings.Trim(fmt.Sprint([]byte(planted)), "[]"), fmt.Sprintf("%#v", []byte(planted))} {
		if strings.Contains(shown.String(), form) {
			t.Errorf("the PIN shows as %q", form)
		}
	}
	if fmt.Sprint(pin) != "[redacted]" {
		t.Errorf("a PIN prints as %q", fmt.Sprint(pin))
	}
}

func TestPIN(t *testing.T) {
	b := []byte("1234")
	p := token.NewPIN(b)
	q := p
	if !p.Equal(token.NewPIN([]byte("1234"))) || p.Equal(token.NewPIN([]byte("1235"))) || p.Equal(token.PIN{}) {
		t.Error("Equal does not compare the bytes")
	}
	if p.Empty() || !(token.PIN{}).Empty() || !token.NewPIN(nil).Empty() {
		t.Error("Empty is wrong")
	}
	p.Wipe()
	if string(b) != "\x00\x00\x00\x00" {
		t.Errorf("Wipe left %q", b)
	}
	if !p.Empty() || !q.Empty() {
		t.Error("a wiped PIN, or a copy of it, is not empty")
	}
	p.Wipe() // a second time does nothing
}
