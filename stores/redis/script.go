package redis

import (
	"fmt"
	"strings"

	goredis "github.com/redis/go-redis/v9"
)

// The scripts: each is one round trip and, in Redis, one step. They take a
// session's keys as KEYS[1] lock, KEYS[2] data, KEYS[3] timeout. The texts below
// stand for both families of layouts: what differs is in parts, and hash holds
// the parts of A and B, blob those of C.
//
// A script that fails must leave no lock behind, so what can fail (reading a key
// of another type) comes before what is written, and PUBLISH comes last and may
// be refused.

// Replies of the scripts, alone or as the first element; 0 is success.
const (
	replyMissing = 1
	replyLocked  = 2
	replyLost    = 3
	replyExists  = 4
	// replyMute is added where the release could not be published.
	replyMute = 100
)

type scripts struct {
	get, acquire, create, save, release, remove, touch, renew *goredis.Script
}

var (
	blobScripts = newScripts(strings.NewReplacer(
		"READ_TIMEOUT", "redis.call('GET', T)",
		"WRITE_TIMEOUT(t)", "redis.call('SET', T, t, 'EX', t)",
		"LOOK", "local there = redis.call('STRLEN', D) > 0 or redis.call('EXISTS', D) == 1",
		"LOAD", "local data = redis.call('GET', D)\nlocal there = data ~= false",
		// An uninitialized session is a collection of the one item
		// SessionStateActions. Whoever is told of it leaves an empty one behind;
		// one that is cut stays, and is bad data.
		"READ_DATA", `
local fresh = 0
if string.sub(data, 1, 28) == '\1\0\0\0\255\255\255\255\19SessionStateActions' then
  local a, b, c, d = string.byte(data, 29, 32)
  if d and a + 256 * b + 65536 * c + 16777216 * d == #data - 32 then
    fresh = 1
    redis.call('SET', D, '\0\0\0\0', 'EX', renew())
  end
end`,
		"WRITE_DATA", `redis.call('SET', D, ARGV[7], 'EX', t)`,
	))
	hashScripts = newHashScripts(flagNone)
)

// newHashScripts makes the scripts of layouts A and B; none is what the flag
// holds where it says nothing, as the site's serializer writes it.
func newHashScripts(none []byte) *scripts {
	quoted := "'" + luaText(none) + "'"
	return newScripts(strings.NewReplacer(
		"READ_TIMEOUT", "redis.call('HGET', T, 'SessionTimeout')",
		"WRITE_TIMEOUT(t)", "redis.call('HSET', T, 'SessionTimeout', t) redis.call('EXPIRE', T, t)",
		"LOOK", "local there = redis.call('HLEN', D) > 0",
		"LOAD", "local there = redis.call('HLEN', D) > 0",
		"READ_DATA", `
local data, fresh = redis.call('HGETALL', D), 0
local flag = redis.call('HGET', D, 'SessionStateActions')
if flag and flag ~= `+quoted+` then
  fresh = 1
  if #data == 2 then
    redis.call('HSET', D, 'SessionStateActions', `+quoted+`)
  else
    redis.call('HDEL', D, 'SessionStateActions')
  end
end`,
		// ARGV: 7 cleared, 8 number of removed names, 9.. these, then names and
		// values by turns. A name that is not there may be in another spelling,
		// which then stays: pages look without case. A hash without fields would
		// be no session, so the last item leaves the flag behind, saying nothing.
		"WRITE_DATA", `
if ARGV[7] == '1' then redis.call('DEL', D) end
redis.call('HDEL', D, 'SessionStateActions')
local first = 9 + tonumber(ARGV[8])
for i = 9, first - 1 do redis.call('HDEL', D, ARGV[i]) end
local spelled
for i = first, #ARGV, 2 do
  local name = ARGV[i]
  if redis.call('HEXISTS', D, name) == 0 then
    if not spelled then
      spelled = {}
      for _, k in ipairs(redis.call('HKEYS', D)) do spelled[string.lower(k)] = k end
    end
    local lower = string.lower(name)
    name = spelled[lower] or name
    spelled[lower] = name
  end
  redis.call('HSET', D, name, ARGV[i + 1])
end
if redis.call('HLEN', D) == 0 then redis.call('HSET', D, 'SessionStateActions', `+quoted+`) end
redis.call('EXPIRE', D, t)`,
	))
}

// prologue is in front of every script. LOOK sees whether the session is there,
// and fails where its key has another type; LOAD is LOOK for scripts that read the
// session, and may do so: each call costs Redis about half a microsecond.
//
// renew lets data and timeout live for the stored timeout, as every verb of the
// provider does, or data for the fallback where none is stored.
const prologue = `
local L, D, T = KEYS[1], KEYS[2], KEYS[3]
LOOK
local timeout = READ_TIMEOUT
local stored = timeout
if not (stored and string.match(stored, '^%d+$') and #stored < 10 and tonumber(stored) > 0) then stored = nil end
local function renew()
  local t = stored
  if t then redis.call('EXPIRE', T, t) else t = ARGV[1] end
  redis.call('EXPIRE', D, t)
  return t
end
local function publish(channel)
  if channel == '' then return 0 end
  local reply = redis.pcall('PUBLISH', channel, '')
  if type(reply) == 'table' and reply.err then return 100 end
  return 0
end
`

