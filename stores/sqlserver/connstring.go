package sqlserver

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/microsoft/go-mssqldb/msdsn"
)

// DefaultDatabase is where aspnet_regsql installs session state unless told
// otherwise, and where ASP.NET looks if the connection string names none.
const DefaultDatabase = "ASPState"

var (
	// ErrConnectionString: the connection string cannot be used. The message says
	// why without repeating the string.
	ErrConnectionString = errors.New("sqlserver: connection string")
	// ErrIntegratedSecurity: it asks for a Windows identity that a Go process does
	// not have.
	ErrIntegratedSecurity = fmt.Errorf("%w: Integrated Security needs the Windows identity of the process, which this driver does not use; "+
		`give "User ID" and "Password" of a SQL Server login, or "User ID=DOMAIN\user" with its password (NTLM), or set Options.Connector to one that authenticates by Kerberos (go-mssqldb's integratedauth/krb5) or by Entra ID (its azuread)`, ErrConnectionString)
	// ErrCustomDatabase: it names a database, and that was not allowed.
	ErrCustomDatabase = fmt.Errorf("%w: it names a database, which ASP.NET refuses without allowCustomSqlDatabase=\"true\"; set Options.AllowCustomDatabase too, or take the name out", ErrConnectionString)
)

// A Target is the server and the database that a connection string names. It
// holds the password: it has no String method on purpose.
type Target struct {
	cfg     msdsn.Config
	address string // as the string has it, for messages
	maxOpen int    // Max Pool Size
	windows bool   // Integrated Security was asked for
}

// Server is the address for messages, as it was written.
func (t *Target) Server() string { return t.address }

// Database is the name, "" where the string names none.
func (t *Target) Database() string { return t.cfg.Database }

// In returns the target with another database.
func (t *Target) In(database string) *Target {
	c := *t
	c.cfg.Database = database
	return &c
}

// ParseConnectionString reads sqlConnectionString as web.config has it (ADO.NET's
// keywords and quoting), or a URL of go-mssqldb:
//
//	Data Source=db.example.com,1433;User ID=web;Password="a;b";Encrypt=True
//	sqlserver://web:secret@db.example.com:1433?encrypt=true
//
// Errors are ErrConnectionString and hold no part of the string but names of
// keywords and, where they are at fault, addresses.
//
// As in ADO.NET the last of two equal keywords counts, and an unknown one is an
// error. Keywords of pooling, retries and result sets have no counterpart and are
// ignored, Max Pool Size aside. Without Encrypt only the login is encrypted, and
// the server's certificate is not checked: the default of .NET Framework.
func ParseConnectionString(s string) (*Target, error) {
	if strings.HasPrefix(strings.ToLower(s), "sqlserver://") {
		return parseURL(s)
	}
	if strings.HasPrefix(strings.ToLower(strings.TrimSpace(s)), "odbc:") {
		return nil, stringError("ODBC's form is not read here; write it as in web.config, or as sqlserver://user:password@host?database=NAME")
	}
	values, err := splitADO(s)
	if err != nil {
		return nil, err
	}
	var b settings
	for _, kv := range values {
		if err := b.set(kv.key, kv.value); err != nil {
			return nil, err
		}
	}
	return b.target()
}

func stringError(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrConnectionString}, args...)...)
}

// settings are a connection string's values as they are found.
type settings struct {
	driver         map[string]string // by msdsn's names, the credentials aside
	user, password string
	address        string
	maxOpen        int
	windows        bool
	timeout        string // of connecting
}

