-- ASP.NET session state in SQL Server: {{if .TempTables}}tables in tempdb{{else}}tables that survive a restart{{end}}, database {{name .Database}}.
-- Written by aspsession. It may be run again at any time: sessions stay, and what
-- is missing is made. With sqlcmd use -b, so that it stops at an error.
{{if not .Inside -}}
IF DB_ID({{text .Database}}) IS NULL
BEGIN
	CREATE DATABASE {{name .Database}};
	-- Nobody restores sessions from log backups.
	ALTER DATABASE {{name .Database}} SET RECOVERY SIMPLE;
END
GO
USE {{name .Database}}
GO
{{end -}}
SET ANSI_NULLS ON;
SET QUOTED_IDENTIFIER ON;
GO
{{if .TempTables -}}
{{template "stub" "CreateTempTables"}}
-- tempdb is made anew at each start of the server.
ALTER PROCEDURE dbo.CreateTempTables
AS
	{{template "mark"}}
	SET NOCOUNT ON;
{{template "create" .}}
GO
EXECUTE dbo.CreateTempTables
GO
{{else -}}
IF COL_LENGTH(N'dbo.ASPStateTempSessions', N'SessionId') < 176
	OR COLUMNPROPERTY(OBJECT_ID(N'dbo.ASPStateTempApplications'), N'AppId', N'IsIdentity') = 1
	RAISERROR(N'The tables are of ASP.NET 1.x and cannot be upgraded. Drop ASPStateTempSessions and ASPStateTempApplications, which ends all sessions, and run this again.', 16, 1);
GO
{{template "create" .}}
GO
-- Tables from before Flags.
IF COL_LENGTH(N'dbo.ASPStateTempSessions', N'Flags') IS NULL
	ALTER TABLE dbo.ASPStateTempSessions ADD Flags int NOT NULL CONSTRAINT DF_ASPStateTempSessions_Flags DEFAULT (0);
GO
{{end -}}
{{template "stub" "TempGetVersion"}}
-- ASP.NET looks whether this procedure exists; nobody calls it.
ALTER PROCEDURE dbo.TempGetVersion
	@ver char(10) OUTPUT
AS
	{{template "mark"}}
	SET NOCOUNT ON;
	SET @ver = '2';
GO
{{template "stub" "GetMajorVersion"}}
-- The name with two at-signs is what ASP.NET calls it by.
ALTER PROCEDURE dbo.GetMajorVersion
	@@ver int OUTPUT
AS
	{{template "mark"}}
	SET NOCOUNT ON;
	SET @@ver = CONVERT(int, PARSENAME(CONVERT(varchar(32), SERVERPROPERTY('ProductVersion')), 4));
GO
{{template "stub" "GetHashCode"}}
-- djb2 with XOR in 32 bits, as a signed number.
ALTER PROCEDURE dbo.GetHashCode
	@input varchar(280),
	@hash int OUTPUT
AS
	{{template "mark"}}
	SET NOCOUNT ON;
	DECLARE @h bigint, @range bigint, @at int, @last int;
	SELECT @h = 5381, @range = 4294967296, @at = 1, @last = DATALENGTH(@input);
	WHILE @at <= @last
	BEGIN
		SET @h = ((@h * 33) % @range) ^ CONVERT(bigint, ASCII(SUBSTRING(@input, @at, 1)));
		SET @at = @at + 1;
	END;
	SET @hash = CONVERT(int, CASE WHEN @h > 2147483647 THEN @h - @range ELSE @h END);
GO
{{template "stub" "TempGetAppID"}}
-- The number is a hash of the name, so that two servers that meet an application
-- at the same moment make the same row, and the primary key keeps one of them.
ALTER PROCEDURE dbo.TempGetAppID
	@appName varchar(280),
	@appId int OUTPUT
