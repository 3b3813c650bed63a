package pki

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"errors"
	"fmt"
	"math/big"
)

// Steps of the search for a small private key: smallBaby multiples of the base
// point are kept, and smallGiant strides of as many are tried from either end.
// Together they find every k under 2^20 and every k above N−2^20.
const (
	smallBaby  = 1024
	smallGiant = 1 << 20 / (2 * smallBaby)
)

// checkEC reports a point that is none of its curve, or whose private key is
// close to 0 or to the curve's order.
func checkEC(k *ecdsa.PublicKey) error {
	point, err := k.Bytes()
	if err != nil {
		return fmt.Errorf("the EC point is not on %s or is the point at infinity (BR 6.1.6)", AlgorithmOf(k))
	}
	size := len(point) / 2
	q := &ecPoint{new(big.Int).SetBytes(point[1 : 1+size]), new(big.Int).SetBytes(point[1+size:])}
	if smallScalar(q, k.Params()) {
		return errors.New("the EC private key is so small that counting finds it")
	}
	return nil
}

// An ecPoint is a point in affine coordinates; nil is the point at infinity.
type ecPoint struct{ x, y *big.Int }

// smallScalar looks for k with q = k·G by baby steps and giant steps: a table
// of the x of i·G, i ≤ smallBaby, meets q ± j·(2·smallBaby)·G. An x stands for i
// and −i, so that each stride covers twice the table.
func smallScalar(q *ecPoint, c *elliptic.CurveParams) bool {
	g := &ecPoint{c.Gx, c.Gy}
	baby := make(map[string]bool, smallBaby)
	step := g
	for range smallBaby {
		baby[string(step.x.Bytes())] = true
		step = addPoints(step, g, c)
	}
	// step is (smallBaby+1)·G: a stride of twice smallBaby leaves no gap.
	stride := doublePoint(addPoints(step, negated(g, c), c), c)
	up, down := q, q
	for range smallGiant + 1 {
		if met(baby, up) || met(baby, down) {
			return true
		}
		up, down = addPoints(up, stride, c), addPoints(down, negated(stride, c), c)
	}
	return false
}

// met reports whether a point is ±i·G of the table, or infinity.
func met(baby map[string]bool, p *ecPoint) bool {
	return p == nil || baby[string(p.x.Bytes())]
}

func negated(p *ecPoint, c *elliptic.CurveParams) *ecPoint {
	return &ecPoint{p.x, new(big.Int).Sub(c.P, p.y)}
}

// addPoints adds points of y² = x³ − 3x + b. It works on public keys only, so
// that its running time gives nothing away.
func addPoints(p, q *ecPoint, c *elliptic.CurveParams) *ecPoint {
	switch {
	case p == nil:
		return q
	case q == nil:
		return p
	case p.x.Cmp(q.x) == 0 && p.y.Cmp(q.y) == 0:
		return doublePoint(p, c)
	case p.x.Cmp(q.x) == 0:
		return nil
	}
	return chord(p, q, new(big.Int).Sub(q.y, p.y), new(big.Int).Sub(q.x, p.x), c)
}

func doublePoint(p *ecPoint, c *elliptic.CurveParams) *ecPoint {
	num := new(big.Int).Mul(p.x, p.x)
	num.Sub(num, big.NewInt(1))
	num.Mul(num, big.NewInt(3))
	return chord(p, p, num, new(big.Int).Lsh(p.y, 1), c)
}

// chord returns the third point of the line through p and q with slope num/den,
// mirrored. The order of the curves is an odd prime, so den is never 0 here.
func chord(p, q *ecPoint, num, den *big.Int, c *elliptic.CurveParams) *ecPoint {
	l := den.ModInverse(den.Mod(den, c.P), c.P)
	l.Mul(l, num)
	l.Mod(l, c.P)
	x := new(big.Int).Mul(l, l)
	x.Sub(x, p.x)
	x.Sub(x, q.x)
	x.Mod(x, c.P)
	y := new(big.Int).Sub(p.x, x)
	y.Mul(y, l)
	y.Sub(y, p.y)
	return &ecPoint{x, y.Mod(y, c.P)}
}
