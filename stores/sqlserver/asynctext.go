package sqlserver

import "strings"

// asyncText is the layout of the async provider 1.1: one table and no procedure.
// The texts are ours. Each is one UPDATE, INSERT or DELETE, which is atomic by
// itself and needs neither a transaction nor locking hints, so that the same text
// does for the table in memory, which refuses hints. The payload is caught in a
// variable by the UPDATE that reads the lock: no writer comes in between.
func asyncText(table string, memory bool) *async {
	a := &async{table: quoted(table), memory: memory, calls: map[operation]string{}}
	for op, text := range asyncTexts {
		a.calls[op] = strings.ReplaceAll(text, "{table}", a.table)
	}
	return a
}

// In "SET @v = column" the variable gets the value from before the UPDATE, in
// "SET @v = column = expression" the one from after it.
var asyncTexts = map[operation]string{
	opGet: `DECLARE @now datetime = GETUTCDATE(), @item varbinary(max);
UPDATE {table}
SET Expires = DATEADD(n, Timeout, @now),
	@LockAge = DATEDIFF(second, LockDate, @now),
	@LockCookie = LockCookie,
	@item = CASE Locked WHEN 0 THEN CONVERT(varbinary(max), SessionItemLong) ELSE NULL END,
	@Locked = Locked,
	@ActionFlags = Flags & 1,
	Flags = Flags & ~1
WHERE SessionId = @SessionId;
IF @item IS NOT NULL SELECT @item`,

	opGetExclusive: `DECLARE @now datetime = GETUTCDATE(), @nowLocal datetime = GETDATE(), @item varbinary(max);
UPDATE {table}
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
IF @item IS NOT NULL SELECT @item`,

	opInsert: `DECLARE @now datetime = GETUTCDATE(), @nowLocal datetime = GETDATE();
INSERT {table} (SessionId, SessionItemLong, Timeout, Expires, Locked, LockDate, LockDateLocal, LockCookie)
VALUES (@SessionId, @SessionItemLong, @Timeout, DATEADD(n, @Timeout, @now), 0, @now, @nowLocal, 1)`,

	opInsertUninitialized: `DECLARE @now datetime = GETUTCDATE(), @nowLocal datetime = GETDATE();
INSERT {table} (SessionId, SessionItemLong, Timeout, Expires, Locked, LockDate, LockDateLocal, LockCookie, Flags)
VALUES (@SessionId, @SessionItemLong, @Timeout, DATEADD(n, @Timeout, @now), 0, @now, @nowLocal, 1, 1)`,

	opUpdate: `UPDATE {table}
SET Expires = DATEADD(n, @Timeout, GETUTCDATE()), SessionItemLong = @SessionItemLong, Timeout = @Timeout, Locked = 0
WHERE SessionId = @SessionId AND LockCookie = @LockCookie`,

	opRelease: `UPDATE {table}
SET Expires = DATEADD(n, Timeout, GETUTCDATE()), Locked = 0
WHERE SessionId = @SessionId AND LockCookie = @LockCookie`,

	opRemove: `DELETE {table} WHERE SessionId = @SessionId AND LockCookie = @LockCookie`,

	opTouch: `UPDATE {table} SET Expires = DATEADD(n, Timeout, GETUTCDATE()) WHERE SessionId = @SessionId`,
}
