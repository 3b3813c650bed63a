package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/ceremony"
	"github.com/keyrite/keyrite/internal/printer"
	"github.com/keyrite/keyrite/internal/room"
	"github.com/keyrite/keyrite/internal/strictyaml"
)

// placeFile is the name under which a place file is found beside a script.
const placeFile = "place.yaml"

// maxPlace is the most bytes a place file may have, and one more to notice.
const maxPlace = 1<<16 + 1

// A place is what belongs to the place of a ceremony and not to the ceremony:
// docs/place.md. It is no part of the script's hash; it can hold no secret and
// change no step, because it has no field for that.
type place struct {
	Format int    `yaml:"keyrite-place,required" desc:"version of the format of place files: 1"`
	Name   string `yaml:"name" desc:"what the room calls this machine" line:"one"`
	Module string `yaml:"module" desc:"the PKCS#11 module, as --module gives it" line:"one"`
	Media  string `yaml:"media" desc:"the folder for files that are brought and taken away, as --media gives it" line:"one"`
	Image  string `yaml:"image" desc:"file or block device with the image that this machine was booted from" line:"one"`
	Screen string `yaml:"screen" enum:"full,plain" desc:"plain: line by line, as --plain"`

	Printer  string `yaml:"printer" desc:"the raw character device of the printer for slips, as /dev/usb/lp0" line:"one"`
	Language string `yaml:"printer_language" enum:"postscript,escpos" desc:"what the printer takes: postscript, or escpos as receipt printers do"`
}

var placeFlag = &cli.StringFlag{Name: "place", Usage: "what belongs to this machine and not to the ceremony, in `FILE` (default: place.yaml beside the script, if there is one)"}

// readPlace reads a place file, problems as file:line:col: field: what.
func (p *program) readPlace(file string) (*place, []byte, error) {
	b, err := readLimited(file, maxPlace)
	if err != nil {
		return nil, nil, &exitError{exitUsage, err}
	}
	doc, problems := strictyaml.Parse(file, b)
	pl := new(place)
	problems = append(problems, doc.Decode(pl)...).Sort()
	if len(problems) == 0 {
		if len(b) == maxPlace {
			problems = append(problems, doc.Problem("", "the file is too long for a place file"))
		}
		if pl.Format != 1 {
			problems = append(problems, doc.Problem("keyrite-place", "expected 1, the version of the format that this program reads"))
		}
		for _, f := range []struct {
			field, path string
			folder      bool
		}{{"module", pl.Module, false}, {"media", pl.Media, true}, {"image", pl.Image, false}} {
			if what := missingHere(f.path, f.folder); what != "" {
				problems = append(problems, doc.Problem(f.field, what))
			}
		}
		if field, what := pl.printerProblem(); what != "" {
			problems = append(problems, doc.Problem(field, what))
		}
	}
	return pl, b, p.refuse(file, problems)
}

// printerProblem says what is wrong with the printer, "" for nothing. The device is
// opened for a moment.
func (pl *place) printerProblem() (field, what string) {
	switch {
	case pl.Printer == "" && pl.Language == "":
		return "", ""
	case pl.Printer == "":
		return "printer_language", "there is no printer that takes it: write printer"
	case pl.Language == "":
		return "printer", "what the printer takes is missing: write printer_language: postscript or escpos"
	}
	if _, err := printer.New(pl.Printer, pl.Language); err != nil {
		return "printer", err.Error()
	}
	return "", ""
}

// missingHere says what is wrong with a path of this machine, "" for nothing.
func missingHere(path string, folder bool) string {
	info, err := os.Stat(path)
	switch {
	case path == "":
		return ""
	case !filepath.IsAbs(path):
		return fmt.Sprintf("expected a path from the root of the file system, not %q", path)
	case folder && (err != nil || !info.IsDir()):
		return fmt.Sprintf("there is no folder %q on this machine", path)
	case !folder && (err != nil || info.IsDir()):
		return fmt.Sprintf("there is no file %q on this machine", path)
	}
	return ""
}

// at takes what the place file says: named with --place, or beside the script.
// What the command line says counts more. The log says what counts.
func (r *running) at(named, beside string) error {
	file := named
	if file == "" && beside != "" {
		file = filepath.Join(filepath.Dir(beside), placeFile)
		if _, err := os.Stat(file); err != nil {
			return nil
		}
	}
	if file == "" {
		return nil
	}
	pl, b, err := r.p.readPlace(file)
	if err != nil {
		return err
	}
	r.placed = true
	d := &audit.Place{File: ceremony.FileOf(filepath.Base(file), b), Settings: []audit.Result{}}
	say := func(name, value string) {
		if value != "" {
			d.Settings = append(d.Settings, audit.Result{Name: name, Value: value})
		}
	}
	say("name", pl.Name)
	if r.thrownAway {
		say("module, not used in a rehearsal", pl.Module)
	} else {
		say(take("module", &r.module, pl.Module))
	}
	say(take("media", &r.media, pl.Media))
	say("image", pl.Image)
	r.image = pl.Image
	say("screen", pl.Screen)
	say("printer", pl.Printer)
	say("printer language", pl.Language)
	r.printer, r.language = pl.Printer, pl.Language
	r.plain = r.plain || pl.Screen == "plain"
	r.first = append(r.first, d)
	return nil
}

// fromCommand follows the name of a setting for which the command line had
// another value than the place file.
const fromCommand = ", from the command line"

// take sets a value that the command line left out to that of the place file,
// and returns what the log says of it: the value that counts.
func take(name string, value *string, of string) (says, counts string) {
	switch {
	case of == "":
		return name, ""
	case *value != "" && *value != of:
		return name + fromCommand, *value
	}
	*value = of
	return name, of
}

// recordedPlace sets what the command line of a resume left out from what the
// log says of the place.
func (r *running) recordedPlace(d *audit.Place) {
	if d == nil {
		return
	}
	for _, s := range d.Settings {
		switch name := strings.TrimSuffix(s.Name, fromCommand); {
		case name == "module" && r.module == "":
			r.module = s.Value
		case name == "media" && r.media == "":
			r.media = s.Value
		case name == "image" && r.image == "":
			r.image = s.Value
		case s.Name == "screen":
			r.plain = r.plain || s.Value == "plain"
		case s.Name == "printer" && !r.placed:
			r.printer = s.Value
		case s.Name == "printer language" && !r.placed:
			r.language = s.Value
		}
	}
}

// slips opens the printer that shares are printed on, nil if the script prints none
// or people answer from a file: nobody takes a slip then. A ceremony whose script
// prints them does not begin without one.
func (r *running) slips(rm room.Room) (ceremony.Printer, error) {
	field := r.script.PrintsSlips()
	switch {
	case field == "" || r.answers != "":
		return nil, nil
	case r.printer == "" && r.mode == ceremony.Rehearsal:
		return nil, nil
	case r.printer == "":
		return nil, usage("the script prints shares (%s: slip), and no printer is known: name its device in a place file, printer and printer_language (docs/place.md)", field)
	}
	p, err := printer.New(r.printer, r.language)
	if err != nil {
		return nil, environment(err)
	}
	if note := p.Note(); note != "" {
		rm.Show(room.Warning{Text: "THE PRINTER MAY KEEP WHAT IS PRINTED: " + p.Name() + ": " + note + "."})
	}
	return p, nil
}
