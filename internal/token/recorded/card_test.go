package recorded

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/token"
	"github.com/keyrite/keyrite/internal/token/apdu"
	"github.com/keyrite/keyrite/internal/token/fake"
)

// hsmATR says that a card is a SmartCard-HSM.
var hsmATR = []byte("\x3B\x54HSM1")

// cards is PC/SC with cards in memory, one a reader.
type cards struct {
	readers  []apdu.Reader
	holders  map[string]string // CHR of the device's certificate, by reader
	selected map[string]bool
	answer   func(apdu.Command) (apdu.Result, error) // nil: as below
	at       string
	calls    []apdu.Call
}

func newCards() *cards {
	return &cards{
		readers: []apdu.Reader{{Name: "empty"}, {Name: "other kind", ATR: []byte("\x3B\x00")}, {Name: "first", ATR: hsmATR}, {Name: "second", ATR: hsmATR}},
		holders: map[string]string{"first": "ZZSIM00000100001", "second": "ZZSIM00000200001"}, selected: map[string]bool{},
	}
}

func (s *cards) Do(c apdu.Call) (apdu.Result, error) {
	c.Command.Data = bytes.Clone(c.Command.Data)
	s.calls = append(s.calls, c)
	switch c.Function {
	case apdu.ListReaders:
		return apdu.Result{Readers: s.readers}, nil
	case apdu.Connect:
		s.at = c.Reader
		return apdu.Result{}, nil
	case apdu.Disconnect:
		s.at = ""
		return apdu.Result{}, nil
	}
	if s.answer != nil {
		return s.answer(c.Command)
	}
	return s.card(c.Command), nil
}

func (s *cards) card(c apdu.Command) apdu.Result {
	switch {
	case c.INS == 0xA4:
		s.selected[s.at] = true
		return apdu.Result{Status: apdu.OK}
	case !s.selected[s.at]:
		return apdu.Result{Status: 0x6E00}
	case c.INS == 0x20 && len(c.Data) == 0:
		return apdu.Result{Status: 0x63C3}
	case c.INS == 0xB1 && c.P1 == 0x2F:
		return apdu.Result{Data: chainOf(s.holders[s.at]), Status: apdu.EndOfFile}
	case c.INS == 0xB1:
		return apdu.Result{Status: apdu.FileNotFound}
	case c.INS == 0x58:
		return apdu.Result{Data: []byte{0x2F, 0x02, 0xCC, 0x01}, Status: apdu.OK}
	}
	return apdu.Result{Data: []byte(plantedAnswer), Status: apdu.OK}
}

// chainOf is as much of a device's certificate as its serial number needs.
func chainOf(holder string) []byte {
	chr := append([]byte{0x5F, 0x20, byte(len(holder))}, holder...)
	body := append([]byte{0x7F, 0x4E, byte(len(chr))}, chr...)
	return append([]byte{0x7F, 0x21, byte(len(body))}, body...)
}

const plantedAnswer = "an answer from the card that nobody else gives"

// everyCommand is one command of each class, with data that no other test has.
func everyCommand() map[string]apdu.Command {
	secret := []byte(plantedPIN)
	return map[string]apdu.Command{
		"SELECT APPLET": apdu.SelectApplet(), "VERIFY WITHOUT PIN": apdu.AskTries(apdu.SOPIN),
		"VERIFY":            {INS: 0x20, P2: apdu.UserPIN, Data: secret},
		"READ BINARY":       apdu.ReadBinary(apdu.Attestation|1, 0, 100),
		"UPDATE BINARY":     apdu.UpdateBinary(apdu.TokenInfo, 0, []byte("label")),
		"ENUMERATE OBJECTS": apdu.Enumerate(),
		"INITIALIZE DEVICE": {CLA: 0x80, INS: 0x50, Data: secret},
		"DKEK STATUS":       {CLA: 0x80, INS: 0x52, Le: 10},
		"IMPORT DKEK SHARE": {CLA: 0x80, INS: 0x52, Data: secret, Le: 10},
		"WRAP KEY":          {CLA: 0x80, INS: 0x72, P1: 1, P2: 0x92, Le: 1000},
		"UNWRAP KEY":        {CLA: 0x80, INS: 0x74, P1: 1, P2: 0x93, Data: secret},
	}
}

