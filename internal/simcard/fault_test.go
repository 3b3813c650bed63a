package simcard

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"testing"
	"time"

	"github.com/keyrite/keyrite/internal/simcard/apdu"
)

// TestFaults: a wrong PIN as the third command, and what is left of it.
func TestFaults(t *testing.T) {
	wrong, _ := hex.DecodeString("0020008106313131313131")
	for name, c := range map[string]struct {
		fault  Fault
		want   string // the answer, "" for none
		left   int    // tries of the user PIN
		asleep time.Duration
		user   bool // still given
	}{
		"none":                  {Fault{At: 9}, "63c2", 2, 0, false},
		"removed before":        {Fault{At: 3, Kind: Removed}, "", 3, 0, true},
		"removed after":         {Fault{At: 3, Kind: Removed, After: true}, "", 2, 0, false},
		"power lost before":     {Fault{At: 3, Kind: PowerLost}, "6d00", 3, 0, false},
		"power lost after":      {Fault{At: 3, Kind: PowerLost, After: true}, "63c2", 2, 0, false},
		"another status":        {Fault{At: 3, Kind: BadStatus, Status: apdu.NoPreciseDiagnosis}, "6f00", 3, 0, true},
		"slow":                  {Fault{At: 3, Kind: Slow, For: time.Second}, "63c2", 2, time.Second, false},
		"silent, then removed":  {Fault{At: 3, Kind: Silent, For: time.Second}, "", 3, time.Second, true},
		"silent after the deed": {Fault{At: 3, Kind: Silent, For: time.Second, After: true}, "", 2, time.Second, false},
	} {
		k := newBench(t)
		var asleep time.Duration
		f := &Faulty{Card: k.Card, Plan: []Fault{c.fault}, Sleep: func(d time.Duration) { asleep += d }}
		for _, command := range []string{"00A404000BE82B0601040181C31F020100", "0020008106363438323139"} {
			b, _ := hex.DecodeString(command)
			if _, err := f.Transmit(b); err != nil {
				t.Fatal(err)
			}
		}
		answer, err := f.Transmit(wrong)
		if hex.EncodeToString(answer) != c.want || (c.want == "") != errors.Is(err, ErrRemoved) {
			t.Errorf("%s: answer %x, %v", name, answer, err)
		}
		if k.s.User.Left != c.left || asleep != c.asleep || k.user != c.user || f.Count() != 3 {
			t.Errorf("%s: %d tries left, %v asleep, user %v, %d commands", name, k.s.User.Left, asleep, k.user, f.Count())
		}
	}
}

// FuzzCard: no command that can be typed makes the card fall over, and its
// memory can always be read.
func FuzzCard(f *testing.F) {
	made, err := Manufacture("ZZSIM000001", "", rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{"0020008106363438323139", "00D7CF010754020000 5301AA", "00B12F020454020000 00", "8058000000", "805000001880020001810636343832313982083537363231383830", "80680170 01AA00", "80740193 01AA", "8052000000"} {
		b, err := hex.DecodeString(string(bytes.ReplaceAll([]byte(seed), []byte(" "), nil)))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, true)
	}
	f.Fuzz(func(t *testing.T, command []byte, user bool) {
		m := &memory{held: [][]byte{made}}
		c, err := Open(m, Options{Random: rand.Reader})
		if err != nil {
			t.Fatal(err)
		}
		c.selected, c.user = true, user
		c.s.DKEK = &dkek{Value: share(1)}
		answer, err := c.Transmit(command)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := apdu.Split(answer); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(m, Options{}); err != nil {
			t.Fatal(err)
		}
	})
}
