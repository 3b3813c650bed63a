// Package steps is every kind of step that a ceremony can have, one file a
// kind: its fields in the script, its effect on the model of the world, its run.
package steps

import "github.com/keyrite/keyrite/ceremony"

// Kinds returns the map of all step kinds.
func Kinds() ceremony.Kinds {
	kinds := ceremony.Kinds{}
	for _, k := range []ceremony.Kind{
		{Name: "attendance", Does: "the roll call: who is there, who has seen which identity document", New: func() ceremony.Action { return new(attendance) }},
		{Name: "statement", Does: "a text is read aloud and acknowledged", New: func() ceremony.Action { return new(statement) }},
		{Name: "freshness", Does: "public values that nobody could know before are read aloud and taken into the log", New: func() ceremony.Action { return new(freshness) }},
		{Name: "environment", Does: "the machine says what it is: program, PKCS#11 module, kernel, network; its clock is compared with a second one", New: func() ceremony.Action { return new(environment) }},
		{Name: "token-identify", Does: "a token is found by its serial number and compared with the script; changes nothing", New: func() ceremony.Action { return new(tokenIdentify) }},
		{Name: "token-inventory", Does: "the objects on a token are listed and compared; changes nothing", New: func() ceremony.Action { return new(tokenInventory) }},
		{Name: "token-init", Does: "a token is initialised and gets its label; everything on it is lost", New: func() ceremony.Action { return new(tokenInit) }},
		{Name: "set-so-pin", Does: "the SO-PIN is replaced by a new one", New: func() ceremony.Action { return new(setSOPIN) }},
		{Name: "set-user-pin", Does: "the user PIN is set by the security officer, or changed with the old one", New: func() ceremony.Action { return new(setUserPIN) }},
		{Name: "pin-change", Does: "a PIN that is in use is replaced, with the reason; the new one is proved, the old one where that is harmless", New: func() ceremony.Action { return new(pinChange) }},
		{Name: "pin-unblock", Does: "the security officer sets the user PIN of a token that is blocked: an exception, with its reason", New: func() ceremony.Action { return new(pinUnblock) }},
		{Name: "secret-check", Does: "custodians prove that their shares of a PIN are still those that a log committed to; no token is touched", New: func() ceremony.Action { return new(secretCheck) }},
		{Name: "login-proof", Does: "the user PIN is proved by logging in; changes nothing", New: func() ceremony.Action { return new(loginProof) }},
		{Name: "key-identify", Does: "a key that an earlier ceremony made is found on its token and compared with what is known of it", New: func() ceremony.Action { return new(keyIdentify) }},
		{Name: "generate-key", Does: "a key pair is generated on a token, read back and judged", New: func() ceremony.Action { return new(generateKey) }},
		{Name: "dkek-create-share", Does: "a random share of a key backup key (DKEK) is made and written, under a custodian's password, to a medium", New: func() ceremony.Action { return new(dkekCreateShare) }},
		{Name: "dkek-import", Does: "a token gets one share of its key backup key; its key check value is compared", New: func() ceremony.Action { return new(dkekImport) }},
		{Name: "key-wrap", Does: "a key leaves its token, encrypted under the key backup key, for a file", New: func() ceremony.Action { return new(keyWrap) }},
		{Name: "key-unwrap", Does: "a second token takes in a key that another one has wrapped, and shows it", New: func() ceremony.Action { return new(keyUnwrap) }},
		{Name: "key-compare", Does: "a key and its copy on a second token sign the same challenge", New: func() ceremony.Action { return new(keyCompare) }},
		{Name: "key-destroy", Does: "a key is destroyed on its token, and shown to be absent", New: func() ceremony.Action { return new(keyDestroy) }},
		{Name: "token-wipe", Does: "a token is initialised at the end of its life, and shown to be empty", New: func() ceremony.Action { return new(tokenWipe) }},
		{Name: "self-sign-root", Does: "a key signs its own root certificate", New: func() ceremony.Action { return new(selfSignRoot) }},
		{Name: "sign-csr", Does: "a certificate request is checked and a subordinate certificate signed", New: func() ceremony.Action { return new(signCSR) }},
		{Name: "sign-crl", Does: "a certificate revocation list is signed", New: func() ceremony.Action { return new(signCRL) }},
		{Name: "sign-file", Does: "a file is compared by two people and gets a detached signature", New: func() ceremony.Action { return new(signFile) }},
		{Name: "export", Does: "files are written to a medium, read back and compared", New: func() ceremony.Action { return new(export) }},
		{Name: "media", Does: "artifacts are written to a medium with their checksums, which are read on a second machine and typed back", New: func() ceremony.Action { return new(media) }},
		{Name: "materials", Does: "the numbers of tamper-evident bags are read by one and typed back by another, and compared with the script", New: func() ceremony.Action { return new(materials) }},
		{Name: "custody", Does: "who leaves with which bag, card or share: read aloud and acknowledged by each", New: func() ceremony.Action { return new(custody) }},
		{Name: "handover", Does: "a log changes hands: both parties verify its head, media and places are noted, and until when it is kept", New: func() ceremony.Action { return new(handover) }},
		{Name: "evidence", Does: "the number and time code of a photograph or recording are noted", New: func() ceremony.Action { return new(evidence) }},
		{Name: "clock", Does: "the clocks are compared once more, and the drift is computed", New: func() ceremony.Action { return new(clock) }},
		{Name: "deviation", Does: "asks for departures from the script and writes them down", New: func() ceremony.Action { return new(deviation) }},
		{Name: "verdict", Does: "each witness agrees, or does not, with all that was done so far", New: func() ceremony.Action { return new(verdict) }},
		{Name: "cosign", Does: "the current checkpoint is shown, and each witness with a key cosigns it", New: func() ceremony.Action { return new(cosign) }},
		{Name: "pause", Does: "a planned break: the room goes on, or stops and resumes later", New: func() ceremony.Action { return new(pause) }},
		{Name: "close", Does: "ends the ceremony: the log is sealed and the transcript made", New: func() ceremony.Action { return new(closing) }},
	} {
		kinds[k.Name] = k
	}
	return kinds
}
