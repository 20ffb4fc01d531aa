package webconfig

import (
	"fmt"
	"strconv"
	"time"
)

// A Config is what a site's configuration says, defaults included. Its fields
// are plain values: change what the Go side must do otherwise.
type Config struct {
	// Path is the application's web.config.
	Path         string
	SessionState SessionState
	MachineKey   MachineKey
	Cookies      HTTPCookies
	Runtime      HTTPRuntime
	Compilation  Compilation
	Pages        Pages
	App          AppSwitches
	// AppSettings are <appSettings> by key.
	AppSettings Secrets
	// ConnectionStrings are <connectionStrings> by name.
	ConnectionStrings Secrets
	// Positions says where settings stand that are not defaults, by section and
	// attribute: "sessionState timeout".
	Positions map[string]Position
	// Warnings are what ASP.NET accepts and still may not be what is meant, one
	// line each with its position. They hold no secret.
	Warnings []string
}

// SessionState is <sessionState>.
type SessionState struct {
	Mode Mode
	// Timeout is the sliding timeout in whole minutes, 1 to 525,600.
	Timeout time.Duration
	// Cookieless is how the id travels.
	Cookieless CookieMode
	CookieName string
	// CookieSameSite is the cookie's attribute; with AppSwitches.SuppressSameSiteNone
	// a None is already SameSiteUnspecified here.
	CookieSameSite             SameSite
	RegenerateExpiredSessionID bool
	// StateConnectionString is "tcpip=host:port"; the name of an entry in
	// <connectionStrings> is looked up already. Empty in modes other than
	// StateServer where it is anything else, which may be secret.
	StateConnectionString string
	// StateNetworkTimeout bounds each exchange with the state service; may be
	// Infinite.
	StateNetworkTimeout time.Duration
	// SQLConnectionString is ADO.NET's, its name looked up as above.
	SQLConnectionString Secret
	// SQLCommandTimeout bounds each command; 0 and Infinite: nothing does.
	SQLCommandTimeout time.Duration
	// SQLConnectionRetryInterval is for how long failed commands are repeated;
	// may be Infinite.
	SQLConnectionRetryInterval time.Duration
	AllowCustomSQLDatabase     bool
	CompressionEnabled         bool
	// UseHostingIdentity is for integrated security on Windows; nothing here
	// obeys it.
	UseHostingIdentity bool
	// CustomProvider is the name of the provider of mode Custom.
	CustomProvider string
	// Providers are those of <providers>, in the order of the files.
	Providers []Provider
	// Provider is the one that mode Custom uses; nil in other modes.
	Provider *Provider
	// PartitionResolverType and SessionIDManagerType name .NET types of the site;
	// not empty only where Read returned a *ForeignError for them.
	PartitionResolverType, SessionIDManagerType string
}

// A Provider is an <add> of <sessionState><providers>.
type Provider struct {
	Position Position
	Name     string
	// Kind is what the type is known as.
	Kind ProviderKind
	// Type is the .NET type with its assembly; Version is the assembly's, where
	// Type gives one.
	Type, Version string
	// Attributes are all that the element has, name and type included.
	Attributes Secrets
	// SQL is what the attributes of a ProviderSQLAsync say; nil for others.
	SQL *SQLProvider
}

// SQLProvider is the settings of Microsoft's async provider for SQL Server.
// Compression and command timeout are those of <sessionState>.
type SQLProvider struct {
	ConnectionString Secret // that of connectionStringName
	// Repository is repositoryType. Default FrameworkCompat, or InMemory with
	// useInMemoryTable. Versions 1.x have no such setting.
	Repository string
	// Table is sessionTableName. Default "": the repository's own.
	Table string
	// MaxRetryNumber and RetryInterval say how failed commands are repeated.
	MaxRetryNumber int
	RetryInterval  time.Duration
}

// MachineKey is <machineKey>.
type MachineKey struct {
	// Validation and Decryption name algorithms as web.config spells them:
	// "HMACSHA256", "AES", "alg:Name".
	Validation, Decryption       string
	ValidationKey, DecryptionKey Key
	// CompatibilityMode is Framework20SP1, Framework20SP2 or Framework45.
	CompatibilityMode string
	ApplicationName   string
	DataProtectorType string
}

// A Key is a validationKey or decryptionKey.
type Key struct {
	// AutoGenerate says that each server makes its own: nothing outside it can
	// know the key.
	AutoGenerate bool
	// IsolateApps and IsolateByAppID say that ASP.NET mixes the application's path
	// or id into the key: its bytes are not those of Hex then.
	IsolateApps, IsolateByAppID bool
	// Hex is the key in hexadecimal digits; empty with AutoGenerate.
	Hex Secret
}

