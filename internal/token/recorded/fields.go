package recorded

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/token"
)

// redacted stands in the log for every PIN that was given.
const redacted = "[redacted]"

// An intentField puts one argument of a call into its intent.
type intentField func(i *audit.HSMIntent, c token.Call)

// intents lists for every function the arguments that are recorded. An argument
// that is not listed is not recorded. C_Initialize is called with
// CKF_OS_LOCKING_OK and nothing else; C_Sign's Data is added by Module.intent,
// since how it is recorded depends on the mechanism.
var intents = map[token.Function][]intentField{
	token.Initialize:       {},
	token.Finalize:         {},
	token.GetInfo:          {},
	token.GetSlotList:      {inPresent},
	token.GetSlotInfo:      {inSlot},
	token.GetTokenInfo:     {inSlot},
	token.GetMechanismList: {inSlot},
	token.GetMechanismInfo: {inSlot, inMechanism},
	token.InitToken:        {inSlot, inPIN, inLabel},
	token.InitPIN:          {inSession, inPIN},
	token.SetPIN:           {inSession, inPIN, inNewPIN},
	token.OpenSession:      {inSlot, inSessionFlags},
	token.CloseSession:     {inSession},
	token.CloseAllSessions: {inSlot},
	token.GetSessionInfo:   {inSession},
	token.Login:            {inSession, inUser, inPIN},
	token.Logout:           {inSession},
	token.DestroyObject:    {inSession, inObject},
	token.GetAttribute:     {inSession, inObject, inWant},
	token.FindObjectsInit:  {inSession, inTemplate},
	token.FindObjects:      {inSession, inMax},
	token.FindObjectsFinal: {inSession},
	token.SignInit:         {inSession, inMechanism, inObject},
	token.Sign:             {inSession, inFor},
	token.GenerateKeyPair:  {inSession, inMechanism, inTemplate, inPrivate},
	token.GenerateRandom:   {inSession, inLength, inPurpose},
}

func inPresent(i *audit.HSMIntent, c token.Call) {
	if c.Present {
		i.Flags = token.SlotFlags(token.CKF_TOKEN_PRESENT)
	}
}

func inSessionFlags(i *audit.HSMIntent, c token.Call) {
	flags := token.CKF_SERIAL_SESSION
	if c.ReadWrite {
		flags |= token.CKF_RW_SESSION
	}
	i.Flags = token.SessionFlags(flags)
}

func inPIN(i *audit.HSMIntent, c token.Call) {
	if !c.PIN.Empty() {
		i.PIN = redacted
	}
}

func inNewPIN(i *audit.HSMIntent, c token.Call) {
	if !c.NewPIN.Empty() {
		i.NewPIN = redacted
	}
}

func inSlot(i *audit.HSMIntent, c token.Call)      { i.Slot = ulong(c.Slot) }
func inSession(i *audit.HSMIntent, c token.Call)   { i.Session = ulong(c.Session) }
func inMechanism(i *audit.HSMIntent, c token.Call) { i.Mechanism = token.MechanismName(c.Mechanism) }
func inLabel(i *audit.HSMIntent, c token.Call)     { i.Label = text(c.Label) }
func inUser(i *audit.HSMIntent, c token.Call)      { i.User = c.User.Name() }
func inObject(i *audit.HSMIntent, c token.Call)    { i.Object = ulong(c.Object) }
func inTemplate(i *audit.HSMIntent, c token.Call)  { i.Template = attributes(c.Template) }
func inPrivate(i *audit.HSMIntent, c token.Call)   { i.Private = attributes(c.Private) }
func inMax(i *audit.HSMIntent, c token.Call)       { i.Length = c.Max }
func inLength(i *audit.HSMIntent, c token.Call)    { i.Length = c.Length }
func inPurpose(i *audit.HSMIntent, c token.Call)   { i.Purpose = string(c.Purpose) }
func inFor(i *audit.HSMIntent, c token.Call)       { i.For = c.For }

