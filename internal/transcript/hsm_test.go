package transcript

import (
	"strings"
	"testing"

	"github.com/keyrite/keyrite/audit"
)

// callLog makes intents with outcomes from "function rv" pairs; an empty rv
// leaves the outcome away.
func callLog(calls ...[2]string) []*audit.Entry {
	var entries []*audit.Entry
	add := func(d audit.Data) int64 {
		seq := int64(len(entries))
		entries = append(entries, &audit.Entry{Seq: seq, Data: d})
		return seq
	}
	for _, c := range calls {
		seq := add(&audit.HSMIntent{Function: c[0], Slot: "0"})
		if c[1] != "" {
			add(&audit.HSMOutcome{Intent: seq, Function: c[0], RV: c[1], Micros: 1500})
		}
	}
	return entries
}

func table(entries []*audit.Entry) string {
	f := gather(Source{Entries: entries})
	var b strings.Builder
	for _, l := range f.callTable(f.callsIn(entries)) {
		if l.Style == Alarm {
			b.WriteString("! ")
		}
		b.WriteString(strings.Join(strings.Fields(l.Text), " ") + "\n")
	}
	return b.String()
}

func TestCallTable(t *testing.T) {
	ok := "CKR_OK"
	for name, c := range map[string]struct {
		calls [][2]string
		want  string
	}{
		"one":            {[][2]string{{"C_Login", ok}}, "0 C_Login slot 0 CKR_OK 1.500\n"},
		"failed":         {[][2]string{{"C_Login", "CKR_PIN_LOCKED"}}, "! 0 C_Login slot 0 FAILED 1.500\n! returned CKR_PIN_LOCKED\n"},
		"no outcome":     {[][2]string{{"C_Sign", ""}}, "! 0 C_Sign slot 0 UNKNOWN\n! no outcome was recorded: nobody has settled what happened\n"},
		"two reads":      {[][2]string{{"C_GetInfo", ok}, {"C_GetInfo", ok}}, "0 C_GetInfo slot 0 CKR_OK 1.500\n2 C_GetInfo slot 0 CKR_OK 1.500\n"},
		"three reads":    {[][2]string{{"C_GetInfo", ok}, {"C_GetInfo", ok}, {"C_GetInfo", ok}}, "0 C_GetInfo 3 calls, entries 0 to 5 CKR_OK 4.500\n"},
		"other function": {[][2]string{{"C_GetInfo", ok}, {"C_GetInfo", ok}, {"C_GetSlotList", ok}, {"C_GetInfo", ok}}, "0 C_GetInfo slot 0 CKR_OK 1.500\n2 C_GetInfo slot 0 CKR_OK 1.500\n4 C_GetSlotList slot 0 CKR_OK 1.500\n6 C_GetInfo slot 0 CKR_OK 1.500\n"},
		"one of them failed": {[][2]string{{"C_GetInfo", ok}, {"C_GetInfo", ok}, {"C_GetInfo", "CKR_GENERAL_ERROR"}, {"C_GetInfo", ok}},
			"0 C_GetInfo slot 0 CKR_OK 1.500\n2 C_GetInfo slot 0 CKR_OK 1.500\n! 4 C_GetInfo slot 0 FAILED 1.500\n! returned CKR_GENERAL_ERROR\n6 C_GetInfo slot 0 CKR_OK 1.500\n"},
		"never folded": {[][2]string{{"C_Login", ok}, {"C_Login", ok}, {"C_Login", ok}}, "0 C_Login slot 0 CKR_OK 1.500\n2 C_Login slot 0 CKR_OK 1.500\n4 C_Login slot 0 CKR_OK 1.500\n"},
	} {
		if got := table(callLog(c.calls...)); got != c.want {
			t.Errorf("%s:\n%swant\n%s", name, got, c.want)
		}
	}
}

// TestLoneOutcome: an outcome whose intent is missing is not passed over.
func TestLoneOutcome(t *testing.T) {
	got := table([]*audit.Entry{{Seq: 9, Data: &audit.HSMOutcome{Intent: 4, Function: "C_Sign", RV: "CKR_OK"}}})
	want := "! 9 C_Sign 0.000\n! returned CKR_OK; its intent, entry 4, is not among the entries\n"
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestOnlyReadsFold: no function that may change a token is told in one row
// with others.
func TestOnlyReadsFold(t *testing.T) {
	for _, f := range []string{"C_InitToken", "C_InitPIN", "C_SetPIN", "C_Login", "C_GenerateKeyPair", "C_SignInit", "C_Sign", "C_DestroyObject", "C_GenerateRandom", "C_Logout", "C_CloseSession", "C_CloseAllSessions", "C_Finalize", "C_Initialize", "C_OpenSession"} {
		if readOnly[f] {
			t.Errorf("%s is told in one row", f)
		}
	}
}

func TestSignatureCount(t *testing.T) {
	entries := []*audit.Entry{
		{Seq: 0, Data: &audit.ToBeSigned{Key: "root"}},
		{Seq: 1, Data: &audit.HSMIntent{Function: "C_Sign", For: 0}},
		{Seq: 2, Data: &audit.HSMOutcome{Intent: 1, Function: "C_Sign", RV: "CKR_OK"}},
		{Seq: 3, Data: &audit.HSMIntent{Function: "C_Sign", For: 77}},
		{Seq: 4, Data: &audit.HSMOutcome{Intent: 3, Function: "C_Sign", RV: "CKR_OK"}},
		{Seq: 5, Data: &audit.HSMIntent{Function: "C_Sign", For: 0}},
		{Seq: 6, Data: &audit.HSMOutcome{Intent: 5, Function: "C_Sign", RV: "CKR_DEVICE_ERROR"}},
	}
	f := gather(Source{Entries: entries})
	if len(f.signatures) != 2 || f.signatures["root"] != 1 || f.signatures[unexplained] != 1 {
		t.Errorf("signatures counted as %v", f.signatures)
	}
}
