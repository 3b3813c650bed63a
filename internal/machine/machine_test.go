package machine

import (
	"errors"
	"io/fs"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"testing/iotest"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/canonjson"
)

// tree is a small machine: loopback, a network card that is down, a card reader
// on USB, a bridge and a network card on PCI, a disk, a stick, an empty drive
// and a loop device without a file.
func tree() fstest.MapFS {
	files := map[string]string{
		"sys/class/net/lo/flags": "0x9\n", "sys/class/net/lo/operstate": "unknown\n", "sys/class/net/lo/address": "00:00:00:00:00:00\n",
		"sys/class/net/eth0/flags": "0x1002\n", "sys/class/net/eth0/operstate": "down\n", "sys/class/net/eth0/address": "02:fc:00:00:00:05\n",
		"sys/class/net/bonding_masters": "\n",

		"sys/bus/usb/devices/usb1/idVendor": "1d6b\n", "sys/bus/usb/devices/usb1/idProduct": "0002\n", "sys/bus/usb/devices/usb1/bDeviceClass": "09\n",
		"sys/bus/usb/devices/usb1/product": "EHCI Host Controller\n", "sys/bus/usb/devices/1-0:1.0/bInterfaceClass": "09\n",
		"sys/bus/usb/devices/1-1/idVendor": "20A0\n", "sys/bus/usb/devices/1-1/idProduct": "4230\n", "sys/bus/usb/devices/1-1/bDeviceClass": "00\n",
		"sys/bus/usb/devices/1-1/manufacturer": "Nitrokey\n", "sys/bus/usb/devices/1-1/product": "Nitrokey HSM\n", "sys/bus/usb/devices/1-1/serial": "DENK0000001 \n",
		"sys/bus/usb/devices/1-1:1.0/bInterfaceClass": "0b\n",

		"sys/bus/pci/devices/0000:00:00.0/vendor": "0x8086\n", "sys/bus/pci/devices/0000:00:00.0/device": "0x1237\n", "sys/bus/pci/devices/0000:00:00.0/class": "0x060000\n",
		"sys/bus/pci/devices/0000:00:03.0/vendor": "0x1af4\n", "sys/bus/pci/devices/0000:00:03.0/device": "0x1041\n", "sys/bus/pci/devices/0000:00:03.0/class": "0x020000\n",

		"sys/block/sda/size": "2048\n", "sys/block/sda/removable": "0\n", "sys/block/sda/device/vendor": "ATA     \n", "sys/block/sda/device/model": "Example Disk\n", "sys/block/sda/device/wwid": "naa.5000\n",
		"sys/block/sdb/size": "8\n", "sys/block/sdb/removable": "1\n", "sys/block/sdb/device/model": "Stick\n",
		"sys/block/sr0/size": "0\n", "sys/block/sr0/removable": "1\n", "sys/block/loop0/size": "0\n", "sys/block/loop0/removable": "0\n",

		"proc/cmdline": "ro quiet\n", "proc/sys/kernel/osrelease": "6.1.0-42-amd64\n",
	}
	fsys := fstest.MapFS{}
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return fsys
}

func TestRead(t *testing.T) {
	root := tree()
	net, err := Interfaces(root)
	if err != nil || !reflect.DeepEqual(net, []audit.Interface{{Name: "eth0", State: "down", Address: "02:fc:00:00:00:05"}, {Name: "lo", Up: true, State: "unknown"}}) {
		t.Errorf("interfaces: %+v, %v", net, err)
	}
	if up := Online(net); up != nil {
		t.Errorf("online: %v", up)
	}
	if up := Online([]audit.Interface{{Name: "lo", Up: true}, {Name: "wlan0", Up: true, State: "down"}}); !slices.Equal(up, []string{"wlan0"}) {
		t.Errorf("an interface that is switched on counts without a cable: %v", up)
	}
	if release, cmdline := Boot(root); release != "6.1.0-42-amd64" || cmdline != "ro quiet" {
		t.Errorf("boot: %q %q", release, cmdline)
	}
	for bus, want := range map[string][]audit.Device{
		USB: {
			{At: "1-1", ID: "20a0:4230", Class: "0b smart card", Name: "Nitrokey Nitrokey HSM", Serial: "DENK0000001"},
			{At: "usb1", ID: "1d6b:0002", Class: "09 hub", Name: "EHCI Host Controller"},
		},
		PCI: {{At: "0000:00:00.0", ID: "8086:1237", Class: "060000 bridge"}, {At: "0000:00:03.0", ID: "1af4:1041", Class: "020000 network"}},
		Block: {
			{At: "sda", Name: "ATA Example Disk", Serial: "naa.5000", Size: 2048 * 512},
			{At: "sdb", Name: "Stick", Size: 8 * 512, Removable: true}, {At: "sr0", Removable: true},
		},
	} {
		got, err := Devices(root, bus)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v", bus, got, err)
		}
		if got, err := Devices(fstest.MapFS{}, bus); err != nil || got == nil || len(got) > 0 {
			t.Errorf("%s of a machine without it: %v, %v", bus, got, err)
		}
	}
	if _, err := Devices(root, "isa"); err == nil {
		t.Error("an unknown bus is listed")
	}
}

