package nrbf

// fill reads values into the innermost frame until it is full or opens another.
func (d *decoder) fill() error {
	depth := len(d.stack)
	f := &d.stack[depth-1]
	if f.arr {
		for f.i < f.n.arr.total {
			v, err := d.value(f.n.arr.elem, f.n.arr.total-f.i)
			if err != nil {
				return err
			}
			f = &d.stack[depth-1] // value may have moved the stack
			f.i += d.element(v)
			if len(d.stack) > depth {
				return nil
			}
		}
		n := f.n
		n.vals = d.g.values.many(len(d.scratch))
		copy(n.vals, d.scratch)
		if len(n.vals) != n.arr.total {
			n.arr.starts = make([]int32, 0, len(n.vals))
			(*Array)(n).index()
		}
		d.stack = d.stack[:depth-1]
		return nil
	}
	n, members := f.n, f.n.class.members
	for f.i < len(members) {
		t := &members[f.i].Type
		f.i++ // where() names the member before
		var v Value
		var err error
		if t.Form == FormPrimitive {
			d.record = f.record // it has none of its own
			v, err = d.primitive(t.Kind)
		} else {
			v, err = d.value(*t, len(members)-f.i+1)
		}
		if err != nil {
			return err
		}
		if v.kind == KindNull && v.n > 1 {
			if err := d.nullMembers(n, f.i-1, int(v.n)); err != nil {
				return err
			}
			f.i += int(v.n) - 1
			continue
		}
		n.vals[f.i-1] = v
		if len(d.stack) > depth {
			d.stack[depth-1].i = f.i // f may be of the stack before it moved
			return nil
		}
	}
	d.stack = d.stack[:depth-1]
	return nil
}

// nullMembers spreads a run over members. No writer makes one; .NET reads it.
func (d *decoder) nullMembers(n *node, from, count int) error {
	for k := from; k < from+count; k++ {
		if n.class.members[k].Type.Form == FormPrimitive {
			return d.fail(ErrCorrupt, "a run of nulls reaches a primitive member")
		}
		n.vals[k] = null
	}
	n.vals[from].n = 1
	return nil
}

// element appends to the open array, nulls to the run before them.
func (d *decoder) element(v Value) int {
	if v.kind != KindNull {
		d.scratch = append(d.scratch, v)
		return 1
	}
	if k := len(d.scratch) - 1; k >= 0 && d.scratch[k].kind == KindNull {
		d.scratch[k].n += v.n
	} else {
		d.scratch = append(d.scratch, v)
	}
	return int(v.n)
}

// value reads the records of one value that is declared as a reference, or a
// run of at most room nulls. A class record leaves a frame open.
func (d *decoder) value(t Type, room int) (Value, error) {
	for {
		start := d.off
		b, err := d.byte()
		if err != nil {
			return Value{}, err
		}
		d.record = RecordType(b)
		switch d.record {
		case BinaryLibrary:
			if err := d.library(); err != nil {
				return Value{}, err
			}
			continue
		case ObjectNull:
			return null, nil
		case ObjectNullMultiple256, ObjectNullMultiple:
			return d.nulls(room)
		case MemberReference:
			return d.reference(t)
		case BinaryObjectString:
			if t.array() {
				return Value{}, d.fail(ErrCorrupt, "a string where %s is declared", t)
			}
			n, err := d.string()
			return Value{p: n, kind: kindNode}, err
		case MemberPrimitiveTyped:
			if t.Form == FormString || t.array() {
				return Value{}, d.fail(ErrCorrupt, "a primitive where %s is declared", t)
			}
			kind, err := d.kind()
			if err != nil {
				return Value{}, err
			}
			return d.primitive(kind)
		case ClassWithID, SystemClassWithMembers, ClassWithMembers, SystemClassWithMembersAndTypes, ClassWithMembersAndTypes:
			if t.Form == FormString || t.array() {
				return Value{}, d.fail(ErrCorrupt, "an object where %s is declared", t)
			}
			n, err := d.class(true)
			return Value{p: n, kind: kindNode}, err
		}
		d.off = start
		return Value{}, d.stray("inside another")
	}
}

func (d *decoder) nulls(room int) (Value, error) {
	var n int
	var err error
	if d.record == ObjectNullMultiple256 {
		var b byte
		b, err = d.byte()
		n = int(b)
	} else {
		n, err = d.count("the run of nulls")
	}
	if err != nil {
		return Value{}, err
	}
	if n < 1 || n > room {
		return Value{}, d.fail(ErrCorrupt, "a run of %d nulls where %d values are missing", n, room)
	}
	return Value{kind: KindNull, n: uint64(n)}, nil
}

// reference finds the node, or makes one for the definition to come.
func (d *decoder) reference(t Type) (Value, error) {
	id, err := d.int32()
	if err != nil {
		return Value{}, err
	}
	if id <= 0 {
		d.off -= 4
		return Value{}, d.fail(ErrCorrupt, "a reference to id %d", id)
	}
	n := d.g.pos.get(id)
	if n == nil {
		if n, err = d.node(id); err != nil {
			return Value{}, err
		}
		d.open++
	}
	if t.Form == FormString {
		n.want |= wantString
	} else if t.array() {
		n.want |= wantArray
	}
	if n.kind != KindNone {
		err = d.wanted(n)
	}
	return Value{p: n, kind: kindNode}, err
}
