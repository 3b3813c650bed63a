package simcard

import (
	"strings"
	"testing"

	"github.com/keyrite/keyrite/internal/simcard/apdu"
)

func TestUserPIN(t *testing.T) {
	k := newBench(t)
	k.want(apdu.Tries(3), "00200081")
	k.want(apdu.Tries(2), userWrong)
	k.ok(userRight)
	k.ok("00200081") // given
	k.ok(applet)
	k.want(apdu.Tries(3), "00200081") // full again, given no more
	k.want(apdu.Tries(2), userWrong)
	k.open() // the power was off: the counter is as it was
	k.ok(applet)
	k.want(apdu.Tries(1), userWrong)
	k.want(apdu.Blocked, userWrong)
	k.want(apdu.Blocked, userRight)
	k.want(apdu.Blocked, "00200081")
	k.want(apdu.ReferenceNotFound, "00200085")
	k.want(apdu.WrongParameters, "00200181")
}

func TestWrongPINEndsTheSession(t *testing.T) {
	k := newBench(t)
	k.ok(userRight)
	k.want(apdu.Tries(2), userWrong)
	k.want(apdu.NotAuthenticated, "00D7CF0107 54020000 5301AA")
}

// TestSOPIN: 15 tries; nothing gives them back but the right one; at 0 the card
// can never be initialised again.
func TestSOPIN(t *testing.T) {
	k := newBench(t)
	k.want(apdu.Tries(15), "00200088")
	k.want(apdu.Tries(14), "0020008808 "+soWrong)
	k.want(apdu.Tries(13), "002C00810E "+soWrong+"323232323232")
	k.want(apdu.Tries(12), "0024008810 "+soWrong+"3132333435363738")
	k.want(apdu.ConditionsNotMet, initialized("", soWrong))
	k.want(apdu.Tries(11), "00200088")
	k.ok("0020008808 " + soRight)
	k.want(apdu.Tries(15), "00200088")
	for left := 14; left > 0; left-- {
		k.want(apdu.Tries(left), "0020008808 "+soWrong)
	}
	k.want(apdu.Blocked, "0020008808 "+soWrong)
	k.open()
	k.ok(applet)
	for _, c := range []string{"00200088", "0020008808 " + soRight, "002C00810E " + soRight + "323232323232", "0024008810 " + soRight + "3132333435363738", initialized("", soRight)} {
		k.want(apdu.Blocked, c)
	}
}

func TestChangePIN(t *testing.T) {
	k := newBench(t)
	k.want(apdu.Tries(2), "002400810E 313131313131 3333333333333333")
	k.ok("002400810E 363438323139 3333333333333333")
	k.want(apdu.Tries(2), userRight)
	k.ok("0020008108 3333333333333333")
	k.ok("0024008810 " + soRight + " 3132333435363738")
	k.want(apdu.Tries(14), "0020008808 "+soRight)
	k.ok("0020008808 3132333435363738")
	for status, list := range map[apdu.Status][]string{
		apdu.WrongLength: {"0024008105 3333333333", "002400810D 3333333333333333 3131313131", "0024008819 3132333435363738 3132333435363738 3132333435363738 31",
			"0024008119 3333333333333333 3131313131313131313131313131313131"},
		apdu.WrongParameters:   {"002401810E 3333333333333333 313131313131"},
		apdu.ReferenceNotFound: {"002400820E 3333333333333333 313131313131"},
	} {
		for _, c := range list {
			k.want(status, c)
		}
	}
	k.want(apdu.Tries(15), "00200088") // none of these cost a try
	k.ok("00200081")
}

