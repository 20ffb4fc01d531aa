//go:build !unix

package guard

import "time"

var started = time.Now()

// now is the time since the program began, where processor time is not known.
func now() time.Duration { return time.Since(started) }
