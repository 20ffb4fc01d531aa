package session

import (
	"context"
	"time"
)

// An Opener makes a Store of what a site's web.config says. Store packages export
// theirs as the variable Opener, so that a program links the drivers that it
// names and no other.
type Opener interface {
	// Serves reports whether it opens this mode of <sessionState>, spelled as
	// ASP.NET does ("StateServer", "SQLServer"), or, where mode is "Custom", this
	// provider, by the full name of its .NET type without the assembly.
	Serves(mode, provider string) bool
	// Open makes the store and, where that is cheap, looks whether it is there.
	// A Store that has a Close method is the caller's to close. No error holds a
	// credential.
	Open(ctx context.Context, s Settings) (Store, error)
}

// Settings are what <sessionState> and its provider say of a store.
type Settings struct {
	Mode     string // as Opener.Serves has it
	Provider string // the provider's .NET type; "" unless Mode is "Custom"
	// AppID is the application's id, AppDomainAppId: "/LM/W3SVC/1/ROOT".
	AppID string
	// Connection is the connection string that the mode or the provider uses,
	// looked up where it is only named. It holds secrets.
	Connection string
	// Attributes are the provider's attributes, or those of <sessionState> itself
	// where there is no provider; names in lower case.
	Attributes map[string]string
	// Timeout is the sliding timeout of new sessions.
	Timeout time.Duration
	// NetworkTimeout is stateNetworkTimeout or sqlCommandTimeout; 0 for the
	// default.
	NetworkTimeout time.Duration
	// ExecutionTimeout is httpRuntime's, how long a lock is for.
	ExecutionTimeout time.Duration
	// Compress is compressionEnabled.
	Compress bool
	// KeyBase, where it is not empty, is what stands in front of every id in the
	// store, for sites where it cannot be computed.
	KeyBase string
	// Validation and ValidationKey are machineKey's, and set only where the keys
	// of the store are made with them: by ASP.NET of before 4.5.
	Validation    string
	ValidationKey []byte
	// Warn is told what has no counterpart here and is left out. Never nil.
	Warn func(what string)
}
