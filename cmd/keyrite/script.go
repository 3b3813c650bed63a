package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/keyrite/keyrite/ceremony"
	"github.com/keyrite/keyrite/internal/bundle"
	"github.com/keyrite/keyrite/internal/transcript"
	"github.com/keyrite/keyrite/steps"
	"github.com/keyrite/keyrite/templates"
)

func (p *program) newCommand() *cli.Command {
	return &cli.Command{
		Name:      "new",
		Usage:     "write a ceremony script from a template; alone, list the templates",
		ArgsUsage: "[TEMPLATE]",
		Description: "Example:\n   keyrite new                                   lists the templates\n" +
			"   keyrite new root-ca -o root-ca.yaml\n" +
			"   keyrite new root-ca --answers -o answers.yaml  answers for rehearsing it",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "write to `FILE`, which must not exist (default: standard output)"},
			&cli.BoolFlag{Name: "answers", Usage: "write the template's answers for a rehearsal instead"},
		},
		Action: func(c *cli.Context) error {
			list, err := args(c, 0, 1, "one template name, or none to list them")
			if err != nil {
				return err
			}
			if len(list) == 0 {
				return p.listTemplates()
			}
			ext := ".yaml"
			if c.Bool("answers") {
				ext = ".answers.yaml"
			}
			b, err := templates.Ceremonies.ReadFile("ceremonies/" + list[0] + ext)
			if err != nil {
				return usage("there is no template %q; 'keyrite new' lists them", list[0])
			}
			if !c.Bool("answers") {
				x, problems := ceremony.Expand(list[0]+ext, b, readPart)
				if x == nil {
					return p.refuse(list[0]+ext, problems)
				}
				b = x.Text
			}
			return p.output(c.String("output"), b)
		},
	}
}

func (p *program) listTemplates() error {
	files, err := fs.Glob(templates.Ceremonies, "ceremonies/*.yaml")
	if err != nil {
		return err
	}
	for _, f := range files {
		name := strings.TrimSuffix(filepath.Base(f), ".yaml")
		if strings.HasSuffix(name, ".answers") {
			continue
		}
		b, err := templates.Ceremonies.ReadFile(f)
		if err != nil {
			return err
		}
		fmt.Fprintf(p.out, "%-22s %s\n", name, firstComment(string(b)))
	}
	return p.listParts()
}

// listParts lists the shared parts that a script can include.
func (p *program) listParts() error {
	files, err := fs.Glob(templates.Parts, "parts/*.yaml")
	if err != nil {
		return err
	}
	fmt.Fprintln(p.out, "\nShared parts, for '- include: NAME' among a script's steps:")
	for _, f := range files {
		b, err := templates.Parts.ReadFile(f)
		if err != nil {
			return err
		}
		fmt.Fprintf(p.out, "%-22s %s\n", strings.TrimSuffix(filepath.Base(f), ".yaml"), firstComment(string(b)))
	}
	return nil
}

// firstComment is the first sentence of the comment at a template's head.
func firstComment(s string) string {
	var words []string
	for _, l := range strings.Split(s, "\n") {
		l, ok := strings.CutPrefix(l, "#")
		if !ok || strings.TrimSpace(l) == "" {
			break
		}
		words = append(words, strings.TrimSpace(l))
	}
	text := strings.Join(words, " ")
	if i := strings.Index(text, ". "); i >= 0 {
		text = text[:i]
	}
	return strings.TrimSuffix(text, ".")
}

// output writes to a new file, or to standard output if name is empty.
func (p *program) output(name string, b []byte) error {
	if name == "" || name == "-" {
		if _, err := p.out.Write(b); err != nil {
			return environment(err)
		}
		return nil
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return &exitError{exitUsage, fmt.Errorf("%s exists, and nothing is overwritten: give another name", name)}
	}
	if err != nil {
		return environment(err)
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return environment(fmt.Errorf("writing %s: %w", name, err))
	}
	fmt.Fprintf(p.err, "wrote %s\n", name)
	return nil
}

