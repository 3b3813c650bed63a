package steps_test

import (
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/cardtest"
)

// Two shares in files as sc-hsm-tool makes them, both under the password
// "example password", and their check values.
const (
	shareOne = "53616c7465645f5f6578616d706c6531efefad0ffd38179169f53d3a46e72a80" +
		"aa49d418c96d60dcad20ede6a2332103f0c7101e9fad748c99e354d7f67cf52e"
	shareTwo = "53616c7465645f5f6578616d706c6532ebe76771d3fd233293a53cf422d387bf" +
		"e0c2d11f040c95a890d7066b234800ce5a5459100e7f9d6e0141fb6eb918ef06"
	checkOne = "890e3471b1778fa1"
	checkTwo = "c06dbf54f5a78c9c"
)

// TestBackupRefused: what is wrong with a share or a backup is named before
// anything is sent to the card.
func TestBackupRefused(t *testing.T) {
	const give = "give-1-hsm"
	for name, c := range map[string]struct {
		change  func(string) string
		answers string // of the password
		drop    []string
		says    []string
		sent    map[string]int // commands that were sent
	}{
		"another file than the script says": {change: in(give, "file: share-1.pbe\n", "file: share-1.pbe\n    sha256: \""+zeros+"\"\n"),
			says: []string{"medium-1/share-1.pbe is another file than the script says", "nothing was sent to the token"}},
		"no share":           {change: in(give, "file: share-1.pbe\n", "file: other.txt\n"), says: []string{"medium-1/other.txt is no share of a DKEK", "bring the right medium"}},
		"wrong password":     {answers: "  \"give-1-hsm/dkek-password-current/*\": \"another password\"\n", says: []string{"medium-1/share-1.pbe: the password does not open the file"}},
		"wrong key check":    {change: in(give, "file: share-1.pbe\n", "file: share-1.pbe\n    key_check: \""+checkTwo+"\"\n"), says: []string{"with this share its key check value would be " + checkOne + ", the script says " + checkTwo}},
		"twice":              {change: func(s string) string { return in("give-1-spare", "token: spare", "token: hsm")(s) }, says: []string{`token "hsm" has the share in medium-1/share-1.pbe already`}, sent: map[string]int{"IMPORT DKEK SHARE": 1}},
		"too few shares":     {change: swap("dkek_shares: 1", "dkek_shares: 2"), drop: []string{"give-1-spare"}, says: []string{`token "hsm": 1 of the 2 shares of its DKEK are missing`, "a dkek-import step for each must come first"}, sent: map[string]int{"IMPORT DKEK SHARE": 1}},
		"no DKEK":            {change: swap("    dkek_shares: 1\n", ""), says: []string{"the token was initialised without a DKEK"}},
		"other DKEK on copy": {change: in("give-1-spare", "share-1.pbe", "share-2.pbe"), says: []string{"wrapped under the key check value " + checkOne + `, and token "spare" has ` + checkTwo}, sent: map[string]int{"IMPORT DKEK SHARE": 2, "WRAP KEY": 1}},
	} {
		t.Run(name, func(t *testing.T) {
			cards := cardtest.New(t, 2)
			st := onCards(t, cards, func(s string) string {
				s = drop(backupScript(1)(s), "share-1")
				for _, id := range c.drop {
					s = drop(s, id)
				}
				if c.change == nil {
					return s
				}
				changed := c.change(s)
				if changed == s {
					t.Fatal("the script was not changed")
				}
				return changed
			}, backupAnswers+"  \"give-1-spare/dkek-password-current/*\": \"example password\"\n"+abortOnFailure)
			answers, err := os.ReadFile(st.answers)
			if err != nil {
				t.Fatal(err)
			}
			if c.answers == "" {
				c.answers = "  \"give-1-hsm/dkek-password-current/*\": \"example password\"\n"
			}
			if err := os.WriteFile(st.answers, append(answers, c.answers...), 0o600); err != nil {
				t.Fatal(err)
			}
			medium := filepath.Join(st.dir, "medium-1")
			if err := os.Mkdir(medium, 0o755); err != nil {
				t.Fatal(err)
			}
			for file, content := range map[string]string{"share-1.pbe": shareOne, "share-2.pbe": shareTwo, "other.txt": "00"} {
				b, err := hex.DecodeString(content)
				if err == nil {
					err = os.WriteFile(filepath.Join(medium, file), b, 0o600)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			st.unchecked = true
			all := aborted(t, st, st.start())
			has(t, problems(all), c.says...)
			sent := map[string]int{}
			for _, e := range all {
				if d, ok := e.Data.(*audit.HSMIntent); ok && strings.Contains(d.Command, "KEY") || ok && strings.HasPrefix(d.Command, "IMPORT") {
					sent[d.Command]++
				}
			}
			for _, command := range []string{"IMPORT DKEK SHARE", "WRAP KEY", "UNWRAP KEY"} {
				if sent[command] != c.sent[command] {
					t.Errorf("%s was sent %d times, want %d", command, sent[command], c.sent[command])
				}
			}
		})
	}
}
