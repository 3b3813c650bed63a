package simcard

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/keyrite/keyrite/internal/simcard/apdu"
)

// memory is a store that a test can make fail, and that remembers what it held.
type memory struct {
	held  [][]byte // the last is what it holds
	fails bool
}

func (m *memory) Load() ([]byte, error) { return m.held[len(m.held)-1], nil }

func (m *memory) Save(b []byte) error {
	if m.fails {
		return errors.New("no power")
	}
	m.held = append(m.held, bytes.Clone(b))
	return nil
}

// A bench is a card with what a test asks of it.
type bench struct {
	*testing.T
	*Card
	memory *memory
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b, err := Manufacture("ZZSIM000001", "", rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	k := &bench{T: t, memory: &memory{held: [][]byte{b}}}
	k.open()
	k.ok("00A404000B E82B0601040181C31F0201 00")
	return k
}

// open makes the card anew from what its store holds: the power was off.
func (k *bench) open() {
	k.Helper()
	c, err := Open(k.memory, Options{Random: rand.Reader})
	if err != nil {
		k.Fatal(err)
	}
	k.Card = c
}

// send sends a command in hex, blanks ignored.
func (k *bench) send(command string) ([]byte, apdu.Status) {
	k.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(command, " ", ""))
	if err != nil {
		k.Fatal(err)
	}
	return k.give(b)
}

func (k *bench) give(command []byte) ([]byte, apdu.Status) {
	k.Helper()
	answer, err := k.Transmit(command)
	if err != nil {
		k.Fatal(err)
	}
	data, status, err := apdu.Split(answer)
	if err != nil {
		k.Fatal(err)
	}
	return data, status
}

// ok sends a command that must succeed.
func (k *bench) ok(command string) []byte {
	k.Helper()
	data, status := k.send(command)
	if status != apdu.OK {
		k.Fatalf("%s: %v", command, status)
	}
	return data
}

// want sends a command that must be answered with a status.
func (k *bench) want(status apdu.Status, command string) {
	k.Helper()
	if _, got := k.send(command); got != status {
		k.Errorf("%s: %v, want %v", command, got, status)
	}
}

// command is a command with data and any length.
func command(cla, ins, p1, p2 byte, data []byte, le int) []byte {
	return apdu.Command{CLA: cla, INS: ins, P1: p1, P2: p2, Data: data, Le: le}.Append(nil)
}

const (
	applet    = "00A404000B E82B0601040181C31F0201 00"
	userRight = "0020008106 363438323139"
	userWrong = "0020008106 313131313131"
	soRight   = "3537363231383830"
	soWrong   = "1111111111111111"
)

func TestSelect(t *testing.T) {
	k := newBench(t)
	if got := hex.EncodeToString(k.ok(applet)); got != "6f17820178840be82b0601040181c31f0201850500"+"01ff0305" {
		t.Errorf("the applet says %s", got)
	}
	k.want(apdu.FileNotFound, "00A4040005 A000000001 00")
	k.want(apdu.FileNotFound, "00A4000002 C401 00")
	k.want(apdu.WrongLength, "00A4000003 2F0201 00")
	k.want(apdu.WrongParameters, "00A4080002 2F02 00")
	k.want(apdu.WrongParameters, "00A4000102 2F02 00")
	if info := k.ok("00A4000002 2F02 00"); info[0] != 0x6F {
		t.Errorf("a file says %x", info)
	}
	if info := k.ok("00A4000C02 2F02"); len(info) > 0 {
		t.Errorf("P2 0C gets %x", info)
	}
	if key := k.ok("00A4000002 CC00 00"); key[0] != 0x6F {
		t.Errorf("the device's key says %x", key)
	}
	if k.Serial() != "ZZSIM000001" {
		t.Error("another serial number")
	}
}

func TestNothingBeforeSelect(t *testing.T) {
	k := newBench(t)
	k.ok(userRight)
	k.PowerUp()
	k.want(apdu.InstructionUnknown, userRight)
	k.want(apdu.FileNotFound, "00A4000002 2F02 00")
	k.ok(applet)
	k.want(apdu.Tries(3), "00200081")
}

func TestUnknown(t *testing.T) {
	k := newBench(t)
	k.want(apdu.InstructionUnknown, "00220081")
	k.want(apdu.InstructionUnknown, "80540000 00") // public key authentication
	k.want(apdu.ClassUnknown, "A0200081")
	k.want(apdu.WrongLength, "0020")
	k.want(apdu.WrongLength, "00840000")
	k.want(apdu.WrongParameters, "0084010008")
	k.want(apdu.WrongLength, "00840000000401") // 1,025 bytes
	if b := k.ok("00840000000400"); len(b) != 1024 {
		t.Errorf("a challenge of %d bytes", len(b))
	}
}

func TestChained(t *testing.T) {
	k := newBench(t)
	k.ok("1020008103 363438")
	k.ok("0020008103 323139")
	k.ok("00200081")
	k.ok("1020008103 363438")
	k.want(apdu.ChainingRefused, "0084000008")
	k.ok("0084000008")
}

