// Package pcsc runs a pcscd of its own, with a virtual reader of two slots, and
// puts simulated cards into it. A pcscd of the machine is not touched.
//
// It needs Debian's packages pcscd and vsmartcard-vpcd. The virtual reader
// listens on two TCP ports of the machine: whoever can reach one of them before
// the card does could put another card in, so a machine with untrusted users or
// a network is no place for a rehearsal with it.
package pcsc

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// SocketEnv is the environment variable by which a PC/SC client finds this
// pcscd; Daemon.Socket is its value.
const SocketEnv = "PCSCLITE_CSOCK_NAME"

// Slots is how many readers there are.
const Slots = 2

// maxSocketPath is what a Unix socket's address holds, less the final zero.
const maxSocketPath = 107

// A Daemon is a running pcscd.
type Daemon struct {
	cmd    *exec.Cmd
	socket string
	port   int
	exited chan struct{} // closed when it has ended, after err was set
	err    error
}

// Find returns where pcscd and the virtual reader's driver are. The error says
// which Debian package to install.
func Find() (pcscd, driver string, err error) {
	pcscd, err = exec.LookPath("pcscd")
	if err != nil {
		for _, p := range []string{"/usr/sbin/pcscd", "/usr/local/sbin/pcscd"} {
			if _, serr := os.Stat(p); serr == nil {
				pcscd, err = p, nil
				break
			}
		}
	}
	if err != nil {
		return "", "", errors.New("there is no pcscd on this machine: install Debian's package pcscd")
	}
	for _, pattern := range []string{"/usr/lib/pcsc/drivers/serial/libifdvpcd.so", "/usr/lib/*/pcsc/drivers/serial/libifdvpcd.so", "/usr/local/lib/pcsc/drivers/serial/libifdvpcd.so"} {
		if list, _ := filepath.Glob(pattern); len(list) > 0 {
			return pcscd, list[0], nil
		}
	}
	return "", "", errors.New("there is no driver for a virtual reader on this machine: install Debian's package vsmartcard-vpcd")
}

// Start runs pcscd with its files in dir, which must exist: reader.conf.d,
// pcscd.comm (the socket) and pcscd.log. It waits until the reader takes cards.
// Nothing that exists is overwritten.
func Start(dir string) (*Daemon, error) {
	pcscd, driver, err := Find()
	if err != nil {
		return nil, err
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("starting pcscd: %w", err)
	}
	d := &Daemon{socket: filepath.Join(abs, "pcscd.comm"), exited: make(chan struct{})}
	if len(d.socket) > maxSocketPath {
		return nil, fmt.Errorf("starting pcscd: its socket %q has a path of %d bytes, %d are possible: choose a shorter directory", d.socket, len(d.socket), maxSocketPath)
	}
	if d.port, err = freePorts(); err != nil {
		return nil, fmt.Errorf("starting pcscd: %w", err)
	}
	conf := filepath.Join(abs, "reader.conf.d")
	if err := writeReader(conf, driver, d.port); err != nil {
		return nil, fmt.Errorf("starting pcscd: %w", err)
	}
	if err := d.run(pcscd, conf, filepath.Join(abs, "pcscd.log")); err != nil {
		return nil, fmt.Errorf("starting pcscd: %w", err)
	}
	if err := d.ready(); err != nil {
		return nil, errors.Join(fmt.Errorf("starting pcscd (see %s): %w", filepath.Join(abs, "pcscd.log"), err), d.Stop())
	}
	return d, nil
}

// freePorts returns the first of two neighbouring TCP ports that nobody holds.
func freePorts() (int, error) {
	for range 50 {
		first, err := net.Listen("tcp4", ":0")
		if err != nil {
			return 0, err
		}
		port := first.Addr().(*net.TCPAddr).Port
		second, err := net.Listen("tcp4", ":"+strconv.Itoa(port+1))
		if err == nil {
			return port, errors.Join(first.Close(), second.Close())
		}
		if cerr := first.Close(); cerr != nil {
			return 0, cerr
		}
	}
	return 0, errors.New("found no two free TCP ports side by side")
}

