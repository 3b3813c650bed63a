// Package pki builds, checks and verifies certificates, CRLs and certificate
// requests.
package pki

// A Profile says how a certificate or CRL is made.
type Profile struct {
	Name string `yaml:"name,required" desc:"name used in the script"`
}
