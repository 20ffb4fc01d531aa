package sqlserver

import "strings"

// SplitBatches is for tests of a whole script.
var SplitBatches = batches

// Credentials are what the driver is given.
func (t *Target) Credentials() (user, password string) { return t.cfg.User, t.cfg.Password }

// Texts are all that is sent beside calls of procedures, by name.
func Texts() map[string]string {
	texts := map[string]string{"columns": columnsText, "edition": editionText, "purge": purgeStatement("dbo.t", false), "purge in memory": purgeStatement("dbo.t", true)}
	for op, text := range asyncText("Sessions", false).calls {
		texts[string(op)] = text
	}
	replace := strings.NewReplacer("{short}", "DATALENGTH(SessionItemShort), ", "{table}", "dbo.t", "{catalog}", "tempdb.", "{tables}", "tempdb.dbo.").Replace
	for name, text := range map[string]string{
		"list": listText, "server": serverText, "procedures": proceduresText, "parameters": parametersText, "columns of": columnsOfText,
		"indexes": indexesText, "jobs": jobsText, "grants": grantsText, "rows": rowsText, "startup": startupText,
	} {
		texts[name] = replace(text)
	}
	return texts
}
