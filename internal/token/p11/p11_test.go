package p11

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/pkcs11"

	"github.com/keyrite/keyrite/internal/token"
)

// TestTables: every function has a handler and a place in CK_FUNCTION_LIST.
func TestTables(t *testing.T) {
	for _, f := range token.Functions {
		if handlers[f] == nil {
			t.Errorf("%s has no handler", f)
		}
		if _, ok := positions[f]; !ok {
			t.Errorf("%s has no position", f)
		}
	}
	if len(handlers) != len(token.Functions) || len(positions) != len(token.Functions) {
		t.Errorf("%d handlers, %d positions, %d functions", len(handlers), len(positions), len(token.Functions))
	}
}

// TestNames holds the names of package token against the binding's own.
func TestNames(t *testing.T) {
	for rv := uint(0); rv < 0x300; rv++ {
		_, theirs, _ := strings.Cut(pkcs11.Error(rv).Error(), ": 0x")
		_, theirs, _ = strings.Cut(theirs, ": ")
		ours := token.RV(rv).Error()
		if theirs != "" && theirs != ours {
			t.Errorf("0x%x is %s, the binding says %s", rv, ours, theirs)
		}
	}
	for ours, theirs := range map[uint]uint{
		token.CKM_EC_KEY_PAIR_GEN: pkcs11.CKM_EC_KEY_PAIR_GEN, token.CKM_RSA_PKCS_KEY_PAIR_GEN: pkcs11.CKM_RSA_PKCS_KEY_PAIR_GEN,
		token.CKM_ECDSA: pkcs11.CKM_ECDSA, token.CKM_RSA_PKCS: pkcs11.CKM_RSA_PKCS,
		token.CKM_ECDSA_SHA256: pkcs11.CKM_ECDSA_SHA256, token.CKM_ECDSA_SHA384: pkcs11.CKM_ECDSA_SHA384,
		token.CKM_ECDSA_SHA512: pkcs11.CKM_ECDSA_SHA512, token.CKM_SHA256_RSA_PKCS: pkcs11.CKM_SHA256_RSA_PKCS,
		token.CKM_SHA384_RSA_PKCS: pkcs11.CKM_SHA384_RSA_PKCS, token.CKM_SHA512_RSA_PKCS: pkcs11.CKM_SHA512_RSA_PKCS,
		token.CKA_EXTRACTABLE: pkcs11.CKA_EXTRACTABLE, token.CKA_SENSITIVE: pkcs11.CKA_SENSITIVE,
		token.CKA_NEVER_EXTRACTABLE: pkcs11.CKA_NEVER_EXTRACTABLE, token.CKA_ALWAYS_SENSITIVE: pkcs11.CKA_ALWAYS_SENSITIVE,
		token.CKA_LOCAL: pkcs11.CKA_LOCAL, token.CKA_EC_POINT: pkcs11.CKA_EC_POINT, token.CKA_EC_PARAMS: pkcs11.CKA_EC_PARAMS,
		token.CKA_MODULUS_BITS: pkcs11.CKA_MODULUS_BITS, token.CKA_PUBLIC_KEY_INFO: pkcs11.CKA_PUBLIC_KEY_INFO,
		token.CKF_SO_PIN_LOCKED: pkcs11.CKF_SO_PIN_LOCKED, token.CKF_USER_PIN_FINAL_TRY: pkcs11.CKF_USER_PIN_FINAL_TRY,
		token.CKF_TOKEN_INITIALIZED: pkcs11.CKF_TOKEN_INITIALIZED,
	} {
		if ours != theirs {
			t.Errorf("0x%x, the binding says 0x%x", ours, theirs)
		}
	}
}

