package main

import (
	"bufio"
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/bundle"
	"github.com/keyrite/keyrite/internal/keyfile"
	"github.com/keyrite/keyrite/internal/timestamp/tsatest"
	"github.com/keyrite/keyrite/internal/verify"
	"github.com/keyrite/keyrite/internal/verify/bundletest"
)

// A desk is a witness's own machine in a test.
type desk struct {
	*console
	dir      string
	out, err bytes.Buffer
}

var signedAt = time.Date(2026, 3, 5, 10, 0, 0, 0, time.UTC)

func newDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{dir: t.TempDir()}
	d.console = newConsole(verify.Terminal{Out: &d.out, Err: &d.err})
	d.now = func() time.Time { return signedAt }
	d.passphrase = func(string) ([]byte, error) { return []byte("correct horse"), nil }
	return d
}

func (d *desk) path(name string) string { return filepath.Join(d.dir, name) }

// run carries out a command and returns what it printed and said.
func (d *desk) run(t *testing.T, want int, args ...string) (out, said string) {
	t.Helper()
	d.out.Reset()
	d.err.Reset()
	command := map[string]func([]string) int{"cosign": d.cosign, "tsq": d.tsq, "witness-key": d.witnessKey}[args[0]]
	if exit := command(args[1:]); exit != want {
		t.Errorf("%q: exit %d, want %d\n%s%s", args, exit, want, d.out.String(), d.err.String())
	}
	return d.out.String(), d.err.String()
}

// key makes a key without a passphrase and returns its file.
func (d *desk) key(t *testing.T, name string) (string, *audit.WitnessKey) {
	t.Helper()
	file := d.path(name + ".key")
	out, _ := d.run(t, 0, "witness-key", "witness.example.org/"+name, "-o", file, "--no-passphrase")
	vkey, _, _ := strings.Cut(out, "\n")
	k, err := audit.ParseWitnessKey(vkey)
	if err != nil {
		t.Fatal(err)
	}
	return file, k
}

func TestWitnessKey(t *testing.T) {
	d := newDesk(t)
	file := d.path("alice.key")
	out, said := d.run(t, 0, "witness-key", "-o", file, "witness.example.org/alice")
	lines := strings.Split(out, "\n")
	k, err := audit.ParseWitnessKey(lines[0])
	if err != nil || len(lines) != 6 || strings.Join(lines[1:5], " ") != strings.Join(k.Words(), " ") {
		t.Fatalf("printed %q, %v", out, err)
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key's file is %v, %v", info.Mode(), err)
	}
	b, err := os.ReadFile(file)
	if err != nil || !keyfile.Sealed(b) || strings.Contains(out+said, "PRIVATE") || strings.Contains(out+said, "horse") {
		t.Errorf("the file is %s, %v; printed %s%s", b, err, out, said)
	}
	s, err := keyfile.Open(b, func() ([]byte, error) { return []byte("correct horse"), nil })
	if err != nil || s.Key().String() != lines[0] {
		t.Errorf("the file holds %v, %v", s, err)
	}
	if out, said := d.run(t, verify.ExitUsage, "witness-key", "-o", file, "other"); out != "" || !strings.Contains(said, "never overwritten") {
		t.Errorf("a key was overwritten: %s%s", out, said)
	}
	if again, err := os.ReadFile(file); err != nil || !bytes.Equal(again, b) {
		t.Error("the first key is gone")
	}
}

func TestWitnessKeyFails(t *testing.T) {
	d := newDesk(t)
	x := d.path("x")
	for _, args := range [][]string{{}, {"a"}, {"a", "b", "-o", x}, {"-o", x}, {"a b", "-o", x}, {"a", "-o", x, "--nothing"}, {"a+b", "-o", x}} {
		if out, _ := d.run(t, verify.ExitUsage, append([]string{"witness-key"}, args...)...); out != "" {
			t.Errorf("%q: printed %s", args, out)
		}
	}
	if out, _ := d.run(t, 0, "witness-key", "--help"); out != witnessKeyHelp {
		t.Errorf("help is %s", out)
	}
	d.run(t, verify.ExitUnreadable, "witness-key", "a", "-o", d.path("no/such/folder"))
	broken := errors.New("no terminal")
	d.passphrase = func(string) ([]byte, error) { return nil, broken }
	if _, said := d.run(t, verify.ExitUnreadable, "witness-key", "a", "-o", x); !strings.Contains(said, "no terminal") {
		t.Errorf("without a terminal: %s", said)
	}
	n := 0
	d.passphrase = func(string) ([]byte, error) { n++; return []byte{byte(n)}, nil }
	if _, said := d.run(t, verify.ExitUsage, "witness-key", "a", "-o", x); !strings.Contains(said, "differ") {
		t.Errorf("with two passphrases: %s", said)
	}
	if files, err := os.ReadDir(d.dir); err != nil || len(files) != 0 {
		t.Errorf("files are left: %v, %v", files, err)
	}
}

