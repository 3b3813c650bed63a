// Package keyfile is a witness's private key in a file: one line in the form of
// sumdb/note (see audit.WitnessSigner), or that line encrypted with a
// passphrase, as an armored age file (age-encryption.org/v1) with one scrypt
// recipient. The age program reads and writes such files, too.
package keyfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"filippo.io/age"
	"filippo.io/age/armor"

	"github.com/keyrite/keyrite/audit"
)

// MaxSize is the most bytes that a key file has.
const MaxSize = 1 << 16

// maxWork bounds what a file may ask for to try a passphrase: 2^20 takes a
// gigabyte of memory and seconds.
const maxWork = 20

// ErrPassphrase is in the error of [Open] if the passphrase is another one.
var ErrPassphrase = errors.New("the passphrase is not the one of this key file")

// Plain returns a key as the content of a file that everybody can use who reads
// it.
func Plain(s *audit.WitnessSigner) ([]byte, error) {
	b, err := s.PrivateKey()
	if err != nil {
		return nil, fmt.Errorf("writing the key %q: %w", s.Key().Name(), err)
	}
	return append(b, '\n'), nil
}

// Seal returns a key as the content of a file that takes a passphrase to use.
// work is the binary logarithm of scrypt's work factor; 0 is age's own choice.
func Seal(s *audit.WitnessSigner, passphrase []byte, work int) ([]byte, error) {
	plain, err := Plain(s)
	if err != nil {
		return nil, err
	}
	defer clear(plain)
	b, err := seal(plain, passphrase, work)
	if err != nil {
		return nil, fmt.Errorf("encrypting the key %q: %w", s.Key().Name(), err)
	}
	return b, nil
}

func seal(plain, passphrase []byte, work int) ([]byte, error) {
	r, err := age.NewScryptRecipient(string(passphrase))
	if err != nil {
		return nil, err
	}
	if work > 0 {
		r.SetWorkFactor(work)
	}
	var out bytes.Buffer
	a := armor.NewWriter(&out)
	w, err := age.Encrypt(a, r)
	if err != nil {
		return nil, err
	}
	_, err = w.Write(plain)
	if err := errors.Join(err, w.Close(), a.Close()); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// Sealed reports whether a key file takes a passphrase.
func Sealed(b []byte) bool { return bytes.HasPrefix(b, []byte(armor.Header)) }

// ErrPlain is in the error of [Unlock] if the file takes no passphrase.
var ErrPlain = errors.New("the key file takes no passphrase: whoever reads the medium has the key")

// roomWork bounds what a file may ask for in a ceremony, as maxWork does: 2^18,
// age's own choice, takes a quarter of a gigabyte.
const roomWork = 18

// Unlock is Open for a machine that is not the witness's own. It opens only
// what takes a passphrase ([ErrPlain]), and no file that wants more memory for
// it than age's own choice.
func Unlock(b []byte, ask func() ([]byte, error)) (*audit.WitnessSigner, error) {
	if len(b) <= MaxSize && !Sealed(b) {
		return nil, ErrPlain
	}
	return open(b, roomWork, ask)
}

// Open reads a key file. ask is called for the passphrase, if the file takes
// one; what it returns is overwritten.
func Open(b []byte, ask func() ([]byte, error)) (*audit.WitnessSigner, error) {
	return open(b, maxWork, ask)
}

func open(b []byte, work int, ask func() ([]byte, error)) (*audit.WitnessSigner, error) {
	if len(b) > MaxSize {
		return nil, fmt.Errorf("reading a key file: over %d bytes", MaxSize)
	}
	if !Sealed(b) {
		return parse(b)
	}
	passphrase, err := ask()
	defer clear(passphrase)
	if err != nil {
		return nil, fmt.Errorf("reading the passphrase: %w", err)
	}
	plain, err := unseal(b, passphrase, work)
	defer clear(plain)
	if err != nil {
		return nil, err
	}
	return parse(plain)
}

func unseal(b, passphrase []byte, work int) ([]byte, error) {
	id, err := age.NewScryptIdentity(string(passphrase))
	if err != nil {
		return nil, fmt.Errorf("decrypting a key file: %w", err)
	}
	id.SetMaxWorkFactor(work)
	r, err := age.Decrypt(armor.NewReader(bytes.NewReader(b)), id)
	var none *age.NoIdentityMatchError
	if errors.As(err, &none) {
		return nil, fmt.Errorf("decrypting a key file: %w", ErrPassphrase)
	}
	if err != nil {
		return nil, fmt.Errorf("decrypting a key file: %w", err)
	}
	plain, err := io.ReadAll(io.LimitReader(r, MaxSize))
	if err != nil {
		return nil, fmt.Errorf("decrypting a key file: %w", err)
	}
	return plain, nil
}

// parse reads the one line of a key file.
func parse(b []byte) (*audit.WitnessSigner, error) {
	line, ok := strings.CutSuffix(string(b), "\n")
	if !ok {
		return nil, errors.New("reading a key file: its one line does not end")
	}
	return audit.ParseWitnessSigner(line)
}
