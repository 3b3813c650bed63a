package token

import "errors"

// Hint says what a ceremony administrator can do about an error from a token:
// a few sentences in plain language, or "" where nothing better is known than
// the error itself. It looks for an [RV] in err's chain.
func Hint(err error) string {
	var rv RV
	if !errors.As(err, &rv) {
		return ""
	}
	return hints[rv]
}

const (
	pinHint       = "Stop and compare before trying again: each wrong try costs one that may never come back. Check that the custodian has the PIN of this very token, that Num Lock and the keyboard layout are right, and how many tries are left."
	unpluggedHint = "Look at the token: is it firmly in its port, is its light on? Plug it in again, wait five seconds, then try again. Sessions and logins are gone; what was made on the token before is still there."
	sessionHint   = "The token was reset or unplugged since the session was opened, so the login is gone. Try the step again: it opens a new session and logs in."
	otherHint     = "Close every other program that uses the token (another keyrite, pkcs11-tool, gpg, a browser), then try again."
	templateHint  = "The token does not accept a key with these properties. Compare algorithm and size with what the token offers (keyrite token), and correct the script; trying again will not help."
	brokenHint    = "The token or its driver failed and does not say why. Plug the token in again and look at its state with keyrite token before trying again; if it happens twice, pause the ceremony and go on with the spare token."
)

// hints covers what users of real tokens have met. Each says what to look at
// first, what is lost and what is not.
var hints = map[RV]string{
	CKR_PIN_INCORRECT: pinHint + " Some tokens (Nitrokey HSM) do not check the SO-PIN at login: the call after it then reports that the SO-PIN was wrong.",
	CKR_PIN_INVALID:   "The token refuses the PIN's characters. Choose one by the token's rules: digits only. No try was spent.",
	CKR_PIN_LEN_RANGE: "The token refuses the PIN's length. Choose one by the token's rules, which the prompt shows.",
	CKR_PIN_EXPIRED:   "The token wants the PIN to be changed before it is used. Run the step that sets a new PIN first.",
	CKR_PIN_TOO_WEAK:  "The token finds the new PIN too easy to guess. Choose another one.",
	CKR_PIN_LOCKED: "The PIN was entered wrongly too often and is locked. A locked user PIN can be set anew by the security officer (C_InitPIN with the SO-PIN). " +
		"A locked SO-PIN cannot be undone: that token can never be initialised again; seal it, record a deviation and go on with the spare token.",
	CKR_USER_PIN_NOT_INITIALIZED:       "The token has no user PIN yet. The security officer sets it first (step set-user-pin).",
	CKR_USER_NOT_LOGGED_IN:             "Nobody is logged in to the token any more. Try the step again: it asks for the PIN and logs in.",
	CKR_USER_ALREADY_LOGGED_IN:         "Somebody is still logged in from before. Try the step again; if it stays so, plug the token in again.",
	CKR_USER_ANOTHER_ALREADY_LOGGED_IN: "The other user (security officer or normal user) is still logged in. Try the step again; if it stays so, plug the token in again.",
	CKR_USER_TOO_MANY_TYPES:            "The other user (security officer or normal user) is still logged in. Try the step again; if it stays so, plug the token in again.",

	CKR_TOKEN_NOT_PRESENT:     unpluggedHint,
	CKR_DEVICE_REMOVED:        unpluggedHint,
	CKR_SLOT_ID_INVALID:       "The token is not in the slot where it was: slots move when a token is plugged in or initialised. Try the step again; the token is then found by its serial number.",
	CKR_TOKEN_NOT_RECOGNIZED:  "The reader sees a card that the driver does not know. Check that it is the right token, and the right PKCS#11 module for it (--module).",
	CKR_TOKEN_WRITE_PROTECTED: "The token cannot be written to. Look for a write-protect switch, and whether it is a token of another kind than the script expects.",
	CKR_DEVICE_ERROR:          brokenHint,
	CKR_GENERAL_ERROR:         brokenHint,
	CKR_FUNCTION_FAILED:       brokenHint,
	CKR_DEVICE_MEMORY:         "The token is full. List what is on it (keyrite token, step token-inventory); remove nothing without a recorded deviation.",
	CKR_HOST_MEMORY:           "The machine ran out of memory. Close other programs and try again.",

	CKR_SESSION_HANDLE_INVALID:       sessionHint,
	CKR_SESSION_CLOSED:               sessionHint,
	CKR_SESSION_COUNT:                otherHint,
	CKR_SESSION_EXISTS:               "Another session with the token is open, and it cannot be initialised meanwhile. " + otherHint,
	CKR_SESSION_READ_ONLY_EXISTS:     otherHint,
	CKR_SESSION_READ_WRITE_SO_EXISTS: otherHint,

	CKR_CRYPTOKI_NOT_INITIALIZED:     "The PKCS#11 module is not initialised. Pause, and go on with keyrite resume.",
	CKR_CRYPTOKI_ALREADY_INITIALIZED: "The PKCS#11 module is already in use in this process. Pause, and go on with keyrite resume.",
	CKR_CANT_LOCK:                    "The PKCS#11 module cannot work with threads. Use another build of the module (--module).",
	CKR_LIBRARY_LOAD_FAILED:          "The PKCS#11 module could not load a library that it needs. Install the module's package anew.",

	CKR_MECHANISM_INVALID:       "The token cannot do this. Compare the script's algorithm with what the token offers (keyrite token); trying again will not help.",
	CKR_MECHANISM_PARAM_INVALID: templateHint,
	CKR_KEY_SIZE_RANGE:          templateHint,
	CKR_CURVE_NOT_SUPPORTED:     templateHint,
	CKR_DOMAIN_PARAMS_INVALID:   templateHint,
	CKR_ATTRIBUTE_VALUE_INVALID: templateHint,
	CKR_ATTRIBUTE_TYPE_INVALID:  templateHint,
	CKR_ATTRIBUTE_READ_ONLY:     templateHint,
	CKR_TEMPLATE_INCOMPLETE:     templateHint,
	CKR_TEMPLATE_INCONSISTENT:   templateHint,

	CKR_FUNCTION_NOT_SUPPORTED:     "The PKCS#11 module does not offer this function. Is it the right module for the token (--module)? Trying again will not help.",
	CKR_OBJECT_HANDLE_INVALID:      "The key is not where it was: the token was reset since it was found. Try the step again; keys are then found by label and id.",
	CKR_KEY_HANDLE_INVALID:         "The key is not where it was: the token was reset since it was found. Try the step again; keys are then found by label and id.",
	CKR_KEY_TYPE_INCONSISTENT:      "The key is of another kind than the script says. Look at the token's inventory before going on.",
	CKR_KEY_FUNCTION_NOT_PERMITTED: "The key may not be used for signing: it was made for something else. Look at the token's inventory before going on.",
	CKR_OPERATION_ACTIVE:           "The token is still busy with an operation that was broken off. Try the step again; if it stays so, plug the token in again.",
	CKR_RANDOM_NO_RNG:              "The token has no random number generator, so serial numbers cannot come from it. Use another token.",
	CKR_ACTION_PROHIBITED:          "The token's policy forbids this. Look at its state with keyrite token.",
	CKR_FUNCTION_REJECTED:          "Somebody refused on the token itself (a button, a PIN pad). Try again when ready.",
	CKR_FUNCTION_CANCELED:          "Somebody cancelled on the token itself (a button, a PIN pad). Try again when ready.",
}
