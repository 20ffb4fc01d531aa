package nrbf

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// sequence writes a slice or array into an array or List.
func (w *marshaler) sequence(t Type, p *plan, rv reflect.Value, old Value) (Value, error) {
	if p.op == opSlice && rv.IsNil() {
		if !old.IsNull() && rv.Len() == 0 && w.unchanged(reflect.MakeSlice(rv.Type(), 0, 0), old) {
			return old, nil
		}
		return w.null(t, rv)
	}
	if a := old.Array(); a != nil {
		if a.Rank() != 1 {
			return w.sameOr(rv, old, "only arrays of rank 1 can be changed")
		}
		return old, w.array(a, a.Len(), p, rv)
	}
	if o := old.Object(); o != nil {
		l := layoutOf(o.class)
		if l.kind != layItems || o.vals[l.a].Array() == nil {
			return w.sameOr(rv, old, "only arrays, List and ArrayList can be changed")
		}
		a := o.vals[l.a].Array()
		size, ok := o.vals[l.b].Int()
		if !ok || size < 0 || size > int64(a.Len()) {
			return Value{}, usage("", ErrCorrupt, "%s has %v elements in an array of %d", plainName(o.class.name), o.vals[l.b], a.Len())
		}
		changed := w.g.changed
		w.g.changed = false
		err := w.array(a, int(size), p, rv)
		if w.g.changed {
			o.vals[l.b] = Value{kind: o.vals[l.b].kind, n: uint64(rv.Len())}
			w.bump(o)
		}
		w.g.changed = w.g.changed || changed
		return old, err
	}
	elem, isArray := elemType(t)
	args := genericOf(t, listName)
	switch {
	case isArray:
	case len(args) == 1:
		elem = args[0]
	default: // an interface or Object: what the Go type says
		decl, err := w.types.declare(p.typ, tag{})
		if err != nil {
			return Value{}, err
		}
		if elem, isArray = elemType(decl); !isArray {
			if args = genericOf(decl, listName); len(args) != 1 {
				return Value{}, usage("", ErrType, "Go %s into %s", p.typ, clip(t.String()))
			}
			elem, t = args[0], decl
		}
	}
	_, nested := elemType(elem)
	a, err := w.g.NewArray(elem, 0, nested)
	if err != nil {
		return Value{}, err
	}
	if err := w.array(a, 0, p, rv); err != nil || isArray {
		return a.Value(), err
	}
	c, err := w.class(t.Name, "", Member{"_items", arrayType(elem)}, Member{"_size", PrimitiveType(KindInt32)}, Member{"_version", PrimitiveType(KindInt32)})
	if err != nil {
		return Value{}, err
	}
	o, err := w.g.object(c, false)
	if err != nil {
		return Value{}, err
	}
	o.vals[0], o.vals[1] = a.Value(), Value{kind: KindInt32, n: uint64(rv.Len())}
	return o.Value(), nil
}

// bump counts a change of a collection, as .NET does.
func (w *marshaler) bump(o *Object) {
	for _, name := range []string{"_version", "Version"} {
		if i := o.class.find(name); i >= 0 && o.vals[i].kind == KindInt32 {
			o.vals[i].n = uint64(int32(o.vals[i].n) + 1)
		}
	}
	w.g.changed = true
}

// array writes elements into an array of rank 1 of which size count.
func (w *marshaler) array(a *Array, size int, p *plan, rv reflect.Value) error {
	if p.op == opSlice && p.elem.prim == KindByte && a.primitive() && a.arr.elem.Kind == KindByte {
		b := a.Bytes() // nil in a new array, too
		if size != rv.Len() || string(b[:size]) != string(rv.Bytes()) {
			return SetPrimitives(a, rv.Bytes())
		}
		return nil
	}
	n := rv.Len()
	if n > w.g.opt.Elements {
		return usage("", ErrLimit, "%d elements, at most %d", n, w.g.opt.Elements)
	}
	var olds []Value
	for i, v := range a.All() {
		if i == size {
			break
		}
		olds = append(olds, v)
	}
	from, err := w.pair(a, olds, p, rv)
	if err != nil {
		return err
	}
	same := n == size
	vals := make([]Value, n)
	for i := range n {
		old := zero(a.arr.elem)
		if from[i] >= 0 {
			old = olds[from[i]]
		}
		v, err := w.put(a.arr.elem, rv.Index(i), old)
		if err == nil {
			err = a.arr.elem.accepts(v, "")
		}
		if err != nil {
			return atIndex(err, i)
		}
		vals[i] = v
		same = same && from[i] == i && v == olds[i]
	}
	if same {
		return nil
	}
	if err := a.room(n); err != nil {
		return err
	}
	if a.primitive() {
		a.store(vals)
	} else {
		// What was capacity goes: a List finds room when it needs some.
		a.vals, a.arr.starts = vals, nil
	}
	a.resized(n)
	return nil
}

