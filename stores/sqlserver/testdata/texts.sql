-- GetStateItem
DECLARE @now datetime = GETUTCDATE(), @item varbinary(max);
UPDATE [Sessions]
SET Expires = DATEADD(n, Timeout, @now),
	@LockAge = DATEDIFF(second, LockDate, @now),
	@LockCookie = LockCookie,
	@item = CASE Locked WHEN 0 THEN CONVERT(varbinary(max), SessionItemLong) ELSE NULL END,
	@Locked = Locked,
	@ActionFlags = Flags & 1,
	Flags = Flags & ~1
WHERE SessionId = @SessionId;
IF @item IS NOT NULL SELECT @item
GO
-- GetStateItemExclusive
DECLARE @now datetime = GETUTCDATE(), @nowLocal datetime = GETDATE(), @item varbinary(max);
UPDATE [Sessions]
SET Expires = DATEADD(n, Timeout, @now),
	LockDate = CASE Locked WHEN 0 THEN @now ELSE LockDate END,
	LockDateLocal = CASE Locked WHEN 0 THEN @nowLocal ELSE LockDateLocal END,
	@LockAge = CASE Locked WHEN 0 THEN 0 ELSE DATEDIFF(second, LockDate, @now) END,
	@LockCookie = LockCookie = CASE Locked WHEN 0 THEN LockCookie + 1 ELSE LockCookie END,
	@item = CASE Locked WHEN 0 THEN CONVERT(varbinary(max), SessionItemLong) ELSE NULL END,
	@Locked = Locked,
	Locked = 1,
	@ActionFlags = Flags & 1,
	Flags = Flags & ~1
