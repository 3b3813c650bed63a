package simcard

import (
	"bytes"
	"slices"

	"github.com/keyrite/keyrite/internal/cvc/tlv"
	"github.com/keyrite/keyrite/internal/simcard/apdu"
)

// aid is the applet's name.
func aid() []byte {
	return []byte{0xE8, 0x2B, 0x06, 0x01, 0x04, 0x01, 0x81, 0xC3, 0x1F, 0x02, 0x01}
}

// The version that SELECT tells: firmware 3.5 knows key domains, of which this
// card has the first alone.
const (
	versionType  = 0xFF
	versionMajor = 3
	versionMinor = 5
)

// maxFile is the most bytes that a file holds.
const maxFile = 8192

// selectFile is SELECT (ISO/IEC 7816-4, 11.2.2): the applet by name (P1 04), a
// file by identifier (P1 00). P2 0C asks for no answer.
func (c *Card) selectFile(cmd apdu.Command) ([]byte, error) {
	switch {
	case cmd.P2 != 0x00 && cmd.P2 != 0x04 && cmd.P2 != 0x0C:
		return nil, apdu.WrongParameters
	case cmd.P1 == 0x04:
		if !bytes.Equal(cmd.Data, aid()) {
			return nil, apdu.FileNotFound
		}
		// Selecting ends the session: this is how OpenSC logs out.
		c.selected, c.current, c.user = true, 0, false
		return c.answer(cmd, c.appletInfo()), nil
	case !c.selected:
		return nil, apdu.FileNotFound
	case cmd.P1 != 0x00:
		return nil, apdu.WrongParameters
	case len(cmd.Data) != 2:
		return nil, apdu.WrongLength
	}
	id := uint16(cmd.Data[0])<<8 | uint16(cmd.Data[1])
	content, ok := c.file(id)
	if !ok {
		return nil, apdu.FileNotFound
	}
	c.current = id
	return c.answer(cmd, fileInfo(id, len(content))), nil
}

func (c *Card) answer(cmd apdu.Command, info []byte) []byte {
	if cmd.P2 == 0x0C {
		return nil
	}
	return info
}

// appletInfo is the answer to SELECT by name: the options and the version in
// the proprietary object 85.
func (c *Card) appletInfo() []byte {
	info := tlv.Append(nil, 0x82, []byte{0x78})
	info = tlv.Append(info, 0x84, aid())
	info = tlv.Append(info, 0x85, []byte{0, c.s.Options, versionType, versionMajor, versionMinor})
	return tlv.Append(nil, 0x6F, info)
}

func fileInfo(id uint16, size int) []byte {
	info := tlv.Append(nil, 0x81, []byte{byte(size >> 8), byte(size)})
	info = tlv.Append(info, 0x82, []byte{0x01})
	info = tlv.Append(info, 0x83, []byte{byte(id >> 8), byte(id)})
	return tlv.Append(nil, 0x6F, info)
}

// file returns what a file holds. A key is a file without content.
func (c *Card) file(id uint16) ([]byte, bool) {
	if id == fileDevAut {
		return c.s.DevAut, true
	}
	if id>>8 == prefixKey {
		_, ok := c.s.Keys[uint8(id)]
		return nil, ok || id&0xFF == 0
	}
	b, ok := c.s.Files[id]
	return b, ok
}

// target returns the file that P1 P2 name, the current one for 0000.
func (c *Card) target(cmd apdu.Command) (uint16, error) {
	id := uint16(cmd.P1)<<8 | uint16(cmd.P2)
	if id == 0 {
		id = c.current
	}
	if id == 0 {
		return 0, apdu.NoCurrentFile
	}
	return id, nil
}

// readBinary is READ BINARY with the odd instruction B1: 54 offset. The answer
// is the bytes themselves; fewer than Le come with 6282.
func (c *Card) readBinary(cmd apdu.Command) ([]byte, error) {
	id, err := c.target(cmd)
	if err != nil {
		return nil, err
	}
	offset, rest, err := readOffset(cmd.Data)
	if err != nil || len(rest) > 0 {
		return nil, apdu.WrongData
	}
	content, ok := c.file(id)
	switch {
	case !ok:
		return nil, apdu.FileNotFound
	case id>>8 == prefixKey:
		return nil, apdu.NotAuthenticated
	case id>>8 == prefixProtected && !c.user:
		return nil, apdu.NotAuthenticated
	case offset > len(content):
		return nil, apdu.WrongOffset
	}
	content = content[offset:]
	if len(content) < cmd.Le {
		return content, apdu.EndOfFile
	}
	return content[:cmd.Le], nil
}

