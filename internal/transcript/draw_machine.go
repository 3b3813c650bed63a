package transcript

import (
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/keyrite/keyrite/audit"
)

func drawEnvironment(t *teller, d *audit.Environment) {
	// An entry without a kernel's release is of a keyrite that wrote less, and is
	// drawn as it was then: its pages' digests stand in its log.
	deep := d.Release != ""
	if deep {
		t.say("What the machine says of itself. SELF-REPORTED: a changed machine could lie, and show any hash. What counts is the same hash taken from outside and typed back.")
	} else {
		t.say("What the machine says of itself:")
	}
	t.program(d.Program)
	if deep {
		t.words(d.Program.SHA256)
	}
	t.file("PKCS#11", d.Module)
	if deep {
		t.words(d.Module.SHA256)
	}
	if d.Image != nil {
		t.file("image", *d.Image)
		t.words(d.Image.SHA256)
	}
	t.fact("kernel", d.Kernel)
	t.some("booted", d.Release)
	t.some("booted with", d.Cmdline)
	t.fact("host", d.Host)
	var up, down []string
	for _, i := range d.Interfaces {
		if i.Up {
			up = append(up, interfaceText(i))
		} else {
			down = append(down, interfaceText(i))
		}
	}
	t.fact("network up", orNone(up))
	t.fact("network down", orNone(down))
	t.fact("memory", fmt.Sprintf("core limit %s, dumpable %s, locked %s, swap in use %s",
		d.CoreLimit, yesNo(d.Dumpable), yesNo(d.Locked), yesNo(d.Swap)))
}

// words sets the PGP words of a hash that stands above them in hex.
func (t *teller) words(sum string) {
	if b, err := hex.DecodeString(sum); err == nil {
		t.fact("in words", strings.Join(audit.Words(b), " "))
	}
}

func interfaceText(i audit.Interface) string {
	text := i.Name
	if i.State != "" {
		text += ", link " + i.State
	}
	if i.Address != "" {
		text += ", " + i.Address
	}
	if text == i.Name {
		return text
	}
	return i.Name + " (" + strings.TrimPrefix(text, i.Name+", ") + ")"
}

func drawDevices(t *teller, d *audit.Devices) {
	if len(d.List) == 0 {
		t.say("The machine says that it has no %s device.", d.Bus)
		return
	}
	last := d.First + len(d.List) - 1
	if d.First == 1 && last == d.Of {
		t.say("The machine says that it has %s on %s (self-reported).", plural(d.Of, "device"), d.Bus)
	} else {
		t.say("Devices %d to %d of %d on %s, as the machine says (self-reported).", d.First, last, d.Of, d.Bus)
	}
	for _, x := range d.List {
		t.fact(x.At, deviceText(x))
	}
}

func deviceText(d audit.Device) string {
	var parts []string
	for _, p := range []struct{ label, value string }{{"", d.ID}, {"", d.Name}, {"serial ", d.Serial}, {"class ", d.Class}} {
		if p.value != "" {
			parts = append(parts, p.label+p.value)
		}
	}
	if d.Size > 0 {
		parts = append(parts, fmt.Sprintf("%d bytes", d.Size))
	}
	if d.Removable {
		parts = append(parts, "removable")
	}
	return strings.Join(parts, ", ")
}

func drawMachineCheck(t *teller, d *audit.MachineCheck) {
	if len(d.Differs) == 0 {
		t.say("The machine is as the script says.")
		t.fact("compared", orNone(d.Compared))
		return
	}
	if d.Stops {
		t.alarm("THE MACHINE IS NOT AS THE SCRIPT SAYS: the step stops.")
	} else {
		t.alarm("THE MACHINE IS NOT AS THE SCRIPT SAYS. This is a rehearsal, which may be held on any machine: it goes on.")
	}
	t.fact("compared", orNone(d.Compared))
	t.listing("differs", d.Differs)
}

func drawDrift(t *teller, d *audit.Drift) {
	draw := t.say
	if d.DriftMS > d.LimitMS || d.DriftMS < -d.LimitMS || d.Jumps > 0 {
		draw = t.alarm
	}
	draw("Between entry %d and entry %d the machine's clock and the second one drifted apart by %d ms; the script allows %d ms.", d.First, d.Last, d.DriftMS, d.LimitMS)
	if d.Jumps == 0 {
		t.fact("clock jumps", "none in the log between the two")
	} else {
		t.fact("clock jumps", fmt.Sprintf("%d, by %d ms in sum", d.Jumps, d.JumpsMS))
	}
}
