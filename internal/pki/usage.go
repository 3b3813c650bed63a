package pki

import "crypto/x509"

// keyUsages are the key usages that a CA certificate of a profile may have.
var keyUsages = []struct {
	name string
	bit  x509.KeyUsage
}{
	{"digitalSignature", x509.KeyUsageDigitalSignature},
	{"keyCertSign", x509.KeyUsageCertSign},
	{"cRLSign", x509.KeyUsageCRLSign},
}

func keyUsageNames() (names []string) {
	for _, u := range keyUsages {
		names = append(names, u.name)
	}
	return names
}

func keyUsageOf(names []string) (usage x509.KeyUsage) {
	for _, n := range names {
		for _, u := range keyUsages {
			if u.name == n {
				usage |= u.bit
			}
		}
	}
	return usage
}

// keyUsageBits names the bits of a KeyUsage in order (RFC 5280 section
// 4.2.1.3).
var keyUsageBits = []string{
	"digitalSignature", "nonRepudiation", "keyEncipherment", "dataEncipherment",
	"keyAgreement", "keyCertSign", "cRLSign", "encipherOnly", "decipherOnly",
}

// extKeyUsages are the extended key usages that a profile may name.
var extKeyUsages = []struct {
	name, oid string
	usage     x509.ExtKeyUsage
}{
	{"serverAuth", "1.3.6.1.5.5.7.3.1", x509.ExtKeyUsageServerAuth},
	{"clientAuth", "1.3.6.1.5.5.7.3.2", x509.ExtKeyUsageClientAuth},
	{"codeSigning", "1.3.6.1.5.5.7.3.3", x509.ExtKeyUsageCodeSigning},
	{"emailProtection", "1.3.6.1.5.5.7.3.4", x509.ExtKeyUsageEmailProtection},
	{"timeStamping", "1.3.6.1.5.5.7.3.8", x509.ExtKeyUsageTimeStamping},
}

func extKeyUsageNames() (names []string) {
	for _, u := range extKeyUsages {
		names = append(names, u.name)
	}
	return names
}

func extKeyUsageOf(names []string) (usages []x509.ExtKeyUsage) {
	for _, n := range names {
		for _, u := range extKeyUsages {
			if u.name == n {
				usages = append(usages, u.usage)
			}
		}
	}
	return usages
}

// extKeyUsageName returns the name of an extended key usage's object
// identifier, or the identifier itself.
func extKeyUsageName(oid string) string {
	for _, u := range extKeyUsages {
		if u.oid == oid {
			return u.name
		}
	}
	switch oid {
	case oidOCSPSigning:
		return "OCSPSigning"
	case oidAnyUsage:
		return "anyExtendedKeyUsage"
	}
	return oid
}

// Object identifiers of extensions and usages.
const (
	oidSubjectKeyID   = "2.5.29.14"
	oidKeyUsage       = "2.5.29.15"
	oidBasic          = "2.5.29.19"
	oidCRLNumber      = "2.5.29.20"
	oidReason         = "2.5.29.21"
	oidIssuingPoint   = "2.5.29.28"
	oidCRLPoints      = "2.5.29.31"
	oidPolicies       = "2.5.29.32"
	oidAuthorityKeyID = "2.5.29.35"
	oidExtKeyUsage    = "2.5.29.37"
	oidInfoAccess     = "1.3.6.1.5.5.7.1.1"
	oidOCSP           = "1.3.6.1.5.5.7.48.1"
	oidCAIssuers      = "1.3.6.1.5.5.7.48.2"
	oidOCSPSigning    = "1.3.6.1.5.5.7.3.9"
	oidAnyUsage       = "2.5.29.37.0"
)
