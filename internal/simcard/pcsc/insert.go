package pcsc

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/keyrite/keyrite/internal/simcard/vpcd"
)

// A Seat is a card in a slot.
type Seat struct {
	conn net.Conn
	done chan struct{} // closed when the card is out, after err was set
	err  error
	once sync.Once
}

// insertTime is how long the reader may take to look at a card: pcscd polls its
// slots a few times a second.
const insertTime = 10 * time.Second

// Insert puts a card into slot 0 or 1 and returns when the reader has looked at
// it, so that a client which asks next may see it. The card is used until the
// seat is done.
func (d *Daemon) Insert(slot int, card vpcd.Card) (*Seat, error) {
	if slot < 0 || slot >= Slots {
		return nil, fmt.Errorf("inserting a card: there is no slot %d", slot)
	}
	tcp, err := net.Dial("tcp4", d.address(slot))
	if err != nil {
		return nil, fmt.Errorf("inserting a card: %w", err)
	}
	conn := &prompt{Conn: tcp}
	s := &Seat{conn: conn, done: make(chan struct{})}
	w := &watched{Card: card, seen: make(chan struct{})}
	go func() {
		s.err = vpcd.Serve(conn, w)
		if errors.Is(s.err, net.ErrClosed) || errors.Is(s.err, syscall.ECONNRESET) || errors.Is(s.err, syscall.EPIPE) {
			s.err = nil
		}
		s.once.Do(func() { s.err = errors.Join(s.err, conn.Close()) })
		close(s.done)
	}()
	select {
	case <-w.seen:
		return s, nil
	case <-s.done:
		return nil, fmt.Errorf("inserting a card: the reader let it go: %w", s.err)
	case <-time.After(insertTime):
		return nil, errors.Join(fmt.Errorf("inserting a card: the reader did not look at it in %v", insertTime), s.Remove())
	}
}

// prompt acknowledges at once what it reads. The reader sends a length and then
// the bytes, and its system holds the second back until the first is
// acknowledged, which otherwise takes 40 ms.
type prompt struct{ net.Conn }

// Read asks for it anew each time, as the system forgets it.
func (p *prompt) Read(b []byte) (int, error) {
	if tcp, ok := p.Conn.(*net.TCPConn); ok {
		raw, err := tcp.SyscallConn()
		if err != nil {
			return 0, err
		}
		// Where it is refused the card is only slower.
		_ = raw.Control(func(fd uintptr) {
			_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_QUICKACK, 1)
		})
	}
	return p.Conn.Read(b)
}

// watched tells when the reader asked for the answer to reset.
type watched struct {
	vpcd.Card
	seen chan struct{}
	once sync.Once
}

// ATR passes on the card's.
func (w *watched) ATR() []byte {
	w.once.Do(func() { close(w.seen) })
	return w.Card.ATR()
}

// Remove pulls the card out and returns when it is not used any more. The error
// is the one that Err returns.
func (s *Seat) Remove() error {
	s.once.Do(func() { s.err = s.conn.Close() })
	<-s.done
	return s.err
}

// Done is closed when the card is out, by Remove or by itself.
func (s *Seat) Done() <-chan struct{} { return s.done }

// Err says why the card is out, once it is: nil if it was removed or the reader
// ended.
func (s *Seat) Err() error { return s.err }
