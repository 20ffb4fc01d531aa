package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/aspsession/aspsession"
	"github.com/aspsession/aspsession/payload"
	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/webconfig"
)

// lockPatience is how long a session is looked at again while a request is at
// work with it.
const lockPatience = 2 * time.Second

// lookup is the steps find and lock; found says that there is something to decode.
func (d *doctor) lookup(ctx context.Context, store session.Store) (rec session.Record, found bool) {
	if d.cfg.SessionState.SessionIDManagerType == "" {
		id, ok := (session.StandardIDs{}).Canonical(d.id)
		if !ok {
			d.failed(stops, "find", "id", fmt.Sprintf("--id has %d characters and is no id of ASP.NET's: those have 24, of a-z and 0-5", len(d.id)), "give the value of the session's cookie, or what stands in (S(...)) of the URL")
			return rec, false
		}
		d.id = id
	}
	rec, err := d.get(ctx, store)
	locked, isLocked := errors.AsType[*session.LockedError](err)
	switch {
	case isLocked:
		d.ok("find", "session %s is there", idHash(d.id))
		d.locked(locked)
		d.skipped("decode", "the store gives no items of a locked session")
		return rec, false
	case errors.Is(err, session.ErrNotFound):
		d.missing(ctx)
		return rec, false
	case errors.Is(err, session.ErrBadData):
		d.ok("find", "session %s is there", idHash(d.id))
		d.unreadable(ctx, err)
		return rec, false
	case err != nil:
		d.unreachable(err)
		return rec, false
	}
	d.ok("find", "session %s is there, %d items", idHash(d.id), rec.Payload.Items().Len())
	d.ok("lock", "nobody holds it")
	return rec, true
}

