package main

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"time"

	"golang.org/x/sys/unix"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/ceremony"
	"github.com/keyrite/keyrite/internal/harden"
	"github.com/keyrite/keyrite/internal/keyfile"
	"github.com/keyrite/keyrite/internal/machine"
	"github.com/keyrite/keyrite/internal/paper"
	"github.com/keyrite/keyrite/internal/room"
	"github.com/keyrite/keyrite/internal/token"
	"github.com/keyrite/keyrite/internal/token/apdu/pcsclite"
	"github.com/keyrite/keyrite/internal/token/p11"
	"github.com/keyrite/keyrite/internal/transcript/qr"
)

// config is everything that a run gets from this machine, but the store.
func (r *running) config(rm room.Room) (*ceremony.Config, error) {
	program, err := self()
	if err != nil {
		return nil, environment(err)
	}
	hardened, err := harden.Process()
	if err != nil {
		return nil, environment(err)
	}
	for _, note := range hardened.Notes {
		rm.Show(room.Warning{Text: "Secrets may stay on this machine: " + note + "."})
	}
	module, err := r.modulePath()
	if err != nil {
		return nil, environment(err)
	}
	lib, err := p11.Open(module)
	if err != nil {
		return nil, environment(err)
	}
	slips, err := r.slips(rm)
	if err != nil {
		return nil, err
	}
	file := audit.File{Name: lib.Path(), SHA256: lib.SHA256(), Size: lib.Size()}
	return &ceremony.Config{
		Script: r.script, ScriptBytes: r.bytes, Dir: r.dir, Media: r.media, Mode: r.mode, Stand: r.stand != "", Serials: r.serials,
		Room: rm, Model: r.modelOf, Program: program, Paper: paper.Paper{},
		Open:  func() (token.Module, audit.File, error) { return lib, file, nil },
		Cards: pcsclite.New(),
		Machine: ceremony.Machine{
			Environment: func() (*audit.Environment, error) { return describe(program, file, hardened) },
			Devices:     func(bus string) ([]audit.Device, error) { return machine.Devices(os.DirFS("/"), bus) },
			Hash:        hashImage, Image: r.image,
		},
		Now: time.Now, Sleep: time.Sleep, Rand: rand.Reader,
		QR: qrModules, Printer: slips, First: r.first, Given: r.given, UnlockKey: keyfile.Unlock,
	}, nil
}

func qrModules(payload string) [][]bool {
	m, err := qr.Encode(payload)
	if err != nil {
		return nil
	}
	return m
}

// modulePath is the PKCS#11 module of --module, or the one of the token model.
func (r *running) modulePath() (string, error) {
	if r.module != "" {
		return r.module, nil
	}
	module := token.Models[r.stand].Module
	for _, t := range r.script.Tokens {
		if r.stand != "" {
			break
		}
		of := token.Models[t.Model].Module
		if module != "" && of != module {
			return "", fmt.Errorf("the script's tokens need different PKCS#11 modules (%q: %s): say with --module which one serves them all", t.Name, t.Model)
		}
		module = of
	}
	if module == "" {
		return "", errors.New("say with --module which PKCS#11 module serves the token")
	}
	return p11.Find(module)
}

// self describes the running program.
func self() (audit.Program, error) {
	d := audit.Program{Version: version, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	path, err := os.Executable()
	if err != nil {
		return d, fmt.Errorf("finding the program's own file: %w", err)
	}
	f, err := os.Open(path)
	if err != nil {
		return d, fmt.Errorf("hashing the program's own file: %w", err)
	}
	h := sha256.New()
	_, err = io.Copy(h, f)
	if err := errors.Join(err, f.Close()); err != nil {
		return d, fmt.Errorf("hashing the program's own file: %w", err)
	}
	d.SHA256 = hex.EncodeToString(h.Sum(nil))
	return d, nil
}

// describe is what the machine says of itself.
func describe(program audit.Program, module audit.File, h harden.Report) (*audit.Environment, error) {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return nil, fmt.Errorf("asking the kernel for its name: %w", err)
	}
	d := &audit.Environment{
		Program: program, Module: module,
		Kernel:    unix.ByteSliceToString(u.Sysname[:]) + " " + unix.ByteSliceToString(u.Release[:]) + " " + unix.ByteSliceToString(u.Version[:]),
		Host:      unix.ByteSliceToString(u.Nodename[:]),
		CoreLimit: h.CoreLimit, Dumpable: h.Dumpable, Locked: h.Locked, Swap: h.Swap,
	}
	root := os.DirFS("/")
	d.Release, d.Cmdline = machine.Boot(root)
	var err error
	d.Interfaces, err = machine.Interfaces(root)
	return d, err
}

// hashImage hashes a file or block device from its beginning to its end.
func hashImage(path string, progress func(read, of int64)) (audit.File, error) {
	d := audit.File{Name: path}
	f, err := os.Open(path)
	if err != nil {
		return d, err
	}
	of, err := f.Seek(0, io.SeekEnd) // a block device tells its size no other way
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err == nil {
		d.SHA256, d.Size, err = machine.HashImage(f, func(read int64) { progress(read, of) })
	}
	return d, errors.Join(err, f.Close())
}