WHERE SessionId = @SessionId;
IF @item IS NOT NULL SELECT @item
GO
-- InsertStateItem
DECLARE @now datetime = GETUTCDATE(), @nowLocal datetime = GETDATE();
INSERT [Sessions] (SessionId, SessionItemLong, Timeout, Expires, Locked, LockDate, LockDateLocal, LockCookie)
VALUES (@SessionId, @SessionItemLong, @Timeout, DATEADD(n, @Timeout, @now), 0, @now, @nowLocal, 1)
GO
-- InsertUninitializedItem
DECLARE @now datetime = GETUTCDATE(), @nowLocal datetime = GETDATE();
INSERT [Sessions] (SessionId, SessionItemLong, Timeout, Expires, Locked, LockDate, LockDateLocal, LockCookie, Flags)
VALUES (@SessionId, @SessionItemLong, @Timeout, DATEADD(n, @Timeout, @now), 0, @now, @nowLocal, 1, 1)
GO
-- ReleaseItemExclusive
UPDATE [Sessions]
SET Expires = DATEADD(n, Timeout, GETUTCDATE()), Locked = 0
WHERE SessionId = @SessionId AND LockCookie = @LockCookie
GO
-- RemoveStateItem
DELETE [Sessions] WHERE SessionId = @SessionId AND LockCookie = @LockCookie
GO
-- ResetItemTimeout
UPDATE [Sessions] SET Expires = DATEADD(n, Timeout, GETUTCDATE()) WHERE SessionId = @SessionId
GO
-- UpdateStateItem
UPDATE [Sessions]
SET Expires = DATEADD(n, @Timeout, GETUTCDATE()), SessionItemLong = @SessionItemLong, Timeout = @Timeout, Locked = 0
WHERE SessionId = @SessionId AND LockCookie = @LockCookie
GO
-- columns
SELECT COLUMN_NAME, DATA_TYPE FROM INFORMATION_SCHEMA.COLUMNS WHERE TABLE_NAME = @table
GO
-- columns of
/* aspstate: columns */ SELECT t.name, c.name, TYPE_NAME(c.system_type_id), CONVERT(int, c.max_length), CONVERT(int, c.is_nullable), CONVERT(int, c.is_identity)
FROM tempdb.sys.tables AS t JOIN tempdb.sys.columns AS c ON c.object_id = t.object_id
WHERE t.name IN (N'ASPStateTempSessions', N'ASPStateTempApplications')
GO
-- edition
SELECT CONVERT(int, SERVERPROPERTY('EngineEdition'))
GO
-- grants
/* aspstate: grants */ SELECT USER_NAME(g.grantee_principal_id), ISNULL(o.name, N''), CONVERT(nvarchar(128), g.permission_name)
FROM sys.database_permissions AS g LEFT JOIN sys.objects AS o ON g.class = 1 AND o.object_id = g.major_id
WHERE g.state IN ('G', 'W') AND (g.class = 0 OR g.class = 3 OR g.class = 1 AND o.is_ms_shipped = 0)
GO
-- indexes
/* aspstate: indexes */ SELECT t.name, i.name, c.name, CONVERT(int, i.is_primary_key)
FROM tempdb.sys.tables AS t JOIN tempdb.sys.indexes AS i ON i.object_id = t.object_id
JOIN tempdb.sys.index_columns AS k ON k.object_id = i.object_id AND k.index_id = i.index_id AND k.key_ordinal = 1
JOIN tempdb.sys.columns AS c ON c.object_id = k.object_id AND c.column_id = k.column_id
WHERE t.name IN (N'ASPStateTempSessions', N'ASPStateTempApplications')
GO
-- jobs
/* aspstate: jobs */ SELECT j.name, CONVERT(int, j.enabled)
FROM msdb.dbo.sysjobs AS j JOIN msdb.dbo.sysjobsteps AS s ON s.job_id = j.job_id
WHERE s.command LIKE N'%DeleteExpiredSessions%' AND (s.database_name = DB_NAME() OR s.command LIKE N'%' + DB_NAME() + N'%')
GO
-- list
SELECT TOP (@page) SessionId, DATALENGTH(SessionItemShort), DATALENGTH(SessionItemLong), DATEDIFF(second, GETUTCDATE(), Expires), Flags, Locked, LockCookie, DATEDIFF(second, LockDate, GETUTCDATE())
FROM dbo.t
WHERE SessionId > @after AND RIGHT(SessionId, 8) = @suffix AND Expires > GETUTCDATE()
ORDER BY SessionId
GO
-- parameters
/* aspstate: parameters */ SELECT p.name, a.name, CONVERT(int, a.is_output)
FROM sys.procedures AS p JOIN sys.parameters AS a ON a.object_id = p.object_id
WHERE p.schema_id = SCHEMA_ID(N'dbo')
ORDER BY p.name, a.parameter_id
GO
-- procedures
/* aspstate: procedures */ SELECT p.name, m.definition, HAS_PERMS_BY_NAME(N'dbo.' + QUOTENAME(p.name), 'OBJECT', 'EXECUTE')
FROM sys.procedures AS p LEFT JOIN sys.sql_modules AS m ON m.object_id = p.object_id
WHERE p.schema_id = SCHEMA_ID(N'dbo')
GO
-- purge
SET NOCOUNT OFF; SET DEADLOCK_PRIORITY LOW;
DELETE TOP (@batch) FROM dbo.t WITH (ROWLOCK, READPAST) WHERE Expires < GETUTCDATE()
GO
-- purge in memory
SET NOCOUNT OFF; SET DEADLOCK_PRIORITY LOW;
DELETE TOP (@batch) FROM dbo.t WHERE Expires < GETUTCDATE()
GO
-- rows
/* aspstate: rows */ SELECT COUNT_BIG(*),
	SUM(CASE WHEN Expires < GETUTCDATE() THEN 1 ELSE 0 END),
	MAX(CASE WHEN Expires < GETUTCDATE() THEN DATEDIFF(minute, Expires, GETUTCDATE()) ELSE 0 END),
	SUM(CASE WHEN Locked = 1 AND LockDate < DATEADD(hour, -1, GETUTCDATE()) THEN 1 ELSE 0 END),
	SUM(CASE WHEN SessionItemShort IS NOT NULL AND SessionItemLong IS NOT NULL THEN 1 ELSE 0 END)
FROM tempdb.dbo.ASPStateTempSessions WITH (NOLOCK)
GO
-- server
/* aspstate: server */ SELECT DB_NAME(), CONVERT(nvarchar(128), SERVERPROPERTY('ProductVersion')), CONVERT(nvarchar(128), DATABASEPROPERTYEX(DB_NAME(), 'Collation')),
	CONVERT(nvarchar(60), DATABASEPROPERTYEX(DB_NAME(), 'Recovery')), CONVERT(nvarchar(60), DATABASEPROPERTYEX(DB_NAME(), 'Updateability')), CONVERT(nvarchar(128), CURRENT_USER),
	CONVERT(int, SERVERPROPERTY('EngineEdition')), CONVERT(int, 512 & @@OPTIONS), CONVERT(int, d.is_db_chaining_on), SUSER_SNAME(d.owner_sid)
FROM sys.databases AS d
WHERE d.database_id = DB_ID()
GO
-- startup
/* aspstate: startup */ SELECT CONVERT(int, is_auto_executed) FROM master.sys.procedures WHERE name = N'ASPState_Startup'
GO
