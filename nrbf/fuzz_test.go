package nrbf_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/nrbf"
)

// Small limits keep a fuzzer from spending its time in large streams.
var fuzzOptions = nrbf.Options{Bytes: 1 << 20, Elements: 1 << 16, Objects: 1 << 14}

func seed(f *testing.F) {
	f.Helper()
	for _, v := range vectors(f) {
		_, streams := v.streams(f)
		for _, s := range streams {
			if len(s) < 16<<10 {
				f.Add(s)
			}
		}
	}
	for _, v := range badVectors(f) {
		if data := file(f, "testdata", "bad", v.File); len(data) < 16<<10 {
			f.Add(data)
		}
	}
}

// FuzzDecode: no bytes make reading, navigating or printing panic, and every
// refusal has an offset in the stream.
func FuzzDecode(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		g, err := nrbf.Decode(data, fuzzOptions)
		if err != nil {
			var e *nrbf.Error
			require.ErrorAs(t, err, &e)
			require.True(t, e.Offset >= 0 && e.Offset <= len(data), err)
			require.NotEmpty(t, err.Error())
			return
		}
		out, err := g.Append(nil)
		require.NoError(t, err)
		require.Equal(t, data[:g.Size()], out)
		budget := 1 << 16
		for v := range g.All() {
			require.NotEmpty(t, v.String())
			for _, m := range v.Object().Members() {
				_, _ = m.Any(), m.String()
			}
			if v.Array().Len() > budget {
				continue
			}
			budget -= v.Array().Len()
			last := nrbf.Value{}
			for _, e := range v.Array().All() {
				last = e
			}
			if n := v.Array().Len(); n > 0 {
				require.Equal(t, last.String(), v.Array().At(n-1).String())
			}
		}
	})
}

// FuzzRoundTrip: what can be read is written from the graph alone, reads back
// equal, and does so after changes too.
func FuzzRoundTrip(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		g, err := nrbf.Decode(data, fuzzOptions)
		if err != nil {
			return
		}
		roundTrip(t, g)
		for v := range g.All() {
			if v.Kind() == nrbf.KindString {
				continue
			}
			if a := v.Array(); a.Len() > 0 && a.Len() < 1000 {
				// Reading is laxer about declared types than writing: what stands in a
				// broken stream may not be set again.
				if err := a.Set(a.Len()/2, a.At(0)); err != nil {
					require.ErrorIs(t, err, nrbf.ErrType, a)
					continue
				}
				if a.Rank() == 1 {
					if err := a.Append(a.At(0)); err != nil {
						require.ErrorIs(t, err, nrbf.ErrRange, a) // a lower bound near the highest index
						continue
					}
					if err := a.Resize(a.Len() + 2); err != nil {
						require.ErrorIs(t, err, nrbf.ErrRange, a)
						continue
					}
					require.NoError(t, a.Resize(a.Len()-1))
				}
			}
			for i := range v.Object().Len() {
				m := v.Object().Member(i)
				if m.Kind() == nrbf.KindString {
					require.NoError(t, v.Object().SetMember(i, m.Str().Text()+"!"))
				} else if m.Object() != nil {
					again, err := g.NewObject(m.Object().Class())
					if err != nil {
						require.True(t, errors.Is(err, nrbf.ErrGadget), err)
						continue
					}
					if err := v.Object().SetMember(i, again); err != nil {
						require.ErrorIs(t, err, nrbf.ErrType)
					}
				}
			}
			if g.Len() > 1<<12 {
				break
			}
		}
		out, err := g.Append(nil)
		if errors.Is(err, nrbf.ErrLimit) {
			return
		}
		require.NoError(t, err)
		h, err := nrbf.Decode(out, nrbf.Options{})
		require.NoError(t, err)
		require.Empty(t, differ(g, h))
	})
}
