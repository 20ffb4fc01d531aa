package onend_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/stateservice"
	"github.com/aspsession/aspsession/stateservice/onend"
)

var signingKey = []byte("0123456789abcdef0123456789abcdef")

var anEnd = stateservice.End{ID: 7, Key: "/LM/W3SVC/1/ROOT(abc=)/2ne4zzc4yrcakgqbxgtomtfb",
	Reason: stateservice.Expired, Payload: []byte{20, 0, 0, 0, 0, 0, 0xff}, At: time.Unix(1_767_225_600, 0)}

// receiver answers each try with the next status, the last one for ever.
type receiver struct {
	*httptest.Server
	mu       sync.Mutex
	statuses []int
	bodies   [][]byte
	headers  []http.Header
}

func receive(t *testing.T, statuses ...int) *receiver {
	r := &receiver{statuses: statuses}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, _ := io.ReadAll(q.Body)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.bodies, r.headers = append(r.bodies, body), append(r.headers, q.Header)
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(r.statuses[0])
		if len(r.statuses) > 1 {
			r.statuses = r.statuses[1:]
		}
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) tries() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.bodies)
}

func hook(t *testing.T, url string, opt onend.Options) *onend.Hook {
	opt.Backoff = time.Millisecond
	if opt.Logger == nil {
		opt.Logger = slog.New(slog.DiscardHandler)
	}
	h, err := onend.New(url, signingKey, opt)
	require.NoError(t, err)
	t.Cleanup(func() { h.Close() })
	return h
}

func TestAnEndArrivesSigned(t *testing.T) {
	r := receive(t, 204)
	require.NoError(t, hook(t, r.URL, onend.Options{}).Ended(t.Context(), anEnd))
	require.NoError(t, onend.Verify(signingKey, r.bodies[0], r.headers[0], time.Now(), time.Minute))
	var e onend.Event
	require.NoError(t, json.Unmarshal(r.bodies[0], &e))
	require.Equal(t, anEnd.Key, string(e.Key))
	require.Equal(t, "/LM/W3SVC/1/ROOT(abc=)", e.Application)
	require.Equal(t, "2ne4zzc4yrcakgqbxgtomtfb", e.Session)
	require.Equal(t, "expired", e.Reason)
	require.Equal(t, anEnd.Payload, e.Payload)
	require.Equal(t, e.Delivery, r.headers[0].Get(onend.DeliveryHeader))
	require.True(t, anEnd.At.Equal(e.Time))
}

// A key is any bytes, and JSON text is not.
func TestAKeyOfAnyBytesArrivesExactly(t *testing.T) {
	r := receive(t, 200)
	end := anEnd
	end.Key, end.Reason = "\x00\xff no slash", stateservice.Removed
	require.NoError(t, hook(t, r.URL, onend.Options{}).Ended(t.Context(), end))
	var e onend.Event
	require.NoError(t, json.Unmarshal(r.bodies[0], &e))
	require.Equal(t, end.Key, string(e.Key))
	require.Equal(t, "removed", e.Reason)
	require.Empty(t, e.Application)
}

func TestStatuses(t *testing.T) {
	for name, row := range map[string]struct {
		statuses []int
		tries    int
		err      error
		stats    onend.Stats
	}{
		"any 2xx is taken":                    {[]int{299}, 1, nil, onend.Stats{Taken: 1}},
		"5xx is tried again":                  {[]int{500, 503, 200}, 3, nil, onend.Stats{Taken: 1, Failed: 2}},
		"5xx for ever is given back":          {[]int{500}, 5, onend.ErrNotTaken, onend.Stats{Failed: 5}},
		"408 and 429 are no refusals":         {[]int{408, 429, 429, 429, 200}, 5, nil, onend.Stats{Taken: 1, Failed: 4}},
		"429 for ever is given back":          {[]int{429}, 5, onend.ErrNotTaken, onend.Stats{Failed: 5}},
		"404 three times is given up":         {[]int{404}, 3, nil, onend.Stats{Failed: 3, GivenUp: 1}},
		"404 while it is deployed":            {[]int{404, 404, 200}, 3, nil, onend.Stats{Taken: 1, Failed: 2}},
		"a redirect is not followed":          {[]int{302}, 3, nil, onend.Stats{Failed: 3, GivenUp: 1}},
		"refusals among failures end as well": {[]int{404, 500}, 5, onend.ErrNotTaken, onend.Stats{Failed: 5}},
	} {
		t.Run(name, func(t *testing.T) {
			r := receive(t, row.statuses...)
			h := hook(t, r.URL, onend.Options{})
			err := h.Ended(t.Context(), anEnd)
			require.ErrorIs(t, err, row.err)
			require.Equal(t, row.tries, r.tries())
			require.Equal(t, row.stats, h.Stats())
			ids := map[string]bool{}
			for _, head := range r.headers {
				ids[head.Get(onend.DeliveryHeader)] = true
			}
			require.Len(t, ids, 1, "each try of one delivery has its id")
		})
	}
}

// What one receiver has seen must tell different ends apart, and the same end again.
func TestDeliveryIDs(t *testing.T) {
	r := receive(t, 200)
	h := hook(t, r.URL, onend.Options{})
	ends := []stateservice.End{anEnd, anEnd, anEnd, anEnd, anEnd, anEnd}
	ends[2].ID++
	ends[3].Key += "x"
	ends[4].Payload = []byte("other")
	ends[5].Reason = stateservice.Removed
	ids := map[string]bool{}
	for _, e := range ends {
		require.NoError(t, h.Ended(t.Context(), e))
		ids[r.headers[len(r.headers)-1].Get(onend.DeliveryHeader)] = true
	}
	require.Len(t, ids, 5)
}

