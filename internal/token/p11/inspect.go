package p11

import (
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// What to do about a module that is not usable, the same for several causes.
const (
	useModule = "name the right one with --module, for example " + exampleOpenSC
	// exampleOpenSC is where Debian 12 puts OpenSC's module.
	exampleOpenSC = "/usr/lib/x86_64-linux-gnu/opensc-pkcs11.so"
)

// A file is a module's file as found on disk.
type file struct {
	path   string // absolute, without symbolic links
	sha256 string // hex
	size   int64
}

// inspect reads a module's file without running anything in it: it must be a
// shared library for this machine that offers C_GetFunctionList.
func inspect(path string) (file, error) {
	real, err := resolve(path)
	if err != nil {
		return file{}, err
	}
	f, err := os.Open(real)
	if err != nil {
		return file{}, fmt.Errorf("the file cannot be read: run keyrite as a user who may, or correct its permissions: %w", err)
	}
	defer f.Close()
	if err := checkELF(f); err != nil {
		return file{}, err
	}
	h := sha256.New()
	size, err := io.Copy(h, f)
	if err != nil {
		return file{}, fmt.Errorf("hashing the file: %w", err)
	}
	return file{real, hex.EncodeToString(h.Sum(nil)), size}, nil
}

// resolve follows links and insists on a regular file: opening a pipe or a
// device would wait or do something.
func resolve(path string) (string, error) {
	if path == "" {
		return "", errors.New("no module was named: " + useModule)
	}
	real, err := filepath.EvalSymlinks(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("there is no such file: install the module (Debian: apt-get install softhsm2, or opensc for a smart card) or %s: %w", useModule, err)
	}
	if err == nil {
		real, err = filepath.Abs(real)
	}
	if err != nil {
		return "", fmt.Errorf("the path cannot be followed: %w", err)
	}
	info, err := os.Stat(real)
	switch {
	case err != nil:
		return "", err
	case info.IsDir():
		return "", errors.New("it is a directory, not a module: " + useModule)
	case !info.Mode().IsRegular():
		return "", errors.New("it is not a regular file: " + useModule)
	}
	return real, nil
}

// machines maps GOARCH to the ELF machine of a library that it can load.
var machines = map[string]elf.Machine{
	"amd64":   elf.EM_X86_64,
	"arm64":   elf.EM_AARCH64,
	"386":     elf.EM_386,
	"arm":     elf.EM_ARM,
	"riscv64": elf.EM_RISCV,
	"ppc64le": elf.EM_PPC64,
	"s390x":   elf.EM_S390,
}

// checkELF reports what keeps f from being loaded as a PKCS#11 module. It reads
// from wherever it likes and leaves the offset at 0.
func checkELF(f *os.File) error {
	var magic [4]byte
	if n, err := f.ReadAt(magic[:], 0); n < len(magic) || string(magic[:]) != elf.ELFMAG {
		if err != nil && err != io.EOF {
			return fmt.Errorf("reading the file: %w", err)
		}
		return errors.New("it is not a shared library (no ELF header): " + useModule)
	}
	e, err := elf.NewFile(f)
	if err != nil {
		return fmt.Errorf("it is a damaged shared library: install its package anew: %w", err)
	}
	return checkHeader(e)
}

func checkHeader(e *elf.File) error {
	if want := machines[runtime.GOARCH]; e.Machine != want || (e.Class == elf.ELFCLASS64) != (want != elf.EM_386 && want != elf.EM_ARM) {
		return fmt.Errorf("it is for another processor: %s %s, this program needs %s: install the package of this machine's architecture", bits(e.Class), e.Machine, want)
	}
	if e.Type != elf.ET_DYN {
		return fmt.Errorf("it is not a shared library (ELF type %s): %s", e.Type, useModule)
	}
	symbols, err := e.DynamicSymbols()
	if err != nil {
		return fmt.Errorf("it is no PKCS#11 module (it offers no symbols): %s: %w", useModule, err)
	}
	for _, s := range symbols {
		if s.Name == "C_GetFunctionList" && s.Section != elf.SHN_UNDEF {
			return nil
		}
	}
	return errors.New("it is a shared library, but no PKCS#11 module (it has no C_GetFunctionList): " + useModule)
}

func bits(c elf.Class) string {
	switch c {
	case elf.ELFCLASS32:
		return "32-bit"
	case elf.ELFCLASS64:
		return "64-bit"
	}
	return c.String()
}
