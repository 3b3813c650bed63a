package tries

import (
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/cvc"
)

// maxTokens bounds what a log that lies can make a Ledger hold.
const maxTokens = 100

// A Ledger holds the accounts of all tokens of a log, taken in entry by entry.
type Ledger struct {
	accounts map[string]map[string]*Account // by serial number and PIN
	serials  map[string]string              // of the token that was last seen in a slot
	slots    map[string]string              // of the sessions
	asSO     map[string]bool                // sessions in which the SO has logged in

	intent *audit.HSMIntent // the last one
	seq    int64            // its place
	before map[string]Account
	card   card
}

// A card is the one that PC/SC holds.
type card struct {
	held   bool
	serial string // "" before it was read
	chain  []byte // of its certificates, as far as they were read
	looks  []look // before its serial number was known
}

type look struct {
	pin  string
	seq  int64
	left int
}

// New returns a ledger before the first entry.
func New() *Ledger {
	return &Ledger{accounts: map[string]map[string]*Account{}, serials: map[string]string{}, slots: map[string]string{}, asSO: map[string]bool{}}
}

// Account returns a PIN's account; one of which nothing is known if the log has
// not met it.
func (l *Ledger) Account(serial, pin string) *Account {
	if a := l.accounts[serial][pin]; a != nil {
		return a
	}
	return newAccount()
}

// Met reports whether a PIN of the token with a serial number was used, or
// looked at.
func (l *Ledger) Met(serial string) bool { return l.accounts[serial] != nil }

// Serials returns the serial numbers of the tokens that the log has met.
func (l *Ledger) Serials() []string {
	var list []string
	for serial := range l.accounts {
		list = append(list, serial)
	}
	return list
}

// account is Account, made where there is none.
func (l *Ledger) account(serial, pin string) *Account {
	of := l.accounts[serial]
	if of == nil {
		if len(l.accounts) == maxTokens {
			return newAccount()
		}
		of = map[string]*Account{SOPIN: newAccount(), UserPIN: newAccount()}
		l.accounts[serial] = of
	}
	return of[pin]
}

// Take takes in one more entry.
func (l *Ledger) Take(e *audit.Entry) {
	switch d := e.Data.(type) {
	case *audit.HSMIntent:
		l.begin(e.Seq, d)
	case *audit.HSMOutcome:
		if l.intent == nil || d.Intent != l.seq {
			return
		}
		l.end(e.Seq, l.intent, d)
		l.intent, l.before = nil, nil
	case *audit.SegmentOpen:
		l.intent, l.before, l.card = nil, nil, card{}
	}
}

// begin takes in a call that is about to be made. One that sends a PIN is
// doubtful until its outcome is there.
func (l *Ledger) begin(seq int64, in *audit.HSMIntent) {
	l.intent, l.seq, l.before = in, seq, nil
	serial, checked := l.checks(in)
	if checked == "" {
		return
	}
	l.account(serial, checked)
	l.before = map[string]Account{}
	for pin, a := range l.accounts[serial] {
		l.before[pin] = *a
		if pin == checked || resets(in) {
			a.doubtful()
		}
	}
}

// end takes in what came of a call.
func (l *Ledger) end(seq int64, in *audit.HSMIntent, out *audit.HSMOutcome) {
	serial, checked := l.checks(in)
	if checked != "" && l.before != nil && !undecided(out) {
		for pin, a := range l.accounts[serial] {
			*a = l.before[pin]
		}
		l.decide(serial, checked, in, out)
	}
	l.follow(in, out)
	l.look(seq, in, out)
}

// PINOf returns the token and the PIN that a PKCS#11 call has checked, "" if it
// sends none. It is told of the last call that was taken in.
func (l *Ledger) PINOf(in *audit.HSMIntent) (serial, pin string) { return l.checks(in) }

// checks returns the token and the PIN that a call has checked, "" if it sends
// none.
func (l *Ledger) checks(in *audit.HSMIntent) (serial, pin string) {
	switch in.Command {
	case "VERIFY":
		return l.card.serial, reference(in.Header)
	case "INITIALIZE DEVICE":
		return l.card.serial, SOPIN
	}
	slot := in.Slot
	if in.Session != "" {
		slot = l.slots[in.Session]
	}
	switch in.Function {
	case "C_InitToken", "C_InitPIN":
		return l.serials[slot], SOPIN
	case "C_Login":
		if in.User == "CKU_SO" {
			return l.serials[slot], SOPIN
		}
		return l.serials[slot], UserPIN
	case "C_SetPIN":
		if l.asSO[in.Session] {
			return l.serials[slot], SOPIN
		}
		return l.serials[slot], UserPIN
	}
	return "", ""
}

