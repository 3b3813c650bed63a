package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/urfave/cli/v2"
	"golang.org/x/term"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/ceremony"
	"github.com/keyrite/keyrite/internal/room"
	"github.com/keyrite/keyrite/internal/room/answers"
	"github.com/keyrite/keyrite/internal/room/plain"
	"github.com/keyrite/keyrite/internal/room/screen"
	"github.com/keyrite/keyrite/internal/token/softhsm"
)

func (p *program) rehearseCommand() *cli.Command {
	return &cli.Command{
		Name:      "rehearse",
		Usage:     "run a script on a throw-away token; everything made is marked REHEARSAL",
		ArgsUsage: "FILE",
		Description: "The same runner as 'keyrite run', on a token that is made for it and removed at\n" +
			"the end: SoftHSM2, or a simulated Nitrokey HSM under the real pcscd and OpenSC.\n" +
			"PINs keep to the rules of the script's token model.\n\n" +
			"With --token spare it is a real device of the script's model that is in the\n" +
			"reader, and is written to: after two questions, and never the ceremony's own.\n\n" +
			"With --drill one fault is made that the room does not know of. The log commits to\n" +
			"it at its beginning and tells it before it is closed, with what the room recorded.\n\nExample:\n" +
			"   keyrite rehearse root-ca.yaml --out trial\n" +
			"   keyrite new root-ca --answers -o answers.yaml\n" +
			"   keyrite rehearse root-ca.yaml --out trial-2 --answers answers.yaml\n" +
			"   keyrite rehearse root-ca.yaml --out trial-3 --token spare\n" +
			"   keyrite rehearse root-ca.yaml --out trial-4 --token nitrokey-sim --drill random",
		Flags: []cli.Flag{outFlag, mediaFlag, approvalFlag, placeFlag, plainFlag,
			&cli.StringFlag{Name: "answers", Usage: "answer the prompts from `FILE` instead of at the terminal"},
			&cli.StringFlag{Name: "token", Usage: "`KIND` of token: softhsm2 or nitrokey-sim, made for it and thrown away, or spare", Value: kindSoftHSM},
			&cli.StringFlag{Name: "module", Usage: "with --token spare: PKCS#11 module `SO` (default: the one of the script's token model)"},
			&cli.StringFlag{Name: "drill", Usage: "make the fault `NAME`, which the room is not told: " + strings.Join(drills, ", ") + ", or random for one of them"},
			&cli.BoolFlag{Name: "realistic", Usage: "nitrokey-sim takes as long as the real one: 0.6 s for an EC key, 10 s for RSA 2048, minutes for RSA 4096"},
		},
		Action: func(c *cli.Context) error {
			list, err := args(c, 1, 1, "one script file")
			if err != nil {
				return err
			}
			kind := c.String("token")
			if kind != kindSoftHSM && kind != kindSim && kind != kindSpare {
				return usage("there is no token of kind %q for a rehearsal; expected %s, %s or %s", kind, kindSoftHSM, kindSim, kindSpare)
			}
			if c.String("module") != "" && kind != kindSpare {
				return usage("--module is for --token %s: a throw-away token has a module of its own", kindSpare)
			}
			if c.Bool("realistic") && kind != kindSim {
				return usage("--realistic is for --token %s", kindSim)
			}
			s, b, err := p.readScript(list[0])
			if err != nil {
				return err
			}
			given, err := p.given(s, b, list[0], c.StringSlice("approval"))
			if err != nil {
				return err
			}
			r := &running{
				p: p, script: s, bytes: b, dir: c.String("out"), media: c.String("media"), mode: ceremony.Rehearsal,
				answers: c.String("answers"), realistic: c.Bool("realistic"), given: given, plain: c.Bool("plain"),
				module: c.String("module"), thrownAway: kind != kindSpare,
			}
			if err := r.at(c.String("place"), list[0]); err != nil {
				return err
			}
			if r.media == "" {
				r.media = filepath.Dir(list[0])
			}
			if r.drill, err = r.newDrill(kind, c.String("drill")); err != nil {
				return err
			}
			return r.rehearse(kind)
		},
	}
}

