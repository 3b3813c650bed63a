package transcript

import "github.com/keyrite/keyrite/audit"

func drawKeyOrigin(t *teller, d *audit.KeyOrigin) {
	switch d.Result {
	case audit.OriginDevice:
		t.say("Key %s was made in its device: the device signed it, and its certificates lead to the vendor's root.", d.Key)
	case audit.OriginSimulated:
		t.alarm("Key %s was made in a SIMULATED device, which proves nothing.", d.Key)
	case audit.OriginNone:
		t.say("No proof that key %s was made in the token: the token gives none.", d.Key)
	default:
		t.alarm("NO PROOF that key %s was made in the token.", d.Key)
	}
	t.fact("token", d.Token)
	t.fact("proof", d.Result)
	t.some("why", d.Why)
	t.some("device", d.Device)
	t.some("root", d.Root)
	t.some("attestation", d.Attestation)
	t.some("certificates", d.Chain)
}

// origin says in a few words what the log shows of where a key was made; ""
// if it does not speak of it.
func (f *facts) origin(key string) string {
	d := f.origins[key]
	if d == nil {
		return ""
	}
	switch d.Result {
	case audit.OriginDevice:
		return "device " + d.Device + ", vendor root " + d.Root
	case audit.OriginSimulated:
		return "SIMULATED device " + d.Device + ", which proves nothing"
	case audit.OriginNone:
		return "not proved, the token gives no proof"
	}
	return "NOT PROVED: " + d.Why
}
