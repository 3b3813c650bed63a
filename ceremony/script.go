// Package ceremony is the script of a key ceremony and the runner that walks a
// room through it.
package ceremony

import (
	"encoding/hex"
	"strings"

	"github.com/keyrite/keyrite/internal/pki"
	"github.com/keyrite/keyrite/internal/strictyaml"
	"github.com/keyrite/keyrite/internal/token"
)

// ScriptFormat is the version of the script format, the value of the script's
// first field.
const ScriptFormat = 1

// Modes of a ceremony.
const (
	Production = "production"
	Rehearsal  = "rehearsal"
)

// A Script is a ceremony as agreed beforehand. docs/script.md describes the
// YAML it is read from.
type Script struct {
	Format       int           `yaml:"keyrite,required" desc:"version of the script format: 1"`
	Title        string        `yaml:"title,required" desc:"what the ceremony is called" line:"one"`
	Organisation string        `yaml:"organisation,required" desc:"who holds the ceremony" line:"one"`
	Place        string        `yaml:"place,required" desc:"where it is held" line:"one"`
	Purpose      string        `yaml:"purpose,required" desc:"why, in a sentence or two"`
	Mode         string        `yaml:"mode,required" enum:"production,rehearsal" desc:"production makes keys that count"`
	Participants []Participant `yaml:"participants,required" desc:"everybody who has a part"`
	Approvals    *Approvals    `yaml:"approvals" desc:"the approvals without which a production ceremony does not start"`
	Tokens       []TokenSpec   `yaml:"tokens" desc:"the HSMs that are expected"`
	Keys         []KeySpec     `yaml:"keys" desc:"the keys that are made or used"`
	Profiles     []pki.Profile `yaml:"profiles" desc:"certificate and CRL profiles"`
	Steps        []Step        `yaml:"steps,required" desc:"what is done, in this order"`
	Deviations   *Deviations   `yaml:"deviations" desc:"what it takes to leave a step out or do it anew"`

	AllowExposedKeys bool `yaml:"allow_exposed_keys" desc:"a witness may unlock a key file on the ceremony machine; the key is then exposed to it, and by default no policy counts it"`

	doc *strictyaml.Doc // where the fields stand; nil if it was not parsed
}

// A Participant is a person with a part in the ceremony.
type Participant struct {
	ID       string   `yaml:"id,required" desc:"short name used in the script: a-z, 0-9, -" line:"one"`
	Name     string   `yaml:"name,required" desc:"the person's name as it stands on the transcript" line:"one"`
	Initials string   `yaml:"initials,required" desc:"what the person types to acknowledge, 2 to 4 letters, unique" line:"one"`
	Roles    []string `yaml:"roles,required" desc:"the roles the person has (Roles)"`

	AlternateFor string `yaml:"alternate_for" desc:"participant whose place this one takes if that one is absent at the roll call" line:"one"`

	WitnessKey string `yaml:"witness_key" desc:"a witness's own verifier key: name+hash+base64, type 0x04" line:"one"`
}

// An Approve says how many of whom have to approve something before it is done.
type Approve struct {
	Count int      `yaml:"count,required" desc:"how many different people, all present, not counting the one who acts"`
	Of    []string `yaml:"of,required" desc:"of whom: roles, or ids of participants"`
}

// Deviations say what it takes to depart from the order of the script.
type Deviations struct {
	Approve *Approve `yaml:"approve,required" desc:"whose approval it takes, besides the agreement of the one who acts, to leave a step out or to do it anew; without it, that of one witness of the step"`
}

