package nrbf

import "strings"

// A Class is the description that objects share: name, library and members in
// the order of the stream. ISerializable classes can have several descriptions
// in one stream, with other members or types.
type Class struct {
	name, library string
	members       []Member
	index         map[string]int32 // nil for few members, which are faster to scan
	seq           int32
	g             *Graph
	harmless      bool // refuseGadget has seen its name
}

// A Member is one serialized field. Private fields of a base class are named
// "Base+field", those of auto-properties "<Name>k__BackingField".
type Member struct {
	Name string
	Type Type
}

const scanMembers = 8

// Name is .NET's full name, generic arguments with their assemblies.
func (c *Class) Name() string { return c.name }

// Library is the assembly's name as the stream has it; empty for mscorlib.
func (c *Class) Library() string { return c.library }

// Len is the number of members.
func (c *Class) Len() int { return len(c.members) }

// Member returns member i. It panics outside 0..Len()-1.
func (c *Class) Member(i int) Member { return c.members[i] }

// Index returns the place of the member with exactly this name, or -1.
func (c *Class) Index(name string) int {
	if c.index != nil {
		if i, ok := c.index[name]; ok {
			return int(i)
		}
		return -1
	}
	for i := range c.members {
		if c.members[i].Name == name {
			return i
		}
	}
	return -1
}

// Property returns the place of an auto-property's backing field, or -1.
func (c *Class) Property(name string) int {
	for i := range c.members {
		m := c.members[i].Name
		if len(m) == len(name)+len("<>k__BackingField") && m[0] == '<' && m[1:1+len(name)] == name && strings.HasSuffix(m, ">k__BackingField") {
			return i
		}
	}
	return -1
}

// finish builds the index and returns a name that occurs twice.
func (c *Class) finish() (twice string, ok bool) {
	if len(c.members) <= scanMembers {
		for i := range c.members {
			for j := range c.members[:i] {
				if c.members[i].Name == c.members[j].Name {
					return c.members[i].Name, false
				}
			}
		}
		return "", true
	}
	c.index = make(map[string]int32, len(c.members))
	for i := range c.members {
		if _, ok := c.index[c.members[i].Name]; ok {
			return c.members[i].Name, false
		}
		c.index[c.members[i].Name] = int32(i)
	}
	return "", true
}
