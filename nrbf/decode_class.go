package nrbf

// class reads a class record up to its values and opens a frame for those.
func (d *decoder) class(inPlace bool) (*node, error) {
	if len(d.stack) >= d.opt.Depth {
		return nil, d.fail(ErrLimit, "records inside one another more than %d deep", d.opt.Depth)
	}
	record := d.record
	id, err := d.int32()
	if err != nil {
		return nil, err
	}
	var class *Class
	if d.record == ClassWithID {
		class, err = d.classByID()
	} else {
		class, err = d.describe(id)
	}
	if err != nil {
		return nil, err
	}
	n, err := d.define(id, KindObject, inPlace)
	if err != nil {
		return nil, err
	}
	if err := d.spend(len(class.members)); err != nil {
		return nil, err
	}
	n.class = class
	n.vals = d.g.values.many(len(class.members))
	d.stack = append(d.stack, frame{n: n, record: record})
	return n, nil
}

func (d *decoder) classByID() (*Class, error) {
	id, err := d.int32()
	if err != nil {
		return nil, err
	}
	if id == d.lastID && d.last != nil {
		return d.last, nil
	}
	c := d.classes[id]
	if c == nil {
		return nil, d.fail(ErrCorrupt, "no class was described under id %d", id)
	}
	d.last, d.lastID = c, id
	return c, nil
}

// describe reads name, members, types and library of a class.
func (d *decoder) describe(id int32) (*Class, error) {
	record := d.record
	name, err := d.text()
	if err != nil {
		return nil, err
	}
	if name == "" {
		return nil, d.fail(ErrCorrupt, "a class without a name")
	}
	count, err := d.count("the number of members")
	if err != nil {
		return nil, err
	}
	if count > d.opt.Members {
		return nil, d.fail(ErrLimit, "%d members, at most %d", count, d.opt.Members)
	}
	typed := record >= SystemClassWithMembersAndTypes
	least := count // a name takes a byte, a type another
	if typed {
		least *= 2
	}
	if err := d.need(least); err != nil {
		return nil, err
	}
	if err := d.spend(count); err != nil {
		return nil, err
	}
	c := &Class{name: name, members: make([]Member, count), seq: d.g.nclass, g: d.g}
	d.g.nclass++
	for i := range c.members {
		if c.members[i].Name, err = d.text(); err != nil {
			return nil, err
		}
	}
	if twice, ok := c.finish(); !ok {
		return nil, d.fail(ErrCorrupt, "%s has member %q twice", clip(name), clip(twice))
	}
	if typed {
		if err := d.types(c); err != nil {
			return nil, err
		}
	}
	if record == ClassWithMembers || record == ClassWithMembersAndTypes {
		if c.library, err = d.libraryRef(); err != nil {
			return nil, err
		}
	}
	if !typed {
		if err := d.askTypes(c); err != nil {
			return nil, err
		}
	}
	if d.classes == nil {
		d.classes = map[int32]*Class{}
	}
	// An id that occurs twice is refused when the object is defined.
	d.classes[id] = c
	d.last, d.lastID = c, id
	return c, nil
}

// types reads one byte per member, then what those bytes call for.
func (d *decoder) types(c *Class) error {
	if err := d.need(len(c.members)); err != nil {
		return err
	}
	for i := range c.members {
		form := TypeForm(d.data[d.off])
		if form > FormPrimitiveArray {
			return d.fail(ErrCorrupt, "no type form has code %d", form)
		}
		c.members[i].Type.Form = form
		d.off++
	}
	for i := range c.members {
		if err := d.typeInfo(&c.members[i].Type); err != nil {
			return err
		}
	}
	return nil
}

// typeInfo reads what follows the form.
func (d *decoder) typeInfo(t *Type) (err error) {
	switch t.Form {
	case FormPrimitive, FormPrimitiveArray:
		t.Kind, err = d.kind()
	case FormSystemClass:
		t.Name, err = d.text()
	case FormClass:
		if t.Name, err = d.text(); err == nil {
			t.Library, err = d.libraryRef()
		}
	}
	if err == nil && t.Name == "" && (t.Form == FormSystemClass || t.Form == FormClass) {
		err = d.fail(ErrCorrupt, "a type without a name")
	}
	return err
}

func (d *decoder) libraryRef() (string, error) {
	id, err := d.int32()
	if err != nil {
		return "", err
	}
	i := d.g.libByID(id)
	if i < 0 {
		d.off -= 4
		return "", d.fail(ErrCorrupt, "no library has id %d", id)
	}
	return d.g.libs[i].name, nil
}

// askTypes gets the types that the record leaves out.
func (d *decoder) askTypes(c *Class) error {
	if len(c.members) == 0 {
		return nil
	}
	var types []Type
	if d.opt.MemberTypes != nil {
		names := make([]string, len(c.members))
		for i := range names {
			names[i] = c.members[i].Name
		}
		types = d.opt.MemberTypes(c.name, c.library, names)
	}
	if len(types) != len(c.members) {
		return d.fail(ErrUnsupported, "the types of %s's %d members are not in the stream", clip(c.name), len(c.members))
	}
	for i, t := range types {
		if bad := t.check(); bad != "" {
			return d.fail(ErrUnsupported, "member %s: %s", clip(c.members[i].Name), bad)
		}
		c.members[i].Type = t
		if t.Library != "" && d.g.lib(t.Library) < 0 {
			return d.fail(ErrUnsupported, "member %s: the stream has no library %s", clip(c.members[i].Name), clip(t.Library))
		}
	}
	return nil
}
