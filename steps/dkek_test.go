package steps_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/cardtest"
)

// backupScript makes a script one for two cards: a DKEK of one or two shares, a
// key on the first card, its copy on the second.
func backupScript(shares int) func(string) string {
	return func(s string) string {
		head, _, _ := strings.Cut(s, "\nsteps:\n")
		head = strings.Replace(head, "\nkeys:\n", `
  - name: spare
    model: nitrokey-hsm
    serial: "ZZSIM000002"
    label: Example Spare R1
    so_pin_custodian: so-custodian
    user_pin_custodian: user-custodian

keys:
  - name: copy
    token: spare
    algorithm: P-384
    label: example-root-r1
    id: "01"
`, 1)
		var b strings.Builder
		step := func(id, kind, fields string) {
			b.WriteString("  - id: " + id + "\n    kind: " + kind + "\n    title: " + id + "\n    actor: administrator\n    witnesses: [witness-1, witness-2]\n" + fields)
		}
		step("roll-call", "attendance", "")
		for _, t := range []string{"hsm", "spare"} {
			step("see-"+t, "token-identify", "    token: "+t+"\n")
			step("init-"+t, "token-init", "    token: "+t+"\n    dkek_shares: "+strconv.Itoa(shares)+"\n")
			step("so-"+t, "set-so-pin", "    token: "+t+"\n")
			step("pin-"+t, "set-user-pin", "    token: "+t+"\n    way: by-so\n")
		}
		step("share-1", "dkek-create-share", "    token: hsm\n    custodian: so-custodian\n    to: medium-1\n    file: share-1.pbe\n")
		if shares == 2 {
			step("share-2", "dkek-create-share", "    token: spare\n    custodian: user-custodian\n    to: medium-2\n    file: share-2.pbe\n")
		}
		for _, t := range []string{"hsm", "spare"} {
			step("give-1-"+t, "dkek-import", "    token: "+t+"\n    custodian: so-custodian\n    from: medium-1\n    file: share-1.pbe\n")
			if shares == 2 {
				step("give-2-"+t, "dkek-import", "    token: "+t+"\n    custodian: user-custodian\n    from: medium-2\n    file: share-2.pbe\n    read_back: witness-2\n")
			}
		}
		step("make", "generate-key", "    key: root\n")
		step("wrap", "key-wrap", "    key: root\n    to: backup\n    file: root.key\n")
		step("unwrap", "key-unwrap", "    key: copy\n    of: root\n    from: backup\n    file: root.key\n    read_back: witness-2\n")
		step("compare", "key-compare", "    key: root\n    copy: copy\n    file: challenge.txt\n")
		step("the-end", "close", "")
		return head + "\nsteps:\n" + b.String()
	}
}

const backupAnswers = `  "*/dkek-password-new/*": "correct horse battery"
  "*/dkek-password-current/*": "correct horse battery"
  "*/so-pin-current/*": "7130495826374859"
  "so-hsm/so-pin-current/*": "3537363231383830"
  "so-spare/so-pin-current/*": "3537363231383830"
  "init-hsm/so-pin-current/*": "3537363231383830"
  "init-spare/so-pin-current/*": "3537363231383830"
  "*/so-pin-new/*": "7130495826374859"
  "*/user-pin-new/*": "95142683"
  "*/user-pin-current/*": "95142683"
  "*/read-back/*": "@word"
  "*/sign/*": "@word"
`

// TestKeyBackup: a key is backed up onto a second card through the real OpenSC,
// and both sign alike; no share, password or PIN is in the log, and nothing but
// encrypted files on the media.
func TestKeyBackup(t *testing.T) {
	cards := cardtest.New(t, 2)
	st := onCards(t, cards, backupScript(2), backupAnswers)
	if err := st.start(); err != nil {
		t.Log(err)
		t.Fatal(problems(st.entries(t)))
	}
	if err := sound(st.bundle()); err != nil {
		t.Fatal(err)
	}
	all := st.entries(t)
	if got := problems(all); got != "" {
		t.Errorf("problems: %s", got)
	}
	imports, _ := entriesOf[*audit.DKEKImport](all)
	if len(imports) != 4 || imports[1].KeyCheck != "" && imports[0].KeyCheck != "" || imports[1].KeyCheck != imports[3].KeyCheck || len(imports[3].KeyCheck) != 16 {
		t.Errorf("imports: %+v", imports)
	}
	unwraps, _ := entriesOf[*audit.KeyUnwrap](all)
	compares, _ := entriesOf[*audit.KeyCompare](all)
	if len(unwraps) != 1 || unwraps[0].Serial != cards.Serial(1) || len(compares) != 1 || compares[0].Serials[0] != cards.Serial(0) || compares[0].Serials[1] != cards.Serial(1) {
		t.Errorf("%+v %+v", unwraps, compares)
	}
	for _, name := range []string{"medium-1/share-1.pbe", "medium-2/share-2.pbe", "backup/root.key"} {
		if _, err := os.Stat(filepath.Join(st.dir, name)); err != nil {
			t.Error(err)
		}
	}
}
