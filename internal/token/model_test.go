package token

import (
	"strings"
	"testing"
)

func newPIN(s string) PIN { return NewPIN([]byte(s)) }

// pinCases are PINs with what is said of them; "" is acceptance.
var pinCases = []struct {
	model string
	kind  PINKind
	pin   string
	form  bool   // CheckForm accepts
	new   string // part of CheckNew's error
}{
	{"nitrokey-hsm", SOPIN, "8675309124680135", true, ""},
	{"nitrokey-hsm", SOPIN, "3537363231383830", true, "factory"},
	{"nitrokey-hsm", SOPIN, "867530912468013", false, "exactly 16 digits"},
	{"nitrokey-hsm", SOPIN, "86753091246801355", false, "exactly 16 digits"},
	{"nitrokey-hsm", SOPIN, "8675309124680abc", true, "OpenSC issue 674"},
	{"nitrokey-hsm", SOPIN, "867530912468ABCD", true, "OpenSC issue 674"},
	{"nitrokey-hsm", SOPIN, "867530912468013g", false, "exactly 16 digits"},
	{"nitrokey-hsm", SOPIN, "", false, "exactly 16 digits"},
	{"nitrokey-hsm", SOPIN, "0000000000000000", true, "one character repeated"},
	{"nitrokey-hsm", SOPIN, "0123456789012345", true, "counts up or down"},
	{"nitrokey-hsm", SOPIN, "9876543210987654", true, "counts up or down"},
	{"nitrokey-hsm", SOPIN, "8675309186753091", true, "repeats"},
	{"nitrokey-hsm", SOPIN, "4771477147714771", true, "repeats"},
	{"nitrokey-hsm", SOPIN, "1122334455667788", true, "common"},
	{"nitrokey-hsm", UserPIN, "739154", true, ""},
	{"nitrokey-hsm", UserPIN, "7391548", true, ""},
	{"nitrokey-hsm", UserPIN, "73915482", true, ""},
	{"nitrokey-hsm", UserPIN, "739154826", true, "6 to 8 digits"},
	{"nitrokey-hsm", UserPIN, "73915", false, "6 to 8 digits"},
	{"nitrokey-hsm", UserPIN, "7391548260371593", false, "6 to 8 digits"},
	{"nitrokey-hsm", UserPIN, "73915a", true, "6 to 8 digits"},
	{"nitrokey-hsm", UserPIN, "73915é", false, "6 to 8 digits"},
	{"nitrokey-hsm", UserPIN, "123456", true, "factory"},
	{"nitrokey-hsm", UserPIN, "648219", true, "factory"},
	{"nitrokey-hsm", UserPIN, "777777", true, "one character repeated"},
	{"nitrokey-hsm", UserPIN, "345678", true, "counts up or down"},
	{"nitrokey-hsm", UserPIN, "87654321", true, "counts up or down"},
	{"nitrokey-hsm", UserPIN, "890123", true, "counts up or down"},
	{"nitrokey-hsm", UserPIN, "210987", true, "counts up or down"},
	{"nitrokey-hsm", UserPIN, "739739", true, "repeats"},
	{"nitrokey-hsm", UserPIN, "737373", true, "repeats"},
	{"nitrokey-hsm", UserPIN, "112233", true, "common"},
	{"nitrokey-hsm", UserPIN, "159753", true, "common"},
	{"softhsm2", SOPIN, "4817", true, ""},
	{"softhsm2", SOPIN, "481", false, "4 to 255"},
	{"softhsm2", UserPIN, "korrekt pferd!", true, ""},
	{"softhsm2", UserPIN, "Password", true, "common"},
	{"softhsm2", UserPIN, "648219", true, "factory"},
	{"softhsm2", UserPIN, "a\x00bcd", false, "4 to 255"},
	{"softhsm2", UserPIN, strings.Repeat("ab7", 86), false, "4 to 255"},
	{"generic", UserPIN, "4817", true, ""},
	{"generic", UserPIN, "48", false, "4 to 255"},
}

