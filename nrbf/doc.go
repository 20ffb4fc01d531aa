// Package nrbf reads and writes .NET BinaryFormatter streams, the open
// specification [MS-NRBF], as data. A stream becomes a [Graph] of objects,
// arrays and strings that can be navigated, changed, built and written; nothing
// in it is executed, instantiated or looked up.
//
// # Terms
//
//   - A record is one piece of the stream; a graph is what the records describe.
//     [Graph.Root] is the object that was serialized.
//   - A [Class] is a description that objects share: .NET's full name, the
//     library, the members in order with their declared types. A library is an
//     assembly by name; mscorlib's classes have none.
//   - A [Value] is what a member or element holds: a primitive, null, or a
//     pointer to an [Object], an [Array] or a [String]. Pointers are identity:
//     what .NET shares is shared, and cycles are cycles.
//   - A struct in place is a value type that stands inside its holder, with a
//     negative id, instead of being referred to. Enums are structs with the one
//     member value__. Boxed ones are objects like others.
//   - Primitives are Boolean, Char, Decimal, DateTime, TimeSpan and the numbers:
//     [Kind] lists them with their Go types. Guid, DateTimeOffset and the like
//     are structs with members.
//
// # What is supported
//
// Every record but remote method calls (21, 22), which are ErrUnsupported:
// classes with and without an id of their own, arrays of every rank, jagged and
// with lower bounds, runs of nulls, libraries between members, references
// forward and back, roots that do not come first. Classes without member types
// need [Options.MemberTypes]. [Decode] is stricter than .NET where a stream
// is plainly broken: an id for two things, arrays in place (which .NET reads as
// null), runs of no nulls, decimals in another culture, members of one name.
//
// [Decode] keeps the bytes that it is given, and they must not change:
// [Array.Bytes] and [Array.Raw] are views of them. Strings are copies. Reading a
// Graph is safe from many goroutines, changing one is not.
//
// # Writing
//
// A graph that was not changed is written as the bytes that were read. A
// changed one keeps ids, names, declared types and libraries of what was read,
// and is laid out as .NET lays it out. A type is checked against what the stream
// declares; that one class derives from another only .NET knows. Framework
// collections have rules of their own between their members (List's _size): the
// views keep them, [ListOf], [DictOf] and [SetScalar]; who sets such members
// himself keeps them himself.
//
// # Mapping to Go
//
// [Unmarshal] stores a graph in Go structs, slices and maps by the rules of
// [Mapping.Unmarshal]; [Types.Marshal] writes Go values of which [Register] names
// the classes, and [Types.Update] writes changed ones into the stream that they
// came from, so that what Go does not know stays.
//
// # Security
//
// Reading costs memory in proportion to the stream within [Options]; counts are
// compared with the bytes that are there before anything is allocated, and no
// depth of nesting or of references touches the goroutine's stack. Numbers that
// tell .NET to allocate (a Dictionary's HashSize) are numbers here.
//
// Reading is safe; what is written is read by .NET, which instantiates the types
// that a stream names. So names come from the program or from the object that
// was read, never from a request, and new objects of types that are known to run
// code when they are deserialized are refused with [ErrGadget]. The list is a
// seat belt: no list is complete. Streams that hold such types already are
// carried as they are. Whoever can write the store can therefore run code in
// ASP.NET whatever this package does: authenticate the store.
package nrbf
