package verify

import (
	"fmt"
	"maps"
	"slices"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/tries"
)

// tryFacts are what a log says of the tries of PINs.
type tryFacts struct {
	ledger   *tries.Ledger // computed here, from the calls alone
	noted    map[*tries.Difference]bool
	balanced map[string]balance // the last balance, by serial number
	tokens   map[string]string  // serial number of each token as it was identified last, by name
	kept     bool               // the program that wrote the log keeps a ledger
}

// A balance is a try-ledger entry at the end of a token's use.
type balance struct {
	seq int64
	*audit.TryLedger
}

func newTryFacts() tryFacts {
	return tryFacts{ledger: tries.New(), noted: map[*tries.Difference]bool{}, balanced: map[string]balance{}, tokens: map[string]string{}}
}

// takeTries balances the tries of the PINs anew and holds what the log says of
// them against it.
func (f *facts) takeTries(e *audit.Entry, size int) {
	t := &f.tries
	t.ledger.Take(e)
	switch d := e.Data.(type) {
	case *audit.Token:
		if d.Info.Serial != "" && f.hold(e.Seq, len(d.Name)+len(d.Info.Serial)) {
			t.tokens[d.Name] = d.Info.Serial
		}
	case *audit.HSMOutcome:
		if d.Status != "" {
			f.noteDifferences()
		}
	case *audit.TryLedger:
		t.kept = true
		f.checkLedger(e.Seq, d)
		if d.At == audit.TriesEnd && f.hold(e.Seq, size) {
			t.balanced[d.Serial] = balance{e.Seq, d}
		}
	}
}

// noteDifferences warns of tries that no call of the log explains.
func (f *facts) noteDifferences() {
	for _, serial := range slices.Sorted(slices.Values(f.tries.ledger.Serials())) {
		for _, pin := range tries.PINs {
			d := f.tries.ledger.Account(serial, pin).Differs
			if d == nil || f.tries.noted[d] {
				continue
			}
			f.tries.noted[d] = true
			f.unless(f.hidden.between(0, d.Seq), TriesUnexplained, d.Seq, fmt.Sprintf("the card %s has other tries left on its %s than the calls of this log explain", serial, pin), fmt.Sprint(d.Expected), fmt.Sprint(d.Found))
		}
	}
}

// checkLedger holds a try-ledger entry against the accounts as computed here.
func (f *facts) checkLedger(seq int64, d *audit.TryLedger) {
	if d.At != audit.TriesEnd && d.At != audit.TriesDiffer || len(d.PINs) != len(tries.PINs) {
		f.find(TryLedgerDiffers, seq, "a try ledger is written at a difference or at the end, of both PINs", "", fmt.Sprintf("%q, %d PINs", d.At, len(d.PINs)))
		return
	}
	hidden := f.hidden.between(0, seq)
	differs := false
	for i, a := range d.PINs {
		differs = differs || a.Differs != ""
		want := f.tries.ledger.Account(d.Serial, tries.PINs[i])
		if got, is := numbers(a), accountOf(tries.PINs[i], want); got != is {
			f.unless(hidden, TryLedgerDiffers, seq, "the tries of the "+tries.PINs[i]+" of token "+d.Token+" are not those that follow from the calls of the log", is, got)
		}
		if (a.Source == "card") != (want.Seen >= 0) {
			f.unless(hidden, TryLedgerDiffers, seq, "who tells the tries of the "+tries.PINs[i]+" of token "+d.Token, "card only where a card was asked", a.Source)
		}
		if started := a.Script != tries.Unknown && a.Start != tries.Unknown && a.Script != a.Start; a.Differs == "" && (started || a.Unexplained != 0) {
			f.find(TryLedgerDiffers, seq, "the ledger says that nothing differs on the "+tries.PINs[i]+" of token "+d.Token+", and something does", fmt.Sprintf("%d by the script, nothing unexplained", a.Script), fmt.Sprintf("%d at the start, %d unexplained", a.Start, a.Unexplained))
		}
		if a.Differs != "" {
			f.find(TriesUnexplained, seq, "the tries of the "+a.PIN+" of token "+d.Token+" were not as expected: "+a.Differs, "", "")
		}
	}
	if d.At == audit.TriesDiffer && !differs {
		f.find(TryLedgerDiffers, seq, "a try ledger that is written at a difference names none", "", "")
	}
}

// numbers writes an account of the log down, to be compared.
func numbers(a audit.TryAccount) string {
	return fmt.Sprintf("%s: start %d, spent %d, given back %d, unexplained %d, left %d (entry %d)", a.PIN, a.Start, a.Spent, a.GivenBack, a.Unexplained, a.Left, a.Seen)
}

func accountOf(pin string, a *tries.Account) string {
	return numbers(audit.TryAccount{PIN: pin, Start: a.Start, Spent: a.Spent, GivenBack: a.GivenBack, Unexplained: a.Unexplained, Left: a.Left, Seen: a.Seen})
}

// finishTries finds tokens whose PINs were used and never balanced, or used after
// that. A log of a program that keeps no ledger has none.
func (f *facts) finishTries() {
	t := &f.tries
	if f.close == nil || !t.kept {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(t.tokens)) {
		serial := t.tokens[name]
		if !t.ledger.Met(serial) {
			continue
		}
		hidden := f.hidden.between(0, f.lastSeq)
		b, ok := t.balanced[serial]
		if !ok || len(b.PINs) != len(tries.PINs) {
			f.unless(hidden, TryLedgerDiffers, f.lastSeq, "the PINs of token "+name+" were used, and their tries were never balanced", "an entry try-ledger at the end", "")
			continue
		}
		for i, pin := range tries.PINs {
			if is, got := accountOf(pin, t.ledger.Account(serial, pin)), numbers(b.PINs[i]); is != got {
				f.unless(hidden, TryLedgerDiffers, b.seq, "the balance of token "+b.Token+" is not the last word on its "+pin, is, got)
			}
		}
	}
}
