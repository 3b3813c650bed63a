package recorded

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/token"
	"github.com/keyrite/keyrite/internal/token/fake"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestMembers prints for every function the members that its intent and its
// outcome have when every argument of token.Call is set, and compares the table
// with testdata/members.txt.
func TestMembers(t *testing.T) {
	var table strings.Builder
	for _, f := range token.Functions {
		st := stageOn(t, fake.New())
		if f == token.Sign || f == token.FindObjects || f == token.FindObjectsFinal {
			prepare(t, st, f)
		}
		if f == token.InitToken || f == token.Initialize || f == token.InitPIN {
			// What their outcome has is seen when they succeed; here they fail.
			st.m.inner = broken{}
		}
		r, err := st.m.Do(st.calls[f])
		intent := members(t, st.log.entries[r.Seq-1].Data)
		outcome := members(t, st.log.entries[r.Seq].Data)
		fmt.Fprintf(&table, "%s\n\tintent:  %s\n\toutcome: %s\n", f, intent, outcome)
		if err != nil && f != token.Login && f != token.SetPIN {
			t.Errorf("%s: %v", f, err)
		}
	}
	const golden = "testdata/members.txt"
	if *update {
		if err := os.WriteFile(golden, []byte(table.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if table.String() != string(want) {
		t.Errorf("what is recorded changed; look at it and run with -update:\n%s", table.String())
	}
}

// prepare starts the operation that f goes on with.
func prepare(t *testing.T, st stage, f token.Function) {
	t.Helper()
	first := token.FindObjectsInit
	if f == token.Sign {
		first = token.SignInit
	}
	c := st.calls[first]
	if first == token.FindObjectsInit {
		c.Template = nil
	}
	if _, err := st.m.Do(c); err != nil {
		t.Fatal(err)
	}
}

// members returns an entry's members and, for those that hold no value of the
// token's, their values.
func members(t *testing.T, d audit.Data) string {
	t.Helper()
	b, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(b, &all); err != nil {
		t.Fatal(err)
	}
	var names []string
	for name, value := range all {
		switch name {
		case "pin", "new_pin", "flags", "user", "mechanism", "purpose", "length", "for", "label", "attributes":
			name += "=" + string(value)
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

// TestSoftInfo: what a module says must never make an entry that cannot be
// written: bytes that are not UTF-8, numbers over 2^53.
func TestSoftInfo(t *testing.T) {
	info := TokenInfo(token.TokenInfo{Label: "a\xffb", MinPIN: 0, MaxPIN: ^uint(0), Flags: 1 << 40})
	if info.Label != "a\uFFFDb" || info.MaxPIN != 1<<53-1 || info.Flags[0] != "CKF_0x10000000000" {
		t.Errorf("%+v", info)
	}
	got := attributes([]token.Attribute{
		{Type: token.CKA_LABEL, Value: []byte("\xff")},
		{Type: token.CKA_SENSITIVE, Value: []byte{2}},
		{Type: token.CKA_CLASS, Value: []byte{1}},
		{Type: 0x11, Value: []byte("a secret")},
		{Type: token.CKA_ID, Err: token.CKR_ATTRIBUTE_SENSITIVE},
	})
	want := []audit.Attribute{
		{Type: "CKA_LABEL", Value: "malformed: ff"},
		{Type: "CKA_SENSITIVE", Value: "malformed: 02"},
		{Type: "CKA_CLASS", Value: "malformed: 01"},
		{Type: "CKA_VALUE", Value: redacted},
		{Type: "CKA_ID", Error: "CKR_ATTRIBUTE_SENSITIVE"},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %+v", got)
	}
}