func TestAStoppedServerEndsTheTries(t *testing.T) {
	r := receive(t, 500)
	h, err := onend.New(r.URL, signingKey, onend.Options{Backoff: time.Hour, MaxBackoff: time.Hour})
	require.NoError(t, err)
	defer h.Close()
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("stopped")
	done := make(chan error, 1)
	go func() { done <- h.Ended(ctx, anEnd) }()
	require.Eventually(t, func() bool { return r.tries() == 1 }, 10*time.Second, time.Millisecond)
	cancel(why)
	require.ErrorIs(t, <-done, why)
}

func TestAReceiverThatIsAwayOrHangs(t *testing.T) {
	r := receive(t, 200)
	r.Close()
	require.ErrorIs(t, hook(t, r.URL, onend.Options{Tries: 2}).Ended(t.Context(), anEnd), onend.ErrNotTaken)

	release := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer s.Close()
	defer close(release)
	require.ErrorIs(t, hook(t, s.URL, onend.Options{Tries: 1, Timeout: 20 * time.Millisecond}).Ended(t.Context(), anEnd), onend.ErrNotTaken)
}

// Neither the URL's token nor the key nor the content may leak.
func TestSecretsStayOutOfErrorsAndLogs(t *testing.T) {
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, nil))
	for _, status := range []int{404, 500} {
		r := receive(t, status)
		err := hook(t, r.URL+"/?token=SECRET", onend.Options{Logger: logger, Tries: 3}).Ended(t.Context(), anEnd)
		fmt.Fprintln(&log, err)
	}
	gone := receive(t, 200)
	gone.Close()
	fmt.Fprintln(&log, hook(t, gone.URL+"/?token=SECRET", onend.Options{Tries: 1}).Ended(t.Context(), anEnd))
	_, err := onend.New("SECRET:// x", signingKey, onend.Options{})
	fmt.Fprintln(&log, err)
	require.Contains(t, log.String(), "given up")
	for _, secret := range []string{"SECRET", "2ne4zzc", string(signingKey)} {
		require.NotContains(t, log.String(), secret)
	}
}

func TestAddressesAndKeys(t *testing.T) {
	for _, row := range []struct {
		url   string
		key   []byte
		plain bool
		ok    bool
	}{
		{"https://app.example/end", signingKey, false, true},
		{"http://127.0.0.1:8080/end", signingKey, false, true},
		{"http://[::1]/end", signingKey, false, true},
		{"http://localhost/end", signingKey, false, true},
		{"http://localhost.example/end", signingKey, false, false},
		{"http://app.example/end", signingKey, false, false},
		{"http://app.example/end", signingKey, true, true},
		{"ftp://app.example/end", signingKey, true, false},
		{"/end", signingKey, true, false},
		{"", signingKey, true, false},
		{"https://app.example/end", signingKey[:15], false, false},
		{"https://app.example/end", nil, false, false},
	} {
		_, err := onend.New(row.url, row.key, onend.Options{AllowPlain: row.plain})
		require.Equal(t, row.ok, err == nil, "%s: %v", row.url, err)
	}
}

func TestVerifyRefuses(t *testing.T) {
	r := receive(t, 200)
	now := time.Unix(1_767_225_600, 0)
	h := hook(t, r.URL, onend.Options{Now: func() time.Time { return now }})
	require.NoError(t, h.Ended(t.Context(), anEnd))
	body, good := r.bodies[0], r.headers[0]
	verify := func(key, body []byte, h http.Header, at time.Time) error {
		return onend.Verify(key, body, h, at, time.Minute)
	}
	with := func(name, value string) http.Header {
		h := good.Clone()
		h.Set(name, value)
		return h
	}
	require.NoError(t, verify(signingKey, body, good, now.Add(time.Minute)))
	require.NoError(t, verify(signingKey, body, good, now.Add(-time.Minute)))
	require.ErrorIs(t, verify(signingKey, body, good, now.Add(61*time.Second)), onend.ErrAge)
	require.ErrorIs(t, verify(signingKey, body, good, now.Add(-61*time.Second)), onend.ErrAge)
	require.ErrorIs(t, verify([]byte("another key of 16 bytes"), body, good, now), onend.ErrSignature)
	require.ErrorIs(t, verify(signingKey, append(bytes.Clone(body), ' '), good, now), onend.ErrSignature)
	require.ErrorIs(t, verify(signingKey, body, http.Header{}, now), onend.ErrSignature)
	require.ErrorIs(t, verify(signingKey, body, with(onend.TimestampHeader, "1767225601"), now), onend.ErrSignature, "a time that was not signed")
	sig := good.Get(onend.SignatureHeader)
	for _, bad := range []string{"", "v1=", sig[:len(sig)-2], sig + "00", sig[3:], "v2=" + sig[3:], "v1=zz"} {
		require.ErrorIs(t, verify(signingKey, body, with(onend.SignatureHeader, bad), now), onend.ErrSignature, bad)
	}
}

func FuzzVerify(f *testing.F) {
	f.Add([]byte("{}"), "1767225600", "v1=00")
	f.Add([]byte(""), "", "")
	f.Fuzz(func(t *testing.T, body []byte, stamp, signature string) {
		h := http.Header{onend.TimestampHeader: {stamp}, onend.SignatureHeader: {signature}}
		require.Error(t, onend.Verify(signingKey, body, h, time.Unix(1_767_225_600, 0), time.Minute))
	})
}
