package main

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/ceremony"
	"github.com/keyrite/keyrite/internal/simcard"
	"github.com/keyrite/keyrite/internal/simcard/pcsc"
	"github.com/keyrite/keyrite/internal/token"
	"github.com/keyrite/keyrite/internal/token/softhsm"
)

// spareStage is a stage whose SoftHSM2 has a token that was in use, and a script
// that names another serial number. The token's own is returned.
func spareStage(t *testing.T) (s *stage, serial string) {
	t.Helper()
	s = setUp(t, "production")
	s.script("serial: any", `serial: "0123456789abcdef"`)
	return s, s.usedToken("Spare One")
}

// script replaces a text of the stage's script.
func (s *stage) script(old, with string) {
	s.t.Helper()
	file := filepath.Join(s.dir, "script.yaml")
	b, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(b), old) {
		s.t.Fatalf("the script has no %q (%v)", old, err)
	}
	if err := os.WriteFile(file, []byte(strings.Replace(string(b), old, with, 1)), 0o644); err != nil {
		s.t.Fatal(err)
	}
}

var serialRow = regexp.MustCompile(`(?m)^  serial +([0-9a-f]{16})$`)

// usedToken initialises a SoftHSM2 token and returns its serial number.
func (s *stage) usedToken(label string) string {
	s.t.Helper()
	command(s.t, s.dir, s.env, 0, "softhsm2-util", "--init-token", "--free", "--label", label, "--so-pin", usual.factory, "--pin", usual.user)
	module, err := softhsm.Module()
	if err != nil {
		s.t.Fatal(err)
	}
	out := s.keyrite(0, "token", "--module", module)
	_, of, _ := strings.Cut(out, label)
	m := serialRow.FindStringSubmatch(of)
	if m == nil {
		s.t.Fatalf("no serial number in %s", out)
	}
	return m[1]
}

// untouched wants every file of the token as it was, and no bundle.
func (s *stage) untouched(before map[string]string) {
	s.t.Helper()
	after := s.tokenFiles()
	if len(after) != len(before) {
		s.t.Errorf("the token has %d files, had %d", len(after), len(before))
	}
	for name, b := range before {
		if after[name] != b {
			s.t.Errorf("the token's %s changed", name)
		}
	}
	for _, left := range []string{s.out, s.out + ".token"} {
		if _, err := os.Lstat(left); err == nil {
			s.t.Errorf("%s was made", left)
		}
	}
}

// tokenFiles are the token's objects on the disk.
func (s *stage) tokenFiles() map[string]string {
	s.t.Helper()
	files := map[string]string{}
	list, err := filepath.Glob(filepath.Join(s.dir, "token", "tokens", "*", "*.object"))
	if err != nil || len(list) == 0 {
		s.t.Fatalf("the token has no files (%v)", err)
	}
	for _, name := range list {
		b, err := os.ReadFile(name)
		if err != nil {
			s.t.Fatal(err)
		}
		files[name] = string(b)
	}
	return files
}

// rehearseSpare begins a rehearsal on the spare device.
func (s *stage) rehearseSpare() *terminal {
	s.t.Helper()
	return open(s.t, s.dir, s.env, "rehearse", "script.yaml", "--token", "spare", "--out", s.out)
}

// confirmed answers both questions.
func (c *terminal) confirmed(serial, label string) {
	c.t.Helper()
	for _, answer := range []string{"yes", serial} {
		p, ok := c.next()
		if !ok || !strings.Contains(p.text, serial) || !strings.Contains(p.text, label) {
			c.t.Fatalf("the question does not name the device %s %q: %q", serial, label, p.text)
		}
		c.enter(answer + "\r")
	}
}