// readOffset reads the object 54 in front of data.
func readOffset(data []byte) (offset int, rest []byte, err error) {
	o, rest, err := tlv.Next(data)
	if err != nil || o.Tag != 0x54 || len(o.Value) < 1 || len(o.Value) > 2 {
		return 0, nil, apdu.WrongData
	}
	for _, b := range o.Value {
		offset = offset<<8 | int(b)
	}
	return offset, rest, nil
}

// updateBinary is UPDATE BINARY with the odd instruction D7: 54 offset, 53
// bytes. A file that is named and not there is made.
func (c *Card) updateBinary(cmd apdu.Command) ([]byte, error) {
	if err := c.needUser(); err != nil {
		return nil, err
	}
	id, err := c.target(cmd)
	if err != nil {
		return nil, err
	}
	offset, rest, err := readOffset(cmd.Data)
	if err != nil {
		return nil, apdu.WrongData
	}
	o, rest, err := tlv.Next(rest)
	if err != nil || o.Tag != 0x53 || len(rest) > 0 {
		return nil, apdu.WrongData
	}
	if !writable(id) {
		return nil, apdu.NotAuthenticated
	}
	old, ok := c.s.Files[id]
	switch {
	case !ok && cmd.P1 == 0 && cmd.P2 == 0:
		return nil, apdu.FileNotFound
	case offset > len(old):
		return nil, apdu.WrongOffset
	case offset+len(o.Value) > maxFile:
		return nil, apdu.NotEnoughMemory
	}
	content := append(bytes.Clone(old[:offset]), o.Value...)
	if len(content) < len(old) {
		content = append(content, old[len(content):]...)
	}
	if content == nil {
		content = []byte{}
	}
	c.current = id
	return nil, c.change(func(s *state) error {
		s.Files[id] = content
		return nil
	})
}

// writable reports whether a file is one that commands write: descriptions,
// certificates, data, and the label.
func writable(id uint16) bool {
	switch id >> 8 {
	case 0xC4, 0xC8, 0xC9, 0xCA, prefixProtected, prefixEECert, 0xCF:
		return true
	}
	return id == fileTokenInfo
}

// deleteFile is DELETE FILE with the identifier as data: of a file, or a key.
func (c *Card) deleteFile(cmd apdu.Command) ([]byte, error) {
	if err := c.needUser(); err != nil {
		return nil, err
	}
	if cmd.P1 != 0x02 || cmd.P2 != 0 {
		return nil, apdu.WrongParameters
	}
	if len(cmd.Data) != 2 {
		return nil, apdu.WrongLength
	}
	id := uint16(cmd.Data[0])<<8 | uint16(cmd.Data[1])
	if _, ok := c.file(id); !ok {
		return nil, apdu.FileNotFound
	}
	key := id>>8 == prefixKey && id&0xFF != 0
	if !key && !writable(id) {
		return nil, apdu.NotAuthenticated
	}
	if c.current == id {
		c.current = 0
	}
	return nil, c.change(func(s *state) error {
		if key {
			delete(s.Keys, uint8(id))
			return nil
		}
		delete(s.Files, id)
		return nil
	})
}

// enumerate is ENUMERATE OBJECTS: two bytes each, keys and files in order.
func (c *Card) enumerate(cmd apdu.Command) ([]byte, error) {
	if cmd.P1 != 0 || cmd.P2 != 0 {
		return nil, apdu.WrongParameters
	}
	ids := []uint16{prefixKey << 8}
	for id := range c.s.Keys {
		ids = append(ids, prefixKey<<8|uint16(id))
	}
	for id := range c.s.Files {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	out := make([]byte, 0, 2*len(ids))
	for _, id := range ids {
		out = append(out, byte(id>>8), byte(id))
	}
	return out, nil
}