// A passphrase comes from the input, line by line, and is never empty.
func TestReadPassphrase(t *testing.T) {
	d := newDesk(t)
	file, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	d.in = bufio.NewReader(strings.NewReader("one\r\ntwo words\n\n" + strings.Repeat("x", 1024) + "\nrest"))
	for _, want := range []string{"one", "two words", "", "", "", ""} {
		got, err := d.readPassphrase(file, "? ")
		if string(got) != want || (err == nil) != (want != "") {
			t.Errorf("read %q, %v; want %q", got, err, want)
		}
	}
	if ttyName("windows") != "CONIN$" || ttyName("linux") != "/dev/tty" {
		t.Error("the terminal has another name")
	}
}

// A closed bundle is verified, then signed; the line goes into after/.
func TestCosignBundle(t *testing.T) {
	b := bundletest.Make(t, bundletest.Ceremony{})
	d := newDesk(t)
	file, k := d.key(t, "alice")
	out, said := d.run(t, 0, "cosign", b.Dir, "--key", file, "--head", b.Head, "-o", filepath.Join(b.Dir, "after")+"/")
	signed := b.Read(t, bundle.CosignatureFile(k.Name()))
	log, err := note.NewVerifier(b.LogKeys[0])
	if err != nil {
		t.Fatal(err)
	}
	n, err := note.Open(signed, note.VerifierList(log, k))
	if err != nil || len(n.Sigs) != 2 {
		t.Errorf("the file opens as %+v, %v", n, err)
	}
	p, lines, err := audit.Cosignatures(signed)
	if err != nil || len(lines) != 1 || !lines[0].At().Equal(signedAt) || p.Root.String() != b.Head {
		t.Fatalf("the file says %+v, %+v, %v", p, lines, err)
	}
	printed, typed, _ := strings.Cut(out, "\n\n")
	if printed != lines[0].Line() || !strings.Contains(said, "the final head") || !strings.Contains(said, "REHEARSAL") {
		t.Errorf("printed %s, said %s", out, said)
	}
	if got, err := audit.ParseTypedCosignature(typed, p, k); err != nil || got != lines[0] {
		t.Errorf("typed it is %+v, %v", got, err)
	}
	if _, said := d.run(t, verify.ExitUnreadable, "cosign", b.Dir, "--key", file, "--unseen", "-o", filepath.Join(b.Dir, "after")); !strings.Contains(said, "nothing that you noted") {
		t.Errorf("a second time: %s", said)
	}
	for _, name := range []string{"x", "after/x.txt", "after/cosignature-a b.txt", bundle.CheckpointFile} {
		if _, said := d.run(t, verify.ExitUsage, "cosign", b.Dir, "--key", file, "--unseen", "-o", b.Path(name)); !strings.Contains(said, "into a bundle goes nothing but") {
			t.Errorf("%s: %s", name, said)
		}
	}
	other := d.path("other.txt")
	d.run(t, 0, "cosign", b.Dir, "--key", file, "--log-key", b.LogKeys[0], "-o", other)
	if got, err := os.ReadFile(other); err != nil || !bytes.Equal(got, signed) {
		t.Errorf("elsewhere it is %s, %v", got, err)
	}
}

