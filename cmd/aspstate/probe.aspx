<%@ Page Language="C#" EnableSessionState="ReadOnly" EnableViewState="false" %>
<%@ Import Namespace="System.Collections.Generic" %>
<%@ Import Namespace="System.Configuration" %>
<%@ Import Namespace="System.Diagnostics" %>
<%@ Import Namespace="System.IO" %>
<%@ Import Namespace="System.Reflection" %>
<%@ Import Namespace="System.Runtime.Serialization" %>
<%@ Import Namespace="System.Runtime.Serialization.Formatters.Binary" %>
<%@ Import Namespace="System.Security.Cryptography" %>
<%@ Import Namespace="System.Text" %>
<%@ Import Namespace="System.Web.Configuration" %>
<script runat="server">
// Made by "aspstate probe". It tells what another program needs to know to share
// this application's sessions: settings, and the names and types of the items of
// the visitor's own session; no value, no key, no password. It answers only to
// who knows the token, and for a day. Delete it when you have read it.
const string Token = "@TOKEN@";
const string Until = "@UNTIL@"; // UTC
// .NET Framework 2.0 to 4.8 and Mono; C# 2.

StringBuilder json = new StringBuilder("{");
bool first = true;

void Page_Load(object sender, EventArgs e) {
  Response.Cache.SetCacheability(HttpCacheability.NoCache);
  Response.Cache.SetNoStore();
  if (Request.QueryString["token"] != Token || String.CompareOrdinal(DateTime.UtcNow.ToString("s"), Until) > 0) {
    Response.StatusCode = 404;
    Response.ContentType = "text/plain";
    Response.Write("not found\n");
    return;
  }
  Response.ContentType = "application/json";
  Response.ContentEncoding = new UTF8Encoding(false);
  Text("probe", "1");
  Text("appId", HttpRuntime.AppDomainAppId);
  Text("virtualPath", HttpRuntime.AppDomainAppVirtualPath);
  Text("keyBase", KeyBase());
  Framework();
  Clock();
  Section("httpRuntime", delegate {
    HttpRuntimeSection s = (HttpRuntimeSection)WebConfigurationManager.GetSection("system.web/httpRuntime");
    Text("targetFramework", Property(s, "TargetFramework"));
    Number("executionTimeoutSeconds", (long)s.ExecutionTimeout.TotalSeconds);
  });
  Section("httpCookies", delegate {
    HttpCookiesSection s = (HttpCookiesSection)WebConfigurationManager.GetSection("system.web/httpCookies");
    Text("domain", s.Domain);
    Flag("requireSSL", s.RequireSSL);
    Text("sameSite", Property(s, "SameSite"));
  });
  Section("sessionState", delegate {
    SessionStateSection s = (SessionStateSection)WebConfigurationManager.GetSection("system.web/sessionState");
    Text("mode", s.Mode.ToString());
    Number("timeoutMinutes", (long)s.Timeout.TotalMinutes);
    Text("cookieless", s.Cookieless.ToString());
    Text("cookieName", s.CookieName);
    Text("cookieSameSite", Property(s, "CookieSameSite"));
    Flag("regenerateExpiredSessionId", s.RegenerateExpiredSessionId);
    Text("compressionEnabled", Property(s, "CompressionEnabled"));
    Text("customProvider", s.CustomProvider);
    ProviderSettings p = s.Providers[s.CustomProvider];
    Text("providerType", p == null ? null : p.Type);
    Text("partitionResolverType", s.PartitionResolverType);
    Text("sessionIDManagerType", s.SessionIDManagerType);
  });
  HttpSessionState now = HttpContext.Current.Session;
  if (now != null) {
    Text("idHash", Hash(now.SessionID));
    Items(now);
  }
  Response.Write(json.Append("\n}\n").ToString());
}

// What stands in front of ids in a state service: where .NET keeps it. It is set
// in mode StateServer once a session was used, and Mono has none.
string KeyBase() {
  try {
    Type t = typeof(HttpRuntime).Assembly.GetType("System.Web.SessionState.OutOfProcSessionStateStore");
    FieldInfo f = t == null ? null : t.GetField("s_uribase", BindingFlags.NonPublic | BindingFlags.Static);
    return f == null ? null : f.GetValue(null) as string;
  } catch (Exception) { return null; }
}

