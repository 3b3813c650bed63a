package main

import (
	"cmp"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/audit/sqlite"
	"github.com/keyrite/keyrite/internal/bundle"
	"github.com/keyrite/keyrite/internal/paper"
)

func (p *program) logCommand() *cli.Command {
	return &cli.Command{
		Name:      "log",
		Usage:     "read the log of a ceremony, also while it runs",
		ArgsUsage: "DIR",
		Description: "One line an entry: number, time, step, kind, and what it says. It reads and\n" +
			"checks nothing; 'keyrite verify' checks.\n\n" +
			"--proof N writes a file that shows entry N alone, provably of this log;\n" +
			"--consistency M one that shows that the log still begins with the M entries whose\n" +
			"head somebody noted. 'keyrite-verify proof' checks either without the bundle.\n\nExample:\n" +
			"   keyrite log ceremony-2026\n   keyrite log ceremony-2026 --json | jq .kind\n" +
			"   keyrite log ceremony-2026 --proof 12 -o entry-12.tlog-proof",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "json", Usage: "print the entries as they are, one a line"},
			&cli.StringFlag{Name: proofFlag, Usage: "prove that entry `N` is in the log"},
			&cli.StringFlag{Name: consistencyFlag, Usage: "prove that the log begins with its first `M` entries as they were"},
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "write the proof to `FILE`, which must not exist; else to standard output"},
		},
		Action: func(c *cli.Context) error {
			dir, err := bundleArg(c)
			if err != nil {
				return err
			}
			if c.IsSet(proofFlag) || c.IsSet(consistencyFlag) {
				return p.prove(c, dir)
			}
			if c.IsSet("output") {
				return usage("-o is for a proof: --proof N or --consistency M")
			}
			store, err := sqlite.OpenReader(filepath.Join(dir, bundle.DatabaseFile))
			if err != nil {
				return environment(err)
			}
			defer store.Close()
			line := readable
			if c.Bool("json") {
				line = func(encoded []byte) (string, error) { return string(encoded), nil }
			}
			return store.Entries(0, func(seq int64, encoded []byte) error {
				s, err := line(encoded)
				if err != nil {
					return &exitError{exitFailed, fmt.Errorf("entry %d: %w", seq, err)}
				}
				_, err = fmt.Fprintln(p.out, s)
				return err
			})
		},
	}
}

// readable is an entry in one line.
func readable(encoded []byte) (string, error) {
	if h, hidden := audit.ParseHidden(encoded); hidden {
		return fmt.Sprintf("%5d  (hidden; its hash is %s)", h.Seq, h.Hash), nil
	}
	e, err := audit.Parse(encoded)
	if err != nil {
		return "", err
	}
	step := e.Step
	if step == "" {
		step = "-"
	}
	return fmt.Sprintf("%5d  %s  %-16s %-14s %s", e.Seq, e.Time.Format(time.DateTime), step, e.Kind(), summary(e.Data)), nil
}

func (p *program) transcriptCommand() *cli.Command {
	return &cli.Command{
		Name:      "transcript",
		Usage:     "make the transcript of a closed ceremony again",
		ArgsUsage: "DIR",
		Description: "The PDF is the same, byte for byte, when made by the same version of keyrite.\n\nExample:\n" +
			"   keyrite transcript ceremony-2026 -o again.pdf && cmp again.pdf ceremony-2026/transcript.pdf",
		Flags: []cli.Flag{&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "write to `FILE`, which must not exist", Required: true}},
		Action: func(c *cli.Context) error {
			dir, err := bundleArg(c)
			if err != nil {
				return err
			}
			pdf, err := transcriptOf(dir)
			if err != nil {
				return &exitError{exitFailed, err}
			}
			return p.output(c.String("output"), pdf)
		},
	}
}

func transcriptOf(dir string) ([]byte, error) {
	store, err := sqlite.OpenReader(filepath.Join(dir, bundle.DatabaseFile))
	if err != nil {
		return nil, err
	}
	defer store.Close()
	var entries []*audit.Entry
	if err := store.Entries(0, func(seq int64, encoded []byte) error {
		if _, hidden := audit.ParseHidden(encoded); hidden {
			return fmt.Errorf("making the transcript: entry %d: %w", seq, audit.ErrHidden)
		}
		e, err := audit.Parse(encoded)
		if err != nil {
			return fmt.Errorf("entry %d: %w", seq, err)
		}
		entries = append(entries, e)
		return nil
	}); err != nil {
		return nil, err
	}
	checkpoint, err := store.Head()
	if err != nil {
		return nil, err
	}
	file := func(name string) ([]byte, error) {
		return readLimited(filepath.Join(dir, filepath.FromSlash(name)), 16<<20)
	}
	return paper.Paper{}.PDF(entries, checkpoint, file)
}