func TestPINRules(t *testing.T) {
	for _, c := range pinCases {
		m := Models[c.model]
		err := m.CheckForm(c.kind, newPIN(c.pin))
		if (err == nil) != c.form {
			t.Errorf("%s %s %q: CheckForm: %v", c.model, c.kind, c.pin, err)
		}
		quiet(t, err, c.pin)
		err = m.CheckNew(c.kind, newPIN(c.pin))
		if (err == nil) != (c.new == "") || err != nil && !strings.Contains(err.Error(), c.new) {
			t.Errorf("%s %s %q: CheckNew: %v, want %q", c.model, c.kind, c.pin, err, c.new)
		}
		quiet(t, err, c.pin)
	}
}

// quiet checks that an error does not hold the PIN it speaks of.
func quiet(t *testing.T, err error, pin string) {
	t.Helper()
	if err != nil && pin != "" && strings.Contains(strings.ToLower(err.Error()), strings.ToLower(pin)) {
		t.Errorf("the error has the PIN in it: %v", err)
	}
}

// TestNoLength: the error is the same for every PIN that breaks the same rule,
// so it tells nothing of the PIN.
func TestNoLength(t *testing.T) {
	for name, m := range Models {
		for _, kind := range []PINKind{SOPIN, UserPIN} {
			texts := map[string]bool{}
			for _, p := range []string{"", "1", "12", "xyz", strings.Repeat("q", 256), strings.Repeat("9", 300)} {
				for _, err := range []error{m.CheckForm(kind, newPIN(p)), m.CheckNew(kind, newPIN(p))} {
					if err == nil {
						t.Errorf("%s %s: %d bytes are accepted", name, kind, len(p))
						continue
					}
					texts[err.Error()] = true
				}
			}
			if len(texts) != 2 {
				t.Errorf("%s %s: %d different texts, want one a check: %v", name, kind, len(texts), texts)
			}
		}
	}
}

// FuzzCheck: no PIN makes a check panic or show it, and what is fit to be set
// has a form that is accepted afterwards.
func FuzzCheck(f *testing.F) {
	for _, c := range pinCases {
		f.Add([]byte(c.pin))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for name, m := range Models {
			for _, kind := range []PINKind{SOPIN, UserPIN} {
				p := NewPIN(append([]byte(nil), b...))
				if m.CheckNew(kind, p) == nil && m.CheckForm(kind, p) != nil {
					t.Errorf("%s: a %s may be set and then not be used", name, kind)
				}
				p.Reveal(func(got []byte) {
					if string(got) != string(b) {
						t.Error("a check changed the PIN")
					}
				})
			}
		}
	})
}

func TestModels(t *testing.T) {
	for name, m := range Models {
		if m.Name != name || m.Title == "" {
			t.Errorf("%s: name %q, title %q", name, m.Name, m.Title)
		}
		if m.Backup == "" || m.Origin == "" {
			t.Errorf("%s: says nothing of backups or of where a key was made", name)
		}
		for algorithm, d := range m.Keys {
			if d.Usual <= 0 || d.Long <= d.Usual {
				t.Errorf("%s: %s takes %v", name, algorithm, d)
			}
		}
		for _, kind := range []PINKind{SOPIN, UserPIN} {
			r := m.Rule(kind)
			if r.InUse.Each == nil || r.New.Each == nil || r.InUse.Words == "" || r.New.Words == "" || r.New.Max > r.InUse.Max || r.New.Min < r.InUse.Min {
				t.Errorf("%s: rule of the %s: %+v", name, kind, r)
			}
			if p, ok := m.FactoryPIN(kind); ok && m.CheckForm(kind, p) != nil {
				t.Errorf("%s: the factory %s has not its form", name, kind)
			}
		}
	}
	if p, ok := Models["nitrokey-hsm"].FactoryPIN(SOPIN); !ok || p.Empty() {
		t.Error("a Nitrokey HSM has a factory SO-PIN")
	}
	if _, ok := Models["softhsm2"].FactoryPIN(UserPIN); ok {
		t.Error("SoftHSM2 has no factory PIN")
	}
}

func TestRecognise(t *testing.T) {
	for want, infos := range map[string][]TokenInfo{
		"nitrokey-hsm": {
			{Manufacturer: "www.CardContact.de", Model: "PKCS#15 emulated", Serial: "DENK0100001", Label: "SmartCard-HSM (UserPIN)"},
			{Manufacturer: "www.CardContact.de", Label: "root"},
		},
		"softhsm2": {{Manufacturer: "SoftHSM project", Model: "SoftHSM v2"}},
		"generic":  {{}, {Manufacturer: "Example Corp", Model: "HSM 9000"}},
	} {
		for _, info := range infos {
			if got := Recognise(info); got != want {
				t.Errorf("%+v is %s, want %s", info, got, want)
			}
		}
	}
}