// build compiles a C source into a file of dir, or fails the test.
func build(t *testing.T, dir, name, source string, flags ...string) string {
	t.Helper()
	src, out := filepath.Join(dir, name+".c"), filepath.Join(dir, name)
	if err := os.WriteFile(src, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	args := append(slices.Clone(flags), "-o", out, src)
	if b, err := exec.Command("gcc", args...).CombinedOutput(); err != nil {
		t.Fatalf("gcc %v: %v\n%s", args, err, b)
	}
	return out
}

// broken makes files that are no usable module; each has a text that its error
// must have.
func broken(t *testing.T) map[string]string {
	t.Helper()
	dir := t.TempDir()
	write := func(name string, b []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	soft, err := Find("softhsm2")
	if err != nil {
		t.Fatalf("this test reads a real SoftHSM2: %v", err)
	}
	whole, err := os.ReadFile(soft)
	if err != nil {
		t.Fatal(err)
	}
	// The same library with another e_machine (AArch64), and as 32-bit i386.
	arm := slices.Clone(whole)
	arm[18], arm[19] = 183, 0
	if err := os.Symlink(filepath.Join(dir, "gone"), filepath.Join(dir, "dangling.so")); err != nil {
		t.Fatal(err)
	}
	const head = "struct list { unsigned char v[8]; void *f[68]; };\n"
	shared := []string{"-shared", "-fPIC"}
	return map[string]string{
		"":                                "no module was named",
		filepath.Join(dir, "gone.so"):     "there is no such file: install the module",
		filepath.Join(dir, "dangling.so"): "there is no such file",
		dir:                               "it is a directory",
		"/dev/null":                       "it is not a regular file",
		write("empty.so", nil):            "not a shared library (no ELF header)",
		write("text.so", []byte("#!/bin/sh\necho no\n")):                        "not a shared library (no ELF header)",
		write("short.so", []byte("\x7fELF")):                                    "damaged shared library",
		write("cut.so", whole[:4096]):                                           "damaged shared library",
		write("arm.so", arm):                                                    "it is for another processor: 64-bit EM_AARCH64, this program needs EM_X86_64",
		write("elf32.so", elf32()):                                              "it is for another processor: 32-bit EM_386",
		build(t, dir, "program", "int main(void) { return 0; }", "-no-pie"):     "not a shared library (ELF type ET_EXEC)",
		build(t, dir, "other.so", "int answer(void) { return 42; }", shared...): "no PKCS#11 module (it has no C_GetFunctionList)",
		build(t, dir, "uses.so", "int C_GetFunctionList(void *); int f(void) { return C_GetFunctionList(0); }", shared...):                        "no PKCS#11 module (it has no C_GetFunctionList)",
		build(t, dir, "fails.so", "unsigned long C_GetFunctionList(void **l) { return 5; }", shared...):                                           "C_GetFunctionList: CKR_GENERAL_ERROR",
		build(t, dir, "null.so", "unsigned long C_GetFunctionList(void **l) { *l = 0; return 0; }", shared...):                                    "it gives no list of functions",
		build(t, dir, "hole.so", head+"static struct list l; unsigned long C_GetFunctionList(struct list **p) { *p = &l; return 0; }", shared...): "it does not offer C_",
		needy(t, dir): "it cannot be loaded: install what it needs",
	}
}

// elf32 returns the ELF header of a 32-bit i386 shared library, and nothing more.
func elf32() []byte {
	h := make([]byte, 52)
	copy(h, "\x7fELF\x01\x01\x01")
	h[16], h[18], h[20] = 3, 3, 1 // ET_DYN, EM_386, EV_CURRENT
	h[40] = 52                    // e_ehsize
	h[42], h[46] = 32, 40         // sizes of program and section headers
	return h
}

// needy returns a library that needs another one that is gone.
func needy(t *testing.T, dir string) string {
	t.Helper()
	other := build(t, dir, "libneeded.so", "int needed(void) { return 1; }", "-shared", "-fPIC")
	path := build(t, dir, "needy.so", "int needed(void); unsigned long C_GetFunctionList(void **l) { return needed(); }",
		"-shared", "-fPIC", "-L"+dir, "-Wl,--no-as-needed", "-l:libneeded.so")
	if err := os.Remove(other); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestOpenBroken(t *testing.T) {
	for path, want := range broken(t) {
		m, err := Open(path)
		if m != nil || err == nil {
			t.Errorf("%s: opened", path)
			continue
		}
		if !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "opening PKCS#11 module ") {
			t.Errorf("%s: %v\n\twant %q in it", path, err, want)
		}
	}
}

func TestOpen(t *testing.T) {
	path, err := Find("softhsm2")
	if err != nil {
		t.Fatalf("this test opens a real SoftHSM2: %v", err)
	}
	link := filepath.Join(t.TempDir(), "module.so")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	m, err := Open(link)
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(b)
	if m.SHA256() != hex.EncodeToString(sum[:]) || m.Size() != int64(len(b)) {
		t.Errorf("hash %s, size %d", m.SHA256(), m.Size())
	}
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		t.Fatal(err)
	}
	if m.Path() != real {
		t.Errorf("path %q, want %q", m.Path(), real)
	}
}

func TestFind(t *testing.T) {
	for _, name := range []string{"softhsm2", "softhsm", "libsofthsm2.so"} {
		if path, err := Find(name); err != nil || !strings.HasSuffix(path, "/libsofthsm2.so") {
			t.Errorf("%s: %q, %v", name, path, err)
		}
	}
	if path, err := Find("./some/where.so"); err != nil || path != "./some/where.so" {
		t.Errorf("a path: %q, %v", path, err)
	}
	if _, err := Find("yubikey"); err == nil || !strings.Contains(err.Error(), `"yubikey"`) {
		t.Errorf("an unknown name: %v", err)
	}
	if path, err := Find("opensc"); err != nil && !strings.Contains(err.Error(), "apt-get install opensc-pkcs11") || err == nil && !strings.HasSuffix(path, "/opensc-pkcs11.so") {
		t.Errorf("opensc: %q, %v", path, err)
	}
}

// TestReveal: a PIN reaches the binding whole, whatever bytes it has, and as
// the same bytes: no copy is left behind in Go.
func TestReveal(t *testing.T) {
	b := []byte("7391\x0054")
	called := false
	reveal(token.NewPIN(b), func(s string) {
		called = true
		if s != "7391\x0054" {
			t.Error("the PIN was changed")
		}
		b[0] = '8'
		if s[0] != '8' {
			t.Error("the PIN was copied")
		}
	})
	if !called {
		t.Error("f was not called")
	}
}
