// Package pcsclite makes the calls of package apdu on libpcsclite, the library
// of pcscd, which OpenSC talks to its cards by. It is the only package that
// does.
//
// The library is loaded when the first call is made, so that keyrite starts
// where there is none. Which pcscd it talks to is decided by the environment,
// PCSCLITE_CSOCK_NAME, when the library is first used: the same for OpenSC in this
// process, and the same until it ends.
package pcsclite

/*
#cgo linux LDFLAGS: -ldl
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

// Types of PC/SC as libpcsclite has them on Linux.
typedef long LONG;
typedef unsigned long DWORD;
typedef struct { DWORD protocol, length; } IO;
typedef struct {
	const char *reader;
	void *user;
	DWORD current, event, atr_length;
	unsigned char atr[33];
} STATE;

static struct {
	LONG (*establish)(DWORD, const void *, const void *, LONG *);
	LONG (*release)(LONG);
	LONG (*list)(LONG, const char *, char *, DWORD *);
	LONG (*change)(LONG, DWORD, STATE *, DWORD);
	LONG (*connect)(LONG, const char *, DWORD, DWORD, LONG *, DWORD *);
	LONG (*begin)(LONG);
	LONG (*end)(LONG, DWORD);
	LONG (*disconnect)(LONG, DWORD);
	LONG (*transmit)(LONG, const IO *, const unsigned char *, DWORD, IO *, unsigned char *, DWORD *);
} f;

// load returns 0, or sets why to a text to be freed.
static int load(const char *name, char **why) {
	void *h = dlopen(name, RTLD_NOW);
	const char *e = NULL;
	if (!h) {
		e = dlerror();
		*why = strdup(e ? e : "no reason given");
		return 1;
	}
	if (!(f.establish = dlsym(h, e = "SCardEstablishContext")) || !(f.release = dlsym(h, e = "SCardReleaseContext")) ||
	    !(f.list = dlsym(h, e = "SCardListReaders")) || !(f.change = dlsym(h, e = "SCardGetStatusChange")) ||
	    !(f.connect = dlsym(h, e = "SCardConnect")) || !(f.begin = dlsym(h, e = "SCardBeginTransaction")) ||
	    !(f.end = dlsym(h, e = "SCardEndTransaction")) || !(f.disconnect = dlsym(h, e = "SCardDisconnect")) ||
	    !(f.transmit = dlsym(h, e = "SCardTransmit"))) {
		*why = strdup(e);
		return 1;
	}
	return 0;
}

static LONG establish(LONG *c) { return f.establish(2, NULL, NULL, c); } // SCARD_SCOPE_SYSTEM
static LONG release(LONG c) { return f.release(c); }
static LONG list(LONG c, char *names, DWORD *n) { return f.list(c, NULL, names, n); }

// card asks, without waiting, which card is in a reader.
static LONG card(LONG c, const char *reader, unsigned char *atr, DWORD *n) {
	STATE s;
	memset(&s, 0, sizeof s);
	s.reader = reader;
	LONG rv = f.change(c, 0, &s, 1);
	*n = 0;
	if (rv == 0 && (s.event & 0x20) && s.atr_length <= sizeof s.atr) { // SCARD_STATE_PRESENT
		*n = s.atr_length;
		memcpy(atr, s.atr, s.atr_length);
	}
	return rv;
}

// attach connects, shared, by T=0 or T=1.
static LONG attach(LONG c, const char *reader, LONG *card, DWORD *protocol) { return f.connect(c, reader, 2, 3, card, protocol); }
static LONG begin(LONG card) { return f.begin(card); }
static LONG end(LONG card) { return f.end(card, 0); }           // SCARD_LEAVE_CARD
static LONG detach(LONG card) { return f.disconnect(card, 0); } // SCARD_LEAVE_CARD
static LONG transmit(LONG card, DWORD protocol, const unsigned char *in, DWORD n, unsigned char *out, DWORD *m) {
	IO send = { protocol, sizeof(IO) };
	return f.transmit(card, &send, in, n, NULL, out, m);
}
*/
import "C"

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unsafe"

	"github.com/keyrite/keyrite/internal/token/apdu"
)

// Library is the file that is loaded, found by the system's loader.
const Library = "libpcsclite.so.1"

// holdTime is how long another program may hold a card before Connect gives up:
// longer than any single command of OpenSC, and a person's patience.
const holdTime = 20 * time.Second

// A Service talks to pcscd. It implements apdu.Service.
type Service struct {
	library   string
	loaded    bool
	context   C.LONG
	open      bool // context is
	card      C.LONG
	protocol  C.DWORD
	connected bool
	stuck     bool // a call has not come back
}

// New returns a service. Nothing is loaded yet.
func New() *Service { return &Service{library: Library} }

