package verify

import (
	"encoding/hex"
	"fmt"
	"testing"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/cvc"
	"github.com/keyrite/keyrite/internal/cvc/tlv"
	"github.com/keyrite/keyrite/internal/verify/bundletest"
)

const trySerial = "ZZEXAMPLE01"

// A trying is a part of a log in which the tries of a card are looked at.
type trying struct{ *bundletest.Builder }

func (b trying) command(name, header string, data string, o audit.HSMOutcome) int64 {
	i := audit.HSMIntent{Function: transmit, Reader: "Reader 00 00", Command: name, Header: header, Data: data}
	if name == "READ BINARY" {
		i.Length = 1000
	}
	return b.Call(i, o)
}

// hold has the card held and read while f runs.
func (b trying) hold(f func()) {
	b.Call(audit.HSMIntent{Function: "SCardConnect", Reader: "Reader 00 00"}, audit.HSMOutcome{})
	chr := tlv.Append(nil, cvc.TagCHR, []byte(trySerial+"00000"))
	chain := tlv.Append(nil, cvc.TagCertificate, tlv.Append(nil, cvc.TagBody, chr))
	b.command("READ BINARY", "00b12f02", "54020000", audit.HSMOutcome{Status: "6282", Data: hex.EncodeToString(chain)})
	f()
	b.Call(audit.HSMIntent{Function: "SCardDisconnect"}, audit.HSMOutcome{})
}

// look asks for both counters and returns where the answers stand.
func (b trying) look(so, user int) (places [2]int64) {
	b.hold(func() {
		places[0] = b.command("VERIFY WITHOUT PIN", "00200088", "", audit.HSMOutcome{Status: fmt.Sprintf("63C%X", so)})
		places[1] = b.command("VERIFY WITHOUT PIN", "00200081", "", audit.HSMOutcome{Status: fmt.Sprintf("63C%X", user)})
	})
	return places
}

// wrong sends a wrong user PIN; left are the tries afterwards.
func (b trying) wrong(left int) {
	b.hold(func() {
		b.command("VERIFY", "00200081", redacted, audit.HSMOutcome{Status: fmt.Sprintf("63C%X", left), Data: redacted})
	})
}

// ledger is a balance of 15 and 3 tries with nothing spent, changed by f.
func ledger(at [2]int64, f func(so, user *audit.TryAccount)) *audit.TryLedger {
	so := audit.TryAccount{PIN: "SO-PIN", Source: "card", Says: "15 left", Script: 15, Start: 15, Left: 15, Seen: at[0]}
	user := audit.TryAccount{PIN: "user PIN", Source: "card", Says: "3 left", Script: -1, Start: 3, Left: 3, Seen: at[1]}
	if f != nil {
		f(&so, &user)
	}
	return &audit.TryLedger{Token: "hsm", Serial: trySerial, At: audit.TriesEnd, PINs: []audit.TryAccount{so, user}}
}