// get reads the session, and waits a little for a request that has it.
func (d *doctor) get(ctx context.Context, store session.Store) (session.Record, error) {
	for end := time.Now().Add(lockPatience); ; {
		rec, err := store.Get(ctx, d.id)
		locked, ok := errors.AsType[*session.LockedError](err)
		if !ok || locked.Age >= d.cfg.Runtime.ExecutionTimeout || time.Now().After(end) {
			return rec, err
		}
		select {
		case <-ctx.Done():
			return rec, err
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// locked explains a lock that stays.
func (d *doctor) locked(e *session.LockedError) {
	limit := d.cfg.Runtime.ExecutionTimeout
	age := e.Age.Round(time.Second)
	offset, page := tickOffset(e, time.Now())
	zone := time.Duration(0)
	if d.probe != nil {
		zone = time.Duration(d.probe.UTCOffsetMinutes) * time.Minute
	}
	switch {
	case e.Age < 0:
		d.failed(fault, "lock", "lock-clock", fmt.Sprintf("the lock is from the future: %v old", age), "the clocks or zones of the machines that write the store differ: set them alike")
	case page && d.probe != nil && abs(int((offset-zone)/time.Minute)) >= 10:
		d.failed(fault, "lock", "lock-clock", fmt.Sprintf("the page that holds the lock has a clock at UTC%+.2fh, and the server that was probed at UTC%+.2fh", offset.Hours(), zone.Hours()),
			"the provider reckons a lock's age by each server's own local time: set clock and zone of all web servers alike, or they break one another's locks")
	case e.Age >= limit:
		d.failed(fault, "lock", "stale-lock", fmt.Sprintf("it is locked for %v, which is longer than executionTimeout, %v", age, limit),
			"its request crashed, or runs on a server with a longer executionTimeout; the next request breaks the lock, and \"aspstate unlock\" does")
	default:
		d.failed(vague, "lock", "locked", fmt.Sprintf("a request holds it for %v now", age), "try again when that page is done; a lock is broken after "+limit.String())
	}
}

// tickOffset is how far from UTC the clock was by which a page named its lock:
// Microsoft's Redis provider takes the ticks of local time. Ours lie a day ahead,
// and are no page's.
func tickOffset(e *session.LockedError, now time.Time) (offset time.Duration, page bool) {
	n, err := strconv.ParseInt(e.Holder.Text(), 10, 64)
	if err != nil {
		return 0, false
	}
	const epoch = 621_355_968_000_000_000 // ticks of 100 ns from the year 1 to 1970
	at := time.Unix((n-epoch)/10_000_000, 0)
	offset = at.Sub(now.Add(-e.Age))
	return offset, offset > -15*time.Hour && offset < 15*time.Hour
}

// unreadable explains a session whose frame makes no sense.
func (d *doctor) unreadable(ctx context.Context, err error) {
	compress := d.cfg.SessionState.CompressionEnabled
	other := d.site()
	other.Config = func(cfg *webconfig.Config) { cfg.SessionState.CompressionEnabled = !compress }
	if d.try(ctx, other) == nil {
		d.failed(stops, "decode", "compression",
			fmt.Sprintf("the session can be read with compressionEnabled=%q and web.config has %q", fmt.Sprint(!compress), fmt.Sprint(compress)),
			"take the web.config that the server uses; both sides must have the same")
		return
	}
	if c, ok := d.alternative(ctx, false); ok {
		d.failed(stops, "decode", c.fault, c.found, c.cure)
		return
	}
	d.failed(stops, "decode", "bad-data", err.Error(), `what is stored is no session of ASP.NET's, or is cut: "aspstate inspect" shows a copy of it; "aspstate rm" removes it`)
}

// try looks for the session with other settings.
func (d *doctor) try(ctx context.Context, site aspsession.Site) error {
	store, _, err := aspsession.OpenStore(ctx, d.flags.config, site, openers...)
	if err != nil {
		return err
	}
	defer closeStore(store) //nolint:errcheck // only read from
	_, err = store.Get(ctx, d.id)
	return err
}

// missing explains a session that is not there.
func (d *doctor) missing(ctx context.Context) {
	if c, ok := d.alternative(ctx, true); ok {
		d.failed(stops, "find", c.fault, c.found, c.cure)
		return
	}
	d.failed(vague, "find", "not-found", fmt.Sprintf("there is no session %s, under no other application id, key or layout that was tried", idHash(d.id)),
		"it has expired or was abandoned; or the cookie is of another site; or the pages keep their sessions elsewhere: visit a page that stores something and take the cookie again, and compare with --probe; \"aspstate discover\" tells which applications a store holds")
}

// alternative finds the session under other settings; unread says that one that
// cannot be read counts.
func (d *doctor) alternative(ctx context.Context, unread bool) (candidate, bool) {
	for _, c := range d.candidates() {
		site := d.site()
		c.change(&site)
		err := d.try(ctx, site)
		if _, locked := errors.AsType[*session.LockedError](err); err == nil || locked || unread && errors.Is(err, session.ErrBadData) {
			return c, true
		}
		if ctx.Err() != nil {
			break
		}
	}
	return candidate{}, false
}

// decode reads every item.
func (d *doctor) decode(rec session.Record) {
	if rec.Uninitialized {
		d.find(notice, "decode", "uninitialized", "the session is uninitialized: it was made for a visitor whose old one had expired", "nothing: his next page fills it")
	}
	bad, custom := 0, 0
	for item := range rec.Payload.Items().All() {
		class, err := examineItem(item)
		name := quote(item.Key, keyWidth)
		switch {
		case err != nil && looksJSON(item):
			bad++
			d.find(fault, "decode", "serializer", fmt.Sprintf("item %s is JSON, which the site's own redisSerializerType writes", name), "set redis.Options.Serializer to redis.JSON or its counterpart")
		case err != nil:
			bad++
			d.find(fault, "decode", "bad-item", fmt.Sprintf("item %s cannot be decoded: %v", name, err), "have the page that stores it store it again; the others can be used, and this one is carried as it is")
		case class != "":
			custom++
			d.find(notice, "decode", "unmapped-type", fmt.Sprintf("item %s is of the site's own class %s, for which Go has no type yet", name, label(class, 120)),
				`it is carried as it is, and can be looked into as an nrbf.Object; "aspstate gen" writes the Go struct for it`)
		}
	}
	n := rec.Payload.Items().Len()
	if bad > 0 {
		d.Steps = append(d.Steps, step{"decode", "failed", fmt.Sprintf("%d of %d items cannot be decoded", bad, n)})
		return
	}
	d.ok("decode", "all %d items, %d of them of the site's own classes", n, custom)
}

// examineItem decodes an item; class is the site's own class that it is of.
func examineItem(item payload.Item) (class string, err error) {
	v, err := item.Decode(nil)
	if err != nil {
		return "", err
	}
	stream, ok := v.(payload.Object)
	if !ok {
		return "", nil
	}
	return ownClass(stream)
}