// ARGV[1] of every script is the timeout in seconds of a session that has none
// stored.
var texts = scriptTexts{
	get: `
if not there then return {1} end
renew()
local holder = redis.call('GET', L)
if holder then return {2, holder, redis.call('PTTL', L)} end
READ_DATA
return {0, timeout, fresh, data}`,

	// ARGV: 2 new lock id, 3 its life in seconds, 4 the lock's id where the session
	// is uninitialized. That the lock holds one of these very ids means that a first
	// try succeeded whose reply was lost, and which of them what it was told.
	acquire: `
if not there then return {1} end
renew()
local holder = redis.call('GET', L)
if holder and holder ~= ARGV[2] and holder ~= ARGV[4] then return {2, holder, redis.call('PTTL', L)} end
READ_DATA
if holder == ARGV[4] then fresh = 1 end
redis.call('SET', L, fresh == 1 and ARGV[4] or ARGV[2], 'EX', ARGV[3])
return {0, timeout, fresh, data}`,

	// As save of a new session, but one that exists is left alone.
	create: `
if there then return 0 end
redis.call('DEL', L)
local t = ARGV[3]
WRITE_DATA
WRITE_TIMEOUT(t)
return 0`,

	// ARGV: 2 lock id, 3 timeout in seconds or '' for the stored one, 4 'new' or
	// 'held', 5 for how long to keep the lock in seconds or '0' to release it,
	// 6 channel. A lock without its session is a dead one. A new session that the
	// caller's lock is on was stored by a first try whose reply was lost.
	save: `
if ARGV[4] == 'new' then
  if there and (ARGV[5] == '0' or redis.call('GET', L) ~= ARGV[2]) then renew() return 4 end
  redis.call('DEL', L)
else
  if redis.call('GET', L) ~= ARGV[2] then
    if there then return 3 end
    return 1
  end
  if not there then
    redis.call('DEL', L)
    return 1 + publish(ARGV[6])
  end
end
local t = ARGV[3]
if t == '' then t = stored or ARGV[1] end
WRITE_DATA
WRITE_TIMEOUT(t)
if ARGV[5] ~= '0' then
  redis.call('SET', L, ARGV[2], 'EX', ARGV[5])
  return 0
end
redis.call('DEL', L)
return publish(ARGV[6])`,

	// ARGV: 2 lock id, 3 channel.
	release: `
if there then renew() end
if redis.call('GET', L) ~= ARGV[2] then
  if there then return 3 end
  return 1
end
redis.call('DEL', L)
return publish(ARGV[3])`,

	// ARGV: 2 lock id or '' for none, 3 channel.
	remove: `
local holder = redis.call('GET', L)
if not there then
  if holder and holder == ARGV[2] then redis.call('DEL', L, T) end
  return {1}
end
if ARGV[2] == '' then
  if holder then return {2, holder, redis.call('PTTL', L)} end
elseif holder ~= ARGV[2] then
  return {3}
end
redis.call('DEL', D, T, L)
return {publish(ARGV[3])}`,

	touch: `
if not there then return 1 end
if stored then renew() return 0 end
local t = ARGV[1]
redis.call('EXPIRE', D, t)
WRITE_TIMEOUT(t)
return 0`,

	// ARGV: 2 lock id, 3 its life in seconds from now.
	renew: `
if there then renew() end
if not there or redis.call('GET', L) ~= ARGV[2] then
  if there then return 3 end
  return 1
end
redis.call('EXPIRE', L, ARGV[3])
return 0`,
}

type scriptTexts struct{ get, acquire, create, save, release, remove, touch, renew string }

// luaText writes any bytes as the inside of a Lua string.
func luaText(b []byte) string {
	var s strings.Builder
	for _, c := range b {
		fmt.Fprintf(&s, `\%03d`, c)
	}
	return s.String()
}

func newScripts(parts *strings.Replacer) *scripts {
	script := func(text string) *goredis.Script { return goredis.NewScript(parts.Replace(prologue + text)) }
	load := func(text string) *goredis.Script {
		return goredis.NewScript(parts.Replace(strings.Replace(prologue, "LOOK", "LOAD", 1) + text))
	}
	return &scripts{
		get: load(texts.get), acquire: load(texts.acquire), create: script(texts.create), save: script(texts.save),
		release: script(texts.release), remove: script(texts.remove), touch: script(texts.touch), renew: script(texts.renew),
	}
}
