using System.Reflection;

[assembly: AssemblyTitle("Shop")]
// Stands in every stored object: a new version makes the sessions of the old one unreadable.
[assembly: AssemblyVersion("1.0.0.0")]