// summary says in a line what an entry records.
func summary(d audit.Data) string {
	switch d := d.(type) {
	case *audit.LogOpen:
		return fmt.Sprintf("%s, %s: %s", d.Mode, d.Title, d.Origin)
	case *audit.SegmentOpen:
		return fmt.Sprintf("segment %d after a %s", d.Segment, d.Reason)
	case *audit.SegmentAdopt:
		return fmt.Sprintf("head at %d entries adopted (%s)", d.Size, d.Seen)
	case *audit.KeyRead:
		return "log key read aloud, heard by " + strings.Join(d.People, ", ")
	case *audit.StepBegin:
		return fmt.Sprintf("step %d of %d: %s (attempt %d)", d.Number, d.Of, d.Title, d.Attempt)
	case *audit.StepEnd:
		return d.Result + reason(d.Reason)
	case *audit.Ack:
		return fmt.Sprintf("%s (%s): %s", d.Person, d.As, d.What)
	case *audit.Answer:
		return fmt.Sprintf("%s: %s → %s", d.Person, d.Question, d.Value)
	case *audit.Secret:
		part := ""
		if d.Part != "" {
			part = "part " + d.Part + " of "
		}
		if d.Token == "" {
			return fmt.Sprintf("%s entered the %s %s: %s", d.Person, d.Use, d.Secret, d.Result)
		}
		return fmt.Sprintf("%s entered %sthe %s %s of %s: %s", d.Person, part, d.Use, d.Secret, d.Token, d.Result)
	case *audit.Share:
		return fmt.Sprintf("%s has share %d of %d of the %s of %s (%d are enough), set %s", d.Person, d.Index, d.Shares, d.Secret, d.Token, d.Threshold, d.Set)
	case *audit.ShareCheck:
		return fmt.Sprintf("%s's share of the %s of %s: %s", d.Person, d.Secret, d.Token, d.Result)
	case *audit.ReadBack:
		return fmt.Sprintf("%s read back %s: the same: %t", d.Person, d.What, d.Match)
	case *audit.Problem:
		return d.What
	case *audit.Decision:
		return fmt.Sprintf("%s: %s → %s", d.Person, d.Question, d.Chosen)
	case *audit.Deviation:
		return fmt.Sprintf("expected %s; happened %s; decided %s", d.Expected, d.Happened, d.Decided)
	}
	if text := summaryBackup(d); text != "" {
		return text
	}
	return summaryMade(d)
}

func summaryBackup(d audit.Data) string {
	switch d := d.(type) {
	case *audit.DKEKShare:
		return fmt.Sprintf("%s has a share in %s, check value %s", d.Person, d.File.Name, d.Check)
	case *audit.DKEKImport:
		return fmt.Sprintf("%s has %d of %d shares, key check value %s", d.Token, d.Shares-d.Outstanding, d.Shares, cmp.Or(d.KeyCheck, "(not yet)"))
	case *audit.KeyWrap:
		return fmt.Sprintf("%s left %s for %s, SHA-256 %s", d.Key, d.Token, d.File.Name, d.File.SHA256)
	case *audit.KeyUnwrap:
		return fmt.Sprintf("%s on %s is a copy of %s", d.Key, d.Token, d.Of)
	case *audit.KeyCompare:
		return fmt.Sprintf("%s sign alike", strings.Join(d.Keys, " and "))
	}
	return ""
}