// Do makes a call. It returns a Code (as an error) for every return value other
// than SCARD_S_SUCCESS, and what [apdu.Call.Check] says of a call that is unfit
// to be made. Where the library is missing it says what to install.
func (s *Service) Do(c apdu.Call) (apdu.Result, error) {
	if err := c.Check(); err != nil {
		return apdu.Result{}, err
	}
	if s.stuck {
		return apdu.Result{}, errors.New("an earlier call of PC/SC has not come back: end the program that holds the card and resume")
	}
	if err := s.load(); err != nil {
		return apdu.Result{}, err
	}
	switch c.Function {
	case apdu.ListReaders:
		return s.list()
	case apdu.Connect:
		return apdu.Result{}, s.connect(c.Reader)
	case apdu.Transmit:
		return s.transmit(c.Command)
	}
	return apdu.Result{}, s.disconnect()
}

func (s *Service) load() error {
	if s.loaded {
		return nil
	}
	name := C.CString(s.library)
	defer C.free(unsafe.Pointer(name))
	var why *C.char
	if C.load(name, &why) != 0 {
		defer C.free(unsafe.Pointer(why))
		return fmt.Errorf("loading %s, by which cards are reached: install the package libpcsclite1: %s", s.library, C.GoString(why))
	}
	s.loaded = true
	return nil
}

// list begins with a new context: one from before pcscd was restarted is dead.
func (s *Service) list() (apdu.Result, error) {
	if s.connected {
		return apdu.Result{}, errors.New("listing readers while a card is connected")
	}
	s.leave()
	if err := code(C.establish(&s.context)); err != nil {
		return apdu.Result{}, err
	}
	s.open = true
	var n C.DWORD
	err := code(C.list(s.context, nil, &n))
	if err == apdu.NoReaders || err == nil && n == 0 {
		return apdu.Result{}, nil
	}
	if err != nil {
		return apdu.Result{}, err
	}
	names := make([]byte, n)
	if err := code(C.list(s.context, (*C.char)(unsafe.Pointer(&names[0])), &n)); err != nil {
		return apdu.Result{}, err
	}
	var r apdu.Result
	for _, name := range strings.Split(string(names[:n]), "\x00") {
		if name == "" {
			continue
		}
		atr, err := s.inside(name)
		if err != nil {
			return apdu.Result{}, err
		}
		r.Readers = append(r.Readers, apdu.Reader{Name: name, ATR: atr})
	}
	return r, nil
}

// inside returns the answer to reset of the card in a reader, nil for none. A
// reader that went away has none.
func (s *Service) inside(reader string) ([]byte, error) {
	name := C.CString(reader)
	defer C.free(unsafe.Pointer(name))
	var atr [33]byte
	var n C.DWORD
	switch err := code(C.card(s.context, name, (*C.uchar)(unsafe.Pointer(&atr[0])), &n)); {
	case err == apdu.UnknownReader || err == apdu.ReaderGone || n == 0 && err == nil:
		return nil, nil
	case err != nil:
		return nil, err
	}
	return append([]byte(nil), atr[:n]...), nil
}

// connect also begins a transaction. The library waits for ever while another
// program has one, so it is waited for beside it.
func (s *Service) connect(reader string) error {
	if s.connected || !s.open {
		return errors.New("connecting to a card: readers must be listed first, and no card be connected")
	}
	name := C.CString(reader)
	defer C.free(unsafe.Pointer(name))
	if err := code(C.attach(s.context, name, &s.card, &s.protocol)); err != nil {
		return err
	}
	card, begun := s.card, make(chan error, 1)
	go func() { begun <- code(C.begin(card)) }()
	select {
	case err := <-begun:
		if err != nil {
			return errors.Join(err, code(C.detach(card)))
		}
	case <-time.After(holdTime):
		s.stuck = true
		return apdu.Timeout
	}
	s.connected = true
	return nil
}

// transmit sends a command; its bytes are overwritten afterwards, since they
// may hold a secret.
func (s *Service) transmit(c apdu.Command) (apdu.Result, error) {
	if !s.connected {
		return apdu.Result{}, errors.New("sending a command: no card is connected")
	}
	in := c.Bytes()
	defer clear(in)
	out := make([]byte, c.Le+2)
	if len(out) < 258 {
		out = make([]byte, 258)
	}
	n := C.DWORD(len(out))
	err := code(C.transmit(s.card, s.protocol, (*C.uchar)(unsafe.Pointer(&in[0])), C.DWORD(len(in)),
		(*C.uchar)(unsafe.Pointer(&out[0])), &n))
	if err != nil {
		return apdu.Result{}, err
	}
	data, status, err := apdu.Split(out[:n])
	return apdu.Result{Data: data, Status: status}, err
}

func (s *Service) disconnect() error {
	if !s.connected {
		return nil
	}
	s.connected = false
	err := code(C.end(s.card))
	if derr := code(C.detach(s.card)); err == nil {
		err = derr
	}
	return err
}

// leave gives the context up; pcscd does so by itself if it is dead already.
func (s *Service) leave() {
	if s.open {
		C.release(s.context)
	}
	s.open = false
}

// code makes a return value an error, nil for success.
func code(rv C.LONG) error {
	if c := apdu.Code(uint32(rv)); c != apdu.Success {
		return c
	}
	return nil
}
