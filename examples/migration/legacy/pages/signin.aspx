<%@ Page Language="C#" MasterPageFile="~/Site.master" Title="Sign in · the shop" ValidateRequest="false" %>
<%@ Import Namespace="Shop" %>
<script runat="server">
    const int longest = 40;

    void SignIn(object sender, EventArgs e) {
        string name = Name.Text.Trim();
        if (name.Length == 0 || name.Length > longest) {
            Problem.Text = name.Length == 0 ? "Please enter a name." : "A name has " + longest + " characters at most.";
            Name.Attributes["aria-invalid"] = "true";
            Name.Attributes["aria-describedby"] = "problem";
            return;
        }
        Session["user"] = name;
        var cart = (ShoppingCart)Session["cart"] ?? new ShoppingCart();
        cart.Owner = name;
        Session["cart"] = cart;
        Response.Redirect("/catalogue.aspx", false);
    }
</script>
<asp:Content ContentPlaceHolderID="Main" runat="server">
<h1>Sign in</h1>
<div class="cards">
<section class="card">
<p>This shop knows you by your name, and asks for no password.</p>
<form id="Form" runat="server">
<asp:Label runat="server" AssociatedControlID="Name" Text="Name" />
<asp:TextBox ID="Name" runat="server" autocomplete="off" data-input="name" />
<% if (Problem.Text != "") { %><p class="problem" role="alert" id="problem" data-field="problem"><asp:Literal ID="Problem" runat="server" EnableViewState="false" /></p><% } %>
<asp:Button runat="server" CssClass="button" Text="Sign in" OnClick="SignIn" data-button="sign in" />
</form>
</section>
</div>
</asp:Content>
