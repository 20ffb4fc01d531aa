package nrbf

import (
	"reflect"
	"strconv"
	"strings"

	"github.com/aspsession/aspsession/clr"
)

// sequence fills a Go slice or array.
func (d *unmarshaler) sequence(p *plan, v Value, rv reflect.Value) error {
	s, ok, err := d.elements(v)
	if err != nil {
		return err
	}
	if !ok {
		return mismatch(v, p.typ)
	}
	if s.arr.Len() > s.n || s.from > 0 { // what is copied to be put in order
		if err := d.spend(s.arr.Len()/8, 0); err != nil {
			return err
		}
	}
	n := s.n
	if s.arr != nil && s.arr.Rank() > 1 {
		return d.rectangle(p, s.arr, v, rv)
	}
	if p.op == opArray {
		if n > rv.Len() {
			return usage("", ErrRange, "%d elements into Go %s", n, p.typ)
		}
		rv.SetZero()
	} else {
		if s.arr != nil && s.arr.primitive() && d.primitives(p, s, rv) {
			return d.spend(n/visitBytes*int(p.elem.size), 0)
		}
		if err := d.spend(n, p.elem.size); err != nil {
			return err
		}
		rv.Set(reflect.MakeSlice(p.typ, n, n))
	}
	old, err := d.enter(v)
	if err != nil {
		return err
	}
	if s.arr != nil && s.from == 0 && !s.reverse && s.arr.arr.starts == nil && !s.arr.primitive() {
		for i, e := range s.arr.vals[:n] { // no runs of nulls: entries are elements
			if err := d.value(p.elem, e, rv.Index(i)); err != nil {
				return atIndex(err, i)
			}
		}
	} else {
		for i, e := range s.all {
			if err := d.value(p.elem, e, rv.Index(i)); err != nil {
				return atIndex(err, i)
			}
		}
	}
	d.leave(v, old)
	return nil
}

func atIndex(err error, i int) error { return at(err, "["+strconv.Itoa(i)+"]") }

// primitives copies elements that need no conversion.
func (d *unmarshaler) primitives(p *plan, s seq, rv reflect.Value) bool {
	if s.from != 0 || s.reverse || s.arr.arr.elem.Kind != p.elem.prim || s.n*visitBytes > d.left {
		return false
	}
	data := s.arr.arr.data
	if p.elem.prim == KindByte {
		rv.SetBytes(append(make([]byte, 0, s.n), data[:s.n]...))
		return true
	}
	if s.n != s.arr.Len() {
		return false
	}
	switch to := rv.Addr().Interface().(type) {
	case *[]int32:
		*to, _ = Primitives[int32](s.arr)
	case *[]int64:
		*to, _ = Primitives[int64](s.arr)
	case *[]float64:
		*to, _ = Primitives[float64](s.arr)
	default:
		return false
	}
	return true
}

// rectangle fills slices of slices from an array of several dimensions.
func (d *unmarshaler) rectangle(p *plan, a *Array, v Value, rv reflect.Value) error {
	var vals []Value
	if err := d.spend(a.Len(), 24); err != nil {
		return err
	}
	for _, e := range a.All() {
		vals = append(vals, e)
	}
	old, err := d.enter(v)
	if err != nil {
		return err
	}
	if _, err = d.dimension(p, a, 0, vals, v, rv); err != nil {
		return err
	}
	d.leave(v, old)
	return nil
}

func (d *unmarshaler) dimension(p *plan, a *Array, dim int, vals []Value, v Value, rv reflect.Value) ([]Value, error) {
	if dim == a.Rank() {
		return vals[1:], d.value(p, vals[0], rv)
	}
	if p.op != opSlice && p.op != opArray {
		return nil, mismatch(v, p.typ)
	}
	n := a.Length(dim)
	if p.op == opArray {
		if n > rv.Len() {
			return nil, usage("", ErrRange, "%d elements into Go %s", n, p.typ)
		}
		rv.SetZero()
	} else {
		if err := d.spend(n, p.elem.size); err != nil {
			return nil, err
		}
		rv.Set(reflect.MakeSlice(p.typ, n, n))
	}
	for i := range n {
		var err error
		if len(vals) == 0 { // another dimension is 0
			break
		}
		if vals, err = d.dimension(p.elem, a, dim+1, vals, v, rv.Index(i)); err != nil {
			return nil, atIndex(err, i)
		}
	}
	return vals, nil
}

