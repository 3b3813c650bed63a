package machine

import (
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/keyrite/keyrite/audit"
)

// An Expectation is what a script says of the machine that its ceremony is held
// on. What it says nothing of is recorded and not compared.
type Expectation struct {
	Network string     `yaml:"network" enum:"none" desc:"none: no network interface but loopback is up; left out, the room decides about one that is"`
	Kernel  string     `yaml:"kernel" desc:"release of the kernel that was booted, as uname -r says it" line:"one"`
	Cmdline string     `yaml:"cmdline" desc:"what the kernel was booted with, as /proc/cmdline says it, whole"`
	Program string     `yaml:"program" desc:"SHA-256 of the program keyrite, in hex" line:"one"`
	Module  string     `yaml:"module" desc:"SHA-256 of the PKCS#11 module, in hex" line:"one"`
	Image   string     `yaml:"image" desc:"SHA-256 of the image that the machine was booted from, in hex; the step's image says which file or device it is" line:"one"`
	Buses   []string   `yaml:"buses" enum:"usb,pci,block" desc:"buses on which nothing may be that devices does not list"`
	Devices []Expected `yaml:"devices" desc:"devices that may be there, or must be"`
}

// An Expected device is one that may be on a bus. Each field that is given must
// be as the device says it.
type Expected struct {
	Bus      string `yaml:"bus,required" enum:"usb,pci,block" desc:"bus that it is on"`
	ID       string `yaml:"id" desc:"vendor and product of a USB or PCI device, four hex digits each: \"20a0:4230\"" line:"one"`
	Name     string `yaml:"name" desc:"what the device calls itself, as keyrite records it" line:"one"`
	Serial   string `yaml:"serial" desc:"its serial number, in quotes" line:"one"`
	Required bool   `yaml:"required" desc:"true: the device must be there"`
	Is       string `yaml:"is" desc:"what it is, for people" line:"one"`
}

var idForm = regexp.MustCompile(`^[0-9a-f]{4}:[0-9a-f]{4}$`)

// Problems reports what cannot be meant in an expectation, by field below it,
// items counted from 0.
func (x *Expectation) Problems(report func(field, what string)) {
	for _, h := range []struct{ field, value string }{{"program", x.Program}, {"module", x.Module}, {"image", x.Image}} {
		if b, err := hex.DecodeString(h.value); h.value != "" && (err != nil || len(b) != 32 || h.value != strings.ToLower(h.value)) {
			report(h.field, fmt.Sprintf("expected a SHA-256, 64 small hex digits, not %q", h.value))
		}
	}
	for i, bus := range x.Buses {
		if slices.Contains(x.Buses[:i], bus) {
			report(fmt.Sprintf("buses[%d]", i), fmt.Sprintf("%s is there twice", bus))
		}
	}
	for i := range x.Devices {
		d, field := &x.Devices[i], fmt.Sprintf("devices[%d]", i)
		switch {
		case d.Bus == Block && d.ID != "":
			report(field+".id", "a block device has no vendor and product: say its name or serial")
		case d.ID != "" && !idForm.MatchString(d.ID):
			report(field+".id", fmt.Sprintf("expected vendor:product, four small hex digits each such as 20a0:4230, not %q", d.ID))
		case d.ID == "" && d.Name == "" && d.Serial == "":
			report(field, "which device is it? expected id, name or serial")
		case !d.Required && !slices.Contains(x.Buses, d.Bus):
			report(field, fmt.Sprintf("says nothing: the device need not be there, and others may be, since buses does not name %s", d.Bus))
		}
	}
}

// Compare holds a machine against the expectation. It returns what was compared,
// and what differs: both are those of a machine-check entry. devices are those
// of each bus.
func (x *Expectation) Compare(env *audit.Environment, devices map[string][]audit.Device) (compared, differs []string) {
	compared, differs = []string{}, []string{}
	if x == nil {
		return compared, differs
	}
	if x.Network != "" {
		compared = append(compared, "network")
		for _, name := range Online(env.Interfaces) {
			differs = append(differs, fmt.Sprintf("network interface %s is up, expected none", name))
		}
	}
	image := ""
	if env.Image != nil {
		image = env.Image.SHA256
	}
	for _, f := range []struct{ name, want, got string }{
		{"kernel", x.Kernel, env.Release}, {"cmdline", clean(x.Cmdline, maxCmdline), env.Cmdline},
		{"program", x.Program, env.Program.SHA256}, {"module", x.Module, env.Module.SHA256}, {"image", x.Image, image},
	} {
		if f.want == "" {
			continue
		}
		compared = append(compared, f.name)
		if f.want != f.got {
			differs = append(differs, fmt.Sprintf("%s: %s, expected %s", f.name, quoted(f.got), quoted(f.want)))
		}
	}
	for _, bus := range Buses() {
		if list, strict := x.on(bus), slices.Contains(x.Buses, bus); strict || len(list) > 0 {
			compared = append(compared, bus)
			differs = append(differs, onBus(bus, strict, list, devices[bus])...)
		}
	}
	if n := len(differs) - maxDiffers; n > 0 {
		differs = append(differs[:maxDiffers], fmt.Sprintf("and %d more", n))
	}
	return compared, differs
}

// maxDiffers bounds the differences that are told one by one, so that an entry
// holds them.
const maxDiffers = 50

// on returns the devices that are expected on a bus.
func (x *Expectation) on(bus string) []Expected {
	var list []Expected
	for _, d := range x.Devices {
		if d.Bus == bus {
			list = append(list, d)
		}
	}
	return list
}

// onBus compares one bus. strict says that nothing else may be on it.
func onBus(bus string, strict bool, expected []Expected, there []audit.Device) []string {
	var differs []string
	found := make([]bool, len(expected))
	for _, d := range there {
		listed := false
		for i := range expected {
			if expected[i].is(d) {
				listed, found[i] = true, true
			}
		}
		if strict && !listed {
			differs = append(differs, fmt.Sprintf("%s device %s is not in the list", bus, Describe(d)))
		}
	}
	for i, d := range expected {
		if d.Required && !found[i] {
			differs = append(differs, fmt.Sprintf("%s device %s is missing", bus, d.describe()))
		}
	}
	return differs
}

func (e *Expected) is(d audit.Device) bool {
	return (e.ID == "" || e.ID == d.ID) && (e.Name == "" || e.Name == d.Name) && (e.Serial == "" || e.Serial == d.Serial)
}

func (e *Expected) describe() string {
	return joined(e.ID, e.Name, labelled("serial", e.Serial), labelled("that is,", e.Is))
}

// Describe says in one line which device it is.
func Describe(d audit.Device) string {
	class := ""
	if d.Class != "" {
		class = "(" + d.Class + ")"
	}
	return joined(d.At, d.ID, d.Name, labelled("serial", d.Serial), class)
}

func labelled(label, value string) string {
	if value == "" {
		return ""
	}
	return label + " " + value
}

func quoted(s string) string {
	if s == "" {
		return "not told"
	}
	return s
}