// dictionary writes a map into a Dictionary.
func (w *marshaler) dictionary(t Type, p *plan, rv reflect.Value, old Value) (Value, error) {
	o := old.Object()
	if rv.IsNil() {
		if o != nil && w.unchanged(reflect.MakeMap(rv.Type()), old) {
			return old, nil
		}
		return w.null(t, rv)
	}
	l := layout{kind: layPairs, a: -1}
	if o != nil {
		l = layoutOf(o.class)
	}
	if l.kind != layPairs || o != nil && o.class.find("HashSize") < 0 {
		return w.sameOr(rv, old, "of maps only Dictionary can be changed")
	}
	dict := t
	if o != nil {
		dict = ClassType(o.class.name, o.class.library)
	}
	args := genericOf(dict, dictName)
	if o == nil && len(args) != 2 { // an interface or Object
		var err error
		if dict, err = w.types.declare(p.typ, tag{}); err != nil {
			return Value{}, err
		}
		args = genericOf(dict, dictName)
	}
	var pairs *Array
	if o != nil && l.a >= 0 {
		pairs = o.vals[l.a].Array()
	}
	var class *Class // of the pairs
	if first := pairs.At(0).Object(); first != nil {
		class = first.class
	}
	if class == nil {
		if len(args) != 2 {
			return w.sameOr(rv, old, "its key and value types are not in the stream")
		}
		var err error
		if class, err = w.class(genericType(pairName, args...).Name, "", Member{"key", args[0]}, Member{"value", args[1]}); err != nil {
			return Value{}, err
		}
	}
	vals, same, err := w.pairs(pairs, class, p, rv)
	if err != nil || same && o != nil {
		return old, err
	}
	w.g.changed = true
	elem := ClassType(class.name, class.library)
	if pairs != nil {
		pairs.vals, pairs.arr.starts = vals, nil
		pairs.resized(len(vals))
	} else if len(vals) > 0 {
		if pairs, err = w.g.NewArray(elem, 0, false); err != nil {
			return Value{}, err
		}
		pairs.vals = vals
		pairs.resized(len(vals))
	}
	if o == nil {
		return w.newDictionary(dict, args, pairs)
	}
	if l.a < 0 && pairs != nil { // it was empty: the member is not described
		members := append(slices.Clone(o.class.members), Member{"KeyValuePairs", arrayType(elem)})
		c, err := w.class(o.class.name, o.class.library, members...)
		if err != nil {
			return Value{}, err
		}
		o.class, o.vals = c, append(slices.Clone(o.vals), pairs.Value())
	}
	if i := o.class.find("HashSize"); o.vals[i].kind == KindInt32 && int(int32(o.vals[i].n)) < len(vals) {
		o.vals[i].n = uint64(tableSize(len(vals)))
	}
	w.bump(o)
	return old, nil
}

