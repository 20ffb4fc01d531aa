package nrbf

import "iter"

// An Object is an instance of a class or struct: a [Class] and one value per
// member. The methods that read treat a nil *Object as one without members.
type Object node

// ID is the object's id in the stream; negative for a struct in place.
func (o *Object) ID() int32 { return o.id }

// Inline reports a struct that stands in place, as a part of its holder.
func (o *Object) Inline() bool { return o.id < 0 }

// Class describes the object's members; nil for a nil Object.
func (o *Object) Class() *Class {
	if o == nil {
		return nil
	}
	return o.class
}

// Value is the object as a Value; a nil Object is null.
func (o *Object) Value() Value { return (*node)(o).value() }

// Len is the number of members.
func (o *Object) Len() int {
	if o == nil {
		return 0
	}
	return len(o.vals)
}

// Member returns the value of member i of the class. It panics outside
// 0..Len()-1.
func (o *Object) Member(i int) Value { return o.vals[i] }

// Get returns the value of the member with exactly this name; KindNone if the
// class has none.
func (o *Object) Get(name string) Value {
	if o == nil {
		return Value{}
	}
	if i := o.class.Index(name); i >= 0 {
		return o.vals[i]
	}
	return Value{}
}

// Members yields names and values in the order of the class.
func (o *Object) Members() iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) {
		for i := range o.Len() {
			if !yield(o.class.members[i].Name, o.vals[i]) {
				return
			}
		}
	}
}
