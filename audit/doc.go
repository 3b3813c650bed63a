// Package audit is the log of a ceremony: what an entry is, how entries are
// chained, hashed into a Merkle tree and signed, and how a log grows.
// docs/audit-log.md is its specification, for programs in any language.
//
//	entry       {"data":{…},"kind":"…","prev":"…","salt":"…","seq":0,"step":"…","time":"…"}
//	hash        SHA-256(0x00 ‖ entry), RFC 6962 leaf hash; the next entry's prev
//	tree        RFC 6962 section 2.1 over the hashes
//	checkpoint  C2SP tlog-checkpoint: origin, size, root, signed by the log key
//
// An [Entry] has one encoding: [Parse] accepts exactly what [Entry.Marshal]
// writes. A [Log] appends entries to a [Store], each transaction with a
// checkpoint over all that is stored then, so that no unsigned tail exists.
// [CheckStore] reads a store and checks all that a log can show of itself.
//
// The package reads no file, no clock and no randomness of its own: they are
// handed to it.
package audit