// A TokenSpec is a token as the script expects it.
type TokenSpec struct {
	Name             string `yaml:"name,required" desc:"name used in the script" line:"one"`
	Model            string `yaml:"model,required" enum:"nitrokey-hsm,softhsm2,generic" desc:"token model: PIN rules, factory state, how attributes are judged"`
	Serial           string `yaml:"serial,required" desc:"serial number as the token reports it; 'any' for a token that has none before it is initialised" line:"one"`
	Label            string `yaml:"label,required" desc:"label that it has, or gets at token-init; at most 32 bytes" line:"one"`
	SOPINCustodian   string `yaml:"so_pin_custodian" desc:"participant who enters the SO-PIN, short for so_pin: {way: one, custodians: […]}" line:"one"`
	UserPINCustodian string `yaml:"user_pin_custodian" desc:"participant who enters the user PIN, short for user_pin: {way: one, custodians: […]}" line:"one"`

	SOPIN   *PINSpec `yaml:"so_pin" desc:"how the SO-PIN is entered and who holds it"`
	UserPIN *PINSpec `yaml:"user_pin" desc:"how the user PIN is entered and who holds it"`

	Tries *TriesSpec `yaml:"tries" desc:"how many tries are expected on its PINs when it is looked at first; a difference stops the step. What is left out is not compared, except the SO-PIN of a token that the script initialises: all of its model"`
}

// A TriesSpec is how many tries the script expects to be left on a token's PINs,
// before its first use.
type TriesSpec struct {
	SO   *int `yaml:"so" desc:"on the SO-PIN: 0 to 15"`
	User *int `yaml:"user" desc:"on the user PIN: 0 to 15; 0 if it is blocked"`
}

func (t *TriesSpec) of(kind token.PINKind) *int {
	switch {
	case t == nil:
		return nil
	case kind == token.SOPIN:
		return t.SO
	}
	return t.User
}

// A KeySpec is a key pair on a token.
type KeySpec struct {
	Name      string `yaml:"name,required" desc:"name used in the script" line:"one"`
	Token     string `yaml:"token,required" desc:"the token it lives on" line:"one"`
	Algorithm string `yaml:"algorithm,required" enum:"RSA-2048,RSA-3072,RSA-4096,P-256,P-384,P-521" desc:"kind and size"`
	Label     string `yaml:"label,required" desc:"CKA_LABEL of both halves" line:"one"`
	KeyID     string `yaml:"id,required" desc:"CKA_ID, hex in quotes, 1 to 32 bytes" line:"one"`
}

// Mechanisms returns the one that makes the key and the one with which it signs.
func (k *KeySpec) Mechanisms() (makes, signs uint) {
	if strings.HasPrefix(k.Algorithm, "RSA-") {
		return token.CKM_RSA_PKCS_KEY_PAIR_GEN, token.CKM_RSA_PKCS
	}
	return token.CKM_EC_KEY_PAIR_GEN, token.CKM_ECDSA
}

// ID returns CKA_ID, the bytes of KeyID; nil if KeyID is not hex, which Check
// refuses.
func (k *KeySpec) ID() []byte {
	id, err := hex.DecodeString(k.KeyID)
	if err != nil {
		return nil
	}
	return id
}

// A Step is one step of the script: what all steps have, and its kind's own
// fields beside them in the same YAML mapping.
type Step struct {
	ID          string   `yaml:"id,required" desc:"unique name: a-z, 0-9, -" line:"one"`
	Kind        string   `yaml:"kind,required" desc:"what the step does: one of the step kinds" line:"one"`
	Title       string   `yaml:"title,required" desc:"one line for the screen and the transcript" line:"one"`
	Actor       string   `yaml:"actor,required" desc:"participant who acts" line:"one"`
	Witnesses   []string `yaml:"witnesses" desc:"participants who acknowledge what they saw"`
	Say         string   `yaml:"say" desc:"what is said and done, in plain language"`
	Watch       string   `yaml:"watch" desc:"what the witnesses should look at"`
	Acknowledge string   `yaml:"acknowledge" desc:"word everybody types instead of initials" line:"one"`
	Approve     *Approve `yaml:"approve" desc:"whose approval the step needs before it acts"`
	OnRefusal   string   `yaml:"on_refusal" enum:"stop,continue" desc:"what a witness's or an approver's no does to the step: stop, if left out, ends the attempt, and the room decides; continue writes it down and goes on. A no of the one who acts always stops it"`

	Action Action `yaml:"-"` // the kind's own fields
	Number int    `yaml:"-"` // from 1
	Path   string `yaml:"-"` // "steps[3]" is the third, as on the screen

	outside bool // no step of the script: what happens between steps
}
