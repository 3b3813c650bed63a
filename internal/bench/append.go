package main

import (
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/audit/sqlite"
)

// appended is how many durable entries a log takes in the time of one bare
// INSERT and COMMIT of the same sort of bytes (entry and checkpoint) in the same
// folder, with the same synchronous setting. Rounds are those of recordedSign.
func appended(late bool) func(stopwatch) (float64, error) {
	return func(w stopwatch) (ratio float64, err error) {
		dir, err := scratch()
		if err != nil {
			return 0, err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
		return freshRatio(dir, func(dir string) (float64, error) { return appendRound(w, dir, late) })
	}
}

// appendRound is a round of appended.
func appendRound(w stopwatch, dir string, late bool) (ratio float64, err error) {
	log, err := newLog(filepath.Join(dir, "audit.db"), w)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	if late {
		if err := fillWAL(log); err != nil {
			return 0, err
		}
	}
	d := &audit.HSMOutcome{Intent: 7, Function: "C_GetSessionInfo", RV: "CKR_OK", State: "CKS_RW_USER_FUNCTIONS"}
	for range 32 {
		if _, err := log.Append("step", d); err != nil {
			return 0, err
		}
	}
	rows, err := bytesOfCommits(log, log.Size()-32)
	if err != nil {
		return 0, err
	}
	bare, err := newBareStore(filepath.Join(dir, "bare.db"), rows, late)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, bare.close()) }()
	durable := whole(func() error {
		_, err := log.AppendSync("step", d)
		return err
	})
	return w.ratio(1, turns, whole(bare.commit), durable)
}

// newLog makes a log in a store of its own.
func newLog(path string, w stopwatch) (*audit.Log, error) {
	store, err := sqlite.Create(path)
	if err != nil {
		return nil, err
	}
	key, err := audit.NewLogKey(benchOrigin, rand.Reader)
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	log, err := audit.Create(audit.Config{Store: store, Key: key, Origin: benchOrigin, Now: w.now, Rand: rand.Reader})
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	return log, nil
}

// bytesOfCommits returns what the commits of the entries from seq from on
// wrote: an entry and a checkpoint each. They are not zeros, which some disks
// store for nothing.
func bytesOfCommits(log *audit.Log, from int64) (list [][]byte, err error) {
	checkpoint := log.Checkpoint()
	err = log.Entries(from, func(e *audit.Entry) error {
		encoded, err := e.Marshal()
		list = append(list, append(encoded, checkpoint...))
		return err
	})
	if err == nil && len(list) == 0 {
		err = errors.New("no entry was measured")
	}
	return list, err
}

// fillWAL fills a log's write-ahead log once: from then on SQLite writes over
// it, a bare one too, instead of making it longer. bareStore.fill does the same.
func fillWAL(log *audit.Log) error {
	for range walPages {
		if _, err := log.Append("", &audit.Result{Name: "bench", Value: "filling"}); err != nil {
			return err
		}
	}
	return nil
}