AS
	{{template "mark"}}
	SET NOCOUNT ON;
	DECLARE @other varchar(280), @text nvarchar(1000);
	SELECT @appName = LOWER(@appName), @appId = NULL;
	SELECT @appId = AppId FROM {{.Tables}}ASPStateTempApplications WHERE AppName = @appName;
	IF @appId IS NOT NULL
		RETURN 0;
	EXECUTE dbo.GetHashCode @appName, @appId OUTPUT;
	INSERT INTO {{.Tables}}ASPStateTempApplications (AppId, AppName)
	SELECT @appId, @appName
	WHERE NOT EXISTS (SELECT AppId FROM {{.Tables}}ASPStateTempApplications WITH (UPDLOCK, HOLDLOCK) WHERE AppId = @appId);
	SELECT @other = RTRIM(AppName) FROM {{.Tables}}ASPStateTempApplications WHERE AppId = @appId;
	IF @other <> @appName
	BEGIN
		SET @text = N'The applications ' + @appName + N' and ' + @other + N' have the same number and cannot both keep sessions here. Rename one of them.';
		RAISERROR(N'%s', 18, 1, @text);
		RETURN 1;
	END;
	RETURN 0;
GO
{{template "stub" "TempGetStateItem3"}}
-- Reads without a lock. What is read is of one moment: one SELECT takes it all.
ALTER PROCEDURE dbo.TempGetStateItem3
	@id nvarchar(88),
	@itemShort varbinary(7000) OUTPUT,
	@locked bit OUTPUT,
	@lockAge int OUTPUT,
	@lockCookie int OUTPUT,
	@actionFlags int OUTPUT
AS
	{{template "mark"}}
	SET NOCOUNT ON;
	DECLARE @now datetime, @item varbinary(max);
	SELECT @now = GETUTCDATE(), @itemShort = NULL, @locked = NULL, @lockAge = NULL, @lockCookie = NULL, @actionFlags = NULL;
	UPDATE {{.Tables}}ASPStateTempSessions
	SET Expires = DATEADD(minute, Timeout, @now)
	WHERE SessionId = @id;
	SELECT @locked = Locked,
		@lockAge = DATEDIFF(second, LockDate, @now),
		@lockCookie = LockCookie,
		@itemShort = CASE Locked WHEN 0 THEN SessionItemShort ELSE NULL END,
		@item = CASE Locked WHEN 0 THEN CONVERT(varbinary(max), SessionItemLong) ELSE NULL END,
		@actionFlags = CASE Locked WHEN 0 THEN Flags & 1 ELSE 0 END
	FROM {{.Tables}}ASPStateTempSessions
	WHERE SessionId = @id;
{{template "told" .}}
	IF @item IS NOT NULL
		SELECT @item AS SessionItemLong;
	RETURN 0;
GO
{{template "stub" "TempGetStateItemExclusive3"}}
-- The first UPDATE takes the lock or finds it taken: of any number of callers one
-- meets the row with Locked = 0. Whoever has the lock then reads at leisure.
ALTER PROCEDURE dbo.TempGetStateItemExclusive3
	@id nvarchar(88),
	@itemShort varbinary(7000) OUTPUT,
	@locked bit OUTPUT,
	@lockAge int OUTPUT,
	@lockCookie int OUTPUT,
	@actionFlags int OUTPUT
AS
	{{template "mark"}}
	SET NOCOUNT ON;
	DECLARE @now datetime, @item varbinary(max), @taken int;
	SELECT @now = GETUTCDATE(), @itemShort = NULL, @locked = NULL, @lockAge = NULL, @lockCookie = NULL, @actionFlags = NULL;
	UPDATE {{.Tables}}ASPStateTempSessions
	SET Expires = DATEADD(minute, Timeout, @now), LockDate = @now, LockDateLocal = GETDATE(), LockCookie = LockCookie + 1, Locked = 1
	WHERE SessionId = @id AND Locked = 0;
	SET @taken = @@ROWCOUNT;
	IF @taken = 0
		UPDATE {{.Tables}}ASPStateTempSessions
		SET Expires = DATEADD(minute, Timeout, @now)
		WHERE SessionId = @id;
	SELECT @locked = 1 - @taken,
		@lockAge = CASE WHEN @taken = 1 OR LockDate > @now THEN 0 ELSE DATEDIFF(second, LockDate, @now) END,
		@lockCookie = LockCookie,
		@itemShort = CASE @taken WHEN 1 THEN SessionItemShort ELSE NULL END,
		@item = CASE @taken WHEN 1 THEN CONVERT(varbinary(max), SessionItemLong) ELSE NULL END,
		@actionFlags = CASE @taken WHEN 1 THEN Flags & 1 ELSE 0 END
	FROM {{.Tables}}ASPStateTempSessions
	WHERE SessionId = @id;
{{template "told" .}}
	IF @item IS NOT NULL
		SELECT @item AS SessionItemLong;
	RETURN 0;
