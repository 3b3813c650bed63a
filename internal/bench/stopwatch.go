package main

import (
	"slices"
	"time"
)

// A stopwatch times work against a clock.
type stopwatch struct{ now func() time.Time }

// A work does a piece of work once. It returns the part of it that counts, so
// that what only prepares it can stay outside the time.
type work func() (func() error, error)

// whole makes a work of a function that needs no preparation.
func whole(f func() error) work {
	return func() (func() error, error) { return f, nil }
}

// time returns how long the part of a work that counts took.
func (w stopwatch) time(do work) (time.Duration, error) {
	part, err := do()
	if err != nil {
		return 0, err
	}
	start := w.now()
	err = part()
	return w.now().Sub(start), err
}

// ratio runs measured and plain in turn and returns the median time of the
// first over the median time of the second, in the median round. Taking turns
// lets both meet the same disk and the same neighbours; medians leave out what
// happened to only one of them.
func (w stopwatch) ratio(rounds, turns int, measured, plain work) (float64, error) {
	ratios := make([]float64, rounds)
	for i := range ratios {
		var a, b []time.Duration
		for range turns {
			x, err := w.time(measured)
			if err != nil {
				return 0, err
			}
			y, err := w.time(plain)
			if err != nil {
				return 0, err
			}
			a, b = append(a, x), append(b, y)
		}
		ratios[i] = float64(median(a)) / float64(median(b))
	}
	return median(ratios), nil
}

// median returns the middle of the values, the upper one of two; it sorts them.
func median[T float64 | time.Duration](values []T) T {
	slices.Sort(values)
	return values[len(values)/2]
}