func withCards(log Recorder, s apdu.Service) *Module {
	m := New(fake.New(), log, audit.File{})
	m.Now = tick()
	m.SetStep("a-step")
	m.UseCards(s)
	return m
}

// TestCard: the card with the serial number is found whatever its reader, cards
// of another kind are sent nothing, and an applet that is selected is not again.
func TestCard(t *testing.T) {
	for _, selected := range []bool{false, true} {
		s, log := newCards(), newMemory()
		s.selected["first"], s.selected["second"] = selected, selected
		m := withCards(log, s)
		err := m.Card("ZZSIM000002", func(c *Card) error {
			if c.Reader != "second" || c.Serial != "ZZSIM000002" || !bytes.Equal(c.Chain, chainOf("ZZSIM00000200001")) {
				t.Errorf("card %+v", c)
			}
			if left, told, err := c.Tries(apdu.SOPIN); left != 3 || !told || err != nil {
				t.Errorf("tries: %d %v %v", left, told, err)
			}
			if list, err := c.Files(); err != nil || len(list) != 2 || list[1] != 0xCC01 {
				t.Errorf("files: %x %v", list, err)
			}
			if _, err := c.ReadFile(apdu.Attestation | 7); !errors.Is(err, apdu.FileNotFound) {
				t.Errorf("a file that is not there: %v", err)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if s.at != "" || m.card != nil {
			t.Error("the card is still held")
		}
		for _, c := range s.calls {
			if c.Reader == "other kind" || c.Reader == "empty" || selected && c.Command.INS == 0xA4 {
				t.Errorf("made: %+v", c)
			}
		}
	}
}

func TestCardRefuses(t *testing.T) {
	s, log := newCards(), newMemory()
	m := withCards(log, s)
	if err := m.Card("ZZSIM000009", nil); !errors.Is(err, ErrNoCard) || !strings.Contains(err.Error(), `"ZZSIM000001", "ZZSIM000002"`) {
		t.Errorf("a serial number that no card has: %v", err)
	}
	err := m.Card("ZZSIM000001", func(*Card) error {
		if err := m.Initialize(); err == nil || !strings.Contains(err.Error(), "held") {
			t.Errorf("PKCS#11 while the card is held: %v", err)
		}
		if err := m.Card("ZZSIM000002", nil); err == nil || !strings.Contains(err.Error(), "held already") {
			t.Errorf("a second card: %v", err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if err := m.Initialize(); err != nil {
		t.Errorf("PKCS#11 after the card was let go: %v", err)
	}
	m.UseCards(nil)
	if err := m.Card("ZZSIM000001", nil); !errors.Is(err, ErrNoCards) {
		t.Errorf("without PC/SC: %v", err)
	}
	// Another card that does not answer is no reason not to find this one.
	s = newCards()
	s.holders["first"] = "short"
	if err := withCards(newMemory(), s).Card("ZZSIM000002", func(*Card) error { return nil }); err != nil {
		t.Error(err)
	}
}

// TestCommandIntentFirst: for every class of command the intent is durable
// before the card sees it, the outcome after it, and both say what was done.
func TestCommandIntentFirst(t *testing.T) {
	for name, cmd := range everyCommand() {
		s, log := newCards(), newMemory()
		s.selected["first"] = true
		m := withCards(log, s)
		err := m.Card("ZZSIM000001", func(c *Card) error {
			n := len(log.entries)
			s.answer = func(cmd apdu.Command) (apdu.Result, error) {
				if len(log.entries) != n+1 || log.synced != n+1 {
					t.Errorf("%s: %d entries, %d durable when the card is asked, want %d", name, len(log.entries), log.synced, n+1)
				}
				return s.card(cmd), nil
			}
			if _, _, err := c.Transmit(cmd); err != nil {
				return err
			}
			if len(log.entries) != n+2 || log.synced != n+2 || c.Seq != int64(n+1) {
				t.Errorf("%s: %d entries, %d durable after, Seq %d", name, len(log.entries), log.synced, c.Seq)
			}
			in, out := log.entries[n].Data.(*audit.HSMIntent), log.entries[n+1].Data.(*audit.HSMOutcome)
			if in.Command != name || in.Header != cmd.Header() || in.Reader != "first" || in.Function != "SCardTransmit" {
				t.Errorf("intent: %+v", in)
			}
			if out.Intent != int64(n) || out.RV != "SCARD_S_SUCCESS" || !out.OK() || len(out.Status) != 4 || out.Micros != 1000 {
				t.Errorf("outcome: %+v", out)
			}
			return nil
		})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestNoRecordNoCommand: a log that cannot be written keeps every call of PC/SC
// from being made, for every class of command, but the one that lets go.
func TestNoRecordNoCommand(t *testing.T) {
	for name, cmd := range everyCommand() {
		s, log := newCards(), newMemory()
		m := withCards(log, s)
		err := m.Card("ZZSIM000001", func(c *Card) error {
			log.dead = true
			n := len(s.calls)
			_, _, err := c.Transmit(cmd)
			if len(s.calls) != n {
				t.Errorf("%s: the card was asked", name)
			}
			return err
		})
		var refused *NotRecorded
		if !errors.As(err, &refused) || refused.Function != apdu.Transmit || !errors.Is(err, errDisk) {
			t.Errorf("%s: %v", name, err)
		}
		if s.at != "" || len(m.Unrecorded()) != 1 || m.Unrecorded()[0] != apdu.Disconnect {
			t.Errorf("%s: at %q, unrecorded %v", name, s.at, m.Unrecorded())
		}
	}
	for n, want := range []token.Function{apdu.ListReaders, apdu.Connect} {
		s, log := newCards(), newMemory()
		log.failAt = 2 * n
		err := withCards(log, s).Card("ZZSIM000001", nil)
		var refused *NotRecorded
		if !errors.As(err, &refused) || refused.Function != want || len(s.calls) != n {
			t.Errorf("%s: %v after %d calls", want, err, len(s.calls))
		}
	}
}

// TestRealLogNoCommand is the same with real logs that are closed, read-only or
// full.
func TestRealLogNoCommand(t *testing.T) {
	for how, spoil := range unwritable {
		for name, cmd := range everyCommand() {
			t.Run(how+"/"+name, func(t *testing.T) {
				s := newCards()
				m := withCards(newMemory(), s)
				err := m.Card("ZZSIM000001", func(c *Card) error {
					m.log = spoil(t, t.TempDir())
					n := len(s.calls)
					_, _, err := c.Transmit(cmd)
					if len(s.calls) != n {
						t.Error("the card was asked")
					}
					return err
				})
				var refused *NotRecorded
				if !errors.As(err, &refused) {
					t.Error(err)
				}
			})
		}
	}
	log, _ := openLog(t, t.TempDir())
	if err := withCards(log, newCards()).Card("ZZSIM000001", func(c *Card) error { _, err := c.Files(); return err }); err != nil {
		t.Errorf("a log in good order: %v", err)
	}
}

// TestCommandOutcomeLost: after an outcome that could not be written nothing is
// sent any more, and the answer is not used.
func TestCommandOutcomeLost(t *testing.T) {
	s, log := newCards(), newMemory()
	m := withCards(log, s)
	err := m.Card("ZZSIM000001", func(c *Card) error {
		log.failAt = len(log.entries) + 1
		list, err := c.Files()
		var lost *OutcomeLost
		if !errors.As(err, &lost) || list != nil {
			t.Errorf("%v, %v", list, err)
		}
		log.failAt = -1
		n := len(s.calls)
		_, err = c.Files()
		var refused *NotRecorded
		if !errors.As(err, &refused) || len(s.calls) != n {
			t.Errorf("after a lost outcome: %v", err)
		}
		return nil
	})
	if err != nil || s.at != "" {
		t.Errorf("%v, at %q", err, s.at)
	}
}

// TestCommandSecrets: of every class of command the data, and the answer, stand
// in the log as its table says, in no error, and by no other way.
func TestCommandSecrets(t *testing.T) {
	in, out := hex.EncodeToString([]byte(plantedPIN)), hex.EncodeToString([]byte(plantedAnswer))
	for name, cmd := range everyCommand() {
		for _, fail := range []error{nil, errors.New("sent " + plantedPIN), apdu.RemovedCard} {
			s, log := newCards(), newMemory()
			m := withCards(log, s)
			err := m.Card("ZZSIM000001", func(c *Card) error {
				s.answer = func(apdu.Command) (apdu.Result, error) {
					return apdu.Result{Data: []byte(plantedAnswer), Status: apdu.OK}, fail
				}
				_, _, err := c.Transmit(cmd)
				return err
			})
			class, _ := cmd.Class()
			text := log.text(t)
			if strings.Contains(text, in) || strings.Contains(text, plantedPIN) {
				t.Errorf("%s: the data is in the log", name)
			}
			if got, want := strings.Contains(text, out), class.Answer == apdu.Clear && fail == nil; got != want {
				t.Errorf("%s: the answer is in the log: %v", name, got)
			}
			hidden := class.Data == apdu.Redacted
			if hidden != strings.Contains(text, `"data":"[redacted]"`) {
				t.Errorf("%s: redacted %v in %s", name, !hidden, text)
			}
			if (err != nil) != (fail != nil) || hidden && err != nil && strings.Contains(err.Error(), plantedPIN) {
				t.Errorf("%s: error %v", name, err)
			}
			if fail == apdu.RemovedCard && !strings.Contains(text, `"rv":"SCARD_W_REMOVED_CARD"`) {
				t.Errorf("%s: %s", name, text)
			}
		}
	}
}

// TestCommandBreaksOff: a service that panics leaves an outcome and lets go.
func TestCommandBreaksOff(t *testing.T) {
	s, log := newCards(), newMemory()
	m := withCards(log, s)
	err := m.Card("ZZSIM000001", func(c *Card) error {
		s.answer = func(apdu.Command) (apdu.Result, error) { panic(plantedPIN) }
		_, err := c.Files()
		return err
	})
	if err == nil || strings.Contains(err.Error(), plantedPIN) || s.at != "" {
		t.Errorf("%v, at %q", err, s.at)
	}
}

// TestReadFile: a file is read in parts, and one without an end given up.
func TestReadFile(t *testing.T) {
	for _, size := range []int{0, 1, chunk - 1, chunk, chunk + 1, 3*chunk + 7, apdu.MaxData + chunk} {
		content := bytes.Repeat([]byte("0123456789"), size/10+1)[:size]
		s := newCards()
		err := withCards(newMemory(), s).Card("ZZSIM000001", func(c *Card) error {
			s.answer = func(cmd apdu.Command) (apdu.Result, error) {
				rest := content[min(len(content), int(cmd.Data[2])<<8|int(cmd.Data[3])):]
				if len(rest) < cmd.Le {
					return apdu.Result{Data: rest, Status: apdu.EndOfFile}, nil
				}
				return apdu.Result{Data: rest[:cmd.Le], Status: apdu.OK}, nil
			}
			got, err := c.ReadFile(apdu.Attestation | 1)
			if err == nil && !bytes.Equal(got, content) {
				t.Errorf("%d bytes: other bytes", size)
			}
			return err
		})
		if (err != nil) != (size > apdu.MaxData) {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
}
