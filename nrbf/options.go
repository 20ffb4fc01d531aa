package nrbf

// Options bound what a stream may cost. The zero value means the defaults,
// which hold what a session holds; a stream that is over one fails with
// [ErrLimit] before the memory is taken.
type Options struct {
	// Bytes is the longest stream, read or written. Default 32 MiB.
	Bytes int
	// Objects is the largest number of objects, arrays, strings and libraries.
	// Default 1,048,576; each costs about 80 bytes.
	Objects int
	// Elements is the largest number of members and elements, over all objects,
	// class descriptions and arrays of references; the nulls of a run count one
	// by one. Elements of primitive arrays are not counted: they stay in the
	// input. Default 2,097,152; each costs 24 bytes, one in a class description
	// 64, a null in a run nothing.
	Elements int
	// StringBytes is the longest string, name or decimal, in bytes of UTF-8.
	// Default 16 MiB. A string is copied out of the stream once.
	StringBytes int
	// Depth is how deep records may stand inside one another. References do not
	// nest: a linked list has depth 1. Default 1,024; .NET writes no more than
	// the structs of a struct. It costs memory, never stack.
	Depth int
	// Members is the largest number of members of one class. Default 65,536.
	Members int

	// MemberTypes gives the types of a class that is written without them
	// (ClassWithMembers, SystemClassWithMembers), in the order of members; nil
	// means unknown. .NET looks at the class itself; we have only the stream.
	// Default none: such a class is ErrUnsupported unless it has no members.
	// BinaryFormatter writes types always, unless TypeFormat was changed.
	MemberTypes func(class, library string, members []string) []Type
}

func (o Options) withDefaults() Options {
	set := func(p *int, def int) {
		if *p <= 0 {
			*p = def
		}
		*p = min(*p, 1<<31-1)
	}
	set(&o.Bytes, 32<<20)
	set(&o.Objects, 1<<20)
	set(&o.Elements, 1<<21)
	set(&o.StringBytes, 16<<20)
	set(&o.Depth, 1024)
	set(&o.Members, 1<<16)
	return o
}
