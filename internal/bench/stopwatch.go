package main

import (
	"os"
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

// ratio runs measured and plain in turn, round by round, and returns the median
// time of the first over the median time of the second, in the median round. In
// a round each works turns times without a break, as it does where it is used:
// what one leaves in the disk's queue is not charged to the other, but for the
// first few times, which are not counted. Rounds let both meet the same disk and
// the same neighbours; medians leave out what happened to only one of them.
func (w stopwatch) ratio(rounds, turns int, measured, plain work) (float64, error) {
	ratios := make([]float64, rounds)
	for i := range ratios {
		a, err := w.times(turns, measured)
		if err != nil {
			return 0, err
		}
		b, err := w.times(turns, plain)
		if err != nil {
			return 0, err
		}
		ratios[i] = float64(median(a)) / float64(median(b))
	}
	return median(ratios), nil
}

// rounds and turns are those of the measurements on a disk.
const rounds, turns = 15, 60

// freshRatio returns the median of rounds, each with a folder of its own in dir.
func freshRatio(dir string, round func(dir string) (float64, error)) (float64, error) {
	ratios := make([]float64, rounds)
	for i := range ratios {
		fresh, err := os.MkdirTemp(dir, "round-")
		if err != nil {
			return 0, err
		}
		if ratios[i], err = round(fresh); err != nil {
			return 0, err
		}
	}
	return median(ratios), nil
}

// settling is how often a work is done at the beginning of a round without
// being counted.
const settling = 3

// times does a work turns times in a row, and returns how long each took.
func (w stopwatch) times(turns int, do work) ([]time.Duration, error) {
	var list []time.Duration
	for n := range turns + settling {
		t, err := w.time(do)
		if err != nil {
			return nil, err
		}
		if n >= settling {
			list = append(list, t)
		}
	}
	return list, nil
}

// median returns the middle of the values, the upper one of two; it sorts them.
func median[T float64 | time.Duration](values []T) T {
	slices.Sort(values)
	return values[len(values)/2]
}
