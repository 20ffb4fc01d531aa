// Package payload reads and writes the bytes in which ASP.NET stores a session:
// the store frame, its collection of items, the 21 value types and the
// compressed form. It is lazy and verbatim: opening a session parses keys and
// offsets and copies no value, and what is not changed is written back as it
// was, byte for byte, whatever it is.
//
// # Terms
//
//   - A frame is what the state server, SQL Server and the in-process store
//     keep: timeout in minutes, two flags, items, static objects, a trailer byte
//     0xFF (.NET Framework 4.8 SessionStateUtility.Serialize). With
//     compressionEnabled="true" it is a raw DEFLATE stream and one more 0xFF;
//     nothing in the bytes says which, both sides must be configured alike.
//   - The item collection maps keys to values in order
//     (SessionStateItemCollection.Serialize): keys first, then the end offsets
//     of the values, then the values. Keys are compared without case and keep
//     the spelling of their first use.
//   - A value is a type id, 1 to 21, and its data (AltSerialization). Ids 1 to
//     19 are primitive types; 20 is any other object, as a BinaryFormatter
//     stream; 21 is null.
//   - The null key is an item without a name, which C# can make. It is carried
//     and never created, and only [Items.Clear] removes it.
//   - The static tail holds the <object runat="server" scope="session"> objects
//     of Global.asax. It is carried and never created.
//
// # Values in Go
//
// See [Items.Get] for the table of types, and [Value] and [Items.Set] for objects:
// package nrbf maps them to structs, slices and maps, and shows them as data.
// DateTime is stored without a kind or
// zone: the wall clock of the ASP.NET machine at best. [Items.SetLocation] says
// in which zone to read it; the default is UTC, and a site that stored
// DateTime.Now in New York must say so.
//
// # Errors
//
// Reading fails with an [*Error] that carries offset, item and type id. A frame
// that is broken fails to open; a value that is broken fails when it is asked
// for, and its neighbours stay usable. We are stricter than .NET where it is
// careless: falling end offsets, negative counts and values that run into their
// neighbour are errors.
//
// # Security
//
// Opening allocates in proportion to the input, within [Limits]; counts and
// lengths are checked against the bytes that are there before anything is made.
// Nothing is executed; objects are parsed as data, by package nrbf and within its
// limits, when they are asked for. But whoever can write the store can make
// ASP.NET deserialize what he likes: authenticate it.
//
// # Concurrency
//
// A Payload or Items belongs to one goroutine at a time. The bytes given to
// Open are kept and must not be changed; many Payloads may share them.
package payload
