package audit

// Written is (*Entry).written, for tests.
func Written(e *Entry) (*Entry, []byte, error) { return e.written() }
