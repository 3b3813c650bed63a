package verify

import (
	"strings"
	"testing"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/verify/bundletest"
)

// A copying is the backup of a key from one card to another as the log has it,
// and what the cards answered.
type copying struct {
	first, second audit.DKEKImport
	wrap          audit.KeyWrap
	unwrap        audit.KeyUnwrap
	blob, given   string // SHA-256 of what the one card gave and of what the other got, hex
	compare       *audit.KeyCompare
}

// backupScene has a key copied, told as change leaves it; the cards do the same
// each time.
func backupScene(change func(*copying)) func(*bundletest.Builder, string, audit.Data) {
	return at("root-key", func(b *bundletest.Builder, _ *audit.Key) {
		const check = "1122334455667788"
		blob := strings.Repeat("ab", 32)
		share := audit.File{Name: "share-1.pbe", SHA256: strings.Repeat("cd", 32), Size: 64}
		file := audit.File{Name: "root.wky", SHA256: strings.Repeat("ef", 32), Size: 900}
		c := &copying{
			first:  audit.DKEKImport{Token: "hsm", Serial: trySerial, Person: "oto", File: share, Check: "0011223344556677", Shares: 1, KeyCheck: check},
			wrap:   audit.KeyWrap{Key: "root", Token: "hsm", Serial: trySerial, KeyCheck: check, File: file, Blob: blob},
			unwrap: audit.KeyUnwrap{Key: "copy", Of: "root", Token: "spare", Serial: "ZZEXAMPLE02", KeyCheck: check, File: file, Blob: blob},
			blob:   blob, given: blob,
		}
		c.second = c.first
		c.second.Token, c.second.Serial = "spare", "ZZEXAMPLE02"
		change(c)
		card := trying{b}
		imports := func() int64 {
			return card.command("IMPORT DKEK SHARE", "80520000", redacted, audit.HSMOutcome{Status: "9000", Data: "0100" + check})
		}
		card.hold(func() { c.first.Call += imports() })
		b.Add(&c.first)
		card.hold(func() { c.second.Call += imports() })
		b.Add(&c.second)
		card.hold(func() {
			c.wrap.Call += card.command("WRAP KEY", "80720192", "", audit.HSMOutcome{Status: "9000", Data: "sha256:" + c.blob})
		})
		b.Add(&c.wrap)
		card.hold(func() {
			c.unwrap.Call += card.command("UNWRAP KEY", "80740193", "sha256:"+c.given, audit.HSMOutcome{Status: "9000"})
		})
		b.Add(&c.unwrap)
		if c.compare != nil {
			b.Add(c.compare)
		}
	})
}

// backupLies are lies about the backup of a key; want is KeyCopied, the remark
// that each copy gets, where nothing else is to be found.
func backupLies() []lie {
	other := strings.Repeat("00", 32)
	told := func(name string, want Code, change func(*copying)) lie {
		return lie{name: name, before: backupScene(change), want: want}
	}
	return []lie{
		told("copied", KeyCopied, func(*copying) {}),
		told("another call than the import", KeyBackup, func(c *copying) { c.first.Call = -1 }),
		told("another key check value than the card's", KeyBackup, func(c *copying) { c.first.KeyCheck = "8877665544332211" }),
		told("more shares missing than the card says", KeyBackup, func(c *copying) { c.second.Outstanding, c.second.KeyCheck = 1, "" }),
		told("another blob than the card gave", KeyBackup, func(c *copying) { c.blob = other }),
		told("another blob than was given to the card", KeyBackup, func(c *copying) { c.given = other }),
		told("another blob restored", KeyBackup, func(c *copying) { c.unwrap.Blob, c.given = other, other }),
		told("another file restored", KeyBackup, func(c *copying) { c.unwrap.File.SHA256 = other }),
		told("wrapped under another key", KeyBackup, func(c *copying) { c.wrap.KeyCheck = "8877665544332211" }),
		told("restored under another key", KeyBackup, func(c *copying) { c.unwrap.KeyCheck = "8877665544332211" }),
		told("restored onto the token that it came from", KeyBackup, func(c *copying) { c.unwrap.Serial = trySerial }),
		told("compared with itself", KeyBackup, func(c *copying) {
			c.compare = &audit.KeyCompare{Keys: []string{"root", "root"}, Serials: []string{trySerial, trySerial}, Signatures: []audit.File{{}, {}}}
		}),
		told("compared without signatures", KeyBackup, func(c *copying) {
			c.compare = &audit.KeyCompare{Keys: []string{"root", "copy"}, Serials: []string{trySerial, "ZZEXAMPLE02"}, Signatures: []audit.File{{}, {}}}
		}),
	}
}

// TestBackupLies: what the log says of a copied key is held against what the
// cards were sent and answered.
func TestBackupLies(t *testing.T) {
	for _, l := range backupLies() {
		t.Run(l.name, func(t *testing.T) {
			r := l.tell(t)
			if !r.Has(KeyCopied) || r.Has(KeyBackup) != (l.want == KeyBackup) || r.failed() != (l.want == KeyBackup) {
				t.Errorf("verdict %s, want %s\n%s", r.Verdict, l.want, codes(r))
			}
		})
	}
}
