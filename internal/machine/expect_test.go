package machine

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/keyrite/keyrite/audit"
)

const aHash = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

// seen is the machine of tree.
func seen(t *testing.T) (*audit.Environment, map[string][]audit.Device) {
	t.Helper()
	env := &audit.Environment{Program: audit.Program{SHA256: aHash}, Module: audit.File{SHA256: aHash}, Image: &audit.File{SHA256: aHash}}
	var err error
	if env.Interfaces, err = Interfaces(tree()); err != nil {
		t.Fatal(err)
	}
	env.Release, env.Cmdline = Boot(tree())
	devices := map[string][]audit.Device{}
	for _, bus := range Buses() {
		if devices[bus], err = Devices(tree(), bus); err != nil {
			t.Fatal(err)
		}
	}
	return env, devices
}

// whole is an expectation that the machine of tree meets in everything.
func whole() *Expectation {
	return &Expectation{
		Network: "none", Kernel: "6.1.0-42-amd64", Cmdline: "ro quiet\n", Program: aHash, Module: aHash, Image: aHash, Buses: []string{USB, Block},
		Devices: []Expected{
			{Bus: USB, ID: "1d6b:0002"}, {Bus: USB, ID: "20a0:4230", Serial: "DENK0000001", Required: true, Is: "the token"},
			{Bus: Block, Name: "ATA Example Disk"}, {Bus: Block, Name: "Stick"}, {Bus: Block, Name: "Floppy", Serial: "1"}, {Bus: PCI, ID: "1af4:1041", Required: true},
		},
	}
}

func TestCompare(t *testing.T) {
	env, devices := seen(t)
	devices[Block] = devices[Block][:2] // without the empty drive, which has no name
	compared, differs := whole().Compare(env, devices)
	if !slices.Equal(compared, []string{"network", "kernel", "cmdline", "program", "module", "image", "usb", "pci", "block"}) || len(differs) > 0 {
		t.Errorf("compared %v, differs %q", compared, differs)
	}
	if compared, differs := (*Expectation)(nil).Compare(env, devices); len(compared)+len(differs) > 0 {
		t.Errorf("nothing expected: %v %v", compared, differs)
	}
	for name, c := range map[string]struct {
		change func(x *Expectation, env *audit.Environment, devices map[string][]audit.Device)
		want   string
	}{
		"a network":         {func(_ *Expectation, e *audit.Environment, _ map[string][]audit.Device) { e.Interfaces[0].Up = true }, "network interface eth0 is up, expected none"},
		"another kernel":    {func(x *Expectation, _ *audit.Environment, _ map[string][]audit.Device) { x.Kernel = "6.1.0-43-amd64" }, "kernel: 6.1.0-42-amd64, expected 6.1.0-43-amd64"},
		"other parameters":  {func(_ *Expectation, e *audit.Environment, _ map[string][]audit.Device) { e.Cmdline += " init=/bin/sh" }, "cmdline: ro quiet init=/bin/sh, expected ro quiet"},
		"a changed program": {func(_ *Expectation, e *audit.Environment, _ map[string][]audit.Device) { e.Program.SHA256 = "00" }, "program: 00, expected " + aHash},
		"a changed module":  {func(_ *Expectation, e *audit.Environment, _ map[string][]audit.Device) { e.Module.SHA256 = "00" }, "module: 00, expected"},
		"no image":          {func(_ *Expectation, e *audit.Environment, _ map[string][]audit.Device) { e.Image = nil }, "image: not told, expected"},
		"a device more": {func(_ *Expectation, _ *audit.Environment, d map[string][]audit.Device) {
			d[USB] = append(d[USB], audit.Device{At: "2-1", ID: "0781:5567", Class: "08 mass storage", Name: "Example Stick"})
		}, "usb device 2-1 0781:5567 Example Stick (08 mass storage) is not in the list"},
		"a device less": {func(_ *Expectation, _ *audit.Environment, d map[string][]audit.Device) { d[USB] = d[USB][1:] }, "usb device 20a0:4230 serial DENK0000001 that is, the token is missing"},
		"another serial": {func(_ *Expectation, _ *audit.Environment, d map[string][]audit.Device) {
			d[USB][0].Serial = "DENK0000002"
		}, "serial DENK0000002 (0b smart card) is not in the list"},
		"a disk more": {func(_ *Expectation, _ *audit.Environment, d map[string][]audit.Device) {
			d[Block] = append(d[Block], audit.Device{At: "sdc"})
		}, "block device sdc is not in the list"},
	} {
		t.Run(name, func(t *testing.T) {
			x := whole()
			env, devices := seen(t)
			devices[Block] = devices[Block][:2]
			c.change(x, env, devices)
			if _, differs := x.Compare(env, devices); len(differs) == 0 || !strings.Contains(strings.Join(differs, "\n"), c.want) {
				t.Errorf("differs: %q", differs)
			}
		})
	}
	var crowd []audit.Device
	for i := range 500 {
		crowd = append(crowd, audit.Device{At: fmt.Sprint(i)})
	}
	if _, differs := (&Expectation{Buses: []string{PCI}}).Compare(env, map[string][]audit.Device{PCI: crowd}); len(differs) != 51 || differs[50] != "and 450 more" {
		t.Errorf("%d differences, the last %q", len(differs), differs[len(differs)-1])
	}
}

// TestProblems: what nobody can mean is refused by the script's check.
func TestProblems(t *testing.T) {
	said := func(x *Expectation) string {
		var all []string
		x.Problems(func(field, what string) { all = append(all, field+": "+what) })
		return strings.Join(all, "\n")
	}
	if p := said(whole()); p != "" {
		t.Errorf("a sound one: %s", p)
	}
	for name, c := range map[string]struct {
		x    Expectation
		want string
	}{
		"half a hash":        {Expectation{Program: aHash[:32]}, "program: expected a SHA-256"},
		"a hash in capitals": {Expectation{Image: strings.ToUpper(aHash)}, "image: expected a SHA-256"},
		"a bus twice":        {Expectation{Buses: []string{USB, PCI, USB}}, "buses[2]: usb is there twice"},
		"no device":          {Expectation{Devices: []Expected{{Bus: USB, Required: true}}}, "devices[0]: which device is it?"},
		"an id of a disk":    {Expectation{Devices: []Expected{{Bus: Block, ID: "20a0:4230", Required: true}}}, "devices[0].id: a block device has no vendor"},
		"an id of no form":   {Expectation{Devices: []Expected{{Bus: PCI, ID: "0x20a0", Required: true}}}, "devices[0].id: expected vendor:product"},
		"nothing said":       {Expectation{Devices: []Expected{{Bus: PCI, ID: "20a0:4230"}}}, "devices[0]: says nothing"},
	} {
		t.Run(name, func(t *testing.T) {
			if p := said(&c.x); !strings.Contains(p, c.want) {
				t.Errorf("problems: %s", p)
			}
		})
	}
}