void Framework() {
  Text("runtime", Type.GetType("Mono.Runtime") == null ? ".NET Framework" : "Mono");
  Text("clr", Environment.Version.ToString());
  string web = null;
  try { web = Version(); } catch (Exception) { } // partial trust refuses the whole method
  Text("systemWeb", web);
  Number("bits", IntPtr.Size * 8);
}

static string Version() { return FileVersionInfo.GetVersionInfo(typeof(HttpRuntime).Assembly.Location).FileVersion; }

void Clock() {
  TimeZone zone = TimeZone.CurrentTimeZone;
  DateTime now = DateTime.Now;
  Text("clock", now.ToUniversalTime().ToString("s") + "Z");
  Text("zone", zone.StandardName);
  Number("utcOffsetMinutes", (long)zone.GetUtcOffset(now).TotalMinutes);
}

void Items(HttpSessionState now) {
  Name("items");
  json.Append("[");
  List<string> names = new List<string>();
  foreach (string name in now.Keys) names.Add(name);
  for (int i = 0; i < names.Count; i++) {
    json.Append(i == 0 ? "\n    {" : ",\n    {");
    first = true;
    Text("name", names[i]);
    object value = null;
    bool read = true;
    try { value = now[i]; } catch (Exception e) { read = false; Text("problem", "it cannot be read: " + e.GetType().FullName); }
    if (read) {
      Text("type", value == null ? "null" : value.GetType().FullName);
      if (value != null) Text("assembly", value.GetType().Assembly.GetName().Name);
      Serializes(value);
    }
    json.Append("}");
  }
  first = false;
  json.Append(names.Count == 0 ? "]" : "\n  ]");
}

// Whether a state service could hold it: BinaryFormatter is asked. Of what it
// says only the type at fault is told, since the rest may hold values.
void Serializes(object value) {
  if (value == null) { Flag("serializable", true); return; }
  string culprit = null;
  try {
    new BinaryFormatter().Serialize(Stream.Null, value);
    Flag("serializable", true);
    return;
  } catch (System.Security.SecurityException) { // partial trust: the class alone is known
    Flag("serializable", value.GetType().IsSerializable);
    return;
  } catch (SerializationException e) {
    string message = e.Message;
    int from = message.IndexOf('\'');
    if (from < 0) from = message.IndexOf(' '); // Mono: Type Shop.Cart is not marked ...
    int to = from < 0 ? -1 : message.IndexOfAny(new char[] {'\'', ' '}, from + 1);
    if (to > from + 1) culprit = message.Substring(from + 1, to - from - 1);
  } catch (Exception e) {
    culprit = e.GetType().FullName;
  }
  Flag("serializable", false);
  Text("problem", culprit);
}

// The first digits of a hash tell two sessions apart and do not open one.
static string Hash(string id) {
  byte[] sum;
  try {
    sum = new SHA256Managed().ComputeHash(Encoding.UTF8.GetBytes(id));
  } catch (Exception) { return null; } // a machine that allows FIPS algorithms alone
  return BitConverter.ToString(sum, 0, 4).Replace("-", "").ToLowerInvariant();
}

// A property that newer frameworks have.
static string Property(object o, string name) {
  try {
    PropertyInfo p = o.GetType().GetProperty(name);
    object v = p == null ? null : p.GetValue(o, null);
    return v == null ? null : v.ToString();
  } catch (Exception) { return null; }
}

delegate void Part();

void Section(string name, Part part) {
  Name(name);
  json.Append("{");
  first = true;
  try { part(); } catch (Exception e) { Text("problem", "it cannot be read: " + e.GetType().FullName); }
  json.Append("}");
  first = false;
}

void Name(string name) {
  if (!first) json.Append(",");
  json.Append("\n  ");
  first = false;
  Quote(name);
  json.Append(": ");
}

void Text(string name, string value) {
  Name(name);
  if (value == null) json.Append("null"); else Quote(value);
}

void Number(string name, long value) {
  Name(name);
  json.Append(value.ToString(System.Globalization.CultureInfo.InvariantCulture));
}

void Flag(string name, bool value) { Name(name); json.Append(value ? "true" : "false"); }

void Quote(string s) {
  json.Append('"');
  foreach (char c in s) {
    if (c < ' ' || c == '"' || c == '\\' || c == '<' || c > '~') json.Append("\\u").Append(((int)c).ToString("x4"));
    else json.Append(c);
  }
  json.Append('"');
}
</script>
