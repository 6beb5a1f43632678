package index

import "strings"

// gramSize is how many bytes of a text that is looked for are its key. Texts that are shorter are looked for one by one.
const gramSize = 3

// filterBits is the size of the filter that most grams of a text end at: 32 KiB, which a cache holds.
const filterBits = 18

// grams finds which of many texts are in one: each is found by the gram of it that the fewest others have, and then
// compared.
type grams struct {
	subject int
	filter  [1 << filterBits / 64]uint64
	table   keyTable // gram → numbers of needles
	needles []needle
	short   []uint32          // numbers of the needles that have no gram
	known   map[string]uint32 // text → its number, until all are there
}

// A needle is a text that is looked for.
type needle struct {
	text  string
	at    int // of its gram
	rules []uint32
}

func gramAt(s string, i int) uint32 {
	return uint32(s[i])<<16 | uint32(s[i+1])<<8 | uint32(s[i+2])
}

func filterBit(gram uint32) uint32 { return gram * 2654435761 >> (32 - filterBits) }

// add makes a rule be found by a text.
func (g *grams) add(text string, rule uint32) {
	n, ok := g.known[text]
	if !ok {
		n = uint32(len(g.needles))
		g.known[text] = n
		g.needles = append(g.needles, needle{text: text})
	}
	g.needles[n].rules = append(g.needles[n].rules, rule)
}

// build chooses the grams once all texts are there.
func (g *grams) build() {
	g.known = nil
	often := make([]uint32, 1<<filterBits) // filter bit → how many texts have such a gram
	for _, n := range g.needles {
		for i := 0; i+gramSize <= len(n.text); i++ {
			often[filterBit(gramAt(n.text, i))]++
		}
	}
	g.table = newKeyTable(len(g.needles))
	for i := range g.needles {
		n := &g.needles[i]
		if len(n.text) < gramSize {
			g.short = append(g.short, uint32(i))
			continue
		}
		for at := 1; at+gramSize <= len(n.text); at++ {
			if often[filterBit(gramAt(n.text, at))] < often[filterBit(gramAt(n.text, n.at))] {
				n.at = at
			}
		}
		gram := gramAt(n.text, n.at)
		bit := filterBit(gram)
		g.filter[bit/64] |= 1 << (bit % 64)
		g.table.add(keyOf(gramKey, 0, uint64(gram)), uint32(i))
	}
}

// find adds the rules whose texts are in text. seen holds a mark for each needle, so that one that a sender repeats is
// taken once.
func (g *grams) find(s *search, text string, seen []uint32) {
	for _, i := range g.short {
		if strings.Contains(text, g.needles[i].text) {
			s.addAll(g.needles[i].rules)
		}
	}
	for i := 0; i+gramSize <= len(text); i++ {
		gram := gramAt(text, i)
		bit := filterBit(gram)
		if g.filter[bit/64]&(1<<(bit%64)) == 0 {
			continue
		}
		for at := g.table.first(keyOf(gramKey, 0, uint64(gram))); at != 0; {
			entry := g.table.nodes[at-1]
			at = entry.next
			if seen[entry.number] == s.mark {
				continue
			}
			n := &g.needles[entry.number]
			if begin := i - n.at; begin >= 0 && strings.HasPrefix(text[begin:], n.text) {
				seen[entry.number] = s.mark
				s.addAll(n.rules)
			}
		}
	}
}
