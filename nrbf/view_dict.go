package nrbf

import (
	"iter"
	"strings"
	"unicode/utf8"
)

// A Dict views a table of keys and values: Dictionary<K,V>, Hashtable,
// SortedList and SortedList<K,V>, SortedDictionary<K,V>, StringDictionary,
// NameValueCollection, ListDictionary, HybridDictionary and OrderedDictionary.
//
// Entries are in the order of the stream, which is the one of insertion for a
// Dictionary, sorted for sorted ones, and none for a Hashtable. A value of a
// NameValueCollection is an ArrayList of strings, or null: see [Dict.Strings].
// Changing a table keeps what .NET relies on: counts, sizes and versions.
type Dict struct {
	form dictForm
	o    *Object
	fold bool // keys are compared without case
}

type dictForm uint8

const (
	dictPairs   dictForm = iota // KeyValuePairs, HashSize, Version
	dictHash                    // Keys, Values, HashSize, LoadFactor, Version
	dictSorted                  // keys, values, _size, version
	dictSet                     // o is the TreeSet of a SortedDictionary
	dictNames                   // Keys, Values, Count, Version
	dictChain                   // head, count, version
	dictOrdered                 // ArrayList of DictionaryEntry
)

var dictMembers = map[dictForm][]string{
	dictPairs:   {"Version", "HashSize"},
	dictHash:    {"Keys", "Values", "HashSize", "LoadFactor", "Version"},
	dictSorted:  {"keys", "values", "_size", "version"},
	dictNames:   {"Keys", "Values", "Count", "Version"},
	dictChain:   {"head", "count", "version"},
	dictOrdered: {"ArrayList", "ReadOnly"},
}

// DictOf views a table; false for anything else.
func DictOf(v Value) (Dict, bool) {
	o := v.Object()
	switch name := genericName(o); name {
	case "":
		return Dict{}, false
	case "System.Collections.Generic.Dictionary`2":
		return dictAt(o, dictPairs)
	case "System.Collections.Hashtable", "System.Data.PropertyCollection":
		return dictAt(o, dictHash)
	case "System.Collections.SortedList", "System.Collections.Generic.SortedList`2":
		return dictAt(o, dictSorted)
	case "System.Collections.Specialized.ListDictionary", "System.Collections.ListDictionaryInternal":
		return dictAt(o, dictChain)
	case "System.Collections.Specialized.NameValueCollection":
		return dictAt(o, dictNames)
	case "System.Collections.Specialized.OrderedDictionary":
		return dictAt(o, dictOrdered)
	case "System.Collections.Specialized.StringDictionary":
		return DictOf(o.Get("contents"))
	case "System.Collections.Specialized.HybridDictionary":
		if inner := o.Get("hashtable").Object(); inner != nil && inner.class.name == "System.Collections.Hashtable" {
			return DictOf(inner.Value())
		}
		if inner := o.Get("list").Object(); inner != nil && inner.class.name == "System.Collections.Specialized.ListDictionary" {
			return DictOf(inner.Value())
		}
	case "System.Collections.Generic.SortedDictionary`2":
		if inner := o.Get("_set").Object(); inner.Get("Count").Exists() && inner.Get("Version").Exists() {
			return Dict{form: dictSet, o: inner}, true
		}
	default:
		if strings.HasPrefix(name, "System.") {
			return Dict{}, false
		}
		// Derived classes write what the class above them does, and their own.
		if o.Get("Comparer").Exists() && (o.Get("KeyValuePairs").Exists() || isZero(o.Get("HashSize"))) && !o.Get("LoadFactor").Exists() {
			return dictAt(o, dictPairs)
		}
		for _, form := range []dictForm{dictHash, dictNames} {
			if d, ok := dictAt(o, form); ok {
				return d, true
			}
		}
	}
	return Dict{}, false
}

func isZero(v Value) bool {
	n, ok := v.Int()
	return ok && n == 0
}

func dictAt(o *Object, form dictForm) (Dict, bool) {
	for _, name := range dictMembers[form] {
		if !o.Get(name).Exists() {
			return Dict{}, false
		}
	}
	d := Dict{form: form, o: o}
	for _, name := range []string{"Comparer", "KeyComparer", "comparer"} {
		c := o.Get(name).Object()
		ignore, _ := c.Get("_ignoreCase").Bool()
		d.fold = d.fold || ignore || strings.Contains(c.className(), "CaseInsensitive")
	}
	if form == dictNames {
		d.fold = true
	}
	return d, true
}

// Holder is the object that has the entries, inside a StringDictionary, say.
func (d Dict) Holder() *Object { return d.o }

