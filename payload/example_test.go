package payload_test

import (
	"fmt"
	"os"

	"github.com/aspsession/aspsession/payload"
)

// A session that ASP.NET stored is edited: one item changes, and every other
// byte stays, the shopping cart of a C# class among them.
func Example() {
	stored, err := os.ReadFile("testdata/store-mixed.bin")
	if err != nil {
		fmt.Println(err)
		return
	}
	p, err := payload.Open(stored, payload.Limits{})
	if err != nil {
		fmt.Println(err)
		return
	}
	name, _ := payload.Value[string](p.Items(), "userName")
	fmt.Println(name, p.Items().Len(), "items,", p.Timeout(), "minutes")
	if err := p.Items().Set("USERNAME", "ada"); err != nil {
		fmt.Println(err)
		return
	}
	saved, err := p.Append(nil)
	fmt.Println(len(stored), "bytes became", len(saved), err)
	for _, item := range p.Items().Changes().Set {
		fmt.Printf("%s: % x\n", item.Key, item.Data)
	}
	// Output:
	// jdoe 14 items, 60 minutes
	// 3062 bytes became 3061 <nil>
	// userName: 01 03 61 64 61
}

// An error says what, where and why.
func ExampleError() {
	stored, _ := os.ReadFile("testdata/store-mixed.bin")
	_, err := payload.Open(stored[:100], payload.Limits{})
	fmt.Println(err)
	// Output:
	// payload: key of item (#12) at offset 96: truncated: the key takes 7 bytes, 3 are left
}
