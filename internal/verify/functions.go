package verify

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/keyrite/keyrite/audit"
)

// functions are the PKCS#11 functions that keyrite calls, and those of PC/SC, with the members that
// the intent and the outcome of a call may have besides those of all calls.
var functions = map[string]struct{ intent, outcome string }{
	"C_Initialize":        {"module", ""},
	"C_Finalize":          {"", ""},
	"C_GetInfo":           {"", "module"},
	"C_GetSlotList":       {"flags", "slots"},
	"C_GetSlotInfo":       {"slot", "slot_info"},
	"C_GetTokenInfo":      {"slot", "token"},
	"C_GetMechanismList":  {"slot", "mechanisms"},
	"C_GetMechanismInfo":  {"slot mechanism", "key_sizes"},
	"C_InitToken":         {"slot pin label", ""},
	"C_InitPIN":           {"session pin", ""},
	"C_SetPIN":            {"session pin new_pin", ""},
	"C_OpenSession":       {"slot flags", "session"},
	"C_CloseSession":      {"session", ""},
	"C_CloseAllSessions":  {"slot", ""},
	"C_GetSessionInfo":    {"session", "state"},
	"C_Login":             {"session user pin", ""},
	"C_Logout":            {"session", ""},
	"C_FindObjectsInit":   {"session template", ""},
	"C_FindObjects":       {"session length", "objects"},
	"C_FindObjectsFinal":  {"session", ""},
	"C_GetAttributeValue": {"session object attributes", "attributes"},
	"C_GenerateRandom":    {"session length purpose", "random"},
	"C_GenerateKeyPair":   {"session mechanism template private", "public_key private_key"},
	"C_SignInit":          {"session mechanism object", ""},
	"C_Sign":              {"session data for", "signature"},
	"C_DestroyObject":     {"session object", ""},

	"SCardListReaders": {"", "readers"},
	"SCardConnect":     {"reader", ""},
	"SCardTransmit":    {"reader command header data length", "status data"},
	"SCardDisconnect":  {"", ""},
}

// ofAll are the members that every intent and outcome may have.
const ofAll = "function intent rv micros"

// A foreigner is a member that the calls of a function have not.
type foreigner struct {
	field int // in the struct of the intent or outcome
	name  string
}

// foreigners returns, by function, the members that an intent and an outcome
// must not have.
var foreigners = sync.OnceValue(func() map[string]struct{ intent, outcome []foreigner } {
	of := func(t reflect.Type, own string) (list []foreigner) {
		names := strings.Fields(ofAll + " " + own)
		for i := range t.NumField() {
			if name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ","); !slices.Contains(names, name) {
				list = append(list, foreigner{i, name})
			}
		}
		return list
	}
	all := map[string]struct{ intent, outcome []foreigner }{}
	for name, own := range functions {
		all[name] = struct{ intent, outcome []foreigner }{
			of(reflect.TypeFor[audit.HSMIntent](), own.intent), of(reflect.TypeFor[audit.HSMOutcome](), own.outcome),
		}
	}
	return all
})

// checkMembers finds members that a call of the function has not: whatever
// stands there, the recorder did not write it. data is a pointer to the entry's
// data, side "intent" or "outcome".
func (f *facts) checkMembers(seq int64, function, side string, data any) {
	all, known := foreigners()[function]
	if !known {
		if side == "intent" {
			f.find(FunctionUnknown, seq, "a function that keyrite never calls", "", function)
		}
		return
	}
	list := all.intent
	if side == "outcome" {
		list = all.outcome
	}
	v := reflect.ValueOf(data).Elem()
	for _, m := range list {
		if !v.Field(m.field).IsZero() {
			f.find(SecretRecorded, seq, fmt.Sprintf("the %s of %s has a member that is not its own", side, function), "no "+m.name, "")
		}
	}
}

// secretAttributes are those whose value never leaves a token.
var secretAttributes = []string{
	"CKA_VALUE", "CKA_PRIVATE_EXPONENT", "CKA_PRIME_1", "CKA_PRIME_2", "CKA_EXPONENT_1", "CKA_EXPONENT_2", "CKA_COEFFICIENT",
}

// checkAttributes finds the value of a secret attribute.
func (f *facts) checkAttributes(seq int64, list []audit.Attribute) {
	for _, a := range list {
		if a.Value != "" && a.Value != redacted && slices.Contains(secretAttributes, a.Type) {
			f.find(SecretRecorded, seq, "the value of "+a.Type+" stands in the log", redacted, "")
		}
	}
}

// checkRV checks the return value: CKR_… (of PC/SC, SCARD_…), or "none" if the
// module broke off. Only a call that returned CKR_OK brought something back.
func (f *facts) checkRV(seq int64, d *audit.HSMOutcome) {
	form := "CKR_"
	if strings.HasPrefix(d.Function, "SCard") {
		form = "SCARD_"
	}
	if d.RV != "none" && !strings.HasPrefix(d.RV, form) {
		f.find(CallOutcome, seq, "a return value of no form", form+"… or none", d.RV)
	}
	if !d.OK() && (d.Status != "" || d.Data != "" || len(d.Readers) > 0 || d.Signature != "" || d.PublicKey != "" || d.PrivateKey != "" || d.Random != "") {
		f.find(CallOutcome, seq, d.Function+" failed, and yet brought something back", "CKR_OK", d.RV)
	}
}