func TestResetRetryCounter(t *testing.T) {
	k := newBench(t)
	for range 3 {
		k.send(userWrong)
	}
	k.ok("002C00810E " + soRight + " 323232323232")
	k.want(apdu.Tries(2), userRight)
	k.ok("0020008106 323232323232")
	k.want(apdu.Tries(2), userWrong)
	k.ok("002C018108 " + soRight) // the counter alone
	k.want(apdu.Tries(3), "00200081")
	for status, list := range map[apdu.Status][]string{
		apdu.WrongLength:       {"002C008107 11111111111111", "002C00810D " + soWrong + "3131313131", "002C01810E " + soWrong + "323232323232"},
		apdu.WrongParameters:   {"002C02810E " + soWrong + "323232323232"},
		apdu.ReferenceNotFound: {"002C00880E " + soWrong + "323232323232"},
	} {
		for _, c := range list {
			k.want(status, c)
		}
	}
	k.want(apdu.Tries(15), "00200088")
	k.ok(initialized("80020000", soRight))
	k.want(apdu.ConditionsNotMet, "002C00810E "+soRight+" 323232323232")
}

// initialized is INITIALIZE DEVICE with the user PIN 648219, an SO-PIN and more
// objects; options are those of the factory unless there are others in front.
func initialized(more, so string) string {
	data := "80020001"
	if strings.HasPrefix(more, "80") {
		data, more = more[:8], more[8:]
	}
	data += "8106363438323139" + "8208" + so + more
	const hexDigits = "0123456789ABCDEF"
	n := len(data) / 2
	return "80500000" + string([]byte{hexDigits[n>>4], hexDigits[n&15]}) + data
}

func TestInitialize(t *testing.T) {
	k := newBench(t)
	k.ok(userRight)
	k.ok("00D7CF0107 54020000 5301AA")
	k.generate(1, ecWish(t, "secp256r1"))
	k.ok(initialized("910102", soRight))
	k.want(apdu.Tries(2), "00200081")
	if got := k.ok("80580000 00"); len(got) != 2 {
		t.Errorf("the objects are %x", got)
	}
	for _, bad := range []string{"910104", "910100", "93020101", "9702AABB", "9201", "95", "80020004"} {
		k.want(apdu.WrongData, initialized(bad, soWrong))
	}
	k.want(apdu.WrongData, "8050000014 80020001 8104 31323334 8208"+soWrong)
	k.want(apdu.WrongData, "8050000014 80020001 8106 313233343536 8206 111111111111")
	k.want(apdu.WrongData, "805000000A 8208"+soWrong)
	k.want(apdu.WrongParameters, "8050010001 00")
	k.want(apdu.Tries(15), "00200088") // malformed commands cost nothing
	if mostTries(6) != 3 || mostTries(7) != 5 || mostTries(8) != 10 {
		t.Error("other limits of tries")
	}
}

func TestTransportPIN(t *testing.T) {
	k := newBench(t)
	k.ok(initialized("80020003", soRight))
	k.want(apdu.NotUsable, userRight)
	k.want(apdu.NotUsable, "00200081")
	k.ok("002400810C 363438323139 323232323232")
	k.ok("0020008106 323232323232")
}

// TestPowerCut: whatever the card's memory held between two writes of a
// command, it opens, and a PIN try is spent rather than saved.
func TestPowerCut(t *testing.T) {
	k := newBench(t)
	before := len(k.memory.held)
	k.want(apdu.Tries(2), userWrong)
	k.ok(userRight)
	k.ok(initialized("920100", soRight))
	k.ok(userRight)
	k.generate(1, ecWish(t, "secp256r1"))
	k.ok("00E4020002 CC01")
	held := k.memory.held[before:]
	// A wrong PIN 1, a right one 2, initialising 2 and 1, a right one 2, 1, 1.
	if len(held) != 10 {
		t.Errorf("%d writes, want 10", len(held))
	}
	for i := range held {
		c, err := Open(&memory{held: held[:i+1]}, Options{})
		if err != nil {
			t.Fatalf("after write %d: %v", i, err)
		}
		_, key := c.s.Keys[1]
		_, attested := c.s.Files[0xCE01]
		if key && !attested {
			t.Errorf("after write %d: a key that the device does not attest", i)
		}
		if c.s.User.Left < 0 || c.s.User.Left > c.s.User.Max || c.s.SO.Left < 14 {
			t.Errorf("after write %d: counters %d and %d", i, c.s.User.Left, c.s.SO.Left)
		}
	}
	if c, _ := Open(&memory{held: held[:1]}, Options{}); c.s.User.Left != 2 {
		t.Errorf("a wrong try that was cut short left %d", c.s.User.Left)
	}
}