// tokenDir is where the throw-away token of a rehearsal lives while it runs.
func (r *running) tokenDir() string { return filepath.Clean(r.dir) + ".token" }

// rehearse makes throw-away tokens of a kind and runs the script on them.
func (r *running) rehearse(kind string) error {
	if _, err := os.Lstat(r.dir); err == nil {
		return exists(r.dir)
	}
	if _, err := os.Stat(filepath.Dir(r.dir)); err != nil {
		return environment(fmt.Errorf("making the bundle's folder: %w", err))
	}
	if _, err := os.Lstat(r.tokenDir()); err == nil {
		return usage("%s exists, left by an earlier rehearsal whose bundle is gone: remove that folder, or give --out another one", r.tokenDir())
	}
	switch kind {
	case kindSim:
		return r.rehearseOnCards()
	case kindSpare:
		return r.rehearseOnSpare()
	}
	conf, err := softhsm.Provision(r.tokenDir())
	if err != nil {
		return environment(err)
	}
	if err := r.use(conf); err != nil {
		return err
	}
	if err := r.prepare(); err != nil {
		return r.thenRemove(environment(err))
	}
	if err := r.drill.prepare(r); err != nil {
		return r.thenRemove(environment(err))
	}
	return r.thenRemove(r.fresh())
}

// rehearseOnCards is rehearse on simulated cards.
func (r *running) rehearseOnCards() error {
	labels, err := r.makeCards()
	if err != nil {
		return err
	}
	r.say(labels)
	if err := r.drill.prepare(r); err != nil {
		return r.thenRemove(environment(err))
	}
	return r.thenRemove(r.withCards(r.fresh))
}

// prepare brings those throw-away tokens into use that the script does not
// initialise: they stand in for tokens of an earlier ceremony. That is done
// before the log begins, which says so.
func (r *running) prepare() error {
	var labels []string
	world := ceremony.NewWorld(r.script)
	for _, t := range r.script.Tokens {
		if !world.Tokens[t.Name].ComesBlank() {
			labels = append(labels, t.Label)
		}
	}
	if len(labels) == 0 {
		return nil
	}
	r.say(labels)
	return softhsm.Prepare(labels)
}

// say tells the room and the log what was done to throw-away tokens beforehand.
func (r *running) say(labels []string) {
	if len(labels) == 0 {
		return
	}
	fmt.Fprintf(r.p.err, "REHEARSAL: %s\nIts PINs in this rehearsal are those of the maker's manual: SO-PIN %s, user PIN %s.\n",
		preparation(labels), softhsm.StandInSOPIN, softhsm.StandInUserPIN)
	r.first = append(r.first, &audit.Result{Name: "REHEARSAL preparation", Value: preparation(labels)})
}

// preparation says what was done to throw-away tokens.
func preparation(labels []string) string {
	return fmt.Sprintf("before this log began, a throw-away token was initialised and got PINs that everybody knows, to stand in for the token in use with the label %q; nothing that it holds may be trusted", strings.Join(labels, `", "`))
}

// use points SoftHSM2 to the throw-away token.
func (r *running) use(conf string) error {
	r.stand = "softhsm2"
	if err := os.Setenv(softhsm.ConfigEnv, conf); err != nil {
		return environment(err)
	}
	return nil
}