// TestSpareSoftHSM rehearses a script for production on a token that was in use,
// with a break; the resume binds the same token.
func TestSpareSoftHSM(t *testing.T) {
	t.Parallel()
	s, serial := spareStage(t)
	module, err := softhsm.Module()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(s.dir, placeFile), []byte("keyrite-place: 1\nmodule: "+module+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := s.rehearseSpare()
	c.confirmed(serial, "Spare One")
	c.until("Begin now: \"Generate the root key\"")
	c.enter("!\r")
	c.say("pause", "for the test")
	c.exits(4)
	s.keyrite(2, "resume", s.out, "--answers", "script.yaml")
	c = s.resume()
	c.ends(0)
	s.verified("This was a REHEARSAL")
	if n := s.calls("C_InitToken", "CKR_OK"); n != 1 {
		t.Errorf("the device was initialised %d times", n)
	}
	for _, d := range logged[*audit.Token](s) {
		if d.Info.Serial != serial {
			t.Errorf("the rehearsal was on %q, not on %q", d.Info.Serial, serial)
		}
	}
	for _, d := range logged[*audit.Place](s) {
		if len(d.Settings) != 1 || d.Settings[0] != (audit.Result{Name: "module", Value: module}) {
			t.Errorf("of the place file counts %v", d.Settings)
		}
	}
	said := false
	for _, d := range logged[*audit.Result](s) {
		said = said || d.Name == "REHEARSAL on a spare device" && strings.Contains(d.Value, serial) && strings.Contains(d.Value, "0123456789abcdef")
	}
	if !said {
		t.Error("the log does not say that it was on a spare device")
	}
	if _, err := os.Stat(s.out + ".token"); err == nil {
		t.Error("the note about the device is still there")
	}
}

// TestSpareRefused: the ceremony's own token, alone or beside a spare one, two
// that fit, none, and people who do not confirm. Nothing is written.
func TestSpareRefused(t *testing.T) {
	t.Parallel()
	s, serial := spareStage(t)
	files := s.tokenFiles()
	for _, c := range []struct {
		answers []string
		said    string
	}{
		{[]string{"no"}, "was not confirmed as a spare one"},
		{[]string{"yes", "0123456789abcdef"}, `("0123456789abcdef" was typed): nothing was done to it`},
		{[]string{"yes", ""}, "was not confirmed as a spare one"},
		{[]string{"yes", "!"}, "was not confirmed as a spare one"},
	} {
		term := s.rehearseSpare()
		term.say(c.answers...)
		term.sees(c.said)
		term.exits(2)
		s.untouched(files)
	}
	term := s.rehearseSpare()
	if _, ok := term.next(); !ok {
		t.Fatal("it does not ask")
	}
	term.enter("\x03")
	term.exits(3)
	s.untouched(files)

	s.keyrite(2, "rehearse", "script.yaml", "--token", "spare", "--answers", "script.yaml", "--out", s.out)
	s.script(`"0123456789abcdef"`, "any")
	term = s.rehearseSpare()
	term.sees("does not name the serial number of the ceremony's token")
	term.say("no")
	term.exits(2)
	s.script("serial: any", `serial: "`+strings.ToUpper(serial)+`"`)
	term = s.rehearseSpare()
	term.sees("is the ceremony's own (token \"hsm\" of the script), not a spare one: nothing was done")
	term.exits(3)
	s.untouched(files)

	s.usedToken("Spare Two")
	files = s.tokenFiles()
	term = s.rehearseSpare()
	term.sees("is the ceremony's own")
	term.exits(3)
	s.script(strings.ToUpper(serial), "0123456789abcdef")
	term = s.rehearseSpare()
	term.sees("2 devices could be the spare one")
	term.exits(3)
	s.untouched(files)
}

// TestSpareOther: which of the tokens that are there is the spare device.
func TestSpareOther(t *testing.T) {
	t.Parallel()
	spec := &ceremony.TokenSpec{Name: "hsm", Model: "nitrokey-hsm", Serial: "DENK0000001"}
	card := func(serial string) token.TokenInfo {
		return token.TokenInfo{Serial: serial, Label: "L", Model: "PKCS#15 emulated", Manufacturer: "www.CardContact.de"}
	}
	soft := token.TokenInfo{Serial: "00aa", Model: "SoftHSM v2", Manufacturer: "SoftHSM project"}
	for _, c := range []struct {
		list []token.TokenInfo
		want string // the serial number, or of the error
	}{
		{nil, "seen: no token"},
		{[]token.TokenInfo{soft}, "no spare device of the model"},
		{[]token.TokenInfo{card("")}, "no spare device of the model"},
		{[]token.TokenInfo{soft, card("DENK0000002")}, "DENK0000002"},
		{[]token.TokenInfo{card("DENK0000002"), card("DENK0000001")}, "ceremony's own"},
		{[]token.TokenInfo{card(" denk0000001 ")}, "ceremony's own"},
		{[]token.TokenInfo{card("DENK0000002"), card("DENK0000003")}, "leave one of them in"},
	} {
		got, err := chooseSpare(spec, c.list)
		if text := func() string {
			if err != nil {
				return err.Error()
			}
			return got.Serial
		}(); !strings.Contains(text, c.want) {
			t.Errorf("%v: %s, want %s", c.list, text, c.want)
		}
	}
}

// TestSpareCard rehearses a script for a Nitrokey HSM on another card that is
// in the machine's reader, through OpenSC, and is refused on the ceremony's.
func TestSpareCard(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("", "spare-")
	if err != nil {
		t.Fatal(err)
	}
	d, err := pcsc.Start(dir)
	if err != nil {
		t.Fatal(err)
	}
	memory := simcard.File(filepath.Join(dir, "card"))
	b, err := simcard.Manufacture("ZZSIM000042", "Practice", rand.Reader)
	if err == nil {
		err = memory.Create(b)
	}
	if err != nil {
		t.Fatal(err)
	}
	card, err := simcard.Open(memory, simcard.Options{Random: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	seat, err := d.Insert(0, card)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := seat.Remove(); err != nil {
			t.Error(err)
		}
		if err := d.Stop(); err != nil {
			t.Error(err)
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	s := &stage{t: t, dir: t.TempDir(), env: []string{pcsc.SocketEnv + "=" + d.Socket()}}
	s.out = filepath.Join(s.dir, "bundle")
	s.keyrite(0, "new", "root-ca", "-o", "script.yaml")
	s.script(`"DENK0000000"`, `"ZZSIM000042"`)
	before, err := os.ReadFile(string(memory))
	if err != nil {
		t.Fatal(err)
	}
	c := s.rehearseSpare()
	c.sees("is the ceremony's own")
	c.exits(3)
	if after, err := os.ReadFile(string(memory)); err != nil || string(after) != string(before) {
		t.Errorf("the ceremony's card was changed (%v)", err)
	}
	s.script(`"ZZSIM000042"`, `"DENK0000000"`)
	c = s.rehearseSpare()
	c.confirmed("ZZSIM000042", "Practice")
	c.ends(0)
	s.verified("This was a REHEARSAL")
	if after, err := os.ReadFile(string(memory)); err != nil || string(after) == string(before) {
		t.Errorf("nothing was written to the spare card (%v)", err)
	}
	for _, d := range logged[*audit.Token](s) {
		if d.Info.Serial != "ZZSIM000042" || !strings.Contains(d.Module.Manufacturer, "OpenSC") {
			t.Errorf("serial %q, module of %q", d.Info.Serial, d.Module.Manufacturer)
		}
	}
}
