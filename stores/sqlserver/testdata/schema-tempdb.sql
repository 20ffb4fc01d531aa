-- ASP.NET session state in SQL Server: tables in tempdb, database [ASPState].
-- Written by aspsession. It may be run again at any time: sessions stay, and what
-- is missing is made. With sqlcmd use -b, so that it stops at an error.
IF DB_ID(N'ASPState') IS NULL
BEGIN
	CREATE DATABASE [ASPState];
	-- Nobody restores sessions from log backups.
	ALTER DATABASE [ASPState] SET RECOVERY SIMPLE;
END
GO
USE [ASPState]
GO
SET ANSI_NULLS ON;
SET QUOTED_IDENTIFIER ON;
GO
IF OBJECT_ID(N'dbo.CreateTempTables', N'P') IS NULL
	EXECUTE (N'CREATE PROCEDURE dbo.CreateTempTables AS RETURN 0');
GO
-- tempdb is made anew at each start of the server.
ALTER PROCEDURE dbo.CreateTempTables
AS
	-- aspsession: ASPState schema 1
	SET NOCOUNT ON;
IF OBJECT_ID(N'tempdb.dbo.ASPStateTempSessions', N'U') IS NULL
CREATE TABLE tempdb.dbo.ASPStateTempSessions (
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
IF NOT EXISTS (SELECT name FROM tempdb.sys.indexes WHERE object_id = OBJECT_ID(N'tempdb.dbo.ASPStateTempSessions') AND name = N'Index_Expires')
	CREATE NONCLUSTERED INDEX Index_Expires ON tempdb.dbo.ASPStateTempSessions (Expires);
IF OBJECT_ID(N'tempdb.dbo.ASPStateTempApplications', N'U') IS NULL
CREATE TABLE tempdb.dbo.ASPStateTempApplications (
	AppId int NOT NULL CONSTRAINT PK_ASPStateTempApplications PRIMARY KEY CLUSTERED,
	AppName char(280) NOT NULL
);
IF NOT EXISTS (SELECT name FROM tempdb.sys.indexes WHERE object_id = OBJECT_ID(N'tempdb.dbo.ASPStateTempApplications') AND name = N'Index_AppName')
	CREATE NONCLUSTERED INDEX Index_AppName ON tempdb.dbo.ASPStateTempApplications (AppName);
GO
EXECUTE dbo.CreateTempTables
GO
IF OBJECT_ID(N'dbo.TempGetVersion', N'P') IS NULL
	EXECUTE (N'CREATE PROCEDURE dbo.TempGetVersion AS RETURN 0');
GO
-- ASP.NET looks whether this procedure exists; nobody calls it.
ALTER PROCEDURE dbo.TempGetVersion
	@ver char(10) OUTPUT
AS
	-- aspsession: ASPState schema 1
	SET NOCOUNT ON;
	SET @ver = '2';
GO
IF OBJECT_ID(N'dbo.GetMajorVersion', N'P') IS NULL
	EXECUTE (N'CREATE PROCEDURE dbo.GetMajorVersion AS RETURN 0');
GO
-- The name with two at-signs is what ASP.NET calls it by.
ALTER PROCEDURE dbo.GetMajorVersion
	@@ver int OUTPUT
AS
	-- aspsession: ASPState schema 1
	SET NOCOUNT ON;
	SET @@ver = CONVERT(int, PARSENAME(CONVERT(varchar(32), SERVERPROPERTY('ProductVersion')), 4));
GO
IF OBJECT_ID(N'dbo.GetHashCode', N'P') IS NULL
	EXECUTE (N'CREATE PROCEDURE dbo.GetHashCode AS RETURN 0');
GO
-- djb2 with XOR in 32 bits, as a signed number.
ALTER PROCEDURE dbo.GetHashCode
	@input varchar(280),
	@hash int OUTPUT
AS
	-- aspsession: ASPState schema 1
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
IF OBJECT_ID(N'dbo.TempGetAppID', N'P') IS NULL
	EXECUTE (N'CREATE PROCEDURE dbo.TempGetAppID AS RETURN 0');
GO
-- The number is a hash of the name, so that two servers that meet an application
-- at the same moment make the same row, and the primary key keeps one of them.
ALTER PROCEDURE dbo.TempGetAppID
	@appName varchar(280),
	@appId int OUTPUT
AS
	-- aspsession: ASPState schema 1
	SET NOCOUNT ON;
	DECLARE @other varchar(280), @text nvarchar(1000);
	SELECT @appName = LOWER(@appName), @appId = NULL;
	SELECT @appId = AppId FROM tempdb.dbo.ASPStateTempApplications WHERE AppName = @appName;
	IF @appId IS NOT NULL
		RETURN 0;
	EXECUTE dbo.GetHashCode @appName, @appId OUTPUT;
	INSERT INTO tempdb.dbo.ASPStateTempApplications (AppId, AppName)
	SELECT @appId, @appName
	WHERE NOT EXISTS (SELECT AppId FROM tempdb.dbo.ASPStateTempApplications WITH (UPDLOCK, HOLDLOCK) WHERE AppId = @appId);
	SELECT @other = RTRIM(AppName) FROM tempdb.dbo.ASPStateTempApplications WHERE AppId = @appId;
	IF @other <> @appName
	BEGIN
		SET @text = N'The applications ' + @appName + N' and ' + @other + N' have the same number and cannot both keep sessions here. Rename one of them.';
		RAISERROR(N'%s', 18, 1, @text);
		RETURN 1;
	END;
	RETURN 0;
GO
IF OBJECT_ID(N'dbo.TempGetStateItem3', N'P') IS NULL
	EXECUTE (N'CREATE PROCEDURE dbo.TempGetStateItem3 AS RETURN 0');
GO
-- Reads without a lock. What is read is of one moment: one SELECT takes it all.
ALTER PROCEDURE dbo.TempGetStateItem3
	@id nvarchar(88),
	@itemShort varbinary(7000) OUTPUT,
	@locked bit OUTPUT,
	@lockAge int OUTPUT,
	@lockCookie int OUTPUT,
	@actionFlags int OUTPUT
AS
	-- aspsession: ASPState schema 1
	SET NOCOUNT ON;
	DECLARE @now datetime, @item varbinary(max);
	SELECT @now = GETUTCDATE(), @itemShort = NULL, @locked = NULL, @lockAge = NULL, @lockCookie = NULL, @actionFlags = NULL;
	UPDATE tempdb.dbo.ASPStateTempSessions
	SET Expires = DATEADD(minute, Timeout, @now)
	WHERE SessionId = @id;
	SELECT @locked = Locked,
		@lockAge = DATEDIFF(second, LockDate, @now),
		@lockCookie = LockCookie,
		@itemShort = CASE Locked WHEN 0 THEN SessionItemShort ELSE NULL END,
		@item = CASE Locked WHEN 0 THEN CONVERT(varbinary(max), SessionItemLong) ELSE NULL END,
		@actionFlags = CASE Locked WHEN 0 THEN Flags & 1 ELSE 0 END
	FROM tempdb.dbo.ASPStateTempSessions
	WHERE SessionId = @id;
	IF @actionFlags = 1
	BEGIN
		-- Of any number of readers one is told that the session is new.
		UPDATE tempdb.dbo.ASPStateTempSessions SET Flags = Flags & ~1 WHERE SessionId = @id AND Flags & 1 = 1;
		IF @@ROWCOUNT = 0
			SET @actionFlags = 0;
	END;
	IF @item IS NOT NULL
		SELECT @item AS SessionItemLong;
	RETURN 0;
GO
IF OBJECT_ID(N'dbo.TempGetStateItemExclusive3', N'P') IS NULL
	EXECUTE (N'CREATE PROCEDURE dbo.TempGetStateItemExclusive3 AS RETURN 0');
GO
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
	-- aspsession: ASPState schema 1
	SET NOCOUNT ON;
	DECLARE @now datetime, @item varbinary(max), @taken int;
	SELECT @now = GETUTCDATE(), @itemShort = NULL, @locked = NULL, @lockAge = NULL, @lockCookie = NULL, @actionFlags = NULL;
	UPDATE tempdb.dbo.ASPStateTempSessions
	SET Expires = DATEADD(minute, Timeout, @now), LockDate = @now, LockDateLocal = GETDATE(), LockCookie = LockCookie + 1, Locked = 1
	WHERE SessionId = @id AND Locked = 0;
	SET @taken = @@ROWCOUNT;
	IF @taken = 0
		UPDATE tempdb.dbo.ASPStateTempSessions
		SET Expires = DATEADD(minute, Timeout, @now)
		WHERE SessionId = @id;
	SELECT @locked = 1 - @taken,
		@lockAge = CASE WHEN @taken = 1 OR LockDate > @now THEN 0 ELSE DATEDIFF(second, LockDate, @now) END,
		@lockCookie = LockCookie,
		@itemShort = CASE @taken WHEN 1 THEN SessionItemShort ELSE NULL END,
		@item = CASE @taken WHEN 1 THEN CONVERT(varbinary(max), SessionItemLong) ELSE NULL END,
		@actionFlags = CASE @taken WHEN 1 THEN Flags & 1 ELSE 0 END
	FROM tempdb.dbo.ASPStateTempSessions
	WHERE SessionId = @id;
	IF @actionFlags = 1
	BEGIN
		-- Of any number of readers one is told that the session is new.
		UPDATE tempdb.dbo.ASPStateTempSessions SET Flags = Flags & ~1 WHERE SessionId = @id AND Flags & 1 = 1;
		IF @@ROWCOUNT = 0
			SET @actionFlags = 0;
	END;
	IF @item IS NOT NULL
		SELECT @item AS SessionItemLong;
	RETURN 0;
GO
IF OBJECT_ID(N'dbo.TempReleaseStateItemExclusive', N'P') IS NULL
	EXECUTE (N'CREATE PROCEDURE dbo.TempReleaseStateItemExclusive AS RETURN 0');
GO
-- Here and below clients count the rows that were met: NOCOUNT stays off.
ALTER PROCEDURE dbo.TempReleaseStateItemExclusive
	@id nvarchar(88),
	@lockCookie int
AS
	-- aspsession: ASPState schema 1
	SET NOCOUNT OFF;
	UPDATE tempdb.dbo.ASPStateTempSessions
	SET Expires = DATEADD(minute, Timeout, GETUTCDATE()), Locked = 0
	WHERE SessionId = @id AND LockCookie = @lockCookie;
	RETURN 0;
GO
IF OBJECT_ID(N'dbo.TempInsertUninitializedItem', N'P') IS NULL
	EXECUTE (N'CREATE PROCEDURE dbo.TempInsertUninitializedItem AS RETURN 0');
GO
ALTER PROCEDURE dbo.TempInsertUninitializedItem
	@id nvarchar(88),
	@itemShort varbinary(7000),
	@timeout int
AS
	-- aspsession: ASPState schema 1
	SET NOCOUNT OFF;
	DECLARE @now datetime;
	SET @now = GETUTCDATE();
	INSERT INTO tempdb.dbo.ASPStateTempSessions (SessionId, SessionItemShort, Timeout, Expires, Locked, LockDate, LockDateLocal, LockCookie, Flags)
	VALUES (@id, @itemShort, @timeout, DATEADD(minute, @timeout, @now), 0, @now, GETDATE(), 1, 1);
	RETURN 0;
GO
IF OBJECT_ID(N'dbo.TempInsertStateItemShort', N'P') IS NULL
	EXECUTE (N'CREATE PROCEDURE dbo.TempInsertStateItemShort AS RETURN 0');
GO
ALTER PROCEDURE dbo.TempInsertStateItemShort
	@id nvarchar(88),
	@itemShort varbinary(7000),
	@timeout int
AS
	-- aspsession: ASPState schema 1
	SET NOCOUNT OFF;
	DECLARE @now datetime;
	SET @now = GETUTCDATE();
	INSERT INTO tempdb.dbo.ASPStateTempSessions (SessionId, SessionItemShort, Timeout, Expires, Locked, LockDate, LockDateLocal, LockCookie, Flags)
	VALUES (@id, @itemShort, @timeout, DATEADD(minute, @timeout, @now), 0, @now, GETDATE(), 1, 0);
	RETURN 0;
GO
IF OBJECT_ID(N'dbo.TempInsertStateItemLong', N'P') IS NULL
	EXECUTE (N'CREATE PROCEDURE dbo.TempInsertStateItemLong AS RETURN 0');
GO
ALTER PROCEDURE dbo.TempInsertStateItemLong
	@id nvarchar(88),
	@itemLong varbinary(max),
	@timeout int
AS
	-- aspsession: ASPState schema 1
	SET NOCOUNT OFF;
	DECLARE @now datetime;
	SET @now = GETUTCDATE();
	INSERT INTO tempdb.dbo.ASPStateTempSessions (SessionId, SessionItemLong, Timeout, Expires, Locked, LockDate, LockDateLocal, LockCookie, Flags)
	VALUES (@id, @itemLong, @timeout, DATEADD(minute, @timeout, @now), 0, @now, GETDATE(), 1, 0);
	RETURN 0;
GO
IF OBJECT_ID(N'dbo.TempUpdateStateItemShort', N'P') IS NULL
	EXECUTE (N'CREATE PROCEDURE dbo.TempUpdateStateItemShort AS RETURN 0');
GO
ALTER PROCEDURE dbo.TempUpdateStateItemShort
	@id nvarchar(88),
	@itemShort varbinary(7000),
	@timeout int,
	@lockCookie int
AS
	-- aspsession: ASPState schema 1
	SET NOCOUNT OFF;
	UPDATE tempdb.dbo.ASPStateTempSessions
	SET Expires = DATEADD(minute, @timeout, GETUTCDATE()), SessionItemShort = @itemShort, Timeout = @timeout, Locked = 0
	WHERE SessionId = @id AND LockCookie = @lockCookie;
	RETURN 0;
GO
IF OBJECT_ID(N'dbo.TempUpdateStateItemShortNullLong', N'P') IS NULL
	EXECUTE (N'CREATE PROCEDURE dbo.TempUpdateStateItemShortNullLong AS RETURN 0');
GO
ALTER PROCEDURE dbo.TempUpdateStateItemShortNullLong
	@id nvarchar(88),
	@itemShort varbinary(7000),
	@timeout int,
	@lockCookie int
AS
	-- aspsession: ASPState schema 1
	SET NOCOUNT OFF;
	UPDATE tempdb.dbo.ASPStateTempSessions
	SET Expires = DATEADD(minute, @timeout, GETUTCDATE()), SessionItemShort = @itemShort, SessionItemLong = NULL, Timeout = @timeout, Locked = 0
	WHERE SessionId = @id AND LockCookie = @lockCookie;
	RETURN 0;
GO
IF OBJECT_ID(N'dbo.TempUpdateStateItemLong', N'P') IS NULL
	EXECUTE (N'CREATE PROCEDURE dbo.TempUpdateStateItemLong AS RETURN 0');
GO
ALTER PROCEDURE dbo.TempUpdateStateItemLong
	@id nvarchar(88),
	@itemLong varbinary(max),
	@timeout int,
	@lockCookie int
AS
	-- aspsession: ASPState schema 1
	SET NOCOUNT OFF;
	UPDATE tempdb.dbo.ASPStateTempSessions
	SET Expires = DATEADD(minute, @timeout, GETUTCDATE()), SessionItemLong = @itemLong, Timeout = @timeout, Locked = 0
	WHERE SessionId = @id AND LockCookie = @lockCookie;
	RETURN 0;
GO
IF OBJECT_ID(N'dbo.TempUpdateStateItemLongNullShort', N'P') IS NULL
	EXECUTE (N'CREATE PROCEDURE dbo.TempUpdateStateItemLongNullShort AS RETURN 0');
GO
ALTER PROCEDURE dbo.TempUpdateStateItemLongNullShort
	@id nvarchar(88),
	@itemLong varbinary(max),
	@timeout int,
	@lockCookie int
AS
	-- aspsession: ASPState schema 1
	SET NOCOUNT OFF;
	UPDATE tempdb.dbo.ASPStateTempSessions
	SET Expires = DATEADD(minute, @timeout, GETUTCDATE()), SessionItemLong = @itemLong, SessionItemShort = NULL, Timeout = @timeout, Locked = 0
	WHERE SessionId = @id AND LockCookie = @lockCookie;
	RETURN 0;
GO
IF OBJECT_ID(N'dbo.TempRemoveStateItem', N'P') IS NULL
	EXECUTE (N'CREATE PROCEDURE dbo.TempRemoveStateItem AS RETURN 0');
GO
ALTER PROCEDURE dbo.TempRemoveStateItem
	@id nvarchar(88),
	@lockCookie int
AS
	-- aspsession: ASPState schema 1
	SET NOCOUNT OFF;
	DELETE FROM tempdb.dbo.ASPStateTempSessions
	WHERE SessionId = @id AND LockCookie = @lockCookie;
	RETURN 0;
GO
IF OBJECT_ID(N'dbo.TempResetTimeout', N'P') IS NULL
	EXECUTE (N'CREATE PROCEDURE dbo.TempResetTimeout AS RETURN 0');
GO
ALTER PROCEDURE dbo.TempResetTimeout
	@id nvarchar(88)
AS
	-- aspsession: ASPState schema 1
	SET NOCOUNT OFF;
	UPDATE tempdb.dbo.ASPStateTempSessions
	SET Expires = DATEADD(minute, Timeout, GETUTCDATE())
	WHERE SessionId = @id;
	RETURN 0;
GO
IF OBJECT_ID(N'dbo.DeleteExpiredSessions', N'P') IS NULL
	EXECUTE (N'CREATE PROCEDURE dbo.DeleteExpiredSessions AS RETURN 0');
GO
-- Call it about once a minute: from a job of SQL Server Agent, from
-- aspstate sql purge, or by the purge of the Go store.
ALTER PROCEDURE dbo.DeleteExpiredSessions
AS
	-- aspsession: ASPState schema 1
	SET NOCOUNT ON;
	SET DEADLOCK_PRIORITY LOW;
	DECLARE @now datetime, @rows int;
	SELECT @now = GETUTCDATE(), @rows = 1;
	WHILE @rows > 0
	BEGIN
		DELETE TOP (500) FROM tempdb.dbo.ASPStateTempSessions WITH (ROWLOCK, READPAST)
		WHERE Expires < @now;
		SET @rows = @@ROWCOUNT;
	END;
	RETURN 0;
GO
-- A member of this role can use sessions and nothing else.
IF DATABASE_PRINCIPAL_ID(N'aspstate_client') IS NULL
	CREATE ROLE aspstate_client;
GO
GRANT EXECUTE ON dbo.TempGetVersion TO aspstate_client;
GRANT EXECUTE ON dbo.GetMajorVersion TO aspstate_client;
GRANT EXECUTE ON dbo.GetHashCode TO aspstate_client;
GRANT EXECUTE ON dbo.TempGetAppID TO aspstate_client;
GRANT EXECUTE ON dbo.TempGetStateItem3 TO aspstate_client;
GRANT EXECUTE ON dbo.TempGetStateItemExclusive3 TO aspstate_client;
GRANT EXECUTE ON dbo.TempReleaseStateItemExclusive TO aspstate_client;
GRANT EXECUTE ON dbo.TempInsertUninitializedItem TO aspstate_client;
GRANT EXECUTE ON dbo.TempInsertStateItemShort TO aspstate_client;
GRANT EXECUTE ON dbo.TempInsertStateItemLong TO aspstate_client;
GRANT EXECUTE ON dbo.TempUpdateStateItemShort TO aspstate_client;
GRANT EXECUTE ON dbo.TempUpdateStateItemShortNullLong TO aspstate_client;
GRANT EXECUTE ON dbo.TempUpdateStateItemLong TO aspstate_client;
GRANT EXECUTE ON dbo.TempUpdateStateItemLongNullShort TO aspstate_client;
GRANT EXECUTE ON dbo.TempRemoveStateItem TO aspstate_client;
GRANT EXECUTE ON dbo.TempResetTimeout TO aspstate_client;
GRANT EXECUTE ON dbo.DeleteExpiredSessions TO aspstate_client;
GO
-- The procedures reach tempdb through ownership: both databases must be sa's, and
-- chaining on. Whoever can create procedures in dbo here then has the tables of
-- tempdb's dbo too.
ALTER DATABASE [ASPState] SET DB_CHAINING ON;
GO
DECLARE @change nvarchar(600);
SET @change = N'ALTER AUTHORIZATION ON DATABASE::' + QUOTENAME(N'ASPState') + N' TO ' + QUOTENAME(SUSER_SNAME(0x01));
EXECUTE (@change);
GO
USE master
GO
IF OBJECT_ID(N'dbo.ASPState_Startup', N'P') IS NULL
	EXECUTE (N'CREATE PROCEDURE dbo.ASPState_Startup AS RETURN 0');
GO
ALTER PROCEDURE dbo.ASPState_Startup
AS
	-- aspsession: ASPState schema 1
	EXECUTE [ASPState].dbo.CreateTempTables;
	RETURN 0;
GO
EXECUTE sp_procoption @ProcName = N'ASPState_Startup', @OptionName = N'startup', @OptionValue = N'true'
GO
USE [ASPState]
GO
