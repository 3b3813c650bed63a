package bundle

import (
	"reflect"
	"strings"
	"testing"
)

func TestRedaction(t *testing.T) {
	r := &Redaction{
		Origin: "keyrite.ceremony/rehearsal/00", Hidden: []Range{{3, 3}, {5, 9}}, Replaced: []string{DatabaseFile, LogFile},
		LeftOut: []string{"after/scan.pdf", "artifacts/a.pem", "keys/witness-w1.vkey", "transcript.pdf"},
	}
	text := r.Text()
	got, err := ParseRedaction(text)
	if err != nil || !reflect.DeepEqual(got, r) {
		t.Errorf("ParseRedaction: %+v, %v", got, err)
	}
	for name, change := range map[string][2]string{
		"version":           {"v1", "v2"},
		"no origin":         {"origin keyrite.ceremony/rehearsal/00\n", ""},
		"empty origin":      {"keyrite.ceremony/rehearsal/00", ""},
		"nothing hidden":    {"hidden 3\nhidden 5-9\n", ""},
		"adjacent":          {"hidden 5-9", "hidden 4-9"},
		"order":             {"hidden 3\n", "hidden 10\n"},
		"one as a range":    {"hidden 3\n", "hidden 3-3\n"},
		"backwards":         {"5-9", "9-5"},
		"leading zero":      {"hidden 3", "hidden 03"},
		"negative":          {"hidden 3", "hidden -3"},
		"not replaced":      {"replaced audit.db\n", ""},
		"script replaced":   {"replaced log.jsonl\n", "replaced log.jsonl\nreplaced script.yaml\n"},
		"script left out":   {"keys/witness-w1.vkey", "script.yaml"},
		"log key left out":  {"keys/witness-w1.vkey", "keys/log-0.vkey"},
		"manifest left out": {"keys/witness-w1.vkey", "manifest"},
		"outside":           {"after/scan.pdf", "after/../scan.pdf"},
		"twice":             {"left-out transcript.pdf\n", "left-out transcript.pdf\nleft-out transcript.pdf\n"},
		"another word":      {"left-out transcript.pdf", "leftout transcript.pdf"},
		"mixed":             {"hidden 5-9\nreplaced audit.db\n", "replaced audit.db\nhidden 5-9\n"},
		"end":               {"transcript.pdf\n", "transcript.pdf"},
		"carriage":          {"hidden 3\n", "hidden 3\r\n"},
	} {
		changed := strings.Replace(text, change[0], change[1], 1)
		if changed == text {
			t.Fatalf("%s changes nothing", name)
		}
		if got, err := ParseRedaction(changed); err == nil {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
