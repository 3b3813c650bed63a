package ceremony

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/room"
)

// What a witness's key is unlocked for on the ceremony machine, as its entry
// says.
const (
	ForVerdict = "verdict"
	ForCosign  = "cosignature"
	ForFinal   = "final cosignature"
)

// maxKeyFile bounds a witness's key file, in bytes.
const maxKeyFile = 64 << 10

// Exposed reports whether a witness's key was unlocked on the ceremony machine,
// in this run or one before.
func (s *Session) Exposed(k *audit.WitnessKey) bool {
	_, is := s.State().Exposed[publicHex(k)]
	return is
}

func publicHex(k *audit.WitnessKey) string { return hex.EncodeToString(k.Public()) }

// MayExpose reports whether the key of a witness may be unlocked on this
// machine: if the script allows it; once the log is closed, only if an entry
// says so already.
func (s *Session) MayExpose(k *audit.WitnessKey) bool {
	return s.Script().AllowExposedKeys && s.r.UnlockKey != nil && (!s.State().Closed || s.Exposed(k))
}

// UnlockKey has a witness unlock the key file of that name on the medium, for a
// signature on this machine; no name stands for the file of the time before.
// The room is warned and the witness asked; that the key is exposed is recorded
// before the file is read, each try of the passphrase after it. After the close
// nothing can be recorded: then only the file that was named before is opened.
//
// refused says why no key came of it, "" if one did; the caller wipes it.
func (s *Session) UnlockKey(person, file, use string) (key *audit.WitnessSigner, refused string, err error) {
	k := s.WitnessKey(person)
	if k == nil || !s.MayExpose(k) {
		return nil, "the script does not allow that this key is unlocked on this machine (allow_exposed_keys), or the log is closed and has no entry that it was", nil
	}
	before := s.State().Exposed[publicHex(k)]
	if file == "" {
		file = before
	}
	switch {
	case file == "":
		return nil, "no key file was named: expected 'here' and the name of a file on the medium", nil
	case s.State().Closed && file != before:
		return nil, fmt.Sprintf("the log is closed, and says that %q holds the key: no other file is opened now", before), nil
	}
	if err := s.findMedia(file, maxKeyFile); err != nil {
		return nil, err.Error(), nil
	}
	if !s.State().Closed {
		if refused, err := s.expose(person, k, file, use); refused != "" || err != nil {
			return nil, refused, err
		}
	}
	b, err := s.ReadMedia(file, maxKeyFile)
	if err != nil {
		return nil, err.Error(), nil
	}
	defer clear(b)
	key, refused, err = s.openKey(person, file, b)
	if key == nil {
		return nil, refused, err
	}
	return s.ownKey(person, file, use, k, key)
}

// exposing is what the room is told before a key is unlocked. %[1]s is the
// witness, %[2]s the key's name.
const exposing = "%[1]s is about to unlock the key %[2]s on the ceremony machine. This machine then has the key itself, and could sign anything with it: another log, another verdict, another day. " +
	"All that the key signs for this log, before and afterwards, then proves no more than what this machine says. The log, the transcript and every report will call the key exposed to the machine, " +
	"for good; no policy counts it unless its reader asks for that. Have a new key for the next ceremony. A signature from %[1]s's own machine, now or after the close, has none of this."

// expose warns the room, asks the witness and records that the key is exposed.
func (s *Session) expose(person string, k *audit.WitnessKey, file, use string) (refused string, err error) {
	s.Show(room.Warning{Text: fmt.Sprintf(exposing, s.Script().Shown(person), k.Name())})
	v, err := s.Ask(person, "expose", fmt.Sprintf("Unlock %s on this machine all the same?", file),
		room.Choice{Word: "expose", Does: "unlock it here; the key counts as exposed to the machine from now on"},
		room.Choice{Word: "back", Does: "leave it locked, and go back to the question"})
	if err != nil {
		return "", err
	}
	if v != "expose" {
		return "the key stays locked", nil
	}
	_, err = s.Record(&audit.WitnessKeyExposed{Person: person, Key: k.String(), File: file, For: use})
	return "", err
}

// openKey asks for the passphrase of a key file until one opens it, or none is
// typed.
func (s *Session) openKey(person, file string, b []byte) (key *audit.WitnessSigner, refused string, err error) {
	for {
		asked := false
		pass, perr := s.r.UnlockKey(b, func() ([]byte, error) {
			asked = true
			return s.passphrase(person, file)
		})
		switch {
		case !asked:
			return nil, fmt.Sprintf("opening %s: %v", file, perr), nil
		case errors.Is(perr, errNoPassphrase):
			refused = perr.Error()
		case Fatal(perr):
			return nil, "", perr
		case perr != nil:
			refused = shortly(perr.Error())
		default:
			key, refused = pass, ""
		}
		if err := s.tried(person, refused); err != nil {
			wipeKey(key)
			return nil, "", err
		}
		if key != nil || errors.Is(perr, errNoPassphrase) {
			return key, refused, nil
		}
		s.Show(room.Warning{Text: "It did not open: " + refused + ". Please type the passphrase again; an empty line goes back."})
	}
}

// errNoPassphrase means that an empty line was typed for a passphrase.
var errNoPassphrase = errors.New("no passphrase was typed")

// passphrase asks a witness for a passphrase, not echoed. Who gets it overwrites
// it.
func (s *Session) passphrase(person, file string) ([]byte, error) {
	typed, err := s.secret(person, "passphrase", fmt.Sprintf("The passphrase of %s (an empty line goes back)", file))
	defer typed.Wipe()
	if err != nil {
		return nil, err
	}
	if typed.Empty() {
		return nil, errNoPassphrase
	}
	var b []byte
	typed.Reveal(func(p []byte) { b = append(make([]byte, 0, len(p)), p...) })
	return b, nil
}

// tried records a try of a passphrase. After the close there is no place for it.
func (s *Session) tried(person, refused string) error {
	if s.State().Closed {
		return nil
	}
	d := &audit.Secret{Person: person, Secret: "witness key passphrase", Use: string(Current), Result: refused}
	if refused == "" {
		d.Result = "accepted"
	}
	_, err := s.Record(d)
	return err
}

// ownKey returns the key if it is the witness's. Another one is wiped, and is
// exposed as well.
func (s *Session) ownKey(person, file, use string, k *audit.WitnessKey, key *audit.WitnessSigner) (*audit.WitnessSigner, string, error) {
	got := key.Key()
	if got.String() == k.String() {
		return key, "", nil
	}
	key.Wipe()
	if !s.State().Closed && !got.Public().Equal(k.Public()) {
		if _, err := s.Record(&audit.WitnessKeyExposed{Person: person, Key: got.String(), File: file, For: use}); err != nil {
			return nil, "", err
		}
	}
	return nil, fmt.Sprintf("%s holds the key %s, not %s, which is the key of %s", file, got, k, s.Script().Shown(person)), nil
}

func wipeKey(key *audit.WitnessSigner) {
	if key != nil {
		key.Wipe()
	}
}

// shortly cuts a reason that stands in an entry.
func shortly(why string) string {
	const most = 300
	if r := []rune(strings.ToValidUTF8(why, "�")); len(r) > most {
		return string(r[:most]) + "…"
	}
	return why
}