// reference returns the PIN that a header CLA INS P1 P2 means.
func reference(header string) string {
	if strings.HasSuffix(header, "88") {
		return SOPIN
	}
	return UserPIN
}

// resets reports whether a call sets the user PIN anew.
func resets(in *audit.HSMIntent) bool {
	return in.Function == "C_InitToken" || in.Function == "C_InitPIN" || in.Command == "INITIALIZE DEVICE"
}

// harmless are return values of calls whose PIN was not tried.
var harmless = map[string]bool{
	"CKR_PIN_LEN_RANGE": true, "CKR_PIN_INVALID": true, "CKR_USER_PIN_NOT_INITIALIZED": true, "CKR_USER_ALREADY_LOGGED_IN": true,
	"CKR_USER_ANOTHER_ALREADY_LOGGED_IN": true, "CKR_SESSION_HANDLE_INVALID": true, "CKR_SESSION_EXISTS": true,
	"CKR_SESSION_READ_ONLY": true, "CKR_SESSION_READ_ONLY_EXISTS": true, "CKR_SLOT_ID_INVALID": true, "CKR_TOKEN_NOT_PRESENT": true,
	"CKR_CRYPTOKI_NOT_INITIALIZED": true, "CKR_ARGUMENTS_BAD": true, "CKR_USER_NOT_LOGGED_IN": true,
}

// undecided reports whether an outcome leaves open what became of the PIN.
func undecided(out *audit.HSMOutcome) bool {
	if out.Status != "" {
		return out.Status != "9000" && out.Status != "6983" && !strings.HasPrefix(out.Status, "63C")
	}
	return out.RV != "CKR_OK" && out.RV != "CKR_PIN_INCORRECT" && out.RV != "CKR_PIN_LOCKED" && !harmless[out.RV]
}

// decide takes in what became of a PIN.
func (l *Ledger) decide(serial, checked string, in *audit.HSMIntent, out *audit.HSMOutcome) {
	a := l.account(serial, checked)
	switch ok := out.RV == "CKR_OK" || out.Status == "9000"; {
	case !ok && !harmless[out.RV]:
		a.refused()
	case !ok:
	case in.Function == "C_Login" && checked == SOPIN:
		a.doubtful() // some tokens try it with the next call only
	default:
		a.accepted()
		if in.Function == "C_InitPIN" {
			l.account(serial, UserPIN).accepted()
		} else if resets(in) {
			l.account(serial, UserPIN).anew()
		}
	}
}

// follow keeps which token is in which slot and session, and which card is held.
func (l *Ledger) follow(in *audit.HSMIntent, out *audit.HSMOutcome) {
	switch ok := out.RV == "CKR_OK"; {
	case out.Token != nil && ok:
		l.serials[in.Slot] = out.Token.Serial
	case in.Function == "C_OpenSession" && ok:
		l.slots[out.Session] = in.Slot
		delete(l.asSO, out.Session)
	case in.Function == "C_Login":
		l.asSO[in.Session] = in.User == "CKU_SO"
	case in.Function == "SCardConnect":
		l.card = card{held: out.OK()}
	case in.Function == "SCardDisconnect":
		l.card = card{}
	}
}

// look takes in what a card told: of its PINs, or who it is.
func (l *Ledger) look(seq int64, in *audit.HSMIntent, out *audit.HSMOutcome) {
	if !l.card.held || out.RV != "SCARD_S_SUCCESS" {
		return
	}
	switch {
	case in.Command == "READ BINARY" && strings.HasPrefix(in.Header, "00b12f02"):
		b, _ := hex.DecodeString(out.Data) // what is no hex has no serial number
		if len(l.card.chain)+len(b) <= 1<<16 {
			l.card.chain = append(l.card.chain, b...)
		}
		l.card.serial, _ = cvc.DeviceSerial(l.card.chain)
	case in.Command == "VERIFY WITHOUT PIN" || in.Command == "VERIFY":
		if n, told := left(out.Status); told && len(l.card.looks) < maxTokens {
			l.card.looks = append(l.card.looks, look{reference(in.Header), seq, n})
		}
	}
	if l.card.serial == "" {
		return
	}
	for _, k := range l.card.looks {
		l.account(l.card.serial, k.pin).saw(k.seq, k.left)
	}
	l.card.looks = nil
}

// left returns the tries that a status word tells of: the x of 63Cx, 0 for 6983
// (blocked).
func left(status string) (n int, told bool) {
	if status == "6983" {
		return 0, true
	}
	x, ok := strings.CutPrefix(status, "63C")
	v, err := strconv.ParseUint(x, 16, 4)
	return int(v), ok && err == nil
}
