package nrbf

import "strings"

// gadgets are types whose deserialization is known to run code, load code or
// deserialize something else, from the published collections of such chains.
// DataSet and DataTable are here too: their XML names types and their binary
// form nests another stream. Those that were read can be carried and changed.
var gadgets = set(
	"System.DelegateSerializationHolder", "System.DelegateSerializationHolder+DelegateEntry",
	"System.Delegate", "System.MulticastDelegate", "System.UnitySerializationHolder",
	"System.Reflection.MemberInfoSerializationHolder",
	"System.Collections.Generic.ComparisonComparer", "System.Collections.Generic.Comparer+ComparisonComparer",
	"System.Windows.Data.ObjectDataProvider", "System.Windows.ResourceDictionary",
	"System.Windows.Markup.XamlReader", "System.Windows.Markup.XmlNamespaceMaps",
	"System.Diagnostics.Process", "System.Diagnostics.ProcessStartInfo",
	"System.Security.Principal.WindowsIdentity", "System.Security.Principal.WindowsPrincipal",
	"System.Security.Principal.GenericIdentity", "System.Security.Principal.GenericPrincipal",
	"System.Security.Claims.ClaimsIdentity", "System.Security.Claims.ClaimsPrincipal",
	"System.Web.Security.RolePrincipal", "System.Web.Security.FormsIdentity",
	"System.IdentityModel.Tokens.SessionSecurityToken",
	"Microsoft.IdentityModel.Claims.WindowsClaimsIdentity", "Microsoft.IdentityModel.Claims.WindowsClaimsPrincipal",
	"Microsoft.IdentityModel.Claims.ClaimsIdentity", "Microsoft.IdentityModel.Tokens.SessionSecurityToken",
	"System.Data.DataSet", "System.Data.DataTable", "System.Data.DataView", "System.Data.DataViewManager",
	"System.Data.Services.Internal.ExpandedWrapper", "System.Data.SqlTypes.SqlXml",
	"System.Management.Automation.PSObject", "System.Management.IWbemClassObjectFreeThreaded",
	"System.Windows.Forms.AxHost+State", "System.Windows.Forms.BindingSource",
	"System.Drawing.Design.ToolboxItem", "System.Drawing.Design.ToolboxItemContainer",
	"System.Drawing.Design.ToolboxItemContainer+ToolboxItemSerializer",
	"System.Resources.ResourceSet", "System.Resources.ResXResourceSet", "System.Resources.ResXResourceReader",
	"System.Resources.RuntimeResourceSet", "System.Resources.ResXDataNode", "System.Resources.ResourceReader",
	"System.Resources.ResXFileRef+Converter",
	"Microsoft.VisualStudio.Text.Formatting.TextFormattingRunProperties",
	"System.Workflow.ComponentModel.Serialization.ActivitySurrogateSelector",
	"System.Workflow.ComponentModel.Serialization.ActivitySurrogateSelector+ObjectSurrogate+ObjectSerializedRef",
	"System.Workflow.ComponentModel.AppSettings", "System.Activities.Presentation.WorkflowDesigner",
	"System.Security.SecurityException", "System.Security.Policy.Evidence", "System.Security.Policy.HashMembershipCondition",
	"System.Web.UI.ObjectStateFormatter", "System.Web.UI.LosFormatter",
	"System.Runtime.Serialization.Formatters.Binary.BinaryFormatter",
	"System.Runtime.Serialization.Formatters.Soap.SoapFormatter", "System.Runtime.Serialization.NetDataContractSerializer",
	"System.Runtime.Remoting.ObjRef", "System.Runtime.Remoting.Messaging.ReturnMessage",
	"System.CodeDom.Compiler.TempFileCollection", "System.IO.FileSystemInfo", "System.IO.FileInfo", "System.IO.DirectoryInfo",
	"System.Configuration.Install.AssemblyInstaller", "System.Configuration.SettingsPropertyValue",
	"System.Xml.Xsl.XslCompiledTransform", "System.Xml.XmlDataDocument",
	"Microsoft.Exchange.Data.ByteArray", "System.Collections.Generic.TreeSet",
	"System.ComponentModel.Design.DesigntimeLicenseContext", "System.ComponentModel.DesignerOptionService",
	"System.Linq.EnumerableQuery", "System.Reflection.Assembly", "System.Reflection.AssemblyName", "System.RuntimeType",
	"System.Func", "System.Action", "System.Comparison", "System.Predicate", "System.Converter",
)

// Whole namespaces with nothing in them that a session holds.
var gadgetSpaces = []string{
	"system.management.automation.", "system.workflow.", "system.windows.markup.", "system.codedom.",
	"system.runtime.remoting.", "microsoft.visualstudio.text.", "system.reflection.emit.",
}

func set(names ...string) map[string]bool {
	m := make(map[string]bool, len(names))
	for _, n := range names {
		m[strings.ToLower(n)] = true
	}
	return m
}

// refuseGadget looks at a type's name and at the names in its generic arguments
// and arrays. Case is ignored: .NET can be told to.
func refuseGadget(name string) error {
	for part := range strings.FieldsFuncSeq(name, func(r rune) bool { return strings.ContainsRune("[],*&", r) }) {
		part = strings.ToLower(strings.TrimSpace(part))
		plain := part
		for { // arities: "Func`2", "Comparer`1+ComparisonComparer`1"
			i := strings.IndexByte(plain, '`')
			if i < 0 {
				break
			}
			j := i + 1
			for j < len(plain) && plain[j] >= '0' && plain[j] <= '9' {
				j++
			}
			plain = plain[:i] + plain[j:]
		}
		plain = strings.ReplaceAll(plain, `\`, "")
		bad := gadgets[plain]
		for _, space := range gadgetSpaces {
			bad = bad || strings.HasPrefix(plain, space)
		}
		if bad {
			return usage(name, ErrGadget, "%s is not written", clip(part))
		}
	}
	return nil
}
