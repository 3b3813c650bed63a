package ceremony

import (
	"errors"
	"fmt"

	"github.com/keyrite/keyrite/audit"
)

// A Machine answers for the machine that the ceremony is held on: self-reported,
// all of it. All fields but Image are required.
type Machine struct {
	Environment func() (*audit.Environment, error)
	Devices     func(bus string) ([]audit.Device, error) // what is on a bus, by place
	// Hash computes the hash of a file or block device. progress is called now and
	// then with the bytes read and those there are, 0 if that is not known.
	Hash  func(path string, progress func(read, of int64)) (audit.File, error)
	Image string // what the place file says the machine was booted from; may be empty
}

// ErrNoImage means that the place file names no image, and the script says that
// it does.
var ErrNoImage = errors.New("the script has the image hashed that the place file names, and no place file names one: write image: PATH into place.yaml, then resume with --place")

// Environment describes the machine, as it says itself.
func (s *Session) Environment() (*audit.Environment, error) { return s.r.Machine.Environment() }

// Devices lists what is on a bus of the machine, as it says itself.
func (s *Session) Devices(bus string) ([]audit.Device, error) { return s.r.Machine.Devices(bus) }

// imageSteps is how often the hashing of an image says how far it is.
const imageSteps = 20

// HashImage computes the hash of the image in a file or block device, and shows
// how far it is. fromPlace takes the one that the place file names; if it names
// none, the error is [ErrNoImage].
func (s *Session) HashImage(path string, fromPlace bool) (*audit.File, error) {
	if fromPlace {
		path = s.r.Machine.Image
	}
	if path == "" {
		return nil, ErrNoImage
	}
	done, shown := s.Busy("hashing "+path, 0), int64(0)
	defer func() { done() }()
	f, err := s.r.Machine.Hash(path, func(read, of int64) {
		if of <= 0 || read*imageSteps/of <= shown || read >= of {
			return
		}
		shown = read * imageSteps / of
		done()
		done = s.Busy(fmt.Sprintf("hashing %s, %d %% read", path, shown*100/imageSteps), 0)
	})
	if err != nil {
		return nil, fmt.Errorf("hashing the image %s: %w", path, err)
	}
	return &f, nil
}
