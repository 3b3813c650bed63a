package steps_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/ceremony"
)

// expecting has the machine of the tests expected, its hashes typed back from
// outside, and an image hashed.
var expecting = in("machine", "    clock_reader: witness-1\n", `    clock_reader: witness-1
    image: /dev/example
    outside: [program, module, image]
    outside_reader: witness-2
    outside_typist: witness-1
    expect:
      network: none
      kernel: 6.1.0-42-amd64
      cmdline: ro quiet
      module: "`+ones+`"
      image: "`+ones+`"
      buses: [usb, block]
      devices:
        - {bus: usb, id: "20a0:4230", serial: R1, required: true, is: the reader}
        - {bus: block, name: Example Disk}
`)

const outsideAnswers = "  \"machine/outside-program/*\": \"@word\"\n  \"machine/outside-module/*\": \"@word\"\n  \"machine/outside-image/*\": \"@word\"\n"

// TestEnvironment: what the machine says stands in the log, compared with the
// script and with what was typed from outside.
func TestEnvironment(t *testing.T) {
	st, err := play(t, "root-ca", expecting, outsideAnswers)
	if err != nil {
		t.Fatal(err)
	}
	if err := sound(st.bundle()); err != nil {
		t.Fatal(err)
	}
	all := st.entries(t)
	env, _ := entriesOf[*audit.Environment](all)
	if len(env) != 1 || env[0].Image == nil || *env[0].Image != (audit.File{Name: "/dev/example", SHA256: ones, Size: 100}) || env[0].Cmdline != "ro quiet" {
		t.Errorf("environment: %+v", env)
	}
	devices, _ := entriesOf[*audit.Devices](all)
	if len(devices) != 3 || devices[0].Bus != "usb" || devices[0].List[0].Serial != "R1" || devices[1].Of != 0 || devices[2].First != 1 {
		t.Errorf("devices: %+v", devices)
	}
	checks, _ := entriesOf[*audit.MachineCheck](all)
	if len(checks) != 1 || len(checks[0].Differs) != 0 || !slices.Equal(checks[0].Compared, []string{"network", "kernel", "cmdline", "module", "image", "usb", "block"}) || checks[0].Stops {
		t.Errorf("check: %+v", checks)
	}
	var got []string
	typed, _ := entriesOf[*audit.TypedBack](all)
	for _, d := range typed {
		got = append(got, strings.Join([]string{d.What, d.Value[:4], d.Reader, d.Person, d.Compared}, "|"))
	}
	has(t, strings.Join(got, "\n"), "SHA-256 of the program keyrite, taken from outside|0000|witness-2|witness-1|what the machine says of itself",
		"SHA-256 of the PKCS#11 module, taken from outside|1111|", "SHA-256 of the image, taken from outside|1111|")
}

// differing is a machine with a network, a stick and no reader.
func differing() *ceremony.Machine {
	m := testMachine()
	environment := m.Environment
	m.Environment = func() (*audit.Environment, error) {
		env, err := environment()
		env.Interfaces = append(env.Interfaces, audit.Interface{Name: "eth0", Up: true, State: "up"})
		return env, err
	}
	m.Devices = func(bus string) ([]audit.Device, error) {
		if bus != "usb" {
			return nil, nil
		}
		return []audit.Device{{At: "2-1", ID: "0781:5567", Name: "Example Stick"}}, nil
	}
	return &m
}

var differences = []string{"network interface eth0 is up", "usb device 2-1 0781:5567 Example Stick is not in the list", "usb device 20a0:4230 serial R1 that is, the reader is missing"}

// TestMachineDiffers: a machine that is not as the script says stops a ceremony
// and not a rehearsal; both say how it differs.
func TestMachineDiffers(t *testing.T) {
	for _, mode := range []string{audit.ModeRehearsal, audit.ModeProduction} {
		t.Run(mode, func(t *testing.T) {
			st := stageOf(t, "root-ca", expecting, outsideAnswers+abortOnFailure)
			st.mode, st.machine = mode, differing()
			err := st.start()
			var all []*audit.Entry
			if mode == audit.ModeProduction {
				all = aborted(t, st, err)
				has(t, problems(all), "the machine is not as the script says: "+differences[0], differences[1], differences[2])
			} else {
				if err != nil {
					t.Fatal(err)
				}
				if err := sound(st.bundle()); err != nil {
					t.Fatal(err)
				}
				all = st.entries(t)
			}
			checks, _ := entriesOf[*audit.MachineCheck](all)
			if len(checks) != 1 || checks[0].Stops != (mode == audit.ModeProduction) {
				t.Fatalf("check: %+v", checks)
			}
			has(t, strings.Join(checks[0].Differs, "\n"), differences...)
		})
	}
}

