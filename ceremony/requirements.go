package ceremony

// A Requirement is something that auditors and root programs ask of a key
// ceremony, and what a script must have so that it is met.
type Requirement struct {
	ID        string // "A5"
	Asks      string // what is asked, in a line
	Source    string // where: BR is the TLS Baseline Requirements of the CA/Browser Forum
	Kinds     []string
	Approvals bool   // a script that asks for approvals meets it
	Always    bool   // keyrite does it for every script
	Outside   string // what people must see to, if no step of a script can meet it
}

// Requirements returns what is asked of a ceremony, by subject: people,
// environment, keys, certificates, records. docs/requirements.md is this list.
// A requirement is met by a script that has a step of one of its kinds.
func Requirements() []Requirement {
	return []Requirement{
		{ID: "A1", Asks: "the script is prepared beforehand and followed", Source: "BR 6.1.1.1", Always: true},
		{ID: "A2", Asks: "the script names roles, devices with serial numbers, steps and sign-off", Source: "WebTrust 4.1", Always: true},
		{ID: "A3", Asks: "roles and what each does in each phase are laid down", Source: "ETSI EN 319 411-1 GEN-6.5.1", Always: true},
		{ID: "A4", Asks: "management approves the ceremony", Source: "WebTrust 4.1", Approvals: true, Outside: "approvers sign the script's SHA-256 on paper, or the script asks for approvals"},
		{ID: "A5", Asks: "several people control what is done; nobody holds all the knowledge", Source: "BR 6.1.1.1", Kinds: []string{"set-so-pin", "set-user-pin"}},
		{ID: "A6", Asks: "everybody acts under an own name and within a role", Source: "NCSSR 2.1.1", Kinds: []string{"attendance"}},
		{ID: "A7", Asks: "an auditor witnesses the making of a root key, or a video shows all of it", Source: "BR 6.1.1.1", Kinds: []string{"verdict", "evidence"}},
		{ID: "A8", Asks: "the report is signed by an officer and an independent person", Source: "ETSI EN 319 411-1 GEN-6.5.1-14", Kinds: []string{"close"}},
		{ID: "A9", Asks: "the site is secured; entries and exits are recorded", Source: "BR 5.4.1", Outside: "a sheet at the door"},
		{ID: "A10", Asks: "the machine is on no network", Source: "NCSSR 1.2.1", Kinds: []string{"environment"}},
		{ID: "A11", Asks: "the software is known: program and module by their hash", Source: "NCSSR 1.3", Kinds: []string{"environment"}},
		{ID: "A12", Asks: "times are right: a second clock is compared", Source: "EN 319 401 REQ-7.10-05", Kinds: []string{"environment", "clock"}},
		{ID: "A13", Asks: "the device is the one expected: model, serial number, firmware", Source: "BR 5.4.1", Kinds: []string{"token-identify"}},
		{ID: "A14", Asks: "the device comes untampered, from a numbered bag", Source: "ETSI EN 319 411-1 6.5.2", Kinds: []string{"materials"}},
		{ID: "A15", Asks: "the device is certified", Source: "BR 6.2.7", Outside: "the certificate's number; no software can tell"},
		{ID: "A16", Asks: "the token is empty before a key is made, and its factory SO-PIN replaced", Source: "WebTrust 4.1", Kinds: []string{"token-inventory"}},
		{ID: "A17", Asks: "activation secrets are typed directly and written down nowhere", Source: "BR 5.2.2", Always: true},
		{ID: "A18", Asks: "keys have a size and algorithm that are allowed", Source: "BR 6.1.5", Kinds: []string{"generate-key"}},
		{ID: "A19", Asks: "weak keys are refused", Source: "BR 6.1.1.3", Kinds: []string{"self-sign-root", "sign-csr"}},
		{ID: "A20", Asks: "a private key leaves the token at most encrypted", Source: "BR 6.2.6", Kinds: []string{"generate-key"}},
		{ID: "A21", Asks: "the SHA-256 of every public key is recorded", Source: "MRSP 3.1.3", Kinds: []string{"generate-key"}},
		{ID: "A22", Asks: "a root key and its certificate are made on one day", Source: "Chrome Root Program 2.2", Kinds: []string{"self-sign-root"}},
		{ID: "A24", Asks: "a signature needs a person's deliberate command", Source: "BR 4.3.1.1", Kinds: []string{"self-sign-root", "sign-csr", "sign-crl", "sign-file"}},
		{ID: "A26", Asks: "certificates are linted before they are signed", Source: "BR 4.3.1.2", Kinds: []string{"self-sign-root", "sign-csr"}},
		{ID: "A30", Asks: "serial numbers hold at least 64 random bits", Source: "BR 7.1.2.1", Kinds: []string{"self-sign-root", "sign-csr"}},
		{ID: "A34", Asks: "a request proves that its sender holds the key, and is compared by a second way", Source: "BR 3.2.1", Kinds: []string{"sign-csr"}},
		{ID: "A36", Asks: "a CRL exists with the first certificate", Source: "BR 4.9.7", Kinds: []string{"sign-crl"}},
		{ID: "A37", Asks: "time, person and description of each event are recorded", Source: "BR 5.4.1", Always: true},
		{ID: "A38", Asks: "failures and breaks are recorded", Source: "BR 5.4.1", Always: true},
		{ID: "A40", Asks: "the log's integrity can be checked", Source: "NCSSR 3.1.2", Always: true},
		{ID: "A41", Asks: "the records are kept for as long as is asked", Source: "BR 5.4.3", Kinds: []string{"handover"}},
		{ID: "A42", Asks: "departures from the script are noted", Source: "WebTrust 4.1", Kinds: []string{"deviation"}},
		{ID: "A43", Asks: "fingerprints are on the report", Source: "BR 8.6", Kinds: []string{"close"}},
		{ID: "A44", Asks: "keys are backed up under the control of two", Source: "BR 5.2.2", Outside: "what the token's maker offers; no step does it yet"},
		{ID: "A45", Asks: "the end of a key is ordered, done before two people, and shown", Source: "CSBR 6.3.2; CCADB 5.1", Kinds: []string{"key-destroy", "token-wipe"}},
	}
}

// Met returns the requirements that a script meets with its steps, each with
// the numbers of the steps that do, and those that stay open.
func (s *Script) Met() (met map[string][]int, open []Requirement) {
	met = map[string][]int{}
	for _, r := range Requirements() {
		for i := range s.Steps {
			for _, k := range r.Kinds {
				if s.Steps[i].Kind == k {
					met[r.ID] = append(met[r.ID], i+1)
				}
			}
		}
		if !r.Always && met[r.ID] == nil && !(r.Approvals && s.Approvals != nil) && s.concerns(r) {
			open = append(open, r)
		}
	}
	return met, open
}

// concerns reports whether a requirement has to do with what the script is
// for: one about requests only with certificates for others.
func (s *Script) concerns(r Requirement) bool {
	switch r.ID {
	case "A34":
	case "A45":
		return false // a script that ends a key does it by a step that meets this
	default:
		return true
	}
	for i := range s.Profiles {
		if s.Profiles[i].Object == "sub-ca" {
			return true
		}
	}
	return false
}