// TestLabelled: OpenSC shows the label of the PIN behind the token's, which it
// cuts to 22 bytes.
func TestLabelled(t *testing.T) {
	const long = "Example Root CA of the Year 2026"
	for _, c := range []struct {
		model, asked, told string
		want               bool
	}{
		{"nitrokey-hsm", "Example Root", "Example Root (UserPIN)", true},
		{"nitrokey-hsm", "Example Root", "Example Root", true},
		{"nitrokey-hsm", long, long[:19] + "... (UserPIN)", true},
		{"nitrokey-hsm", long, long[:22] + " (UserPIN)", false},
		{"nitrokey-hsm", long[:22], long[:22] + " (UserPIN)", true},
		{"nitrokey-hsm", "Example Root", "Example Root 2 (UserPIN)", false},
		{"nitrokey-hsm", "", "SmartCard-HSM (UserPIN)", false},
		{"softhsm2", "Example Root", "Example Root", true},
		{"softhsm2", "Example Root", "Example Root (UserPIN)", false},
		{"generic", "Example Root", "Example", false},
	} {
		if got := Models[c.model].Labelled(TokenInfo{Label: c.told}, c.asked); got != c.want {
			t.Errorf("%s: %q for %q: %v", c.model, c.told, c.asked, got)
		}
	}
}

func TestUsed(t *testing.T) {
	for _, c := range []struct {
		model string
		flags uint
		want  string
	}{
		{"softhsm2", 0, "never initialised"},
		{"softhsm2", CKF_TOKEN_INITIALIZED, "was initialised before"},
		{"nitrokey-hsm", CKF_TOKEN_INITIALIZED, "does not tell"},
		{"nitrokey-hsm", 0, "never initialised"},
		{"generic", CKF_TOKEN_INITIALIZED, "was initialised before"},
	} {
		if got := Models[c.model].Used(c.flags); !strings.Contains(got, c.want) {
			t.Errorf("%s 0x%x: %s", c.model, c.flags, got)
		}
	}
}

func TestWithInfo(t *testing.T) {
	g := Models["generic"]
	m := g.WithInfo(TokenInfo{MinPIN: 8, MaxPIN: 12})
	if m.CheckNew(UserPIN, newPIN("7391548")) == nil || m.CheckNew(UserPIN, newPIN("73915482")) != nil || m.CheckNew(SOPIN, newPIN("7391548260371")) == nil {
		t.Error("the token's lengths 8 to 12 do not apply")
	}
	if err := m.CheckNew(UserPIN, newPIN("1")); !strings.Contains(err.Error(), "8 to 12 characters") {
		t.Errorf("%v", err)
	}
	for _, info := range []TokenInfo{{}, {MinPIN: 9, MaxPIN: 3}, {MinPIN: ^uint(0), MaxPIN: ^uint(0)}, {MaxPIN: 2}} {
		if got := g.WithInfo(info).User.New; got.Min != 4 && got.Max != 255 || got.Max < got.Min {
			t.Errorf("%+v gives %d to %d", info, got.Min, got.Max)
		}
	}
	if n := Models["nitrokey-hsm"].WithInfo(TokenInfo{MinPIN: 6, MaxPIN: 15}); n.CheckNew(UserPIN, newPIN("739154826")) == nil {
		t.Error("a known model takes the token's word")
	}
}

// TestRehearsal: SoftHSM2 in a rehearsal asks for the PINs of the real token,
// but keeps its own way of counting.
func TestRehearsal(t *testing.T) {
	soft, nitro := Models["softhsm2"], Models["nitrokey-hsm"]
	m := soft.WithPINRulesOf(nitro)
	if m.CheckNew(SOPIN, newPIN("4817")) == nil || m.CheckNew(SOPIN, newPIN("8675309124680135")) != nil || m.CheckNew(UserPIN, newPIN("73915a")) == nil {
		t.Error("the rules of the rehearsed model do not apply")
	}
	if m.SO.Tries != 0 || m.Name != "softhsm2" || !m.SOLoginChecks {
		t.Errorf("%+v", m)
	}
	if Models["softhsm2"].SO.New.Min != 4 {
		t.Error("the model itself was changed")
	}
}

