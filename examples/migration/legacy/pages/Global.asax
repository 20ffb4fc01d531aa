<%@ Application Language="C#" %>
<%@ Import Namespace="System.Collections" %>
<%@ Import Namespace="System.Text.RegularExpressions" %>
<script runat="server">

    // What every page relies on. A session that the Go half begins gets it too: it asks for start.aspx first.
    void Session_Start(object sender, EventArgs e) {
        Session["started"] = DateTime.UtcNow;
        Session["startedBy"] = "ASP.NET";
        Session["currency"] = "EUR";
        Session["prefs"] = new Hashtable { { "theme", "plain" }, { "perPage", 20 }, { "newsletter", false } };
    }

    // The visitor is told that it failed, and the proxy in front why.
    void Application_Error(object sender, EventArgs e) {
        Exception error = Server.GetLastError();
        var http = error as HttpException;
        int status = http == null || error is HttpUnhandledException ? 500 : http.GetHttpCode();
        string why = Regex.Replace(error.GetBaseException().Message, "[^ -~]+", " ");

        Server.ClearError();
        Response.Clear();
        Response.TrySkipIisCustomErrors = true;
        Response.StatusCode = status;
        Response.ContentType = "text/html";
        if (status >= 500) Response.AppendHeader("X-Legacy-Error", why.Substring(0, Math.Min(why.Length, 200)));
        Response.WriteFile("~/" + (status == 404 ? "missing.html" : "error.html"));
    }
</script>