// tryLies are lies about tries; want is "" where nothing is to be found.
func tryLies() []lie {
	scene := func(f func(trying)) func(*bundletest.Builder, string, audit.Data) {
		return at("root-key", func(b *bundletest.Builder, _ *audit.Key) { f(trying{b}) })
	}
	return []lie{
		{name: "balanced", before: scene(func(b trying) { b.Add(ledger(b.look(15, 3), nil)) })},
		{name: "spent, told and given back", before: scene(func(b trying) {
			b.look(15, 3)
			b.wrong(2)
			b.hold(func() { b.command("VERIFY", "00200081", redacted, audit.HSMOutcome{Status: "9000", Data: redacted}) })
			b.Add(ledger(b.look(15, 3), func(_, user *audit.TryAccount) { user.Spent, user.GivenBack = 1, 1 }))
		})},
		{name: "no ledger, as in older logs", before: scene(func(b trying) { b.look(15, 3) })},
		{name: "a try spent by nobody", before: scene(func(b trying) { b.look(15, 3); b.look(14, 3) }), want: TriesUnexplained},
		{name: "a try spent is left out", before: scene(func(b trying) {
			b.look(15, 3)
			b.wrong(2)
			b.Add(ledger(b.look(15, 2), func(_, user *audit.TryAccount) { user.Start, user.Left = 2, 2 }))
		}), want: TryLedgerDiffers},
		{name: "a try given back by nothing", before: scene(func(b trying) {
			b.look(15, 2)
			b.Add(ledger(b.look(15, 3), func(_, user *audit.TryAccount) { user.Start, user.GivenBack = 2, 1 }))
		}), want: TryLedgerDiffers},
		{name: "a difference that is said to be none", before: scene(func(b trying) {
			b.look(15, 3)
			b.Add(ledger(b.look(14, 3), func(so, _ *audit.TryAccount) { so.Left, so.Unexplained = 14, -1 }))
		}), want: TryLedgerDiffers},
		{name: "not what the script says, and said to be", before: scene(func(b trying) {
			b.Add(ledger(b.look(15, 3), func(so, _ *audit.TryAccount) { so.Script = 14 }))
		}), want: TryLedgerDiffers},
		{name: "a difference is told", before: scene(func(b trying) {
			d := ledger(b.look(15, 3), func(so, _ *audit.TryAccount) { so.Script, so.Differs = 14, "15 tries at the start, 14 by the script" })
			d.At = audit.TriesDiffer
			b.Add(d)
			d.At = audit.TriesEnd
			b.Add(d)
		}), want: TriesUnexplained},
		{name: "a difference that names none", before: scene(func(b trying) {
			d := ledger(b.look(15, 3), nil)
			b.Add(d)
			other := *d
			other.At = audit.TriesDiffer
			b.Add(&other)
		}), want: TryLedgerDiffers},
		{name: "another look than the last", before: scene(func(b trying) {
			at := b.look(15, 3)
			b.look(15, 3)
			b.Add(ledger(at, nil))
		}), want: TryLedgerDiffers},
		{name: "not told by the card, though it was asked", before: scene(func(b trying) {
			b.Add(ledger(b.look(15, 3), func(so, _ *audit.TryAccount) { so.Source = "flags" }))
		}), want: TryLedgerDiffers},
		{name: "one PIN alone", before: scene(func(b trying) {
			d := ledger(b.look(15, 3), nil)
			d.PINs = d.PINs[:1]
			b.Add(d)
		}), want: TryLedgerDiffers},
		{name: "a token that was never balanced", before: scene(func(b trying) {
			b.identified(trySerial)
			d := ledger(b.look(15, 3), func(so, _ *audit.TryAccount) { so.Script, so.Differs = 14, "one more than by the script" })
			d.At = audit.TriesDiffer
			b.Add(d)
		}), want: TryLedgerDiffers},
		{name: "a PIN used after the balance", before: scene(func(b trying) {
			b.identified(trySerial)
			b.Add(ledger(b.look(15, 3), nil))
			b.wrong(2)
			b.look(15, 2)
		}), want: TryLedgerDiffers},
	}
}

func (b trying) identified(serial string) {
	b.Add(&audit.Token{Name: "hsm", Mechanisms: []string{}, Differs: []string{}, Info: audit.TokenInfo{Serial: serial, Flags: []string{}}})
}

// TestTries: the balance of the tries is computed anew.
func TestTries(t *testing.T) {
	for _, l := range tryLies() {
		t.Run(l.name, func(t *testing.T) {
			r := l.tell(t)
			switch {
			case l.want == "" && (r.failed() || r.Has(TriesUnexplained)):
				t.Errorf("verdict %s\n%s", r.Verdict, codes(r))
			case l.want != "" && !r.Has(l.want), l.want == TryLedgerDiffers && r.Verdict != Failed, l.want == TriesUnexplained && r.failed():
				t.Errorf("verdict %s, want %s\n%s", r.Verdict, l.want, codes(r))
			}
		})
	}
}