func summaryMade(d audit.Data) string {
	switch d := d.(type) {
	case *audit.HSMIntent:
		return strings.TrimSpace(d.Function+" "+d.Command) + " …"
	case *audit.HSMOutcome:
		return fmt.Sprintf("%s → %s (%d µs, intent %d)", d.Function, strings.TrimSpace(d.RV+" "+d.Status), d.Micros, d.Intent)
	case *audit.HSMUnknown:
		return fmt.Sprintf("call of entry %d: %s", d.Intent, d.Decided)
	case *audit.Result:
		return d.Name + ": " + d.Value
	case *audit.Token:
		return fmt.Sprintf("%s: serial %s, label %q", d.Name, d.Info.Serial, d.Info.Label)
	case *audit.Inventory:
		return fmt.Sprintf("%s: %d objects", d.Token, len(d.Objects))
	case *audit.Key:
		return fmt.Sprintf("%s: %s, SPKI SHA-256 %s", d.Name, d.Algorithm, d.SPKISHA256)
	case *audit.KeyOrigin:
		return strings.TrimSpace(fmt.Sprintf("%s: %s %s %s", d.Key, map[string]string{
			audit.OriginDevice: "made in the device", audit.OriginSimulated: "made in a SIMULATED device, which proves nothing:",
			audit.OriginMissing: "NO PROOF of where it was made:", audit.OriginNone: "no proof of where it was made:",
		}[d.Result], d.Device, d.Why))
	case *audit.ToBeSigned:
		return fmt.Sprintf("%s with key %s", d.For, d.Key)
	case *audit.Artifact:
		return fmt.Sprintf("%s, SHA-256 %s", d.File.Name, d.File.SHA256)
	case *audit.WitnessKeyRead:
		return fmt.Sprintf("%s witnesses with %s (%s)", d.Person, d.Key, d.How)
	case *audit.Cosigned:
		return fmt.Sprintf("%s cosigned the checkpoint of %d entries%s", d.Person, d.Size, exposed(d.Exposed))
	case *audit.WitnessKeyExposed:
		return fmt.Sprintf("%s unlocked %s on this machine for a %s: exposed to the machine", d.Person, d.File, d.For)
	case *audit.Freshness:
		return fmt.Sprintf("%s: %s (public since %s)", d.Source, d.Value, d.Claimed)
	case *audit.Verdict:
		if d.Missing {
			return d.Person + " gave no verdict" + reason(d.Because)
		}
		return fmt.Sprintf("%s agrees: %t%s%s", d.Person, d.Agree, reason(d.Because), exposed(d.Exposed))
	case *audit.Attendance:
		return fmt.Sprintf("%s present: %t", d.Name, d.Present)
	case *audit.Clock:
		return fmt.Sprintf("machine %s, room %s", d.Machine, d.Room)
	case *audit.Pause:
		return d.Reason
	case *audit.Abort:
		return d.Reason
	case *audit.Transcript:
		return fmt.Sprintf("pages %d–%d of %d", d.First, d.First+len(d.Pages)-1, d.Of)
	case *audit.Close:
		return fmt.Sprintf("%s, %d entries", d.Result, d.Size)
	}
	return summaryActs(d)
}

// summaryActs is summary for the machine, and for what people read and took.
func summaryActs(d audit.Data) string {
	switch d := d.(type) {
	case *audit.Environment:
		return fmt.Sprintf("keyrite %s, module %s, %s (self-reported)", d.Program.Version, d.Module.Name, d.Kernel)
	case *audit.Devices:
		return fmt.Sprintf("%s: %d of %d devices", d.Bus, len(d.List), d.Of)
	case *audit.MachineCheck:
		if len(d.Differs) == 0 {
			return "as the script says: " + strings.Join(d.Compared, ", ")
		}
		return "not as the script says: " + strings.Join(d.Differs, "; ")
	case *audit.Drift:
		return fmt.Sprintf("%d ms between entries %d and %d, %d jumps of the machine's clock", d.DriftMS, d.First, d.Last, d.Jumps)
	case *audit.TypedBack:
		return fmt.Sprintf("%s read, %s typed back: %s = %s", d.Reader, d.Person, d.What, d.Value)
	case *audit.Custody:
		return fmt.Sprintf("%s takes %s, bag %s, to %s", d.Person, d.Item, d.Bag, d.Place)
	case *audit.Evidence:
		return fmt.Sprintf("%s %s at %s by %s: %s", d.Form, d.ID, d.TimeCode, d.Person, d.Shows)
	}
	return summaryRoom(d)
}

func exposed(is bool) string {
	if is {
		return ", with a key exposed to the machine"
	}
	return ""
}

func reason(s string) string {
	if s == "" {
		return ""
	}
	return ": " + s
}
