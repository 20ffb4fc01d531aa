package redis_test

import (
	"context"
	"encoding/binary"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/internal/redistest"
	"github.com/aspsession/aspsession/payload"
	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stores/redis"
)

const (
	streamHead  = "\x00\x01\x00\x00\x00\xff\xff\xff\xff\x01\x00\x00\x00\x00\x00\x00\x00"
	streamInt42 = streamHead + "\x04\x01\x00\x00\x00\x0cSystem.Int32\x01\x00\x00\x00\x07m_value\x00\x08\x2a\x00\x00\x00\x0b"
	streamBob   = streamHead + "\x06\x01\x00\x00\x00\x03Bob\x0b"
	// What the provider stores of an uninitialized session: an enum.
	streamFlag = streamHead + "\x0c\x02\x00\x00\x00MSystem.Web, Version=4.0.0.0, Culture=neutral, PublicKeyToken=b03f5f7f11d50a3a" +
		"\x05\x01\x00\x00\x00+System.Web.SessionState.SessionStateActions\x01\x00\x00\x00\x07value__\x00\x08\x02\x00\x00\x00\x01\x00\x00\x00\x0b"
	streamNone = streamHead + "\x06\x01\x00\x00\x00\x04None\x0b"
	blobFlag   = "\x01\x00\x00\x00\xff\xff\xff\xff\x13SessionStateActions\xad\x00\x00\x00\x14" + streamFlag
)

// blobOf writes a collection as SessionStateItemCollection.Serialize does: names,
// then end offsets, then values. It knows nothing of package payload.
func blobOf(names []string, value func(name string) string) string {
	b := binary.LittleEndian.AppendUint32(nil, uint32(len(names)))
	if len(names) == 0 {
		return string(b)
	}
	b = append(b, 0xff, 0xff, 0xff, 0xff)
	for _, n := range names {
		b = binary.AppendUvarint(b, uint64(len(n)))
		b = append(b, n...)
	}
	var values []byte
	for _, n := range names {
		values = append(values, value(n)...)
		b = binary.LittleEndian.AppendUint32(b, uint32(len(values)))
	}
	return string(append(b, values...))
}

// Every captured session, edited: two items set, one of them in other letters
// than it is stored in, one removed. What is left is what the provider would
// have left: the other items byte for byte, the new ones as BinaryFormatter or
// the collection writes them, both keys with all of their time, and no lock.
func TestCapturesEdited(t *testing.T) {
	eachCapture(t, func(t *testing.T, s *redis.Store, client *goredis.Client, id string, stored map[string]string) {
		ctx := context.Background()
		before := stateOf(t, client)
		if len(before) == 0 {
			return
		}
		rec, err := s.Acquire(ctx, id, 110*time.Second)
		require.NoError(t, err)
		it := rec.Payload.Items()
		raw := map[string]string{}
		for item := range it.All() {
			raw[item.Key] = string(item.Data)
		}
		names := it.Keys()
		require.NoError(t, it.Set("go", 42))
		names = append(names, "go")
		if len(names) > 2 {
			gone := names[1]
			it.Remove(strings.ToUpper(gone))
			names = slices.Delete(names, 1, 2)
			delete(raw, gone)
		}
		set := names[0]
		if set != "go" {
			it.Remove(set) // over an object only an object can be set
			require.NoError(t, it.Set(set, "Bob"))
			names = append(names[1:], set)
		}
		require.NoError(t, s.Save(ctx, id, rec.Lock, rec.Payload))

		want := state{}
		for key, k := range before {
			k := k.(stateKey)
			k.TTL = 1200
			switch v := k.Value.(type) {
			case map[string]string:
				if !strings.HasSuffix(key, "_Data") {
					break
				}
				v = maps.Clone(v)
				for name := range v {
					if !slices.Contains(names, name) {
						delete(v, name)
					}
				}
				v["go"] = streamInt42
				if set != "go" {
					v[set] = streamBob
				}
				k.Value = v
			case string:
				if strings.HasSuffix(key, "_SessionStateItemCollection") {
					k.Value = blobOf(names, func(name string) string {
						switch name {
						case "go":
							return "\x02\x2a\x00\x00\x00"
						case set:
							return "\x01\x03Bob"
						}
						return raw[name]
					})
				}
			}
			want[key] = k
		}
		require.Equal(t, want, stateOf(t, client))
	})
}

