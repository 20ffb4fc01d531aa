package redis

import (
	"context"
	"strings"
)

// Detect finds the layouts in which a session of this id is stored: none, one,
// or more where a site changed providers. It renews nothing. For tools: what a
// store writes is Options.Layout's, always.
func (s *Store) Detect(ctx context.Context, id string) ([]Layout, error) {
	var found []Layout
	for _, l := range layouts {
		keys := l.keys(s.opt.App, id)
		n, err := s.client.Exists(ctx, keys[1]).Result()
		if err != nil {
			return nil, (call{s, "detect", keys}).fail("", classify(ctx, err))
		}
		if n > 0 {
			found = append(found, l)
		}
	}
	return found, nil
}

// view is this store in another layout.
func (s *Store) view(l Layout) *Store {
	v := &Store{opt: s.opt, layout: l, client: s.client, cluster: s.cluster, minutes: s.minutes, hub: s.hub, now: s.now}
	v.opt.Serializer, v.scripts = nil, blobScripts // a custom serializer is for one layout only
	if l.hash() {
		v.scripts = hashScripts
	}
	return v
}

// typeHint says of a key of the wrong type what it is.
func (s *Store) typeHint(ctx context.Context, keys []string, err error) string {
	if !strings.Contains(err.Error(), "WRONGTYPE") {
		return ""
	}
	typ, terr := s.client.Type(ctx, keys[1]).Result()
	switch {
	case terr != nil:
		return ""
	case typ == "hash" && !s.layout.hash():
		return "layout A or B: the data is a hash"
	case typ == "string" && s.layout.hash():
		return "layout C: the data is a string"
	}
	return "none: the data is a " + typ
}
