// Package webconfig reads what an ASP.NET site says about its sessions: the
// sections of web.config that matter to session state, as ASP.NET merges them,
// with its defaults.
//
//	cfg, err := webconfig.Read("web.config", webconfig.Options{})
//	if err != nil {
//		log.Fatal(err) // a line for each thing wrong: file, line, column, what to write
//	}
//	fmt.Println(cfg.SessionState.Mode, cfg.SessionState.Timeout)
//
// # Terms
//
// A section is an element such as <sessionState>. Configuration files inherit:
// machine.config and the framework's web.config beside it, the site's
// web.config, the application's. For each section the attributes of the inner
// file replace those of the outer; collections (<providers>,
// <connectionStrings>, <appSettings>) change by <add>, <remove> and <clear/>. A
// <location path> applies its sections to a folder or page below its file;
// inheritInChildApplications="false" keeps them from other applications, and
// allowOverride="false" locks them. A configSource moves a section into a file of
// its own, and <appSettings file> adds one. Options name the outer files; they
// are not searched for.
//
// # What is read, and the defaults
//
// The defaults are those of the sections' classes in .NET Framework 4.8
// (System.Web.Configuration) with the SameSite update of December 2019.
//
//	<sessionState>               default                    also
//	mode                         InProc                     Off, StateServer, SQLServer, Custom
//	timeout                      20 minutes                 1 to 525600
//	cookieless                   UseCookies, false          UseUri, true, AutoDetect, UseDeviceProfile
//	cookieName                   ASP.NET_SessionId
//	cookieSameSite               Lax                        None, Strict, Unspecified, -1
//	regenerateExpiredSessionId   true
//	stateConnectionString        tcpip=loopback:42424       or a name in <connectionStrings>
//	stateNetworkTimeout          10 seconds                 Infinite
//	sqlConnectionString          data source=localhost;Integrated Security=SSPI; or a name
//	sqlCommandTimeout            30 seconds                 0, Infinite
//	sqlConnectionRetryInterval   0 seconds: off             Infinite
//	allowCustomSqlDatabase       false
//	compressionEnabled           false
//	useHostingIdentity           true
//	customProvider, <providers>  none
//	partitionResolverType        none                       a *ForeignError
//	sessionIDManagerType         none                       a *ForeignError
//	<machineKey>
//	validationKey, decryptionKey AutoGenerate,IsolateApps   hexadecimal, ,IsolateByAppId
//	validation                   HMACSHA256                 HMACSHA384, HMACSHA512, SHA1, MD5, AES, 3DES, alg:Name
//	decryption                   Auto                       AES, 3DES, DES, alg:Name
//	compatibilityMode            Framework45 if <httpRuntime targetFramework> is at least 4.5, else Framework20SP1
//	applicationName, dataProtectorType  none
//	<httpCookies>
//	requireSSL, httpOnlyCookies  false
//	domain                       none
//	sameSite                     Unspecified                None, Lax, Strict
//	<httpRuntime>
//	executionTimeout             110 seconds
//	targetFramework              none, which behaves as 4.0
//	requestPathInvalidCharacters <,>,*,%,&,:,\,?
//	maxRequestLength             4096 KiB
//	<compilation debug>          false
//	<pages enableSessionState>   true                       ReadOnly, false
//	<appSettings>
//	aspnet:RequestQueueLimitPerSession       50 if targetFramework is at least 4.6.3, else no limit
//	aspnet:AllowConcurrentRequestsPerSession false
//	aspnet:EnsureSessionStateLockedOnFlush   false
//	aspnet:SuppressSameSiteNone              false
//
// Times are whole minutes or seconds: ASP.NET's converters for these attributes
// refuse 00:20:00, and so does this package, saying what to write. A timeout of
// more than a year, which ASP.NET takes in modes SQLServer and Custom alone, is
// an error in all. Names and values are compared as ASP.NET compares them, most
// of them with case. The first .NET's <sessionstate> of the year 2000, in
// config.web, is read too; its server and port become a stateConnectionString.
//
// Of <compilation> and <pages> only these attributes are looked at; in the
// other sections any attribute that ASP.NET does not know is an error. Other
// sections are passed over, unless their name is a misspelling of one of these.
//
// Microsoft's providers for Redis and, async, for SQL Server are known by their
// type's name. What needs .NET code of the site is a *ForeignError, which names
// the type and what can be done.
//
// # Security
//
// Connection strings, keys, the values of <appSettings> and the attributes of
// providers are of type Secret, which prints as "(redacted)". No error and no
// warning holds one, nor a piece of text from a broken file. DTDs are refused,
// and there are no entities but XML's own, so that nothing expands and nothing
// is fetched. Files are bounded at 4 MiB, 100,000 elements, 64 of them inside
// one another and 1,000 attributes in one. Encrypted sections are an error that
// says how the server decrypts them: do that on a copy. A configSource cannot
// leave its folder; <appSettings file> can, as in ASP.NET: do not read files
// from people who should not make this program open others.
package webconfig
