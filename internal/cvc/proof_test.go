package cvc

import (
	"bytes"
	"encoding/hex"
	"os"
	"strings"
	"testing"
)

// devices reads what real devices say of themselves.
func devices(t testing.TB) map[string][]byte {
	t.Helper()
	b, err := os.ReadFile("testdata/devices.txt")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]byte{}
	for line := range strings.Lines(string(b)) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), " ")
		if !ok || name == "#" || line[0] == '#' {
			continue
		}
		if all[name], err = hex.DecodeString(value); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// TestRealDevices: what two real devices say of themselves leads to the vendor's
// root, and three keys of one of them were made in it.
func TestRealDevices(t *testing.T) {
	d := devices(t)
	for name, bits := range map[string]int{"nitrokey-secp256k1": 256, "nitrokey-secp256r1": 256, "nitrokey-rsa2048": 2048} {
		p, err := Prove(d[name], d["nitrokey-chain"], Roots())
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if p.Root.CHR != "DESRCACC100001" || p.Root.Simulated || p.Serial() != "DENK0404144" || p.Issuer != "DEDINK0400001" || p.Key.Size() != bits {
			t.Errorf("%s: %+v", name, p)
		}
	}
	// Another real device, whose chain holds, did not make the key.
	_, err := Prove(d["nitrokey-secp256r1"], d["microsd-chain"], Roots())
	if err == nil || !strings.Contains(err.Error(), `signed by "DENK040414400000", the device's certificate is of "DECM010444800000"`) {
		t.Errorf("under another device's chain: %v", err)
	}
}

// TestEveryByteCounts: a proof with any one byte changed proves nothing.
func TestEveryByteCounts(t *testing.T) {
	d := devices(t)
	request, chain := d["nitrokey-secp256r1"], d["nitrokey-chain"]
	for i := 0; i < len(request)+len(chain); i += 1 {
		r, c := bytes.Clone(request), bytes.Clone(chain)
		if i < len(r) {
			r[i] ^= 0x01
		} else {
			c[i-len(r)] ^= 0x01
		}
		if p, err := Prove(r, c, Roots()); err == nil {
			t.Fatalf("byte %d changed: %+v", i, p)
		}
	}
}

func TestProveRefuses(t *testing.T) {
	d := devices(t)
	request, chain := d["nitrokey-secp256r1"], d["nitrokey-chain"]
	device, rest, err := Parse(chain)
	if err != nil {
		t.Fatal(err)
	}
	issuer, _, err := Parse(rest)
	if err != nil {
		t.Fatal(err)
	}
	other := Roots()[0]
	other.point = Roots()[1].point
	for name, c := range map[string]struct {
		request, chain []byte
		roots          []Root
		want           string
	}{
		"no chain":           {request, nil, Roots(), "the device's certificate"},
		"no issuer":          {request, device.Raw, Roots(), "the certificate of the device's issuer"},
		"something after":    {request, append(bytes.Clone(chain), 0), Roots(), "1 bytes after"},
		"issuer first":       {request, append(bytes.Clone(issuer.Raw), device.Raw...), Roots(), "no root that is known here"},
		"no roots":           {request, chain, nil, "no root that is known here"},
		"only simulated":     {request, chain, Roots()[1:], "no root that is known here"},
		"another root's key": {request, chain, []Root{other}, "does not verify"},
		"no request":         {nil, chain, Roots(), "attested request"},
		"a certificate":      {chain, chain, Roots(), "tag 7F21, expected 67"},
		"another's issuer":   {request, append(bytes.Clone(device.Raw), d["microsd-chain"][len(d["microsd-chain"])-len(issuer.Raw)+2:]...), Roots(), "issued by"},
	} {
		if p, err := Prove(c.request, c.chain, c.roots); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
	}
}

// TestBareKey: a key without domain parameters is of use with its issuer's, and
// is not equal to anything before.
func TestBareKey(t *testing.T) {
	device, rest, err := Parse(devices(t)["nitrokey-chain"])
	if err != nil {
		t.Fatal(err)
	}
	if device.Key.Bare == nil || device.Key.Equal(device.Key) || device.Key.Verify(nil, make([]byte, 64)) == nil || device.Key.Size() != 0 {
		t.Error("a key without domain parameters is used")
	}
	issuer, _, err := Parse(rest)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := device.Key.On(issuer.Key); err == nil {
		t.Error("completed by a key that has none itself")
	}
	root, err := Roots()[0].Key()
	if err != nil {
		t.Fatal(err)
	}
	if k, err := device.Key.On(root); err != nil || !k.Equal(k) {
		t.Errorf("%v %v", k, err)
	}
}
