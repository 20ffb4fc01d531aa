package msasp

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"hash"
	"strings"
	"unicode/utf16"
)

// Base is what stands in front of the session id in every key of an
// application, as ASP.NET 4.5 to 4.8 makes it: the application id (of IIS, as
// "/LM/W3SVC/1/ROOT", case-sensitive), its SHA-256 in parentheses, a slash.
func Base(appID string) string {
	sum := sha256.Sum256([]byte(appID))
	return base(appID, sum[:])
}

// A Validation names the algorithm of <machineKey validation="...">.
type Validation string

// The algorithms. AES and 3DES sign with HMAC-SHA1.
const (
	MD5        Validation = "MD5"
	SHA1       Validation = "SHA1"
	TripleDES  Validation = "3DES"
	AES        Validation = "AES"
	HMACSHA256 Validation = "HMACSHA256"
	HMACSHA384 Validation = "HMACSHA384"
	HMACSHA512 Validation = "HMACSHA512"
)

// KeyedBase is Base as older ASP.NET makes it (1.x to about 4.0): the hash is
// the application id's MAC under the site's explicit validationKey, which
// therefore must not be AutoGenerate nor have IsolateApps. An unknown algorithm
// is an error, and so is a key longer than the algorithm's block (64 bytes; 128
// for HMACSHA384 and 512), which .NET treats in a way of its own.
func KeyedBase(appID string, validation Validation, key []byte) (string, error) {
	units := utf16.Encode([]rune(appID))
	text := make([]byte, 0, 2*len(units))
	for _, u := range units {
		text = append(text, byte(u), byte(u>>8))
	}
	var algorithm func() hash.Hash
	switch Validation(strings.ToUpper(string(validation))) {
	case MD5:
		sum := md5.Sum(append(text, key...)) // no HMAC: MD5(data, key)
		return base(appID, sum[:]), nil
	case SHA1, AES, TripleDES:
		algorithm = sha1.New
	case HMACSHA256:
		algorithm = sha256.New
	case HMACSHA384:
		algorithm = sha512.New384
	case HMACSHA512:
		algorithm = sha512.New
	default:
		return "", fmt.Errorf("msasp: validation %q is none of MD5, SHA1, 3DES, AES, HMACSHA256, HMACSHA384, HMACSHA512", validation)
	}
	if block := algorithm().BlockSize(); len(key) > block {
		return "", fmt.Errorf("msasp: a validation key of %d bytes is longer than the %d of %s's block; give the whole base instead", len(key), block, validation)
	}
	mac := hmac.New(algorithm, key)
	mac.Write(text)
	return base(appID, mac.Sum(nil)), nil
}

func base(appID string, sum []byte) string {
	slash := ""
	if !strings.HasPrefix(appID, "/") {
		slash = "/"
	}
	return slash + appID + "(" + base64.StdEncoding.EncodeToString(sum) + ")/"
}
