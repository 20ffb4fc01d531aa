package nrbf

import (
	"fmt"
	"reflect"
	"strings"
)

// pair finds for each Go element the element that it was; -1 for new ones.
func (w *marshaler) pair(a *Array, olds []Value, p *plan, rv reflect.Value) ([]int, error) {
	from := make([]int, rv.Len())
	elem := p.elem
	if elem.op == opPointer {
		elem = elem.elem
	}
	if elem.op != opStruct || len(olds) == 0 {
		for i := range from {
			if from[i] = i; i >= len(olds) {
				from[i] = -1
			}
		}
		return from, nil
	}
	was := make([]reflect.Value, len(olds)) // as Go saw them
	d := w.mapping.start()                  // one, so that what they share is read once
	for i, v := range olds {
		was[i] = reflect.New(p.elem.typ)
		if err := d.run(v, was[i]); err != nil {
			return nil, err
		}
		was[i] = was[i].Elem()
	}
	for i := range from {
		from[i] = -1
	}
	used := make([]bool, len(olds))
	if key := keyOf(elem); key != nil {
		byKey := map[any][]int{}
		for k, v := range was {
			if x, ok := key(v); ok {
				byKey[x] = append(byKey[x], k)
			}
		}
		for i := range from {
			if x, ok := key(rv.Index(i)); ok && len(byKey[x]) > 0 {
				from[i] = byKey[x][0]
				byKey[x] = byKey[x][1:]
			}
		}
		return from, nil
	}
	take := func(i, k int) { from[i], used[k] = k, true }
	lo := 0
	for lo < min(len(from), len(olds)) && similar(rv.Index(lo), was[lo], true) {
		take(lo, lo)
		lo++
	}
	hiNew, hiOld := len(from), len(olds)
	for hiNew > lo && hiOld > lo && similar(rv.Index(hiNew-1), was[hiOld-1], true) {
		hiNew--
		hiOld--
		take(hiNew, hiOld)
	}
	if (hiNew-lo)*(hiOld-lo) <= 1<<17 { // else by place alone
		for _, least := range []int{100, 50} { // percent of the fields
			for i := lo; i < hiNew; i++ {
				best, at := 0, -1
				for k := lo; k < hiOld && from[i] < 0; k++ {
					if used[k] {
						continue
					}
					if n := alike(elem, rv.Index(i), was[k]); n >= least && n > best {
						best, at = n, k
					}
				}
				if at >= 0 {
					take(i, at)
				}
			}
		}
	}
	for i, k := lo, lo; i < hiNew; {
		if from[i] >= 0 {
			i, k = i+1, from[i]+1
			continue
		}
		// As many strangers between two that are known as before: edited ones.
		n, m := 0, 0
		for i+n < hiNew && from[i+n] < 0 {
			n++
		}
		for k+m < hiOld && !used[k+m] {
			m++
		}
		for j := 0; j < n && n == m; j++ {
			take(i+j, k+j)
		}
		i, k = i+n, k+m
	}
	return from, nil
}

// alike says how many percent of two elements' fields are similar.
func alike(p *plan, a, b reflect.Value) int {
	if a.Kind() == reflect.Pointer {
		if a.IsNil() || b.IsNil() {
			return 0
		}
		a, b = a.Elem(), b.Elem()
	}
	same, all := 0, 0
	for i := range p.fields {
		f := &p.fields[i]
		if f.plan.op == opPointer || f.plan.op == opAny {
			continue
		}
		if all++; similar(f.of(a), f.of(b), false) {
			same++
		}
	}
	return 100 * same / max(1, all)
}

// keyOf returns what tells elements apart by fields with the option key.
func keyOf(p *plan) func(reflect.Value) (any, bool) {
	var keys []*field
	for i := range p.fields {
		if p.fields[i].key && p.fields[i].plan.typ.Comparable() {
			keys = append(keys, &p.fields[i])
		}
	}
	if keys == nil {
		return nil
	}
	return func(v reflect.Value) (any, bool) {
		if v.Kind() == reflect.Pointer {
			if v.IsNil() {
				return nil, false
			}
			v = v.Elem()
		}
		var b strings.Builder
		for _, f := range keys {
			fmt.Fprintf(&b, "%q,", fmt.Sprint(f.of(v).Interface()))
		}
		return b.String(), true
	}
}

// similar compares what two structs hold themselves; what they point to may
// change without making them others.
func similar(a, b reflect.Value, top bool) bool {
	switch a.Kind() {
	case reflect.Pointer:
		if a.IsNil() != b.IsNil() {
			return false
		}
		return !top || a.IsNil() || similar(a.Elem(), b.Elem(), false)
	case reflect.Struct:
		if _, special := opsByType[a.Type()]; special {
			return reflect.DeepEqual(a.Interface(), b.Interface())
		}
		p := planOf(a.Type())
		for i := range p.fields {
			if f := &p.fields[i]; !similar(f.of(a), f.of(b), false) {
				return false
			}
		}
		return true
	case reflect.Interface, reflect.Map:
		return a.IsNil() == b.IsNil()
	case reflect.Slice, reflect.Array:
		if a.Len() != b.Len() {
			return false
		}
		for i := range a.Len() {
			if !similar(a.Index(i), b.Index(i), false) {
				return false
			}
		}
		return true
	}
	return a.Interface() == b.Interface()
}