// Keywords of ADO.NET by the driver's names for them; "" where there is no
// counterpart and none is missed.
var keywords = map[string]string{
	"data source": msdsn.Server, "server": msdsn.Server, "address": msdsn.Server, "addr": msdsn.Server, "network address": msdsn.Server,
	"initial catalog": msdsn.Database, "database": msdsn.Database,
	"user id": msdsn.UserID, "uid": msdsn.UserID, "user": msdsn.UserID,
	"password": msdsn.Password, "pwd": msdsn.Password,
	"connect timeout": msdsn.ConnectionTimeout, "connection timeout": msdsn.ConnectionTimeout, "timeout": msdsn.ConnectionTimeout,
	"encrypt": msdsn.Encrypt, "trustservercertificate": msdsn.TrustServerCertificate, "trust server certificate": msdsn.TrustServerCertificate,
	"hostnameincertificate": msdsn.HostNameInCertificate, "host name in certificate": msdsn.HostNameInCertificate,
	"servercertificate": msdsn.ServerCertificate, "server certificate": msdsn.ServerCertificate,
	"application name": msdsn.AppName, "app": msdsn.AppName,
	"workstation id": msdsn.WorkstationID, "wsid": msdsn.WorkstationID,
	"packet size": msdsn.PacketSize, "failover partner": msdsn.FailoverPartner,
	"server spn": msdsn.ServerSpn, "serverspn": msdsn.ServerSpn, "failover partner spn": msdsn.FailoverPartnerSpn, "failoverpartnerspn": msdsn.FailoverPartnerSpn,
	"applicationintent": msdsn.ApplicationIntent, "application intent": msdsn.ApplicationIntent,
	"multisubnetfailover": msdsn.MultiSubnetFailover, "multi subnet failover": msdsn.MultiSubnetFailover,
	"max pool size":       "max pool size",
	"integrated security": "integrated security", "trusted_connection": "integrated security",
	"authentication":   "authentication",
	"attachdbfilename": "file", "extended properties": "file", "initial file name": "file", "user instance": "user instance",

	"pooling": "", "min pool size": "", "multipleactiveresultsets": "", "multiple active result sets": "", "persist security info": "", "persistsecurityinfo": "",
	"enlist": "", "asynchronous processing": "", "async": "", "connection lifetime": "", "load balance timeout": "", "connection reset": "", "context connection": "",
	"current language": "", "language": "", "network library": "", "network": "", "net": "", "replication": "", "transaction binding": "", "type system version": "",
	"connectretrycount": "", "connect retry count": "", "connectretryinterval": "", "connect retry interval": "", "poolblockingperiod": "", "pool blocking period": "",
	"transparentnetworkipresolution": "", "transparent network ip resolution": "", "column encryption setting": "", "enclave attestation url": "", "attestation protocol": "",
	"ipaddresspreference": "", "ip address preference": "", "command timeout": "",
}

// set takes one keyword. An empty value is the keyword's default, as in ADO.NET.
func (b *settings) set(keyword, value string) error {
	name, known := keywords[keyword]
	if !known {
		return stringError("ADO.NET knows no keyword %s", quoteName(keyword))
	}
	switch name {
	case "":
	case msdsn.UserID:
		b.user = value
	case msdsn.Password:
		b.password = value
	case msdsn.ConnectionTimeout:
		b.timeout = value
	case msdsn.Server:
		b.address = value
	case "max pool size":
		n, err := strconv.Atoi(value)
		if value != "" && (err != nil || n < 1) {
			return stringError("Max Pool Size is not a number above 0")
		}
		b.maxOpen = n
	case "integrated security":
		switch strings.ToLower(value) {
		case "true", "yes", "sspi":
			b.windows = true
		case "false", "no", "":
			b.windows = false
		default:
			return stringError("Integrated Security is none of true, false, yes, no, sspi")
		}
	case "authentication":
		switch strings.ToLower(strings.ReplaceAll(value, " ", "")) {
		case "", "sqlpassword", "notspecified":
		case "activedirectoryintegrated":
			b.windows = true
		default:
			return stringError("Authentication other than SqlPassword needs Options.Connector, such as go-mssqldb's azuread makes")
		}
	case "file", "user instance":
		if value != "" && !strings.EqualFold(value, "false") && !strings.EqualFold(value, "no") {
			return stringError("a database file (AttachDbFilename, User Instance) can be attached on its server only; name the database")
		}
	default:
		if b.driver == nil {
			b.driver = map[string]string{}
		}
		if delete(b.driver, name); value != "" {
			b.driver[name] = value
		}
	}
	return nil
}

func (b *settings) target() (*Target, error) {
	if b.address == "" {
		return nil, stringError(`there is no server; "Data Source=HOST,PORT" names it`)
	}
	server := strings.TrimSpace(b.address)
	if proto, rest, ok := strings.Cut(server, ":"); ok && !strings.Contains(rest, ":") { // not IPv6
		if !strings.EqualFold(proto, "tcp") {
			return nil, stringError("the protocol %s is not spoken here; only tcp is", quoteName(proto))
		}
		server = strings.TrimSpace(rest)
	}
	if strings.HasPrefix(strings.ToLower(server), "(localdb)") || strings.HasPrefix(server, `\\`) {
		return nil, stringError("LocalDB and named pipes are reached from Windows only; give the server's TCP address")
	}
	server, port, hasPort := strings.Cut(server, ",")
	if port = strings.TrimSpace(port); hasPort {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return nil, stringError("the port in the server's address is not a number from 1 to 65535")
		}
	}
	var ado strings.Builder
	write := func(key, value string) {
		fmt.Fprintf(&ado, "%s=\"%s\";", key, strings.ReplaceAll(value, `"`, `""`))
	}
	write(msdsn.Server, strings.TrimSpace(server))
	if hasPort {
		write(msdsn.Port, port)
	}
	for key, value := range b.driver {
		write(key, value)
	}
	return b.parse(ado.String())
}

