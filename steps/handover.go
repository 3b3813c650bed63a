package steps

import (
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/ceremony"
	"github.com/keyrite/keyrite/internal/room"
)

// A handover step gives the log of a ceremony, with its bundle and its paper,
// from one party to another.
type handover struct {
	Log       string         `yaml:"log,required" desc:"which ceremony's log it is" line:"one"`
	From      string         `yaml:"from,required" desc:"participant who gives it"`
	To        string         `yaml:"to,required" desc:"participant who takes it, and signs the receipt"`
	Head      string         `yaml:"head" desc:"its final head, 64 hex digits in quotes or 32 words; if left out, both parties must type the same" line:"one"`
	Media     []handoverCopy `yaml:"media,required" desc:"the copies: at least two, in two places"`
	KeepYears int            `yaml:"keep_years" desc:"years to keep it after the last certificate has ended; 7 if left out, at least 2"`
	Ends      string         `yaml:"certificates_end" desc:"the day on which the last certificate of that ceremony ends, in quotes: 2046-01-31; if left out, the last one of this ceremony, or today if it has none" line:"one"`
}

// A handoverCopy is one copy of the bundle.
type handoverCopy struct {
	Medium string `yaml:"medium,required" desc:"number or label of the medium, in quotes if it is a number" line:"one"`
	Place  string `yaml:"place,required" desc:"where it is kept" line:"one"`
}

// Retention by the rules that ask for it: BR 5.4.3 two years, ETSI EN 319 411-1
// seven (OVR-6.4.6-01).
const (
	leastYears = 2
	usualYears = 7
)

// Check wants two parties, two media, two places, a head that is one.
func (a *handover) Check(w *ceremony.World) {
	twoPeople(w, "from", a.From, "to", a.To)
	media, places := map[string]bool{}, map[string]bool{}
	for _, c := range a.Media {
		media[c.Medium], places[c.Place] = true, true
	}
	if len(media) < 2 || len(media) < len(a.Media) {
		w.Problem("media", "expected at least two media, each with a label of its own")
	}
	if len(places) < 2 {
		w.Problem("media", "expected at least two places: a fire must not take both copies")
	}
	if _, err := parseHead(a.Head); a.Head != "" && err != nil {
		w.Problem("head", "%v", err)
	}
	if _, err := time.Parse(time.DateOnly, a.Ends); a.Ends != "" && err != nil {
		w.Problem("certificates_end", "%q is not a day; expected a form such as 2046-01-31", a.Ends)
	}
	if a.KeepYears != 0 && a.KeepYears < leastYears {
		w.Problem("keep_years", "expected %d or more (BR 5.4.3)", leastYears)
	}
}

// parseHead reads a head as hex digits or words and returns it in hex.
func parseHead(v string) (string, error) {
	h := strings.ToLower(strings.Join(strings.Fields(v), ""))
	if sha256Form.MatchString(h) {
		return h, nil
	}
	b, err := audit.ParseWords(v)
	if err == nil && len(b) == audit.HashSize {
		return hex.EncodeToString(b), nil
	}
	return "", fmt.Errorf("expected a head of 64 hex digits or 32 words, not %q", v)
}

// Run has both verify the head, the copies taken and the date computed.
func (a *handover) Run(s *ceremony.Session) error {
	if err := s.Here(a.From, a.To); err != nil {
		return err
	}
	if err := s.Result("log handed over", a.Log, false); err != nil {
		return err
	}
	s.Show(room.Text{Text: "Each party has checked the bundle on a machine of their own with keyrite-verify, and compared the square code of the closing sheet. Each types the head that their own machine shows."})
	if err := a.heads(s); err != nil {
		return err
	}
	for _, c := range a.Media {
		if err := a.copied(s, c); err != nil {
			return err
		}
	}
	until, because, err := a.until(s)
	if err != nil {
		return err
	}
	if err := s.Result("to be kept until", until.Format(time.DateOnly)+" ("+because+")", true); err != nil {
		return err
	}
	return s.Acknowledge(a.To, "holder", "receipt", fmt.Sprintf("I have received the log %q with its paper, on %d media, and keep it until %s", a.Log, len(a.Media), until.Format(time.DateOnly)))
}

// heads has the giver type the head, and the taker type the same.
func (a *handover) heads(s *ceremony.Session) error {
	want, compared := "", ""
	if a.Head != "" {
		var err error
		if want, err = parseHead(a.Head); err != nil {
			return err
		}
		compared = ceremony.ComparedScript
	}
	from, to := s.Who(a.From), s.Who(a.To)
	for _, who := range []string{from, to} {
		head, err := a.head(s, who, want)
		if err != nil {
			return err
		}
		other := to
		if who == to {
			other = from
		}
		if want != "" && head != want {
			if _, err := s.Record(&audit.Problem{What: fmt.Sprintf("%s typed the head %s, which it is not by %s", s.Script().Shown(who), head, compared)}); err != nil {
				return err
			}
			return fmt.Errorf("the head that %s verified is not the one by %s: the two have different logs", s.Script().Shown(who), compared)
		}
		if want != "" {
			if _, err := s.Record(&audit.TypedBack{What: "head of the log", Value: head, Reader: other, Person: who, Compared: compared}); err != nil {
				return err
			}
		} else if _, err := s.Record(&audit.Answer{Person: who, Question: "head of the log, by an own machine", Value: head}); err != nil {
			return err
		}
		if want == "" {
			want, compared = head, ceremony.ComparedReader
		}
	}
	return nil
}

// head asks until a whole head is typed.
func (a *handover) head(s *ceremony.Session, who, want string) (string, error) {
	for {
		v, err := s.AskWord(who, "head", "The head that your own machine shows: all 64 hex digits, or all 32 words", want)
		if err != nil {
			return "", err
		}
		head, err := parseHead(v)
		if err == nil {
			return head, nil
		}
		s.Show(room.Warning{Text: err.Error()})
	}
}

// copied has a medium's label read by the giver and typed by the taker, who
// takes it.
func (a *handover) copied(s *ceremony.Session, c handoverCopy) error {
	if _, err := s.TypedBack(ceremony.Reading{What: "label of the medium", Prompt: "medium", Reader: a.From, Typist: a.To, Expected: c.Medium, Compared: ceremony.ComparedScript}); err != nil {
		return err
	}
	return take(s, custodyItem{Item: "medium " + c.Medium, Holder: a.To, Place: c.Place})
}

// until computes the day until which the log is kept (BR 5.4.3).
func (a *handover) until(s *ceremony.Session) (time.Time, string, error) {
	end, because := s.Now(), "today"
	if a.Ends != "" {
		var err error
		if end, err = time.Parse(time.DateOnly, a.Ends); err != nil {
			return end, "", err
		}
		because = "the end of the last certificate, " + a.Ends
	} else if last, name, err := lastCertificate(s); err != nil {
		return end, "", err
	} else if name != "" {
		end, because = last, "the end of "+name+", "+last.UTC().Format(time.DateOnly)
	}
	years := a.KeepYears
	if years == 0 {
		years = usualYears
	}
	return end.AddDate(years, 0, 0).UTC(), fmt.Sprintf("%d years after %s", years, because), nil
}

// lastCertificate returns the end of the certificate of this ceremony that ends
// last; name is "" if there is none.
func lastCertificate(s *ceremony.Session) (end time.Time, name string, err error) {
	all, err := certificates(s)
	for _, file := range slices.Sorted(maps.Keys(all)) {
		if cert := all[file]; cert.NotAfter.After(end) {
			end, name = cert.NotAfter, file
		}
	}
	return end, name, err
}