// The example of the sheet, byte for byte, made by Go alone.
func TestNewSessionsAreTheProviders(t *testing.T) {
	addr := redistest.Server(t)
	client := redistest.Client(t, addr)
	ctx := context.Background()
	stem := "{MyApp_" + anID + "}"
	for layout, want := range map[redis.Layout]state{
		redis.LayoutC: {
			stem + "_SessionStateItemCollection": stateKey{1200, "\x02\x00\x00\x00\xff\xff\xff\xff\x04name\x01n\x05\x00\x00\x00\x0a\x00\x00\x00\x01\x03Bob\x02\x2a\x00\x00\x00"},
			stem + "_SessionTimeout":             stateKey{1200, "1200"},
		},
		redis.LayoutB: {
			stem + "_Data":     stateKey{1200, map[string]string{"name": streamBob, "n": streamInt42}},
			stem + "_Internal": stateKey{1200, map[string]string{"SessionTimeout": "1200"}},
		},
		redis.LayoutA: {
			"MyApp_" + anID + "_Data":     stateKey{1200, map[string]string{"name": streamBob, "n": streamInt42}},
			"MyApp_" + anID + "_Internal": stateKey{1200, map[string]string{"SessionTimeout": "1200"}},
		},
	} {
		t.Run(layout.String(), func(t *testing.T) {
			require.NoError(t, client.FlushDB(ctx).Err())
			s := open(t, addr, redis.Options{Layout: layout})
			p := payload.New(20, payload.Limits{})
			require.NoError(t, p.Items().Set("name", "Bob"))
			require.NoError(t, p.Items().Set("n", 42))
			require.NoError(t, s.Save(ctx, anID, session.Lock{}, p))
			require.Equal(t, want, stateOf(t, client))

			// Under a lock there is one key more, with the lock's life.
			rec, err := s.Acquire(ctx, anID, 110*time.Second)
			require.NoError(t, err)
			lock := lockKey(layout)
			locked := maps.Clone(want)
			locked[lock] = stateKey{110, rec.Lock.Text()}
			require.Equal(t, locked, stateOf(t, client))
			require.NoError(t, s.Renew(ctx, anID, rec.Lock, 300*time.Second))
			locked[lock] = stateKey{300, rec.Lock.Text()}
			require.Equal(t, locked, stateOf(t, client))
			require.NoError(t, s.Release(ctx, anID, rec.Lock))
			require.Equal(t, want, stateOf(t, client))
			require.ErrorIs(t, s.Renew(ctx, anID, rec.Lock, time.Minute), session.ErrLockLost)

			// Abandoned, nothing of it stays.
			rec, err = s.Acquire(ctx, anID, 110*time.Second)
			require.NoError(t, err)
			require.NoError(t, s.Remove(ctx, anID, rec.Lock))
			require.Empty(t, stateOf(t, client))
			require.ErrorIs(t, s.Renew(ctx, anID, rec.Lock, time.Minute), session.ErrGone)
		})
	}
}

func lockKey(l redis.Layout) string {
	return map[redis.Layout]string{
		redis.LayoutC: "{MyApp_" + anID + "}_WriteLock", redis.LayoutB: "{MyApp_" + anID + "}_Write_Lock", redis.LayoutA: "MyApp_" + anID + "_Write_Lock",
	}[l]
}

func dataKey(l redis.Layout) string {
	return map[redis.Layout]string{
		redis.LayoutC: "{MyApp_" + anID + "}_SessionStateItemCollection", redis.LayoutB: "{MyApp_" + anID + "}_Data", redis.LayoutA: "MyApp_" + anID + "_Data",
	}[l]
}

