package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/keyrite/keyrite/internal/token"
	"github.com/keyrite/keyrite/internal/token/p11"
)

func (p *program) tokenCommand() *cli.Command {
	return &cli.Command{
		Name:  "token",
		Usage: "list the tokens that a PKCS#11 module sees, with their state; changes nothing",
		Description: "Example:\n   keyrite token                                  through opensc-pkcs11\n" +
			"   keyrite token --module /usr/lib/softhsm/libsofthsm2.so",
		Flags: []cli.Flag{&cli.StringFlag{Name: "module", Usage: "PKCS#11 module `SO` (default: opensc-pkcs11)"}},
		Action: func(c *cli.Context) error {
			if _, err := args(c, 0, 0, "no argument"); err != nil {
				return err
			}
			path := c.String("module")
			if path == "" {
				var err error
				if path, err = p11.Find("opensc"); err != nil {
					return environment(err)
				}
			}
			m, err := p11.Open(path)
			if err != nil {
				return environment(err)
			}
			if err := p.listTokens(m); err != nil {
				return environment(err)
			}
			return nil
		},
	}
}

// listTokens reads what is there. It is no ceremony and records nothing; it
// calls nothing that could change a token or spend a try.
func (p *program) listTokens(m token.Module) (err error) {
	if _, err := m.Do(token.Call{Function: token.Initialize}); err != nil {
		return err
	}
	defer func() {
		_, ferr := m.Do(token.Call{Function: token.Finalize})
		err = errors.Join(err, ferr)
	}()
	r, err := m.Do(token.Call{Function: token.GetSlotList, Present: true})
	if err != nil {
		return err
	}
	if len(r.Slots) == 0 {
		fmt.Fprintln(p.err, "no token is there: insert it; is the reader's service (pcscd) running?")
		return nil
	}
	for _, slot := range r.Slots {
		t, err := m.Do(token.Call{Function: token.GetTokenInfo, Slot: slot})
		if err != nil {
			fmt.Fprintf(p.out, "slot %d: %v\n", slot, err)
			continue
		}
		p.describeToken(slot, t.Token)
	}
	return nil
}

func (p *program) describeToken(slot uint, i token.TokenInfo) {
	name := token.Recognise(i)
	m := token.Models[name]
	fmt.Fprintf(p.out, "slot %d\n", slot)
	for _, row := range [][2]string{
		{"label", safe(i.Label)}, {"serial", safe(i.Serial)}, {"model", safe(i.Model) + ", " + safe(i.Manufacturer)},
		{"for a script", name}, {"used before", m.Used(i.Flags)}, {"flags", strings.Join(token.TokenFlags(i.Flags), " ")},
		{"SO-PIN", m.Tries(token.SOPIN, i.Flags).String()}, {"user PIN", m.Tries(token.UserPIN, i.Flags).String()},
	} {
		fmt.Fprintf(p.out, "  %-13s %s\n", row[0], row[1])
	}
}

// safe shows a token's text without anything a terminal would act on.
func safe(s string) string {
	if q := fmt.Sprintf("%q", s); q != `"`+s+`"` {
		return q
	}
	return s
}
