package ceremony

import (
	"crypto/subtle"
	"fmt"
	"io"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/token"
)

// What a passphrase is hashed with: Argon2id (RFC 9106) with 64 MiB, three
// passes and one lane, the second of its recommended choices but for the lanes;
// salt and hash have 16 and 32 bytes.
const (
	phraseTime   = 3
	phraseMemory = 64 << 10 // KiB
	phraseSalt   = 16
	phraseHash   = 32
)

// minPhrase is the least number of characters of a passphrase.
const minPhrase = 8

// phrases are the hashes of the passphrases set in this process, by person.
// They never leave its memory.
type phrases map[string]*phrase

type phrase struct{ salt, hash []byte }

// newPhrase hashes a passphrase with a fresh salt.
func newPhrase(secret token.PIN, rand io.Reader) (*phrase, error) {
	p := &phrase{salt: make([]byte, phraseSalt)}
	if _, err := io.ReadFull(rand, p.salt); err != nil {
		return nil, fmt.Errorf("drawing a salt: %w", err)
	}
	p.hash = p.of(secret)
	return p, nil
}

func (p *phrase) of(secret token.PIN) (hash []byte) {
	secret.Reveal(func(b []byte) { hash = argon2.IDKey(b, p.salt, phraseTime, phraseMemory, 1, phraseHash) })
	return hash
}

// is reports whether the passphrase is the one that was set.
func (p *phrase) is(secret token.PIN) bool {
	return subtle.ConstantTimeCompare(p.of(secret), p.hash) == 1
}

// wipe overwrites the hashes, as far as Go allows.
func (list phrases) wipe() {
	for _, p := range list {
		clear(p.hash)
		clear(p.salt)
	}
	clear(list)
}

// Passphrases has everybody in the room whose approval the script can ask for
// set a passphrase, unless they have a key or have set one in this process.
func (s *Session) Passphrases() error {
	for _, p := range s.r.Script.Participants {
		if s.State().Here(p.ID) {
			if err := s.Passphrase(p.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

// Passphrase has a person set the passphrase with which they approve, typed
// twice and not echoed, if the script can ask for their approval and they have
// neither a key nor a passphrase in the memory of this process. It records that
// one was set, or why what was typed was not taken.
func (s *Session) Passphrase(person string) error {
	if !s.canBeAsked(person) || s.WitnessKey(person) != nil || s.r.phrases[person] != nil {
		return nil
	}
	for {
		set, refused, err := s.readPhrase(person)
		if err != nil {
			return err
		}
		d := &audit.Passphrase{Person: person, Result: phraseSet, Again: s.State().phrased[person]}
		if refused != "" {
			d.Result = refused
		}
		if _, err := s.Record(d); err != nil {
			return err
		}
		if refused == "" {
			if s.r.phrases == nil {
				s.r.phrases = phrases{}
			}
			s.r.phrases[person] = set
			return nil
		}
		s.warn("This is not taken: " + refused + ".")
	}
}

func (s *Session) readPhrase(person string) (set *phrase, refused string, err error) {
	first, err := s.secret(person, "passphrase", fmt.Sprintf("A passphrase of your own, at least %d characters, with which you approve in this ceremony. It is kept nowhere and forgotten when the program ends", minPhrase))
	if err != nil {
		return nil, "", err
	}
	defer first.Wipe()
	short := false
	first.Reveal(func(b []byte) { short = utf8.RuneCount(b) < minPhrase })
	if short {
		return nil, fmt.Sprintf("it has fewer than %d characters", minPhrase), nil
	}
	again, err := s.secret(person, "passphrase", "The same passphrase again")
	if err != nil {
		return nil, "", err
	}
	defer again.Wipe()
	if !first.Equal(again) {
		return nil, "the two entries differ", nil
	}
	set, err = newPhrase(first, s.r.Rand)
	return set, "", err
}
