package steps_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/keyrite/keyrite/audit"
)

const fileSteps = `  - id: sign-firmware
    kind: sign-file
    title: Sign the firmware
    actor: user-custodian
    witnesses: [witness-1, witness-2]
    key: code
    file: firmware.bin
    compare: [witness-1, witness-2]

  - id: hand-out-firmware
    kind: export
    title: Hand it out
    actor: administrator
    witnesses: [witness-1, witness-2]
    files: [firmware.bin, firmware.bin.sig, code.pub.pem]
    to: release
`

const codeKeyStep = "  - id: make-code-key\n    kind: generate-key\n    title: Make the key that signs files\n    actor: user-custodian\n    witnesses: [witness-1, witness-2]\n    key: code\n"

// withCodeKey adds a key that signs files, and the steps that use it.
func withCodeKey(algorithm string) func(string) string {
	return func(s string) string {
		s = strings.Replace(s, "\nprofiles:\n", "  - name: code\n    token: hsm\n    algorithm: "+algorithm+"\n    label: example-code\n    id: \"02\"\n\nprofiles:\n", 1)
		s = before("hand-out", fileSteps)(s)
		return before("content-after", codeKeyStep)(s)
	}
}

// playFile plays the root ceremony with a file on the medium.
func playFile(t *testing.T, change func(string) string, content, more string) (*stage, error) {
	t.Helper()
	st, err := openStage(t.TempDir(), "root-ca")
	if err != nil {
		t.Fatal(err)
	}
	st.script = []byte(change(string(st.script)))
	if err := os.WriteFile(filepath.Join(st.dir, "firmware.bin"), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := st.prepare([]byte(readAnswers(t) + more)); err != nil {
		t.Fatal(err)
	}
	return st, st.start()
}

const fileCompared = "  \"sign-firmware/file-sha256/*\": \"@word\"\n"

// TestSignFile: openssl takes the signatures that the token made, from what was
// handed out.
func TestSignFile(t *testing.T) {
	for _, algorithm := range []string{"P-384", "RSA-2048"} {
		t.Run(algorithm, func(t *testing.T) {
			st, err := playFile(t, withCodeKey(algorithm), "firmware 1.2.3", fileCompared)
			if err != nil {
				t.Fatal(err)
			}
			if err := sound(st.bundle()); err != nil {
				t.Fatal(err)
			}
			c := exec.Command("openssl", "dgst", "-sha256", "-verify", "code.pub.pem", "-signature", "firmware.bin.sig", "firmware.bin")
			c.Dir = filepath.Join(st.dir, "release")
			if out, err := c.CombinedOutput(); err != nil {
				t.Errorf("openssl: %v: %s", err, out)
			}
			tbs, _ := entriesOf[*audit.ToBeSigned](st.entries(t))
			if d := tbs[len(tbs)-1]; d.Object != "file" || d.TBS.Name != "artifacts/firmware.bin" || d.For != "artifacts/firmware.bin.sig" || d.Digest != "SHA-256" {
				t.Errorf("announced: %+v", d)
			}
		})
	}
}

// TestSignFileGoesOn: a break after the signature signs nothing again.
func TestSignFileGoesOn(t *testing.T) {
	st, err := playFile(t, withCodeKey("P-256"), "firmware 1.2.3", fileCompared+"  \"sign-firmware/seen/witness-1\": \"!\"\n  \"*/menu/*\": \"pause\"\n  \"*/reason/*\": \"lunch\"\n")
	if err == nil {
		t.Fatal("expected a pause")
	}
	if err := st.goOn(""); err != nil {
		t.Fatal(err)
	}
	if err := sound(st.bundle()); err != nil {
		t.Fatal(err)
	}
	if n := len(calls(st.entries(t), "sign-firmware", "C_Sign")); n != 1 {
		t.Errorf("%d signatures", n)
	}
}

// TestSignFileRefuses: what must not be signed is not.
func TestSignFileRefuses(t *testing.T) {
	for name, c := range map[string]struct{ content, more, want string }{
		"another file than on paper": {"firmware 1.2.3", "  \"sign-firmware/file-sha256/witness-1\": \"@word\"\n  \"sign-firmware/file-sha256/witness-2\": \"0000000000000000\"\n", "is not the one on the paper"},
		"an ASN.1 SEQUENCE":          {"0\x03\x02\x01\x01", fileCompared, "is one ASN.1 SEQUENCE"},
		"nothing":                    {"", fileCompared, "is empty"},
	} {
		t.Run(name, func(t *testing.T) {
			st, err := playFile(t, withCodeKey("P-256"), c.content, c.more+abortOnFailure)
			all := aborted(t, st, err)
			if n := len(calls(all, "sign-firmware", "C_Sign")); n != 0 || !strings.Contains(problems(all), c.want) {
				t.Errorf("%d signatures; problems: %s", n, problems(all))
			}
		})
	}
	for name, c := range map[string]struct{ old, fresh, path, want string }{
		"a CA's key":              {"    key: code\n    file: firmware.bin", "    key: root\n    file: firmware.bin", ".key: ", "and be a CA's key"},
		"one person compares":     {"    compare: [witness-1, witness-2]\n", "    compare: [witness-1, witness-1]\n", ".compare: ", "two different people"},
		"a name that is kept":     {"    file: firmware.bin\n", "    file: firmware.bin.sig\n", ".file: ", "is kept for what keyrite writes"},
		"a file that is there":    {"    file: firmware.bin\n", "    file: root.pem\n", ".file: ", "is written twice"},
		"a key that is not there": {"    key: code\n    file: firmware.bin", "    key: cod\n    file: firmware.bin", ".key: ", "is not one of the script's keys"},
	} {
		t.Run(name, func(t *testing.T) {
			impossible(t, "root-ca", withCodeKey("P-256"), swap(c.old, c.fresh), c.path, c.want)
		})
	}
}
