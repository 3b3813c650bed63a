// Package tries balances the tries of PINs from a log's entries alone: what each
// PIN of each token had when it was first looked at, what was spent and given back
// since by calls of the log, and what was left when it was last looked at.
//
// The numbers are a SmartCard-HSM's own answers to VERIFY without a PIN, which
// spends none. A number that no call of the log explains is a difference: somebody
// or something else has used the token.
package tries

import "slices"

// The PINs, by their names in the log.
const (
	SOPIN   = "SO-PIN"
	UserPIN = "user PIN"
)

// PINs lists both, in the order of a try-ledger entry.
var PINs = [...]string{SOPIN, UserPIN}

// Unknown stands for a number that nobody has told.
const Unknown = -1

// An Account is what is known of the tries of one PIN. Where the token does not
// tell, Start and Left are [Unknown] and Spent is what the return values say.
//
//	Start − Spent + GivenBack + Unexplained = Left
type Account struct {
	Start       int   // when it was looked at first
	Spent       int   // by calls of the log that were refused, or whose outcome nobody saw
	GivenBack   int   // by a right PIN, or by setting the PIN anew; negative if the new one has fewer
	Unexplained int   // by nothing in the log
	Left        int   // when it was looked at last
	Seen        int64 // seq of that look's outcome; -1 if there was none
	Unsure      bool  // a call since then may have changed it
	Anew        bool  // the token was initialised since then
	Fresh       int   // at the first look after it was initialised; Unknown before

	Differs *Difference // the last one, nil if there was none

	full     int   // after a right PIN; Unknown before that was seen
	possible []int // what the next look can show; nil: anything from atLeast on
	atLeast  int
	wrong    int  // refused since the last look
	right    bool // a right PIN since the last look, and none refused after it
}

// A Difference is a look that showed what the log does not explain.
type Difference struct {
	Seq      int64 // of the look's outcome
	Expected []int // what it could have shown, in ascending order
	Found    int
}

func newAccount() *Account {
	return &Account{Start: Unknown, Left: Unknown, Seen: -1, Fresh: Unknown, full: Unknown}
}

// Expected returns what the next look can show, in ascending order; nil if it is
// not known. With any it is every number from the first on.
func (a *Account) Expected() (numbers []int, any bool) {
	switch {
	case a.possible != nil:
		return slices.Clone(a.possible), false
	case a.atLeast > 0:
		return []int{a.atLeast}, true
	}
	return nil, false
}

// refused takes in a wrong PIN.
func (a *Account) refused() {
	if a.possible != nil && slices.Max(a.possible) == 0 {
		return // locked: there was none to spend
	}
	a.Spent++
	a.wrong++
	a.atLeast = max(0, a.atLeast-1)
	for i := range a.possible {
		a.possible[i] = max(0, a.possible[i]-1)
	}
	a.possible = sorted(a.possible)
	a.right, a.Unsure = false, true
}

// accepted takes in a right PIN.
func (a *Account) accepted() {
	low, known := a.low()
	switch {
	case a.full != Unknown:
		a.possible = []int{a.full}
	case known:
		a.possible, a.atLeast = nil, max(low, 1)
	}
	a.right, a.Unsure = true, true
}

// anew takes in a new PIN on a token that was initialised: its tries may be
// others than before.
func (a *Account) anew() {
	a.possible, a.atLeast, a.full = nil, 0, Unknown
	a.right, a.Unsure, a.Anew = true, true, true
}

// doubtful takes in a call of which it is not known whether the PIN reached the
// token and was right.
func (a *Account) doubtful() {
	a.Unsure, a.right = true, false
	if a.possible == nil {
		a.atLeast = max(0, a.atLeast-1)
		return
	}
	if a.full == Unknown {
		a.possible, a.atLeast = nil, max(0, slices.Min(a.possible)-1)
		return
	}
	all := append(slices.Clone(a.possible), a.full)
	for _, n := range a.possible {
		all = append(all, max(0, n-1))
	}
	a.possible = sorted(all)
}

// low is the lowest that the next look can show, if it is known.
func (a *Account) low() (n int, known bool) {
	if a.possible != nil {
		return slices.Min(a.possible), true
	}
	return a.atLeast, a.atLeast > 0
}

// saw takes in what a look showed, and balances.
func (a *Account) saw(seq int64, n int) {
	before := a.Left
	fits := a.fits(n)
	switch change := n - (before - a.wrong); {
	case before == Unknown:
		// What was refused before the first look was spent of what there was then.
		a.Start = n + a.wrong
		if a.right || a.Anew {
			a.Start, a.GivenBack = n, a.GivenBack+a.wrong
		}
	case fits && change < 0 && !a.Anew:
		a.Spent -= change // by a call whose outcome nobody saw
	case fits:
		a.GivenBack += change
	default:
		a.Unexplained += change
		expected, _ := a.Expected()
		a.Differs = &Difference{Seq: seq, Expected: expected, Found: n}
	}
	if a.right && fits {
		a.full = n
	}
	if a.Anew {
		a.Fresh = n + a.wrong
	}
	a.Left, a.Seen, a.possible, a.atLeast = n, seq, []int{n}, 0
	a.wrong, a.right, a.Unsure, a.Anew = 0, false, false, false
}

func (a *Account) fits(n int) bool {
	if a.possible == nil {
		return n >= a.atLeast
	}
	return slices.Contains(a.possible, n)
}

func sorted(list []int) []int {
	if list == nil {
		return nil
	}
	slices.Sort(list)
	return slices.Compact(list)
}