func TestFiles(t *testing.T) {
	k := newBench(t)
	k.want(apdu.NotAuthenticated, "00D7CF0107 54020000 5301AA")
	k.ok(userRight)
	k.ok("00D7CF0108 54020000 5302AABB")
	k.ok("00D7000008 54020001 5302CCDD") // the current file, overlapping
	k.ok("00D7000007 54020000 530111")   // in the middle: the rest stays
	if got, s := k.send("00B1CF0104 54020000 00"); s != apdu.EndOfFile || hex.EncodeToString(got) != "11ccdd" {
		t.Errorf("read %x, %v", got, s)
	}
	if got := k.ok("00B1CF0104 54020001 02"); hex.EncodeToString(got) != "ccdd" {
		t.Errorf("read %x", got)
	}
	k.ok("00D7CE0506 54020000 5300") // made empty
	for status, list := range map[apdu.Status][]string{
		apdu.WrongOffset:      {"00B1CF0104 54020004 00", "00D7CF0107 54020004 530111"},
		apdu.WrongData:        {"00B1CF0103 530100 00", "00B1CF0105 5402000000 00", "00D7CF0104 54020000", "00D7CF0108 54020000 53011100", "00D7CF0103 530111"},
		apdu.FileNotFound:     {"00B1CF0204 54020000 00", "00E4020002 CF02", "00E4020002 CC01", "00A4000002 CC07 00"},
		apdu.NotAuthenticated: {"00D72F0207 54020000 530111", "00D7CC0007 54020000 530111", "00E4020002 2F02", "00E4020002 CC00", "00B1CC0004 54020000 00"},
		apdu.WrongParameters:  {"00E4000002 CF01", "80580100 00"},
		apdu.WrongLength:      {"00E4020001 CF"},
	} {
		for _, c := range list {
			k.want(status, c)
		}
	}
	if _, s := k.give(command(0, 0xD7, 0xCF, 3, append([]byte{0x54, 2, 0, 0, 0x53, 0x82, 0x20, 0x01}, make([]byte, 8193)...), 0)); s != apdu.NotEnoughMemory {
		t.Errorf("8,193 bytes: %v", s)
	}
	if got := hex.EncodeToString(k.ok("80580000 00")); got != "cc00ce05cf01" {
		t.Errorf("the objects are %s", got)
	}
	k.ok("00D7CD0107 54020000 5301AA")
	k.ok("00E4020002 CF01")
	k.open()
	k.ok(applet)
	k.want(apdu.NotAuthenticated, "00B1CD0104 54020000 00")
	k.want(apdu.NotAuthenticated, "00E4020002 CD01")
	k.want(apdu.NoCurrentFile, "00B1000004 54020000 00")
	k.ok(userRight)
	k.want(apdu.NoCurrentFile, "00D7000007 54020000 530111")
	k.ok("00A4000002 CD01 00")
	if got := k.ok("00B1000004 54020000 01"); got[0] != 0xAA {
		t.Errorf("read %x", got)
	}
	k.ok("00E4020002 CD01")
	k.want(apdu.NoCurrentFile, "00B1000004 54020000 01")
}

// TestStoreFails: a card whose memory cannot be written says so and is as
// before.
func TestStoreFails(t *testing.T) {
	k := newBench(t)
	k.memory.fails = true
	k.want(apdu.MemoryFailure, userRight)
	k.want(apdu.Tries(3), "00200081")
	k.memory.fails = false
	k.ok(userRight)
	k.memory.fails = true
	k.want(apdu.MemoryFailure, "00D7CF0107 54020000 5301AA")
	k.memory.fails = false
	k.want(apdu.FileNotFound, "00B1CF0104 54020000 00")
}

func TestDies(t *testing.T) {
	k := newBench(t)
	k.Card.random = strings.NewReader("")
	if _, err := k.Transmit([]byte{0, 0x84, 0, 0, 8}); err == nil {
		t.Error("a card without randomness gives a challenge")
	}
}

func TestOpenRefuses(t *testing.T) {
	good, err := Manufacture("ZZSIM000001", "", rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string][2]string{
		"reading its memory": {`{"format"`, `{"other":1,"format"`},
		"has the format":     {formatName, "another-1"},
		"lacks keys":         {`"keys":{}`, `"keys":null`},
		"device key":         {`"curve":"brainpoolP256r1"`, `"curve":"none"`},
		"its key 1":          {`"keys":{}`, `"keys":{"1":{}}`},
		"not below":          {`"keys":{}`, `"keys":{"1":{"curve":"secp256r1","d":"AA=="}}`},
	} {
		b := strings.Replace(string(good), change[0], change[1], 1)
		if _, err := Open(&memory{held: [][]byte{[]byte(b)}}, Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error with %q, got %v", want, err)
		}
	}
	if _, err := Open(File(t.TempDir()+"/none"), Options{}); err == nil {
		t.Error("a file that is not there opens")
	}
}

func TestManufactureRefuses(t *testing.T) {
	for _, serial := range []string{"", "ZZ", "ZZSIM0000012", "zzsim", "ZZ SIM"} {
		if _, err := Manufacture(serial, "", rand.Reader); err == nil {
			t.Errorf("serial number %q passes", serial)
		}
	}
	if _, err := Manufacture("ZZSIM000001", "", strings.NewReader("")); err == nil {
		t.Error("a card is made without randomness")
	}
}

func TestFileStore(t *testing.T) {
	dir := t.TempDir()
	f := File(dir + "/card")
	if err := f.Create([]byte("one")); err != nil {
		t.Fatal(err)
	}
	if err := f.Create([]byte("two")); err == nil {
		t.Error("a card is overwritten")
	}
	if err := f.Save([]byte("three")); err != nil {
		t.Fatal(err)
	}
	if b, err := f.Load(); err != nil || string(b) != "three" {
		t.Errorf("%q, %v", b, err)
	}
	if err := File(dir + "/none/card").Save(nil); err == nil {
		t.Error("a folder that is not there is written to")
	}
}
