package when

// outcomes are what a part of a condition may come to: one of them when everything that it reads is known.
type outcomes uint8

const (
	comesTrue outcomes = 1 << iota
	comesFalse
	fails
	comesNil // nothing, which counts as false wherever truth is asked
	comesOdd // neither true nor false nor nothing, which fails there
)

const anything = comesTrue | comesFalse | fails

// truth returns what is certain.
func (o outcomes) truth() Truth {
	switch o {
	case comesTrue:
		return True
	case comesFalse:
		return False
	case comesNil, comesOdd:
		return NoTruth
	}
	return Unknown
}

// asked is what comes of a value when it is asked whether it is true.
func (o outcomes) asked() outcomes {
	if o&comesNil != 0 {
		o = o&^comesNil | comesFalse
	}
	if o&comesOdd != 0 {
		o = o&^comesOdd | fails
	}
	return o
}

// negated is what not makes of it.
func (o outcomes) negated() outcomes {
	o = o.asked()
	n := o & fails
	if o&comesTrue != 0 {
		n |= comesFalse
	}
	if o&comesFalse != 0 {
		n |= comesTrue
	}
	return n
}

// then is what comes of o when all its ways that go on end as next does.
func (o outcomes) then(goesOn, next outcomes) outcomes {
	if o&goesOn == 0 {
		return o
	}
	return o&^goesOn | next
}

// comeTo folds what is below a joint, as the virtual machine does: from left to right and no further than needed. Each is
// asked for with whether the evaluation certainly ends before it.
func (j *joint) comeTo(each func(below *joint, skipped bool) outcomes) outcomes {
	switch j.kind {
	case allOf, anyOf:
		goesOn := comesTrue
		if j.kind == anyOf {
			goesOn = comesFalse
		}
		o := goesOn
		for _, b := range j.below {
			o = o.asked()
			o = o.then(goesOn, each(b, o&goesOn == 0))
		}
		return o
	case notOf:
		return each(j.below[0], false).negated()
	case choice:
		cond := each(j.below[0], false).asked()
		then, otherwise := each(j.below[1], cond&comesTrue == 0), each(j.below[2], cond&comesFalse == 0)
		o := cond & fails
		if cond&comesTrue != 0 {
			o |= then
		}
		if cond&comesFalse != 0 {
			o |= otherwise
		}
		return o
	case variable:
		o := each(j.below[0], false)
		made := o &^ fails
		if made != 0 {
			made = comesTrue // there is a value, and the evaluation goes on
		}
		o = o&fails | made
		return o.then(comesTrue, each(j.below[1], made == 0))
	}
	return anything
}