GO
{{template "stub" "TempReleaseStateItemExclusive"}}
-- Here and below clients count the rows that were met: NOCOUNT stays off.
ALTER PROCEDURE dbo.TempReleaseStateItemExclusive
	@id nvarchar(88),
	@lockCookie int
AS
	{{template "mark"}}
	SET NOCOUNT OFF;
	UPDATE {{.Tables}}ASPStateTempSessions
	SET Expires = DATEADD(minute, Timeout, GETUTCDATE()), Locked = 0
	WHERE SessionId = @id AND LockCookie = @lockCookie;
	RETURN 0;
GO
{{range .Inserts -}}
{{template "stub" .Name}}
ALTER PROCEDURE dbo.{{.Name}}
	@id nvarchar(88),
	@{{.Item}} {{.Type}},
	@timeout int
AS
	{{template "mark"}}
	SET NOCOUNT OFF;
	DECLARE @now datetime;
	SET @now = GETUTCDATE();
	INSERT INTO {{$.Tables}}ASPStateTempSessions (SessionId, {{.Column}}, Timeout, Expires, Locked, LockDate, LockDateLocal, LockCookie, Flags)
	VALUES (@id, @{{.Item}}, @timeout, DATEADD(minute, @timeout, @now), 0, @now, GETDATE(), 1, {{.Flags}});
	RETURN 0;
GO
{{end -}}
{{range .Updates -}}
{{template "stub" .Name}}
ALTER PROCEDURE dbo.{{.Name}}
	@id nvarchar(88),
	@{{.Item}} {{.Type}},
	@timeout int,
	@lockCookie int
AS
	{{template "mark"}}
	SET NOCOUNT OFF;
	UPDATE {{$.Tables}}ASPStateTempSessions
	SET Expires = DATEADD(minute, @timeout, GETUTCDATE()), {{.Column}} = @{{.Item}},{{if .Null}} {{.Null}} = NULL,{{end}} Timeout = @timeout, Locked = 0
	WHERE SessionId = @id AND LockCookie = @lockCookie;
	RETURN 0;
GO
{{end -}}
{{template "stub" "TempRemoveStateItem"}}
ALTER PROCEDURE dbo.TempRemoveStateItem
	@id nvarchar(88),
	@lockCookie int
AS
	{{template "mark"}}
	SET NOCOUNT OFF;
	DELETE FROM {{.Tables}}ASPStateTempSessions
	WHERE SessionId = @id AND LockCookie = @lockCookie;
	RETURN 0;
GO
{{template "stub" "TempResetTimeout"}}
ALTER PROCEDURE dbo.TempResetTimeout
	@id nvarchar(88)
AS
	{{template "mark"}}
	SET NOCOUNT OFF;
	UPDATE {{.Tables}}ASPStateTempSessions
	SET Expires = DATEADD(minute, Timeout, GETUTCDATE())
	WHERE SessionId = @id;
	RETURN 0;
GO
{{template "stub" "DeleteExpiredSessions"}}
-- Call it about once a minute: from a job of SQL Server Agent, from
-- aspstate sql purge, or by the purge of the Go store.
ALTER PROCEDURE dbo.DeleteExpiredSessions
AS
	{{template "mark"}}
	SET NOCOUNT ON;
	SET DEADLOCK_PRIORITY LOW;
	DECLARE @now datetime, @rows int;
	SELECT @now = GETUTCDATE(), @rows = 1;
	WHILE @rows > 0
	BEGIN
		DELETE TOP (500) FROM {{.Tables}}ASPStateTempSessions WITH (ROWLOCK, READPAST)
		WHERE Expires < @now;
		SET @rows = @@ROWCOUNT;
	END;
	RETURN 0;
GO
-- A member of this role can use sessions and nothing else.
IF DATABASE_PRINCIPAL_ID(N'{{.Role}}') IS NULL
	CREATE ROLE {{.Role}};
