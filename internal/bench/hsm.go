package main

import (
	"encoding/asn1"
	"errors"
	"fmt"
	"os"

	"github.com/keyrite/keyrite/internal/token"
	"github.com/keyrite/keyrite/internal/token/p11"
	"github.com/keyrite/keyrite/internal/token/softhsm"
)

// An hsm is a throw-away SoftHSM2 with one P-256 key and a login.
type hsm struct {
	module  *p11.Module
	session uint
	key     uint // handle of the private half
}

// newHSM lays a token out in dir.
func newHSM(dir string) (*hsm, error) {
	conf, err := softhsm.Provision(dir)
	if err != nil {
		return nil, err
	}
	if err := os.Setenv(softhsm.ConfigEnv, conf); err != nil {
		return nil, err
	}
	path, err := softhsm.Module()
	if err != nil {
		return nil, err
	}
	m, err := p11.Open(path)
	if err != nil {
		return nil, err
	}
	h := &hsm{module: m}
	if err := h.prepare(); err != nil {
		return nil, errors.Join(fmt.Errorf("preparing the token: %w", err), h.close())
	}
	return h, nil
}

func pin() token.PIN { return token.NewPIN([]byte("739154826")) }

// prepare initialises the token, sets the user PIN, logs in and makes the key.
func (h *hsm) prepare() error {
	if _, err := h.module.Do(token.Call{Function: token.Initialize}); err != nil {
		return err
	}
	slot, err := h.slot()
	if err != nil {
		return err
	}
	if _, err := h.module.Do(token.Call{Function: token.InitToken, Slot: slot, Label: "bench", PIN: pin()}); err != nil {
		return err
	}
	if slot, err = h.slot(); err != nil { // C_InitToken moves it
		return err
	}
	r, err := h.module.Do(token.Call{Function: token.OpenSession, Slot: slot, ReadWrite: true})
	if err != nil {
		return err
	}
	h.session = r.Session
	for _, c := range []token.Call{
		{Function: token.Login, User: token.SO, PIN: pin()},
		{Function: token.InitPIN, PIN: pin()},
		{Function: token.Logout},
		{Function: token.Login, User: token.NormalUser, PIN: pin()},
	} {
		c.Session = h.session
		if _, err := h.module.Do(c); err != nil {
			return err
		}
	}
	return h.generate()
}

// slot returns the first slot with a token.
func (h *hsm) slot() (uint, error) {
	r, err := h.module.Do(token.Call{Function: token.GetSlotList, Present: true})
	if err == nil && len(r.Slots) == 0 {
		err = errors.New("there is no slot with a token")
	}
	if err != nil {
		return 0, err
	}
	return r.Slots[0], nil
}

// generate makes the key pair.
func (h *hsm) generate() error {
	params, err := asn1.Marshal(asn1.ObjectIdentifier{1, 2, 840, 10045, 3, 1, 7}) // P-256, RFC 5480 section 2.1.1.1
	if err != nil {
		return err
	}
	r, err := h.module.Do(token.Call{
		Function: token.GenerateKeyPair, Session: h.session, Mechanism: token.CKM_EC_KEY_PAIR_GEN,
		Template: []token.Attribute{token.Bool(token.CKA_TOKEN, true), token.Bytes(token.CKA_EC_PARAMS, params)},
		Private: []token.Attribute{
			token.Bool(token.CKA_TOKEN, true), token.Bool(token.CKA_PRIVATE, true),
			token.Bool(token.CKA_SENSITIVE, true), token.Bool(token.CKA_SIGN, true),
		},
	})
	h.key = r.Private
	return err
}

func (h *hsm) close() error {
	_, err := h.module.Do(token.Call{Function: token.Finalize})
	return err
}

// signInit and sign return the two calls of a signature over digest; the entry
// forEntry announced it.
func (h *hsm) signInit() token.Call {
	return token.Call{Function: token.SignInit, Session: h.session, Mechanism: token.CKM_ECDSA, Object: h.key}
}

func (h *hsm) sign(digest []byte, forEntry int64) token.Call {
	return token.Call{Function: token.Sign, Session: h.session, Data: digest, For: forEntry}
}
