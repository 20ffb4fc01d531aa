// Package redis shares sessions with Microsoft's RedisSessionStateProvider, in
// every version that has a public source, and keeps those of a site that
// outgrows one machine.
//
//	store, err := redis.Open(ctx, redis.Options{
//		App:   "/shop",
//		Redis: goredis.UniversalOptions{Addrs: []string{"10.0.0.7:6379"}},
//	})
//
// Open asks the server what it is: alone, Sentinels or a cluster. See
// ParseConnectionString and Provider for what a web.config says.
//
// # Layouts
//
//	C  provider 5.x        {App_id}_SessionStateItemCollection  a string: all items
//	                       {App_id}_SessionTimeout, {App_id}_WriteLock
//	B  provider 2.x-4.x    {App_id}_Data       a hash: a field for each item
//	                       {App_id}_Internal, {App_id}_Write_Lock
//	A  provider 1.4-1.6    as B, without the braces
//
// The layouts see nothing of each other. One that is not the pages' shares
// nothing: Store.Detect tells which it is. In C a save sends the whole session,
// in A and B the fields that changed.
//
// In A and B every field is an object stream of its own; those of a single value
// are read and written as the types of package payload. What they cannot say:
//
//   - Null is written as a missing field, as C# reads both alike.
//   - The kind of a DateTime is not looked at: as in layout C, its clock is read
//     and written in the zone of session.Options.Location, and what Go sets is of
//     kind Unspecified.
//   - A session without items keeps one field, SessionStateActions = "None", or
//     there would be no session. Pages see that name in Session.Keys until they
//     save.
//   - Pages find names without case in providers from 2.2.1 on; fields whose
//     names differ in nothing else are bad data here.
//
// # What it promises
//
//	a save under a lock that was lost, broken or expired   told (ErrLockLost)
//	a save after the session expired or was removed        told (ErrGone); nothing is stored
//	a new session over one that appeared                   told (ErrExists)
//	two requests of Go or of locking pages at once         excluded, for the life of the lock
//	a page that writes without a lock (see below)          not told
//	a save of which the reply was lost and which the       told ErrLockLost (ErrExists if
//	client sent again                                      new), though it was done; one
//	                                                       that keeps the lock is right
//	an acknowledged save that a fail-over lost             not told
//
// Each call is one script, one round trip and one step. Pages on read-only access
// that all the same end in a save, and sites with
// aspnet:AllowConcurrentRequestsPerSession, write without a lock and delete one
// that is there: then the holder's own save is refused here. The provider does
// not tell its pages of a lost lock.
//
// Locks end with their lease: Acquire's, and Renew makes it longer. Their ids
// are text that neither pages take for old, in whatever zone their servers are,
// nor Go mistakes for another's. How old a page's lock is comes from what it has
// left to live of Options.ExecutionTimeout, which must be the pages' own.
//
// There is no session.Ender here. Redis tells of expiry only to who listens at
// that moment, loses the message with a connection, and does not say what was
// in the session: a Session_End that is at times not called is worse than none.
//
// # Waiting
//
// A release is published on the channel that has the lock key's name; one
// connection of a Store subscribes to what its waiters wait for. Pages publish
// nothing, so their locks are looked at, every 5 to 50 ms. Nobody queues: of
// several processes that are woken the fastest has the lock. A cluster passes
// every release on to all of its nodes: Options.NoWakeup spares a large one that.
//
// # What Redis promises
//
// A script runs alone and whole. A write is acknowledged before a replica has
// it: when a master dies, the last writes, locks among them, can be gone, and two
// holders of one lock are possible for that moment. The later save is refused
// where the new master knows another lock, and not where it knows none of this.
// Writes that a cut-off master took until it noticed are lost. min-replicas-to-write
// and WAIT make that rarer, not impossible. Without appendonly a restart empties
// the server. When memory is full, a policy other than noeviction drops sessions:
// Open warns of it.
//
// Which deployment: one server is the simplest, and enough until it may not
// fail. Sentinel adds fail-over, in seconds. For more sessions or requests than
// one machine holds, layout C on a cluster: a session's three keys share a slot,
// so that sessions spread over all masters. Layout A is refused there. An
// application name with a } in it puts all sessions in one slot.
//
// # Rights
//
// A user of its own, for applicationName "MyApp" (A, Options.ReadFallback and
// Store.Detect need ~MyApp_* too; A and B alone the commands that start with h):
//
//	ACL SETUSER web on >password ~{MyApp_* &{MyApp_* -@all
//	  +eval +evalsha +get +set +getrange +strlen +exists +del +expire +pttl +type
//	  +hget +hset +hdel +hgetall +hlen +hkeys +hexists
//	  +publish +subscribe +unsubscribe +hello +auth +select +ping
//	  +client|setname +client|setinfo   (setinfo from Redis 7.2 on)
//	  +scan                             (Store.List)
//	  +cluster|slots +cluster|shards +cluster|info +readonly +asking   (cluster)
//
// Redis before 6 has no users but one. Tested with Redis 7.0.
//
// # Security
//
// Keys and channels hold ids, which are bearer secrets: errors and logs name the
// hash of a key, and SCAN, MONITOR and SLOWLOG are for who may see them. Whoever
// can write the server can have ASP.NET deserialize what he likes: TLS, a
// password, a private network. Errors hold no credentials.
package redis
