package token

import (
	"fmt"
	"strings"
	"testing"
)

// TestChecks: every function has its check, and only those.
func TestChecks(t *testing.T) {
	for _, f := range Functions {
		if _, ok := checks[f]; !ok {
			t.Errorf("%s has no check", f)
		}
	}
	if len(checks) != len(Functions) {
		t.Errorf("%d checks, %d functions", len(checks), len(Functions))
	}
}

func TestCheck(t *testing.T) {
	p := newPIN("739154826037")
	good := []Call{
		{Function: Initialize}, {Function: GetSlotList}, {Function: Login, PIN: p}, {Function: Login, User: NormalUser, PIN: p},
		{Function: InitToken, PIN: p, Label: strings.Repeat("é", 16)},
		{Function: InitToken, PIN: p, Label: "a"},
		{Function: SetPIN, PIN: p, NewPIN: p},
		{Function: GetAttribute, Want: []uint{CKA_LABEL}},
		{Function: FindObjects, Max: 1}, {Function: FindObjects, Max: MaxObjects},
		{Function: GenerateRandom, Length: MaxRandom, Purpose: PurposeSecret},
		{Function: Sign, Data: []byte{0}},
	}
	for _, c := range good {
		if err := c.Check(); err != nil {
			t.Errorf("%s: %v", c.Function, err)
		}
	}
	bad := map[string]Call{
		`"C_WrapKey"`:                  {Function: "C_WrapKey"},
		"no PIN was given":             {Function: Login},
		"no new PIN was given":         {Function: SetPIN, PIN: p},
		"neither CKU_SO nor CKU_USER":  {Function: Login, User: 2, PIN: p},
		"label is empty":               {Function: InitToken, PIN: p},
		"has 33 bytes, at most 32 fit": {Function: InitToken, PIN: p, Label: strings.Repeat("é", 16) + "x"},
		"ends in a space":              {Function: InitToken, PIN: p, Label: "x "},
		"control character":            {Function: InitToken, PIN: p, Label: "x\x7f"},
		"is not UTF-8":                 {Function: InitToken, PIN: p, Label: "\xffx"},
		"CKA_PRIVATE_EXPONENT is not":  {Function: GetAttribute, Want: []uint{CKA_LABEL, 0x123}},
		"CKA_VALUE is not":             {Function: GenerateKeyPair, Private: []Attribute{{Type: 0x11}}},
		"no attribute is asked for":    {Function: GetAttribute},
		"0 objects asked for":          {Function: FindObjects},
		"there is nothing to sign":     {Function: Sign},
		`purpose "" is not`:            {Function: GenerateRandom, Length: 8},
		"1025 random bytes asked for":  {Function: GenerateRandom, Length: 1025, Purpose: PurposeSerial},
	}
	for want, c := range bad {
		err := c.Check()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", c.Function, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "739154826037") {
			t.Errorf("the error shows the PIN: %v", err)
		}
	}
}

// TestPINShows: however a call is printed, its PINs are not.
func TestPINShows(t *testing.T) {
	c := Call{Function: SetPIN, PIN: newPIN("739154826037"), NewPIN: newPIN("480016253894")}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%X", "%q", "%d", "%c"} {
		for _, v := range []any{c, &c, c.PIN, []PIN{c.PIN}, map[string]PIN{"a": c.PIN}} {
			s := fmt.Sprintf(verb, v)
			for _, secret := range []string{"739154826037", "480016253894", "373339313534", "55 51 57", "1 2", "7 3 9"} {
				if strings.Contains(s, secret) {
					t.Errorf("%s shows %q", verb, s)
				}
			}
		}
	}
}
