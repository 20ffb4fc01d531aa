package disk

import (
	"errors"
	"log/slog"
	"time"

	"github.com/aspsession/aspsession/stateservice"
)

// Window is how old a change can be that a crash loses, as long as a commit
// takes 20 ms or less and Options.Gather is not raised.
const Window = 50 * time.Millisecond

var (
	// ErrRefused: the change was not queued, because commits fail or the queue
	// is full. What wraps it has the cause, for example syscall.ENOSPC.
	ErrRefused = errors.New("disk: change refused")
	// ErrClosed: the journal is closed.
	ErrClosed = errors.New("disk: journal closed")
	// ErrCorrupt: a file is damaged, missing, or not one of ours.
	ErrCorrupt = errors.New("disk: data directory is damaged")
	// ErrVersion: the directory was written by another version of this format.
	ErrVersion = errors.New("disk: data directory has another version")
	// ErrLocked: another process uses the directory.
	ErrLocked = errors.New("disk: data directory is in use")
	// ErrMode: others than the owner may use the directory.
	ErrMode = errors.New("disk: data directory is open to others")
	// ErrFull: the disk has no space to start on.
	ErrFull = errors.New("disk: no space left")
)

// Options of a Journal. The zero value is useful.
type Options struct {
	// Gather is how long a commit waits for more changes after the first.
	// Default 10 ms. Longer means fewer writes and more to lose in a crash;
	// negative means not at all: a commit for each change where there is little
	// load.
	Gather time.Duration
	// MaxQueue bounds the changes that wait for a commit, in bytes. Default 64
	// MiB. Over it changes are refused, which users see as failed requests; the
	// memory is only used while the disk is behind.
	MaxQueue int64
	// Retry is how long to wait after a failed commit. Default 1 s.
	Retry time.Duration
	// LockWait is how long Open waits for another process to let go of the
	// directory. Default 1 s.
	LockWait time.Duration
	// Logger gets failed and slow commits. Default slog.Default.
	Logger *slog.Logger
	// Now is the clock of an end's time, for tests. Default time.Now.
	Now func() time.Time
}

func (o Options) withDefaults() Options {
	if o.Gather == 0 {
		o.Gather = 10 * time.Millisecond
	}
	if o.MaxQueue <= 0 {
		o.MaxQueue = 64 << 20
	}
	if o.Retry <= 0 {
		o.Retry = time.Second
	}
	if o.LockWait <= 0 {
		o.LockWait = time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

var _ stateservice.Journal = (*Journal)(nil)
