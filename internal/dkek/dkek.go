// Package dkek is what a SmartCard-HSM's key backup is made of, outside the card:
// the shares of its device key encryption key (DKEK) in their files, and the file
// of a key that a card has wrapped. Both files are as sc-hsm-tool, of OpenSC,
// writes and reads them.
//
// The DKEK is 32 bytes: the exclusive or of its shares, made in the card. A key
// leaves the card encrypted and authenticated under it, and only a card with the
// same DKEK takes it in. Who has all the shares and a wrapped key has the key.
package dkek

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
)

// Sizes, in bytes.
const (
	ShareSize = 32
	CheckSize = 8  // of a key check value
	FileSize  = 64 // of a share's file
)

const (
	magic = "Salted__"
	salt  = 8

	// rounds is how often a password is hashed. It cannot be chosen: the file
	// does not say it.
	rounds = 10_000_000
)

// ErrPassword says that a file does not open with a password. A wrong password,
// and a file that was changed, cannot be told apart.
var ErrPassword = errors.New("the password does not open the file: it is another file's, or was mistyped")

// CheckValue is the key check value of a DKEK, or of a share: the first 8 bytes
// of its SHA-256. That of the only share is that of the DKEK. It tells nothing
// of 32 random bytes that could be used to find them.
func CheckValue(key []byte) string {
	sum := sha256.Sum256(key)
	return hex.EncodeToString(sum[:CheckSize])
}

// Seal encrypts a share under a password and returns its file:
//
//	"Salted__"
//	salt     8 bytes, from random
//	cipher   48 bytes, AES-256-CBC of the share with the padding of PKCS #7
//
// Key and IV are derived from password and salt as OpenSSL's EVP_BytesToKey does
// with MD5, in ten million rounds. That takes seconds, for whoever guesses, too.
func Seal(share, password []byte, random io.Reader) ([]byte, error) {
	if len(share) != ShareSize {
		return nil, fmt.Errorf("sealing a share of %d bytes: it has %d", len(share), ShareSize)
	}
	file := append([]byte(magic), make([]byte, salt)...)
	if _, err := io.ReadFull(random, file[len(magic):]); err != nil {
		return nil, fmt.Errorf("sealing a share: reading randomness: %w", err)
	}
	block, iv := derive(password, file[len(magic):])
	plain := append(bytes.Clone(share), bytes.Repeat([]byte{aes.BlockSize}, aes.BlockSize)...)
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(plain, plain)
	return append(file, plain...), nil
}

// CheckFile returns an error if b cannot be the file of a share.
func CheckFile(b []byte) error {
	switch {
	case len(b) != FileSize:
		return fmt.Errorf("it has %d bytes, the file of a DKEK share has %d", len(b), FileSize)
	case !bytes.HasPrefix(b, []byte(magic)):
		return fmt.Errorf("it does not begin with %q, as the file of a DKEK share does", magic)
	}
	return nil
}

// Open decrypts a share's file. The error is that of CheckFile or ErrPassword.
// The caller overwrites the share. One wrong password in 256 gives a wrong share
// and no error: compare its check value.
func Open(file, password []byte) ([]byte, error) {
	if err := CheckFile(file); err != nil {
		return nil, err
	}
	head := len(magic) + salt
	block, iv := derive(password, file[len(magic):head])
	plain := bytes.Clone(file[head:])
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(plain, plain)
	if !bytes.Equal(plain[ShareSize:], bytes.Repeat([]byte{aes.BlockSize}, aes.BlockSize)) {
		clear(plain)
		return nil, ErrPassword
	}
	return plain[:ShareSize:ShareSize], nil
}

// derive makes key and IV: 48 bytes, each 16 of them the MD5, rounds times, of the
// 16 before, the password and the salt.
func derive(password, salt []byte) (cipher.Block, []byte) {
	var out []byte
	var last []byte
	for len(out) < 32+aes.BlockSize {
		data := append(append(bytes.Clone(last), password...), salt...)
		sum := md5.Sum(data)
		clear(data)
		for range rounds - 1 {
			sum = md5.Sum(sum[:])
		}
		last = sum[:]
		out = append(out, sum[:]...)
	}
	block, err := aes.NewCipher(out[:32])
	if err != nil {
		panic("dkek: AES refuses a key of 32 bytes")
	}
	clear(out[:32])
	return block, out[32:]
}
