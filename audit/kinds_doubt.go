package audit

import "strings"

// DoubtfulRV reports whether a return value of a call leaves open whether the
// token carried it out: the token, its reader or its driver failed on the way
// (PKCS#11 v2.40, 5.1.1 and 5.1.2), or the call brought no value at all. By PC/SC
// every failure is one.
func DoubtfulRV(rv string) bool {
	switch rv {
	case "CKR_GENERAL_ERROR", "CKR_FUNCTION_FAILED", "CKR_DEVICE_ERROR", "CKR_DEVICE_REMOVED", "none":
		return true
	}
	return strings.HasPrefix(rv, "SCARD_") && rv != "SCARD_S_SUCCESS"
}

// HSMUnknown says what the room decided about a call whose intent has no outcome,
// or one that leaves open whether the token carried it out: CKR_GENERAL_ERROR,
// CKR_FUNCTION_FAILED, CKR_DEVICE_ERROR, CKR_DEVICE_REMOVED, "none". There can be
// more than one about a call, when a PIN shows that what was decided was wrong.
type HSMUnknown struct {
	Intent  int64  `json:"intent"`  // seq of the intent without an outcome
	Found   string `json:"found"`   // what the inspection of the token showed
	Decided string `json:"decided"` // "it happened", "it did not happen", "cannot be known"
	Person  string `json:"person"`  // participant id of who said so
}
