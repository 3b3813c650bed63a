package softhsm

import (
	"errors"
	"fmt"

	"github.com/keyrite/keyrite/internal/token"
	"github.com/keyrite/keyrite/internal/token/p11"
)

// The PINs of a token that stands in for one that is in use: the factory PINs
// of a Nitrokey HSM, which are printed in manuals and protect nothing.
const (
	StandInSOPIN   = token.NitrokeyFactorySOPIN
	StandInUserPIN = "648219"
)

// Prepare initialises one throw-away token for each label, with the stand-in
// PINs: a rehearsal of a ceremony that begins with tokens in use needs them
// before its log exists. SOFTHSM2_CONF must name a directory of [Provision].
func Prepare(labels []string) (err error) {
	path, err := Module()
	if err != nil {
		return err
	}
	m, err := p11.Open(path)
	if err != nil {
		return err
	}
	if _, err := m.Do(token.Call{Function: token.Initialize}); err != nil {
		return fmt.Errorf("preparing a throw-away token: C_Initialize: %w", err)
	}
	for _, label := range labels {
		if err = prepare(m, label); err != nil {
			err = fmt.Errorf("preparing a throw-away token for %q: %w", label, err)
			break
		}
	}
	_, ferr := m.Do(token.Call{Function: token.Finalize})
	return errors.Join(err, ferr)
}

// prepare initialises the free slot and sets its user PIN.
func prepare(m token.Module, label string) error {
	slot, err := free(m)
	if err != nil {
		return err
	}
	so, user := token.NewPIN([]byte(StandInSOPIN)), token.NewPIN([]byte(StandInUserPIN))
	defer so.Wipe()
	defer user.Wipe()
	if _, err := m.Do(token.Call{Function: token.InitToken, Slot: slot, PIN: so, Label: label}); err != nil {
		return fmt.Errorf("C_InitToken: %w", err)
	}
	r, err := m.Do(token.Call{Function: token.OpenSession, Slot: slot, ReadWrite: true})
	if err != nil {
		return fmt.Errorf("C_OpenSession: %w", err)
	}
	for _, c := range []token.Call{
		{Function: token.Login, Session: r.Session, User: token.SO, PIN: so},
		{Function: token.InitPIN, Session: r.Session, PIN: user},
		{Function: token.Logout, Session: r.Session},
		{Function: token.CloseSession, Session: r.Session},
	} {
		if _, err := m.Do(c); err != nil {
			return fmt.Errorf("%s: %w", c.Function, err)
		}
	}
	return nil
}

// free returns the slot whose token is not initialised.
func free(m token.Module) (uint, error) {
	r, err := m.Do(token.Call{Function: token.GetSlotList, Present: true})
	if err != nil {
		return 0, fmt.Errorf("C_GetSlotList: %w", err)
	}
	for _, slot := range r.Slots {
		info, err := m.Do(token.Call{Function: token.GetTokenInfo, Slot: slot})
		if err != nil {
			return 0, fmt.Errorf("C_GetTokenInfo: %w", err)
		}
		if info.Token.Flags&token.CKF_TOKEN_INITIALIZED == 0 {
			return slot, nil
		}
	}
	return 0, errors.New("SoftHSM2 shows no free slot")
}