// arrays are the arrays of a form with two of them.
func (d Dict) arrays() (keys, values *Array, n int) {
	k, v := "Keys", "Values"
	if d.form == dictSorted {
		k, v = "keys", "values"
	}
	keys, values = d.o.Get(k).Array(), d.o.Get(v).Array()
	n = min(keys.Len(), values.Len())
	switch d.form {
	case dictSorted:
		n = intOf(d.o, "_size", n)
	case dictNames:
		n = intOf(d.o, "Count", n)
	}
	return keys, values, n
}

// pairs is the array of KeyValuePairs.
func (d Dict) pairs() *Array {
	switch d.form {
	case dictSet:
		return d.o.Get("Items").Array()
	case dictOrdered:
		a := d.o.Get("ArrayList").Array()
		if l, ok := ListOf(d.o.Get("ArrayList")); ok {
			a = l.back()
		}
		return a
	}
	return d.o.Get("KeyValuePairs").Array()
}

// Len is the number of entries.
func (d Dict) Len() int {
	switch d.form {
	case dictPairs, dictSet:
		return d.pairs().Len()
	case dictOrdered:
		if l, ok := ListOf(d.o.Get("ArrayList")); ok {
			return l.Len()
		}
		return 0
	case dictChain:
		n := 0
		for range d.All() {
			n++
		}
		return n
	}
	_, _, n := d.arrays()
	return n
}

// All yields keys and values in the order of the stream.
func (d Dict) All() iter.Seq2[Value, Value] {
	return func(yield func(Value, Value) bool) {
		switch d.form {
		case dictPairs, dictSet, dictOrdered:
			n := d.Len()
			for i, v := range d.pairs().All() {
				if i >= n {
					return
				}
				if p, ok := PairOf(v); ok && !yield(p.Key(), p.Value()) {
					return
				}
			}
		case dictChain:
			for o := range d.chain() {
				if !yield(o.Get("key"), o.Get("value")) {
					return
				}
			}
		default:
			keys, values, n := d.arrays()
			for i := range n {
				if !yield(keys.At(i), values.At(i)) {
					return
				}
			}
		}
	}
}

// chain yields the nodes of a ListDictionary, each once: a cycle ends it.
func (d Dict) chain() iter.Seq[*Object] {
	return func(yield func(*Object) bool) {
		seen := map[*Object]bool{}
		for o := d.o.Get("head").Object(); o != nil && !seen[o]; o = o.Get("next").Object() {
			seen[o] = true
			if !yield(o) {
				return
			}
		}
	}
}

// Get finds the value of a key: a Go value as for [Object.SetMember], or a
// Value. Text is compared without case where the table does so.
func (d Dict) Get(key any) (Value, bool) {
	k, err := d.key(key)
	if err != nil {
		return Value{}, false
	}
	i, v := d.find(k)
	return v, i >= 0
}

// Strings is the value of a NameValueCollection's key as its strings.
func (d Dict) Strings(key any) ([]string, bool) {
	v, ok := d.Get(key)
	l, isList := ListOf(v)
	if !ok || !isList {
		return nil, ok
	}
	var out []string
	for _, e := range l.All() {
		if s, ok := e.Text(); ok {
			out = append(out, s)
		}
	}
	return out, true
}

// key makes a Value of a key that may be new.
func (d Dict) key(key any) (Value, error) {
	t := ObjectType()
	switch d.form {
	case dictPairs, dictSet:
		if args := typeArgs(d.o.class.name); d.form == dictPairs && len(args) == 2 {
			t = args[0]
		} else if a := d.pairs(); a.Len() > 0 {
			if p, ok := PairOf(a.At(0)); ok {
				t = p.o.class.members[p.key].Type
			}
		}
	case dictSorted:
		keys, _, _ := d.arrays()
		t = keys.Elem()
	}
	if s, ok := key.(string); ok && utf8.ValidString(s) { // looking up must not add a string to the graph
		return Value{p: &node{g: d.o.g, kind: KindString, text: s}, kind: kindNode}, nil
	}
	return element(d.o.g, t, key, d.o.class.name)
}

func (d Dict) find(key Value) (int, Value) {
	i := 0
	text, isText := key.Text()
	for k, v := range d.All() {
		if s, ok := k.Text(); isText && ok {
			if s == text || d.fold && strings.EqualFold(s, text) {
				return i, v
			}
		} else if equal, err := sameKey(k, key); err == nil && equal {
			return i, v
		}
		i++
	}
	return -1, Value{}
}

// Extra yields the members that a derived class adds to the framework's.
func (d Dict) Extra() iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) {
		if strings.HasPrefix(d.o.class.name, "System.") {
			return
		}
		for name, v := range d.o.Members() {
			switch name {
			case "Version", "Comparer", "HashSize", "KeyValuePairs", "Keys", "Values", "LoadFactor",
				"HashCodeProvider", "KeyComparer", "HashProvider", "ReadOnly", "Count":
				continue
			}
			if !yield(name, v) {
				return
			}
		}
	}
}
