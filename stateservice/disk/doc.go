// Package disk keeps the sessions of a state service in a directory, so that
// they outlive a restart and a crash: a stateservice.Journal on bbolt.
//
//	j, err := disk.Open("/var/lib/aspstate", disk.Options{})
//	if err != nil {
//		return err // says which file is wrong and what to do
//	}
//	defer j.Close()
//	s, err := stateservice.Open(stateservice.Options{Journal: j})
//
// # Terms
//
// A change is what the engine appends: an item put, touched, removed, expired. A
// commit writes all changes that wait and ends with an fsync: group commit. An
// end is a session's end that a hook is to hear of; it is written in the same
// commit as the change that caused it and stays until the hook took it. The
// epoch counts how often the directory was opened.
//
// # What a crash can lose
//
// Replies do not wait for the disk. A change is durable when the commit that took
// it is done; a commit starts Options.Gather (10 ms) after the first change that
// waits, or when the one before is done. So what a crash loses is no older than
// Window, 50 ms, while commits take 20 ms or less. Measured on two cores and a
// virtual disk, 50 writers of 1 KB over 200,000 sessions, age of the oldest change
// that is not durable (BenchmarkWindow):
//
//	 1,000 changes/s   median 6 ms    p99 14 ms   highest 19 ms
//	 5,000 changes/s   median 9 ms    p99 20 ms   highest 30 ms
//	10,000 changes/s   median 12 ms   p99 27 ms   highest 34 ms
//
// A disk that is slower, or more changes than it takes (18,000 a second there),
// make it longer: Stats.Lag and Stats.WorstLag tell how long, a warning is logged
// when it is longer than Window, and beyond Options.MaxQueue changes are refused.
// Killed 120 times at full speed, client, server and disk sharing those two cores,
// the service was within Window at 90 of them; the oldest change lost was 230 ms old.
// A session that was removed does not come back once that is durable. Close loses
// nothing. What is lost is always the latest, in the order of appending.
//
// Times are wall-clock times: an item expires when it would have, also while
// nothing ran. Locks are not kept. A record has the last lock cookie that was
// appended and the epoch of that; Load adds 65,536 for each opening between it and
// the one before this, and the engine 65,536 for this one, so that no holder of a
// lock from before any restart matches a lock of today.
//
// # A full disk
//
// Open refuses a disk with less than 1 MiB free. When one fills later, the commit
// that fails is kept in memory and tried again every second; meanwhile Append
// refuses with ErrRefused, and the service keeps serving reads. When there is
// space again, what waited is written and Append accepts.
//
// # A damaged directory
//
// Open reads every page in use before it writes anything, and checks that the
// tree is one and that each record has its CRC-32C. The error wraps ErrCorrupt
// and names the file, the place in it and the cure: restore the directory from a
// copy, or move it away and start empty. Nothing is ever repaired, deleted or
// overwritten on the way. Of the file's two headers one may be torn, which a
// power cut can do: the commit before is used then, and a warning logged.
//
// # Why bbolt
//
// Measured there, without cgo, bbolt v1.5.0 against pebble v2.1.7:
//
//	                                        bbolt          pebble
//	50 writers that wait for the commit     16,000/s       33,000/s
//	their latency: median, p99, highest     3, 5, 14 ms    1, 10, 27 ms
//	commit of 250 changes: mean, highest    11, 17 ms      3, 215 ms
//	open and read 200,000 sessions          0.3 s          0.8 s
//	file for their 200 MB                   360 MB         120 MB, compressed
//	added to a program                      0.6 MB         15 MB
//	modules                                 2              some 30
//
// (Our own recovery, which checks every page and record too, takes 0.5 s.) bbolt
// is one file of a format that has been the same since 2014, and etcd rests on it. Small binary, few dependencies and an even tail decide: a state
// service needs thousands of changes a second, not tens of thousands. The price
// is a file that does not shrink and two to three times the size of its content.
//
// # Security
//
// The directory holds sessions and their keys in the clear, and whoever can
// write it runs code in ASP.NET. Open makes it with mode 0700 and refuses one
// that others may read (not on Windows, where the parent's access list decides).
// Errors and logs have no keys and no content.
package disk
