package steps_test

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/keyrite/keyrite/internal/room"
	"github.com/keyrite/keyrite/internal/simcard"
	"github.com/keyrite/keyrite/internal/simcard/apdu"
	"github.com/keyrite/keyrite/internal/simcard/pcsc"
	"github.com/keyrite/keyrite/internal/simcard/vpcd"
	"github.com/keyrite/keyrite/internal/token"
	"github.com/keyrite/keyrite/internal/token/p11"
)

const serialOfCard = "ZZSIM000001"

// A table has a pcscd, on which ceremonies are held one after the other.
type table struct {
	dir    string
	socket string // a link to that of daemon, which can be replaced
	daemon *pcsc.Daemon
	lib    *p11.Module
	made   []byte // a card as it leaves the factory
	other  []byte // another one
}

func openTable(dir string) (*table, error) {
	tb := &table{dir: dir, socket: filepath.Join(dir, "socket")}
	var err error
	if tb.made, err = simcard.Manufacture(serialOfCard, "", rand.Reader); err != nil {
		return nil, err
	}
	if tb.other, err = simcard.Manufacture("ZZSIM000002", "", rand.Reader); err != nil {
		return nil, err
	}
	if err := tb.plugIn(); err != nil {
		return nil, err
	}
	if err := os.Setenv(pcsc.SocketEnv, tb.socket); err != nil {
		return nil, errors.Join(err, tb.daemon.Stop())
	}
	path, err := p11.Find("opensc")
	if err == nil {
		tb.lib, err = p11.Open(path)
	}
	if err != nil {
		return nil, errors.Join(err, tb.daemon.Stop())
	}
	return tb, nil
}

// plugIn starts a pcscd where clients look for one.
func (tb *table) plugIn() error {
	dir, err := os.MkdirTemp(tb.dir, "")
	if err != nil {
		return err
	}
	d, err := pcsc.Start(dir)
	if err != nil {
		return err
	}
	tb.daemon = d
	if err := os.Remove(tb.socket); err != nil && !errors.Is(err, os.ErrNotExist) {
		return errors.Join(err, d.Stop())
	}
	if err := os.Symlink(d.Socket(), tb.socket); err != nil {
		return errors.Join(err, d.Stop())
	}
	return nil
}

// A memory is what a card keeps without power.
type memory struct{ b []byte }

// Load returns it.
func (m *memory) Load() ([]byte, error) { return m.b, nil }

// Save replaces it.
func (m *memory) Save(b []byte) error {
	m.b = append([]byte(nil), b...)
	return nil
}

// A hand puts cards in and pulls them out, as the case wants it.
type hand struct {
	tb          *table
	c           trouble
	e           *ending
	held, other *memory

	mu    sync.Mutex // guards what follows, and e, against the card
	seat  *pcsc.Seat
	step  string // that runs
	count int    // commands
	wrong int    // PINs that the card found wrong
	gone  chan error
	err   error // of waited

	swapped bool // the other card is in
}

// insert puts a card in.
func (h *hand) insert(m *memory) error {
	c, err := simcard.Open(m, simcard.Options{Random: rand.Reader})
	if err != nil {
		return err
	}
	f := &simcard.Faulty{Card: &noted{c, h}, Sleep: time.Sleep}
	if h.seat == nil {
		f.Plan = h.c.plan()
	}
	h.seat, err = h.tb.daemon.Insert(0, &port{f, h})
	return err
}

// plan is the fault of the case.
func (c trouble) plan() []simcard.Fault {
	kind, ok := map[string]simcard.FaultKind{
		pulled: simcard.Removed, late: simcard.Removed, other: simcard.Removed, reader: simcard.Removed,
		silent: simcard.Silent, reset: simcard.PowerLost, status: simcard.BadStatus, slow: simcard.Slow,
	}[c.Kind]
	if !ok {
		return nil
	}
	return []simcard.Fault{{At: c.At, Kind: kind, After: c.After, Status: apdu.NoPreciseDiagnosis, For: 300 * time.Millisecond}}
}

