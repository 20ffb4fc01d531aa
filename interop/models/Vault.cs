using System;
namespace Rig {
  // Classes that no other library can name, in a graph that holds itself.
  public static class Vault {
    [Serializable] private sealed class Box<T> { public T Value; public object Other; public Func<T, string> Show; }
    [Serializable] private sealed class Key { public readonly Guid Id = new Guid("00112233-4455-6677-8899-aabbccddeeff"); [NonSerialized] public object Cache = "x"; }
    public static object Make() {
      var box = new Box<Key> { Value = new Key() };
      box.Other = new Box<object> { Value = box, Other = new object[,] { { box, null }, { 1, "s" } } };
      return box;
    }
  }
}
