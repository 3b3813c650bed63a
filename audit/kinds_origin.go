package audit

// What shows where a key was made.
const (
	OriginDevice    = "device"    // the device's certificates lead to its vendor's root
	OriginSimulated = "simulated" // they lead to the root of simulated cards: that proves nothing
	OriginMissing   = "missing"   // a token of this model gives a proof, and there is none
	OriginNone      = "none"      // a token of this model gives none
)

// KeyOrigin is what a token gave to show that it made a key itself, or why there
// is nothing. Of several for one key the last holds.
type KeyOrigin struct {
	Key    string `json:"key"`           // in the script
	Token  string `json:"token"`         // in the script
	Result string `json:"result"`        // "device", "simulated" (proves nothing), "missing" (a token of this model gives a proof, and there is none) or "none" (it gives none)
	Why    string `json:"why,omitempty"` // why there is none

	Device      string `json:"device,omitempty"`      // serial number of the device that signed the request
	Root        string `json:"root,omitempty"`        // name (CHR) of the root that its certificates lead to
	Attestation string `json:"attestation,omitempty"` // file in the bundle: the request for the key, signed by the key and the device; bound by its artifact entry
	Chain       string `json:"chain,omitempty"`       // file in the bundle: the device's certificate, then its issuer's; bound by its artifact entry
}