func timeoutKey(l redis.Layout) string {
	return map[redis.Layout]string{
		redis.LayoutC: "{MyApp_" + anID + "}_SessionTimeout", redis.LayoutB: "{MyApp_" + anID + "}_Internal", redis.LayoutA: "MyApp_" + anID + "_Internal",
	}[l]
}

// An uninitialized session, made by the provider or by Go: the flag is seen
// once, shows up among the items never, and is gone with the first save.
func TestUninitialized(t *testing.T) {
	addr := redistest.Server(t)
	client := redistest.Client(t, addr)
	ctx := context.Background()
	for _, layout := range layouts {
		for _, maker := range []string{"the provider", "Go"} {
			t.Run(layout.String()+"/"+maker, func(t *testing.T) {
				require.NoError(t, client.FlushDB(ctx).Err())
				s := open(t, addr, redis.Options{Layout: layout})
				switch {
				case maker == "Go":
					require.NoError(t, s.Create(ctx, anID, 20*time.Minute))
				case layout == redis.LayoutC:
					require.NoError(t, client.Set(ctx, dataKey(layout), blobFlag, 20*time.Minute).Err())
					require.NoError(t, client.Set(ctx, timeoutKey(layout), "1200", 20*time.Minute).Err())
				default:
					require.NoError(t, client.HSet(ctx, dataKey(layout), "SessionStateActions", streamFlag).Err())
					require.NoError(t, client.HSet(ctx, timeoutKey(layout), "SessionTimeout", "1200").Err())
				}
				rec, err := s.Acquire(ctx, anID, time.Minute)
				require.NoError(t, err)
				require.True(t, rec.Uninitialized)
				require.True(t, rec.Payload.Items().Empty())
				require.False(t, rec.Payload.Dirty())
				require.NoError(t, s.Release(ctx, anID, rec.Lock))
				require.Equal(t, 1200, stateOf(t, client)[dataKey(layout)].(stateKey).TTL)
				rec, err = s.Acquire(ctx, anID, time.Minute)
				require.NoError(t, err)
				require.False(t, rec.Uninitialized)
				require.True(t, rec.Payload.Items().Empty())
				require.NoError(t, rec.Payload.Items().Set("name", "Bob"))
				require.NoError(t, s.Save(ctx, anID, rec.Lock, rec.Payload))
				if layout == redis.LayoutC {
					require.Equal(t, blobOf([]string{"name"}, func(string) string { return "\x01\x03Bob" }), client.Get(ctx, dataKey(layout)).Val())
				} else {
					require.Equal(t, map[string]string{"name": streamBob}, client.HGetAll(ctx, dataKey(layout)).Val())
				}
				err = s.Save(ctx, anID+"x", session.Lock{}, flagged(t))
				require.ErrorIs(t, err, session.ErrUnsupported, "the name is the provider's own")
			})
		}
	}
}

func flagged(t *testing.T) *payload.Payload {
	p := payload.New(20, payload.Limits{})
	require.NoError(t, p.Items().Set("sessionstateactions", "x"))
	return p
}

