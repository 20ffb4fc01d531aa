package payload_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/payload"
)

func TestMergeMakesTheOthersChanges(t *testing.T) {
	open := func(kv ...any) *payload.Items {
		it := payload.NewItems(payload.Limits{})
		for i := 0; i < len(kv); i += 2 {
			require.NoError(t, it.Set(kv[i].(string), kv[i+1]))
		}
		it.Commit()
		return it
	}
	mine := open("Kept", 1, "Both", "mine", "Gone", true)
	theirs := open("gone", false)
	require.NoError(t, theirs.Set("BOTH", int64(7)))
	require.NoError(t, theirs.Set("new", []string{"a", "b"}))
	require.True(t, theirs.Remove("gone"))
	require.NoError(t, mine.Merge(theirs))
	require.Equal(t, []string{"Kept", "Both", "new"}, mine.Keys())
	for key, want := range map[string]string{"kept": "System.Int32", "both": "System.Int64", "new": "System.String[]"} {
		item, ok := mine.Item(key)
		require.True(t, ok)
		require.Equal(t, want, item.TypeName())
	}
	both, err := payload.Value[int64](mine, "both")
	require.NoError(t, err)
	require.EqualValues(t, 7, both)
	require.Len(t, mine.Changes().Set, 2, "what was merged is a change")
	require.Equal(t, []string{"Gone"}, mine.Changes().Removed)

	theirs.Clear()
	require.NoError(t, theirs.Set("after", nil))
	require.NoError(t, mine.Merge(theirs))
	require.Equal(t, []string{"after"}, mine.Keys())
	item, _ := mine.Item("after")
	require.Equal(t, "null", item.TypeName())
}

func TestMergeKeepsTheLimits(t *testing.T) {
	large := payload.NewItems(payload.Limits{})
	require.NoError(t, large.Set("a", strings.Repeat("x", 100)))
	for _, limits := range []payload.Limits{{Bytes: 50}, {Items: 1}} {
		small := payload.NewItems(limits)
		require.NoError(t, small.Set("b", 1))
		require.ErrorIs(t, small.Merge(large), payload.ErrLimit)
		require.Equal(t, []string{"b"}, small.Keys())
	}
	require.Empty(t, payload.Item{}.TypeName())
	require.Empty(t, payload.Item{Data: []byte{20, 1, 2}}.TypeName())
}
