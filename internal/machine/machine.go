// Package machine reads what the kernel says of the machine that a ceremony is
// held on: its network interfaces, what is on its buses, how it was booted. It
// also compares that with what a script expects, for the step that asks and for
// the auditor who asks again.
//
// All of it is the machine's word for itself: a machine that lies can say what
// it likes. It shows what was plugged in by mistake, and it is there to be
// compared with what people see, and with hashes taken from outside.
//
// The kernel's files are read below an [fs.FS], so that tests can give any
// tree; the real one is os.DirFS("/"). Texts in them come from devices and are
// not trusted: whatever cannot be printed becomes a question mark, and what is
// longer than [maxText] is cut.
package machine

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"strings"
	"unicode"

	"github.com/keyrite/keyrite/audit"
)

// The buses that [Devices] can list.
const (
	USB   = "usb"
	PCI   = "pci"
	Block = "block"
)

// Buses returns the names of the buses that [Devices] can list, in the order in
// which they are recorded.
func Buses() []string { return []string{USB, PCI, Block} }

// Limits on what is taken from a machine: more of it is no ceremony's.
const (
	maxText    = 200     // characters of a text that a device gives
	maxCmdline = 4096    // of a kernel's command line
	maxDevices = 500     // on one bus
	maxFile    = 1 << 16 // bytes read of a file of the kernel
	sector     = 512     // bytes that /sys/block/*/size counts in
)

// iffUp is the bit of /sys/class/net/*/flags that says that an interface was
// switched on (netdevice(7), IFF_UP).
const iffUp = 1

// Interfaces lists the network interfaces, by name, loopback included.
func Interfaces(root fs.FS) ([]audit.Interface, error) {
	const dir = "sys/class/net"
	list := []audit.Interface{}
	names, err := entries(root, dir)
	if err != nil {
		return nil, fmt.Errorf("listing the network interfaces: %w", err)
	}
	for _, name := range names {
		at := dir + "/" + name
		flags, err := strconv.ParseUint(read(root, at+"/flags"), 0, 32)
		if err != nil {
			continue // no interface: bonding_masters and the like
		}
		address := read(root, at+"/address")
		if strings.Trim(address, "0:") == "" {
			address = ""
		}
		list = append(list, audit.Interface{Name: clean(name, maxText), Up: flags&iffUp != 0, State: read(root, at+"/operstate"), Address: address})
	}
	return list, nil
}

// Online returns the names of the interfaces other than loopback that are up.
// An interface that was switched on counts, whether or not a cable is in it.
func Online(list []audit.Interface) []string {
	var up []string
	for _, i := range list {
		if i.Up && i.Name != "lo" {
			up = append(up, i.Name)
		}
	}
	return up
}

// Boot returns the release of the kernel that was booted and the command line
// that it was given, "" for what the machine does not tell.
func Boot(root fs.FS) (release, cmdline string) {
	b, _ := readFile(root, "proc/cmdline")
	return read(root, "proc/sys/kernel/osrelease"), clean(string(b), maxCmdline)
}

// Devices lists what is on a bus, by place. A bus that the machine does not have
// has no devices; one that cannot be read, an unknown bus and more than 500
// devices are errors.
func Devices(root fs.FS, bus string) ([]audit.Device, error) {
	var list func(fs.FS) ([]audit.Device, error)
	switch bus {
	case USB:
		list = usbDevices
	case PCI:
		list = pciDevices
	case Block:
		list = blockDevices
	default:
		return nil, fmt.Errorf("listing the devices of a machine: there is no bus %q", bus)
	}
	devices, err := list(root)
	if err == nil && len(devices) > maxDevices {
		err = fmt.Errorf("there are more than %d", maxDevices)
	}
	if err != nil {
		return nil, fmt.Errorf("listing the %s devices: %w", bus, err)
	}
	return devices, nil
}

// HashImage computes the SHA-256 of a file or block device, in hex, and its size
// in bytes. progress, if set, is called now and then with the bytes read.
func HashImage(r io.Reader, progress func(read int64)) (sum string, size int64, err error) {
	h := sha256.New()
	buf := make([]byte, 1<<20)
	for {
		n, err := r.Read(buf)
		h.Write(buf[:n])
		size += int64(n)
		if progress != nil {
			progress(size)
		}
		if errors.Is(err, io.EOF) {
			return hex.EncodeToString(h.Sum(nil)), size, nil
		}
		if err != nil {
			return "", size, fmt.Errorf("after %d bytes: %w", size, err)
		}
	}
}

// entries returns the names in a folder, sorted, none if there is no folder.
func entries(root fs.FS, dir string) ([]string, error) {
	list, err := fs.ReadDir(root, dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	names := make([]string, len(list))
	for i, e := range list {
		names[i] = e.Name()
	}
	return names, err
}

// read returns the text of a file of the kernel, "" if there is none. What a
// device does not tell is no error: few of them tell all.
func read(root fs.FS, name string) string {
	b, err := readFile(root, name)
	if err != nil {
		return ""
	}
	return clean(string(b), maxText)
}

func readFile(root fs.FS, name string) ([]byte, error) {
	f, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(io.LimitReader(f, maxFile))
	return b, errors.Join(err, f.Close())
}

// clean makes a text of a device fit for a log and a page: trimmed, printable
// characters of the basic plane alone, at most so many of them.
func clean(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == unicode.ReplacementChar || r > 0xFFFF:
			return '?'
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r):
			return '?'
		}
		return r
	}, strings.TrimRight(s, "\x00"))
	s = strings.TrimSpace(s)
	if runes := []rune(s); len(runes) > limit {
		s = strings.TrimSpace(string(runes[:limit-1])) + "…"
	}
	return s
}
