// Package templates holds the certificate profiles and ceremony scripts that
// keyrite brings along, as embedded files.
package templates

import "embed"

// Profiles holds the built-in certificate and CRL profiles: profiles/NAME.yaml
// is the profile that a script's `template: NAME` starts from, one YAML mapping
// with the fields of a script's profile.
//
//go:embed profiles/*.yaml
var Profiles embed.FS

// Parts holds the shared parts that a script can include: parts/NAME.yaml,
// with the fields keyrite-part, parameters and steps. docs/script.md describes
// them.
//
//go:embed parts/*.yaml
var Parts embed.FS

// Ceremonies holds the ceremony scripts: ceremonies/NAME.yaml, and
// ceremonies/NAME.answers.yaml with the answers for rehearsing it.
//
//go:embed ceremonies/*.yaml
var Ceremonies embed.FS