GO
{{range .Granted}}GRANT EXECUTE ON dbo.{{.}} TO {{$.Role}};
{{end -}}
GO
{{if .User -}}
IF DATABASE_PRINCIPAL_ID({{text .User}}) IS NULL
	CREATE USER {{name .User}} FOR LOGIN {{name .User}};
GO
ALTER ROLE {{.Role}} ADD MEMBER {{name .User}};
GO
{{end -}}
{{if .TempTables -}}
-- The procedures reach tempdb through ownership: both databases must be sa's, and
-- chaining on. Whoever can create procedures in dbo here then has the tables of
-- tempdb's dbo too.
ALTER DATABASE {{name .Database}} SET DB_CHAINING ON;
GO
DECLARE @change nvarchar(600);
SET @change = N'ALTER AUTHORIZATION ON DATABASE::' + QUOTENAME({{text .Database}}) + N' TO ' + QUOTENAME(SUSER_SNAME(0x01));
EXECUTE (@change);
GO
USE master
GO
IF OBJECT_ID(N'dbo.ASPState_Startup', N'P') IS NULL
	EXECUTE (N'CREATE PROCEDURE dbo.ASPState_Startup AS RETURN 0');
GO
ALTER PROCEDURE dbo.ASPState_Startup
AS
	{{template "mark"}}
	EXECUTE {{name .Database}}.dbo.CreateTempTables;
	RETURN 0;
GO
EXECUTE sp_procoption @ProcName = N'ASPState_Startup', @OptionName = N'startup', @OptionValue = N'true'
GO
USE {{name .Database}}
GO
{{end -}}
{{define "stub"}}IF OBJECT_ID(N'dbo.{{.}}', N'P') IS NULL
	EXECUTE (N'CREATE PROCEDURE dbo.{{.}} AS RETURN 0');
GO{{end -}}
{{define "mark"}}-- aspsession: ASPState schema 1{{end -}}
{{define "told"}}	IF @actionFlags = 1
	BEGIN
		-- Of any number of readers one is told that the session is new.
		UPDATE {{.Tables}}ASPStateTempSessions SET Flags = Flags & ~1 WHERE SessionId = @id AND Flags & 1 = 1;
		IF @@ROWCOUNT = 0
			SET @actionFlags = 0;
	END;{{end -}}
{{define "create"}}IF OBJECT_ID(N'{{.Tables}}ASPStateTempSessions', N'U') IS NULL
CREATE TABLE {{.Tables}}ASPStateTempSessions (
	SessionId nvarchar(88) NOT NULL CONSTRAINT PK_ASPStateTempSessions PRIMARY KEY CLUSTERED,
	Created datetime NOT NULL CONSTRAINT DF_ASPStateTempSessions_Created DEFAULT (GETUTCDATE()),
	Expires datetime NOT NULL,
	LockDate datetime NOT NULL,
	LockDateLocal datetime NOT NULL,
	LockCookie int NOT NULL,
	Timeout int NOT NULL,
	Locked bit NOT NULL,
	SessionItemShort varbinary(7000) NULL,
	SessionItemLong varbinary(max) NULL,
	Flags int NOT NULL CONSTRAINT DF_ASPStateTempSessions_Flags DEFAULT (0)
);
IF NOT EXISTS (SELECT name FROM {{.Catalog}}sys.indexes WHERE object_id = OBJECT_ID(N'{{.Tables}}ASPStateTempSessions') AND name = N'Index_Expires')
	CREATE NONCLUSTERED INDEX Index_Expires ON {{.Tables}}ASPStateTempSessions (Expires);
IF OBJECT_ID(N'{{.Tables}}ASPStateTempApplications', N'U') IS NULL
CREATE TABLE {{.Tables}}ASPStateTempApplications (
	AppId int NOT NULL CONSTRAINT PK_ASPStateTempApplications PRIMARY KEY CLUSTERED,
	AppName char(280) NOT NULL
);
IF NOT EXISTS (SELECT name FROM {{.Catalog}}sys.indexes WHERE object_id = OBJECT_ID(N'{{.Tables}}ASPStateTempApplications') AND name = N'Index_AppName')
	CREATE NONCLUSTERED INDEX Index_AppName ON {{.Tables}}ASPStateTempApplications (AppName);{{end -}}
