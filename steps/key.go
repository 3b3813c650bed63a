package steps

import (
	"fmt"
	"strings"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/ceremony"
	"github.com/keyrite/keyrite/internal/pki"
	"github.com/keyrite/keyrite/internal/room"
	"github.com/keyrite/keyrite/internal/token"
)

// A generateKey step makes a key pair.
type generateKey struct {
	Key      string `yaml:"key,required" desc:"the key to generate, from the script's keys"`
	ReadBack string `yaml:"read_back" desc:"participant who types back the SHA-256 of the new public key, as the actor reads it aloud; it is compared"`
}

// Check notes that the key exists from here on.
func (a *generateKey) Check(w *ceremony.World) {
	w.CheckReadBack(a.ReadBack)
	k := w.Keys[a.Key]
	if k == nil {
		w.Problem("key", "%q is not one of the script's keys", a.Key)
		return
	}
	if k.Exists {
		w.Problem("key", "key %q was generated before", a.Key)
	}
	k.Exists = true
	t := w.Tokens[k.Spec.Token]
	if t == nil {
		return // reported with the key itself
	}
	if !t.Identified {
		w.Problem("key", "token %q is used before a token-identify step has found it", k.Spec.Token)
	}
	if t.UserPIN == "" {
		w.Problem("key", "token %q has no user PIN yet: a set-user-pin step must come first", k.Spec.Token)
	}
	custodian(w, t, token.UserPIN)
}

// Announce says which key is made.
func (a *generateKey) Announce(s *ceremony.Session) (effect, irreversible string) {
	k := s.Script().Key(a.Key)
	return fmt.Sprintf("a key pair %s is generated on token %s with the label %q and the id %s", k.Algorithm, k.Token, k.Label, k.KeyID),
		"the private key exists only in the token; it cannot be made again"
}

// Run generates the key, unless the log says that it did so before a break,
// reads it back and records it.
func (a *generateKey) Run(s *ceremony.Session) error {
	k := s.Script().Key(a.Key)
	made, proofs, err := keyWithProofs(s, k, a.ensure)
	if err != nil {
		return err
	}
	if err := reportKey(s, k, made); err != nil {
		return err
	}
	if err := recordOrigin(s, made, proofs); err != nil {
		return err
	}
	return s.ReadBack(a.ReadBack, "the SHA-256 of the public key "+k.Name, made.SPKISHA256)
}

// keyOn logs in to a key's token and reads the key. get sees to it that it is
// there, and returns the entry of the call that made it, 0 if none did.
func keyOn(s *ceremony.Session, k *ceremony.KeySpec, get func(*ceremony.Session, *ceremony.Token, uint, *ceremony.KeySpec) (int64, error)) (key *audit.Key, err error) {
	t, err := s.Token(k.Token)
	if err != nil {
		return nil, err
	}
	err = t.WithLogin(token.NormalUser, func(session uint, _ token.PIN) error {
		seq, err := get(s, t, session, k)
		if err != nil {
			return err
		}
		key, err = readKey(t, session, k, seq)
		return err
	})
	return key, err
}

// ensure makes the key if it was not made before; it returns the entry of the
// call that made it.
func (a *generateKey) ensure(s *ceremony.Session, t *ceremony.Token, session uint, k *ceremony.KeySpec) (int64, error) {
	_, _, found, err := t.FindKey(session, k)
	if err != nil {
		return 0, err
	}
	seq, made := s.Done().Happened(token.GenerateKeyPair)
	tried, attempted := s.Done().Attempted(token.GenerateKeyPair)
	switch {
	case found && made:
		s.Show(room.Text{Text: fmt.Sprintf("The key was generated in an earlier attempt (entry %d) and is found on the token.", seq)})
		return seq, nil
	case made:
		return 0, fmt.Errorf("key %q: the log says that it was generated (entry %d), and the token does not have it", a.Key, seq)
	case found && attempted:
		if _, said := s.Done().Said(token.GenerateKeyPair); said {
			return tried, nil // the room has decided so, and the token shows it
		}
		return tried, a.adopt(s, tried)
	case found:
		return 0, fmt.Errorf("key %q: the token has a key with the label %q and the id %s already, and this ceremony never called for one", a.Key, k.Label, k.KeyID)
	}
	if attempted {
		if err := hiddenKey(s, t, tried); err != nil {
			return 0, err
		}
	}
	return makeKey(s, t, session, k)
}

