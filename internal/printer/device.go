package printer

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// Major numbers of Linux (Documentation/admin-guide/devices.txt).
const (
	majorMemory   = 1 // null, zero, full, kmsg
	majorTTY      = 4 // virtual consoles; serial lines from minor 64 on
	majorConsole  = 5 // tty, console, ptmx
	majorParallel = 6 // lp0
	majorACM      = 166
	majorUSB      = 180 // usb/lp0 has minor 0 to 15
	majorSerial   = 188 // ttyUSB0
	majorPTY      = 136 // to 143: the ends of pseudo-terminals
	lastPTY       = 143

	firstSerial = 64
	usbPrinters = 16
)

// judge says why a file is no raw printer; note is set where that cannot be known.
func judge(st *unix.Stat_t) (note string, err error) {
	major, minor := unix.Major(st.Rdev), unix.Minor(st.Rdev)
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFREG:
		return "", errors.New("it is a file on a disk, and a share is printed to a printer's own device, as /dev/usb/lp0")
	case unix.S_IFIFO, unix.S_IFSOCK:
		return "", errors.New("it leads to another program, which may write to a disk: a share is printed to a printer's own device, as /dev/usb/lp0")
	case unix.S_IFCHR:
	default:
		return "", errors.New("it is no character device: a share is printed to a printer's own device, as /dev/usb/lp0")
	}
	switch {
	case major == majorMemory:
		return "", errors.New("it is a device of the kernel's memory, as /dev/null is, and no printer")
	case major == majorConsole, major == majorTTY && minor < firstSerial:
		return "", errors.New("it is a screen, and no printer")
	case major == majorParallel, major == majorUSB && minor < usbPrinters, major == majorTTY, major == majorACM, major == majorSerial:
		return "", nil
	case major >= majorPTY && major <= lastPTY:
		return "it is a pseudo-terminal: a program takes what is printed, and may write it to a disk", nil
	}
	return fmt.Sprintf("it is a device that keyrite does not know as a printer's (character %d:%d): what takes what is printed may write it to a disk", major, minor), nil
}

// ownTerminal reports whether a device is one that the program itself talks to.
func ownTerminal(st *unix.Stat_t) bool {
	for fd := range 3 {
		var own unix.Stat_t
		if unix.Fstat(fd, &own) == nil && own.Mode&unix.S_IFMT == unix.S_IFCHR && own.Rdev == st.Rdev {
			return true
		}
	}
	return false
}

// rawOutput has a serial line pass every byte as it is; speed and handshake stay as
// stty has set them. restore waits until all is sent and sets it back.
func rawOutput(fd int) (restore func() error, err error) {
	saved, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return func() error { return nil }, nil // no line: a parallel or USB printer
	}
	raw := *saved
	raw.Oflag &^= unix.OPOST
	raw.Lflag &^= unix.ECHO | unix.ICANON | unix.ISIG
	if err := unix.IoctlSetTermios(fd, unix.TCSETS, &raw); err != nil {
		return nil, fmt.Errorf("setting the line's mode: %w", err)
	}
	return func() error {
		if err := unix.IoctlSetTermios(fd, unix.TCSETSW, saved); err != nil { // W: when all is sent
			return fmt.Errorf("setting the line's mode back: %w", err)
		}
		return nil
	}, nil
}