// writeReader writes the configuration of the virtual reader.
func writeReader(dir, driver string, port int) error {
	if strings.ContainsAny(driver, " \t\n") {
		return fmt.Errorf("the driver's path %q has a blank, which pcscd's configuration cannot hold", driver)
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	text := fmt.Sprintf("FRIENDLYNAME \"Virtual PCD\"\nDEVICENAME /dev/null:%#X\nLIBPATH %s\nCHANNELID %#X\n", port, driver, port)
	return os.WriteFile(filepath.Join(dir, "vpcd"), []byte(text), 0o600)
}

// run starts pcscd as systemd would: with a socket that is already listening,
// since the path of its own is fixed. A shell gives it LISTEN_PID, which is the
// number of the process itself.
func (d *Daemon) run(pcscd, conf, log string) error {
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: d.socket})
	if err != nil {
		return err
	}
	l.SetUnlinkOnClose(false)
	socket, err := l.File()
	if err != nil {
		return errors.Join(err, l.Close())
	}
	out, err := os.OpenFile(log, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return errors.Join(err, socket.Close(), l.Close())
	}
	err = d.start(pcscd, conf, out, socket, os.Geteuid() == 0)
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EINVAL) { // root in a container may not, in a chroot cannot
		err = d.start(pcscd, conf, out, socket, false)
	}
	err = errors.Join(err, out.Close(), socket.Close(), l.Close())
	if err != nil {
		return err
	}
	go func() {
		d.err = d.cmd.Wait()
		close(d.exited)
	}()
	return nil
}

// start runs it in a process group of its own, so that it hears no Ctrl-C; it
// dies with the program. With mounts of its own nothing of a pcscd of the
// machine is changed; without, the file with that one's number,
// /run/pcscd/pcscd.pid, is overwritten where it can be.
func (d *Daemon) start(pcscd, conf string, out, socket *os.File, mounts bool) error {
	d.cmd = exec.Command("/bin/sh", "-c", starter, "pcscd", pcscd, conf)
	d.cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LISTEN_FDS=1"}
	d.cmd.Stdout, d.cmd.Stderr = out, out
	d.cmd.ExtraFiles = []*os.File{socket}
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	if mounts {
		d.cmd.Env = append(d.cmd.Env, "OWN_MOUNTS=1")
		d.cmd.SysProcAttr.Unshareflags = syscall.CLONE_NEWNS
	}
	return d.cmd.Start()
}

const starter = `mkdir -p /run/pcscd 2>/dev/null
[ -z "$OWN_MOUNTS" ] || mount -t tmpfs -o mode=0755,size=1m none /run/pcscd 2>/dev/null
LISTEN_PID=$$ exec "$1" --foreground --info --config "$2"`

// startTime is how long pcscd may take until its reader listens.
const startTime = 20 * time.Second

// ready waits until the second slot takes a connection, and closes it again:
// the first slot was ready before.
func (d *Daemon) ready() error {
	end := time.Now().Add(startTime)
	for {
		select {
		case <-d.exited:
			return fmt.Errorf("it ended at once: %w", d.err)
		default:
		}
		conn, err := net.Dial("tcp4", d.address(Slots-1))
		if err == nil {
			return conn.Close()
		}
		if time.Now().After(end) {
			return fmt.Errorf("its reader does not listen after %v: %w", startTime, err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func (d *Daemon) address(slot int) string {
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(d.port+slot))
}

// Socket is the value for SocketEnv.
func (d *Daemon) Socket() string { return d.socket }

// stopTime is how long pcscd may take to end by itself.
const stopTime = 5 * time.Second

// Stop ends pcscd and removes its socket. A second call does nothing.
func (d *Daemon) Stop() error {
	select {
	case <-d.exited:
	default:
		if err := d.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
			return fmt.Errorf("stopping pcscd: %w", err)
		}
		select {
		case <-d.exited:
		case <-time.After(stopTime):
			if err := d.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
				return fmt.Errorf("stopping pcscd: %w", err)
			}
			<-d.exited
		}
	}
	if err := os.Remove(d.socket); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("removing pcscd's socket: %w", err)
	}
	return nil
}
