package nrbf

import "strings"

// Set changes the value of a key or adds an entry: at the end, or where it
// belongs in a sorted table. Key and v as for [Object.SetMember]; a value of a
// NameValueCollection is a string, a []string or nil. In a StringDictionary the
// key must be in lower case, as .NET looks for it.
func (d Dict) Set(key, v any) error {
	k, err := d.key(key)
	if err != nil {
		return err
	}
	if k.IsNull() && d.form != dictNames {
		return usage(d.o.class.name, ErrType, "a key cannot be null")
	}
	if d.form == dictNames {
		if v, err = d.nameValues(v); err != nil {
			return err
		}
	}
	i, _ := d.find(k)
	if i >= 0 {
		err = d.setAt(i, v)
	} else {
		if err := d.comparable(); err != nil {
			return err
		}
		if s, ok := key.(string); ok {
			key = d.o.g.NewString(s)
		}
		err = d.add(key, v)
	}
	if err == nil {
		d.bump()
	}
	return err
}

// comparable refuses a table whose own comparer could take a new key for one
// that is there: .NET would not read it back.
func (d Dict) comparable() error {
	for _, name := range []string{"Comparer", "KeyComparer", "comparer"} {
		if c := d.o.Get(name).Object(); c != nil && !strings.HasPrefix(c.class.name, "System.") {
			return usage(d.o.class.name, ErrUnsupported, "its comparer %s is not known here", clip(c.class.name))
		}
	}
	return nil
}

// Delete removes a key and reports whether it was there.
func (d Dict) Delete(key any) (bool, error) {
	k, err := d.key(key)
	if err != nil {
		return false, err
	}
	i, _ := d.find(k)
	if i < 0 {
		return false, nil
	}
	if err := d.deleteAt(i); err != nil {
		return false, err
	}
	d.bump()
	return true, nil
}

func (d Dict) bump() {
	switch d.form {
	case dictSorted, dictChain:
		bump(d.o, "version")
	case dictOrdered: // its ArrayList counts
	default:
		bump(d.o, "Version")
	}
}

// nameValues makes the ArrayList of strings of a NameValueCollection's entry.
func (d Dict) nameValues(v any) (any, error) {
	var texts []string
	switch v := v.(type) {
	case nil:
		return nil, nil
	case string:
		texts = []string{v}
	case []string:
		texts = v
	default:
		return nil, usage(d.o.class.name, ErrType, "a Go %T", v)
	}
	g := d.o.g
	a, err := g.NewArray(ObjectType(), 0, false)
	if err != nil {
		return nil, err
	}
	for _, s := range texts {
		if err := a.Append(s); err != nil {
			return nil, err
		}
	}
	var class *Class
	_, values, _ := d.arrays()
	for _, e := range values.All() {
		if o := e.Object(); o.className() == "System.Collections.ArrayList" {
			class = o.class
			break
		}
	}
	if class == nil {
		class, err = g.NewClass("System.Collections.ArrayList", "",
			Member{"_items", Type{Form: FormObjectArray}}, Member{"_size", PrimitiveType(KindInt32)}, Member{"_version", PrimitiveType(KindInt32)})
		if err != nil {
			return nil, err
		}
	}
	o, err := g.NewObject(class)
	if err != nil {
		return nil, err
	}
	if err := o.Set("_items", a); err != nil {
		return nil, err
	}
	if err := o.Set("_size", len(texts)); err != nil {
		return nil, err
	}
	return o, o.Set("_version", len(texts))
}

func (d Dict) setAt(i int, v any) error {
	switch d.form {
	case dictPairs, dictSet, dictOrdered:
		p, ok := PairOf(d.pairs().At(i))
		if !ok {
			return usage(d.o.class.name, ErrType, "entry %d is no pair", i)
		}
		return p.SetValue(v)
	case dictChain:
		for o := range d.chain() {
			if i == 0 {
				return o.Set("value", v)
			}
			i--
		}
	}
	_, values, _ := d.arrays()
	return values.Set(i, v)
}

func (d Dict) add(key, v any) error {
	switch d.form {
	case dictPairs, dictSet:
		return d.addPair(key, v)
	case dictOrdered:
		return d.addEntry(key, v)
	case dictChain:
		return d.addNode(key, v)
	case dictSorted:
		return d.addSorted(key, v)
	}
	keys, values, n := d.arrays()
	if _, err := element(d.o.g, values.Elem(), v, d.o.class.name); err != nil {
		return err
	}
	if err := keys.Append(key); err != nil {
		return err
	}
	if err := values.Append(v); err != nil {
		return err
	}
	if d.form == dictNames {
		return d.o.Set("Count", n+1)
	}
	return d.resize(n + 1)
}