// pairs yields keys and values of a dictionary; ok is false for what is none.
func (d *unmarshaler) pairs(v Value, yield func(k, v Value) error) (ok bool, n int, err error) {
	v, l := d.inside(v)
	o := v.Object()
	switch l.kind {
	case layTwo:
		keys, values := o.vals[l.a].Array(), o.vals[l.b].Array()
		n = keys.Len()
		if l.c >= 0 {
			size, isInt := o.vals[l.c].Int()
			if !isInt || size < 0 || size > int64(n) {
				return true, 0, usage("", ErrCorrupt, "%s has %v keys in an array of %d", plainName(o.class.name), o.vals[l.c], n)
			}
			n = int(size)
		}
		if values.Len() < n {
			return true, 0, usage("", ErrCorrupt, "%s has %d keys and %d values", plainName(o.class.name), n, values.Len())
		}
		if err := d.spend(n, 48); err != nil {
			return true, 0, err
		}
		if yield == nil {
			return true, n, nil
		}
		var vs []Value
		for _, e := range values.All() {
			if len(vs) == n {
				break
			}
			vs = append(vs, e)
		}
		for i, k := range keys.All() {
			if i == n {
				break
			}
			if err := yield(k, vs[i]); err != nil {
				return true, n, err
			}
		}
		return true, n, nil
	case layLinked:
		seen := 0
		for e := o.vals[l.a].Object(); e != nil; e = e.Get("next").Object() {
			if seen++; seen > len(o.g.order) {
				return true, 0, usage("", ErrCorrupt, "%s is linked in a circle", plainName(o.class.name))
			}
			k, val := e.Get("key"), e.Get("value")
			if !k.Exists() || !val.Exists() {
				return true, 0, usage("", ErrCorrupt, "%s has an entry without key and value", plainName(o.class.name))
			}
			if yield != nil {
				if err := yield(k, val); err != nil {
					return true, 0, err
				}
			}
		}
		return true, seen, nil
	}
	s, ok, err := d.elements(v)
	if !ok || err != nil {
		return ok, 0, err
	}
	if s.arr != nil && s.arr.primitive() {
		return false, 0, nil
	}
	if l.kind != layPairs && s.n > 0 {
		if _, _, isPair := pairOf(s.arr.At(0)); !isPair {
			return false, 0, nil
		}
	}
	if yield == nil {
		return true, s.n, nil
	}
	for _, e := range s.all {
		k, val, isPair := pairOf(e)
		if !isPair {
			return true, 0, usage("", ErrType, "%s among the pairs of a dictionary", netName(e))
		}
		if err := yield(k, val); err != nil {
			return true, 0, err
		}
	}
	return true, s.n, nil
}

func pairOf(v Value) (key, value Value, ok bool) {
	o := v.Object()
	if o == nil || len(o.vals) != 2 {
		return
	}
	a, b := o.class.members[0].Name, o.class.members[1].Name
	if (a == "key" || a == "_key") && (b == "value" || b == "_value") {
		return o.vals[0], o.vals[1], true
	}
	return
}