// What fails, is not closed, or is not what was noted is not signed.
func TestCosignRefuses(t *testing.T) {
	b := bundletest.Make(t, bundletest.Ceremony{})
	open := bundletest.Make(t, bundletest.Ceremony{Open: true})
	changed := bundletest.Copy(t, b)
	changed.Write(t, bundle.ScriptFile, []byte("title: another\n"))
	d := newDesk(t)
	file, _ := d.key(t, "alice")
	checkpoint := b.Path(bundle.CheckpointFile)
	foreign := d.path("foreign")
	if err := os.WriteFile(foreign, []byte("example.org/log\n1\n"+strings.Repeat("A", 43)+"=\n\n— example.org/log AAAAAAAA\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		args []string
		exit int
		said string
	}{
		{[]string{changed.Dir, "--head", b.Head}, 1, "E-SCRIPT-DIFFERS"},
		{[]string{changed.Dir, "--unseen"}, 1, "not signed: see above"},
		{[]string{open.Dir, "--log-key", open.LogKeys[0]}, 1, "not closed"},
		{[]string{b.Dir, "--head", b.ScriptSHA256}, 1, "E-HEAD-DIFFERS"},
		{[]string{checkpoint, "--head", b.ScriptSHA256}, 1, "the head is not the one that you noted"},
		{[]string{checkpoint, "--log-key", open.LogKeys[0]}, 1, "has not signed"},
		{[]string{checkpoint, "--head", b.Head, "--log-key", open.LogKeys[0]}, 1, "has not signed"},
		{[]string{checkpoint, "--head", "x"}, 2, "head \"x\""},
		{[]string{b.Dir, "--head", "x"}, 2, "head \"x\""},
		{[]string{b.Path(bundle.ManifestFile), "--unseen"}, 1, "not signed"},
		{[]string{foreign, "--unseen"}, 1, "does not begin with keyrite.ceremony"},
		{[]string{d.path("none"), "--unseen"}, 3, "none"},
		{[]string{d.dir, "--unseen"}, 3, "no bundle"},
		{[]string{checkpoint}, 2, "what did you note"},
		{[]string{"--unseen"}, 2, "one folder or checkpoint"},
		{[]string{checkpoint, checkpoint, "--unseen"}, 2, "found 2"},
		{[]string{checkpoint, "--unseen", "--verdict", "yes", "--step", "a", "--witness", "w1"}, 2, "it is \"agree\""},
		{[]string{checkpoint, "--unseen", "--verdict", "agree", "--step", "a"}, 2, "takes --step and --witness"},
		{[]string{checkpoint, "--unseen", "--verdict", "agree", "--step", "a", "--witness", "w1", "--because", "x"}, 2, "--because goes with"},
		{[]string{checkpoint, "--unseen", "--verdict", "do not agree", "--step", "a", "--witness", "w1"}, 2, "--because goes with"},
		{[]string{checkpoint, "--unseen", "--verdict", "agree", "--step", "a b", "--witness", "w1"}, 2, "step \"a b\""},
		{[]string{checkpoint, "--unseen", "--step", "a"}, 2, "--step and --witness to --verdict or --approve"},
		{[]string{checkpoint, "--unseen", "--approve", "yes", "--step", "a", "--witness", "w1"}, 2, "it is \"step\""},
		{[]string{checkpoint, "--unseen", "--approve", "step", "--step", "a"}, 2, "an approval takes --step and --witness"},
		{[]string{checkpoint, "--unseen", "--approve", "step", "--step", "a", "--witness", "w1", "--verdict", "agree"}, 2, "two things"},
		{[]string{checkpoint, "--unseen", "--key", checkpoint}, 3, "private key"},
		{[]string{checkpoint, "--unseen", "--key", d.path("none")}, 3, "none"},
		{[]string{checkpoint, "--unseen", "-o", d.path("no/such/folder")}, 3, "no such"},
	} {
		out, said := d.run(t, test.exit, append([]string{"cosign", "--key", file}, test.args...)...)
		if out != "" || !strings.Contains(said, test.said) {
			t.Errorf("%q: printed %q, said %s; want %q", test.args, out, said, test.said)
		}
	}
	if _, said := d.run(t, 2, "cosign", checkpoint, "--unseen"); !strings.Contains(said, "which key?") {
		t.Errorf("without a key: %s", said)
	}
	if out, _ := d.run(t, 0, "cosign", "--help"); out != cosignHelp {
		t.Errorf("help is %s", out)
	}
}

// A checkpoint alone, as a QR code's reader hands it over, is compared with
// the head noted; a sealed key takes its passphrase.
func TestCosignCheckpoint(t *testing.T) {
	b := bundletest.Make(t, bundletest.Ceremony{})
	signed := b.Read(t, bundle.CheckpointFile)
	p, _, err := audit.Cosignatures(signed)
	if err != nil {
		t.Fatal(err)
	}
	d := newDesk(t)
	file := d.path("alice.key")
	out, _ := d.run(t, 0, "witness-key", "witness.example.org/alice", "-o", file)
	k, err := audit.ParseWitnessKey(strings.Split(out, "\n")[0])
	if err != nil {
		t.Fatal(err)
	}
	d.in = bufio.NewReader(bytes.NewReader(bytes.TrimSuffix(signed, []byte("\n"))))
	out, said := d.run(t, 0, "cosign", "-", "--key", file, "--head", strings.Join(audit.Words(p.Root[:]), " "), "--log-key", b.LogKeys[0])
	line, _, _ := strings.Cut(out, "\n")
	c, err := audit.ParseCosignature(line)
	if err != nil || k.Check(c, p) != nil || !strings.Contains(said, "the head is the one") || !strings.Contains(said, "log key that you noted has signed it") {
		t.Errorf("printed %s, said %s, %v", out, said, err)
	}
	d.passphrase = func(string) ([]byte, error) { return []byte("correct house"), nil }
	d.in = bufio.NewReader(bytes.NewReader(signed))
	if out, said := d.run(t, 3, "cosign", "-", "--key", file, "--unseen"); out != "" || !strings.Contains(said, "passphrase is not the one") || !strings.Contains(said, "NOT compared") {
		t.Errorf("with another passphrase: %s%s", out, said)
	}
}

func TestCosignVerdict(t *testing.T) {
	b := bundletest.Make(t, bundletest.Ceremony{})
	d := newDesk(t)
	file, k := d.key(t, "alice")
	said := d.path("verdict.txt")
	out, _ := d.run(t, 0, "cosign", b.Path(bundle.CheckpointFile), "--key", file, "--head", b.Head, "-o", said,
		"--verdict", "do not agree", "--because", "the seal was broken", "--step", "verdicts", "--witness", "w1")
	signed, err := os.ReadFile(said)
	if err != nil {
		t.Fatal(err)
	}
	v, err := audit.OpenVerdictNote(signed, k)
	if err != nil || v.Agree || v.Because != "the seal was broken" || v.Root.String() != b.Head || v.Witness != "w1" || v.Step != "verdicts" {
		t.Errorf("the verdict says %+v, %v", v, err)
	}
	typed, ok := strings.CutPrefix(out, string(signed)+"\n")
	if got, err := audit.ParseTypedVerdict(typed, v, k); !ok || err != nil || !bytes.Equal(got, signed) {
		t.Errorf("printed %s; typed it is %s, %v", out, got, err)
	}
	d.run(t, verify.ExitUsage, "cosign", b.Dir, "--key", file, "--head", b.Head, "-o", b.Path("after/cosignature-x.txt"), "--verdict", "agree", "--step", "a", "--witness", "w1")
}

// The request is the one that openssl makes, and is answered as such.
func TestTimestampRequest(t *testing.T) {
	b := bundletest.Make(t, bundletest.Ceremony{NoPaper: true})
	d := newDesk(t)
	for _, from := range []string{b.Dir, b.Path(bundle.CheckpointFile)} {
		out := d.path(filepath.Base(from) + ".tsq")
		d.run(t, 0, "tsq", from, "-o", out)
		request, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		a := tsatest.New(t, "critical,timeStamping", "EC", "sha256")
		text, _, _ := strings.Cut(string(b.Read(t, bundle.CheckpointFile)), "\n\n")
		if want := a.Request([]byte(text+"\n"), "-sha256", "-cert", "-no_nonce"); !bytes.Equal(request, want) {
			t.Errorf("the request is %x, openssl's %x", request, want)
		}
		a.Verify([]byte(text+"\n"), a.Stamp(request))
		d.run(t, verify.ExitUnreadable, "tsq", from, "-o", out)
	}
	for _, args := range [][]string{{}, {b.Dir}, {"-o", "x"}, {b.Dir, b.Dir, "-o", "x"}} {
		d.run(t, verify.ExitUsage, append([]string{"tsq"}, args...)...)
	}
	for _, from := range []string{d.path("none"), b.Path(bundle.ManifestFile)} {
		d.run(t, verify.ExitUnreadable, "tsq", from, "-o", d.path("x"))
	}
	if out, _ := d.run(t, 0, "tsq", "--help"); out != tsqHelp {
		t.Errorf("help is %s", out)
	}
}
