package apdu

// A Chain puts a command together that came in parts (ISO/IEC 7816-4,
// 5.1.1.1). The zero value is ready.
type Chain struct {
	begun bool
	parts Command
}

// Add takes the next command. If it is whole, or the last part of one, it
// returns the whole command and true; if more is to come, false: the card
// answers 9000 and waits. A part that does not continue what was begun ends the
// chain with an error; so does more than 65,535 bytes.
func (c *Chain) Add(cmd Command) (whole Command, done bool, err error) {
	last := cmd.CLA&classChained == 0
	cmd.CLA &^= classChained
	if !c.begun && last {
		return cmd, true, nil
	}
	if c.begun && (cmd.CLA != c.parts.CLA || cmd.INS != c.parts.INS || cmd.P1 != c.parts.P1 || cmd.P2 != c.parts.P2) ||
		len(c.parts.Data)+len(cmd.Data) >= MaxExtended {
		*c = Chain{}
		return Command{}, false, ChainingRefused
	}
	cmd.Data = append(c.parts.Data, cmd.Data...)
	if last {
		*c = Chain{}
		return cmd, true, nil
	}
	*c = Chain{begun: true, parts: cmd}
	return Command{}, false, nil
}

// Split cuts a command into parts of at most n bytes of data, all but the last
// marked as chained. A command that fits is returned alone.
func (c Command) Split(n int) []Command {
	var list []Command
	for len(c.Data) > n {
		part := c
		part.CLA |= classChained
		part.Data, part.Le, part.Extended = c.Data[:n:n], 0, false
		list, c.Data = append(list, part), c.Data[n:]
	}
	return append(list, c)
}
