package audit

import (
	"testing"
	"time"
)

// A Parser that has read a time of the same minute takes exactly the times that
// one without a past takes.
func TestParserTime(t *testing.T) {
	const good = "2026-02-28T23:59:58.000000001Z"
	texts := []string{good, "0001-01-01T00:00:00.000000000Z", "2024-02-29T00:00:59.999999999Z", "9999-12-31T23:59:59.123456789Z"}
	for i := range good {
		for _, c := range []byte("0123456789-:.TZ/ ") {
			b := []byte(good)
			b[i] = c
			texts = append(texts, string(b))
		}
	}
	texts = append(texts, "2026-02-29T00:00:00.000000000Z", "2026-02-28T24:00:00.000000000Z", "2026-02-28T23:59:60.000000000Z", "2026-00-10T00:00:00.000000000Z")
	var used Parser
	for _, text := range texts {
		want, err := time.Parse(timeLayout, text)
		ok := err == nil && want.Format(timeLayout) == text
		for _, p := range []*Parser{{}, &used} {
			got, taken := p.time([]byte(text))
			if taken != ok || taken && !got.Equal(want) {
				t.Errorf("%q: %v, %v; want %v, %v", text, got, taken, want, ok)
			}
		}
		if _, taken := used.time([]byte(good)); !taken {
			t.Fatalf("after %q: %q is no time", text, good)
		}
	}
}
