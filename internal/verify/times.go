package verify

import (
	"crypto/x509"
	"fmt"
	"time"

	"github.com/keyrite/keyrite/internal/bundle"
	"github.com/keyrite/keyrite/internal/timestamp"
)

// A Bound is a moment that something other than the machine's clock speaks
// for.
type Bound struct {
	Time string `json:"time"` // RFC 3339, UTC
	By   string `json:"by"`   // who or what speaks for it
	What string `json:"what"` // what that is worth
}

// A ClockSeen is a comparison of the machine's clock with the room's second
// one.
type ClockSeen struct {
	Entry    int64 `json:"entry"`
	OffsetMS int64 `json:"offset_ms"` // machine − room
}

// Times is what is known of when the ceremony was held, besides the machine's
// clock.
type Times struct {
	NotBefore []Bound     `json:"not_before"` // the log was begun after this
	NotAfter  []Bound     `json:"not_after"`  // the log was closed before this
	Clocks    []ClockSeen `json:"clocks"`
}

// maxTimes bounds each list of Times.
const maxTimes = 50

// checkTimes gathers what speaks for a time, and what contradicts it.
func (v *verifier) checkTimes(c *Check) {
	t := &v.report.Times
	for _, x := range v.log.signed.fresh {
		c.Count++
		if at, err := time.Parse(time.RFC3339, x.Claimed); err == nil && len(t.NotBefore) < maxTimes {
			t.NotBefore = append(t.NotBefore, Bound{
				Time: rfc3339(at), By: shorten(fmt.Sprintf("%s: %s", x.Source, x.Value)),
				What: fmt.Sprintf("nobody could know it before, as %s said (entry %d): look it up", v.log.name(x.Person), x.seq),
			})
			if at.After(v.log.last) {
				v.findEntry(TimesDisagree, v.log.file, x.seq, "a public value is said to be younger than the log by the machine's clock", "before "+rfc3339(v.log.last), rfc3339(at))
			}
		}
	}
	for _, x := range v.log.signed.clocks {
		c.Count++
		if len(t.Clocks) < maxTimes {
			t.Clocks = append(t.Clocks, ClockSeen{Entry: x.seq, OffsetMS: x.OffsetMS})
		}
	}
	v.checkTimestamp(c)
	for _, x := range v.report.Cosignatures {
		if x.Size == v.log.size && len(t.NotAfter) < maxTimes {
			worth := "by the clock of the witness's machine"
			if !x.Trusted {
				worth += ", whose key is known from this bundle alone"
			}
			if x.Exposed {
				worth = "the key was exposed to the ceremony machine, so it may be by that machine's clock"
			}
			t.NotAfter = append(t.NotAfter, Bound{Time: x.Time, By: "the cosignature of " + v.cosignerText(x), What: worth})
		}
	}
	v.compareTimes()
}

// checkTimestamp checks after/head.tsr against the CA that was given.
func (v *verifier) checkTimestamp(c *Check) {
	b, ok := v.load(bundle.TimestampFile)
	if !ok || !v.finalReads {
		return
	}
	c.Count++
	token, err := timestamp.Parse(b)
	if err != nil {
		v.find(TimestampBroken, bundle.TimestampFile, "the file is not a time-stamp", "", err.Error())
		return
	}
	if len(v.given.tsa) == 0 {
		what := "there is a time-stamp that says " + rfc3339(token.Time) + ", and nothing to check it against"
		if err := token.Of([]byte(v.final.Text())); err != nil {
			v.find(TimestampBroken, bundle.TimestampFile, "the time-stamp is not of the final checkpoint", "", err.Error())
			return
		}
		v.find(TimestampUnchecked, bundle.TimestampFile, what, "", "")
		return
	}
	if err := token.Check([]byte(v.final.Text()), v.given.tsa); err != nil {
		v.find(TimestampBroken, bundle.TimestampFile, "the time-stamp is not one of the final checkpoint by an authority of the CA given", "", err.Error())
		return
	}
	at := token.Time.Add(token.Accuracy + time.Second - 1).Truncate(time.Second)
	v.report.Times.NotAfter = append(v.report.Times.NotAfter, Bound{
		Time: rfc3339(at), By: "the time-stamp of " + token.Authority,
		What: fmt.Sprintf("RFC 3161, policy %s, serial %s; whether a certificate was revoked was not looked at", token.Policy, token.Serial),
	})
}

// compareTimes finds bounds that cannot both be true. A minute is let pass: no
// two clocks agree better in a room.
func (v *verifier) compareTimes() {
	const slack = time.Minute
	t := &v.report.Times
	for _, after := range t.NotAfter {
		end, err := time.Parse(time.RFC3339, after.Time)
		if err != nil {
			continue
		}
		if end.Before(v.log.last.Add(-slack)) {
			v.find(TimesDisagree, "", after.By+" is older than the log's last entry by the machine's clock", "after "+rfc3339(v.log.last), after.Time)
		}
		for _, before := range t.NotBefore {
			if begin, err := time.Parse(time.RFC3339, before.Time); err == nil && end.Before(begin.Add(-slack)) {
				v.find(TimesDisagree, "", after.By+" is older than a public value in the log", "after "+before.Time, after.Time)
			}
		}
	}
}

// parseTSA reads the CA of time-stamp authorities that was given.
func parseTSA(b []byte) ([]*x509.Certificate, error) {
	if len(b) == 0 {
		return nil, nil
	}
	return timestamp.Certificates(b)
}
