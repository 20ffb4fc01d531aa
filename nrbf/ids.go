package nrbf

// ids finds nodes by the absolute value of their id. Ids count up from 1 with
// few gaps; what is far beyond the crowd goes into the map, so that one id of
// two billion costs no table of that size.
type ids struct {
	dense  []*node
	sparse map[int32]*node
	count  int
}

func (t *ids) get(id int32) *node {
	if id >= 0 && int(id) < len(t.dense) {
		return t.dense[id]
	}
	return t.sparse[id]
}

func (t *ids) put(id int32, n *node) {
	t.count++
	if int(id) < len(t.dense) {
		t.dense[id] = n
		return
	}
	if int(id) > 4*t.count+64 {
		if t.sparse == nil {
			t.sparse = map[int32]*node{}
		}
		t.sparse[id] = n
		return
	}
	size := max(int(id)+1, 2*len(t.dense), 32)
	dense := make([]*node, size)
	copy(dense, t.dense)
	t.dense = dense
	for k, v := range t.sparse {
		if int(k) < size {
			dense[k] = v
			delete(t.sparse, k)
		}
	}
	dense[id] = n
}

func (t *ids) each(yield func(*node)) {
	for _, n := range t.dense {
		if n != nil {
			yield(n)
		}
	}
	for _, n := range t.sparse {
		yield(n)
	}
}