func (d *unmarshaler) dictionary(p *plan, v Value, rv reflect.Value) error {
	ok, n, err := d.pairs(v, nil)
	if err != nil {
		return err
	}
	if !ok {
		return mismatch(v, p.typ)
	}
	if err := d.spend(n, 2*(p.key.size+p.elem.size)); err != nil {
		return err
	}
	old, err := d.enter(v)
	if err != nil {
		return err
	}
	// NameValueCollection keeps an ArrayList of strings for each key.
	names := strings.HasSuffix(plainName(v.Object().Class().nameOf()), "NameValueCollection")
	m := reflect.MakeMapWithSize(p.typ, n)
	key, elem := reflect.New(p.key.typ).Elem(), reflect.New(p.elem.typ).Elem()
	_, _, err = d.pairs(v, func(k, e Value) error {
		key.SetZero()
		elem.SetZero()
		if err := d.value(p.key, k, key); err != nil {
			return at(err, "[key]")
		}
		if !key.Comparable() {
			return usage("[key]", ErrType, "%s is no key of a Go %s", netName(k), p.typ)
		}
		if m.MapIndex(key).IsValid() {
			return usage("["+clip(k.String())+"]", ErrType, "the key is there twice as Go %s", p.key.typ)
		}
		if names && p.elem.op == opString {
			s, err := d.joined(e)
			if err != nil {
				return at(err, "["+clip(k.String())+"]")
			}
			elem.SetString(s)
		} else if err := d.value(p.elem, e, elem); err != nil {
			return at(err, "["+clip(k.String())+"]")
		}
		m.SetMapIndex(key, elem)
		return nil
	})
	if err != nil {
		return err
	}
	rv.Set(m)
	d.leave(v, old)
	return nil
}

func (c *Class) nameOf() string {
	if c == nil {
		return ""
	}
	return c.name
}

// joined is NameValueCollection.Get.
func (d *unmarshaler) joined(v Value) (string, error) {
	s, ok, err := d.elements(v)
	if err != nil || !ok || s.arr != nil && s.arr.primitive() {
		return "", mismatch(v, reflect.TypeFor[string]())
	}
	var parts []string
	total := 0
	for _, e := range s.all {
		t, _ := e.Text()
		if total += len(t) + 1; total > d.left {
			return "", usage("", ErrLimit, "the Go values take more memory than Mapping.Bytes allows")
		}
		parts = append(parts, t)
	}
	d.left -= total
	return strings.Join(parts, ","), nil
}

var (
	anyType  = reflect.TypeFor[any]()
	anySlice = reflect.TypeFor[[]any]()
	anyMap   = reflect.TypeFor[map[string]any]()
)

// any stores the natural Go value.
func (d *unmarshaler) any(p *plan, v Value, rv reflect.Value) error {
	set := func(x any) error {
		rv.Set(reflect.ValueOf(x))
		return d.spend(1, 16)
	}
	part := func(t reflect.Type) error {
		to := reflect.New(t).Elem()
		if err := d.value(planOf(t), v, to); err != nil {
			return err
		}
		rv.Set(to)
		return nil
	}
	if a := v.Array(); a != nil {
		if b := a.Bytes(); b != nil && a.Rank() == 1 {
			return part(reflect.TypeFor[[]byte]())
		}
		if a.Rank() > 1 {
			return set(a)
		}
		return part(anySlice)
	}
	o := v.Object()
	if o == nil {
		return set(v.Any())
	}
	if g, ok := guidObject(o); ok {
		return set(clr.Guid(g))
	}
	if u := unbox(o); u.kind != kindNode && o.class.Index("value__") < 0 {
		return set(u.Any())
	}
	if n, ok := decimalObject(o); ok {
		return set(n)
	}
	switch inner, l := d.inside(v); l.kind {
	case layPairs, layTwo, layLinked:
		text := true
		isDict, _, err := d.pairs(v, func(k, _ Value) error {
			text = text && k.Kind() == KindString
			return nil
		})
		if err != nil {
			return err
		}
		if isDict && text {
			return part(anyMap)
		}
	case layItems, layStack, layRing, layPlain:
		return part(anySlice)
	default:
		if inner.Array() != nil {
			return part(anySlice)
		}
	}
	return set(o)
}