// pairs are the entries in the order of the old ones, new ones by key behind.
func (w *marshaler) pairs(olds *Array, class *Class, p *plan, rv reflect.Value) (vals []Value, same bool, err error) {
	same = rv.Len() == olds.Len()
	had := reflect.MakeMap(reflect.MapOf(p.key.typ, reflect.TypeFor[bool]()))
	for _, v := range olds.All() {
		k, e, ok := pairOf(v)
		if !ok {
			return nil, false, usage("", ErrType, "%s among the pairs of a dictionary", netName(v))
		}
		key := reflect.New(p.key.typ)
		if err := w.mapping.UnmarshalValue(k, key.Interface()); err != nil {
			return nil, false, at(err, "[key]")
		}
		if !key.Elem().Comparable() {
			return nil, false, usage("[key]", ErrType, "%s is no key of a Go %s", netName(k), p.typ)
		}
		now := rv.MapIndex(key.Elem())
		if !now.IsValid() {
			same = false
			continue
		}
		had.SetMapIndex(key.Elem(), reflect.ValueOf(true))
		o := v.Object()
		i := 1
		x, err := w.put(o.class.members[i].Type, now, e)
		if err == nil && x != e {
			if err = o.class.members[i].Type.accepts(x, ""); err == nil {
				o.vals[i] = x
				w.g.changed, same = true, false
			}
		}
		if err != nil {
			return nil, false, at(err, "["+clip(k.String())+"]")
		}
		vals = append(vals, v)
	}
	keys := slices.DeleteFunc(rv.MapKeys(), func(k reflect.Value) bool { return had.MapIndex(k).IsValid() })
	slices.SortFunc(keys, compareKeys)
	for _, k := range keys {
		o, err := w.g.object(class, true)
		if err != nil {
			return nil, false, err
		}
		for i, x := range []reflect.Value{k, rv.MapIndex(k)} {
			m := class.members[i].Type
			if o.vals[i], err = w.put(m, x, zero(m)); err == nil {
				err = m.accepts(o.vals[i], "")
			}
			if err != nil {
				return nil, false, at(err, "["+clip(fmt.Sprint(k))+"]")
			}
		}
		if o.vals[0].IsNull() {
			return nil, false, usage("[key]", ErrType, "a Dictionary has no null key")
		}
		vals, same = append(vals, o.Value()), false
	}
	return vals, same, nil
}

func compareKeys(a, b reflect.Value) int {
	switch a.Kind() {
	case reflect.String:
		return strings.Compare(a.String(), b.String())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return cmp.Compare(a.Int(), b.Int())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return cmp.Compare(a.Uint(), b.Uint())
	}
	return strings.Compare(fmt.Sprint(a), fmt.Sprint(b))
}

func (w *marshaler) newDictionary(dict Type, args []Type, pairs *Array) (Value, error) {
	if len(args) != 2 {
		return Value{}, usage("", ErrType, "a Go map into %s", clip(dict.String()))
	}
	comparer := genericType("System.Collections.Generic."+w.comparer(args[0]), args[0])
	if args[0] == PrimitiveType(KindByte) {
		comparer = ClassType("System.Collections.Generic.ByteEqualityComparer", "")
	}
	cc, err := w.class(comparer.Name, "")
	if err != nil {
		return Value{}, err
	}
	c, err := w.g.object(cc, false)
	if err != nil {
		return Value{}, err
	}
	i32 := PrimitiveType(KindInt32)
	members := []Member{{"Version", i32}, {"Comparer", comparer}, {"HashSize", i32}}
	n := 0
	if pairs != nil {
		members = append(members, Member{"KeyValuePairs", arrayType(pairs.arr.elem)})
		n = tableSize(pairs.Len())
	}
	dc, err := w.class(dict.Name, "", members...)
	if err != nil {
		return Value{}, err
	}
	o, err := w.g.object(dc, false)
	if err != nil {
		return Value{}, err
	}
	o.vals[1], o.vals[2].n = c.Value(), uint64(n)
	if pairs != nil {
		o.vals[3], o.vals[0].n = pairs.Value(), uint64(pairs.Len())
	}
	return o.Value(), nil
}

// comparer is the class of EqualityComparer<T>.Default.
func (w *marshaler) comparer(key Type) string {
	if key.Form == FormPrimitive || key.Form == FormString || key.Name == guidClass {
		return "GenericEqualityComparer`1"
	}
	if r := w.types.named(key.Name); r != nil && r.typ.Kind() != reflect.Struct {
		switch r.typ.Kind() {
		case reflect.Int64, reflect.Uint64:
			return "LongEnumEqualityComparer`1"
		case reflect.Int16:
			return "ShortEnumEqualityComparer`1"
		case reflect.Int8:
			return "SByteEnumEqualityComparer`1"
		}
		return "EnumEqualityComparer`1"
	}
	return "ObjectEqualityComparer`1"
}
