<%@ Page Language="C#" MasterPageFile="~/Site.master" Title="Sign out · the shop" %>
<script runat="server">
    void SignOut(object sender, EventArgs e) {
        Session.Abandon();
        Response.Redirect("/catalogue.aspx?done=signout", false);
    }
</script>
<asp:Content ContentPlaceHolderID="Main" runat="server">
<h1>Sign out</h1>
<form id="Form" runat="server">
<p>Your cart goes with the session, on both halves of the site.</p>
<p class="cross"><asp:Button runat="server" CssClass="button" Text="Sign out" OnClick="SignOut" data-button="sign out" /></p>
</form>
</asp:Content>