func TestTries(t *testing.T) {
	n := Models["nitrokey-hsm"]
	const init = 0x400 // CKF_TOKEN_INITIALIZED
	tests := []struct {
		model string
		kind  PINKind
		flags uint
		want  Tries
	}{
		{"nitrokey-hsm", UserPIN, init, TriesAll},
		{"nitrokey-hsm", UserPIN, init | CKF_USER_PIN_COUNT_LOW, TriesLow},
		{"nitrokey-hsm", UserPIN, init | CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY, TriesLast},
		{"nitrokey-hsm", UserPIN, init | CKF_USER_PIN_LOCKED, TriesNone},
		{"nitrokey-hsm", SOPIN, init | CKF_USER_PIN_LOCKED, TriesNotTold},
		{"nitrokey-hsm", SOPIN, init | CKF_SO_PIN_COUNT_LOW, TriesLow},
		{"nitrokey-hsm", SOPIN, init | CKF_SO_PIN_FINAL_TRY, TriesLast},
		{"nitrokey-hsm", SOPIN, init | CKF_SO_PIN_LOCKED, TriesNone},
		{"softhsm2", SOPIN, CKF_SO_PIN_LOCKED, TriesNotTold}, // not initialised
		{"softhsm2", UserPIN, init, TriesNotTold},
		{"softhsm2", UserPIN, init | CKF_USER_PIN_COUNT_LOW, TriesLow},
		{"generic", SOPIN, init, TriesNotTold},
		{"generic", SOPIN, init | CKF_SO_PIN_FINAL_TRY, TriesLast},
	}
	for _, test := range tests {
		if got := Models[test.model].Tries(test.kind, test.flags); got != test.want {
			t.Errorf("%s %s 0x%x: %v, want %v", test.model, test.kind, test.flags, got, test.want)
		}
	}
	if n.SO.Tries != 15 || !n.SO.Final || n.User.Tries != 3 || n.User.Final {
		t.Errorf("tries: %+v, %+v", n.SO, n.User)
	}
}

func TestJudge(t *testing.T) {
	yes, no := []byte{1}, []byte{0}
	tests := []struct {
		attr    uint
		value   []byte
		present bool
		want    map[string]string // by model; "" for all others
	}{
		{CKA_EXTRACTABLE, yes, true, map[string]string{"": Bad}},
		{CKA_EXTRACTABLE, no, true, map[string]string{"": Good}},
		{CKA_EXTRACTABLE, nil, false, map[string]string{"": NotTold}},
		{CKA_SENSITIVE, yes, true, map[string]string{"": Good}},
		{CKA_SENSITIVE, no, true, map[string]string{"": Bad, "nitrokey-hsm": NotTold}},
		{CKA_ALWAYS_SENSITIVE, no, true, map[string]string{"": Bad, "nitrokey-hsm": NotTold}},
		{CKA_NEVER_EXTRACTABLE, no, true, map[string]string{"": Bad, "nitrokey-hsm": NotTold}},
		{CKA_LOCAL, no, true, map[string]string{"": Bad, "nitrokey-hsm": NotTold}},
		{CKA_LOCAL, yes, true, map[string]string{"": Good}},
		{CKA_PRIVATE, no, true, map[string]string{"": Bad, "nitrokey-hsm": NotTold}},
		{CKA_SIGN, no, true, map[string]string{"": Bad}},
		{CKA_TOKEN, no, true, map[string]string{"": Bad}},
		{CKA_SENSITIVE, []byte{2}, true, map[string]string{"": Bad}},
		{CKA_SENSITIVE, []byte{}, true, map[string]string{"": Bad}},
		{CKA_SENSITIVE, nil, false, map[string]string{"": NotTold}},
		{CKA_LABEL, []byte("x"), true, map[string]string{"": NotTold}},
	}
	for _, test := range tests {
		for name, m := range Models {
			want, ok := test.want[name]
			if !ok {
				want = test.want[""]
			}
			judged, why := m.Judge(test.attr, test.value, test.present)
			if judged != want || why == "" {
				t.Errorf("%s: %s = %x (%v) is %s because %q, want %s", name, AttributeName(test.attr), test.value, test.present, judged, why, want)
			}
		}
	}
}
