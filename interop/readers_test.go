package interop_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A read-only page at work, on any process, holds up neither read-only pages
// nor writers on any other.
func TestReadersBlockNobody(t *testing.T) {
	w := enter(t, plain)
	for _, first := range w.sites() {
		for _, second := range w.sites() {
			v, g := newVisitor(t), newGate(t)
			require.Equal(t, "1", word(t, v.get(w.a.URL("slow.aspx?ms=0")), "n"))
			reading := v.begin(first.URL("holdro.aspx" + g.until()))
			g.wait(t)
			require.Equal(t, "1", word(t, v.get(second.URL("rostamp.aspx")), "n"), "%s reads, %s reads", first.name, second.name)
			require.Equal(t, "2", word(t, v.get(second.URL("slow.aspx?ms=0")), "n"), "%s reads, %s writes", first.name, second.name)
			g.open()
			require.Equal(t, "1", word(t, reading(), "n"), "what was there when it began")
		}
	}
}

// A read-only page waits for a writer, on any two processes, and reads what he
// wrote.
func TestReadersWaitForAWriter(t *testing.T) {
	w := enter(t, plain)
	for _, writer := range w.sites() {
		for _, reader := range w.sites() {
			v, g := newVisitor(t), newGate(t)
			require.Equal(t, "1", word(t, v.get(w.a.URL("slow.aspx?ms=0")), "n"))
			writing := v.begin(writer.URL("hold.aspx" + g.until()))
			g.wait(t)
			waits := w.tap.next(call{v.id(), reader.byGo, false})
			reading := v.begin(reader.URL("rostamp.aspx"))
			waits(t)
			g.open()
			require.Equal(t, "2", word(t, writing(), "n"))
			require.Equal(t, "2", word(t, reading(), "n"), "%s writes, %s reads", writer.name, reader.name)
		}
	}
}
