// Package clr holds .NET's value types in Go, as the session formats store
// them: [Decimal], [DateTime] with its kind, [TimeSpan], [Guid] with its mixed
// byte order, [Char], [IntPtr] and [UIntPtr].
//
// # Terms
//
//   - A tick is 100 ns, the unit of DateTime and TimeSpan. One second has
//     [TicksPerSecond] of them.
//   - A DateTime's ticks count from 0001-01-01 00:00:00 on the wall clock of
//     whatever zone it was made in; its kind says Unspecified, Utc or Local.
//   - A Guid's first three fields are stored little-endian by .NET and
//     big-endian by RFC 9562. A [Guid] here is in RFC order, the order in which
//     it is printed; [Guid.NET] and [GuidFromNET] convert.
//
// # Security
//
// The types are plain values. Parsing text or bits returns an error for what
// .NET itself would refuse and never panics. Nothing here keeps a reference to
// its input, and every type is safe to copy and to read from many goroutines.
package clr
