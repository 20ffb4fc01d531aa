package redis

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	goredis "github.com/redis/go-redis/v9"

	"github.com/aspsession/aspsession/session"
)

// What is wrong with a Redis, wrapped with session.ErrUnavailable.
var (
	// ErrNoScripting: EVAL is missing or forbidden. The store needs it: nothing
	// else takes a lock and reads a session in one step.
	ErrNoScripting = errors.New("the server does not run scripts (EVAL)")
	// ErrReadOnlyReplica: the address is that of a replica.
	ErrReadOnlyReplica = errors.New("the server is a read-only replica")
	// ErrCrossSlot: layout A on a Redis Cluster.
	ErrCrossSlot = errors.New("layout A cannot live on a Redis Cluster (CROSSSLOT): its keys have no hash tag, so that the three of one session fall into different slots")
)

// An Error says which session could not be handled, and why. It holds neither
// its id nor its key.
type Error struct {
	Op     string // what was asked for: "acquire", "save" ...
	Key    string // the data key's hash, as tools print it; see Store.HashedKey
	Layout Layout // the layout that was expected
	Looks  string // for bad data: the form that it seems to have
	Err    error
}

func (e *Error) Error() string {
	s := fmt.Sprintf("redis: %s: key %s, layout %s expected", e.Op, e.Key, e.Layout)
	if e.Looks != "" {
		s += ", looks like " + e.Looks
	}
	return s + ": " + e.Err.Error()
}

func (e *Error) Unwrap() error { return e.Err }

// classify gives what a client returned the contract's names. ctx's own end
// stays what it is.
func classify(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if cause := ctx.Err(); cause != nil {
		return fmt.Errorf("%w: %w", cause, err)
	}
	if errors.Is(err, context.Canceled) {
		return err
	}
	text := err.Error()
	has := func(s string) bool { return strings.Contains(text, s) }
	var why error
	switch {
	case has("WRONGTYPE"):
		return fmt.Errorf("%w: the key holds another type: %w", session.ErrBadData, err)
	case has("READONLY"):
		why = fmt.Errorf("%w; give the master's address, or Sentinel's with MasterName", ErrReadOnlyReplica)
	case has("CROSSSLOT"):
		why = ErrCrossSlot
	case has("unknown command"), has("NOPERM") && (has("'eval") || has("'script")):
		why = ErrNoScripting
	case has("NOPERM"), has("ACL failure"):
		why = errors.New("the Redis user lacks a right; the package's comment lists those needed")
	case has("OOM command"):
		why = errors.New("the server is out of memory")
	default:
		return fmt.Errorf("%w: %w", session.ErrUnavailable, err)
	}
	return fmt.Errorf("%w: %w: %w", session.ErrUnavailable, why, err)
}

// refused reports an error by which a server says that it will never do this.
func refused(err error) bool {
	var netErr net.Error
	if err == nil || errors.As(err, &netErr) || errors.Is(err, context.Canceled) {
		return false
	}
	var answer goredis.Error
	if !errors.As(err, &answer) {
		return false
	}
	text := err.Error()
	return strings.Contains(text, "NOPERM") || strings.Contains(text, "ACL failure") || strings.Contains(text, "unknown command")
}
