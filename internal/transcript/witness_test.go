package transcript

import (
	"strings"
	"testing"
	"time"

	"github.com/keyrite/keyrite/audit"
)

// TestWitnessesOnPaper: what vouches for the log stands on the cover: a key and
// its cosignatures, or lines to write the head on; public values; where the
// token was while nobody looked.
func TestWitnessesOnPaper(t *testing.T) {
	const key = "witness.example/w1+0ad7d35e+BIqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c"
	at := time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC)
	src := Source{Cover: Cover{Title: "T", Mode: "production", Participants: []Participant{
		{ID: "w1", Name: "Wanda", Roles: []string{"internal-witness"}}, {ID: "w2", Name: "Willi", Roles: []string{"external-witness"}}, {ID: "op", Name: "Otto", Roles: []string{"operator"}}}}}
	for i, d := range []audit.Data{
		&audit.LogOpen{}, &audit.WitnessKeyRead{Person: "w1", Key: key, How: "script"},
		&audit.Freshness{Source: "drand", Value: "round 7", Claimed: "2026-11-25T08:59:30Z", Person: "w1"},
		&audit.SegmentOpen{Segment: 1, Reason: "break"},
		&audit.SegmentAdopt{Seen: "typed", Custody: "Otto, in the safe", Bag: "B-17"},
		&audit.Verdict{Person: "w1", Agree: true, Size: 3, Note: "keyrite verdict v1\n"},
		&audit.Verdict{Person: "w2", Missing: true, Size: 3, Because: "left the room"},
		&audit.Cosigned{Person: "w1", Size: 3, NoteLine: "—"},
	} {
		src.Entries = append(src.Entries, &audit.Entry{Seq: int64(i), Time: at.Add(time.Duration(i) * time.Minute), Data: d})
	}
	var text strings.Builder
	for _, b := range gather(src).coverBlocks() {
		for _, l := range b.lines {
			text.WriteString(strings.TrimSpace(l.Text) + " ")
		}
	}
	flat := strings.Join(strings.Fields(text.String()), " ")
	for _, want := range []string{
		"Not written before drand: round 7 (public since 2026-11-25T08:59:30Z, as said)",
		"unobserved from 2026-11-25 09:02:00 UTC to 2026-11-25 09:03:00 UTC (break)",
		"token held by: Otto, in the safe; bag: B-17; head on disk compared with notes: typed",
		"AGREES with the first 3 entries (signed with the witness's key)",
		"NO VERDICT on the first 3 entries, which is no agreement, because: left the room",
		"cosigned the checkpoint of 3 entries",
	} {
		if !strings.Contains(flat, want) {
			t.Errorf("the cover does not say %q:\n%s", want, flat)
		}
	}
	if !strings.Contains(strings.ReplaceAll(flat, " ", ""), key) {
		t.Errorf("the cover does not show the key %s", key)
	}
	if n := strings.Count(flat, "The head in words, as I wrote it down"); n != 1 {
		t.Errorf("%d people are asked to write the head down, expected the witness without a key", n)
	}
}
