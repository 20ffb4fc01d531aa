package cookieless_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aspsession/aspsession/cookieless"
)

func TestParseModifiers(t *testing.T) {
	for segment, want := range map[string]bool{
		"(S(abc))": true, "(X())": true, "(A(1)S(2)F(3)X(1))": true, "(Q(unknown))": true, "(S())": true,
		"(S(a(b))": true,                                                                  // a value may hold what opens
		"":         false, "()": false, "(S)": false, "(abcdefghijklmnopqrstuv05)": false, // .NET 1.x
		"(s(abc))": false, "(1(abc))": false, "(S(abc)": false, "S(abc)": false, "(S(a/b))": false, "(S(S(abc)))": false,
		"(S(a)x)": false, "(S(a) S(b))": false, "((S(a)))": false, "(SS(a))": false, "(S(a)))": false,
	} {
		m, ok := cookieless.ParseModifiers(segment)
		require.Equal(t, want, ok, segment)
		if ok {
			require.Equal(t, segment, m.String())
		}
		require.Equal(t, !want, m.IsEmpty(), segment)
	}
}

func TestModifiers(t *testing.T) {
	m, ok := cookieless.ParseModifiers("(S(one)Q(q)S(two)F(f))")
	require.True(t, ok)
	id, ok := m.Get('S')
	require.True(t, ok)
	require.Equal(t, "one", id, "the first counts")
	_, ok = m.Get('A')
	require.False(t, ok)

	changed, err := m.With('S', "new")
	require.NoError(t, err)
	require.Equal(t, "(Q(q)F(f)S(new))", changed.String(), "older ones go, the rest stays in order")
	require.Equal(t, "(S(one)Q(q)S(two)F(f))", m.String())

	first, err := cookieless.Modifiers{}.With('X', "1")
	require.NoError(t, err)
	require.Equal(t, "(X(1))", first.String())

	for _, bad := range []struct {
		letter byte
		value  string
	}{{'s', "x"}, {'(', "x"}, {'S', "a)b"}, {'S', "a/b"}} {
		same, err := m.With(bad.letter, bad.value)
		require.ErrorIs(t, err, cookieless.ErrValue)
		require.Equal(t, m, same)
	}
}

func TestMode(t *testing.T) {
	for s, want := range map[string]cookieless.Mode{
		"UseCookies": cookieless.UseCookies, "false": cookieless.UseCookies, "FALSE": cookieless.UseCookies,
		"UseUri": cookieless.UseURI, "true": cookieless.UseURI, "useuri": cookieless.UseURI,
		"AutoDetect": cookieless.AutoDetect, "usedeviceprofile": cookieless.UseDeviceProfile,
	} {
		m, err := cookieless.ParseMode(s)
		require.NoError(t, err, s)
		require.Equal(t, want, m, s)
		back, err := cookieless.ParseMode(m.String())
		require.NoError(t, err)
		require.Equal(t, m, back)
	}
	for _, s := range []string{"", "1", "cookies"} {
		_, err := cookieless.ParseMode(s)
		require.ErrorContains(t, err, "UseDeviceProfile")
	}
	require.Equal(t, "Mode(9)", cookieless.Mode(9).String())
}

func TestOptions(t *testing.T) {
	for _, app := range []string{"", "/", "/shop", "/shop/", "/a/b", "/Größe"} {
		_, err := cookieless.New(cookieless.Options{App: app})
		require.NoError(t, err, app)
	}
	for _, app := range []string{"shop", "//", "//evil", "/a//b", "/a/../b", "/a?b", "/a#b", "/a%20b", `/a\b`, "/a\nb", "/(S(x))", "/a/(X())"} {
		_, err := cookieless.New(cookieless.Options{App: app})
		require.ErrorContains(t, err, "application path", app)
	}
	_, err := cookieless.New(cookieless.Options{Mode: 7})
	require.ErrorContains(t, err, "no mode")
}

func FuzzParseModifiers(f *testing.F) {
	for _, s := range []string{"(S(abc))", "(A(1)S(2)F(3)X(1))", "(S(S(abc)))", "()", "(X())", "(S(a(b))"} {
		f.Add(s, byte('S'), "value")
	}
	f.Fuzz(func(t *testing.T, segment string, letter byte, value string) {
		m, ok := cookieless.ParseModifiers(segment)
		if !ok {
			require.True(t, m.IsEmpty())
		} else {
			require.Equal(t, segment, m.String())
			require.NotContains(t, segment, "/")
		}
		with, err := m.With(letter, value)
		if err != nil {
			return
		}
		again, ok := cookieless.ParseModifiers(with.String())
		require.True(t, ok, with.String())
		require.Equal(t, with, again)
		got, ok := again.Get(letter)
		require.True(t, ok)
		require.Equal(t, value, got)
		require.True(t, strings.HasSuffix(with.String(), string(letter)+"("+value+"))"))
	})
}
