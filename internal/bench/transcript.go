package main

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/jung-kurt/gofpdf"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/transcript"
	"github.com/keyrite/keyrite/internal/transcript/pdf"
	"github.com/keyrite/keyrite/internal/transcript/qr"
)

// benchOrigin is a log origin of the right form.
const benchOrigin = "keyrite.example/rehearsal/000102030405060708090a0b0c0d0e0f"

// transcriptSteps gives a transcript of some twenty pages.
const transcriptSteps = 60

// transcriptPerPage is the time of a transcript, composed from its entries and
// drawn, over that of gofpdf drawing as many pages with the same lines in a
// core font and the same QR codes.
func transcriptPerPage(w stopwatch) (float64, error) {
	src := transcript.Source{Origin: benchOrigin, Entries: ceremonyEntries(transcriptSteps)}
	src.Cover = coverOf(src.Entries[0].Data.(*audit.LogOpen))
	pages, err := transcript.Compose(src)
	if err != nil {
		return 0, err
	}
	composed := whole(func() error {
		pages, err := transcript.Compose(src)
		if err != nil {
			return err
		}
		_, err = pdf.Render(input(src, pages))
		return err
	})
	bare := whole(func() error { return drawBare(src, pages) })
	return w.ratio(3, 3, composed, bare)
}

// coverOf returns the cover that the log's first entry asks for.
func coverOf(open *audit.LogOpen) transcript.Cover {
	c := transcript.Cover{
		Title: open.Title, Organisation: open.Organisation, Place: open.Place, Purpose: open.Purpose, Mode: open.Mode,
	}
	for _, p := range open.Participants {
		c.Participants = append(c.Participants, transcript.Participant{ID: p.ID, Name: p.Name, Roles: p.Roles})
	}
	for _, s := range open.Plan {
		c.Steps = append(c.Steps, transcript.Step{ID: s.ID, Title: s.Title, Witnesses: []string{"witness"}})
	}
	return c
}

// input adds what a closed log would: digests, and signatures of the right
// size, whose making is not drawing.
func input(src transcript.Source, pages []transcript.Page) pdf.Input {
	signature := strings.Repeat("5a", ed25519.SignatureSize)
	note := []byte(benchOrigin + "\n1\n" + strings.Repeat("A", 43) + "=\n\n— log " + strings.Repeat("A", 91) + "=\n")
	in := pdf.Input{
		Pages: pages, Closing: transcript.ClosingPage(pages, note), Size: int64(len(src.Entries)),
		Head: src.Head, Origin: src.Origin, Mode: src.Cover.Mode, Checkpoint: note,
		Title: src.Cover.Title, Created: time.Unix(0, 0).UTC(),
	}
	for _, digest := range transcript.Digests(pages) {
		in.Sealed = append(in.Sealed, audit.Page{Digest: digest.String(), Signature: signature})
	}
	return in
}

// drawBare draws the pages' lines and a code of the same length on each.
func drawBare(src transcript.Source, pages []transcript.Page) error {
	doc := gofpdf.New("P", "mm", "A4", "")
	doc.SetFont("Courier", "", 8)
	payload := codePayload(src, len(pages))
	for _, p := range pages {
		doc.AddPage()
		for i, line := range strings.Split(string(p.Text()), "\n") {
			doc.Text(15, 10+float64(i)*4, line)
		}
		if err := drawCode(doc, payload); err != nil {
			return err
		}
	}
	return doc.Output(new(bytes.Buffer))
}

func codePayload(src transcript.Source, pages int) string {
	return transcript.QR(transcript.Code{
		Mode: src.Cover.Mode, Page: 1, Of: pages, Size: int64(len(src.Entries)), Head: src.Head,
	})
}

func drawCode(doc *gofpdf.Fpdf, payload string) error {
	modules, err := qr.Encode(payload)
	if err != nil {
		return err
	}
	for y, row := range modules {
		for x, dark := range row {
			if dark {
				doc.Rect(15+0.6*float64(x), 243+0.6*float64(y), 0.6, 0.6, "F")
			}
		}
	}
	return doc.Error()
}

// ceremonyEntries is a log of so many steps, each of which signs once. Hashes
// and times play no part in drawing.
func ceremonyEntries(steps int) []*audit.Entry {
	people := []audit.Participant{
		{ID: "admin", Name: "A. Administrator", Initials: "AA", Roles: []string{"ceremony-administrator"}},
		{ID: "witness", Name: "W. Witness", Initials: "WW", Roles: []string{"internal-witness"}},
	}
	open := &audit.LogOpen{
		Format: audit.FormatVersion, Origin: benchOrigin, Mode: "rehearsal", LogKey: "log+00000000+AA==",
		Title: "A ceremony to be measured", Organisation: "Example Trust", Place: "Room 1", Purpose: "measuring",
		Participants: people,
	}
	for i := range steps {
		open.Plan = append(open.Plan, audit.PlanStep{ID: fmt.Sprintf("step-%d", i), Kind: "sign-crl", Title: "Sign"})
	}
	var list entries
	list.add("", open)
	for i, plan := range open.Plan {
		list.step(plan, i+1, steps)
	}
	return list
}

type entries []*audit.Entry

func (l *entries) add(step string, d audit.Data) {
	at := time.Unix(int64(len(*l)), 0).UTC()
	*l = append(*l, &audit.Entry{Seq: int64(len(*l)), Time: at, Step: step, Data: d})
}

func (l *entries) step(plan audit.PlanStep, number, of int) {
	text := "The operator signs; the witnesses compare the digest on the screen with the one on paper."
	digest := hex.EncodeToString(make([]byte, audit.HashSize))
	l.add(plan.ID, &audit.StepBegin{StepKind: plan.Kind, Title: plan.Title, Number: number, Of: of, Attempt: 1, Actor: "admin", Witnesses: []string{"witness"}, Say: text, Watch: text})
	l.add(plan.ID, &audit.Ack{Person: "admin", As: "actor", What: "Go on?", Typed: "AA"})
	l.add(plan.ID, &audit.ToBeSigned{Object: "crl", For: "artifacts/a.crl", TBS: audit.File{Name: "artifacts/a.crl.tbs", SHA256: digest}, Key: "root", Mechanism: "CKM_ECDSA", Digest: "SHA-256", Input: digest, Lint: []string{}})
	tbs := (*l)[len(*l)-1].Seq
	for _, f := range []string{"C_SignInit", "C_Sign"} {
		l.add(plan.ID, &audit.HSMIntent{Function: f, Session: "1", Mechanism: "CKM_ECDSA", Object: "2", Data: digest, For: tbs})
		l.add(plan.ID, &audit.HSMOutcome{Intent: (*l)[len(*l)-1].Seq, Function: f, RV: "CKR_OK", Micros: 100, Signature: digest + digest})
	}
	l.add(plan.ID, &audit.Ack{Person: "witness", As: "witness", What: "I have seen this done", Typed: "WW"})
	l.add(plan.ID, &audit.StepEnd{Result: "done"})
}