// TestOutsideDiffers: a hash from outside that is not the machine's stops the
// step, in a rehearsal too, and what was typed is in the log.
func TestOutsideDiffers(t *testing.T) {
	st, err := play(t, "root-ca", expecting, outsideAnswers+"  \"machine/outside-module/witness-1\": [\"1112\", \"1113\", \"1114\"]\n"+abortOnFailure)
	all := aborted(t, st, err)
	has(t, problems(all), `the SHA-256 of the PKCS#11 module, taken from outside was typed back as "1112", which it is not by what the machine says of itself`, `"1113"`, `"1114"`, "is not the one by what the machine says of itself")
	if typed, _ := entriesOf[*audit.TypedBack](all); len(typed) != 1 {
		t.Errorf("typed back: %+v", typed)
	}
}

// TestOutsideInWords: the hash may be typed as words, and the log says how.
func TestOutsideInWords(t *testing.T) {
	words := strings.TrimSpace(strings.Repeat("aardvark adroitness ", 16))
	st, err := play(t, "root-ca", expecting, outsideAnswers+"  \"machine/outside-program/witness-1\": \""+words+"\"\n")
	if err != nil {
		t.Fatal(err)
	}
	if typed, _ := entriesOf[*audit.TypedBack](st.entries(t)); len(typed) != 3 || typed[0].Value != zeros || typed[0].Typed != words {
		t.Errorf("typed back: %+v", typed)
	}
}

// TestNoImage: an image that cannot be hashed stops a ceremony and is said in a
// rehearsal; so is a bus that cannot be listed, in both.
func TestNoImage(t *testing.T) {
	place := func(s string) string { return strings.Replace(expecting(s), "/dev/example", "place", 1) }
	for _, mode := range []string{audit.ModeRehearsal, audit.ModeProduction} {
		st := stageOf(t, "root-ca", place, outsideAnswers+abortOnFailure)
		st.mode = mode
		err := st.start()
		if mode == audit.ModeProduction {
			has(t, problems(aborted(t, st, err)), "no place file names one")
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		all := st.entries(t)
		has(t, results(all, "machine"), "image, not hashed in this rehearsal: ")
		if checks, _ := entriesOf[*audit.MachineCheck](all); len(checks) != 1 || len(checks[0].Differs) != 1 {
			t.Errorf("check: %+v", checks)
		}
	}
	st := stageOf(t, "root-ca", nil, abortOnFailure)
	m := testMachine()
	m.Devices = func(string) ([]audit.Device, error) { return nil, errors.New("permission denied") }
	st.machine = &m
	has(t, problems(aborted(t, st, st.start())), "permission denied")
}

func TestEnvironmentImpossible(t *testing.T) {
	for name, c := range map[string]struct{ old, fresh, path, want string }{
		"an image of no path": {"image: /dev/example", "image: sr0", ".image: ", "expected a path from the root"},
		"a hash of no image":  {"    image: /dev/example\n", "", ".expect.image: ", "nothing is hashed"},
		"a hash that is none": {"module: \"" + ones + "\"", "module: \"11\"", ".expect.module: ", "expected a SHA-256"},
		"outside twice":       {"outside: [program, module, image]", "outside: [program, program]", ".outside[2]: ", "is there twice"},
		"outside by one":      {"outside_typist: witness-1", "outside_typist: witness-2", ".outside_typist: ", "somebody else"},
		"outside of nothing":  {"    outside: [program, module, image]\n", "", ".outside: ", "which hashes"},
		"a device of no name": {"{bus: block, name: Example Disk}", "{bus: block}", ".expect.devices[2]: ", "which device is it"},
	} {
		t.Run(name, func(t *testing.T) { impossible(t, "root-ca", expecting, swap(c.old, c.fresh), c.path, c.want) })
	}
}