// Layouts A and B: spelling, null, the last item.
func TestFields(t *testing.T) {
	addr := redistest.Server(t)
	client := redistest.Client(t, addr)
	ctx := context.Background()
	for _, layout := range []redis.Layout{redis.LayoutB, redis.LayoutA} {
		t.Run(layout.String(), func(t *testing.T) {
			s := open(t, addr, redis.Options{Layout: layout})
			fields := func() map[string]string { return client.HGetAll(ctx, dataKey(layout)).Val() }
			edit := func(f func(it *payload.Items)) {
				rec, err := s.Acquire(ctx, anID, time.Minute)
				require.NoError(t, err)
				f(rec.Payload.Items())
				require.NoError(t, s.Save(ctx, anID, rec.Lock, rec.Payload))
			}
			p := payload.New(20, payload.Limits{})
			require.NoError(t, p.Items().Set("Name", "x"))
			require.NoError(t, p.Items().Set("nothing", nil))
			require.NoError(t, s.Save(ctx, anID, session.Lock{}, p))
			require.Len(t, fields(), 1, "null is a missing field")

			edit(func(it *payload.Items) { require.NoError(t, it.Set("NAME", "Bob")) })
			require.Equal(t, map[string]string{"Name": streamBob}, fields(), "the stored spelling stays")
			edit(func(it *payload.Items) {
				it.Remove("name")
				require.NoError(t, it.Set("nAmE", 42))
			})
			require.Len(t, fields(), 1, "removed and set again it is one field, too")
			edit(func(it *payload.Items) {
				it.Remove("name")
				require.NoError(t, client.HDel(ctx, dataKey(layout), slices.Collect(maps.Keys(fields()))...).Err())
				require.NoError(t, client.HSet(ctx, dataKey(layout), "Name", streamBob).Err())
				require.NoError(t, it.Set("Name", 42))
			})
			require.Equal(t, map[string]string{"Name": streamInt42}, fields())
			edit(func(it *payload.Items) {
				// A page without a lock adds an item meanwhile, in its own spelling.
				require.NoError(t, client.HSet(ctx, dataKey(layout), "Added", streamInt42).Err())
				require.NoError(t, it.Set("added", "Bob"))
			})
			require.Equal(t, map[string]string{"Name": streamInt42, "Added": streamBob}, fields())
			edit(func(it *payload.Items) { require.NoError(t, it.Set("added", nil)) })
			require.Equal(t, map[string]string{"Name": streamInt42}, fields())

			edit(func(it *payload.Items) { it.Remove("name") })
			require.Equal(t, map[string]string{"SessionStateActions": streamNone}, fields(), "a session without items stays")
			rec, err := s.Get(ctx, anID)
			require.NoError(t, err)
			require.False(t, rec.Uninitialized)
			require.True(t, rec.Payload.Items().Empty())
			edit(func(it *payload.Items) { require.NoError(t, it.Set("n", 42)) })
			require.Equal(t, map[string]string{"n": streamInt42}, fields())
			edit(func(it *payload.Items) { it.Clear() })
			require.Equal(t, map[string]string{"SessionStateActions": streamNone}, fields())

			// More fields than Lua takes arguments.
			edit(func(it *payload.Items) {
				for i := range 9000 {
					require.NoError(t, it.Set("n"+time.Duration(i).String(), i))
				}
			})
			require.Len(t, fields(), 9000)
			edit(func(it *payload.Items) {
				for _, k := range it.Keys()[:50] {
					it.Remove(k)
				}
			})
			require.Len(t, fields(), 8950)

			// RedisNull, as the provider stores null.
			null := captures(t)[redis.LayoutB][0].Cases[1].Keys
			for _, k := range null {
				for _, f := range k.Fields {
					if string(f.Name) == "n" {
						require.NoError(t, client.HSet(ctx, dataKey(layout), "null", f.Value).Err())
					}
				}
			}
			rec, err = s.Get(ctx, anID)
			require.NoError(t, err)
			v, ok, err := rec.Payload.Items().Get("null")
			require.NoError(t, err)
			require.True(t, ok)
			require.Nil(t, v)
		})
	}
}

// A session that expires under its lock is gone; its save leaves nothing, and
// never the changed fields alone.
func TestSaveAfterExpiry(t *testing.T) {
	addr := redistest.Server(t)
	client := redistest.Client(t, addr)
	ctx := context.Background()
	for _, layout := range layouts {
		t.Run(layout.String(), func(t *testing.T) {
			require.NoError(t, client.FlushDB(ctx).Err())
			s := open(t, addr, redis.Options{Layout: layout})
			p := payload.New(20, payload.Limits{})
			require.NoError(t, p.Items().Set("a", 1))
			require.NoError(t, s.Save(ctx, anID, session.Lock{}, p))
			rec, err := s.Acquire(ctx, anID, time.Minute)
			require.NoError(t, err)
			require.NoError(t, client.Del(ctx, dataKey(layout), timeoutKey(layout)).Err())
			require.NoError(t, rec.Payload.Items().Set("b", 2))
			err = s.Save(ctx, anID, rec.Lock, rec.Payload)
			require.ErrorIs(t, err, session.ErrGone)
			require.ErrorIs(t, err, session.ErrLockLost)
			require.Empty(t, stateOf(t, client))
		})
	}
}

