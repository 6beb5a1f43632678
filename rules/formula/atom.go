package formula

// A Root says where a Field comes from.
type Root uint8

// The roots.
const (
	OfField Root = iota // a field of the body, or a member of one
	Command
	Source
	Text
	Data   // a member of content as JSON
	Raw    // a member of the body, whether the catalogue knows it or not
	Header // the first value of a request header
	Query  // the first value of a query parameter
)

// A Type is what is known of a Field's values.
type Type uint8

// The types.
const (
	Unknown Type = iota // any JSON value, nil when it is absent
	String
	Int
	Bool
	Strings // a list of texts
	Ints    // a list of integers
	Entries // a list of objects
)

// A Field is what an Atom is about. It is comparable: equal Fields have the same value for a callback.
type Field struct {
	Root Root
	Type Type
	Key  string // of a field of the body: its slot in what conditions run on, which differs where commands type a name differently
	Name string // as conditions write it: groupID, data.level, headers["x-real-ip"]
	Path string // the members below the root, outermost first, joined by PathSeparator; the name of a header or parameter
}

// PathSeparator stands between the members of a path.
const PathSeparator = "\x00"

// A View is the form in which a Field's value is looked at.
type View uint8

// The views.
const (
	Plain  View = iota
	Length      // of a text in characters, of a list in entries
	Bytes       // of a text
	Lower       // lower(…)
	Folded      // each character by the least one that differs from it in case only, as (?i) compares
)

// A Kind is what an Atom says of a value.
type Kind uint8

// The kinds. Texts, Ints and Bools stand for literals; an Atom has literals of one type, except that a value of unknown
// type may be compared with several. An Int equals an unknown value of the same number with a fraction of zero.
const (
	OneOf     Kind = iota // the value equals one of the literals
	NoneOf                // the value equals none of the literals
	Has                   // the list has an entry that is one of the literals
	HasNone               // the list has no entry that is one of the literals
	HasPrefix             // the text begins with one of Texts
	HasSuffix             // the text ends with one of Texts
	Contains              // the text contains one of Texts
	Range                 // the integer is From at least and To at most
)

// An Atom is one statement about one value. Of makes them; they are read-only then.
type Atom struct {
	Field    Field
	View     View
	Kind     Kind
	subject  Subject // here, where it takes no room: there are many atoms
	Texts    []string
	Ints     []int
	Bools    []bool
	From, To int // of Range: Lowest and Highest where it is open

	hashes []uint64
}

// Len returns how many literals the atom has.
func (a *Atom) Len() int { return len(a.Texts) + len(a.Ints) + len(a.Bools) }

// impossible reports whether no value fulfils the atom.
func (a *Atom) impossible() bool {
	switch a.Kind {
	case Range:
		return a.From > a.To || (a.View == Length || a.View == Bytes) && a.To < 0
	case NoneOf, HasNone:
		return a.Field.Type == Bool && a.has(true) && a.has(false)
	default:
		return a.Len() == 0
	}
}

// sure reports whether every value fulfils the atom.
func (a *Atom) sure() bool {
	switch a.Kind {
	case Range:
		return (a.From == Lowest || a.From <= 0 && (a.View == Length || a.View == Bytes)) && a.To == Highest
	case NoneOf, HasNone:
		return a.Len() == 0
	case HasPrefix, HasSuffix, Contains:
		for _, t := range a.Texts {
			if t == "" {
				return a.Field.Type == String
			}
		}
	case OneOf:
		return a.Field.Type == Bool && a.has(true) && a.has(false)
	}
	return false
}

func (a *Atom) has(b bool) bool {
	for _, v := range a.Bools {
		if v == b {
			return true
		}
	}
	return false
}

// joins reports whether two atoms of the kind are one with the literals of both when either suffices.
func (k Kind) joins() bool {
	return k == OneOf || k == Has || k == HasPrefix || k == HasSuffix || k == Contains
}