// HTTPCookies is <httpCookies>. Its httpOnlyCookies does not count for the
// session's cookie, which always has HttpOnly.
type HTTPCookies struct {
	HTTPOnly   bool
	RequireSSL bool
	Domain     string
	SameSite   SameSite
}

// HTTPRuntime is the part of <httpRuntime> that matters to sessions.
type HTTPRuntime struct {
	// ExecutionTimeout is for how long a request may hold a session's lock. It
	// counts for locks with <compilation debug="true"> too.
	ExecutionTimeout time.Duration
	// TargetFramework is "4.5" and the like; empty: ASP.NET behaves as 4.0.
	TargetFramework string
	// InvalidPathCharacters are those of requestPathInvalidCharacters, without
	// the commas between them; empty: all are valid.
	InvalidPathCharacters string
	// MaxRequestLength is in bytes; the file has KiB.
	MaxRequestLength int64
}

// Compilation is the part of <compilation> that matters to sessions.
type Compilation struct {
	Debug           bool
	TargetFramework string
}

// Pages is the part of <pages> that matters to sessions.
type Pages struct {
	// EnableSessionState is for pages that do not say it themselves.
	EnableSessionState PageAccess
}

// AppSwitches are the <appSettings> that ASP.NET's session state obeys.
type AppSwitches struct {
	// RequestQueueLimit is aspnet:RequestQueueLimitPerSession: how many requests
	// may wait for one session. -1: no limit, the default of sites whose
	// <httpRuntime targetFramework> is below 4.6.3.
	RequestQueueLimit int
	// AllowConcurrentRequests is aspnet:AllowConcurrentRequestsPerSession: the
	// async module then takes no locks.
	AllowConcurrentRequests bool
	// LockOnFlush is aspnet:EnsureSessionStateLockedOnFlush.
	LockOnFlush bool
	// SuppressSameSiteNone is aspnet:SuppressSameSiteNone: a cookie whose SameSite
	// would be None has none.
	SuppressSameSiteNone bool
}

// Mode is sessionState's mode: where sessions are kept.
type Mode uint8

// The modes.
const (
	ModeOff Mode = iota
	ModeInProc
	ModeStateServer
	ModeSQLServer
	ModeCustom
)

var modeNames = []string{"Off", "InProc", "StateServer", "SQLServer", "Custom"}

// String is the spelling of web.config.
func (m Mode) String() string { return spelling("Mode", modeNames, int(m)) }

// CookieMode is sessionState's cookieless.
type CookieMode uint8

// The cookie modes. "true" is UseURI, "false" is UseCookies.
const (
	UseCookies CookieMode = iota
	UseURI
	AutoDetect
	UseDeviceProfile
)

var cookieModeNames = []string{"UseCookies", "UseUri", "AutoDetect", "UseDeviceProfile"}

// String is the spelling of web.config.
func (m CookieMode) String() string { return spelling("CookieMode", cookieModeNames, int(m)) }

// SameSite is cookieSameSite of sessionState or sameSite of httpCookies.
type SameSite uint8

// The values. Unspecified leaves the attribute out.
const (
	SameSiteUnspecified SameSite = iota
	SameSiteNone
	SameSiteLax
	SameSiteStrict
)

var sameSiteNames = []string{"Unspecified", "None", "Lax", "Strict"}

// String is the spelling of web.config.
func (s SameSite) String() string { return spelling("SameSite", sameSiteNames, int(s)) }

// PageAccess is pages' enableSessionState.
type PageAccess uint8

// The accesses: "true", "ReadOnly" and "false".
const (
	PageReadWrite PageAccess = iota
	PageReadOnly
	PageDisabled
)

var pageAccessNames = []string{"true", "ReadOnly", "false"}

// String is the spelling of web.config.
func (a PageAccess) String() string { return spelling("PageAccess", pageAccessNames, int(a)) }

// ProviderKind is a provider that is known by its type's name.
type ProviderKind uint8

// The kinds. Read gives a *ForeignError where mode Custom uses a ProviderForeign.
const (
	ProviderForeign  ProviderKind = iota
	ProviderRedis                 // Microsoft.Web.Redis.RedisSessionStateProvider
	ProviderSQLAsync              // Microsoft.AspNet.SessionState.SqlSessionStateProviderAsync
)

var providerKindNames = []string{"foreign", "Redis", "SQL Server, async"}

// String names the kind for people.
func (k ProviderKind) String() string { return spelling("ProviderKind", providerKindNames, int(k)) }

func spelling(kind string, names []string, i int) string {
	if i < len(names) {
		return names[i]
	}
	return fmt.Sprintf("%s(%s)", kind, strconv.Itoa(i))
}
