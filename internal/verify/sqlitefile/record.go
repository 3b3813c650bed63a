package sqlitefile

import (
	"errors"
	"fmt"
)

// varint reads a variable-length integer (section 1.6) in its shortest form:
// up to nine bytes, seven bits each but the ninth. n is 0 if b is too short or
// the form is not the shortest.
func varint(b []byte) (v uint64, n int) {
	for n < len(b) && n < 8 {
		c := b[n]
		n++
		v = v<<7 | uint64(c&0x7f)
		if c < 0x80 {
			if n > 1 && v < 1<<(7*(n-1)) {
				return 0, 0
			}
			return v, n
		}
	}
	if n < 8 || n >= len(b) || v>>48 == 0 {
		return 0, 0
	}
	return v<<8 | uint64(b[8]), 9
}

// A column is what a table has in one place of its rows.
type column int

const (
	rowidColumn column = iota // INTEGER PRIMARY KEY: NULL in the record
	blobColumn
	textColumn
	intColumn
)

// A value is one column's content; n for an integer, b for blob and text.
type value struct {
	n int64
	b []byte
}

// record decodes a row's payload (section 2.1) that has exactly the columns
// given, each in its shortest form, and not a byte more. It fills values, one a
// column.
func record(p []byte, columns []column, values []value) ([]value, error) {
	size, n := varint(p)
	if n == 0 || size < uint64(n) || size > uint64(len(p)) {
		return nil, errors.New("size of the record's header")
	}
	head, body := p[n:size:size], p[size:]
	for i, c := range columns {
		serial, n := varint(head)
		if n == 0 {
			return nil, fmt.Errorf("column %d: serial type cut off or not in its shortest form", i)
		}
		head = head[n:]
		var err error
		if values[i], body, err = column1(c, serial, body); err != nil {
			return nil, fmt.Errorf("column %d: %w", i, err)
		}
	}
	if len(head) != 0 {
		return nil, fmt.Errorf("more than %d columns", len(columns))
	}
	if len(body) != 0 {
		return nil, fmt.Errorf("%d bytes after the last column", len(body))
	}
	return values, nil
}

// column1 takes one column's value from body and returns the rest.
func column1(c column, serial uint64, body []byte) (value, []byte, error) {
	switch c {
	case rowidColumn:
		if serial != 0 {
			return value{}, nil, fmt.Errorf("serial type %d, want 0 (the row's number stands outside)", serial)
		}
		return value{}, body, nil
	case intColumn:
		return integer(serial, body)
	}
	first := uint64(12)
	if c == textColumn {
		first = 13
	}
	if serial < first || serial%2 != first%2 {
		return value{}, nil, fmt.Errorf("serial type %d, want %d, %d, …", serial, first, first+2)
	}
	n := (serial - first) / 2
	if n > uint64(len(body)) {
		return value{}, nil, fmt.Errorf("%d bytes, but %d are left", n, len(body))
	}
	return value{b: body[:n]}, body[n:], nil
}

// integer takes a number in its shortest serial type: 8 and 9 for zero and
// one, then 1, 2, 3, 4 bytes. Numbers beyond have no place in a log's schema.
func integer(serial uint64, body []byte) (value, []byte, error) {
	switch {
	case serial == 8 || serial == 9:
		return value{n: int64(serial - 8)}, body, nil
	case serial < 1 || serial > 4:
		return value{}, nil, fmt.Errorf("serial type %d, want a small integer", serial)
	case serial > uint64(len(body)):
		return value{}, nil, errors.New("cut off")
	}
	n := int64(int8(body[0]))
	for _, c := range body[1:serial] {
		n = n<<8 | int64(c)
	}
	least := int64(1) << (8*(serial-1) - 1) // what the next smaller type cannot hold
	if serial == 1 {
		least = 2
	}
	if n < least {
		return value{}, nil, fmt.Errorf("number %d is not in its shortest form", n)
	}
	return value{n: n}, body[serial:], nil
}