// put takes out what is in, and puts a card in, or none.
func (h *hand) put(m *memory) error {
	if err := h.seat.Remove(); err != nil && !errors.Is(err, simcard.ErrRemoved) {
		return err
	}
	if m == nil {
		return nil
	}
	return h.insert(m)
}

// out reports whether no card is in.
func (h *hand) out() bool {
	select {
	case <-h.seat.Done():
		return true
	default:
		return false
	}
}

// told is what is done when the room hears of a problem: what was pulled out is
// put back. In the case of another card that one is taken first.
func (h *hand) told() error {
	switch {
	case h.swapped:
		h.swapped = false
		return h.put(h.held)
	case !h.out(), h.c.Kind == late:
		return nil
	case h.c.Kind == other:
		h.swapped = true
		return h.put(h.other)
	case h.gone != nil:
		err := <-h.gone
		h.gone = nil
		if err == nil {
			err = h.tb.plugIn()
		}
		if err != nil {
			return err
		}
	}
	return h.put(h.held)
}

// waited is called when the program has waited.
func (h *hand) waited() {
	if h.c.Kind == late && h.out() {
		h.err = errors.Join(h.err, h.put(h.held))
	}
}

// A noted card has its commands and the PINs that it finds wrong noted.
type noted struct {
	vpcd.Card
	h *hand
}

// Transmit passes a command on.
func (n *noted) Transmit(command []byte) ([]byte, error) {
	h := n.h
	h.mu.Lock()
	h.e.Steps, h.e.Commands = append(h.e.Steps, h.step), append(h.e.Commands, head(command))
	h.mu.Unlock()
	answer, err := n.Card.Transmit(command)
	data, sw, serr := apdu.Split(answer)
	if err == nil && serr == nil && len(data) == 0 && sw&0xFFF0 == 0x63C0 && len(command) > 5 { // a shorter one only asks
		h.mu.Lock()
		h.wrong++
		h.mu.Unlock()
	}
	return answer, err
}

// A port takes the reader away with the card.
type port struct {
	vpcd.Card
	h *hand
}

// Transmit passes a command on.
func (p *port) Transmit(command []byte) ([]byte, error) {
	h := p.h
	h.mu.Lock()
	h.count++
	if h.c.Kind == reader && h.count == h.c.At {
		gone := make(chan error, 1)
		h.gone = gone
		go func() { gone <- h.tb.daemon.Stop() }()
	}
	h.mu.Unlock()
	return p.Card.Transmit(command)
}

// head is the beginning of a command: class, instruction, parameters, length.
func head(command []byte) string { return hex.EncodeToString(command[:min(len(command), 6)]) }

// A troubled room does what people do when something goes wrong: they put back
// what was pulled out. What became of a call they do not know, until a wrong try
// of the old SO-PIN shows them that the new one is set.
type troubledRoom struct {
	room.Room
	h *hand
}

// Show notes which step runs.
func (r *troubledRoom) Show(m room.Message) {
	if s, ok := m.(room.Step); ok {
		r.h.mu.Lock()
		r.h.step = s.ID
		r.h.mu.Unlock()
	}
	r.Room.Show(m)
}

// Ask answers from the list.
func (r *troubledRoom) Ask(p room.Prompt) (string, error) {
	switch {
	case strings.Contains(p.Key, "/on-failure/"):
		if err := r.h.told(); err != nil {
			return "", err
		}
	case strings.Contains(p.Key, "/unknown/") && r.h.foundWrong():
		return "it-happened", nil
	case strings.Contains(p.Key, "/unknown/"):
		return "it-cannot-be-known", nil
	}
	return r.Room.Ask(p)
}

// Secret answers from the list.
func (r *troubledRoom) Secret(p room.Prompt) (token.PIN, error) {
	if p.Key == "new-so-pin/so-pin-current/so-custodian" && r.h.foundWrong() {
		p.Key = "new-so-pin/so-pin-new/so-custodian"
	}
	return r.Room.Secret(p)
}

func (h *hand) foundWrong() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.wrong > 0
}