// hiddenKey says that a call which broke off may have left a key that no list
// shows.
func hiddenKey(s *ceremony.Session, t *ceremony.Token, tried int64) error {
	if !t.Model.HidesKeys || !s.Done().Doubted(token.GenerateKeyPair) {
		return nil
	}
	s.Show(room.Warning{Text: "The token lists no such key. One that was made and not yet described when the call broke off can be there all the same, under no label; it is then left over, and this log has no name for it. Initialising the token again would remove it: that is a ceremony begun anew."})
	return s.Result("key that may be left over", fmt.Sprintf("on token %s, without label and id, from the C_GenerateKeyPair of entry %d, of which it is not known whether it was carried out", t.Name, tried), false)
}

// makeKey generates a key under a label and an id that nothing on the token has.
func makeKey(s *ceremony.Session, t *ceremony.Token, session uint, k *ceremony.KeySpec) (int64, error) {
	if err := t.Unused(session, k); err != nil {
		return 0, err
	}
	spec, err := keyTemplates(k)
	if err != nil {
		return 0, err
	}
	spec.Session = session
	s.Show(room.Text{Text: "Can this key be backed up? " + t.Model.Backup})
	done := s.Patiently("generating "+k.Algorithm+" – do not remove the token", t.Model.Keys[k.Algorithm])
	r, err := t.Do(spec)
	done()
	if err != nil {
		return 0, fmt.Errorf("generating key %q: %w", k.Name, err)
	}
	s.Show(room.Text{Text: "What will show that it was made in the token? " + t.Model.Origin})
	return r.Seq, nil
}

// adopt lets the room decide about a key that is on the token and that this
// ceremony may have made: the log holds a call without a good outcome, or one
// that the room set aside.
func (a *generateKey) adopt(s *ceremony.Session, tried int64) error {
	s.Show(room.Warning{Text: fmt.Sprintf("The token has the key. Entry %d of the log is this ceremony's call to generate it.", tried)})
	v, err := s.Decide(s.Step.Actor, "adopt-key", "Is it the key that this ceremony generated?",
		room.Choice{Word: "ours", Does: "the token was empty before and nobody else used it: go on with this key"},
		room.Choice{Word: "stop", Does: "it may be somebody else's: do not use it"})
	if err == nil && v == "stop" {
		err = fmt.Errorf("key %q: the room does not take the key on the token for its own", a.Key)
	}
	return err
}

// keyTemplates is the C_GenerateKeyPair call for a key of a CA: it signs and
// verifies, stays on the token, is private, sensitive and not extractable.
func keyTemplates(k *ceremony.KeySpec) (token.Call, error) {
	makes, _ := k.Mechanisms()
	c := token.Call{
		Function: token.GenerateKeyPair, Mechanism: makes,
		Template: []token.Attribute{
			token.Bool(token.CKA_TOKEN, true),
			token.Bool(token.CKA_VERIFY, true),
			token.Text(token.CKA_LABEL, k.Label),
			token.Bytes(token.CKA_ID, k.ID()),
		},
		Private: []token.Attribute{
			token.Bool(token.CKA_TOKEN, true),
			token.Bool(token.CKA_PRIVATE, true),
			token.Bool(token.CKA_SENSITIVE, true),
			token.Bool(token.CKA_EXTRACTABLE, false),
			token.Bool(token.CKA_SIGN, true),
			token.Text(token.CKA_LABEL, k.Label),
			token.Bytes(token.CKA_ID, k.ID()),
		},
	}
	if bits, ok := strings.CutPrefix(k.Algorithm, "RSA-"); ok {
		var n uint
		if _, err := fmt.Sscan(bits, &n); err != nil {
			return c, fmt.Errorf("algorithm %q: %w", k.Algorithm, err)
		}
		c.Template = append(c.Template, token.Ulong(token.CKA_MODULUS_BITS, n), token.Bytes(token.CKA_PUBLIC_EXPONENT, []byte{1, 0, 1}))
		return c, nil
	}
	c.Template = append(c.Template, token.Bytes(token.CKA_EC_PARAMS, pki.ECParams(k.Algorithm)))
	return c, nil
}

