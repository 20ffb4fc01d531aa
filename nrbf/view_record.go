package nrbf

import (
	"fmt"
	"strings"
)

// A Pair is a KeyValuePair<K,V> or a DictionaryEntry.
type Pair struct {
	o          *Object
	key, value int
}

// PairOf views a KeyValuePair<K,V> or a DictionaryEntry.
func PairOf(v Value) (Pair, bool) {
	o := v.Object()
	var k, w string
	switch genericName(o) {
	case "System.Collections.Generic.KeyValuePair`2":
		k, w = "key", "value"
	case "System.Collections.DictionaryEntry":
		k, w = "_key", "_value"
	default:
		return Pair{}, false
	}
	p := Pair{o, o.class.Index(k), o.class.Index(w)}
	return p, p.key >= 0 && p.value >= 0
}

// Key is the key.
func (p Pair) Key() Value { return p.o.Member(p.key) }

// Value is the value.
func (p Pair) Value() Value { return p.o.Member(p.value) }

// SetValue changes the value; v as for [Object.SetMember].
func (p Pair) SetValue(v any) error { return p.o.SetMember(p.value, v) }

// A Tuple is a System.Tuple or a System.ValueTuple of one to eight items; the
// eighth is the tuple of those behind the seventh.
type Tuple struct {
	o     *Object
	first int
}

// TupleOf views a Tuple or a ValueTuple.
func TupleOf(v Value) (Tuple, bool) {
	o := v.Object()
	name := genericName(o)
	if !strings.HasPrefix(name, "System.Tuple`") && !strings.HasPrefix(name, "System.ValueTuple`") {
		return Tuple{}, false
	}
	for i := range o.Len() {
		want := fmt.Sprintf("Item%d", i+1)
		if i == 7 {
			want = "Rest"
		}
		if strings.TrimPrefix(o.class.members[i].Name, "m_") != want {
			return Tuple{}, false
		}
	}
	return Tuple{o: o}, o.Len() > 0
}

// Len is the number of items.
func (t Tuple) Len() int { return t.o.Len() }

// At is item i from 0, KindNone outside the tuple.
func (t Tuple) At(i int) Value {
	if i < 0 || i >= t.o.Len() {
		return Value{}
	}
	return t.o.Member(i)
}

// Set changes item i from 0; v as for [Object.SetMember].
func (t Tuple) Set(i int, v any) error { return t.o.SetMember(i, v) }

// An Exception is System.Exception or a class derived from it.
type Exception struct{ o *Object }

// ExceptionOf views an exception.
func ExceptionOf(v Value) (Exception, bool) {
	o := v.Object()
	for _, name := range []string{"ClassName", "Message", "InnerException", "StackTraceString", "HResult"} {
		if !o.Get(name).Exists() {
			return Exception{}, false
		}
	}
	return Exception{o}, true
}

// Message is the text of the Message property, without a parameter's name that
// an ArgumentException appends.
func (e Exception) Message() string {
	if s, ok := e.o.Get("Message").Text(); ok {
		return s
	}
	return fmt.Sprintf("Exception of type '%s' was thrown.", e.ClassName())
}

// Parameter is the ParamName of an ArgumentException.
func (e Exception) Parameter() (string, bool) { return e.o.Get("ParamName").Text() }

// ClassName is the class that was thrown.
func (e Exception) ClassName() string {
	s, _ := e.o.Get("ClassName").Text()
	return s
}

// HResult is the exception's number.
func (e Exception) HResult() int32 {
	n, _ := e.o.Get("HResult").Int()
	return int32(n)
}

// Source is a string or null.
func (e Exception) Source() Value { return e.o.Get("Source") }

// HelpLink is a string or null.
func (e Exception) HelpLink() Value { return e.o.Get("HelpURL") }

// StackTrace is a string or null.
func (e Exception) StackTrace() Value { return e.o.Get("StackTraceString") }

// Inner is the inner exception or null.
func (e Exception) Inner() Value { return e.o.Get("InnerException") }

// Data is the exception's dictionary, or null while it has none: see [DictOf].
func (e Exception) Data() Value { return e.o.Get("Data") }

// SetMessage changes the text.
func (e Exception) SetMessage(s string) error { return e.o.Set("Message", s) }

// A Delegate is a delegate or an event's handlers: names of methods, which
// nothing here calls.
type Delegate struct {
	Type  string // .NET's full name of the delegate's type
	Calls []DelegateCall
}

// A DelegateCall is one entry of the invocation list.
type DelegateCall struct {
	Type, Method string
	Target       Value // null for a static method
}

// DelegateOf views a delegate. The stream holds the invocation list backwards
// or forwards, as the writer had it; so does Calls.
func DelegateOf(v Value) (Delegate, bool) {
	o := v.Object()
	if o == nil || o.class.name != "System.DelegateSerializationHolder" {
		return Delegate{}, false
	}
	var d Delegate
	seen := map[*Object]bool{}
	for e := o.Get("Delegate").Object(); e != nil && !seen[e]; e = e.Get("delegateEntry").Object() {
		seen[e] = true
		if d.Type == "" {
			d.Type, _ = e.Get("type").Text()
		}
		c := DelegateCall{Target: e.Get("target")}
		c.Type, _ = e.Get("targetTypeName").Text()
		c.Method, _ = e.Get("methodName").Text()
		if name, ok := c.Target.Text(); ok { // the holder's member of that name
			c.Target = o.Get(name)
		}
		d.Calls = append(d.Calls, c)
	}
	return d, d.Type != ""
}