// resize keeps a Hashtable's size over its load, as .NET does.
func (d Dict) resize(n int) error {
	load, _ := d.o.Get("LoadFactor").Float()
	if load < 0.1 || load > 1 { // what .NET allows, times 0.72
		load = 0.72
	}
	size := intOf(d.o, "HashSize", 1<<31-1)
	for n > int(load*float64(size)) {
		size = hashPrime(2 * max(size, 1))
	}
	return d.o.Set("HashSize", size)
}

// addPair adds a KeyValuePair to a Dictionary or to the tree of a
// SortedDictionary.
func (d Dict) addPair(key, v any) error {
	g := d.o.g
	a, class, err := d.pairClass()
	if err != nil {
		return err
	}
	pair, err := g.NewStruct(class)
	if err != nil {
		return err
	}
	if err := pair.Set("key", key); err != nil {
		return err
	}
	if err := pair.Set("value", v); err != nil {
		return err
	}
	vals := make([]Value, 0, a.Len()+1)
	for _, e := range a.All() {
		vals = append(vals, e)
	}
	at := len(vals)
	if d.form == dictSet {
		keys := make([]Value, 0, len(vals))
		for k := range d.All() {
			keys = append(keys, k)
		}
		// .NET sorts when it reads; in order is better than behind, when it is known.
		if i, _, err := search(keys, pair.Get("key"), d.o.Get("Comparer").Object().Get("keyComparer")); err == nil {
			at = i
		}
	}
	vals = append(vals[:at:at], append([]Value{pair.Value()}, vals[at:]...)...)
	if err := replace(a, vals); err != nil {
		return err
	}
	if d.form == dictSet {
		return d.o.Set("Count", len(vals))
	}
	return d.o.Set("HashSize", hashSize(intOf(d.o, "HashSize", 1<<31-1), len(vals)))
}

// pairClass finds the array and the class of the pairs, or makes them: an empty
// Dictionary has neither.
func (d Dict) pairClass() (*Array, *Class, error) {
	g := d.o.g
	a := d.pairs()
	if p, ok := PairOf(a.At(0)); ok {
		return a, p.o.class, nil
	}
	name := ""
	if a != nil {
		name = a.Elem().Name
	} else {
		_, args := split(d.o.class.name)
		if d.form == dictSet { // TreeSet<KeyValuePair<K,V>>
			if t := typeArgs(d.o.class.name); len(t) == 1 {
				_, args = split(t[0].Name)
			}
		}
		name = "System.Collections.Generic.KeyValuePair`2" + args
	}
	args := typeArgs(name)
	if len(args) != 2 {
		return nil, nil, usage(d.o.class.name, ErrUnsupported, "the types of its keys and values are not in the stream")
	}
	class, err := g.NewClass(name, "", Member{"key", args[0]}, Member{"value", args[1]})
	if err != nil {
		return nil, nil, err
	}
	if a == nil {
		if a, err = g.NewArray(ClassType(name, ""), 0, false); err != nil {
			return nil, nil, err
		}
		m := Member{"KeyValuePairs", ClassType(name+"[]", "")}
		if d.form == dictSet {
			m.Name = "Items"
		}
		if d.o.class.Index(m.Name) < 0 {
			err = addMember(d.o, m, a)
		} else {
			err = d.o.Set(m.Name, a)
		}
	}
	return a, class, err
}

func (d Dict) addEntry(key, v any) error {
	l, ok := ListOf(d.o.Get("ArrayList"))
	if readOnly, _ := d.o.Get("ReadOnly").Bool(); readOnly || !ok && !d.o.Get("ArrayList").Exists() {
		return usage(d.o.class.name, ErrUnsupported, "it cannot be added to")
	}
	class := (*Class)(nil)
	if p, ok := PairOf(d.pairs().At(0)); ok {
		class = p.o.class
	} else {
		var err error
		class, err = d.o.g.NewClass("System.Collections.DictionaryEntry", "", Member{"_key", ObjectType()}, Member{"_value", ObjectType()})
		if err != nil {
			return err
		}
	}
	e, err := d.o.g.NewObject(class)
	if err != nil {
		return err
	}
	if err := e.Set("_key", key); err != nil {
		return err
	}
	if err := e.Set("_value", v); err != nil {
		return err
	}
	return l.Append(e)
}

