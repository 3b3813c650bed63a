// Package lint runs zlint over a certificate or CRL before it is signed. It is
// the one package that knows zlint; what verifies a bundle later does not
// import it.
package lint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/zmap/zcrypto/x509"
	"github.com/zmap/zlint/v3"
	zl "github.com/zmap/zlint/v3/lint"

	"github.com/keyrite/keyrite/internal/pki"
)

// Linter is the linter's name and version, as in go.mod.
const Linter = "zlint v3.7.3"

// A Remark is what one lint had to say.
type Remark struct {
	Lint     string // name of the lint: "e_sub_ca_aia_missing"
	Severity string // "notice", "warning", "error" or "fatal"
	What     string // the lint's description and details
	Citation string // the clause it goes by
	Accepted string // why the profile accepts it; "" if it does not
}

// String returns the remark as one line.
func (r Remark) String() string {
	s := fmt.Sprintf("%s %s: %s (%s)", r.Severity, r.Lint, r.What, r.Citation)
	if r.Accepted != "" {
		s += "; accepted: " + r.Accepted
	}
	return s
}

// Stops reports whether the remark forbids the signing: an error or a fatal
// one that the profile does not accept.
func (r Remark) Stops() bool {
	return (r.Severity == "error" || r.Severity == "fatal") && r.Accepted == ""
}

// A Report is what the linter found.
type Report struct {
	Linter  string
	Lints   int      // lints that applied and ran to an end
	Remarks []Remark // by severity, gravest first, then by name
}

// Lines returns the report for the log and the transcript: a line with the
// linter's name and version and the number of lints, then one for each remark.
func (r Report) Lines() []string {
	lines := []string{fmt.Sprintf("%s: %d lints applied, %d remarks", r.Linter, r.Lints, len(r.Remarks))}
	for _, m := range r.Remarks {
		lines = append(lines, m.String())
	}
	return lines
}

// Lint runs every lint of the RFCs, the Baseline Requirements and the root
// programs over a preview (the whole object in DER with a throw-away
// signature). kind is a profile's object: pki.ObjectRootCA, pki.ObjectSubCA or
// pki.ObjectCRL. Lints of EV, S/MIME, code-signing and ETSI rules are left out.
//
// The report is complete even if the error is not nil because a remark stops
// the signing. Other errors: an unknown kind, a preview that does not parse, an
// accepted lint without a reason or that zlint does not have, a lint that
// panicked.
func Lint(preview []byte, kind string, accepted ...pki.AcceptedLint) (report Report, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("linting: the linter panicked: %v", p)
		}
	}()
	registry, err := newRegistry()
	if err != nil {
		return Report{}, err
	}
	if err := checkAccepted(registry, accepted); err != nil {
		return Report{}, err
	}
	results, err := run(preview, kind, registry)
	if err != nil {
		return Report{}, err
	}
	report = newReport(results, accepted)
	return report, report.stop()
}

// sources are the rules that count for CA certificates and their CRLs.
func sources() zl.SourceList {
	return zl.SourceList{
		zl.RFC3279, zl.RFC5280, zl.RFC5480, zl.RFC8813, zl.CABFBaselineRequirements,
		zl.MozillaRootStorePolicy, zl.ChromeRootStorePolicy, zl.AppleRootStorePolicy, zl.Community,
	}
}

// configuration tells the lint of nextUpdate that the CRLs here are for CA
// certificates, which have 12 months, not for subscribers', which have 10 days.
const configuration = `[e_crl_next_update_invalid]
SubscriberCRL = false
`

func newRegistry() (zl.Registry, error) {
	registry, err := zl.GlobalRegistry().Filter(zl.FilterOptions{IncludeSources: sources()})
	if err != nil {
		return nil, fmt.Errorf("choosing lints: %w", err)
	}
	config, err := zl.NewConfigFromString(configuration)
	if err != nil {
		return nil, fmt.Errorf("configuring lints: %w", err)
	}
	registry.SetConfiguration(config)
	return registry, nil
}

func checkAccepted(registry zl.Registry, accepted []pki.AcceptedLint) error {
	names := registry.Names()
	for _, a := range accepted {
		if !slices.Contains(names, a.Lint) {
			return fmt.Errorf("accepted lint %q is not one that %s runs", a.Lint, Linter)
		}
		if strings.TrimSpace(a.Reason) == "" {
			return fmt.Errorf("accepted lint %q has no reason", a.Lint)
		}
	}
	return nil
}

func run(preview []byte, kind string, registry zl.Registry) (*zlint.ResultSet, error) {
	switch kind {
	case pki.ObjectRootCA, pki.ObjectSubCA:
		cert, err := x509.ParseCertificate(preview)
		if err != nil {
			return nil, fmt.Errorf("linting: reading the certificate: %w", err)
		}
		// zcrypto finds this out from the signature, which is a throw-away one.
		cert.SelfSigned = kind == pki.ObjectRootCA
		return zlint.LintCertificateEx(cert, registry), nil
	case pki.ObjectCRL:
		crl, err := x509.ParseRevocationList(preview)
		if err != nil {
			return nil, fmt.Errorf("linting: reading the CRL: %w", err)
		}
		return zlint.LintRevocationListEx(crl, registry), nil
	}
	return nil, fmt.Errorf("linting: unknown kind %q", kind)
}

// severities are the results that are remarks, gravest first.
var severities = []struct {
	status zl.LintStatus
	name   string
}{{zl.Fatal, "fatal"}, {zl.Error, "error"}, {zl.Warn, "warning"}, {zl.Notice, "notice"}}

func newReport(results *zlint.ResultSet, accepted []pki.AcceptedLint) Report {
	report := Report{Linter: Linter}
	for _, r := range results.Results {
		if r.Status != zl.NA && r.Status != zl.NE {
			report.Lints++
		}
	}
	for _, s := range severities {
		var remarks []Remark
		for name, r := range results.Results {
			if r.Status == s.status {
				remarks = append(remarks, newRemark(name, s.name, r, accepted))
			}
		}
		slices.SortFunc(remarks, func(a, b Remark) int { return strings.Compare(a.Lint, b.Lint) })
		report.Remarks = append(report.Remarks, remarks...)
	}
	return report
}

func newRemark(name, severity string, r *zl.LintResult, accepted []pki.AcceptedLint) Remark {
	m := Remark{Lint: name, Severity: severity, What: r.LintMetadata.Description, Citation: r.LintMetadata.Citation}
	if r.Details != "" {
		m.What += ": " + r.Details
	}
	for _, a := range accepted {
		if a.Lint == name {
			m.Accepted = a.Reason
		}
	}
	return m
}

// stop returns the remarks that forbid the signing as an error.
func (r Report) stop() error {
	var stops []string
	for _, m := range r.Remarks {
		if m.Stops() {
			stops = append(stops, m.String())
		}
	}
	if stops == nil {
		return nil
	}
	return fmt.Errorf("%s forbids the signing: %s", r.Linter, strings.Join(stops, "; "))
}
