<%@ Page Language="C#" EnableSessionState="ReadOnly" %>
<script runat="server">
// Read-only, and at work until the address "until" has answered.
void Page_Load(object s, EventArgs e) {
  Response.ContentType = "text/plain";
  var t0 = DateTime.UtcNow;
  using (var w = new System.Net.WebClient { Proxy = null }) w.DownloadString(Request["until"]);
  Response.Write("holdro n=" + Session["n"] + " start=" + t0.ToString("HH:mm:ss.fff") + " end=" + DateTime.UtcNow.ToString("HH:mm:ss.fff") + "\n");
  Response.End();
}
</script>
