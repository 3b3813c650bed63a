package machine

import (
	"cmp"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/keyrite/keyrite/audit"
)

// usbDevices lists the USB devices: the folders with a vendor. Those whose name
// has a colon are the devices' interfaces (Documentation/ABI/testing/sysfs-bus-usb).
func usbDevices(root fs.FS) ([]audit.Device, error) {
	const dir = "sys/bus/usb/devices"
	names, err := entries(root, dir)
	if err != nil {
		return nil, err
	}
	classes := map[string][]string{} // device → classes of its interfaces
	for _, name := range names {
		if device, _, is := strings.Cut(name, ":"); is {
			classes[device] = append(classes[device], read(root, dir+"/"+name+"/bInterfaceClass"))
		}
	}
	list := []audit.Device{}
	for _, name := range names {
		at := dir + "/" + name
		vendor, product := number(read(root, at+"/idVendor")), number(read(root, at+"/idProduct"))
		if vendor == "" || strings.Contains(name, ":") {
			continue
		}
		list = append(list, audit.Device{
			At: clean(name, maxText), ID: vendor + ":" + product,
			Class:  usbClass(append([]string{read(root, at+"/bDeviceClass")}, classes[name]...)),
			Name:   joined(read(root, at+"/manufacturer"), read(root, at+"/product")),
			Serial: read(root, at+"/serial"),
		})
	}
	return list, nil
}

// usbClass names the classes of a device and its interfaces, each once. A device
// of class 00 has those of its interfaces alone (USB 2.0, table 9-8).
func usbClass(classes []string) string {
	var said []string
	for i, c := range classes {
		if c == "" || i == 0 && c == "00" && len(classes) > 1 {
			continue
		}
		if text := joined(c, usbClasses[c]); !slices.Contains(said, text) {
			said = append(said, text)
		}
	}
	return clean(strings.Join(said, ", "), maxText)
}

// usbClasses are the classes that matter in a ceremony
// (usb.org/defined-class-codes).
var usbClasses = map[string]string{
	"01": "audio", "02": "communications", "03": "human interface", "06": "image", "07": "printer", "08": "mass storage", "09": "hub",
	"0a": "communications data", "0b": "smart card", "0e": "video", "e0": "wireless", "ff": "vendor's own",
}

// pciDevices lists the PCI functions.
func pciDevices(root fs.FS) ([]audit.Device, error) {
	const dir = "sys/bus/pci/devices"
	names, err := entries(root, dir)
	if err != nil {
		return nil, err
	}
	list := []audit.Device{}
	for _, name := range names {
		at := dir + "/" + name
		vendor, product, class := number(read(root, at+"/vendor")), number(read(root, at+"/device")), number(read(root, at+"/class"))
		if vendor == "" {
			continue
		}
		word := ""
		if len(class) >= 2 {
			word = pciClasses[class[:2]]
		}
		list = append(list, audit.Device{At: clean(name, maxText), ID: vendor + ":" + product, Class: joined(class, word)})
	}
	return list, nil
}

// pciClasses are the base classes of the PCI Code and ID Assignment
// Specification, appendix D.
var pciClasses = map[string]string{
	"01": "mass storage", "02": "network", "03": "display", "04": "multimedia", "05": "memory", "06": "bridge", "07": "communication",
	"08": "system peripheral", "09": "input", "0b": "processor", "0c": "serial bus", "0d": "wireless", "10": "encryption", "11": "signal processing",
}

// blockDevices lists the block devices that hold something: loop devices
// without a file and empty drives have no size and are left out, unless a medium
// can be put into them.
func blockDevices(root fs.FS) ([]audit.Device, error) {
	const dir = "sys/block"
	names, err := entries(root, dir)
	if err != nil {
		return nil, err
	}
	list := []audit.Device{}
	for _, name := range names {
		at := dir + "/" + name
		sectors, err := strconv.ParseInt(read(root, at+"/size"), 10, 64)
		if err != nil || sectors < 0 || sectors > 1<<43 { // 2^52 bytes: a log's numbers end at 2^53
			sectors = 0
		}
		removable := read(root, at+"/removable") == "1"
		if sectors == 0 && !removable {
			continue
		}
		list = append(list, audit.Device{
			At:        clean(name, maxText),
			Name:      cmp.Or(joined(read(root, at+"/device/vendor"), read(root, at+"/device/model")), read(root, at+"/loop/backing_file")),
			Serial:    cmp.Or(read(root, at+"/device/serial"), read(root, at+"/serial"), read(root, at+"/device/wwid"), read(root, at+"/wwid")),
			Size:      sectors * sector,
			Removable: removable,
		})
	}
	return list, nil
}

// number returns a number of the kernel as its hex digits, small and without
// 0x; "" if it is none.
func number(s string) string {
	s = strings.ToLower(strings.TrimPrefix(s, "0x"))
	if _, err := strconv.ParseUint(s, 16, 64); err != nil {
		return ""
	}
	return s
}

// joined returns the texts that are not empty, with a space between.
func joined(texts ...string) string {
	texts = slices.DeleteFunc(texts, func(s string) bool { return s == "" })
	return clean(strings.Join(texts, " "), maxText)
}
