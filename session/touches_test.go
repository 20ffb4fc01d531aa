package session

import (
	"strconv"
	"testing"
	"time"
)

// Where no handler is Lazy nobody calls due: note forgets by itself.
func TestNoteGrows(t *testing.T) {
	var tt touches
	tt.init(20 * time.Minute)
	now := time.Now()
	for i := range 24 * 60 { // a day, a hundred sessions a minute, SetTimeout(10 minutes)
		for j := range 100 {
			tt.note(strconv.Itoa(i*100+j), 10*time.Minute, now.Add(time.Duration(i)*time.Minute))
		}
	}
	n := 0
	for i := range tt.parts {
		n += len(tt.parts[i].recent) + len(tt.parts[i].older)
	}
	if n > 10_000 {
		t.Fatalf("%d entries are kept", n)
	}
}
