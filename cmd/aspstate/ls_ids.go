package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/aspsession/aspsession/session"
)

// idHelp explains ID.
const idHelp = `ID is a session's id as it is in the cookie, or the short form that aspstate ls
shows, h- and twelve digits, where the store can list. A dash reads it from
standard input: on a command line every user of the machine can read it, and
whoever has it is that visitor.`

// shortID stands for an id, which is a bearer secret, in all that is printed. It
// cannot be turned back; an id of a site's own that can be guessed can be tried.
func shortID(id string) string {
	sum := sha256.Sum256([]byte(id))
	return "h-" + hex.EncodeToString(sum[:6])
}

// shownID is an id as --ids has it.
func shownID(id string, full bool) string {
	if full {
		return label(id, session.MaxIDLength)
	}
	return shortID(id)
}

func isShort(s string) bool {
	digits, ok := strings.CutPrefix(s, "h-")
	_, err := hex.DecodeString(digits)
	return ok && err == nil && len(digits) == 12
}

// findID turns an argument into an id.
func (t *target) findID(ctx context.Context, c *call, arg string) (string, error) {
	if arg == "-" {
		line, err := c.readLine(arg)
		if err != nil {
			return "", fmt.Errorf("standard input: %w", err)
		}
		arg = line
	}
	if id, ok := (session.StandardIDs{}).Canonical(arg); ok {
		return id, nil
	}
	if !isShort(arg) {
		if arg == "" || len(arg) > session.MaxIDLength || strings.ContainsFunc(arg, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
			return "", fmt.Errorf("ID is no session id: %d characters of a-z and 0-5, or what aspstate ls shows", session.IDLength)
		}
		return arg, nil // of a site's own making
	}
	var id string
	several := false
	err := t.list(ctx, func(i session.Info) bool {
		if shortID(i.ID) == arg {
			several = id != "" && id != i.ID
			id = i.ID
		}
		return !several
	})
	switch {
	case errors.Is(err, errNoListing):
		return "", fmt.Errorf("%s is a short form, and %w", arg, err)
	case err != nil:
		return "", err
	case several:
		return "", fmt.Errorf("%s is short for two sessions: give the whole id, which aspstate ls --ids shows", arg)
	case id == "":
		return "", fmt.Errorf("%s: %w; it may have expired, or be of another application", arg, session.ErrNotFound)
	}
	return id, nil
}