// A denied folder is one that cannot be read.
type denied struct{ fstest.MapFS }

func (d denied) Open(string) (fs.File, error) { return nil, fs.ErrPermission }

func (d denied) ReadDir(string) ([]fs.DirEntry, error) { return nil, fs.ErrPermission }

// TestUnreadable: what cannot be listed is an error, never an empty list; what a
// device does not tell is left out.
func TestUnreadable(t *testing.T) {
	for _, bus := range Buses() {
		if _, err := Devices(denied{}, bus); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("%s: %v", bus, err)
		}
	}
	if _, err := Interfaces(denied{}); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("interfaces: %v", err)
	}
	many := fstest.MapFS{}
	for i := range maxDevices + 1 {
		many["sys/block/sd"+strings.Repeat("x", i)+"/size"] = &fstest.MapFile{Data: []byte("1\n")}
	}
	if _, err := Devices(many, Block); err == nil || !strings.Contains(err.Error(), "more than 500") {
		t.Errorf("too many: %v", err)
	}
}

// TestThisMachine reads the real tree: whatever is in it can be recorded.
func TestThisMachine(t *testing.T) {
	root := os.DirFS("/")
	net, err := Interfaces(root)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(net, func(i audit.Interface) bool { return i.Name == "lo" }) {
		t.Errorf("no loopback: %+v", net)
	}
	for _, bus := range Buses() {
		if _, err := Devices(root, bus); err != nil {
			t.Error(err)
		}
	}
	if release, cmdline := Boot(root); release == "" || cmdline == "" {
		t.Errorf("boot: %q, %q", release, cmdline)
	}
}

func TestHashImage(t *testing.T) {
	var seen int64
	sum, size, err := HashImage(iotest.HalfReader(strings.NewReader("abc")), func(n int64) { seen = n })
	if err != nil || sum != "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" || size != 3 || seen != 3 {
		t.Errorf("%s, %d bytes, %d seen, %v", sum, size, seen, err)
	}
	broken := errors.New("input/output error")
	if _, _, err := HashImage(iotest.ErrReader(broken), nil); !errors.Is(err, broken) {
		t.Errorf("a read error is lost: %v", err)
	}
}

// FuzzDevices: no text of a device makes the reading panic, or gives something
// that a log cannot hold.
func FuzzDevices(f *testing.F) {
	f.Add("0x1af4", "-1", "1-1:", "\xff\x00\u202e")
	f.Add("", "9223372036854775807", "..:", strings.Repeat("x", 5000))
	f.Add("0x", "999999999999999999999", "usb1", "\U0001F600\n\t")
	f.Fuzz(func(t *testing.T, number, size, name, text string) {
		root := tree()
		put := func(name, text string) { root[name] = &fstest.MapFile{Data: []byte(text)} }
		if name = strings.Trim(strings.ReplaceAll(name, "/", "-"), "."); name == "" || !fs.ValidPath(name) {
			name = "x"
		}
		for _, dir := range []string{"sys/bus/usb/devices/", "sys/bus/pci/devices/", "sys/block/", "sys/class/net/"} {
			for _, file := range []string{"idVendor", "idProduct", "vendor", "device", "class", "flags", "bDeviceClass", "bInterfaceClass"} {
				put(dir+name+"/"+file, number)
			}
			for _, file := range []string{"manufacturer", "product", "serial", "operstate", "address", "wwid"} {
				put(dir+name+"/"+file, text)
			}
			put(dir+name+"/size", size)
			put(dir+name+"/removable", "1")
		}
		put("proc/cmdline", text)
		net, err := Interfaces(root)
		if err != nil {
			t.Fatal(err)
		}
		_, cmdline := Boot(root)
		holdable(t, &audit.Environment{Interfaces: net, Cmdline: cmdline})
		for _, bus := range Buses() {
			list, err := Devices(root, bus)
			if err != nil {
				t.Fatal(err)
			}
			holdable(t, &audit.Devices{Bus: bus, Of: len(list), List: list})
		}
	})
}

// holdable fails unless an entry can hold the data.
func holdable(t *testing.T, d audit.Data) {
	t.Helper()
	e := &audit.Entry{Data: d}
	b, err := e.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if err := canonjson.Valid(b); err != nil {
		t.Fatal(err)
	}
}
