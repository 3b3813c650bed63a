package verify

import (
	"bufio"
	"bytes"
	"errors"
	"io"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/bundle"
)

// A lineReader reads log.jsonl line by line.
type lineReader struct {
	r      *bufio.Reader
	offset int64
	find   func(Finding) // takes what is wrong with the file
}

func newLineReader(r io.Reader) *lineReader {
	return &lineReader{r: bufio.NewReaderSize(r, 2*audit.MaxEntry), find: func(Finding) {}}
}

func (v *verifier) openLines() (*lineReader, func()) {
	l, done := v.openLinesQuietly()
	if l != nil {
		l.find = v.report.add
	}
	return l, done
}

func (v *verifier) openLinesQuietly() (*lineReader, func()) {
	f := v.open(bundle.LogFile)
	if f == nil {
		return nil, func() {}
	}
	return newLineReader(f), func() { _ = f.Close() }
}

// next returns the next line without its end. A line that is longer than any
// entry is cut off, an empty rest is none.
func (l *lineReader) next() ([]byte, bool) {
	if l == nil {
		return nil, false
	}
	b, err := l.r.ReadSlice('\n')
	start := l.offset
	l.offset += int64(len(b))
	switch {
	case err == nil:
		return b[:len(b)-1], true
	case errors.Is(err, bufio.ErrBufferFull):
		l.report(start, "a line longer than any entry")
		line := bytes.Clone(b[:audit.MaxEntry+1])
		l.skip()
		return line, true
	case len(b) == 0 && errors.Is(err, io.EOF):
		return nil, false
	case errors.Is(err, io.EOF):
		l.report(start, "the last line does not end")
		return b, true
	}
	l.report(start, "reading the file: "+err.Error())
	return nil, false
}

// report notes what is wrong with the file at a byte.
func (l *lineReader) report(offset int64, what string) {
	l.find(Finding{Code: LinesFormat, Weight: Failure, File: bundle.LogFile, Entry: -1, Offset: offset, What: what})
}

func (l *lineReader) skip() {
	for {
		b, err := l.r.ReadSlice('\n')
		l.offset += int64(len(b))
		if !errors.Is(err, bufio.ErrBufferFull) {
			return
		}
	}
}