// A lock that outlived its session does not lock the next one of that id.
func TestLockWithoutSession(t *testing.T) {
	addr := redistest.Server(t)
	client := redistest.Client(t, addr)
	ctx := context.Background()
	for _, layout := range layouts {
		s := open(t, addr, redis.Options{Layout: layout})
		for _, make := range []func() error{
			func() error { return s.Create(ctx, anID, time.Minute) },
			func() error { return s.Save(ctx, anID, session.Lock{}, payload.New(20, payload.Limits{})) },
		} {
			require.NoError(t, client.FlushDB(ctx).Err())
			require.NoError(t, client.Set(ctx, lockKey(layout), "639307952393805480", time.Minute).Err())
			_, err := s.Acquire(ctx, anID, time.Minute)
			require.ErrorIs(t, err, session.ErrNotFound)
			require.NoError(t, make())
			rec, err := s.Acquire(ctx, anID, time.Minute)
			require.NoError(t, err)
			require.NoError(t, s.Release(ctx, anID, rec.Lock))
		}
	}
}

// A timeout is the session's own, to the second, until it is changed.
func TestStoredTimeout(t *testing.T) {
	addr := redistest.Server(t)
	client := redistest.Client(t, addr)
	ctx := context.Background()
	for _, layout := range layouts {
		t.Run(layout.String(), func(t *testing.T) {
			require.NoError(t, client.FlushDB(ctx).Err())
			s := open(t, addr, redis.Options{Layout: layout, Timeout: 7 * time.Minute})
			stored := func() string {
				if layout == redis.LayoutC {
					return client.Get(ctx, timeoutKey(layout)).Val()
				}
				return client.HGet(ctx, timeoutKey(layout), "SessionTimeout").Val()
			}
			store := func(v string) {
				if layout == redis.LayoutC {
					require.NoError(t, client.Set(ctx, timeoutKey(layout), v, time.Hour).Err())
				} else {
					require.NoError(t, client.HSet(ctx, timeoutKey(layout), "SessionTimeout", v).Err())
				}
			}
			life := func() int { return stateOf(t, client)[dataKey(layout)].(stateKey).TTL }
			p := payload.New(20, payload.Limits{})
			require.NoError(t, p.Items().Set("a", 1))
			require.NoError(t, s.Save(ctx, anID, session.Lock{}, p))
			save := func(minutes int32) {
				rec, err := s.Acquire(ctx, anID, time.Minute)
				require.NoError(t, err)
				require.NoError(t, rec.Payload.Items().Set("a", 2))
				if minutes > 0 {
					rec.Payload.SetTimeout(minutes)
				}
				require.NoError(t, s.Save(ctx, anID, rec.Lock, rec.Payload))
			}
			store("2750")
			save(0)
			require.Equal(t, "2750", stored())
			require.Equal(t, 2750, life())
			rec, err := s.Get(ctx, anID)
			require.NoError(t, err)
			require.EqualValues(t, 45, rec.Payload.Timeout())
			save(30)
			require.Equal(t, "1800", stored())
			require.Equal(t, 1800, life())

			// Without a stored timeout a session has the configured one.
			require.NoError(t, client.Del(ctx, timeoutKey(layout)).Err())
			rec, err = s.Get(ctx, anID)
			require.NoError(t, err)
			require.EqualValues(t, 7, rec.Payload.Timeout())
			save(0)
			require.Equal(t, "420", stored())
			require.Equal(t, 420, life())
			require.NoError(t, client.Del(ctx, timeoutKey(layout)).Err())
			require.NoError(t, s.Touch(ctx, anID))
			require.Equal(t, "420", stored())

			store("soon")
			_, err = s.Get(ctx, anID)
			require.ErrorIs(t, err, session.ErrBadData)
			_, err = s.Acquire(ctx, anID, time.Minute)
			require.ErrorIs(t, err, session.ErrBadData)
			require.Zero(t, client.Exists(ctx, lockKey(layout)).Val(), "its lock is not kept")
		})
	}
}
