package sqlite

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

// The pages that SQLite does not clean, even in secure-delete mode: those of a
// table's tree above the leaves (file format, section 1.6).
const (
	pageSize       = 4096
	interiorPage   = 0x05
	interiorHeader = 12
)

// clearFreeSpace zeroes what no reader looks at on the upper pages of a file that
// nobody has open: SQLite leaves old page pointers there when it balances a tree.
// With that no byte of the file is without an owner.
func clearFreeSpace(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(clearPages(f), f.Close())
}

func clearPages(f *os.File) error {
	var first [1]byte
	page := make([]byte, pageSize)
	// Page 1 begins with the file's header. No page of another sort begins with
	// this byte: an overflow page does with the number of the next one.
	for at := int64(pageSize); ; at += pageSize {
		if _, err := f.ReadAt(first[:], at); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if first[0] != interiorPage {
			continue
		}
		if _, err := f.ReadAt(page, at); err != nil {
			return err
		}
		clean, err := cleared(page)
		if err != nil {
			return fmt.Errorf("page %d: %w", at/pageSize+1, err)
		}
		if _, err := f.WriteAt(clean, at); err != nil {
			return err
		}
	}
}

// cleared returns an interior page of which only what has an owner is left: the
// header, the cell pointers, the cells, and the first four bytes of free blocks.
func cleared(page []byte) ([]byte, error) {
	clean := make([]byte, len(page))
	keep := func(from, to int) error {
		if from < 0 || to > len(page) {
			return fmt.Errorf("bytes %d to %d are not on the page", from, to)
		}
		copy(clean[from:to], page[from:to])
		return nil
	}
	pointers := interiorHeader + 2*int(binary.BigEndian.Uint16(page[3:]))
	if err := keep(0, pointers); err != nil {
		return nil, err
	}
	for p := interiorHeader; p < pointers; p += 2 {
		at := int(binary.BigEndian.Uint16(page[p:]))
		end := at + 4 // the child's number, then the key as a varint
		for n := 1; end < len(page) && page[end]&0x80 != 0 && n < 9; n++ {
			end++
		}
		if err := keep(at, end+1); err != nil {
			return nil, err
		}
	}
	for at := int(binary.BigEndian.Uint16(page[1:])); at != 0; {
		if err := keep(at, at+4); err != nil {
			return nil, err
		}
		next := int(binary.BigEndian.Uint16(page[at:]))
		if next != 0 && next <= at {
			return nil, fmt.Errorf("free blocks out of order at byte %d", at)
		}
		at = next
	}
	return clean, nil
}