// judged are the attributes of the private key that are read back.
var judged = []uint{
	token.CKA_TOKEN, token.CKA_PRIVATE, token.CKA_SIGN, token.CKA_SENSITIVE, token.CKA_EXTRACTABLE,
	token.CKA_ALWAYS_SENSITIVE, token.CKA_NEVER_EXTRACTABLE, token.CKA_LOCAL,
}

// readKey reads a key back from the token.
func readKey(t *ceremony.Token, session uint, k *ceremony.KeySpec, seq int64) (*audit.Key, error) {
	pub, priv, found, err := t.FindKey(session, k)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, fmt.Errorf("key %q is not found on the token", k.Name)
	}
	public, err := t.Attributes(session, pub, publicAttributes(k.Algorithm)...)
	if err != nil {
		return nil, err
	}
	key, err := publicKey(public)
	if err != nil {
		return nil, fmt.Errorf("reading back key %q: %w", k.Name, err)
	}
	der, sum, err := pki.SPKISHA256(key)
	if err != nil {
		return nil, err
	}
	d := &audit.Key{
		Name: k.Name, Token: k.Token, Algorithm: pki.AlgorithmOf(key), Label: k.Label, ID: k.KeyID,
		SPKI: fmt.Sprintf("%x", der), SPKISHA256: sum, Generated: seq, Attributes: []audit.Judgement{},
	}
	attrs, err := t.Attributes(session, priv, judged...)
	if err != nil {
		return nil, err
	}
	for _, attr := range attrs {
		j := audit.Judgement{Attribute: token.AttributeName(attr.Type), Reported: "(not told)"}
		if attr.Err == nil {
			j.Reported = attr.Shown()
		}
		j.Judged, j.Why = t.Model.Judge(attr.Type, attr.Value, attr.Err == nil)
		d.Attributes = append(d.Attributes, j)
	}
	return d, nil
}

func publicAttributes(algorithm string) []uint {
	if strings.HasPrefix(algorithm, "RSA-") {
		return []uint{token.CKA_MODULUS, token.CKA_PUBLIC_EXPONENT}
	}
	return []uint{token.CKA_EC_PARAMS, token.CKA_EC_POINT}
}

// reportKey records and shows a key and stops at what is wrong with it.
func reportKey(s *ceremony.Session, spec *ceremony.KeySpec, k *audit.Key) error {
	if _, err := s.Record(k); err != nil {
		return err
	}
	rows, bad := [][]string{}, []string{}
	for _, j := range k.Attributes {
		rows = append(rows, []string{j.Attribute, j.Reported, j.Judged, j.Why})
		if j.Judged == token.Bad {
			bad = append(bad, j.Attribute+": "+j.Why)
		}
	}
	s.Show(room.Table{Header: []string{"private key", "the token says", "judged", ""}, Rows: rows})
	s.Show(room.Fact{Name: "SHA-256 of the public key (SubjectPublicKeyInfo)", Value: k.SPKISHA256, Big: true})
	s.Show(room.Fact{Name: "in words", Value: spkiWords(k), Big: true})
	if k.Algorithm != spec.Algorithm {
		bad = append(bad, fmt.Sprintf("the token has a key %s, the script says %s", k.Algorithm, spec.Algorithm))
	}
	pub, err := parseSPKI(k)
	if err != nil {
		return err
	}
	if err := pki.CheckPublicKey(pub); err != nil {
		bad = append(bad, "weak key: "+err.Error())
	}
	if len(bad) > 0 {
		return fmt.Errorf("key %q is not as it should be: %s", spec.Name, strings.Join(bad, "; "))
	}
	pem, err := publicPEM(k)
	if err != nil {
		return err
	}
	return s.WriteArtifact(publicKeyFile(spec.Name), "public-key", pem, 0, "read back from the token; size and structure checked, tested for known weak keys")
}
