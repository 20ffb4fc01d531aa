package admin

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/aspsession/aspsession/stateservice"
)

const (
	mostApps  = 20 // that are told apart; the others are counted together
	mostLocks = 5  // that the overview shows
	// restFactor bounds what an overview that refreshes itself costs: a census is
	// used again for so many times as long as it took.
	restFactor = 10
)

// A census is one look at every session.
type census struct {
	at     time.Time
	took   time.Duration
	Count  int64
	Bytes  int64
	Locked int64
	Fresh  int64
	sizes  []group
	lives  []group // by the time that is left
	apps   []group // largest first
	locks  []row   // held longest first
}

// A group is some of the sessions.
type group struct {
	Label string
	upTo  float64 // bytes or seconds
	Count int64
	Bytes int64
	Share float64 // of the largest group, 0 to 100
	URL   string
}

func (g *group) add(i *stateservice.Info) { g.Count, g.Bytes = g.Count+1, g.Bytes+int64(i.Size) }

func sizeGroups() []group {
	return []group{{Label: "up to 1 KiB", upTo: 1 << 10}, {Label: "to 8 KiB", upTo: 8 << 10}, {Label: "to 64 KiB", upTo: 64 << 10},
		{Label: "to 1 MiB", upTo: 1 << 20}, {Label: "more", upTo: math.Inf(1)}}
}

func lifeGroups() []group {
	return []group{{Label: "up to 1 min", upTo: 60}, {Label: "to 5 min", upTo: 300}, {Label: "to 20 min", upTo: 1200},
		{Label: "to 1 h", upTo: 3600}, {Label: "more", upTo: math.Inf(1)}}
}

// take looks at every session, in memory that does not depend on their number.
func take(s *stateservice.Server, now func() time.Time) *census {
	c := &census{at: now(), sizes: sizeGroups(), lives: lifeGroups()}
	apps := applications{known: make(map[string]*group)}
	locks := top{most: mostLocks, order: orders["lock"]}
	s.List(func(i stateservice.Info) bool {
		c.Count++
		c.Bytes += int64(i.Size)
		if i.Uninitialized {
			c.Fresh++
		}
		if i.Locked {
			c.Locked++
			locks.add(row{Info: i})
		}
		left := math.Inf(1)
		if !i.Expires.IsZero() {
			left = i.Expires.Sub(c.at).Seconds()
		}
		into(c.lives, left).add(&i)
		into(c.sizes, float64(i.Size)).add(&i)
		apps.of(i.Key).add(&i)
		return true
	})
	c.took = now().Sub(c.at)
	c.locks, c.apps = locks.sorted(), apps.groups()
	shares(c.sizes)
	shares(c.lives)
	shares(c.apps)
	return c
}

// At is when it was taken.
func (c *census) At() string { return c.at.Format("15:04:05") }

func into(groups []group, v float64) *group {
	for i := range groups {
		if v <= groups[i].upTo {
			return &groups[i]
		}
	}
	return &groups[len(groups)-1]
}

// applications are groups by application id.
type applications struct {
	known  map[string]*group
	others group // beyond the first mostApps
}

// of is the group of a key.
func (a *applications) of(key string) *group {
	id := application(key)
	if g := a.known[id]; g != nil {
		return g
	}
	if len(a.known) == mostApps {
		return &a.others
	}
	g := &group{Label: tame(id, nameWidth), URL: browseURL(id, "", 0)}
	a.known[id] = g
	return g
}

// groups lists them, the largest first.
func (a *applications) groups() (list []group) {
	for _, g := range a.known {
		list = append(list, *g)
	}
	slices.SortFunc(list, func(a, b group) int { return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.URL, b.URL)) })
	if a.others.Count > 0 {
		a.others.Label = "others"
		list = append(list, a.others)
	}
	return list
}

func shares(groups []group) {
	var most int64
	for _, g := range groups {
		most = max(most, g.Count)
	}
	for i := range groups {
		if most > 0 {
			groups[i].Share = 100 * float64(groups[i].Count) / float64(most)
		}
	}
}
