package ceremony

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

func at0(list string, i int) string { return fmt.Sprintf("%s[%d]", list, i) }

func goodScript(t testing.TB) string {
	b, err := os.ReadFile("testdata/good.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestGood(t *testing.T) {
	s, problems := ParseAndCheck("c.yaml", []byte(goodScript(t)), testKinds())
	if problems.Err() != nil {
		t.Fatal(problems)
	}
	step := s.Steps[1]
	if a, ok := step.Action.(*speakStep); !ok || a.Text != "One thing at a time." || step.Number != 2 || step.Path != "steps[2]" || step.Acknowledge != "HEARD" {
		t.Errorf("second step: %+v", step)
	}
	if s.Purpose != "Make the root key and its certificate." || s.Steps[0].Say != "Everybody is called.\nEverybody answers.\n" {
		t.Errorf("texts: %q, %q", s.Purpose, s.Steps[0].Say)
	}
	if id := s.Keys[1].ID(); len(id) != 2 || id[0] != 2 || id[1] != 0xff {
		t.Errorf("key id: %x", id)
	}
}

// Verifier keys of witnesses; the two are one public key under two names.
const (
	vkeyOne   = "witness.example/w1+0ad7d35e+BIqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c"
	vkeyOther = "witness.example/other+68a16f84+BIqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c"
)

// A change of the good script.
type change struct{ old, new string }

// badScripts are changes of testdata/good.yaml, and all that is said of them
// without the file's name.
var badScripts = []struct {
	name    string
	changes []change
	want    []string
}{
	{"witness keys", []change{
		{"initials: AE\n    roles: [ceremony-administrator, operator]", "initials: AE\n    roles: [ceremony-administrator, operator]\n    witness_key: " + vkeyOne},
		{"    roles: [internal-witness]", "    roles: [internal-witness]\n    witness_key: " + vkeyOther},
		{"    roles: [independent-witness]", "    roles: [independent-witness]\n    witness_key: witness.example/w2+92e6b37d+BIE5dw6ofRdfVqNUZsNMfszLjYqRtO43ol32D1uPybOU"},
	}, []string{
		`14:18: participants[1].witness_key: "admin" runs the machine that the key is to be independent of: a witness's key belongs to somebody else`,
		`23:18: participants[3].witness_key: the public key 8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c is that of "admin", too: each witness has a key of their own`,
		`28:18: participants[4].witness_key: parsing witness key "witness.example/w2+92e6b37d+BIE5dw6ofRdfVqNUZsNMfszLjYqRtO43ol32D1uPybOU": key hash is 92e6b37c, not "92e6b37d"`,
	}},
	{"a log's key for a witness", []change{{"    roles: [internal-witness]", "    roles: [internal-witness]\n    witness_key: keyrite.ceremony/rehearsal/0f1e2d3c4b5a69788796a5b4c3d2e1f0+0fd4ae0c+AacYLfppgH3e8qe4m5+WXQRf2bV88oeYohxgkNkE78Lu"}}, []string{
		`22:18: participants[3].witness_key: parsing witness key "keyrite.ceremony/rehearsal/0f1e2d3c4b5a69788796a5b4c3d2e1f0+0fd4ae0c+AacYLfppgH3e8qe4m5+WXQRf2bV88oeYohxgkNkE78Lu": a key of type 0x01, such as a log's, not a witness's of type 0x04`,
	}},
	{"empty field", []change{{"title: Example Root CA\n", "title:\n"}}, []string{
		"2:7: title: nothing is written here: write a text, or take the field out",
	}},
	{"text without quotes that is a boolean", []change{{"place: Room 1, Example City", "place: no"}}, []string{
		`4:8: place: some readers take no for true or false: put it in quotes, "no"`,
	}},
	{"country of Norway", []change{{"country: XX", "country: NO"}}, []string{
		`52:16: profiles[1].subject.country: some readers take NO for true or false: put it in quotes, "NO"`,
	}},
	{"key id without quotes", []change{{"id: \"01\"", "id: 01"}}, []string{
		`42:9: keys[1].id: some readers take 01 for a number: put it in quotes, "01"`,
	}},
	{"key id in hex", []change{{"id: \"01\"", "id: 0x01"}}, []string{
		`42:9: keys[1].id: some readers take 0x01 for a number: put it in quotes, "0x01"`,
	}},
	{"serial that is a number", []change{{"serial: \"DENK0000001\"", "serial: 00012345"}}, []string{
		`29:13: tokens[1].serial: some readers take 00012345 for a number: put it in quotes, "00012345"`,
	}},
	{"serial that is a whole number", []change{{"serial: \"DENK0000001\"", "serial: 12345"}}, []string{
		`29:13: tokens[1].serial: expected a text, and without quotes this is none: write "12345"`,
	}},
	{"date without quotes", []change{{"title: The rules", "title: 2026-11-24"}}, []string{
		`66:12: steps[2].title: some readers take 2026-11-24 for a date: put it in quotes, "2026-11-24"`,
	}},
	{"time without quotes", []change{{"title: The rules", "title: 10:30"}}, []string{
		`66:12: steps[2].title: some readers take 10:30 for a number: put it in quotes, "10:30"`,
	}},
	{"null", []change{{"acknowledge: HEARD", "acknowledge: ~"}}, []string{
		`69:18: steps[2].acknowledge: some readers take ~ for no value at all: put it in quotes, "~"`,
	}},
	{"anchor and alias", []change{{"title: Example Root CA", "title: &t Example Root CA"}, {"title: The end", "title: *t"}}, []string{
		"2:8: title: an anchor: take out the '&t', and write the value out wherever it is needed",
		"93:12: steps[6].title: an alias: write the value out here, so that a reader sees it where it counts",
	}},
	{"merge key", []change{{"    text: One thing at a time.\n", "    text: One thing at a time.\n    <<: {loud: true}\n"}}, []string{
		"71:5: steps[2]: a merge key: write the fields out",
	}},
	{"tag", []change{{"title: The rules", "title: !!str The rules"}}, []string{
		"66:12: steps[2].title: a tag: take out the '!!str'",
	}},
	{"tab", []change{{"    title: The rules", "\ttitle: The rules"}}, []string{
		"66:1: a tab: use spaces",
	}},
	{"second document", []change{{"    title: The end\n    actor: admin\n    witnesses: [witness, auditor]\n", "    title: The end\n    actor: admin\n    witnesses: [witness, auditor]\n---\nkeyrite: 1\n"}}, []string{
		"96:1: a second document begins here: a file holds one, take out the line '---'",
	}},
	{"field twice", []change{{"    key: root\n  - id: sign-root", "    key: root\n    key: spare\n  - id: sign-root"}}, []string{
		"77:5: steps[3].key: the field is there twice, first on line 76",
	}},
	{"table twice", []change{{"keys:\n", "keys: []\nkeys:\n"}}, []string{
		"38:1: keys: the field is there twice, first on line 37",
	}},
	{"unknown field", []change{{"organisation: Example", "organization: Example"}}, []string{
		"1:1: organisation: the field is missing: who holds the ceremony",
		`3:1: organization: there is no field of this name, did you mean "organisation"?`,
	}},
	{"unknown field of a step", []change{{"text: One thing", "txet: One thing"}}, []string{
		"64:5: steps[2].text: the field is missing: what is read",
		`70:5: steps[2].txet: there is no field of this name, did you mean "text"?`,
	}},
	{"field of another kind", []change{{"    text: One thing at a time.\n", "    text: One thing at a time.\n    key: root\n"}}, []string{
		"71:5: steps[2].key: there is no field of this name, expected one of id, kind, title, actor, witnesses, say, watch, acknowledge, approve, on_refusal, text, loud, times",
	}},
	{"missing field of a kind", []change{{"    file: root.pem\n", ""}}, []string{
		"77:5: steps[4].file: the field is missing: what is written",
	}},
	{"missing field of a step", []change{{"    title: The rules\n", ""}}, []string{
		"64:5: steps[2].title: the field is missing: one line for the screen and the transcript",
	}},
	{"missing table", []change{{"steps:\n", "stages:\n"}}, []string{
		"1:1: steps: the field is missing: what is done, in this order",
		"55:1: stages: there is no field of this name, expected one of keyrite, title, organisation, place, purpose, mode, participants, approvals, tokens, keys, profiles, steps, deviations, allow_exposed_keys",
	}},
	{"no participants", []change{{"participants:\n", "participants: []\npersons:\n"}}, []string{
		"9:15: participants: the list is empty, expected at least one item",
		"10:1: persons: there is no field of this name, expected one of keyrite, title, organisation, place, purpose, mode, participants, approvals, tokens, keys, profiles, steps, deviations, allow_exposed_keys",
	}},
	{"colon in a text", []change{{"text: One thing at", "text: One thing: at"}}, []string{
		"70:20: the text contains ': ', which begins a field: put the whole text in quotes",
	}},
	{"indentation", []change{{"    title: The rules", "   title: The rules"}}, []string{
		"66:4: this does not fit to what stands above: check the indentation, and the quotes, of this line and the line before",
	}},
	{"open quote", []change{{"serial: \"DENK0000001\"", "serial: \"DENK0000001"}}, []string{
		"29:13: the text in quotes that begins here goes on until line 42: is a quote missing?",
	}},
	{"number sign", []change{{"title: The rules", "title: The rules #2"}}, []string{
		`66:12: steps[2].title: "#2" begins a comment here, so the text ends before it: put the whole text in quotes, or write "# 2" if it is a comment`,
	}},
	{"direction of text", []change{{"title: The rules", "title: The \u202erules"}}, []string{
		"66:16: steps[2].title: U+202E changes the direction of the text around it unseen: take it out",
	}},
	{"zero width", []change{{"name: Ada Example", "name: Ada\u200b Example"}}, []string{
		"11:14: participants[1].name: U+200B cannot be seen: take it out",
	}},
	{"right to left", []change{{"name: Ada Example", "name: עדה Example"}}, []string{
		"11:11: participants[1].name: 'ע' (U+05E2) is written from right to left, which the transcript cannot print: write it in Latin letters",
		"11:12: participants[1].name: 'ד' (U+05D3) is written from right to left, which the transcript cannot print: write it in Latin letters",
		"11:13: participants[1].name: 'ה' (U+05D4) is written from right to left, which the transcript cannot print: write it in Latin letters",
	}},
	{"emoji", []change{{"name: Ada Example", "name: Ada 😀 Example"}}, []string{
		"11:15: participants[1].name: '😀' (U+1F600) cannot be printed on the transcript: write it in words",
	}},
	{"decomposed letter", []change{{"name: Ada Example", "name: Ade\u0301 Example"}}, []string{
		"11:13: participants[1].name: a letter and its accent are two characters here: write the composed letter (Unicode form NFC)",
	}},
	{"two alphabets in a name", []change{{"name: Ada Example", "name: Аda Example"}}, []string{
		`11:11: participants[1].name: the word "Аda" mixes Cyrillic and Latin letters ('d' is U+0064): write it in one alphabet`,
	}},
	{"two lines for a title", []change{{"title: The rules", "title: |\n      The\n      rules"}}, []string{
		"66:12: steps[2].title: expected one line: write the text behind the ':', without | or >",
	}},
	{"list for a text", []change{{"text: One thing at a time.", "text: [One, thing]"}}, []string{
		"70:11: steps[2].text: expected a text",
	}},
	{"text for a list", []change{{"    files:\n      - root.pem", "    files: root.pem"}}, []string{
		"89:12: steps[5].files: expected a list, each item on a line of its own after '- '",
	}},
	{"text for a step", []change{{"  - id: end\n    kind: end\n    title: The end\n    actor: admin\n    witnesses: [witness, auditor]", "  - the end"}}, []string{
		"91:5: steps[6]: expected fields, each as 'name: value' on a line of its own",
	}},
	{"number in quotes", []change{{"keyrite: 1", "keyrite: '1'"}}, []string{
		"1:10: keyrite: expected a whole number in digits, without quotes",
	}},
	{"boolean in words", []change{{"    text: One thing at a time.\n", "    text: One thing at a time.\n    loud: 'true'\n"}}, []string{
		"71:11: steps[2].loud: expected true or false, without quotes",
	}},
	{"a kind's own judgement", []change{{"    text: One thing at a time.\n", "    text: One thing at a time.\n    times: -1\n"}}, []string{
		"71:12: steps[2].times: expected 0 or more",
	}},
	{"all at once", []change{{"keyrite: 1", "keyrite: one"}, {"mode: production", "mode: test"}, {"model: nitrokey-hsm", "model: nitrokey"}, {"actor: keeper", "actor: kepper"}, {"kind: end", "kind: and"}}, []string{
		"1:10: keyrite: expected a whole number in digits, without quotes",
		`8:7: mode: "test" is not possible here, expected one of production, rehearsal`,
		`28:12: tokens[1].model: "nitrokey" is not possible here, expected one of nitrokey-hsm, softhsm2, generic`,
		`67:12: steps[2].actor: "kepper" is not one of the script's participants, did you mean "keeper"?`,
		`92:11: steps[6].kind: there is no step kind "and", did you mean "end"?`,
	}},
	{"format of the future", []change{{"keyrite: 1", "keyrite: 2"}}, []string{
		"1:10: keyrite: expected 1, the version of the script format that this program reads",
	}},
	{"mode", []change{{"mode: production", "mode: productive"}}, []string{
		`8:7: mode: "productive" is not possible here, did you mean "production"?`,
	}},
	{"id with a capital", []change{{"id: admin\n", "id: Admin\n"}}, []string{
		`10:9: participants[1].id: expected a name of a-z, 0-9 and single hyphens, not "Admin"`,
		`59:12: steps[1].actor: "admin" is not one of the script's participants, did you mean "Admin"?`,
		`74:12: steps[3].actor: "admin" is not one of the script's participants, did you mean "Admin"?`,
		`80:12: steps[4].actor: "admin" is not one of the script's participants, did you mean "Admin"?`,
		`87:12: steps[5].actor: "admin" is not one of the script's participants, did you mean "Admin"?`,
		`94:12: steps[6].actor: "admin" is not one of the script's participants, did you mean "Admin"?`,
	}},
	{"id with a space", []change{{"id: rules\n", "id: the rules\n"}}, []string{
		`64:9: steps[2].id: expected a name of a-z, 0-9 and single hyphens, not "the rules"`,
	}},
	{"id too long", []change{{"id: rules\n", "id: rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr\n"}}, []string{
		"64:9: steps[2].id: the name has 41 characters, expected at most 40",
	}},
	{"participant twice", []change{{"id: auditor\n", "id: witness\n"}}, []string{
		`22:9: participants[4].id: "witness" is there twice: write a name that no other has`,
		`60:26: steps[1].witnesses[2]: "auditor" is not one of the script's participants, expected one of admin, keeper, witness, witness`,
		`75:26: steps[3].witnesses[2]: "auditor" is not one of the script's participants, expected one of admin, keeper, witness, witness`,
		`81:26: steps[4].witnesses[2]: "auditor" is not one of the script's participants, expected one of admin, keeper, witness, witness`,
		`95:26: steps[6].witnesses[2]: "auditor" is not one of the script's participants, expected one of admin, keeper, witness, witness`,
	}},
	{"name twice", []change{{"name: Ελένη Example", "name: Ada Example"}}, []string{
		`19:11: participants[3].name: "Ada Example" is there twice: a person is listed once, with all roles`,
	}},
	{"initials twice", []change{{"initials: EE", "initials: ae"}}, []string{
		`20:15: participants[3].initials: the initials "ae" look like "AE", which another participant has: write different ones`,
	}},
	{"initials that look alike", []change{{"initials: EE", "initials: АЕ"}}, []string{
		`20:15: participants[3].initials: the initials "АЕ" look like "AE", which another participant has: write different ones`,
	}},
	{"initials of one letter", []change{{"initials: EE", "initials: E"}}, []string{
		`20:15: participants[3].initials: expected 2 to 4 letters, not "E"`,
	}},
	{"initials with a digit", []change{{"initials: EE", "initials: E2"}}, []string{
		`20:15: participants[3].initials: expected 2 to 4 letters, not "E2"`,
	}},
	{"unknown role", []change{{"roles: [internal-witness]", "roles: [witness]"}}, []string{
		`21:13: participants[3].roles[1]: there is no role "witness", expected one of ceremony-administrator, crypto-officer, external-witness, independent-witness, internal-witness, operator, recovery-holder, safe-controller, security-officer, so-pin-custodian, user-pin-custodian`,
	}},
	{"misspelled role", []change{{"roles: [internal-witness]", "roles: [internal-wittness]"}}, []string{
		`21:13: participants[3].roles[1]: there is no role "internal-wittness", did you mean "internal-witness"?`,
	}},
	{"role twice", []change{{"roles: [internal-witness]", "roles: [internal-witness, internal-witness]"}}, []string{
		`21:31: participants[3].roles[2]: the role "internal-witness" is there twice`,
	}},
	{"administrator and witness", []change{{"roles: [ceremony-administrator, operator]", "roles: [ceremony-administrator, internal-witness]"}}, []string{
		"13:12: participants[1].roles: nobody is ceremony-administrator and internal-witness at once: give one of the two to somebody else",
	}},
	{"administrator with a PIN", []change{{"roles: [ceremony-administrator, operator]", "roles: [ceremony-administrator, so-pin-custodian]"}}, []string{
		"13:12: participants[1].roles: nobody is ceremony-administrator and so-pin-custodian at once: give one of the two to somebody else",
	}},
	{"recovery holder and officer", []change{{"roles: [so-pin-custodian, crypto-officer]", "roles: [so-pin-custodian, crypto-officer, recovery-holder]"}}, []string{
		"17:12: participants[2].roles: nobody is recovery-holder and crypto-officer at once: give one of the two to somebody else",
	}},
	{"auditor who operates", []change{{"roles: [independent-witness]", "roles: [independent-witness, operator]"}}, []string{
		"25:12: participants[4].roles: nobody is independent-witness and operator at once: give one of the two to somebody else",
	}},
	{"no administrator", []change{{"roles: [ceremony-administrator, operator]", "roles: [operator]"}}, []string{
		"9:1: participants: nobody is ceremony-administrator: somebody has to run the script",
	}},
	{"no auditor at a root", []change{{"roles: [independent-witness]", "roles: [security-officer]"}}, []string{
		"9:1: participants: a root that counts is made before an auditor or notary: give somebody the role independent-witness (BR 6.1.1.1)",
	}},
	{"one person with a trusted role", []change{{"roles: [so-pin-custodian, crypto-officer]", "roles: [external-witness]"}, {"roles: [internal-witness]", "roles: [external-witness]"}, {"    so_pin_custodian: keeper\n    user_pin_custodian: keeper\n", ""}}, []string{
		"9:1: participants: expected at least two people with roles other than independent-witness and external-witness",
		`65:12: steps[2].actor: "keeper" has no role that acts in a step: ceremony-administrator, crypto-officer, independent-witness, internal-witness, operator, recovery-holder, safe-controller, security-officer, so-pin-custodian, user-pin-custodian do`,
	}},
	{"token twice", []change{{"name: soft", "name: hsm"}, {"token: soft", "token: hsm"}}, []string{
		`33:11: tokens[2].name: "hsm" is there twice: write a name that no other has`,
	}},
	{"token model", []change{{"model: softhsm2", "model: softhsm"}}, []string{
		`34:12: tokens[2].model: "softhsm" is not possible here, did you mean "softhsm2"?`,
	}},
	{"label too long", []change{{"label: Example Root\n", "label: Łukasz and Ελένη's Example Root\n"}}, []string{
		"30:12: tokens[1].label: the label has 37 bytes, expected at most 32",
	}},
	{"serial too long", []change{{"DENK0000001", "DENK0000000000001"}}, []string{
		"29:13: tokens[1].serial: the serial number has 17 bytes, expected at most 16",
	}},
	{"serial of a nitrokey-hsm left open", []change{{"serial: \"DENK0000001\"", "serial: any"}}, []string{
		"29:13: tokens[1].serial: a nitrokey-hsm has a serial number before it is initialised: write the one on the device",
	}},
	{"serial twice", []change{{"serial: any", "serial: \"DENK0000001\""}}, []string{
		`35:13: tokens[2].serial: another token has the serial number "DENK0000001", too`,
	}},
	{"labels that do not tell tokens apart", []change{{"model: nitrokey-hsm", "model: generic"}, {"serial: \"DENK0000001\"", "serial: any"}, {"label: Example Backup", "label: Example Root"}}, []string{
		`35:13: tokens[2].serial: two tokens with the label "Example Root" need serial numbers to tell them apart`,
	}},
	{"custodian not on the roster", []change{{"so_pin_custodian: keeper", "so_pin_custodian: kepper"}}, []string{
		`31:23: tokens[1].so_pin_custodian: "kepper" is not one of the script's participants, did you mean "keeper"?`,
	}},
	{"custodian without the role", []change{{"so_pin_custodian: keeper", "so_pin_custodian: witness"}}, []string{
		`31:23: tokens[1].so_pin_custodian: "witness" has not the role so-pin-custodian, which the one who enters this PIN needs`,
	}},
	{"key on no token", []change{{"token: soft", "token: sort"}}, []string{
		`44:12: keys[2].token: "sort" is not one of the script's tokens, did you mean "soft"?`,
	}},
	{"keys without tokens", []change{{"tokens:\n  - name: hsm\n    model: nitrokey-hsm\n    serial: \"DENK0000001\"\n    label: Example Root\n    so_pin_custodian: keeper\n    user_pin_custodian: keeper\n  - name: soft\n    model: softhsm2\n    serial: any\n    label: Example Backup\n", ""}}, []string{
		`28:12: keys[1].token: "hsm" is not one of the script's tokens`,
		`33:12: keys[2].token: "soft" is not one of the script's tokens`,
	}},
	{"algorithm", []change{{"algorithm: P-384", "algorithm: P384"}}, []string{
		`40:16: keys[1].algorithm: "P384" is not possible here, did you mean "P-384"?`,
	}},
	{"key id with a capital", []change{{"id: \"02ff\"", "id: \"02FF\""}}, []string{
		`47:9: keys[2].id: expected 1 to 32 bytes, each two digits of 0-9 and a-f, such as "01"`,
	}},
	{"key id of half a byte", []change{{"id: \"02ff\"", "id: \"02f\""}}, []string{
		`47:9: keys[2].id: expected 1 to 32 bytes, each two digits of 0-9 and a-f, such as "01"`,
	}},
	{"key label twice on a token", []change{{"token: soft", "token: hsm"}, {"label: spare-1", "label: root-1"}}, []string{
		`46:12: keys[2].label: another key on token "hsm" has the label "root-1", too`,
	}},
	{"key id twice on a token", []change{{"token: soft", "token: hsm"}, {"id: \"02ff\"", "id: \"01\""}}, []string{
		`47:9: keys[2].id: another key on token "hsm" has the id "01", too`,
	}},
	{"profile twice", []change{{"steps:\n", "  - name: root\n    template: crl\nsteps:\n"}}, []string{
		`55:11: profiles[2].name: "root" is there twice: write a name that no other has`,
	}},
	{"built-in profile that does not exist", []change{{"template: root-ca", "template: root"}}, []string{
		`50:15: profiles[1].template: template "root": there is no such built-in profile`,
	}},
	{"profile that is not complete", []change{{"      common_name: Example Root R1\n", ""}}, []string{
		"51:5: profiles[1].subject.common_name: missing: a CA certificate needs it (BR 7.1.2.10.2)",
	}},
	{"kind", []change{{"kind: speak", "kind: speek"}}, []string{
		`65:11: steps[2].kind: there is no step kind "speek", did you mean "speak"?`,
	}},
	{"kind that is far", []change{{"kind: speak", "kind: dance"}}, []string{
		`65:11: steps[2].kind: there is no step kind "dance", expected one of copy, end, make, roll, self-sign-root, speak`,
	}},
	{"step twice", []change{{"id: copy\n", "id: rules\n"}}, []string{
		`84:9: steps[5].id: "rules" is there twice: write a name that no other has`,
	}},
	{"actor not on the roster", []change{{"actor: keeper", "actor: bob"}}, []string{
		`67:12: steps[2].actor: "bob" is not one of the script's participants, expected one of admin, keeper, witness, auditor`,
	}},
	{"witness not on the roster", []change{{"    actor: keeper\n    witnesses: [witness]", "    actor: keeper\n    witnesses: [witness, witnes]"}}, []string{
		`68:26: steps[2].witnesses[2]: "witnes" is not one of the script's participants, did you mean "witness"?`,
	}},
	{"witness who acts", []change{{"    actor: keeper\n    witnesses: [witness]", "    actor: keeper\n    witnesses: [keeper]"}}, []string{
		`68:17: steps[2].witnesses[1]: "keeper" acts in this step and cannot be its witness, too`,
	}},
	{"witness twice", []change{{"    actor: keeper\n    witnesses: [witness]", "    actor: keeper\n    witnesses: [witness, witness]"}}, []string{
		`68:26: steps[2].witnesses[2]: "witness" is there twice`,
	}},
	{"administrator as witness", []change{{"    actor: keeper\n    witnesses: [witness]", "    actor: keeper\n    witnesses: [admin]"}}, []string{
		`68:17: steps[2].witnesses[1]: "admin" is the ceremony administrator, who is no witness`,
	}},
	{"word of two words", []change{{"acknowledge: HEARD", "acknowledge: I HEARD"}}, []string{
		`69:18: steps[2].acknowledge: expected one word of 2 to 20 letters, not "I HEARD"`,
	}},
	{"word of one letter", []change{{"acknowledge: HEARD", "acknowledge: X"}}, []string{
		`69:18: steps[2].acknowledge: expected one word of 2 to 20 letters, not "X"`,
	}},
	{"no close", []change{{"kind: end\n", "kind: speak\n    text: Goodbye.\n"}}, []string{
		"91:5: steps[6]: the last step must be of kind close: without it nothing is sealed",
	}},
	{"step after the close", []change{{"    title: The end\n    actor: admin\n    witnesses: [witness, auditor]\n", "    title: The end\n    actor: admin\n    witnesses: [witness, auditor]\n  - id: late\n    kind: speak\n    title: Late\n    actor: admin\n    text: One more thing.\n"}}, []string{
		"96:5: steps[7]: the step comes after the close, when the log is sealed: move it before the close",
	}},
	{"no roll call", []change{{"kind: roll\n", "kind: speak\n    text: Hello.\n"}}, []string{
		"56:5: steps[1]: the step comes before the roll call: begin with a step of kind attendance",
	}},
	{"roll call too late", []change{{"  - id: roll-call\n    kind: roll\n    title: Who is here\n", "  - id: hello\n    kind: speak\n    title: Hello\n    actor: admin\n    text: Hello.\n  - id: roll-call\n    kind: roll\n    title: Who is here\n"}}, []string{
		"56:5: steps[1]: the step comes before the roll call: begin with a step of kind attendance",
	}},
	{"actor and witness not called", []change{{"kind: roll\n", "kind: roll\n    people: [admin, auditor]\n"}}, []string{
		`61:17: steps[1].witnesses[1]: "witness" is not called at the roll call before this step`,
		`68:12: steps[2].actor: "keeper" is not called at the roll call before this step`,
		`69:17: steps[2].witnesses[1]: "witness" is not called at the roll call before this step`,
		`76:17: steps[3].witnesses[1]: "witness" is not called at the roll call before this step`,
		`82:17: steps[4].witnesses[1]: "witness" is not called at the roll call before this step`,
		`89:17: steps[5].witnesses[1]: "witness" is not called at the roll call before this step`,
		`96:17: steps[6].witnesses[1]: "witness" is not called at the roll call before this step`,
	}},
	{"key used before it is made", []change{{"    kind: make\n    title: Make the root key\n    actor: admin\n    witnesses: [witness, auditor]\n    key: root", "    kind: make\n    title: Make the root key\n    actor: admin\n    witnesses: [witness, auditor]\n    key: spare"}}, []string{
		`82:10: steps[4].key: key "root" is used before it is made`,
	}},
	{"key made twice", []change{{"  - id: copy\n", "  - id: again\n    kind: make\n    title: Again\n    actor: admin\n    key: root\n  - id: copy\n"}}, []string{
		`88:10: steps[5].key: key "root" was made before`,
	}},
	{"key that is not in the script", []change{{"    key: root\n  - id: sign-root", "    key: roof\n  - id: sign-root"}}, []string{
		`76:10: steps[3].key: "roof" is not one of the script's keys`,
		`82:10: steps[4].key: key "root" is used before it is made`,
	}},
	{"file written twice", []change{{"  - id: copy\n", "  - id: again\n    kind: self-sign-root\n    title: Again\n    actor: admin\n    key: root\n    file: root.pem\n  - id: copy\n"}}, []string{
		`89:11: steps[5].file: "root.pem" is written twice: step "sign-root" has made it already`,
	}},
	{"file that nobody writes", []change{{"      - root.pem", "      - root.pem\n      - sub.pem"}}, []string{
		`91:9: steps[5].files[2]: "sub.pem" does not exist by then`,
	}},
}

func TestBadScripts(t *testing.T) {
	good := goodScript(t)
	for _, test := range slices.Concat(badScripts, badPINs) {
		text := good
		for _, c := range test.changes {
			if !strings.Contains(text, c.old) {
				t.Errorf("%s: %q is not in the good script", test.name, c.old)
			}
			text = strings.Replace(text, c.old, c.new, 1)
		}
		s, problems := ParseAndCheck("c.yaml", []byte(text), testKinds())
		var got []string
		for _, p := range problems {
			line, ok := strings.CutPrefix(p.String(), "c.yaml:")
			if !ok {
				t.Errorf("%s: the file is not named: %s", test.name, p)
			}
			got = append(got, line)
		}
		if !slices.Equal(got, test.want) || s != nil {
			t.Errorf("%s: got\n\t%s\nwant\n\t%s", test.name, strings.Join(got, "\n\t"), strings.Join(test.want, "\n\t"))
		}
	}
}

func TestUnprintable(t *testing.T) {
	s, problems := ParseAndCheck("c.yaml", []byte(goodScript(t)), testKinds())
	if problems.Err() != nil {
		t.Fatal(problems)
	}
	if got := s.Unprintable(func(rune) bool { return true }); len(got) != 0 {
		t.Errorf("all can be printed, got %v", got)
	}
	got := s.Unprintable(func(r rune) bool { return r < 0x3000 }).Error()
	want := `c.yaml:23:11: participants[4].name: '山' (U+5C71) is in no font of the transcript: write it in other letters`
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := new(Script).Unprintable(func(rune) bool { return false }); len(got) != 0 {
		t.Errorf("without a file: %v", got)
	}
}