func (d Dict) addNode(key, v any) error {
	var last *Object
	for o := range d.chain() {
		last = o
	}
	var class *Class
	if last != nil {
		class = last.class
	} else {
		c := d.o.class
		node := ClassType(c.name+"+DictionaryNode", c.library)
		var err error
		class, err = d.o.g.NewClass(node.Name, c.library, Member{"key", ObjectType()}, Member{"value", ObjectType()}, Member{"next", node})
		if err != nil {
			return err
		}
	}
	o, err := d.o.g.NewObject(class)
	if err != nil {
		return err
	}
	if err := o.Set("key", key); err != nil {
		return err
	}
	if err := o.Set("value", v); err != nil {
		return err
	}
	if last == nil {
		err = d.o.Set("head", o)
	} else {
		err = last.Set("next", o)
	}
	if err != nil {
		return err
	}
	return d.o.Set("count", d.Len())
}

func (d Dict) addSorted(key, v any) error {
	keys, values, n := d.arrays()
	k, err := element(d.o.g, keys.Elem(), key, d.o.class.name)
	if err != nil {
		return err
	}
	w, err := element(d.o.g, values.Elem(), v, d.o.class.name)
	if err != nil {
		return err
	}
	ks, vs := make([]Value, n), make([]Value, n)
	for i := range n {
		ks[i], vs[i] = keys.At(i), values.At(i)
	}
	at, _, err := search(ks, k, d.o.Get("comparer"))
	if err != nil {
		return err
	}
	if n == keys.Len() || n == values.Len() { // as .NET grows it
		size := max(2*n, 4)
		if keys, err = widen(d.o, "keys", keys, ks, size, k); err != nil {
			return err
		}
		if values, err = widen(d.o, "values", values, vs, size, w); err != nil {
			return err
		}
	}
	for i := n; i > at; i-- {
		if err := keys.Set(i, ks[i-1]); err != nil {
			return err
		}
		if err := values.Set(i, vs[i-1]); err != nil {
			return err
		}
	}
	if err := keys.Set(at, k); err != nil {
		return err
	}
	if err := values.Set(at, w); err != nil {
		return err
	}
	return d.o.Set("_size", n+1)
}

// widen gives o a longer array in place of a; an empty one may be shared.
func widen(o *Object, member string, a *Array, vals []Value, size int, next Value) (*Array, error) {
	fresh, err := o.g.NewArray(a.Elem(), size, a.Form() == Jagged)
	if err != nil {
		return nil, err
	}
	like := structIn(a, next)
	for i := range size {
		switch {
		case i < len(vals):
			err = fresh.Set(i, vals[i])
		case like != nil:
			var z *Object
			if z, err = zeroStruct(like); err == nil {
				err = fresh.Set(i, z)
			}
		}
		if err != nil {
			return nil, err
		}
	}
	return fresh, o.Set(member, fresh)
}

func (d Dict) deleteAt(i int) error {
	switch d.form {
	case dictPairs, dictSet:
		a := d.pairs()
		if err := cut(a, i); err != nil {
			return err
		}
		if d.form == dictSet {
			return d.o.Set("Count", a.Len())
		}
		return nil
	case dictOrdered:
		l, _ := ListOf(d.o.Get("ArrayList"))
		return l.Delete(i)
	case dictChain:
		var before *Object
		for o := range d.chain() {
			if i > 0 {
				before, i = o, i-1
				continue
			}
			next := o.Get("next")
			if before == nil {
				if err := d.o.Set("head", next); err != nil {
					return err
				}
			} else if err := before.Set("next", next); err != nil {
				return err
			}
			return d.o.Set("count", d.Len())
		}
		return nil
	}
	keys, values, n := d.arrays()
	if d.form != dictSorted {
		if err := cut(keys, i); err != nil {
			return err
		}
		if err := cut(values, i); err != nil {
			return err
		}
		return setInt(d.o, "Count", n-1)
	}
	for _, a := range []*Array{keys, values} {
		unused, err := blank(a)
		if err != nil {
			return err
		}
		for k := i; k < n-1; k++ {
			if err := a.Set(k, a.At(k+1)); err != nil {
				return err
			}
		}
		if err := a.Set(n-1, unused); err != nil {
			return err
		}
	}
	return d.o.Set("_size", n-1)
}

// cut removes element i of an array of rank 1.
func cut(a *Array, i int) error {
	n := a.Len()
	for k := i; k < n-1; k++ {
		if err := a.Set(k, a.At(k+1)); err != nil {
			return err
		}
	}
	return a.Resize(n - 1)
}