func (p *program) checkCommand() *cli.Command {
	return &cli.Command{
		Name:      "check",
		Usage:     "parse and check a script: all its problems at once",
		ArgsUsage: "FILE",
		Description: "Simulates the ceremony on a model of the world and reports what is impossible,\n" +
			"as file:line:col: field: what was expected.\n\nExample:\n   keyrite check root-ca.yaml\n" +
			"   keyrite check --explain root-ca.yaml           what it means, in plain language\n" +
			"   keyrite check --expand root-ca.yaml -o whole.yaml   with the shared parts that it includes written out",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "explain", Usage: "tell the ceremony in plain language: who does what, what is true after each step, who holds which secret, what auditors ask"},
			&cli.BoolFlag{Name: "expand", Usage: "write the script with the shared parts that it includes written out: what is approved, printed and run"},
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "with --expand: write to `FILE`, which must not exist (default: standard output)"},
			&cli.BoolFlag{Name: "schema", Usage: "print the JSON Schema of scripts, for editors, and do nothing else"},
		},
		Action: func(c *cli.Context) error {
			if c.Bool("schema") {
				b, err := ceremony.Schema(steps.Kinds())
				if err != nil {
					return err
				}
				return p.output("", b)
			}
			list, err := args(c, 1, 1, "one script file")
			if err != nil {
				return err
			}
			if c.String("output") != "" && !c.Bool("expand") {
				return usage("-o is for --expand")
			}
			s, x, err := p.readExpanded(list[0])
			if err != nil {
				return err
			}
			if c.Bool("expand") {
				return p.output(c.String("output"), x.Text)
			}
			if c.Bool("explain") {
				return p.output("", []byte(ceremony.Explain(s, steps.Kinds())))
			}
			fmt.Fprintf(p.out, "%s: sound. %d steps, %d people, %d tokens, %d keys.\n", list[0], len(s.Steps), len(s.Participants), len(s.Tokens), len(s.Keys))
			if n := len(x.Included); n > 0 {
				fmt.Fprintf(p.out, "It includes %s. Write them out before it is printed, approved and run: keyrite check --expand %s -o NEW\nSHA-256 of the script written out: %s\n",
					strings.Join(x.Included, ", "), list[0], ceremony.FileOf("", x.Text).SHA256)
				return nil
			}
			fmt.Fprintf(p.out, "SHA-256 %s\n", ceremony.FileOf("", x.Text).SHA256)
			return nil
		},
	}
}

// maxScript is the most bytes a script may have, and one more to notice.
const maxScript = 1<<20 + 1

// readScript reads and checks a script; its problems go to standard error.
func (p *program) readScript(file string) (*ceremony.Script, []byte, error) {
	b, err := readLimited(file, maxScript)
	if err != nil {
		return nil, nil, &exitError{exitUsage, err}
	}
	s, problems := checked(file, b)
	return s, b, p.refuse(file, problems)
}

// readExpanded is readScript for a script that may include shared parts: it is
// checked as it is written out.
func (p *program) readExpanded(file string) (*ceremony.Script, *ceremony.Expansion, error) {
	b, err := readLimited(file, maxScript)
	if err != nil {
		return nil, nil, &exitError{exitUsage, err}
	}
	x, problems := ceremony.Expand(file, b, readPart)
	if x == nil {
		return nil, nil, p.refuse(file, problems)
	}
	s, problems := checked(file, x.Text)
	for i := range problems {
		problems[i] = x.Place(problems[i])
	}
	return s, x, p.refuse(file, problems)
}

// readPart reads a shared part that keyrite brings along.
func readPart(name string) ([]byte, error) {
	b, err := templates.Parts.ReadFile("parts/" + name + ".yaml")
	if err != nil {
		return nil, fmt.Errorf("there is no shared part %q; 'keyrite new' lists them", name)
	}
	return b, nil
}

func checked(file string, b []byte) (*ceremony.Script, ceremony.Problems) {
	s, problems := ceremony.ParseAndCheck(file, b, steps.Kinds())
	if s != nil {
		problems = append(problems, s.Unprintable(printable)...)
	}
	return s, problems
}

// refuse shows the problems of a script and returns an error if there are any.
func (p *program) refuse(file string, problems ceremony.Problems) error {
	if len(problems) == 0 {
		return nil
	}
	for _, pr := range problems {
		fmt.Fprintln(p.err, pr)
	}
	return &exitError{exitUsage, fmt.Errorf("%s has %d problem(s); nothing was done", file, len(problems))}
}

// printable reports whether the transcript can print a character.
func printable(r rune) bool { return r == '\n' || transcript.Width(string(r)) > 0 }

// readLimited reads a file, at most limit bytes of it.
func readLimited(file string, limit int64) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(io.LimitReader(f, limit))
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("reading %s: %w", file, err)
	}
	return b, nil
}

// bundleArg is the folder of a bundle that must be there.
func bundleArg(c *cli.Context) (string, error) {
	list, err := args(c, 1, 1, "one bundle folder")
	if err != nil {
		return "", err
	}
	info, err := os.Stat(list[0])
	if err != nil {
		return "", &exitError{exitUsage, err}
	}
	if !info.IsDir() {
		return "", usage("%s is no folder; expected the folder that --out made", list[0])
	}
	if _, err := os.Stat(filepath.Join(list[0], bundle.DatabaseFile)); err != nil {
		return "", usage("%s holds no %s: it is no ceremony's folder", list[0], bundle.DatabaseFile)
	}
	return list[0], nil
}