// standIn finds the throw-away token of a rehearsal that is resumed. A script
// for production that was only rehearsed never goes on with the real token.
func (r *running) standIn() error {
	if r.mode != ceremony.Rehearsal {
		return nil
	}
	conf := filepath.Join(r.tokenDir(), "softhsm2.conf")
	_, soft := os.Stat(conf)
	_, card := os.Stat(r.cardFile(0))
	if _, err := os.Stat(r.spareFile()); err == nil {
		return r.spareAgain()
	}
	var err error
	if r.drill, err = r.drillAgain(); err != nil {
		return environment(err)
	}
	there := soft == nil || card == nil
	switch {
	case there && r.module != "":
		return usage("this rehearsal has a throw-away token of its own, in %s: leave --module out", r.tokenDir())
	case !there && r.script.Mode == ceremony.Production:
		return environment(fmt.Errorf("the throw-away token of this rehearsal is gone (%s): it cannot go on, and the ceremony's own token is not for rehearsals", r.tokenDir()))
	case !there:
		return nil // a script for rehearsals, run on a token of its own model
	case card == nil:
		r.stand, r.cards = cardModel, true
		return nil
	}
	abs, err := filepath.Abs(conf)
	if err != nil {
		return environment(err)
	}
	return r.use(abs)
}

// thenRemove removes the throw-away token unless the rehearsal can go on.
func (r *running) thenRemove(err error) error {
	var code *exitError
	_, none := os.Lstat(r.dir)
	if err != nil && none == nil && (!errors.As(err, &code) || code.code == exitPaused || code.code == exitEnvironment) {
		return err
	}
	if rerr := os.RemoveAll(r.tokenDir()); rerr != nil && err == nil {
		return environment(fmt.Errorf("removing the throw-away token: %w", rerr))
	}
	return err
}

// room opens the terminal, or the file with answers. leave can be called more
// than once.
func (r *running) room() (rm room.Room, leave func(), err error) {
	color := colors(os.Stderr)
	if r.answers != "" {
		a, err := answers.Load(r.answers)
		if err != nil {
			return nil, nil, &exitError{exitUsage, err}
		}
		return answers.New(plain.NewScreen(r.p.err, color, 0), a), func() {}, nil
	}
	if !isTerminal(r.p.in) {
		return nil, nil, usage("standard input is no terminal: PINs are only typed at one (a rehearsal can take --answers FILE)")
	}
	var open interface {
		room.Room
		Close() error
	}
	if out, ok := r.p.err.(*os.File); ok && !r.plain && fullScreen(out) {
		open, err = screen.New(screen.Options{In: r.p.in, Out: out, Color: color, Now: r.drill.now})
	} else {
		open, err = plain.New(plain.Options{In: r.p.in, Out: r.p.err, Color: color})
	}
	if err != nil {
		return nil, nil, environment(err)
	}
	return open, sync.OnceFunc(func() {
		if err := open.Close(); err != nil {
			fmt.Fprintln(r.p.err, "keyrite: leaving the terminal:", err)
		}
	}), nil
}

// fullScreen reports whether f is a terminal that a page can be drawn on: one
// that moves its cursor, shows the characters of a page and says how large it
// is. A serial line does not say; there, and on a dumb terminal, the ceremony
// goes line by line.
func fullScreen(f *os.File) bool {
	switch os.Getenv("TERM") {
	case "", "dumb", "unknown":
		return false
	}
	w, h, err := term.GetSize(int(f.Fd()))
	return err == nil && w >= screen.LeastWidth && h >= screen.LeastHeight && unicodeLocale()
}

// unicodeLocale reports whether the locale does not say that the terminal takes
// something else than UTF-8.
func unicodeLocale() bool {
	name := cmp.Or(os.Getenv("LC_ALL"), os.Getenv("LC_CTYPE"), os.Getenv("LANG"))
	_, charset, said := strings.Cut(name, ".")
	charset, _, _ = strings.Cut(charset, "@")
	charset = strings.ToUpper(strings.ReplaceAll(charset, "-", ""))
	return name != "C" && name != "POSIX" && (!said || charset == "UTF8")
}

// colors reports whether f is a terminal whose user did not refuse colour.
func colors(f *os.File) bool {
	return os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && isTerminal(f)
}

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }
