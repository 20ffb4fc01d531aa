// Package otelsession measures sessions with OpenTelemetry: it is a
// session.Metrics on metric instruments.
//
//	metrics, err := otelsession.New(otel.GetMeterProvider())
//	...
//	m, err := middleware.New(store, middleware.Options{
//		Session: session.Options{Metrics: metrics},
//	})
//
// # Instruments
//
//	aspsession.lock.wait.duration   histogram  s          waiting for a turn and for the lock of others; of every session
//	                                                      that was loaded, and of those that gave up waiting
//	aspsession.lock.hold.duration   histogram  s          from the lock's taking to its release
//	aspsession.load.duration        histogram  s          the store's calls that loaded a session
//	aspsession.save.duration        histogram  s          the calls that saved, released or removed it
//	aspsession.payload.size         histogram  By         the stored frame, by aspsession.direction: load, save
//	aspsession.sessions.started     counter    {session}  sessions that began, stored or not
//	aspsession.locks.broken         counter    {lock}     locks of others that were broken for their age
//	aspsession.errors               counter    {error}    sessions that failed, by error.type
//
// # Attributes
//
//	aspsession.access     all       readwrite, readonly, disabled, lazy
//	aspsession.new        all       whether the session began with the request
//	aspsession.direction  size      load, save
//	error.type            errors    see below
//
// The values of error.type, with the first that fits:
//
//	queue_full    session.ErrQueueFull: too many requests of this process wait for the session
//	lock_lost     session.ErrLockLost, ErrGone: a stale writer was refused
//	locked        session.ErrLocked: gave up waiting
//	exists        session.ErrExists: another request created the session first
//	bad_data      session.ErrBadData: what is stored cannot be decoded
//	not_renewed   session.ErrNotRenewed: the page went well, the sliding timeout was not renewed
//	unavailable   session.ErrUnavailable, session.ErrClosed, context.DeadlineExceeded
//	canceled      context.Canceled: the client went while it waited
//	_OTHER        anything else
//
// That is at most 16 series of an instrument, and 72 of the errors. No id, item
// name or value is in any of them; exemplars hold what the application's own
// tracing puts in the request's context.
package otelsession
