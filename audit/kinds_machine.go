package audit

// Environment is what the machine says of itself. It is self-reported: a
// machine that lies can say any of it, and show any hash. What counts is the
// same hash taken from outside and typed back (a typed-back entry of its step).
type Environment struct {
	Program    Program     `json:"program"`    // the program that runs
	Module     File        `json:"module"`     // the PKCS#11 module: path, hash, size
	Kernel     string      `json:"kernel"`     // system and release, as the kernel says
	Host       string      `json:"host"`       // the machine's name
	Interfaces []Interface `json:"interfaces"` // network interfaces
	CoreLimit  string      `json:"core_limit"` // RLIMIT_CORE soft/hard
	Dumpable   bool        `json:"dumpable"`   // PR_GET_DUMPABLE
	Locked     bool        `json:"locked"`     // mlockall succeeded
	Swap       bool        `json:"swap"`       // swap is in use on the machine

	Release string `json:"release,omitempty"` // of the kernel that was booted: /proc/sys/kernel/osrelease
	Cmdline string `json:"cmdline,omitempty"` // what it was booted with: /proc/cmdline
	Image   *File  `json:"image,omitempty"`   // the image that the machine was booted from, if the script has it hashed: path, hash, size
}

// Interface is one network interface.
type Interface struct {
	Name string `json:"name"` // as the system names it
	Up   bool   `json:"up"`   // IFF_UP: it was switched on

	State   string `json:"state,omitempty"`   // operstate: "up", "down", "unknown", … (RFC 2863, 3.1.14)
	Address string `json:"address,omitempty"` // its hardware address
}

// Devices lists what the kernel sees on a bus of the machine. A long list has
// several such entries.
type Devices struct {
	Bus   string   `json:"bus"`   // "usb", "pci" or "block"
	Of    int      `json:"of"`    // devices on the bus
	First int      `json:"first"` // number of List[0], from 1; 0 if there is none
	List  []Device `json:"list"`
}

// Device is one device as the kernel lists it.
type Device struct {
	At        string `json:"at"`                  // where: "1-1.2" on USB, "0000:00:1f.3" on PCI, "sda" of the block devices
	ID        string `json:"id,omitempty"`        // vendor:product, four hex digits each; missing for a block device
	Class     string `json:"class,omitempty"`     // hex digits as on the bus, and the word for it where there is one
	Name      string `json:"name,omitempty"`      // what the device calls itself
	Serial    string `json:"serial,omitempty"`    // its serial number, or a block device's WWID
	Size      int64  `json:"size,omitempty"`      // of a block device, bytes
	Removable bool   `json:"removable,omitempty"` // a block device whose medium can be taken out
}

// MachineCheck compares what the machine says of itself with the script's
// expectation.
type MachineCheck struct {
	Compared []string `json:"compared"` // what the script expects something of: "network", "kernel", "usb", …
	Differs  []string `json:"differs"`  // what is not as expected; empty if all is
	Stops    bool     `json:"stops"`    // a difference stops the step; false in a rehearsal
}

// Clock compares the machine's clock with a second one, read by a person.
type Clock struct {
	Person   string `json:"person"`    // participant id of who read the other clock
	Machine  string `json:"machine"`   // RFC 3339, UTC
	Room     string `json:"room"`      // RFC 3339, UTC
	OffsetMS int64  `json:"offset_ms"` // machine − room
}

// ClockJump says that wall clock and monotonic clock parted by over a second
// since the entry before.
type ClockJump struct {
	WallMS      int64 `json:"wall_ms"`      // milliseconds by the machine's clock since the entry before
	MonotonicMS int64 `json:"monotonic_ms"` // milliseconds by the clock that cannot be set, for the same time
}

// Drift says how far the two clocks have drifted apart between the comparison at
// the opening and the last one before this entry, and how often the machine's
// clock was set since.
type Drift struct {
	First   int64 `json:"first"`    // seq of the last clock entry of the step that compared the clocks first
	Last    int64 `json:"last"`     // seq of the last one before this entry
	DriftMS int64 `json:"drift_ms"` // offset of the last − offset of the first
	LimitMS int64 `json:"limit_ms"` // what the script allows either way
	Jumps   int   `json:"jumps"`    // clock-jump entries between First and this one
	JumpsMS int64 `json:"jumps_ms"` // by how much they moved the wall clock in sum
}
