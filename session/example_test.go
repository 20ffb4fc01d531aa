package session_test

import (
	"context"
	"fmt"

	"github.com/aspsession/aspsession/session"
	"github.com/aspsession/aspsession/stores/inproc"
)

// A program without HTTP edits a visitor's session, under the same lock as his
// pages.
func ExampleManager() {
	store := inproc.New(inproc.Options{})
	defer store.Close()
	m, err := session.NewManager(store, session.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	s, err := m.Open(ctx, "2ne4zzc4yrcakgqbxgtomtfb", session.ReadWrite)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("new:", s.IsNew())
	if err := s.Set("discount", 15); err != nil {
		fmt.Println(err, m.Discard(s))
		return
	}
	fmt.Println("saved:", m.Finish(s) == nil)
	// Output:
	// new: true
	// saved: true
}

// Value converts what fits and says what does not.
func ExampleValue() {
	store := inproc.New(inproc.Options{})
	defer store.Close()
	m, _ := session.NewManager(store, session.Options{})
	s, _ := m.Open(context.Background(), "", session.ReadWrite)
	defer m.Discard(s)
	_ = s.Set("count", 300) // an Int32 for C#

	n, err := session.Value[int64](s, "COUNT")
	fmt.Println(n, err)
	_, err = session.Value[uint8](s, "count")
	fmt.Println(err)
	_, err = session.Value[string](s, "count")
	fmt.Println(err)
	missing, err := session.Value[string](s, "missing")
	fmt.Printf("%q %v\n", missing, err)
	// Output:
	// 300 <nil>
	// payload: value of item "count" (#0, type 2 System.Int32): overflow: 300 does not fit Go type uint8
	// payload: value of item "count" (#0, type 2 System.Int32): type mismatch: Go type string cannot hold it
	// "" <nil>
}
