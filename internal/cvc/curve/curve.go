// Package curve computes on the elliptic curves of a SmartCard-HSM, among them
// the brainpool curves of RFC 5639, which Go's library does not have.
//
// It is written for checking signatures and for a card that is simulated: it
// takes the time that the numbers take, and so tells a private key to whoever
// can measure it. A key that matters has no place here.
package curve

import (
	"fmt"
	"math/big"
)

// A Curve is y² = x³ + ax + b over the field of P elements, with a base point
// of prime order N.
type Curve struct {
	Name               string // "secp256r1", "brainpoolP256r1"
	Size               int    // bytes of a coordinate
	P, A, B, GX, GY, N *big.Int
}

// Named returns the curve with a name of SEC 2 or RFC 5639, and whether there
// is one.
func Named(name string) (*Curve, bool) {
	for _, d := range parameters {
		if d.name == name {
			return build(d.name, d.p, d.a, d.b, d.gx, d.gy, d.n), true
		}
	}
	return nil, false
}

// Over returns the curve over the field of p elements (big-endian), and whether
// there is one: no two of them share a field.
func Over(p []byte) (*Curve, bool) {
	wanted := new(big.Int).SetBytes(p)
	for _, d := range parameters {
		if number(d.p).Cmp(wanted) == 0 {
			return build(d.name, d.p, d.a, d.b, d.gx, d.gy, d.n), true
		}
	}
	return nil, false
}

// Names lists the curves.
func Names() []string {
	list := make([]string, 0, len(parameters))
	for _, d := range parameters {
		list = append(list, d.name)
	}
	return list
}

func build(name, p, a, b, gx, gy, n string) *Curve {
	return &Curve{Name: name, Size: len(p) / 2, P: number(p), A: number(a), B: number(b), GX: number(gx), GY: number(gy), N: number(n)}
}

func number(hex string) *big.Int {
	n, ok := new(big.Int).SetString(hex, 16)
	if !ok {
		panic("curve: a parameter is no number: " + hex)
	}
	return n
}

// A Point is a point of a curve in affine coordinates; X is nil at infinity.
type Point struct{ X, Y *big.Int }

// Base returns the base point.
func (c *Curve) Base() Point { return Point{c.GX, c.GY} }

// Bytes writes a point uncompressed: 04, x, y (SEC 1, 2.3.3). It panics on the
// point at infinity.
func (c *Curve) Bytes(p Point) []byte {
	out := make([]byte, 1+2*c.Size)
	out[0] = 4
	p.X.FillBytes(out[1 : 1+c.Size])
	p.Y.FillBytes(out[1+c.Size:])
	return out
}

// ParsePoint reads an uncompressed point and checks that it is on the curve.
func (c *Curve) ParsePoint(b []byte) (Point, error) {
	if len(b) != 1+2*c.Size || b[0] != 4 {
		return Point{}, fmt.Errorf("point of %s: expected 04 and two coordinates of %d bytes", c.Name, c.Size)
	}
	p := Point{new(big.Int).SetBytes(b[1 : 1+c.Size]), new(big.Int).SetBytes(b[1+c.Size:])}
	if !c.on(p) {
		return Point{}, fmt.Errorf("point of %s: not on the curve", c.Name)
	}
	return p, nil
}

func (c *Curve) on(p Point) bool {
	if p.X.Cmp(c.P) >= 0 || p.Y.Cmp(c.P) >= 0 {
		return false
	}
	right := new(big.Int).Mul(p.X, p.X)
	right.Add(right, c.A).Mul(right, p.X).Add(right, c.B).Mod(right, c.P)
	left := new(big.Int).Mul(p.Y, p.Y)
	return left.Mod(left, c.P).Cmp(right) == 0
}

// jacobian is (X/Z², Y/Z³); Z is 0 at infinity.
type jacobian struct{ x, y, z *big.Int }

func (c *Curve) mod(n *big.Int) *big.Int { return n.Mod(n, c.P) }

func (c *Curve) mul(a, b *big.Int) *big.Int { return c.mod(new(big.Int).Mul(a, b)) }

func (c *Curve) sub(a, b *big.Int) *big.Int { return c.mod(new(big.Int).Sub(a, b)) }

// double is the doubling for any a.
func (c *Curve) double(p jacobian) jacobian {
	yy := c.mul(p.y, p.y)
	s := c.mod(new(big.Int).Lsh(c.mul(p.x, yy), 2))
	zz := c.mul(p.z, p.z)
	m := new(big.Int).Mul(c.mul(p.x, p.x), big.NewInt(3))
	m = c.mod(m.Add(m, c.mul(c.A, c.mul(zz, zz))))
	x := c.sub(c.mul(m, m), new(big.Int).Lsh(s, 1))
	y := c.sub(c.mul(m, c.sub(s, x)), new(big.Int).Lsh(c.mul(yy, yy), 3))
	z := c.mod(new(big.Int).Lsh(c.mul(p.y, p.z), 1))
	return jacobian{x, y, z}
}

// add adds a point that has affine coordinates (q.X is not nil).
func (c *Curve) add(p jacobian, q Point) jacobian {
	if p.z.Sign() == 0 {
		return jacobian{q.X, q.Y, big.NewInt(1)}
	}
	zz := c.mul(p.z, p.z)
	h := c.sub(c.mul(q.X, zz), p.x)
	r := c.sub(c.mul(q.Y, c.mul(zz, p.z)), p.y)
	if h.Sign() == 0 {
		if r.Sign() == 0 {
			return c.double(p)
		}
		return jacobian{big.NewInt(1), big.NewInt(1), new(big.Int)}
	}
	hh := c.mul(h, h)
	hhh := c.mul(h, hh)
	v := c.mul(p.x, hh)
	x := c.sub(c.sub(c.mul(r, r), hhh), new(big.Int).Lsh(v, 1))
	y := c.sub(c.mul(r, c.sub(v, x)), c.mul(p.y, hhh))
	return jacobian{x, y, c.mul(p.z, h)}
}

func (c *Curve) affine(p jacobian) Point {
	if p.z.Sign() == 0 {
		return Point{}
	}
	inverse := new(big.Int).ModInverse(p.z, c.P)
	square := c.mul(inverse, inverse)
	return Point{c.mul(p.x, square), c.mul(p.y, c.mul(square, inverse))}
}

// Multiply returns k times a point. For a multiple of the order it is the
// point at infinity.
func (c *Curve) Multiply(p Point, k *big.Int) Point {
	sum := jacobian{big.NewInt(1), big.NewInt(1), new(big.Int)}
	if p.X == nil {
		return Point{}
	}
	for i := k.BitLen() - 1; i >= 0; i-- {
		sum = c.double(sum)
		if k.Bit(i) == 1 {
			sum = c.add(sum, p)
		}
	}
	return c.affine(sum)
}

// Add returns the sum of two points.
func (c *Curve) Add(p, q Point) Point {
	switch {
	case p.X == nil:
		return q
	case q.X == nil:
		return p
	}
	return c.affine(c.add(jacobian{p.X, p.Y, big.NewInt(1)}, q))
}
