package transcript

import (
	"fmt"

	"github.com/keyrite/keyrite/audit"
)

func drawDKEKShare(t *teller, d *audit.DKEKShare) {
	t.say("A share of a key backup key (DKEK) was made of random bytes of the token (entry %d) and of the system, and written under a password of %s to a medium. Neither is in the log.", d.Random, t.f.name(d.Person))
	t.file("file", d.File)
	t.fact("check value of the share", d.Check)
}

func drawDKEKImport(t *teller, d *audit.DKEKImport) {
	t.say("Token %s (serial %s) has the share of its key backup key in %s, whose password %s typed: %d of %d shares are missing.", d.Token, d.Serial, d.File.Name, t.f.name(d.Person), d.Outstanding, d.Shares)
	t.file("file", d.File)
	t.fact("check value of the share", d.Check)
	t.some("key check value", d.KeyCheck)
	t.fact("by the command", fmt.Sprintf("of entry %d", d.Call))
}

func drawKeyWrap(t *teller, d *audit.KeyWrap) {
	t.say("Key %s left token %s (serial %s), encrypted under the key backup key, for a file on a medium. Whoever has it and all shares has the key.", d.Key, d.Token, d.Serial)
	t.fact("key check value", d.KeyCheck)
	t.file("file", d.File)
	t.hex("SHA-256 of what the token gave", d.Blob)
	t.fact("by the command", fmt.Sprintf("of entry %d", d.Call))
}

func drawKeyUnwrap(t *teller, d *audit.KeyUnwrap) {
	t.say("Token %s (serial %s) took in key %s, a copy of key %s. It was not made in this token, and nothing attests that it was.", d.Token, d.Serial, d.Key, d.Of)
	t.fact("key check value", d.KeyCheck)
	t.file("file", d.File)
	t.hex("SHA-256 of what the token was given", d.Blob)
	t.fact("by the command", fmt.Sprintf("of entry %d", d.Call))
}

func drawKeyCompare(t *teller, d *audit.KeyCompare) {
	for i := range min(len(d.Keys), len(d.Serials), len(d.Signatures)) {
		t.say("Key %s on the token with the serial number %s signed the challenge.", d.Keys[i], d.Serials[i])
		t.file("signature", d.Signatures[i])
	}
	t.say("One public key verifies the signatures.")
	t.file("challenge", d.Challenge)
	t.hex("SHA-256 of the public key", d.SPKISHA256)
}
