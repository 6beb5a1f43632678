package journal

import (
	"encoding/binary"
	"slices"

	"github.com/cespare/xxhash/v2"
	"google.golang.org/protobuf/encoding/protowire"
)

// A term is what a chunk is found by: the hash of a field and its value. A chunk keeps its terms as a sorted list of 32-bit
// hashes. At some 1500 terms a chunk, one in three million chunks is decoded in vain: that beats a Bloom filter, whose share
// for a quarter of the bytes is one in a hundred, and lists can be merged.
type term = uint32

// Terms that are no field's value.
const termUnmatched protowire.Number = 1 << 10

// hashTerm must never change: hashes are on disk.
func hashTerm(field protowire.Number, value string) term {
	return term((xxhash.Sum64String(value) ^ uint64(field)) * 0x9E3779B97F4A7C15 >> 32) // Fibonacci hashing mixes the field in
}

// appendTerms adds what a callback is found by.
func (c *Callback) appendTerms(ts []term) []term {
	add := func(field protowire.Number, value string) {
		if value != "" {
			ts = append(ts, hashTerm(field, value))
		}
	}
	add(cID, c.ID)
	add(cOperation, c.OperationID)
	add(cMessage, c.MessageID)
	add(cGroup, c.GroupID)
	add(cSender, c.SenderID)
	add(cCommand, c.Command)
	add(cVerdict, c.Verdict)
	if c.Trouble != "" {
		add(cVerdict, verdictTrouble)
	}
	for _, rule := range c.Rules {
		add(cRules, rule)
	}
	for _, sink := range c.Asked {
		add(cAsked, sink)
	}
	for _, sink := range c.Notified {
		add(cAsked, sink)
	}
	if len(c.Rules) == 0 {
		add(termUnmatched, "unmatched")
	}
	return ts
}

// sortTerms sorts, and leaves each term once.
func sortTerms(ts []term) []term {
	slices.Sort(ts)
	return slices.Compact(ts)
}

// packTerms is how sorted terms are stored: four bytes each, big-endian.
func packTerms(ts []term) []byte {
	b := make([]byte, 0, 4*len(ts))
	for _, t := range ts {
		b = binary.BigEndian.AppendUint32(b, t)
	}
	return b
}

func appendPacked(ts []term, packed []byte) []term {
	for ; len(packed) >= 4; packed = packed[4:] {
		ts = append(ts, binary.BigEndian.Uint32(packed))
	}
	return ts
}

// holdsTerms reports whether all of want are among packed terms.
func holdsTerms(packed []byte, want []term) bool {
	for _, t := range want {
		lo, hi := 0, len(packed)/4
		for lo < hi {
			if mid := (lo + hi) / 2; binary.BigEndian.Uint32(packed[4*mid:]) < t {
				lo = mid + 1
			} else {
				hi = mid
			}
		}
		if 4*lo+4 > len(packed) || binary.BigEndian.Uint32(packed[4*lo:]) != t {
			return false
		}
	}
	return true
}
