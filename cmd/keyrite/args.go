package main

import (
	"strings"

	"github.com/urfave/cli/v2"
)

// orderArgs puts a command's flags before its arguments, because urfave/cli
// stops at the first argument and would take the flags behind it for
// arguments. What stands behind "--" stays an argument. An argument that begins
// with "-" and is no flag of the command is refused.
func orderArgs(app *cli.App, args []string) ([]string, error) {
	if len(args) < 2 || strings.HasPrefix(args[1], "-") {
		return args, nil
	}
	cmd := app.Command(args[1])
	if cmd == nil {
		return args, nil
	}
	var flags, rest []string
	for i := 2; i < len(args); i++ {
		a := args[i]
		switch {
		case a == "--":
			rest = append(rest, args[i+1:]...)
			i = len(args)
		case !strings.HasPrefix(a, "-") || a == "-":
			rest = append(rest, a)
		default:
			known, takesValue := flagOf(cmd, a)
			if known && isHelp(a) { // beside an argument it would ask for another topic
				return []string{args[0], args[1], "--help"}, nil
			}
			if !known {
				return nil, usage("%s has no flag %s; 'keyrite %s --help' lists them", cmd.Name, a, cmd.Name)
			}
			flags = append(flags, a)
			if takesValue && !strings.Contains(a, "=") {
				if i+1 >= len(args) {
					return nil, usage("flag %s needs a value", a)
				}
				i++
				flags = append(flags, args[i])
			}
		}
	}
	ordered := append([]string{args[0], args[1]}, flags...)
	if len(rest) > 0 {
		ordered = append(append(ordered, "--"), rest...)
	}
	return ordered, nil
}

// flagOf reports whether a is a flag of cmd and whether it takes a value.
func flagOf(cmd *cli.Command, a string) (known, takesValue bool) {
	if isHelp(a) {
		return true, false
	}
	name, _, _ := strings.Cut(strings.TrimLeft(a, "-"), "=")
	for _, f := range cmd.Flags {
		for _, n := range f.Names() {
			if n == name {
				d, ok := f.(cli.DocGenerationFlag)
				return true, ok && d.TakesValue()
			}
		}
	}
	return false, false
}

func isHelp(a string) bool { return a == "--help" || a == "-help" || a == "-h" || a == "--h" }

// args checks the number of arguments of a command.
func args(c *cli.Context, least, most int, what string) ([]string, error) {
	list := c.Args().Slice()
	if len(list) < least || len(list) > most {
		return nil, usage("keyrite %s needs %s; 'keyrite %s --help' shows an example", c.Command.Name, what, c.Command.Name)
	}
	return list, nil
}