func inWant(i *audit.HSMIntent, c token.Call) {
	for _, typ := range c.Want {
		i.Attributes = append(i.Attributes, token.AttributeName(typ))
	}
}

// intent returns what is recorded of a call before it is made.
func (m *Module) intent(c token.Call) *audit.HSMIntent {
	i := &audit.HSMIntent{Function: string(c.Function)}
	for _, field := range intents[c.Function] {
		field(i, c)
	}
	switch c.Function {
	case token.Initialize:
		module := m.module
		i.Module = &module
	case token.Sign:
		i.Data = signInput(m.mechanisms, c)
	}
	return i
}

// signInput returns C_Sign's input: in hex where the session's mechanism takes
// a digest or a DigestInfo, "sha256:" and the hex digest of it where the
// mechanism hashes the data itself or is not known here.
func signInput(mechanisms map[uint]uint, c token.Call) string {
	switch m, ok := mechanisms[c.Session]; {
	case ok && (m == token.CKM_ECDSA || m == token.CKM_RSA_PKCS):
		return hex.EncodeToString(c.Data)
	default:
		sum := sha256.Sum256(c.Data)
		return "sha256:" + hex.EncodeToString(sum[:])
	}
}

// An outcomeField puts what a call brought back into its outcome.
type outcomeField func(o *audit.HSMOutcome, c token.Call, r token.Result)

// outcomes lists for every function what is recorded of its result, besides
// function, rv and duration. What is not listed is not recorded; nothing is
// where the call failed.
var outcomes = map[token.Function][]outcomeField{
	token.GetInfo:          {outModule},
	token.GetSlotList:      {outSlots},
	token.GetSlotInfo:      {outSlotInfo},
	token.GetTokenInfo:     {outToken},
	token.GetMechanismList: {outMechanisms},
	token.GetMechanismInfo: {outKeySizes},
	token.OpenSession:      {outSession},
	token.GetSessionInfo:   {outState},
	token.GetAttribute:     {outAttributes},
	token.FindObjects:      {outObjects},
	token.Sign:             {outSignature},
	token.GenerateKeyPair:  {outKeyPair},
	token.GenerateRandom:   {outRandom},
}

// outcome returns what is recorded of a call after it was made.
func outcome(c token.Call, intent int64, r token.Result, micros int64, err error) *audit.HSMOutcome {
	o := &audit.HSMOutcome{Intent: intent, Function: string(c.Function), RV: rvName(err), Micros: micros}
	if err != nil {
		return o
	}
	for _, field := range outcomes[c.Function] {
		field(o, c, r)
	}
	return o
}

func rvName(err error) string {
	if err == nil {
		return token.CKR_OK.Error()
	}
	var rv token.RV
	if errors.As(err, &rv) {
		return rv.Error()
	}
	return RVNone
}

func outModule(o *audit.HSMOutcome, _ token.Call, r token.Result) {
	info := ModuleInfo(r.Info)
	o.Module = &info
}

func outSlotInfo(o *audit.HSMOutcome, _ token.Call, r token.Result) {
	o.SlotInfo = &audit.SlotInfo{
		Description:  text(r.SlotInfo.Description),
		Manufacturer: text(r.SlotInfo.Manufacturer),
		Flags:        token.SlotFlags(r.SlotInfo.Flags),
	}
}

func outToken(o *audit.HSMOutcome, _ token.Call, r token.Result) {
	info := TokenInfo(r.Token)
	o.Token = &info
}

func outMechanisms(o *audit.HSMOutcome, _ token.Call, r token.Result) {
	for _, m := range r.Mechanisms {
		o.Mechanisms = append(o.Mechanisms, token.MechanismName(m))
	}
}

func outKeySizes(o *audit.HSMOutcome, _ token.Call, r token.Result) {
	o.KeySizes = &audit.KeySizes{
		Min:   ulong(r.KeySizes.Min),
		Max:   ulong(r.KeySizes.Max),
		Flags: token.MechanismFlags(r.KeySizes.Flags),
	}
}

func outSlots(o *audit.HSMOutcome, _ token.Call, r token.Result)   { o.Slots = ulongs(r.Slots) }
func outObjects(o *audit.HSMOutcome, _ token.Call, r token.Result) { o.Objects = ulongs(r.Objects) }
func outSession(o *audit.HSMOutcome, _ token.Call, r token.Result) { o.Session = ulong(r.Session) }
func outState(o *audit.HSMOutcome, _ token.Call, r token.Result)   { o.State = token.StateName(r.State) }

// outAttributes records the attributes that were asked for, and no others.
func outAttributes(o *audit.HSMOutcome, c token.Call, r token.Result) {
	for _, a := range attributes(r.Attributes) {
		if slices.ContainsFunc(c.Want, func(w uint) bool { return token.AttributeName(w) == a.Type }) {
			o.Attributes = append(o.Attributes, a)
		}
	}
}

func outKeyPair(o *audit.HSMOutcome, _ token.Call, r token.Result) {
	o.PublicKey, o.PrivateKey = ulong(r.Public), ulong(r.Private)
}

func outSignature(o *audit.HSMOutcome, _ token.Call, r token.Result) {
	o.Signature = hex.EncodeToString(r.Signature)
}

// outRandom records bytes that are to be published, never those that are to
// stay secret, nor of a purpose that is not known here.
func outRandom(o *audit.HSMOutcome, c token.Call, r token.Result) {
	if c.Purpose == token.PurposeSerial || c.Purpose == token.PurposeChallenge {
		o.Random = hex.EncodeToString(r.Random)
	}
}

// ModuleInfo is a CK_INFO as it stands in the log.
func ModuleInfo(i token.ModuleInfo) audit.ModuleInfo {
	return audit.ModuleInfo{
		CryptokiVersion: text(i.CryptokiVersion),
		Manufacturer:    text(i.Manufacturer),
		Library:         text(i.Library),
		LibraryVersion:  text(i.LibraryVersion),
	}
}

// TokenInfo returns a CK_TOKEN_INFO as it stands in the log.
func TokenInfo(t token.TokenInfo) audit.TokenInfo {
	return audit.TokenInfo{
		Label:        text(t.Label),
		Manufacturer: text(t.Manufacturer),
		Model:        text(t.Model),
		Serial:       text(t.Serial),
		Flags:        token.TokenFlags(t.Flags),
		MinPIN:       number(t.MinPIN),
		MaxPIN:       number(t.MaxPIN),
		Hardware:     text(t.Hardware),
		Firmware:     text(t.Firmware),
		Sessions:     counted(t.Sessions),
		RWSessions:   counted(t.RWSessions),
		FreePublic:   counted(t.FreePublic),
		FreePrivate:  counted(t.FreePrivate),
	}
}

// counted returns a number that a token need not tell, "" if it does not.
func counted(n uint) string {
	if n == token.Unavailable {
		return ""
	}
	return ulong(n)
}

// attributes returns attributes as they stand in the log. Only readable ones
// have a value there.
func attributes(list []token.Attribute) []audit.Attribute {
	var out []audit.Attribute
	for _, a := range list {
		entry := audit.Attribute{Type: token.AttributeName(a.Type)}
		switch {
		case a.Err != nil:
			entry.Error = rvName(a.Err)
		case token.Readable(a.Type):
			entry.Value = a.Shown()
		default:
			entry.Value = redacted
		}
		out = append(out, entry)
	}
	return out
}

func ulong(v uint) string { return strconv.FormatUint(uint64(v), 10) }

func ulongs(list []uint) []string {
	var out []string
	for _, v := range list {
		out = append(out, ulong(v))
	}
	return out
}

// number fits a CK_ULONG into a JSON number: what is 2^53 or more
// (CK_UNAVAILABLE_INFORMATION is) stands as 2^53−1.
func number(v uint) int { return int(min(v, 1<<53-1)) }

// text makes a string that a module gave fit for the log: bytes that are not
// UTF-8 become U+FFFD.
func text(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }
