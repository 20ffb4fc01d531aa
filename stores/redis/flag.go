package redis

import (
	"strings"

	"github.com/aspsession/aspsession/payload"
)

// A session that was made and never filled holds one item of this name, an enum
// of the value InitializeItem. The provider takes its text, so that a plain
// string does as well, and drops the item with the first save.
const flagName = "SessionStateActions"

var (
	flagInit = streamText("InitializeItem")
	// flagNone says nothing to a page: in layouts A and B it keeps a session of
	// no items from vanishing.
	flagNone = streamText("None")
	// emptyBlob is a collection of no items, uninitializedBlob that of the flag.
	emptyBlob         = "\x00\x00\x00\x00"
	uninitializedBlob = func() []byte {
		it := payload.NewItems(payload.Limits{})
		if err := it.Set(flagName, "InitializeItem"); err != nil {
			panic(err) // a constant of this file
		}
		b, err := it.Append(nil)
		if err != nil {
			panic(err)
		}
		return b
	}()
)

func isFlag(name string) bool { return strings.EqualFold(name, flagName) }
