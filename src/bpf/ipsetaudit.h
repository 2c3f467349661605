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

/* A path of a program or cgroup: names of up to NAME_ROOM bytes with their NUL, of which the last finds room. */
#define PATH_ROOM 512
#define NAME_ROOM 256
/* Bytes of a command line that are kept. */
#define ARGS_ROOM 1024
#define MOST_PARENTS 6
#define TTY_LEN 64

/* What a record of the ring is: its first field. */
enum wire_kind {
	CALL_RETURNED,	/* the call returned with `result` */
	CALL_NO_RETURN,	/* the same thread is at another call, so this one's return went by unseen */
	CALL_REFUSED,	/* refused with `result` before ipset saw it */
	PROCESS,	/* what calls that follow have in common */
	DUMP_END,	/* a list or save is over */
};

/* One ipset call, followed by the message's bytes. */
struct ipset_call {
	enum wire_kind kind;
	__u32 length;	/* nlmsg_len */
	__u64 time;	/* CLOCK_MONOTONIC at the return, ns */
	__u64 entered;	/* CLOCK_MONOTONIC at the entry, ns; 0: not seen */
	__u64 start;	/* the process's start, ns since boot */
	__u64 cgroup;	/* cgroup v2 id */
	__u32 pid;	/* thread group id, initial pid namespace */
	__u32 tid;
	__u32 exec;	/* how often the process and its forebears had called exec */
	__u32 ppid;
	__u32 uid;
	__u32 gid;
	__u32 auid;	/* audit login uid; 0xffffffff: unset */
	__u32 ses;	/* audit session; 0xffffffff: unset */
	__u32 netns;	/* inode of the socket's network namespace */
	__s32 result;	/* what nfnetlink_rcv_msg returned: 0 or a negative errno */
	__s32 answer;	/* negative errno that ipset itself sent to the caller; 0: none was seen */
	__u32 line;	/* raw bytes of the line number in that answer */
	__u32 copied;	/* bytes of the message that follow this struct */
	__u32 dump;	/* list and save: netlink port of the caller's socket; others: dumps that had ended so far */
	char comm[COMM_LEN];	/* of the thread */
	char leader[COMM_LEN];	/* of the process: its thread group leader */
};

struct ancestor {
	__u32 pid;
	char comm[COMM_LEN];
};

#define PROCESS_EXE_DELETED 1	/* the program's file has no name any more */
#define PROCESS_EXE_CUT 2
#define PROCESS_CGROUP_CUT 4
#define PROCESS_MORE_PARENTS 8

/*
 * A process, followed by its arguments, each with its NUL. Calls of the same pid, start, exec and leader refer to it.
 * Paths are names with a NUL each, the last one first, and so cut at the root's end.
 */
struct ipset_process {
	enum wire_kind kind;
	__u32 pid;
	__u64 start;
	__u64 cgroup;
	__u32 exec;
	__u32 netns;		/* of the process, not of a socket */
	__u32 flags;		/* PROCESS_* */
	__u32 exe_length;	/* 0: a kernel thread */
	__u32 cgroup_length;	/* 0: the root */
	__u32 args_length;	/* of the whole command line */
	__u32 args_copied;	/* 0: it was not in memory */
	__u32 parent_count;
	char leader[COMM_LEN];
	char tty[TTY_LEN];	/* controlling terminal; empty: none */
	struct ancestor parents[MOST_PARENTS];	/* nearest first */
	char exe[PATH_ROOM];
	char cgroup_path[PATH_ROOM];
};

/* A list or save is over: its last message was read, or its socket closed. */
struct ipset_dump_end {
	enum wire_kind kind;
	__u32 netns;	/* inode of the socket's network namespace */
	__u64 time;	/* CLOCK_MONOTONIC, ns */
	__u32 port;	/* netlink port of the socket: one has one dump at a time */
	__u32 spare;
};

/*
 * What the probe counts. The program reads it in shared memory: whoever asks for a map's value by bpf(2) makes the kernel
 * skip the programs of kprobes on his CPU for the while, and where he is preempted, for long.
 */
struct call_counts {
	__u64 entered[OP_SLOTS];	/* calls seen to begin */
	__u64 ring_full[OP_SLOTS];	/* calls whose record found no room */
	__u64 untracked[OP_SLOTS];	/* calls that could not be remembered until their return */
	__u64 canary;			/* our own calls seen to return */
	__u64 others;			/* entries of other messages, our own calls among them */
	__u64 refused;			/* of the calls seen to begin, those refused before ipset saw them */
	__u64 refusals;			/* runs of the program that sees refusals */
	__u64 spare[4];
	__u64 returned;			/* returns of any message; in a cache line of its own */
};

/* What the reader tells the probe. */
struct reader_state {
	__u32 asleep;	/* not 0: wake it at the next record */
	__u32 epoch;	/* of what it knows: where it has changed, every process is told of again */
};

/* Groups of packets that are told apart. */
#define PACKET_KEYS 8192

/* What packets do to a set at one hook. */
struct packet_key {
	__u32 netns;	/* inode of the packet's network namespace */
	__u16 set_index;	/* of the set, in its namespace */
	__u8 cmd;	/* IPSET_CMD_ADD or IPSET_CMD_DEL */
	__u8 hook;	/* NF_INET_* */
	__u32 exist;	/* the rule says --exist */
};

/* How that went. */
struct packet_counts {
	__u64 applied;
	__u64 unchanged;	/* added what was there, or deleted what was not */
	__u64 failed;
	__s64 error;	/* the last failure's, a negative errno */
};

#endif
