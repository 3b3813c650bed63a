package simcard

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// A Store keeps what a card keeps without power. Save replaces it whole or not
// at all.
type Store interface {
	Load() ([]byte, error)
	Save([]byte) error
}

var errStore = errors.New("the card's memory could not be written")

// formatName is the first field of the stored JSON.
const formatName = "keyrite-simulated-smartcard-hsm-1"

// state is what a card keeps without power: JSON, bytes in base64. It holds
// private keys in clear.
type state struct {
	Format  string            `json:"format"`
	Serial  string            `json:"serial"`
	Device  key               `json:"device"`
	DevAut  []byte            `json:"devaut"` // EF 2F02
	Options byte              `json:"options"`
	User    pin               `json:"user"`
	SO      pin               `json:"so"`
	DKEK    *dkek             `json:"dkek,omitempty"`
	Keys    map[uint8]key     `json:"keys"`
	Files   map[uint16][]byte `json:"files"`
}

// Bits of the options of INITIALIZE DEVICE.
const (
	optionResetRetry = 0x01 // RESET RETRY COUNTER works
	optionTransport  = 0x02 // the user PIN must be changed before it is used
)

// parseState reads and checks what a store holds.
func parseState(b []byte) (*state, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	var s state
	if err := d.Decode(&s); err != nil {
		return nil, fmt.Errorf("reading its memory: %w", err)
	}
	if s.Format != formatName {
		return nil, fmt.Errorf("its memory has the format %q, expected %q", s.Format, formatName)
	}
	if s.Keys == nil || s.Files == nil || s.Serial == "" || len(s.DevAut) == 0 {
		return nil, fmt.Errorf("its memory lacks keys, files, serial or devaut")
	}
	if err := s.Device.check(); err != nil {
		return nil, fmt.Errorf("its device key: %w", err)
	}
	for id, k := range s.Keys {
		if err := k.check(); err != nil {
			return nil, fmt.Errorf("its key %d: %w", id, err)
		}
	}
	return &s, nil
}

// bytes encodes a state; the type has nothing that JSON refuses.
func (s *state) bytes() []byte {
	b, err := json.Marshal(s)
	if err != nil {
		panic("simcard: a state that JSON refuses: " + err.Error())
	}
	return b
}

// change applies f to a copy of the state and keeps it if it was stored. If it
// was not, the card is as before and the error is errStore; f's own error is
// returned as it is.
func (c *Card) change(f func(*state) error) error {
	next, err := parseState(c.s.bytes())
	if err != nil {
		return err
	}
	if err := f(next); err != nil {
		return err
	}
	if err := c.store.Save(next.bytes()); err != nil {
		return fmt.Errorf("%w: %w", errStore, err)
	}
	c.s = next
	return nil
}

// A File is a store in one file, readable by its owner alone.
type File string

// Load reads the file.
func (f File) Load() ([]byte, error) { return os.ReadFile(string(f)) }

// Save writes another file beside it, syncs it and renames it over: a power cut
// leaves the old content or the new.
func (f File) Save(b []byte) (err error) {
	dir := filepath.Dir(string(f))
	tmp, err := os.CreateTemp(dir, filepath.Base(string(f))+".*")
	if err != nil {
		return err
	}
	_, err = tmp.Write(b)
	err = errors.Join(err, tmp.Sync(), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), string(f))
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	return syncDir(dir)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Create makes the file for a new card. One that exists is an error.
func (f File) Create(b []byte) error {
	w, err := os.OpenFile(string(f), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = w.Write(b)
	return errors.Join(err, w.Sync(), w.Close(), syncDir(filepath.Dir(string(f))))
}
