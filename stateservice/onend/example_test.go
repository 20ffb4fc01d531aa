package onend_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"time"

	"github.com/aspsession/aspsession/stateservice"
	"github.com/aspsession/aspsession/stateservice/onend"
)

// A receiver: it verifies the bytes first, decodes them afterwards, does not act
// twice, and says 2xx only when its work is done.
func Example() {
	key := []byte("32 random bytes, from a secret..")
	var mu sync.Mutex
	seen := map[string]bool{} // a database table, for longer than a process lives

	receiver := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 64<<20))
		if err != nil {
			http.Error(w, "too large", http.StatusRequestEntityTooLarge)
			return
		}
		if err := onend.Verify(key, body, r.Header, time.Now(), 5*time.Minute); err != nil {
			http.Error(w, "not signed by us", http.StatusForbidden)
			return
		}
		var e onend.Event
		if err := json.Unmarshal(body, &e); err != nil {
			http.Error(w, "bad JSON", http.StatusBadRequest)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		if !seen[e.Delivery] {
			seen[e.Delivery] = true
			fmt.Println(e.Session, e.Reason, len(e.Payload), "bytes")
		}
		w.WriteHeader(http.StatusNoContent)
	})

	app := httptest.NewServer(receiver)
	defer app.Close()
	hook, err := onend.New(app.URL, key, onend.Options{})
	if err != nil {
		panic(err)
	}
	defer hook.Close()

	// The server calls it; give it as stateservice.Options.OnEnd.
	end := stateservice.End{ID: 1, Key: "/LM/W3SVC/1/ROOT(hash)/2ne4zzc4yrcakgqbxgtomtfb",
		Reason: stateservice.Expired, Payload: []byte{20, 0, 0, 0, 0, 0, 0xff}}
	for range 2 { // told again after a crash
		if err := hook.Ended(context.Background(), end); err != nil {
			panic(err)
		}
	}
	// Output: 2ne4zzc4yrcakgqbxgtomtfb expired 7 bytes
}
