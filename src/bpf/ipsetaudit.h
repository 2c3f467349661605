/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The wire between the probe and the program, declared here once: the build turns these structs into Rust types, and
 * wire.rs reads them by the offsets that the compiler gives. All integers are in the host's byte order.
 */
#ifndef IPSETAUDIT_H
#define IPSETAUDIT_H

#define COMM_LEN 16
/* Bytes of a message that are kept while its call is under way: enough for a set's name and one element. */
#define HEAD_LEN 128
/* IPSET_CMD_* are 1 to 15; slot 0 counts every other number. */
#define OP_SLOTS 16

enum call_kind {
	CALL_RETURNED,	/* the call returned with `result` */
	CALL_NO_RETURN,	/* the same thread calls again, so this one's return went by unseen */
	CALL_REFUSED,	/* refused with `result` before ipset saw it */
};

/* One ipset call: a record in the ring, followed by the message's bytes. */
struct ipset_call {
	__u64 time;	/* CLOCK_MONOTONIC at the return, ns */
	__u64 entered;	/* CLOCK_MONOTONIC at the entry, ns; 0: not seen */
	__u64 start;	/* the process's start, ns since boot */
	__u64 cgroup;	/* cgroup v2 id */
	__u32 pid;	/* thread group id, initial pid namespace */
	__u32 tid;
	__u32 ppid;
	__u32 uid;
	__u32 gid;
	__u32 auid;	/* audit login uid; 0xffffffff: unset */
	__u32 ses;	/* audit session; 0xffffffff: unset */
	__u32 netns;	/* inode of the socket's network namespace */
	__s32 result;	/* what nfnetlink_rcv_msg returned: 0 or a negative errno */
	__s32 answer;	/* negative errno that ipset itself sent to the caller; 0: none was seen */
	__u32 line;	/* raw bytes of the line number in that answer */
	enum call_kind kind;
	__u32 length;	/* nlmsg_len */
	__u32 copied;	/* bytes of it that follow this struct */
	__u32 port;	/* list and save: netlink port of the caller's socket */
	__u32 dumps_ended;	/* dumps that had ended when this call returned */
	char comm[COMM_LEN];	/* of the thread */
	char leader[COMM_LEN];	/* of the process: its thread group leader */
	char parent[COMM_LEN];	/* of the parent process */
};

/* A list or save is over: its last message was read, or its socket closed. Known by its length. */
struct ipset_dump_end {
	__u64 time;	/* CLOCK_MONOTONIC, ns */
	__u32 netns;	/* inode of the socket's network namespace */
	__u32 port;	/* netlink port of the socket: one has one dump at a time */
};

/* Counters of one CPU; the program adds them up. */
struct call_counts {
	__u64 entered[OP_SLOTS];	/* calls seen to begin */
	__u64 ring_full[OP_SLOTS];	/* calls whose record found no room */
	__u64 untracked[OP_SLOTS];	/* calls that could not be remembered until their return */
	__u64 canary;			/* our own calls seen to return */
};

#endif