// parse gives the driver what is no secret, so that its errors hold none.
func (b *settings) parse(dsn string) (*Target, error) {
	cfg, err := msdsn.Parse(dsn)
	if err != nil {
		return nil, stringError("%v", err)
	}
	cfg.User, cfg.Password = b.user, b.password
	if strings.Contains(b.user, "\x00") || strings.Contains(b.password, "\x00") {
		return nil, stringError("a NUL in the user id or the password")
	}
	// The driver would cut every reply off that takes longer; contexts do that here.
	cfg.ConnTimeout = 0
	if b.timeout != "" {
		n, err := strconv.ParseUint(b.timeout, 10, 31)
		if err != nil {
			return nil, stringError("Connect Timeout is not a number of seconds")
		}
		if cfg.DialTimeout = time.Duration(n) * time.Second; n == 0 {
			cfg.DialTimeout = -1 // none
		}
	}
	if cfg.AppName == "go-mssqldb" {
		cfg.AppName = "aspsession"
	}
	return &Target{cfg: cfg, address: b.address, maxOpen: b.maxOpen, windows: b.windows}, nil
}

// parseURL reads go-mssqldb's own form. Credentials are taken out before the
// driver sees it.
func parseURL(s string) (*Target, error) {
	u, err := url.Parse(s)
	if err != nil {
		return nil, stringError("no URL; special characters of the user and the password are written as %%XX")
	}
	b := settings{address: u.Host}
	if u.Path != "" && u.Path != "/" {
		b.address += u.Path
	}
	if u.Host == "" {
		return nil, stringError("there is no server: sqlserver://user:password@host:port?database=NAME")
	}
	if u.User != nil {
		b.user = u.User.Username()
		b.password, _ = u.User.Password()
		u.User = nil
	}
	q, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, stringError("the part behind the question mark is no query of a URL")
	}
	seen := map[string]bool{}
	for key, values := range q {
		name := strings.ToLower(key)
		if seen[name] || len(values) > 1 {
			return nil, stringError("%s is there twice", quoteName(key))
		}
		seen[name] = true
		switch name {
		case msdsn.UserID:
			b.user = values[0]
		case msdsn.Password:
			b.password = values[0]
		case msdsn.ChangePassword:
			return nil, stringError("a store does not change passwords")
		case msdsn.ConnectionTimeout:
			b.timeout = values[0]
		case "authenticator", "fedauth", "integrated security", "trusted_connection":
			b.windows = true
		default:
			continue
		}
		q.Del(key)
	}
	u.RawQuery = q.Encode()
	if u.Path == "/" {
		u.Path = ""
	}
	return b.parse(u.String())
}

// quoteName shows a keyword, which a broken string may have filled with other
// things: only one that looks like a keyword is repeated.
func quoteName(s string) string {
	if len(s) > 40 || strings.ContainsFunc(s, func(c rune) bool { return !(c == ' ' || c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z') }) {
		return "of that name"
	}
	return strconv.Quote(s)
}

// WithDatabase returns a connection string that names database, whatever it named
// before; an empty one changes nothing. It is for tools that take the name apart.
func WithDatabase(s, database string) (string, error) {
	switch {
	case database == "":
		return s, nil
	case strings.HasPrefix(strings.ToLower(s), "sqlserver://"):
		u, err := url.Parse(s)
		if err != nil {
			return "", stringError("no URL; special characters of the user and the password are written as %%XX")
		}
		q := u.Query()
		for key := range q {
			if strings.EqualFold(key, msdsn.Database) {
				q.Del(key)
			}
		}
		q.Set(msdsn.Database, database)
		u.RawQuery = q.Encode()
		return u.String(), nil
	}
	// The last of two equal keywords counts.
	return strings.TrimRight(s, "; \t\r\n") + `;Initial Catalog="` + strings.ReplaceAll(database, `"`, `""`) + `"`, nil
}
