package nrbf

import (
	"reflect"
	"slices"
	"strings"
)

// object writes a struct into old, or makes an object for it.
func (w *marshaler) object(t Type, p *plan, rv reflect.Value, old Value, box bool, id identity) (Value, error) {
	if id.p != nil {
		if n := w.ptrs[id]; n != nil {
			return n.value(), nil
		}
	}
	o := old.Object()
	if r := w.types.of(p.typ); o != nil && r != nil && r.name != o.class.name {
		o = nil // another class than the one that stands there
	}
	if o != nil {
		holder, taken := w.claimed[(*node)(o)]
		switch {
		case !taken:
		case id.p == nil && holder == id && w.unchanged(rv, o.Value()):
			return o.Value(), nil
		default:
			var err error
			if o, err = w.clone(o); err != nil {
				return Value{}, err
			}
		}
	} else {
		c, inPlace, err := w.classFor(t, p)
		if err != nil {
			return Value{}, err
		}
		if o, err = w.g.object(c, inPlace && !box); err != nil {
			return Value{}, err
		}
	}
	w.claimed[(*node)(o)] = id
	if id.p != nil {
		w.ptrs[id] = (*node)(o)
		if w.depth > depthDefer {
			w.queue = append(w.queue, task{o, p, rv})
			return o.Value(), nil
		}
	}
	return o.Value(), w.fill(p, o, rv)
}

// fill writes the fields into the members of an object.
func (w *marshaler) fill(p *plan, o *Object, rv reflect.Value) error {
	members, err := w.matches.members(p, o.class)
	if err != nil {
		return err
	}
	for i := range p.fields {
		k := members[i]
		f := &p.fields[i]
		if k < 0 {
			if !f.of(rv).IsZero() {
				return usage(o.class.name, ErrNoMember, "it has none for the Go field %s, whose value would be lost", f.goes)
			}
			continue
		}
		m := &o.class.members[k]
		v, err := w.put(m.Type, f.of(rv), o.vals[k])
		if err == nil && v != o.vals[k] {
			if err = m.Type.accepts(v, ""); err == nil {
				o.vals[k] = v
				w.g.changed = true
			}
		}
		if err != nil {
			return at(err, "."+propertyName(m.Name))
		}
	}
	return nil
}

// clone copies an object, the structs in it included.
func (w *marshaler) clone(o *Object) (*Object, error) {
	if w.depth++; w.depth > depthMost {
		return nil, usage(o.class.name, ErrLimit, "structs more than %d deep", depthMost)
	}
	defer func() { w.depth-- }()
	c, err := w.g.object(o.class, o.Inline())
	if err != nil {
		return nil, err
	}
	w.g.changed = true
	for i, v := range o.vals {
		if inner := v.Object(); inner != nil && inner.Inline() {
			if inner, err = w.clone(inner); err != nil {
				return nil, err
			}
			v = inner.Value()
		}
		c.vals[i] = v
	}
	return c, nil
}

// example is an object of a class that the stream has.
func (w *marshaler) example(name string) *Object {
	if w.classes == nil {
		w.classes = map[string]*node{}
		for _, n := range w.g.order {
			if n.kind == KindObject && w.classes[n.class.name] == nil {
				w.classes[n.class.name] = n
			}
		}
	}
	return (*Object)(w.classes[name])
}

// classFor finds the class for a new object: of the stream, else registered.
func (w *marshaler) classFor(t Type, p *plan) (c *Class, inPlace bool, err error) {
	r := w.types.of(p.typ)
	name := t.Name
	if args := genericOf(t, "System.Nullable`1"); len(args) == 1 {
		name = args[0].Name
	}
	if r != nil {
		name = r.name
	}
	if o := w.example(name); o != nil && name != "" {
		inPlace = o.Inline()
		if r != nil {
			inPlace = r.value
		}
		return o.class, inPlace, nil
	}
	if r == nil {
		return nil, false, usage("", ErrType, "Go %s is not registered as a .NET type, and the stream has no %s to learn from", p.typ, clip(t.String()))
	}
	library := r.library
	if t.Name == r.name {
		library = t.Library
	} else {
		short, _, _ := strings.Cut(library, ",")
		for _, l := range w.g.libs {
			if s, _, _ := strings.Cut(l.name, ","); s == short {
				library = l.name
				break
			}
		}
	}
	members, err := w.types.members(r)
	if err != nil {
		return nil, false, err
	}
	c, err = w.class(r.name, library, members...)
	return c, r.value, err
}

// class makes a class once.
func (w *marshaler) class(name, library string, members ...Member) (*Class, error) {
	if o := w.example(name); o != nil && o.class.library == library && slices.Equal(o.class.members, members) {
		return o.class, nil
	}
	c, err := w.g.NewClass(name, library, members...)
	if err != nil {
		return nil, err
	}
	w.classes[name] = &node{kind: KindObject, class: c, g: w.g, id: -1} // never part of the graph
	return c, nil
}
